package run

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/unique"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// TestFreshWhateverItIsCalled proves that JSON has new texts under the name of a
// form too: a target that takes it would be left with those of the plan, and a
// second run would meet them.
func TestFreshWhateverItIsCalled(t *testing.T) {
	for _, kind := range []string{"application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"} {
		req := &wire.Request{Body: []byte(` {"title":"abc"}`)}
		req.Set("Content-Type", kind)
		all := texts(req)
		require.Len(t, all, 1, kind)
		assert.Equal(t, "abc", all[0].value, kind)
	}
}

// TestFresh proves that texts which look unique are new in each request, and are
// judged by their schema as the planned ones are.
func TestFresh(t *testing.T) {
	c, err := contract.Parse("t.yaml", []byte(`
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /members:
    post:
      requestBody: {required: true, content: {application/json: {schema: {type: object, properties: {
        email: {type: string, format: email, maxLength: 20}, slug: {type: string, pattern: '^[a-z]{4}$'}, code: {type: string, pattern: '^[A-Z]{2}[0-9]{3}$'},
        sku: {type: string, pattern: '^[0-9X]{10,13}$', maxLength: 13}, key: {type: string, pattern: '^978[0-9]{10}$'}, name: {type: string, enum: [one, two]}, title: {type: string, minLength: 3, maxLength: 12}, note: {type: string}, inner: {type: object, properties: {key: {type: string}}}}}}}}
      responses: {'201': {description: made}}
`))
	require.NoError(t, err)
	op := c.Operations[0]
	tests := []struct {
		name, body string
		base       bool // the text is that of the valid request
		shown      string
		same       bool // nothing is new
		length     int  // of the new text; 0 where it does not matter
	}{
		{"address", `{"email":"ada@example.com"}`, true, `{"email":"unique00@example.com"}`, false, 0},
		{"letters alone", `{"slug":"abcd"}`, true, `{"slug":"abcd"}`, false, 4},
		{"letters and digits", `{"code":"AB123"}`, true, `{"code":"AB123"}`, false, 5},
		{"zeros", `{"sku":"0000000000"}`, true, `{"sku":"0000000000"}`, false, 10},
		{"behind a fixed beginning", `{"key":"9780000000000"}`, true, `{"key":"9780000000000"}`, false, 13},
		{"enumeration", `{"name":"one"}`, true, `{"name":"one"}`, true, 0},
		{"text", `{"title":"abc"}`, true, `{"title":"abc-unique00"}`, false, 0},
		{"text at its edge", `{"title":"abcdefghijkl"}`, false, `{"title":"abcdunique00"}`, false, 12},
		{"short text at its edge", `{"title":"abc"}`, false, `{"title":"abc"}`, false, 3},
		{"too long a text", `{"title":"abcdefghijklm"}`, false, `{"title":"abcdeunique00"}`, false, 13},
		{"another property", `{"note":"abc"}`, true, `{"note":"abc"}`, true, 0},
		{"inside", `{"inner": {"key" : "abc"}}`, true, `{"inner": {"key" : "abc-unique00"}}`, false, 0},
		{"spelt with an escape", `{"title":"ab\u0063"}`, true, `{"title":"ab\u0063unique00"}`, false, 0},
		{"an address spelt with an escape", `{"email":"ada@\u0061b.com"}`, true, `{"email":"unique00-ada@\u0061b.com"}`, false, 0},
		{"cut short", `{"title":"abc","x":`, true, `{"title":"abc-unique00","x":`, false, 0},
		{"a list", `{"title":["abc"]}`, true, `{"title":["abc"]}`, true, 0},
		{"no JSON", `title`, true, `title`, true, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := newUniques(world.New(c), op, unique.New())
			require.NotNil(t, u)
			req := &wire.Request{Method: "POST", Target: "/members", Body: []byte(tt.body)}
			base := map[string]string{}
			if tt.base {
				for _, s := range texts(req) {
					base[s.name] = s.value
				}
			}
			seen := map[string]bool{}
			for range 3 {
				sent, shown := u.fresh(req, base, nil, false)
				assert.Equal(t, tt.shown, string(shown.Body))
				assert.Equal(t, json.Valid(req.Body), json.Valid(sent.Body), "%s", sent.Body)
				if tt.same {
					assert.Equal(t, tt.body, string(sent.Body))
					continue
				}
				assert.False(t, seen[string(sent.Body)], "%s", sent.Body)
				seen[string(sent.Body)] = true
				if tt.length > 0 {
					assert.Len(t, []rune(texts(sent)[0].value), tt.length)
				}
				assert.Equal(t, op.Body.Media[0].Node.Prop(texts(req)[0].name) == nil, op.Body.Media[0].Node.Prop(texts(sent)[0].name) == nil)
			}
			given, _ := u.fresh(req, base, map[string][]string{"title": {"abc"}, "email": {"ada@example.com", "ada@ab.com"}, "key": {"abc"}}, false)
			if strings.Contains(tt.body, `"abc"`) || strings.Contains(tt.body, "ada@") {
				assert.Equal(t, tt.body, string(given.Body), "what the user gives stays")
			}
		})
	}
}

