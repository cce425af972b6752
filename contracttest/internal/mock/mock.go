package mock

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Options shape a mock.
type Options struct {
	Seed int64
	// Stateless answers each request as if it were the first.
	Stateless bool
	// Data is what there is at the beginning; nil: what the document shows.
	Data Data
	// Known holds the credentials that are taken, by the names of their schemes. For a scheme
	// that has none any is taken that has its form.
	Known map[string][]string
	// Delay is how long answers take, from and to; Fail is the share of requests that fail.
	Delay [2]time.Duration
	Fail  float64
	// Vary gives the answers to valid requests at their edges, one after the other.
	Vary bool
	// Pick chooses the edge that a valid request is answered at; nil, or nil from it, is the usual
	// answer.
	Pick func(op *contract.Operation, req *wire.Request) *Edge
	// Log is called after each request, at the same time too; it may be nil.
	Log func(Entry)
}

// Entry is what a request has come to.
type Entry struct {
	Method, Path string
	Operation    string // its ID; empty where there is none
	Status       int
	// Broken are the clauses that the request breaks.
	Broken []contract.Violation
	// Note is what there is to say besides.
	Note string
}

// Server is a mock. It is safe for concurrent use.
type Server struct {
	contract *contract.Contract
	opts     Options
	answers  answers
	auth     []credentials // of each operation, by its index
	state    *state        // nil where nothing is remembered

	mu     sync.Mutex
	random *rand.Rand // of delays and failures
	varied map[string][]*Edge
	turns  map[int]int // requests to operations, by their index
}

// New returns a mock of a contract.
func New(c *contract.Contract, opts Options) *Server {
	s := &Server{contract: c, opts: opts, answers: answers{maker: &value.Maker{}}}
	s.random = rand.New(rand.NewPCG(uint64(opts.Seed), 0)) //nolint:gosec // no secret, and the same for a seed
	for _, op := range c.Operations {
		s.auth = append(s.auth, credentialsOf(op))
	}
	if opts.Vary {
		s.turns, s.opts.Pick = map[int]int{}, s.cycle
	}
	if !opts.Stateless {
		s.state = newState(c)
		s.seed()
		if opts.Data != nil {
			_ = s.fill(opts.Data) // ReadData has refused what it cannot take
		}
	}
	return s
}

// maxBody is how large a request's body may be.
const maxBody = 8 << 20

// reply is what is sent, and what is said of it.
type reply struct {
	*wire.Response
	op      *contract.Operation
	broken  []contract.Violation
	note    string
	applied []string // the preferences that it goes by
	edge    *Edge    // that it is at
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	delay, fails := s.chance()
	req, err := read(w, r) // it has to come in time, however long the answer takes
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return
		}
	}
	var out reply
	switch {
	case err != nil:
		status := unreadable(err)
		out = reply{Response: problem(status, err.Error()), note: err.Error()}
		if out.op, _ = s.contract.Find(r.Method, r.URL.RequestURI()); out.op != nil {
			out.Response = s.refused(out.op, status, err.Error())
		}
	case preflight(r):
		out = s.preflight(req, r)
	default:
		out = s.answer(r, req, fails)
	}
	out.allow(r)
	send(w, r, out)
	if s.opts.Log != nil {
		e := Entry{Method: r.Method, Path: r.URL.EscapedPath(), Status: out.Status, Broken: out.broken, Note: out.note}
		if out.op != nil {
			e.Operation = out.op.ID
		}
		s.opts.Log(e)
	}
}

