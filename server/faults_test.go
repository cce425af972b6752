package server_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

func TestFaults(t *testing.T) {
	tests := []struct {
		fault  server.Fault
		status int // 0: no answer
		code   string
		after  string // Retry-After
		done   bool   // it is carried out
	}{
		{fault: server.Fault{Drop: true}},
		{fault: server.Fault{Drop: true, Late: true}, done: true},
		{fault: server.Fault{Delay: time.Millisecond}, status: 200, done: true},
		{fault: server.Fault{Delay: time.Millisecond, Drop: true}},
		{fault: server.Fault{Status: 429, RetryAfter: 1500 * time.Millisecond}, status: 429, code: "APIG.0308", after: "2"},
		{fault: server.Fault{Status: 500}, status: 500, code: "APIG.0601"},
		{fault: server.Fault{Status: 502}, status: 502, code: "APIG.0202"},
		{fault: server.Fault{Status: 500, RetryAfter: time.Second, Late: true}, status: 500, code: "APIG.0601", after: "1", done: true},
		{fault: server.Fault{Status: 503, RetryAfter: time.Second}, status: 503, code: "APIG.0613", after: "1"},
		{fault: server.Fault{Status: 504, Late: true}, status: 504, code: "APIG.0203", done: true},
	}
	for _, tt := range tests {
		tt.fault.Share = 1
		t.Run(tt.fault.String(), func(t *testing.T) {
			s := store.NewMemory()
			fill(t, s)
			r := start(t, s, server.WithFaults(1, tt.fault))
			conn := r.dial(t)
			_, err := io.WriteString(conn, post(path, document, "Content-Type: "+mediaType))
			require.NoError(t, err)
			if tt.status == 0 {
				answer, _ := io.ReadAll(conn) // to its end, in order or not
				assert.Empty(t, answer)
			} else {
				a := readAnswer(t, bufio.NewReader(conn), "POST")
				assert.Equal(t, tt.after, a.Header.Get("Retry-After"))
				if tt.code == "" {
					success(t, a)
				} else {
					failure(t, a, tt.status, tt.code)
				}
			}
			if tt.done {
				assert.Equal(t, both, states(t, s))
			} else {
				assert.Equal(t, untouched, states(t, s))
			}
			assert.Contains(t, r.log.String(), `fault="`+tt.fault.String()+`"`)
			assert.NotContains(t, r.log.String(), "panic")
		})
	}
}

// What is refused before it is carried out is told so: there is nothing in doubt.
func TestFaultOfRefused(t *testing.T) {
	s := store.NewMemory()
	fill(t, s)
	r := start(t, s, server.WithFaults(1, server.Fault{Share: 1, Drop: true, Late: true}))
	failure(t, r.send(t, post(path, `{"package_ids":[1]}`, "Content-Type: "+mediaType)), http.StatusBadRequest, "DLF.3051")
	failure(t, r.send(t, post("/nowhere", "")), http.StatusNotFound, "APIG.0101")
	assert.Equal(t, http.StatusOK, r.send(t, request("GET", "/readyz", "")).StatusCode)
}

// The same seed befalls the same requests, and about the share that is asked for.
func TestFaultShare(t *testing.T) {
	const n = 1000
	statuses := func(seed uint64) string {
		handler := newHandler(t, store.NewMemory(), io.Discard, server.WithFaults(seed,
			server.Fault{Share: 0.2, Status: 429}, server.Fault{Share: 0.3, Status: 503}))
		var b strings.Builder
		for range n {
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, http.NoBody))
			fmt.Fprintf(&b, "%d ", rec.Code)
		}
		return b.String()
	}
	got := statuses(1)
	assert.Equal(t, got, statuses(1))
	assert.NotEqual(t, got, statuses(2))
	assert.InDelta(t, 0.2*n, strings.Count(got, "429"), 0.05*n)
	assert.InDelta(t, 0.3*n, strings.Count(got, "503"), 0.05*n)
}

func TestWithFaultsRefused(t *testing.T) {
	for want, f := range map[string]server.Fault{
		"want a share above 0, and 1 at most": {Drop: true},
		"a time is below 0":                   {Share: 1, Delay: -1},
		"what is dropped has no status":       {Share: 1, Drop: true, Status: 503},
		"want a status of 429":                {Share: 1, Status: 404},
		"needs a status":                      {Share: 1, Drop: true, RetryAfter: 1},
		"late is what is dropped":             {Share: 1, Delay: 1, Late: true},
		"answers with 503 is not carried out": {Share: 1, Status: 503, Late: true},
		"answers with 429 is not carried out": {Share: 1, Status: 429, Late: true},
		"it does nothing":                     {Share: 1},
	} {
		_, err := server.New(store.NewMemory(), server.WithFaults(1, f))
		require.ErrorContains(t, err, want)
	}
	half := server.Fault{Share: 0.6, Drop: true}
	_, err := server.New(store.NewMemory(), server.WithFaults(1, half, half))
	require.ErrorContains(t, err, "1.2 of the requests")
}

// A handler that is called directly is told to give up the connection as
// net/http has it.
func TestDropInProcess(t *testing.T) {
	handler := newHandler(t, store.NewMemory(), io.Discard, server.WithFaults(1, server.Fault{Share: 1, Drop: true}))
	defer func() {
		err, ok := recover().(error)
		require.True(t, ok)
		assert.ErrorIs(t, err, http.ErrAbortHandler)
	}()
	handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, http.NoBody))
}
