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
	for _, op := range present(k.Put, k.Patch, k.Delete) {
		if k.Read == nil {
			continue
		}
		set := Others(p.actor, op)
		for _, c := range p.actor.Broken(op) {
			p.onNew(judge.RefusedButDone, labelOf(c), func(t *try, r *resource) {
				kept := t.kept(r)
				t.notDone(r, t.do(op, r, Edit{Case: c, Set: set}), kept)
			}, op, k.Read)
		}
	}
	for _, c := range p.actor.Broken(k.Make) {
		p.onNew(judge.RefusedButDone, labelOf(c), func(t *try, r *resource) {
			mark := t.mark(r.made) // what is looked for is made first, to know that the list shows it
			if mark == nil || !t.lists(r, mark) {
				return
			}
			t.steps = t.stepsAbove(r)
			s, _ := t.attempt(k, r.up, Edit{Case: c})
			t.nothing(r, s)
		}, k.Make, k.List)
	}
	for _, op := range present(k.Put, k.Patch) {
		p.onNew(judge.RefusedButDone, "not-there", func(t *try, r *resource) {
			if !t.vanishes(r) {
				return
			}
			s := t.do(op, r, Edit{})
			mark := t.mark(s)
			if mark == nil || !s.gone() || t.over() {
				return
			}
			if after := t.read(r); after.ok() && bytes.Contains(after.body(), mark) {
				t.blame(severityOfRefusal(s), s, "nothing", after.answer(), "%s was refused with %s, but something was created", op.Endpoint(), s.answer())
			}
		}, op, k.Read, k.Delete)
	}
	p.next()
}

// nothing looks whether the list that a resource is in shows anything of a creation that was
// refused.
func (t *try) nothing(r *resource, s *Step) {
	if mark := t.mark(s); mark != nil && s.refused() && t.lists(r, mark) {
		t.do(t.List, r, Edit{})
		t.blame(severityOfRefusal(s), s, "nothing from the refused request", "the list shows it", "%s was refused with %s, but something was created", t.Make.Endpoint(), s.answer())
	}
}

// next plans what becomes of the request after one that was refused: nothing of the refused
// one is in it, and it is carried out.
func (p *planner) next() {
	k := p.kind
	if k.Read == nil {
		return
	}
	optional := optionalOf(p.actor, k.Make)
	for _, op := range k.Bodies() {
		cases := map[string]*plan.Case{}
		var labels []string
		for _, c := range p.actor.Broken(op) {
			if label := labelOf(c); len(labels) < maxBroken && !c.Anonymous {
				cases[label], labels = c, append(labels, label)
			}
		}
		anew := op == k.Make && k.makesNew()
		if len(labels) == 0 || anew && len(optional) == 0 {
			continue
		}
		p.onNew(k.stores(op), "after-a-refusal", func(t *try, r *resource) {
			if anew {
				t.makeAfterRefusals(r, optional, labels, cases)
			} else {
				t.changeAfterRefusals(r, op, labels, cases)
			}
		}, op, k.Read).Alone = true
	}
}

// makeAfterRefusals makes resources without what they may leave out, each after a creation that is
// refused, and looks whether they have something of that.
func (t *try) makeAfterRefusals(first *resource, optional, labels []string, cases map[string]*plan.Case) {
	t.steps = t.stepsAbove(first)
	plain := t.beside(first, Edit{Drop: optional})
	if plain == nil {
		return
	}
	otherwise := t.shown(plain)
	t.steps = t.stepsAbove(plain)
	t.each(labels, func(label string) {
		s, _ := t.attempt(t.Kind, first.up, Edit{Case: cases[label], Set: t.others(t.Make)})
		r := t.beside(first, Edit{Drop: optional})
		if r == nil || !s.refused() || t.over() {
			return
		}
		got := t.read(r).got(t.Kind, r.id())
		for _, name := range sortedKeys(got) {
			_, sent := r.made.sent()[name]
			if v := got[name]; !sent && !same(v, otherwise[name]) && t.leftOver(r, name, v) {
				t.blameValue(judge.Warning, t.acting(), name, otherwise[name], v, "a new resource has a value from an earlier, refused request: %s", name)
			}
		}
	})
}

// changeAfterRefusals changes a resource, each time after a change that is refused.
func (t *try) changeAfterRefusals(r *resource, op *contract.Operation, labels []string, cases map[string]*plan.Case) {
	kept := t.kept(r)
	set := false
	t.each(labels, func(label string) {
		e := Edit{}
		if set = !set; set { // another time what it was
			e.Set = t.others(op)
		}
		if t.do(op, r, Edit{Case: cases[label]}).refused() && !t.over() {
			t.stored(t.do(op, r, e), r, kept)
		}
	})
}

// labelOf names a case within those of an operation.
func labelOf(c *plan.Case) string {
	return c.Clause.Name[len(c.Op.ID)+1:] + "#" + c.ID[len(c.Clause.Name)+1:]
}

// notDone looks whether a change that was refused was done all the same, by what is known of the
// resource before.
func (t *try) notDone(r *resource, s *Step, before map[string]any) {
	if !s.refused() || t.over() {
		return
	}
	after, severity := t.read(r), severityOfRefusal(s)
	if after.gone() {
		t.blame(severity, s, "the resource as it was", after.answer(), "%s was refused with %s, but the resource is gone", s.Op.Endpoint(), s.answer())
		return
	}
	sent, got := s.sent(), after.got(t.Kind, r.id())
	for _, name := range sortedKeys(before) {
		v, was := sent[name]
		if was && after.ok() && !same(v, before[name]) && same(got[name], v) {
			t.blameValue(severity, s, name, before[name], v, "%s was refused with %s, but %s was stored", s.Op.Endpoint(), s.answer(), name)
		}
	}
}

// severityOfRefusal is an error where the status says that nothing was done.
func severityOfRefusal(s *Step) judge.Severity {
	switch s.status() {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity:
		return judge.Error
	}
	return severityOf(s.Op.Method == http.MethodPatch)
}

// mark is a text of a request that no other has; nil where there is none.
func (t *try) mark(s *Step) []byte { return t.markOf(s.sent()) }

// markOf is the same of what a request has of one resource.
func (t *try) markOf(sent map[string]any) []byte {
	for _, name := range sortedKeys(sent) {
		if text, ok := sent[name].(string); ok && t.unique(text) {
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
