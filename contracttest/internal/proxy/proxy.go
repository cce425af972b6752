package proxy

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/dataarts-go/factory/contracttest/internal/traffic"
)

// New returns a handler that passes requests on to the service at target, and its answers back,
// watched. Nothing is added to them but what RFC 9110 has a proxy do with the fields of a
// connection, and X-Forwarded-For, -Host and -Proto.
func New(w *traffic.Watcher, target *url.URL, secure *tls.Config) http.Handler {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	transport.DisableCompression = true                          // or a coding would be taken off
	transport.TLSClientConfig = secure
	transport.MaxIdleConnsPerHost = maxIdle
	transport.MaxIdleConns = maxIdle
	pass := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.URL.RawQuery = r.In.URL.RawQuery                           // with what cannot be read, which is no matter of ours
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"] // of proxies before this one
			r.Out.Trailer = r.In.Trailer                                     // its values come behind the body
			r.SetXForwarded()
		},
		ModifyResponse: func(r *http.Response) error {
			if len(r.Trailer) > 0 { // HTTP/2 has them beside a length, HTTP/1.1 behind chunks alone
				r.Header.Del("Content-Length")
			}
			return nil
		},
		Transport: transport, BufferPool: &buffers{}, ErrorLog: log.New(io.Discard, "", 0), ErrorHandler: unanswered,
	}
	watched := w.Handler(pass, http.StatusBadGateway)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect { // it is for a proxy of another kind
			rw.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
			rw.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body := &incoming{ReadCloser: r.Body}
		in := r.WithContext(context.WithValue(r.Context(), incomingKey{}, body))
		if body.ended.Store(r.Body == nil || r.Body == http.NoBody); !body.ended.Load() {
			in.Body = body
		}
		watched.ServeHTTP(rw, in)
	})
}

// incoming is the body of a request, which knows whether all of it has come.
type incoming struct {
	io.ReadCloser
	ended atomic.Bool
}

type incomingKey struct{}

func (in *incoming) Read(p []byte) (int, error) {
	n, err := in.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		in.ended.Store(true)
	case err != nil:
		err = unreadableError{err}
	}
	return n, err //nolint:wrapcheck // it is
}

// unreadableError is why the body of a request cannot be read: it is framed wrongly, or cut short.
type unreadableError struct{ error }

func (e unreadableError) Unwrap() error { return e.error }

// unreadable reports whether a request was not passed on as its body did not come. Where a client closes its
// connection, that may be seen before the end of the body is.
func unreadable(r *http.Request, err error) bool {
	in, ok := r.Context().Value(incomingKey{}).(*incoming)
	return errors.As(err, new(unreadableError)) || ok && !in.ended.Load() && r.Context().Err() != nil
}

// maxIdle is how many connections to the service are kept for the next request.
const maxIdle = 256

// errUnreachable is what the client is told where nobody has taken the request.
var errUnreachable = errors.New("the target cannot be reached")

// unanswered answers in the place of a service that does not. That it cannot be reached, that the client is gone
// or does not send what it began, breaks no contract; that the service drops a connection or speaks no HTTP does.
func unanswered(w http.ResponseWriter, r *http.Request, err error) {
	status, detail := http.StatusBadGateway, "the target gives no answer"
	var dialing *net.OpError
	switch {
	case unreadable(r, err):
		status, detail = http.StatusBadRequest, "the body of the request is framed wrongly, or cut short"
		traffic.Unanswered(w)
	case errors.As(err, &dialing) && dialing.Op == "dial" || r.Context().Err() != nil:
		detail = errUnreachable.Error()
		traffic.Unanswered(w)
	default:
		traffic.Failed(w, err)
	}
	data, err := json.Marshal(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
	if err != nil {
		data = nil // a map of texts is always written
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client may be gone
}

// buffers are what bodies pass through.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return *buf
	}
	const size = 32 << 10
	return make([]byte, size)
}

func (b *buffers) Put(buf []byte) { b.pool.Put(&buf) }
