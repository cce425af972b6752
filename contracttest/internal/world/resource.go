package world

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// World is what is known of a target. It is safe for concurrent use.
type World struct {
	contract  *contract.Contract
	items     map[*contract.Operation]item // of what each POST creates
	facts     map[*contract.Operation]func() facts
	resources func() map[string]bool     // plain names of what the operations are about
	marks     func(text string) []string // what a text has that only the run sends; nil where nothing tells

	mu      sync.Mutex
	entered int         // resources so far
	living  []*Resource // in the order in which they were made
	byPath  map[string]*Resource
	spans   map[*contract.Operation]*span
}

// New returns what is known of a target before anything is sent.
func New(c *contract.Contract) *World {
	w := &World{contract: c, items: map[*contract.Operation]item{}, facts: map[*contract.Operation]func() facts{}, byPath: map[string]*Resource{}, spans: map[*contract.Operation]*span{}}
	for _, op := range c.Operations {
		w.facts[op] = factsOf(op)
	}
	w.resources = sync.OnceValue(func() map[string]bool {
		names := map[string]bool{}
		for _, op := range c.Operations {
			for _, name := range w.about(op) {
				names[name] = true
			}
		}
		return names
	})
	for _, op := range c.Operations {
		if op.Method == http.MethodPost {
			w.items[op] = w.itemOf(op)
		}
	}
	return w
}

// Marked tells how texts are known that nobody but the run sends: marks lists what a text has of them.
func (w *World) Marked(marks func(text string) []string) { w.marks = marks }

// Life is what has become of a resource.
type Life int

// The stages of a life.
const (
	Created Life = iota
	Changed
	Deleted
)

// Resource is something on the target that the run has made.
type Resource struct {
	Producer *contract.Operation
	Item     string            // its path template; empty where the document has none
	Values   map[string]string // of the parameters in it
	Owner    string            // the name of the credential that it was made with; empty where there is none
	Below    string            // the path of what it was made below, where its own does not say so

	life Life
	nth  int // resource that was entered
}

// Nth is which of all resources it is, in the order in which they were entered.
func (r *Resource) Nth() int { return r.nth }

// Path is the path of a resource, which nothing else has.
func (r *Resource) Path() string {
	path := r.Item
	for name, v := range r.Values {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(v))
	}
	return path
}

// Identify reads from the answer to a creation what was made: where its Location
// leads, else the identifier in its body, below the collection that the request
// was sent to. values are those of the request's own path parameters. It returns
// nil where the answer does not say.
func (w *World) Identify(producer *contract.Operation, values map[string]string, owner string, x *wire.Exchange) *Resource {
	made, ok := w.items[producer]
	if !ok || made.param == nil || x.Response == nil {
		return nil
	}
	name := made.param.Spec.Name
	found := located(x, made.op, name)
	for _, expr := range links(producer, made.op, made.param) {
		found = append(found, evaluate(expr, x)...)
	}
	if len(found) == 0 {
		found = identified(x, made.op, Identifiers(name, producer.Path))
	}
	collection, _, _ := strings.Cut(made.op.Path, "/{"+name+"}")
	if strings.TrimSuffix(producer.Path, "/") != collection {
		found = unasked(x, found, name, collection)
	}
	if found = w.new(producer, x, found); len(found) == 0 {
		return nil
	}
	all := Carried(values, producer.Path, made.op.Path)
	all[name] = found[0]
	r := &Resource{Producer: producer, Item: made.op.Path, Values: all, Owner: owner}
	if above := w.Parent(producer); above != nil {
		before, _, _ := strings.Cut(producer.Path, "{"+above.Spec.Name+"}")
		up := (&Resource{Item: before + "{" + above.Spec.Name + "}", Values: values}).Path()
		if !strings.HasPrefix(r.Path(), up+"/") {
			r.Below = up
		}
	}
	return r
}

// Enter notes that a resource was made. One that has the path of another is that
// one: it was replaced, or its identifier is used again.
func (w *World) Enter(r *Resource) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if before := w.byPath[r.Path()]; before != nil {
		w.remove(before)
	}
	w.entered++
	r.nth = w.entered
	w.byPath[r.Path()] = r
	w.living = append(w.living, r)
}

// Entered is how many resources have been entered so far.
func (w *World) Entered() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.entered
}

// Forget forgets the resources that the run has made, as they are gone.
func (w *World) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.living = nil
	clear(w.byPath)
}

// Settle notes what a request has made of the resource at its path: that it was
// changed, or deleted. It returns the resource, nil where it is none of the run's. before is how many
// had been entered when the request was sent: one that has come since may be another, to which the
// identifier of the deleted one was given at once.
func (w *World) Settle(item string, values map[string]string, life Life, before int) *Resource {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.byPath[(&Resource{Item: item, Values: values}).Path()]
	if r == nil || life == Deleted && r.nth > before {
		return nil
	}
	if r.life = life; life == Deleted {
		w.remove(r)
	}
	return r
}

func (w *World) remove(r *Resource) {
	delete(w.byPath, r.Path())
	if i := slices.Index(w.living, r); i >= 0 {
		w.living = slices.Delete(w.living, i, i+1)
	}
}

// Life returns what has become of a resource.
func (w *World) Life(r *Resource) Life {
	w.mu.Lock()
	defer w.mu.Unlock()
	return r.life
}

// LivingBelow lists those that were made below another, though their own paths do not say so.
func (w *World) LivingBelow(r *Resource) []*Resource {
	w.mu.Lock()
	defer w.mu.Unlock()
	path := r.Path()
	return slices.DeleteFunc(slices.Clone(w.living), func(other *Resource) bool { return other.Below != path })
}

// Living lists the resources that the run has made and that have not been
// deleted since, the newest first: what stands below another was made after it.
func (w *World) Living() []*Resource {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Clone(w.living)
	slices.Reverse(all)
	return all
}
