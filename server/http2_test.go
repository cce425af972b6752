package server_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// hostile2 is a connection of HTTP/2 that keeps no rule.
type hostile2 struct {
	*http2.Framer

	conn    *tls.Conn
	encoder *hpack.Encoder
	block   bytes.Buffer
}

func (h *hostile2) headers(id uint32, method, target string, end bool) {
	h.block.Reset()
	for _, f := range [][2]string{
		{":method", method}, {":scheme", "https"}, {":authority", "example.com"}, {":path", target}, {"content-type", mediaType},
	} {
		_ = h.encoder.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	_ = h.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: h.block.Bytes(), EndStream: end, EndHeaders: true})
}

// Whoever floods a connection of HTTP/2 gets no 5xx and keeps nobody else waiting; when
// it has gone, or is cut off, nothing of it is left.
func TestHostileHTTP2(t *testing.T) {
	const streams = 2000
	for name, flood := range map[string]func(h *hostile2){
		"streams that are reset at once": func(h *hostile2) {
			for i := range uint32(streams) {
				h.headers(2*i+1, http.MethodPost, path, false)
				_ = h.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
			}
		},
		"streams that are never ended": func(h *hostile2) {
			for i := range uint32(streams) {
				h.headers(2*i+1, http.MethodPost, path, false)
			}
		},
		"answers that find no window": func(h *hostile2) {
			_ = h.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
			for i := range uint32(100) {
				h.headers(2*i+1, http.MethodGet, "/openapi.json", true)
			}
		},
		"headers without an end": func(h *hostile2) {
			_ = h.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})
			for range streams {
				_ = h.WriteContinuation(1, false, []byte(strings.Repeat("\x00\x01a\x01b", 1000)))
			}
		},
		"empty continuations": func(h *hostile2) {
			_ = h.WriteHeaders(http2.HeadersFrameParam{StreamID: 1})
			for range streams {
				_ = h.WriteContinuation(1, false, nil)
			}
		},
		"pings and settings": func(h *hostile2) {
			for range 20 * streams {
				_ = h.WritePing(false, [8]byte{})
				_ = h.WriteSettings()
			}
		},
		"empty data": func(h *hostile2) {
			h.headers(1, http.MethodPost, path, false)
			for range streams {
				_ = h.WriteData(1, false, nil)
			}
		},
		"windows beyond all bounds": func(h *hostile2) {
			_ = h.WriteWindowUpdate(0, 1<<31-1)
			_ = h.WriteWindowUpdate(0, 1<<31-1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			others := goleak.IgnoreCurrent()
			t.Cleanup(func() { goleak.VerifyNone(t, others) }) // the last, when the server has ended
			withTLS, roots := borrowedTLS()
			s := newMemory(t)
			r := start(t, s, withTLS)
			conn := tls.Client(r.dial(t), &tls.Config{RootCAs: roots, ServerName: "example.com", NextProtos: []string{"h2"}})
			require.NoError(t, conn.HandshakeContext(t.Context()))
			h := &hostile2{Framer: http2.NewFramer(conn, conn), conn: conn}
			h.encoder = hpack.NewEncoder(&h.block)
			read := make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				close(read)
			}()
			_, err := io.WriteString(conn, http2.ClientPreface)
			require.NoError(t, err)
			require.NoError(t, h.WriteSettings())
			h.AllowIllegalWrites = true
			flood(h)

			transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"}}
			defer transport.CloseIdleConnections()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+r.address+path, strings.NewReader(document))
			require.NoError(t, err)
			req.Header.Set("Content-Type", mediaType)
			resp, err := transport.RoundTrip(req)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, http.StatusOK, resp.StatusCode)
			assert.Equal(t, both, states(t, s))
			require.NoError(t, conn.NetConn().Close())
			<-read
			log := r.log.String()
			assert.NotContains(t, log, "level=ERROR")
			assert.NotContains(t, log, "panic")
			assert.NotContains(t, log, "status=5")
		})
	}
}
