package server

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// The paths of the probes, which are not of the document. Nobody is asked for
// credentials there.
const (
	healthPath = "/healthz" // the process answers
	readyPath  = "/readyz"  // the store answers, too
)

// readyTimeout is shorter than probes usually wait, so that they see the answer.
const readyTimeout = 2 * time.Second

func (s *Server) addProbes() {
	ready := func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), readyTimeout)
		defer cancel()
		if err := s.store.Ping(ctx); err != nil {
			return fmt.Errorf("%w: %w", &refusal{
				status: http.StatusServiceUnavailable, code: codeInternal, text: "The store does not answer.",
			}, &storeError{err})
		}
		return ok(c)
	}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		s.echo.Add(method, healthPath, ok)
		s.echo.Add(method, readyPath, ready)
	}
}

func ok(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
	return c.String(http.StatusOK, "ok\n")
}

// isProbe reports whether a request is a probe, which comes every few seconds
// and is no news.
func isProbe(c echo.Context) bool { return c.Path() == healthPath || c.Path() == readyPath }
