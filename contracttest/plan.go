package contracttest

import (
	"context"
	"iter"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// A PlannedCase is a request that a run would send.
type PlannedCase struct {
	ID             string // the clause and a label: it can be given to Only
	Operation      string
	Clause         string // that it keeps at an edge, or breaks alone
	Method, Target string // Target is the path with its query, as they are sent
	Expect         string // what the contract expects in return, in words
	// Leave says why the receiver may do otherwise; empty where it may not.
	Leave string
}

var expected = map[plan.Expect]string{
	plan.Accept: "a documented success", plan.Refuse: "a documented refusal", plan.RefuseMethod: "405, 404 or 501",
	plan.RefusePath: "a refusal", plan.RefuseCredential: "401 or 403",
}

// Plan returns the cases that Run would send with the same arguments, in the
// order of the operations; nothing is sent, and the target may be the zero one.
// What Run learns from answers and what it repeats is not among them.
func Plan(ctx context.Context, c *Contract, target Target, opts ...Option) (iter.Seq[PlannedCase], error) {
	cfg, flt, err := c.selection(opts)
	if err != nil {
		return nil, err
	}
	if target.err != nil {
		return nil, target.err
	}
	base := c.c.BasePath
	if target.t != nil {
		if path, ok := target.t.BasePath(); ok {
			base = path
		}
	}
	if cfg.basePath != nil {
		base = *cfg.basePath
	}
	options := plan.Options{Known: cfg.known, Seed: cfg.seed, Random: cfg.random, BasePath: base, Want: flt.clause}
	p := makePlan(ctx, c.c, options, func(pc *plan.Case) bool { return flt.caseID(pc.ID) })
	return func(yield func(PlannedCase) bool) {
		for _, op := range p.ops {
			for _, pc := range p.cases(op) {
				if ctx.Err() != nil || !yield(PlannedCase{
					ID: pc.ID, Operation: op.ID, Clause: pc.Clause.Name, Method: pc.Request.Method, Target: pc.Request.Target,
					Expect: expected[pc.Expect], Leave: pc.Leave,
				}) {
					return
				}
			}
		}
	}, nil
}

// selection is what the options say, and what of the contract they choose.
func (c *Contract) selection(opts []Option) (*config, *filter, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, nil, err
	}
	flt, err := newFilter(c.c, cfg.only, cfg.skip)
	return cfg, flt, err
}

// Operation is one method on one path.
type Operation struct {
	ID           string // the operationId, or METHOD_path where there is none
	Method, Path string // Path is the template, as the document has it
}

// Operations lists the operations that Run would try with the same options, in
// the order of the document.
func (c *Contract) Operations(opts ...Option) ([]Operation, error) {
	_, flt, err := c.selection(opts)
	if err != nil {
		return nil, err
	}
	var all []Operation
	for _, op := range c.c.Operations {
		if slices.ContainsFunc(op.Clauses, flt.clause) {
			all = append(all, Operation{ID: op.ID, Method: op.Method, Path: op.Path})
		}
	}
	return all, nil
}
