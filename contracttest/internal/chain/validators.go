package chain

import (
	"net/http"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// strong is the entity tag of an answer, if it is a strong one.
func (s *Step) strong() string {
	if s.Response == nil {
		return ""
	}
	tag := s.Response.Header.Get("ETag")
	if strings.HasPrefix(tag, "W/") {
		return ""
	}
	return tag
}

// validated plans what is looked for where a resource has a validator.
func (p *planner) validated() {
	k := p.kind
	if k.Read == nil {
		return
	}
	for _, op := range []*contract.Operation{k.Put, k.Patch} {
		if op == nil {
			continue
		}
		p.add(judge.ValidatorStale, op.ID, func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			before := t.read(r)
			if !before.ok() || before.strong() == "" || !t.do(op, r, Edit{Set: t.others(op)}).ok() {
				return
			}
			after := t.read(r)
			if after.ok() && after.strong() == before.strong() && string(after.Response.Body) != string(before.Response.Body) {
				t.blame(judge.Error, after, "another ETag", after.strong(), "the body is another after %s, and the strong ETag is the same", op.ID)
			}
		}, k.Read, op)
	}
	for _, op := range []*contract.Operation{k.Put, k.Patch, k.Delete} {
		if op == nil {
			continue
		}
		if !takes(op, "If-Match") && !has(op, http.StatusPreconditionFailed, http.StatusPreconditionRequired) {
			continue // a server may have validators for caches alone
		}
		p.add(judge.PreconditionIgnored, "stale", func(t *try) {
			r, stale, first := t.changedOnce()
			if r == nil {
				return
			}
			set := t.others(op)
			s := t.do(op, r, Edit{Set: set, Header: map[string]string{"If-Match": stale}})
			switch {
			case s.ok():
				t.blame(judge.Error, s, "412", s.answer(), "%s takes an If-Match of what the resource was before", op.ID)
			case s.status() == http.StatusPreconditionFailed && !t.over():
				after := t.read(r)
				if after.gone() {
					t.blame(judge.Error, s, "the resource as it was", after.answer(), "%s was refused with %s, and the resource is gone", op.ID, s.answer())
				} else if got := after.got(k, r.id()); after.ok() {
					for _, name := range sortedKeys(s.sent()) {
						if v := s.sent()[name]; !same(v, first[name]) && same(got[name], v) {
							t.blame(judge.Error, s, name+": "+show(first[name]), name+": "+show(v), "%s was refused with %s, and has stored %s all the same", op.ID, s.answer(), name)
						}
					}
				}
			}
		}, op, k.Read)
		p.add(judge.PreconditionIgnored, "current", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			before := t.read(r)
			if !before.ok() || before.strong() == "" || t.peek(k.Read, r, Edit{}).strong() != before.strong() {
				return
			}
			if s := t.do(op, r, Edit{Header: map[string]string{"If-Match": before.strong()}}); s.status() == http.StatusPreconditionFailed {
				t.blame(judge.Error, s, "a success", s.answer(), "%s refuses the If-Match that %s has just answered", op.ID, k.Read.ID)
			}
		}, op, k.Read)
	}
	if takes(k.Read, "If-None-Match") || has(k.Read, http.StatusNotModified) {
		p.add(judge.PreconditionIgnored, "unchanged", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			before := t.read(r)
			if before.strong() == "" || t.peek(k.Read, r, Edit{}).strong() != before.strong() {
				return
			}
			if s := t.do(k.Read, r, Edit{Header: map[string]string{"If-None-Match": before.strong()}}); s.status() == http.StatusOK {
				t.blame(judge.Error, s, "304", s.answer(), "%s does not heed the If-None-Match that it has just answered", k.Read.ID)
			}
		}, k.Read)
	}
	for _, op := range []*contract.Operation{k.Put, k.Patch} {
		p.add(judge.ValidatorStale, labelOfOp(op)+"/not-modified", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			before := t.read(r)
			kept := t.kept(r)
			if before.strong() == "" || t.over() {
				return
			}
			change := t.do(op, r, Edit{Set: t.others(op)})
			if !change.ok() || t.over() {
				return
			}
			now := t.shown(r)
			changed := false
			for name, v := range kept {
				changed = changed || !same(now[name], v)
			}
			if s := t.do(k.Read, r, Edit{Header: map[string]string{"If-None-Match": before.strong()}}); changed && s.status() == http.StatusNotModified {
				t.blame(judge.Error, s, "200 with what it is now", s.answer(), "%s answers 304 for what has changed", k.Read.ID)
			}
		}, k.Read, op)
		if op == nil || !takes(op, "If-Match") && !has(op, http.StatusPreconditionFailed) {
			continue
		}
		p.add(judge.LostUpdate, "", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			before := t.read(r)
			if before.strong() == "" || t.over() {
				return
			}
			members := t.others(op)
			if len(members) == 0 {
				return
			}
			header := map[string]string{"If-Match": before.strong()}
			both := make([]*Step, 2)
			var wg sync.WaitGroup
			for i := range both {
				e := Edit{Header: header}
				if i > 0 {
					e.Set = members
				}
				wg.Go(func() { both[i] = t.actor.Do(t.ctx, op, r.values, e) })
			}
			wg.Wait()
			t.steps = append(t.steps, both...)
			if both[0].ok() && both[1].ok() {
				t.blame(judge.Error, both[1], "412 for one of the two", both[1].answer(), "two requests to %s at once with one If-Match are both accepted", op.ID)
			}
		}, op, k.Read)
	}
}

// changedOnce makes a resource with a strong validator that is no longer its own, as it
// was changed since. It returns the old one and what the resource has now; nil where
// there is none.
func (t *try) changedOnce() (r *resource, stale string, now map[string]any) {
	k := t.Kind
	if r = t.make(Edit{}); r == nil || t.over() {
		return nil, "", nil
	}
	before := t.read(r)
	change := k.Put
	if change == nil {
		change = k.Patch
	}
	if before.strong() == "" || change == nil || t.over() || !t.do(change, r, Edit{Set: t.others(change)}).ok() {
		return nil, "", nil
	}
	after := t.peek(k.Read, r, Edit{})
	if !after.ok() || after.strong() == "" || after.strong() == before.strong() {
		return nil, "", nil // another check is about that
	}
	return r, before.strong(), after.got(k, r.id())
}
