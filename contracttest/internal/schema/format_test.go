package schema

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
)

func TestFormatsByTheirGrammar(t *testing.T) {
	for name, texts := range map[string]struct{ have, lack []string }{
		"uri": {
			have: []string{"https://a.example/b?c=d/e?f#g?h", "urn:isbn:1", "mailto:a@b.example", "data:,", "http://[2001:db8::1]:8080/", "http://[V1.fe]/", "file:///a", "http://u:p@a/%7Eb", "x:", "x:/", "http://a:/", "tel:+1-2"},
			lack: []string{"", "/a", "a.example", "http://a/b c", "http://a/{b}", "http://a/b|c", `http://a/b\c`, "http://a/<b>", "http://a/ü", "http://a/%7", "http://a/[b]", "http://[1.2.3.4]/", "http://[::g]/", "http://a@b@c/", "http://a:b/", "1a:b", "http:/a#b#c", "http://a/\n", "x://a/`", "x:\x00"},
		},
		"uri-reference": {
			have: []string{"", "#a", "?b", "/a", "//a/b", "../a", "a/b:c", "./a:b", "https://a.example", "a@b"},
			lack: []string{`\a`, "a b", "a^", "//a@b@c", "/[a]", "1:b", "%", "ü"},
		},
		"iri":           {have: []string{"https://a.example/ü", "http://ü.example/", "http://[::1]/", "http://a/?\ue000", "http://[v1.fe]"}, lack: []string{"/ü", "http://a/ü b", "http://a/\ue000", "http://a/\u202a\ufdd0"}},
		"iri-reference": {have: []string{"ü", "/ü#ü", ""}, lack: []string{"ü ü", `\ü`}},
		"uri-template": {
			have: []string{"", "/a", "/a/{b}", "/a{?b,c}", "{/a*}", "{#a}", "{+a}", "{.a.b}", "{;a:3}", "{&a,b*}", "{a:9999}", "{%41}", "/ü", "[a]", "a=b;c:d"},
			lack: []string{"{", "}", "{a", "{}", "{a,,b}", "{a..b}", "{a:0}", "{a:10000}", "{a=b}", "{,+a}", "a b", "{a b}", `a\b`, "a'b", "a|b", "%4", "{$a}"},
		},
		"ipv4":  {have: []string{"0.0.0.0", "255.1.2.3"}, lack: []string{"+1.2.3.4", "01.2.3.4", "1.2.3", "256.1.1.1", "::1", "1.2.3.4/8", ""}},
		"email": {have: []string{"a@b.example", "a+b@c.example", `"a b"@c.example`, "a@[127.0.0.1]", "a@b"}, lack: []string{"@b.example", "a@", "a", "a b@c.example", "a@b@c"}},
		"byte":  {have: []string{"", "YQ==", "YWJj"}, lack: []string{"YQ", "YQ=", "Y-_=", "YWJj\n", "YR=="}},
	} {
		for _, text := range texts.have {
			assert.NoError(t, checkFormat(name, text), "%s: %q", name, text)
		}
		for _, text := range texts.lack {
			assert.Error(t, checkFormat(name, text), "%s: %q", name, text)
		}
	}
}

// A format is left out only where no text is known that has it and the pattern.
func TestFormatAgainstPattern(t *testing.T) {
	for format, patterns := range map[string]struct{ keep, contradict []string }{
		"date-time": {keep: []string{`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$`, `^.*Z$`, `^20\d\d-`, `\+01:00$`, `\.\d{7}Z$`, `^\d{4}-\d{2}-\d{2}T\d{2}:00:00(Z|\+00:00)$`}, contradict: []string{`^\d{4}-\d{2}-\d{2} \d{2}:\d{2}$`, `^\d{10}$`}},
		"date":      {keep: []string{`^19\d\d-\d\d-\d\d$`, `^\d{4}-\d{2}-\d{2}$`, `^20[0-9]{2}-(0[1-9]|1[0-2])-[0-3][0-9]$`}, contradict: []string{`^\d{2}/\d{2}/\d{4}$`, `^\d{8}$`}},
		"time":      {keep: []string{`^\d{2}:\d{2}:\d{2}Z$`}, contradict: []string{`^\d{2}:\d{2}$`}},
		"uuid":      {keep: []string{`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`}, contradict: []string{`^[0-9a-f]{32}$`}},
		"email":     {keep: []string{`^[^@]+@corp\.example\.org$`}, contradict: []string{`^[a-z]+$`}},
		"ipv4":      {keep: []string{`^10\.`, `^10\.\d{1,3}\.\d{1,3}\.\d{1,3}$`, `^192\.168\.`}, contradict: []string{`:`}},
		"ipv6":      {keep: []string{`^fe80:`}, contradict: []string{`^\d+$`}},
		"uri":       {keep: []string{`\.png$`, `^https://.*\.png$`}, contradict: []string{`^/`}},
		"password":  {keep: []string{`^x+$`}}, // which each text has
	} {
		for _, p := range patterns.keep {
			assert.False(t, (&Set{}).contradicts(&openapi3.Schema{Format: format, Pattern: p}), "%s: %s", format, p)
		}
		for _, p := range patterns.contradict {
			assert.True(t, (&Set{}).contradicts(&openapi3.Schema{Format: format, Pattern: p}), "%s: %s", format, p)
		}
	}
}
