package chain

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// acted plans whether what an action answers is read then: POST /orders/{orderId}/cancel that
// answers with the order, canceled; and whether one with a 409 is refused in some state.
func (p *planner) acted() {
	k := p.kind
	for _, op := range k.Actions {
		p.onNew(judge.ActionNotStored, "", func(t *try, r *resource) {
			if !t.prepares(op, r) {
				return
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
		if has(op, http.StatusConflict) {
			p.onNew(judge.ConflictIgnored, "in-every-state", func(t *try, r *resource) { t.actInEveryState(r, op) }, op, k.Read)
		}
	}
}

// prepares brings a new resource into the state in which an action takes it.
func (t *try) prepares(op *contract.Operation, r *resource) bool {
	for _, before := range t.actor.Before(op) {
		if !t.do(before, r, Edit{}).ok() {
			return false
		}
	}
	return !t.over()
}

// maxStates is how many other actions a resource is brought to a state by.
const maxStates = 5

// actInEveryState looks whether an action is refused after itself, or after another action. It may
// do nothing the second time, so that alone says nothing where it is refused elsewhere: a canceled
// order can be canceled again, and one that is shipped cannot. Only where no state refuses it, the
// 409 that the document has for it is without effect.
func (t *try) actInEveryState(r *resource, op *contract.Operation) {
	if !t.prepares(op, r) {
		return
	}
	one, two := t.shown(r), t.shown(r)
	s := t.do(op, r, Edit{})
	after := t.shown(r)
	again := t.do(op, r, Edit{})
	then := t.shown(r)
	if t.over() || !s.ok() || !again.ok() {
		return
	}
	name := ""
	for _, n := range sortedKeys(one) {
		if _, sent := s.sent()[n]; !sent && same(one[n], two[n]) && isState(one[n]) && isState(after[n]) && !alike(one[n], after[n]) && same(after[n], then[n]) {
			name = n
			break
		}
	}
	if name == "" {
		return
	}
	states := []string{show(one[name]), show(after[name])}
	for _, other := range t.Actions[:min(len(t.Actions), maxStates)] {
		if other == op {
			continue
		}
		r := t.beside(r, Edit{})
		if r == nil {
			return
		}
		if !t.prepares(other, r) || !t.do(other, r, Edit{}).ok() { // it may come after the action alone
			if !t.do(op, r, Edit{}).ok() {
				return
			}
			if !t.do(other, r, Edit{}).ok() {
				continue
			}
		}
		state := show(t.shown(r)[name])
		if slices.Contains(states, state) {
			continue
		}
		if last := t.do(op, r, Edit{}); t.over() || !last.ok() {
			return
		}
		states = append(states, state)
	}
	t.blame(judge.Warning, again, "409 for one of them", again.answer()+" for "+strings.Join(states, ", "), "%s is accepted whatever the %s is, despite its documented 409", op.Endpoint(), name)
}

// isState reports whether a value may be the state that something is in: no number, which may be
// an amount, and no time.
func isState(v any) bool {
	_, isText := v.(string)
	_, isBool := v.(bool)
	return isText && !isTime(v) || isBool
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
	if !s.ok() || !t.Part() && !named(answered, t.Kind, r.id()) || !isPart && !isWhole {
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
