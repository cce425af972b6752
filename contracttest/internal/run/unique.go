package run

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/refusal"
	"github.com/dataarts-go/factory/contracttest/internal/unique"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
	"github.com/dataarts-go/factory/contracttest/report"
)

// uniqueNames are those of properties of which there is often one alone with a
// value.
var uniqueNames = []string{
	"email", "emailaddress", "mail", "username", "login", "handle", "nickname", "name", "displayname", "slug", "code", "key", "title", "label", "alias",
	"sku", "domain", "hostname", "externalid", "reference",
}

// uniques are the texts in the bodies of an operation that have to be new in each
// request: those whose names say so and, once a 409 has taught it, the others.
type uniques struct {
	token *unique.Token
	nodes map[string][]*contract.Node // that a property of a name may be

	taught atomic.Bool  // all have to be new: a documented 409 was the answer, or they show what is new
	good   atomic.Bool  // a request with new texts was accepted
	alike  atomic.Bool  // only those that have the form of the planned ones are
	off    atomic.Bool  // it is refused for them
	vain   atomic.Int32 // refused with new texts and without
	base   atomic.Pointer[map[string]string]
	// mark is a property that chains give another text each time, where nothing else would tell
	// one resource from another.
	mark string
}

// newUniques returns the unique texts of an operation; nil where it creates and
// changes nothing, not even an account, or has no body with texts.
func newUniques(w *world.World, op *contract.Operation, t *unique.Token) *uniques {
	changes := op.Method == http.MethodPut || op.Method == http.MethodPatch
	if op.Body == nil || !w.Creates(op) && !w.SignsUp(op) && (!changes || w.Consumed(op.Method, op) == nil) {
		return nil
	}
	u := &uniques{token: t, nodes: map[string][]*contract.Node{}}
	for _, m := range op.Body.Media {
		if m.Form != codec.JSON && m.Form != codec.URLEncoded && m.Form != codec.Multipart {
			continue
		}
		m.Node.Walk(func(n *contract.Node) {
			if n.PropName != "" && n.Allows("string") {
				u.nodes[n.PropName] = append(u.nodes[n.PropName], n)
			}
		})
	}
	if len(u.nodes) == 0 {
		return nil
	}
	u.taught.Store(w.MayFind(op))
	return u
}

// wanted reports whether a property has to have a new value.
func (u *uniques) wanted(name string) bool {
	return len(u.nodes[name]) > 0 && (u.taught.Load() || name == u.mark || slices.Contains(uniqueNames, strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))))
}

// How often a request is sent with other texts that is refused for those it has,
// and how often one without new texts is tried that was never accepted with them.
const (
	maxOthers409 = 3
	maxShort409  = 12 // where there are few others, as of one letter
	maxWithout   = 6
)

// anew sends a request with unique texts of its own, where there is room for what it makes. It
// returns the exchange with the request as reports show it.
func (r *runner) anew(ctx context.Context, c *plan.Case, req *wire.Request, send func(*wire.Request) *wire.Exchange) *wire.Exchange {
	return r.roomy(ctx, c, func() *wire.Exchange { return r.unique(ctx, c, req, send) })
}

// unique sends a request with unique texts of its own.
func (r *runner) unique(ctx context.Context, c *plan.Case, req *wire.Request, send func(*wire.Request) *wire.Exchange) *wire.Exchange {
	u := r.states.of(c.Op).uniques
	if u == nil || u.off.Load() || req.Method != c.Op.Method || len(req.Body) == 0 {
		return send(req)
	}
	base, fixed := u.baseTexts(c), r.fixedOf(c.Op)
	var x *wire.Exchange
	renewed, taught := false, false
	with := func(alike bool) *wire.Exchange {
		taught = u.taught.Load()
		sent, shown := u.fresh(req, base, fixed, alike)
		renewed = sent != req
		x := send(sent)
		if x.Sent == nil {
			x.Sent = x.Request
		}
		x.Request = shown
		return x
	}
	for tries := 0; tries < maxOthers409 || tries < maxShort409 && u.short(req); tries++ {
		x = with(u.alike.Load())
		if renewed && u.wantsForm(c, x) {
			again := with(true)
			if accepted(c.Op, again) {
				u.alike.Store(true)
			}
			if u.alike.Load() || isTaken(c, again) {
				x = again
			}
		}
		if ctx.Err() != nil || !isTaken(c, x) {
			break
		}
		u.teach()
	}
	if st := r.states.of(c.Op); c.Expect == plan.Accept && ctx.Err() == nil && isTaken(c, x) && !st.apart.Load() && r.refersToMade(c.Op) {
		// What is there may be in the way of all others, as a booking without an end is.
		st.apart.Store(true)
		again := send(req)
		if again.Request = req; accepted(c.Op, again) {
			x = again
		} else {
			st.apart.Store(false)
		}
	}
	switch {
	case accepted(c.Op, x):
		if renewed && taught == u.taught.Load() {
			u.good.Store(true)
		}
	case c.Expect == plan.Accept && renewed && !u.good.Load() && x.Response != nil && x.Response.Status/100 == 4 && u.vain.Load() < maxWithout:
		// The document's example may be the only one that is taken.
		without := send(req)
		if !accepted(c.Op, without) {
			u.vain.Add(1)
			return x
		}
		u.off.Store(true)
		return without
	}
	return x
}

