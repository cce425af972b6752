//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const boxes = `
openapi: 3.0.3
info: {title: boxes, version: "1"}
paths:
  /boxes:
    post:
      operationId: addBox
      requestBody: {required: true, content: {application/json: {schema: {type: object, properties: {name: {type: string}}}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}, "400": {description: bad}}
  /boxes/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    delete: {operationId: removeBox, responses: {"204": {description: gone}, "404": {description: none}}}
`

// boxService holds the first request of a method until it is let go.
type boxService struct {
	holds   string
	reached chan struct{}
	letGo   chan struct{}
	once    sync.Once

	mu    sync.Mutex
	last  int
	there map[string]bool
}

func (s *boxService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == s.holds {
		s.once.Do(func() { close(s.reached) })
		<-s.letGo
	}
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/boxes":
		s.last++
		s.there[fmt.Sprintf("/boxes/%d", s.last)] = true
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]int{"id": s.last})
	case r.Method == http.MethodDelete && s.there[r.URL.Path]:
		delete(s.there, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// TestSignals proves what becomes of a run that gets signals: the first one ends it with its report
// and deletes what it has made; another one ends it at once, and leaves the last report as it is.
func TestSignals(t *testing.T) {
	tests := []struct {
		name  string
		holds string // the method whose request is under way at the first signal
		sends syscall.Signal
		twice bool
	}{
		{"while it creates something", http.MethodPost, syscall.SIGINT, false},
		{"while it deletes what it has made", http.MethodDelete, syscall.SIGTERM, false},
		{"again while it creates something", http.MethodPost, syscall.SIGTERM, true},
		{"again while it deletes what it has made", http.MethodDelete, syscall.SIGINT, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &boxService{holds: tt.holds, reached: make(chan struct{}), letGo: make(chan struct{}), there: map[string]bool{}}
			srv := httptest.NewServer(s)
			defer srv.Close()
			letGo := sync.OnceFunc(func() { close(s.letGo) })
			defer letGo()
			dir := t.TempDir()
			spec, file := filepath.Join(dir, "boxes.yaml"), filepath.Join(dir, "reports", "report.json")
			require.NoError(t, os.WriteFile(spec, []byte(boxes), 0o600))
			require.NoError(t, os.Mkdir(filepath.Dir(file), 0o700))
			require.NoError(t, os.WriteFile(file, []byte("the last one"), 0o600))

			cmd := exec.CommandContext(t.Context(), "contracttest", "run", "--spec", spec, "--target", srv.URL, "--timeout", "60s", "--report", "json="+file, "--quiet")
			cmd.Env = append(os.Environ(), "GORACE="+quickExit)
			require.NoError(t, cmd.Start())
			var failed error
			done := make(chan struct{})
			go func() { failed = cmd.Wait(); close(done) }()
			<-s.reached
			require.NoError(t, cmd.Process.Signal(tt.sends))
			if tt.twice {
				require.Eventually(t, func() bool {
					select {
					case <-done:
						return true
					default:
						_ = cmd.Process.Signal(tt.sends) // the first one may not have come yet
						return false
					}
				}, time.Minute, 20*time.Millisecond)
			}
			letGo()
			<-done

			text, err := os.ReadFile(file)
			require.NoError(t, err)
			all, err := os.ReadDir(filepath.Dir(file))
			require.NoError(t, err)
			assert.Len(t, all, 1, "nothing is left beside the report")
			var ended *exec.ExitError
			require.ErrorAs(t, failed, &ended)
			if tt.twice {
				status, ok := ended.Sys().(syscall.WaitStatus)
				require.True(t, ok)
				assert.Equal(t, tt.sends, status.Signal(), "it ended by the signal")
				assert.Equal(t, "the last one", string(text))
				return
			}
			assert.True(t, json.Valid(text), "the report is whole")
			if tt.holds == http.MethodPost {
				assert.Contains(t, string(text), "the run was stopped")
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			assert.Empty(t, s.there, "what it has made is deleted")
			assert.Contains(t, []int{exitFindings, exitFailed}, ended.ExitCode())
		})
	}
}
