package wire

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// maxDecoded is how many bytes a body may have without its coding.
const maxDecoded = 8 << 20

// ErrUndecodable is returned for a body that may be in the coding that it is said to be in, but that
// cannot be looked into.
var ErrUndecodable = errors.New("cannot be decoded here")

// maxWindow is the largest window of zstd as a content coding (RFC 9659 §3).
const maxWindow = 8 << 20

// opaque are the registered content codings that are not decoded.
var opaque = []string{"compress", "x-compress", "dcb", "dcz", "exi", "aes128gcm", "pack200-gzip"}

// Opaque reports whether a content coding is one that is not decoded.
func Opaque(coding string) bool { return slices.Contains(opaque, coding) }

// Decode returns a body as it was before a content coding, which is named in lower case.
func Decode(coding string, body []byte) ([]byte, error) {
	var r io.Reader
	var err error
	switch {
	case coding == "gzip", coding == "x-gzip":
		r, err = gzip.NewReader(bytes.NewReader(body))
	case coding == "deflate":
		if r, err = zlib.NewReader(bytes.NewReader(body)); err != nil {
			// Without the zlib wrapper, as some send it (RFC 9110 §8.4.1.2).
			r, err = flate.NewReader(bytes.NewReader(body)), nil
		}
	case coding == "br":
		r = brotli.NewReader(bytes.NewReader(body))
	case coding == "zstd":
		var z *zstd.Decoder
		z, err = zstd.NewReader(bytes.NewReader(body), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(4*maxDecoded))
		if err == nil {
			defer z.Close()
			r = z
		}
	case Opaque(coding):
		return nil, ErrUndecodable
	default:
		return nil, errors.New("there is no such coding")
	}
	if err != nil {
		return nil, err
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxDecoded+1))
	if err == nil && len(plain) > maxDecoded {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrUndecodable, maxDecoded)
	}
	return plain, err
}

// Codings are the content codings that bodies are sent in, with the command of the shell that
// encodes its input so.
var Codings = []struct{ Name, command string }{{"gzip", "gzip -c"}, {"deflate", "zlib-flate -compress"}, {"br", "brotli -c"}, {"zstd", "zstd -c"}}

// Encodes reports whether bodies are sent in a content coding.
func Encodes(coding string) bool { return commandOf(coding) != "" }

func commandOf(coding string) string {
	for _, c := range Codings {
		if strings.EqualFold(c.Name, coding) {
			return c.command
		}
	}
	return ""
}

// Encode writes a body in a content coding, the same bytes each time.
func Encode(coding string, body []byte) ([]byte, error) {
	var b bytes.Buffer
	var w io.WriteCloser
	switch strings.ToLower(coding) {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "deflate":
		w = zlib.NewWriter(&b)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		w = z
	default:
		return body, nil
	}
	if _, err := w.Write(body); err != nil {
		return nil, fmt.Errorf("%s: %w", coding, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("%s: %w", coding, err)
	}
	return b.Bytes(), nil
}
