package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// fixture makes the resources that an operation takes away: each of its requests
// gets one of its own, so that none has what another has removed, and nothing
// that other operations need is gone.
type fixture struct {
	base  *plan.Case   // creates one
	of    world.Source // and says where its identifier is
	param string       // of the operation that takes it away
	first string       // the identifier that the plan was made with

	mu    sync.Mutex // one request at a time
	there string     // the identifier of one that has not been taken; empty where there is none
	made  int
}

// sendBy carries the request of a case to the target by one of its ways: with a
// resource of its own, where the operation takes one away.
func (r *runner) sendBy(ctx context.Context, c *plan.Case, do way) *wire.Exchange {
	planned := r.withRunHeaders(c)
	f := r.states.of(c.Op).fixture
	if f == nil {
		return r.exchange(ctx, c.Op, planned, do)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.there == "" {
		f.there = r.create(ctx, f)
	}
	req := planned
	if f.there != "" {
		req = planned.Clone()
		req.Target = world.Bind(c.Op, planned.Target, r.plan.opts.BasePath, map[string]string{f.param: f.first}, map[string]string{f.param: f.there})
	}
	x := r.exchange(ctx, c.Op, req, do)
	if x.Response == nil || accepted(c.Op, x) || x.Response.Status == http.StatusNotFound || x.Response.Status == http.StatusGone {
		f.there = ""
	}
	x.Request = planned // reports name the same identifier in every run
	return x
}

// create makes a resource, and returns its identifier; it is empty where none
// was made. A second one may not have the texts of the first.
func (r *runner) create(ctx context.Context, f *fixture) string {
	c := *f.base
	f.made++
	c.Request = anew(c.Op, c.Request, fmt.Sprintf("%d-", f.made), r.plan.opts.BasePath)
	x := r.exchange(ctx, c.Op, r.withRunHeaders(&c), r.target.Do)
	if !accepted(c.Op, x) {
		return ""
	}
	if values := f.of.Values(x); len(values) > 0 {
		return values[0]
	}
	return ""
}

// anew puts a mark before the texts of a JSON object, where the contract bears
// it: they may have to be unique.
func anew(op *contract.Operation, req *wire.Request, mark, base string) *wire.Request {
	dec := json.NewDecoder(bytes.NewReader(req.Body))
	dec.UseNumber()
	var members map[string]any
	if dec.Decode(&members) != nil {
		return req
	}
	out := req.Clone()
	for _, name := range slices.Sorted(maps.Keys(members)) {
		text, ok := members[name].(string)
		if !ok {
			continue
		}
		members[name] = mark + text
		body, err := json.Marshal(members)
		plain := *out
		plain.Target, plain.Body = strings.TrimPrefix(out.Target, base), body
		if err != nil || len(op.CheckRequest(&plain)) > 0 {
			members[name] = text
			continue
		}
		out.Body = body
	}
	return out
}
