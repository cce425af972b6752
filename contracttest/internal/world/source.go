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

// Relation is why the answer of one operation is taken to name what another
// needs. Relations feed values; they convict nobody: that a document has a link
// does not guarantee that it can be followed (OpenAPI 3.1.1, Link Object).
type Relation int

// The relations, the surest first.
const (
	Link       Relation = iota // a Link Object of the document leads from one to the other
	Collection                 // the answer is of the collection that the parameter stands below
	Shallow                    // the answer is of what is added to something else, and stands by itself
	Named                      // the answer is of the resource that the parameter is named after
	SameName                   // the answer has a property of the parameter's name
	SameExample
)

func (r Relation) String() string {
	return [...]string{"link", "collection", "collection below another resource", "resource of the name", "property of the name", "same example"}[r]
}

// maxSources is how many operations are asked for the value of one parameter.
const maxSources = 8

// Source is an operation whose answer may name the value of a parameter.
type Source struct {
	Operation *contract.Operation
	Relation  Relation
	read      func(*wire.Exchange) []string
}

// Values reads the parameter's values out of a successful answer of the
// operation, the likeliest first.
func (s Source) Values(x *wire.Exchange) []string {
	if x == nil || x.Response == nil {
		return nil
	}
	return s.read(x)
}

// Sources lists where the value of a path parameter may come from, the surest
// first. Operations that delete are none.
func (w *World) Sources(op *contract.Operation, p *contract.Param) []Source {
	var by [SameExample + 1][]Source
	name := p.Spec.Name
	collection, _, _ := strings.Cut(op.Path, "/{"+name+"}")
	add := func(s *contract.Operation, r Relation, read func(*wire.Exchange) []string) {
		if s.Method == http.MethodPost && r != Collection {
			all := read
			read = func(x *wire.Exchange) []string { return unasked(x, all(x), name, collection) }
		}
		if s.Method == http.MethodPost && r != Link {
			all := read
			read = func(x *wire.Exchange) []string { return w.new(s, x, all(x)) }
		}
		by[r] = append(by[r], Source{s, r, read})
	}
	stem := stemOf(name, collection)
	item := cmp.Or(w.Reader(op, p), op)
	for _, s := range w.contract.Operations {
		if s == op || s.Method == http.MethodDelete {
			continue
		}
		if s.Method == http.MethodPost && strings.TrimSuffix(s.Path, "/") != collection && takesOne(s, name, stem) {
			continue
		}
		linked := links(s, op, p)
		for _, expr := range linked {
			add(s, Link, func(x *wire.Exchange) []string { return evaluate(expr, x) })
		}
		ofCollection := strings.TrimSuffix(s.Path, "/") == collection
		resource := stem != "" && slices.Contains(w.about(s), stem)
		switch safe := Safe(s.Method); {
		case len(linked) > 0:
		case ofCollection:
			add(s, Collection, func(x *wire.Exchange) []string {
				return slices.Concat(located(x, item, name), identified(x, item, Identifiers(name, collection)), listed(x))
			})
		case s.Method == http.MethodPost && w.isShallow(s.Path, op, p):
			add(s, Shallow, func(x *wire.Exchange) []string {
				return slices.Concat(located(x, item, name), identified(x, item, Identifiers(name, collection)))
			})
		case strings.Contains(s.Path, "{") || !safe && s.Method != http.MethodPost:
		case resource && w.mentions(s, "id"):
			add(s, Named, func(x *wire.Exchange) []string {
				return slices.Concat(located(x, item, name), within(x, name, "id"))
			})
		case !safe:
		case w.mentions(s, name):
			add(s, SameName, func(x *wire.Exchange) []string { return within(x, name) })
		default:
			if prop := w.exampleOf(s, p); prop != "" {
				add(s, SameExample, func(x *wire.Exchange) []string { return within(x, prop) })
			}
		}
	}
	all := slices.Concat(by[:]...)
	return all[:min(len(all), maxSources)]
}

// Results lists the actions on a resource whose answers may name the value of a path
// parameter, as that of POST /documents/{documentId}/publish names a job.
func (w *World) Results(op *contract.Operation, p *contract.Param) []Source {
	name := p.Spec.Name
	collection, _, _ := strings.Cut(op.Path, "/{"+name+"}")
	stem := stemOf(name, collection)
	item := cmp.Or(w.Reader(op, p), op)
	var all []Source
	for _, s := range w.contract.Operations {
		if s == op || s.Method != http.MethodPost || w.Consumed(s.Method, s) == nil {
			continue
		}
		resource := stem != "" && slices.Contains(w.about(s), stem)
		if !resource && !locates(s) {
			continue
		}
		all = append(all, Source{s, Named, func(x *wire.Exchange) []string {
			found := located(x, item, name)
			if resource {
				found = append(found, within(x, name, "id", "uuid")...)
			}
			return found
		}})
	}
	return all[:min(len(all), maxSources)]
}

