package server

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A lazy connection ends each Read and Write when the one below it would have,
// whatever is done to their deadlines meanwhile. Time is that of the bubble.
func TestLazyConnIsLikeAnyOther(t *testing.T) {
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			plain := deadlineSteps(seed, func(c net.Conn) net.Conn { return c })
			lazy := deadlineSteps(seed, func(c net.Conn) net.Conn { return newLazyConn(c) })
			require.Equal(t, plain, lazy, "seed %d", seed)
		})
	}
}

// deadlineSteps does what seed says to a connection, and returns what came of it.
func deadlineSteps(seed uint64, wrap func(net.Conn) net.Conn) (events []event) {
	random := rand.New(rand.NewPCG(seed, 0))
	near, far := net.Pipe()
	c := wrap(near)
	start := time.Now()
	var mu sync.Mutex
	var busy sync.WaitGroup
	log := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, event{time.Since(start), fmt.Sprintf(format, args...)})
	}
	var done [2]chan struct{}
	ended := func(i int) bool {
		if done[i] == nil {
			return true
		}
		select {
		case <-done[i]:
			return true
		default:
			return false
		}
	}
	for range 40 {
		synctest.Wait()
		// Odd and even times keep a deadline from ending as something is done.
		in := time.Duration(random.IntN(20))*2*time.Second + time.Second
		deadline := []time.Time{{}, time.Unix(1, 0), time.Now().Add(in), time.Now().Add(in)}[random.IntN(4)]
		switch random.IntN(8) {
		case 0:
			_ = c.SetReadDeadline(deadline)
		case 1:
			_ = c.SetWriteDeadline(deadline)
		case 2:
			_ = c.SetDeadline(deadline)
		case 3, 4:
			time.Sleep(time.Duration(random.IntN(10)) * 2 * time.Second)
		case 5:
			if !ended(0) {
				break
			}
			done[0] = make(chan struct{})
			busy.Go(func() {
				defer close(done[0])
				n, err := c.Read(make([]byte, 3))
				log("read %d %v", n, errors.Is(err, os.ErrDeadlineExceeded))
			})
		case 6:
			if !ended(1) {
				break
			}
			done[1] = make(chan struct{})
			busy.Go(func() {
				defer close(done[1])
				n, err := c.Write([]byte("abcdef"))
				log("written %d %v", n, errors.Is(err, os.ErrDeadlineExceeded))
			})
		case 7: // the other side, which takes less than is written
			_ = far.SetDeadline(time.Now().Add(time.Nanosecond))
			if random.IntN(2) == 0 {
				n, _ := far.Read(make([]byte, 2))
				log("taken %d", n)
			} else {
				n, _ := far.Write([]byte("xy"))
				log("given %d", n)
			}
		}
	}
	synctest.Wait() // what is over already ends so, and not with the connection
	_, _ = far.Close(), c.Close()
	busy.Wait()
	// What happens at the same time has no order.
	slices.SortFunc(events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.what, b.what))
	})
	return events
}

type event struct {
	at   time.Duration
	what string
}

// Between requests that follow each other nothing is moved but what wakes the
// reader of net/http. Time is that of the bubble.
func TestLazyConnSeldomMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		counting := &countingConn{Conn: near}
		c := newLazyConn(counting)
		const requests = 100
		for range requests {
			// As net/http does: idle, the headers, the request, the answer, and the reader in the background.
			require.NoError(t, c.SetReadDeadline(after(2*time.Minute)))
			go func() { _, _ = io.WriteString(far, "x") }()
			_, err := c.Read(make([]byte, 1))
			require.NoError(t, err)
			for _, d := range []time.Duration{0, 10 * time.Second, time.Minute} {
				require.NoError(t, c.SetReadDeadline(after(d)))
			}
			require.NoError(t, c.SetWriteDeadline(after(2*time.Minute)))
			require.NoError(t, c.SetReadDeadline(time.Unix(1, 0)))
			require.NoError(t, c.SetReadDeadline(time.Time{}))
			time.Sleep(10 * time.Millisecond)
		}
		assert.Less(t, counting.moved, 2*requests+10)
		require.NoError(t, c.Close())
		require.NoError(t, far.Close())
	})
}

func after(d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// countingConn counts how often its deadlines are moved.
type countingConn struct {
	net.Conn
	moved int
}

func (c *countingConn) SetReadDeadline(t time.Time) error {
	c.moved++
	return c.Conn.SetReadDeadline(t)
}

func (c *countingConn) SetWriteDeadline(t time.Time) error {
	c.moved++
	return c.Conn.SetWriteDeadline(t)
}
