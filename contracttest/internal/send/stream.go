package send

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// How says how a request is sent, and how its answer is read.
type How struct {
	// Prepare has the last word on the request; nil where nothing has.
	Prepare func(*http.Request) error
	// A sequence of items, as a stream of events, may have no end: it is left after this time
	// from its header on, or this many items. What is 0 is as usual.
	StreamTime  time.Duration
	StreamItems int
	// AnyCoding leaves a request without an Accept-Encoding as it is.
	AnyCoding bool
}

// What is usual.
const (
	StreamTime  = 2 * time.Second
	StreamItems = 100
)

// errLeft is why a sequence is not read to its end.
var errLeft = errors.New("enough was read")

// meter tells when enough was read of a sequence. A nil meter is that of any other body.
type meter struct {
	how   How
	count *codec.Counter
	over  atomic.Bool // its time is
	full  bool        // all items that are wanted are there
	coded bool        // nobody can tell where an item ends
}

// newMeter returns the meter of a body with a header. What is in a content coding is measured
// by its time alone.
func newMeter(h http.Header, how How) *meter {
	count := codec.NewCounter(h.Get("Content-Type"))
	if count == nil {
		return nil
	}
	return &meter{how: how, count: count, coded: h.Get("Content-Encoding") != ""}
}

// start calls leave when the time of a sequence is over, unless what it returns is called
// before.
func (m *meter) start(leave func()) (stop func()) {
	if m == nil {
		return func() {}
	}
	timer := time.AfterFunc(cmp.Or(m.how.StreamTime, StreamTime), func() {
		m.over.Store(true)
		leave()
	})
	return func() { timer.Stop() }
}

// take takes in what has come, and returns as much of it as is wanted.
func (m *meter) take(p []byte) []byte {
	if m == nil || m.coded {
		return p
	}
	most := cmp.Or(m.how.StreamItems, StreamItems)
	n := m.count.Take(p, most)
	m.full = m.count.Count() >= most
	return p[:n]
}

// read appends to a body what comes, up to its end, to MaxBody bytes, or until it is enough.
func (m *meter) read(body []byte, r io.Reader) ([]byte, error) {
	r = io.LimitReader(r, int64(MaxBody-len(body))+1)
	if m == nil {
		more, err := io.ReadAll(r)
		if body = append(body, more...); err == nil && len(body) > MaxBody {
			err = ErrTooLarge
		}
		return body, err
	}
	piece := make([]byte, 4<<10)
	for {
		n, err := r.Read(piece)
		body = append(body, m.take(piece[:n])...)
		switch {
		case len(body) > MaxBody:
			return body[:MaxBody], ErrTooLarge
		case m.full:
			return body, errLeft
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return body, err
		}
	}
}

// finish says in a response how its body has come to its end. A sequence whose time is over is
// as good as one that has ended, and so is one that is too large, if some of its items are not.
func (m *meter) finish(ctx context.Context, out *wire.Response, err error) {
	out.BodyErr = nil
	large := errors.Is(err, ErrTooLarge)
	switch {
	case m != nil && m.full:
		out.Open = true
	case err == nil:
	case errors.Is(err, errLeft), m != nil && large && (m.coded || m.count.Count() > 0),
		m != nil && !errors.Is(err, io.ErrUnexpectedEOF) && (m.over.Load() || errors.Is(ctx.Err(), context.DeadlineExceeded)):
		out.Open = true
	case large:
		out.Body, out.BodyErr = cut(out.Body), err
	case errors.Is(err, ErrPanic), errors.Is(err, ErrDropped), errors.Is(err, ErrTimeout):
		out.BodyErr = err
	default:
		out.BodyErr = classify(ctx, err)
	}
}
