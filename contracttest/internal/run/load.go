package run

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// How a target that limits requests is treated: how often one is sent again
// that is answered with 429, after which time at first, and how long a target
// may ask to be left alone.
const (
	maxPatience  = 3
	firstPause   = 20 * time.Millisecond
	longestPause = 2 * time.Second
)

// The same where the run is to find the target's limit by itself, and how it does: what is sent in a
// second falls to a part of it with an answer of 429, and grows with each second without one.
const (
	maxPatienceAuto  = 8
	longestPauseAuto = 5 * time.Minute
	fallAuto         = 0.5
	growAuto         = 1.1
)

// How often a request is tried alone, and after which part of the time-out an answer is so
// late that fewer requests are sent at once.
const (
	maxAlone    = 2
	nearTimeout = 3
)

// load keeps the run's own load from being blamed on the target: what is late,
// lost or answered with 502, 503 or 504 among other requests is sent again when no other is
// under way, and how many are under way at once falls.
type load struct {
	quiet   lock         // held for writing by a request that has to be alone
	under   atomic.Int64 // requests under way
	started atomic.Int64
	most    atomic.Int64 // how many may be under way; 0: no bound
	good    atomic.Int64 // answers since it fell
	single  atomic.Bool  // one at a time has what room there is (room)

	mu      sync.Mutex
	auto    bool
	held    time.Time                    // until when nothing is sent
	limiter *rate.Limiter                // nil: no bound
	since   time.Time                    // when counting began
	count   int                          // of requests since then
	before  float64                      // requests in a second until then
	lowered time.Time                    // when the limit was lowered last
	limited map[*contract.Operation]bool // no pause has helped them: it is no limit on the number of requests
}

// How many requests of slow operations may be under way: as many as are sent at once
// anyway, and two more with each answer that took no longer than one alone.
const (
	firstWaiting = together
	maxWaiting   = 96
)

// workers is how many requests may be under way that nobody has to wait for.
func (r *runner) workers() int { return r.load.atMost(r.opts.Workers) }

// lanes is how many requests of a slow operation may be under way: more than there
// are workers if they change nothing, as long as the target bears it.
func (r *runner) lanes(op *contract.Operation) int {
	if !readsOnly(op) || !r.waits(op) {
		return r.workers()
	}
	return r.load.atMost(max(r.opts.Workers, min(firstWaiting+int(r.states.of(op).borne.Load()), maxWaiting)))
}

// waits reports whether others go on while an operation answers: it is slow, and the user does
// not want one request at a time.
func (r *runner) waits(op *contract.Operation) bool {
	return r.opts.Workers > 1 && r.states.of(op).slow()
}

func (l *load) atMost(n int) int {
	if bound := l.bound(); bound > 0 {
		return min(n, bound)
	}
	return n
}

// bound is how many requests may be under way; 0 is as many as there are.
func (l *load) bound() int {
	if l.single.Load() {
		return 1
	}
	return int(l.most.Load())
}

// nearLate is after which time an answer of an operation means that there are too
// many at once.
func (r *runner) nearLate(op *contract.Operation) time.Duration {
	alone := r.states.of(op).alone
	if alone == 0 { // nobody knows how long it takes
		return 2 * r.opts.Timeout / nearTimeout
	}
	return max(r.opts.Timeout/nearTimeout, 2*alone)
}

// slower lets fewer requests be under way than one that was late had beside it.
func (l *load) slower(beside int64) {
	now := beside + 1
	if most := l.most.Load(); most > 0 {
		now = min(now, most)
	}
	l.most.Store(max(1, now/2))
	l.good.Store(0)
}

// steady lets one more be under way, after as many good answers as show that
// the target bears it. Of slow ones as many do as are under way at once: more take long to come.
func (l *load) steady(slow bool) {
	const enough = 64
	most := l.most.Load()
	if most == 0 {
		return
	}
	counts := int64(1)
	if slow {
		counts = max(1, enough/most)
	}
	if good := l.good.Add(counts); good/enough > (good-counts)/enough {
		l.most.Add(1)
	}
}

// wait waits until a request may be sent.
func (l *load) wait(ctx context.Context) error {
	l.mu.Lock()
	limiter, held := l.limiter, time.Until(l.held)
	if now := time.Now(); now.Sub(l.since) > time.Second {
		if !l.since.IsZero() {
			l.before = float64(l.count) / now.Sub(l.since).Seconds()
		}
		if l.auto && limiter != nil && now.Sub(l.lowered) > time.Second {
			limiter.SetLimit(growAuto * limiter.Limit())
		}
		l.since, l.count = now, 0
	}
	l.count++
	l.mu.Unlock()
	if held > 0 && !sleep(ctx, held) {
		return ctx.Err()
	}
	if limiter == nil {
		return nil
	}
	return limiter.Wait(ctx)
}

