package server

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/net/netutil"

	"github.com/dataarts-go/factory/gen"
	api "github.com/dataarts-go/factory/gen/server"
	"github.com/dataarts-go/factory/internal/crosssite"
	"github.com/dataarts-go/factory/server/store"
)

// Server answers the documented operation. It is an http.Handler.
type Server struct {
	echo     *echo.Echo
	contract *contract
	log      *slog.Logger
	grace    time.Duration
	auth     *authenticator // nil: nobody is asked
	store    store.Store
	limits   Limits
	budget   *budget
	values   *values
	refused  atomic.Int64 // requests of HTTP/2 that are refused just now
	tls      *tls.Config  // nil: no TLS
	faults   *faultList   // nil: none
	observer func(Observation)
	proxies  proxies
	hosts    []string // by which requests ask for it, beside IP addresses and localhost; nil: any
	outage   outage
	// requireSigned refuses signed requests with headers that should be signed and are not.
	requireSigned bool
	// methods are those of each route, by Echo's pattern.
	methods map[string][]string
}

// Option changes a Server. It returns an error if it cannot be applied.
type Option func(*Server) error

// WithLogger sets where the server logs: each request at Info, failures of its
// own at Error. Tokens and bodies are never logged. The default is
// slog.Default().
func WithLogger(log *slog.Logger) Option {
	return func(s *Server) error {
		if log == nil {
			return errors.New("logger is nil")
		}
		s.log = log
		return nil
	}
}

// WithGracePeriod sets how long Serve waits for requests in flight when it is
// to end. The default is 10 seconds.
func WithGracePeriod(d time.Duration) Option {
	return func(s *Server) error {
		if d <= 0 {
			return fmt.Errorf("grace period is %v, want more than 0", d)
		}
		s.grace = d
		return nil
	}
}

// WithTLS makes Serve speak TLS, with HTTP/2, as config says; it holds the
// certificate.
func WithTLS(config *tls.Config) Option {
	return func(s *Server) error {
		if config == nil {
			return errors.New("TLS configuration is nil")
		}
		s.tls = config
		return nil
	}
}

// WithLocalHosts refuses requests whose Host is neither an IP address nor localhost
// nor one of the names, as if there were no such path. It is for a server on a loopback
// address that asks nobody for credentials: a page of another site, whose name can be
// made to lead there (DNS rebinding), may cancel nothing.
func WithLocalHosts(names ...string) Option {
	return func(s *Server) error {
		s.hosts = append([]string{}, names...)
		return nil
	}
}

// New returns a server of what st holds. The store stays the caller's to close.
func New(st store.Store, opts ...Option) (*Server, error) {
	contract, err := loadContract()
	if err != nil {
		return nil, err
	}
	s := &Server{
		echo:     echo.New(),
		contract: contract,
		log:      slog.Default(),
		grace:    10 * time.Second,
		store:    st,
		limits:   DefaultLimits(),
		methods:  map[string][]string{},
	}
	for _, opt := range opts {
		if err := opt(s); err != nil {
			return nil, fmt.Errorf("server option: %w", err)
		}
	}
	if s.auth != nil {
		s.auth.proxies = s.proxies
	}
	if s.requireSigned && (s.auth == nil || s.auth.mode == AuthToken) {
		return nil, errors.New("headers have to be signed, but nobody is asked for a signature")
	}
	s.outage.log = s.log
	s.echo.Logger.SetOutput(io.Discard) // it would write to standard output
	s.echo.HTTPErrorHandler = s.answer
	s.echo.Use(s.observe)

	s.budget = newBudget(s.limits.BodiesBytes / 2)
	s.values = newValues(s.limits.BodiesBytes/2, s.limits.RequestTimeout)
	before := map[string][]echo.MiddlewareFunc{}
	for id, op := range contract.operations {
		if s.observer != nil {
			before[id] = append(before[id], as(id))
		}
		if s.faults != nil {
			before[id] = append(before[id], s.befall)
		}
		before[id] = append(before[id], s.admit(op))
	}
	h := &handler{store: st, maxErrorText: contract.maxErrorText, maxPackages: s.limits.Packages}
	api.RegisterHandlersWithOptions(s.echo, api.NewStrictHandler(h, nil),
		api.RegisterHandlersOptions{OperationMiddlewares: before})
	if s.auth != nil && len(s.auth.users) > 0 {
		limit := newBodyLimit(min(maxTokenQuestion, s.limits.BodyBytes))
		s.echo.POST(tokensPath, func(c echo.Context) error {
			if endsConnection(c.Request()) {
				c.Response().Header().Set(echo.HeaderConnection, "close")
			}
			held := s.reservation(c.Request())
			defer held.release()
			return s.auth.giveToken(c, limit, &held)
		})
	}
	s.addProbes()
	if err := s.addPage(); err != nil {
		return nil, err
	}
	for _, route := range s.echo.Routes() {
		s.methods[route.Path] = append(s.methods[route.Path], route.Method)
	}
	return s, nil
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.echo.ServeHTTP(w, normalized(r))
}

