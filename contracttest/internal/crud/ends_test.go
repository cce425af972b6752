package crud_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/crud"
)

// TestCredentialEnds proves that a credential which ends among the checks on state is named once,
// whichever operations they are about.
func TestCredentialEnds(t *testing.T) {
	c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
	require.NoError(t, err)
	s, err := crud.New(crud.Dress{})
	require.NoError(t, err)
	const good = 600
	var used atomic.Int64
	s.Admits = func(token string) bool { return token == crud.Token && used.Add(1) <= good }
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.Values("Bearer", crud.Token))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	said := 0
	for _, w := range rep.Warnings {
		if strings.Contains(w, "sequences of the checks on state were not run") {
			said++
			assert.Contains(t, w, "the credential stopped working")
		}
	}
	assert.Equal(t, 1, said, "%s", strings.Join(rep.Warnings, "\n"))
}
