package contracttest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/config"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/obtain"
	"github.com/dataarts-go/factory/contracttest/internal/run"
	"github.com/dataarts-go/factory/contracttest/internal/send"
)

// Target is what cases are sent to: see [Handler] and [URL].
type Target struct {
	open func(send.Certificates) (send.Target, error)
}

// Handler is a target in this process. A handler that panics or does not come
// to an end within the timeout is a finding, not the end of the test.
func Handler(h http.Handler) Target {
	t := send.Handler(h)
	return Target{func(send.Certificates) (send.Target, error) { return t, nil }}
}

// URL is the target behind a base URL, http or https. Without a path in it the
// document's paths are under the path of the document's first server; with a
// path, even "/", they are under that one. What is wrong with the URL, Run says.
func URL(base string) Target {
	return Target{func(c send.Certificates) (send.Target, error) {
		secure, err := c.Config()
		if err != nil {
			return nil, err //nolint:wrapcheck // it names the setting
		}
		return send.ParseURL(base, secure) //nolint:wrapcheck // it names the target
	}}
}

// Option shapes a run. Options that contradict each other are an error of the
// run.
type Option func(*options) error

// options are what all of them come to.
type options struct {
	given    config.Layer    // by options
	below    []*config.Layer // by files; the last one counts before the others
	checks   []judge.Check
	basePath *string
	since    *Contract
	before   func(context.Context) (map[string][]string, error)
	reset    func(context.Context) (map[string][]string, error)
	after    func(context.Context) error
	prepare  func(*http.Request) error
	restart  func(context.Context) error
	progress func(Progress)
}

