package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/dataarts-go/factory/internal/racing"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

var (
	floodConnections = flag.String("flood", "", "numbers of connections of TestFlood, separated by commas; without it there are 20, and tight limits")
	floodAddresses   = flag.Int("flood-addresses", 1, "number of addresses that the connections of TestFlood come from")
	floodTime        = flag.Duration("flood-time", 30*time.Second, "how long TestFlood sends at most")
)

// flood is a process that attacks a server: with so many connections, from so many
// addresses. It is a copy of this test binary, so that its goroutines keep
// nobody else's waiting.
type flood struct {
	Server, Kind           string
	Connections, Addresses int
	Time                   time.Duration
}

// floodEnv has the flood of such a process, as JSON.
const floodEnv = "FACTORY_TEST_FLOOD"

// streams is how many requests each connection of HTTP/2 begins, and held the
// size of the body that it does not finish.
const streams, held = 250, 32 << 10

// floods are what a connection may do so that the server holds memory for it, by its
// protocol. The first of a protocol makes one request, and is idle then.
var floods = map[string]func(f *flooder){
	"h1": func(f *flooder) {
		_, _ = io.WriteString(f.conn, request("GET", "/healthz", ""))
		if resp, err := http.ReadResponse(bufio.NewReader(f.conn), nil); err == nil {
			f.count(resp.Status)
			_ = resp.Body.Close()
		}
	},
	"h1 bodies with a length": func(f *flooder) {
		_, err := io.WriteString(f.conn, request("POST", path, "", "Content-Type: "+mediaType, "Content-Length: 12000000"))
		for range 12_000_000 / len(filler) {
			if err != nil {
				break
			}
			_, err = f.conn.Write(filler)
		}
	},
	"h1 bodies in chunks": func(f *flooder) {
		_, err := io.WriteString(f.conn, request("POST", path, "", "Content-Type: "+mediaType, "Transfer-Encoding: chunked"))
		for range 12_000_000 / len(filler) {
			if err != nil {
				break
			}
			_, err = fmt.Fprintf(f.conn, "%x\r\n%s\r\n", len(filler), filler)
		}
	},
	"h2": func(f *flooder) {
		f.headers(1, true, "GET", "/healthz")
		f.until(func() bool { return f.ended[1] })
	},
	"h2 bodies": func(f *flooder) {
		for i := 0; i < streams && f.post(uint32(2*i+1), held, held-1); i++ {
		}
	},
	"h2 bodies of which nothing comes": func(f *flooder) {
		for i := 0; i < streams && f.post(uint32(2*i+1), held, 0); i++ {
		}
	},
	"h2 headers": func(f *flooder) {
		for i := 0; i < streams && f.post(uint32(2*i+1), held, 0, "x-a", strings.Repeat("~", 100<<10)); i++ {
		}
	},
	"h2 answers that find no window": func(f *flooder) {
		_ = f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		for i := range uint32(streams) {
			f.headers(2*i+1, false, "GET", "/openapi.json")
			_ = f.WriteData(2*i+1, false, filler[:200])
		}
	},
}

var filler = bytes.Repeat([]byte(" "), 16<<10)

// flooder is one connection. It keeps to the windows of HTTP/2, since nobody is
// served for long who does not.
type flooder struct {
	*http2.Framer

	conn    *tls.Conn
	counted func(string)
	encoder *hpack.Encoder
	block   bytes.Buffer

	mu      sync.Mutex
	changed sync.Cond
	window  map[uint32]int // by stream, and of the connection by 0
	initial int            // window of a stream
	ended   map[uint32]bool
	closed  bool // the connection
}

func (f *flooder) count(what string) { f.counted(what) }

