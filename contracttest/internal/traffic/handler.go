package traffic

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Handler returns next, watched. An answer that breaks the contract is refused with this status,
// where the watcher refuses.
func (w *Watcher) Handler(next http.Handler, refusal int) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.wants(r.Method, r.URL.RequestURI()) {
			next.ServeHTTP(rw, r)
			return
		}
		w.pending.Add(1)
		over := sync.OnceFunc(w.pending.Done)
		defer over()
		p := &passage{w: w, over: over, ctx: r.Context(), out: rw, refusal: refusal, started: time.Now(), request: requestOf(r), sent: w.body(), got: w.body()}
		own := r.Body
		p.watch(r)
		if w.opts.Enforce {
			if no := w.refusalOf(p.asked()); no != nil {
				w.refuse(no)
				p.sent.free()
				no.write(rw, r.Method)
				return
			}
		}
		defer func() {
			r.Body = own
			p.end()
		}()
		next.ServeHTTP(p.writer(), r)
		p.returned = true
	})
}

// errAborted is what the other side sees of a handler that ends in a panic.
var errAborted = errors.New("the connection is closed before the end of the answer, as the handler gave it up")

// way is what becomes of an answer.
type way int

const (
	passes  way = iota // as the handler writes it
	held               // until it is judged
	refused            // the handler writes to nobody
)

// passage is an exchange on its way through a handler.
type passage struct {
	w       *Watcher
	ctx     interface{ Err() error } // of the request
	out     http.ResponseWriter
	refusal int
	started time.Time

	request *wire.Request
	length  int64 // of its body; negative where nobody said
	sent    *body

	way      way
	status   int // 0 until there is one
	header   http.Header
	got      *body
	gone     bool  // whoever asked takes no more of it
	failed   error // why there is no answer, said by whoever passes it on
	hijacked bool
	over     func() // nobody waits for the exchange any more
	returned bool
}

// watch has the body of the request kept as the handler reads it, or before it does where the
// request may be refused. One that is larger than the bound is not seen.
func (p *passage) watch(r *http.Request) {
	p.length = r.ContentLength
	if r.Body == nil || r.Body == http.NoBody {
		p.sent.end()
		return
	}
	p.request.Chunked = r.ContentLength < 0
	if p.w.opts.Enforce && r.ContentLength <= int64(p.w.opts.Bound) {
		r.Body, _ = p.sent.ahead(r.Body) // an error is one of the handler, which reads on
	} else {
		r.Body = &reader{ReadCloser: r.Body, to: p.sent}
	}
}

// asked is the request with what is known of its body.
func (p *passage) asked() *wire.Request {
	data, known := p.sent.seen(p.length, p.request.Get("Content-Type"))
	return withBody(p.request, data, known && !p.sent.failed())
}

// writeHeader is what becomes of the status that a handler gives.
func (p *passage) writeHeader(status int) {
	if p.status != 0 || status >= 100 && status < 200 && status != http.StatusSwitchingProtocols {
		if p.way == passes {
			p.out.WriteHeader(status) // of those before the answer there may be some; of a second one net/http complains
		}
		return
	}
	p.status, p.header = status, p.out.Header().Clone()
	if !p.w.opts.Enforce || status == http.StatusSwitchingProtocols || p.failed != nil {
		p.out.WriteHeader(status)
		return
	}
	p.way = held
	n, err := strconv.ParseInt(p.header.Get("Content-Length"), 10, 64)
	if streams(p.header.Get("Content-Type")) || err == nil && n > int64(p.w.opts.Bound) {
		p.release()
	}
}

// write is what becomes of some of the body.
func (p *passage) write(data []byte, pass func() (int, error)) (int, error) {
	if p.status == 0 {
		p.writeHeader(http.StatusOK)
	}
	if !p.bodyless() {
		p.sniff(data)
		if !p.got.keep(data) {
			if p.way == held {
				p.release()
			}
			p.got.free()
		}
	}
	if p.way != passes {
		return len(data), nil
	}
	n, err := pass()
	if err != nil && !errors.Is(err, http.ErrContentLength) && !errors.Is(err, http.ErrBodyNotAllowed) {
		p.gone = true
	}
	return n, err
}

