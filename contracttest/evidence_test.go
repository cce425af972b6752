package contracttest_test

import (
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// parse is a contract with these paths.
func parse(t *testing.T, paths string, opts ...contracttest.LoadOption) *contracttest.Contract {
	t.Helper()
	c, err := contracttest.Parse("api.yaml", []byte("openapi: 3.0.3\ninfo: {title: a, version: '1'}\npaths:\n"+paths), opts...)
	require.NoError(t, err)
	return c
}

// about lists the findings of a check, as "severity clause".
func about(rep *contracttest.Report, checks ...string) []string {
	var all []string
	for _, f := range rep.Findings {
		if slices.Contains(checks, f.Check) {
			all = append(all, f.Severity+" "+f.Clause)
		}
	}
	return all
}

const tags = `
  /tags:
    get:
      operationId: listTags
      responses: {"200": {description: all, content: {application/json: {schema: {type: array}}}}}
`

// TestNeighbours proves that what a path beside a documented one answers is held
// against what a path answers that nobody can know.
func TestNeighbours(t *testing.T) {
	list := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "[]")
	}
	page := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<title>Tags</title>")
	}
	other := func(w http.ResponseWriter, _ *http.Request) { page(w) }
	tests := []struct {
		name      string
		elsewhere http.HandlerFunc
		want      bool // a finding
	}{
		{"a page for every path", other, false},
		{"the list for every path that begins so", func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/tags") {
				list(w)
				return
			}
			w.WriteHeader(http.StatusNotFound)
		}, true},
		{"the documented spelling", func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/tags") {
				http.Redirect(w, r, "/tags", http.StatusTemporaryRedirect)
				return
			}
			w.WriteHeader(http.StatusNotFound)
		}, false},
		{"a redirect for every path", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.EscapedPath() != "/tags" {
					tt.elsewhere(w, r)
					return
				}
				if r.Method == http.MethodGet || r.Method == http.MethodHead {
					list(w)
					return
				}
				w.Header().Set("Allow", "GET")
				w.WriteHeader(http.StatusMethodNotAllowed)
			})
			rep, err := contracttest.Run(t.Context(), parse(t, tags), contracttest.Handler(h))
			require.NoError(t, err)
			assert.Equal(t, tt.want, len(about(rep, "undocumented-path", "redirect")) > 0, "%s", describe(rep))
		})
	}
}

// TestPreflight proves that OPTIONS which something in front of the API answers
// for every path is no method that the path serves.
func TestPreflight(t *testing.T) {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodOptions:
			w.WriteHeader(http.StatusNoContent)
		case r.URL.EscapedPath() != "/tags":
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "[]")
		default:
			w.Header().Set("Allow", "GET, OPTIONS")
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
	})
	rep, err := contracttest.Run(t.Context(), parse(t, tags), contracttest.Handler(h))
	require.NoError(t, err)
	assert.Empty(t, rep.Findings, "%s", describe(rep))
}

const names = `
  /names:
    post:
      operationId: addName
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string, maxLength: 9}, age: {type: integer}}}}}}
      responses: {"204": {description: added}, "400": {description: bad}%s}
`

// registry takes names as documented, unless answer says otherwise.
func registry(answer func(r *http.Request, body string, valid bool) int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if r.URL.EscapedPath() != "/names" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		members, ok := parsed(text).(map[string]any)
		name, isText := members["name"].(string)
		_, isNumber := members["age"].(float64)
		_, aged := members["age"]
		types := r.Header.Values("Content-Type")
		valid := err == nil && ok && isText && len([]rune(name)) <= 9 && (!aged || isNumber) &&
			len(types) == 1 && strings.HasPrefix(strings.ToLower(types[0]), "application/json")
		w.WriteHeader(answer(r, string(text), valid))
	})
}

func asDocumented(_ *http.Request, _ string, valid bool) int {
	if valid {
		return http.StatusNoContent
	}
	return http.StatusBadRequest
}

