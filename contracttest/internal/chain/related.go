package chain

import (
	"maps"
	"net/http"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// related plans what a change of one resource may do to others, and who may see it.
func (p *planner) related() {
	k := p.kind
	if k.Read == nil {
		return
	}
	for _, op := range []*contract.Operation{k.Put, k.Patch, k.Delete} {
		for _, first := range []bool{true, false} {
			p.add(judge.NeighbourChanged, map[bool]string{true: "made-before", false: "made-after"}[first], func(t *try) {
				one := t.make(Edit{})
				if one == nil || t.over() {
					return
				}
				two := t.beside(one, Edit{})
				if two == nil || t.over() {
					return
				}
				if !first {
					one, two = two, one
				}
				t.neighbour(one, op, func() bool { return t.do(op, two, Edit{Set: t.others(op)}).ok() })
			}, op, k.Read)
		}
	}
	p.add(judge.NeighbourChanged, "", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() {
			return
		}
		t.neighbour(r, k.Make, func() bool { return t.beside(r, Edit{}) != nil })
	}, k.Make, k.Read)
	if k.Parent != nil {
		p.apart()
	}
	if p.actor.Peer() {
		p.peers()
	}
}

func labelOfOp(op *contract.Operation) string {
	if op == nil {
		return ""
	}
	return op.ID
}

// neighbour does something to another resource, and looks whether one is as it was.
func (t *try) neighbour(r *resource, op *contract.Operation, do func() bool) {
	kept := t.kept(r)
	if t.over() || !do() || t.over() {
		return
	}
	s := t.read(r)
	if s.gone() {
		t.blame(severityOf(op == t.Delete), t.acting(), "the resource as it was", s.answer(), "%s of one resource removed another", op.Endpoint())
		return
	}
	got := s.got(t.Kind, r.id())
	for _, name := range sortedKeys(kept) {
		if s.ok() && !same(got[name], kept[name]) {
			t.blame(judge.Warning, t.acting(), name+": "+show(kept[name]), name+": "+show(got[name]), "%s of one resource changed %s of another", op.Endpoint(), name)
		}
	}
}

// apart plans what is looked for below another parent.
func (p *planner) apart() {
	k := p.kind
	// elsewhere makes a resource, and says where it would be below another parent.
	elsewhere := func(t *try) (r, there *resource) {
		if r = t.make(Edit{}); r == nil || t.over() {
			return nil, nil
		}
		up := t.beside(&resource{kind: k.Parent, values: r.parent()}, Edit{})
		if up == nil || t.over() {
			return nil, nil
		}
		values := maps.Clone(up.values)
		values[k.Param.Spec.Name] = r.id()
		return r, &resource{kind: k, values: values, made: r.made}
	}
	p.add(judge.OtherParent, "", func(t *try) {
		r, there := elsewhere(t)
		if r == nil || t.over() {
			return
		}
		own := t.shown(r)
		s := t.do(k.Read, there, Edit{})
		if got := s.got(k, r.id()); s.ok() && len(t.kept(r)) > 0 && same(got, own) {
			t.blame(judge.Warning, s, "404", s.answer(), "what is below one resource can be read below another")
		}
	}, k.Read)
	for _, op := range []*contract.Operation{k.Put, k.Patch, k.Delete} {
		p.add(judge.OtherParent, "", func(t *try) {
			r, there := elsewhere(t)
			if r == nil || t.over() {
				return
			}
			kept := t.kept(r)
			s := t.do(op, there, Edit{Set: t.others(op)})
			if t.over() || s.status() == http.StatusCreated {
				return
			}
			after := t.peek(k.Read, r, Edit{})
			got, sent := after.got(k, r.id()), s.sent()
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
		}, op, k.Read).Alone = true // numbers below one and another may be the same
	}
	p.add(judge.OtherParent, "listed", func(t *try) {
		r, there := elsewhere(t)
		if r == nil || t.over() || t.entries(r, r.id()) == 0 {
			return
		}
		if t.entries(there, r.id()) > 0 && !t.sharedIdentifier(there) {
			s := t.do(k.List, there, Edit{})
			t.blame(judge.Warning, s, "what is below it", "what is below another", "the list below one resource contains what is below another")
		}
	}, k.List)
}

