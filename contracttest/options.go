package contracttest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/run"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/report"
)

// Target is what cases are sent to: see [Handler] and [URL].
type Target struct {
	t   send.Target
	err error // why t is nil
}

// Handler is a target in this process. A handler that panics or does not come
// to an end within the timeout is a finding, not the end of the test.
func Handler(h http.Handler) Target { return Target{t: send.Handler(h)} }

// URL is the target behind a base URL, http or https. Without a path in it the
// document's paths are under the path of the document's first server; with a
// path, even "/", they are under that one. What is wrong with the URL, Run says.
func URL(base string) Target {
	t, err := send.ParseURL(base)
	return Target{t, err}
}

// Option shapes a run. Options that contradict each other are an error of the
// run.
type Option func(*config) error

type config struct {
	run.Options

	baseline string // file
}

func newConfig(opts []Option) (*config, error) {
	cfg := &config{Options: run.Options{Known: map[string][]string{}, Seed: 1, Random: 40, Workers: 4, CredentialTries: 4, Timeout: 5 * time.Second, Settle: 2 * time.Second}}
	for _, opt := range opts {
		if err := opt(cfg); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

// Values gives values that exist on the target, for every parameter or property
// of that name. Without them a request for something made up may be refused,
// and the clause is reported as not proven. A security scheme's name gives its
// credentials. A name that the document does not have is an error of the run.
func Values(name string, values ...string) Option {
	return func(c *config) error {
		if name == "" || len(values) == 0 {
			return errors.New("values: want a name and at least one value")
		}
		c.Known[name] = append(c.Known[name], values...)
		return nil
	}
}

// Header adds a header to every request but those whose case changes that
// header itself. Values of headers that carry credentials are left out of
// reports.
func Header(name, value string) Option {
	return func(c *config) error {
		if name == "" || strings.ContainsAny(name, " \t\r\n:") || strings.ContainsAny(value, "\r\n\x00") {
			return fmt.Errorf("header %q: want a name and a value on one line", name)
		}
		c.Headers = append(c.Headers, run.Header{Name: name, Value: value})
		return nil
	}
}

// Peer gives a header with the credential of another user, who is not to see nor to change
// what this one makes. With it the check object-shared is made.
func Peer(name, value string) Option {
	return func(c *config) error {
		if err := Header(name, value)(&config{}); err != nil {
			return fmt.Errorf("peer: %w", err)
		}
		c.Peer = append(c.Peer, run.Header{Name: name, Value: value})
		return nil
	}
}

// Settle is how long what was made, changed or deleted may take until it shows, before
// the checks on state tell that it does not. The default is 2 s.
func Settle(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("settle: %v is negative", d)
		}
		c.Settle = d
		return nil
	}
}

// Seed chooses the random cases. The default is 1; the same seed makes the same
// run.
func Seed(seed int64) Option {
	return func(c *config) error { c.Seed = seed; return nil }
}

// Cases is how many random cases are made for each operation, beside those for
// its clauses. The default is 40.
func Cases(n int) Option {
	return func(c *config) error {
		if n < 0 {
			return fmt.Errorf("cases: %d is negative", n)
		}
		c.Random = n
		return nil
	}
}

// Workers is how many requests are under way at once. The default is 4.
func Workers(n int) Option {
	return func(c *config) error {
		if n < 1 || n > 1024 {
			return fmt.Errorf("workers: want 1 to 1024, got %d", n)
		}
		c.Workers = n
		return nil
	}
}

// CredentialTries is how many requests with a wrong credential are sent in a row
// before one with the good credential; 0 sends none. They come last. The default
// is 4.
func CredentialTries(n int) Option {
	return func(c *config) error {
		if n < 0 {
			return fmt.Errorf("credential tries: %d is negative", n)
		}
		c.CredentialTries = n
		return nil
	}
}

// Rate bounds the requests sent in a second; 0, the default, does not.
func Rate(perSecond float64) Option {
	return func(c *config) error {
		if perSecond < 0 {
			return fmt.Errorf("rate: %v is negative", perSecond)
		}
		c.Rate = perSecond
		return nil
	}
}

// Timeout bounds one exchange. The default is 5 s. After two time-outs of an
// operation the rest of it is not tried.
func Timeout(d time.Duration) Option {
	return func(c *config) error {
		if d <= 0 {
			return fmt.Errorf("timeout: %v is not positive", d)
		}
		c.Timeout = d
		return nil
	}
}

