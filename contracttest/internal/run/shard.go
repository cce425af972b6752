package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/world"
	"github.com/dataarts-go/factory/contracttest/report"
)

// divide leaves to the selection the operations of one shard. Those of a resource stay together,
// as what is made for one of them is what the others are about, and an answer to one is evidence
// for another. The heaviest resources are dealt out first, each to the shard that has the least.
func (s *Selection) divide(ctx context.Context, c *contract.Contract, opts *Options) {
	if opts.Shard.Of == 0 {
		return
	}
	s.shard = &report.Shard{Number: opts.Shard.Number, Of: opts.Shard.Of}
	w := world.New(c)
	p := newPlan(ctx, c, opts.plan("", s), filter{opts, s, w}).begin(nil)
	p.wait()
	var groups []*resource
	for _, ops := range byResource(c, w) {
		g := &resource{}
		for _, op := range ops {
			if slices.ContainsFunc(op.Clauses, s.Clause) {
				g.ops = append(g.ops, op)
				g.weight++ // it is to be in one shard even where it has no case
				if pt := p.known(op); pt != nil {
					g.weight += pt.total
				}
			}
		}
		groups = append(groups, g)
	}
	for _, op := range c.Operations {
		if slices.ContainsFunc(op.Clauses, s.Clause) {
			s.shard.Operations = append(s.shard.Operations, op.ID)
		}
	}
	slices.SortStableFunc(groups, func(a, b *resource) int { return cmp.Compare(b.weight, a.weight) })
	loads := make([]int, opts.Shard.Of)
	among := map[string]bool{}
	for _, g := range groups {
		least := slices.Index(loads, slices.Min(loads))
		loads[least] += g.weight
		for _, op := range g.ops {
			among[op.ID] = least == opts.Shard.Number-1
		}
	}
	s.among = among
	if loads[opts.Shard.Number-1] == 0 && s.idle == "" {
		s.idle = fmt.Sprintf("shard %d/%d is empty: there are fewer resources than shards", opts.Shard.Number, opts.Shard.Of)
	}
}

// resource is what a shard has as a whole.
type resource struct {
	ops    []*contract.Operation
	weight int
}

// byResource groups the operations by what they are about: who makes it, those on the item and on the
// collection, and whatever stands below the item.
func byResource(c *contract.Contract, w *world.World) [][]*contract.Operation {
	root := map[string]string{} // of a path; itself where it has none
	var find func(path string) string
	find = func(path string) string {
		if up, ok := root[path]; ok && up != path {
			return find(up)
		}
		return path
	}
	join := func(a, b string) {
		if a, b = find(a), find(b); a != b {
			root[b] = a
		}
	}
	for _, k := range chain.Kinds(c, w) {
		join(k.Make.Template(), strings.TrimSuffix(k.Item, "/"))
	}
	items := map[string]bool{}
	for _, op := range c.Operations {
		path := op.Template()
		if last := strings.LastIndexByte(path, '/'); strings.HasPrefix(path[last+1:], "{") {
			items[path] = true
			join(path[:max(last, 0)], path)
		}
	}
	for _, op := range c.Operations {
		path := op.Template()
		for i, b := range path {
			if b == '/' && items[path[:i]] {
				join(path[:i], path)
			}
		}
	}
	index := map[string]int{}
	var all [][]*contract.Operation
	for _, op := range c.Operations {
		at, ok := index[find(op.Template())]
		if !ok {
			at = len(all)
			index[find(op.Template())] = at
			all = append(all, nil)
		}
		all[at] = append(all[at], op)
	}
	return all
}

// nothing is the report of a run that has nothing to do.
func (o *Options) nothing(c *contract.Contract, sel *Selection, target string) *report.Report {
	return &report.Report{
		Version: report.Version, Tool: ToolVersion(), Spec: c.File, Target: target, Seed: o.Seed, FailOn: o.FailOn, MinCoverage: o.MinCoverage,
		Warnings: slices.Clone(c.Warnings), Findings: []report.Finding{}, Shard: sel.shard, Since: sel.since, Idle: sel.idle,
		Stats:    report.Stats{DocumentFaults: c.Faults()},
		Coverage: report.Coverage{Unreached: []report.Unreached{}, ByClause: []report.Clause{}},
		Rules:    Rules(o.checks()), Sources: c.Sources,
	}
}