// patience says how long to wait before a request is sent again that the target
// has answered with 429; 0 is not at all.
func (l *load) patience(op *contract.Operation, resp *wire.Response, tries int) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	most, longest := maxPatience, longestPause
	if l.auto {
		most, longest = maxPatienceAuto, longestPauseAuto
	}
	pause := firstPause << (3 * min(tries, 2)) // together longer than the second by which many count
	if after := retryAfter(resp); after > 0 {
		pause = after
	}
	if tries == most || pause > longest || l.limited[op] {
		l.limited[op] = true
		return 0
	}
	if now := time.Now(); l.auto {
		if tries == 0 && now.After(l.held) { // else it was under way when the number fell, or may be refused whatever it is
			l.lower(now, fallAuto)
		}
		if until := now.Add(pause); until.After(l.held) {
			l.held = until
		}
	}
	return pause
}

// retryAfter is how long a target asks to be left alone (RFC 9110 §10.2.3); 0 where it does not say.
func retryAfter(resp *wire.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return time.Until(at)
	}
	return 0
}

// fewer lets fewer requests be sent in a second, once in each: one that was
// answered with 429 is answered otherwise after a pause, so that it is their
// number that is limited.
func (l *load) fewer() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); !l.auto && now.Sub(l.lowered) >= time.Second {
		clear(l.limited) // they may have been met by the same limit
		l.lower(now, 0.8)
	}
}

// lower lets a part of the requests be sent in a second that were sent until now.
func (l *load) lower(now time.Time, part float64) {
	l.lowered = now
	perSecond := l.before
	if elapsed := now.Sub(l.since); perSecond == 0 && elapsed > 0 {
		perSecond = float64(l.count) / elapsed.Seconds()
	}
	if l.auto && l.limiter != nil { // fewer may have been sent while nothing was
		perSecond = float64(l.limiter.Limit())
	}
	if limit := rate.Limit(max(1, part*perSecond)); l.limiter == nil {
		l.limiter = rate.NewLimiter(limit, 1)
	} else if limit < l.limiter.Limit() {
		l.limiter.SetLimit(limit)
	}
}

// overloaded reports whether an answer may be due to the requests that were
// under way at the same time.
func overloaded(x *wire.Exchange) bool {
	err := failure(x)
	return unavailable(x) || errors.Is(err, send.ErrTimeout) || errors.Is(err, send.ErrDropped)
}

