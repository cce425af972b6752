package heapfloor

import (
	"os"
	"runtime"
)

// bytes is what the collector takes the heap to hold in addition. More makes
// nothing faster.
const bytes = 16 << 20

// Raise makes the collector wait for 16 MiB more of garbage, until release is
// called. It takes no memory but for that garbage, and unlike a higher GOGC
// multiplies nothing once the heap is large. Where GOGC or GOMEMLIMIT is set it does nothing:
// somebody has chosen.
func Raise() (release func()) {
	for _, variable := range []string{"GOGC", "GOMEMLIMIT"} {
		if os.Getenv(variable) != "" {
			return func() {}
		}
	}
	// Nobody writes to it, so that the system never gives it memory.
	ballast := make([]byte, bytes)
	return func() { runtime.KeepAlive(ballast) }
}
