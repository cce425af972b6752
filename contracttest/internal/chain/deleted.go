package chain

import (
	"bytes"
	"iter"
	"net/http"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// deleted plans what is looked for where something was deleted.
func (p *planner) deleted() {
	k := p.kind
	for variant, e := range variantsOf(p, k) {
		p.add(judge.DeletedStillThere, variant, func(t *try) { t.stays(e) }, k.Delete, k.Read)
	}
	for _, child := range k.Children {
		p.add(judge.DeletedStillThere, "with-"+child.Make.ID, func(t *try) {
			r := t.make(Edit{})
			if r != nil && t.makeKind(child, r.values, Edit{}) != nil {
				t.staysAway(r)
			}
		}, k.Delete, k.Read, child.Make)
		p.add(judge.RefusedButDone, "with-"+child.Make.ID, func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.makeKind(child, r.values, Edit{}) == nil || t.over() || !t.peek(k.Read, r, Edit{}).ok() {
				return
			}
			s := t.do(k.Delete, r, Edit{})
			if !s.refused() || t.over() {
				return
			}
			if after := t.read(r); after.gone() && !t.over() {
				t.blame(severityOfRefusal(k.Delete, s), s, "the resource as it was", after.answer(), "%s was refused with %s, but the resource is gone", k.Delete.Endpoint(), s.answer())
			}
		}, k.Delete, k.Read, child.Make)
		p.inherited(child)
	}
	p.returns()
	p.add(judge.ConflictIgnored, "deleted", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() || !has(k.Make, http.StatusConflict) {
			return
		}
		twice, _ := t.actor.Make(t.ctx, k, r.parent(), Edit{Body: r.made.Request.Body})
		if twice == nil || twice.status() != http.StatusConflict || !t.remove(r) || k.Read != nil && !t.peek(k.Read, r, Edit{}).gone() {
			return
		}
		if s, _ := t.actor.Make(t.ctx, k, r.parent(), Edit{Body: r.made.Request.Body}); s != nil && s.status() == http.StatusConflict {
			t.steps = append(t.steps, s)
			t.blame(judge.Warning, s, "a success", s.answer(), "the resource with this value was deleted, but the value is refused as taken")
		}
	}, k.Make, k.Delete)
	if k.Read == nil {
		return // its identifier may be given to another, and nobody could tell
	}
	p.add(judge.DeletedStillThere, "again", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() || !t.remove(r) {
			return
		}
		if !t.peek(k.Read, r, Edit{}).gone() {
			return // its identifier may be given to another by now
		}
		t.do(k.Delete, r, Edit{}) // its answer is judged by itself
	}, k.Delete)
	uses := []*contract.Operation{k.Patch, k.Put}
	uses = append(uses, k.Actions...)
	for _, child := range k.Children {
		uses = append(uses, child.Make)
	}
	for _, op := range uses {
		if op == nil || op == k.Make {
			continue // it makes another
		}
		p.add(judge.DeletedStillUsable, "", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			if !t.peek(op, r, Edit{}).ok() || !t.remove(r) { // it has to be possible before
				return
			}
			if !t.peek(k.Read, r, Edit{}).gone() {
				return
			}
			s := t.do(op, r, Edit{})
			if op == k.Put && (s.status() == http.StatusCreated || has(op, http.StatusCreated)) {
				return // it is made anew
			}
			if s.ok() && t.peek(k.Read, r, Edit{}).gone() { // else its identifier was given to another
				severity := severityOf(has(op, http.StatusNotFound, http.StatusGone) && op != k.Put)
				t.blame(severity, s, "404 or 410", s.answer(), "%s still works on a deleted resource", op.Endpoint())
			}
		}, op, k.Delete)
	}
	for _, op := range k.Parts {
		p.add(judge.DeletedStillUsable, "", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() || !t.peek(op, r, Edit{}).ok() || !t.remove(r) || !t.peek(k.Read, r, Edit{}).gone() {
				return
			}
			// A history may outlive what it is of.
			if good, _ := t.wait(func() bool { return t.over() || !t.peek(op, r, Edit{}).ok() }); !good && !t.over() {
				s := t.do(op, r, Edit{})
				t.blame(judge.Warning, s, "404 or 410", s.answer(), "%s still works on a deleted resource", op.Endpoint())
			}
		}, op, k.Delete)
	}
	for _, child := range k.Children {
		if child.Read == nil {
			continue
		}
		p.add(judge.Orphan, child.Read.ID, func(t *try) {
			up := t.make(Edit{})
			if up == nil || t.over() {
				return
			}
			r := t.makeKind(child, up.values, Edit{})
			if r == nil || t.over() || !t.peek(child.Read, r, Edit{}).ok() {
				return
			}
			if !t.remove(up) || k.Read != nil && !t.peek(k.Read, up, Edit{}).gone() {
				return
			}
			s, good, late := t.await(child.Read, r, func(s *Step) bool { return !s.ok() })
			switch {
			case t.silent:
			case !good:
				t.blame(severityOf(has(child.Read, http.StatusNotFound, http.StatusGone)), t.acting(), "404 or 410", s.answer(), "a resource below is still there after %s", k.Delete.Endpoint())
			case late:
				t.settled("what is below the deleted resource could still be read")
			}
		}, k.Delete, child.Read, child.Make)
		if child.List == nil {
			continue
		}
		p.add(judge.Orphan, child.List.ID, func(t *try) {
			up := t.make(Edit{})
			if up == nil || t.over() || !t.peek(child.List, up, Edit{}).ok() || !t.remove(up) {
				return
			}
			if k.Read != nil && !t.peek(k.Read, up, Edit{}).gone() {
				return
			}
			if s := t.do(child.List, up, Edit{}); s.ok() {
				t.blame(judge.Warning, t.acting(), "404 or 410", s.answer(), "the list below is still there after %s", k.Delete.Endpoint())
			}
		}, k.Delete, child.List)
	}
}

