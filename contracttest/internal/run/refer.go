package run

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// reference is a value that stands in the plan for what the run has made on the target.
type reference struct{ name, planned, actual string }

// refer enters what the body and the query of an operation refer to, by making it. That
// the names mean what they look like is a guess until the operation has accepted them.
func (l *learner) refer(ctx context.Context, op *contract.Operation) {
	if _, done := l.references[op]; done {
		return
	}
	l.references[op] = nil // what it needs may need it
	for _, ref := range l.r.world.References(op) {
		if len(l.r.opts.knownOf(op)[ref.Name]) > 0 || l.ended(ctx) {
			continue
		}
		if v := l.makeFor(ctx, ref); v != "" {
			l.references[op] = append(l.references[op], reference{name: ref.Name, actual: v})
			l.learn(op, ref.Name, v)
			l.doubt(op, ref.Name, true)
		}
	}
}

// makeFor makes what a reference may name, and returns its value; empty where nobody does.
func (l *learner) makeFor(ctx context.Context, ref world.Reference) string {
	n := ref.Node
	if n.Items != nil {
		n = n.Items
	}
	for _, s := range ref.Sources {
		for _, v := range s.Values(l.answer(ctx, s.Operation)) {
			for _, typed := range (&value.Maker{Known: map[string][]string{n.Name: {v}}}).KnownFor(n) {
				if n.Validates(value.Plain(typed)) == nil {
					return v
				}
			}
		}
	}
	return ""
}

func (l *learner) learn(op *contract.Operation, name, v string) {
	with := maps.Clone(l.opts.Learned[op])
	if with == nil {
		with = map[string][]string{}
	}
	with[name] = []string{v}
	l.opts.Learned[op] = with
}

func (l *learner) forget(op *contract.Operation, name string) {
	l.opts.Learned[op] = maps.Clone(l.opts.Learned[op])
	delete(l.opts.Learned[op], name)
	l.doubt(op, name, false)
	l.references[op] = slices.DeleteFunc(l.references[op], func(ref reference) bool { return ref.name == name })
}

func (l *learner) doubt(op *contract.Operation, name string, doubtful bool) {
	names := maps.Clone(l.opts.Doubtful[op])
	if names == nil {
		names = map[string]bool{}
	}
	names[name] = doubtful
	l.opts.Doubtful[op] = names
}

// settle tries the references of an operation: all of them, then those alone that it needs.
// Where it accepts its request without them, they are none; where it accepts it in no
// way, they stay in doubt, so that nobody is blamed for refusing them.
func (l *learner) settle(ctx context.Context, op *contract.Operation) {
	refs := slices.Clone(l.references[op])
	if len(refs) == 0 || rank(op) == ending || l.ended(ctx) || l.r.selection.skips(op) || l.r.stopped(ctx, op) != "" {
		return
	}
	try := func() bool {
		base := plan.Base(op, l.opts)
		return base != nil && accepted(op, l.r.send(ctx, base))
	}
	doubtAll := func(doubtful bool) {
		for _, ref := range refs {
			l.doubt(op, ref.name, doubtful)
		}
	}
	doubtAll(false)
	if try() {
		return
	}
	doubtAll(true)
	needed := map[string]bool{}
	if base := plan.Base(op, l.opts); base != nil {
		for _, ref := range l.r.world.References(op) {
			needed[ref.Name] = slices.Contains(base.Unknown, ref.Node.Path) || ref.Node.Items != nil && slices.Contains(base.Unknown, ref.Node.Items.Path)
		}
	}
	if try() {
		for _, ref := range refs {
			if l.doubt(op, ref.name, false); !needed[ref.name] {
				l.forget(op, ref.name)
			}
		}
		return
	}
	before := l.opts.Learned[op]
	for _, ref := range refs {
		l.forget(op, ref.name)
	}
	if !try() {
		l.opts.Learned[op], l.references[op] = before, refs
		doubtAll(true)
	}
}

// referTo plans with other values in the place of what was made, as standIn does.
func (l *learner) referTo() {
	for op, refs := range l.references {
		nodes := map[string]*contract.Node{}
		for _, ref := range l.r.world.References(op) {
			if nodes[ref.Name] = ref.Node; ref.Node.Items != nil {
				nodes[ref.Name] = ref.Node.Items
			}
		}
		st := l.r.states.of(op)
		for _, ref := range refs {
			g, err := (&value.Maker{}).Good(nodes[ref.name])
			if err != nil {
				continue
			}
			v, ok := value.Other(nodes[ref.name], g.V)
			if !ok {
				continue
			}
			ref.planned = codec.WriteText(value.Plain(v))
			st.references = append(st.references, ref)
			l.learn(op, ref.name, ref.planned)
		}
	}
}

// refersTo reports whether requests refer to a resource.
func (s *state) refersTo(res *world.Resource) bool {
	return slices.ContainsFunc(s.references, func(ref reference) bool {
		return slices.Contains(slices.Collect(maps.Values(res.Values)), ref.actual)
	})
}

// refers puts what the run has made in the place of what the plan refers to.
func (s *state) refers(req *wire.Request) *wire.Request {
	if len(s.references) == 0 {
		return req
	}
	actual := func(name, v string) (string, bool) {
		for _, ref := range s.references {
			if ref.name == name && ref.planned == v {
				return ref.actual, true
			}
		}
		return "", false
	}
	sent := req.Clone()
	if path, query, ok := strings.Cut(sent.Target, "?"); ok {
		sent.Target = path + "?" + inPairs(query, actual)
	}
	switch kind, _, _ := strings.Cut(req.Get("Content-Type"), ";"); {
	case strings.EqualFold(strings.TrimSpace(kind), "application/x-www-form-urlencoded"):
		sent.Body = []byte(inPairs(string(req.Body), actual))
	case len(req.Body) > 0:
		sent.Body = inJSON(req.Body, actual)
	}
	return sent
}

// inPairs replaces values in a query or a form.
func inPairs(text string, actual func(name, v string) (string, bool)) string {
	pairs := strings.Split(text, "&")
	for i, pair := range pairs {
		name, v, _ := strings.Cut(pair, "=")
		plainName, err1 := url.QueryUnescape(name)
		plain, err2 := url.QueryUnescape(v)
		if err1 != nil || err2 != nil {
			continue
		}
		if other, ok := actual(plainName, plain); ok {
			pairs[i] = name + "=" + url.QueryEscape(other)
		}
	}
	return strings.Join(pairs, "&")
}

// inJSON replaces values of properties, and items of those that are lists. What is spelt
// with escapes stays so.
func inJSON(body []byte, actual func(name, v string) (string, bool)) []byte {
	var out []byte
	last := 0
	for _, s := range scalars(body) {
		v, ok := actual(s.name, s.value)
		if !ok {
			continue
		}
		raw := body[s.start:s.end]
		if raw[0] == '"' {
			text, err := encoded(v)
			if err != nil {
				continue
			}
			if bytes.ContainsRune(raw, '\\') {
				text = escaped(v)
			}
			v = text
		}
		out = append(append(out, body[last:s.start]...), v...)
		last = s.end
	}
	if last == 0 {
		return body
	}
	return append(out, body[last:]...)
}

// escaped spells a text in escapes alone.
func escaped(v string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, unit := range utf16.Encode([]rune(v)) {
		fmt.Fprintf(&b, `\u%04x`, unit)
	}
	b.WriteByte('"')
	return b.String()
}
