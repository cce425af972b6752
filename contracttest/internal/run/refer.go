package run

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// reference is a value that stands in the plan for what an answer of the target names.
type reference struct {
	name, in          string
	key               string // by what the plan knows its value
	planned           string // empty where the plan has the actual one
	actual            string
	from              world.Source
	request           *plan.Case // to whom the answer is given
	steps             []step     // that bring what the answer names into the state in which it may be referred to
	each              bool       // it is good for one request alone: each gets another
	ofAccount, proves bool       // it is what an account was made with, and its password
	beside            bool       // it is a cookie that comes with another reference, and that the plan does not have
}

// refer enters what an operation refers to beside its path, by making it or by asking for it. That
// the names mean what they look like is a guess until the operation has accepted them.
func (l *learner) refer(ctx context.Context, op *contract.Operation) {
	if l.referred[op] || l.r.opts.unsafe(op) {
		return
	}
	l.referred[op] = true // what it needs may need it
	st := l.r.states.of(op)
	l.alone[op] = map[*contract.Operation]*wire.Exchange{}
	for _, ref := range l.r.world.References(op) {
		if len(l.r.opts.knownOf(op)[ref.Name]) > 0 || l.ended(ctx) {
			continue
		}
		if known, ok := l.makeFor(ctx, op, ref); ok {
			st.references = append(st.references, known)
			l.learn(op, ref.Key, known.actual)
			l.doubt(op, ref.Key, true)
		}
	}
	if l.opened(op) && !strings.Contains(op.Path, "{") { // else nobody knows yet whose it is
		l.settle(ctx, op) // others may need it before all else is known
	}
}

// opened reports whether an operation refers to what a GET has answered with.
func (l *learner) opened(op *contract.Operation) bool {
	return slices.ContainsFunc(l.r.states.of(op).references, func(ref reference) bool { return world.Safe(ref.from.Operation.Method) })
}

// makeFor makes what a reference may name; not where nobody does.
func (l *learner) makeFor(ctx context.Context, op *contract.Operation, ref world.Reference) (reference, bool) {
	sources := ref.Sources
	if i := slices.IndexFunc(sources, func(s world.Source) bool { return s.Relation == world.SameName && l.alone[op][s.Operation] != nil }); i >= 0 {
		sources = sources[i : i+1] // the token or the cookie of another form is none
	}
	for _, s := range sources {
		if v := valueFor(ref, s.Values(l.answerFor(ctx, op, s))); v != "" {
			return reference{name: ref.Name, key: ref.Key, in: ref.In, actual: v, from: s, request: plan.Base(s.Operation, l.opts)}, true
		}
	}
	return reference{}, false
}

// valueFor is the first of some texts that a reference may be; empty where there is none.
func valueFor(ref world.Reference, texts []string) string {
	n := ref.Node
	if n.Items != nil {
		n = n.Items
	}
	for _, v := range texts {
		for _, typed := range (&value.Maker{Known: map[string][]string{n.Name: {v}}}).KnownFor(n) {
			if n.Validates(value.Plain(typed)) == nil {
				return v
			}
		}
	}
	return ""
}

// answerFor is the answer in which an operation finds what it refers to. That of a GET it has
// alone: another request may use it up, and what belongs together, as a token and its cookie, is
// of one answer. What a GET answers with each time is not the run's own, and only for what
// changes nothing.
func (l *learner) answerFor(ctx context.Context, op *contract.Operation, s world.Source) *wire.Exchange {
	shared := l.answer(ctx, s.Operation)
	if shared == nil || !world.Safe(s.Operation.Method) {
		return shared
	}
	if x, ok := l.alone[op][s.Operation]; ok {
		return x
	}
	if s.Relation == world.Named && !l.opensNew(ctx, s) {
		if world.Safe(op.Method) {
			return shared
		}
		return nil
	}
	x := l.again(ctx, s.Operation)
	l.alone[op][s.Operation] = x
	return x
}

