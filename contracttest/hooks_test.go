package contracttest_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
)

// TestHooks proves that what is done before a run gives it values, that what is done after it is
// done whatever came of it, and that nobody passes where one of them has failed.
func TestHooks(t *testing.T) {
	const doc = `
  /things/{id}:
    get:
      operationId: get
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        "200": {description: done}
        "404": {description: none}
`
	bad := errors.New("the database is full")
	for name, tt := range map[string]struct {
		values        map[string][]string
		before, after error
		opts          []contracttest.Option
		asked         string // for this one
		found         bool   // an error
		err           string
		status        int
	}{
		"values":              {values: map[string][]string{"id": {"seven"}}, asked: "/things/seven"},
		"at one place":        {values: map[string][]string{"get/path/id": {"seven"}}, asked: "/things/seven"},
		"what is given":       {values: map[string][]string{"id": {"seven"}}, opts: []contracttest.Option{contracttest.Values("id", "eight")}, asked: "/things/eight"},
		"a name that is none": {values: map[string][]string{"ID": {"seven"}}, err: `no parameter, property or security scheme is called "ID"; did you mean "id"?; before has given values for ID`},
		"before fails":        {before: bad, err: "before: the database is full"},
		"after fails":         {after: bad, status: report.StatusNoResult},
		"beside an error":     {values: map[string][]string{"id": {"seven"}}, asked: "/things/seven", found: true, after: bad, status: report.StatusNoResult},
		"an error alone":      {values: map[string][]string{"id": {"seven"}}, asked: "/things/seven", found: true, status: report.StatusFindings},
		"both fail":           {before: bad, after: bad, err: "before: the database is full; after: the database is full"},
		"nothing to do":       {before: bad, after: bad, opts: []contracttest.Option{contracttest.Shard(2, 2)}},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			var done []string
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				done = append(done, r.URL.Path)
				mu.Unlock()
				switch {
				case tt.asked != "" && r.URL.Path != tt.asked:
					http.NotFound(w, r)
				case tt.found:
					w.WriteHeader(http.StatusTeapot)
				}
			})
			opts := append([]contracttest.Option{
				contracttest.Before(func(context.Context) (map[string][]string, error) {
					done = append(done, "before")
					return tt.values, tt.before
				}),
				contracttest.After(func(ctx context.Context) error {
					done = append(done, "after")
					return errors.Join(tt.after, ctx.Err())
				}),
				contracttest.Workers(1), contracttest.Cases(0), contracttest.Only("get/path/**"),
			}, tt.opts...)
			rep, err := contracttest.Run(t.Context(), parse(t, doc), contracttest.Handler(h), opts...)
			if name == "nothing to do" {
				require.NoError(t, err)
				assert.Empty(t, done)
				return
			}
			assert.Equal(t, "before", done[0])
			assert.Equal(t, "after", done[len(done)-1])
			if tt.err != "" {
				require.EqualError(t, err, tt.err)
				assert.Len(t, done, 2, "nothing is sent")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.status, rep.Status(), "%v", rep.Findings)
			assert.Equal(t, tt.asked != "", slices.Contains(done, tt.asked))
			assert.Equal(t, tt.found, rep.Errors() > 0)
			if tt.after != nil {
				assert.Contains(t, rep.Inconclusive, "after: the database is full")
			}
		})
	}
}

// What a reset gives takes the place of what was given before the run.
func TestResetValues(t *testing.T) {
	const doc = `
  /things/{id}:
    get:
      operationId: get
      security: [{key: []}]
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        "200": {description: done}
        "401": {description: who}
        "404": {description: none}
components: {securitySchemes: {key: {type: http, scheme: bearer}}}
`
	for name, tt := range map[string]struct {
		opts   []contracttest.Option
		values map[string][]string
		want   string
		fails  string
	}{
		"another":      {values: map[string][]string{"id": {"second"}, "key": {"new-token"}}, want: "/things/second new-token"},
		"none":         {want: "/things/first old-token"},
		"given by run": {opts: []contracttest.Option{contracttest.Values("id", "own")}, values: map[string][]string{"id": {"second"}}, want: "/things/own old-token"},
		"unknown":      {values: map[string][]string{"ID": {"second"}}, fails: `reset: no parameter, property or security scheme is called "ID"; did you mean "id"?; reset has given values for ID`},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			seen, back := map[string]bool{}, false
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
				known := bearer && token == map[bool]string{false: "old-token", true: "new-token"}[back && tt.values["key"] != nil]
				if known && back {
					seen[r.URL.Path+" "+token] = true
				}
				switch {
				case !known:
					w.Header().Set("WWW-Authenticate", "Bearer")
					w.WriteHeader(http.StatusUnauthorized)
				case r.Method != http.MethodGet:
					w.Header().Set("Allow", "GET")
					w.WriteHeader(http.StatusMethodNotAllowed)
				}
			})
			opts := append([]contracttest.Option{
				contracttest.Before(func(context.Context) (map[string][]string, error) {
					return map[string][]string{"id": {"first"}, "key": {"old-token"}}, nil
				}),
				contracttest.Reset(func(context.Context) (map[string][]string, error) {
					mu.Lock()
					defer mu.Unlock()
					back = true
					return tt.values, nil
				}),
				contracttest.Cases(0),
			}, tt.opts...)
			rep, err := contracttest.Run(t.Context(), parse(t, doc), contracttest.Handler(h), opts...)
			require.NoError(t, err)
			if tt.fails != "" {
				assert.Contains(t, rep.Inconclusive, tt.fails)
				assert.Equal(t, report.StatusNoResult, rep.Status())
				return
			}
			assert.Zero(t, rep.Errors(), "%v", rep.Findings)
			assert.Empty(t, rep.Inconclusive)
			assert.True(t, seen[tt.want], "%v", seen)
		})
	}
}
