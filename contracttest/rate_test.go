package contracttest_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// limitedTokens is a service that takes so many requests in a while, and asks once to be left alone.
type limitedTokens struct {
	tokens tokens
	most   int
	every  time.Duration

	mu       sync.Mutex
	since    time.Time
	count    int
	refused  int
	until    time.Time // it has asked to be left alone
	tooEarly int
}

func (s *limitedTokens) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	now := time.Now()
	if now.Before(s.until) {
		s.tooEarly++
	}
	if now.Sub(s.since) >= s.every {
		s.since, s.count = now, 0
	}
	s.count++
	over := s.most > 0 && s.count > s.most
	if over && s.refused == 0 {
		w.Header().Set("Retry-After", "1")
		s.until = now.Add(time.Second)
	}
	if over {
		s.refused++
	}
	s.mu.Unlock()
	if over {
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	s.tokens.ServeHTTP(w, r)
}

// The limit of a target is found by its answers, what it asks for is heeded, and the report is the
// one without a limit.
func TestRateAuto(t *testing.T) {
	const workers = 4
	var reports []string
	for _, most := range []int{0, 100} {
		c, err := contracttest.Parse("tokens.yaml", []byte(renewed))
		require.NoError(t, err)
		s := &limitedTokens{most: most, every: 100 * time.Millisecond}
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(s), contracttest.RateAuto(), contracttest.Workers(workers),
			contracttest.Values("code", "open"), contracttest.Values("token", s.tokens.current()))
		require.NoError(t, err)
		assert.Empty(t, rep.Inconclusive)
		assert.Equal(t, most > 0, s.refused > 0)
		assert.LessOrEqual(t, s.tooEarly, workers, "but for what was under way")
		text, err := json.MarshalIndent(map[string]any{"findings": rep.Findings, "operations": rep.Operations}, "", " ")
		require.NoError(t, err)
		assert.NotContains(t, string(text), "429 Too Many Requests")
		reports = append(reports, string(text))
	}
	assert.Equal(t, reports[0], reports[1])
}
