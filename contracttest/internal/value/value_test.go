package value_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/txtar"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// schema is a row of the table: an operation whose request body is the schema.
type schema struct {
	name string
	op   *contract.Operation
	root *contract.Node
}

func document(version string, bodies []txtar.File) string {
	var b strings.Builder
	b.WriteString("openapi: " + version + "\ninfo: {title: a, version: \"1\"}\npaths:\n")
	for _, f := range bodies {
		fmt.Fprintf(&b, "  /%[1]s: {post: {operationId: %[1]s, requestBody: {required: true, content: {application/json: {schema: %[2]s}}}, responses: {\"200\": {description: a}}}}\n",
			f.Name, strings.TrimSpace(string(f.Data)))
	}
	return b.String()
}

func schemas(t testing.TB) []schema {
	t.Helper()
	var all []schema
	for version, suffix := range map[string]string{"3.0.3": "", "3.1.0": "-3.1"} {
		archive, err := txtar.ParseFile("testdata/schemas" + suffix + ".txtar")
		require.NoError(t, err)
		c, err := contract.Parse("schemas.yaml", []byte(document(version, archive.Files)))
		require.NoError(t, err)
		require.Empty(t, c.Warnings)
		require.Len(t, c.Operations, len(archive.Files))
		for _, op := range c.Operations {
			all = append(all, schema{op.ID + suffix, op, op.Body.Media[0].Node})
		}
	}
	return all
}

// node makes the node of one schema.
func node(t testing.TB, text string) *contract.Node {
	t.Helper()
	c, err := contract.Parse("schema.yaml", []byte(document("3.0.3", []txtar.File{{Name: "op", Data: []byte(text)}})))
	require.NoError(t, err)
	return c.Operations[0].Body.Media[0].Node
}

// encode writes a value as it is sent.
func encode(t testing.TB, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	require.NoError(t, enc.Encode(v))
	return bytes.TrimSpace(b.Bytes())
}

// decoded is a value as kin-openapi gets it.
func decoded(t testing.TB, v any) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(encode(t, v)))
	dec.UseNumber()
	var out any
	require.NoError(t, dec.Decode(&out))
	return out
}

func (s schema) check(t testing.TB, v any) []contract.Violation {
	t.Helper()
	r := &wire.Request{Method: "POST", Target: s.op.Path, Body: encode(t, v)}
	r.Set("Content-Type", "application/json")
	return s.op.CheckRequest(r)
}

func TestGood(t *testing.T) {
	for _, s := range schemas(t) {
		t.Run(s.name, func(t *testing.T) {
			g, err := (&value.Maker{}).Good(s.root)
			require.NoError(t, err)
			assert.NoError(t, s.root.Validates(decoded(t, g.V)))
			assert.Empty(t, s.check(t, g.V))
		})
	}
}

// Whatever is made to keep a clause keeps the schema, at the root and below it.
func TestKeep(t *testing.T) {
	m := &value.Maker{}
	for _, s := range schemas(t) {
		s.root.Walk(func(n *contract.Node) {
			if len(n.Clauses) == 0 || n.Clause("false") != nil {
				return // says nothing of a value, or takes none
			}
			good, err := m.Good(n)
			require.NoError(t, err, n.Path)
			labels := map[string]bool{}
			for _, v := range m.Keep(n, good, value.InBody) {
				name := v.Clause.Name + "#" + v.Label
				assert.NoError(t, n.Validates(decoded(t, v.V)), "%s: %.100s", name, encode(t, v.V))
				assert.NotNil(t, n.Clause(clauseKey(n, v.Clause)), name)
				assert.False(t, labels[name], "two variants are called %s", name)
				labels[name] = true
				if n == s.root {
					assert.Empty(t, s.check(t, v.V), name)
				}
			}
		})
	}
}

