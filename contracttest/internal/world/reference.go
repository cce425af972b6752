package world

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Reference is a value of a request, beside its path, that the answers of other operations
// have: customerId where there is POST /customers, flow where a GET opens one, a token
// against forged requests, the cookie that comes with it.
type Reference struct {
	Name string
	// Key is by what values are known for it: its name, or the place of an id in an object whose
	// name says of what it is one.
	Key     string
	In      string // query, header or cookie; empty in a body
	Node    *contract.Node
	Sources []Source

	required bool     // of a parameter
	of       []string // customer, of {customer: {id: …}}, as plain names
}

// References lists what an operation refers to beside its path, each key once. A request
// may change what it refers to. So it has what a POST makes; of what a GET answers with, a
// request that is not safe may have what the GET opens, and tokens.
func (w *World) References(op *contract.Operation) []Reference {
	var all []Reference
	add := func(sourcesOf func(Reference) []Source) {
		for _, ref := range parts(op) {
			if slices.ContainsFunc(all, func(other Reference) bool { return other.Key == ref.Key }) {
				continue
			}
			if ref.Sources = sourcesOf(ref); len(ref.Sources) > 0 {
				ref.Sources = ref.Sources[:min(len(ref.Sources), maxSources)]
				all = append(all, ref)
			}
		}
	}
	add(func(ref Reference) []Source {
		if ref.In == "" || ref.In == openapi3.ParameterInQuery {
			if makers := w.makersOf(op, ref); len(makers) > 0 {
				return makers
			}
		}
		return w.openersOf(op, ref)
	})
	add(func(ref Reference) []Source { return w.guardsOf(op, ref, all) })
	add(func(ref Reference) []Source { return w.cookiesOf(op, ref, all) })
	return all
}

// parts lists the values of a request of which a document does not list all that there are.
func parts(op *contract.Operation) []Reference {
	var all []Reference
	add := func(ref Reference) {
		if s := ref.Node.Schema; s != nil && len(s.Enum) == 0 && s.Const == nil {
			all = append(all, ref)
		}
	}
	for _, p := range op.Params {
		if p.Spec.In != openapi3.ParameterInPath && !p.Credential {
			add(Reference{Name: p.Spec.Name, Key: p.Spec.Name, In: p.Spec.In, Node: p.Node, required: p.Spec.Required})
		}
	}
	if op.Body == nil {
		return all
	}
	for _, m := range op.Body.Media {
		m.Node.Walk(func(n *contract.Node) {
			if n.PropName != "" {
				ref := Reference{Name: n.PropName, Key: n.PropName, Node: n, of: ownersOf(n)}
				if len(ref.of) > 0 {
					ref.Key = "/" + n.Path
				}
				add(ref)
			}
		})
	}
	return all
}

// ownersOf lists the plain names of what a property may be the identifier of, where it is called id
// in an object: what its type beside it says, where that is one alone, as people, of
// {data: {type: people, id: …}}; else after what the object, or the list that it is an item of, is
// called: customer, of {customer: {id: …}}. An envelope is called data.
func ownersOf(n *contract.Node) []string {
	if lower := Plain(n.PropName); lower != "id" && lower != "uuid" || n.Parent == nil {
		return nil
	}
	var all []string
	if kind := only(n.Parent.Prop("type")); kind != "" {
		all = append(all, Singular(kind))
	}
	if name := nameAbove(n); name != "" {
		all = append(all, Singular(name))
	}
	return all
}

// nameAbove is the nearest name above a property that is not that of an envelope.
func nameAbove(n *contract.Node) string {
	for up := n.Parent; up != nil; up = up.Parent {
		if up.PropName != "" && up.PropName != "data" {
			return up.PropName
		}
	}
	return ""
}

// only is the one text that a property may be; empty where there are others.
func only(n *contract.Node) string {
	if n == nil || n.Schema == nil {
		return ""
	}
	text, _ := n.Schema.Const.(string)
	if len(n.Schema.Enum) == 1 {
		text, _ = n.Schema.Enum[0].(string)
	}
	return text
}

// isOwn reports whether a reference is the identifier of what the request is sent to: articles, of
// PATCH /articles/{id} with {data: {type: articles, id: …}}.
func (w *World) isOwn(op *contract.Operation, ref Reference) bool {
	p := w.Consumed(op.Method, op)
	if p == nil || len(ref.of) == 0 || nameAbove(ref.Node) != "" {
		return false
	}
	collection, _, _ := strings.Cut(op.Path, "/{"+p.Spec.Name+"}")
	return slices.Contains(ref.of, stemOf(p.Spec.Name, collection))
}

// fewLetters is how long the name of a resource is at least that another name may end with,
// as billingCustomerId does.
const fewLetters = 4

// endsWith reports whether a name is that of a resource, or ends with it.
func endsWith(name, resource string) bool {
	return name == resource || len(resource) >= fewLetters && strings.HasSuffix(name, resource)
}