// sniff gives the answer the Content-Type that net/http gives it.
func (p *passage) sniff(data []byte) {
	if _, typed := p.header["Content-Type"]; !typed && p.got.size == 0 && len(data) > 0 && p.header.Get("Content-Encoding") == "" {
		p.header.Set("Content-Type", http.DetectContentType(data))
	}
}

// bodyless reports whether net/http sends no body, whatever the handler writes.
func (p *passage) bodyless() bool {
	return p.request.Method == http.MethodHead || p.status == http.StatusNoContent || p.status == http.StatusNotModified || p.status < 200
}

// flush is what becomes of what was written so far.
func (p *passage) flush() error {
	if p.status == 0 {
		p.writeHeader(http.StatusOK)
	}
	if p.way != passes {
		return nil
	}
	return http.NewResponseController(p.out).Flush() //nolint:wrapcheck // it passes as it is
}

// release passes on an answer that is too large to be held, or has no end, judged by its head.
func (p *passage) release() {
	found := p.w.examine(&wire.Exchange{Request: p.asked(), Response: &wire.Response{Status: p.status, Header: p.header, Unseen: true}})
	if !p.refuse(found) {
		p.pass()
	}
}

// refuse answers in the place of the handler, if anything found is an error.
func (p *passage) refuse(found *examined) bool {
	no := found.refusal(p.refusal)
	if no == nil {
		return false
	}
	p.way = refused
	p.w.refuse(no)
	clear(p.out.Header())
	no.write(p.out, p.request.Method)
	return true
}

// pass hands on what was held.
func (p *passage) pass() {
	p.way = passes
	later := p.out.Header().Clone() // trailers, and what came too late
	set(p.out.Header(), p.header)
	p.out.WriteHeader(p.status)
	if len(p.got.data) > 0 {
		if _, err := p.out.Write(p.got.data); err != nil {
			p.gone = true
		}
	}
	set(p.out.Header(), later)
}

func set(h, to http.Header) {
	clear(h)
	for name, values := range to {
		h[name] = values
	}
}

// end has the exchange judged once the handler is done with it.
func (p *passage) end() {
	free := func() {
		p.sent.free()
		p.got.free()
	}
	if p.hijacked {
		free()
		return
	}
	x := p.exchange()
	switch {
	case errors.Is(p.failed, errNobody), p.failed != nil && (p.ctx.Err() != nil || p.sent.failed()), p.status == 0 && p.ctx.Err() != nil, p.way == refused: // whoever asked is gone
		free()
		return
	case p.way == held:
		found := p.w.examine(x)
		if !p.returned {
			p.w.note(found)
		} else if !p.refuse(found) {
			p.pass()
			p.w.note(found)
		}
		free()
		return
	}
	p.w.later(x, free)
}

// exchange is what has passed.
func (p *passage) exchange() *wire.Exchange {
	x := &wire.Exchange{Request: p.asked(), Err: p.failed, Started: p.started}
	if p.status == 0 && p.returned {
		p.status, p.header = http.StatusOK, p.out.Header().Clone()
	}
	switch {
	case p.failed != nil:
		return x
	case !p.returned && (p.status == 0 || p.way == held):
		x.Err = errAborted
		return x
	}
	x.Response = &wire.Response{Status: p.status, Header: p.header, Elapsed: time.Since(p.started)}
	if p.bodyless() {
		return x
	}
	length, err := strconv.ParseInt(p.header.Get("Content-Length"), 10, 64)
	switch short := err == nil && p.got.size < length; {
	case p.gone || p.got.lost || p.ctx.Err() != nil && (short || !p.returned):
		x.Response.Unseen = true
	case !p.returned:
		x.Response.Body, x.Response.BodyErr = p.got.data, errAborted
	case short:
		x.Response.Body, x.Response.BodyErr = p.got.data, io.ErrUnexpectedEOF
	default:
		x.Response.Body = p.got.data
	}
	return x
}

// Failed says that there is no answer, and why: what is written instead is not that of the contract.
// w is what a watched handler writes to.
func Failed(w http.ResponseWriter, err error) {
	if p, ok := w.(interface{ fail(error) }); ok {
		p.fail(err)
	}
}

// Unanswered says that nobody has taken the request, so that there is nothing to judge.
func Unanswered(w http.ResponseWriter) { Failed(w, errNobody) }

var errNobody = errors.New("nobody has taken the request")

func (p *passage) fail(err error) { p.failed = err }
