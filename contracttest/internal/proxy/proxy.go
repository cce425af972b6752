package proxy

import (
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
			r.SetXForwarded()
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
		watched.ServeHTTP(rw, r)
	})
}

// maxIdle is how many connections to the service are kept for the next request.
const maxIdle = 256

// errUnreachable is what the client is told where nobody has taken the request.
var errUnreachable = errors.New("the target cannot be reached")

// unanswered answers in the place of a service that does not. That it cannot be reached, or that the
// client is gone, breaks no contract; that it drops a connection or speaks no HTTP does.
func unanswered(w http.ResponseWriter, r *http.Request, err error) {
	detail := "the target gives no answer"
	var dialing *net.OpError
	if errors.As(err, &dialing) && dialing.Op == "dial" || r.Context().Err() != nil {
		detail = errUnreachable.Error()
		traffic.Unanswered(w)
	} else {
		traffic.Failed(w, err)
	}
	data, err := json.Marshal(map[string]any{"title": http.StatusText(http.StatusBadGateway), "status": http.StatusBadGateway, "detail": detail})
	if err != nil {
		data = nil // a map of texts is always written
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(http.StatusBadGateway)
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
