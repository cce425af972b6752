package run_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/report"
)

// The checks that reports rank by their names are checks of the engine.
func TestKindsOfChecks(t *testing.T) {
	kinds := map[string]string{
		judge.Connection: report.KindCrash, judge.ServerError: report.KindCrash, "security-ignored": report.KindAccess, "error-leak": report.KindAccess,
		judge.ObjectShared: report.KindAccess, judge.OtherParent: report.KindAccess, judge.NeighbourChanged: report.KindAccess, judge.RefusedButDone: report.KindAccess,
		judge.InvalidAccepted: report.KindAccepted, "undocumented-path": report.KindAccepted, "undocumented-method": report.KindAccepted, judge.ValidRefused: report.KindRefused,
		"allow-header": report.KindDetail, "response-encoding": report.KindDetail, "vary-missing": report.KindDetail, "etag-shared": report.KindDetail,
		"head-differs": report.KindDetail, "conditional-request": report.KindDetail, "range-request": report.KindDetail,
	}
	for _, c := range judge.All() {
		want := kinds[c.Name]
		delete(kinds, c.Name)
		if want == "" {
			want = report.KindAnswer
		}
		r := &report.Report{Findings: []report.Finding{{Operation: "a", Check: c.Name, Severity: report.Error, Clause: "a/query/b/type", Message: "it is wrong", Status: 400, Case: report.Case{ID: "a/query/b/type#WORD"}}}}
		r.Sort()
		assert.Equal(t, want, r.Groups[0].Kind, c.Name)
	}
	assert.Empty(t, kinds, "no check has these names")
}
