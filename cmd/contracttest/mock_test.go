package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const greeting = `
openapi: 3.0.3
info: {title: greetings, version: "1"}
paths:
  /hello: {get: {operationId: hello, parameters: [{name: to, in: query, required: true, schema: {type: string}}], responses: {'200': {description: ok, content: {text/plain: {example: hello, schema: {type: string}}}}, '400': {description: bad}}}}
`

// runningMock is contracttest mock in this process.
type runningMock struct {
	url  string
	log  *bufio.Scanner
	stop func() int
}

func startMock(t *testing.T, args ...string) runningMock {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	stdout, out := io.Pipe()
	stderr, log := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- Do(ctx, append([]string{"mock", "--listen", "127.0.0.1:0"}, args...), out, log)
		_ = out.Close()
		_ = log.Close()
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	require.True(t, ok, line)
	m := runningMock{url: url, log: bufio.NewScanner(stderr)}
	m.stop = func() int {
		cancel()
		go func() { _, _ = io.Copy(io.Discard, stderr) }()
		return <-ended
	}
	t.Cleanup(cancel)
	return m
}

// get asks on a connection of its own; the log has to be read meanwhile.
func (m runningMock) get(ctx context.Context, path string) string {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url+path, nil)
	if err != nil {
		return err.Error()
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return resp.Status + " " + string(body)
}

func (m runningMock) line(t *testing.T) string {
	t.Helper()
	require.True(t, m.log.Scan())
	return m.log.Text()
}

// The mock says where it listens and what each request has come to, serves a document that has
// changed, and ends with 0 when it is told to.
func TestMockServes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "openapi.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write(greeting)
	m := startMock(t, "--spec", file)
	answers := make(chan string, 1)
	get := func(path string) { go func() { answers <- m.get(t.Context(), path) }() }
	get("/hello?to=you")
	assert.Equal(t, "GET     /hello 200 hello ok", m.line(t))
	assert.Equal(t, "200 OK hello", <-answers)
	get("/hello")
	assert.Equal(t, "GET     /hello 400 hello REFUSED", m.line(t))
	assert.Equal(t, "        hello/query/to/required: to is missing", m.line(t))
	assert.Equal(t, "400 Bad Request ", <-answers)
	write("openapi: none")
	assert.Contains(t, m.line(t), " has changed but cannot be used: ")
	write(strings.Replace(greeting, "required: true, ", "", 1))
	assert.Equal(t, file+" has changed: new: hello/query/to/optional; gone: hello/query/to/required", m.line(t))
	get("/hello")
	assert.Equal(t, "GET     /hello 200 hello ok", m.line(t))
	<-answers
	assert.Equal(t, exitKept, m.stop())
}

func TestMockOptions(t *testing.T) {
	for _, tt := range []struct{ args, err string }{
		{"--delay 5", `--delay "5": want a duration`},
		{"--delay 5s-1s", `--delay "5s-1s": want`},
		{"--fail 1", `--fail "1": want a share`},
		{"--fail 101%", `--fail "101%": want a share`},
		{"--value secret", "--value: want SCHEME=CREDENTIAL\n"},
		{"--spec nowhere.yaml", "nowhere.yaml"},
		{"more", `unexpected argument "more"`},
	} {
		var stderr strings.Builder
		assert.Equal(t, exitFailed, Do(t.Context(), append([]string{"mock", "--listen", "127.0.0.1:0"}, strings.Fields(tt.args)...), io.Discard, &stderr))
		assert.Contains(t, stderr.String(), tt.err)
	}
	opts, err := mockFlags{delay: "1ms-2ms", fail: "2.5%", values: []string{"a=b"}}.options(nil)
	require.NoError(t, err)
	assert.Len(t, opts, 5)
}
