package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/dataarts-go/factory/gen"
	api "github.com/dataarts-go/factory/gen/server"
	"github.com/dataarts-go/factory/internal/heapfloor"
	"github.com/dataarts-go/factory/internal/loadtest/oas"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// contestant is a server that is measured.
type contestant struct {
	name, what string
	// serve answers the connections of listener until ctx ends.
	serve func(ctx context.Context, listener net.Listener, p preparation) error
	// fresh has each request name packages that none has named before.
	fresh bool
	// validates says that it refuses what the document forbids.
	validates bool
}

// preparation is what a server may need.
type preparation struct {
	request request
	dir     string // for its files, gone with the run
	// packages is how many packages may be cancelled, for a fresh contestant.
	packages int
}

// The names that the figures are compared by.
const (
	bareEcho = "bare-echo"
	ours     = "ours"
)

var contestants = []contestant{
	{
		name: bareEcho, what: "Echo with a handler that decodes the body to the generated type; nothing is validated",
		serve: func(ctx context.Context, l net.Listener, p preparation) error {
			return serveHTTP(ctx, l, newBareEcho(p.request.pattern))
		},
	},
	{
		name: "bare-echo-floor", what: "the same with the heap floor that ours has",
		serve: func(ctx context.Context, l net.Listener, p preparation) error {
			release := heapfloor.Raise()
			defer release()
			return serveHTTP(ctx, l, newBareEcho(p.request.pattern))
		},
	},
	{
		name: "strict", what: "the generated strict server on Echo; nothing is validated",
		serve: func(ctx context.Context, l net.Listener, _ preparation) error { return serveHTTP(ctx, l, newStrict()) },
	},
	{
		name: "ogen", what: "the server that ogen generates from the same document, without its metrics and traces",
		serve: func(ctx context.Context, l net.Listener, _ preparation) error {
			handler, err := oas.NewServer(ogenHandler{}, ogenSecurity{})
			if err != nil {
				return fmt.Errorf("ogen: %w", err)
			}
			return serveHTTP(ctx, l, handler)
		},
		validates: true,
	},
	{
		name: ours, what: "our server with all of its validation, limits and timeouts, and its heap floor; a store that accepts everything; no log of requests",
		serve: func(ctx context.Context, l net.Listener, _ preparation) error {
			return serveOurs(ctx, l, accepting{store.NewMemory()}, slog.DiscardHandler)
		},
		validates: true,
	},
	{
		name: "ours-no-floor", what: "the same without the heap floor",
		serve: func(ctx context.Context, l net.Listener, _ preparation) error {
			return serveHandler(ctx, l, accepting{store.NewMemory()}, slog.DiscardHandler)
		},
		validates: true,
	},
	{
		name: "ours-log", what: "ours, and each request is logged to a file, as factory serve does",
		serve: func(ctx context.Context, l net.Listener, p preparation) (err error) {
			file, err := os.Create(filepath.Join(p.dir, "requests.log"))
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, file.Close()) }()
			return serveOurs(ctx, l, accepting{store.NewMemory()}, slog.NewTextHandler(file, nil))
		},
		validates: true,
	},
	{
		name: "ours-memory", what: "the in-memory store; the packages are cancelled by the first request",
		serve: func(ctx context.Context, l net.Listener, p preparation) error {
			return serveStore(ctx, l, p, "memory")
		},
		validates: true,
	},
	{
		name: "ours-sqlite", what: "SQLite; the packages are cancelled by the first request, so that the others look them up",
		serve: func(ctx context.Context, l net.Listener, p preparation) error {
			return serveStore(ctx, l, p, "sqlite:"+filepath.Join(p.dir, "known.db"))
		},
		validates: true,
	},
	{
		name: "ours-sqlite-fresh", what: "SQLite; each request cancels packages of its own, and is answered when they are on the disk",
		serve: func(ctx context.Context, l net.Listener, p preparation) error {
			return serveStore(ctx, l, p, "sqlite:"+filepath.Join(p.dir, "fresh.db"))
		},
		fresh: true, validates: true,
	},
}

// find returns the contestant of that name.
func find(name string) (contestant, error) {
	for _, c := range contestants {
		if c.name == name {
			return c, nil
		}
	}
	return contestant{}, fmt.Errorf("there is no server %q", name)
}

