package client

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dataarts-go/factory/internal/signing"
)

// WithDebug has each request and each answer written to w as they are sent and
// received, those of IAM included, for a person who looks for a fault. Package
// IDs are shown. Secrets are not: of a request only the values of headers that
// are known to hold none, of an answer all but those whose name speaks of a
// token, key or cookie, and of an exchange for credentials no body.
//
// Lines of one exchange begin with the same number; > is sent, < is received
// and ! is an error. At most 4 KiB of a body are shown, and of an answer's only
// what the client reads. Each message is written in one piece; w is used by one
// goroutine at a time, and its errors are ignored.
func WithDebug(w io.Writer) Option {
	return func(c *config) error {
		if w == nil {
			return errors.New("client: debug writer is nil")
		}
		c.debug = &debugger{w: w}
		return nil
	}
}

// maxShown bounds what is shown of a body.
const maxShown = 4 << 10

// debugger writes exchanges. A nil one writes nothing.
type debugger struct {
	mu sync.Mutex
	w  io.Writer
	n  int // exchanges so far
}

// shownExchange is a request and its answer as they are shown.
type shownExchange struct {
	debug  *debugger
	number int
	bodies bool // are shown
	start  time.Time
	clean  func(string) string
}

// request shows a request that is about to be sent.
func (d *debugger) request(req *http.Request, bodies bool) *shownExchange {
	if d == nil {
		return nil
	}
	var hidden []string
	for name, values := range req.Header {
		if !slices.Contains(openHeaders, name) {
			hidden = append(hidden, values...)
		}
	}
	d.mu.Lock()
	d.n++
	x := &shownExchange{debug: d, number: d.n, bodies: bodies, start: time.Now(), clean: redactor(req.Header, hidden...)}
	d.mu.Unlock()
	lines := append([]string{req.Method + " " + req.URL.Redacted()}, x.header(req.Header, showRequestHeader)...)
	if req.GetBody != nil {
		if body, err := req.GetBody(); err == nil {
			text, _ := io.ReadAll(io.LimitReader(body, maxShown+1))
			lines = append(lines, x.body(text)...)
			_ = body.Close()
		}
	}
	x.show('>', lines)
	return x
}

// response shows an answer, or the error in its place. The body of the answer
// is shown when it is closed.
func (x *shownExchange) response(resp *http.Response, err error) {
	if x == nil {
		return
	}
	took := time.Since(x.start).Round(time.Microsecond)
	if err != nil {
		x.show('!', []string{fmt.Sprintf("%v (%v)", err, took)})
		return
	}
	status := fmt.Sprintf("%s %d %s (%v)", resp.Proto, resp.StatusCode, http.StatusText(resp.StatusCode), took)
	x.show('<', append([]string{status}, x.header(resp.Header, showResponseHeader)...))
	resp.Body = &shownBody{ReadCloser: resp.Body, exchange: x}
}

func (x *shownExchange) header(header http.Header, show func(name, value string) string) []string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			lines = append(lines, name+": "+show(name, value))
		}
	}
	return lines
}

func (x *shownExchange) body(text []byte) []string {
	switch {
	case len(text) == 0:
		return nil
	case !x.bodies:
		return []string{"", "(a body that is not shown)"}
	case len(text) > maxShown:
		text = append(text[:maxShown:maxShown], "…"...)
	}
	return []string{"", withoutCanonicalRequest(string(text))}
}

func (x *shownExchange) show(mark rune, lines []string) {
	var b strings.Builder
	for _, line := range lines {
		line = fmt.Sprintf("#%d %c %s", x.number, mark, strings.Map(printable, x.clean(line)))
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	x.debug.mu.Lock()
	defer x.debug.mu.Unlock()
	_, _ = io.WriteString(x.debug.w, b.String())
}

// openHeaders are the headers of a request whose values are no secret.
// Credentials of a program's own can put theirs into any other.
var openHeaders = []string{
	"Accept", "Content-Type", "User-Agent", "Workspace", signing.DateHeader, signing.ContentHeader, signing.ProjectHeader,
	"X-Domain-Id", "X-Idp-Id", "X-Metadata-Token-Ttl-Seconds",
}

func showRequestHeader(name, value string) string {
	switch {
	case slices.Contains(openHeaders, name):
		return value
	case name == "Authorization":
		if access, signature := signing.Parts(value); access != "" {
			return strings.NewReplacer(access, redacted, signature, redacted).Replace(value)
		}
	}
	return redacted
}

func showResponseHeader(name, value string) string {
	name = strings.ToLower(name)
	for _, word := range []string{"token", "secret", "cookie", "authorization", "key", "signature", "credential", "password", "session"} {
		if strings.Contains(name, word) {
			return redacted
		}
	}
	if name == "location" {
		return redirectTarget(value)
	}
	return value
}

// shownBody is the body of an answer, and shows what was read of it when it is
// closed.
type shownBody struct {
	io.ReadCloser
	exchange *shownExchange
	text     []byte
	closed   bool
}

func (b *shownBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.text = append(b.text, p[:min(n, maxShown+1-len(b.text))]...)
	return n, err
}

func (b *shownBody) Close() error {
	if !b.closed && len(b.text) > 0 {
		b.exchange.show('<', b.exchange.body(b.text))
	}
	b.closed = true
	return b.ReadCloser.Close()
}
