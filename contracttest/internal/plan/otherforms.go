package plan

import (
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// mode is another valid request than the base, in which a fault of the base is
// to be found as well.
type mode struct {
	label  string
	base   draft
	vary   func(*wire.Request)
	params bool // faults of the body say nothing in it
	body   bool // faults of parameters say nothing in it
	once   bool // one fault is enough in it
}

const leaveLarge = "RFC 9110 §15.5.14: a server may refuse content that is larger than it is willing to take"

// maxPairs bounds the optional parts of which every two are sent and left out
// together.
const maxPairs = 6

// modes lists the other valid requests.
func (pl *planner) modes() []mode {
	all := []mode{
		{label: "with-query", base: pl.base, vary: func(r *wire.Request) { addQuery(r, "x-unknown-parameter=a") }},
		{label: "with-accept-html", base: pl.base, once: true, vary: func(r *wire.Request) { r.Set("Accept", "text/html") }},
		{label: "with-accept-xml", base: pl.base, once: true, vary: func(r *wire.Request) { r.Set("Accept", "application/xml") }},
	}
	if d := pl.full(); len(d.params) > len(pl.base.params) {
		all = append(all, mode{label: "with-all-parameters", base: d})
	}
	if d, ok := pl.lastKnown(); ok {
		all = append(all, mode{label: "with-last-values", base: d})
	}
	if pl.base.media != nil {
		all = append(all, mode{label: "chunked", base: pl.base, vary: func(r *wire.Request) { r.Chunked = true }})
		if !pl.op.Body.Spec.Required {
			all = append(all, mode{label: "without-body", base: pl.base.withoutBody(), params: true})
		}
		if large, ok := pl.large(); ok {
			all = append(all, mode{label: "in-large-body", base: large, body: true, once: true})
		}
	}
	return slices.DeleteFunc(all, func(m mode) bool { return !pl.valid(m) })
}

func addQuery(r *wire.Request, pair string) {
	sep := "?"
	if strings.Contains(r.Target, "?") {
		sep = "&"
	}
	r.Target += sep + pair
}

func (pl *planner) valid(m mode) bool {
	r, err := m.base.request()
	if err != nil {
		return false
	}
	if m.vary != nil {
		m.vary(r)
	}
	return len(pl.checker.CheckRequest(pl.asDocumented(r))) == 0
}

// full is the base with every optional parameter.
func (pl *planner) full() draft {
	d := pl.base
	for _, p := range pl.op.Params {
		if _, ok := d.params[p]; ok {
			continue
		}
		if g, err := pl.goodParam(p); err == nil {
			d = d.withParam(p, g)
		}
	}
	return d
}

// lastKnown is the base with the last known value of each parameter.
func (pl *planner) lastKnown() (draft, bool) {
	d, changed := pl.base, false
	for _, p := range pl.op.Params {
		known := pl.maker.KnownFor(p.Node)
		if len(known) > 1 && p.Node.Validates(known[len(known)-1]) == nil {
			d, changed = d.withParam(p, value.Good{V: known[len(known)-1]}), true
		}
	}
	return d, changed
}

// large is the base with long properties that the document does not name.
func (pl *planner) large() (draft, bool) {
	members, ok := pl.base.body.V.(map[string]any)
	if !ok || !isJSON(pl.base.media) {
		return draft{}, false
	}
	members = clone(members)
	members[strayName], members[strayName+"-2"] = value.Letters(longValue), value.Letters(longValue)
	return pl.base.withBody(pl.base.media, value.Good{V: members, Unknown: pl.base.body.Unknown}), true
}

// inOtherForms repeats the foremost fault of each clause in the other valid
// requests: what is checked in one may go unchecked in another.
func (pl *planner) inOtherForms() {
	if pl.opts.Thin {
		return
	}
	modes := pl.modes()
	if len(modes) == 0 {
		return
	}
	done := map[string]bool{}
	for _, ch := range pl.foremostFaults() {
		for _, m := range modes {
			if m.params && ch.touches == nil || m.body && ch.touches != nil || m.once && done[m.label] {
				continue
			}
			d, err := ch.apply(pl.maker, m.base)
			if err != nil {
				continue
			}
			if pl.repeat(ch, m.label, d, m.vary) {
				done[m.label] = true
			}
		}
	}
	pl.labelInOtherForms(modes)
	pl.pairs()
}

// foremostFaults returns one change for each clause that is broken near the
// surface of a message.
func (pl *planner) foremostFaults() []change {
	byClause := map[*contract.Clause]change{}
	var order []*contract.Clause
	for _, ch := range pl.breaks {
		if depth(ch.node) > maxFaultDepth {
			continue
		}
		before, ok := byClause[ch.clause]
		if !ok {
			order = append(order, ch.clause)
		}
		if !ok || slices.Contains(foremostLabels, ch.label) && !slices.Contains(foremostLabels, before.label) {
			byClause[ch.clause] = ch
		}
	}
	all := make([]change, len(order))
	for i, c := range order {
		all[i] = byClause[c]
	}
	return all
}

// maxFaultDepth is how deep inside a message faults are repeated.
const maxFaultDepth = 3

var foremostLabels = slices.Concat(wrongTypes, wrongShapes)

func depth(n *contract.Node) int {
	d := 0
	for ; n.Parent != nil; n = n.Parent {
		d++
	}
	return d
}

// labelInOtherForms repeats a wrong Content-Type and bytes that are no JSON.
func (pl *planner) labelInOtherForms(modes []mode) {
	if pl.base.media == nil {
		return
	}
	for _, m := range modes {
		if m.label == "in-large-body" {
			c := pl.message("large-body", leaveLarge)
			if pl.confirmed(c, m.base) {
				pl.add(c)
			}
		}
	}
	if isJSON(pl.base.media) {
		pl.authorizedFault()
	}
	bodies := modes
	if few := pl.fewest(pl.base); few != "" && isJSON(pl.base.media) {
		bodies = append(slices.Clone(modes), mode{label: "of-least-object", base: pl.base, vary: func(r *wire.Request) { r.Body = []byte(few) }})
	}
	for _, m := range bodies {
		if m.params {
			continue
		}
		pl.raw(pl.op.Body.MediaType, "text-"+m.label, Refuse, "", m.base, func(r *wire.Request) {
			if m.vary != nil {
				m.vary(r)
			}
			r.Set("Content-Type", "text/plain")
		})
		if isJSON(pl.base.media) {
			pl.raw(pl.base.media.Syntax, "not-json-"+m.label, Refuse, "", m.base, func(r *wire.Request) {
				if m.vary != nil {
					m.vary(r)
				}
				r.Body = []byte("not json")
			})
		}
	}
}

// authorizedFault sends a fault with a credential where none is asked for: an
// error is where a credential is shown.
func (pl *planner) authorizedFault() {
	r := pl.first.Request.Clone()
	if pl.op.AuthClause != nil || r.Get("Authorization") != "" {
		return
	}
	r.Set("Authorization", "Bearer made-up-credential-9b1d4c")
	r.Body = []byte("not json")
	c := pl.newCase(Clauses, pl.base.media.Syntax, "not-json-with-authorization", Refuse)
	c.Request, c.Credential, c.Own = r, true, []string{"authorization"}
	pl.sent(c)
}

// pairs leaves out, and sends, every two optional parts of a request together.
func (pl *planner) pairs() {
	type part struct {
		name     string
		param    *contract.Param // nil: the body
		with     func(draft) draft
		without  func(draft) draft
		presence *contract.Clause
	}
	var parts []part
	for _, p := range pl.op.Params {
		g, err := pl.goodParam(p)
		if p.Spec.Required || err != nil || len(parts) == maxPairs || saysVersion(p, pl.op) {
			continue
		}
		parts = append(parts, part{
			name: p.Spec.Name, param: p, presence: p.Presence,
			with:    func(d draft) draft { return d.withParam(p, g) },
			without: func(d draft) draft { return d.withParam(p, value.Good{V: value.Absent{}}) },
		})
	}
	if b := pl.op.Body; b != nil && !b.Spec.Required && pl.base.media != nil {
		media, body := pl.base.media, pl.base.body
		parts = append(parts, part{
			name: "body", presence: b.Presence,
			with:    func(d draft) draft { return d.withBody(media, body) },
			without: func(d draft) draft { return d.withoutBody() },
		})
	}
	for i, a := range parts {
		for _, b := range parts[i+1:] {
			for _, v := range []struct {
				label  string
				change func(draft) draft
				other  draft
			}{
				{"absent-without-" + b.name, a.without, b.without(pl.base)},
				{"absent-with-" + b.name, a.without, b.with(pl.base)},
				{"present-without-" + b.name, a.with, b.without(pl.base)},
				{"present-with-" + b.name, a.with, b.with(pl.base)},
			} {
				c := pl.newCase(Clauses, a.presence, v.label, Accept)
				c.Without = []func() *wire.Request{v.other.written()}
				pl.own(c, a.param)
				pl.own(c, b.param)
				if pl.confirmed(c, v.change(v.other)) {
					pl.add(c)
				}
			}
		}
	}
}
