package wellformed_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/wellformed"
)

func TestJSON(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		name, data string
		want       wellformed.Fault // empty: well-formed
		offset     int64
	}{
		{name: "object", data: `{"a":[1,"b",null]}`},
		{name: "scalar with white space", data: " \t1\r\n"},
		{name: "surrogate pair", data: `"\ud83d\ude00"`},
		{name: "escaped NUL", data: `"\u0000"`},
		{name: "deepest", data: deep(wellformed.MaxDepth)},
		{name: "nothing", data: "", want: wellformed.Empty},
		{name: "white space", data: "\n ", want: wellformed.Empty},
		{name: "word", data: "nope", want: wellformed.Syntax, offset: 1},
		{name: "single quotes", data: `{'a':1}`, want: wellformed.Syntax, offset: 1},
		{name: "trailing comma", data: `[1,]`, want: wellformed.Syntax, offset: 2},
		{name: "raw control character", data: "\"\x01\"", want: wellformed.Syntax, offset: 1},
		{name: "cut object", data: `{"a":1`, want: wellformed.Truncated, offset: 6},
		{name: "cut string", data: `"a`, want: wellformed.Truncated, offset: 2},
		{name: "bytes after the value", data: `{} x`, want: wellformed.TrailingBytes, offset: 3},
		{name: "second value", data: `{}{}`, want: wellformed.TrailingBytes, offset: 2},
		{name: "NUL after the value", data: "{}\x00", want: wellformed.TrailingBytes, offset: 2},
		{name: "duplicate name", data: `{"a":1,"a":2}`, want: wellformed.DuplicateName, offset: 7},
		{name: "duplicate name spelt otherwise", data: `{"a":1,"\u0061":2}`, want: wellformed.DuplicateName, offset: 7},
		{name: "bad UTF-8", data: "\"\xff\"", want: wellformed.InvalidUTF8, offset: 1},
		{name: "lone surrogate", data: `"\ud800"`, want: wellformed.LoneSurrogate, offset: 1},
		{name: "byte-order mark", data: "\xef\xbb\xbf{}", want: wellformed.ByteOrderMark},
		{name: "too deep", data: deep(wellformed.MaxDepth + 1), want: wellformed.TooDeep, offset: wellformed.MaxDepth},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := wellformed.JSON([]byte(tt.data))
			value, decoding := wellformed.Decode([]byte(tt.data))
			if tt.want == "" {
				require.NoError(t, err)
				require.NoError(t, decoding)
				assert.Equal(t, standard(t, []byte(tt.data)), value)
				return
			}
			assert.Equal(t, err, decoding)
			assert.Nil(t, value)
			var fault *wellformed.Error
			require.ErrorAs(t, err, &fault)
			assert.Equal(t, tt.want, fault.Fault)
			assert.Equal(t, tt.offset, fault.Offset)
		})
	}
}

func TestDecode(t *testing.T) {
	for _, data := range []string{
		`{}`, `[]`, `""`, `null`, `true`, `[false]`, `-0`, `1.50`, `12345678901234567890`, `1e400`,
		`{"":[{"\u0061":"\ud83d\ude00"},[[]],{}],"é":null}`,
	} {
		value, err := wellformed.Decode([]byte(data))
		require.NoError(t, err, data)
		assert.Equal(t, standard(t, []byte(data)), value, data)
	}
}

// standard is what encoding/json makes of data.
func standard(t *testing.T, data []byte) (value any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	require.NoError(t, dec.Decode(&value))
	return value
}

// What is well-formed here, the standard decoder takes too; what it refuses is
// never well-formed here.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,"b",null]}`))
	f.Add([]byte("\"\xff\""))
	f.Add([]byte(`{} {}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := wellformed.JSON(data)
		value, decoding := wellformed.Decode(data)
		assert.Equal(t, err, decoding)
		if err != nil {
			return
		}
		if !json.Valid(data) || !utf8.Valid(data) {
			t.Fatalf("%q passes, the standard library refuses it", data)
		}
		assert.Equal(t, standard(t, data), value)
	})
}
