package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// outcome is what an attempt came to.
type outcome int

const (
	done     outcome = iota
	refused          // not carried out, and it would not be if asked again
	unsent           // surely not carried out, and worth another attempt
	doubtful         // may have been carried out
)

// call is one request with all its attempts.
type call struct {
	client   *Client
	body     []byte
	packages int
	attempts int
	renewed  bool      // the credentials made a new proof
	inDoubt  bool      // an attempt before the last one may have been carried out
	response *Response // of the attempt that succeeded
	err      error     // of the last attempt
	again    bool      // another one could help
}

// do repeats the attempts as the policy says.
func (c *call) do(ctx context.Context) error {
	policy := c.client.retry
	options := []backoff.RetryOption{
		// Half the interval, more or less by all of it, is any time up to the
		// interval: full jitter.
		backoff.WithBackOff(&backoff.ExponentialBackOff{
			InitialInterval: policy.BaseDelay / 2, MaxInterval: policy.MaxDelay / 2,
			Multiplier: 2, RandomizationFactor: 1,
		}),
		backoff.WithMaxTries(uint(policy.Attempts)),
		backoff.WithMaxElapsedTime(remaining(ctx)),
	}
	if log := c.client.log; log != nil {
		options = append(options, backoff.WithNotify(func(_ error, wait time.Duration) {
			log.LogAttrs(ctx, slog.LevelWarn, "repeat the request", slog.Int("attempt", c.attempts+1),
				slog.Duration("wait", wait), slog.String("reason", c.err.Error()))
		}))
	}
	_, _ = backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, c.attempt(ctx) }, options...) // c.err says more
	if c.again {
		return withContext(ctx, c.err) // which may have ended while it waited
	}
	return c.err
}

// remaining is how long there is time for further attempts: a wait that would
// outlast it is not begun.
func remaining(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return max(1, time.Until(deadline))
	}
	return 0 // no bound
}

// attempt sends the request, and again with a new proof if the old one is
// refused. It leaves its error in c.err and returns one that says whether and
// when to attempt again.
func (c *call) attempt(ctx context.Context) error {
	earlier := c.inDoubt
	what, err := c.send(ctx)
	c.err, c.again = err, what == unsent
	if what == done {
		return nil
	}
	e, answered := errors.AsType[*Error](err)
	if what == doubtful {
		c.inDoubt = true
		c.again = c.client.retry.InDoubt && (!answered || e.repeatable())
	}
	switch direct, ok := err.(*Error); { //nolint:errorlint // one that is wrapped is of another request
	case ok:
		direct.repeated = earlier
	case c.inDoubt:
		c.err = doubt{err}
	case is[*ConnectError](err):
		c.err = nothingSentError{err}
	}
	if !c.again {
		return backoff.Permanent(err)
	}
	if answered && e.RetryAfter > 0 {
		if e.RetryAfter > c.client.retry.MaxDelay {
			return backoff.Permanent(err)
		}
		// Those who were told to wait equally long do not come back at once.
		return &backoff.RetryAfterError{Duration: e.RetryAfter + rand.N(c.client.retry.BaseDelay)}
	}
	return err
}

// send sends the request once, and once more if its proof was refused and the
// credentials can make a new one.
func (c *call) send(ctx context.Context) (outcome, error) {
	what, req, err := c.roundTrip(ctx)
	if e, answered := errors.AsType[*Error](err); answered && req != nil && errors.Is(e, ErrUnauthorized) && c.renew(ctx, req, e) {
		what, _, err = c.roundTrip(ctx)
	}
	return what, err
}

// renew reports whether the credentials will make a new proof after the refusal
// of req: once in a call, and not of what does not change.
func (c *call) renew(ctx context.Context, req *http.Request, e *Error) bool {
	if c.renewed {
		return false
	}
	signer, signs := c.client.credentials.(interface{ setClock(time.Time) })
	renewer, renews := c.client.credentials.(interface{ renew(*http.Request) })
	switch {
	case signs && e.skew != 0:
		signer.setClock(e.date)
		if log := c.client.log; log != nil {
			log.LogAttrs(ctx, slog.LevelWarn, "sign by the clock of the service", slog.Duration("skew", e.skew))
		}
	case renews:
		renewer.renew(req)
	default:
		return false
	}
	c.renewed = true
	return true
}

// roundTrip sends one request and returns it, or nil if it was not sent.
func (c *call) roundTrip(ctx context.Context) (outcome, *http.Request, error) {
	c.attempts++
	if err := ctx.Err(); err != nil {
		return refused, nil, fmt.Errorf("cancel task packages: %w", context.Cause(ctx))
	}
	limited, cancel := c.client.http.within(ctx)
	defer cancel()
	req := c.client.newRequest(limited, c.body)
	if credentials := c.client.credentials; credentials != nil {
		if err := credentials.Authorize(req); err != nil {
			return unauthorized(err), nil, fmt.Errorf("cancel task packages: authorize the request: %w", err)
		}
	}
	start := time.Now()
	resp, err := c.client.http.send(req, true)
	if err != nil {
		err = redactError(req.Header, fmt.Errorf("cancel task packages: %w", withContext(ctx, err)))
		c.logAttempt(ctx, req, start, slog.String("error", err.Error()))
		if e, ok := errors.AsType[*ConnectError](err); ok {
			return e.outcome(), req, err
		}
		return doubtful, req, err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 == 2 {
		c.logAttempt(ctx, req, start, slog.Int("status", resp.StatusCode))
		c.response = newResponse(resp)
		return done, req, nil
	}
	e := newError(req, resp)
	c.logAttempt(ctx, req, start, slog.Int("status", resp.StatusCode), slog.String("error", e.Error()))
	switch {
	case e.HTTPStatus == http.StatusTooManyRequests, e.HTTPStatus == http.StatusServiceUnavailable && e.ofGateway():
		return unsent, req, e
	case e.inDoubt():
		return doubtful, req, e
	}
	return refused, req, e
}

func (c *call) logAttempt(ctx context.Context, req *http.Request, start time.Time, result ...slog.Attr) {
	if c.client.log == nil {
		return
	}
	c.client.log.LogAttrs(ctx, slog.LevelDebug, "cancel task packages", append([]slog.Attr{
		slog.String("method", req.Method), slog.String("url", req.URL.Redacted()), slog.Int("packages", c.packages),
		slog.Int("attempt", c.attempts), slog.Duration("duration", time.Since(start)),
	}, result...)...)
}

// unauthorized says what an error of the credentials comes to. Nothing was
// sent; a service that gives out tokens may do better the next time.
func unauthorized(err error) outcome {
	if errors.Is(err, ErrNoCredentials) {
		return refused // whom to ask for some is not asked again
	}
	if e, ok := errors.AsType[*Error](err); ok && e.HTTPStatus != http.StatusTooManyRequests && e.HTTPStatus < http.StatusInternalServerError {
		return refused
	} else if ok {
		return unsent
	}
	if e, ok := errors.AsType[*ConnectError](err); ok {
		return e.outcome()
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return unsent
	}
	return refused
}