// teach notes that all texts have to be new. Of the others it is not known how they are accepted.
func (u *uniques) teach() {
	if u.taught.CompareAndSwap(false, true) {
		u.good.Store(false)
	}
}

// wantsForm reports whether new texts may be refused for their form, of which the document says
// nothing: none were accepted so far, and it is not that they are there already.
func (u *uniques) wantsForm(c *plan.Case, x *wire.Exchange) bool {
	return c.Expect == plan.Accept && !u.alike.Load() && !u.good.Load() && u.vain.Load() < maxWithout && says(x) && !isTaken(c, x)
}

// fixedOf are the values of an operation's requests that stay as they are, by name: those that
// the user has given, and what refers to something that is there.
func (r *runner) fixedOf(op *contract.Operation) map[string][]string {
	fixed := maps.Clone(r.opts.knownOf(op))
	if fixed == nil {
		fixed = map[string][]string{}
	}
	for _, ref := range r.states.of(op).references {
		fixed[ref.name] = append(slices.Clone(fixed[ref.name]), ref.planned, ref.actual)
	}
	return fixed
}

// isTaken reports whether a request is refused for what is there already: by a documented
// 409, or by the words of another refusal.
func isTaken(c *plan.Case, x *wire.Exchange) bool {
	switch {
	case !says(x):
		return false
	case x.Response.Status == http.StatusConflict && c.Op.Response(http.StatusConflict) != nil:
		return true
	case c.Expect != plan.Accept:
		return false
	}
	plain, err := judge.Content(x.Response)
	return err == nil && refusal.Taken(plain.Body)
}

// baseTexts are the texts of the valid request that a case differs from.
func (u *uniques) baseTexts(c *plan.Case) map[string]string {
	if c.Base != nil {
		if before := u.base.Load(); before != nil {
			return *before
		}
		c = c.Base
	}
	all := textsOf(c.Request)
	u.base.Store(&all)
	return all
}

// textsOf are the texts of a request by their names.
func textsOf(req *wire.Request) map[string]string {
	all := map[string]string{}
	for _, s := range texts(req) {
		all[s.name] = s.value
	}
	return all
}

// fresh returns a request with new texts, and the same as reports show it. Alike ones have the form
// of the planned ones.
func (u *uniques) fresh(req *wire.Request, base map[string]string, fixed map[string][]string, alike bool) (sent, shown *wire.Request) {
	var body, display []byte
	last, days := 0, 0
	for _, s := range texts(req) {
		if !u.wanted(s.name) || slices.Contains(fixed[s.name], s.value) {
			continue
		}
		raw := string(req.Body[s.start:s.end])
		suffix, n := u.token.Next()
		if days == 0 {
			days = apart * int(n%mostApart)
		}
		text, ok := u.other(s, raw, suffix, n, base[s.name] == s.value, alike, days)
		if !ok {
			continue
		}
		body = append(append(body, req.Body[last:s.start]...), text...)
		display = append(append(display, req.Body[last:s.start]...), u.token.ShownAs(text, raw)...)
		last = s.end
	}
	if last == 0 {
		return req, req
	}
	sent, shown = req.Clone(), req.Clone()
	sent.Body, shown.Body = slices.Concat(body, req.Body[last:]), slices.Concat(display, req.Body[last:])
	return sent, shown
}

// short reports whether a request has such a text that has to be new.
func (u *uniques) short(req *wire.Request) bool {
	return slices.ContainsFunc(texts(req), func(s scalar) bool { return u.wanted(s.name) && len([]rune(s.value)) <= unique.Few })
}

