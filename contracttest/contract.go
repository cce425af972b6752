package contracttest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/config"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/pattern"
	"github.com/dataarts-go/factory/contracttest/internal/run"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/report"
)

// Contract is an OpenAPI document, loaded, resolved and checked. It is safe for
// concurrent use.
type Contract struct{ c *contract.Contract }

// LoadOption shapes how a document is taken apart.
type LoadOption func() (contract.Option, error)

// DefaultMaxClauses is what MaxClauses bounds where it is not given.
const DefaultMaxClauses = contract.DefaultMaxClauses

// MaxClauses is how many clauses a document is unrolled to in full. A schema
// that several operations share is clauses of each of them, since each can get
// it wrong; beyond the bound it is tried in full only where it was first met, and
// with one case that keeps it and one that breaks it elsewhere. The report says
// so. The default is DefaultMaxClauses.
func MaxClauses(n int) LoadOption {
	return func() (contract.Option, error) {
		if n < 0 {
			return nil, fmt.Errorf("max clauses: %d is negative", n)
		}
		return contract.MaxClauses(n), nil
	}
}

// Fetch allows references of the document to lead to files on these hosts, as example.com or
// example.com:8080: each is fetched once, without a credential, and the report says which were.
// A reference to any other host is left out with a warning, and so are all where Fetch is not
// given.
func Fetch(hosts ...string) LoadOption {
	return func() (contract.Option, error) {
		for _, host := range hosts {
			if u, err := url.Parse("//" + host); err != nil || u.Host != host || u.Hostname() == "" {
				return nil, fmt.Errorf("fetch: %q is not a host, as example.com", host)
			}
		}
		return contract.Fetch(hosts...), nil
	}
}

// Format defines a format of texts, which the document names and neither OpenAPI nor JSON Schema
// defines: a text that does not have it breaks the contract. Examples are sent where one is
// needed and the document has none. valid must be safe for concurrent use.
func Format(name string, valid func(string) bool, examples ...string) LoadOption {
	return func() (contract.Option, error) {
		if name == "" || valid == nil {
			return nil, fmt.Errorf("format %q: want a name and a function", name)
		}
		for _, text := range examples {
			if !valid(text) {
				return nil, fmt.Errorf("format %s: the example %q does not have it", name, text)
			}
		}
		return contract.Formats(map[string]*schema.Format{name: {Valid: valid, Examples: examples}}), nil
	}
}

// FormatPattern defines a format by a regular expression of ECMA 262, as pattern has it.
func FormatPattern(name, expression string) LoadOption {
	return func() (contract.Option, error) {
		p, err := pattern.Compile(expression)
		if err != nil {
			return nil, fmt.Errorf("format %s: %w", name, err)
		}
		return contract.Formats(map[string]*schema.Format{name: {Valid: p.MatchString, Pattern: p}}), nil
	}
}

// Overlay changes the document by an OpenAPI Overlay, of version 1.0 or 1.1, before it is read.
// Places are those of the document without it; what only the overlay has is where its target is.
// Several are applied in their order.
func Overlay(file string) LoadOption {
	return func() (contract.Option, error) {
		o, err := document.ReadOverlay(file)
		if err != nil {
			return nil, err //nolint:wrapcheck // it names the file
		}
		return contract.Overlays(o), nil
	}
}

// LoadConfig takes from a file of settings, as Config does, what a document is loaded with:
// overlays, max-clauses, fetch and the formats by their patterns.
func LoadConfig(file string) LoadOption {
	return func() (contract.Option, error) {
		l, err := config.Load(file)
		if err != nil {
			return nil, fmt.Errorf("config: %w", err)
		}
		return LoadWith(l)()
	}
}

