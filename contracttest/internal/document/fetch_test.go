package document_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

// files is a server of files, which counts what it is asked for.
type files struct {
	*httptest.Server
	host  string
	mu    sync.Mutex
	asked map[string]int
}

func serve(t *testing.T, texts map[string]string) *files {
	t.Helper()
	f := &files{asked: map[string]int{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.asked[r.URL.Path]++
		f.mu.Unlock()
		text, ok := texts[r.URL.Path]
		switch {
		case !ok:
			http.NotFound(w, r)
		case strings.HasPrefix(text, "→"):
			http.Redirect(w, r, strings.TrimPrefix(text, "→"), http.StatusFound)
		default:
			_, _ = w.Write([]byte(text))
		}
	}))
	t.Cleanup(f.Close)
	u, err := url.Parse(f.URL)
	require.NoError(t, err)
	f.host = u.Host
	return f
}

// A reference leads to a host that was named, from there to its other files, and to no other.
func TestFetch(t *testing.T) {
	other := serve(t, map[string]string{"/x.yaml": "X: {type: string}"})
	local := filepath.Join(t.TempDir(), "secret.yaml")
	require.NoError(t, os.WriteFile(local, []byte("S: {type: string, maxLength: 7}"), 0o600))
	remote := serve(t, map[string]string{
		"/a/pets.yaml": "Pet:\n  type: object\n  properties:\n    tag: {$ref: 'tags.json#/Tag'}\n    up: {$ref: '#/Up'}\n    other: {$ref: '" + other.URL + "/x.yaml#/X'}\n" +
			"    local: {$ref: '" + filepath.ToSlash(local) + "#/S'}\n    file: {$ref: 'file://" + filepath.ToSlash(local) + "#/S'}\nUp: {type: integer, maximum: 4}\n",
		"/a/tags.json":  "{\n  \"Tag\": {\"type\": \"string\",\n    \"maxLength\": 3}}",
		"/a/moved.yaml": "→/a/tags.json", "/a/away.yaml": "→" + other.URL + "/x.yaml",
	})
	text := head + "paths:\n  /a:\n    get:\n      " + done + "\ncomponents:\n  schemas:\n" +
		"    Pet: {$ref: '" + remote.URL + "/a/pets.yaml#/Pet'}\n    Tag: {$ref: '" + remote.URL + "/a/moved.yaml#/Tag'}\n    Away: {$ref: '" + remote.URL + "/a/away.yaml#/X'}\n"

	t.Run("no host is named", func(t *testing.T) {
		d := parse(t, text)
		d.Locate(nil)
		assert.Contains(t, strings.Join(d.Warnings(), "\n"), "ignored: remote files are not fetched: --fetch "+remote.host+" allows it")
		assert.Empty(t, d.Fetched())
		assert.Empty(t, remote.asked)
	})
	t.Run("a host is named", func(t *testing.T) {
		d, err := document.Parse("doc.yaml", []byte(text), document.Fetch(remote.host))
		require.NoError(t, err)
		pet := d.T.Components.Schemas["Pet"].Value
		assert.Equal(t, uint64(3), *pet.Properties["tag"].Value.MaxLength)
		assert.InDelta(t, 4, *pet.Properties["up"].Value.Max, 0)
		assert.Equal(t, uint64(3), *d.T.Components.Schemas["Tag"].Value.MaxLength)
		assert.Contains(t, d.Fetched(), "fetched 3 files that the document refers to, 1 KiB: "+remote.URL+"/a/pets.yaml, ")
		assert.Equal(t, 1, remote.asked["/a/pets.yaml"])
		assert.Empty(t, other.asked, "nobody named this host")
		for _, name := range []string{"other", "local", "file"} {
			if ref := pet.Properties[name]; ref != nil && ref.Value != nil {
				assert.Nil(t, ref.Value.MaxLength, name)
				assert.Nil(t, ref.Value.Type, name)
			}
		}
		d.Locate(nil)
		assert.Contains(t, d.Warnings(), remote.URL+"/a/pets.yaml:6:19: reference \""+other.URL+"/x.yaml#/X\" ignored: remote files are not fetched: --fetch "+other.host+" allows it")
		place := document.Place{Pointer: remote.URL + "/a/tags.json#/Tag/maxLength"}
		d.Locate([]*document.Place{&place})
		assert.Equal(t, remote.URL+"/a/tags.json:3:5", place.String())
	})
}

// A document that came by a URL has no local files: its references are relative to the URL.
func TestFetchedDocument(t *testing.T) {
	local := filepath.ToSlash(filepath.Join(t.TempDir(), "secret.yaml"))
	require.NoError(t, os.WriteFile(local, []byte("S: {type: string, maxLength: 7}"), 0o600))
	remote := serve(t, map[string]string{"/a/parts.yaml": "P: {type: string, maxLength: 3}", "/root.yaml": "P: {type: string, maxLength: 4}"})
	text := head + onePath + "components: {schemas: {A: {$ref: 'parts.yaml#/P'}, B: {$ref: '/root.yaml#/P'}, C: {$ref: '" + local + "#/S'}, D: {$ref: '" + remote.URL + "/a/doc.yaml#/components/schemas/A'}}}\n"
	d, err := document.Parse(remote.URL+"/a/doc.yaml", []byte(text), document.Fetch(remote.host))
	require.NoError(t, err)
	all := d.T.Components.Schemas
	assert.Equal(t, uint64(3), *all["A"].Value.MaxLength)
	assert.Equal(t, uint64(4), *all["B"].Value.MaxLength)
	assert.Nil(t, all["C"].Value.MaxLength)
	assert.Equal(t, uint64(3), *all["D"].Value.MaxLength)

	d, err = document.Parse(remote.URL+"/a/doc.yaml", []byte(text))
	require.NoError(t, err)
	assert.Nil(t, d.T.Components.Schemas["C"].Value.MaxLength)
	assert.Nil(t, d.T.Components.Schemas["A"].Value.MaxLength)
}

// What is fetched is bounded.
func TestFetchBounds(t *testing.T) {
	texts := map[string]string{"/large.yaml": "A: {type: string} #" + string(bytes.Repeat([]byte("a"), 17<<20)), "/loop.yaml": "→/loop.yaml"}
	remote := serve(t, texts)
	for path, why := range map[string]string{"/large.yaml": "larger than 16 MiB", "/loop.yaml": "too many redirects", "/none.yaml": "the response is 404 Not Found"} {
		d, err := document.Parse("doc.yaml", []byte(head+onePath+"components: {schemas: {A: {$ref: '"+remote.URL+path+"#/A'}}}\n"), document.Fetch(remote.host))
		require.NoError(t, err)
		d.Locate(nil)
		assert.Contains(t, strings.Join(d.Warnings(), "\n"), why)
	}
}
