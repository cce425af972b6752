package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// fixture makes the resources that an operation takes away: each of its requests
// gets one of its own, so that none has what another has removed, and nothing
// that other operations need is gone.
type fixture struct {
	base  *plan.Case // creates one
	of    source     // and says where its identifier is
	param string     // of the operation that takes it away
	first string     // the identifier that the plan was made with

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
		req = f.bind(c.Op, planned, r.plan.opts.BasePath)
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
	if values := f.of.values(x); len(values) > 0 {
		return values[0]
	}
	return ""
}

// bind puts the resource in the place of the one that the plan was made with.
func (f *fixture) bind(op *contract.Operation, planned *wire.Request, base string) *wire.Request {
	path, query, hasQuery := strings.Cut(planned.Target, "?")
	template, segments := strings.Split(op.Path, "/"), strings.Split(strings.TrimPrefix(path, base), "/")
	i := slices.Index(template, "{"+f.param+"}")
	if i < 0 || len(segments) != len(template) {
		return planned
	}
	segments[i] = spelt(segments[i], f.first, f.there)
	req := planned.Clone()
	req.Target = path[:len(path)-len(strings.TrimPrefix(path, base))] + strings.Join(segments, "/")
	if hasQuery {
		req.Target += "?" + query
	}
	return req
}

// spelt puts one identifier in the place of another in a segment, with the
// characters escaped that are escaped in it.
func spelt(segment, first, there string) string {
	if plain, err := url.PathUnescape(segment); err != nil || plain != first || segment == url.PathEscape(first) {
		return strings.Replace(segment, url.PathEscape(first), url.PathEscape(there), 1)
	}
	var escapes []string // for each byte its escape, or nothing
	for i := 0; i < len(segment); i++ {
		if segment[i] == '%' {
			escapes = append(escapes, segment[i:i+3])
			i += 2
			continue
		}
		escapes = append(escapes, "")
	}
	hex := "%%%02X"
	if all := strings.Join(escapes, ""); all == strings.ToLower(all) {
		hex = "%%%02x"
	}
	var b strings.Builder
	for i := range len(there) {
		if escapes[min(i, len(escapes)-1)] == "" {
			b.WriteString(url.PathEscape(there[i : i+1]))
		} else {
			fmt.Fprintf(&b, hex, there[i])
		}
	}
	return b.String()
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