// chance draws how long an answer takes, and whether it is a failure.
func (s *Server) chance() (delay time.Duration, fails bool) {
	if s.opts.Delay[1] == 0 && s.opts.Fail == 0 {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delay = s.opts.Delay[0]
	if more := s.opts.Delay[1] - delay; more > 0 {
		delay += time.Duration(s.random.Int64N(int64(more) + 1))
	}
	return delay, s.random.Float64() < s.opts.Fail
}

// read takes a request as it came.
func read(w http.ResponseWriter, r *http.Request) (*wire.Request, error) {
	req := &wire.Request{Method: r.Method, Target: r.RequestURI}
	if !strings.HasPrefix(req.Target, "/") { // absolute, or made by hand
		req.Target = r.URL.RequestURI()
	}
	if r.Host != "" {
		req.Add("Host", r.Host)
	}
	for name, values := range r.Header {
		for _, v := range values {
			req.Add(name, v)
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("the body cannot be read: %w", err)
	}
	if len(body) > 0 {
		req.Body = body
	}
	return req, nil
}

// unreadable is the status for a body that could not be read: it is too large, did not come in time, or is
// cut short or framed wrongly.
func unreadable(err error) int {
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return http.StatusRequestTimeout
	}
	return http.StatusBadRequest
}

// answer decides what a request is answered.
func (s *Server) answer(r *http.Request, req *wire.Request, fails bool) reply {
	w := wished(r.Header, req.RawQuery())
	op, known := s.contract.Find(req.Method, req.Target)
	if op == nil && req.Method == http.MethodHead {
		if op, known = s.contract.Find(http.MethodGet, req.Target); op != nil {
			req.Method = http.MethodGet // the answer is that of GET (RFC 9110 §9.3.2)
		}
	}
	switch {
	case op == nil && !known:
		return reply{Response: problem(http.StatusNotFound, "no operation of the document has this path"), note: "not in the document"}
	case op == nil:
		return s.otherMethod(req)
	}
	if fails {
		return reply{op: op, Response: s.refused(op, failure(op), "the mock was told to fail"), note: "fails as it was told to"}
	}
	req.Target = withoutFlags(req.Target, func(name string) bool {
		return slices.ContainsFunc(op.Params, func(p *contract.Param) bool { return p.Spec.In == openapi3.ParameterInQuery && p.Spec.Name == name })
	})
	if !s.auth[op.Index].satisfied(req, s.opts.Known) {
		v := contract.Violation{Clause: op.AuthClause, Message: "there is no valid credential"}
		out := s.refuse(op, v, http.StatusUnauthorized, http.StatusForbidden)
		if out.Header.Get("WWW-Authenticate") == "" && out.Status == http.StatusUnauthorized { // RFC 9110 §15.5.2
			out.Header.Set("WWW-Authenticate", s.auth[op.Index].challenge())
		}
		return out
	}
	broken := slices.DeleteFunc(op.CheckRequest(req), func(v contract.Violation) bool { return codec.Undefined(v.Leave) })
	if len(broken) > 0 {
		out := s.refuse(op, broken[0], fits(op, broken[0])...)
		out.broken = broken
		return out
	}
	if s.opts.Pick != nil && w == (wish{}) {
		if e := s.opts.Pick(op, req); e != nil {
			return reply{op: op, Response: again(e.Response), edge: e, note: "at the edge " + e.Name()}
		}
	}
	want := accepted(r.Header.Values("Accept"))
	if w == (wish{}) && acceptable(op, want) { // what is refused changes nothing
		return s.plain(op, req, want)
	}
	return s.success(op, req, w, want)
}

// plain answers a request that asks for nothing special.
func (s *Server) plain(op *contract.Operation, req *wire.Request, want func(string) float64) reply {
	if get, _ := s.contract.Find(http.MethodGet, req.Target); op.Method == http.MethodHead && get != nil {
		return s.head(op, req, s.plain(get, req, want), want)
	}
	out, ok := s.remembered(op, req, want)
	if !ok {
		out = s.success(op, req, wish{}, want)
	}
	return s.partial(op, req, out)
}

// head is the answer of an operation that is HEAD, with the fields that GET has (RFC 9110 §9.3.2).
func (s *Server) head(op *contract.Operation, req *wire.Request, get reply, want func(string) float64) reply {
	doc := op.Response(get.Status)
	if doc == nil {
		return s.success(op, req, wish{}, want)
	}
	out := reply{op: op, note: get.note}
	var err error
	if out.Response, _, err = s.of(choice{response: doc, status: get.Status}, want); err != nil {
		return s.success(op, req, wish{}, want)
	}
	for name, values := range get.Header {
		was, there := out.Header[name]
		if out.Header[name] = values; len(doc.CheckHeaders(out.Response)) == 0 {
			continue
		}
		if delete(out.Header, name); there {
			out.Header[name] = was
		}
	}
	return out
}

// otherMethod answers a method that a path does not have.
func (s *Server) otherMethod(req *wire.Request) reply {
	allow := s.methods(req.Target)
	if req.Method == http.MethodOptions {
		resp := &wire.Response{Status: http.StatusNoContent, Header: http.Header{"Allow": {allow}}}
		return reply{Response: resp, note: "OPTIONS is not in the document"}
	}
	v := contract.Violation{Clause: s.contract.At(req.Target)[0].MethodClause, Message: "the method is " + req.Method}
	resp := problem(http.StatusMethodNotAllowed, "the document has no "+req.Method+" for this path")
	resp.Header.Set("Allow", allow)
	return reply{Response: resp, broken: []contract.Violation{v}}
}

// methods lists those that a path has.
func (s *Server) methods(target string) string {
	all := []string{http.MethodOptions}
	for _, op := range s.contract.At(target) {
		all = append(all, op.Method)
	}
	if slices.Contains(all, http.MethodGet) {
		all = append(all, http.MethodHead)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

// failure is the status of a failure, a documented one where there is one.
func failure(op *contract.Operation) int {
	for code := 500; code < 600; code++ {
		if r := op.Response(code); r != nil && r.Key == strconv.Itoa(code) {
			return code
		}
	}
	return http.StatusServiceUnavailable
}

// refuse answers a request that breaks a clause.
func (s *Server) refuse(op *contract.Operation, v contract.Violation, fit ...int) reply {
	return reply{op: op, broken: []contract.Violation{v}, Response: s.refused(op, refusal(op, fit), v.Message)}
}

// of returns the answer in the media type that is wanted most, and the name of the example that it
// is.
func (s *Server) of(c choice, want func(label string) float64) (*wire.Response, string, error) {
	if len(c.response.Media) == 0 || bodyless(c.status) {
		return s.copied(c)
	}
	err := errNotAcceptable
	for _, c.media = range first(c.response, want) {
		var resp *wire.Response
		var example string
		if resp, example, err = s.copied(c); err == nil {
			return resp, example, nil
		}
	}
	return nil, "", err
}

// copied is an answer whose header can be changed.
func (s *Server) copied(c choice) (*wire.Response, string, error) {
	resp, example, err := s.answers.of(c)
	if err != nil {
		return nil, "", err
	}
	out := *resp
	out.Header = resp.Header.Clone()
	return &out, example, nil
}

// success answers a request that keeps the document.
func (s *Server) success(op *contract.Operation, req *wire.Request, w wish, want func(string) float64) reply {
	out := reply{op: op}
	statuses := successes(op)
	if w.code != 0 {
		if op.Response(w.code) == nil {
			out.note = fmt.Sprintf("the document has no %d, which is asked for", w.code)
		} else {
			statuses = []int{w.code}
			out.applied = append(out.applied, "code="+strconv.Itoa(w.code))
		}
	}
	err := errNothing
	for _, status := range statuses {
		c := choice{response: op.Response(status), status: status, example: w.example}
		if c.response == nil { // the document has no response at all
			out.Response = &wire.Response{Status: status, Header: http.Header{}}
			return out
		}
		if w.dynamic {
			c.dynamic = 1 + s.draw(req)
		}
		var example string
		if out.Response, example, err = s.of(c, want); err != nil {
			continue
		}
		switch {
		case w.dynamic:
			out.applied = append(out.applied, "dynamic")
		case w.example != "" && w.example == example:
			out.applied = append(out.applied, "example="+strconv.Quote(example))
		case w.example != "":
			out.note = "there is no example of this name that keeps the document: " + w.example
		}
		return out
	}
	if errors.Is(err, errNotAcceptable) {
		out.Response, out.note = s.refused(op, http.StatusNotAcceptable, err.Error()), err.Error()
		return out
	}
	out.Response, out.note = s.refused(op, http.StatusNotImplemented, err.Error()), err.Error()
	return out
}

// refused is the answer with a status, as it is documented or of our own.
func (s *Server) refused(op *contract.Operation, status int, why string) *wire.Response {
	if r := op.Response(status); r != nil {
		if resp, _, err := s.of(choice{response: r, status: status}, func(string) float64 { return 1 }); err == nil {
			explain(r, resp, why)
			return resp
		}
	}
	return problem(status, why)
}

// acceptable reports whether a success of an operation is in a media type that is wanted.
func acceptable(op *contract.Operation, want func(string) float64) bool {
	return slices.ContainsFunc(successes(op), func(status int) bool {
		r := op.Response(status)
		return r == nil || len(r.Media) == 0 || bodyless(status) || len(first(r, want)) > 0
	})
}

// draw chooses among what a request may get: the same request gets the same with a seed.
func (s *Server) draw(req *wire.Request) int {
	h := fnv.New32a()
	fmt.Fprintf(h, "%d %s %s\n", s.opts.Seed, req.Method, req.Target)
	_, _ = h.Write(req.Body)
	return int(h.Sum32() % maxEdges)
}

// problem is an answer of which the document says nothing (RFC 9457).
func problem(status int, detail string) *wire.Response {
	body, err := json.Marshal(map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail})
	if err != nil {
		body = []byte("{}")
	}
	return &wire.Response{Status: status, Header: http.Header{"Content-Type": {"application/problem+json"}}, Body: body}
}

// maxTold is how many broken clauses an answer names.
const maxTold = 8

// send sends a reply.
func send(w http.ResponseWriter, r *http.Request, out reply) {
	if out.edge != nil {
		out.edge.announce(w, r)
	}
	header := w.Header()
	for name, values := range out.Header {
		header[name] = values
	}
	for _, v := range out.broken[:min(len(out.broken), maxTold)] {
		header.Add("Contract-Violation", told(v.Clause))
	}
	if len(out.applied) > 0 && header.Get("Preference-Applied") == "" {
		header.Set("Preference-Applied", strings.Join(out.applied, ", "))
	}
	if header.Get("Content-Type") == "" {
		header["Content-Type"] = nil // none is guessed
	}
	if !bodyless(out.Status) && (out.op == nil || out.op.Method != http.MethodHead) { // of HEAD, who knows what GET has
		header.Set("Content-Length", strconv.Itoa(len(out.Body)))
	}
	if out.edge != nil {
		out.edge.sendAs(w, r, out.Response)
		return
	}
	w.WriteHeader(out.Status)
	if r.Method != http.MethodHead && !bodyless(out.Status) {
		_, _ = io.Copy(w, bytes.NewReader(out.Body))
	}
}

// told is the name of a clause within its operation.
func told(c *contract.Clause) string { return escaped(strings.TrimPrefix(c.Name, c.Operation+"/")) }

// escaped is a name as a header field can have it.
func escaped(name string) string {
	var b strings.Builder
	for i := range len(name) {
		if ch := name[i]; ch > ' ' && ch <= '~' && ch != ',' {
			b.WriteByte(ch)
		} else {
			fmt.Fprintf(&b, "%%%02X", ch)
		}
	}
	return b.String()
}
