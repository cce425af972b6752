package servertest

import (
	"context"
	"log/slog"
	"net"
	"testing"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// Server is a server that runs.
type Server struct {
	// URL is what a client takes as its endpoint.
	URL string
	// Store is what is served. A test may read and change it at any time.
	Store store.Store

	tb testing.TB
}

// Start serves packages until tb ends. What the server logs is tb's output,
// unless an option says otherwise; a failure to start, or to end in order,
// fails tb.
func Start(tb testing.TB, packages []store.Package, opts ...server.Option) *Server {
	tb.Helper()
	s := &Server{Store: store.NewMemory(), tb: tb}
	if _, err := s.Store.Add(tb.Context(), store.Packages(packages...)); err != nil {
		tb.Fatalf("servertest: %v", err)
	}
	log := server.WithLogger(slog.New(slog.NewTextHandler(tb.Output(), nil)))
	handler, err := server.New(s.Store, append([]server.Option{log}, opts...)...)
	if err != nil {
		tb.Fatalf("servertest: %v", err)
	}
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("servertest: %v", err)
	}
	s.URL = "http://" + listener.Addr().String()
	ctx, stop := context.WithCancel(context.WithoutCancel(tb.Context()))
	ended := make(chan error, 1)
	go func() { ended <- handler.Serve(ctx, listener) }()
	tb.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			tb.Errorf("servertest: %v", err)
		}
	})
	return s
}

// Packages returns pending packages of the default workspace of a project.
func Packages(project string, ids ...string) []store.Package {
	packages := make([]store.Package, len(ids))
	for i, id := range ids {
		packages[i] = store.Package{ID: id, ProjectID: project}
	}
	return packages
}

// States returns the state of each package of a workspace by its ID; a
// workspace of "" is the project's default one. A workspace that does not exist
// fails the test.
func (s *Server) States(project, workspace string) map[string]store.State {
	s.tb.Helper()
	states := map[string]store.State{}
	for p, err := range s.Store.List(context.Background(), project, workspace) {
		if err != nil {
			s.tb.Fatalf("servertest: packages of project %q: %v", project, err)
		}
		states[p.ID] = p.State
	}
	return states
}
