package chain

import (
	"bytes"
	"net/http"
	"path"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// part plans what is looked for in a part: what needs no identifier. It may be there from the
// start, with values that nobody has sent.
func (p *planner) part() {
	k := p.kind
	p.add(judge.CreatedNotFound, "", func(t *try) { t.missing(Edit{}) }, k.Make, k.Read)
	p.add(k.stores(k.Make), "whatever-is-sent", (*try).takesNothing, k.Make, k.Read)
	if k.makesNew() {
		p.add(judge.CreatedDiffers, "", func(t *try) { t.differs(Edit{}) }, k.Make, k.Read)
	}
	if k.Make == k.Put && has(k.Put, http.StatusCreated) {
		p.add(judge.PutStatus, "first", (*try).statusOfFirst, k.Put, k.Read)
	}
	p.edges()
	p.changed()
	p.patched()
	p.acted()
	p.refused()
	p.cleared()
	p.validated()
	p.related()
	p.read()
	p.embedded()
}

// asItWas is a part that nothing was sent for, and what is read of it.
func (t *try) asItWas() (*resource, *Step) {
	r := &resource{kind: t.Kind, up: t.above(t.Kind)}
	r.values = r.parent()
	return r, t.peek(t.Read, r, Edit{})
}

// takesNothing sends two values for a property, and looks whether neither is ever read.
func (t *try) takesNothing() {
	r := t.make(Edit{})
	if r == nil {
		return
	}
	k, one := t.Kind, t.shown(r)
	change := t.do(k.Make, r, Edit{Set: t.others(k.Make)})
	if !change.ok() || t.over() {
		return
	}
	var wrong []string
	got, always := t.expectValues(r, "a read did not show what "+k.Make.Endpoint()+" sent", func(got map[string]any) bool {
		wrong = slices.DeleteFunc(sortedKeys(change.sent()), func(name string) bool {
			first, then, w := r.made.sent()[name], change.sent()[name], got[name]
			return same(first, then) || !same(one[name], w) || alike(w, first) || alike(w, then) || w == nil && !described(k.Read, name) || hidden(k.Make, name)
		})
		return len(wrong) == 0
	})
	if always {
		name := wrong[0]
		t.blameValue(judge.Warning, change, name, change.sent()[name], got[name], "%s is always %s, whatever %s sends", name, show(got[name]), k.Make.Endpoint())
	}
}

// hidden reports whether a property is for requests alone.
func hidden(op *contract.Operation, name string) bool {
	n := prop(op, name)
	return n == nil || n.Schema.WriteOnly
}

// statusOfFirst looks at the status of the PUT that sets what was not there before.
func (t *try) statusOfFirst() {
	r, first := t.asItWas()
	if t.over() || !first.gone() {
		return
	}
	t.steps = append(t.steps, first)
	if r = t.makeKind(t.Kind, r.up, Edit{}); r == nil {
		return
	}
	s := r.made
	if s.status() != http.StatusOK && s.status() != http.StatusNoContent || !t.readable(r) {
		return
	}
	// What it stands below may show late: then so may what was there before the PUT.
	other := &resource{kind: t.Kind, up: t.above(t.Kind)}
	other.values = other.parent()
	if late, _ := t.wait(func() bool { return t.over() || !t.gone(other) }); !late {
		t.blame(judge.Error, s, "201", s.answer(), "%s creates a new resource, but does not return 201", t.Put.Endpoint())
	}
}

// cleared plans what is looked for where a part was deleted.
func (p *planner) cleared() {
	k := p.kind
	p.add(judge.DeletedStillThere, "", (*try).staysCleared, k.Delete, k.Read)
	p.onNew(judge.DeletedStillThere, "again", func(t *try, r *resource) {
		if t.vanishes(r) {
			t.do(k.Delete, r, Edit{}) // its answer is judged by itself
		}
	}, k.Delete)
	if optional := optionalOf(p.actor, k.Make); len(optional) > 0 {
		p.add(k.stores(k.Make), "after-"+http.MethodDelete, func(t *try) { t.setAnew(optional) }, k.Make, k.Read, k.Delete)
	}
}

// staysCleared deletes a part, and looks whether it still has what it was set to. That it has what
// it had before it was set is left to the target.
func (t *try) staysCleared() {
	r, first := t.asItWas()
	if t.over() {
		return
	}
	if r = t.makeKind(t.Kind, r.up, Edit{}); r == nil {
		return
	}
	k, before := t.Kind, t.peek(t.Read, r, Edit{})
	if !before.ok() || first.ok() && bytes.Equal(first.body(), before.body()) || !t.remove(r) {
		return
	}
	s, good, late := t.await(k.Read, r, func(s *Step) bool { return !s.ok() || !bytes.Equal(before.body(), s.body()) })
	switch {
	case t.silent:
	case !good:
		severity := severityOf(first.gone() && has(k.Read, http.StatusNotFound, http.StatusGone))
		t.blame(severity, t.acting(), "404 or 410", s.answer(), "what %s deleted can still be read", k.Delete.Endpoint())
	case s.ok() && first.gone():
		t.blame(judge.Warning, t.acting(), "404 or 410", s.answer(), "what %s deleted can still be read, with other values", k.Delete.Endpoint())
	case late:
		t.settled("what " + k.Delete.Endpoint() + " deleted could still be read")
	}
}

// setAnew deletes a part and sets it without what it may leave out, and looks whether what was
// deleted is back.
func (t *try) setAnew(optional []string) {
	r, first := t.asItWas()
	if t.over() {
		return
	}
	if r = t.makeKind(t.Kind, r.up, Edit{Set: t.others(t.Make)}); r == nil {
		return
	}
	k, kept, was := t.Kind, t.kept(r), first.got(t.Kind, "")
	if t.over() || !t.remove(r) || !t.do(k.Make, r, Edit{Drop: optional}).ok() {
		return
	}
	var back []string
	_, wrong := t.expectValues(r, "a read still showed what "+k.Delete.Endpoint()+" deleted", func(got map[string]any) bool {
		back = slices.DeleteFunc(slices.Clone(optional), func(name string) bool {
			v, known := kept[name]
			return !known || v == nil || !same(got[name], v) || same(was[name], v) || isDefault(k.Make, name, v)
		})
		return len(back) == 0
	})
	if wrong {
		name := back[0]
		t.blame(judge.Warning, t.acting(), "no "+name, name+": "+show(kept[name]), "%s was deleted, and is back after %s leaves it out", name, k.Make.Endpoint())
	}
}

// embedded plans whether what a part belongs to shows a change of it, where it shows the part; and
// whether a change of the other leaves the part as it is.
func (p *planner) embedded() {
	k := p.kind
	up := k.Parent
	if up == nil {
		return
	}
	for _, op := range present(k.Put, k.Patch) {
		p.onNew(k.stores(op), "embedded", func(t *try, r *resource) { t.shownAbove(r, op) }, op, k.Read, up.Read)
	}
	for _, op := range present(up.Put, up.Patch) {
		if op == up.Make || p.member(Node(op)) {
			continue // it may change the part, too
		}
		p.onNew(judge.NeighbourChanged, "part-"+k.Read.ID, func(t *try, r *resource) {
			kept := t.kept(r)
			if t.over() || !t.do(op, r.up, Edit{Set: t.others(op)}).ok() || t.over() {
				return
			}
			s := t.read(r)
			got := s.got(k, "")
			for _, name := range sortedKeys(kept) {
				if s.gone() || s.ok() && !same(got[name], kept[name]) {
					t.blameValue(judge.Warning, t.acting(), name, kept[name], got[name], "%s changed %s of a part that it did not send", op.Endpoint(), name)
				}
			}
		}, op, k.Read)
	}
}

// member reports whether a schema has a property with the name of the part.
func (p *planner) member(n *contract.Node) bool {
	return n != nil && slices.ContainsFunc(n.Members(), func(m *contract.Node) bool { return p.kind.isCalled(m.PropName) })
}

// isCalled reports whether a property has the name of a part.
func (k *Kind) isCalled(name string) bool { return world.Plain(name) == world.Plain(path.Base(k.Item)) }

// shownAbove changes a part, and looks whether what it belongs to shows that.
func (t *try) shownAbove(r *resource, op *contract.Operation) {
	k := t.Kind
	up, kept := r.up, t.kept(r)
	inside := func(s *Step) map[string]any {
		whole := s.got(up.kind, up.id())
		for _, name := range sortedKeys(whole) {
			if inner, isObject := whole[name].(map[string]any); isObject && k.isCalled(name) {
				return inner
			}
		}
		return nil
	}
	before := inside(t.peek(up.kind.Read, up, Edit{}))
	change := t.do(op, r, Edit{Set: t.others(op)})
	if before == nil || !t.holds(r, kept, change) {
		return
	}
	var stale []string
	s, wrong := t.expect(up.kind.Read, up, "a read of "+up.kind.Read.Endpoint()+" did not show what "+op.Endpoint()+" sent", func(s *Step) bool {
		now := inside(s)
		stale = slices.DeleteFunc(sortedKeys(change.sent()), func(name string) bool {
			v, known := kept[name]
			return !known || !same(before[name], v) || same(change.sent()[name], v) || !same(now[name], v)
		})
		return !s.ok() || now == nil || len(stale) == 0
	})
	if wrong {
		name := stale[0]
		t.blameValue(judge.Warning, s, name, change.sent()[name], kept[name], "%s stores %s, but %s still shows the old value", op.Endpoint(), name, up.kind.Read.Endpoint())
	}
}
