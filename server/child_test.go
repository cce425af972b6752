package server_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// childDB is set for a copy of this test binary that is to serve a database,
// childLimits for the server's limits, as JSON, and childTLS if it is to speak TLS.
const (
	childDB     = "FACTORY_TEST_SERVE"
	childLimits = "FACTORY_TEST_LIMITS"
	childTLS    = "FACTORY_TEST_TLS"
)

// figures are what a process says of itself.
type figures struct {
	Goroutines int
	Heap       uint64 // bytes in use, after a collection
	Reserved   uint64 // bytes that the runtime has ever had of the system: never less
}

// runChild serves the database until the process is killed. For each line of
// its standard input it writes its figures.
func runChild(dsn string) int {
	ctx := context.Background()
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var limits server.Limits
	if text := os.Getenv(childLimits); text != "" {
		if err := json.Unmarshal([]byte(text), &limits); err != nil {
			return fail(err)
		}
	}
	s, err := store.Open(ctx, dsn)
	if err != nil {
		return fail(err)
	}
	opts := []server.Option{server.WithLimits(limits)}
	if os.Getenv(childTLS) != "" {
		withTLS, _ := borrowedTLS()
		opts = append(opts, withTLS)
	}
	handler, err := server.New(s, opts...)
	if err != nil {
		return fail(err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fail(err)
	}
	fmt.Println(listener.Addr())
	go func() {
		for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
			runtime.GC()
			runtime.GC() // what a pool holds outlives the first
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			_ = json.NewEncoder(os.Stdout).Encode(figures{runtime.NumGoroutine(), m.HeapAlloc, m.Sys})
		}
	}()
	return fail(handler.Serve(ctx, listener))
}

// child is a server in a process of its own.
type child struct {
	running // of which the address is set

	cmd  *exec.Cmd
	ask  io.Writer
	tell *bufio.Reader
}

// startChild starts a process that serves dsn, with more in its environment. It is
// killed when the test ends, if the test has not done so.
func startChild(t *testing.T, dsn string, limits server.Limits, environment ...string) *child {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	text, err := json.Marshal(limits)
	require.NoError(t, err)
	c := &child{cmd: exec.CommandContext(context.WithoutCancel(t.Context()), self)}
	c.cmd.Env = append(append(os.Environ(), childDB+"="+dsn, childLimits+"="+string(text)), environment...)
	stdout, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.ask, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			_ = c.cmd.Wait()
		}
	})
	c.tell = bufio.NewReader(stdout)
	address, err := c.tell.ReadString('\n')
	require.NoError(t, err)
	c.address = strings.TrimSpace(address)
	return c
}

// figures asks the process for its figures.
func (c *child) figures(t *testing.T) figures {
	t.Helper()
	_, err := io.WriteString(c.ask, "\n")
	require.NoError(t, err)
	line, err := c.tell.ReadBytes('\n')
	require.NoError(t, err, "the process has ended")
	var f figures
	require.NoError(t, json.Unmarshal(line, &f))
	return f
}
