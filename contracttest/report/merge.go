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
	out.Amendments = nil // each shard knows its own answers alone, and would change a shared component by itself
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
		out.Inconclusive, out.HookFailed = append(out.Inconclusive, r.Inconclusive...), out.HookFailed || r.HookFailed
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

// Join makes one report of several about one document, whatever their exchanges are of: runs, and
// recorded, proxied or other traffic. What one of them shows of a clause is shown; a finding of
// several is one. Shards are joined by Merge before.
func Join(reports ...*Report) (*Report, error) {
	if len(reports) == 0 {
		return nil, errors.New("there is no report to be joined")
	}
	out := *reports[0]
	out.Findings, out.Operations, out.Unproven, out.Warnings, out.Inconclusive, out.Groups, out.Exchanges, out.Baseline = []Finding{}, nil, nil, nil, nil, nil, nil, nil
	out.Stats, out.Coverage, out.Idle, out.Incomplete, out.Void = Stats{}, Coverage{Unreached: []Unreached{}}, "", "", true
	if len(reports) > 1 {
		out.Command, out.Args, out.Amendments = "", nil, nil // nothing makes all of it again
	}
	var targets, incomplete []string
	found := map[string]int{}
	for _, r := range reports {
		out.HookFailed = out.HookFailed || r.HookFailed
		if r.Shard != nil {
			return nil, fmt.Errorf("shard %s is not all of a run: merge it with the others", r.Shard)
		}
		if err := out.Coverage.join(&r.Coverage); err != nil {
			return nil, fmt.Errorf("the reports are of different documents (%s, %s): %w", reports[0].Spec, r.Spec, err)
		}
		targets, incomplete = append(targets, r.Target), append(incomplete, r.Incomplete)
		out.Warnings, out.Operations, out.Exchanges = append(out.Warnings, r.Warnings...), append(out.Operations, r.Operations...), append(out.Exchanges, r.Exchanges...)
		out.Unproven, out.Baseline, out.Void = append(out.Unproven, r.Unproven...), out.Baseline.with(r.Baseline), out.Void && r.Void
		if r.Stats.Exchanges > 0 {
			out.Inconclusive = append(out.Inconclusive, r.Inconclusive...)
		}
		out.Stats.add(&r.Stats)
		out.Stats.DocumentFaults = max(out.Stats.DocumentFaults, r.Stats.DocumentFaults)
		out.Traffic = out.Traffic.with(r.Traffic, r == reports[0])
		for _, f := range r.Findings {
			if i, ok := found[f.ID+f.Severity]; ok {
				out.Findings[i].Count += f.Count
				continue
			}
			found[f.ID+f.Severity] = len(out.Findings)
			out.Findings = append(out.Findings, f)
		}
	}
	out.Target, out.Incomplete = strings.Join(distinct(targets), " and "), strings.TrimPrefix(strings.Join(distinct(incomplete), "; "), "; ")
	out.Warnings, out.Inconclusive, out.Operations = distinct(out.Warnings), distinct(out.Inconclusive), distinct(out.Operations)
	out.Unproven = slices.DeleteFunc(distinct(out.Unproven), func(u Unproven) bool { return out.Coverage.keptIn(u.Operation) })
	out.Stats.Operations = len(out.Operations)
	out.Coverage.count(reports)
	out.Sort()
	return &out, nil
}

// with adds traffic to that of other reports; nil where one of them is of a run.
func (t *Traffic) with(o *Traffic, first bool) *Traffic {
	if first || t == nil || o == nil {
		if first {
			return o
		}
		return nil
	}
	return &Traffic{t.Judged + o.Judged, t.Outside + o.Outside, t.Upgraded + o.Upgraded, t.Refused + o.Refused, t.Unseen + o.Unseen, t.Unjudged + o.Unjudged}
}

// join adds what another report shows of the clauses. One that both have says the same in both.
func (c *Coverage) join(o *Coverage) error {
	index := make(map[string]int, len(c.ByClause))
	for i, cl := range c.ByClause {
		index[cl.Clause] = i
	}
	for _, cl := range o.ByClause {
		i, ok := index[cl.Clause]
		if !ok {
			c.ByClause = append(c.ByClause, cl)
			continue
		}
		mine := &c.ByClause[i]
		if mine.Text != cl.Text || mine.Place.Pointer != cl.Place.Pointer {
			return fmt.Errorf("clause %s is %q in one of them, and %q in another", cl.Clause, mine.Text, cl.Text)
		}
		if mine.State = joined(mine.State, cl.State); mine.State != "not_proven" {
			mine.Reason = ""
		}
	}
	c.Unreached = append(c.Unreached, o.Unreached...)
	return nil
}

// joined is what two reports show of a clause.
func joined(a, b string) string {
	has := func(state string) bool { return a == state || b == state }
	switch {
	case has("kept+broken"), has("kept") && has("broken"):
		return "kept+broken"
	case has("kept"):
		return "kept"
	case has("broken"):
		return "broken"
	case has("observed"):
		return "observed"
	case has("not_proven"):
		return "not_proven"
	}
	return "unreached"
}

// keptIn reports whether a clause of an operation is kept by an accepted request.
func (c *Coverage) keptIn(operation string) bool {
	return slices.ContainsFunc(c.ByClause, func(cl Clause) bool {
		return cl.Operation == operation && !cl.Response && (cl.State == "kept" || cl.State == "kept+broken")
	})
}

// count counts the clauses anew once those of all reports are there.
func (c *Coverage) count(of []*Report) {
	states := map[string]string{}
	for _, cl := range c.ByClause {
		states[cl.Clause] = cl.State
		c.Clauses++
		switch cl.State {
		case "kept+broken":
			c.Kept++
			c.Broken++
		case "kept":
			c.Kept++
		case "broken":
			c.Broken++
		case "observed":
			c.Observed++
		case "not_proven":
			c.NotProven++
		}
		if cl.State != "unreached" {
			c.Possible++
		}
	}
	for _, r := range of { // which of the others could be tried is known of each report's all alone
		c.Possible = max(c.Possible, r.Coverage.Possible)
	}
	told := map[string]bool{}
	c.Unreached = slices.DeleteFunc(c.Unreached, func(u Unreached) bool {
		state, here := states[u.Clause]
		gone := here && state != "unreached" || told[u.Clause]
		told[u.Clause] = true
		return gone
	})
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
