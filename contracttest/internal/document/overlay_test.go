package document_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

func overlay(t *testing.T, text string) (*document.Overlay, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "overlay.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return document.ReadOverlay(file)
}

const (
	overlayHead = "overlay: 1.0.0\ninfo: {title: o, version: '1'}\nactions:\n"
	commented   = `# what it is
openapi: 3.0.3
info: {title: a, version: "1"} # its title
paths:
  # all of them
  /a:
    get:
      tags: [one, 'two']
      summary: it's /a
      responses:
        "200":
          description: |
            # not a comment
            of yaml
x-z: 1.50
x-b: <&>
`
)

// What the actions of an overlay do, and that all else stays as it is.
func TestApplyOverlay(t *testing.T) {
	tests := map[string]struct{ action, old, new string }{
		"an object is joined":           {"target: $.paths['/a'].get\nupdate: {summary: another, operationId: getA}", "summary: it's /a", "summary: another"},
		"a list is continued":           {"target: $.paths['/a'].get\nupdate: {tags: [three]}", "[one, 'two']", "[one, 'two', three]"},
		"a list takes one more":         {"target: $.paths['/a'].get.tags\nupdate: three", "[one, 'two']", "[one, 'two', three]"},
		"an item is removed":            {"target: $.paths['/a'].get.tags[?@ == 'one']\nremove: true", "[one, 'two']", "['two']"},
		"all members are removed":       {"target: $.info.*\nremove: true", `info: {title: a, version: "1"}`, "info: {}"},
		"a value of another type":       {"target: $\nupdate: {x-z: [1]}", "x-z: 1.50", "x-z: [1]"},
		"several places":                {"target: $..['200', 'info']\nupdate: {x-a: true}", `version: "1"}`, `version: "1", x-a: true}`},
		"a copy":                        {"target: $.info\ncopy: $.paths['/a'].get.responses['200']", `version: "1"}`, "version: \"1\", description: \"# not a comment\\nof yaml\\n\"}"},
		"an alias":                      {"target: $.info\nupdate: {x-a: &a {b: 1}, x-c: *a}", `version: "1"}`, `version: "1", x-a: {b: 1}, x-c: {b: 1}}`},
		"a value that is called so":     {"target: $.paths['/a'].get\nupdate: {one: 1}", "tags: [one", "tags: [one"},
		"what is not there is left out": {"target: $.paths['/b']\nremove: true", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o, err := overlay(t, overlayHead+"  - "+indent(tt.action))
			require.NoError(t, err)
			text, notes, err := document.Apply("a.yaml", []byte(commented), o)
			require.NoError(t, err)
			assert.Equal(t, tt.old == "", len(notes) == 1, "%q", notes)
			assert.Contains(t, string(text), tt.new)
			for _, kept := range []string{"# what it is\n", "# its title\n", "  # all of them\n", "x-b: <&>\n"} {
				assert.Contains(t, string(text), kept)
			}
		})
	}
}

func indent(action string) string {
	var out []byte
	for i := range len(action) {
		if out = append(out, action[i]); action[i] == '\n' {
			out = append(out, "    "...)
		}
	}
	return string(out) + "\n"
}

// JSON is written as it was: with its order, indentation and numbers.
func TestApplyOverlayToJSON(t *testing.T) {
	o, err := overlay(t, overlayHead+"  - target: $.b\n    update: {c: <&>}\n")
	require.NoError(t, err)
	for old, want := range map[string]string{
		`{"openapi":"3.0.3","b":{"z":1.50,"a":"é"}}`:                       `{"openapi":"3.0.3","b":{"z":1.50,"a":"é","c":"<&>"}}`,
		"{\n    \"b\": {\n        \"z\": 12345678901234567890\n    }\n}\n": "{\n    \"b\": {\n        \"z\": 12345678901234567890,\n        \"c\": \"<&>\"\n    }\n}\n",
		"{\n\t\"b\": {\n\t\t\"z\": []\n\t},\n\t\"a\": {}\n}\n":             "{\n\t\"b\": {\n\t\t\"z\": [],\n\t\t\"c\": \"<&>\"\n\t},\n\t\"a\": {}\n}\n",
	} {
		text, notes, err := document.Apply("a.json", []byte(old), o)
		require.NoError(t, err)
		assert.Empty(t, notes)
		assert.Equal(t, want, string(text))
	}
}

// A document that is read with an overlay has its places where they are without it; what is new
// is where it was put.
func TestPlacesWithOverlay(t *testing.T) {
	o, err := overlay(t, overlayHead+`  - target: $.paths['/a'].get.responses
    update: {'404': {description: none}}
  - target: $.paths['/c']
    remove: true
`)
	require.NoError(t, err)
	d, err := document.Parse("a.yaml", []byte(commented), document.Overlaid(o))
	require.NoError(t, err)
	assert.NotNil(t, d.T.Paths.Value("/a").Get.Responses.Value("404"))
	places := []*document.Place{{Pointer: "/paths/~1a/get/summary"}, {Pointer: "/paths/~1a/get/responses/404/description"}}
	d.Locate(places)
	assert.Equal(t, "a.yaml:9:7", places[0].String())
	assert.Equal(t, "a.yaml:10:7", places[1].String())
	assert.Len(t, d.Warnings(), 1)
	assert.Regexp(t, `overlay\.yaml:6:1: the target \$\.paths\['/c'\] is not in the document; nothing is changed$`, d.Warnings()[0])
}

// What is no overlay is refused, with its place.
func TestBadOverlays(t *testing.T) {
	for text, want := range map[string]string{
		"a: [":                                   `not an OpenAPI Overlay: `,
		"openapi: 3.0.3":                         `not an OpenAPI Overlay: want overlay: 1.0.0 or 1.1.0, got ""`,
		"overlay: 2.0.0":                         `got "2.0.0"`,
		overlayHead + "  - 7":                    `overlay.yaml:4:1: not an action of an overlay`,
		overlayHead + "  - remove: true":         `overlay.yaml:4:1: the action has no target`,
		overlayHead + "  - target: paths":        `overlay.yaml:4:1: target is not a JSONPath (RFC 9535): paths`,
		overlayHead + "  - {target: $, copy: x}": `overlay.yaml:4:1: copy is not a JSONPath (RFC 9535): x`,
		overlayHead + "  - target: $[?(@":        `target is not a JSONPath`,
	} {
		_, err := overlay(t, text)
		assert.ErrorContains(t, err, want)
	}
	_, err := document.ReadOverlay(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)

	for action, want := range map[string]string{
		"{target: $.info, update: {x: &a [*a]}}": "cannot be applied: too large: its aliases expand to more than is read",
		"target: $.info":                         "overlay.yaml:4:1: cannot be applied: neither update, remove nor copy is given",
		"{target: $.info, copy: $..*}":           "cannot be applied: copy selects",
	} {
		o, err := overlay(t, overlayHead+"  - "+action)
		require.NoError(t, err)
		_, err = document.Parse("a.yaml", []byte(commented), document.Overlaid(o))
		assert.ErrorContains(t, err, want)
	}
}