// locates reports whether a success of an operation is documented to have a Location.
func locates(op *contract.Operation) bool {
	return slices.ContainsFunc(op.Responses, func(r *contract.Response) bool {
		return r.Key[0] == '2' && slices.ContainsFunc(r.Headers, func(h *contract.Header) bool { return strings.EqualFold(h.Name, "Location") })
	})
}

// Producers lists the operations that make what a path parameter names: those of
// the sources that create. A login that answers with who has signed in makes no user.
func (w *World) Producers(op *contract.Operation, p *contract.Param) []Source {
	collection, _, _ := strings.Cut(op.Path, "/{"+p.Spec.Name+"}")
	stem := stemOf(p.Spec.Name, collection)
	return slices.DeleteFunc(w.Sources(op, p), func(s Source) bool {
		return s.Operation.Method != http.MethodPost || s.Relation != Collection && w.letsIn(s.Operation, stem)
	})
}

// Joins reports whether the source makes something that is by itself, and a parameter of an
// operation names it as a part of something else: POST /users makes no
// /teams/{teamId}/members/{userId}, which is not there before somebody puts it there.
func (s Source) Joins(op *contract.Operation, p *contract.Param) bool {
	before, _, _ := strings.Cut(op.Path, "{"+p.Spec.Name+"}")
	return s.Relation == Named && slices.ContainsFunc(op.Params, func(above *contract.Param) bool {
		in := "{" + above.Spec.Name + "}"
		return above.Spec.In == openapi3.ParameterInPath && strings.Contains(before, in) && !strings.Contains(s.Operation.Path, in)
	})
}

// Safe reports whether a method asks for no change (RFC 9110 §9.2.1).
func Safe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// Destroys reports whether a request of a method may take away or replace what is
// there. POST adds to it, and nobody knows what a method means that is made up.
func Destroys(method string) bool {
	switch method {
	case http.MethodPut, http.MethodPatch, http.MethodDelete, "LOCK", "LINK", "PURGE":
		return true
	}
	return false
}

// Loses reports whether a target that carries out a method which the document does
// not have for the path of an operation may lose by it what the run has not made:
// the path is that of a collection, or of something without an identifier. What is
// below a resource of the run's own is its own too; one that is given is not given
// with all that is below it. An action, as POST /orders/merge, has nothing of its
// own: what else it is asked for works on what is sent to it anyway.
func (w *World) Loses(method string, op *contract.Operation, given map[string][]string) bool {
	if !Destroys(method) || w.acts(op.Path) {
		return false
	}
	p := w.Consumed(method, op)
	if p == nil {
		return true
	}
	ends := strings.HasSuffix(op.Template(), "{"+p.Spec.Name+"}")
	return !ends && (len(given[p.Spec.Name]) > 0 || len(w.Producers(op, p)) == 0)
}

// isShallow reports whether what a POST to a path makes below something else stands by itself, and
// the path of an operation begins with it: POST /events/{id}/orders makes /orders/{id}. Where the
// document has a POST for /orders, that makes them.
func (w *World) isShallow(path string, op *contract.Operation, p *contract.Param) bool {
	above, below := strings.TrimSuffix(path, "/"), "/"+lastSegment(path)
	collection, _, _ := strings.Cut(op.Path, "/{"+p.Spec.Name+"}")
	root := strings.TrimSuffix(collection, below)
	if !strings.HasSuffix(above, "}"+below) || root == collection || strings.Contains(root, "{") || !strings.HasPrefix(above, root+"/") || w.At(http.MethodPost, collection) != nil {
		return false
	}
	add := w.At(http.MethodPost, path)
	if add == nil || takesOne(add, p.Spec.Name, stemOf(p.Spec.Name, collection)) {
		return false
	}
	if !has201(add) {
		return w.answersWith(add, op.Path)
	}
	return w.mentions(add, "id") || w.mentions(add, p.Spec.Name) || locates(add) || len(w.facts[add]().names) == 0
}

// takesOne reports whether requests of an operation name what a parameter does: POST /playlists/{id}/tracks
// that is sent a trackId adds a track that was there before, and makes none.
func takesOne(op *contract.Operation, name, stem string) bool {
	if op.Body == nil {
		return false
	}
	found := false
	for _, m := range op.Body.Media {
		if m.Node == nil {
			continue
		}
		m.Node.Walk(func(n *contract.Node) {
			one := Singular(n.PropName)
			named := one == Plain(name) || stem != "" && stemOf(one, "") == stem
			found = found || named && one != "id" && one != "uuid" && n.Schema != nil && !n.Schema.ReadOnly
		})
	}
	return found
}

