package client_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/dataarts-go/factory/client"
)

// line is a server that plays a script on each of its connections, and counts
// the POSTs that arrive whole.
type line struct {
	url                string
	roots              *x509.CertPool // nil without TLS
	connections, posts atomic.Int64

	closings chan struct{} // one for each connection that has just got its request, if a script closes it then
	closed   chan struct{} // the answer: it is closed
}

// link is a connection of a line.
type link struct {
	net.Conn
	line   *line
	number int // 1 for the first connection
	tcp    *net.TCPConn
	reader *bufio.Reader
	framer *http2.Framer
	stream uint32
}

// newLine listens with a certificate for 127.0.0.1, which roots trusts, or
// without TLS if protocols is empty.
func newLine(t *testing.T, script func(*link), protocols ...string) *line {
	t.Helper()
	l := &line{closings: make(chan struct{}), closed: make(chan struct{})}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l.url = "http://" + listener.Addr().String()
	var conf *tls.Config
	if len(protocols) > 0 {
		l.url = "https://" + listener.Addr().String()
		certificate := testCertificate()
		l.roots = x509.NewCertPool()
		l.roots.AddCert(certificate.Leaf)
		conf = &tls.Config{Certificates: []tls.Certificate{*certificate}, NextProtos: protocols}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	wg.Go(func() {
		for number := 1; ; number++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			l.connections.Add(1)
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			wg.Go(func() {
				defer conn.Close()
				k := &link{Conn: conn, line: l, number: number, tcp: conn.(*net.TCPConn)}
				if conf != nil {
					k.Conn = tls.Server(conn, conf)
				}
				k.reader = bufio.NewReader(k.Conn)
				script(k)
			})
		}
	})
	t.Cleanup(func() {
		assert.NoError(t, listener.Close())
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return l
}

// testCertificate is that of httptest, for 127.0.0.1 and example.com.
var testCertificate = sync.OnceValue(func() *tls.Certificate {
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	certificate := srv.TLS.Certificates[0]
	certificate.Leaf = srv.Certificate()
	return &certificate
})

// own is a client with its own transport, which trusts the line.
func (l *line) own(t *testing.T, policy client.RetryPolicy) *client.Client {
	t.Helper()
	policy.BaseDelay = time.Microsecond
	opts := []client.Option{client.WithRetry(policy)}
	if l.roots != nil {
		opts = append(opts, client.WithRootCAs(l.roots))
	}
	return newClient(t, l.url, opts...)
}

// handshake reports whether TLS, if any, is ready.
func (k *link) handshake() bool {
	conn, ok := k.Conn.(*tls.Conn)
	return !ok || conn.HandshakeContext(context.Background()) == nil
}

// reset closes the connection with a RST: what is on its way is lost.
func (k *link) reset() {
	_ = k.tcp.SetLinger(0)
	_ = k.tcp.Close()
}

// end closes the connection with a FIN or a RST. Of TLS there is no farewell.
func (k *link) end(rst bool) {
	if rst {
		k.reset()
	} else {
		_ = k.tcp.Close()
	}
}

// read reads n bytes.
func (k *link) read(n int) bool {
	_, err := io.CopyN(io.Discard, k.reader, int64(n))
	return err == nil
}

// header reads a request up to its body.
func (k *link) header() *http.Request {
	req, err := http.ReadRequest(k.reader)
	if err != nil {
		return nil
	}
	return req
}

// post reads a whole request of HTTP/1.1.
func (k *link) post() bool {
	req := k.header()
	if req == nil {
		return false
	}
	body, err := io.ReadAll(req.Body)
	return err == nil && int64(len(body)) == req.ContentLength && k.count(body)
}

func (k *link) count(body []byte) bool {
	if !json.Valid(body) {
		return false
	}
	k.line.posts.Add(1)
	return true
}

// say writes an answer, or a part of one.
func (k *link) say(text string) bool {
	_, err := io.WriteString(k.Conn, text)
	return err == nil
}

// upgrade begins a connection of HTTP/2.
func (k *link) upgrade(settings ...http2.Setting) bool {
	if !k.handshake() || !k.read(len(http2.ClientPreface)) {
		return false
	}
	k.framer = http2.NewFramer(k.Conn, k.reader)
	return k.framer.WriteSettings(settings...) == nil
}

// streamHeader reads frames up to the header of a request, without its body.
func (k *link) streamHeader() bool {
	for {
		frame, err := k.framer.ReadFrame()
		if err != nil {
			return false
		}
		if header, ok := frame.(*http2.HeadersFrame); ok && header.HeadersEnded() {
			k.stream = header.StreamID
			return true
		}
	}
}

// streamData reads frames up to some of a body. It reports whether that ends it.
func (k *link) streamData(body *bytes.Buffer) (end, ok bool) {
	for {
		frame, err := k.framer.ReadFrame()
		if err != nil {
			return false, false
		}
		if data, ok := frame.(*http2.DataFrame); ok && data.StreamID == k.stream {
			body.Write(data.Data())
			return data.StreamEnded(), true
		}
	}
}

// streamPost reads a whole request of HTTP/2.
func (k *link) streamPost() bool {
	if !k.streamHeader() {
		return false
	}
	var body bytes.Buffer
	for {
		switch end, ok := k.streamData(&body); {
		case !ok:
			return false
		case end:
			return k.count(body.Bytes())
		}
	}
}

// streamPart reads a part of a body, which the window ends.
func (k *link) streamPart() bool {
	end, ok := k.streamData(new(bytes.Buffer))
	return ok && !end
}

// pong makes sure that the client has read all that was written so far.
func (k *link) pong() bool {
	if k.framer.WritePing(false, [8]byte{}) != nil {
		return false
	}
	for {
		frame, err := k.framer.ReadFrame()
		if err != nil {
			return false
		}
		if ping, ok := frame.(*http2.PingFrame); ok && ping.IsAck() {
			return true
		}
	}
}

// streamAnswer writes the header of an answer to the last request.
func (k *link) streamAnswer(status int, end bool) bool {
	var block bytes.Buffer
	if hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: strconv.Itoa(status)}) != nil {
		return false
	}
	return k.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: k.stream, BlockFragment: block.Bytes(), EndStream: end, EndHeaders: true}) == nil
}

