package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
)

// Each is also what the fault says of itself.
func TestParseFault(t *testing.T) {
	for text, want := range map[string]server.Fault{
		"share=1,drop":           {Share: 1, Drop: true},
		"share=0.25,delay=200ms": {Share: 0.25, Delay: 200 * time.Millisecond},
		"share=0.1,delay=1s,status=502,retry-after=2s,late": {Share: 0.1, Delay: time.Second, Status: 502, RetryAfter: 2 * time.Second, Late: true},
	} {
		got, err := parseFault(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
		assert.Equal(t, text, got.String())
	}
	for text, want := range map[string]string{
		"":                `"" is none of share=`,
		"share=x,drop":    "share: ",
		"share=1,explode": `"explode" is none of`,
		"share=1,for=2s":  `"for=2s" is none of`,
		"delay=2":         "delay: ",
		"status=many":     "status: ",
		"retry-after=2":   "retry-after: ",
	} {
		_, err := parseFault(text)
		require.ErrorContains(t, err, want, text)
	}
	code, _, stderr := do(t, "serve", "--db", "sqlite:"+t.TempDir()+"/f.db", "--fault", "share=2,drop")
	assert.Equal(t, 2, code)
	assert.Equal(t, "factory: --fault: fault share=2,drop: want a share above 0, and 1 at most\n", stderr)
}
