package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/racing"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// besieged is a server in a process of its own, of which the memory is watched,
// on a database that the test reads.
type besieged struct {
	*child

	store  store.Store
	before figures
}

// besiege starts a server and has it confirm the cancellation of package 12.
func besiege(t *testing.T, limits server.Limits) *besieged {
	t.Helper()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "factory.db")
	s, err := store.Open(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	fill(t, s)
	b := &besieged{child: startChild(t, dsn, limits), store: s}
	success(t, b.send(t, cancelOf("12")))
	b.before = b.figures(t)
	return b
}

// over checks that the server has survived: it serves, no more than what it has
// confirmed is done, and it has had no more memory than bound, in bytes.
func (b *besieged) over(t *testing.T, bound uint64) {
	t.Helper()
	assert.Equal(t, "12=cancelled 13=pending 14=released 15=cancelled", states(t, b.store))
	success(t, b.send(t, cancelOf("12", "13")))
	assert.Equal(t, both, states(t, b.store))
	after := b.figures(t)
	t.Logf("memory %.1f MB before, %.1f MB at most", float64(b.before.Reserved)/1e6, float64(after.Reserved)/1e6)
	assert.Less(t, after.Reserved-b.before.Reserved, bound, "bytes of memory")
}

// released waits until the server has given up what belonged to n connections,
// and checks that no memory is held for them.
func (b *besieged) released(t *testing.T, n int) {
	t.Helper()
	now := b.figures(t)
	for now.Goroutines > b.before.Goroutines+n/10 {
		now = b.figures(t) // a round trip and a collection: no busy loop
	}
	for range 3 { // a sync.Pool keeps what it has for two collections
		now = b.figures(t)
	}
	assert.Less(t, now.Heap, b.before.Heap+8<<20, "bytes are still held")
}

func cancelOf(ids ...string) string {
	return post(path, `{"package_ids":["`+strings.Join(ids, `","`)+`"]}`, "Content-Type: "+mediaType)
}

// drip writes head at once, and then one byte after another until the other side
// ends the connection, at most so many.
func drip(conn net.Conn, head string, b byte, most int) (written int, err error) {
	if _, err := io.WriteString(conn, head); err != nil {
		return 0, err
	}
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	for ; written < most; written++ {
		<-pace.C
		if _, err := conn.Write([]byte{b}); err != nil {
			return written, err
		}
	}
	return written, nil
}

// Clients that send a byte now and then hold a connection no longer than they may,
// and then it is another's.
func TestSlowClients(t *testing.T) {
	const clients, most = 20, 100_000 // bytes: 100 s
	limits := server.Limits{HeaderTimeout: 100 * time.Millisecond, ReadTimeout: 150 * time.Millisecond, Connections: clients}
	for name, tt := range map[string]struct {
		head string
		next byte
	}{
		"request line":  {"POST /", 'a'},
		"header":        {"POST " + path + " HTTP/1.1\r\nHost: x\r\nX-A: ", 'a'},
		"body":          {post(path, "", "Content-Type: "+mediaType, fmt.Sprintf("Content-Length: %d", most)) + document, ' '},
		"chunked body":  {post(path, "", "Content-Type: "+mediaType, "Transfer-Encoding: chunked") + "fffff\r\n" + document, ' '},
		"chunk's size":  {post(path, "", "Content-Type: "+mediaType, "Transfer-Encoding: chunked"), '0'},
		"refused early": {post("/nowhere", "", fmt.Sprintf("Content-Length: %d", most)), ' '},
	} {
		t.Run(name, func(t *testing.T) {
			s := newMemory(t)
			r := start(t, s, server.WithLimits(limits))
			success(t, r.send(t, cancelOf("12")))
			var conns []net.Conn
			for range clients {
				conns = append(conns, r.dial(t))
			}
			var wg sync.WaitGroup
			for _, conn := range conns {
				wg.Go(func() {
					answered := make(chan []byte, 1)
					go func() {
						data, _ := io.ReadAll(conn) // to its end, in order or not
						answered <- data
					}()
					written, err := drip(conn, tt.head, tt.next, most)
					require.Error(t, err, "it was let finish")
					assert.Less(t, written, most)
					assert.NotContains(t, string(<-answered), "HTTP/1.1 5")
				})
			}
			// It is accepted when one of them has been cut off.
			success(t, r.send(t, cancelOf("13")))
			wg.Wait()
			assert.Equal(t, both, states(t, s))
			assert.NotContains(t, r.log.String(), "level=ERROR")
		})
	}
}

