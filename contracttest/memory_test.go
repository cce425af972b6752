package contracttest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/crud"
	"github.com/dataarts-go/factory/contracttest/report"
)

// notes is a document of a service with a credential: names may be added to a
// list, which answers at once.
const notes = `
openapi: 3.0.3
info: {title: notes, version: "1"}
servers: [{url: /v1}]
security: [{token: []}]
paths:
  /notes:
    get:
      operationId: listNotes
      responses:
        "200": {description: all, content: {application/json: {schema: {type: array, items: {type: string}}}}}
        "401": {description: who}
    post:
      operationId: addNote
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [text], properties: {text: {type: string, maxLength: 20}}}}}}
      responses: {"204": {description: added}, "400": {description: bad}, "401": {description: who}}
  /health:
    get:
      operationId: health
      security: []
      responses: {"204": {description: well}}
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
`

// noteService keeps the document above for whom admit admits.
func noteService(admit func(r *http.Request) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		methods := map[string][]string{"/v1/notes": {"GET", "POST", "HEAD"}, "/v1/health": {"GET", "HEAD"}}[r.URL.EscapedPath()]
		switch {
		case methods == nil:
			w.WriteHeader(http.StatusNotFound)
			return
		case !slices.Contains(methods, r.Method):
			w.Header().Set("Allow", strings.Join(methods, ", "))
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		case r.URL.EscapedPath() == "/v1/health":
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if status := admit(r); status != 0 {
			w.WriteHeader(status)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `["a"]`)
			return
		}
		body, err := io.ReadAll(r.Body)
		members, _ := parsed(body).(map[string]any)
		text, ok := members["text"].(string)
		kinds := r.Header.Values("Content-Type")
		kind, params, malformed := mime.ParseMediaType(strings.Join(kinds, ", "))
		if charset := strings.ToLower(params["charset"]); charset != "" && charset != "utf-8" {
			ok = false
		}
		if err != nil || malformed != nil || !ok || !utf8.Valid(body) || len([]rune(text)) > 20 || len(kinds) != 1 || kind != "application/json" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

const goodToken = "Bearer a-good-token"

func exactly(r *http.Request) int {
	if r.Header.Get("Authorization") != goodToken {
		return http.StatusUnauthorized
	}
	return 0
}

// TestTargetsWithMemory has a row for each way in which a service that
// remembers, or a run that is set up wrongly, has misled a run.
func TestTargetsWithMemory(t *testing.T) {
	good := contracttest.Header("Authorization", goodToken)
	// lockOut refuses everybody after five wrong credentials.
	lockOut := func() func(*http.Request) int {
		var wrong atomic.Int64
		return func(r *http.Request) int {
			if wrong.Load() >= 5 || r.Header.Get("Authorization") != goodToken {
				wrong.Add(1)
				return http.StatusUnauthorized
			}
			return 0
		}
	}
	// shutOut closes every connection after five wrong credentials.
	shutOut := func() func(*http.Request) int {
		var wrong atomic.Int64
		return func(r *http.Request) int {
			if wrong.Load() >= 5 {
				panic(http.ErrAbortHandler)
			}
			status := exactly(r)
			if status != 0 {
				wrong.Add(1)
			}
			return status
		}
	}
	// expiring refuses the good credential after some requests with it.
	expiring := func() func(*http.Request) int {
		var used atomic.Int64
		return func(r *http.Request) int {
			if exactly(r) == 0 && used.Add(1) <= 100 {
				return 0
			}
			return http.StatusUnauthorized
		}
	}
	// login sends to a page who is refused for his credential.
	login := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v1/notes") && exactly(r) != 0 {
				http.Redirect(w, r, "/login", http.StatusSeeOther)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	tests := []struct {
		name   string
		spec   string
		admit  func() func(*http.Request) int
		serve  func(http.Handler) http.Handler
		opts   []contracttest.Option
		status int
		want   string // among what is not proven, or in the notes
		void   bool
	}{
		{name: "a good credential", opts: []contracttest.Option{good}, status: report.StatusKept},
		{name: "no credential", status: report.StatusNoResult, want: `no credential was given for the security scheme "token": all 2 operations that need it return 401 Unauthorized; give one with --header 'Authorization: Bearer VALUE'`},
		{name: "a wrong credential", opts: []contracttest.Option{contracttest.Values("token", "wrong")}, status: report.StatusNoResult, want: `the credential for the security scheme "token" is refused`},
		{
			name: "a token without its scheme", opts: []contracttest.Option{contracttest.Header("Authorization", "a-good-token")}, status: report.StatusNoResult,
			want: `; the Authorization header that was given does not begin with "Bearer "`,
		},
		{
			name: "a credential that the document does not know of", spec: strings.Replace(notes, "security: [{token: []}]", "", 1),
			opts: []contracttest.Option{contracttest.Header("Authorization", "Bearer wrong"), contracttest.Skip("health")}, status: report.StatusNoResult, void: true,
			want: "the credential in the header Authorization is refused: all 2 operations return 401",
		},
		{
			name: "none, and the document does not know of it", spec: strings.Replace(notes, "security: [{token: []}]", "", 1), opts: []contracttest.Option{contracttest.Skip("health")},
			status: report.StatusNoResult, void: true, want: "the target asks for a credential that the document has no security scheme for",
		},
		{name: "a login instead of 401", serve: login, opts: []contracttest.Option{good}, status: report.StatusKept},
		{name: "a login and no credential", serve: login, status: report.StatusNoResult, want: `no credential was given for the security scheme "token": all 2 operations that need it return 303 See Other`},
		{name: "a token that expires", admit: expiring, opts: []contracttest.Option{good}, status: report.StatusNoResult, want: "the credential stopped working"},
		{
			name: "a HEAD that is refused", opts: []contracttest.Option{good}, status: report.StatusKept,
			admit: func() func(*http.Request) int {
				return func(r *http.Request) int {
					if r.Method == http.MethodHead {
						return http.StatusUnauthorized
					}
					return exactly(r)
				}
			},
		},
		{name: "a lock-out that closes connections", admit: shutOut, opts: []contracttest.Option{good}, status: report.StatusKept, want: "it has locked the run out"},
		{name: "a lock-out", admit: lockOut, opts: []contracttest.Option{good}, status: report.StatusKept, want: "it has locked the run out"},
		{
			name: "a base path that is wrong", serve: func(h http.Handler) http.Handler { return http.StripPrefix("/api", h) }, opts: []contracttest.Option{good},
			status: report.StatusNoResult, void: true, want: "/v1/notes was sent for /notes, and the base path /v1 comes from the document's first server",
		},
		{
			name: "a page for every path", opts: []contracttest.Option{good}, status: report.StatusNoResult, void: true, want: "every operation returns 200 OK and the same page",
			serve: func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "text/html; charset=utf-8")
					_, _ = io.WriteString(w, "<title>Notes</title>")
				})
			},
		},
	}
	for _, tt := range tests {
		for _, workers := range []int{1, 8} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, workers), func(t *testing.T) {
				t.Parallel()
				admit := exactly
				if tt.admit != nil {
					admit = tt.admit()
				}
				h := noteService(admit)
				if tt.serve != nil {
					h = tt.serve(h)
				}
				srv := httptest.NewServer(h)
				defer srv.Close()
				spec := notes
				if tt.spec != "" {
					spec = tt.spec
				}
				c, err := contracttest.Parse("notes.yaml", []byte(spec))
				require.NoError(t, err)
				rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL), append(tt.opts, contracttest.Workers(workers), contracttest.Cases(5))...)
				require.NoError(t, err)
				assert.Zero(t, rep.Errors(), "%s", describe(rep))
				assert.Equal(t, tt.status, rep.Status(), "%v", rep.Inconclusive)
				assert.Equal(t, tt.void, rep.Void)
				assert.Contains(t, strings.Join(append(slices.Clone(rep.Inconclusive), rep.Warnings...), "\n"), tt.want)
				assert.Equal(t, srv.URL+"/v1", rep.Target)
				if tt.status == report.StatusKept {
					assert.Empty(t, rep.Inconclusive)
					assert.Greater(t, rep.Coverage.Both(), 5)
				}
			})
		}
	}
}