// apart is by how many days the times of a request are later than those of the one before: what
// lasts from one to the other is not to meet it.
const apart = 3

// mostApart is after how many of them it begins anew: a date of birth is not to be in the future
// for that.
const mostApart = 1000

// other makes a new text, as it is written, that its schema judges as it judges the
// planned one. A text that a case is about keeps its length.
func (u *uniques) other(s scalar, raw, suffix string, n int64, ofBase, alike bool, days int) (string, bool) {
	nodes := u.nodes[s.name]
	judged := make([]bool, len(nodes))
	for i, node := range nodes {
		judged[i] = node.Validates(s.value) == nil
	}
	same := func(v string) bool {
		for i, node := range nodes {
			if (node.Validates(v) == nil) != judged[i] {
				return false
			}
		}
		return v != s.value
	}
	plain, err := s.write(s.value)
	if err != nil {
		return "", false
	}
	if v := unique.Later(s.value, days); v != "" && plain == raw && same(v) {
		text, err := s.write(v)
		return text, err == nil
	}
	if plain != raw { // it is the spelling that counts
		text := strings.TrimSuffix(raw, `"`)
		isAddress := strings.Contains(s.value, "@") // which does not end as it likes
		switch v := unique.InForm(s.value, suffix, n); {
		case alike && !isAddress && text != raw:
			return escaped(v), same(v)
		case ofBase && !isAddress && same(s.value+suffix):
			return text + suffix + raw[len(text):], true
		case ofBase && same(suffix+"-"+s.value):
			open := raw[:len(raw)-len(strings.TrimPrefix(raw, `"`))]
			return open + suffix + "-" + raw[len(open):], true
		}
		return "", false
	}
	all := unique.Candidates(s.value, suffix, n, ofBase)
	if alike && !strings.Contains(s.value, "@") {
		all = append([]string{unique.InForm(s.value, suffix, n)}, all...)
	}
	for _, v := range all {
		if same(v) {
			text, err := s.write(v)
			return text, err == nil
		}
	}
	return "", false
}

func encoded(v string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err //nolint:wrapcheck // a string can be encoded
}

// keysOf lists the headers by which a target tells a request from one that is sent again: the
// same key with another body is refused, or answered as the first was.
func keysOf(op *contract.Operation) []*contract.Param {
	var all []*contract.Param
	for _, p := range op.Params {
		if p.Spec.In == openapi3.ParameterInHeader && strings.Contains(strings.ToLower(strings.ReplaceAll(p.Spec.Name, "-", "")), "idempotency") {
			all = append(all, p)
		}
	}
	return all
}

// keyed gives a request keys of its own. One that the case is about keeps its length.
func (r *runner) keyed(c *plan.Case, req *wire.Request) *wire.Request {
	base := c
	if c.Base != nil {
		base = c.Base
	}
	for _, p := range r.states.of(c.Op).keys {
		v := req.Get(p.Spec.Name)
		if v == "" || len(req.Values(p.Spec.Name)) > 1 || len(r.opts.knownOf(c.Op)[p.Spec.Name]) > 0 {
			continue
		}
		suffix, n := r.token.Next()
		for _, key := range unique.Candidates(v, suffix, n, v == base.Request.Get(p.Spec.Name)) {
			if key != v && (p.Node.Validates(key) == nil) == (p.Node.Validates(v) == nil) {
				req = req.Clone()
				req.Set(p.Spec.Name, key)
				break
			}
		}
	}
	return req
}

// hideToken puts the mark of the run in the place of its token, wherever a report
// has it.
func (r *runner) hideToken() {
	hide := func(texts ...*string) {
		for _, text := range texts {
			*text = r.token.Hide(*text)
		}
	}
	for i := range r.report.Findings {
		f := &r.report.Findings[i]
		hide(&f.Message, &f.Expected, &f.Actual, &f.Curl, &f.Request, &f.Answer)
	}
	for i := range r.report.Exchanges {
		x := &r.report.Exchanges[i]
		hide(&x.Target, &x.Curl, &x.Error, &x.Request.Body, &x.Response.Body)
		for _, headers := range [][]report.Header{x.Request.Header, x.Response.Header} {
			for j := range headers {
				hide(&headers[j].Value)
			}
		}
		for j := range x.Findings {
			hide(&x.Findings[j].Message)
		}
	}
	for i := range r.report.Warnings {
		hide(&r.report.Warnings[i])
	}
}
