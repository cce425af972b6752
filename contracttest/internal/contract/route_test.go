package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// withPaths makes a document of operations, each given as METHOD /path.
func withPaths(t testing.TB, operations ...string) *contract.Contract {
	t.Helper()
	var b strings.Builder
	b.WriteString("openapi: 3.0.3\ninfo: {title: paths, version: '1'}\nservers: [{url: 'https://example.com/v1'}]\npaths:\n")
	byPath := map[string][]string{}
	var paths []string
	for _, op := range operations {
		method, path, _ := strings.Cut(op, " ")
		if byPath[path] == nil {
			paths = append(paths, path)
		}
		byPath[path] = append(byPath[path], method)
	}
	for _, path := range paths {
		fmt.Fprintf(&b, "  %q:\n", path)
		for _, method := range byPath[path] {
			fmt.Fprintf(&b, "    %s: {operationId: %q, responses: {'200': {description: ok}}}\n", strings.ToLower(method), method+" "+path)
		}
	}
	c, err := contract.Parse("paths.yaml", []byte(b.String()))
	require.NoError(t, err)
	return c
}

func TestFindByTemplate(t *testing.T) {
	c := withPaths(t, "GET /", "GET /users/{id}", "DELETE /users/{id}", "GET /users/me", "GET /users/{id}.{format}", "GET /{kind}/me/x",
		"GET /users('{name}')", "GET /users/{id}/items/{item}", "POST /a/{x}", "GET /a/{y}", "GET /v1/again/{id}",
		"GET /größe b/{größe}", "GET /%7Eme/[{id}]")
	tests := []struct {
		method, path, want string
		known              bool
	}{
		{"GET", "/", "GET /", true},
		{"GET", "/users/1", "GET /users/{id}", true},
		{"GET", "/v1/users/1", "GET /users/{id}", true},
		{"GET", "/users/me", "GET /users/me", true},
		{"DELETE", "/users/me", "DELETE /users/{id}", true},
		{"PUT", "/users/me", "", true},
		{"GET", "/users/a.json", "GET /users/{id}.{format}", true},
		{"GET", "/users/.json", "GET /users/{id}", true},
		{"GET", "/users('me')", "GET /users('{name}')", true},
		{"GET", "/users('')", "", false},
		{"GET", "/gr%c3%b6%C3%9Fe%20b/1", "GET /gr%C3%B6%C3%9Fe%20b/{größe}", true},
		{"GET", "/größe b/1", "GET /gr%C3%B6%C3%9Fe%20b/{größe}", true},
		{"GET", "/~me/%5B1%5D", "GET /~me/%5B{id}%5D", true},
		{"GET", "/~me/[1]", "GET /~me/%5B{id}%5D", true},
		{"GET", "/us%65rs/1", "GET /users/{id}", true},
		{"GET", "/users%28'a'%29", "", false},
		{"GET", "/users/me/x", "GET /{kind}/me/x", true},
		{"GET", "/v1/users/me/x", "GET /{kind}/me/x", true},
		{"GET", "/v1/me/x", "", false}, // v1 is the base path
		{"GET", "/v1/again/1", "GET /v1/again/{id}", true},
		{"GET", "/v1/v1/again/1", "GET /v1/again/{id}", true},
		{"GET", "/users/1/items/2", "GET /users/{id}/items/{item}", true},
		{"GET", "/users/1/items/", "", false},
		{"GET", "/users/1/items", "", false},
		{"GET", "/users/", "", false},
		{"GET", "/users", "", false},
		{"GET", "", "", false},
		{"POST", "/a/b", "POST /a/{x}", true},
		{"GET", "/a/b", "GET /a/{y}", true},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			op, known := c.Find(tt.method, tt.path)
			got := ""
			if op != nil {
				got = op.Method + " " + op.Path
			}
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.known, known)
		})
	}
}

// A path of several templates is foremost one of the most concrete.
func TestAt(t *testing.T) {
	c := withPaths(t, "GET /users/{id}", "DELETE /users/{id}", "POST /users/batch")
	for path, want := range map[string][]string{
		"/users/1":        {"GET /users/{id}", "DELETE /users/{id}"},
		"/users/batch":    {"POST /users/batch", "GET /users/{id}", "DELETE /users/{id}"},
		"/v1/users/batch": {"POST /users/batch", "GET /users/{id}", "DELETE /users/{id}"},
		"/users":          nil,
	} {
		var got []string
		for _, op := range c.At(path) {
			got = append(got, op.Method+" "+op.Path)
		}
		assert.Equal(t, want, got, path)
	}
}