func newOptions(opts []Option) (*options, error) {
	o := &options{}
	for _, opt := range opts {
		if err := opt(o); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// settings are those that count: what an option says, else what a file does, else the default.
func (o *options) settings() (*config.Layer, error) {
	all := &o.given
	for _, below := range slices.Backward(o.below) {
		all = all.Over(below)
	}
	all = all.Over(&config.Layer{Settings: config.Default()})
	return all, all.Check(func(s config.Setting) bool { return !s.Command }) //nolint:wrapcheck // it says what is wrong
}

// newConfig makes of the options what a run takes, and how its target is asked over TLS.
func newConfig(opts []Option) (run.Options, send.Certificates, error) {
	o, err := newOptions(opts)
	if err != nil {
		return run.Options{}, send.Certificates{}, err
	}
	l, err := o.settings()
	if err != nil {
		return run.Options{}, send.Certificates{}, err
	}
	s := &l.Settings
	out := run.Options{
		Known: map[string][]string{}, Seed: s.Seed, Random: s.Cases, Workers: s.Workers,
		CredentialTries: s.CredentialTries, Rate: s.Rate.PerSecond, RateAuto: s.Rate.Auto, Timeout: s.Timeout, Settle: s.Settle, MaxTime: s.MaxTime, OperationTime: s.OperationTime,
		Budget: s.Budget, BasePath: o.basePath, Only: s.Only, Skip: s.Skip, Shard: run.Shard(s.Shard), Keep: s.Keep, Safe: s.Safe, Restart: o.restart,
		Progress: o.progress, StaleWarns: s.BaselineStale == "warn", UpdateBaseline: s.BaselineUpdate, FailOn: s.FailOn,
		Checks: o.checks, MaxRequests: s.MaxRequests, FailFast: s.FailFast, MinCoverage: s.MinCoverage, Redact: s.Redact,
		Receive: s.Receive, ReceiveURL: s.ReceiveURL, How: send.How{Prepare: o.prepare, StreamTime: s.StreamTime, StreamItems: s.StreamItems},
	}
	out.Before, out.Reset, out.After = hook(o.before, s.Before), hook(o.reset, s.Reset), o.after
	if o.after == nil && s.After != "" {
		out.After = func(ctx context.Context) error {
			_, err := obtain.Hook(ctx, s.After)
			return err
		}
	}
	if o.since != nil {
		out.Since = o.since.c
	}
	take := func(setting string, pairs []config.Pair, have func(name, value string)) {
		for _, p := range pairs {
			for i, v := range p.Values {
				if i >= len(p.Commands) || p.Commands[i] == "" {
					have(p.Name, v)
				} else {
					out.Obtained = append(out.Obtained, run.Obtained{For: setting, Name: p.Name, Prefix: v, Written: v + "cmd:" + p.Commands[i], Get: obtain.Command(p.Commands[i])})
				}
			}
		}
	}
	take(run.ForHeader, s.Header, func(name, value string) { out.Headers = append(out.Headers, run.Header{Name: name, Value: value}) })
	take(run.ForPeer, s.Peer, func(name, value string) { out.Peer = append(out.Peer, run.Header{Name: name, Value: value}) })
	take(run.ForValue, s.Value, func(name, value string) { out.Known[name] = append(out.Known[name], value) })
	for _, p := range s.Severity {
		out.Severities = append(out.Severities, run.Severity{Check: p.Name, Severity: p.Values[0]})
	}
	out.Baseline, err = knownFindings(s.Baseline, s.BaselineUpdate)
	if err != nil {
		return out, send.Certificates{}, err
	}
	if out.ReceiveTLS, err = (send.Certificates{Cert: s.ReceiveCert, Key: s.ReceiveKey}).Config(); err != nil {
		return out, send.Certificates{}, fmt.Errorf("receive: %w", err)
	}
	certificates := send.Certificates{CA: s.CACert, Cert: s.Cert, Key: s.Key}
	if s.Auth != "" || len(s.OAuth2) > 0 {
		if out.Secure, err = certificates.Config(); err != nil {
			return out, certificates, err //nolint:wrapcheck // it names the setting
		}
	}
	if len(s.OAuth2) > 0 {
		parameters := map[string]string{}
		for _, p := range s.OAuth2 {
			parameters[p.Name] = p.Values[0]
		}
		if out.OAuth2, err = obtain.ParseGrant(parameters); err != nil {
			return out, certificates, fmt.Errorf("oauth2: %w", err)
		}
	}
	out.User, err = userOf(s)
	return out, certificates, err
}

// hook is a function that gives values, or else a command or a URL that does; nil where there is none.
func hook(f func(context.Context) (map[string][]string, error), text string) func(context.Context) (map[string][]string, error) {
	if f != nil || text == "" {
		return f
	}
	return func(ctx context.Context) (map[string][]string, error) {
		printed, err := obtain.Hook(ctx, text)
		if err != nil {
			return nil, err
		}
		return obtain.Values(printed)
	}
}

// set is an option that gives a setting.
func set(name string, f func(*config.Settings)) Option {
	return func(o *options) error {
		f(&o.given.Settings)
		o.given.Mark(name, config.Given{})
		return nil
	}
}

// Config takes the settings of a file, contracttest.yaml by its usual name: see docs/suite.md.
// What an option says counts before it, wherever it stands; pairs, as headers and values, by
// their names. The file's document, target, reports and whatever else is the command's own are
// passed over.
func Config(file string) Option {
	return func(o *options) error {
		l, err := config.Load(file)
		if err != nil {
			return fmt.Errorf("config: %w", err)
		}
		return With(l)(o)
	}
}

// With takes settings as Config does.
func With(l *config.Layer) Option {
	return func(o *options) error { o.below = append(o.below, l); return nil }
}

// Values gives values that exist on the target, for every parameter or property
// of that name. Without them a request for something made up may be refused,
// and the clause is reported as not proven. A security scheme's name gives its
// credentials. "CreateOrder/body/customer/id" is for one place of one operation alone, as clauses
// are named, and counts before its name. A name that the document does not have is an error of
// the run.
func Values(name string, values ...string) Option {
	return set("value", func(s *config.Settings) { s.Value = append(s.Value, config.Pair{Name: name, Values: values}) })
}

// Header adds a header to every request but those whose case changes that
// header itself. Values of headers that carry credentials are left out of
// reports.
func Header(name, value string) Option {
	return set("header", func(s *config.Settings) {
		s.Header = append(s.Header, config.Pair{Name: name, Values: []string{value}})
	})
}

// Auth takes a user from an auth file of Web Fuzzing Commons, in YAML or JSON, as the run's own;
// the name may be empty where there is one. What a login gives is got before the run, and
// anew when it has expired.
func Auth(file, user string) Option {
	return func(o *options) error {
		o.given.Auth, o.given.User = file, user
		o.given.Mark("auth", config.Given{})
		o.given.Mark("user", config.Given{})
		return nil
	}
}

// OAuth2 gets the access token for the document's security schemes of OAuth 2 by the parameters of
// a token request: client_id and client_secret, and for the password of a user username and password,
// besides scope and whatever the server wants. It is asked for at the document's tokenUrl, or at
// token_url among the parameters, before the run, before it expires, and when it is refused.
func OAuth2(parameters map[string]string) Option {
	return set("oauth2", func(s *config.Settings) {
		for _, name := range slices.Sorted(maps.Keys(parameters)) {
			s.OAuth2 = append(s.OAuth2, config.Pair{Name: name, Values: []string{parameters[name]}})
		}
	})
}

// userOf is the user of an auth file; nil where there is none.
func userOf(s *config.Settings) (*obtain.User, error) {
	if s.Auth == "" {
		if s.User != "" {
			return nil, errors.New("user: the file is missing that has the user: give auth, too")
		}
		return nil, nil //nolint:nilnil // nobody is somebody
	}
	if strings.EqualFold(filepath.Ext(s.Auth), ".toml") {
		return nil, fmt.Errorf("auth: %s: TOML is not read: want YAML or JSON", s.Auth)
	}
	data, err := os.ReadFile(s.Auth)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	u, err := obtain.ParseUser(data, s.User, config.Expand)
	if err != nil {
		return nil, fmt.Errorf("auth: %s: %w", s.Auth, err)
	}
	return u, nil
}

// CACert names a file with certificates (PEM) of authorities whose targets are trusted, beside
// those of the system.
func CACert(file string) Option {
	return set("cacert", func(s *config.Settings) { s.CACert = file })
}

// ClientCert names the files (PEM) with the certificate that is shown to a target, and with its
// key; they may be one.
func ClientCert(cert, key string) Option {
	return func(o *options) error {
		o.given.Cert, o.given.Key = cert, key
		o.given.Mark("cert", config.Given{})
		o.given.Mark("key", config.Given{})
		return nil
	}
}

// Peer gives a header with the credential of another user, who is not to see nor to change
// what this one makes. With it the check object-shared is made.
func Peer(name, value string) Option {
	return set("peer", func(s *config.Settings) { s.Peer = append(s.Peer, config.Pair{Name: name, Values: []string{value}}) })
}

// Settle is how long what was made, changed or deleted may take until it shows, before
// the checks on state tell that it does not. The default is 2 s.
func Settle(d time.Duration) Option {
	return set("settle", func(s *config.Settings) { s.Settle = d })
}

// Seed chooses the random cases. The default is 1; the same seed makes the same
// run.
func Seed(seed int64) Option {
	return set("seed", func(s *config.Settings) { s.Seed = seed })
}

// Cases is how many random cases are made for each operation, beside those for
// its clauses. The default is 40.
func Cases(n int) Option {
	return set("cases", func(s *config.Settings) { s.Cases = n })
}

// Workers is how many requests are under way at once. The default is 4.
func Workers(n int) Option {
	return set("workers", func(s *config.Settings) { s.Workers = n })
}

// CredentialTries is how many requests with a wrong credential are sent in a row
// before one with the good credential; 0 sends none. They come last. The default
// is 4.
func CredentialTries(n int) Option {
	return set("credential-tries", func(s *config.Settings) { s.CredentialTries = n })
}

// Rate bounds the requests sent in a second; 0, the default, does not.
func Rate(perSecond float64) Option {
	return set("rate", func(s *config.Settings) { s.Rate = config.Rate{PerSecond: perSecond} })
}

// RateAuto sends as many requests in a second as the target takes: half as many after an answer of 429,
// none for as long as its Retry-After says, and more again from then on. The report does not depend
// on that.
func RateAuto() Option {
	return set("rate", func(s *config.Settings) { s.Rate = config.Rate{Auto: true} })
}

// Timeout bounds one exchange. The default is 5 s. After two time-outs of an
// operation the rest of it is not tried.
func Timeout(d time.Duration) Option {
	return set("timeout", func(s *config.Settings) { s.Timeout = d })
}

// OperationTime bounds the time that the requests of one operation take, added up:
// the rest of them is left out, and counted. 0, the default, is without a bound. What
// is left out depends on the clock then, so that two runs may report different things.
func OperationTime(d time.Duration) Option {
	return set("operation-time", func(s *config.Settings) { s.OperationTime = d })
}

// StreamTime is how long an answer is read that is a sequence of items, as a stream of events,
// and does not end: it is left then, and what has come is judged. The default is 2 s.
func StreamTime(d time.Duration) Option {
	return set("stream-time", func(s *config.Settings) { s.StreamTime = d })
}

// StreamItems is how many items of such an answer are read. The default is 100.
func StreamItems(n int) Option {
	return set("stream-items", func(s *config.Settings) { s.StreamItems = n })
}

// Receive listens on an address, as "127.0.0.1:0", for what the target sends to callbacks and
// webhooks, and judges it. Callbacks get the address in the value of the request that their
// runtime expression begins with. What never comes is never tried.
func Receive(address string) Option {
	return set("receive", func(s *config.Settings) { s.Receive = address })
}

// ReceiveTLS names the files (PEM) with the certificate that what Receive listens on is known by, and
// with its key; they may be one. The target has to trust it.
func ReceiveTLS(cert, key string) Option {
	return func(o *options) error {
		o.given.ReceiveCert, o.given.ReceiveKey = cert, key
		o.given.Mark("receive-cert", config.Given{})
		o.given.Mark("receive-key", config.Given{})
		return nil
	}
}

// ReceiveURL is where the target reaches what Receive listens on, where that is not http://, or
// https:// with ReceiveTLS, and its address.
func ReceiveURL(url string) Option {
	return set("receive-url", func(s *config.Settings) { s.ReceiveURL = url })
}

// MaxTime makes every answer that takes longer a finding of the check
// response-slow; 0, the default, does not. Unlike what Timeout bounds, the answer
// is waited for.
func MaxTime(d time.Duration) Option {
	return set("max-time", func(s *config.Settings) { s.MaxTime = d })
}

// Budget bounds the whole run; what is left then is reported as never tried, and
// the report is inconclusive where that is a case for a clause. After all else there
// are walks (walk-differs). 0, the default, has neither.
func Budget(d time.Duration) Option {
	return set("budget", func(s *config.Settings) { s.Budget = d })
}

// BasePath puts the document's paths under a path on the target, whatever the
// document's servers and the target's URL say.
func BasePath(path string) Option {
	return func(o *options) error {
		path = strings.TrimRight(path, "/")
		o.basePath = &path
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
	return set("only", func(s *config.Settings) { s.Only = append(s.Only, names...) })
}

// Skip leaves operations, checks, clauses or cases out, named as in Only.
func Skip(names ...string) Option {
	return set("skip", func(s *config.Settings) { s.Skip = append(s.Skip, names...) })
}

// Shard restricts the run to one of so many parts of the operations, the first with 1. Each has
// whole resources and about as many cases, the same in every run with the same document and
// options. [report.Merge] joins their reports.
func Shard(number, of int) Option {
	return set("shard", func(s *config.Settings) { s.Shard = config.Shard{Number: number, Of: of} })
}

// Since restricts the run to the operations that have a clause which an earlier version of the
// contract has not, or has otherwise, and those that have lost one. Where there are none, the run
// is a pass: see Report.Idle.
func Since(before *Contract) Option {
	return func(o *options) error { o.since = before; return nil }
}

// Keep leaves on the target what the run has made. Without it everything is
// deleted at the end that the document has an operation for; what stays is a
// warning of the report.
func Keep() Option { return set("keep", func(s *config.Settings) { s.Keep = true }) }

// Safe sends requests by GET, HEAD and OPTIONS alone (RFC 9110 §9.2.1). Clauses
// that need others are reported as never tried.
func Safe() Option { return set("safe", func(s *config.Settings) { s.Safe = true }) }

// Prepare has the last word on each request before it is sent: to sign it, or
// to give it a fresh token. It must be safe for concurrent use.
func Prepare(f func(*http.Request) error) Option {
	return func(o *options) error { o.prepare = f; return nil }
}

// Before gives a function that is called before anything is sent, and returns values by their
// names, as those of Values, which count before them. Where it fails, so does the run.
func Before(f func(context.Context) (map[string][]string, error)) Option {
	return func(o *options) error { o.before = f; return nil }
}

// Reset gives a function that puts the target back as it was before the run. It is called when no request
// is under way: before the checks on state, and before the operations that may end the run's session.
// What the run has made is gone then, so that it makes it anew. The values that it returns take the
// place of those of Before. Where it fails, the run ends, and the report is inconclusive.
func Reset(f func(context.Context) (map[string][]string, error)) Option {
	return func(o *options) error { o.reset = f; return nil }
}

// After gives a function that is called at the end, whatever came of the run and of Before. Where
// it fails, the report is inconclusive.
func After(f func(context.Context) error) Option {
	return func(o *options) error { o.after = f; return nil }
}

// Restart gives a function that brings the target back after it has died, so
// that the run can find out of which request. It returns before or after the
// target takes connections, for which the run waits 30 s.
func Restart(f func(context.Context) error) Option {
	return func(o *options) error { o.restart = f; return nil }
}

// Baseline names a file of known findings: they are tried and reported, and fail nothing. A
// line of it is "ID severity check clause [status] [until DATE] # why". An entry whose
// finding is gone, whose date is over, that matches nothing or says no reason fails the run.
func Baseline(file string) Option {
	return set("baseline", func(s *config.Settings) { s.Baseline = file })
}

// BaselineStale says what an entry of the baseline does that has to be mended: "fail", which
// is the default, or "warn".
func BaselineStale(what string) Option {
	return set("baseline-stale", func(s *config.Settings) { s.BaselineStale = what })
}

// BaselineUpdate writes the findings that fail the run to the baseline, which need not be
// there, and takes out what was tried and is gone. Each new entry needs a reason.
func BaselineUpdate() Option {
	return set("baseline-update", func(s *config.Settings) { s.BaselineUpdate = true })
}

// FailOn says what fails the run beside errors: "warning", or "unproven", an operation whose
// valid request was never accepted.
func FailOn(what ...string) Option {
	return set("fail-on", func(s *config.Settings) { s.FailOn = what })
}

// Severity makes the findings of a check errors or warnings, whatever they are by themselves:
// "error" or "warning". In the name of the check, * stands for any text. The last one that
// matches counts, and the report says which it was.
func Severity(check, severity string) Option {
	return set("severity", func(s *config.Settings) {
		s.Severity = append(s.Severity, config.Pair{Name: check, Values: []string{severity}})
	})
}

// MaxRequests bounds the requests of the whole run, without those that delete what it has made:
// what is left then is reported as never tried. 0, the default, does not. What is left out may
// differ from run to run.
func MaxRequests(n int) Option {
	return set("max-requests", func(s *config.Settings) { s.MaxRequests = n })
}

// FailFast ends the run at the first finding that fails it.
func FailFast() Option { return set("fail-fast", func(s *config.Settings) { s.FailFast = true }) }

// MinCoverage is how many of the clauses that could be tried have to be shown, in percent: fewer
// fail the run. Those cannot be tried for which there is no request, and those of answers that
// never came.
func MinCoverage(percent float64) Option {
	return set("min-coverage", func(s *config.Settings) { s.MinCoverage = percent })
}

// Redact names headers, parameters and properties whose values no report shows, whatever their
// letter case.
func Redact(names ...string) Option {
	return set("redact", func(s *config.Settings) { s.Redact = append(s.Redact, names...) })
}

// Progress is how far a run has come: cases and sequences that were sent, findings so far,
// and about how long the rest takes.
type Progress = run.Progress

// OnProgress calls f from time to time, never concurrently.
func OnProgress(f func(Progress)) Option {
	return func(o *options) error {
		o.progress = f
		return nil
	}
}