// start begins a connection of HTTP/2.
func (f *flooder) start() {
	f.Framer = http2.NewFramer(f.conn, f.conn)
	f.encoder = hpack.NewEncoder(&f.block)
	f.changed.L = &f.mu
	f.initial, f.window, f.ended = 65535, map[uint32]int{0: 65535}, map[uint32]bool{}
	_, _ = io.WriteString(f.conn, http2.ClientPreface)
	_ = f.WriteSettings()
	go func() {
		decoder := hpack.NewDecoder(4096, nil)
		for {
			frame, err := f.ReadFrame()
			f.mu.Lock()
			f.closed = err != nil
			if !f.closed {
				f.take(frame, decoder)
			}
			f.changed.Broadcast()
			f.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
}

func (f *flooder) take(frame http2.Frame, decoder *hpack.Decoder) {
	id := frame.Header().StreamID
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if size, ok := frame.Value(http2.SettingInitialWindowSize); ok {
			f.initial = int(size)
		}
	case *http2.WindowUpdateFrame:
		f.window[id] += int(frame.Increment)
	case *http2.RSTStreamFrame:
		f.ended[id] = true
		f.count(frame.ErrCode.String())
	case *http2.HeadersFrame:
		f.ended[id] = true
		fields, _ := decoder.DecodeFull(frame.HeaderBlockFragment())
		f.count(fields[0].Value) // the status
	case *http2.GoAwayFrame:
		f.count("GOAWAY " + frame.ErrCode.String())
	}
}

// until waits for what, or for the end of the connection, and reports whether it
// is still there.
func (f *flooder) until(what func() bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.closed && !what() {
		f.changed.Wait()
	}
	return !f.closed
}

func (f *flooder) headers(id uint32, end bool, method, target string, more ...string) {
	f.block.Reset()
	fields := append([]string{":method", method, ":scheme", "https", ":authority", "example.com", ":path", target}, more...)
	for i := 0; i < len(fields); i += 2 {
		_ = f.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1], Sensitive: len(fields[i+1]) > 1000})
	}
	for first, rest := true, f.block.Bytes(); first || len(rest) > 0; first = false {
		part := rest[:min(len(rest), len(filler))]
		rest = rest[len(part):]
		if first {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: part, EndStream: end, EndHeaders: len(rest) == 0})
		} else {
			_ = f.WriteContinuation(id, len(rest) == 0, part)
		}
	}
}

// post begins a request with a body of size bytes, of which it sends some, and
// reports whether the connection is still there.
func (f *flooder) post(id uint32, size, sent int, more ...string) bool {
	f.mu.Lock()
	f.window[id] += f.initial
	f.mu.Unlock()
	f.headers(id, false, "POST", path, append([]string{"content-type", mediaType, "content-length", strconv.Itoa(size)}, more...)...)
	for sent > 0 {
		var n int
		alive := f.until(func() bool {
			n = min(sent, len(filler), f.window[0], f.window[id])
			return f.ended[id] || n > 0
		})
		f.mu.Lock()
		over := f.ended[id]
		if !over {
			f.window[0] -= n
			f.window[id] -= n
		}
		f.mu.Unlock()
		if !alive || over {
			return alive
		}
		if f.WriteData(id, false, filler[:n]) != nil {
			return false
		}
		sent -= n
	}
	f.count("held")
	return f.until(func() bool { return true })
}

// run attacks until its standard input ends. It writes what came of it when all is
// sent, or the time is over.
func (a flood) run() int {
	_, roots := borrowedTLS()
	protocol := map[string]string{"h1": "http/1.1", "h2": "h2"}[a.Kind[:2]]
	config := &tls.Config{RootCAs: roots, ServerName: "example.com", NextProtos: []string{protocol}}
	var mu sync.Mutex
	counts := map[string]int{}
	count := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		counts[what]++
	}
	ctx, stop := context.WithTimeout(context.Background(), a.Time)
	defer stop()
	end, closeAll := context.WithCancel(context.Background())
	var sending sync.WaitGroup
	for i := range a.Connections {
		sending.Go(func() {
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%a.Addresses))}}
			raw, err := dialer.DialContext(ctx, "tcp", a.Server)
			if err != nil {
				count("not connected")
				return
			}
			context.AfterFunc(end, func() { _ = raw.Close() })
			// What has been sent by then stays with the server.
			_ = raw.SetWriteDeadline(time.Now().Add(a.Time))
			f := &flooder{conn: tls.Client(raw, config), counted: count}
			if err := f.conn.HandshakeContext(ctx); err != nil {
				count("no handshake")
				return
			}
			count("connected")
			if protocol == "h2" {
				f.start()
			}
			floods[a.Kind](f)
		})
	}
	sent := make(chan struct{})
	go func() {
		sending.Wait()
		close(sent)
	}()
	select {
	case <-sent:
	case <-ctx.Done():
	}
	mu.Lock()
	_ = json.NewEncoder(os.Stdout).Encode(counts)
	mu.Unlock()
	_, _ = io.Copy(io.Discard, os.Stdin)
	closeAll()
	return 0
}

// runFlood is run of what text says.
func runFlood(text string) int {
	var a flood
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return a.run()
}

// startFlood starts a flood. The channel has what came of it when all is sent;
// stop ends it.
func startFlood(t *testing.T, a flood) (sent <-chan string, stop func()) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	text, err := json.Marshal(a)
	require.NoError(t, err)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), self)
	cmd.Env = append(os.Environ(), floodEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	result := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n')
		result <- strings.TrimSpace(line)
	}()
	stop = sync.OnceFunc(func() {
		_ = stdin.Close()
		assert.NoError(t, cmd.Wait())
	})
	t.Cleanup(stop)
	return result, stop
}

