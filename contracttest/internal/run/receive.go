package run

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/coverage"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/report"
)

// maxReceived is how many bytes a request of the target may have that is judged.
const maxReceived = 1 << 20

// leaveWebhook is why a request that is no webhook's may break none.
const leaveWebhook = "OpenAPI 3.1.0, OpenAPI Object, webhooks: where they are sent is not described, and nothing in the request says which one it is"

// receiver takes the requests that the target sends to callbacks and webhooks.
type receiver struct {
	listener net.Listener
	server   *http.Server
	served   chan struct{} // closed when no more are taken
	base     string        // the URL that the target is given, without a slash at its end
	all      []*contract.Inbound
	arrived  chan struct{} // has something when a request came

	mu      sync.Mutex
	came    map[*contract.Inbound]bool
	account coverage.Account
	broke   map[*contract.Clause]sentBadly
}

// sentBadly is what a request breaks.
type sentBadly struct {
	request   *wire.Request
	violation contract.Violation
}

// receive begins to listen where the run is to, and says so in the values that callbacks ask for.
func (o *Options) receive(ctx context.Context, c *contract.Contract) (*receiver, error) {
	if o.Receive == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Receive)
	if err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	scheme := "http"
	if o.ReceiveTLS != nil {
		scheme = "https"
	}
	v := &receiver{
		listener: l, base: strings.TrimRight(cmp.Or(o.ReceiveURL, scheme+"://"+l.Addr().String()), "/"), all: c.Inbound,
		served: make(chan struct{}), arrived: make(chan struct{}, 1), came: map[*contract.Inbound]bool{}, account: coverage.Account{}, broke: map[*contract.Clause]sentBadly{},
	}
	v.server = &http.Server{Handler: v, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, MaxHeaderBytes: 1 << 20, TLSConfig: o.ReceiveTLS}
	if o.at == nil {
		o.at = map[*contract.Operation]map[string][]string{}
	}
	for i, in := range v.all {
		if in.Of == nil || in.Asked == "" {
			continue
		}
		if o.at[in.Of] == nil {
			o.at[in.Of] = map[string][]string{}
		}
		if len(o.at[in.Of][in.Asked]) == 0 { // else it is where the user has said, or where another callback is
			o.at[in.Of][in.Asked] = []string{v.base + prefixOf(i)}
		}
	}
	go func() {
		defer close(v.served)
		if o.ReceiveTLS != nil {
			_ = v.server.ServeTLS(l, "", "") // until it is closed
			return
		}
		_ = v.server.Serve(l)
	}()
	return v, nil
}

// prefixOf is the path under which a callback is received.
func prefixOf(i int) string { return "/callbacks/" + strconv.Itoa(i) }

// close takes no more requests.
func (v *receiver) close() {
	if v != nil {
		_ = v.server.Close() // what is under way is of no account
		<-v.served
	}
}

// ServeHTTP takes a request, and answers as the document has it.
func (v *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxReceived+1))
	if err != nil {
		return // it has not come to its end
	}
	req := &wire.Request{Method: r.Method, Target: r.URL.RequestURI(), Body: body}
	for name, values := range r.Header {
		for _, text := range values {
			req.Add(name, text)
		}
	}
	slices.SortStableFunc(req.Header, func(a, b wire.Field) int { return strings.Compare(a.Name, b.Name) })
	some, rest := v.meant(req)
	status := http.StatusNoContent
	if len(some) == 0 {
		status = http.StatusNotFound
	} else if all := some[0].Statuses(); len(all) > 0 && !slices.Contains(all, status) {
		status = all[0]
	}
	if len(some) > 0 && len(body) <= maxReceived {
		v.take(some, req, rest)
	}
	w.WriteHeader(status)
}

// webhooksAt is the path under which webhooks are received.
const webhooksAt = "/webhooks"

// meant are those that a request may be: the callback that was given this URL, the webhook that its
// path names, or all of them. rest is its target behind that URL.
func (v *receiver) meant(r *wire.Request) (some []*contract.Inbound, rest string) {
	root := ""
	if u, err := url.Parse(v.base); err == nil {
		root = u.EscapedPath()
	}
	path := strings.TrimPrefix(r.Target, root)
	for i, in := range v.all {
		if behind, ok := strings.CutPrefix(path, prefixOf(i)); ok && (behind == "" || strings.ContainsRune("/?", rune(behind[0]))) && in.Of != nil {
			some, rest = append(some, in), behind
		}
	}
	if len(some) > 0 { // one path may have several methods, and several paths may begin with one value
		for _, in := range v.all {
			if in.Of == some[0].Of && in.Asked == some[0].Asked && in != some[0] {
				some = append(some, in)
			}
		}
		return some, rest
	}
	if path, ok := strings.CutPrefix(path, webhooksAt); !ok || path != "" && !strings.ContainsRune("/?", rune(path[0])) {
		return nil, "" // a case may have a URL that is nearly the one
	}
	var named []*contract.Inbound
	for _, in := range v.all {
		if in.Of != nil {
			continue
		}
		if name := strings.TrimPrefix(in.Name, "webhooks/"); strings.Contains(r.Path()+"/", "/"+name+"/") {
			named = append(named, in)
		}
		some = append(some, in)
	}
	if len(named) > 0 {
		return named, ""
	}
	return some, ""
}

