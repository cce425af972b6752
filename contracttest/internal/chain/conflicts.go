package chain

import (
	"net/http"
	"slices"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// maxBroken is how many refused creations are tried for each value that has to be unique.
const maxBroken = 4

// conflicting plans what is looked for where two may not have the same value. Which
// properties those are is learned: a new resource with the value of another is refused
// with the 409 that the document has.
func (p *planner) conflicting() {
	k := p.kind
	if !has(k.Make, http.StatusConflict) || k.Read == nil {
		return
	}
	members, _ := p.actor.Base(k.Make)
	var names []string
	for _, name := range sortedKeys(members) {
		if _, isText := members[name].(string); isText && len(names) < maxChanged {
			names = append(names, name)
		}
	}
	p.add(judge.ConflictIgnored, "at-once", func(t *try) {
		// What had the values is deleted: they are free for one of the two.
		r := t.make(Edit{})
		if r == nil || t.over() {
			return
		}
		again := Edit{Body: r.made.Request.Body}
		if s, _ := t.actor.Make(t.ctx, k, r.parent(), again); s == nil || s.status() != http.StatusConflict || !t.remove(r) || !t.peek(k.Read, r, Edit{}).gone() {
			return
		}
		both := make([]*Step, 2)
		var wg sync.WaitGroup
		for i := range both {
			wg.Go(func() { both[i], _ = t.actor.Make(t.ctx, k, r.parent(), again) })
		}
		wg.Wait()
		t.steps = append(t.stepsAbove(r), both...)
		if both[0].status() == http.StatusCreated && both[1].status() == http.StatusCreated && both[0].Made[k.Param.Spec.Name] != both[1].Made[k.Param.Spec.Name] && !t.over() {
			t.blame(judge.Warning, both[1], "409 for one of the two", both[1].answer(), "two concurrent requests to %s with the same values are both accepted; sent one after the other, the second is refused with 409", k.Make.Endpoint())
		}
	}, k.Make, k.Delete)
	broken := p.actor.Broken(k.Make)
	for _, name := range names {
		// unique makes a resource whose value nobody else may have.
		unique := func(t *try) (*resource, any) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return nil, nil
			}
			v := r.made.sent()[name]
			if text, ok := v.(string); !ok || !t.unique(text) {
				return nil, nil
			}
			s, _ := t.actor.Make(t.ctx, k, r.parent(), Edit{Set: map[string]any{name: v}})
			if s == nil || s.status() != http.StatusConflict {
				return nil, nil
			}
			return r, v
		}
		for _, op := range []*contract.Operation{k.Put, k.Patch} {
			if prop(op, name) == nil {
				continue
			}
			p.add(judge.ConflictIgnored, name, func(t *try) {
				r, v := unique(t)
				if r == nil || t.over() {
					return
				}
				other := t.beside(r, Edit{})
				if other == nil || t.over() {
					return
				}
				kept := t.kept(other)
				set := t.others(op)
				set[name] = v
				s := t.do(op, other, Edit{Set: set})
				switch {
				case t.over():
				case s.ok():
					if after := t.peek(k.Read, other, Edit{}); after.ok() && same(after.got(k, other.id())[name], v) {
						t.blame(judge.Warning, s, "409", s.answer(), "%s accepts a %s that another resource has; %s refuses it with 409", op.Endpoint(), name, k.Make.Endpoint())
					}
				case s.refused():
					after := t.read(other)
					got := after.got(k, other.id())
					for _, n := range sortedKeys(kept) {
						if v, was := s.sent()[n]; was && after.ok() && !same(v, kept[n]) && same(got[n], v) {
							t.blame(severityOfRefusal(op, s), s, n+": "+show(kept[n]), n+": "+show(v), "%s was refused with %s, but %s was stored", op.Endpoint(), s.answer(), n)
						}
					}
				}
			}, op, k.Read)
			p.add(judge.ConflictIgnored, name+"/still-taken-after-"+op.ID, func(t *try) {
				r, v := unique(t)
				if r == nil || t.over() || !t.do(op, r, Edit{}).ok() {
					return
				}
				if now, there := t.shown(r)[name]; !there || same(now, v) {
					return
				}
				s, _ := t.actor.Make(t.ctx, k, r.parent(), Edit{Set: map[string]any{name: v}})
				if s != nil && s.status() == http.StatusConflict {
					t.steps = append(t.steps, s)
					t.blame(judge.Warning, s, "a success", s.answer(), "no resource has the %s any more, but it is refused as taken", name)
				}
			}, k.Make, op, k.Read)
		}
		p.add(judge.RefusedButDone, name+"/taken", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			v, ok := r.made.sent()[name].(string)
			others := func() int { // that have it too
				n := 0
				for _, page := range t.pages(r) {
					for _, item := range items(page) {
						if same(item[name], v) && identified(item, k) && !named(item, k, r.id()) {
							n++
						}
					}
				}
				return n
			}
			if !ok || !t.unique(v) || others() > 0 {
				return
			}
			s, _ := t.attempt(k, r.parent(), Edit{Set: map[string]any{name: v}})
			if s.status() == http.StatusConflict && others() > 0 && !t.over() {
				t.do(k.List, r, Edit{})
				t.blame(judge.Error, s, "one resource with it", "two", "%s was refused with %s, as another resource has the %s, but something was created", k.Make.Endpoint(), s.answer(), name)
			}
		}, k.Make, k.List).Alone = true
		p.add(judge.TextOfAnother, name, func(t *try) {
			r, v := unique(t)
			if r == nil || t.over() || t.beside(r, Edit{}) == nil || t.over() {
				return
			}
			if s, _ := t.attempt(k, r.parent(), Edit{Set: map[string]any{name: v}}); s.refused() && !t.over() {
				own := t.actor.Marks(string(s.Request.Body) + " " + string(r.made.Request.Body))
				for _, mark := range t.actor.Marks(string(s.body())) {
					if !slices.Contains(own, mark) && !t.over() {
						t.blame(judge.Warning, s, "no text from another request", "it contains one", "the response to a refused %s contains a text from another request", k.Make.Endpoint())
					}
				}
			}
		}, k.Make).Alone = true
		for _, other := range names {
			if other == name || !p.actor.Renewed(k.Make, other) || !p.actor.Renewed(k.Make, name) {
				continue
			}
			p.add(judge.RefusedButDone, other+"/as-"+name+"-is-taken", func(t *try) {
				r, v := unique(t)
				if r == nil || t.over() {
					return
				}
				if bad, _ := t.attempt(k, r.parent(), Edit{Set: map[string]any{name: v}}); bad.status() == http.StatusConflict && !t.over() {
					t.takes(r, bad, other)
				}
			}, k.Make)
		}
		for _, c := range broken[:min(len(broken), maxBroken)] {
			p.add(judge.RefusedButDone, name+"/"+labelOf(c), func(t *try) {
				r, _ := unique(t)
				if r == nil || t.over() {
					return
				}
				t.steps = t.stepsAbove(r)
				bad, _ := t.actor.Make(t.ctx, k, r.parent(), Edit{Case: c})
				if bad == nil || !bad.refused() || bad.open() {
					return
				}
				t.steps = append(t.steps, bad)
				t.takes(r, bad, name)
			}, k.Make)
		}
	}
}

// takes looks whether a creation that was refused has taken a value for itself.
func (t *try) takes(r *resource, bad *Step, name string) {
	v, ok := bad.sent()[name].(string)
	if !ok || !t.unique(v) {
		return
	}
	s, _ := t.attempt(t.Kind, r.parent(), Edit{Set: map[string]any{name: v}})
	if s.status() != http.StatusConflict || t.over() {
		return
	}
	// Something else than the value may stand against it: then it does so against all.
	if _, made := t.actor.Make(t.ctx, t.Kind, r.parent(), Edit{}); made != nil {
		t.blame(severityOfRefusal(t.Make, bad), bad, "a success", s.answer(), "%s was refused with %s, but its %s counts as taken since", t.Make.Endpoint(), bad.answer(), name)
	}
}
