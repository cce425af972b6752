package chain

import (
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// maxListed is how many properties are tried with each of the values that they may have.
const maxListed = 3

// eachChoice plans what is tried with each value of an enumeration: it may be done to what has the
// others alone, and be answered in the same way.
func (p *planner) eachChoice() {
	k := p.kind
	members, fixed := p.actor.Base(k.Make)
	listed := 0
	for _, name := range sortedKeys(members) {
		values := choices(prop(k.Make, name), members[name])
		if len(values) == 0 || fixed[name] || listed == maxListed {
			continue
		}
		listed++
		byText := map[string]any{}
		var texts []string
		for _, v := range values {
			text := textOf(normal(v))
			texts, byText[text] = append(texts, text), v
		}
		each := func(check, variant string, look func(*try, Edit), last *contract.Operation, needs ...*contract.Operation) *Chain {
			return p.add(check, name+"/each"+variant, func(t *try) {
				t.each(texts, func(text string) { look(t, Edit{Set: map[string]any{name: byText[text]}}) })
			}, last, needs...)
		}
		each(judge.CreatedDiffers, "", func(t *try, e Edit) { t.differs(e) }, k.Make, k.Read)
		for _, param := range k.filtersOf(name) {
			each(judge.FilterIgnored, "", func(t *try, e Edit) {
				if r := t.make(e); r != nil && param.Node.Validates(e.Set[name]) == nil {
					if other := t.beside(r, Edit{}); other != nil {
						t.filters(param, name, r, other)
					}
				}
			}, k.List, k.Read).Doubtful = k.shared() // below one of its own nobody else makes any
		}
		each(judge.DeletedStillThere, "", func(t *try, e Edit) {
			if r := t.make(e); r != nil {
				t.staysAway(r)
			}
		}, k.Delete, k.Read)
		for _, op := range present(k.Put, k.Patch) {
			check := map[*contract.Operation]string{k.Put: judge.PutNotStored, k.Patch: judge.PatchPartial}[op]
			if prop(op, name) != nil {
				each(check, "", func(t *try, e Edit) {
					if r := t.make(Edit{}); r != nil {
						e.Only = op == k.Patch
						t.change(op, r, e, name)
					}
				}, op, k.Read)
			}
			rest := p.besides(op, name)
			each(check, "-before", func(t *try, e Edit) {
				change := rest
				if change.Only = op == k.Patch; !change.Only && prop(op, name) != nil {
					change.Set = with(rest.Set, name, e.Set[name])
				}
				if r := t.make(e); r != nil {
					t.change(op, r, change)
				}
			}, op, k.Read)
		}
	}
}

// besides is a change of all properties but one.
func (p *planner) besides(op *contract.Operation, name string) Edit {
	e := Edit{Set: Others(p.actor, op)}
	delete(e.Set, name)
	members, fixed := p.actor.Base(op)
	for _, other := range sortedKeys(members) {
		if other != name && !fixed[other] && p.actor.Renewed(op, other) {
			e.Keep = append(e.Keep, other)
		}
	}
	return e
}
