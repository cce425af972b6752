package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dataarts-go/factory/contracttest/internal/defects"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestList(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"--list"}, &out, io.Discard))
	assert.Contains(t, out.String(), "listBooks: last page refused\tvalid-request-refused\n")
	out.Reset()
	require.NoError(t, run(t.Context(), []string{"--document"}, &out, io.Discard))
	assert.Equal(t, defects.Document, out.Bytes())
	require.ErrorContains(t, run(t.Context(), []string{"--defect", "none such"}, &out, io.Discard), "see --list")
	require.Error(t, run(t.Context(), []string{"--unknown"}, &out, io.Discard))
}

func TestServe(t *testing.T) {
	for defect, want := range map[string]int{"": http.StatusOK, "listBooks: last page refused": http.StatusBadRequest} {
		ctx, cancel := context.WithCancel(t.Context())
		r, w := io.Pipe()
		done := make(chan error, 1)
		go func() { done <- run(ctx, []string{"--defect", defect}, w, io.Discard) }()
		line, err := bufio.NewReader(r).ReadString('\n')
		require.NoError(t, err)
		url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
		require.True(t, ok, line)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/shop/v1/books?page=500", http.NoBody)
		require.NoError(t, err)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.StatusCode, defect)
		cancel()
		require.NoError(t, <-done)
	}
}