// answersWith reports whether the answer of an operation is described as the one thing that is read at an
// item, or leads somewhere: then it has made that, though it does not say so by a 201.
func (w *World) answersWith(op *contract.Operation, item string) bool {
	read := w.At(http.MethodGet, item)
	lists := slices.ContainsFunc(op.Responses, func(r *contract.Response) bool {
		return r.Key[0] == '2' && slices.ContainsFunc(r.Media, func(m *contract.Media) bool { return m.Node != nil && m.Node.Items != nil })
	})
	return locates(op) || read != nil && !lists && slices.ContainsFunc(w.about(op)[1:], func(name string) bool { return slices.Contains(w.about(read)[1:], name) })
}

func has201(op *contract.Operation) bool {
	r := op.Response(http.StatusCreated)
	return r != nil && r.Key == "201"
}

// shallow is what a POST to a path makes that stands by itself; an item without a parameter where
// that is nothing.
func (w *World) shallow(path string) item {
	for _, o := range w.contract.Operations {
		if p := w.last(o); p != nil && strings.HasSuffix(o.Template(), "/{"+p.Spec.Name+"}") && w.isShallow(path, o, p) {
			return item{o, p}
		}
	}
	return item{}
}

// acts reports whether a path is that of an action: it is there for POST alone,
// creates nothing, holds nothing, and has no name in the plural.
func (w *World) acts(path string) bool {
	last := lastSegment(path)
	return strings.HasSuffix(path, last) && Singular(last) == Plain(last) && !w.holds(path) &&
		!slices.ContainsFunc(w.contract.Operations, func(o *contract.Operation) bool {
			return o.Path == path && (o.Method != http.MethodPost || w.Creates(o))
		})
}

// Ends reports whether an operation, as it is named, may take away what lets its caller in:
// the session, the token, the password or the account.
func Ends(op *contract.Operation) bool {
	if Safe(op.Method) || strings.HasSuffix(op.Template(), "}") {
		return false
	}
	segment, name := Plain(lastSegment(op.Path)), Plain(op.ID)
	if op.Method == http.MethodDelete && slices.Contains(ofCaller, Singular(segment)) {
		return true
	}
	named := func(words []string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(segment, word) || strings.Contains(name, word) })
	}
	// What stands right behind an identifier is done to what that names: POST /users/{id}/deactivate.
	ofNamed := strings.Contains(op.Path, "}/"+lastSegment(op.Path))
	return named(leavings) || !ofNamed && named(endings)
}

// What the caller of an operation has one of, and how operations are named that end the session
// or something else that lets the caller in.
var (
	ofCaller = []string{"account", "credential", "login", "me", "profile", "self", "session", "token", "user"}
	leavings = []string{"logout", "logoff", "signout", "signoff"}
	endings  = []string{"revoke", "deactivate", "unregister", "password"}
)

// Consumed returns the path parameter that names what a request of a method to
// the operation's path deletes, replaces or changes; nil where there is none, as
// for PUT /settings. It is the last one of the path: those before it only say
// where it is. A value that the document lists whole, as an enumeration, names
// nothing that could be made.
//
// What POST works on is what stands before an action, as in
// /orders/{orderId}/cancel; that which something is added to, as in
// /orders/{orderId}/items with its /orders/{orderId}/items/{itemId}, stays what
// it is.
func (w *World) Consumed(method string, op *contract.Operation) *contract.Param {
	if Safe(method) {
		return nil
	}
	p := w.last(op)
	if p == nil || len(p.Node.Schema.Enum) > 0 || p.Node.Schema.Const != nil {
		return nil
	}
	before, behind, _ := strings.Cut(op.Template(), "{"+p.Spec.Name+"}")
	switch depth := strings.Count(behind, "/"); {
	case depth == 0:
		return p
	case method == http.MethodPut, method == http.MethodPatch, method == http.MethodDelete:
		if depth == 1 || w.documented(before, p) {
			return p
		}
	case depth == 1 && !w.holds(op.Path):
		if stem := stemOf(p.Spec.Name, before); w.documented(before, p) || stem != "" && stem == Singular(lastSegment(before)) {
			return p
		}
	}
	return nil
}

// Parent returns the path parameter that names what an operation adds something
// to, as POST /orders/{orderId}/items does; nil where it adds to nothing.
func (w *World) Parent(op *contract.Operation) *contract.Param {
	if op.Method != http.MethodPost || w.Consumed(op.Method, op) != nil {
		return nil
	}
	p := w.last(op)
	if p == nil {
		return nil
	}
	before, _, _ := strings.Cut(op.Path, "{"+p.Spec.Name+"}")
	if !w.documented(before, p) {
		return nil // the project or the tenant that all is in
	}
	return p
}

