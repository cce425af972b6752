package contracttest

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/mock"
	"github.com/dataarts-go/factory/contracttest/internal/run"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/report"
)

// ClientOption shapes a test of a client.
type ClientOption func(*mock.Client)

// Expect says what a documented error has to become: it is called with the status of each answer of
// 400 and above, and what the call has returned, and returns what is wrong. Without it a client may
// make of errors what it likes, as long as it ends and does not panic.
func Expect(f func(status int, err error) error) ClientOption {
	return func(c *mock.Client) { c.Expect = f }
}

// CallTimeout is how long a call may take. The default is 5 s.
func CallTimeout(d time.Duration) ClientOption { return func(c *mock.Client) { c.Timeout = d } }

// ClientSeed chooses among made values.
func ClientSeed(seed int64) ClientOption { return func(c *mock.Client) { c.Seed = seed } }

// ClientFailure is a documented answer at which a client has failed, or a clause that its request
// breaks.
type ClientFailure struct {
	Clause   string // empty for a request to what the document does not have
	Edge     string // of the clause, as longest; empty for a request
	Place    report.Place
	Severity string // error, or warning where a sentence lets it fail
	Message  string // what came of it
	Answer   string // what it was answered with
}

// ClientReport is what came of a test of a client.
type ClientReport struct {
	Calls    int
	Failures []ClientFailure
	Tried    []string // clauses of answers
	Untried  []string // those of the same operations that no answer was at the edge of
}

// RunClient calls a client against a server of its own, which answers with each documented response
// of the operations that the client asks for, once at each edge that keeps it: each value of an
// enumeration, the longest and shortest texts, the largest and smallest numbers, optional
// properties that are absent and properties that nobody named, each documented status and media
// type, in chunks, compressed, slowly, on a connection that is closed. Only what the client's Accept
// and Accept-Encoding allow is sent.
//
// It is a failure that the client panics, does not end, sends a request that breaks the contract, or
// returns an error for a documented success; and what Expect says.
//
// call is called once for each answer, one at a time, with the URL that the paths of the contract
// are under. It has to make a client, use it, and return its error.
func RunClient(ctx context.Context, c *Contract, call func(ctx context.Context, baseURL string) error, opts ...ClientOption) (*ClientReport, error) {
	client := mock.Client{Call: call, Timeout: 5 * time.Second, Seed: 1}
	for _, opt := range opts {
		opt(&client)
	}
	tried, err := mock.Try(ctx, c.c, client)
	if err != nil {
		return nil, err
	}
	rep := &ClientReport{Calls: tried.Calls}
	for _, f := range tried.Failures {
		out := ClientFailure{Edge: f.Label, Severity: report.Error, Message: f.Message, Answer: f.Answer}
		if f.Clause != nil {
			out.Clause, out.Place = f.Clause.Name, run.Place(c.c, f.Clause)
		}
		if f.Leave != "" {
			out.Severity = report.Warning
			out.Message += " (" + f.Leave + ")"
		}
		rep.Failures = append(rep.Failures, out)
	}
	for _, op := range tried.Asked {
		for _, cl := range op.Clauses {
			switch {
			case cl.Side != contract.ResponseSide:
			case tried.Tried[cl]:
				rep.Tried = append(rep.Tried, cl.Name)
			default:
				rep.Untried = append(rep.Untried, cl.Name)
			}
		}
	}
	return rep, nil
}

// TestClient is RunClient as a test: each clause at whose edge the client has failed is a subtest
// that fails. See docs/client-tests.md.
func TestClient(t *testing.T, c *Contract, call func(ctx context.Context, baseURL string) error, opts ...ClientOption) {
	t.Helper()
	rep, err := RunClient(t.Context(), c, call, opts...)
	if err != nil {
		t.Fatalf("client test: %v", err)
	}
	root := &branch{}
	byClause := map[string][]ClientFailure{}
	for _, f := range rep.Failures {
		byClause[f.Clause] = append(byClause[f.Clause], f)
	}
	add := func(clause string) {
		here := byClause[clause]
		delete(byClause, clause)
		root.add(strings.Split(cmp.Or(clause, "request"), "/"), func(t *testing.T) {
			t.Helper()
			for _, f := range here {
				f.tell(t)
			}
		})
	}
	for _, clause := range rep.Tried {
		add(clause)
	}
	for _, f := range rep.Failures { // of requests
		if byClause[f.Clause] != nil {
			add(f.Clause)
		}
	}
	root.run(t)
	t.Logf("%d calls, responses at the edges of %d of %d response clauses", rep.Calls, len(rep.Tried), len(rep.Tried)+len(rep.Untried))
	if n := len(rep.Untried); n > 0 {
		const most = 10
		t.Logf("no response is at an edge of %s%s", strings.Join(rep.Untried[:min(n, most)], ", "), map[bool]string{true: ", …"}[n > most])
	}
}

// tell says what is wrong.
func (f ClientFailure) tell(t *testing.T) {
	t.Helper()
	text := fmt.Sprintf("%s: %s", f.Place, secret.Clip(f.Message, 600))
	if f.Answer != "" {
		text += "\n  answered  " + f.Answer
	}
	if f.Edge != "" {
		text += "\n  edge      " + f.Edge
	}
	if f.Severity == report.Error {
		t.Error(text)
	} else {
		t.Log(text)
	}
}