// Who reads no answers is cut off, too.
func TestClientThatDoesNotRead(t *testing.T) {
	s := newMemory(t)
	r := start(t, s, server.WithLimits(server.Limits{
		ReadTimeout: 100 * time.Millisecond, RequestTimeout: 100 * time.Millisecond, WriteTimeout: 300 * time.Millisecond,
	}))
	conn := r.dial(t)
	page := request("GET", "/openapi.json", "")
	var err error
	for err == nil { // until neither side takes more, and the server gives up
		_, err = io.WriteString(conn, page)
	}
	success(t, r.send(t, post(path, document, "Content-Type: "+mediaType)))
	assert.Equal(t, both, states(t, s))
}

// sendEndless sends head and then filler, over and over, until size bytes are sent
// or the server ends the connection, and returns how many it took and the answer.
func (r *running) sendEndless(t *testing.T, head, filler string, size int64) (int64, answer) {
	t.Helper()
	conn := r.dial(t)
	sent := make(chan int64, 1)
	go func() {
		n, err := io.WriteString(conn, head)
		total := int64(n)
		for err == nil && total < size {
			n, err = io.WriteString(conn, filler)
			total += int64(n)
		}
		sent <- total
	}()
	a := readAnswer(t, bufio.NewReader(conn), http.MethodPost)
	_ = conn.Close()
	return <-sent, a
}

// status returns the status of the answer to a request, whose body a server that
// has not read all of the request may take back by a reset.
func (r *running) status(t *testing.T, request string) int {
	t.Helper()
	conn := r.dial(t)
	defer conn.Close()
	go func() { _, _ = io.WriteString(conn, request) }()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	_ = resp.Body.Close()
	return resp.StatusCode
}

// A body of 1 GB is refused, and neither taken nor held.
func TestHugeBody(t *testing.T) {
	const size = 1 << 30
	const clients = 3 // as many bodies of 12 MiB as one address may have at a time
	filler := strings.Repeat(" ", 64<<10)
	valid := `{"package_ids":["13"]}`
	for name, tt := range map[string]struct {
		head, filler string
		most         int64 // of it that the server takes, with what is on its way
	}{
		"length": {post(path, "", "Content-Type: "+mediaType, fmt.Sprintf("Content-Length: %d", size)) + valid, filler, 64 << 20},
		"chunked": {
			post(path, "", "Content-Type: "+mediaType, "Transfer-Encoding: chunked") + fmt.Sprintf("%x\r\n%s\r\n", len(valid), valid),
			fmt.Sprintf("%x\r\n%s\r\n", len(filler), filler), 64 << 20,
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := besiege(t, server.Limits{})
			var wg sync.WaitGroup
			for range clients {
				wg.Go(func() {
					sent, a := b.sendEndless(t, tt.head, tt.filler, size)
					failure(t, a, http.StatusRequestEntityTooLarge, "APIG.0201")
					assert.Less(t, sent, tt.most, "bytes were taken")
				})
			}
			wg.Wait()
			b.over(t, clients*96<<20)
			b.released(t, 100)
		})
	}
}

// 100,000 headers are refused; as many as fit into the limit are read.
func TestManyHeaders(t *testing.T) {
	const clients = 2
	b := besiege(t, server.Limits{})
	// many has n headers, which are line with # numbered.
	many := func(n int, line string) string {
		before, after, _ := strings.Cut("\r\n"+line, "#")
		all := []byte("Content-Type: " + mediaType)
		for i := range n {
			all = append(strconv.AppendInt(append(all, before...), int64(i), 10), after...)
		}
		return post(path, `{"package_ids":["13","none"]}`, string(all))
	}
	for name, tt := range map[string]struct {
		request string
		status  int
	}{
		"100,000 names":            {many(100_000, "X-#: a"), http.StatusRequestHeaderFieldsTooLarge},
		"100,000 times one":        {many(100_000, "X: a#"), http.StatusRequestHeaderFieldsTooLarge},
		"100,000 trailers":         {many(100_000, "Trailer: X-#"), http.StatusRequestHeaderFieldsTooLarge},
		"one of 20 MB":             {post(path, "", "X-A: "+strings.Repeat("a", 20<<20)), http.StatusRequestHeaderFieldsTooLarge},
		"10,000 names, that fit":   {many(10_000, "#: a"), http.StatusBadRequest},
		"5,000 of one, that fit":   {many(5_000, "A: #"), http.StatusBadRequest},
		"5,000 tokens, which fit":  {many(5_000, "X-Auth-Token: #"), http.StatusBadRequest},
		"10,000 commas in a field": {post(path, "", "Connection: "+strings.Repeat("a,", 10_000)), http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			var wg sync.WaitGroup
			for range clients {
				wg.Go(func() { assert.Equal(t, tt.status, b.status(t, tt.request)) })
			}
			wg.Wait()
		})
	}
	b.over(t, 64<<20)
	b.released(t, 100)
}

