package wire

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestScriptTags proves that an entity tag is passed on however a condition names it.
func TestScriptTags(t *testing.T) {
	for match, want := range map[string]string{
		`"v7"`:            `-H "If-Match: $etag"`,
		`"another", "v7"`: `-H 'If-Match: "another", '"$etag"`,
		`W/"v7"`:          `-H 'If-Match: W/'"$etag"`,
		`"v8"`:            `-H 'If-Match: "v8"'`,
	} {
		s := Script{Base: "http://example.com", Mask: func(_, v string) string { return v }}
		answer := &Response{Status: http.StatusOK, Header: http.Header{"Etag": {`"v7"`}}}
		s.Add(&Request{Method: http.MethodGet, Target: "/a"}, "", "", answer)
		change := &Request{Method: http.MethodPut, Target: "/a"}
		change.Set("If-Match", match)
		s.Add(change, "", "", nil)
		lines := strings.Split(s.String(), "\n")
		assert.Contains(t, lines[1], want)
		assert.Equal(t, strings.Contains(want, "$etag"), strings.HasPrefix(lines[0], "etag=$("), "%s", lines[0])
	}
}