// Whatever is made to break a clause breaks the schema, and at the root is
// refused for that clause.
func TestBreak(t *testing.T) {
	m := &value.Maker{}
	for _, s := range schemas(t) {
		s.root.Walk(func(n *contract.Node) {
			if len(n.Clauses) == 0 || n.Clause("false") != nil {
				return // says nothing of a value, or takes none
			}
			good, err := m.Good(n)
			require.NoError(t, err, n.Path)
			for _, v := range m.Break(n, good, value.InBody) {
				name := v.Clause.Name + "#" + v.Label
				assert.Error(t, n.Validates(decoded(t, v.V)), "%s: %.100s", name, encode(t, v.V))
				assert.False(t, v.Clause.Permits, name)
				if n != s.root {
					continue
				}
				var names []string
				about := false
				for _, broken := range s.check(t, v.V) {
					names = append(names, broken.Clause.Name)
					about = about || broken.About(v.Clause)
				}
				assert.True(t, about, "%s#%s breaks %s", v.Clause.Name, v.Label, names)
			}
		})
	}
}

func clauseKey(n *contract.Node, c *contract.Clause) string {
	for _, own := range n.Clauses {
		if own.Clause == c {
			return own.Key
		}
	}
	return ""
}

// Each clause that can be broken is, in the schemas of the table.
func TestEveryClauseIsBroken(t *testing.T) {
	m := &value.Maker{}
	for _, s := range schemas(t) {
		good, err := m.Good(s.root)
		require.NoError(t, err)
		broken := map[*contract.Clause]bool{}
		for _, v := range m.Break(s.root, good, value.InBody) {
			broken[v.Clause] = true
		}
		for _, c := range s.root.Clauses {
			if !c.Permits && c.Unplanned == "" {
				assert.True(t, broken[c.Clause], "nothing breaks %s (%s)", c.Name, c.Key)
			}
		}
	}
}

