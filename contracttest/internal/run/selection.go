package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/match"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/report"
)

// Selection is what of a contract a run is about.
type Selection struct {
	only, skip             []choice // of operations, clauses and cases
	onlyChecks, skipChecks []string
	checks                 []string        // names of all that there are
	left                   sync.Map        // IDs of the cases that were left out
	among                  map[string]bool // the operations that the run is restricted to; nil: all
	shard                  *report.Shard   // nil where it is not one
	since                  *report.Since   // nil where all is tested, whether it has changed or not
	idle                   string          // why nothing is to be done; empty where something is
}

// choice is what one name of --only or --skip chooses.
type choice struct {
	clauses string          // pattern of clauses; empty where it is none
	ops     map[string]bool // operations as a whole
	id      string          // of a single case; empty where it is none
}

func (p choice) clause(c *contract.Clause) bool {
	return p.ops[c.Operation] || p.clauses != "" && match.Name(p.clauses, c.Name)
}

// Select finds what the names of operations, checks, clauses and cases choose. A
// name may say what it is the name of, as in "check:redirect"; one that says
// nothing must not be that of a check and of something else. An operation is
// named by its operationId or as in "GET /pets/{id}".
func Select(ctx context.Context, c *contract.Contract, opts *Options) (*Selection, error) {
	only, skip := opts.Only, opts.Skip
	s := &Selection{checks: opts.checkNames()}
	for _, side := range []struct {
		names   []string
		choices *[]choice
		checks  *[]string
	}{{only, &s.only, &s.onlyChecks}, {skip, &s.skip, &s.skipChecks}} {
		for _, name := range side.names {
			m, err := s.meaningOf(c, name)
			if err != nil {
				return nil, err
			}
			if m.check != "" {
				*side.checks = append(*side.checks, m.check)
			} else {
				*side.choices = append(*side.choices, m.choice)
			}
		}
	}
	if err := s.contradiction(c); err != nil {
		return nil, err
	}
	s.compare(c, opts.Since)
	s.divide(ctx, c, opts)
	return s, nil
}

// meaning is what a name is the name of: a check, or else a choice.
type meaning struct {
	check string // pattern
	choice
}

// The kinds that a name may begin with.
const (
	ofOperation, ofCheck, ofClause, ofCase = "operation", "check", "clause", "case"
)

func (s *Selection) meaningOf(c *contract.Contract, name string) (meaning, error) {
	kind, rest, ok := strings.Cut(name, ":")
	if !ok || !slices.Contains([]string{ofOperation, ofCheck, ofClause, ofCase}, kind) {
		kind, rest = "", name
	}
	var m meaning
	found := map[string]bool{}
	want := func(k string) bool { return kind == "" || kind == k }
	if want(ofCheck) && !strings.Contains(rest, "/") && matchesAny(rest, s.checks) {
		found[ofCheck] = true
	}
	if want(ofOperation) {
		m.ops = map[string]bool{}
		for _, op := range c.Operations {
			if match.Name(rest, op.ID) || matchRoute(rest, op) {
				m.ops[op.ID], found[ofOperation] = true, true
			}
		}
	}
	clause, _, isCase := strings.Cut(rest, "#")
	if want(ofClause) || want(ofCase) && isCase {
		for _, cl := range c.Clauses {
			if match.Name(clause, cl.Name) {
				m.clauses, found[ofClause] = clause, true
				break
			}
		}
	}
	if isCase && found[ofClause] {
		m.id = rest
	}
	switch {
	case len(found) == 0 && kind != "":
		return m, fmt.Errorf("no %s matches %q%s", kind, rest, s.nearest(c, rest))
	case len(found) == 0:
		return m, fmt.Errorf("no operation, check or clause matches %q%s", name, s.nearest(c, name))
	case found[ofCheck] && len(found) > 1:
		other, article := ofClause, "a"
		if found[ofOperation] {
			other, article = ofOperation, "an"
		}
		return m, fmt.Errorf("%q names a check and %s %s: write %s:%s or %s:%s", name, article, other, ofCheck, rest, other, rest)
	case found[ofCheck]:
		return meaning{check: rest}, nil
	}
	return m, nil
}