// untilGone reads until the client closes the connection.
func (k *link) untilGone() { _, _ = io.Copy(io.Discard, k.reader) }

// The kinds of outcome of a call.
const (
	succeeds = "nil"
	unsent   = "`*ConnectError`"
	doubtful = "`*url.Error`, `ErrInDoubt`"
	either   = unsent + " or " + doubtful // as chance has it
)

// brokenLine is a way to break a connection.
type brokenLine struct {
	name        string
	script      func(*link)
	idle        bool // the connection has served a call before
	gone        bool // and is closed before the next one begins
	atGotConn   bool // the script closes it between the request's choice of it and its first byte
	kind        string
	connections int // new ones, with the default policy
	posts       int // that arrive whole, with the default policy
}

// call makes the call of a row and returns its error.
func (b brokenLine) call(t *testing.T, l *line, c *client.Client) error {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	// untilClosed waits until the transport has noticed that a connection is closed.
	untilClosed := func(conn net.Conn) {
		for !errors.Is(conn.SetReadDeadline(time.Time{}), net.ErrClosed) && ctx.Err() == nil {
			runtime.Gosched()
		}
	}
	if b.idle {
		var conn net.Conn
		first := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { conn = info.Conn }})
		require.NoError(t, c.CancelFactoryPackages(first, "12"))
		if b.gone {
			untilClosed(conn)
		}
		l.connections.Store(0)
		l.posts.Store(0)
	}
	if b.atGotConn {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
			if info.Reused != b.idle {
				return
			}
			select {
			case l.closings <- struct{}{}:
				<-l.closed
				untilClosed(info.Conn)
			case <-ctx.Done():
			}
		}})
	}
	err := c.CancelFactoryPackages(ctx, "12", "13")
	require.NoError(t, ctx.Err(), "the client hangs")
	return err
}

// endAtGotConn is the script's side of atGotConn.
func (k *link) endAtGotConn(rst bool) {
	<-k.line.closings
	k.end(rst)
	k.line.closed <- struct{}{}
}