func TestEdges(t *testing.T) {
	tests := []struct {
		schema       string
		breaks       bool
		clause, want string // the label behind #, and the value as JSON
	}{
		{"length", false, "minLength#shortest", `"ab"`},
		{"length", false, "maxLength#longest", `"abcde"`},
		{"length", false, "maxLength#longest-in-two-byte-characters", `"ééééé"`},
		{"length", false, "maxLength#longest-in-four-byte-characters", `"😀😀😀😀😀"`},
		{"length", true, "minLength#too-short", `"a"`},
		{"length", true, "minLength#empty", `""`},
		{"length", true, "minLength#too-short-in-three-byte-characters", `"数"`},
		{"exact", true, "minLength#too-short-in-three-byte-characters", `"数数数"`},
		{"exact", true, "minLength#one-character", `"a"`},
		{"exact", false, "minLength#shortest", `"abcd"`},
		{"exact", false, "maxLength#longest", `"abcd"`},
		{"none", false, "maxLength#longest", `""`},
		{"none", true, "maxLength#too-long", `"a"`},
		{"enum", false, "enum#value-3", `"Blue"`},
		{"enum", true, "enum#letter-case", `"RED"`},
		{"numbers", true, "enum#other", `-987654321`},
		{"int32", false, "minimum#least", `-5`},
		{"int32", false, "maximum#greatest", `7`},
		{"int32", true, "minimum#below", `-6`},
		{"int32", true, "maximum#above", `8`},
		{"number", false, "minimum#least", `0.5`},
		{"number", true, "minimum#below", `-0.5`},
		{"exclusive", false, "minimum#least", `1`},
		{"exclusive", false, "maximum#greatest", `9`},
		{"exclusive", true, "minimum#below", `0`},
		{"exclusive", true, "maximum#above", `10`},
		{"multiple", false, "multipleOf#good", `10`},
		{"multiple", true, "multipleOf#between", `11`},
		{"fraction", true, "multipleOf#between", `1.125`},
		{"nullable", false, "type#null", `null`},
		{"boolean", false, "type#false", `false`},
		{"boolean", true, "type#as-string", `"true"`},
		{"integer", true, "type#as-string", `"1"`},
		{"integer", true, "type#with-fraction", `1.5`},
		{"list", false, "type#none", `[]`},
		{"list", true, "type#item-alone", `"abcdefgh"`},
		{"list", true, "type#as-json-string", `"[\"abcdefgh\"]"`},
		{"list-size", false, "minItems#fewest", `[1,1]`},
		{"list-size", false, "maxItems#most", `[1,1,1,1]`},
		{"list-size", true, "minItems#too-few", `[1]`},
		{"list-size", true, "maxItems#too-many", `[1,1,1,1,1]`},
		{"list-unique", true, "uniqueItems#twice", `["abcdef","abcde1","abcdef"]`},
		{"list-of-numbers", false, "minItems#fewest", `[2,4,6]`},
		{"list-empty", false, "maxItems#most", `[]`},
		{"object", true, "required/a#absent", `{}`},
		{"required-alone", true, "required/a#absent", `{}`},
		{"closed", true, "additionalProperties#extra", `{"a":"abcdefgh","x-unknown-property":"a"}`},
		{"object", false, "additionalProperties#extra-null", `{"a":"abcdefgh","x-unknown-property":null}`},
		{"object", false, "additionalProperties#extra-negative-zero", `{"a":"abcdefgh","x-unknown-property":-0}`},
		{"object", false, "additionalProperties#extra-beyond-double", `{"a":"abcdefgh","x-unknown-property":1e400}`},
		{"object", false, "additionalProperties#extra-long-integer", `{"a":"abcdefgh","x-unknown-property":1234567890123456789012345}`},
		{"object", false, "additionalProperties#extra-name-with-nul", `{"a":"abcdefgh","a\u0000b":"a"}`},
		{"object", true, "type#member-alone", `"abcdefgh"`},
		{"list", true, "type#as-object", `{"0":"abcdefgh"}`},
		{"object", false, "additionalProperties#extra-letter-case-a", `{"A":1,"a":"abcdefgh"}`},
		{"map", false, "minProperties#good", `{"extra1":1}`},
		{"map", true, "minProperties#too-few", `{}`},
		{"map", true, "maxProperties#too-many", `{"extra1":1,"extra2":1,"extra3":1}`},
		{"exclusive-number-3.1", true, "exclusiveMinimum#at-the-bound", `0`},
		{"exclusive-number-3.1", false, "exclusiveMinimum#least", `0.0078125`},
		{"cents-3.1", false, "minimum#least", `0.07`},
		{"cents-3.1", true, "multipleOf#between", `1.005`},
		{"lookahead-3.1", true, "pattern#letters", `"abcdefgh"`},
		{"length-of-pattern-3.1", true, "maxLength#too-long", `"aaaaaa"`},
		{"length-of-pattern-3.1", false, "minLength#shortest", `"aaa"`},
		{"tuple-3.1", true, "minItems#too-few", `["abcdefgh"]`},
		{"contains-3.1", true, "contains#none", `[]`},
		{"contains-3.1", true, "maxContains#too-many", `[5,5,5,5,5,5]`},
		{"names-3.1", true, "propertyNames#name-1", `{"aa":"a","x-unknown-property":"a"}`},
		{"dependent-3.1", false, "dependentRequired/card#with-what-depends", `{"address":"abcdefgh","card":1}`},
		{"dependent-3.1", true, "dependentRequired/card#without-1", `{"card":1}`},
		{"unevaluated-3.1", true, "unevaluatedProperties#extra", `{"x-unknown-property":"a"}`},
		{"unevaluated-items-3.1", true, "unevaluatedItems#1-more", `["abcdefgh","no such value"]`},
		{"not-3.1", true, "not#what-is-excluded", `"abcdefgh"`},
		{"not-required-3.1", true, "not#what-is-excluded", `{"a":"abcdefgh","b":"abcdefgh"}`},
		{"overlap-3.1", false, "oneOf#branch-1", `2`},
		{"overlap-3.1", false, "oneOf#branch-2", `3`},
		{"overlap-3.1", true, "oneOf#two-branches-1", `6`},
		{"overlap-3.1", true, "oneOf#no-branch", `1`},
		{"branches-3.1", true, "oneOf#two-branches-1", `{"a":"abcdefgh","b":1}`},
		{"some-3.1", true, "anyOf#no-branch", `{}`},
		{"const-3.1", true, "const#letter-case", `"RED"`},
		{"const-object-3.1", true, "const#one-more-property", `{"a":1,"x-unknown-property":"a"}`},
		{"types-3.1", true, "maximum#above", `10`},
		{"types-3.1", true, "maxLength#too-long", `"abca"`},
		{"multiple-at-the-bound", true, "multipleOf#between", `0.05`},
		{"slug", true, "pattern#letter-case", `"A"`},
		{"text-or-integer-3.1", true, "type#fraction", `3.5`},
		{"tuple-of-two-3.1", true, "maxItems#too-many", `["abcdefgh","abcdefgh",1,1]`},
		{"one", true, "oneOf#array", `[{}]`},
		{"any", true, "anyOf#string", `"no such value"`},
	}
	m := &value.Maker{}
	all := map[string]schema{}
	for _, s := range schemas(t) {
		all[s.name] = s
	}
	for _, tt := range tests {
		t.Run(tt.schema+" "+tt.clause, func(t *testing.T) {
			n := all[tt.schema].root
			good, err := m.Good(n)
			require.NoError(t, err)
			variants := m.Keep(n, good, value.InBody)
			if tt.breaks {
				variants = m.Break(n, good, value.InBody)
			}
			keyword, label, _ := strings.Cut(tt.clause, "#")
			var labels []string
			for _, v := range variants {
				if v.Clause == n.Clause(keyword) && v.Label == label {
					assert.Equal(t, tt.want, string(encode(t, v.V)))
					return
				}
				labels = append(labels, clauseKey(n, v.Clause)+"#"+v.Label)
			}
			assert.Contains(t, labels, tt.clause)
		})
	}
}