// isKey reports whether a value, or each of a list, may be the identifier of something by its form,
// whatever it is called.
func isKey(n *contract.Node) bool {
	if e := n.Element(0); e != nil {
		n = e
	}
	return n.Schema.Default == nil && (n.Allows("integer") || n.Allows("string") && n.Schema.Format == "uuid")
}

// isSet reports whether what an operation may add to its collection has a key of a name. A number in a
// query may be that of a page as well: with that it is one by which the collection is filtered.
func (w *World) isSet(op *contract.Operation, name string) bool {
	add := w.At(http.MethodPost, op.Path)
	return add != nil && slices.ContainsFunc(parts(add), func(ref Reference) bool { return ref.In == "" && ref.Name == name && isKey(ref.Node) })
}

// makersOf lists the operations that make what a reference is the identifier of: customerId, or
// customer where that is a number or a UUID without a default.
func (w *World) makersOf(op *contract.Operation, ref Reference) []Source {
	one := ref.Name
	if many := Plain(one); strings.HasSuffix(many, "ids") || strings.HasSuffix(many, "uuids") {
		one = one[:len(one)-1]
	}
	stems, names, lower := ref.of, endsWith, Plain(one)
	own := lower == "id" || lower == "uuid"
	if stem := stemOf(one, ""); !own && stem != "" {
		stems = []string{stem}
	}
	if len(stems) == 0 && !own && isKey(ref.Node) && (ref.In == "" || w.isSet(op, ref.Name)) {
		names, stems = func(name, resource string) bool { return name == resource }, []string{Singular(one)}
	}
	if len(stems) == 0 || w.isOwn(op, ref) {
		return nil
	}
	var all []Source
	for _, s := range w.contract.Operations {
		if s == op || s.Method != http.MethodPost || strings.Contains(s.Path, "{") || !w.Creates(s) && !gives(s, stems) {
			continue
		}
		about := w.about(s)
		if !slices.ContainsFunc(stems, func(stem string) bool {
			return slices.ContainsFunc(about, func(resource string) bool { return names(stem, resource) })
		}) {
			continue
		}
		all = append(all, Source{s, Named, func(x *wire.Exchange) []string {
			var found []string
			if made := w.items[s]; made.param != nil {
				found = located(x, made.op, made.param.Spec.Name)
			}
			return slices.Concat(found, within(x, one, "id", "uuid"))
		}})
	}
	return all
}

// gives reports whether an operation answers with the identifier of what its path is named
// after, as POST /uploads does that answers 200.
func gives(op *contract.Operation, stems []string) bool {
	return slices.Contains(stems, Singular(lastSegment(op.Path))) && single(op)
}

// openersOf lists the GETs that answer with what a name is the identifier of, those first
// whose paths begin as that of the operation: GET /login/api for POST /login?flow=.
func (w *World) openersOf(op *contract.Operation, ref Reference) []Source {
	stem := ""
	switch lower := Plain(ref.Name); {
	case ref.In == openapi3.ParameterInCookie, ref.In != "" && !ref.required, ref.In == "" && (lower == "id" || lower == "uuid"):
		return nil
	case ref.In == "":
		stem = stemOf(ref.Name, "")
	default:
		stem = cmp.Or(stemOf(ref.Name, op.Path), Singular(ref.Name))
	}
	if stem == "" {
		return nil
	}
	return w.gets(op, Named, func(s *contract.Operation) bool {
		named := slices.ContainsFunc(w.about(s), func(resource string) bool { return endsWith(stem, resource) || endsWith(resource, stem) })
		return named && (single(s) || Safe(op.Method) && w.mentions(s, "id"))
	}, func(_ *contract.Operation, x *wire.Exchange) []string { return within(x, ref.Name, "id", "uuid") })
}

// guardsOf lists the GETs whose answers have a token against forged requests, among them
// those that open what the operation needs: it may be a field of their form.
func (w *World) guardsOf(op *contract.Operation, ref Reference, others []Reference) []Source {
	if !guards(ref.Name) || ref.In == openapi3.ParameterInCookie {
		return nil
	}
	return w.gets(op, SameName, func(s *contract.Operation) bool {
		found := givesTo(others, s) || slices.ContainsFunc(successHeaders(s), guards)
		properties(s, func(n *contract.Node) {
			found = found || guards(n.PropName) || guards(lastSegment(s.Path)) && Plain(n.PropName) == "token"
		})
		return found
	}, guardsIn)
}

// cookiesOf lists the GETs whose answers set a cookie, as the document says, or that give
// the operation something else.
func (w *World) cookiesOf(op *contract.Operation, ref Reference, others []Reference) []Source {
	if ref.In != openapi3.ParameterInCookie || !ref.required {
		return nil
	}
	return w.gets(op, SameName, func(s *contract.Operation) bool {
		return givesTo(others, s) || slices.ContainsFunc(successHeaders(s), func(name string) bool { return strings.EqualFold(name, "Set-Cookie") })
	}, func(_ *contract.Operation, x *wire.Exchange) []string {
		for _, c := range Cookies(x) {
			if c.Name == ref.Name {
				return scalar(c.Value)
			}
		}
		return nil
	})
}

