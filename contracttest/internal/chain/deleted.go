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
		p.add(judge.DeletedStillThere, variant, func(t *try) {
			if r := t.make(e); r != nil {
				t.staysAway(r)
			}
		}, k.Delete, k.Read)
	}
	for _, child := range k.Children {
		p.onBelow(judge.DeletedStillThere, "with-"+child.Make.ID, child, func(t *try, up, _ *resource) { t.staysAway(up) }, k.Delete, k.Read)
		p.onBelow(judge.RefusedButDone, "with-"+child.Make.ID, child, func(t *try, up, _ *resource) {
			if t.readable(up) {
				t.notDone(up, t.do(k.Delete, up, Edit{}), nil)
			}
		}, k.Delete, k.Read)
		if child.Read != nil && k.Delete != nil && !child.Shallow() {
			p.onBelow(judge.Orphan, child.Read.ID+"/inherited", child, (*try).inherited, k.Delete, child.Read).Alone = true
		}
	}
	p.returns()
	p.onNew(judge.ConflictIgnored, "deleted", (*try).takenByDeleted, k.Make, k.Delete)
	if k.Read == nil || k.ReadInList {
		return // its identifier may be given to another, and nobody could tell
	}
	p.onNew(judge.DeletedStillThere, "again", func(t *try, r *resource) {
		if t.vanishes(r) { // else its identifier may be given to another by now
			t.do(k.Delete, r, Edit{}) // its answer is judged by itself
		}
	}, k.Delete)
	uses := present(append([]*contract.Operation{k.Patch, k.Put}, k.Actions...)...)
	for _, child := range k.Children {
		uses = append(uses, child.Make)
	}
	for _, op := range uses {
		switch {
		case op == k.Make: // that makes another
		case isRestorer(op):
			p.onNew(judge.DeletedStillUsable, "", func(t *try, r *resource) { t.restore(r, op) }, op, k.Delete)
		default:
			p.onNew(judge.DeletedStillUsable, "", func(t *try, r *resource) { t.useDeleted(r, op) }, op, k.Delete)
		}
	}
	for _, op := range k.Views {
		p.onNew(judge.DeletedStillUsable, "", func(t *try, r *resource) { t.readView(r, op) }, op, k.Delete)
	}
	for _, child := range k.Children {
		if child.Read == nil {
			continue
		}
		if !child.Shallow() { // which stands by itself, and may stay
			p.onBelow(judge.Orphan, child.Read.ID, child, (*try).orphan, k.Delete, child.Read)
		}
		if child.List != nil && !child.shared() {
			p.onNew(judge.Orphan, child.List.ID, func(t *try, up *resource) {
				if !t.peek(child.List, up, Edit{}).ok() || !t.vanishes(up) {
					return
				}
				if s := t.do(child.List, up, Edit{}); s.ok() {
					t.blame(judge.Warning, t.acting(), "404 or 410", s.answer(), "the list below is still there after %s", k.Delete.Endpoint())
				}
			}, k.Delete, child.List)
		}
	}
}

// onBelow adds a chain that begins with a new resource and one below it.
func (p *planner) onBelow(check, variant string, child *Kind, act func(t *try, up, r *resource), last *contract.Operation, needs ...*contract.Operation) *Chain {
	return p.onNew(check, variant, func(t *try, up *resource) {
		if r := t.makeKind(child, up, Edit{}); r != nil {
			act(t, up, r)
		}
	}, last, append(needs, child.Make)...)
}

// takenByDeleted looks whether the values of a deleted resource, which no other may have had, are free.
func (t *try) takenByDeleted(r *resource) {
	again := Edit{Body: r.made.Request.Body}
	if !has(t.Make, http.StatusConflict) || t.takenBy(r, again) == nil || !t.vanishes(r) {
		return
	}
	if s := t.takenBy(r, again); s != nil {
		t.steps = append(t.steps, s)
		t.blame(judge.Warning, s, "a success", s.answer(), "the resource with this value was deleted, but the value is refused as taken")
	}
}

