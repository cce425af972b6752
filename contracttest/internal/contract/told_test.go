package contract

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What of a document is not read is told, with its place.
func TestToldOfDocument(t *testing.T) {
	const path = `{"get": {"responses": {"200": {"description": "ok"}}}}`
	for _, tt := range []struct{ name, document, want string }{
		{"a name twice", `{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": ` + path + `,` + "\n" + `"/a": ` + path + `}}`, "a.json:1:72: the name is given twice"},
		{"a later version", `{"openapi": "3.2.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": ` + path + `}}`, "a.json:1:2: OpenAPI 3.2.0 is read as"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Parse("a.json", []byte(tt.document))
			require.NoError(t, err)
			require.Len(t, c.Warnings, 1)
			assert.Contains(t, c.Warnings[0], tt.want)
		})
	}
}