// kindOf is the outcome that a call came to.
func kindOf(t *testing.T, err error) string {
	t.Helper()
	var unsentError *client.ConnectError
	switch {
	case err == nil:
		return succeeds
	case errors.Is(err, client.ErrInDoubt):
		requireURLError(t, err)
		return doubtful
	case errors.As(err, &unsentError):
		requireURLError(t, err)
		assert.False(t, unsentError.Permanent, "%v", err)
		assert.Contains(t, err.Error(), "; nothing was sent")
		return unsent
	}
	t.Errorf("another kind of error: %v", err)
	return ""
}

// run calls a client of each policy and holds what comes of it against the row.
func (b brokenLine) run(t *testing.T, protocols []string, newClient func(*line, client.RetryPolicy) *client.Client) {
	t.Helper()
	t.Run("default policy", func(t *testing.T) {
		l := newLine(t, b.script, protocols...)
		err := b.call(t, l, newClient(l, client.RetryPolicy{}))
		kind := kindOf(t, err)
		assert.Contains(t, strings.Split(b.kind, " or "), kind, "%v", err)
		assert.EqualValues(t, b.posts, l.posts.Load())
		if b.kind != either {
			assert.EqualValues(t, b.connections, l.connections.Load())
		}
	})
	for name, policy := range map[string]client.RetryPolicy{
		"one attempt":              {Attempts: 1},
		"three attempts, in doubt": {Attempts: 3, InDoubt: true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine(t, b.script, protocols...)
			err := b.call(t, l, newClient(l, policy))
			assert.LessOrEqual(t, l.posts.Load(), int64(policy.Attempts))
			kind := kindOf(t, err)
			switch {
			case b.kind != doubtful:
			case b.idle && policy.InDoubt:
				assert.Equal(t, succeeds, kind, "%v", err)
				assert.EqualValues(t, b.posts+1, l.posts.Load())
			default:
				assert.Equal(t, doubtful, kind, "%v", err)
				assert.EqualValues(t, b.posts*policy.Attempts, l.posts.Load(), "each attempt arrives")
			}
		})
	}
}

// brokenHTTP1 are the moments at which a server of HTTP/1.1 can close a
// connection, with a FIN and with a RST.
func brokenHTTP1() []brokenLine {
	const okay = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	moments := []struct {
		name  string
		posts int
		reach func(*link) bool
	}{
		{"after the first byte", 0, func(k *link) bool { return k.read(1) }},
		{"in the header", 0, func(k *link) bool { return k.read(30) }},
		{"after the header", 0, func(k *link) bool { return k.header() != nil }},
		{"in the body", 0, func(k *link) bool { return k.header() != nil && k.read(5) }},
		{"after the whole POST", 1, (*link).post},
		{"in the status line of the answer", 1, func(k *link) bool { return k.post() && k.say("HTTP/1.1 20") }},
		{"in the header of the answer", 1, func(k *link) bool { return k.post() && k.say("HTTP/1.1 200 OK\r\nContent-") }},
		{"after an interim answer", 1, func(k *link) bool { return k.post() && k.say("HTTP/1.1 103 Early Hints\r\n\r\n") }},
	}
	var all []brokenLine
	for _, rst := range []bool{false, true} {
		with := ", FIN"
		if rst {
			with = ", RST"
		}
		// The first connection serves a call and is broken in the next one; the others are whole.
		idle := func(end func(*link)) func(*link) {
			return func(k *link) {
				if !k.handshake() || !k.post() || !k.say(okay) {
					return
				}
				if k.number == 1 {
					end(k)
					return
				}
				k.untilGone()
			}
		}
		all = append(all,
			brokenLine{name: "a new connection, before the first byte" + with, atGotConn: true, kind: unsent, connections: 4,
				script: func(k *link) {
					if k.handshake() {
						k.endAtGotConn(rst)
					}
				}},
			brokenLine{name: "an idle connection, before the next call" + with, idle: true, kind: succeeds, connections: 1, posts: 1, gone: true,
				script: idle(func(k *link) { k.end(rst) })},
			brokenLine{name: "an idle connection, before the first byte" + with, idle: true, atGotConn: true, kind: succeeds, connections: 1, posts: 1,
				script: idle(func(k *link) { k.endAtGotConn(rst) })},
		)
		for _, m := range moments {
			end := func(k *link) {
				if m.reach(k) {
					k.end(rst)
				}
			}
			all = append(all,
				brokenLine{name: "a new connection, " + m.name + with, kind: doubtful, connections: 1, posts: m.posts, script: func(k *link) {
					if k.handshake() {
						end(k)
					}
				}},
				brokenLine{name: "an idle connection, " + m.name + with, idle: true, kind: doubtful, posts: m.posts, script: idle(end)})
		}
	}
	return all
}