// normalized returns r with what its path has encoded without need decoded:
// such a path is the same one (RFC 9110 §4.2.3, RFC 3986 §6.2.2.2), but Echo
// routes by its bytes.
func normalized(r *http.Request) *http.Request {
	if r.URL.RawPath == "" {
		return r
	}
	u := *r.URL
	u.RawPath = needless.ReplaceAllStringFunc(u.RawPath, func(encoded string) string {
		char, err := url.PathUnescape(encoded)
		if err != nil {
			panic(err) // the expression matches what can be decoded
		}
		return char
	})
	r = r.WithContext(r.Context()) // a shallow copy: the caller's stays as it is
	r.URL = &u
	return r
}

// needless are the unreserved characters (RFC 3986 §2.3) in encoded form.
var needless = regexp.MustCompile(`(?i)%(?:2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])`)

// Serve answers the connections of listener, and closes it, until ctx ends.
// Then it takes no more, answers the requests that it has taken, and returns
// nil; those unanswered when the grace period is over are cut off, which is an
// error.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: s.limits.HeaderTimeout,
		ReadTimeout:       s.limits.ReadTimeout,
		WriteTimeout:      s.limits.WriteTimeout,
		IdleTimeout:       s.limits.IdleTimeout,
		MaxHeaderBytes:    s.limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
		// OPTIONS * is a request like any other.
		DisableGeneralOptionsHandler: true,
		HTTP2:                        http2Limits(),
		ConnContext:                  withConn,
	}
	limited := newFairListener(lazyListener{netutil.LimitListener(listener, s.limits.Connections)},
		s.limits.ConnectionsPerAddress, s.tls != nil, s.proxies)
	defer s.outage.end() //nolint:contextcheck // a line is of many requests
	served := make(chan error, 1)
	go func() {
		if s.tls == nil {
			served <- srv.Serve(limited)
			return
		}
		srv.TLSConfig = s.tls.Clone() // ServeTLS adds HTTP/2 to it
		served <- srv.ServeTLS(limited, "", "")
	}()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	err := srv.Shutdown(limit)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests in flight were cut off after %v: %w", s.grace, err), srv.Close())
	}
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// observe is around everything else: it gives each request an ID, turns
// errors and panics into answers, and logs.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if id == "" || !requestID.MatchString(id) {
			id = newRequestID()
		}
		c.Response().Header()[echo.HeaderXRequestID] = []string{id}
		if endsConnection(c.Request()) {
			c.Response().Header().Set(echo.HeaderConnection, "close")
		}
		held := s.reservation(c.Request())
		defer held.release()
		err := s.enter(c, &held)
		if err == nil {
			err = s.routed(c)
		}
		if err == nil {
			err = recovered(next, c)
		}
		if hasGone(c, err) {
			// It is not told of a failure that is none.
			s.log.LogAttrs(c.Request().Context(), slog.LevelInfo, "request given up",
				slog.String("request_id", id), slog.Any("error", err))
			err = errDropped
		}
		if errors.Is(err, errDropped) {
			s.observed(c, 0, start)
			panic(http.ErrAbortHandler) // net/http ends the connection, and logs nothing
		}
		if err != nil {
			s.answer(err, c)
		}
		s.observed(c, c.Response().Status, start)
		r := c.Request()
		level := slog.LevelInfo
		if isProbe(c) {
			level = slog.LevelDebug
		}
		if !s.log.Enabled(r.Context(), level) { // what follows is for the log alone
			return nil
		}
		remote := []slog.Attr{slog.String("request_id", id), slog.String("remote", r.RemoteAddr)}
		if s.proxies.trust(addressOf(r.RemoteAddr)) {
			remote = append(remote, slog.String("caller", s.proxies.caller(r).String()))
		}
		s.log.LogAttrs(r.Context(), level, "request", append(remote,
			slog.String("method", r.Method),
			slog.String("path", clip(r.URL.EscapedPath())),
			slog.Int("status", c.Response().Status),
			slog.Int64("bytes", c.Response().Size),
			slog.Duration("duration", time.Since(start)))...)
		return nil
	}
}