// take judges a request as the one of some that it breaks least of.
func (v *receiver) take(some []*contract.Inbound, r *wire.Request, rest string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var best *contract.Inbound
	var broken []contract.Violation
	for _, in := range some {
		if b := in.Check(r, rest); best == nil || len(b) < len(broken) {
			best, broken = in, b
		}
	}
	v.came[best] = true
	v.account.Inbound(best, r)
	for _, b := range broken {
		if len(some) > 1 && best.Of == nil {
			b.Leave = cmp.Or(b.Leave, leaveWebhook)
		}
		// Which of several comes first is chance.
		if before, ok := v.broke[b.Clause]; !ok || b.Message < before.violation.Message {
			v.broke[b.Clause] = sentBadly{r, b}
		}
	}
	select {
	case v.arrived <- struct{}{}:
	default:
	}
}

// lacking reports whether a callback has not come of an operation that was carried out, or a webhook
// of a document that has nothing else.
func (v *receiver) lacking(c *contract.Contract, carriedOut func(*contract.Operation) bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.ContainsFunc(v.all, func(in *contract.Inbound) bool {
		return !v.came[in] && (len(c.Operations) == 0 || in.Asked != "" && carriedOut(in.Of))
	})
}

// await gives callbacks time to come that have not.
func (r *runner) await(ctx context.Context) {
	v := r.receiver
	if v == nil {
		return
	}
	over := time.NewTimer(r.opts.Settle)
	defer over.Stop()
	for v.lacking(r.contract, func(op *contract.Operation) bool { return r.states.of(op).accepted }) {
		select {
		case <-v.arrived:
		case <-over.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// received enters in the report what the target has sent: the findings, one for each clause, and
// which clauses apply. How often and in which order requests come is no matter of it.
func (r *runner) received() {
	v := r.receiver
	v.close()
	if v != nil && len(r.contract.Operations) == 0 { // else how many come is chance
		r.report.Stats.Exchanges = len(v.came)
	}
	for _, in := range r.contract.Inbound {
		op := in.Operation()
		if !r.selection.has(op.ID) {
			continue
		}
		for _, cl := range in.Clauses {
			if !r.selection.Clause(cl) {
				continue
			}
			r.countInbound(in, cl)
			if v == nil || v.broke[cl].request == nil || r.selection.SkipsCheck(judge.RequestInvalid) {
				continue
			}
			req := v.broke[cl].request
			e := &judge.Exchange{Exchange: &wire.Exchange{Request: req}, Op: op, Clause: cl, Secrets: judge.Secrets(op, req)}
			r.enter(Finding(e, judge.Sent(v.broke[cl].violation), "", in.Name))
		}
		if v != nil && in.Of == nil && !slices.ContainsFunc(r.report.Operations, func(op report.Operation) bool { return op.Operation == in.Name }) {
			r.report.Operations = append(r.report.Operations, report.Operation{Operation: in.Name, Method: in.Method, Path: "(webhook)"})
		}
	}
}

// countInbound enters a clause of a request of the target in the coverage.
func (r *runner) countInbound(in *contract.Inbound, cl *contract.Clause) {
	cov, v := &r.report.Coverage, r.receiver
	if v == nil {
		if cl == in.Clauses[0] {
			cov.Unreached = append(cov.Unreached, report.Unreached{Clause: in.Name, Reason: "the target sends this request: listen for it with --receive ADDR"})
		}
		return
	}
	cov.Clauses++
	state := v.account[cl]
	switch {
	case state.Observed:
		cov.Observed++
		cov.Possible++
	case v.came[in]:
		cov.Unreached = append(cov.Unreached, report.Unreached{Clause: cl.Name, Reason: "no received request had it"})
	default:
		cov.Unreached = append(cov.Unreached, report.Unreached{Clause: cl.Name, Reason: cmp.Or(in.Why, "the target sent no such request")})
	}
	cov.ByClause = append(cov.ByClause, report.Clause{
		Clause: cl.Name, Text: cl.Text, Place: Place(r.contract, cl), State: state.String(), Operation: cl.Operation, Response: true,
	})
}