// A server of HTTP/1.1 that closes the connection at each moment, and the
// client's own transport.
func TestBrokenHTTP1(t *testing.T) {
	for _, protocols := range [][]string{nil, {"http/1.1"}} {
		for _, b := range brokenHTTP1() {
			t.Run(fmt.Sprint(protocols, " ", b.name), func(t *testing.T) {
				b.run(t, protocols, func(l *line, policy client.RetryPolicy) *client.Client { return l.own(t, policy) })
			})
		}
	}
}

// brokenHTTP2 are the ways in which a server of HTTP/2 can end a stream or a
// connection.
func brokenHTTP2() []brokenLine {
	const (
		small = 5         // an initial window, less than the body
		later = 1<<31 - 1 // the last stream of a GOAWAY that begins a shutdown
	)
	var all []brokenLine
	add := func(b brokenLine) { all = append(all, b) }
	for _, rst := range []bool{false, true} {
		with := ", FIN"
		if rst {
			with = ", RST"
		}
		moments := []struct {
			name  string
			kind  string
			posts int
			reach func(*link) bool
		}{
			{"before TLS", unsent, 0, func(*link) bool { return true }},
			{"in the TLS handshake", unsent, 0, func(k *link) bool { return k.read(1) }},
			{"after the TLS handshake", either, 0, (*link).handshake},
			{"after the preface", either, 0, func(k *link) bool { return k.handshake() && k.read(len(http2.ClientPreface)) }},
			{"after HEADERS", doubtful, 0, func(k *link) bool { return k.upgrade() && k.streamHeader() }},
			{"in the body", doubtful, 0, func(k *link) bool {
				return k.upgrade(http2.Setting{ID: http2.SettingInitialWindowSize, Val: small}) && k.streamHeader() && k.streamPart()
			}},
			{"after the whole POST", doubtful, 1, func(k *link) bool { return k.upgrade() && k.streamPost() }},
			{"in the header of the answer", doubtful, 1, func(k *link) bool {
				return k.upgrade() && k.streamPost() && k.say("\x00\x00\x01\x01")
			}},
			{"after the header of the answer", succeeds, 1, func(k *link) bool {
				return k.upgrade() && k.streamPost() && k.streamAnswer(http.StatusOK, false) && k.pong()
			}},
		}
		for _, m := range moments {
			connections := map[string]int{unsent: 4, doubtful: 1, succeeds: 1}[m.kind]
			add(brokenLine{name: "closed " + m.name + with, kind: m.kind, connections: connections, posts: m.posts, script: func(k *link) {
				if strings.HasPrefix(m.name, "in the TLS") {
					k.reader = bufio.NewReader(k.tcp)
				}
				if m.reach(k) {
					k.end(rst)
				}
			}})
		}
	}
	for code := http2.ErrCodeNo; code <= http2.ErrCodeHTTP11Required+1; code++ {
		name := strings.ReplaceAll(code.String(), " ", "_")
		add(brokenLine{name: "RST_STREAM " + name + " after HEADERS", kind: doubtful, connections: 1, script: func(k *link) {
			if !k.upgrade(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}) {
				return
			}
			for k.streamHeader() && k.framer.WriteRSTStream(k.stream, code) == nil {
			}
		}})
		add(brokenLine{name: "RST_STREAM " + name + " after the whole POST", kind: doubtful, connections: 1, posts: 1, script: func(k *link) {
			if !k.upgrade() {
				return
			}
			for k.streamPost() && k.framer.WriteRSTStream(k.stream, code) == nil {
			}
		}})
		goAway := func(below bool, last uint32) func(*link) {
			return func(k *link) {
				if !k.upgrade() || !k.streamPost() {
					return
				}
				if !below {
					last = max(last, k.stream)
				}
				if k.framer.WriteGoAway(last, code, nil) == nil && below {
					k.untilGone()
				}
			}
		}
		add(brokenLine{name: "GOAWAY " + name + " below the stream", kind: doubtful, connections: 1, posts: 1, script: goAway(true, 0)})
		add(brokenLine{name: "GOAWAY " + name + " of the stream, and closed", kind: doubtful, connections: 1, posts: 1, script: goAway(false, 0)})
		add(brokenLine{name: "GOAWAY " + name + " above the stream, and closed", kind: doubtful, connections: 1, posts: 1, script: goAway(false, later)})
	}
	add(brokenLine{name: "GOAWAY NO_ERROR above the stream, and answered", kind: succeeds, connections: 1, posts: 1, script: func(k *link) {
		if k.upgrade() && k.streamPost() && k.framer.WriteGoAway(later, http2.ErrCodeNo, nil) == nil && k.streamAnswer(http.StatusOK, true) {
			k.untilGone()
		}
	}})
	add(brokenLine{name: "GOAWAY before the request, and closed", kind: either, script: func(k *link) {
		if k.upgrade() && k.framer.WriteGoAway(0, http2.ErrCodeNo, nil) == nil {
			k.untilGone()
		}
	}})
	add(brokenLine{name: "no streams allowed, and closed", kind: either, script: func(k *link) {
		k.upgrade(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0})
	}})
	add(brokenLine{name: "an idle connection, GOAWAY and closed before the next call", idle: true, gone: true, kind: succeeds, connections: 1, posts: 1, script: func(k *link) {
		if !k.upgrade() || !k.streamPost() || !k.streamAnswer(http.StatusOK, true) {
			return
		}
		if k.number == 1 {
			_ = k.framer.WriteGoAway(k.stream, http2.ErrCodeNo, nil)
			return
		}
		k.untilGone()
	}})
	return all
}

