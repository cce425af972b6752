package run

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/report"
)

// compare restricts the selection to the operations that have a clause which came, went or says
// something else than before. They are tested as a whole: a property that is required now is in all
// their requests.
func (s *Selection) compare(c, before *contract.Contract) {
	if before == nil {
		return
	}
	old, now := clausesOf(before), clausesOf(c)
	s.since = &report.Since{Document: before.File, Changed: []string{}}
	changed := map[string]bool{}
	for _, op := range c.Operations {
		if !slices.ContainsFunc(op.Clauses, s.Clause) {
			continue
		}
		s.since.Of++
		if !maps.Equal(old[op.ID], now[op.ID]) {
			changed[op.ID] = true
			s.since.Changed = append(s.since.Changed, op.ID)
		}
	}
	s.among = changed
	if len(changed) == 0 {
		s.idle = fmt.Sprintf("no clause of the chosen operations has changed since %s", before.File)
	}
}

// clausesOf are what the clauses of a contract say, by operation and name.
func clausesOf(c *contract.Contract) map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, cl := range c.Clauses {
		if all[cl.Operation] == nil {
			all[cl.Operation] = map[string]string{}
		}
		all[cl.Operation][cl.Name] = cl.Text
	}
	return all
}