// opensNew reports whether a GET answers with another identifier each time.
func (l *learner) opensNew(ctx context.Context, s world.Source) bool {
	if is, known := l.opening[s.Operation]; known {
		return is
	}
	one, other := s.Values(l.again(ctx, s.Operation)), s.Values(l.again(ctx, s.Operation))
	l.opening[s.Operation] = len(one) > 0 && len(other) > 0 && one[0] != other[0]
	return l.opening[s.Operation]
}

// maxAgain is how many answers are had in all for one operation alone, while learning.
const maxAgain = 256

// again sends a valid request once more; nil where the answer is no success.
func (l *learner) again(ctx context.Context, op *contract.Operation) *wire.Exchange {
	base := plan.Base(op, l.opts)
	if l.repeats++; base == nil || l.repeats > maxAgain || l.ended(ctx) {
		return nil
	}
	if x := l.r.send(ctx, base); accepted(op, x) {
		return x
	}
	return nil
}

// renew takes what an operation refers to from another answer of one of its sources.
func (l *learner) renew(ctx context.Context, op, source *contract.Operation) bool {
	refs := l.r.states.of(op).references
	x := l.again(ctx, source)
	if i := slices.IndexFunc(refs, func(ref reference) bool { return ref.from.Operation == source && !ref.beside }); x == nil || i >= 0 && !l.r.bring(ctx, refs[i], x) {
		return false
	}
	for i, ref := range refs {
		if ref.from.Operation != source {
			continue
		}
		v := ref.read(x)
		if v == "" {
			return false
		}
		if refs[i].actual = v; !ref.beside {
			l.learn(op, ref.key, v)
		}
	}
	l.alone[op][source] = x
	return true
}