// matchRoute compares "GET /pets/{id}" with an operation.
func matchRoute(pattern string, op *contract.Operation) bool {
	method, route, ok := strings.Cut(pattern, " ")
	return ok && match.Name(strings.ToUpper(method), op.Method) && match.Name(strings.TrimSpace(route), op.Path)
}

// contradiction is the error of names that leave nothing to be done.
func (s *Selection) contradiction(c *contract.Contract) error {
	if len(s.skipChecks) > 0 && !slices.ContainsFunc(s.checks, func(name string) bool { return !s.SkipsCheck(name) }) {
		return errors.New("no check is left to run: see --only and --skip")
	}
	if len(s.skip) > 0 && !slices.ContainsFunc(c.Clauses, s.Clause) {
		return errors.New("nothing is left to test: see --only and --skip")
	}
	return nil
}

func matchesAny(pattern string, all []string) bool {
	for _, n := range all {
		if match.Name(pattern, n) {
			return true
		}
	}
	return false
}

// has reports whether an operation is among those that the run is restricted to.
func (s *Selection) has(operation string) bool { return s.among == nil || s.among[operation] }

// is reports whether a choice names a case: a * stands for any text, as in other names.
func (p choice) is(id string) bool { return p.id != "" && (p.id == id || match.Name(p.id, id)) }

// Clause reports whether a clause is wanted.
func (s *Selection) Clause(c *contract.Clause) bool {
	if !s.has(c.Operation) {
		return false
	}
	for _, p := range s.skip {
		if p.id == "" && p.clause(c) {
			return false
		}
	}
	return len(s.only) == 0 || slices.ContainsFunc(s.only, func(p choice) bool { return p.clause(c) })
}

// skips reports whether an operation is left out by its name.
func (s *Selection) skips(op *contract.Operation) bool {
	return slices.ContainsFunc(s.skip, func(p choice) bool { return p.ops[op.ID] })
}

// whole reports whether nothing of an operation is left out.
func (s *Selection) whole() bool { return len(s.only)+len(s.skip) == 0 }

// oneCase reports whether the run is about single cases, to look at them again.
func (s *Selection) oneCase() bool {
	return slices.ContainsFunc(s.only, func(p choice) bool { return p.id != "" })
}

// asksForCheck reports whether a check is chosen by its name.
func (s *Selection) asksForCheck(name string) bool {
	return slices.ContainsFunc(s.onlyChecks, func(p string) bool { return match.Name(p, name) })
}

// Case decides about one case whose clause is wanted.
func (s *Selection) Case(id string) bool {
	if s.skipsCase(id) {
		return false
	}
	clause, _, _ := strings.Cut(id, "#")
	named := false
	for _, p := range s.only {
		if p.is(id) || p.id == "" {
			return true
		}
		named = named || match.Name(p.clauses, clause)
	}
	return !named
}

// skipsCase reports whether a case is left out by its name.
func (s *Selection) skipsCase(id string) bool {
	for _, p := range s.skip {
		if p.is(id) {
			s.left.Store(p.id, true)
			return true
		}
	}
	return false
}

// needs reports whether a case is sent: as it is chosen, or as those that are chosen are judged by
// what it shows. Of one that is skipped nobody wants to know.
func (s *Selection) needs(c *plan.Case) bool {
	if c.Probe == "" {
		return s.Case(c.ID)
	}
	return !s.skipsCase(c.ID) && !slices.ContainsFunc(s.skip, func(p choice) bool { return p.id == "" && p.clause(c.Clause) })
}

// judges reports whether a case that is sent is chosen itself. So is the valid request.
func (s *Selection) judges(c *plan.Case) bool {
	return c.Base == nil || s.Clause(c.Clause) && s.Case(c.ID)
}

// sends decides about a case that is chosen beside those of the plan.
func (s *Selection) sends(c *plan.Case) bool {
	return (!s.oneCase() || s.Clause(c.Clause)) && s.Case(c.ID)
}

