package client

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/dataarts-go/factory/internal/signing"
)

// clock is the time by which a client signs: that of the machine, until the
// service refuses a signature and its own time differs. All clients of
// credentials have one each; a nil clock is that of the machine.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time {
	if c == nil {
		return time.Now()
	}
	return time.Now().Add(time.Duration(c.offset.Load()))
}

// set lets the clock go by the service's, which said date just now.
func (c *clock) set(date time.Time) { c.offset.Store(int64(time.Until(date))) }

// leastSkew is the difference from which on a clock is taken to be the reason
// that a signature was refused. Signatures are refused when they are more than
// 15 minutes off (api-sign-algorithm); the rest allows for the way.
const leastSkew = 10 * time.Minute

// skewOf returns the time of an answer, and how much later it is than the
// signature of its request, 0 if they agree or one of them cannot be read.
func skewOf(req *http.Request, resp *http.Response) (date time.Time, skew time.Duration) {
	signed, err := time.Parse(signing.DateFormat, req.Header.Get(signing.DateHeader))
	if err != nil {
		return time.Time{}, 0
	}
	date, err = http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return time.Time{}, 0
	}
	if skew = date.Sub(signed); skew.Abs() < leastSkew {
		return date, 0
	}
	return date, skew
}