// What follows # in a path is never sent (RFC 3986 §3.5): documents of Amazon tell operations on one path apart by it.
func TestFindWithoutFragment(t *testing.T) {
	c := withPaths(t, "GET /tags/{arn}", "DELETE /tags/{arn}#keys", "POST /#Target=One", "POST /#Target=Two")
	op, _ := c.Find("DELETE", "/v1/tags/1")
	require.NotNil(t, op)
	assert.Equal(t, "/tags/{arn}", op.Path)
	assert.Len(t, c.At("/tags/1"), 2)
	op, _ = c.Find("POST", "/#Target=Two") // nothing but it tells these apart
	require.NotNil(t, op)
	assert.Equal(t, "/#Target=Two", op.Path)
}

func TestRival(t *testing.T) {
	c := withPaths(t, "GET /users/{id}", "GET /users/me", "POST /a/{x}", "GET /a/{y}", "GET /b/{x}", "GET /b/{y}", "GET /c/{x}/d", "GET /{y}/e/d")
	tests := []struct{ operation, path, want string }{
		{"GET /users/{id}", "/users/me", "/users/me"},
		{"GET /users/{id}", "/users/you", ""},
		{"GET /users/me", "/users/me", ""},
		{"POST /a/{x}", "/a/1", ""},
		{"GET /a/{y}", "/a/1", ""},
		{"GET /b/{x}", "/b/1", ""},
		{"GET /b/{y}", "/b/1", "/b/{x}"},
		{"GET /c/{x}/d", "/c/e/d", "/{y}/e/d"},
		{"GET /{y}/e/d", "/c/e/d", "/c/{x}/d"},
	}
	for _, tt := range tests {
		t.Run(tt.operation+" at "+tt.path, func(t *testing.T) {
			for _, op := range c.Operations {
				if op.Method+" "+op.Path != tt.operation {
					continue
				}
				got := ""
				if rival := op.Rival(tt.path); rival != nil {
					got = rival.Path
				}
				assert.Equal(t, tt.want, got)
			}
		})
	}
}

// The cost of a look-up must not grow with the document.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var ops []string
			for i := range n {
				ops = append(ops, fmt.Sprintf("GET /group%d/{id}/items", i))
			}
			c := withPaths(b, ops...)
			for b.Loop() {
				c.Find("GET", "/group7/1/items")
			}
		})
	}
}

// The query in a path tells operations apart.
func TestFindByQuery(t *testing.T) {
	c := withPaths(t, "GET /rest?method=a", "GET /rest?method=b%2Ec", "POST /rest", "GET /now?lat={lat}&lon={lon}", "GET /now?city={city}", "GET /all", "GET /all?full=true", "GET /odd?{x}=1")
	tests := []struct {
		method, target, want string
		known                bool
	}{
		{"GET", "/rest?method=a", "GET /rest?method=a", true},
		{"GET", "/v1/rest?page=1&method=b.c", "GET /rest?method=b%2Ec", true},
		{"GET", "/rest?method=d", "", true},
		{"POST", "/rest?method=a", "POST /rest", true},
		{"GET", "/now?lon=1&lat=", "GET /now?lat={lat}&lon={lon}", true},
		{"GET", "/now?city=1&lon=1", "GET /now?city={city}", true},
		{"GET", "/now", "GET /now?city={city}", true},
		{"GET", "/all?full=true", "GET /all?full=true", true},
		{"GET", "/all?full=no", "GET /all", true},
		{"GET", "/odd", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			op, known := c.Find(tt.method, tt.target)
			got := ""
			if op != nil {
				got = op.ID
			}
			assert.Equal(t, strings.ReplaceAll(tt.want, "/", "~1"), got)
			assert.Equal(t, tt.known, known)
		})
	}
	assert.Len(t, c.At("/rest?method=a"), 2)
	now, _ := c.Find("GET", "/now?lat=1&lon=1")
	require.Len(t, now.Params, 2)
	assert.Equal(t, "query/lat/required", strings.TrimPrefix(now.Params[0].Presence.Name, now.ID+"/"))
	assert.Nil(t, now.Rival("/v1/now?lat=1&lon=1"))
	assert.NotNil(t, now.Rival("/now?lat=1"), "as much as the other one lacks")
	assert.Contains(t, strings.Join(c.Warnings, "\n"), "the path has a query")
}
