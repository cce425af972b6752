package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/send"
)

// Settings are those of a run.
type Settings struct {
	Spec, Target    string
	Overlay         []string
	CACert          string // these are files in PEM
	Cert, Key       string
	Auth, User      string
	OAuth2          []Pair // of one value each
	Header, Peer    []Pair // of one value each
	Value           []Pair
	Only, Skip      []string
	Since           string
	Shard           Shard
	Severity        []Pair // by check
	Seed            int64
	Cases           int
	MaxClauses      int
	Fetch           []string
	Format          []Pair // pattern by name
	CredentialTries int
	Workers         int
	Rate            Rate
	Timeout         time.Duration
	StreamTime      time.Duration
	StreamItems     int
	Receive         string // an address, for requests of the target
	ReceiveURL      string // at which the target reaches it
	ReceiveCert     string // for TLS
	ReceiveKey      string
	Settle          time.Duration
	MaxTime         time.Duration
	OperationTime   time.Duration
	Budget          time.Duration
	MaxRequests     int
	FailFast        bool
	MinCoverage     float64 // in percent
	Redact          []string
	Safe, Keep      bool
	Before, After   string
	Reset           string
	Restart         string
	Baseline        string
	BaselineStale   string
	BaselineUpdate  bool
	FailOn          []string
	Report          []Pair // file by format
	DryRun          bool
	Verbose, Quiet  bool
}

// Pair is a name with what belongs to it.
type Pair struct {
	Name   string
	Values []string
	// Commands print what comes after the values, by their indexes; empty, or not there, where
	// nothing does.
	Commands []string
}

// Shard is one part of so many; the zero value is none.
type Shard struct{ Number, Of int }

func (s Shard) String() string {
	if s == (Shard{}) {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Number, s.Of)
}

// Rate is how many requests are sent in a second; the zero value is without a bound.
type Rate struct {
	PerSecond float64
	Auto      bool // as many as the target takes
}

func (r Rate) String() string {
	if r.Auto {
		return rateAuto
	}
	return fmt.Sprint(r.PerSecond)
}

// rateAuto is how a Rate is written that the target decides.
const rateAuto = "auto"

// maxShards is how many there are at most.
const maxShards = 1000

func (s Shard) check() error {
	if s != (Shard{}) && (s.Number < 1 || s.Number > s.Of || s.Of > maxShards) {
		return fmt.Errorf("want NUMBER/SHARDS, with at most %d shards, as in 1/4; got %s", maxShards, s)
	}
	return nil
}

// Kind is how a setting is written.
type Kind int

// The kinds of settings.
const (
	Text Kind = iota
	Bool
	Int
	Float
	Duration
	Percent  // as 90%
	PerTime  // so many in a second, or auto
	Share    // one part of so many, as 1/4
	List     // of texts; a flag is repeated
	Headers  // pairs; as a flag 'Name: value', where env:VARIABLE is that of the environment
	Values   // pairs; as a flag name=a,b, with env:VARIABLE
	Mappings // pairs of one value; as a flag name=value
)

// Setting is one of the table.
type Setting struct {
	Name    string // of the flag and of the key
	Doc     string // as the command's help has it
	Go      string // the option of package contracttest; empty where there is none
	Kind    Kind
	Enum    []string // what a text, or the values of a list or a mapping, may be; nil: anything
	Commas  bool     // a list may be written as one flag, with commas
	File    bool     // it names a file, or its values do: in a configuration, relative to that
	Flag    bool     // it is a flag alone: no matter of a file
	Again   bool     // it belongs to the command that sends one case again
	Secret  bool     // values of it may be secrets: a flag takes env:VARIABLE
	Command bool     // it is the command's alone: options of Go have nothing to do with it
	Load    bool     // the document is loaded with it
	Min     float64  // of numbers and durations, in seconds
	Max     float64  // 0: without a bound
	Above   bool     // it is more than Min

	at func(*Settings) any // a pointer to the field
}