// serveHTTP serves with the settings that net/http has by itself.
func serveHTTP(ctx context.Context, listener net.Listener, handler http.Handler) error {
	srv := &http.Server{Handler: handler} //nolint:gosec // without timeouts, which would cost something
	defer context.AfterFunc(ctx, func() { _ = srv.Close() })()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// newBareEcho decodes the body and answers as documented; pattern is the path
// as Echo writes it.
func newBareEcho(pattern string) http.Handler {
	e := echo.New()
	binder := &echo.DefaultBinder{}
	e.POST(pattern, func(c echo.Context) error {
		var body gen.CancelFactoryPackagesRequest
		if err := binder.BindBody(c, &body); err != nil {
			return err
		}
		return c.NoContent(http.StatusOK)
	})
	return e
}

// strict is the least that implements the generated interface.
type strict struct{}

func (strict) CancelFactoryPackages(
	context.Context, api.CancelFactoryPackagesRequestObject,
) (api.CancelFactoryPackagesResponseObject, error) {
	return api.CancelFactoryPackages200Response{}, nil
}

func newStrict() http.Handler {
	e := echo.New()
	api.RegisterHandlers(e, api.NewStrictHandler(strict{}, nil))
	return e
}

// ogenHandler is the same for ogen.
type ogenHandler struct{}

func (ogenHandler) CancelFactoryPackages(
	context.Context, oas.OptCancelFactoryPackagesRequest, oas.CancelFactoryPackagesParams,
) (oas.CancelFactoryPackagesRes, error) {
	return &oas.CancelFactoryPackagesOK{}, nil
}

// ogenSecurity lets everyone in, as ours does with AuthNone.
type ogenSecurity struct{}

func (ogenSecurity) HandleSignature(ctx context.Context, _ oas.OperationName, _ oas.Signature) (context.Context, error) {
	return ctx, nil
}

func (ogenSecurity) HandleToken(ctx context.Context, _ oas.OperationName, _ oas.Token) (context.Context, error) {
	return ctx, nil
}

// accepting is a store that costs nothing.
type accepting struct{ store.Store }

func (accepting) Cancel(context.Context, string, string, []string) error { return nil }

// serveOurs serves as factory serve does.
func serveOurs(ctx context.Context, listener net.Listener, st store.Store, log slog.Handler) error {
	release := heapfloor.Raise()
	defer release()
	return serveHandler(ctx, listener, st, log)
}

func serveHandler(ctx context.Context, listener net.Listener, st store.Store, log slog.Handler) error {
	srv, err := server.New(st, server.WithLogger(slog.New(log)))
	if err != nil {
		return err
	}
	return srv.Serve(ctx, listener)
}

// serveStore fills a store and serves it. A dsn of "memory" is the one in
// memory.
func serveStore(ctx context.Context, listener net.Listener, p preparation, dsn string) (err error) {
	st := store.NewMemory()
	if dsn != "memory" {
		if st, err = store.Open(ctx, dsn); err != nil {
			return err
		}
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if _, err := st.Add(ctx, p.all()); err != nil {
		return err
	}
	return serveOurs(ctx, listener, st, slog.DiscardHandler)
}

// all are the packages of the request, or those of as many as are prepared.
func (p preparation) all() iter.Seq2[store.Package, error] {
	return func(yield func(store.Package, error) bool) {
		add := func(id string) bool {
			return yield(store.Package{ProjectID: p.request.project, Workspace: p.request.workspace, ID: id}, nil)
		}
		for _, id := range p.request.ids {
			if !add(id) {
				return
			}
		}
		for n := range p.packages {
			if !add(freshID(n)) {
				return
			}
		}
	}
}

// freshID is the ID of the nth package that is cancelled once.
func freshID(n int) string { return strconv.Itoa(firstFresh + n) }

// firstFresh is above the IDs of the document's example, and all from there on
// have the same length.
const firstFresh = 1_000_000_000

// child serves one contestant, until its standard input ends.
func child(ctx context.Context, name string, p preparation, stdin io.Reader, stdout io.Writer) error {
	c, err := find(name)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // which ends with the parent, however that ends
		stop()
	}()
	// What comes before the server is ready waits in the queue of the socket.
	if _, err := fmt.Fprintf(stdout, "%s\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	return c.serve(ctx, listener, p)
}