// bystander is a caller at an address of its own, with one small body after another.
type bystander struct {
	transport *http.Transport
	url       string

	mu    sync.Mutex
	times []time.Duration
}

// ask has one request answered.
func (b *bystander) ask(ctx context.Context) (status int, err error) {
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url, strings.NewReader(document))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", mediaType)
	resp, err := b.transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.times = append(b.times, time.Since(start))
	return resp.StatusCode, resp.Body.Close()
}

// askUntil asks again and again, and checks that it is served.
func (b *bystander) askUntil(t *testing.T, end <-chan struct{}) {
	t.Helper()
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case <-end:
			return
		case <-pace.C:
			if status, err := b.ask(context.WithoutCancel(t.Context())); assert.NoError(t, err) {
				assert.Equal(t, http.StatusOK, status)
			}
		}
	}
}

// taken returns how long the requests took, and forgets them.
func (b *bystander) taken() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.times) == 0 {
		return "no request"
	}
	slices.Sort(b.times)
	at := func(share float64) float64 {
		return float64(b.times[int(share*float64(len(b.times)-1))].Microseconds()) / 1000
	}
	defer func() { b.times = nil }()
	return fmt.Sprintf("%d requests, in ms: median %.1f, 99th percentile %.1f, slowest %.1f", len(b.times), at(0.5), at(0.99), at(1))
}

// withstand has a server attacked while others ask it, and returns how much memory
// it has had at most, in MiB.
func withstand(t *testing.T, limits server.Limits, a flood) int {
	t.Helper()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "factory.db")
	s, err := store.Open(t.Context(), dsn)
	require.NoError(t, err)
	fill(t, s)
	require.NoError(t, s.Close())
	c := startChild(t, dsn, limits, childTLS+"=1")
	before := c.figures(t)
	a.Server = c.address

	_, roots := borrowedTLS()
	var others []*bystander
	var asking sync.WaitGroup
	end := make(chan struct{})
	for _, anew := range []bool{false, true} {
		other := &bystander{url: "https://" + c.address + path, transport: &http.Transport{
			ForceAttemptHTTP2: true, DisableKeepAlives: anew, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
			DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext,
		}}
		if _, err := other.ask(t.Context()); err != nil {
			t.Skipf("there is no address for another caller: %v", err)
		}
		others = append(others, other)
		asking.Go(func() { other.askUntil(t, end) })
	}
	tell := func(when string) {
		for i, how := range []string{"on one connection", "each on a new one"} {
			t.Logf("%s: %s, %s", when, others[i].taken(), how)
		}
	}
	sent, stop := startFlood(t, a)
	t.Logf("what became of the flood: %s", <-sent)
	tell("while it is sent")
	for range 20 { // a round trip and a collection each
		c.figures(t)
	}
	tell("while it is held")
	close(end)
	asking.Wait()
	for _, other := range others {
		other.transport.CloseIdleConnections()
	}
	now := c.figures(t)
	stop()
	t.Logf("%d MiB before, %d MiB at most, %d of them live; %d goroutines", before.Reserved>>20, now.Reserved>>20, now.Heap>>20, now.Goroutines)
	return int(now.Reserved >> 20)
}

// Whatever connections begin and do not finish, the server holds no more memory than
// it is told, and serves others meanwhile.
func TestFlood(t *testing.T) {
	if racing.Enabled {
		t.Skip("make test-tables runs it without the race detector, which needs memory of its own")
	}
	const beside = 64 // MiB, beside what the limit says and idle connections take
	numbers, limits := *floodConnections, server.DefaultLimits()
	if numbers == "" {
		numbers, limits.BodyBytes, limits.BodiesBytes = "20", 1<<20, 64<<20
	}
	for number := range strings.SplitSeq(numbers, ",") {
		connections, err := strconv.Atoi(number)
		require.NoError(t, err)
		idle := map[string]int{}
		for _, kind := range slices.Sorted(maps.Keys(floods)) { // those of idle connections first
			t.Run(number+" "+kind, func(t *testing.T) {
				most := withstand(t, limits, flood{Kind: kind, Connections: connections, Addresses: *floodAddresses, Time: *floodTime})
				if _, ok := idle[kind[:2]]; !ok {
					idle[kind] = most
					return
				}
				added := most - idle[kind[:2]]
				t.Logf("%d MiB more than with idle connections", added)
				assert.LessOrEqual(t, added, int(limits.BodiesBytes>>20)+beside)
			})
		}
	}
}