// Table has all settings, in the order in which they are explained.
var Table = []Setting{
	{Name: "spec", Go: "Load", Doc: "OpenAPI 3 or Swagger 2.0 document, YAML or JSON: a file, a URL, or - for standard input", File: true, Again: true, Command: true, at: func(s *Settings) any { return &s.Spec }},
	{Name: "overlay", Go: "Overlay", Kind: List, Load: true, File: true, Again: true, Doc: "file with an OpenAPI Overlay to apply to the document (repeatable)", at: func(s *Settings) any { return &s.Overlay }},
	{Name: "target", Go: "URL", Doc: "base URL of the server", Again: true, Command: true, at: func(s *Settings) any { return &s.Target }},
	{Name: "cacert", Go: "CACert", File: true, Again: true, Doc: "PEM file of certificate authorities to trust in addition to the system's", at: func(s *Settings) any { return &s.CACert }},
	{Name: "cert", Go: "ClientCert", File: true, Again: true, Doc: "PEM file of the client certificate", at: func(s *Settings) any { return &s.Cert }},
	{Name: "key", Go: "ClientCert", File: true, Again: true, Doc: "PEM file of the private key of --cert, if --cert does not contain it", at: func(s *Settings) any { return &s.Key }},
	{Name: "auth", Go: "Auth", File: true, Again: true, Doc: "Web Fuzzing Commons auth file (YAML or JSON) with the users, their headers and how they log in", at: func(s *Settings) any { return &s.Auth }},
	{Name: "user", Go: "Auth", Again: true, Doc: "which user of --auth runs the test; optional if there is only one", at: func(s *Settings) any { return &s.User }},
	{Name: "oauth2", Go: "OAuth2", Kind: Mappings, Secret: true, Again: true, Doc: "parameter of the OAuth 2 token request: client_id=ID, client_secret=env:SECRET, username=NAME, password=env:PASSWORD or scope=SCOPES; token_url defaults to that of the document (repeatable)", at: func(s *Settings) any { return &s.OAuth2 }},
	{Name: "header", Go: "Header", Kind: Headers, Doc: "header to send with every request, as 'Name: value'; env:VARIABLE in the value is replaced from the environment ('Authorization: Bearer env:TOKEN'), cmd:COMMAND at its end by the first line the command prints (repeatable)", Again: true, at: func(s *Settings) any { return &s.Header }},
	{Name: "peer", Go: "Peer", Kind: Headers, Doc: "header with the credential of another user, who must not see what this one creates; written as for --header (repeatable)", Again: true, at: func(s *Settings) any { return &s.Peer }},
	{Name: "value", Go: "Values", Kind: Values, Doc: "values that exist on the target, as name=a,b; for one place of an operation, as CreateOrder/body/customer/id=7; env:VARIABLE and cmd:COMMAND as for --header (repeatable)", Again: true, at: func(s *Settings) any { return &s.Value }},
	{Name: "only", Go: "Only", Kind: List, Doc: "run only this operation (its operationId, or 'GET /pets/*'), check, clause or case; * matches within a segment, ** across segments; prefix operation:, check:, clause: or case: to say which it is (repeatable)", at: func(s *Settings) any { return &s.Only }},
	{Name: "skip", Go: "Skip", Kind: List, Doc: "skip this operation, check, clause or case, named as for --only (repeatable)", at: func(s *Settings) any { return &s.Skip }},
	{Name: "since", Go: "Since", Flag: true, Command: true, Doc: "run only operations with a clause that was added, removed or changed since another version of the document: a git revision, a file or a URL", at: func(s *Settings) any { return &s.Since }},
	{Name: "shard", Go: "Shard", Kind: Share, Doc: "run one part of the operations, as 1/4 for the first of four; parts hold whole resources and about equally many cases; contracttest merge joins their JSON reports", at: func(s *Settings) any { return &s.Shard }},
	{Name: "severity", Go: "Severity", Kind: Mappings, Enum: []string{"error", "warning"}, Doc: "severity of a check's findings, overriding the default, as check=warning or check=error; * in the name matches any text (repeatable)", at: func(s *Settings) any { return &s.Severity }},
	{Name: "seed", Go: "Seed", Kind: Int, Doc: "seed of the random cases; the same seed gives the same run", Min: -1 << 63, Again: true, at: func(s *Settings) any { return &s.Seed }},
	{Name: "cases", Go: "Cases", Kind: Int, Doc: "random cases for each operation, in addition to those for its clauses", Again: true, at: func(s *Settings) any { return &s.Cases }},
	{Name: "max-clauses", Go: "MaxClauses", Kind: Int, Load: true, Doc: "if the document has more clauses than this, test a shared schema in full only at its first use", Again: true, at: func(s *Settings) any { return &s.MaxClauses }},
	{Name: "fetch", Go: "Fetch", Kind: List, Load: true, Doc: "host from which files that the document references may be fetched, as example.com; no other host is contacted (repeatable)", Again: true, at: func(s *Settings) any { return &s.Fetch }},
	{Name: "format", Go: "FormatPattern", Kind: Mappings, Load: true, Doc: "pattern of a custom format in the document, as name=PATTERN; a value that does not match breaks the contract (repeatable)", Again: true, at: func(s *Settings) any { return &s.Format }},
	{Name: "credential-tries", Go: "CredentialTries", Kind: Int, Doc: "consecutive requests with a wrong credential before one with the good credential; 0 sends none", at: func(s *Settings) any { return &s.CredentialTries }},
	{Name: "workers", Go: "Workers", Kind: Int, Doc: "maximum number of concurrent requests", Min: 1, Max: 1024, at: func(s *Settings) any { return &s.Workers }},
	{Name: "rate", Go: "Rate", Kind: PerTime, Doc: "maximum requests per second; 0 means unlimited, auto follows 429 and Retry-After of the target", at: func(s *Settings) any { return &s.Rate }},
	{Name: "timeout", Go: "Timeout", Kind: Duration, Doc: "timeout of one exchange", Above: true, Again: true, at: func(s *Settings) any { return &s.Timeout }},
	{Name: "stream-time", Go: "StreamTime", Kind: Duration, Doc: "how long to read a streaming response, such as server-sent events", Above: true, Again: true, at: func(s *Settings) any { return &s.StreamTime }},
	{Name: "stream-items", Go: "StreamItems", Kind: Int, Doc: "how many items of a streaming response to read", Min: 1, Max: 10_000, Again: true, at: func(s *Settings) any { return &s.StreamItems }},
	{Name: "receive", Go: "Receive", Doc: "address to listen on, as 127.0.0.1:9000, for callbacks and webhooks of the target, which are tested too", at: func(s *Settings) any { return &s.Receive }},
	{Name: "receive-url", Go: "ReceiveURL", Doc: "URL at which the target reaches --receive; default: http:// (https:// with --receive-cert) and its address", at: func(s *Settings) any { return &s.ReceiveURL }},
	{Name: "receive-cert", Go: "ReceiveTLS", File: true, Doc: "PEM file of the certificate with which --receive speaks TLS; the target has to trust it", at: func(s *Settings) any { return &s.ReceiveCert }},
	{Name: "receive-key", Go: "ReceiveTLS", File: true, Doc: "PEM file of the private key of --receive-cert, if --receive-cert does not contain it", at: func(s *Settings) any { return &s.ReceiveKey }},
	{Name: "settle", Go: "Settle", Kind: Duration, Doc: "how long a created, changed or deleted resource may take to become visible", Again: true, at: func(s *Settings) any { return &s.Settle }},
	{Name: "max-time", Go: "MaxTime", Kind: Duration, Doc: "response time above which a response is a finding (response-slow); 0 means unlimited", Again: true, at: func(s *Settings) any { return &s.MaxTime }},
	{Name: "operation-time", Go: "OperationTime", Kind: Duration, Doc: "total time for the requests of one operation; the rest is skipped and counted; 0 means unlimited", at: func(s *Settings) any { return &s.OperationTime }},
	{Name: "budget", Go: "Budget", Kind: Duration, Doc: "time for the whole run; 0 means unlimited", at: func(s *Settings) any { return &s.Budget }},
	{Name: "max-requests", Go: "MaxRequests", Kind: Int, Doc: "maximum requests of the whole run, not counting those that delete what it created; 0 means unlimited", at: func(s *Settings) any { return &s.MaxRequests }},
	{Name: "fail-fast", Go: "FailFast", Kind: Bool, Doc: "stop at the first finding that fails the run", at: func(s *Settings) any { return &s.FailFast }},
	{Name: "min-coverage", Go: "MinCoverage", Kind: Percent, Max: 100, Doc: "minimum share of the testable clauses that must be covered, as 90%", at: func(s *Settings) any { return &s.MinCoverage }},
	{Name: "redact", Go: "Redact", Kind: List, Again: true, Doc: "header, parameter or property whose values are hidden in reports (repeatable)", at: func(s *Settings) any { return &s.Redact }},
	{Name: "safe", Go: "Safe", Kind: Bool, Doc: "send only GET, HEAD and OPTIONS", Again: true, at: func(s *Settings) any { return &s.Safe }},
	{Name: "keep", Go: "Keep", Kind: Bool, Doc: "do not delete what the run created on the target", at: func(s *Settings) any { return &s.Keep }},
	{Name: "before", Go: "Before", Doc: "shell command, or URL to POST to, before the run; lines name=value that it prints are values as of --value", at: func(s *Settings) any { return &s.Before }},
	{Name: "reset", Go: "Reset", Doc: "shell command, or URL to POST to, that restores the target between the phases of the run; its output is read as that of --before", at: func(s *Settings) any { return &s.Reset }},
	{Name: "after", Go: "After", Doc: "shell command, or URL to POST to, after the run, whatever its result", at: func(s *Settings) any { return &s.After }},
	{Name: "restart", Go: "Restart", Doc: "shell command that restarts the target after a crash, to find the request that caused it; it may keep running until the run ends", Command: true, at: func(s *Settings) any { return &s.Restart }},
	{Name: "baseline", Go: "Baseline", Doc: "file of known findings, which do not fail the run; each line is 'ID severity check clause [status] [until DATE] # why'", File: true, at: func(s *Settings) any { return &s.Baseline }},
	{Name: "baseline-stale", Go: "BaselineStale", Enum: []string{"fail", "warn"}, Doc: "what a stale entry of the baseline does to the run: fail or warn", at: func(s *Settings) any { return &s.BaselineStale }},
	{Name: "baseline-update", Go: "BaselineUpdate", Kind: Bool, Flag: true, Doc: "add the findings that fail the run to the baseline, and remove entries that are no longer found", at: func(s *Settings) any { return &s.BaselineUpdate }},
	{Name: "fail-on", Go: "FailOn", Kind: List, Commas: true, Enum: []string{"error", "warning", "unproven"}, Doc: "what sets exit status 1 in addition to errors: warning, or unproven (an operation whose valid requests were never accepted)", at: func(s *Settings) any { return &s.FailOn }},
	{Name: "report", Kind: Mappings, File: true, Command: true, Doc: "report to write in addition to the text on standard output: html=FILE, json=FILE, junit=FILE, sarif=FILE, har=FILE, md=FILE, codequality=FILE, go=FILE_test.go, overlay=FILE or text=FILE (repeatable)", at: func(s *Settings) any { return &s.Report }},
	{Name: "dry-run", Kind: Bool, Flag: true, Command: true, Doc: "list the requests that would be sent, without sending any", at: func(s *Settings) any { return &s.DryRun }},
	{Name: "verbose", Kind: Bool, Command: true, Doc: "show every cause with all its findings, and every clause that was not proven or never tried", at: func(s *Settings) any { return &s.Verbose }},
	{Name: "quiet", Kind: Bool, Command: true, Doc: "write nothing to standard output", at: func(s *Settings) any { return &s.Quiet }},
}

