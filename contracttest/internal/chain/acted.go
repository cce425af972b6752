package chain

import (
	"slices"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// acted plans whether what an action answers is read then: POST /orders/{orderId}/cancel that
// answers with the order, canceled.
func (p *planner) acted() {
	k := p.kind
	for _, op := range k.Actions {
		p.onNew(judge.ActionNotStored, "", func(t *try, r *resource) {
			for _, before := range p.actor.Before(op) {
				if !t.do(before, r, Edit{}).ok() {
					return
				}
			}
			one, two := t.shown(r), t.shown(r)
			s := t.do(op, r, Edit{})
			told := t.changes(r, s, one, two)
			if len(told) == 0 || t.over() {
				return
			}
			var left []string
			_, wrong := t.expectValues(r, "a read did not show what "+op.Endpoint()+" returned", func(got map[string]any) bool {
				left = slices.DeleteFunc(slices.Clone(told), func(name string) bool { return !same(got[name], one[name]) })
				return len(left) == 0
			})
			if wrong {
				answered, name := s.got(k, r.id()), left[0]
				t.blameValue(judge.Warning, s, name, answered[name], one[name], "%s responds with a change of %s, but a read shows the old value", op.Endpoint(), listing(left))
			}
		}, op, k.Read)
	}
}

// changes are the properties of a resource that the answer to an action has otherwise than two
// reads before it. The answer has to be the resource or a part of it: what something else has
// under the same names, as a receipt does, is its own.
func (t *try) changes(r *resource, s *Step, one, two map[string]any) []string {
	answered := s.got(t.Kind, r.id())
	isPart, isWhole := true, true
	for name := range answered {
		_, there := one[name]
		isPart = isPart && there
	}
	for name, v := range one {
		w, there := answered[name]
		isWhole = isWhole && there
		if slices.Contains(t.names(), world.Plain(name)) && there && !same(v, w) {
			return nil
		}
	}
	if !s.ok() || !named(answered, t.Kind, r.id()) || !isPart && !isWhole {
		return nil
	}
	var all []string
	for _, name := range sortedKeys(answered) {
		if v, there := one[name]; there && same(v, two[name]) && sameKind(v, answered[name]) && !alike(v, answered[name]) {
			all = append(all, name)
		}
	}
	return all
}

// sameKind reports whether two values may be of one property that has changed, and are not two
// ways to write it: a time in parts of a second that are not stored is none.
func sameKind(a, b any) bool {
	x, isText := a.(string)
	y, areTexts := b.(string)
	if isText && areTexts {
		t, err := time.Parse(time.RFC3339, x)
		u, otherErr := time.Parse(time.RFC3339, y)
		return err != nil || otherErr != nil || t.Sub(u).Abs() > time.Second
	}
	return isText == areTexts && isComposed(a) == isComposed(b)
}