// last returns the last path parameter of an operation, if it is a segment.
func (w *World) last(op *contract.Operation) *contract.Param {
	var found *contract.Param
	at := -1
	for _, p := range op.Params {
		if p.Spec.In != openapi3.ParameterInPath {
			continue
		}
		if i := strings.LastIndex(op.Path, "/{"+p.Spec.Name+"}"); i > at {
			found, at = p, i
		}
	}
	return found
}

// documented reports whether the document has the item that a parameter ends the
// path of, or the collection that it is in.
func (w *World) documented(before string, p *contract.Param) bool {
	item := before + "{" + p.Spec.Name + "}"
	return slices.ContainsFunc(w.contract.Operations, func(o *contract.Operation) bool {
		return o.Template() == item || strings.TrimSuffix(o.Path, "/") == strings.TrimSuffix(before, "/")
	})
}

// holds reports whether a path is a collection: the document has its items, or
// a way to read it.
func (w *World) holds(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return slices.ContainsFunc(w.contract.Operations, func(o *contract.Operation) bool {
		rest, below := strings.CutPrefix(o.Template(), path+"/{")
		return below && strings.Trim(rest, "/") == rest && strings.Count(rest, "/") == 0 ||
			o.Method == http.MethodGet && strings.TrimSuffix(o.Path, "/") == path
	}) || w.shallow(path).param != nil
}

// item is what an operation creates: an operation on its path, and the parameter
// that names it.
type item struct {
	op    *contract.Operation
	param *contract.Param // nil where the document has no such path
}

// itemOf finds what a POST to a collection creates.
func (w *World) itemOf(producer *contract.Operation) item {
	collection := strings.TrimSuffix(producer.Path, "/")
	for _, o := range w.contract.Operations {
		rest, below := strings.CutPrefix(o.Template(), collection+"/{")
		if name, ok := strings.CutSuffix(rest, "}"); below && ok && !strings.ContainsAny(name, "/{}") {
			return item{o, w.last(o)}
		}
	}
	return w.shallow(producer.Path)
}

// ItemPath returns the path template of what an operation creates, which may be
// its own; empty where the document has none.
func (w *World) ItemPath(op *contract.Operation) string {
	if made := w.items[op]; made.op != nil {
		return made.op.Path
	}
	if op.Method == http.MethodPut {
		return op.Path
	}
	return ""
}

// Creates reports whether an operation makes something new: POST with a 201, or
// to a collection whose items the document has.
func (w *World) Creates(op *contract.Operation) bool {
	if op.Method != http.MethodPost {
		return false
	}
	return w.items[op].param != nil || has201(op)
}

// Reader returns the GET that reads what a path parameter of an operation names,
// or nil.
func (w *World) Reader(op *contract.Operation, p *contract.Param) *contract.Operation {
	before, _, _ := strings.Cut(op.Path, "{"+p.Spec.Name+"}")
	return w.At(http.MethodGet, before+"{"+p.Spec.Name+"}")
}

// Readers returns the GETs that may say which version of something a request is about, the nearest
// first: of what its path names, or of what an action is sent to, as the configuration in
// POST /devices/{id}/config/rollback; then of what that belongs to, up to what a parameter names.
func (w *World) Readers(op *contract.Operation, p *contract.Param) []*contract.Operation {
	var all []*contract.Operation
	path, name := op.Template(), "{"+p.Spec.Name+"}"
	above := func() { path = path[:max(strings.LastIndex(path, "/"), 0)] }
	if op.Method == http.MethodPost {
		above() // it adds to what it is sent to, or is no more than an action
	}
	for ; strings.Contains(path, name); above() {
		if read := w.At(http.MethodGet, path); read != nil {
			all = append(all, read)
		}
	}
	if read := w.Reader(op, p); read != nil && !slices.Contains(all, read) {
		all = append(all, read)
	}
	return all
}

// Has reports whether something that the document has operations for is called so.
func (w *World) Has(name string) bool { return w.resources()[Singular(name)] }

// At returns the operation of a method on a path template, or nil. One that has a slash at its end, or
// has none, is taken where the document has no other.
func (w *World) At(method, path string) (found *contract.Operation) {
	for _, o := range w.contract.Operations {
		switch {
		case o.Method != method:
		case o.Path == path:
			return o
		case o.Template() == cmp.Or(strings.TrimSuffix(path, "/"), "/"):
			found = o
		}
	}
	return found
}