// Default are the settings that nobody has given.
func Default() Settings {
	return Settings{
		Spec: "openapi.yaml", Seed: 1, Cases: 40, MaxClauses: contract.DefaultMaxClauses, CredentialTries: 4, Workers: 4, Timeout: 5 * time.Second, StreamTime: send.StreamTime, StreamItems: send.StreamItems, Settle: 2 * time.Second,
		BaselineStale: "fail", FailOn: []string{"error"},
	}
}

// Lookup finds a setting by its name.
func Lookup(name string) *Setting {
	if i := slices.IndexFunc(Table, func(s Setting) bool { return s.Name == name }); i >= 0 {
		return &Table[i]
	}
	return nil
}

// Given is what somebody has written for a setting, and where.
type Given struct {
	Name   string // of a pair
	Text   string // all of it, with variables where there are some
	Origin string // contracttest.yaml:3, or a flag; empty for an option of Go
}

// Layer is settings from one source, or from several of which one counts before the other.
type Layer struct {
	Settings

	given map[string][]Given
	lacks []lack
}

// lack is a setting whose variable the environment does not have: an error where nothing else is
// given for it.
type lack struct {
	setting, name string // the name is that of a pair
	err           error
}

// Mark notes that a setting is given.
func (l *Layer) Mark(name string, g Given) {
	if l.given == nil {
		l.given = map[string][]Given{}
	}
	l.given[name] = append(l.given[name], g)
}

