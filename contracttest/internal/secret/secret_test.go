package secret

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHide(t *testing.T) {
	for _, tt := range []struct{ secret, text, want string }{
		{"abc", "abcdefgh and dabc and abc1", "abcdefgh and dabc and abc1"},
		{"abc", "abc, (abc) key=abc; äabc", "***, (***) key=***; äabc"},
		{"abc", "abcabc abc abc", "abcabc *** ***"},
		{"abc", `?q=Bearer%20abc&x {"m":"\nabc\u0020abc"}`, `?q=Bearer%20***&x {"m":"\n***\u0020***"}`},
		{"a b", "?k=a+b&k=a%20b", "?k=***&k=***"},
		{"longsecret", "xlongsecrety", "x***y"},
		{"", "abc", "abc"},
		{`long/secret&"ü`, `{"k": "long/secret&\"ü", "l": "long/secret\u0026\"\u00fc \"long/secret&\"\u00fc\"", "m": "long\/secret&\"ü"}`, `{"k": "***", "l": "*** \"***\"", "m": "***"}`},
		{`long/secret&"ü`, `{"k": "{\"l\": \"long/secret&\\\"ü\"}"} <b>long/secret&amp;&#34;ü</b>`, `{"k": "{\"l\": \"***\"}"} <b>***</b>`},
	} {
		assert.Equal(t, tt.want, Hide(tt.text, []string{tt.secret}), "%s in %s", tt.secret, tt.text)
	}
	shown := Mask([]string{"abi"}, []string{"x-wrong"})
	assert.Equal(t, "a cabinet", shown("X-Other", "a cabinet"))
	assert.Equal(t, "$X_KEY", shown("X-Key", "abi"))
	assert.Equal(t, "Basic ***", shown("X-Wrong", "Basic abi"), "the good one is not to be sent in its place")
}
