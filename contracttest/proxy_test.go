package contracttest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

// proxied starts a proxy before a target.
func proxied(t testing.TB, target string, opts ...contracttest.TrafficOption) (*contracttest.Proxy, *httptest.Server) {
	t.Helper()
	p, err := contracttest.NewProxy(shopContract(t), target, opts...)
	require.NoError(t, err)
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	return p, srv
}

// settled is the report when all that has passed is judged.
func settled(p *contracttest.Proxy, srv *httptest.Server) *contracttest.Report {
	srv.Close()
	p.Wait()
	return p.Report()
}

// shopService is what stands behind the proxy: item 1 is right, item 2 is not.
func shopService(t testing.TB) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/1", replying(200, "application/json", `{"name":"ball"}`))
	mux.HandleFunc("GET /items/2", replying(200, "application/json", `{"name":2,"access_token":"s3cr3t-t0ken"}`))
	mux.HandleFunc("GET /items/3", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("GET /items/4", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"name":`)
	})
	mux.HandleFunc("POST /items", replying(201, "", ""))
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: 1\n\n")
		assert.NoError(t, http.NewResponseController(w).Flush())
		<-r.Context().Done()
	})
	mux.HandleFunc("GET /file", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "echo" {
			replying(200, "application/octet-stream", strings.Repeat("x", 3<<20))(w, r)
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		assert.NoError(t, err)
		_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
		assert.NoError(t, err)
		line, err := buffered.ReadString('\n')
		assert.NoError(t, err)
		_, err = io.WriteString(conn, line)
		assert.NoError(t, errors.Join(err, conn.Close()))
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv
}

func TestProxy(t *testing.T) {
	p, srv := proxied(t, shopService(t).URL)
	for _, path := range []string{"/items/1", "/items/2?password=pass-w0rd", "/items/2", "/file", "/elsewhere"} {
		answered(t, asked(t, http.MethodGet, srv.URL+path, "")) //nolint:bodyclose // it is closed
	}
	answered(t, asked(t, http.MethodPost, srv.URL+"/items", `{"name":7}`))      //nolint:bodyclose // it is closed
	resp, body := answered(t, asked(t, http.MethodGet, srv.URL+"/items/3", "")) //nolint:bodyclose // it is closed
	assert.Equal(t, http.StatusBadGateway, resp.StatusCode)
	assert.Contains(t, body, "gives no answer")
	_, err := http.DefaultClient.Do(asked(t, http.MethodGet, srv.URL+"/items/4", "")) //nolint:bodyclose // there is none
	require.Error(t, err, "what is cut short is cut short for the client, too")

	events, err := http.DefaultClient.Do(asked(t, http.MethodGet, srv.URL+"/events", ""))
	require.NoError(t, err)
	line, err := bufio.NewReader(events.Body).ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "data: 1\n", line, "it passes as it comes")
	require.NoError(t, events.Body.Close())

	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(conn, "GET /file HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
	require.NoError(t, err)
	from := bufio.NewReader(conn)
	upgraded, err := http.ReadResponse(from, nil) //nolint:bodyclose // it has none
	require.NoError(t, err)
	assert.Equal(t, http.StatusSwitchingProtocols, upgraded.StatusCode)
	_, err = io.WriteString(conn, "hello\n")
	require.NoError(t, err)
	line, err = from.ReadString('\n')
	require.NoError(t, err)
	assert.Equal(t, "hello\n", line)
	require.NoError(t, conn.Close())

	rep := settled(p, srv)
	var found []string
	for _, f := range rep.Findings {
		found = append(found, strings.Join([]string{f.Severity, f.Check, f.Clause}, " "))
	}
	assert.ElementsMatch(t, []string{
		"error response-schema GetItem/response/200/body/name/type", "error invalid-request-accepted AddItem/body/name/type", "error connection GetItem/response/status",
		"error response-body-malformed GetItem/response/200/media-type",
	}, found)
	assert.Contains(t, []int{8, 9}, rep.Traffic.Judged, "what is cut short is asked for once more on a used connection")
	rep.Traffic.Judged = 8
	assert.Equal(t, &report.Traffic{Judged: 8, Unseen: 2, Outside: 1, Upgraded: 1}, rep.Traffic)
	i := slices.IndexFunc(rep.Findings, func(f contracttest.Finding) bool { return f.Check == "response-schema" })
	assert.Equal(t, 2, rep.Findings[i].Count)
	assert.Equal(t, report.StatusFindings, rep.Status())
	states := map[string]string{}
	for _, cl := range rep.Coverage.ByClause {
		states[cl.Clause] = cl.State
	}
	assert.Equal(t, "kept", states["GetItem/path/id/type"])
	assert.Equal(t, "observed", states["GetItem/response/200/body/name/maxLength"])
	assert.Equal(t, "unreached", states["AddItem/body/name/maxLength"], "a request that breaks another clause shows nothing of this one")

	for name, render := range report.Formats {
		var b bytes.Buffer
		require.NoError(t, render(&b, rep), name)
		for _, secret := range []string{"opensesame", "s3cr3t-t0ken", "pass-w0rd"} {
			assert.NotContains(t, b.String(), secret, name)
		}
		if name == "har" {
			pairs, err := contracttest.ParseHAR("r.har", b.Bytes())
			require.NoError(t, err)
			assert.GreaterOrEqual(t, len(pairs), 6)
			assert.NotContains(t, b.String(), "1970")
		}
	}
}

// A target that is not there, or speaks another protocol, does not stop the proxy.
func TestProxyWithoutAnswer(t *testing.T) {
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	p, srv := proxied(t, nobody.URL)
	resp, body := answered(t, asked(t, http.MethodGet, srv.URL+"/items/1", "")) //nolint:bodyclose // it is closed
	assert.Equal(t, http.StatusBadGateway, resp.StatusCode)
	assert.Contains(t, body, "cannot be reached")
	rep := settled(p, srv)
	assert.Empty(t, rep.Findings, "that it is not there breaks no contract")
	assert.Equal(t, report.StatusNoResult, rep.Status())

	_, err := contracttest.NewProxy(shopContract(t), "127.0.0.1:80")
	require.ErrorContains(t, err, "want the base URL")
}

func TestProxyEnforced(t *testing.T) {
	p, srv := proxied(t, shopService(t).URL, contracttest.Enforce())
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{http.MethodGet, "/items/1", "", 200}, {http.MethodGet, "/items/2", "", 502}, {http.MethodPost, "/items", `{"name":7}`, 400}, {http.MethodPost, "/items", `{"name":"x"}`, 201},
		{http.MethodPut, "/items", `{"name":7}`, 405}, {http.MethodGet, "/file", "", 200}, {http.MethodGet, "/elsewhere", "", 404},
	} {
		resp, body := answered(t, asked(t, tt.method, srv.URL+tt.path, tt.body)) //nolint:bodyclose // it is closed
		assert.Equal(t, tt.status, resp.StatusCode, tt.path)
		if tt.status >= http.StatusBadRequest && tt.path != "/elsewhere" {
			assert.Contains(t, body, "violations")
		}
	}
	rep := settled(p, srv)
	assert.Equal(t, 3, rep.Traffic.Refused)
}

// What breaks HTTP itself is answered or dropped, on both sides, and the next request passes. No
// request reaches the target that was none.
func TestProxyHostile(t *testing.T) {
	const get = "GET /items/1 HTTP/1.1\r\nHost: x\r\n"
	const post = "POST /items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	reached := make(chan string, 1000)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		reached <- r.RequestURI
		w.WriteHeader(http.StatusCreated)
	})
	target := httptest.NewServer(mux)
	defer target.Close()
	for _, opts := range [][]contracttest.TrafficOption{nil, {contracttest.Enforce()}} {
		p, srv := proxied(t, target.URL, opts...)
		for i, bytes := range []string{
			post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", // net/http reads the chunks alone
			post + "Content-Length: 4\r\nContent-Length: 50\r\n\r\n{}  " + smuggled,
			post + "Content-Length: +4\r\n\r\n{}  ", post + "Content-Length: 0x4\r\n\r\n{}  ", post + "Content-Length: -1\r\n\r\n", post + "Content-Length: 4, 4\r\n\r\n{}  ",
			post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + smuggled, post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled,
			post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + smuggled, post + " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
			post + "Transfer-Encoding:\vchunked\r\n\r\n0\r\n\r\n" + smuggled, post + "X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled,
			post + "Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n", post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}", post + "Transfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("x", 10_000) + "\r\n{}\r\n0\r\n\r\n",
			post + "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", post + "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\n{}\r\n0\r\nX: \x00\r\n\r\n",
			post + "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n", post + "Content-Length: 100\r\n\r\n{", post + "Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}",
			get + "X: \x00\r\n\r\n", get + "X\x00: a\r\n\r\n", get + "X: a\r\n b\r\n\r\n", get + ": a\r\n\r\n", get + "Host: y\r\n\r\n", get + "X: " + strings.Repeat("a", 2<<20) + "\r\n\r\n",
			get + strings.Repeat("X: a\r\n", 100_000) + "\r\n", "GET /items/%FF HTTP/1.1\r\nHost: x\r\n\r\n", "GET /items/%zz HTTP/1.1\r\nHost: x\r\n\r\n", "GET /items/1\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
			"GET //items//1/../1;a=b?%zz&;;=%FF HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://elsewhere/items/1 HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
			"CONNECT elsewhere:80 HTTP/1.1\r\nHost: elsewhere:80\r\n\r\n", "GET /items/1 HTTP/1.1\r\n\r\n", "GET /items/1 HTTP/9.9\r\nHost: x\r\n\r\n", "GET /items/1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
			"\x16\x03\x01\x02\x00\x01\x00", strings.Repeat("\r\n", 1000), "", "A B C D E\r\n\r\n", "GET /" + strings.Repeat("a", 100_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
			"TRACE /items/1 HTTP/1.1\r\nHost: x\r\nMax-Forwards: 0\r\n\r\n", get + "Connection: X-Shop, close\r\nX-Shop: a\r\n\r\n", get + "Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
			get + "Range: bytes=" + strings.Repeat("0-1,", 10_000) + "\r\n\r\n", get + "Cookie: " + strings.Repeat("a=b; ", 50_000) + "\r\n\r\n", get + "Accept: " + strings.Repeat("a/b;q=", 50_000) + "\r\n\r\n",
		} {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
			require.NoError(t, err)
			_, _ = io.WriteString(conn, strings.Replace(bytes, "/smuggled", "/smuggled?"+strconv.Itoa(i), 1)) // it may be refused before its end
			_ = conn.(*net.TCPConn).CloseWrite()                                                              // the other end may be closed
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
			_, err = io.Copy(io.Discard, conn)
			var late net.Error
			assert.False(t, errors.As(err, &late) && late.Timeout(), "%.100q has an answer, or an end", bytes)
			require.NoError(t, conn.Close())
		}
		resp, _ := answered(t, asked(t, http.MethodPost, srv.URL+"/items", `{"name":"ball"}`)) //nolint:bodyclose // it is closed
		assert.Equal(t, http.StatusCreated, resp.StatusCode)
		for _, f := range settled(p, srv).Findings {
			assert.NotEqual(t, "connection", f.Check, "%s: what a client gives up is no fault of the target", f.Message)
		}
	}
	target.Close() // no request is under way any more
	close(reached)
	for path := range reached {
		assert.NotContains(t, path, "/smuggled")
	}

	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	replies := []string{
		"", "nonsense\r\n\r\n", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 99 low\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 10_000) + "Content-Length: 0\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "HTTP/1.1 999 odd\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 11<<20) + "\r\n\r\n", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n", 50) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + strings.Repeat("[", 200_000), "HTTP/1.1 200 OK\r\nContent-Type: " + strings.Repeat("a/b;", 30_000) + "\r\nContent-Length: 2\r\n\r\n{}",
	}
	go func() {
		for i := 0; ; i++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, replies[i%len(replies)])
			_ = conn.Close()
		}
	}()
	defer listener.Close()
	for _, opts := range [][]contracttest.TrafficOption{nil, {contracttest.Enforce()}} {
		p, srv := proxied(t, "http://"+listener.Addr().String(), opts...)
		for range replies {
			if resp, err := http.DefaultClient.Do(asked(t, http.MethodPost, srv.URL+"/items", `{"name":"ball"}`)); err == nil {
				_, _ = io.Copy(io.Discard, resp.Body)
				require.NoError(t, resp.Body.Close())
			}
		}
		rep := settled(p, srv)
		assert.Positive(t, rep.Errors())
		require.NoError(t, json.NewEncoder(io.Discard).Encode(rep))
	}
}

// All that a run sends passes the proxy as it would without one, and what a correct server answers is
// no error there either.
func TestRunThroughProxy(t *testing.T) {
	target := httptest.NewServer(correct(t))
	defer target.Close()
	p, err := contracttest.NewProxy(load(t), target.URL)
	require.NoError(t, err)
	srv := httptest.NewServer(p)
	defer srv.Close()
	ran, err := contracttest.Run(t.Context(), load(t), contracttest.URL(srv.URL), known()...)
	require.NoError(t, err)
	assert.Empty(t, ran.Findings)
	rep := settled(p, srv)
	assert.Zero(t, rep.Errors(), "%v", rep.Findings)
	assert.Greater(t, rep.Traffic.Judged, 500)
	assert.Zero(t, rep.Traffic.Unjudged)
	assert.Positive(t, rep.Coverage.Broken)
	assert.Greater(t, rep.Coverage.Kept, 10)
	t.Logf("%s; %s", rep.Traffic, rep.Coverage.String())
}

// connections is a service that shows which forms of HTTP come through: what it got of a request is in the fields of
// its answer.
func connections(t testing.TB) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/1", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.Header().Set("Got", r.Proto+" "+r.RequestURI)
		w.Header().Set("Trailer", "Sum")
		replying(200, "application/json", `{"name":"ball"}`)(w, r)
		w.Header().Set("Sum", "4")
	})
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client has cut it short
		}
		w.Header().Set("Got", r.Proto+" "+string(data)+" "+r.Trailer.Get("Digest"))
		w.WriteHeader(http.StatusCreated)
	})
	mux.HandleFunc("GET /file", func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "websocket", r.Header.Get("Upgrade"))
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if !assert.NoError(t, err, r.Proto) {
			return
		}
		_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		assert.NoError(t, err)
		_, err = io.CopyN(conn, buffered, 7)
		assert.NoError(t, errors.Join(err, conn.Close()))
	})
	return mux
}

// TestProxyOfConnections sends what concerns a connection through the proxy, to a target of HTTP/1.1 and to one of HTTP/2.
func TestProxyOfConnections(t *testing.T) {
	plain := httptest.NewServer(connections(t))
	defer plain.Close()
	second := httptest.NewUnstartedServer(connections(t))
	second.EnableHTTP2 = true
	second.StartTLS()
	defer second.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: second.Certificate().Raw}), 0o600))
	for proto, target := range map[string]string{"HTTP/1.1": plain.URL, "HTTP/2.0": second.URL} {
		for _, opts := range [][]contracttest.TrafficOption{nil, {contracttest.Enforce()}} {
			p, srv := proxied(t, target, append(opts, contracttest.Certificates(ca, "", ""))...)

			hints := 0
			req := asked(t, http.MethodGet, "http://elsewhere.example/items/1", "") // in absolute form, as to a proxy of another kind
			req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
				assert.Equal(t, "103 </style.css>; rel=preload", fmt.Sprint(status, " ", h.Get("Link")))
				hints++
				return nil
			}}))
			at, err := url.Parse(srv.URL)
			require.NoError(t, err)
			absolute := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at)}}
			resp, err := absolute.Do(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, errors.Join(err, resp.Body.Close()))
			absolute.CloseIdleConnections()
			assert.Equal(t, []any{proto + " /items/1", `{"name":"ball"}`, "4", 1}, []any{resp.Header.Get("Got"), string(body), resp.Trailer.Get("Sum"), hints})

			const head = "POST /items HTTP/1.1\r\nHost: x\r\nX-Shop: a\r\nContent-Type: application/json\r\nConnection: close\r\n"
			assert.Contains(t, raw(t, srv, head+"Transfer-Encoding: chunked\r\nTrailer: Digest\r\n\r\n5;a=\"b\"\r\n{\"nam\r\n8\r\ne\":\"it\"}\r\n0\r\nDigest: 7\r\n\r\n", false), "\r\nGot: "+proto+` {"name":"it"} 7`+"\r\n")
			assert.Regexp(t, "^(HTTP/1.1 100 Continue\r\n\r\n)+HTTP/1.1 201 ", raw(t, srv, head+"Expect: 100-continue\r\nContent-Length: 13\r\n\r\n{\"name\":\"it\"}", false))
			req = asked(t, http.MethodGet, srv.URL+"/file", "")
			req.Header.Set("Connection", "keep-alive, Upgrade")
			req.Header.Set("Upgrade", "websocket")
			resp, err = http.DefaultClient.Do(req)
			require.NoError(t, err)
			require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
			_, err = io.WriteString(resp.Body.(io.Writer), "hello!\n")
			require.NoError(t, err)
			body, err = io.ReadAll(resp.Body)
			require.NoError(t, errors.Join(err, resp.Body.Close()))
			assert.Equal(t, "hello!\n", string(body))
			for _, cut := range []string{"Content-Length: 9\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}", "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n"} {
				for _, path := range []string{"/items", "/elsewhere"} {
					got := raw(t, srv, strings.Replace(head, "/items", path, 1)+cut, true)
					assert.Contains(t, got, "HTTP/1.1 400 ", cut)
					assert.Contains(t, got, "the body of the request is framed wrongly, or cut short", cut)
				}
			}
			rep := settled(p, srv)
			assert.Empty(t, rep.Findings)
			assert.Equal(t, 1, rep.Traffic.Upgraded)
		}
	}
}

// raw sends bytes, after which nothing comes any more where they are the end, and returns all that comes back.
func raw(t testing.TB, srv *httptest.Server, text string, end bool) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", srv.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	if end {
		require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	}
	data, err := io.ReadAll(conn)
	require.NoError(t, err)
	return string(data)
}