// returns plans whether what was deleted comes back with what is done next: with that text
// of its own that no other has, as identifiers may be given again.
func (p *planner) returns() {
	k := p.kind
	if k.Read == nil || k.Delete == nil {
		return
	}
	var deeds []string
	byName := map[string]*contract.Operation{k.Make.ID: k.Make}
	for _, op := range []*contract.Operation{k.Put, k.Patch, k.List, k.Delete} {
		if op != nil && byName[op.ID] == nil {
			deeds, byName[op.ID] = append(deeds, op.ID), op
		}
	}
	come := func(t *try, deeds []string) {
		above := t.above(k)
		t.each(deeds, func(name string) {
			r := t.makeKind(k, above, Edit{})
			var other *resource // that something is done to
			if byName[name] != k.Make && byName[name] != k.List {
				other = t.makeKind(k, above, Edit{})
			}
			if r == nil || t.over() {
				return
			}
			mark := t.mark(r.made)
			shown := t.peek(k.Read, r, Edit{})
			if mark == nil || !bytes.Contains(shown.body(), mark) || !t.remove(r) || !t.peek(k.Read, r, Edit{}).gone() || t.over() {
				return
			}
			switch op := byName[name]; {
			case op == k.Make:
				t.beside(r, Edit{})
			case op == k.List:
				t.do(op, r, Edit{})
			case other != nil:
				t.do(op, other, Edit{})
			}
			if s, good, _ := t.await(k.Read, r, func(s *Step) bool { return !s.ok() || !bytes.Contains(s.body(), mark) }); !good && !t.over() {
				t.blame(severityOf(has(k.Read, http.StatusNotFound, http.StatusGone)), s, "404 or 410", s.answer(), "what %s deleted was gone, but is back after %s", k.Delete.Endpoint(), name)
			}
		})
	}
	// What another request makes meanwhile may be what brings it back.
	p.add(judge.DeletedStillThere, "comes-back", func(t *try) { come(t, []string{k.Make.ID}) }, k.Delete, k.Read).Alone = true
	p.add(judge.DeletedStillThere, "comes-back-later", func(t *try) { come(t, deeds) }, k.Delete, k.Read)
}

// inherited plans whether what stood below a deleted resource stands below the one that has
// its identifier next.
func (p *planner) inherited(child *Kind) {
	k := p.kind
	if child.Read == nil || k.Delete == nil {
		return
	}
	p.add(judge.Orphan, child.Read.ID+"/inherited", func(t *try) {
		up := t.make(Edit{})
		if up == nil || t.over() {
			return
		}
		r := t.makeKind(child, up.values, Edit{})
		if r == nil || t.over() {
			return
		}
		mark := t.mark(r.made)
		if mark == nil || !bytes.Contains(t.read(r).body(), mark) || !t.remove(up) {
			return
		}
		next := t.beside(up, Edit{})
		if next == nil || t.over() || next.id() != up.id() {
			return
		}
		if s := t.do(child.Read, r, Edit{}); s.ok() && bytes.Contains(s.body(), mark) && !t.over() {
			t.blame(judge.Warning, s, "404 or 410", s.answer(), "what was below a deleted resource is now below the new one with the same identifier")
		}
	}, k.Delete, child.Read, child.Make).Alone = true
}

// remove deletes a resource as a step, and reports whether that was done at once. What was
// accepted for later may have to come to its end before.
func (t *try) remove(r *resource) bool {
	var s *Step
	t.wait(func() bool {
		s = t.peek(r.kind.Delete, r, Edit{})
		return t.silent || r.made.status() != http.StatusAccepted || s.status() != http.StatusConflict && s.status() != http.StatusLocked
	})
	t.steps = append(t.steps, s)
	return !t.silent && (s.status() == http.StatusNoContent || s.status() == http.StatusOK)
}

// variantsOf yields ways to make a resource that is deleted: as it is, with other values, and
// without what it may leave out.
func variantsOf(p *planner, k *Kind) iter.Seq2[string, Edit] {
	members, _ := p.actor.Base(k.Make)
	optional := optionalOf(k, members)
	return func(yield func(string, Edit) bool) {
		if !yield("", Edit{}) {
			return
		}
		if set := Others(p.actor, k.Make); len(set) > 0 && !yield("other-values", Edit{Set: set}) {
			return
		}
		if len(optional) > 0 {
			yield("required-alone", Edit{Drop: optional})
		}
	}
}

// stays makes a resource, deletes it, and looks whether it is still there.
func (t *try) stays(e Edit) {
	r := t.make(e)
	if r == nil || t.over() {
		return
	}
	t.staysAway(r)
}

// staysAway deletes a resource, and looks whether it is still there.
func (t *try) staysAway(r *resource) {
	k := t.Kind
	before := t.peek(k.Read, r, Edit{})
	if !before.ok() || !t.remove(r) {
		return
	}
	asBefore := func(s *Step) bool { return s.ok() && bytes.Equal(before.Response.Body, s.Response.Body) }
	s, good, late := t.await(k.Read, r, func(s *Step) bool { return !asBefore(s) })
	switch {
	case t.silent:
	case !good:
		t.blame(severityOf(has(k.Read, http.StatusNotFound, http.StatusGone)), t.acting(), "404 or 410", s.answer(), "what %s deleted can still be read", k.Delete.Endpoint())
	case s.ok():
		t.blame(judge.Warning, t.acting(), "404 or 410", s.answer(), "what %s deleted can still be read, with other values", k.Delete.Endpoint())
	case late:
		t.settled("what " + k.Delete.Endpoint() + " deleted could still be read")
	}
}
