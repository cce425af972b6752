package chain

import (
	"cmp"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// Kind is what an operation makes and the document has a path for, with the
// operations on it. Where nothing but PUT makes it, that is what both Make and Put are: the
// identifier is chosen by who sends it. A part is a kind, too: what stands below something under
// a fixed name, as /devices/{deviceId}/config, and has no identifier.
type Kind struct {
	Item                           string          // its path template
	Param                          *contract.Param // nil where it is a part
	Make                           *contract.Operation
	List, Read, Put, Patch, Delete *contract.Operation   // nil where the document has none
	All                            *contract.Operation   // GET of those below any parent, beside List; nil where there is none
	Actions                        []*contract.Operation // POST right below the item that adds nothing to it
	Views                          []*contract.Operation // GETs below the item of what nothing but these speaks of, as its content
	Beside                         []*contract.Operation // GETs of the collection: the list, a search in it, a number
	Batches                        []Batch               // what makes several at once
	ReadInList                     bool                  // no GET reads one: Read stands for its entry in the list
	Parent                         *Kind                 // nil where it stands below nothing that can be made
	Children                       []*Kind
}

// Kinds lists what can be made of a contract, parents before their children.
func Kinds(c *contract.Contract, w *world.World) []*Kind {
	var all []*Kind
	byItem := map[string]*Kind{}
	for _, op := range c.Operations {
		p := lastOf(op)
		if p == nil || byItem[op.Template()] != nil {
			continue
		}
		producers := w.Producers(op, p)
		if len(producers) == 0 {
			if k := chosen(w, op.Path, p); k != nil {
				k.Actions = actionsOf(c, w, op)
				byItem[op.Template()] = k
				all = append(all, k)
			}
			continue
		}
		if producers[0].Joins(op, p) {
			continue
		}
		k := &Kind{
			Item: op.Path, Param: p, Make: producers[0].Operation, Read: w.At(http.MethodGet, op.Path), Put: w.At(http.MethodPut, op.Path),
			Patch: w.At(http.MethodPatch, op.Path), Delete: w.At(http.MethodDelete, op.Path), List: w.At(http.MethodGet, producers[0].Operation.Path),
		}
		if all := w.At(http.MethodGet, k.collection()); k.Shallow() && k.List == nil {
			k.List = all
		} else if k.Shallow() {
			k.All = all
		}
		k.Actions, k.Batches = actionsOf(c, w, op), batchesOf(c, k)
		byItem[op.Template()] = k
		all = append(all, k)
	}
	items := slices.Clone(all)
	for _, op := range c.Operations {
		if k := partOf(c, w, op, items); k != nil {
			if k.Parent != nil {
				k.Parent.Children = append(k.Parent.Children, k)
			}
			all = append(all, k)
		}
	}
	for _, k := range all {
		if k.Part() {
			continue
		}
		if k.Chosen() {
			collection := k.collection()
			k.Parent = byItem[collection[:strings.LastIndex(collection, "}")+1]]
			continue
		}
		if above := w.Parent(k.Make); above != nil {
			before, _, _ := strings.Cut(k.Make.Path, "{"+above.Spec.Name+"}")
			item := before + "{" + above.Spec.Name + "}"
			up := byItem[item]
			if i := slices.IndexFunc(all, func(up *Kind) bool { return world.Unnamed(up.Item) == world.Unnamed(item) }); up == nil && i >= 0 {
				up = all[i]
			}
			if up != nil && up != k {
				k.Parent = up
				up.Children = append(up.Children, k)
			}
		}
	}
	all = slices.DeleteFunc(all, (*Kind).endless)
	for _, k := range all {
		if k.Part() {
			continue
		}
		for _, op := range c.Operations {
			if k.List != nil && op.Method == http.MethodGet && (op == k.List || path.Dir(op.Path) == k.List.Path && !strings.Contains(path.Base(op.Path), "{")) {
				k.Beside = append(k.Beside, op)
			}
			rest, below := strings.CutPrefix(op.Path, k.Item+"/")
			if below && op.Method == http.MethodGet && !strings.Contains(rest, "{") && !slices.ContainsFunc(k.Children, func(child *Kind) bool { return child.List == op || child.Read == op }) {
				k.Views = append(k.Views, op)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *Kind) int { return a.depth() - b.depth() })
	return all
}

// collection is the path that the item stands below.
func (k *Kind) collection() string {
	collection, _, _ := strings.Cut(k.Item, "/{"+k.Param.Spec.Name+"}")
	return collection
}

// Shallow reports whether what is made below something else has a path of its own, without that:
// POST /events/{id}/orders makes /orders/{id}.
func (k *Kind) Shallow() bool {
	return !k.Part() && !k.Chosen() && world.Unnamed(k.Make.Path) != world.Unnamed(k.collection()) && strings.HasSuffix(world.Unnamed(k.Make.Path), "}/"+path.Base(k.collection()))
}

// shared reports whether others may add to the list meanwhile: below a parent of its own nobody
// else makes any.
func (k *Kind) shared() bool {
	return k.Parent == nil || !strings.HasPrefix(world.Unnamed(k.List.Path), world.Unnamed(k.Parent.Item)+"/")
}

// listedIn is the kind with another list.
func (k *Kind) listedIn(list *contract.Operation) *Kind {
	other := *k
	other.List, other.All = list, nil
	return &other
}

// endless reports whether what a kind stands below can be made below such a thing alone.
func (k *Kind) endless() bool { return k.depth() == len(k.Item) }

// IsParent reports whether a name may be that of a reference to what a resource of the kind stands below:
// vacancyId of what POST /vacancies/{id}/applications makes, or vacancy where that is no text that somebody chooses.
func (k *Kind) IsParent(name string, n *contract.Node) bool {
	if k.Parent == nil {
		return false
	}
	plain, one := world.Plain(name), world.Singular(path.Base(k.Parent.collection()))
	return plain == one+"id" || plain == one+"uuid" || plain == one && n != nil && (isNumber(n) || n.Schema.Format == "uuid")
}

// actionsOf lists the POSTs right below the item of an operation that add nothing to it.
func actionsOf(c *contract.Contract, w *world.World, op *contract.Operation) []*contract.Operation {
	var all []*contract.Operation
	for _, o := range c.Operations {
		rest, below := strings.CutPrefix(o.Template(), op.Template())
		if below && strings.LastIndexAny(rest, "/:") == 0 && o.Method == http.MethodPost && w.Consumed(o.Method, o) != nil {
			all = append(all, o)
		}
	}
	return all
}

// chosen is the kind of what a PUT may make under a name that the client chooses, and a GET
// reads; nil where there is none.
func chosen(w *world.World, item string, p *contract.Param) *Kind {
	put, read := w.At(http.MethodPut, item), w.At(http.MethodGet, item)
	if put == nil || read == nil || w.Consumed(http.MethodPut, put) == nil || !p.Node.Allows("string") && !p.Node.Allows("integer") {
		return nil
	}
	k := &Kind{
		Item: item, Param: p, Make: put, Read: read, Put: put, Patch: w.At(http.MethodPatch, item), Delete: w.At(http.MethodDelete, item),
	}
	k.List = w.At(http.MethodGet, k.collection())
	return k
}

// Part reports whether it has no identifier, since there is but one of it where it is.
func (k *Kind) Part() bool { return k.Param == nil }

// Single reports whether there is but one of it at all, as /settings: what is there is not the run's own.
func (k *Kind) Single() bool { return k.Part() && k.Parent == nil }

// partOf is the kind of the part that a GET reads and a PUT or PATCH changes, below an item that can
// be made, or below nothing; nil where it reads none.
func partOf(c *contract.Contract, w *world.World, read *contract.Operation, items []*Kind) *Kind {
	path := read.Template()
	item := path[:strings.LastIndex(path, "}")+1]
	at := slices.IndexFunc(items, func(up *Kind) bool { return world.Unnamed(strings.TrimSuffix(up.Item, "/")) == world.Unnamed(item) })
	if read.Method != http.MethodGet || at < 0 && item != "" || path == item {
		return nil
	}
	if slices.ContainsFunc(c.Operations, func(o *contract.Operation) bool { return strings.HasPrefix(o.Template(), path+"/{") }) {
		return nil // a collection
	}
	k := &Kind{Item: read.Path, Read: read, Put: setter(w, http.MethodPut, path), Patch: setter(w, http.MethodPatch, path), Delete: w.At(http.MethodDelete, path)}
	if k.Put == nil && k.Patch == nil {
		return nil
	}
	if item == "" { // what is there stays
		k.Make, k.Delete = cmp.Or(k.Put, k.Patch), nil
		return k
	}
	k.Parent = items[at]
	if k.Make = setter(w, http.MethodPost, path); k.Make == nil || !has(k.Make, http.StatusCreated) {
		k.Make = cmp.Or(k.Put, k.Patch)
	}
	for _, o := range c.Operations {
		rest, below := strings.CutPrefix(o.Template(), path+"/")
		if below && o.Method == http.MethodPost && !strings.Contains(rest, "/") && !w.Creates(o) && w.At(http.MethodGet, o.Path) == nil {
			k.Actions = append(k.Actions, o)
		}
	}
	return k
}

// setter is the operation of a method on a path that is sent an object; nil where there is none.
func setter(w *world.World, method, path string) *contract.Operation {
	op := w.At(method, path)
	if n := Node(op); n == nil || !n.Allows("object") || len(n.Members()) == 0 {
		return nil
	}
	return op
}

// Chosen reports whether the identifier is chosen by who makes it.
func (k *Kind) Chosen() bool { return k.Make == k.Put && !k.Part() }

// Bodies lists the operations that are sent what a resource is to be, each once.
func (k *Kind) Bodies() []*contract.Operation {
	return slices.Compact(present(k.Make, k.Put, k.Patch))
}

// stores is the check of what an operation has stored.
func (k *Kind) stores(op *contract.Operation) string {
	switch {
	case op == k.Make && k.makesNew():
		return judge.CreatedDiffers
	case op == k.Put:
		return judge.PutNotStored
	}
	return judge.PatchPartial
}

// makesNew reports whether what Make is sent makes another resource each time: what changes a part
// sets it to what the sequences begin with.
func (k *Kind) makesNew() bool { return !k.Part() || k.Make != k.Put && k.Make != k.Patch }

// stays reports whether what a client names is made for a resource of the kind, and cannot be
// deleted.
func (k *Kind) stays() bool {
	return k.Chosen() && k.Delete == nil || k.Parent != nil && k.Parent.stays()
}

func (k *Kind) depth() int {
	n := 0
	for up := k.Parent; up != nil && n < len(k.Item); up = up.Parent {
		n++
	}
	return n
}

// lastOf returns the path parameter that an operation's path ends with, or nil.
func lastOf(op *contract.Operation) *contract.Param {
	for _, p := range op.Params {
		if p.Spec.In == openapi3.ParameterInPath && strings.HasSuffix(op.Template(), "/{"+p.Spec.Name+"}") {
			return p
		}
	}
	return nil
}

// names are those that a resource's identifier may have in an answer.
func (k *Kind) names() []string {
	if k.Part() {
		return nil
	}
	return world.Identifiers(k.Param.Spec.Name, k.Make.Path)
}

// takes reports whether a request of an operation may have a header.
func takes(op *contract.Operation, header string) bool {
	return slices.ContainsFunc(op.Params, func(p *contract.Param) bool {
		return p.Spec.In == openapi3.ParameterInHeader && strings.EqualFold(p.Spec.Name, header)
	})
}

// mayHave reports whether a request of an operation may have a value in a header: a document
// may want another form of it.
func mayHave(op *contract.Operation, header, v string) bool {
	return !slices.ContainsFunc(op.Params, func(p *contract.Param) bool {
		return p.Spec.In == openapi3.ParameterInHeader && strings.EqualFold(p.Spec.Name, header) && p.Node != nil && p.Node.Validates(v) != nil
	})
}

// has reports whether the document has one of some statuses for an operation by its
// own name, not by a range or a default.
func has(op *contract.Operation, statuses ...int) bool {
	return op != nil && slices.ContainsFunc(statuses, func(status int) bool {
		r := op.Response(status)
		return r != nil && r.Key != "default" && !strings.HasSuffix(r.Key, "XX")
	})
}
