package chain

import (
	"net/http"
	"slices"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
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
	p.onNew(judge.ConflictIgnored, "at-once", (*try).takeAtOnce, k.Make, k.Delete)
	broken := p.actor.Broken(k.Make)
	for _, name := range names {
		for _, op := range present(k.Put, k.Patch) {
			if prop(op, name) == nil {
				continue
			}
			p.onTaken(judge.ConflictIgnored, name, name, func(t *try, r *resource, v any) { t.takeByChange(r, op, name, v) }, op, k.Read)
			p.onTaken(judge.ConflictIgnored, name+"/still-taken-after-"+op.ID, name, func(t *try, r *resource, v any) { t.giveUp(r, op, name, v) }, k.Make, op, k.Read)
		}
		p.onNew(judge.RefusedButDone, name+"/taken", func(t *try, r *resource) { t.takeTwice(r, name) }, k.Make, k.List).Alone = true
		p.onTaken(judge.TextOfAnother, name, name, func(t *try, r *resource, v any) { t.textOfAnother(r, name, v) }, k.Make).Alone = true
		for _, other := range names {
			if other == name || !p.actor.Renewed(k.Make, other) || !p.actor.Renewed(k.Make, name) {
				continue
			}
			p.onTaken(judge.RefusedButDone, other+"/as-"+name+"-is-taken", name, func(t *try, r *resource, v any) {
				if bad, _ := t.attempt(k, r.up, Edit{Set: map[string]any{name: v}}); bad.status() == http.StatusConflict {
					t.takes(r, bad, other)
				}
			}, k.Make)
		}
		for _, c := range broken[:min(len(broken), maxBroken)] {
			p.onTaken(judge.RefusedButDone, name+"/"+labelOf(c), name, func(t *try, r *resource, _ any) { t.takeByRefused(r, name, c) }, k.Make)
		}
	}
}

// onTaken adds a chain that begins with a resource whose value of a property no other may have.
func (p *planner) onTaken(check, variant, name string, act func(*try, *resource, any), last *contract.Operation, needs ...*contract.Operation) *Chain {
	return p.onNew(check, variant, func(t *try, r *resource) {
		v := r.made.sent()[name]
		if text, ok := v.(string); ok && t.unique(text) && t.takenBy(r, Edit{Set: map[string]any{name: v}}) != nil {
			act(t, r, v)
		}
	}, last, needs...)
}

// takenBy is the answer that refuses another resource below the same as its values are taken; nil
// where it is made, or refused otherwise. It is no step.
func (t *try) takenBy(r *resource, e Edit) *Step {
	if s, _ := t.send(r, e); s != nil && s.status() == http.StatusConflict {
		return s
	}
	return nil
}

// takeAtOnce asks twice at once for a resource with values that only one may have: what had them
// is deleted, so that they are free for one of the two.
func (t *try) takeAtOnce(r *resource) {
	k, again := t.Kind, Edit{Body: r.made.Request.Body}
	if t.takenBy(r, again) == nil || !t.vanishes(r) {
		return
	}
	both := make([]*Step, 2)
	var wg sync.WaitGroup
	for i := range both {
		wg.Go(func() { both[i], _ = t.send(r, again) })
	}
	wg.Wait()
	t.steps = append(t.stepsAbove(r), both...)
	if !slices.Contains(both, nil) && both[0].status() == http.StatusCreated && both[1].status() == http.StatusCreated && both[0].Made[k.Param.Spec.Name] != both[1].Made[k.Param.Spec.Name] {
		t.blame(judge.Warning, both[1], "409 for one of the two", both[1].answer(), "two concurrent requests to %s with the same values are both accepted; sent one after the other, the second is refused with 409", k.Make.Endpoint())
	}
}

