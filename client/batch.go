package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"
)

// A BatchOption sets up a [Client.CancelAll].
type BatchOption func(*batch)

// ChunkSize sets how many IDs go into one request: 100 by default, the limit
// of the operation that releases packages (dataartsstudio_02_0204), since none
// is documented for this one. A number below 1 means the default.
func ChunkSize(n int) BatchOption {
	return func(b *batch) {
		if b.size = n; n < 1 {
			b.size = defaultChunkSize
		}
	}
}

// Concurrency sets how many requests are under way at once: 4 by default. A
// number below 1 means the default.
func Concurrency(n int) BatchOption {
	return func(b *batch) {
		if b.concurrency = n; n < 1 {
			b.concurrency = defaultConcurrency
		}
	}
}

const (
	defaultChunkSize   = 100
	defaultConcurrency = 4
)

// CancelAll cancels any number of packages, in requests of [ChunkSize] IDs, and
// yields for each ID what became of it: nil if the package is cancelled, else
// an error as of [Client.CancelFactoryPackages].
//
//	for id, err := range c.CancelAll(ctx, slices.Values(ids)) {
//
// Only a request is all or nothing; a job is not, and ends half done where it
// ends early. A request that the service refuses for what it names, such as a
// package that does not exist, is taken for one that changed nothing: it is
// halved and tried again until the IDs at fault stand alone and the others are
// cancelled.
//
// What would be met by the next request as well ends the job: credentials
// that are refused, a workspace that does not exist, a service that cannot be
// reached. The IDs that were not sent yet have an error that wraps
// [ErrNotSent] and the reason. A request in doubt ([ErrInDoubt]) does not end
// it. When ctx ends, no further IDs are taken from the sequence.
//
// Results come in the order in which requests end, the IDs of one request
// together. An ID that comes again is not sent again and has no second result;
// to know it, all IDs are remembered. The sequence is run by the goroutine
// that ranges over the results, and what is not ranged over is not sent:
// leaving the loop ends the job, with up to [Concurrency] requests cut short.
// CancelAll returns when they have ended.
func (c *Client) CancelAll(ctx context.Context, ids iter.Seq[string], opts ...BatchOption) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		b := batch{client: c, size: defaultChunkSize, concurrency: defaultConcurrency}
		for _, opt := range opts {
			opt(&b)
		}
		b.results = make(chan []result, b.concurrency)
		ctx, stop := context.WithCancel(ctx)
		defer b.wait()
		defer stop()
		b.run(ctx, ids, yield)
	}
}

// result is what became of some packages.
type result struct {
	ids []string
	err error
}

// batch is one CancelAll. Its requests run in goroutines of their own; all
// else is done by the one that ranges over the results.
type batch struct {
	client            *Client
	size, concurrency int
	results           chan []result // has room for all that are under way
	underWay          int

	mu  sync.Mutex
	end error // why nothing more is sent; nil while it is
}

func (b *batch) run(ctx context.Context, ids iter.Seq[string], yield func(string, error) bool) {
	seen := map[string]struct{}{}
	var chunk []string
	for id := range ids {
		if _, ok := seen[id]; ok {
			continue
		}
		seen[id] = struct{}{}
		if !utf8.ValidString(id) {
			if !yield(id, fmt.Errorf("client: package ID %q is not valid UTF-8", id)) {
				return
			}
			continue
		}
		if chunk = append(chunk, id); ctx.Err() != nil {
			break
		}
		if len(chunk) < b.size {
			continue
		}
		if !b.start(ctx, chunk, yield) {
			return
		}
		chunk = nil
	}
	if len(chunk) > 0 && !b.start(ctx, chunk, yield) {
		return
	}
	for b.underWay > 0 {
		if !b.yieldNext(yield) {
			return
		}
	}
}

// start sends a chunk as soon as there is room, and yields what comes in the
// meantime. It returns false if nobody ranges over the results any more.
func (b *batch) start(ctx context.Context, chunk []string, yield func(string, error) bool) bool {
	for b.underWay == b.concurrency || len(b.results) > 0 {
		if !b.yieldNext(yield) {
			return false
		}
	}
	b.underWay++
	go func() { b.results <- b.cancel(ctx, chunk, false) }()
	return true
}

func (b *batch) yieldNext(yield func(string, error) bool) bool {
	results := <-b.results
	b.underWay--
	for _, r := range results {
		for _, id := range r.ids {
			if !yield(id, r.err) {
				return false
			}
		}
	}
	return true
}

// wait returns when nothing is under way any more.
func (b *batch) wait() {
	for ; b.underWay > 0; b.underWay-- {
		<-b.results
	}
}

// cancel cancels ids in one request, or else in halves. inDoubt says that an
// earlier request may have cancelled them.
func (b *batch) cancel(ctx context.Context, ids []string, inDoubt bool) []result {
	if err := b.ended(ctx); err != nil {
		return []result{{ids, err}}
	}
	call, err := b.client.cancel(ctx, ids, inDoubt)
	if len(ids) > 1 && aboutIDs(err) {
		half := len(ids) / 2
		return append(b.cancel(ctx, ids[:half], call.inDoubt), b.cancel(ctx, ids[half:], call.inDoubt)...)
	}
	if err != nil && !aboutIDs(err) && !errors.Is(err, ErrInDoubt) {
		b.endWith(err)
	}
	return []result{{ids, err}}
}

// ended returns an error once nothing more is to be sent.
func (b *batch) ended(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	end := b.end
	if end == nil && ctx.Err() != nil {
		end = withContext(ctx, context.Cause(ctx))
	}
	if end == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrNotSent, end)
}

func (b *batch) endWith(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.end == nil {
		b.end = err
	}
}

// aboutIDs reports whether the service refused a request for what it names: 400
// with a code of its own, which is the status of all of them. The workspace
// and the caller's permissions are the same for any IDs.
func aboutIDs(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.HTTPStatus == http.StatusBadRequest && strings.HasPrefix(e.Code, "DLF.") &&
		!errors.Is(e, ErrWorkspaceNotFound) && e.Code != "DLF.6888"
}