// Connections that say nothing cost little, and hold up nobody below the limit
// of connections. At the limit no more is taken of them; whoever waits is served
// when they have gone.
func TestIdleConnections(t *testing.T) {
	idle := 10_000
	if racing.Enabled || testing.Short() {
		idle = 500
	}
	dial := func(t *testing.T, b *besieged, n int, say string) (conns []net.Conn) {
		t.Helper()
		for range n {
			conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", b.address)
			if errors.Is(err, syscall.EMFILE) {
				t.Skipf("%d connections are more than the files that this process may open: %v", n, err)
			}
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			_, err = io.WriteString(conn, say)
			require.NoError(t, err)
			conns = append(conns, conn)
		}
		return conns
	}
	for name, tt := range map[string]struct {
		say      string
		answered bool
		n        int
	}{
		"silent":       {"", false, idle / 10},
		"half headers": {"POST " + path + " HTTP/1.1\r\nHost: x\r\n", false, idle / 10},
		"kept alive":   {request("GET", "/healthz", ""), true, idle},
	} {
		t.Run(name, func(t *testing.T) {
			b := besiege(t, server.Limits{HeaderTimeout: time.Minute, ConnectionsPerAddress: tt.n + 10})
			conns := dial(t, b, tt.n, tt.say)
			if tt.answered {
				for _, conn := range conns {
					require.Equal(t, http.StatusOK, readAnswer(t, bufio.NewReader(conn), http.MethodGet).StatusCode)
				}
			}
			b.over(t, 8<<20+uint64(tt.n)*32<<10)
			for _, conn := range conns {
				require.NoError(t, conn.Close())
			}
			b.released(t, tt.n)
		})
	}
	t.Run("beyond the limit", func(t *testing.T) {
		const limit = 100
		b := besiege(t, server.Limits{Connections: limit, HeaderTimeout: time.Minute})
		conns := dial(t, b, 10*limit, "")
		assert.LessOrEqual(t, b.figures(t).Goroutines, b.before.Goroutines+limit)
		waiting := b.dial(t)
		_, err := io.WriteString(waiting, cancelOf("15"))
		require.NoError(t, err)
		for _, conn := range conns {
			require.NoError(t, conn.Close())
		}
		success(t, readAnswer(t, bufio.NewReader(waiting), http.MethodPost))
		b.over(t, 32<<20)
		b.released(t, limit)
	})
}