// TestComesAgain proves that a request is sent once more before it is reported
// as accepted or refused, and that what does not come again is a warning.
func TestComesAgain(t *testing.T) {
	for _, tt := range []struct {
		name string
		when func(n int64) bool
		want string
	}{
		{"each time", func(int64) bool { return true }, "error"},
		{"the first time", func(n int64) bool { return n == 1 }, "warning"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen atomic.Int64
			h := registry(func(r *http.Request, body string, valid bool) int {
				if !valid && strings.Contains(body, `"name":12`) && tt.when(seen.Add(1)) {
					return http.StatusNoContent
				}
				return asDocumented(r, body, valid)
			})
			rep, err := contracttest.Run(t.Context(), parse(t, fmt.Sprintf(names, "")), contracttest.Handler(h), contracttest.Only("addName/body/name/type", "invalid-request-accepted"), contracttest.Values("name", "12"))
			require.NoError(t, err)
			require.Len(t, rep.Findings, 1, "%s", describe(rep))
			assert.Equal(t, tt.want, rep.Findings[0].Severity)
			assert.Equal(t, tt.want == "warning", strings.Contains(rep.Findings[0].Message, "sent again, it returned 400 Bad Request"), rep.Findings[0].Message)
		})
	}
}

// TestControl proves what an answer to the control means: a control that gets
// no answer, or a 5xx, takes no finding back.
func TestControl(t *testing.T) {
	t.Run("broken by then", func(t *testing.T) {
		var broken atomic.Bool
		h := registry(func(r *http.Request, body string, valid bool) int {
			if strings.Contains(body, `"age":0`) { // refused, and nothing works from then on
				broken.Store(true)
				return http.StatusBadRequest
			}
			if broken.Load() {
				return http.StatusInternalServerError
			}
			return asDocumented(r, body, valid)
		})
		rep, err := contracttest.Run(t.Context(), parse(t, fmt.Sprintf(names, "")), contracttest.Handler(h), contracttest.Values("name", "ada"), contracttest.Values("age", "7"), contracttest.Workers(1))
		require.NoError(t, err)
		assert.NotEmpty(t, about(rep, "valid-request-refused"), "%s", describe(rep))
		for _, f := range rep.Findings {
			assert.NotContains(t, f.Message, "is refused since about")
		}
	})
	t.Run("chunked bodies are dropped", func(t *testing.T) {
		next := registry(asDocumented)
		h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if len(r.TransferEncoding) > 0 {
				r.Body = io.NopCloser(strings.NewReader(`{"name":"ada"}`))
			}
			next.ServeHTTP(w, r)
		})
		rep, err := contracttest.Run(t.Context(), parse(t, fmt.Sprintf(names, "")), contracttest.Handler(h), contracttest.Values("name", "ada"))
		require.NoError(t, err)
		assert.Contains(t, about(rep, "invalid-request-accepted"), "error addName/message", "%s", describe(rep))
		for _, f := range rep.Findings { // what else the server does not look at is found by requests in the usual form
			assert.False(t, strings.HasSuffix(f.Case.ID, "chunked") && f.Clause != "addName/message", f.Case.ID)
		}
	})
}

// TestProves proves what counts as the refusal of a clause, and what shows
// nothing.
func TestProves(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusBadRequest: "kept+broken", http.StatusUnauthorized: "kept", http.StatusForbidden: "kept", http.StatusTooManyRequests: "kept",
		http.StatusInternalServerError: "kept", http.StatusTemporaryRedirect: "kept", http.StatusTeapot: "kept",
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			h := registry(func(_ *http.Request, _ string, valid bool) int {
				if valid {
					return http.StatusNoContent
				}
				return status
			})
			more := `, "401": {description: who}, "403": {description: no}, "429": {description: later}`
			rep, err := contracttest.Run(t.Context(), parse(t, fmt.Sprintf(names, more)), contracttest.Handler(h), contracttest.Only("addName/body/name/maxLength"))
			require.NoError(t, err)
			require.Len(t, rep.Coverage.ByClause, 1)
			assert.Equal(t, want, rep.Coverage.ByClause[0].State)
		})
	}
}

// TestRedirectIsNoAcceptance proves that a redirect which only the default
// covers is neither acceptance nor refusal.
func TestRedirectIsNoAcceptance(t *testing.T) {
	for more, want := range map[string]string{
		`, default: {description: other}`: "not_proven", `, "307": {description: elsewhere}`: "kept",
	} {
		h := registry(func(_ *http.Request, _ string, valid bool) int {
			if valid {
				return http.StatusTemporaryRedirect
			}
			return http.StatusBadRequest
		})
		rep, err := contracttest.Run(t.Context(), parse(t, fmt.Sprintf(names, more)), contracttest.Handler(h), contracttest.Only("addName/body/name/minLength", "addName/body/required"))
		if err != nil { // minLength is no clause of the document
			rep, err = contracttest.Run(t.Context(), parse(t, fmt.Sprintf(names, more)), contracttest.Handler(h), contracttest.Only("addName/body/name/type"))
		}
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(rep.Coverage.ByClause[0].State, want), "%s: %s", more, rep.Coverage.ByClause[0].State)
	}
}