// OperationTime bounds the time that the requests of one operation take, added up:
// the rest of them is left out, and counted. 0, the default, is without a bound. What
// is left out depends on the clock then, so that two runs may report different things.
func OperationTime(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("operation time: %v is negative", d)
		}
		c.OperationTime = d
		return nil
	}
}

// MaxTime makes every answer that takes longer a finding of the check
// response-slow; 0, the default, does not. Unlike what Timeout bounds, the answer
// is waited for.
func MaxTime(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("max time: %v is negative", d)
		}
		c.MaxTime = d
		return nil
	}
}

// Budget bounds the whole run; what is left then is reported as never tried, and
// the report is inconclusive where that is a case for a clause. 0, the default,
// does not.
func Budget(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("budget: %v is negative", d)
		}
		c.Budget = d
		return nil
	}
}

// BasePath puts the document's paths under a path on the target, whatever the
// document's servers and the target's URL say.
func BasePath(path string) Option {
	return func(c *config) error {
		path = strings.TrimRight(path, "/")
		c.BasePath = &path
		return nil
	}
}

// Only restricts the run to operations, checks, clauses or cases, by name. In
// a name, * stands for any text within a segment and ** for any number of
// segments. An operation is also named by its method and path, as in "GET
// /pets/{id}" or "* /pets/**". "operation:", "check:", "clause:" or "case:" before
// a name says what it names, which a name that is two of them has to. A name that
// matches nothing is an error of the run, and so are names that leave nothing to
// be tested.
func Only(names ...string) Option {
	return func(c *config) error { c.Only = append(c.Only, names...); return nil }
}

// Skip leaves operations, checks, clauses or cases out, named as in Only.
func Skip(names ...string) Option {
	return func(c *config) error { c.Skip = append(c.Skip, names...); return nil }
}

// Keep leaves on the target what the run has made. Without it everything is
// deleted at the end that the document has an operation for; what stays is a
// warning of the report.
func Keep() Option {
	return func(c *config) error { c.Keep = true; return nil }
}

// Safe sends requests by GET, HEAD and OPTIONS alone (RFC 9110 §9.2.1). Clauses
// that need others are reported as never tried.
func Safe() Option {
	return func(c *config) error { c.Safe = true; return nil }
}

// Prepare has the last word on each request before it is sent: to sign it, or
// to give it a fresh token. It must be safe for concurrent use.
func Prepare(f func(*http.Request) error) Option {
	return func(c *config) error { c.Prepare = f; return nil }
}

// Restart gives a function that brings the target back after it has died, so
// that the run can find out of which request. It returns before or after the
// target takes connections, for which the run waits 30 s.
func Restart(f func(context.Context) error) Option {
	return func(c *config) error { c.Restart = f; return nil }
}

// Baseline names a file of known findings: they are tried and reported, and fail nothing. A
// line of it is "ID severity check clause [status] [until DATE] # why". An entry whose
// finding is gone, whose date is over, that matches nothing or says no reason fails the run.
func Baseline(file string) Option {
	return func(c *config) error { c.baseline = file; return nil }
}

// BaselineStale says what an entry of the baseline does that has to be mended: "fail", which
// is the default, or "warn".
func BaselineStale(what string) Option {
	return func(c *config) error {
		if what != "fail" && what != "warn" {
			return fmt.Errorf("baseline stale: want fail or warn, got %q", what)
		}
		c.StaleWarns = what == "warn"
		return nil
	}
}

// BaselineUpdate writes the findings that fail the run to the baseline, which need not be
// there, and takes out what was tried and is gone. Each new entry needs a reason.
func BaselineUpdate() Option {
	return func(c *config) error { c.UpdateBaseline = true; return nil }
}

// FailOn says what fails the run beside errors: "warning", or "unproven", an operation whose
// valid request was never accepted.
func FailOn(what ...string) Option {
	return func(c *config) error {
		for _, w := range what {
			if w != report.Error && w != report.Warning && w != report.FailOnUnproven {
				return fmt.Errorf("fail on %q: want error, warning or unproven", w)
			}
		}
		c.FailOn = what
		return nil
	}
}

// Progress is how far a run has come.
type Progress struct {
	Done, Total int // cases
	Findings    int // so far, repetitions left out
}

// OnProgress calls f from time to time, never concurrently.
func OnProgress(f func(Progress)) Option {
	return func(c *config) error {
		c.Progress = func(done, total, findings int) { f(Progress{done, total, findings}) }
		return nil
	}
}