// LoadWith takes settings as LoadConfig does.
func LoadWith(l *config.Layer) LoadOption {
	return func() (contract.Option, error) {
		l := l.Over(&config.Layer{Settings: config.Default()})
		if err := l.Check(func(s config.Setting) bool { return s.Load }); err != nil {
			return nil, err //nolint:wrapcheck // it says what is wrong
		}
		opts := []LoadOption{MaxClauses(l.MaxClauses), Fetch(l.Fetch...)}
		for _, p := range l.Format {
			opts = append(opts, FormatPattern(p.Name, strings.Join(p.Values, "")))
		}
		for _, file := range l.Overlay {
			opts = append(opts, Overlay(file))
		}
		all, err := loadOptions(opts)
		return func(c *contract.Contract) {
			for _, opt := range all {
				opt(c)
			}
		}, err
	}
}

func loadOptions(opts []LoadOption) ([]contract.Option, error) {
	var all []contract.Option
	for _, opt := range opts {
		o, err := opt()
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	return all, nil
}

// DocumentError says why a document cannot be used. It is what Load returns for
// a file that is not there, not OpenAPI 3 or Swagger 2.0, or not valid.
type DocumentError = contract.Error

// Load reads a document of OpenAPI 3 or Swagger 2.0, in YAML or JSON, and the files that it
// refers to. A fault that does not keep it from being used (an example that
// breaks its own schema, say) is a warning of the report.
func Load(file string, opts ...LoadOption) (*Contract, error) {
	options, err := loadOptions(opts)
	if err != nil {
		return nil, err
	}
	c, err := contract.Load(file, options...)
	if err != nil {
		return nil, err
	}
	return &Contract{c}, nil
}

// Parse is Load for a document that is already in memory. Places call it name.
func Parse(name string, text []byte, opts ...LoadOption) (*Contract, error) {
	options, err := loadOptions(opts)
	if err != nil {
		return nil, err
	}
	c, err := contract.Parse(name, text, options...)
	if err != nil {
		return nil, err
	}
	return &Contract{c}, nil
}

// ApplyOverlays returns a document with the changes of overlays, as it is read with [Overlay]:
// YAML with its comments, and all in its order. The notes say which actions change nothing.
func ApplyOverlays(name string, text []byte, files ...string) (changed []byte, notes []string, err error) {
	var overlays []*document.Overlay
	for _, file := range files {
		o, err := document.ReadOverlay(file)
		if err != nil {
			return nil, nil, err
		}
		overlays = append(overlays, o)
	}
	return document.Apply(name, text, overlays...)
}

// Clause is one assertion of a contract that can be kept or broken on its own.
type Clause struct {
	Name      string // as in CancelFactoryPackages/body/package_ids/items/type
	Operation string // the operationId, or METHOD_path where there is none
	Text      string // the assertion in words
	Place     report.Place
	// Response is set for what the responder keeps, not for what it checks.
	Response bool
}

// Clauses lists the clauses in the order of the document's operations.
func (c *Contract) Clauses() []Clause {
	all := make([]Clause, len(c.c.Clauses))
	for i, cl := range c.c.Clauses {
		all[i] = Clause{Name: cl.Name, Operation: cl.Operation, Text: cl.Text, Place: run.Place(c.c, cl), Response: cl.Side == contract.ResponseSide}
	}
	return all
}

// Loaded returns the document as kin-openapi has loaded it, for tools that read that: Swagger 2.0
// as OpenAPI 3.0, and faults mended. It must not be changed.
func (c *Contract) Loaded() *openapi3.T { return c.c.Doc }

// Swagger reports whether the document is one of Swagger 2.0, which is read as OpenAPI 3.0.
func (c *Contract) Swagger() bool { return c.c.Converted }

// Warnings lists faults of the document that do not keep it from being used.
func (c *Contract) Warnings() []string { return c.c.Warnings }

// Finding is one broken clause in one exchange.
type Finding = report.Finding

// Report is the outcome of a run.
type Report = report.Report

// Exchange is a request and the response to it, as bytes.
type Exchange struct {
	name    string
	about   string
	verdict []string
	x       wire.Exchange
}

// Name says where a recorded exchange stands: the file, and the place in it.
func (x *Exchange) Name() string { return x.name }

// About is what the author of a recorded exchange says of it.
func (x *Exchange) About() string { return x.about }

// Verdict is what the author of a recorded exchange expects of Judge: a line
// "check clause" for each finding, in any order. The second result is false
// where nothing is said.
func (x *Exchange) Verdict() ([]string, bool) {
	if x.verdict == nil {
		return nil, false
	}
	if len(x.verdict) == 1 && x.verdict[0] == "kept" {
		return nil, true
	}
	return x.verdict, true
}

// NewExchange makes an exchange of a request and a response of net/http. Their
// bodies are read, up to 8 MiB each, and put back.
func NewExchange(req *http.Request, resp *http.Response) (*Exchange, error) {
	reqBody, err := drain(&req.Body)
	if err != nil {
		return nil, fmt.Errorf("request body: %w", err)
	}
	respBody, bodyErr := drain(&resp.Body)
	r := &wire.Request{Method: req.Method, Target: req.URL.RequestURI(), Body: reqBody}
	if len(reqBody) == 0 {
		r.Body = nil
	}
	for name, values := range req.Header {
		for _, v := range values {
			r.Add(name, v)
		}
	}
	return &Exchange{x: wire.Exchange{Request: r, Response: &wire.Response{
		Status: resp.StatusCode, Header: resp.Header.Clone(), Body: respBody, BodyErr: bodyErr,
	}}}, nil
}

const maxJudged = send.MaxBody

var errTooLarge = fmt.Errorf("more than %d bytes", maxJudged)

// drain reads a body and puts it back as it was.
func drain(body *io.ReadCloser) ([]byte, error) {
	if *body == nil || *body == http.NoBody {
		return nil, nil
	}
	data, err := io.ReadAll(io.LimitReader(*body, maxJudged+1))
	rest := *body
	*body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(data), &failing{rest, err}), rest}
	if err == nil && len(data) > maxJudged {
		return data[:maxJudged], errTooLarge
	}
	return data, err
}