func TestLengthIsCountedInCharacters(t *testing.T) {
	n := node(t, "{type: string, minLength: 3000, maxLength: 4096}")
	m := &value.Maker{}
	good, err := m.Good(n)
	require.NoError(t, err)
	lengths := map[string]int{}
	for _, v := range append(m.Keep(n, good, value.InBody), m.Break(n, good, value.InBody)...) {
		if text, ok := v.V.(string); ok {
			lengths[v.Label] = utf8.RuneCountInString(text)
		}
	}
	for label, want := range map[string]int{
		"shortest": 3000, "longest": 4096, "longest-in-four-byte-characters": 4096, "too-short": 2999, "too-long": 4097, "much-too-long": 8208,
	} {
		assert.Equal(t, want, lengths[label], label)
	}
}

// What cannot travel in its place is not made.
func TestPlacesBoundWhatIsMade(t *testing.T) {
	n := node(t, "{type: string}")
	m := &value.Maker{}
	good, err := m.Good(n)
	require.NoError(t, err)
	never := map[value.Place]func(string) bool{
		value.InPath:   func(s string) bool { return s == "" || strings.Contains(s, "/") || strings.Contains(s, "\x00") },
		value.InHeader: func(s string) bool { return strings.ContainsAny(s, "\n\x00é") || s != strings.TrimSpace(s) },
		value.InCookie: func(s string) bool { return strings.ContainsAny(s, "; ,\"\\") },
	}
	for place, bad := range never {
		for _, v := range m.Keep(n, good, place) {
			assert.False(t, bad(v.V.(string)), "%d: %q", place, v.V)
		}
	}
	kept := map[string]bool{}
	for _, v := range m.Keep(n, good, value.InQuery) {
		kept[v.Label] = true
	}
	for _, label := range []string{"empty", "nul", "slash", "separators", "astral"} {
		assert.True(t, kept[label], "a query can carry %s", label)
	}
}

func TestTextThatIsNoNumber(t *testing.T) {
	for _, tt := range []struct {
		schema string
		want   []string
	}{
		{"{type: string, maxLength: 2}", nil},
		{"{type: integer}", []string{"word", "number", "fraction", "empty", "trailing-letter", "blank-inside", "hexadecimal", "word-yes", "letter-case", "invalid-utf-8",
			"same-as-fraction", "same-with-exponent", "leading-zero", "plus-sign", "blank-before", "blank-after"}},
		{"{type: boolean}", []string{"word", "fraction", "empty", "trailing-letter", "number", "blank-inside", "hexadecimal", "word-yes", "letter-case", "invalid-utf-8",
			"first-letter", "capital", "zero", "one"}},
	} {
		n := node(t, tt.schema)
		m := &value.Maker{}
		good, err := m.Good(n)
		require.NoError(t, err)
		var labels []string
		for _, v := range m.Break(n, good, value.InQuery) {
			if v.Clause != n.Clause("type") {
				continue
			}
			labels = append(labels, v.Label)
			assert.IsType(t, "", v.V, "a query carries text")
		}
		assert.ElementsMatch(t, tt.want, labels)
	}
}

