package report

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Merge makes one report of those of all shards of a run, as a run without them would have made
// it, but for how many requests that took and what is said of several operations in one sentence.
func Merge(shards ...*Report) (*Report, error) {
	if err := complete(shards); err != nil {
		return nil, err
	}
	shards = slices.SortedFunc(slices.Values(shards), func(a, b *Report) int { return a.Shard.Number - b.Shard.Number })
	first := shards[0]
	out := *first
	out.Shard, out.Idle, out.Incomplete, out.Groups, out.Baseline = nil, "", "", nil, nil
	out.Findings, out.Operations, out.Unproven, out.Warnings, out.Inconclusive = []Finding{}, nil, nil, nil, nil
	out.Exchanges = nil
	out.Stats, out.Coverage = Stats{}, Coverage{Unreached: []Unreached{}, ByClause: []Clause{}}
	var targets, incomplete, idle []string
	worked, void := 0, 0
	for _, r := range shards {
		targets = append(targets, r.Target)
		out.Warnings = append(out.Warnings, r.Warnings...)
		out.Stats.DocumentFaults = max(out.Stats.DocumentFaults, r.Stats.DocumentFaults)
		if r.Idle != "" {
			idle = append(idle, r.Idle)
			continue
		}
		worked++
		if r.Void {
			void++
		}
		if r.Incomplete != "" {
			incomplete = append(incomplete, r.Incomplete)
		}
		out.Findings = append(out.Findings, r.Findings...)
		out.Operations = append(out.Operations, r.Operations...)
		out.Unproven = append(out.Unproven, r.Unproven...)
		out.Inconclusive = append(out.Inconclusive, r.Inconclusive...)
		out.Exchanges = append(out.Exchanges, r.Exchanges...)
		out.Stats.add(&r.Stats)
		out.Coverage.add(&r.Coverage)
		out.Baseline = out.Baseline.with(r.Baseline)
	}
	out.Void = worked > 0 && void == worked
	if worked == 0 {
		out.Idle = strings.Join(distinct(idle), "; ")
	}
	out.Target, out.Incomplete = strings.Join(distinct(targets), " and "), strings.Join(distinct(incomplete), "; ")
	out.Warnings, out.Inconclusive = distinct(out.Warnings), distinct(out.Inconclusive)
	out.inOrder(first.Shard.Operations)
	out.Sort()
	return &out, nil
}

// complete says what is wrong with reports that are not those of all shards of a run.
func complete(shards []*Report) error {
	if len(shards) == 0 {
		return errors.New("there is no report to be merged")
	}
	first := shards[0]
	there := map[int]bool{}
	for _, r := range shards {
		switch {
		case r.Shard == nil || first.Shard == nil:
			return errors.New("one of the reports is not of a shard: each has to be of a run with --shard I/N")
		case r.Shard.Of != first.Shard.Of:
			return fmt.Errorf("the reports are of different runs: shard %s and shard %s", first.Shard, r.Shard)
		case r.Spec != first.Spec, r.Seed != first.Seed, !slices.Equal(r.Shard.Operations, first.Shard.Operations):
			return fmt.Errorf("shard %s (%s, seed %d) and shard %s (%s, seed %d) are of different runs: document, seed and chosen operations have to be the same",
				first.Shard, first.Spec, first.Seed, r.Shard, r.Spec, r.Seed)
		case there[r.Shard.Number]:
			return fmt.Errorf("shard %s is there twice", r.Shard)
		}
		there[r.Shard.Number] = true
	}
	for n := range first.Shard.Of {
		if !there[n+1] {
			return fmt.Errorf("shard %d/%d is missing: give its report too", n+1, first.Shard.Of)
		}
	}
	return nil
}

func (s *Stats) add(o *Stats) {
	s.Operations += o.Operations
	s.Cases += o.Cases
	s.Exchanges += o.Exchanges
	s.Seconds += o.Seconds
	if s.Started == "" || o.Started != "" && o.Started < s.Started {
		s.Started = o.Started
	}
}

func (c *Coverage) add(o *Coverage) {
	c.Clauses += o.Clauses
	c.Kept += o.Kept
	c.Broken += o.Broken
	c.Observed += o.Observed
	c.NotProven += o.NotProven
	c.Possible += o.Possible
	c.ByClause = append(c.ByClause, o.ByClause...)
	c.Unreached = append(c.Unreached, o.Unreached...)
}

// with adds what another shard says of the same baseline. An entry that one of them has tried is
// not untried.
func (b *Baseline) with(o *Baseline) *Baseline {
	switch {
	case o == nil:
		return b
	case b == nil:
		sum := *o
		sum.Stale = slices.Clone(o.Stale)
		return &sum
	}
	b.Untried = max(0, b.Untried-(o.Entries-o.Untried))
	b.Added += o.Added
	b.Removed += o.Removed
	for _, s := range o.Stale {
		if !slices.ContainsFunc(b.Stale, func(t Stale) bool { return t.Line == s.Line }) {
			b.Stale = append(b.Stale, s)
		}
	}
	slices.SortStableFunc(b.Stale, func(x, y Stale) int { return x.Line - y.Line })
	return b
}

// inOrder puts what is known of operations and clauses in the order of the document.
func (r *Report) inOrder(operations []string) {
	place := map[string]int{}
	for i, name := range operations {
		place[name] = i
	}
	slices.SortStableFunc(r.Operations, func(a, b Operation) int { return place[a.Operation] - place[b.Operation] })
	slices.SortStableFunc(r.Unproven, func(a, b Unproven) int { return place[a.Operation] - place[b.Operation] })
	cov := &r.Coverage
	slices.SortStableFunc(cov.ByClause, func(a, b Clause) int { return place[a.Operation] - place[b.Operation] })
	clauses := map[string]int{}
	for i, cl := range cov.ByClause {
		clauses[cl.Clause] = i - len(cov.ByClause) // those of no tested operation come last
	}
	slices.SortStableFunc(cov.Unreached, func(a, b Unreached) int { return clauses[a.Clause] - clauses[b.Clause] })
	cov.Unreached = distinct(cov.Unreached) // each shard has what no run drives
}

// distinct leaves out what is there already.
func distinct[T comparable](all []T) []T {
	seen := map[T]bool{}
	return slices.DeleteFunc(slices.Clone(all), func(v T) bool {
		defer func() { seen[v] = true }()
		return seen[v]
	})
}