// Given is what was written for a setting; nil where nothing was.
func (l *Layer) Given(name string) []Given { return l.given[name] }

// Drop forgets what is given for some settings.
func (l *Layer) Drop(names ...string) {
	for _, name := range names {
		if s := Lookup(name); s != nil {
			delete(l.given, name)
			l.lacks = slices.DeleteFunc(l.lacks, func(k lack) bool { return k.setting == name })
			reflect.ValueOf(s.at(&l.Settings)).Elem().SetZero()
		}
	}
}

// Over is this layer with what only the one below has. Texts and lists are taken as a whole,
// pairs by their names.
func (l *Layer) Over(below *Layer) *Layer {
	out := &Layer{Settings: below.Settings, lacks: slices.Clone(l.lacks)}
	for _, k := range below.lacks {
		if s := Lookup(k.setting); len(l.given[s.Name]) == 0 || s.pairs() && !slices.ContainsFunc(l.given[s.Name], func(g Given) bool { return s.same(g.Name, k.name) }) {
			out.lacks = append(out.lacks, k)
		}
	}
	for i := range Table {
		s := &Table[i]
		here, there := l.given[s.Name], below.given[s.Name]
		if len(here) == 0 {
			for _, g := range there {
				out.Mark(s.Name, g)
			}
			continue
		}
		if to, ok := s.at(&out.Settings).(*[]Pair); ok {
			mine := *s.at(&l.Settings).(*[]Pair) //nolint:forcetypeassert // they are of one field
			*to = append(slices.DeleteFunc(slices.Clone(*to), func(p Pair) bool {
				return s.has(mine, p.Name)
			}), mine...)
			for _, g := range there {
				if !s.has(mine, g.Name) {
					out.Mark(s.Name, g)
				}
			}
		} else {
			reflect.ValueOf(s.at(&out.Settings)).Elem().Set(reflect.ValueOf(s.at(&l.Settings)).Elem())
		}
		for _, g := range here {
			out.Mark(s.Name, g)
		}
	}
	return out
}