func TestKnownValues(t *testing.T) {
	n := node(t, "{type: object, required: [id, n, ok, ids, few], properties: {id: {type: string, maxLength: 3}, n: {type: integer}, ok: {type: boolean}, ids: {type: array, items: {type: string}}, few: {type: array, maxItems: 1, items: {type: integer}}, opt: {type: string}, other: {type: string}}}")
	m := &value.Maker{Known: map[string][]string{
		"id": {"long one", "k1"}, "n": {"x", "42"}, "ok": {"yes", "false"}, "ids": {"a", "b"}, "few": {"7", "8"}, "opt": {"known"},
	}}
	g, err := m.Good(n)
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"k1","n":42,"ok":false,"ids":["a","b"],"few":[7],"opt":"known"}`, string(encode(t, g.V)), "what is not known and not required is left out")
	assert.Empty(t, g.Unknown)

	assert.Equal(t, []any{"long one", "k1"}, m.KnownFor(n.Prop("id")))
	assert.Equal(t, []any{json.Number("42")}, m.KnownFor(n.Prop("n")))
	assert.Equal(t, []any{false}, m.KnownFor(n.Prop("ok")))
	assert.Nil(t, m.KnownFor(n.Prop("ids")), "a list is no value of its items' name")
	assert.Equal(t, []any{"a", "b"}, m.KnownFor(n.Prop("ids").Items))

	exists := map[string]bool{}
	for _, v := range m.Keep(n.Prop("id"), value.Good{V: "k1"}, value.InBody) {
		exists[v.Label] = v.Exists
	}
	assert.True(t, exists["known-2"], "%v", exists)
	assert.False(t, exists["one-character"])
}

// A known value of the right length stands at the edge: it can be accepted.
func TestKnownValueAtTheEdge(t *testing.T) {
	n := node(t, "{type: object, properties: {id: {type: string, minLength: 2, maxLength: 4}}}").Prop("id")
	m := &value.Maker{Known: map[string][]string{"id": {"xyz", "xy", "wxyz"}}}
	for _, v := range m.Keep(n, value.Good{V: "xyz"}, value.InBody) {
		switch v.Label {
		case "shortest":
			assert.Equal(t, "xy", v.V)
			assert.True(t, v.Exists)
		case "longest":
			assert.Equal(t, "wxyz", v.V)
			assert.True(t, v.Exists)
		}
	}
}

func TestUnknownValuesAreListed(t *testing.T) {
	n := node(t, "{type: object, required: [a, b, c], properties: {a: {type: string}, b: {type: array, items: {type: integer}}, c: {type: boolean}}}")
	g, err := (&value.Maker{}).Good(n)
	require.NoError(t, err)
	assert.Equal(t, []string{"body/a", "body/b/items"}, g.Unknown)
}

func TestGoodFails(t *testing.T) {
	for name, tt := range map[string]struct{ schema, message string }{
		"pattern that nothing matches": {`{type: string, pattern: '(?=a)b'}`, "no string is found that matches (?=a)b"},
		"pattern and length at odds":   {`{type: string, pattern: '^x$', minLength: 2}`, "no string is found that matches ^x$"},
		"too long":                     {`{type: string, minLength: 300000}`, "a string of 300000 characters is not made"},
		"bounds at odds":               {`{type: integer, minimum: 2, maximum: 1}`, "no value found that keeps the schema"},
		"inside an object":             {`{type: object, required: [a], properties: {a: {type: string, minLength: 300000}}}`, "a: a string of"},
		"inside a list":                {`{type: array, minItems: 1, items: {type: string, minLength: 300000}}`, "a string of"},
		"not":                          {`{type: boolean, not: {enum: [true, false]}}`, "no value found that keeps the schema"},
	} {
		_, err := (&value.Maker{}).Good(node(t, tt.schema))
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), tt.message, name)
		assert.NotContains(t, err.Error(), "\n", name)
	}
}

func TestGoodOfRecursion(t *testing.T) {
	parse := func(required string) *contract.Node {
		c, err := contract.Parse("a.yaml", []byte("openapi: 3.0.3\ninfo: {title: a, version: \"1\"}\npaths: {/a: {post: {requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/A'}}}}, responses: {\"200\": {description: a}}}}}\n"+
			"components: {schemas: {A: {type: object, required: ["+required+"], properties: {name: {type: string}, next: {$ref: '#/components/schemas/A'}, all: {type: array, items: {$ref: '#/components/schemas/A'}}}}}}\n"))
		require.NoError(t, err)
		return c.Operations[0].Body.Media[0].Node
	}
	g, err := (&value.Maker{}).Good(parse("name, all"))
	require.NoError(t, err)
	assert.NotNil(t, g.V)
	_, err = (&value.Maker{}).Good(parse("next"))
	assert.ErrorContains(t, err, "refers to itself without an end")
}

func TestStringMatchesItsPattern(t *testing.T) {
	for _, tt := range []struct {
		pattern string
		min     int
	}{
		{"abc", 0}, {"^$", 0}, {"^a?$", 0}, {"^[^a]$", 1}, {`^\d{3,5}$`, 0}, {`^\d{3,5}$`, 5}, {"^(a|b)*c$", 9}, {"^[A-Z][a-z]+( [A-Z][a-z]+)?$", 20},
		{`^\w+@\w+\.com$`, 12}, {`^.+$`, 30}, {`(?i)^ab$`, 0}, {`^\x{6570}+$`, 3}, {`^[a-z]+$`, 3000}, {"^[ ]$", 1}, {"^a{2}b{0,}$", 4}, {`^\s$`, 1}, {`^[\x01-\x02]$`, 1},
	} {
		s := fmt.Sprintf("{type: string, minLength: %d, pattern: '%s'}", tt.min, tt.pattern)
		text, err := value.String(node(t, s))
		if assert.NoError(t, err, s) {
			assert.Regexp(t, tt.pattern, text)
			assert.GreaterOrEqual(t, utf8.RuneCountInString(text), tt.min, s)
		}
	}
}

// A pattern may speak of a part of a text alone, and the format of the rest.
func TestStringOfFormatAndPattern(t *testing.T) {
	for _, of := range []string{
		`format: ipv4, pattern: '^10\.'`, `format: ipv6, pattern: '^fe80:'`, `format: uri, pattern: '\.png$'`, `format: date, pattern: '^19\d\d-\d\d-\d\d$'`,
		`format: date-time, pattern: '\.\d{7}Z$'`, `format: date-time, pattern: '\+00:00$', maxLength: 25`, `format: uuid, pattern: '^0{8}-'`,
	} {
		n := node(t, "{type: string, "+of+"}")
		text, err := value.String(n)
		assert.NoError(t, err, of)
		assert.NoError(t, n.Validates(text), of)
		assert.Error(t, n.Validates(text+" "), of)
	}
}

func TestLetters(t *testing.T) {
	assert.Empty(t, value.Letters(0))
	assert.Equal(t, "abc", value.Letters(3))
	assert.Equal(t, "abcdefghijklmnopqrstuvwxyzab", value.Letters(28))
}

func TestNumber(t *testing.T) {
	for want, v := range map[string]float64{"0": 0, "-3": -3, "100000000000": 1e11, "0.25": 0.25, "1e+20": 1e20, "1e-07": 1e-7} {
		assert.Equal(t, json.Number(want), value.Number(v))
	}
}

func TestDistinct(t *testing.T) {
	assert.Equal(t, "a1", (&value.Maker{}).Distinct(node(t, "{type: string}"), "a", 1))
	assert.Equal(t, "ab2", (&value.Maker{}).Distinct(node(t, "{type: string, maxLength: 3}"), "abc", 2))
	assert.Equal(t, "c", (&value.Maker{}).Distinct(node(t, "{type: string, enum: [a, b, c]}"), "a", 2))
	assert.Equal(t, json.Number("9"), (&value.Maker{}).Distinct(node(t, "{type: integer, multipleOf: 3}"), json.Number("3"), 2))
	assert.Equal(t, json.Number("3.5"), (&value.Maker{}).Distinct(node(t, "{type: number}"), 1.5, 2))
	assert.Equal(t, true, (&value.Maker{}).Distinct(node(t, "{type: boolean}"), true, 1), "there is no other")
}

func TestSchemasStayReadable(t *testing.T) {
	for _, file := range []string{"schemas", "schemas-3.1"} {
		data, err := os.ReadFile("testdata/" + file + ".txtar")
		require.NoError(t, err)
		for _, f := range txtar.Parse(data).Files {
			assert.Equal(t, 1, bytes.Count(f.Data, []byte("\n")), "%s: one line each", f.Name)
		}
	}
}

// Of a value that is known to exist, the near misses have its digits.
func TestNearMissesOfKnownValues(t *testing.T) {
	n := node(t, "{type: object, properties: {ids: {type: array, items: {type: string}}}}")
	m := &value.Maker{Known: map[string][]string{"ids": {"12", "13"}}}
	made := map[string]string{}
	n.Walk(func(n *contract.Node) {
		good, err := m.Good(n)
		require.NoError(t, err)
		for _, v := range append(m.Keep(n, good, value.InBody), m.Break(n, good, value.InBody)...) {
			if text := encode(t, v.V); len(text) < 100 {
				made[v.Clause.Name+"#"+v.Label] = string(text)
			} else if list, ok := v.V.([]any); ok {
				made[v.Clause.Name+"#"+v.Label] = fmt.Sprint(len(list))
			}
		}
	})
	for id, want := range map[string]string{
		"op/body/type#member-alone":                 `["12","13"]`,
		"op/body/ids/type#item-alone-as-number":     `12`,
		"op/body/ids/type#more-than-1000":           `1001`,
		"op/body/ids/type#5000":                     `5000`,
		"op/body/ids/items/type#same-as-number":     `12`,
		"op/body/ids/items/type#same-as-fraction":   `12.0`,
		"op/body/ids/items/type#same-with-exponent": `12e0`,
		"op/body/ids/items/type#empty-array":        `[]`,
		"op/body/ids/items/type#in-array-twice":     `[["12"]]`,
		"op/body/ids/items/type#noncharacter":       "\"a\uffff\"",
		"op/body/ids/items/type#format-directives":  `"%s%n%d"`,
	} {
		assert.Equal(t, want, made[id], id)
	}
}

// What a receiver may bound is refused at no fault of its own.
func TestWhatIsLeftToTheReceiver(t *testing.T) {
	n := node(t, "{type: object}")
	m := &value.Maker{}
	good, err := m.Good(n)
	require.NoError(t, err)
	left := map[string]bool{}
	depth := map[string]int{}
	for _, v := range m.Keep(n, good, value.InBody) {
		left[v.Label] = v.Leave != ""
		depth[v.Label] = bytes.Count(encode(t, v.V), []byte("[")) + bytes.Count(encode(t, v.V), []byte("{")) - 1
	}
	assert.True(t, left["extra-beyond-double"])
	assert.True(t, left["extra-nested-100"])
	assert.False(t, left["extra-nested-20"])
	assert.False(t, left["extra-1000"])
	assert.Equal(t, 100, depth["extra-nested-100"])
	assert.Equal(t, 20, depth["extra-nested-20"])
}

// A fault that cannot be sent in its place is not made.
func TestPlacesBoundFaults(t *testing.T) {
	n := node(t, `{type: string, minLength: 3, pattern: "^[a-z]+$"}`)
	m := &value.Maker{}
	good, err := m.Good(n)
	require.NoError(t, err)
	for _, v := range m.Break(n, good, value.InHeader) {
		assert.NotContains(t, v.V, "\n", v.Label)
		assert.NotContains(t, v.V, "\u6570", v.Label)
	}
	for _, v := range m.Break(n, good, value.InPath) {
		assert.NotEmpty(t, v.V, v.Label)
	}
}
