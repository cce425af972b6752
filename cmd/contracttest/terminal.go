package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/mattn/go-isatty"
	"golang.org/x/term"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// colored reports whether to write colours (https://no-color.org).
func colored(w io.Writer) bool {
	return terminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// width is how many cells a line has: COLUMNS, else those of the terminal; 0 where
// there is none.
func width(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := w.(*os.File); ok && terminal(w) {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// onGitHub leaves annotations and a summary where the command runs in a workflow.
func onGitHub(w io.Writer, rep *report.Report) error {
	if os.Getenv("GITHUB_ACTIONS") != "true" {
		return nil
	}
	if err := report.Annotations(w, inRepository(rep)); err != nil {
		return err
	}
	name := os.Getenv("GITHUB_STEP_SUMMARY")
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // GitHub names it
	if err != nil {
		return fmt.Errorf("GITHUB_STEP_SUMMARY: %w", err)
	}
	return errors.Join(report.Markdown(f, rep), f.Close())
}

// inRepository returns the report with the places of its findings as GitHub wants
// them: relative to the repository, wherever in it the command runs.
func inRepository(rep *report.Report) *report.Report {
	root := os.Getenv("GITHUB_WORKSPACE")
	here, err := os.Getwd()
	if root == "" || err != nil {
		return rep
	}
	below, err := filepath.Rel(root, here)
	if err != nil || below == "." || !filepath.IsLocal(below) {
		return rep
	}
	moved := *rep
	moved.Findings = slices.Clone(rep.Findings)
	for i := range moved.Findings {
		if file := &moved.Findings[i].Place.File; !filepath.IsAbs(*file) && !isURL(*file) && *file != stdinName {
			*file = filepath.Join(below, *file)
		}
	}
	return &moved
}

// counter shows on a terminal how far a run has come.
type counter struct{ w io.Writer }

// progress returns nil where there is no terminal to show it on.
func progress(w io.Writer) *counter {
	if !terminal(w) || os.Getenv("TERM") == "dumb" || os.Getenv("CI") != "" {
		return nil
	}
	return &counter{w}
}

func (c *counter) step(p contracttest.Progress) { fmt.Fprint(c.w, "\r\x1b[K"+progressLine(p)) }

func progressLine(p contracttest.Progress) string {
	if p.ToPlan > 0 {
		return fmt.Sprintf("planning: %d of %s", p.Planned, count(p.ToPlan, "operation"))
	}
	line := fmt.Sprintf("%d of %d cases", p.Done, p.Total)
	if p.OfSequence > 0 {
		line = fmt.Sprintf("%d of %s", p.Sequences, count(p.OfSequence, "sequence"))
	}
	line += ", " + count(p.Findings, "finding")
	if left := p.Left.Round(time.Second); left > time.Second {
		line += fmt.Sprintf(", about %s left", left)
	}
	return line
}

func (c *counter) clear() { fmt.Fprint(c.w, "\r\x1b[K") }
