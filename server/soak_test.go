package server_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

var soak = flag.Duration("soak", 2*time.Second, "how long TestSoak lasts")

// soaked is a workspace of one client's own, of which it knows what has to be
// cancelled. Its packages come in groups, each of which is one request.
type soaked struct {
	workspace string
	confirmed []bool // by group
}

const groupSize, groupsAtOnce = 3, 200

// request returns the cancellation of a further group. It adds packages where
// there are no more.
func (w *soaked) request(ctx context.Context, s store.Store) (string, error) {
	group := len(w.confirmed)
	if group%groupsAtOnce == 0 {
		var packages []store.Package
		for i := range groupsAtOnce * groupSize {
			id := fmt.Sprintf("%d-%d", group+i/groupSize, i%groupSize)
			packages = append(packages, store.Package{ID: id, ProjectID: project, Workspace: w.workspace})
		}
		if _, err := s.Add(ctx, store.Packages(packages...)); err != nil {
			return "", err
		}
	}
	w.confirmed = append(w.confirmed, false)
	ids := make([]string, groupSize)
	for i := range ids {
		ids[i] = fmt.Sprintf(`"%d-%d"`, group, i)
	}
	return post(path, `{"package_ids":[`+strings.Join(ids, ",")+`]}`, "Content-Type: "+mediaType, "workspace: "+w.workspace), nil
}

// check finds what was confirmed and is not cancelled, and what is in part.
func (w *soaked) check(t *testing.T, s store.Store) (cancelled int) {
	t.Helper()
	if len(w.confirmed) == 0 {
		return 0
	}
	groups := make([]int, len(w.confirmed)+groupsAtOnce)
	for p, err := range s.List(t.Context(), project, w.workspace) {
		require.NoError(t, err)
		if p.State == store.Cancelled {
			number, _, _ := strings.Cut(p.ID, "-")
			group, err := strconv.Atoi(number)
			require.NoError(t, err)
			groups[group]++
		}
	}
	for group, n := range groups {
		switch {
		case group < len(w.confirmed) && w.confirmed[group]:
			cancelled++
			assert.Equal(t, groupSize, n, "group %d of %s was confirmed", group, w.workspace)
		case n != 0:
			assert.Equal(t, groupSize, n, "group %d of %s was cancelled in part", group, w.workspace)
		}
	}
	return cancelled
}

