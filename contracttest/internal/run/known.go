package run

import (
	"slices"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/baseline"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/report"
)

// chained is a check on state and the clause of an operation that a chain sends.
type chained struct{ check, clause string }

// applyBaseline marks the findings that are known. That one of them is gone is only told
// where its check and its clause were tried as in any run: where not all could be sent, or
// the valid request of its operation was refused, nobody knows.
func (r *runner) applyBaseline() {
	if r.opts.Baseline == nil {
		return
	}
	rep := r.report
	whole := !rep.Void && rep.Incomplete == "" && len(rep.Inconclusive) == 0 && !r.selection.oneCase()
	states := map[string]report.Clause{}
	for _, cl := range rep.Coverage.ByClause {
		states[cl.Clause] = cl
	}
	refused := map[string]bool{}
	for _, u := range rep.Unproven {
		refused[u.Operation] = true
	}
	var clauses []string
	all := map[string]*contract.Clause{}
	for _, cl := range r.contract.Clauses {
		clauses = append(clauses, cl.Name)
		all[cl.Name] = cl
	}
	onState := map[string]bool{}
	for _, c := range judge.Sequences {
		onState[c.Name] = c.Name != judge.HeadDiffers
	}
	b := r.opts.Baseline
	run := baseline.Run{
		Checks: r.opts.checkNames(), Clauses: clauses, Today: time.Now(), Warn: r.opts.StaleWarns,
		State: func(check, clause string) baseline.State {
			cl, selected := states[clause]
			op := r.contract.OperationOf(all[clause])
			switch {
			case !whole || !selected || r.selection.SkipsCheck(check) || refused[cl.Operation] || r.states.of(op).left != "":
				return baseline.LeftOut
			case onState[check] && !r.chained[chained{check, clause}],
				check == judge.Slow && r.opts.MaxTime == 0,
				check == judge.Framing && r.curlBase == noHost,
				cl.State == "unreached":
				return baseline.NotTried
			}
			return baseline.Tried
		},
	}
	b.Apply(rep, run)
	if r.opts.UpdateBaseline && !rep.Void {
		b.Update(rep, run, slices.Contains(r.opts.FailOn, report.Warning))
	}
}