// has reports whether some pairs have a name.
func (s *Setting) has(all []Pair, name string) bool {
	return slices.ContainsFunc(all, func(p Pair) bool { return s.same(p.Name, name) })
}

// same reports whether two names are those of one pair.
func (s *Setting) same(a, b string) bool {
	return a == b || s.Kind == Headers && strings.EqualFold(a, b)
}

// pairs reports whether the setting is pairs, each of which is given by itself.
func (s *Setting) pairs() bool { return s.Kind == Headers || s.Kind == Values || s.Kind == Mappings }

// Check says what is wrong with those settings that are wanted, and where it is written.
func (l *Layer) Check(wanted func(Setting) bool) error {
	var wrong []error
	for _, k := range l.lacks {
		if wanted(*Lookup(k.setting)) {
			wrong = append(wrong, k.err)
		}
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	for i := range Table {
		s := &Table[i]
		if !wanted(*s) {
			continue
		}
		if err := s.check(&l.Settings); err != nil {
			return fmt.Errorf("%s: %w", l.called(s), err)
		}
	}
	return nil
}

// called is a setting as whoever has given it knows it.
func (l *Layer) called(s *Setting) string {
	given := l.given[s.Name]
	switch {
	case len(given) == 0 || given[len(given)-1].Origin == "":
		return strings.ReplaceAll(s.Name, "-", " ")
	case given[len(given)-1].Origin == FromFlag:
		return "--" + s.Name
	}
	return given[len(given)-1].Origin + ": " + s.Name
}

// FromFlag is the origin of a flag.
const FromFlag = "flag"

func (s *Setting) check(all *Settings) error {
	switch v := s.at(all).(type) {
	case *string:
		if s.Enum != nil && !slices.Contains(s.Enum, *v) {
			return s.wanted(*v)
		}
	case *int:
		return s.bounded(float64(*v), strconv.Itoa(*v))
	case *float64:
		return s.bounded(*v, fmt.Sprint(*v))
	case *time.Duration:
		return s.bounded(v.Seconds(), v.String())
	case *Rate:
		return s.bounded(v.PerSecond, v.String())
	case *Shard:
		return v.check()
	case *[]string:
		for _, text := range *v {
			if s.Enum != nil && !slices.Contains(s.Enum, text) {
				return s.wanted(text)
			}
		}
	case *[]Pair:
		for _, p := range *v {
			if err := s.checkPair(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Setting) wanted(text string) error {
	last := len(s.Enum) - 1
	return fmt.Errorf("want %s or %s, got %q", strings.Join(s.Enum[:last], ", "), s.Enum[last], text)
}

func (s *Setting) bounded(v float64, text string) error {
	switch {
	case s.Max != 0 && (v < s.Min || v > s.Max):
		return fmt.Errorf("want %v to %v, got %s", s.Min, s.Max, text)
	case s.Above && v <= s.Min:
		return fmt.Errorf("%s is not positive", text)
	case v < s.Min:
		return fmt.Errorf("%s is negative", text)
	}
	return nil
}

func (s *Setting) checkPair(p Pair) error {
	for _, v := range p.Values {
		switch {
		case s.Kind == Headers && (p.Name == "" || strings.ContainsAny(p.Name, " \t\r\n:") || strings.ContainsAny(v, "\r\n\x00")):
			return fmt.Errorf("%q: want a name and a value on one line", p.Name)
		case s.Kind == Mappings && s.Enum != nil && !slices.Contains(s.Enum, v):
			return fmt.Errorf("%s: %w", p.Name, s.wanted(v))
		}
	}
	switch {
	case s.Kind == Values && (p.Name == "" || len(p.Values) == 0):
		return fmt.Errorf("%q: want a name and at least one value", p.Name)
	case s.Kind == Mappings && !s.File && (p.Name == "" || len(p.Values) == 0): // what is wrong with a file, its own message says
		return fmt.Errorf("%q: want name=value", p.Name)
	}
	return nil
}

// Get is a setting as text.
func (s *Setting) Get(all *Settings) string {
	switch v := s.at(all).(type) {
	case *[]string:
		return strings.Join(*v, ",")
	case *[]Pair:
		var b []string
		for _, p := range *v {
			b = append(b, p.Name+"="+strings.Join(p.Values, ","))
		}
		return strings.Join(b, " ")
	case *string:
		return *v
	case *time.Duration:
		return v.String()
	default:
		return fmt.Sprint(reflect.ValueOf(v).Elem().Interface())
	}
}