// TestRenewed proves that a token which lives for a few requests only is no
// reason to end a run, where it is renewed for each.
func TestRenewed(t *testing.T) {
	var mu sync.Mutex
	generation, used := 0, 0
	token := func() string { return fmt.Sprintf("Bearer token-%d", generation) }
	srv := httptest.NewServer(noteService(func(r *http.Request) int {
		mu.Lock()
		defer mu.Unlock()
		if r.Header.Get("Authorization") != token() {
			return http.StatusUnauthorized
		}
		if used++; used%50 == 0 {
			generation++ // whoever has the token by now comes late
		}
		return 0
	}))
	defer srv.Close()
	c, err := contracttest.Parse("notes.yaml", []byte(notes))
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL), contracttest.Skip("*/security"), contracttest.Prepare(func(r *http.Request) error {
		mu.Lock()
		defer mu.Unlock()
		r.Header.Set("Authorization", token())
		return nil
	}))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Equal(t, report.StatusKept, rep.Status(), "%v", rep.Inconclusive)
}

// TestStopped proves that a run that is stopped reports what it has done.
func TestStopped(t *testing.T) {
	for name, broken := range map[string]bool{"kept": false, "broken": true} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var sent atomic.Int64
			srv := httptest.NewServer(noteService(func(r *http.Request) int {
				if sent.Add(1) == 150 {
					cancel()
				}
				if broken && r.Method == http.MethodPost {
					return http.StatusTeapot
				}
				return exactly(r)
			}))
			defer srv.Close()
			c, err := contracttest.Parse("notes.yaml", []byte(notes))
			require.NoError(t, err)
			rep, err := contracttest.Run(ctx, c, contracttest.URL(srv.URL), contracttest.Header("Authorization", goodToken), contracttest.Workers(1))
			require.NoError(t, err)
			want := report.StatusNoResult
			if broken {
				want = report.StatusFindings
			}
			assert.Equal(t, want, rep.Status(), "%s", describe(rep))
			assert.Contains(t, strings.Join(rep.Inconclusive, "\n"), "incomplete: ")
			assert.Contains(t, strings.Join(rep.Inconclusive, "\n"), "the run was stopped")
		})
	}
}

