package traffic

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/internal/mediatype"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// together is how many bodies of the largest size may be held at once.
const together = 8

// room is how many bytes of bodies are held, all together.
type room struct {
	held, most atomic.Int64
	bound      int64
}

// take takes n bytes, if there are so many.
func (r *room) take(n int) bool {
	held := r.held.Add(int64(n))
	if held > r.bound {
		r.held.Add(int64(-n))
		return false
	}
	for most := r.most.Load(); held > most && !r.most.CompareAndSwap(most, held); {
		most = r.most.Load()
	}
	return true
}

func (r *room) give(n int) { r.held.Add(int64(-n)) }

// body is what is kept of a body that passes. It is safe for concurrent use: a transport
// may still be sending when the answer is there.
type body struct {
	room  *room
	bound int

	mu    sync.Mutex
	data  []byte
	size  int64 // of all that has passed
	lost  bool  // there was no room for all of it
	ended bool  // its end has been seen
	fault error // why it could not be read to its end
}

// keep keeps some more of the body. It is false where there is no room for it, or was none before:
// then as much is held as there was.
func (b *body) keep(p []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.size += int64(len(p))
	if b.lost {
		return false
	}
	if need := len(b.data) + len(p); need > cap(b.data) {
		const least = 512
		grown := min(max(2*cap(b.data), need, least), b.bound)
		if need > b.bound || !b.room.take(grown) {
			b.lost = true
			return false
		}
		data := make([]byte, len(b.data), grown)
		copy(data, b.data)
		b.room.give(cap(b.data))
		b.data = data
	}
	b.data = append(b.data, p...)
	return true
}

// ahead reads what there is room for, and returns the body as it was, and why it cannot be read
// to its end.
func (b *body) ahead(from io.ReadCloser) (io.ReadCloser, error) {
	const piece = 32 << 10
	buf := make([]byte, piece)
	for {
		n, err := from.Read(buf)
		rest := []io.Reader{nil, bytes.NewReader(buf[:n])}
		switch kept := b.keep(buf[:n]); {
		case !kept && err != nil && err != io.EOF:
			rest = append(rest, failing{err})
		case !kept:
			rest = append(rest, from)
		case err == io.EOF:
			b.end()
			rest, err = rest[:1], nil
		case err != nil:
			b.fail(err)
			rest = append(rest[:1], failing{err})
		default:
			continue
		}
		rest[0] = bytes.NewReader(b.data)
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(rest...), from}, err //nolint:wrapcheck // it passes as it is
	}
}

// failing is a body that cannot be read any further.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// free gives up what is held.
func (b *body) free() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.room.give(cap(b.data))
	b.data, b.lost = nil, true
}

// pass counts bytes that are not kept.
func (b *body) pass(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.size += n
}

func (b *body) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

func (b *body) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fault = err
}

// failed reports whether the body could not be read to its end.
func (b *body) failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fault != nil
}

// seen returns the body, if all of it is known: to its end, to the length that was said (negative:
// none was), or to the end of a JSON value, as who decodes one need not read on.
func (b *body) seen(length int64, contentType string) (data []byte, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.lost:
		return nil, false
	case b.ended, length >= 0 && b.size >= length:
		return b.data, true
	}
	t, err := mediatype.Parse(contentType)
	return b.data, err == nil && t.JSON() && len(b.data) > 0 && wellformed.JSON(b.data) == nil
}

// reader keeps what is read through it.
type reader struct {
	io.ReadCloser

	to   *body
	done func(error) // called once, at the end, when it fails or is closed; may be nil
	once sync.Once
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if !r.to.keep(p[:n]) {
		r.to.free()
	}
	if err == nil {
		return n, nil
	}
	if err == io.EOF {
		r.to.end()
		r.finish(nil)
	} else {
		r.to.fail(err)
		r.finish(err)
	}
	return n, err //nolint:wrapcheck // it passes as it is
}

func (r *reader) Close() error {
	err := r.ReadCloser.Close()
	r.finish(nil)
	return err //nolint:wrapcheck // it passes as it is
}

func (r *reader) finish(err error) {
	if r.done != nil {
		r.once.Do(func() { r.done(err) })
	}
}

// streams reports whether a body of this media type is a sequence without an end, which nobody
// waits for.
func streams(contentType string) bool {
	t, err := mediatype.Parse(contentType)
	if err != nil {
		return false
	}
	switch codec.FramingOf(contentType) {
	case codec.Lines, codec.Records, codec.Events:
		return true
	}
	switch t.Type + "/" + t.Subtype {
	case "multipart/x-mixed-replace", "application/grpc":
		return true
	}
	return t.Params["stream"] != "" // as of Kubernetes
}