// hasGone reports whether err is how the store takes it that the caller has gone,
// or has ended its half of the connection, which net/http takes for that.
func hasGone(c echo.Context, err error) bool {
	if err == nil || !errors.Is(c.Request().Context().Err(), context.Canceled) {
		return false
	}
	_, panicked := errors.AsType[*panicError](err)
	return !panicked && refusalOf(err).status >= http.StatusInternalServerError
}

// panicError is a panic of a handler.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// recovered runs next and returns a panic of it as a *panicError.
func recovered(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: debug.Stack()}
		}
	}()
	return next(c)
}

// routed refuses paths and methods that the document does not have, as the vendor's
// gateway does: both with 404. Echo's own answers would offer OPTIONS.
func (s *Server) routed(c echo.Context) error {
	if host := c.Request().Host; s.hosts != nil && host != "" && !crosssite.IsLocal(host) && !s.hasName(host) {
		return &refusal{status: http.StatusNotFound, code: codeNoSuchAPI, text: textNoSuchAPI +
			" This server is asked for by an IP address or as localhost."}
	}
	methods, known := s.methods[c.Path()]
	if !known || !slices.Contains(methods, c.Request().Method) {
		return &refusal{status: http.StatusNotFound, code: codeNoSuchAPI, text: textNoSuchAPI}
	}
	return nil
}

// hasName reports whether a Host is one of the names that the server was given.
func (s *Server) hasName(hostport string) bool {
	host := (&url.URL{Host: hostport}).Hostname()
	return slices.ContainsFunc(s.hosts, func(name string) bool { return strings.EqualFold(name, host) })
}

// answer writes the answer to a request that failed with err, and logs a
// failure of our own with all that the caller is not told.
func (s *Server) answer(err error, c echo.Context) {
	r := refusalOf(err)
	c.Set(ruleKey, r.rule)
	id := c.Response().Header().Get(echo.HeaderXRequestID)
	if _, ofStore := errors.AsType[*storeError](err); ofStore && r.status >= http.StatusInternalServerError {
		s.outage.failed(c.Request().Context(), id, err)
	} else if r.status >= http.StatusInternalServerError {
		attrs := []slog.Attr{slog.String("request_id", id), slog.Any("error", err)}
		if p, ok := errors.AsType[*panicError](err); ok {
			attrs = append(attrs, slog.String("stack", string(p.stack)))
		}
		s.log.LogAttrs(c.Request().Context(), slog.LevelError, "request failed", attrs...)
	}
	if c.Response().Committed {
		return
	}
	header := c.Response().Header()
	maps.Copy(header, r.header)
	var content any = errorBody(r.code, r.text, s.contract.maxErrorText)
	if strings.HasPrefix(r.code, gateway) {
		content = gatewayError{content.(gen.ErrorResponse), header.Get(echo.HeaderXRequestID)}
	}
	data, err := json.Marshal(content)
	switch {
	case err != nil:
	case r == errTooManyStreams:
		err = s.refuseStream(c)
	case c.Request().Method == http.MethodHead:
		c.Response().Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
		err = c.NoContent(r.status)
	default:
		err = c.Blob(r.status, echo.MIMEApplicationJSON, data)
	}
	if err != nil { // the caller is not reading any more
		s.log.LogAttrs(c.Request().Context(), slog.LevelInfo, "answer not written", slog.Any("error", err))
	}
}

// requestID is what a caller may choose as the ID of a request: nothing that
// could disturb a log or a header.
var requestID = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$`)

func newRequestID() string {
	var id [16]byte
	// Random enough that no two are alike, which is all: nothing is kept safe by it.
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	return hex.EncodeToString(id[:])
}

// clip shortens what a caller chose for the log.
func clip(s string) string {
	const limit = 256
	if len(s) > limit {
		return s[:limit] + "…"
	}
	return s
}