// What is no HTTP is refused, or the connection is closed: nothing of it is
// carried out, and whoever comes next is served.
func TestMalformedHTTP(t *testing.T) {
	const closed = 0 // without an answer
	length := fmt.Sprintf("Content-Length: %d", len(document))
	const asJSON, chunked = "Content-Type: " + mediaType, "Transfer-Encoding: chunked"
	chunks := func(size, data string) string {
		return request("POST", path, size+"\r\n"+data+"\r\n0\r\n\r\n", asJSON, chunked)
	}
	hex := fmt.Sprintf("%x", len(document))
	whole := post(path, document, asJSON)
	version := func(v string) string { return strings.Replace(whole, "HTTP/1.1", v, 1) }
	line := func(l string) string { return strings.Replace(whole, "POST "+path+" HTTP/1.1", l, 1) }
	header := func(lines ...string) string { return post(path, document, append(lines, asJSON)...) }
	tests := []struct {
		name, request string
		want          []int
	}{
		{"nothing", "", []int{closed}},
		{"an empty line", "\r\n", []int{closed, 400}},
		{"an empty line before", "\r\n" + whole, []int{400}},
		{"a TLS greeting", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", []int{closed, 400}},
		{"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{404, 400}},
		{"NULs", strings.Repeat("\x00", 10_000), []int{closed, 400}},
		{"no method", line(path + " HTTP/1.1"), []int{400}},
		{"no target", line("POST HTTP/1.1"), []int{400}},
		{"no version", line("POST " + path), []int{400}},
		{"two spaces", line("POST  " + path + " HTTP/1.1"), []int{400}},
		{"tabs for spaces", line("POST\t" + path + "\tHTTP/1.1"), []int{400}},
		{"space in the target", line("POST " + path + " x HTTP/1.1"), []int{400}},
		{"NUL in the target", line("POST " + path + "\x00 HTTP/1.1"), []int{400}},
		{"half an escape in the target", line("POST " + path + "%2 HTTP/1.1"), []int{400}},
		{"target without a slash", line("POST " + path[1:] + " HTTP/1.1"), []int{400}},
		{"method of odd characters", line("P(ST " + path + " HTTP/1.1"), []int{400}},
		{"version that is no version", version("HTTP/x.y"), []int{400}},
		{"version of another protocol", version("ICY/1.1"), []int{400}},
		{"version in small letters", version("http/1.1"), []int{400}},
		{"version 1.10", version("HTTP/1.10"), []int{400}},
		{"version -1.1", version("HTTP/-1.1"), []int{400}},
		// RFC 9110 §15.6.6 has this status for it.
		{"version 9", version("HTTP/9.0"), []int{505}},
		{"version 0.9", version("HTTP/0.9"), []int{505}},
		{"no host", strings.Replace(whole, "Host: factory.example\r\n", "", 1), []int{400}},
		{"two hosts", header("Host: other.example"), []int{400}},
		{"host of odd characters", strings.Replace(whole, "factory.example", "a b/c\x01", 1), []int{400}},
		{"header without a colon", header("X-A"), []int{400}},
		{"header without a name", header(": a"), []int{400}},
		{"space before the colon", header("X-A : a"), []int{400}},
		{"space in the name", header("X A: a"), []int{400}},
		{"NUL in the name", header("X\x00A: a"), []int{400}},
		{"NUL in the value", header("X-A: a\x00b"), []int{400}},
		{"DEL in the value", header("X-A: a\x7fb"), []int{400}},
		{"carriage return in the value", header("X-A: a\rb"), []int{400}},
		{"first header folded", strings.Replace(whole, "Host:", " Host:", 1), []int{400}},
		{"length below 0", request("POST", path, document, asJSON, "Content-Length: -1"), []int{400}},
		{"length with a sign", request("POST", path, document, asJSON, fmt.Sprintf("Content-Length: +%d", len(document))), []int{400}},
		{"length in hexadecimal", request("POST", path, document, asJSON, "Content-Length: 0x1a"), []int{400}},
		{"length beyond 64 bits", request("POST", path, document, asJSON, "Content-Length: 99999999999999999999"), []int{400}},
		{"length of 63 bits", request("POST", path, document, asJSON, "Content-Length: 9223372036854775807"), []int{413}},
		{"empty length", request("POST", path, document, asJSON, "Content-Length: "), []int{400}},
		{"two lengths", request("POST", path, document, asJSON, length, "Content-Length: 5"), []int{400}},
		{"two lengths in one", request("POST", path, document, asJSON, length+", 5"), []int{400}},
		{"length and chunked, not in chunks", request("POST", path, document, asJSON, length, chunked), []int{400}},
		{"chunked twice", request("POST", path, "0\r\n\r\n", asJSON, chunked, chunked), []int{400, 501}},
		// RFC 9112 §6.1 has this status for it.
		{"unknown transfer coding", request("POST", path, document, asJSON, "Transfer-Encoding: x"), []int{501}},
		{"chunked, then another", request("POST", path, document, asJSON, "Transfer-Encoding: chunked, gzip"), []int{501}},
		// RFC 1945 §8.3: with HTTP/1.0 a POST has a length, and there are no chunks (RFC 9112 §6.1).
		{"chunked with HTTP/1.0", strings.Replace(chunks(hex, document), "HTTP/1.1", "HTTP/1.0", 1), []int{400}},
		{"no length with HTTP/1.0", strings.Replace(request("POST", path, document, asJSON), "HTTP/1.1", "HTTP/1.0", 1), []int{400}},
		{"chunk size that is none", chunks("xyz", document), []int{400}},
		{"chunk size below 0", chunks("-"+hex, document), []int{400}},
		{"chunk size beyond 64 bits", chunks("ffffffffffffffffff", document), []int{400}},
		{"chunk size of 64 bits", chunks("ffffffffffffffff", document), []int{400, 413}},
		{"chunk size with 0x", chunks("0x"+hex, document), []int{400}},
		{"no chunk size", chunks("", document), []int{400}},
		{"chunk longer than its size", chunks("5", document), []int{400}},
		{"chunk shorter than its size", chunks("ff", document), []int{400}},
		{"chunk extension of 100 kB", chunks(hex+";a="+strings.Repeat("a", 100_000), document), []int{closed, 400}},
		{"trailer that is no header", request("POST", path, hex+"\r\n"+document+"\r\n0\r\nX\x00A\r\n\r\n", asJSON, chunked), []int{400}},
		{"end in the request line", whole[:20], []int{closed, 400}},
		{"end in the headers", strings.SplitAfter(whole, mediaType)[0], []int{closed, 400}},
		{"end before the body", post(path, "", asJSON, length), []int{400}},
		{"end in the body", whole[:len(whole)-1], []int{400}},
		{"end before the last chunk", request("POST", path, hex+"\r\n"+document+"\r\n", asJSON, chunked), []int{400}},
	}
	s := newMemory(t)
	r := start(t, s)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn := r.dial(t)
			from := make(chan []byte, 1)
			go func() {
				data, _ := io.ReadAll(conn) // to its end, in order or by a reset
				from <- data
			}()
			// The server may end it before it has it all.
			_, _ = io.WriteString(conn, tt.request)
			_ = conn.(*net.TCPConn).CloseWrite()
			got := closed
			if data := <-from; len(data) > 0 {
				var minor int
				_, err := fmt.Sscanf(string(data), "HTTP/1.%d %d ", &minor, &got)
				require.NoError(t, err, "%q", data)
			}
			assert.Contains(t, tt.want, got)
			assert.Equal(t, untouched, states(t, s))
		})
	}
	assert.NotContains(t, r.log.String(), "panic")
	assert.NotContains(t, r.log.String(), "level=ERROR")
	success(t, r.send(t, whole))
	assert.Equal(t, both, states(t, s))
}

