package chain

import (
	"bytes"
	"net/http"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// refused plans what is looked for where a change was refused.
func (p *planner) refused() {
	k := p.kind
	for _, op := range []*contract.Operation{k.Put, k.Patch, k.Delete} {
		if op == nil || k.Read == nil {
			continue
		}
		set := others(p.actor, op)
		for _, c := range p.actor.Broken(op) {
			p.add(judge.RefusedButDone, labelOf(c), func(t *try) {
				r := t.make(Edit{})
				if r == nil || t.over() {
					return
				}
				t.undone(op, r, Edit{Case: c, Set: set})
			}, op, k.Read)
		}
	}
	for _, c := range p.actor.Broken(k.Make) {
		p.add(judge.RefusedButDone, labelOf(c), func(t *try) {
			// What is looked for is made first, to know that the list shows it.
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			mark := t.mark(r.made)
			if mark == nil || !t.lists(r, mark) {
				return
			}
			t.steps = t.stepsAbove(r)
			s, _ := t.actor.Make(t.ctx, k, r.parent(), Edit{Case: c})
			if s == nil || !s.refused() || s.open() {
				return
			}
			t.steps = append(t.steps, s)
			if mark := t.mark(s); mark != nil && t.lists(r, mark) {
				t.do(k.List, r, Edit{})
				t.blame(severityOfRefusal(k.Make, s), s, "nothing of a request that was refused", "the list shows it", "%s was refused with %s, and has made something all the same", k.Make.ID, s.answer())
			}
		}, k.Make, k.List)
	}
}

// labelOf names a case within those of an operation.
func labelOf(c *plan.Case) string {
	return c.Clause.Name[len(c.Op.ID)+1:] + "#" + c.ID[len(c.Clause.Name)+1:]
}

// undone sends a change that is refused, and looks whether it was done all the same.
func (t *try) undone(op *contract.Operation, r *resource, e Edit) {
	k := t.Kind
	kept := t.kept(r)
	s := t.do(op, r, e)
	if !s.refused() || t.over() {
		return
	}
	after := t.read(r)
	severity := severityOfRefusal(op, s)
	if after.gone() {
		t.blame(severity, s, "the resource as it was", after.answer(), "%s was refused with %s, and the resource is gone", op.ID, s.answer())
		return
	}
	sent, got := s.sent(), after.got(k, r.id())
	for _, name := range sortedKeys(kept) {
		v, was := sent[name]
		if was && after.ok() && !same(v, kept[name]) && same(got[name], v) {
			t.blame(severity, s, name+": "+show(kept[name]), name+": "+show(v), "%s was refused with %s, and has stored %s all the same", op.ID, s.answer(), name)
		}
	}
}

// severityOfRefusal is an error where the status says that nothing was done.
func severityOfRefusal(op *contract.Operation, s *Step) judge.Severity {
	switch s.status() {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity:
		return judge.Error
	}
	return severityOf(op.Method == http.MethodPatch)
}

// mark is a text of a request that no other has; nil where there is none.
func (t *try) mark(s *Step) []byte {
	for _, name := range sortedKeys(s.sent()) {
		if text, ok := s.sent()[name].(string); ok && t.actor.Unique(text) {
			return []byte(text)
		}
	}
	return nil
}

// lists reports whether the list that a resource is in has a text.
func (t *try) lists(r *resource, mark []byte) bool {
	for _, s := range t.pages(r) {
		if bytes.Contains(bytes.ToLower(s.Response.Body), bytes.ToLower(mark)) {
			return true
		}
	}
	return false
}

// stepsAbove are the steps that have made what a resource stands below.
func (t *try) stepsAbove(r *resource) []*Step {
	var all []*Step
	for _, s := range t.steps {
		if s != r.made {
			all = append(all, s)
		}
	}
	return all
}
