package document_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n    ") }

// Merge keys of YAML hold whether or not something else of the document has to be
// mended.
func TestMergeKeys(t *testing.T) {
	const schemas = onePath + `x-base: &base {type: string, maxLength: 3, minLength: 1}
x-other: &other {maxLength: 4, pattern: a}
x-third: &third {<<: *other, format: uuid}
components:
  schemas:
    A:
      properties:
        one: {<<: *base, maxLength: 5}
        two: {<<: [*base, *other]}
        three: {<<: *third, type: string}
        alias: *base
`
	for name, text := range map[string]string{
		"as it is": head + schemas,
		"mended":   strings.Replace(head, "info: {", "tags: 5\ninfo: {", 1) + schemas,
		"3.1":      strings.Replace(head31, "info: {", "tags: 5\ninfo: {", 1) + schemas + "    B: {$anchor: b}\n",
	} {
		t.Run(name, func(t *testing.T) {
			d := parse(t, text)
			one, two := property(t, d, "one").Value, property(t, d, "two").Value
			three, alias := property(t, d, "three").Value, property(t, d, "alias").Value
			assert.EqualValues(t, 5, *one.MaxLength, "what the mapping has itself")
			assert.EqualValues(t, 1, one.MinLength)
			assert.EqualValues(t, 3, *two.MaxLength, "the first of a list")
			assert.Equal(t, "a", two.Pattern)
			assert.Equal(t, "uuid", three.Format)
			assert.EqualValues(t, 4, *three.MaxLength, "merged into what is merged")
			assert.EqualValues(t, 3, *alias.MaxLength)
		})
	}
}