// useDeleted looks whether an operation that works on a resource does so when it is deleted.
func (t *try) useDeleted(r *resource, op *contract.Operation) {
	if !t.peek(op, r, Edit{}).ok() || !t.vanishes(r) { // it has to be possible before
		return
	}
	s := t.do(op, r, Edit{})
	if !s.ok() || op == t.Put && (s.status() == http.StatusCreated || has(op, http.StatusCreated)) {
		return // it is made anew
	}
	if t.gone(r) { // else its identifier was given to another
		severity := severityOf(has(op, http.StatusNotFound, http.StatusGone) && op != t.Put)
		t.blame(severity, s, "404 or 410", s.answer(), "%s still works on a deleted resource", op.Endpoint())
	}
}

// readView looks whether what belongs to a deleted resource can still be read.
func (t *try) readView(r *resource, op *contract.Operation) {
	if !t.peek(op, r, Edit{}).ok() || !t.vanishes(r) {
		return
	}
	// A history may outlive what it is of.
	if good, _ := t.wait(func() bool { return t.over() || !t.peek(op, r, Edit{}).ok() }); !good && !t.over() {
		s := t.do(op, r, Edit{})
		t.blame(judge.Warning, s, "404 or 410", s.answer(), "%s still works on a deleted resource", op.Endpoint())
	}
}

// orphan looks whether what is below a deleted resource is still there.
func (t *try) orphan(up, r *resource) {
	if !t.readable(r) || !t.vanishes(up) {
		return
	}
	read := r.kind.Read
	s, wrong := t.expect(read, r, "what is below the deleted resource could still be read", func(s *Step) bool { return !s.ok() })
	if wrong {
		t.blame(severityOf(has(read, http.StatusNotFound, http.StatusGone)), t.acting(), "404 or 410", s.answer(), "a resource below is still there after %s", t.Delete.Endpoint())
	}
}

// inherited looks whether what stood below a deleted resource stands below the one that has its
// identifier next.
func (t *try) inherited(up, r *resource) {
	mark := t.mark(r.made)
	if mark == nil || !bytes.Contains(t.read(r).body(), mark) || !t.remove(up) {
		return
	}
	next := t.beside(up, Edit{})
	if next == nil || next.id() != up.id() {
		return
	}
	if s := t.read(r); s.ok() && bytes.Contains(s.body(), mark) {
		t.blame(judge.Warning, s, "404 or 410", s.answer(), "what was below a deleted resource is now below the new one with the same identifier")
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
			if mark == nil || !bytes.Contains(shown.body(), mark) || !t.vanishes(r) || t.over() {
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
			if s, good, _ := t.await(k.Read, r, func(s *Step) bool { return !s.ok() || !bytes.Contains(s.body(), mark) }); !good {
				t.blame(severityOf(has(k.Read, http.StatusNotFound, http.StatusGone)), s, "404 or 410", s.answer(), "what %s deleted was gone, but is back after %s", k.Delete.Endpoint(), name)
			}
		})
	}
	// What another request makes meanwhile may be what brings it back.
	p.add(judge.DeletedStillThere, "comes-back", func(t *try) { come(t, []string{k.Make.ID}) }, k.Delete, k.Read).Alone = true
	p.add(judge.DeletedStillThere, "comes-back-later", func(t *try) { come(t, deeds) }, k.Delete, k.Read)
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
	optional := optionalOf(p.actor, k.Make)
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

// vanishes deletes a resource, and reports whether it is gone then, as far as it can be read.
func (t *try) vanishes(r *resource) bool {
	return t.remove(r) && (r.kind.Read == nil || r.kind.ReadInList || t.gone(r))
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
		if !t.marks(r, before.got(k, r.id()), s.got(k, r.id())) {
			t.blame(severityOf(has(k.Read, http.StatusNotFound, http.StatusGone)), t.acting(), "404 or 410, or something that tells that it is deleted", s.answer(), "%s deletes nothing: the resource is still read and listed as it was, but for its version and times", k.Delete.Endpoint())
			return
		}
		t.blame(judge.Warning, t.acting(), "404 or 410", s.answer(), "what %s deleted can still be read, with other values", k.Delete.Endpoint())
	case late:
		t.settled("what " + k.Delete.Endpoint() + " deleted could still be read")
	}
}