// read takes the value of a reference from another answer; empty where it has none.
func (ref reference) read(x *wire.Exchange) string {
	if ref.beside {
		for _, c := range world.Cookies(x) {
			if c.Name == ref.name {
				return c.Value
			}
		}
		return ""
	}
	if found := ref.from.Values(x); len(found) > 0 {
		return found[0]
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
	st := l.r.states.of(op)
	st.references = slices.DeleteFunc(slices.Clone(st.references), func(ref reference) bool { return ref.key == name })
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
	st := l.r.states.of(op)
	refs := slices.Clone(st.references)
	if len(refs) == 0 || l.settled[op] || rank(op) == ending || l.ended(ctx) || l.r.selection.skips(op) || l.r.stopped(ctx, op) != "" {
		return
	}
	send := func() *wire.Exchange {
		base := plan.Base(op, l.opts)
		if base == nil {
			return nil
		}
		return l.r.send(ctx, base)
	}
	var last *wire.Exchange
	try := func() bool {
		last = send()
		return last != nil && accepted(op, last)
	}
	doubtAll := func(doubtful bool) {
		for _, ref := range refs {
			l.doubt(op, ref.key, doubtful)
		}
	}
	doubtAll(false)
	if l.settled[op] = try() || l.withOthers(ctx, op, try) || l.withCookies(op, try); l.settled[op] {
		l.usesUp(ctx, op, send)
		return
	}
	doubtAll(true)
	needed := map[string]bool{}
	if base := plan.Base(op, l.opts); base != nil {
		for _, ref := range l.r.refersTo(op) {
			needed[ref.Key] = slices.Contains(base.Unknown, ref.Node.Path) || ref.Node.Items != nil && slices.Contains(base.Unknown, ref.Node.Items.Path)
		}
	}
	if try() {
		for _, ref := range refs {
			if l.doubt(op, ref.key, false); !needed[ref.key] {
				l.forget(op, ref.key)
			}
		}
		l.settled[op] = true
		l.usesUp(ctx, op, send)
		return
	}
	before, refused := l.opts.Learned[op], last
	for _, ref := range refs {
		l.forget(op, ref.key)
	}
	if try() {
		return
	}
	l.opts.Learned[op], st.references = before, refs
	doubtAll(false)
	if wrongState(refused) && l.inState(ctx, op, try) {
		l.settled[op] = true
		l.usesUp(ctx, op, send)
		return
	}
	doubtAll(true)
}

// withOthers tries an operation with other values, where requests of another one were accepted
// with those that it has, and may have used them up.
func (l *learner) withOthers(ctx context.Context, op *contract.Operation, try func() bool) bool {
	found := false
	for _, source := range l.sources(op, func(ref reference) bool { return l.used[ref.actual] }) {
		found = l.renew(ctx, op, source) || found
	}
	return found && try()
}

// withCookies tries an operation with the cookies that came with what it refers to, as a
// browser would send them.
func (l *learner) withCookies(op *contract.Operation, try func() bool) bool {
	st := l.r.states.of(op)
	before := slices.Clone(st.references)
	for _, source := range l.sources(op, nil) {
		for _, c := range world.Cookies(l.alone[op][source]) {
			if !slices.ContainsFunc(st.references, func(ref reference) bool { return ref.in == openapi3.ParameterInCookie && ref.name == c.Name }) {
				of := before[slices.IndexFunc(before, func(ref reference) bool { return ref.from.Operation == source })]
				st.references = append(st.references, reference{name: c.Name, in: openapi3.ParameterInCookie, actual: c.Value, from: of.from, request: of.request, beside: true})
			}
		}
	}
	if len(st.references) == len(before) {
		return false
	}
	if try() {
		return true
	}
	st.references = before
	return false
}

// sources lists the operations whose answers name some of what an operation refers to.
func (l *learner) sources(op *contract.Operation, wanted func(reference) bool) []*contract.Operation {
	var all []*contract.Operation
	for _, ref := range l.r.states.of(op).references {
		if (wanted == nil || wanted(ref)) && !slices.Contains(all, ref.from.Operation) {
			all = append(all, ref.from.Operation)
		}
	}
	return all
}

// usesUp finds out which values are good for one request of an operation alone: the same request
// is refused the second time, and accepted with another value.
func (l *learner) usesUp(ctx context.Context, op *contract.Operation, send func() *wire.Exchange) {
	st := l.r.states.of(op)
	if !world.Safe(op.Method) {
		for _, ref := range st.references {
			l.used[ref.actual] = true
		}
	}
	if x := send(); x == nil || x.Response == nil || accepted(op, x) || !stateful(x.Response.Status) {
		return
	}
	var renewed []*contract.Operation
	for _, source := range l.sources(op, nil) {
		if !l.renew(ctx, op, source) {
			continue
		}
		renewed = append(renewed, source)
		if x := send(); x == nil || !accepted(op, x) {
			continue
		}
		for i, ref := range st.references {
			st.references[i].each = slices.Contains(renewed, ref.from.Operation)
		}
		return
	}
}

// filter enters what the items of a list have for its filters. A request that has one may find
// nothing all the same, and is judged as one with a value that is made up.
func (l *learner) filter(ctx context.Context, op *contract.Operation) {
	st := l.r.states.of(op)
	filters := slices.DeleteFunc(l.r.world.Filters(op), func(ref world.Reference) bool {
		return len(l.r.opts.knownOf(op)[ref.Name]) > 0 || len(l.opts.Learned[op][ref.Name]) > 0
	})
	if len(filters) == 0 || l.ended(ctx) || l.r.selection.skips(op) || l.r.stopped(ctx, op) != "" || len(l.lacking(op, false)) > 0 {
		return
	}
	x := l.again(ctx, op)
	for _, ref := range filters {
		if v := valueFor(ref, ref.Sources[0].Values(x)); v != "" {
			st.references = append(st.references, reference{name: ref.Name, key: ref.Key, in: ref.In, actual: v, from: ref.Sources[0]})
			l.learn(op, ref.Key, v)
			l.doubt(op, ref.Key, true)
		}
	}
}

// referTo plans with other values in the place of what was made, as standIn does.
func (l *learner) referTo() {
	for _, st := range l.r.states {
		if len(st.references) == 0 {
			continue
		}
		nodes := map[string]*contract.Node{}
		for _, ref := range slices.Concat(l.r.refersTo(st.op), l.r.world.Filters(st.op)) {
			if nodes[ref.Key] = ref.Node; ref.Node.Items != nil {
				nodes[ref.Key] = ref.Node.Items
			}
		}
		for i, ref := range st.references {
			if ref.beside {
				continue
			}
			n, m := nodes[ref.key], &value.Maker{}
			g, err := m.Good(n)
			if err != nil {
				continue
			}
			if v, ok := value.Other(n, g.V); ok {
				st.references[i].planned = apartFrom(st.references[:i], ref.name, n, m, v)
				l.learn(st.op, ref.key, st.references[i].planned)
			}
		}
	}
}

// apartFrom is a text for what a plan has of a reference that no other of the same name has: the
// two are told from each other by that.
func apartFrom(others []reference, name string, n *contract.Node, m *value.Maker, v any) string {
	text := codec.WriteText(value.Plain(v))
	for i := 1; i <= len(others)+1 && slices.ContainsFunc(others, func(other reference) bool { return other.name == name && other.planned == text }); i++ {
		text = codec.WriteText(value.Plain(m.Distinct(n, v, i)))
	}
	return text
}

// refersTo reports whether requests refer to a resource.
func (s *state) refersTo(res *world.Resource) bool {
	return slices.ContainsFunc(s.references, func(ref reference) bool {
		return slices.Contains(slices.Collect(maps.Values(res.Values)), ref.actual)
	})
}

// errUsedUp is why a request is not sent whose value is good for one request alone.
var errUsedUp = errors.New("the value it refers to is good for one request, and no other is available")

// deep is the key of a context in which something is made for a request.
type deep struct{}

// maxDeep is how many operations make something for each other.
const maxDeep = 4

// exchangeOf sends the request of a case with what the run knows in the place of what the plan
// refers to.
func (r *runner) exchangeOf(ctx context.Context, c *plan.Case, req *wire.Request, do way) *wire.Exchange {
	end := r.beginMaking()
	defer end()
	sent, err := r.refers(ctx, c, req, nil)
	if err != nil {
		return &wire.Exchange{Request: req, Err: err}
	}
	return r.exchange(ctx, c.Op, sent, do)
}

// refers puts what the run knows in the place of what the plan refers to: what is good for one
// request alone it has for this one. Texts that are chosen stay, by their names.
func (r *runner) refers(ctx context.Context, c *plan.Case, req *wire.Request, chosen map[string]string) (*wire.Request, error) {
	refs := r.states.of(c.Op).references
	if len(refs) == 0 {
		return req, nil
	}
	var failed error
	wrong := hasWrongPassword(req, refs)
	answers := map[*contract.Operation]*wire.Exchange{}
	now := func(ref reference) string {
		x, asked := answers[ref.from.Operation]
		if !asked {
			x = r.newFor(ctx, ref)
			answers[ref.from.Operation] = x
		}
		v := ref.read(x)
		if v == "" {
			failed = errUsedUp
		}
		return v
	}
	actual := func(name, v string, in ...string) (string, bool) {
		named := func(ref reference) bool { return !ref.beside && slices.Contains(in, ref.in) && ref.name == name }
		i := slices.IndexFunc(refs, func(ref reference) bool { return named(ref) && ref.planned != "" && ref.planned == v })
		if i < 0 {
			i = slices.IndexFunc(refs, func(ref reference) bool { return named(ref) && ref.actual == v })
		}
		if i < 0 {
			return "", false
		}
		ref := refs[i]
		if wrong {
			return cmp.Or(ref.read(r.decoyFor(ctx, c.Op, ref)), ref.actual), true
		}
		if (ref.each || r.states.of(c.Op).apart.Load() && !world.Safe(ref.from.Operation.Method)) && c.Expect != plan.RefuseMethod && c.Expect != plan.RefusePath { // these are refused whatever they have
			return now(ref), true
		}
		return ref.actual, true
	}
	ofMessage := func(s scalar) (string, bool) {
		if v, stays := chosen[s.name]; stays && v == s.value {
			return "", false
		}
		return actual(s.name, s.value, "", openapi3.ParameterInQuery)
	}
	sent := req.Clone()
	if path, query, ok := strings.Cut(sent.Target, "?"); ok {
		sent.Target = path + "?" + string(inTexts([]byte(query), fields([]byte(query)), ofMessage))
	}
	switch kind, params, _ := mime.ParseMediaType(req.Get("Content-Type")); {
	case kind == "application/x-www-form-urlencoded":
		sent.Body = inTexts(req.Body, fields(req.Body), ofMessage)
	case kind == "multipart/form-data":
		sent.Body = inTexts(req.Body, parts(req.Body, params["boundary"]), ofMessage)
	case len(req.Body) > 0:
		sent.Body = inJSON(req.Body, ofMessage)
	}
	for i, f := range sent.Header {
		if strings.EqualFold(f.Name, "Cookie") {
			sent.Header[i].Value = inCookies(f.Value, func(name, v string) (string, bool) { return actual(name, v, openapi3.ParameterInCookie) })
			continue
		}
		for _, ref := range refs {
			if !strings.EqualFold(ref.name, f.Name) {
				continue
			}
			if v, ok := actual(ref.name, f.Value, openapi3.ParameterInHeader); ok {
				sent.Header[i].Value = v
			}
		}
	}
	for _, ref := range refs {
		if !ref.beside || c.Credential || c.Expect == plan.RefuseCredential || req.Method != c.Op.Method {
			continue // it may let its bearer in
		}
		v := ref.actual
		if answers[ref.from.Operation] != nil {
			v = now(ref)
		}
		withCookie(sent, ref.name, v)
	}
	return sent, failed
}

// newFor asks for another answer that names what a reference is to; nil where there is none.
func (r *runner) newFor(ctx context.Context, ref reference) *wire.Exchange {
	level, _ := ctx.Value(deep{}).(int)
	if level == maxDeep || ref.request == nil || r.stopped(ctx, ref.from.Operation) != "" {
		return nil
	}
	ctx = context.WithValue(ctx, deep{}, level+1)
	if x := r.send(ctx, ref.request); accepted(ref.from.Operation, x) && r.bring(ctx, ref, x) {
		return x
	}
	return nil
}

// inCookies replaces values in a line of cookies.
func inCookies(line string, actual func(name, v string) (string, bool)) string {
	pairs := strings.Split(line, ";")
	for i, pair := range pairs {
		name, v, _ := strings.Cut(pair, "=")
		if other, ok := actual(strings.TrimSpace(name), v); ok {
			pairs[i] = name + "=" + other
		}
	}
	return strings.Join(pairs, ";")
}

// withCookie adds a cookie, unless the request has one of its name.
func withCookie(req *wire.Request, name, v string) {
	line := req.Get("Cookie")
	there := false
	inCookies(line, func(other, _ string) (string, bool) { there = there || other == name; return "", false })
	switch {
	case there:
	case line == "": // there is one line of them (RFC 6265 §5.4)
		req.Set("Cookie", name+"="+v)
	default:
		req.Set("Cookie", line+"; "+name+"="+v)
	}
}

// inTexts replaces some of the texts in a body or a query.
func inTexts(body []byte, texts []scalar, actual func(scalar) (string, bool)) []byte {
	var out []byte
	last := 0
	for _, s := range texts {
		v, ok := actual(s)
		if !ok {
			continue
		}
		text, err := s.write(v)
		if err != nil {
			continue
		}
		out = append(append(out, body[last:s.start]...), text...)
		last = s.end
	}
	if last == 0 {
		return body
	}
	return append(out, body[last:]...)
}

// inJSON replaces values of properties, and items of those that are lists. What is spelt
// with escapes stays so.
func inJSON(body []byte, actual func(scalar) (string, bool)) []byte {
	all := scalars(body)
	for i, s := range all {
		switch raw := body[s.start:s.end]; {
		case !s.text:
			all[i].write = func(v string) (string, error) { return v, nil }
		case bytes.ContainsRune(raw, '\\'):
			all[i].write = func(v string) (string, error) { return escaped(v), nil }
		}
	}
	return inTexts(body, all, actual)
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
