package run

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/report"
)

// negotiations asks for the answers to the valid requests as clients do: in a content
// coding, in a language, their header alone, in parts, and only if they have changed. It
// holds each against the usual answer. What the answer to a request is that may change
// something depends on those before it.
func (r *runner) negotiations(ctx context.Context, w wave, gate gate) []*negotiation {
	if !slices.ContainsFunc(judge.Negotiation, func(name string) bool { return !r.selection.SkipsCheck(name) }) {
		return nil
	}
	var all []*negotiation
	g := &errgroup.Group{}
	g.SetLimit(r.workers())
	for _, op := range w {
		if st := r.states.of(op); rank(op) > reading || !st.accepted || !st.repeatable.Load() {
			continue
		}
		n := negotiationOf(r.plan.cases(op))
		if n.base == nil || !r.asksAny(n) {
			continue
		}
		all = append(all, n)
		g.Go(func() error {
			n.found = r.negotiated(ctx, n, gate)
			return nil
		})
	}
	_ = g.Wait() // none fails
	return all
}

func (r *runner) enterNegotiated(all []*negotiation) {
	for _, n := range all {
		for _, one := range n.found {
			r.enter(one.finding)
			r.sample.Add(r.shot(one.Case, one.x), []report.Finding{one.finding}, false)
		}
	}
}

// negotiation is what an operation is asked for.
type negotiation struct {
	base   *plan.Case
	codes  []*plan.Case // that accept content codings
	speaks []*plan.Case // that accept languages
	found  []negotiable
}

// special is a request for something special.
type special struct {
	*plan.Case
	made bool // of an answer: no plan has it
}

// negotiable is a finding with the request that shows it.
type negotiable struct {
	special
	x       *wire.Exchange
	finding report.Finding
}

// negotiationOf chooses from the cases of an operation.
func negotiationOf(cases []*plan.Case) *negotiation {
	n := &negotiation{}
	for _, c := range cases {
		switch {
		case c.Base == nil:
			n.base = c
		case c.Clause != c.Op.MessageClause || c.Expect != plan.Accept:
		case c.Request.Get("Accept-Encoding") != "" && c.Base.Request.Get("Accept-Encoding") == "":
			n.codes = append(n.codes, c)
		case c.Request.Get("Accept-Language") != "" && c.Base.Request.Get("Accept-Language") == "":
			n.speaks = append(n.speaks, c)
		}
	}
	return n
}

// negotiated returns what is found twice: what is found once may have changed in
// between.
func (r *runner) negotiated(ctx context.Context, n *negotiation, gate gate) []negotiable {
	first := r.answersOf(ctx, n, gate)
	if len(first) == 0 {
		return nil
	}
	second := r.answersOf(ctx, n, gate)
	return slices.DeleteFunc(first, func(one negotiable) bool {
		return !slices.ContainsFunc(second, func(other negotiable) bool {
			return other.ID == one.ID && keyOf(other.finding) == keyOf(one.finding)
		})
	})
}

// answersOf asks for an answer in all the ways that it speaks of, and returns what is
// wrong with them. The usual one is asked for before and after them.
func (r *runner) answersOf(ctx context.Context, n *negotiation, gate gate) []negotiable {
	ask := func(c *plan.Case) (e *judge.Exchange) {
		r.through(gate, c.Op, func() { e = r.seen(c, r.ask(ctx, c, r.target.Do)) })
		return e
	}
	twice := func() (a, b *judge.Exchange) {
		var other sync.WaitGroup
		other.Go(func() { b = ask(n.base) })
		a = ask(n.base)
		other.Wait()
		return a, b
	}
	one, other := twice()
	usual := judge.NewUsual(one)
	if usual == nil || !usual.Again(other) {
		return nil
	}
	type answered struct {
		special
		e *judge.Exchange
	}
	some := slices.DeleteFunc(slices.Concat(fromPlan(n.codes), asks(n, usual)), func(s special) bool { return !r.selection.sends(s.Case) })
	all := make([]answered, len(some))
	g := &errgroup.Group{}
	g.SetLimit(r.lanes(n.base.Op))
	for i, s := range some {
		g.Go(func() error {
			if r.stopped(ctx, s.Op) == "" {
				all[i] = answered{s, ask(s.Case)}
			}
			return nil
		})
	}
	_ = g.Wait() // none fails
	if r.stopped(ctx, n.base.Op) != "" {
		return nil
	}
	all = slices.DeleteFunc(all, func(a answered) bool {
		return a.e == nil || a.e.Response != nil && len(a.e.Response.Body) > judge.MaxCompared
	})
	if one, other = twice(); !usual.Again(one) || !usual.Again(other) {
		return nil
	}
	// A length that HEAD has may be that of any GET.
	slices.SortStableFunc(all, func(a, b answered) int { return strings.Compare(a.Request.Method, b.Request.Method) })
	var found []negotiable
	for _, one := range all {
		some := usual.Compare(one.e, r.selection.SkipsCheck)
		if one.made && one.Request.Method != http.MethodHead { // of a planned one they have been told, of HEAD nobody speaks
			some = append(some, judge.Judge(one.e, func(check string) bool {
				return !slices.Contains(judge.OfAny, check) || r.selection.SkipsCheck(check)
			})...)
		}
		for _, f := range some {
			found = append(found, negotiable{one.special, one.e.Exchange, r.finding(one.e, f, one.ID)})
		}
	}
	return found
}

