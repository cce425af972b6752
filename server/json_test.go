package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dataarts-go/factory/server"
)

// texts are JSON texts by RFC 8259, and what only looks like one: by what they try. Each
// stands alone, and those of values inside other values too.
var texts = struct{ valid, invalid map[string][]string }{
	valid: map[string][]string{
		"literals (§3)": {"true", "false", "null"},
		"numbers (§6)": {
			"0", "-0", "1", "-1", "10", "0.5", "-0.5", "1.0", "0e1", "0E1", "0e+1", "0e-1", "0E+1", "0E-1", "1e2", "1E2", "1e+2", "1e-2", "1.5e3",
			"-1.5E-3", "123456789012345678901234567890", "0.00000000000000000000000000000000000000000000000000000000001", "1e400", "-1e-400", "1e00", "1.000",
		},
		"strings (§7)": {
			`""`, `" "`, `"a"`, `"\""`, `"\\"`, `"\/"`, `"/"`, `"\b\f\n\r\t"`, `"\u0000"`, `"\u001f"`, `"\u0022"`, `"\u005C"`, `"\u00e9"`, `"\u00E9"`, `"\uFFFF"`,
			`"\\u0000"`, `"\\\""`, `"\ud834\udd1e"`, `"\uD834\uDD1E"`, `"\uDBFF\uDFFF"`, `"\ud800\udc00\ud801\udc01"`, `"\u2028\u2029"`, `"\ufeff"`, `"// no comment"`, `"[1,"`, `"{\"a\":"`,
			"\"\u00e9\"", "\"\u20ac\"", "\"\U0001d11e\"", "\"\U0010ffff\"", "\"\uffff\"", "\"\u2028\u2029\"", "\"\u0080\"", "\"\x7f\"", "\"\ufeff\"", `"` + strings.Repeat("a", 10_000) + `"`,
		},
		"arrays (§5)": {
			"[]", "[ ]", "[[]]", "[[],[]]", "[1]", "[1,2]", "[ 1 , 2 ]", "[\"\"]", "[null,true,false,0,\"\",[],{}]", "[[[[[1]]]]]", "[\n1\t,\r2]",
			strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
		},
		"objects (§4)": {
			"{}", "{ }", `{"a":1}`, `{ "a" : 1 }`, `{"a":1,"b":2}`, `{"":0}`, `{"\u0000":0}`, `{"a":{"a":{"a":{}}}}`, `{"a":[],"b":{}}`, `{"\"":"\\"}`, "{\"\u00e9\":0}",
			"{\n\"a\"\t:\r1}", `{"a":1,"A":2}`, strings.Repeat(`{"a":`, 1000) + "0" + strings.Repeat("}", 1000),
		},
	},
	invalid: map[string][]string{
		"literals": {"tru", "truee", "True", "TRUE", "nul", "NULL", "Null", "fals", "nil", "undefined", "None", "NaN", "nan", "Infinity", "-Infinity", "inf", "t", "a", "\u00e9", "tr ue"},
		"numbers": {
			"+1", "++1", "--1", "-", "+", "-a", "- 1", "01", "-01", "00", "012", "1.", "-1.", ".5", "-.5", "1.e2", ".e1", "1e", "1E", "1e+", "1e-", "1E+", "0e", "0E+", "1.5e", "1ee2", "1e2e3",
			"1e2.5", "1.2.3", "1..2", "0x10", "0X1", "0b1", "0o7", "1_000", "1 000", "1,5x", "1a", "1ea", "0.1.2", "-2.", "-foo", "1/2", "1+2", "\uff11", "2.e+3", "2.e-3", "9.e+", "0.3e", "0.3e+", "1.0e", "1.0e-",
			"1f", "1L", "$1", "#1", "-0x1", "-NaN", "-1x", "1e1x",
		},
		"strings": {
			`"`, `"a`, `a"`, `'a'`, `"a'`, "`a`", `"\"`, `"\\\"`, `"\x00"`, `"\a"`, `"\v"`, `"\0"`, `"\'"`, `"\u"`, `"\u1"`, `"\u12"`, `"\u123"`, `"\u123g"`, `"\U0041"`, `"\u 123"`, `"\u{41}"`, `"\u-123"`, `"\ "`,
			"\"\\\n\"", "\"\n\"", "\"\r\"", "\"\t\"", "\"\x00\"", "\"\x1f\"", "\"a\x00a\"", "\"\\\x00\"", `"\ud834\u"`, `"\ud834\u12"`, `"\ud834\x"`, "\"\\\U0001f300\"", "\"\\\u00e9\"", `"a" "b"`, `"a"b`,
			`\u0022a"`, "\u201ca\u201d",
		},
		"UTF-8 (§8.1)": {
			"\"\xff\"", "\"\x80\"", "\"\xc3\"", "\"\xc3\x28\"", "\"\xc0\xaf\"", "\"\xe0\x80\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\"\xf8\x88\x80\x80\x80\"", "\"\xe9\"", "\"\xe2\x82\"", "\xff", "\xe9", "{\"\xff\":0}", "1\xff", "\"\\u\xe9\"", "\"\\\xe5\"",
		},
		"arrays": {
			"[", "]", "[[", "[]]", "[1", "[1,", "[,", "[,]", "[,1]", "[1,]", "[1,,2]", "[1,,]", "[1 2]", "[1:2]", "[1;2]", "[\"a\"", "[\"a\",", "[\"a", "[\"a\" \"b\"]", "[}", "[1}", "[{}", "[{", "[\"\": 1]", "[1]]", "[a", "[\"a\",\n4\n,1,", "[1,\n1\n,1",
			"[\"\",]", "[-]", "[*]", "[${a}]", "[\x0b]", "[\x0c]", "[\u2060]", "[\u00a0]", "[#\n]", "[/**/]", "[\"x\"]]", "[3[4]]", "[\"\x0ba\"]", "[1,2]]", "[tru]", "(1)", "<1>", "[<null>]", "[\\n]", "[1\\,2]",
		},
		"objects": {
			"{", "}", "{{}}", "{\"a\"", "{\"a\"}", "{\"a\":", "{\"a\":}", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{,\"a\":1}", "{\"a\":1,,\"b\":2}", "{\"a\":1 \"b\":2}", "{\"a\" 1}", "{\"a\",1}", "{\"a\"=1}", "{\"a\"::1}", "{:1}", "{1:1}", "{null:1}", "{true:1}",
			"{a:1}", "{'a':1}", "{\"a\":1]", "{\"a\":1}}", "{\"a\":1;}", "{[]:1}", "{{}:1}", "{\"a\":\"b", "{\"a", "{\"a\":'b'}", "{\"a\":1/**/}", "{\"a\":1}//", "{\"a\":1}#", "{/**/}", "{\"a\":1 // b\n}", "{\"a\":b}", "{\"a\":1,\"b\"}", "{\"a\":1,\"b\":}", "{9999E9999:1}", "{\"a\":1}1", "{\"id\":0,,,,,}", "{\"a\":\"a\" 1}", "{a: b}", "{\"a\":/1}", "{🇨🇭}",
		},
	},
}

// alone are those that cannot stand inside another value.
var alone = struct{ valid, invalid []string }{
	valid: []string{" 1", "1 ", "\t\n\r 1\t\n\r ", " {}", "[]\n", "\"a\"\r\n"},
	invalid: []string{
		" ", "\n", "\t\r\n ", "1 2", "{} {}", "{}{}", "[][]", "1,2", "{},", ",", ",{}", ":", "{}x", "[]x", "{}\x00", "\x00", "\x00{}", "{}]", "[]}", "\x0b1", "\x0c1", "1\x0c", "\u00a01", "1\u00a0", "\u20281", "\u30001",
		"\ufeff", "\ufeff1", "\ufeff{}", "\xfe\xff\x00{\x00}", "\xff\xfe{\x00}\x00", "{\x00}\x00", "// a\n1", "/* a */ 1", "1 // a", "1 /* a */", "# a\n1", "<!-- a -->1", "<?xml?>", "a=1", "'", "\\", "\"a\",", "()", "%7B%7D", "{}\u2060", "*", "&", "@", "\x1f", "1;", "null,", "[1],", "{\"a\":1},",
		strings.Repeat("[", 100_000), strings.Repeat(`[{"":`, 50_000), strings.Repeat("{", 10_000), strings.Repeat("]", 1000),
	},
}

// A body is taken for JSON if RFC 8259 says that it is, whatever the document wants
// of it. That names are unique, and that a string is one of whole characters, is wanted in
// addition: §4 and §8.2 leave it open what becomes of others.
func TestJSONTexts(t *testing.T) {
	rules := make(chan string, 1)
	r := start(t, newMemory(t), server.WithObserver(func(o server.Observation) { rules <- o.Refused }))
	// judge returns the rule that a body breaks: "body" if it is none, "body: …" of the
	// document's.
	judge := func(t *testing.T, body string) (rule, text string) {
		t.Helper()
		a := r.send(t, post(path, body, "Content-Type: "+mediaType))
		if a.StatusCode != http.StatusOK {
			assert.Equal(t, http.StatusBadRequest, a.StatusCode, "%s", a.body)
			_, text = errorOf(t, a.body)
		}
		return <-rules, text
	}
	takes := func(t *testing.T, body string) {
		t.Helper()
		rule, text := judge(t, body)
		assert.NotEqual(t, "body", rule, "%.200q: %s", body, text)
	}
	refuses := func(t *testing.T, body string) {
		t.Helper()
		rule, _ := judge(t, body)
		assert.Equal(t, "body", rule, "%.200q", body)
	}
	inside := []string{"%s", " %s ", "[%s]", "[1, %s]", `{"x":%s}`, `{"package_ids":["12"],"x":[%s,1]}`}
	for name, all := range texts.valid {
		t.Run("valid/"+name, func(t *testing.T) {
			for _, text := range all {
				for _, in := range inside {
					takes(t, fmt.Sprintf(in, text))
				}
			}
		})
	}
	for name, all := range texts.invalid {
		t.Run("invalid/"+name, func(t *testing.T) {
			for _, text := range all {
				for _, in := range inside {
					refuses(t, fmt.Sprintf(in, text))
				}
			}
		})
	}
	t.Run("alone", func(t *testing.T) {
		for _, text := range alone.valid {
			takes(t, text)
		}
		for _, text := range alone.invalid {
			refuses(t, text)
		}
	})
	for text, why := range map[string]string{
		`{"a":1,"a":1}`:            "names a member twice",
		`{"a":1,"\u0061":2}`:       "names a member twice",
		`["\ud800"]`:               "escapes half a surrogate pair",
		`["\udc00\ud800"]`:         "escapes half a surrogate pair",
		`["\ud800\u0061"]`:         "escapes half a surrogate pair",
		strings.Repeat("[", 20000): "nested deeper than 10000",
	} {
		t.Run("left open/"+why, func(t *testing.T) {
			rule, said := judge(t, text)
			assert.Equal(t, "body", rule)
			assert.Contains(t, said, why)
		})
	}
}
