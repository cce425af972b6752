package main

import (
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-isatty"

	"github.com/dataarts-go/factory/contracttest"
)

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// colored reports whether to write colours (https://no-color.org).
func colored(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// counter shows on a terminal how far a run has come.
type counter struct{ w io.Writer }

// progress returns nil where there is no terminal to show it on.
func progress(w io.Writer) *counter {
	if !terminal(w) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &counter{w}
}

func (c *counter) step(p contracttest.Progress) {
	fmt.Fprintf(c.w, "\r\x1b[K%d of %d cases, %d findings", p.Done, p.Total, p.Findings)
}

func (c *counter) clear() { fmt.Fprint(c.w, "\r\x1b[K") }
