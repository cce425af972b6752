package h2spectest_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	"github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"
	"golang.org/x/sync/errgroup"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// patience is how long a case waits for a frame. On a busy machine it has to be long, and
// costs little, since the cases run beside each other.
const patience = 2 * time.Second

// abreast is how many cases run at a time. Most of them wait.
const abreast = 16

// cases returns the cases of h2spec by section and number.
func cases() map[string]*spec.TestCase {
	all := map[string]*spec.TestCase{}
	var collect func(g *spec.TestGroup)
	collect = func(g *spec.TestGroup) {
		for i, c := range slices.Concat(g.Tests, g.StrictTests) {
			all[fmt.Sprintf("%s/%d", g.ID(), i+1)] = c
		}
		for _, sub := range g.Groups {
			collect(sub)
		}
	}
	for _, group := range []*spec.TestGroup{generic.Spec(), http2.Spec(), hpack.Spec()} {
		collect(group)
	}
	return all
}

// judge runs the cases with these names, and returns why those that failed did. It does not
// leave the running to h2spec, which does it one by one, prints each, and exits when it
// cannot connect.
func judge(t *testing.T, address net.Addr, all map[string]*spec.TestCase, names []string) map[string]string {
	t.Helper()
	at, ok := address.(*net.TCPAddr)
	require.True(t, ok)
	var (
		mu     sync.Mutex
		failed = map[string]string{}
		group  errgroup.Group
	)
	group.SetLimit(abreast)
	for _, name := range names {
		group.Go(func() error {
			c := &config.Config{
				Host: at.IP.String(), Port: at.Port, Path: "/", Timeout: patience, MaxHeaderLen: 4000,
				Strict: true, TLS: true, Insecure: true,
			}
			conn, err := spec.Dial(c)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			defer conn.Close()
			if err := all[name].Run(c, conn); err != nil && !errors.Is(err, spec.ErrSkipped) {
				mu.Lock()
				defer mu.Unlock()
				failed[name] = fmt.Sprintf("%s: %v", all[name].Desc, err)
			}
			return nil
		})
	}
	require.NoError(t, group.Wait())
	return failed
}

// The server fails nothing that a bare one of net/http does not fail.
func TestH2Spec(t *testing.T) {
	page := bytes.Repeat([]byte("x"), 4096)
	bare := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write(page)
	}))
	bare.EnableHTTP2 = true
	bare.Config.ErrorLog = log.New(io.Discard, "", 0)
	bare.StartTLS()
	defer bare.Close()

	handler, err := server.New(store.NewMemory(), server.WithLogger(slog.New(slog.DiscardHandler)),
		server.WithTLS(&tls.Config{Certificates: bare.TLS.Certificates, MinVersion: tls.VersionTLS12}))
	require.NoError(t, err)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- handler.Serve(ctx, listener) }()
	defer func() {
		stop()
		assert.NoError(t, <-ended)
	}()

	all := cases()
	require.Greater(t, len(all), 130)
	names := slices.Sorted(maps.Keys(all))
	theirs := judge(t, bare.Listener.Addr(), all, names)
	t.Logf("%d cases, of which net/http fails %d", len(all), len(theirs))
	for _, name := range slices.Sorted(maps.Keys(theirs)) {
		t.Logf("net/http fails %s: %s", name, theirs[name])
	}
	// h2spec judges by time, so that a busy machine fails: what is wrong is wrong each time.
	for range 4 {
		names = slices.DeleteFunc(names, func(name string) bool { return theirs[name] != "" })
		ours := judge(t, listener.Addr(), all, names)
		names = slices.Sorted(maps.Keys(ours))
		if len(ours) == 0 {
			return
		}
		for _, name := range names {
			t.Logf("ours fails %s: %s", name, ours[name])
		}
	}
	assert.Empty(t, names, "fail, and not with net/http")
}