// TestExamplesNeedNotExist proves that a documented refusal of what the document
// has as an example is no finding: nothing says that it exists.
func TestExamplesNeedNotExist(t *testing.T) {
	c := parse(t, `
  /stubs/{id}:
    get:
      operationId: getStub
      parameters: [{name: id, in: path, required: true, schema: {type: string}, example: "730d3e32"}]
      responses: {"200": {description: there}, "404": {description: unknown}}
`)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h))
	require.NoError(t, err)
	assert.Empty(t, rep.Findings, "%s", describe(rep))
	rep, err = contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Values("id", "730d3e32"))
	require.NoError(t, err)
	assert.Equal(t, []string{"error getStub/path"}, about(rep, "valid-request-refused"), "the user says that it exists")
}

// TestOwnLoad proves that what is answered with 503 since other requests are
// under way, or with 429 since there are so many, is no fault of the target.
func TestOwnLoad(t *testing.T) {
	c := parse(t, fmt.Sprintf(names, ""))
	t.Run("busy", func(t *testing.T) {
		var under atomic.Int64
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer under.Add(-1)
			if under.Add(1) > 2 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			registry(asDocumented).ServeHTTP(w, r)
		}))
		defer srv.Close()
		rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL), contracttest.Workers(8), contracttest.Cases(0))
		require.NoError(t, err)
		assert.Empty(t, about(rep, "server-error", "not-repeatable"), "%s", describe(rep))
	})
	t.Run("starting", func(t *testing.T) {
		var count atomic.Int64
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if count.Add(1) < 6 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			registry(asDocumented).ServeHTTP(w, r)
		}))
		defer srv.Close()
		rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL), contracttest.Cases(0))
		require.NoError(t, err)
		assert.Empty(t, about(rep, "server-error", "valid-request-refused"), "%s", describe(rep))
		assert.Positive(t, rep.Coverage.Both())
	})
	t.Run("so many in a second", func(t *testing.T) {
		var mu sync.Mutex
		var last time.Time
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			now := time.Now()
			fast := now.Sub(last) < 500*time.Microsecond
			if !fast {
				last = now
			}
			mu.Unlock()
			if fast {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			registry(asDocumented).ServeHTTP(w, r)
		}))
		defer srv.Close()
		rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL), contracttest.Cases(0))
		require.NoError(t, err)
		assert.Empty(t, about(rep, "valid-request-refused", "not-repeatable"), "%s", describe(rep))
		assert.Positive(t, rep.Coverage.Both())
	})
	t.Run("so many in each second", func(t *testing.T) {
		var states []string
		for _, most := range []int{1 << 30, 60} {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var since time.Time
				count := 0
				h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					if now := time.Now(); now.Sub(since) >= time.Second {
						since, count = now, 0
					}
					count++
					over := count > most
					mu.Unlock()
					if over {
						w.WriteHeader(http.StatusTooManyRequests)
						return
					}
					registry(asDocumented).ServeHTTP(w, r)
				})
				rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Workers(8), contracttest.Cases(0))
				require.NoError(t, err)
				states = append(states, fmt.Sprint(rep.Coverage.ByClause, describe(rep)))
			})
		}
		assert.Equal(t, states[0], states[1], "as without a limit")
	})
}

// isJSON reports whether a request says that its body is JSON, in any spelling.
func isJSON(r *http.Request) bool {
	lines := r.Header.Values("Content-Type")
	if len(lines) != 1 {
		return false
	}
	kind, _, err := mime.ParseMediaType(strings.TrimSuffix(lines[0], ";"))
	return err == nil && kind == "application/json"
}

