package client

import (
	"runtime/debug"
	"sync"
)

const module = "github.com/dataarts-go/factory"

// userAgent is the name and the version of this module, as the program was
// built with it.
var userAgent = sync.OnceValue(func() string {
	const name = "dataarts-go-factory/"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return name + "unknown"
	}
	for _, dep := range append(info.Deps, &info.Main) {
		if dep.Path == module && dep.Version != "" && dep.Version != "(devel)" {
			return name + dep.Version
		}
	}
	return name + "devel"
})
