package server

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// Fault is something that goes wrong on purpose, which a client has to survive.
// The request waits for Delay; then it is dropped, or answered with Status, or
// carried out as ever.
type Fault struct {
	// Share is how many of the requests it befalls: above 0, and 1 for all.
	Share float64
	Delay time.Duration
	// Drop ends the connection (with HTTP/2, the request) without an answer.
	Drop bool
	// Status is answered as the gateway does: 429, 500, 502, 503 or 504.
	Status int
	// RetryAfter is sent with Status if it is not 0, in whole seconds.
	RetryAfter time.Duration
	// Late carries the request out first, and drops or answers it so thereafter:
	// the caller cannot know what became of it. So it is not for 429 and 503,
	// with which the gateway says that it was not carried out.
	Late bool
}

// String is the fault as factory serve --fault takes it.
func (f Fault) String() string {
	parts := []string{"share=" + strconv.FormatFloat(f.Share, 'g', -1, 64)}
	if f.Delay != 0 {
		parts = append(parts, "delay="+f.Delay.String())
	}
	if f.Drop {
		parts = append(parts, "drop")
	}
	if f.Status != 0 {
		parts = append(parts, "status="+strconv.Itoa(f.Status))
	}
	if f.RetryAfter != 0 {
		parts = append(parts, "retry-after="+f.RetryAfter.String())
	}
	if f.Late {
		parts = append(parts, "late")
	}
	return strings.Join(parts, ",")
}

// faultAnswers are the statuses of a Fault.
var faultAnswers = map[int]refusal{
	http.StatusTooManyRequests:     {code: codeThrottled, text: textThrottled},
	http.StatusInternalServerError: {code: codeInternal, text: textInternal},
	http.StatusBadGateway:          {code: codeNoBackend, text: textNoBackend},
	http.StatusServiceUnavailable:  {code: codeUnavailable, text: textUnavailable},
	http.StatusGatewayTimeout:      {code: codeTimeout, text: textTimeout},
}

func (f Fault) check() error {
	switch {
	case !(f.Share > 0 && f.Share <= 1): // also NaN
		return errors.New("want a share above 0, and 1 at most")
	case f.Delay < 0 || f.RetryAfter < 0:
		return errors.New("a time is below 0")
	case f.Drop && f.Status != 0:
		return errors.New("what is dropped has no status")
	case f.Status != 0 && faultAnswers[f.Status].code == "":
		return errors.New("want a status of 429, 500, 502, 503 or 504")
	case f.RetryAfter != 0 && f.Status == 0:
		return errors.New("a time to retry after needs a status")
	case f.Late && !f.Drop && f.Status == 0:
		return errors.New("late is what is dropped or has a status")
	case f.Late && (f.Status == http.StatusTooManyRequests || f.Status == http.StatusServiceUnavailable):
		return fmt.Errorf("late: what the gateway answers with %d is not carried out", f.Status)
	case f.Delay == 0 && !f.Drop && f.Status == 0:
		return errors.New("it does nothing: want a delay, drop or a status")
	}
	return nil
}

// WithFaults makes some requests go wrong. Each fault befalls its own share of
// them, which together are all at most; the same seed makes the nth request
// meet the same one. Probes, and paths that do not exist, go on as ever.
func WithFaults(seed uint64, faults ...Fault) Option {
	return func(s *Server) error {
		total := 0.0
		for _, f := range faults {
			if err := f.check(); err != nil {
				return fmt.Errorf("fault %v: %w", f, err)
			}
			total += f.Share
		}
		if total > 1+1e-9 { // what the sum of ten tenths may be
			return fmt.Errorf("faults befall %g of the requests, want 1 at most", total)
		}
		s.faults = &faultList{faults: faults, random: rand.New(rand.NewPCG(seed, 0))}
		return nil
	}
}

// faultList draws the fault of each request.
type faultList struct {
	mu     sync.Mutex
	random *rand.Rand
	faults []Fault
}

func (l *faultList) next() (Fault, bool) {
	l.mu.Lock()
	draw := l.random.Float64()
	l.mu.Unlock()
	for _, f := range l.faults {
		if draw < f.Share {
			return f, true
		}
		draw -= f.Share
	}
	return Fault{}, false
}

// errDropped makes observe end the connection.
var errDropped = errors.New("dropped")

// befall is a middleware that makes requests meet their faults.
func (s *Server) befall(next echo.HandlerFunc) echo.HandlerFunc {
	if s.faults == nil {
		return next
	}
	return func(c echo.Context) error {
		f, meets := s.faults.next()
		if !meets {
			return next(c)
		}
		ctx := c.Request().Context()
		s.log.LogAttrs(ctx, slog.LevelInfo, "fault",
			slog.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)),
			slog.String("fault", f.String()))
		if f.Delay > 0 {
			timer := time.NewTimer(f.Delay)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if !f.Drop && f.Status == 0 {
			return next(c)
		}
		if f.Late {
			answer := c.Response()
			c.SetResponse(echo.NewResponse(nowhere{}, c.Echo()))
			err := next(c)
			c.SetResponse(answer)
			if err != nil { // refused before it was carried out, or failed
				return err
			}
		}
		if f.Drop {
			return errDropped
		}
		r := faultAnswers[f.Status]
		r.status = f.Status
		if f.RetryAfter > 0 {
			seconds := int(math.Ceil(f.RetryAfter.Seconds()))
			r.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
		}
		return &r
	}
}

// nowhere takes an answer that nobody is to see.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}