// gets lists GETs that need nothing themselves.
func (w *World) gets(op *contract.Operation, r Relation, wanted func(*contract.Operation) bool, read func(*contract.Operation, *wire.Exchange) []string) []Source {
	var all []Source
	for _, s := range w.contract.Operations {
		needs := slices.ContainsFunc(s.Params, func(p *contract.Param) bool {
			return p.Spec.Required && p.Spec.In != openapi3.ParameterInHeader && !p.Credential
		})
		if s != op && s.Method == http.MethodGet && !needs && wanted(s) {
			all = append(all, Source{s, r, func(x *wire.Exchange) []string { return read(s, x) }})
		}
	}
	slices.SortStableFunc(all, func(a, b Source) int { return shared(b.Operation.Path, op.Path) - shared(a.Operation.Path, op.Path) })
	return all
}

// shared is how many segments two paths begin with alike.
func shared(a, b string) int {
	one, other := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < min(len(one), len(other)) && one[n] == other[n] {
		n++
	}
	return n
}

// givesTo reports whether an operation is a source of some references.
func givesTo(refs []Reference, op *contract.Operation) bool {
	return slices.ContainsFunc(refs, func(ref Reference) bool {
		return slices.ContainsFunc(ref.Sources, func(s Source) bool { return s.Operation == op })
	})
}

// single reports whether a success of the operation is one thing with an identifier, be it in
// an envelope.
func single(op *contract.Operation) bool {
	has := func(n *contract.Node) bool { return n != nil && n.Items == nil && n.Prop("id") != nil }
	return slices.ContainsFunc(op.Responses, func(r *contract.Response) bool {
		return r.Key[0] == '2' && slices.ContainsFunc(r.Media, func(m *contract.Media) bool {
			return m.Node != nil && (has(m.Node) || slices.ContainsFunc(m.Node.Props, has))
		})
	})
}

// successHeaders lists the headers that the successes of an operation are documented to have.
func successHeaders(op *contract.Operation) []string {
	var all []string
	for _, r := range op.Responses {
		if r.Key[0] != '2' {
			continue
		}
		for _, h := range r.Headers {
			all = append(all, h.Name)
		}
	}
	return all
}

// guards reports whether a name is that of a token against forged requests.
func guards(name string) bool {
	plain := Plain(name)
	return slices.ContainsFunc([]string{"csrf", "xsrf", "antiforgery", "authenticitytoken", "requestverificationtoken"}, func(word string) bool {
		return strings.Contains(plain, word)
	})
}

// Filters lists the parameters of a query by which an operation chooses among the items that
// it answers with: each is named after something that an item has. The document has no value
// for them.
func (w *World) Filters(op *contract.Operation) []Reference {
	if op.Method != http.MethodGet {
		return nil
	}
	var all []Reference
	for _, ref := range parts(op) {
		n := ref.Node
		if n.Items != nil {
			n = n.Items
		}
		if ref.In == openapi3.ParameterInQuery && !ref.required && len(n.Props) == 0 && !n.Allows("boolean") && !exemplified(op, ref.Name) {
			ref.Sources = []Source{{op, SameName, func(x *wire.Exchange) []string { return ofItems(x, ref.Name) }}}
			all = append(all, ref)
		}
	}
	there := itemsHave(op, all)
	return slices.DeleteFunc(all, func(ref Reference) bool { return !there[ref.Name] })
}

// exemplified reports whether the document has values for a parameter.
func exemplified(op *contract.Operation, name string) bool {
	has := func(n *contract.Node) bool {
		return n != nil && n.Schema != nil && (n.Schema.Example != nil || n.Schema.Default != nil || len(n.Schema.Enum) > 0 || n.Schema.Const != nil)
	}
	return slices.ContainsFunc(op.Params, func(p *contract.Param) bool {
		return p.Spec.Name == name && (p.Spec.Example != nil || len(p.Spec.Examples) > 0 || has(p.Node) || has(p.Node.Items))
	})
}

// itemsHave tells what the items of a success may have of some references.
func itemsHave(op *contract.Operation, refs []Reference) map[string]bool {
	found := map[string]bool{}
	if len(refs) == 0 {
		return found
	}
	properties(op, func(n *contract.Node) {
		one := Singular(n.PropName)
		for _, ref := range refs {
			if found[ref.Name] || !strings.HasSuffix(Singular(ref.Name), one) {
				continue
			}
			var keys []string
			inItem := false
			for at := n; at != nil; at = at.Parent {
				if at.PropName != "" {
					keys = append([]string{at.PropName}, keys...)
				}
				inItem = inItem || at.Parent != nil && at.Parent.Items == at
			}
			found[ref.Name] = inItem && fits(ref.Name, keys)
		}
	})
	return found
}

// fits reports whether a name is that of a property, or of one inside another:
// credentials_identifier of {credentials: {password: {identifiers: […]}}}.
func fits(name string, keys []string) bool {
	last := len(keys) - 1
	if last < 0 {
		return false
	}
	want, one := Singular(name), Singular(keys[last])
	return want == one || slices.ContainsFunc(keys[:last], func(key string) bool { return want == Plain(key)+one || want == Singular(key)+one })
}
