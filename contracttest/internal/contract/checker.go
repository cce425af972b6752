package contract

import (
	"hash/maphash"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Checker judges requests for one operation that have most of their parts in
// common, as the cases of a plan do: a part that was judged before is not judged
// again. It is not safe for concurrent use.
type Checker struct {
	op     *Operation
	params []map[string][]Violation // by what the parameter is read from
	seeds  [2]maphash.Seed
	bodies map[fingerprint][]Violation
}

// NewChecker returns a checker for requests to the operation.
func (op *Operation) NewChecker() *Checker {
	return &Checker{
		op: op, params: make([]map[string][]Violation, len(op.Params)),
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, bodies: map[fingerprint][]Violation{},
	}
}

// maxRemembered is how many values of a parameter are remembered.
const maxRemembered = 64

// maxJudged is how many bodies are remembered. The same ones come again and again: most
// cases have that of the base, and what breaks one of many branches is tried in each.
const maxJudged = 1 << 15

// fingerprint stands for a body and all that its judgement depends on.
type fingerprint [2]uint64

// CheckRequest returns the clauses of the operation that a request breaks. The
// target is taken under the base path of the document's server, or without it.
// What a text stands for is read as strictly as OpenAPI has it.
func (op *Operation) CheckRequest(r *wire.Request) []Violation {
	return op.check(r, nil)
}

// CheckRequest returns the clauses of the operation that a request breaks.
func (k *Checker) CheckRequest(r *wire.Request) []Violation { return k.op.check(r, k) }

// check judges a request; k may be nil.
func (op *Operation) check(r *wire.Request, k *Checker) []Violation {
	if r.Method != op.Method {
		return []Violation{{Clause: op.MethodClause, Message: "the method is " + r.Method}}
	}
	values, found := op.values(r)
	if !found {
		return []Violation{{Clause: op.PathClause, Message: "the path is " + r.Path()}}
	}
	if !wire.WellEscaped(r.Path()) {
		return []Violation{{Clause: op.PathClause, Message: "the path has a percent sign that begins no escape"}}
	}
	m := take(r, values)
	if k != nil {
		m.pairs = pairsByName(r.RawQuery())
	}
	var broken []Violation
	if !wire.WellEscaped(r.RawQuery()) {
		broken = append(broken, Violation{Clause: op.PathClause, Message: "the query has a percent sign that begins no escape", Leave: leaveEscape})
	}
	for i, p := range op.Params {
		broken = append(broken, k.param(i, p, m, func() []Violation { return op.checkParam(p, m) })...)
	}
	return append(broken, k.body(r, func() []Violation { return op.checkBody(r) })...)
}

// values are those of the path's parameters.
func (op *Operation) values(r *wire.Request) (values map[string]string, found bool) {
	if _, may := op.lacks(r.RawQuery()); !may {
		return nil, false
	}
	for _, p := range op.Contract.underBase(r.Path()) {
		if values, found = op.Match(p.path); found && p.has(op) {
			return values, true
		}
	}
	return nil, false
}

func (k *Checker) param(i int, p *Param, m *taken, check func() []Violation) []Violation {
	if k == nil {
		return check()
	}
	source := p.source(m)
	if broken, ok := k.params[i][source]; ok {
		return broken
	}
	broken := check()
	if k.params[i] == nil {
		k.params[i] = map[string][]Violation{}
	}
	if len(k.params[i]) < maxRemembered {
		k.params[i][source] = broken
	}
	return broken
}

func take(r *wire.Request, path map[string]string) *taken {
	return &taken{r: r, Message: codec.Message{Path: path, Query: wire.Params(r.RawQuery()), Raw: r.RawQuery(), Cookies: wire.Cookies(r), Header: r.Values}}
}

// taken is a request, taken apart once for all its parameters.
type taken struct {
	codec.Message
	r     *wire.Request
	pairs map[string]string // of the query, for a checker; nil where a name is written in several ways
}

// source is the part of a request that a parameter is read from.
func (p *Param) source(m *taken) string {
	r := m.r
	switch p.Spec.In {
	case openapi3.ParameterInPath:
		return m.Path[p.Spec.Name]
	case openapi3.ParameterInHeader:
		return strings.Join(presentValues(r, p.Spec.Name), "\n")
	case openapi3.ParameterInCookie:
		return strings.Join(presentValues(r, "Cookie"), "\n")
	}
	if p.Spec.In == codec.Querystring || p.Node.Allows("object") { // whose members may be parameters of any name
		return r.RawQuery()
	}
	if m.pairs != nil {
		return m.pairs[p.Spec.Name]
	}
	var own []string
	for pair := range strings.SplitSeq(r.RawQuery(), "&") {
		key, _, _ := strings.Cut(pair, "=")
		if key == p.Spec.Name || strings.ContainsAny(key, "%+[") {
			own = append(own, pair)
		}
	}
	return strings.Join(own, "&")
}

// pairsByName returns the pairs of a query by their names as they are written;
// nil where a name may stand for another. A request may have hundreds, and is
// taken apart for each of its parameters.
func pairsByName(query string) map[string]string {
	all := map[string]string{}
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if strings.ContainsAny(key, "%+[") {
			return nil
		}
		if before, ok := all[key]; ok {
			pair = before + "&" + pair
		}
		all[key] = pair
	}
	return all
}

// presentValues tells a header that is empty from one that is not there.
func presentValues(r *wire.Request, name string) []string {
	values := r.Values(name)
	return append(values, "")[:max(0, len(values)+min(1, len(values)))]
}

func (k *Checker) body(r *wire.Request, check func() []Violation) []Violation {
	if k == nil || k.op.Body == nil {
		return check()
	}
	key := k.fingerprint(r)
	broken, known := k.bodies[key]
	if known {
		return broken
	}
	broken = check()
	if len(k.bodies) >= maxJudged {
		clear(k.bodies)
	}
	k.bodies[key] = broken
	return broken
}

// fingerprint is that of a request's body: its bytes, and the header fields about them.
func (k *Checker) fingerprint(r *wire.Request) (key fingerprint) {
	for i, seed := range k.seeds {
		var h maphash.Hash
		h.SetSeed(seed)
		for _, f := range r.Header {
			if len(f.Name) > 8 && strings.EqualFold(f.Name[:8], "content-") {
				_, _ = h.WriteString(f.Name + ":" + f.Value + "\n") // a hash takes all that is written
			}
		}
		if r.Body != nil {
			_ = h.WriteByte('\n')
		}
		_, _ = h.Write(r.Body)
		key[i] = h.Sum64()
	}
	return key
}