func fromPlan(cases []*plan.Case) []special {
	var all []special
	for _, c := range cases {
		all = append(all, special{c, false})
	}
	return all
}

// askLabels are what cases are called that are made of answers.
var askLabels = []string{
	"head", "head-in-gzip", "accept-german", "own-etag", "own-etag-in-list", "other-etag", "own-date", "older-date", "other-etag-and-own-date",
	"first-bytes", "bytes-inside", "bytes-to-the-end", "last-bytes", "more-than-all-bytes", "bytes-beyond", "bytes-if-same", "bytes-if-other",
}

// askID is the ID of a case that is made of answers.
func askID(op *contract.Operation, label string) string { return op.MessageClause.Name + "#" + label }

// asksAny reports whether the selection has a case of a negotiation.
func (r *runner) asksAny(n *negotiation) bool {
	return len(n.codes)+len(n.speaks) > 0 || slices.ContainsFunc(askLabels, func(label string) bool {
		return r.selection.sends(&plan.Case{ID: askID(n.base.Op, label), Clause: n.base.Op.MessageClause})
	})
}

// hasAsk reports whether such a case has an ID. Whether it is sent depends on the answers.
func (r *runner) hasAsk(id string) bool {
	return slices.ContainsFunc(r.plan.ops, func(op *contract.Operation) bool {
		return op.Method == http.MethodGet && slices.ContainsFunc(askLabels, func(label string) bool { return askID(op, label) == id })
	})
}

// How ranges, dates and tags are asked for that an answer does not have.
const (
	noTag   = `"x-unknown"`
	oldDate = "Sat, 29 Oct 1994 19:43:31 GMT"
)

// asks lists what else a GET is asked for: what the document or the usual answer speaks
// of.
func asks(n *negotiation, usual *judge.Usual) []special {
	op := n.base.Op
	if op.Method != http.MethodGet {
		return nil
	}
	var all []special
	add := func(method, label string, fields ...wire.Field) {
		c := *n.base
		c.ID, c.Base, c.Clause, c.Request = askID(op, label), n.base, op.MessageClause, n.base.Request.Clone()
		c.Request.Method = method
		for _, f := range fields {
			if c.Request.Get(f.Name) != "" {
				return // the operation has a parameter of this name
			}
			c.Request.Add(f.Name, f.Value)
			c.Own = append(slices.Clone(c.Own), strings.ToLower(f.Name))
		}
		all = append(all, special{&c, true})
	}
	with := func(label string, fields ...wire.Field) { add(http.MethodGet, label, fields...) }
	field := func(name, v string) wire.Field { return wire.Field{Name: name, Value: v} }
	header := usual.Response.Header
	add(http.MethodHead, "head")
	add(http.MethodHead, "head-in-gzip", field("Accept-Encoding", "gzip"))
	if header.Get("Content-Language") != "" || strings.Contains(strings.ToLower(strings.Join(header.Values("Vary"), ",")), "accept-language") {
		all = append(all, fromPlan(n.speaks)...)
		with("accept-german", field("Accept-Language", "de"))
	}
	tag, date := header.Get("ETag"), header.Get("Last-Modified")
	if tag != "" {
		with("own-etag", field("If-None-Match", tag))
		with("own-etag-in-list", field("If-None-Match", noTag+", W/"+strings.TrimPrefix(tag, "W/")))
		with("other-etag", field("If-None-Match", noTag))
	}
	modified, err := http.ParseTime(date)
	if err == nil {
		with("own-date", field("If-Modified-Since", date))
		if old, err := http.ParseTime(oldDate); err == nil && modified.After(old.Add(time.Hour)) {
			with("older-date", field("If-Modified-Since", oldDate))
		}
		if tag != "" { // whoever knows tags goes by them alone (RFC 9110 §13.1.3)
			with("other-etag-and-own-date", field("If-None-Match", noTag), field("If-Modified-Since", date))
		}
	}
	size := len(usual.Response.Body)
	if size < 4 || !strings.EqualFold(strings.TrimSpace(header.Get("Accept-Ranges")), "bytes") && !slices.ContainsFunc(op.Responses, func(doc *contract.Response) bool { return doc.Key == "206" || doc.Key == "416" }) {
		return all
	}
	for _, v := range []struct{ label, bytes string }{
		{"first-bytes", "0-1"},
		{"bytes-inside", "1-2"},
		{"bytes-to-the-end", "1-"},
		{"last-bytes", "-2"},
		{"more-than-all-bytes", "0-999999999"},
		{"bytes-beyond", "999999999-"},
	} {
		with(v.label, field("Range", "bytes="+v.bytes))
	}
	if strings.HasPrefix(tag, `"`) {
		with("bytes-if-same", field("Range", "bytes=1-2"), field("If-Range", tag))
	}
	with("bytes-if-other", field("Range", "bytes=1-2"), field("If-Range", noTag))
	return all
}
