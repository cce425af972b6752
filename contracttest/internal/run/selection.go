package run

import (
	"fmt"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
)

// Selection is what of a contract a run is about.
type Selection struct {
	onlyClauses, skipClauses []string // operations, clauses and cases
	onlyChecks, skipChecks   []string
	left                     sync.Map // IDs of the cases that were left out
}

// Select finds what the names of operations, checks, clauses and cases choose.
func Select(c *contract.Contract, only, skip []string) (*Selection, error) {
	s := &Selection{}
	sort := func(patterns []string, clauses, checks *[]string) error {
		for _, p := range patterns {
			isCheck := matchesAny(p, checkNames())
			isClause := false
			for _, cl := range c.Clauses {
				isClause = isClause || matchClause(p, cl.Name, cl.Operation)
			}
			switch {
			case isCheck:
				*checks = append(*checks, p)
			case isClause:
				*clauses = append(*clauses, p)
			default:
				return fmt.Errorf("%q names no operation, check or clause%s", p, nearest(c, p))
			}
		}
		return nil
	}
	if err := sort(only, &s.onlyClauses, &s.onlyChecks); err != nil {
		return nil, err
	}
	if err := sort(skip, &s.skipClauses, &s.skipChecks); err != nil {
		return nil, err
	}
	return s, nil
}

func checkNames() []string {
	names := make([]string, 0, len(judge.Checks)+1)
	for _, c := range judge.Checks {
		names = append(names, c.Name)
	}
	return append(names, judge.NotRepeatable.Name)
}

func matchesAny(pattern string, names []string) bool {
	for _, n := range names {
		if match(pattern, n) {
			return true
		}
	}
	return false
}

// matchClause takes an operation's name, a clause's, or that of a case of the
// clause.
func matchClause(pattern, clause, operation string) bool {
	pattern, _, _ = strings.Cut(pattern, "#")
	return match(pattern, clause) || match(pattern, operation)
}

// match compares names segment by segment.
func match(pattern, name string) bool {
	return matchSegments(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

func matchSegments(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		for i := 0; i <= len(name); i++ {
			if matchSegments(pattern[1:], name[i:]) {
				return true
			}
		}
		return false
	}
	if len(name) == 0 {
		return false
	}
	ok, err := path.Match(pattern[0], name[0])
	return (ok && err == nil || pattern[0] == name[0]) && matchSegments(pattern[1:], name[1:])
}

// Clause reports whether a clause is wanted.
func (s *Selection) Clause(c *contract.Clause) bool {
	for _, p := range s.skipClauses {
		if !strings.Contains(p, "#") && matchClause(p, c.Name, c.Operation) {
			return false
		}
	}
	if len(s.onlyClauses) == 0 {
		return true
	}
	for _, p := range s.onlyClauses {
		if matchClause(p, c.Name, c.Operation) {
			return true
		}
	}
	return false
}

// skips reports whether an operation is left out by its name.
func (s *Selection) skips(op *contract.Operation) bool {
	return slices.ContainsFunc(s.skipClauses, func(p string) bool { return match(p, op.ID) })
}

// oneCase reports whether the run is about single cases, to look at them again.
func (s *Selection) oneCase() bool {
	return slices.ContainsFunc(s.onlyClauses, func(p string) bool { return strings.Contains(p, "#") })
}

// Case decides about one case whose clause is wanted.
func (s *Selection) Case(id string) bool {
	for _, p := range s.skipClauses {
		if p == id {
			s.left.Store(id, true)
			return false
		}
	}
	clause, _, _ := strings.Cut(id, "#")
	named := false
	for _, p := range s.onlyClauses {
		if p == id || !strings.Contains(p, "#") {
			return true
		}
		pc, _, _ := strings.Cut(p, "#")
		named = named || pc == clause
	}
	return !named
}

// SkipsCheck reports whether a check is left out.
func (s *Selection) SkipsCheck(name string) bool {
	for _, p := range s.skipChecks {
		if match(p, name) {
			return true
		}
	}
	if len(s.onlyChecks) == 0 {
		return false
	}
	for _, p := range s.onlyChecks {
		if match(p, name) {
			return false
		}
	}
	return true
}

// unknownCase returns a case of --only or --skip that is not in the plan; empty
// where there is none.
func (s *Selection) unknownCase(p *planned) string {
	for _, id := range s.skipClauses {
		clause, _, isCase := strings.Cut(id, "#")
		if _, left := s.left.Load(id); !isCase || left {
			continue
		}
		if slices.ContainsFunc(p.ops, func(op *contract.Operation) bool {
			return slices.ContainsFunc(op.Clauses, func(c *contract.Clause) bool { return c.Name == clause && s.Clause(c) })
		}) {
			return id
		}
	}
	for _, id := range s.onlyClauses {
		if strings.Contains(id, "#") && !slices.ContainsFunc(p.ops, func(op *contract.Operation) bool {
			return slices.ContainsFunc(p.cases(op), func(c *plan.Case) bool { return c.ID == id })
		}) {
			return id
		}
	}
	return ""
}

// nearest suggests the name that differs least from a pattern.
func nearest(c *contract.Contract, pattern string) string {
	const most = 5000
	return suggest(pattern, func(yield func(string) bool) {
		for _, name := range checkNames() {
			if !yield(name) {
				return
			}
		}
		for _, cl := range c.Clauses[:min(len(c.Clauses), most)] {
			if !yield(cl.Name) || !yield(cl.Operation) {
				return
			}
		}
	})
}

// suggest ends a message about a name that there is not with the one that
// differs least from it.
func suggest(name string, names iter.Seq[string]) string {
	best, least := "", len(name)/2+2
	for other := range names {
		if d := distance(name, other); d < least {
			best, least = other, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// checkValues refuses values for what the document does not have.
func checkValues(c *contract.Contract, known map[string][]string) error {
	if len(known) == 0 {
		return nil
	}
	names := c.Names()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !names[name] {
			return fmt.Errorf("%q names no parameter, property or security scheme%s", name, suggest(name, slices.Values(slices.Sorted(maps.Keys(names)))))
		}
	}
	return nil
}

// distance is the number of letters to change, add or drop (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
