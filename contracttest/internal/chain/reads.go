package chain

import (
	"net/http"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// read plans what reading does to a resource, and whether HEAD tells what GET does.
func (p *planner) read() {
	k := p.kind
	p.onNew(judge.UnsafeRead, "", func(t *try, r *resource) { t.readTwice(r, http.MethodGet) }, k.Read)
	p.onNew(judge.UnsafeRead, "head", func(t *try, r *resource) { t.readTwice(r, http.MethodHead) }, k.Read)
	if !k.Single() {
		p.completed()
		p.often()
	}
	p.linked()
	p.onNew(judge.HeadDiffers, "", func(t *try, r *resource) {
		if !t.read(r).ok() {
			return
		}
		if s := t.do(k.Read, r, Edit{Head: true}); s.gone() && t.readable(r) {
			t.blame(judge.Warning, s, "200", s.answer(), "HEAD does not find what GET finds")
		}
	}, k.Read)
	p.onNew(judge.HeadDiffers, "deleted", func(t *try, r *resource) {
		if !t.remove(r) || !t.read(r).gone() {
			return
		}
		if s := t.do(k.Read, r, Edit{Head: true}); s.ok() && t.gone(r) {
			t.blame(judge.Error, s, "404", s.answer(), "HEAD finds what GET does not find")
		}
	}, k.Read, k.Delete)
	for _, child := range k.Children {
		for _, op := range present(k.Put, k.Patch) {
			p.onNew(judge.NeighbourChanged, "below", func(t *try, up *resource) {
				r := t.makeKind(child, up, Edit{})
				if r == nil || !t.readable(r) || !t.do(op, up, Edit{Set: t.others(op)}).ok() {
					return
				}
				if s := t.read(r); s.gone() {
					t.blame(judge.Warning, t.acting(), "the resource below as it was", s.answer(), "%s removed a resource below", op.Endpoint())
				}
			}, op, child.Make, child.Read)
		}
	}
}

// readTwice reads a resource, by HEAD too if that is the method, and looks whether it is as it was.
func (t *try) readTwice(r *resource, method string) {
	first := t.read(r)
	if !first.ok() || t.over() {
		return
	}
	if method == http.MethodHead {
		t.do(t.Read, r, Edit{Head: true})
	}
	s := t.read(r)
	if s.gone() {
		t.blame(judge.Warning, s, "the resource as it was", s.answer(), "the resource is gone after it was read with %s", method)
		return
	}
	one, two, sent := first.got(t.Kind, r.id()), s.got(t.Kind, r.id()), r.made.sent()
	for _, name := range sortedKeys(sent) {
		if s.ok() && same(one[name], sent[name]) && !same(two[name], sent[name]) {
			t.blameValue(judge.Warning, s, name, sent[name], two[name], "%s changed after the resource was read with %s", name, method)
		}
	}
}

// completed plans whether reading a resource sets what it was made without.
func (p *planner) completed() {
	k := p.kind
	optional := optionalOf(p.actor, k.Make)
	if len(optional) == 0 {
		return
	}
	p.add(judge.UnsafeRead, "completed", func(t *try) {
		// The older of the two tells whether time alone sets it.
		older := t.make(Edit{Drop: optional})
		if older == nil {
			return
		}
		r := t.beside(older, Edit{Drop: optional})
		if r == nil {
			return
		}
		t.steps = slices.DeleteFunc(t.steps, func(s *Step) bool { return s == older.made })
		first, again := t.read(r), t.read(r)
		one, two := first.got(k, r.id()), again.got(k, r.id())
		for _, name := range optional {
			if !first.ok() || !again.ok() || t.over() || same(one[name], two[name]) {
				continue
			}
			if by := t.shown(older); !t.over() && same(by[name], one[name]) {
				t.blameValue(judge.Warning, again, name, one[name], two[name], "%s of a new resource changes when it is read", name)
			}
		}
	}, k.Read)
}

// manyReads is how often a resource is read to see what happens now and then.
const manyReads = 24

// often plans whether a resource that nothing is done to is the same in each of many reads,
// another being read in between.
func (p *planner) often() {
	k := p.kind
	p.onNew(judge.CreatedDiffers, "many-reads", func(t *try, one *resource) {
		two := t.beside(one, Edit{})
		if two == nil {
			return
		}
		own, other := t.kept(one), t.kept(two)
		for n := range manyReads {
			r, kept, not := one, own, other
			if n%2 > 0 {
				r, kept, not = two, other, own
			}
			s := t.read(r)
			got := s.got(k, r.id())
			for _, name := range sortedKeys(kept) {
				if s.ok() && !same(kept[name], not[name]) && same(got[name], not[name]) {
					t.blameValue(judge.Warning, s, name, kept[name], got[name], "one of several reads returns the %s of another resource", name)
				}
			}
		}
	}, k.Read)
}

// linked plans whether what a documented link names is there, its source being a success.
func (p *planner) linked() {
	k := p.kind
	for _, op := range []*contract.Operation{k.Make, k.Read} {
		if op == nil || k.ReadInList && op == k.Read {
			continue // what is made cannot be read
		}
		for _, link := range world.Links(op) {
			p.onNew(judge.LinkBroken, op.ID+"/"+link.Name, func(t *try, r *resource) {
				source, above := r.made, r.parent()
				if op == k.Read {
					source, above = t.read(r), r.values
				}
				if !source.ok() || t.over() {
					return
				}
				path, query, ok := link.Follow(source.Exchange, above)
				if !ok {
					return
				}
				there := &resource{kind: k, values: path}
				var s *Step
				good, late := t.wait(func() bool {
					s = t.peek(link.To, there, Edit{Query: query})
					return t.silent || !refusesLinked(s)
				})
				t.steps = append(t.steps, s)
				switch {
				case t.silent:
				case !good:
					t.blame(judge.Warning, s, "a success", s.answer(), "%s refuses the values of the link %s of %s", link.To.Endpoint(), link.Name, op.Endpoint())
				case late:
					t.settled("what the link " + link.Name + " leads to could not be read")
				}
			}, link.To, op)
		}
	}
}

// refusesLinked reports whether an answer says that there is nothing, or that what was asked
// for is wrong.
func refusesLinked(s *Step) bool {
	return s.gone() || s.status() == http.StatusBadRequest || s.status() == http.StatusUnprocessableEntity
}