// TestTakesItsOwn proves that an operation which deletes gets what was made for
// it: a server that reads 01 as 1, and addresses that are unique, raise no alarm.
func TestTakesItsOwn(t *testing.T) {
	c := parse(t, `
  /members:
    post:
      operationId: createMember
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [email], properties: {email: {type: string, maxLength: 60, example: ada@example.com}}}}}}
      responses: {"201": {description: made, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "409": {description: taken}}
  /members/{memberId}:
    parameters: [{name: memberId, in: path, required: true, schema: {type: integer, minimum: 1}}]
    get:
      operationId: getMember
      responses: {"200": {description: there}, "400": {description: bad}, "404": {description: unknown}}
    delete:
      operationId: deleteMember
      responses: {"204": {description: gone}, "400": {description: bad}, "404": {description: unknown}}
`)
	var mu sync.Mutex
	members, last := map[int]string{}, 0
	mux := http.NewServeMux()
	mux.HandleFunc("POST /members", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body, _ := parsed(text).(map[string]any)
		email, ok := body["email"].(string)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case !ok || len([]rune(email)) > 60 || !isJSON(r):
			w.WriteHeader(http.StatusBadRequest)
			return
		case slices.Contains(slices.Collect(maps.Values(members)), email):
			w.WriteHeader(http.StatusConflict)
			return
		}
		last++
		members[last] = email
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = fmt.Fprintf(w, `{"id":%d}`, last)
	})
	one := func(remove bool) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			id, err := strconv.Atoi(r.PathValue("memberId")) // 01 and +1 are 1
			mu.Lock()
			defer mu.Unlock()
			_, there := members[id]
			switch {
			case err != nil || id < 1:
				w.WriteHeader(http.StatusBadRequest)
			case !there:
				w.WriteHeader(http.StatusNotFound)
			case remove:
				delete(members, id)
				w.WriteHeader(http.StatusNoContent)
			}
		}
	}
	mux.HandleFunc("GET /members/{memberId}", one(false))
	mux.HandleFunc("DELETE /members/{memberId}", one(true))
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(mux), contracttest.Skip("undocumented-status", "invalid-request-accepted", "undocumented-path", "redirect"))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	for _, cl := range rep.Coverage.ByClause {
		if cl.Clause == "deleteMember/path/memberId/minimum" || cl.Clause == "getMember/path/memberId/minimum" {
			assert.Contains(t, cl.State, "broken", cl.Clause)
		}
	}
}

// TestRanges proves that nobody is blamed for refusing a range whose end is before its
// start, which no document can forbid, and that the valid request has none.
func TestRanges(t *testing.T) {
	const paths = `
  /bookings:
    get:
      operationId: find
      parameters:
        - {name: minPrice, in: query, schema: {type: integer, minimum: 0, maximum: 9999}}
        - {name: maxPrice, in: query, schema: {type: integer, minimum: 0, maximum: 9999}}
      responses: {"204": {description: found}, "400": {description: bad}}
    post:
      operationId: book
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema:
              type: object
              required: [start, end]
              properties: {start: {type: string, format: date}, end: {type: string, format: date}}
      responses: {"204": {description: booked}, "400": {description: bad}, "422": {description: ends before it starts}}
`
	c := parse(t, paths)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kept := func(low, high string, read func(string) (int64, error)) int {
			a, err1 := read(low)
			b, err2 := read(high)
			switch {
			case err1 != nil && low != "" || err2 != nil && high != "":
				return http.StatusBadRequest
			case low != "" && high != "" && a > b:
				return http.StatusUnprocessableEntity
			}
			return http.StatusNoContent
		}
		date := func(text string) (int64, error) {
			at, err := time.Parse(time.DateOnly, text)
			return at.Unix(), err
		}
		price := func(text string) (int64, error) {
			n, err := strconv.ParseUint(text, 10, 64)
			if n > 9999 {
				err = strconv.ErrRange
			}
			return int64(n), err
		}
		status := http.StatusNoContent
		query, _ := url.ParseQuery(r.URL.RawQuery)
		switch r.Method {
		case http.MethodGet:
			if status = kept(query.Get("minPrice"), query.Get("maxPrice"), price); status == http.StatusUnprocessableEntity {
				status = http.StatusBadRequest
			}
		case http.MethodPost:
			body, _ := io.ReadAll(r.Body)
			form, _ := url.ParseQuery(string(body))
			status = http.StatusBadRequest
			if form.Has("start") && form.Has("end") {
				status = kept(form.Get("start"), form.Get("end"), date)
			}
		}
		w.WriteHeader(status)
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Only("check:valid-request-refused"))
	require.NoError(t, err)
	assert.Empty(t, about(rep, "valid-request-refused"), "%s", describe(rep))
	assert.Empty(t, rep.Unproven)
}
