package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each server answers the request as documented, and those that are said to
// validate refuse one that is not: else their figures say nothing.
func TestContestants(t *testing.T) {
	req, err := newRequest()
	require.NoError(t, err)
	for _, c := range contestants {
		t.Run(c.name, func(t *testing.T) {
			s := &process{contestant: c, address: serveIn(t, c, preparation{request: req, dir: t.TempDir(), packages: 10})}
			require.NoError(t, s.answers(req))
			if c.fresh {
				prepared := req
				prepared.body = `{"package_ids":["` + freshID(0) + `","` + freshID(9) + `"]}`
				require.NoError(t, s.answers(prepared))
				prepared.body = `{"package_ids":["` + freshID(10) + `"]}`
				require.ErrorContains(t, s.answers(prepared), "DLF.0810")
			}
			for name, change := range map[string]func(*request){
				"an ID is a number": func(r *request) { r.body = `{"package_ids":["12",13]}` },
				"a token too long":  func(r *request) { r.header["X-Auth-Token"] = strings.Repeat("x", 4097) },
			} {
				wrong := req
				wrong.header = map[string]string{}
				for k, v := range req.header {
					wrong.header[k] = v
				}
				change(&wrong)
				if err := s.answers(wrong); c.validates {
					require.ErrorContains(t, err, "400", name)
				} else if name == "a token too long" {
					require.NoError(t, err, name)
				}
			}
		})
	}
}

// serveIn serves c until the test ends, and returns its address.
func serveIn(t *testing.T, c contestant, p preparation) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- c.serve(ctx, listener, p) }()
	t.Cleanup(func() {
		stop()
		assert.NoError(t, <-served)
	})
	return listener.Addr().String()
}

// To run ogen takes longer than all of this, so that its code is known by the
// document that it was made from.
func TestGenerated(t *testing.T) {
	document, err := os.ReadFile(filepath.Join("..", "..", "openapi.yaml"))
	require.NoError(t, err)
	sum, err := os.ReadFile(filepath.Join("oas", "openapi.sha256"))
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("%x\n", sha256.Sum256(document)), string(sum),
		"oas was not made from this openapi.yaml: run make generate-load")
}

// The request is that of the document.
func TestRequest(t *testing.T) {
	req, err := newRequest()
	require.NoError(t, err)
	assert.Equal(t, []string{"12", "13"}, req.ids)
	assert.Contains(t, req.path, req.project)
	assert.NotContains(t, req.path, "{")

	same, err := req.script(false, 7)
	require.NoError(t, err)
	assert.NotContains(t, same, "function request")
	assert.Contains(t, same, `wrk.body = "{\"package_ids\":[\"12\",\"13\"]}"`)
	fresh, err := req.script(true, 7)
	require.NoError(t, err)
	assert.Contains(t, fresh, "local n = 1000000007\n")
}

func TestParse(t *testing.T) {
	one, err := parseWrk("Running 1s test\nresult: 1000 500000 30 900 2\n")
	require.NoError(t, err)
	assert.Equal(t, sample{
		requests: 1000, duration: 500 * time.Millisecond, p50: 30 * time.Microsecond, p99: 900 * time.Microsecond, wrongOnes: 2,
	}, one)
	assert.InDelta(t, 2000, one.rate(), 0)
	for _, out := range []string{"", "result: 1 2\n", "result: 0 500000 0 0 0\n"} {
		_, err := parseWrk(out)
		require.Error(t, err, out)
	}

	cpu, err := parseStat([]byte("12 (a) b (c)) S 1 1 1 0 -1 4194304 100 0 0 0 150 25 0 0 20 0 9"))
	require.NoError(t, err)
	assert.Equal(t, 1750*time.Millisecond, cpu)
	_, err = parseStat([]byte("12"))
	require.Error(t, err)

	memory, err := parseStatus([]byte("Name:\tx\nVmHWM:\t   20480 kB\n"), "VmHWM:")
	require.NoError(t, err)
	assert.Equal(t, int64(20<<20), memory)
	_, err = parseStatus(nil, "VmHWM:")
	require.Error(t, err)
}

// The test binary is what start runs, in place of the program.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-serve" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestProcess(t *testing.T) {
	req, err := newRequest()
	require.NoError(t, err)
	c, err := find(ours)
	require.NoError(t, err)
	profiles := t.TempDir()
	s, err := start(t.Context(), c, preparation{request: req, dir: t.TempDir()}, profiles)
	require.NoError(t, err)
	held, most, err := s.memory()
	require.NoError(t, err)
	assert.Positive(t, held)
	assert.GreaterOrEqual(t, most, held)
	_, err = s.cpu()
	require.NoError(t, err)
	require.NoError(t, s.stop())
	profile, err := os.Stat(filepath.Join(profiles, ours+".pprof"))
	require.NoError(t, err)
	assert.Positive(t, profile.Size())
}

// The shortest run: one second for each of two servers, and one to warm up.
func TestRun(t *testing.T) {
	if _, err := exec.LookPath("wrk"); err != nil {
		t.Skip("wrk is not installed: .ci/wrk")
	}
	var out strings.Builder
	args := []string{"-time", "1s", "-connections", "2", "-servers", "bare-echo,ours-sqlite-fresh"}
	require.NoError(t, run(t.Context(), args, strings.NewReader(""), &out, io.Discard))
	for _, want := range []string{"| connections | 2 |", "| `bare-echo` | ", "| `ours-sqlite-fresh` | "} {
		assert.Contains(t, out.String(), want)
	}
}

func TestMarkdown(t *testing.T) {
	m := measurement{contestants: []contestant{{name: bareEcho, what: "bare"}, {name: ours, what: "ours"}}, connections: []int{1, 64}}
	r := newResults(m, 2)
	for round := range 2 {
		for _, n := range m.connections {
			r.add(bareEcho, n, sample{requests: 20_000 + round, duration: time.Second, p50: time.Millisecond, p99: 2 * time.Millisecond, cpu: 400 * time.Millisecond})
			r.add(ours, n, sample{requests: 15_000, duration: time.Second, p50: time.Millisecond, p99: 3 * time.Millisecond, cpu: 450 * time.Millisecond})
		}
	}
	r.memory[bareEcho], r.memory[ours] = []int64{1 << 20}, []int64{20 << 20, 25 << 20}
	r.most[ours] = 30 << 20
	page := filepath.Join(t.TempDir(), "page.md")
	require.NoError(t, os.WriteFile(page, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o600))
	require.NoError(t, writeInto(page, r.markdown()))
	data, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, want := range []string{
		"before\n" + begin, end + "after\n",
		"| `bare-echo` | 20,000 | 20,000 |\n", "| `ours` | 15,000 | 15,000 |\n", "| `ours` | 0.75 / 1.50 | 0.75 / 1.50 |\n",
		"| `ours` | 30.0 | 30.0 |\n", "| `ours` | 20 | 25 | 25 | 30 |\n",
	} {
		assert.Contains(t, string(data), want)
	}
	assert.NotContains(t, string(data), "old")
	require.NoError(t, os.WriteFile(page, []byte("no marks"), 0o600))
	require.Error(t, writeInto(page, ""))
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{
		{"-connections", "0"}, {"-connections", "x"}, {"-servers", "nobody"}, {"-serve", "nobody"}, {"more"},
	} {
		assert.Error(t, run(t.Context(), args, strings.NewReader(""), io.Discard, io.Discard), "%q", args)
	}
}
