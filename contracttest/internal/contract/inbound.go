package contract

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Inbound is a request that the target sends to others: that of a callback or of a webhook. Who
// sends it keeps its clauses.
type Inbound struct {
	Name    string // CreateOrder/callbacks/paid or webhooks/paid
	Method  string
	Of      *Operation // that has the callback; nil for a webhook
	Clauses []*Clause
	// Asked is the path of the value in a request of Of that says where the callback is sent, as
	// body/callbackUrl; empty where none does, for the reason in Why.
	Asked string
	Why   string

	op   *Operation // as which requests are judged; not one of the contract
	url  *Clause    // where a callback is sent
	rest string     // of the runtime expression, behind the value that is asked
}

// Operation is what findings about the request are told of: it has the callback, or is made of
// the webhook.
func (in *Inbound) Operation() *Operation {
	if in.Of != nil {
		return in.Of
	}
	return in.op
}

// Statuses are those with which the request may be answered, the successes first.
func (in *Inbound) Statuses() []int {
	var all []int
	for key := range in.op.Spec.Responses.Map() {
		if code, err := strconv.Atoi(key); err == nil && code >= 200 {
			all = append(all, code)
		}
	}
	slices.SortFunc(all, func(a, b int) int { return cmp.Or(cmp.Compare(a/100, b/100), -cmp.Compare(a, b)) })
	return all
}

// callbacks builds the requests of an operation's callbacks.
func (c *Contract) callbacks(op *Operation, pointer string) {
	for _, name := range slices.Sorted(maps.Keys(op.Spec.Callbacks)) {
		ref := op.Spec.Callbacks[name]
		if ref == nil || ref.Value == nil {
			continue
		}
		at := target(ref.Ref, pointer+"/callbacks/"+escape(name))
		for _, expr := range slices.Sorted(maps.Keys(ref.Value.Map())) {
			c.inbound(op, op.ID+"/callbacks/"+escape(name), expr, ref.Value.Value(expr), at+"/"+escape(expr))
		}
	}
}

// webhooks builds the requests of the document's webhooks.
func (c *Contract) webhooks() {
	for _, name := range slices.Sorted(maps.Keys(c.Doc.Webhooks)) {
		c.inbound(nil, "webhooks/"+escape(name), "", c.Doc.Webhooks[name], "/webhooks/"+escape(name))
	}
}

func (c *Contract) inbound(of *Operation, name, expr string, item *openapi3.PathItem, pointer string) {
	if item == nil {
		return
	}
	pointer = target(item.Ref, pointer)
	for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
		spec := item.GetOperation(method)
		op := &Operation{ID: name, Method: method, Path: "/" + name, Spec: spec, PathItem: item, Contract: c}
		in := &Inbound{Name: name, Method: method, Of: of, op: op}
		if of != nil {
			in.ask(expr)
			in.url = op.clause("url", "the callback is sent to "+expr, at(item.Origin, pointer, ""))
		}
		op.MethodClause = op.clause(strings.ToLower(method)+"/method", "it is sent by "+method, at(spec.Origin, pointer+operationPointer(method), ""))
		op.buildParams(pointer+operationPointer(method), pointer)
		op.buildInboundBody(pointer + operationPointer(method))
		op.Clauses = slices.DeleteFunc(op.Clauses, func(cl *Clause) bool { return cl.Permits })
		for _, cl := range op.Clauses {
			cl.Side = ResponseSide
			if of != nil {
				cl.Operation = of.ID
			}
		}
		in.Clauses = op.Clauses
		c.Inbound = append(c.Inbound, in)
	}
}

// buildInboundBody makes the clauses of a body as those of an answer: it is the target's, which
// shows what is readOnly.
func (op *Operation) buildInboundBody(pointer string) {
	ref := op.Spec.RequestBody
	if ref == nil || ref.Value == nil {
		return
	}
	spec := ref.Value
	pointer = target(ref.Ref, pointer+"/requestBody")
	op.Body = &Body{Spec: spec}
	if spec.Required {
		op.Body.Presence = op.clause("body/required", "the body is present", at(spec.Origin, pointer, "required"))
	}
	op.Contract.complete(spec.Content, pointer)
	keys := mediaKeys(spec.Content)
	op.Body.MediaType = op.clause("body/media-type", "the body is "+strings.Join(keys, " or "), at(spec.Origin, pointer, "content"))
	op.Body.Media, op.Body.types = op.buildMedia(spec.Content, ResponseSide, "body", pointer, schema.Body), op.Contract.typesOf(keys)
}

// inRequest matches a runtime expression about a part of a request (OpenAPI 3.0.3, Runtime
// Expressions).
var inRequest = regexp.MustCompile(`^\{\$request\.(?:(body)#/([^{}]+)|(query|header|path)\.([^{}]+))\}`)

