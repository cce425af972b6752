package client

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A RetryPolicy says when a request is sent again. The zero value of a field
// stands for its default.
//
// What was surely not carried out is repeated: an attempt of which nothing was
// sent (a [*ConnectError], unless it is permanent), 429, and 503 with a code of
// the API gateway (APIG.… or APIGW.…), which stands before the service. After
// an [ErrUnauthorized], credentials that can renew their proof, such as
// [Password], do so once, and the request is sent again at once, whatever the
// policy says. Each attempt is authorized anew.
//
// Nothing else repeats a request: neither net/http, which otherwise does so for
// HTTP/2, nor a redirect.
//
// Everything else is final; in particular what is in doubt ([ErrInDoubt]),
// unless InDoubt is set.
type RetryPolicy struct {
	// Attempts is the most requests that a call sends, the first one included;
	// 4 by default, and 1 repeats nothing.
	Attempts int
	// BaseDelay bounds the wait before the second attempt, 200 ms by default.
	// The bound doubles with each attempt; the wait is drawn at random from
	// nothing up to the bound (full jitter).
	BaseDelay time.Duration
	// MaxDelay bounds each wait, 30 s by default. Where the service asks for a
	// longer one (Retry-After, in seconds or as a date) the call ends with the
	// error, and so it does where the wait would outlast the context's
	// deadline.
	MaxDelay time.Duration
	// InDoubt allows the repetition of what may have been carried out: a 502,
	// a 503 of the service itself, a 504, a connection that broke or a timeout
	// after the request was sent. A refusal of the repetition is then in doubt
	// as well, also "task not found": the first request may have cancelled
	// the packages.
	InDoubt bool
}

var defaultRetryPolicy = RetryPolicy{Attempts: 4, BaseDelay: 200 * time.Millisecond, MaxDelay: 30 * time.Second}

// longestDelay keeps sums of delays within a time.Duration.
const longestDelay = 365 * 24 * time.Hour

// WithRetry sets when a request is sent again.
func WithRetry(policy RetryPolicy) Option {
	return func(c *config) error {
		if policy.Attempts < 0 || policy.BaseDelay < 0 || policy.MaxDelay < 0 {
			return errors.New("client: retry policy has a negative field")
		}
		if policy.Attempts == 0 {
			policy.Attempts = defaultRetryPolicy.Attempts
		}
		if policy.BaseDelay == 0 {
			policy.BaseDelay = defaultRetryPolicy.BaseDelay
		}
		if policy.MaxDelay == 0 {
			policy.MaxDelay = defaultRetryPolicy.MaxDelay
		}
		policy.MaxDelay = min(policy.MaxDelay, longestDelay)
		policy.BaseDelay = min(policy.BaseDelay, policy.MaxDelay)
		c.retry = policy
		return nil
	}
}

// retryAfter reads the header Retry-After (RFC 9110 §10.2.3), 0 if there is
// none or it cannot be read. More seconds than a time.Duration holds are as many
// as it holds. A date is held against that of the answer, since the clocks may
// differ.
func retryAfter(header http.Header) time.Duration {
	text := header.Get("Retry-After")
	if text != "" && strings.Trim(text, "0123456789") == "" {
		const most = math.MaxInt64 / int64(time.Second)
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > most {
			return math.MaxInt64
		}
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, until.Sub(now))
}
