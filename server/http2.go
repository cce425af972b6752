package server

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// http2Limits are what bounds the memory of a connection of HTTP/2 before its
// requests get here: their number, and what has arrived of them. By default net/http
// lets a connection keep a frame of 1 MiB and as much that is not read yet.
func http2Limits() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          100, // RFC 9113 §6.5.2 recommends no less
		MaxReadFrameSize:              16 << 10,
		MaxReceiveBufferPerConnection: 128 << 10,
		MaxReceiveBufferPerStream:     128 << 10,
	}
}

// streamBytes is what a request of HTTP/2 takes beside its headers and its body:
// the goroutine, the stream and its buffers. With HTTP/1.1 these are the
// connection's, of which the number is bounded.
const streamBytes = 16 << 10

// maxRefused is how many requests of HTTP/2 may be under way for which there is no
// memory. Each waits until its answer is sent, which takes as long as the caller likes.
const maxRefused = 1024

// errTooManyStreams is errNoMemory for a request of HTTP/2 as such. It is answered
// without a body, for which the caller might give no window.
var errTooManyStreams = new(*errNoMemory)

// enter takes memory for a request of HTTP/2, or refuses it. A connection with a
// request too many even to be refused is closed.
func (s *Server) enter(c echo.Context, held *reservation) error {
	r := c.Request()
	if r.ProtoMajor < 2 {
		if conn := connOf(r); r.TLS != nil && conn != nil {
			conn.release()
		}
		return nil
	}
	size := streamBytes
	for name, values := range r.Header {
		size += len(name)
		for _, value := range values {
			size += len(value)
		}
	}
	if held.grow(int64(size)) == nil {
		return nil
	}
	if conn := connOf(r); conn != nil && s.refused.Load() >= maxRefused {
		_ = conn.Close()
		return errDropped
	}
	return errTooManyStreams
}

// maxRefusing is how many of them are answered at a time for one address. A frame that is
// written wakes the goroutine that waits for it: of a thousand at once the last, and
// whoever comes after them, would wait for a processor for a tenth of a second.
const maxRefusing = 8

// refuseStream answers with errTooManyStreams.
func (s *Server) refuseStream(c echo.Context) error {
	s.refused.Add(1)
	defer s.refused.Add(-1)
	if conn := connOf(c.Request()); conn != nil {
		select {
		case conn.peer.refusing <- struct{}{}:
			defer func() { <-conn.peer.refusing }()
		case <-c.Request().Context().Done():
			return c.Request().Context().Err()
		}
	}
	if err := c.NoContent(errTooManyStreams.status); err != nil {
		return err
	}
	return http.NewResponseController(c.Response().Writer).Flush() // until it is sent
}