// failing reads on, unless reading has failed before: then it fails again.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return f.r.Read(p)
}

// ErrNotInContract is returned for an exchange on a path that the document does
// not have.
var ErrNotInContract = errors.New("no operation of the document has this path")

// Judge returns the clauses that an exchange breaks: those of the response, and
// those of the request where a server accepted it all the same (an error) or
// refused it (a warning, as it is the sender that broke the contract).
func (c *Contract) Judge(x *Exchange) ([]Finding, error) {
	e := judge.Recorded(c.c, &x.x)
	if e == nil {
		return nil, fmt.Errorf("%s %s: %w", x.x.Request.Method, x.x.Request.Path(), ErrNotInContract)
	}
	var all []Finding
	for _, f := range judge.Judge(e, nil) {
		found := run.Finding(e, f, "", x.name)
		found.ID = report.ID(found)
		all = append(all, found)
	}
	return all, nil
}

// ParseTxtar reads the exchanges of a txtar archive: files named request and
// response, each an HTTP message, and perhaps one named verdict that says what
// Judge should find. Names that end in these words tell several exchanges of
// one archive apart.
func ParseTxtar(name string, data []byte) ([]*Exchange, error) {
	return exchanges(wire.ParseTxtar(name, data))
}

// ParseHAR reads the exchanges of an HTTP archive (HAR 1.2).
func ParseHAR(name string, data []byte) ([]*Exchange, error) {
	return exchanges(wire.ParseHAR(name, data))
}

func exchanges(pairs []wire.Pair, err error) ([]*Exchange, error) {
	if err != nil {
		return nil, err
	}
	all := make([]*Exchange, len(pairs))
	for i, p := range pairs {
		all[i] = &Exchange{name: p.Name, about: p.About, verdict: p.Verdict, x: p.Exchange}
	}
	return all, nil
}