// A server of HTTP/2, and a transport that a caller can bring.
func TestBrokenHTTP2(t *testing.T) {
	for _, b := range brokenHTTP2() {
		t.Run(b.name, func(t *testing.T) {
			b.run(t, []string{"h2"}, func(l *line, policy client.RetryPolicy) *client.Client {
				policy.BaseDelay = time.Microsecond
				transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: l.roots}}
				return newClient(t, l.url, client.WithRetry(policy), client.WithHTTPClient(&http.Client{Transport: transport}))
			})
		})
	}
}

// TestBrokenTable holds the tables of the documentation against the rows above,
// which the other tests hold against what happens. Codes and ways to close that
// make no difference share a line.
func TestBrokenTable(t *testing.T) {
	var text strings.Builder
	for _, table := range []struct {
		title string
		rows  []brokenLine
	}{
		{"HTTP/1.1, the client's own transport: the server closes", brokenHTTP1()},
		{"HTTP/2, a transport of the caller's: what the server does", brokenHTTP2()},
	} {
		fmt.Fprintf(&text, "\n**%s**\n\n| when | the caller gets | connections | whole POSTs |\n|---|---|---|---|\n", table.title)
		said := map[string]string{}
		for _, row := range table.rows {
			name := row.name
			for _, suffix := range []string{", FIN", ", RST"} {
				name = strings.TrimSuffix(name, suffix)
			}
			if words := strings.Fields(name); strings.HasPrefix(name, "RST_STREAM") || strings.HasPrefix(name, "GOAWAY") && row.kind == doubtful {
				words[1] = "of any code"
				name = strings.Join(words, " ")
			}
			connections := strconv.Itoa(row.connections)
			switch {
			case row.kind == either:
				connections = "1 to 4"
			case row.connections == 0:
				connections = "no new one"
			}
			line := fmt.Sprintf("| %s | %s | %s | %d |\n", name, row.kind, connections, row.posts)
			if before, ok := said[name]; ok {
				require.Equal(t, before, line)
				continue
			}
			said[name] = line
			text.WriteString(line)
		}
	}
	holdDocs(t, "TestBrokenTable", text.String())
}

// The client's own transport speaks HTTP/1.1, also where the server would
// rather not.
func TestOwnTransportSpeaksHTTP1(t *testing.T) {
	l := newLine(t, func(k *link) {
		if k.handshake() && k.post() && assert.NotEqual(t, "h2", k.Conn.(*tls.Conn).ConnectionState().NegotiatedProtocol) {
			k.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	}, "h2", "http/1.1")
	require.NoError(t, l.own(t, client.RetryPolicy{}).CancelFactoryPackages(t.Context(), "12"))
	assert.EqualValues(t, 1, l.posts.Load())
}
