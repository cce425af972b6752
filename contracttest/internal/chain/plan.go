package chain

import (
	"fmt"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// Plan lists the chains of some kinds, in the order of the kinds.
func Plan(kinds []*Kind, actor Actor) []*Chain {
	var all []*Chain
	for _, k := range kinds {
		k.readInList()
	}
	for _, k := range kinds {
		p := &planner{kind: k, kinds: kinds, actor: actor}
		if k.Part() {
			p.part()
			all = append(all, p.all...)
			continue
		}
		p.created()
		p.eachChoice()
		p.changed()
		p.patched()
		p.acted()
		p.batches()
		p.refused()
		p.deleted()
		p.validated()
		p.related()
		p.read()
		p.conflicting()
		p.inUse()
		p.listed()
		if k.All != nil {
			p.kind = k.listedIn(k.All)
			p.listed()
		}
		all = append(all, p.all...)
	}
	return all
}

type planner struct {
	kind  *Kind
	kinds []*Kind
	actor Actor
	all   []*Chain
}

// add adds a chain that ends with an operation, if the document has all those that it
// needs. What tells it from others of the same check and operation is its variant.
func (p *planner) add(check, variant string, act func(*try), last *contract.Operation, needs ...*contract.Operation) *Chain {
	ops := append([]*contract.Operation{last, p.kind.Make}, needs...)
	if slices.Contains(ops, nil) || !p.inLists(check, ops) {
		return &Chain{}
	}
	last = ops[0]
	if p.kind.stays() && slices.ContainsFunc(p.all, func(c *Chain) bool { return c.Check == check && c.Ops[0] == last }) {
		return &Chain{} // what is made stays: one is enough
	}
	for up := p.kind.Parent; up != nil; up = up.Parent {
		ops = append(ops, up.Make)
	}
	c := &Chain{ID: fmt.Sprintf("%s#%s", last.StatusClause.Name, check), Check: check, Alone: p.kind.Single(), Kind: p.kind, Ops: ops, act: act}
	if variant != "" {
		c.ID += "/" + variant
	}
	for n, first := 2, c.ID; slices.ContainsFunc(p.all, func(other *Chain) bool { return other.ID == c.ID }); n++ {
		c.ID = fmt.Sprintf("%s~%d", first, n)
	}
	p.all = append(p.all, c)
	return c
}

// onNew adds a chain that begins with a new resource.
func (p *planner) onNew(check, variant string, act func(*try, *resource), last *contract.Operation, needs ...*contract.Operation) *Chain {
	return p.add(check, variant, func(t *try) {
		if r := t.make(Edit{}); r != nil {
			act(t, r)
		}
	}, last, needs...)
}

// present are those of some operations that the document has.
func present(ops ...*contract.Operation) []*contract.Operation {
	return slices.DeleteFunc(ops, func(op *contract.Operation) bool { return op == nil })
}

// severityOf is an error where the document says what the answer has to be.
func severityOf(documented bool) judge.Severity {
	if documented {
		return judge.Error
	}
	return judge.Warning
}
