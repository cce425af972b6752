package mock

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Client is a client that is tried.
type Client struct {
	// Call asks a server at a base URL for what is to be tried, and returns what came of it.
	Call func(ctx context.Context, baseURL string) error
	// Expect says what is wrong with what a documented error has become; it may be nil.
	Expect  func(status int, err error) error
	Timeout time.Duration // of a call
	Seed    int64
}

// Failure is an edge of a documented answer at which a client has failed, or a clause of a request
// that it has broken.
type Failure struct {
	Clause  *contract.Clause
	Label   string // of the edge; empty for a request
	Message string
	Answer  string // what it was answered with
	Leave   string // why it may
}

// Trial is what came of trying a client.
type Trial struct {
	Calls    int
	Failures []Failure
	Tried    map[*contract.Clause]bool // of answers
	Asked    []*contract.Operation
	Idle     []string // edges at which the client has not asked
}

// How long a call that has been told to end may take to, and how many calls may not end at all.
const (
	graceTime = 2 * time.Second
	maxHangs  = 3
)

// ErrNotAsked is returned for a client that asks for nothing that the document has.
var ErrNotAsked = errors.New("the client has asked for no operation of the document")

// Try calls a client for each documented answer of the operations that it asks for, once at each
// edge.
func Try(ctx context.Context, c *contract.Contract, client Client) (*Trial, error) {
	tr := &trial{client: client, Trial: &Trial{Tried: map[*contract.Clause]bool{}}, edges: map[*contract.Operation][]*Edge{}}
	tr.server = New(c, Options{Seed: client.Seed, Stateless: true, Pick: tr.pick, Log: tr.note})
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	srv := &http.Server{Handler: tr.server, ReadHeaderTimeout: client.Timeout}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = srv.Serve(listener) // until it is closed
	}()
	defer func() {
		_ = srv.Close()
		<-served
	}()
	tr.base = "http://" + listener.Addr().String() + c.BasePath
	err = tr.run(ctx)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	out := *tr.Trial
	out.Asked = slices.Clone(tr.Asked)
	return &out, err
}

type trial struct {
	*Trial
	client Client
	server *Server
	base   string

	mu     sync.Mutex
	edges  map[*contract.Operation][]*Edge
	last   *Edge // that was the answer
	edge   *Edge // of the call that is under way
	of     *contract.Operation
	asked  bool
	broken []contract.Violation
	hangs  int
}

// pick answers each request of a call to the operation at the edge that is tried.
func (tr *trial) pick(op *contract.Operation, req *wire.Request) *Edge {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	all, known := tr.edges[op]
	if !known {
		all = tr.server.Edges(op, req)
		tr.edges[op] = all
		tr.Asked = append(tr.Asked, op)
	}
	if op == tr.of {
		tr.asked = true
		return tr.edge
	}
	tr.last = nil
	if len(all) > 0 && all[0].Response.Status/100 == 2 { // the fullest success
		tr.last = all[0]
	}
	return tr.last
}

func (tr *trial) note(e Entry) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.broken = append(tr.broken, e.Broken...)
	if e.Operation == "" && len(e.Broken) == 0 {
		tr.broken = append(tr.broken, contract.Violation{Message: e.Method + " " + e.Path + " is not in the document"})
	}
}

func (tr *trial) run(ctx context.Context) error {
	err := tr.call(ctx)
	wrong := tr.requests()
	tr.mu.Lock() // a call may leave requests behind
	asked, edges, last := slices.Clone(tr.Asked), maps.Clone(tr.edges), tr.last
	tr.mu.Unlock()
	switch {
	case wrong && err != nil, wrong && len(asked) == 0:
		return nil //nolint:nilerr // what comes of a wrong request is no matter of answers
	case len(asked) == 0:
		return ErrNotAsked
	case err != nil && last != nil:
		tr.fail(last.Clause, last.Label, err.Error(), answered(last), "")
		return nil
	case err != nil:
		tr.fail(asked[len(asked)-1].StatusClause, "usual", err.Error(), "a documented success", "")
		return nil
	}
	for _, op := range asked {
		for _, e := range edges[op] {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("client: %w", err)
			}
			if tr.hangs >= maxHangs {
				return nil
			}
			tr.at(ctx, op, e)
		}
	}
	return nil
}

// at tries the client at an edge.
func (tr *trial) at(ctx context.Context, op *contract.Operation, e *Edge) {
	tr.mu.Lock()
	tr.edge, tr.of, tr.asked = e, op, false
	tr.mu.Unlock()
	err := tr.call(ctx)
	tr.requests()
	tr.mu.Lock()
	asked := tr.asked
	tr.edge, tr.of = nil, nil
	tr.mu.Unlock()
	if !asked {
		tr.Idle = append(tr.Idle, e.Name())
		return
	}
	for _, c := range append([]*contract.Clause{e.Clause}, e.Also...) {
		tr.Tried[c] = true
	}
	status := e.Response.Status
	answer := answered(e)
	stopped := errors.Is(err, errHung) || errors.As(err, new(*panicked))
	switch {
	case stopped, err != nil && status/100 == 2:
		tr.fail(e.Clause, e.Label, err.Error(), answer, e.Leave)
	case status >= http.StatusBadRequest && tr.client.Expect != nil:
		if wrong := tr.client.Expect(status, err); wrong != nil {
			tr.fail(e.Clause, e.Label, wrong.Error(), answer, e.Leave)
		}
	}
}

// answered is an answer in one line.
func answered(e *Edge) string {
	status := e.Response.Status
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", status, http.StatusText(status), clip(e.Response.Body)))
}

// clip shortens a body for a message.
func clip(body []byte) string {
	const most = 200
	text := []rune(strings.ToValidUTF8(string(body), "\uFFFD"))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

func (tr *trial) fail(c *contract.Clause, label, message, answer, leave string) {
	tr.Failures = append(tr.Failures, Failure{c, label, message, answer, leave})
}

// requests enters what is wrong with the requests of the last call, each clause once.
func (tr *trial) requests() bool {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, v := range tr.broken {
		if !slices.ContainsFunc(tr.Failures, func(f Failure) bool { return f.Label == "" && f.Clause == v.Clause }) {
			tr.fail(v.Clause, "", v.Message, "", v.Leave)
		}
	}
	wrong := len(tr.broken) > 0
	tr.broken = nil
	return wrong
}

var errHung = errors.New("the client has hung")

// panicked is a panic of the client.
type panicked struct {
	v     any
	stack []byte
}

func (p *panicked) Error() string {
	return fmt.Sprintf("the client has panicked: %v\n%s", p.v, clip(p.stack))
}

// call calls the client once. One that does not end is left alone.
func (tr *trial) call(ctx context.Context) error {
	tr.Calls++
	ctx, cancel := context.WithTimeout(ctx, tr.client.Timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		defer func() {
			if v := recover(); v != nil {
				done <- &panicked{v, debug.Stack()}
			}
		}()
		done <- tr.client.Call(ctx, tr.base)
	}()
	over := time.NewTimer(tr.client.Timeout + graceTime)
	defer over.Stop()
	select {
	case err := <-done:
		if ctx.Err() != nil && err != nil {
			tr.hangs++
			return fmt.Errorf("%w for %s: %w", errHung, tr.client.Timeout, err)
		}
		return err
	case <-over.C:
		tr.hangs++
		return fmt.Errorf("%w, and does not end with its context", errHung)
	}
}