// takeByChange gives another resource a value that is taken.
func (t *try) takeByChange(r *resource, op *contract.Operation, name string, v any) {
	other := t.beside(r, Edit{})
	if other == nil {
		return
	}
	kept := t.kept(other)
	set := t.others(op)
	set[name] = v
	// Several properties together may be what has to be unique: then the others must not differ.
	if first, _ := t.actor.Base(t.Make); t.takenBy(r, Edit{Set: only(set, sortedKeys(first)...)}) == nil {
		set = map[string]any{name: v}
	}
	s := t.do(op, other, Edit{Set: set})
	switch {
	case t.over():
	case s.ok():
		if after := t.peek(t.Read, other, Edit{}); after.ok() && same(after.got(t.Kind, other.id())[name], v) {
			t.blame(judge.Warning, s, "409", s.answer(), "%s accepts a %s that another resource has; %s refuses it with 409", op.Endpoint(), name, t.Make.Endpoint())
		}
	case s.refused():
		t.notDone(other, s, kept)
	}
}

// giveUp gives a resource another value than the one that is taken, and looks whether that is free then.
func (t *try) giveUp(r *resource, op *contract.Operation, name string, v any) {
	if !t.do(op, r, Edit{}).ok() {
		return
	}
	if now, there := t.shown(r)[name]; !there || same(now, v) {
		return
	}
	if s := t.takenBy(r, Edit{Set: map[string]any{name: v}}); s != nil {
		t.steps = append(t.steps, s)
		t.blame(judge.Warning, s, "a success", s.answer(), "no resource has the %s any more, but it is refused as taken", name)
	}
}

// takeTwice asks for another resource with the value of one, and looks whether it is made though
// that is refused.
func (t *try) takeTwice(r *resource, name string) {
	v, ok := r.made.sent()[name].(string)
	others := func() int { // that have it too
		n := 0
		for _, page := range t.pages(r) {
			for _, item := range items(page) {
				if same(item[name], v) && identifier(item, t.Kind) != "" && !named(item, t.Kind, r.id()) {
					n++
				}
			}
		}
		return n
	}
	if !ok || !t.unique(v) || others() > 0 {
		return
	}
	s, _ := t.attempt(t.Kind, r.up, Edit{Set: map[string]any{name: v}})
	if s.status() == http.StatusConflict && others() > 0 && !t.over() {
		t.do(t.List, r, Edit{})
		t.blame(judge.Error, s, "one resource with it", "two", "%s was refused with %s, as another resource has the %s, but something was created", t.Make.Endpoint(), s.answer(), name)
	}
}

// textOfAnother looks whether the refusal of a value that is taken shows texts of the other resource.
func (t *try) textOfAnother(r *resource, name string, v any) {
	if t.beside(r, Edit{}) == nil {
		return
	}
	s, _ := t.attempt(t.Kind, r.up, Edit{Set: map[string]any{name: v}})
	own := t.actor.Marks(string(s.Request.Body) + " " + string(r.made.Request.Body))
	for _, mark := range t.actor.Marks(string(s.body())) {
		if s.refused() && !slices.Contains(own, mark) {
			t.blame(judge.Warning, s, "no text from another request", "it contains one", "the response to a refused %s contains a text from another request", t.Make.Endpoint())
		}
	}
}

// takeByRefused looks whether a creation that is refused for something else takes a value.
func (t *try) takeByRefused(r *resource, name string, c *plan.Case) {
	t.steps = t.stepsAbove(r)
	bad, _ := t.send(r, Edit{Case: c})
	if bad != nil && bad.refused() && !bad.open() {
		t.steps = append(t.steps, bad)
		t.takes(r, bad, name)
	}
}

// takes looks whether a creation that was refused has taken a value for itself.
func (t *try) takes(r *resource, bad *Step, name string) {
	v, ok := bad.sent()[name].(string)
	if !ok || !t.unique(v) {
		return
	}
	s, _ := t.attempt(t.Kind, r.up, Edit{Set: map[string]any{name: v}})
	if s.status() != http.StatusConflict || t.over() {
		return
	}
	// Something else than the value may stand against it: then it does so against all.
	if _, made := t.send(r, Edit{}); made != nil {
		t.blame(severityOfRefusal(bad), bad, "a success", s.answer(), "%s was refused with %s, but its %s counts as taken since", t.Make.Endpoint(), bad.answer(), name)
	}
}