// unavailable reports whether an answer says that the target is not ready, by itself or by what
// stands before it.
func unavailable(x *wire.Exchange) bool {
	if x.Response == nil {
		return false
	}
	switch x.Response.Status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// awaitStart waits for a target of which nothing but 503 is known to become ready: one that has
// just been started answers so to all paths, those that nobody can know among them. Where these are
// answered otherwise, it is the operation that fails, which is not waited for.
func (r *runner) awaitStart(ctx context.Context, op *contract.Operation) {
	nobodys := &wire.Request{Method: http.MethodGet, Target: r.opts.Base(r.contract, r.target) + "/" + nowhere}
	for end := time.Now().Add(waitStart); unavailable(r.plainly(ctx, op, nobodys)) && time.Now().Before(end); {
		if !sleep(ctx, pollPause) {
			return
		}
	}
}

// persist sends a request of an operation by one of the target's ways, again
// where the run's own load may be the reason for what came of it.
func (r *runner) persist(ctx context.Context, op *contract.Operation, req *wire.Request, do way) *wire.Exchange {
	before := r.world.Entered()
	x, alone := r.once(ctx, op, req, do)
	if !r.answered.Load() && unavailable(x) {
		r.starting.Do(func() { r.awaitStart(ctx, op) })
		x, alone = r.once(ctx, op, req, do)
	}
	for tries := 0; x.Response != nil && x.Response.Status == http.StatusTooManyRequests; tries++ {
		pause := r.load.patience(op, x.Response, tries)
		if pause == 0 || !sleep(ctx, pause) {
			break
		}
		if x, alone = r.once(ctx, op, req, do); x.Response != nil && x.Response.Status != http.StatusTooManyRequests {
			r.load.fewer()
		}
	}
	switch {
	case !overloaded(x):
		if !alone && x.Response != nil && !x.Response.Open && x.Response.Elapsed > r.nearLate(op) {
			r.load.slower(r.load.under.Load()) // the next ones may be late
		} else {
			r.load.steady(r.states.of(op).slow())
			r.bears(op, x)
		}
	case !r.answered.Load(), r.stopped(ctx, op) != "": // one that has never answered is not busy
	default:
		x = r.retry(ctx, op, req, do, x, alone)
	}
	if late := errors.Is(failure(x), send.ErrTimeout); late && r.plan == nil && r.states.of(op).late.Load() == 0 && !r.dead.Load() && r.hung.Load() < maxLooked {
		x, _ = r.once(ctx, op, req, do) // many a service sets itself up for its first requests
	}
	for r.mourn(x) && sleep(ctx, refusedPause) {
		x, _ = r.once(ctx, op, req, do)
	}
	switch err := failure(x); {
	case errors.Is(err, send.ErrTimeout):
		r.states.of(op).late.Add(1)
		r.hung.Add(1)
	case errors.Is(err, send.ErrTooLarge):
		r.states.of(op).large.Add(1)
	case err == nil:
		r.answered.Store(true)
		r.note(op, x, before)
	}
	return x
}

// bears notes that an answer of a slow operation took no longer among others.
func (r *runner) bears(op *contract.Operation, x *wire.Exchange) {
	if st := r.states.of(op); st.slow() && x.Response != nil && x.Response.Elapsed < st.alone*3/2 && st.borne.Load() < maxWaiting {
		st.borne.Add(2)
	}
}

// retry sends a request again that may have been lost for the run's own load, by a gateway that
// got no answer, or on a connection that was closed for being idle: at once unless it was late, and
// when no other is under way where that does not help, unless its operation has lost one then too.
// Whoever wants to be alone waits for all others. One that comes through at once was not lost for
// the load.
func (r *runner) retry(ctx context.Context, op *contract.Operation, req *wire.Request, do way, x *wire.Exchange, alone bool) *wire.Exchange {
	st := r.states.of(op)
	switch late := errors.Is(failure(x), send.ErrTimeout); {
	case alone && late:
		r.load.quiet.Lock()
		defer r.load.quiet.Unlock()
		r.listen(ctx, op)
		return x
	case !late:
		if x, _ = r.once(ctx, op, req, do); st.loses.Load() || !overloaded(x) {
			break
		}
		fallthrough
	default:
		beside := r.load.under.Load()
		if x = r.alone(ctx, op, req, do, x); !alone && !overloaded(x) { // it came of those beside it
			r.load.slower(beside)
		}
	}
	st.loses.Store(overloaded(x))
	return x
}

// askedToWait is how long an answer asks to be left alone; 0 where it does not.
func askedToWait(x *wire.Exchange) time.Duration {
	if x.Response == nil {
		return 0
	}
	return retryAfter(x.Response)
}

// alone sends a request when no other is under way. A target may still be busy
// with those that were given up, so it is tried a few times.
func (r *runner) alone(ctx context.Context, op *contract.Operation, req *wire.Request, do way, x *wire.Exchange) *wire.Exchange {
	r.load.quiet.Lock()
	defer r.load.quiet.Unlock()
	for tries := 0; tries < maxAlone && overloaded(x) && r.stopped(ctx, op) == ""; tries++ {
		if after := askedToWait(x); after > 0 && after <= longestPause && !sleep(ctx, after) {
			break
		}
		x = r.carry(ctx, op, req, do)
	}
	if errors.Is(failure(x), send.ErrTimeout) {
		r.listen(ctx, op)
	}
	return x
}

// once sends a request, and reports whether no other was under way.
func (r *runner) once(ctx context.Context, op *contract.Operation, req *wire.Request, do way) (x *wire.Exchange, alone bool) {
	if ctx.Value(ownCredential{}) != nil {
		r.load.quiet.Lock()
		defer r.load.quiet.Unlock()
		r.renew(ctx, r.renewal.state())
		return r.carry(ctx, op, req, do), true
	}
	r.load.quiet.RLock()
	defer r.load.quiet.RUnlock()
	started := r.load.started.Add(1)
	alone = r.load.under.Add(1) == 1
	defer r.load.under.Add(-1)
	x = r.carry(ctx, op, req, do)
	return x, alone && r.load.started.Load() == started
}

// carry sends a request.
func (r *runner) carry(ctx context.Context, op *contract.Operation, req *wire.Request, do way) *wire.Exchange {
	x := &wire.Exchange{Request: req}
	if r.opts.leavesOut(req) {
		x.Err = errSafe
		return x
	}
	if r.silent.Load() {
		x.Err = errSilent
		return x
	}
	if err := r.load.wait(ctx); err != nil {
		x.Err = err
		return x
	}
	if most := int64(r.opts.MaxRequests); most > 0 && ctx.Value(tidying{}) == nil && r.bounded.Add(1) > most {
		r.spent.Store(true)
		r.stop(errMaxRequests)
		x.Err = errMaxRequests
		return x
	}
	r.renewal.refresh(ctx)
	if changes(req) { // what it makes while the run is stopped is to be known, and deleted
		late, cancel := graceful(ctx)
		defer cancel()
		ctx = late
	}
	ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	r.exchanges.Add(1)
	e := r.journal.begin(ctx, op, req)
	defer r.journal.end(e, x)
	start := time.Now()
	x.Started = start
	how := r.opts.How
	st := r.states.of(op)
	how.AnyCoding = st.codings
	x.Response, x.Err = do(ctx, r.inSession(ctx, r.renewal.current(req)), how)
	st.took.Add(int64(time.Since(start)))
	st.sent.Add(1)
	return x
}

// sleep waits, and reports whether the run goes on.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