// A server that serves well-behaved clients among others that send slowly, leave
// in the middle, send no HTTP, or too much: whatever was confirmed is done,
// nothing is done by half, and it neither grows nor keeps a goroutine.
func TestSoak(t *testing.T) {
	const clients, leaving, slow = 4, 2, 8
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "factory.db")
	s, err := store.Open(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	c := startChild(t, dsn, server.Limits{HeaderTimeout: 2 * time.Second, ReadTimeout: 3 * time.Second})
	idle := c.figures(t)

	ctx, stop := context.WithTimeout(t.Context(), *soak)
	defer stop()
	var answered, inDoubt, hostile atomic.Int64
	var wg sync.WaitGroup
	var all []*soaked
	each := func(n int, name string, run func(w *soaked)) {
		for i := range n {
			w := &soaked{workspace: fmt.Sprintf("%s-%d", name, i)}
			all = append(all, w)
			wg.Go(func() {
				for ctx.Err() == nil {
					run(w)
				}
			})
		}
	}
	// hostilely sends what must not be carried out, and looks at no answer; not so
	// often that the machine is busy with nothing else.
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	hostilely := func(send func(net.Conn)) {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
		conn, err := new(net.Dialer).DialContext(context.WithoutCancel(ctx), "tcp", c.address)
		if !assert.NoError(t, err) {
			return
		}
		hostile.Add(1)
		forget := context.AfterFunc(ctx, func() { _ = conn.Close() })
		defer forget()
		go func() { _, _ = io.Copy(io.Discard, conn) }()
		send(conn)
		_ = conn.Close()
	}

	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	each(clients, "client", func(w *soaked) {
		raw, err := w.request(context.WithoutCancel(ctx), s)
		if !assert.NoError(t, err) {
			return
		}
		status, err := c.roundTrip(context.WithoutCancel(ctx), transport, raw)
		if err != nil {
			inDoubt.Add(1)
			return
		}
		answered.Add(1)
		w.confirmed[len(w.confirmed)-1] = assert.Equal(t, http.StatusOK, status)
	})
	each(leaving, "leaving", func(w *soaked) {
		raw, err := w.request(context.WithoutCancel(ctx), s)
		if !assert.NoError(t, err) {
			return
		}
		hostilely(func(conn net.Conn) {
			if rand.IntN(2) == 0 { // else it is sent whole, and may be carried out
				raw = raw[:rand.IntN(len(raw))]
			}
			_, _ = io.WriteString(conn, raw)
		})
	})
	each(slow, "slow", func(*soaked) {
		hostilely(func(conn net.Conn) {
			head := request("POST", path, "", "Content-Length: 1000")
			_, _ = drip(conn, head[:rand.IntN(len(head))+1], 'a', 100_000)
		})
	})
	each(1, "malformed", func(*soaked) {
		hostilely(func(conn net.Conn) {
			raw := []byte(post(path, document, "Content-Type: "+mediaType))
			for range 1 + rand.IntN(4) {
				raw[rand.IntN(len(raw))] = byte(rand.IntN(256))
			}
			_, _ = conn.Write(raw)
		})
	})
	spaces := bytes.Repeat([]byte(" "), 64<<10)
	each(1, "large", func(*soaked) {
		hostilely(func(conn net.Conn) {
			head := []string{"Content-Length: 1000000000", "Transfer-Encoding: chunked", "X-A: "}[rand.IntN(3)]
			raw := request("POST", path, "", "Content-Type: "+mediaType, head)
			if strings.HasPrefix(head, "X-A") {
				raw = raw[:len(raw)-len("\r\n\r\n")]
			}
			_, err := io.WriteString(conn, raw)
			for range 20 << 20 / len(spaces) {
				if err != nil {
					break
				}
				if strings.HasSuffix(head, "chunked") {
					_, err = fmt.Fprintf(conn, "%x\r\n%s\r\n", len(spaces), spaces)
				} else {
					_, err = conn.Write(spaces)
				}
			}
		})
	})

	// Memory is that after a collection, and the least of three: a body that is just
	// being read does not count. The first fifth is not looked at.
	const samples, warm = 20, 4
	var heap, resident []float64
	tick := time.NewTicker(*soak / samples)
	defer tick.Stop()
	for i := 1; ctx.Err() == nil; i++ {
		select {
		case <-tick.C:
			f, rss := c.figures(t), residentMB(c.cmd.Process.Pid)
			for range 2 {
				f.Heap = min(f.Heap, c.figures(t).Heap)
			}
			t.Logf("%8v: %d answered, %d hostile, heap %.1f MB, resident %.1f MB, %d goroutines",
				*soak/samples*time.Duration(i), answered.Load(), hostile.Load(), float64(f.Heap)/1e6, rss, f.Goroutines)
			if i > warm {
				heap, resident = append(heap, float64(f.Heap)/1e6), append(resident, rss)
			}
		case <-ctx.Done():
		}
	}
	wg.Wait()
	transport.CloseIdleConnections()

	after := c.figures(t)
	for after.Goroutines > idle.Goroutines { // each has a time-out
		after = c.figures(t)
	}
	after = c.figures(t) // one that ended after the collection may have held something at it
	confirmed := 0
	for _, w := range all {
		confirmed += w.check(t, s)
	}
	t.Logf("%d answered, of which %d confirmed are cancelled; %d in doubt, %d hostile; %d goroutines before, %d after; growth by the trend: heap %.2f MB, resident %.2f MB",
		answered.Load(), confirmed, inDoubt.Load(), hostile.Load(), idle.Goroutines, after.Goroutines, growth(heap), growth(resident))
	assert.Positive(t, confirmed)
	assert.LessOrEqual(t, inDoubt.Load()*100, answered.Load(), "well-behaved clients were cut off")
	if *soak >= 10*time.Second { // in less there is no trend
		assert.Less(t, growth(heap), 8.0, "MB")
	}
	assert.Less(t, float64(after.Heap)/1e6, float64(idle.Heap)/1e6+8, "MB are still held")
	assert.Less(t, float64(after.Reserved)/1e6, 256.0, "MB were had of the system at most")
}

// roundTrip sends raw, and returns the status of the answer.
func (r *running) roundTrip(ctx context.Context, transport *http.Transport, raw string) (int, error) {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.address+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(head, "\r\n")[1:] {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Set(name, value)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// growth is by how much the values grow from the first to the last by their trend:
// the straight line that fits best.
func growth(values []float64) float64 {
	n := float64(len(values))
	var x, y, xx, xy float64
	for i, v := range values {
		at := float64(i)
		x, y, xx, xy = x+at, y+v, xx+at*at, xy+at*v
	}
	if n < 2 {
		return 0
	}
	return (n*xy - x*y) / (n*xx - x*x) * (n - 1)
}

// residentMB is what a process has in memory, where /proc says so, and 0 elsewhere.
func residentMB(pid int) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, pages float64
	if _, err := fmt.Sscan(string(data), &size, &pages); err != nil {
		return 0
	}
	return pages * float64(os.Getpagesize()) / 1e6
}