// What is odd, but HTTP all the same, is carried out as a whole.
func TestOddHTTP(t *testing.T) {
	const asJSON, chunked = "Content-Type: " + mediaType, "Transfer-Encoding: chunked"
	hex := fmt.Sprintf("%x", len(document))
	inChunks := hex + "\r\n" + document + "\r\n0\r\n\r\n"
	whole := post(path, document, asJSON)
	for name, request := range map[string]string{
		"absolute target":           strings.Replace(whole, "POST ", "POST http://factory.example", 1),
		"bare line feeds":           strings.ReplaceAll(whole, "\r\n", "\n"),
		"the same length twice":     post(path, document, asJSON, fmt.Sprintf("Content-Length: %d", len(document))),
		"length and chunked":        request("POST", path, inChunks, asJSON, "Content-Length: 5", chunked),
		"chunk extension":           request("POST", path, strings.Replace(inChunks, "\r", ";a=b;c\r", 1), asJSON, chunked),
		"chunk size of many digits": request("POST", path, "0000000000"+inChunks, asJSON, chunked),
		"a byte in each chunk":      request("POST", path, bytewise(document), asJSON, chunked),
		"trailers":                  request("POST", path, inChunks[:len(inChunks)-2]+"X-A: a\r\n\r\n", asJSON, chunked, "Trailer: X-A"),
		"HTTP/1.0":                  strings.Replace(whole, "HTTP/1.1", "HTTP/1.0", 1),
		"value of other than ASCII": post(path, document, asJSON, "X-A: \xe9\xff"),
		"folded header":             post(path, document, asJSON, "X-A: a\r\n b"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newMemory(t)
			a := start(t, s).send(t, request)
			if a.StatusCode == http.StatusOK {
				assert.Equal(t, both, states(t, s))
			} else {
				assert.Equal(t, untouched, states(t, s))
			}
			assert.Equal(t, http.StatusOK, a.StatusCode, "%s", a.body)
		})
	}
}

func bytewise(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "1\r\n%c\r\n", s[i])
	}
	return b.String() + "0\r\n\r\n"
}