// TestTexts proves that the texts of forms are found, and written as forms have them.
func TestTexts(t *testing.T) {
	const multipart = "multipart/form-data; boundary=\"a b\""
	tests := []struct {
		name, kind, body string
		want             map[string]string
		written          string // with "&ä" behind each
	}{
		{"form", "application/x-www-form-urlencoded", "title=a+b%21&x=&y&z=%zz&n=1", map[string]string{"title": "a b!", "n": "1"}, "title=a+b%21%26%C3%A4&x=&y&z=%zz&n=1%26%C3%A4"},
		{
			"multipart", multipart,
			"--a b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nabc\r\n--a b\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\nx\r\n" +
				"--a b\r\nContent-Disposition: form-data; name=j\r\nContent-Type: application/json\r\n\r\n{}\r\n--a b\r\nContent-Disposition: form-data; name=e\r\n\r\n\r\n" +
				"--a b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-disposition: form-data; name=n\r\n\r\nz\r\n--a b--\r\n",
			map[string]string{"title": "abc", "n": "z"}, "abc&ä",
		},
		{"multipart, cut short", multipart, "--a b\r\nContent-Disposition: form-data; name=title\r\n\r\nabc", map[string]string{}, ""},
		{"multipart without a boundary", "multipart/form-data", "--a b\r\n", map[string]string{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := &wire.Request{Method: "POST", Target: "/", Body: []byte(tt.body)}
			req.Set("Content-Type", tt.kind)
			got, last := map[string]string{}, 0
			var written strings.Builder
			for _, s := range texts(req) {
				got[s.name] = s.value
				text, err := s.write(s.value + "&ä")
				require.NoError(t, err)
				written.WriteString(tt.body[last:s.start] + text)
				last = s.end
			}
			assert.Equal(t, tt.want, got)
			assert.Contains(t, written.String()+tt.body[last:], tt.written)
		})
	}
}

// FuzzFields proves the same of forms as FuzzTexts does of JSON.
func FuzzFields(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", []byte("a=b&c=%20&d&=e"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=a\r\n\r\nc\r\n--b--"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		req := &wire.Request{Body: body}
		req.Set("Content-Type", kind)
		last := 0
		for _, s := range texts(req) {
			if s.start < last || s.end > len(body) || s.start >= s.end {
				t.Fatalf("%d to %d of %d", s.start, s.end, len(body))
			}
			last = s.end
		}
	})
}

// FuzzTexts proves that what is found in a body is where it is said to be.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{`{"a":"b","c":["d",{"e":"f"}],"g":{"h":"i"}}`, `{"a" : "\u0062" }`, `{"a":"b"`, `[]`, `}`, `{"a":1,"b":null,"c":"d"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		last := 0
		for _, s := range texts(&wire.Request{Body: body}) {
			if s.start < last || s.end > len(body) || s.start >= s.end {
				t.Fatalf("%d to %d of %d", s.start, s.end, len(body))
			}
			var v string
			if err := json.Unmarshal(body[s.start:s.end], &v); err != nil || v != s.value {
				t.Fatalf("%q is not %q: %v", body[s.start:s.end], s.value, err)
			}
			last = s.end
		}
	})
}
