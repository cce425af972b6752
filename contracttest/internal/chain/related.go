package chain

import (
	"net/http"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// related plans what a change of one resource may do to others, and who may see it.
func (p *planner) related() {
	k := p.kind
	if k.Read == nil {
		return
	}
	if !k.Single() {
		p.neighbours()
	}
	if k.Parent != nil && !k.Part() {
		p.apart()
	}
	if p.actor.Peer() && !k.Single() { // which all may share, or each has his own
		p.peers()
	}
}

// neighbours plans whether what is done to one resource changes another.
func (p *planner) neighbours() {
	k := p.kind
	for _, op := range present(k.Put, k.Patch, k.Delete) {
		for _, first := range []bool{true, false} {
			p.onNew(judge.NeighbourChanged, map[bool]string{true: "made-before", false: "made-after"}[first], func(t *try, one *resource) {
				two := t.beside(one, Edit{})
				if two == nil {
					return
				}
				if !first {
					one, two = two, one
				}
				t.neighbour(one, op, func() bool { return t.do(op, two, Edit{Set: t.others(op)}).ok() })
			}, op, k.Read)
		}
	}
	p.onNew(judge.NeighbourChanged, "", func(t *try, r *resource) {
		t.neighbour(r, k.Make, func() bool { return t.beside(r, Edit{}) != nil })
	}, k.Make, k.Read)
}

// neighbour does something to another resource, and looks whether one is as it was.
func (t *try) neighbour(r *resource, op *contract.Operation, do func() bool) {
	kept := t.kept(r)
	if t.over() || !do() || t.over() {
		return
	}
	s := t.read(r)
	if s.gone() {
		t.blame(severityOf(op == t.Delete && !t.Part()), t.acting(), "the resource as it was", s.answer(), "%s of one resource removed another", op.Endpoint())
		return
	}
	got := s.got(t.Kind, r.id())
	for _, name := range sortedKeys(kept) {
		if s.ok() && !same(got[name], kept[name]) {
			t.blameValue(judge.Warning, t.acting(), name, kept[name], got[name], "%s of one resource changed %s of another", op.Endpoint(), name)
		}
	}
}

// onElsewhere adds a chain that begins with a new resource, and where it would be below another parent.
func (p *planner) onElsewhere(check, variant string, act func(t *try, r, there *resource), last *contract.Operation, needs ...*contract.Operation) *Chain {
	k := p.kind
	return p.onNew(check, variant, func(t *try, r *resource) {
		if up := t.beside(r.up, Edit{}); up != nil {
			values := world.Carried(up.values, k.Parent.Item, k.Item)
			values[k.Param.Spec.Name] = r.id()
			act(t, r, &resource{kind: k, up: up, values: values, made: r.made})
		}
	}, last, needs...)
}

// apart plans what is looked for below another parent.
func (p *planner) apart() {
	k := p.kind
	if k.List != nil && !k.shared() {
		p.onElsewhere(judge.OtherParent, "listed", func(t *try, r, there *resource) {
			// Identifiers may be counted for each: then the one there is another.
			if t.entries(r, r.id()) > 0 && t.entries(there, r.id()) > 0 && (k.Shallow() || !t.readable(there)) {
				s := t.do(k.List, there, Edit{})
				t.blame(judge.Warning, s, "what is below it", "what is below another", "the list below one resource contains what is below another")
			}
		}, k.List)
	}
	if k.Shallow() {
		return // its path does not say what it is below
	}
	p.onElsewhere(judge.OtherParent, "", func(t *try, r, there *resource) {
		own := t.shown(r)
		s := t.do(k.Read, there, Edit{})
		if got := s.got(k, r.id()); s.ok() && len(t.kept(r)) > 0 && same(got, own) {
			t.blame(judge.Warning, s, "404", s.answer(), "what is below one resource can be read below another")
		}
	}, k.Read)
	for _, op := range present(k.Put, k.Patch, k.Delete) {
		p.onElsewhere(judge.OtherParent, "", func(t *try, r, there *resource) { t.changeElsewhere(r, there, op) }, op, k.Read).Alone = true // numbers below one and another may be the same
	}
}

// changeElsewhere changes a resource where it is not, and looks whether that is done.
func (t *try) changeElsewhere(r, there *resource, op *contract.Operation) {
	kept := t.kept(r)
	s := t.do(op, there, Edit{Set: t.others(op)})
	if t.over() || s.status() == http.StatusCreated {
		return
	}
	after := t.peek(t.Read, r, Edit{})
	got, sent := after.got(t.Kind, r.id()), s.sent()
	done := after.gone()
	for name, v := range kept {
		w, was := sent[name]
		done = done || was && after.ok() && !same(v, w) && same(got[name], w)
	}
	switch {
	case done && s.refused():
		t.blame(judge.Warning, s, "the resource as it was", "it is changed", "%s below another resource is refused with %s, but carried out", op.Endpoint(), s.answer())
	case done:
		t.blame(judge.Warning, s, "404", s.answer(), "what is below one resource can be changed below another")
	}
}

// peers plans what another user is asked for that the run has made.
func (p *planner) peers() {
	k := p.kind
	p.onNew(judge.ObjectShared, "", func(t *try, r *resource) {
		if !t.readable(r) || t.peek(k.Read, r, Edit{As: Nobody}).ok() {
			return
		}
		if s := t.do(k.Read, r, Edit{As: Peer}); s.ok() {
			t.blame(judge.Error, s, "401, 403 or 404", s.answer(), "another user can read a resource of this user")
		}
	}, k.Read)
	for _, op := range present(k.Put, k.Patch) {
		p.onNew(judge.ObjectShared, "after-"+op.ID, func(t *try, r *resource) {
			if t.peek(k.Read, r, Edit{As: Peer}).ok() || !t.do(op, r, Edit{}).ok() || t.peek(k.Read, r, Edit{As: Nobody}).ok() {
				return // another value might have shared it on purpose
			}
			if s := t.do(k.Read, r, Edit{As: Peer}); s.ok() {
				t.blame(judge.Error, s, "401, 403 or 404", s.answer(), "another user can read a resource of this user after %s", op.Endpoint())
			}
		}, k.Read, op)
	}
	for _, op := range k.Actions {
		p.onNew(judge.ObjectShared, "", func(t *try, r *resource) {
			if t.shared(r) {
				return
			}
			if s := t.do(op, r, Edit{As: Peer}); s.ok() { // he may be meant to, or nothing was done
				t.blame(judge.Warning, s, "401, 403 or 404", s.answer(), "another user can call %s on a resource of this user", op.Endpoint())
			}
		}, op, k.Read)
	}
	for _, child := range k.Children {
		if child.Part() {
			continue // which has its own sequences for that
		}
		p.onNew(judge.ObjectShared, "", func(t *try, r *resource) {
			if !t.readable(r) || t.shared(r) {
				return
			}
			if s, made := t.attempt(child, r, Edit{As: Peer}); made != nil && t.readable(made) { // he may be meant to
				t.blame(judge.Warning, s, "401, 403 or 404", s.answer(), "another user can call %s on a resource of this user", child.Make.Endpoint())
			}
		}, child.Make, child.Read, k.Read)
	}
	for _, op := range present(k.Put, k.Patch, k.Delete) {
		p.onNew(judge.ObjectShared, "", func(t *try, r *resource) { t.changeAsPeer(r, op) }, op, k.Read)
	}
	p.indirect()
	p.onNew(judge.ObjectShared, "", func(t *try, r *resource) {
		if t.entries(r, r.id()) == 0 || t.peek(k.List, r, Edit{As: Nobody}).ok() {
			return
		}
		for _, page := range t.pagesOf(r, Peer, nil) {
			if countEntries(page, k, r.id()) > 0 && !t.over() {
				t.steps = append(t.steps, page)
				t.blame(judge.Error, page, "a list without it", "it is listed", "another user's list contains a resource of this user")
			}
		}
	}, k.List)
}

// shared reports whether others than who made a resource may read it.
func (t *try) shared(r *resource) bool {
	return t.peek(t.Read, r, Edit{As: Nobody}).ok() || t.peek(t.Read, r, Edit{As: Peer}).ok()
}

// changeAsPeer lets another user change a resource, and looks whether that is done.
func (t *try) changeAsPeer(r *resource, op *contract.Operation) {
	kept := t.kept(r)
	// DELETE of what is not there for the other may be answered with 204, and PUT make his own.
	s := t.do(op, r, Edit{Set: t.others(op), As: Peer})
	after := t.read(r)
	got, changed := after.got(t.Kind, r.id()), after.gone()
	for name, v := range kept { // what is neither may have been changed by the target
		changed = changed || after.ok() && !same(got[name], v) && (op == t.Delete || alike(got[name], s.sent()[name]))
	}
	switch {
	case t.over() || !changed:
	case s.ok():
		t.blame(judge.Error, s, "401, 403 or 404", s.answer(), "another user can call %s on a resource of this user", op.Endpoint())
	default:
		t.blame(judge.Error, t.acting(), "the resource as it was", after.answer(), "%s by another user was refused with %s, but carried out", op.Endpoint(), s.answer())
	}
}
