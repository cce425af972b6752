package contracttest

import (
	"context"
	"iter"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/run"
	"github.com/dataarts-go/factory/contracttest/internal/send"
)

// A PlannedCase is a request that a run would send: that of a case, or the last one of
// a sequence that makes resources first.
type PlannedCase struct {
	ID             string // the clause and a label: it can be given to Only
	Operation      string
	Clause         string // that it keeps at an edge, or breaks alone
	Method, Target string // Target is the path with its query, as they are sent, without credentials
	Expect         string // what the contract expects in return, in words
	// Leave says why the receiver may do otherwise; empty where it may not.
	Leave string
}

// Plan returns the cases that Run would send with the same arguments, in the
// order of the operations; nothing is sent, and the target may be the zero one.
// What Run learns from answers and what it repeats is not among them.
func Plan(ctx context.Context, c *Contract, target Target, opts ...Option) (iter.Seq[PlannedCase], error) {
	cfg, certificates, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	var to send.Target
	if target.open != nil {
		if to, err = target.open(certificates); err != nil {
			return nil, err
		}
	}
	cases, err := run.Plan(ctx, c.c, to, cfg)
	if err != nil {
		return nil, err
	}
	return func(yield func(PlannedCase) bool) {
		for pc := range cases {
			if !yield(PlannedCase{
				ID: pc.ID, Operation: pc.Op.ID, Clause: pc.Clause.Name, Method: pc.Method, Target: pc.Target, Expect: pc.Expect, Leave: pc.Leave,
			}) {
				return
			}
		}
	}, nil
}

// Operation is one method on one path.
type Operation struct {
	ID           string // the operationId, or METHOD_path where there is none
	Method, Path string // Path is the template, as the document has it
}

// Operations lists the operations that Run would try with the same options, in
// the order of the document.
func (c *Contract) Operations(opts ...Option) ([]Operation, error) {
	cfg, _, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	sel, err := run.Select(context.Background(), c.c, &cfg)
	if err != nil {
		return nil, err
	}
	var all []Operation
	for _, op := range c.c.Operations {
		if slices.ContainsFunc(op.Clauses, sel.Clause) {
			all = append(all, Operation{ID: op.ID, Method: op.Method, Path: op.Path})
		}
	}
	return all, nil
}
