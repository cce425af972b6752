package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/racing"
)

// Every document of the sample is loaded or refused for a reason, nothing
// panics, and hardly a clause is without a case. make test-all plans it in full.
func TestSample(t *testing.T) {
	s := &settings{dir: "testdata", every: 1, maxClauses: 5000, each: time.Hour}
	all, err := s.documents()
	require.NoError(t, err)
	require.Len(t, all, 40)
	var names []string
	for i, name := range all {
		if racing.Take(i, 4) {
			names = append(names, name)
		}
	}
	results := make([]result, len(names))
	t.Run("documents", func(t *testing.T) {
		for i, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				results[i] = s.try(name)
				assert.Empty(t, results[i].Panic)
			})
		}
	})
	sum := summarise(results)
	sum.settings, sum.all = *s, len(names)
	t.Log(sum.line())
	assert.LessOrEqual(t, total(sum.refused), 2, "%v", sum.refused)
	assert.GreaterOrEqual(t, 100*(total(sum.places)-total(sum.missed)), 97*total(sum.places), "%v", sum.missed)
	page := sum.markdown()
	for _, heading := range []string{"# The corpus", "## Refused", "## Clauses without a case, by keyword", "## Why", "## Warnings by kind"} {
		assert.Contains(t, page, heading+"\n")
	}
}

func TestGeneral(t *testing.T) {
	tests := []struct{ text, want string }{
		{":12:3: invalid paths: invalid path /a/{b}: invalid operation GET: invalid example: value must be a string Schema: {}", "invalid paths: invalid example: value must be a string"},
		{`reference "#/components/schemas/A" ignored: target not found`, "reference … ignored: target not found"},
		{"a request meant to break the clause breaks putPet/body/name/type too", "a request meant to break the clause breaks … too"},
		{"body.name: no string is made for the pattern ^a$", "no string is made for the pattern …"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) { assert.Equal(t, tt.want, general(tt.text)) })
	}
}

func TestPageNamesWhatWasNotTried(t *testing.T) {
	sum := summarise([]result{{Name: "a.json", Refused: ": no operations"}, {Name: "b.json", Panic: "b"}, {Name: "c.json", Operations: 7, Late: 2}})
	sum.all = 4
	page := sum.markdown()
	for _, want := range []string{"| documents tried | 3 of 4,", "| late | c.json (2 of 7) |", "| no operations | 1 |", "| panics | 1 |"} {
		assert.Contains(t, page, want)
	}
}