// TestNamesOfOperations proves how operations, checks and clauses are told apart.
func TestNamesOfOperations(t *testing.T) {
	c := parse(t, `
  /api/slow:
    get: {operationId: redirect, responses: {"204": {description: done}}}
  /api/pets/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {"204": {description: done}}
  /other:
    post: {responses: {"204": {description: done}}}
`)
	for _, tt := range []struct {
		name string
		only []string
		want []string // operations
		err  string
	}{
		{name: "method and path", only: []string{"GET /api/slow"}, want: []string{"redirect"}},
		{name: "a template", only: []string{"get /api/pets/{id}"}, want: []string{"GET_api_pets_id"}},
		{name: "a pattern", only: []string{"* /api/**"}, want: []string{"redirect", "GET_api_pets_id"}},
		{name: "the name of a check too", only: []string{"redirect"}, err: `"redirect" names a check and an operation: write check:redirect or operation:redirect`},
		{name: "an operation", only: []string{"operation:redirect"}, want: []string{"redirect"}},
		{name: "a check", only: []string{"check:redirect"}, want: []string{"redirect", "GET_api_pets_id", "POST_other"}},
		{name: "a clause", only: []string{"clause:redirect/path"}, want: []string{"redirect"}},
		{name: "no clause", only: []string{"clause:redirect"}, err: `no clause matches "redirect"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ops, err := c.Operations(contracttest.Only(tt.only...))
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			var ids []string
			for _, op := range ops {
				ids = append(ids, op.ID)
			}
			assert.Equal(t, tt.want, ids)
		})
	}
}

// TestNothingSent proves that an operation of which nothing could be planned or
// sent makes a run no pass.
func TestNothingSent(t *testing.T) {
	c := parse(t, `
  /fine:
    get: {operationId: fine, responses: {"204": {description: done}}}
  /never:
    post:
      operationId: never
      requestBody: {required: true, content: {application/json: {schema: {type: integer, minimum: 3, maximum: 2}}}}
      responses: {"204": {description: done}}
`)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.EscapedPath() != "/fine":
			w.WriteHeader(http.StatusNotFound)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", http.MethodGet)
			w.WriteHeader(http.StatusMethodNotAllowed)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Equal(t, report.StatusNoResult, rep.Status())
	require.Len(t, rep.Inconclusive, 1)
	assert.Contains(t, rep.Inconclusive[0], "never: nothing was sent: ")
	assert.Equal(t, []report.Unproven{{Operation: "never", Answer: "not sent"}}, rep.Unproven)
	assert.True(t, rep.Failed(report.FailOnUnproven))

	rep, err = contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Skip("POST /never"))
	require.NoError(t, err)
	assert.Equal(t, report.StatusKept, rep.Status(report.FailOnUnproven), "%v", rep.Inconclusive)
}

// TestNothingAccepted proves that a run is no pass in which no valid request was accepted: what
// answers 404 to everything keeps any document that has a value in each path.
func TestNothingAccepted(t *testing.T) {
	c := parse(t, `
  /a/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: read, responses: {"200": {description: it}, "404": {description: none}}}
    put: {operationId: write, responses: {"204": {description: done}, "404": {description: none}}}
`)
	for there, want := range map[string]int{"": report.StatusNoResult, "7": report.StatusKept} {
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path != "/a/"+there:
				w.WriteHeader(http.StatusNotFound)
			case r.Method == http.MethodPut:
				w.WriteHeader(http.StatusNoContent)
			case r.Method != http.MethodGet && r.Method != http.MethodHead:
				w.Header().Set("Allow", "GET, PUT")
				w.WriteHeader(http.StatusMethodNotAllowed)
			}
		})
		var opts []contracttest.Option
		if there != "" {
			opts = append(opts, contracttest.Values("id", there))
		}
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), opts...)
		require.NoError(t, err)
		assert.Equal(t, want, rep.Status(), "%s", describe(rep))
		if there == "" {
			require.Len(t, rep.Inconclusive, 1)
			assert.Contains(t, rep.Inconclusive[0], "nothing is proven: no operation accepted a valid request (that of GET /a/{id} returns 404 Not Found)")
		}
	}
}

// mortal is a server that dies, and is brought back on the same address.
type mortal struct {
	t       *testing.T
	handler func(die func()) http.Handler

	mu   sync.Mutex
	addr string
	srv  *http.Server
	done sync.WaitGroup
}

func (m *mortal) start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.addr == "" {
		m.addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", m.addr) //nolint:noctx // a test
	require.NoError(m.t, err)
	m.addr = l.Addr().String()
	m.srv = &http.Server{Handler: m.handler(m.die), ReadHeaderTimeout: time.Minute}
	srv := m.srv
	m.done.Go(func() { _ = srv.Serve(l) })
}

// die closes the listener and every connection, as a process does that ends.
func (m *mortal) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.srv.Close()
}

// TestDies proves that a target which dies ends the run, and that the request is
// named which it dies of where it comes back.
func TestDies(t *testing.T) {
	const killer = "addNote/body/text/maxLength#"
	for _, tt := range []struct {
		name    string
		restart bool
		status  int
	}{
		{"and comes back", true, report.StatusFindings},
		{"for good", false, report.StatusNoResult},
	} {
		for _, workers := range []int{1, 8} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, workers), func(t *testing.T) {
				m := &mortal{t: t, handler: func(die func()) http.Handler {
					next := noteService(exactly)
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						body, err := io.ReadAll(r.Body)
						members, _ := parsed(body).(map[string]any)
						if text, _ := members["text"].(string); err == nil && r.Method == http.MethodPost && len([]rune(text)) == 21 {
							die()
							panic(http.ErrAbortHandler)
						}
						r.Body = io.NopCloser(bytes.NewReader(body))
						next.ServeHTTP(w, r)
					})
				}}
				m.start()
				t.Cleanup(func() { m.die(); m.done.Wait() })
				c, err := contracttest.Parse("notes.yaml", []byte(notes))
				require.NoError(t, err)
				opts := []contracttest.Option{contracttest.Header("Authorization", goodToken), contracttest.Workers(workers)}
				if tt.restart {
					opts = append(opts, contracttest.Restart(func(context.Context) error { m.start(); return nil }))
				}
				rep, err := contracttest.Run(t.Context(), c, contracttest.URL("http://"+m.addr), opts...)
				require.NoError(t, err)
				assert.Equal(t, tt.status, rep.Status(), "%s", describe(rep))
				require.Len(t, rep.Inconclusive, 1)
				assert.Contains(t, rep.Inconclusive[0], "the target takes no more connections; the last requests were ")
				assert.Contains(t, rep.Inconclusive[0], killer)
				var errors []string
				for _, f := range rep.Findings {
					if f.Severity == report.Error {
						errors = append(errors, f.Check+" "+f.Case.ID)
					}
				}
				if tt.restart {
					require.Len(t, errors, 1, "%s", describe(rep))
					assert.Contains(t, errors[0], "connection "+killer)
				} else {
					assert.Empty(t, errors, "%s", describe(rep))
				}
			})
		}
	}
}

// TestDiesAndForgets proves that the request is named which a target dies of, though what it was
// about is gone after the restart.
func TestDiesAndForgets(t *testing.T) {
	m := &mortal{t: t, handler: func(die func()) http.Handler {
		s, err := crud.New(crud.Dress{})
		require.NoError(t, err)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			members, _ := parsed(body).(map[string]any)
			name, _ := members["name"].(string)
			rec := httptest.NewRecorder()
			s.ServeHTTP(rec, r)
			if err == nil && r.Method == http.MethodPut && len([]rune(name)) == 40 && rec.Code/100 == 2 {
				die()
				panic(http.ErrAbortHandler)
			}
			maps.Copy(w.Header(), rec.Header())
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		})
	}}
	m.start()
	t.Cleanup(func() { m.die(); m.done.Wait() })
	c, err := contracttest.Parse("crud.yaml", crud.Document(crud.Dress{}))
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.URL("http://"+m.addr), contracttest.Values("Bearer", crud.Token), contracttest.Cases(0),
		contracttest.Restart(func(context.Context) error { m.start(); return nil }))
	require.NoError(t, err)
	assert.Equal(t, []string{"error replaceTeam/body/name/maxLength"}, about(rep, "connection"), "%s", describe(rep))
	assert.Contains(t, strings.Join(rep.Warnings, "\n"), "they were not deleted, since the target takes no more connections")
}

// TestSpoilt proves that a target which fails from some request on has one
// finding, about that request.
func TestSpoilt(t *testing.T) {
	for _, workers := range []int{1, 8} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			var broken atomic.Bool
			next := noteService(exactly)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.EscapedPath(), "/v1/notes") {
					body, err := io.ReadAll(r.Body)
					if err == nil && r.Method == http.MethodPost && string(body) == "{}" {
						broken.Store(true)
						w.WriteHeader(http.StatusNoContent)
						return
					}
					if broken.Load() {
						w.WriteHeader(http.StatusInternalServerError)
						return
					}
					r.Body = io.NopCloser(bytes.NewReader(body))
				}
				next.ServeHTTP(w, r)
			}))
			defer srv.Close()
			c, err := contracttest.Parse("notes.yaml", []byte(notes))
			require.NoError(t, err)
			rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL), contracttest.Header("Authorization", goodToken), contracttest.Workers(workers))
			require.NoError(t, err)
			assert.Equal(t, report.StatusFindings, rep.Status(), "%s", describe(rep))
			failed := 0
			for _, f := range rep.Findings {
				if f.Check != "server-error" {
					continue
				}
				failed++
				if workers == 1 {
					assert.Contains(t, f.Case.ID, "addNote/body/text/required#")
				}
				assert.Contains(t, f.Message, "returns 500")
			}
			assert.InDelta(t, 1, failed, 1, "%s", describe(rep))
		})
	}
}

// TestHidesNone proves that a finding hides no other of its clause that has
// another status, or another kind of answer.
func TestHidesNone(t *testing.T) {
	next := registry(asDocumented)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.EscapedPath() != "/names" {
			next.ServeHTTP(w, r)
			return
		}
		members, _ := parsed(body).(map[string]any)
		name, isText := members["name"].(string)
		switch {
		case members["name"] != nil && !isText:
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusInternalServerError)
		case len([]rune(name)) > 9:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusInternalServerError)
		case isText && len(members) == 2:
			w.WriteHeader(http.StatusAccepted)
		case isText && name == "":
			w.WriteHeader(http.StatusTeapot)
		default:
			r.Body = io.NopCloser(bytes.NewReader(body))
			next.ServeHTTP(w, r)
		}
	})
	rep, err := contracttest.Run(t.Context(), parse(t, fmt.Sprintf(names, "")), contracttest.Handler(h), contracttest.Values("name", "ada"))
	require.NoError(t, err)
	assert.Len(t, about(rep, "server-error"), 2, "%s", describe(rep))
	statuses := map[string]bool{}
	for _, f := range rep.Findings {
		if f.Check == "undocumented-status" {
			statuses[f.Actual] = true
		}
	}
	assert.Equal(t, map[string]bool{"202 Accepted": true, "418 I'm a teapot": true}, statuses)
}

// TestNeverAccepted proves that an operation which answers everything in the same
// way is not sent hundreds of requests, whatever is wrong with the answer.
func TestNeverAccepted(t *testing.T) {
	for status, errors := range map[int][]string{
		http.StatusBadRequest: nil, http.StatusUnauthorized: {"undocumented-status"}, http.StatusInternalServerError: {"server-error"},
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			var asked atomic.Int64
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.EscapedPath() {
				case "/names":
					asked.Add(1)
					w.WriteHeader(status)
				case "/health":
					w.WriteHeader(http.StatusNoContent)
				default:
					w.WriteHeader(http.StatusNotFound)
				}
			})
			rep, err := contracttest.Run(t.Context(), parse(t, fmt.Sprintf(names, "")+`
  /health: {get: {operationId: health, responses: {"204": {description: well}}}}
`), contracttest.Handler(h))
			require.NoError(t, err)
			assert.Less(t, asked.Load(), int64(120), "of %d cases", rep.Stats.Cases)
			assert.Equal(t, []report.Unproven{{Operation: "addName", Answer: fmt.Sprintf("%d %s", status, http.StatusText(status))}}, rep.Unproven)
			for _, check := range errors {
				assert.NotEmpty(t, about(rep, check), "%s", describe(rep))
			}
		})
	}
}

// TestOperationTime proves that an operation gets no more time than it may have, and
// that the report says so, while the others have theirs.
func TestOperationTime(t *testing.T) {
	c := parse(t, fmt.Sprintf(orders, ""))
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(newOrderDesk()), contracttest.OperationTime(time.Nanosecond))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Contains(t, fmt.Sprint(rep.Coverage.Unreached, rep.Inconclusive), "its requests used up the 1ns allowed for one operation (--operation-time)")
	whole, err := contracttest.Run(t.Context(), c, contracttest.Handler(newOrderDesk()), contracttest.OperationTime(time.Hour))
	require.NoError(t, err)
	assert.Less(t, rep.Stats.Exchanges, whole.Stats.Exchanges/4)
}

// TestDropped proves that a connection which is lost once may have been closed for
// being idle, and is a finding when it is lost again, whatever the number of workers.
func TestDropped(t *testing.T) {
	c := parse(t, fmt.Sprintf(orders, ""))
	for _, workers := range []int{1, 4} {
		for _, always := range []bool{false, true} {
			t.Run(fmt.Sprint(workers, " workers, always: ", always), func(t *testing.T) {
				d := newOrderDesk()
				var n atomic.Int32
				srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					kind := r.Header.Get("Content-Type")
					if r.Method == http.MethodPost && r.URL.Path == "/orders" && (always && kind == "text/plain" || !always && n.Add(1)%40 == 0) {
						panic(http.ErrAbortHandler)
					}
					d.ServeHTTP(w, r)
				}))
				defer srv.Close()
				rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL), contracttest.Workers(workers), contracttest.Skip("allow-header"), contracttest.Settle(20*time.Millisecond))
				require.NoError(t, err)
				assert.Equal(t, always, rep.Errors() > 0, "%s", describe(rep))
			})
		}
	}
}