// sharedIdentifier reports whether a resource's identifier is that of another below the
// same: identifiers may be counted for each.
func (t *try) sharedIdentifier(there *resource) bool {
	return t.peek(t.Read, there, Edit{}).ok()
}

// peers plans what another user is asked for that the run has made.
func (p *planner) peers() {
	k := p.kind
	p.add(judge.ObjectShared, "", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() || !t.peek(k.Read, r, Edit{}).ok() || t.peek(k.Read, r, Edit{As: Nobody}).ok() {
			return
		}
		if s := t.do(k.Read, r, Edit{As: Peer}); s.ok() {
			t.blame(judge.Error, s, "401, 403 or 404", s.answer(), "another user can read a resource of this user")
		}
	}, k.Read)
	for _, op := range []*contract.Operation{k.Put, k.Patch} {
		p.add(judge.ObjectShared, "after-"+labelOfOp(op), func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() || t.peek(k.Read, r, Edit{As: Peer}).ok() || !t.do(op, r, Edit{}).ok() || t.peek(k.Read, r, Edit{As: Nobody}).ok() {
				return // another value might have shared it on purpose
			}
			if s := t.do(k.Read, r, Edit{As: Peer}); s.ok() && !t.over() {
				t.blame(judge.Error, s, "401, 403 or 404", s.answer(), "another user can read a resource of this user after %s", op.Endpoint())
			}
		}, k.Read, op)
	}
	for _, op := range k.Actions {
		p.add(judge.ObjectShared, "", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() || t.peek(k.Read, r, Edit{As: Nobody}).ok() || t.peek(k.Read, r, Edit{As: Peer}).ok() {
				return
			}
			if s := t.do(op, r, Edit{As: Peer}); s.ok() && !t.over() { // he may be meant to, or nothing was done
				t.blame(judge.Warning, s, "401, 403 or 404", s.answer(), "another user can call %s on a resource of this user", op.Endpoint())
			}
		}, op, k.Read)
	}
	for _, child := range k.Children {
		p.add(judge.ObjectShared, "", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() || !t.peek(k.Read, r, Edit{}).ok() || t.peek(k.Read, r, Edit{As: Nobody}).ok() || t.peek(k.Read, r, Edit{As: Peer}).ok() {
				return
			}
			if s, made := t.attempt(child, r.values, Edit{As: Peer}); made != nil && t.peek(child.Read, made, Edit{}).ok() && !t.over() { // he may be meant to
				t.blame(judge.Warning, s, "401, 403 or 404", s.answer(), "another user can call %s on a resource of this user", child.Make.Endpoint())
			}
		}, child.Make, child.Read, k.Read)
	}
	for _, op := range []*contract.Operation{k.Put, k.Patch, k.Delete} {
		p.add(judge.ObjectShared, "", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			kept := t.kept(r)
			// DELETE of what is not there for the other may be answered with 204, and PUT make his own.
			s := t.do(op, r, Edit{Set: t.others(op), As: Peer})
			after := t.read(r)
			got, changed := after.got(k, r.id()), after.gone()
			for name, v := range kept { // what is neither may have been changed by the target
				changed = changed || after.ok() && !same(got[name], v) && (op == k.Delete || alike(got[name], s.sent()[name]))
			}
			switch {
			case t.over() || !changed:
			case s.ok():
				t.blame(judge.Error, s, "401, 403 or 404", s.answer(), "another user can call %s on a resource of this user", op.Endpoint())
			default:
				t.blame(judge.Error, t.acting(), "the resource as it was", after.answer(), "%s by another user was refused with %s, but carried out", op.Endpoint(), s.answer())
			}
		}, op, k.Read)
	}
	p.add(judge.ObjectShared, "", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() || t.entries(r, r.id()) == 0 || t.peek(k.List, r, Edit{As: Nobody}).ok() {
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
