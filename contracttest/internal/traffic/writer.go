package traffic

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// writer returns what the handler writes to: it can do what the one that is watched can, so that
// a handler which asks finds the same.
func (p *passage) writer() http.ResponseWriter {
	w := writer{p}
	switch p.out.(type) {
	case interface {
		http.Flusher
		http.Hijacker
		io.ReaderFrom
	}: // of HTTP/1
		return struct {
			writer
			flusher
			hijacker
			readerFrom
		}{w, flusher{p}, hijacker{p}, readerFrom{p}}
	case interface {
		http.Flusher
		http.Hijacker
	}: // of a router
		return struct {
			writer
			flusher
			hijacker
		}{w, flusher{p}, hijacker{p}}
	case interface {
		http.Flusher
		http.Pusher
	}: // of HTTP/2
		return struct {
			writer
			flusher
			http.Pusher
		}{w, flusher{p}, p.out.(http.Pusher)} //nolint:forcetypeassert // it is one
	case http.Flusher:
		return struct {
			writer
			flusher
		}{w, flusher{p}}
	}
	return w
}

type (
	writer     struct{ *passage }
	flusher    struct{ p *passage }
	hijacker   struct{ p *passage }
	readerFrom struct{ p *passage }
)

func (w writer) Header() http.Header { return w.out.Header() }

func (w writer) WriteHeader(status int) { w.writeHeader(status) }

func (w writer) Write(data []byte) (int, error) {
	return w.write(data, func() (int, error) { return w.out.Write(data) })
}

func (w writer) WriteString(text string) (int, error) {
	return w.write([]byte(text), func() (int, error) { return io.WriteString(w.out, text) })
}

// Unwrap is for http.ResponseController.
func (w writer) Unwrap() http.ResponseWriter { return w.out }

// FlushError is what http.ResponseController calls.
func (w writer) FlushError() error { return w.flush() }

func (f flusher) Flush() { _ = f.p.flush() }

func (h hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(h.p.out).Hijack()
	if err == nil {
		h.p.hijacked = true
		h.p.w.counts.upgraded.Add(1)
		h.p.over()
	}
	return conn, buffered, err //nolint:wrapcheck // it passes as it is
}

// ReadFrom passes a body on without the copy that is kept of it where nothing is: a file goes from
// the disk to the network.
func (r readerFrom) ReadFrom(src io.Reader) (int64, error) {
	p := r.p
	if p.status == 0 {
		p.writeHeader(http.StatusOK)
	}
	total := int64(0)
	buf := make([]byte, 32<<10)
	for p.way != passes || !p.got.lost && !p.bodyless() {
		n, err := src.Read(buf)
		if n > 0 {
			written, writeErr := writer{p}.Write(buf[:n])
			total += int64(written)
			if writeErr != nil {
				return total, writeErr
			}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err //nolint:wrapcheck // it passes as it is
		}
	}
	n, err := p.out.(io.ReaderFrom).ReadFrom(src) //nolint:forcetypeassert // it is one
	p.got.pass(n)
	if err != nil {
		p.gone = true
	}
	return total + n, err //nolint:wrapcheck // it passes as it is
}