// ask finds out which value of a request the runtime expression of a callback begins with.
func (in *Inbound) ask(expr string) {
	m := inRequest.FindStringSubmatch(expr)
	if m == nil {
		in.Why = "the callback's URL does not begin with a value of the request: " + expr
		return
	}
	in.rest = expr[len(m[0]):]
	if m[1] == "" {
		i := slices.IndexFunc(in.Of.Params, func(p *Param) bool {
			return p.Spec.In == m[3] && (p.Spec.Name == m[4] || m[3] == openapi3.ParameterInHeader && strings.EqualFold(p.Spec.Name, m[4]))
		})
		if i < 0 {
			in.Why = "no parameter of the operation is what the callback's URL begins with: " + expr
			return
		}
		in.Asked = in.Of.Params[i].Node.Path
		return
	}
	steps := strings.Split(m[2], "/")
	for i, step := range steps {
		steps[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
	}
	if in.Of.Body != nil {
		for _, media := range in.Of.Body.Media {
			media.Node.Walk(func(n *Node) {
				if in.Asked == "" && slices.Equal(memberNames(n), steps) {
					in.Asked = n.Path
				}
			})
		}
	}
	if in.Asked == "" {
		in.Why = "no property of the body is what the callback's URL begins with: " + expr
	}
}

// memberNames are the names of the members that lead to a value in a body; nil for what is in a
// list.
func memberNames(n *Node) []string {
	var names []string
	for ; n.Parent != nil; n = n.Parent {
		switch n.About() {
		case schema.Itself:
		case schema.Member:
			names = append(names, n.PropName)
		default:
			return nil
		}
	}
	slices.Reverse(names)
	return names
}

// inURL is a runtime expression within a URL.
var inURL = regexp.MustCompile(`\{[^{}]*\}`)

// Check returns the clauses that a request breaks. rest is its target behind the URL that the
// target was given.
func (in *Inbound) Check(r *wire.Request, rest string) []Violation {
	var broken []Violation
	if in.url != nil && !in.leadsTo(rest) {
		broken = append(broken, Violation{Clause: in.url, Message: fmt.Sprintf("it is sent to %q behind the URL that was given", rest)})
	}
	if r.Method != in.Method {
		return append(broken, Violation{Clause: in.op.MethodClause, Message: "the method is " + r.Method})
	}
	m := &taken{r: r, Message: codec.Message{Query: wire.Params(r.RawQuery()), Cookies: wire.Cookies(r), Header: r.Values}}
	for _, p := range in.op.Params {
		broken = append(broken, in.op.checkParam(p, m)...)
	}
	return append(broken, in.checkBody(r)...)
}

// leadsTo reports whether the rest of a target is as the runtime expression has it. Further
// parameters may be in the query.
func (in *Inbound) leadsTo(rest string) bool {
	wantPath, wantQuery, _ := strings.Cut(in.rest, "?")
	path, query, _ := strings.Cut(rest, "?")
	var b strings.Builder
	last := 0
	for _, at := range inURL.FindAllStringIndex(wantPath, -1) {
		b.WriteString(regexp.QuoteMeta(wantPath[last:at[0]]) + "[^?#]*")
		last = at[1]
	}
	b.WriteString(regexp.QuoteMeta(wantPath[last:]))
	if ok, err := regexp.MatchString("^"+b.String()+"/?$", path); err != nil || !ok {
		return false
	}
	have, err := url.ParseQuery(query)
	for pair := range strings.SplitSeq(strings.TrimPrefix(wantQuery, "&"), "&") {
		name, v, _ := strings.Cut(pair, "=")
		if err != nil || pair != "" && (!have.Has(name) || !inURL.MatchString(v) && have.Get(name) != v) {
			return false
		}
	}
	return true
}

func (in *Inbound) checkBody(r *wire.Request) []Violation {
	b := in.op.Body
	switch {
	case b == nil:
		return nil // nothing says that there is none
	case len(r.Body) == 0 && b.Presence != nil:
		return []Violation{{Clause: b.Presence, Message: "the body is missing"}}
	case len(r.Body) == 0:
		return nil
	}
	media, err := b.media(r.Get("Content-Type"))
	if err != nil {
		return []Violation{{Clause: b.MediaType, Message: err.Error()}}
	}
	got, unread := media.read(r.Body, in.message(media, r))
	return append(unread, media.judge(got, false)...)
}

func (in *Inbound) message(m *Media, r *wire.Request) message {
	return message{syntax: cmp.Or(m.Syntax, in.op.Body.MediaType), called: "the body", label: r.Get("Content-Type")}
}

// Visit calls plain for the clauses that apply in a request, but for those of schemas, and f for
// each schema that holds of a value in it.
func (in *Inbound) Visit(r *wire.Request, plain func(...*Clause), f func(n *Node, v any)) {
	plain(in.url, in.op.MethodClause)
	of := func(n *Node, got codec.Reading) {
		if n == nil || !got.Found || got.Bad != nil {
			return
		}
		n.Visit(got.Value, func(n *Node, v any, _ []string) bool {
			f(n, v)
			return true
		})
	}
	m := &taken{r: r, Message: codec.Message{Query: wire.Params(r.RawQuery()), Cookies: wire.Cookies(r), Header: r.Values}}
	for _, p := range in.op.Params {
		if got := p.read(m); got.Found {
			plain(p.Single, p.Style, p.Syntax)
		}
		if !p.Presence.Permits {
			plain(p.Presence)
		}
		of(p.Node, p.read(m))
	}
	b := in.op.Body
	if b == nil {
		return
	}
	plain(b.Presence)
	media, err := b.media(r.Get("Content-Type"))
	if err != nil || len(r.Body) == 0 {
		return
	}
	plain(b.MediaType, media.Syntax)
	got, _ := media.read(r.Body, in.message(media, r))
	got.eachOf(func(v any) {
		of(media.Node, codec.Reading{Value: v, Found: got.Found, Bad: got.Bad})
	})
}
