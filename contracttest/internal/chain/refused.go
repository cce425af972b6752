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
		set := Others(p.actor, op)
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
			s, _ := t.attempt(k, r.parent(), Edit{Case: c})
			t.nothing(r, s)
		}, k.Make, k.List)
	}
	for _, op := range []*contract.Operation{k.Put, k.Patch} {
		p.add(judge.RefusedButDone, "not-there", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() || !t.remove(r) || !t.peek(k.Read, r, Edit{}).gone() {
				return
			}
			s := t.do(op, r, Edit{})
			mark := t.mark(s)
			if mark == nil || !s.gone() || t.over() {
				return
			}
			if after := t.read(r); after.ok() && bytes.Contains(after.body(), mark) {
				t.blame(severityOfRefusal(op, s), s, "nothing", after.answer(), "%s was refused with %s, but something was created", op.Endpoint(), s.answer())
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
		t.blame(severityOfRefusal(t.Make, s), s, "nothing from the refused request", "the list shows it", "%s was refused with %s, but something was created", t.Make.Endpoint(), s.answer())
	}
}

// next plans what becomes of the request after one that was refused: nothing of the refused
// one is in it, and it is carried out.
func (p *planner) next() {
	k := p.kind
	if k.Read == nil {
		return
	}
	members, _ := p.actor.Base(k.Make)
	optional := optionalOf(k, members)
	for _, op := range k.Bodies() {
		cases := map[string]*plan.Case{}
		var labels []string
		for _, c := range p.actor.Broken(op) {
			if label := labelOf(c); len(labels) < maxBroken && !c.Anonymous {
				cases[label], labels = c, append(labels, label)
			}
		}
		if len(labels) == 0 || op == k.Make && len(optional) == 0 {
			continue
		}
		check := k.stores(op)
		p.add(check, "after-a-refusal", func(t *try) {
			first := t.make(Edit{})
			if first == nil || t.over() {
				return
			}
			kept := t.kept(first)
			var otherwise map[string]any
			if op == k.Make {
				t.steps = t.stepsAbove(first)
				plain := t.beside(first, Edit{Drop: optional})
				if plain == nil || t.over() {
					return
				}
				otherwise = t.shown(plain)
				t.steps = t.stepsAbove(plain)
			}
			set := false
			t.each(labels, func(label string) {
				if op == k.Make {
					s, _ := t.attempt(k, first.parent(), Edit{Case: cases[label], Set: t.others(op)})
					r := t.beside(first, Edit{Drop: optional})
					if r == nil || !s.refused() || t.over() {
						return
					}
					after := t.read(r)
					for _, name := range sortedKeys(after.got(k, r.id())) {
						_, sent := r.made.sent()[name]
						if v := after.got(k, r.id())[name]; !sent && !same(v, otherwise[name]) && t.leftOver(r, name, v) {
							t.blame(judge.Warning, t.acting(), name+": "+show(otherwise[name]), name+": "+show(v), "a new resource has a value from an earlier, refused request: %s", name)
						}
					}
					return
				}
				e := Edit{}
				if set = !set; set { // another time what it was
					e.Set = t.others(op)
				}
				if !t.do(op, first, Edit{Case: cases[label]}).refused() || t.over() {
					return
				}
				if change := t.do(op, first, e); change.ok() && !t.over() {
					t.stored(op, change, first, kept, nil)
				}
			})
		}, op, k.Read).Alone = true
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
		t.blame(severity, s, "the resource as it was", after.answer(), "%s was refused with %s, but the resource is gone", op.Endpoint(), s.answer())
		return
	}
	sent, got := s.sent(), after.got(k, r.id())
	for _, name := range sortedKeys(kept) {
		v, was := sent[name]
		if was && after.ok() && !same(v, kept[name]) && same(got[name], v) {
			t.blame(severity, s, name+": "+show(kept[name]), name+": "+show(v), "%s was refused with %s, but %s was stored", op.Endpoint(), s.answer(), name)
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
