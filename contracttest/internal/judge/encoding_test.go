package judge_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// packed is a text as a coder writes it.
func packed(text string, coder func(io.Writer) io.WriteCloser) string {
	var b bytes.Buffer
	w := coder(&b)
	_, err := io.WriteString(w, text)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return b.String()
}

func gzipped(text string) string {
	return packed(text, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

var (
	zipped   = gzipped(`{"a":"b"}`)
	deflated = packed(`{"a":"b"}`, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	brotlied = packed(`{"a":"b"}`, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) })
	zstded   = packed(`{"a":"b"}`, func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			panic(err)
		}
		return z
	})
	flat = packed(`{"a":"b"}`, func(w io.Writer) io.WriteCloser {
		z, err := flate.NewWriter(w, flate.BestSpeed)
		if err != nil {
			panic(err)
		}
		return z
	})
)

// coded is the good answer in a coding.
func coded(coding, body string) string {
	return "HTTP/1.1 200 OK\nContent-Type: application/json\nX-Count: 1\nContent-Encoding: " + coding + "\n\n" + body
}

// The other checks judge what is in the coding, where somebody can look into it.
func TestDecoded(t *testing.T) {
	for _, tt := range []struct{ name, coding, body, want string }{
		{"good", "gzip", zipped, ""},
		{"schema", "gzip", gzipped(`{"a":"abcd"}`), "response-schema"},
		{"syntax", "x-gzip", gzipped(`{"a"`), "response-body-malformed"},
		{"a lie is judged as it stands", "gzip", `{"a":"b"}`, "response-encoding"},
		{"schema in br", "br", packed(`{"a":"abcd"}`, func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) }), "response-schema"},
		{"good in zstd", "zstd", zstded, ""},
		{"opaque", "compress", "\x1f\x9d", ""},
		{"larger than can be read", "gzip", gzipped(strings.Repeat(" ", 9<<20)), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := judge.Judge(row{response: coded(tt.coding, tt.body)}.exchange(t), nil)
			if tt.want == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, tt.want, found[0].Check)
		})
	}
	found := judge.Judge(row{response: strings.Replace(coded("gzip", zipped), "application/json", "text/html", 1)}.exchange(t), nil)
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Message, `{"a":"b"}`, "a message shows the body without its coding")
}
