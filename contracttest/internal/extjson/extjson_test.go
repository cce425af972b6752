package extjson_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/dataarts-go/factory/contracttest/internal/extjson"
)

func TestDecode(t *testing.T) {
	object := map[string]any{"a": "b"}
	n := func(text string) json.Number { return json.Number(text) }
	for text, want := range map[string]any{
		`{"a":"b"}`:                         object,
		` {"a" : "b" } `:                    object,
		"\xef\xbb\xbf" + `{"a":"b"}`:        object,
		"{'a':`b`,}":                        object,
		`{a:"b"}`:                           object,
		`{"a":"b"} x`:                       object,
		`{"a":"b"}{"a":1}`:                  object,
		"{\"a\":\"b\"}\x00":                 object,
		"/* c */{\"a\"//d\n:\"b\"#e\n}// f": object,
		"\u00a0{\"a\":\f\"b\"}":             object,
		`{"\x61":"\u0062"}`:                 object,
		"{\x00\"\x00a\x00\"\x00:\x00\"\x00b\x00\"\x00}\x00":         object,
		"\x00{\x00\"\x00a\x00\"\x00:\x00\"\x00b\x00\"\x00}":         object,
		"\xff\xfe{\x00\"\x00a\x00\"\x00:\x00\"\x00b\x00\"\x00}\x00": object,
		"\xfe\xff\x00{\x00\"\x00a\x00\"\x00:\x00\"\x00b\x00\"\x00}": object,
		"{\x00\x00\x00}\x00\x00\x00":                                map[string]any{},
		"\x00\x00\x00{\x00\x00\x00}":                                map[string]any{},
		`"\'\/\"\\\0"`:                                              "'/\"\\\x00",
		`"\ud83d\ude00"`:                                            "\U0001F600",
		"\"a\\\nb\"":                                                "ab",
		"[1,2,]":                                                    []any{n("1"), n("2")},
		"[]":                                                        []any{},
		"{1:2}":                                                     map[string]any{"1": n("2")},
		"[01,+1,-01,0x10,-0xF,.5,1.,1_000,1e3,0,-0]":                []any{n("1"), n("1"), n("-1"), n("16"), n("-15"), n("0.5"), n("1"), n("1000"), n("1e3"), n("0"), n("-0")},
		"[True,TRUE,true,False,None,undefined,null]":                []any{true, true, true, false, nil, nil, nil},
	} {
		got, ok := extjson.Decode([]byte(text))
		assert.True(t, ok, "%q", text)
		assert.True(t, got.Sure, "%q", text)
		assert.Equal(t, want, got.V, "%q", text)
	}
}

// Which value a text holds is one question, of which type another.
func TestUnsure(t *testing.T) {
	for text, want := range map[string]any{
		"NaN": json.Number("0"), "-Infinity": json.Number("0"), "[NaN]": []any{json.Number("0")}, `{"a":1,"a":2}`: map[string]any{"a": json.Number("2")},
		"\"a\x01\n\tb\"": "a\x01\n\tb", "\"a\xffb\"": "a\uFFFDb", `"a\ud800b"`: "a\uFFFDb", `"\q"`: "q",
	} {
		got, ok := extjson.Decode([]byte(text))
		assert.True(t, ok, text)
		assert.False(t, got.Sure, text)
		assert.Equal(t, want, got.V, text)
	}
}

// What is cut short, or of another language, is no value.
func TestNoValue(t *testing.T) {
	for _, text := range []string{
		"", " ", "{", "[", `"`, `{"a"`, `{"a":`, `{"a":1`, `[1`, `{"a":[1,2}`, "not json", "a", "a=b&c=d", `a: "b"`, "1e", "1e+", "0x", "0x-1", ".", "+", "-", "-a", "1.2.3", "1a",
		`{"a" 1}`, `{"a"::1}`, `{"a"=1}`, `{"a"=>1}`, `{"a":1;"b":2}`, `{"a":1 "b":2}`, `{,"a":1}`, `[,1]`, `[1,,2]`, `{"a":1,,}`, ")]}',\n{}", `"\u12"`, `"\x4"`, "/*", "// a", "<a/>",
		"\u201ca\u201d", "--1", "- true", "- 1", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
	} {
		_, ok := extjson.Decode([]byte(text))
		assert.False(t, ok, "%q", text)
	}
}

// What is JSON is read as such.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{`{"a":[1,-0.5e3,true,null,"\u00e9\ud83d\ude00"]}`, "{'a':01,} // b", "\x00[\x001\x00]", `"\`, "[[[["} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, ok := extjson.Decode(data)
		var want any
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber()
		switch {
		case !json.Valid(data), dec.Decode(&want) != nil:
			return // it may have extensions, or none that is read
		case !utf8.Valid(data), bytes.IndexByte(data, 0) >= 0, bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > 10_000:
			return // in another encoding, or too deep
		case !ok:
			t.Fatalf("%q is JSON", data)
		case got.Sure:
			assert.Equal(t, want, got.V, "%q", data)
		}
	})
}