// SkipsCheck reports whether a check is left out.
func (s *Selection) SkipsCheck(name string) bool {
	for _, p := range s.skipChecks {
		if match.Name(p, name) {
			return true
		}
	}
	if len(s.onlyChecks) == 0 {
		return false
	}
	for _, p := range s.onlyChecks {
		if match.Name(p, name) {
			return false
		}
	}
	return true
}

// unknownCase returns a case of --only or --skip that is not in the plan; empty
// where there is none.
func (s *Selection) unknownCase(p *planned) string {
	for _, skipped := range s.skip {
		if skipped.id == "" {
			continue
		}
		of := some(p.ops, func(op *contract.Operation) bool {
			return slices.ContainsFunc(op.Clauses, func(c *contract.Clause) bool { return match.Name(skipped.clauses, c.Name) && s.Clause(c) })
		})
		for _, op := range of {
			p.of(op) // which leaves it out
		}
		if _, left := s.left.Load(skipped.id); !left && len(of) > 0 {
			return skipped.id
		}
	}
	for _, wanted := range s.only {
		if operation, _, _ := strings.Cut(wanted.id, "/"); !s.has(operation) {
			continue // it is another shard's, or has not changed
		}
		if wanted.id != "" && !slices.ContainsFunc(p.ops, func(op *contract.Operation) bool {
			return slices.ContainsFunc(p.cases(op), func(c *plan.Case) bool { return wanted.is(c.ID) })
		}) {
			return wanted.id
		}
	}
	return ""
}

// nearest suggests the name that differs least from a pattern.
func (s *Selection) nearest(c *contract.Contract, pattern string) string {
	const most = 5000
	return match.Nearest(pattern, func(yield func(string) bool) {
		for _, name := range s.checks {
			if !yield(name) {
				return
			}
		}
		for _, cl := range c.Clauses[:min(len(c.Clauses), most)] {
			if !yield(cl.Name) || !yield(cl.Operation) {
				return
			}
		}
		for _, op := range c.Operations[:min(len(c.Operations), most)] {
			if strings.Contains(pattern, " ") && !yield(op.Method+" "+op.Path) {
				return
			}
		}
	})
}

// place finds what values are for: every parameter and property of a name, or that at one path of
// an operation, as in CreateOrder/body/customer/id. What the document does not have is an error.
func (o *Options) place(c *contract.Contract) error {
	if o.whole = o.Known; len(o.Known) == 0 {
		return nil
	}
	there, byName := c.Names(), map[string][]string{}
	o.at = map[*contract.Operation]map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(o.Known)) {
		op, path := placeOf(c, name)
		switch {
		case there[name]:
			byName[name] = o.Known[name]
		case op != nil:
			if o.at[op] == nil {
				o.at[op] = map[string][]string{}
			}
			o.at[op][path] = o.Known[name]
		case strings.Contains(name, "/"):
			return fmt.Errorf("no operation has a parameter or property at %q, as in CreateOrder/body/customer/id%s", name, match.Nearest(name, func(yield func(string) bool) {
				for _, cl := range c.Clauses {
					if cl.Side == contract.RequestSide && !yield(cl.Name[:strings.LastIndexByte(cl.Name, '/')]) {
						return
					}
				}
			}))
		default:
			return fmt.Errorf("no parameter, property or security scheme is called %q%s", name, match.Nearest(name, slices.Values(slices.Sorted(maps.Keys(there)))))
		}
	}
	o.Known = byName
	return nil
}

// placeOf is the operation and the path in its requests that a name leads to; nil where there is
// none.
func placeOf(c *contract.Contract, name string) (op *contract.Operation, path string) {
	for _, op := range c.Operations {
		path, ok := strings.CutPrefix(name, op.ID+"/")
		if ok && slices.ContainsFunc(op.Clauses, func(cl *contract.Clause) bool {
			return cl.Side == contract.RequestSide && strings.HasPrefix(cl.Name, name+"/")
		}) {
			return op, path
		}
	}
	return nil, ""
}
