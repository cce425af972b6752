package contracttest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Test runs the contract against a target as a subtest for each operation, and
// below it one for each clause: a finding fails the subtest of its clause.
// Warnings are logged. The names can be given to go test -run.
func Test(t *testing.T, c *Contract, target Target, opts ...Option) {
	t.Helper()
	rep, err := Run(t.Context(), c, target, opts...)
	if err != nil {
		t.Fatalf("contract test: %v", err)
	}
	findings := map[string][]Finding{}
	for _, f := range rep.Findings {
		findings[f.Clause] = append(findings[f.Clause], f)
	}
	root := &branch{}
	for _, cl := range rep.Coverage.ByClause {
		here := findings[cl.Clause]
		delete(findings, cl.Clause)
		root.add(strings.Split(cl.Clause, "/"), func(t *testing.T) {
			t.Helper()
			for _, f := range here {
				if f.Severity == "error" {
					t.Error(explain(f))
				} else {
					t.Log(explain(f))
				}
			}
			if cl.State == "unreached" || cl.State == "not_proven" {
				t.Logf("%s: %s", cl.State, cl.Text)
			}
		})
	}
	root.run(t)
	for _, elsewhere := range findings { // on clauses that Only or Skip leave out
		for _, f := range elsewhere {
			t.Error(explain(f))
		}
	}
	cov := rep.Coverage
	t.Logf("%d clauses: %d kept, %d broken on purpose, %d observed in responses, %d not proven, %d unreached",
		cov.Clauses, cov.Kept, cov.Broken, cov.Observed, cov.NotProven, len(cov.Unreached))
	for _, w := range rep.Warnings {
		t.Log(w)
	}
}

func explain(f Finding) string {
	times := ""
	if f.Count > 1 {
		times = fmt.Sprintf(", %d times", f.Count)
	}
	return fmt.Sprintf("%s: %s (check %s%s)\n  expected  %s\n  seen      %s\n  case      %s\n  %s",
		f.Place, f.Message, f.Check, times, f.Expected, f.Actual, f.Case.ID, f.Curl)
}

// branch is a tree of subtests by the segments of clause names, so that a name
// can be given to -run, which goes by segments.
type branch struct {
	children []*branch
	name     string
	leaf     func(*testing.T)
}

func (b *branch) add(segments []string, leaf func(*testing.T)) {
	if len(segments) == 0 {
		b.leaf = leaf
		return
	}
	i := slices.IndexFunc(b.children, func(c *branch) bool { return c.name == segments[0] })
	if i < 0 {
		i = len(b.children)
		b.children = append(b.children, &branch{name: segments[0]})
	}
	b.children[i].add(segments[1:], leaf)
}

func (b *branch) run(t *testing.T) {
	t.Helper()
	if b.leaf != nil {
		b.leaf(t)
	}
	slices.SortStableFunc(b.children, func(x, y *branch) int { return cmp.Compare(len(x.children), len(y.children)) })
	for _, c := range b.children {
		t.Run(c.name, c.run)
	}
}
