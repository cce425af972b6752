package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"

	"github.com/mattn/go-isatty"

	"github.com/dataarts-go/factory/client"
)

// cancelOutput shows what becomes of packages: the result on stdout, progress
// and errors on stderr.
type cancelOutput struct {
	json           bool
	debug          bool // exchanges are shown on stderr
	stdout, stderr io.Writer
}

// The results that a package can have in the JSON output.
const (
	resultCancelled   = "cancelled"
	resultNotFound    = "not_found"
	resultRefused     = "refused"
	resultInDoubt     = "in_doubt"
	resultUnreachable = "unreachable"
	resultNotSent     = "not_sent"
)

// cancelReport is the JSON output.
type cancelReport struct {
	Cancelled int               `json:"cancelled"`
	Failed    int               `json:"failed"`
	Packages  []cancelledResult `json:"packages"`
}

type cancelledResult struct {
	ID        string `json:"id"`
	Result    string `json:"result"`
	Status    int    `json:"status,omitempty"`
	Code      string `json:"code,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Error     string `json:"error,omitempty"`
}

// failure is an error with the packages that it is about.
type failure struct {
	err error
	ids []string
}

// report follows the results to their end, and shows them.
func (o cancelOutput) report(ids []string, results iter.Seq2[string, error]) error {
	report := cancelReport{Packages: make([]cancelledResult, 0, len(ids))}
	var failures []*failure
	byText := map[string]*failure{}
	bar := o.progress(len(ids))
	for id, err := range results {
		report.Packages = append(report.Packages, newCancelledResult(id, err))
		if err == nil {
			report.Cancelled++
		} else {
			report.Failed++
			f := byText[err.Error()]
			if f == nil {
				f = &failure{err: err}
				byText[err.Error()] = f
				failures = append(failures, f)
			}
			f.ids = append(f.ids, id)
		}
		bar.step(report.Cancelled, report.Failed)
	}
	bar.clear()
	if err := o.show(report); err != nil {
		return err
	}
	if len(failures) == 0 {
		return nil
	}
	return o.explain(len(ids), failures)
}

func newCancelledResult(id string, err error) cancelledResult {
	r := cancelledResult{ID: id, Result: resultCancelled}
	if err == nil {
		return r
	}
	r.Error = err.Error()
	e, answered := errors.AsType[*client.Error](err)
	if answered {
		r.Status, r.Code, r.RequestID = e.HTTPStatus, e.Code, e.RequestID
	}
	switch {
	case errors.Is(err, client.ErrNotSent), errors.Is(err, client.ErrNoCredentials):
		r.Result = resultNotSent
	case errors.Is(err, client.ErrInDoubt):
		r.Result = resultInDoubt
	case errors.Is(err, client.ErrTaskNotFound):
		r.Result = resultNotFound
	case answered:
		r.Result = resultRefused
	default:
		r.Result = resultUnreachable
	}
	return r
}

func (o cancelOutput) show(report cancelReport) error {
	if o.json {
		return writeIndented(o.stdout, report)
	}
	if report.Cancelled == 0 {
		return nil
	}
	_, err := fmt.Fprintf(o.stdout, "cancelled %s\n", packages(report.Cancelled))
	return err
}

// explain says on stderr which packages are not cancelled and why, and returns
// what the command ends with. One reason for all of them is that error itself.
func (o cancelOutput) explain(of int, failures []*failure) error {
	const most = 20 // a longer list is for --output json
	failed := 0
	for _, f := range failures {
		failed += len(f.ids)
	}
	status := exitStatus(failures)
	if len(failures) == 1 && failed == of {
		return exit(status, failures[0].err)
	}
	for i, f := range failures {
		if i == most {
			fmt.Fprintf(o.stderr, "factory: … and %d further reasons, see --output json\n", len(failures)-most)
			break
		}
		fmt.Fprintf(o.stderr, "factory: %s: %s\n", listed(f.ids), strings.ReplaceAll(f.err.Error(), "\n", "; "))
	}
	return exit(status, fmt.Errorf("%d of %s not cancelled: %w", failed, packages(of), shortened{failures[0].err}))
}

// exitStatus is that of the worst failure: packages that may be cancelled, then
// those for which nothing was sent, then those that the server refused.
func exitStatus(failures []*failure) int {
	status := exitRefused
	for _, f := range failures {
		_, answered := errors.AsType[*client.Error](f.err)
		switch {
		case errors.Is(f.err, client.ErrNoCredentials): // a refusal of the metadata service can be in it
			status = exitNotSent
		case answered:
		case errors.Is(f.err, client.ErrInDoubt):
			return exitInDoubt
		default:
			status = exitNotSent
		}
	}
	return status
}

// shortened is an error whose text was shown before.
type shortened struct{ err error }

func (shortened) Error() string   { return "see above" }
func (s shortened) Unwrap() error { return s.err }

// listed names some packages of many.
func listed(ids []string) string {
	const most = 5
	shown := make([]string, 0, most)
	for _, id := range ids[:min(most, len(ids))] {
		shown = append(shown, printable(id))
	}
	text := strings.Join(shown, ", ")
	if more := len(ids) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func packages(n int) string {
	if n == 1 {
		return "1 package"
	}
	return fmt.Sprintf("%d packages", n)
}

// dryRun shows what would be sent.
func (o cancelOutput) dryRun(ids []string) error {
	requests := (len(ids) + chunkSize - 1) / chunkSize
	if o.json {
		return writeIndented(o.stdout, struct {
			DryRun   bool     `json:"dry_run"`
			Requests int      `json:"requests"`
			Packages []string `json:"packages"`
		}{true, requests, ids})
	}
	noun := "request"
	if requests > 1 {
		noun = "requests"
	}
	_, err := fmt.Fprintf(o.stdout, "would cancel %s in %d %s: %s\n", packages(len(ids)), requests, noun, listed(ids))
	return err
}

func writeIndented(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(value)
}

// progressBar shows on a terminal how far a job has come. A nil one shows
// nothing.
type progressBar struct {
	w     io.Writer
	total int
}

func (o cancelOutput) progress(total int) *progressBar {
	f, ok := o.stderr.(*os.File)
	if !ok || o.debug || !isatty.IsTerminal(f.Fd()) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &progressBar{w: f, total: total}
}

func (b *progressBar) step(cancelled, failed int) {
	if b == nil {
		return
	}
	fmt.Fprintf(b.w, "\r\x1b[K%d of %s cancelled", cancelled, packages(b.total))
	if failed > 0 {
		fmt.Fprintf(b.w, ", %d not", failed)
	}
}

func (b *progressBar) clear() {
	if b != nil {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
