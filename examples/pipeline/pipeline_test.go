package pipeline

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server/servertest"
	"github.com/dataarts-go/factory/server/store"
)

func TestPipeline(t *testing.T) {
	s := servertest.Start(t, servertest.Packages(project, "12", "13"))
	err := run(t.Context(), s.URL)  // your program
	states := s.States(project, "") // map[12:cancelled 13:pending]

	require.NoError(t, err)
	assert.Equal(t, map[string]store.State{"12": store.Cancelled, "13": store.Pending}, states)
}
