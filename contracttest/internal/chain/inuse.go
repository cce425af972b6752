package chain

import (
	"encoding/json"
	"net/http"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// use is a property by which resources of one kind refer to another.
type use struct {
	by     *Kind
	name   string
	number bool
}

// user is a resource that refers to another.
type user struct {
	*resource
	use
}

// uses lists where requests refer to the planner's kind.
func (p *planner) uses() []use {
	var all []use
	for _, by := range p.kinds {
		members, _ := p.actor.Base(by.Make)
		for _, name := range sortedKeys(members) {
			if v := members[name]; by.Read != nil && textOf(v) != "" && p.actor.Refers(by.Make, name) == p.kind.Make {
				_, isNumber := v.(json.Number)
				all = append(all, use{by, name, isNumber})
			}
		}
	}
	return all
}

// MayBeInUse reports whether a resource of the kind may be refused to be deleted, as the document has it,
// and be read then.
func (k *Kind) MayBeInUse() bool {
	return (k.Read != nil || k.List != nil) && has(k.Delete, http.StatusConflict)
}

// inUse plans what becomes of a resource that others refer to, where the document has a 409 for
// deleting it.
func (p *planner) inUse() {
	k := p.kind
	if !k.MayBeInUse() {
		return
	}
	uses := p.uses()
	if len(uses) == 0 {
		return
	}
	needs := []*contract.Operation{k.Read}
	for _, u := range uses {
		needs = append(needs, u.by.Make, u.by.Read)
	}
	for _, c := range []struct {
		check, variant string
		act            func(t *try, r *resource, by []user)
	}{
		{judge.RefusedButDone, "in-use", func(t *try, r *resource, _ []user) { t.notDone(r, t.do(k.Delete, r, Edit{}), nil) }},
		{judge.ConflictIgnored, "in-use", (*try).dangle},
		{judge.ConflictIgnored, "no-longer-in-use", (*try).release},
	} {
		p.onNew(c.check, c.variant, func(t *try, r *resource) {
			if by := t.referTo(r, uses); len(by) > 0 && t.readable(r) {
				c.act(t, r, by)
			}
		}, k.Delete, needs...)
	}
}

// referTo makes resources that refer to one, and show that they do.
func (t *try) referTo(r *resource, uses []use) []user {
	var all []user
	for _, u := range uses {
		by := t.makeKind(u.by, t.above(u.by), u.to(r))
		if by == nil || !alike(t.shown(by)[u.name], by.made.sent()[u.name]) {
			return nil
		}
		all = append(all, user{by, u})
	}
	return all
}

// to makes a request refer to a resource.
func (u use) to(r *resource) Edit {
	e := Edit{Set: map[string]any{u.name: r.id()}, Refers: map[string]string{u.name: r.kind.Param.Spec.Name}}
	if u.number {
		e.Set[u.name] = json.Number(r.id())
	}
	return e
}

// dangle deletes what others refer to, and looks whether they still do, though no new one may.
func (t *try) dangle(r *resource, by []user) {
	s := t.do(t.Delete, r, Edit{})
	if !s.ok() || !t.gone(r) {
		return
	}
	for _, u := range by {
		left, _ := t.wait(func() bool {
			now := t.peek(u.kind.Read, u.resource, Edit{})
			return t.over() || !now.ok() || !alike(now.got(u.kind, u.id())[u.name], u.made.sent()[u.name])
		})
		if left {
			continue
		}
		t.do(u.kind.Read, u.resource, Edit{})
		switch again, _ := t.attempt(u.kind, u.up, u.to(r)); again.status() {
		case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity:
			t.blame(judge.Warning, s, "409", s.answer(), "%s deletes what %s of another resource refers to, despite its documented 409; a new reference to it is refused with %s", t.Delete.Endpoint(), u.name, again.answer())
		}
	}
}

// release deletes all that refers to a resource, and looks whether that can be deleted then.
func (t *try) release(r *resource, by []user) {
	if t.do(t.Delete, r, Edit{}).status() != http.StatusConflict {
		return
	}
	for _, u := range by {
		if u.kind.Delete == nil || !t.vanishes(u.resource) {
			return
		}
	}
	s, good, late := t.await(t.Delete, r, func(s *Step) bool { return s.status() != http.StatusConflict })
	switch {
	case t.over():
	case good && late:
		t.settled("what nothing refers to any more could not be deleted")
	case !good: // it may be refused whatever there is
		steps := t.steps
		other := t.beside(r, Edit{})
		if t.steps = steps; other != nil && t.peek(t.Delete, other, Edit{}).ok() {
			t.blame(judge.Warning, s, "a success", s.answer(), "nothing refers to the resource any more, but %s is still refused", t.Delete.Endpoint())
		}
	}
}
