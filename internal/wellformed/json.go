package wellformed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Fault is the way in which bytes are not one well-formed JSON value.
type Fault string

// The faults, in the words that reports use.
const (
	Empty         Fault = "empty"          // no bytes, or white space alone
	Syntax        Fault = "syntax"         // not JSON (RFC 8259)
	Truncated     Fault = "truncated"      // ends inside the value
	TrailingBytes Fault = "trailing-bytes" // more than white space after the value
	DuplicateName Fault = "duplicate-name" // an object names a member twice (RFC 8259 §4)
	InvalidUTF8   Fault = "invalid-utf-8"  // RFC 8259 §8.1
	LoneSurrogate Fault = "lone-surrogate" // an escape of half a character: in the grammar, but not a string (RFC 8259 §8.2)
	ByteOrderMark Fault = "byte-order-mark"
	TooDeep       Fault = "too-deep" // nested deeper than MaxDepth
)

// MaxDepth is how many arrays and objects may stand inside one another: the
// bound that Go's JSON decoders set, jsontext among them.
const MaxDepth = 10_000

// Error is a Fault and where it is.
type Error struct {
	Fault   Fault
	Offset  int64  // bytes before the fault
	Pointer string // JSON pointer of the value at fault, or of the one before it
	cause   error
}

func (e *Error) Error() string {
	what := map[Fault]string{
		Empty:         "is empty",
		Syntax:        "is not JSON",
		Truncated:     "ends inside a JSON value",
		TrailingBytes: "goes on after the JSON value",
		DuplicateName: "names a member twice",
		InvalidUTF8:   "is not valid UTF-8",
		LoneSurrogate: "escapes half a surrogate pair",
		ByteOrderMark: "starts with a byte-order mark",
		TooDeep:       fmt.Sprintf("is nested deeper than %d", MaxDepth),
	}[e.Fault]
	where := ""
	if e.Pointer != "" {
		where = " in " + e.Pointer
	}
	return fmt.Sprintf("%s at byte %d%s", what, e.Offset, where)
}

func (e *Error) Unwrap() error { return e.cause }

var byteOrderMark = []byte("\xef\xbb\xbf")

// JSON returns nil if data is one JSON value in UTF-8 without duplicate names,
// with nothing but white space around it; else an *Error for the first fault.
func JSON(data []byte) error {
	if bytes.HasPrefix(data, byteOrderMark) {
		return &Error{Fault: ByteOrderMark}
	}
	end, err := scan(data)
	if err != nil {
		return classify(err, data)
	}
	return ends(data, end)
}

// Decode returns the value that data holds and that JSON takes, and fails as
// JSON does, in one pass over the bytes. Objects are of type map[string]any,
// arrays []any, and numbers json.Number, which loses no digit: as encoding/json
// decodes into an any with UseNumber.
func Decode(data []byte) (any, error) {
	if bytes.HasPrefix(data, byteOrderMark) {
		return nil, &Error{Fault: ByteOrderMark}
	}
	var value any
	end, err := read(data, func(dec *jsontext.Decoder) (err error) {
		value, err = decode(dec)
		return err
	})
	if err != nil {
		return nil, classify(err, data)
	}
	if err := ends(data, end); err != nil {
		return nil, err
	}
	return value, nil
}

// decode reads a value; how deep it recurses is bounded by the decoder.
func decode(dec *jsontext.Decoder) (any, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	case 't', 'f':
		return token.Bool(), nil
	case '[':
		array := make([]any, 0, 4)
		for dec.PeekKind() != ']' {
			value, err := decode(dec)
			if err != nil {
				return nil, err
			}
			array = append(array, value)
		}
		_, err := dec.ReadToken()
		return array, err
	case '{':
		object := map[string]any{}
		for dec.PeekKind() != '}' {
			token, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			name := token.String() // before the next token overwrites it
			if object[name], err = decode(dec); err != nil {
				return nil, err
			}
		}
		_, err := dec.ReadToken()
		return object, err
	default:
		return nil, nil
	}
}

// ends returns an error if there is more than white space after the value.
func ends(data []byte, end int64) error {
	if rest := bytes.TrimLeft(data[end:], " \t\r\n"); len(rest) > 0 {
		return &Error{Fault: TrailingBytes, Offset: int64(len(data) - len(rest))}
	}
	return nil
}

// scanner is a decoder that is used again, and what it reads from.
type scanner struct {
	dec jsontext.Decoder
	buf bytes.Buffer
}

var scanners = sync.Pool{New: func() any { return &scanner{} }}

// scan returns where the first value in data ends.
func scan(data []byte, opts ...jsontext.Options) (end int64, err error) {
	return read(data, (*jsontext.Decoder).SkipValue, opts...)
}

// read has f read the first value in data, and returns where it ends.
func read(data []byte, f func(*jsontext.Decoder) error, opts ...jsontext.Options) (end int64, err error) {
	s := scanners.Get().(*scanner) //nolint:forcetypeassert // nothing else is put there
	s.buf = *bytes.NewBuffer(data) // which is read in place
	s.dec.Reset(&s.buf, opts...)
	err = f(&s.dec)
	end = s.dec.InputOffset()
	s.buf = bytes.Buffer{}
	s.dec.Reset(&s.buf) // so that it holds on to nothing of the data
	scanners.Put(s)
	return end, err
}

// classify names the fault behind an error of scan.
func classify(err error, data []byte) error {
	e := &Error{Fault: Syntax, cause: err}
	if se, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		e.Offset, e.Pointer, e.cause = se.ByteOffset, string(se.JSONPointer), se.Err
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Fault, e.Offset = Truncated, int64(len(data))
	case errors.Is(err, io.EOF):
		e.Fault, e.Offset = Empty, 0
	case errors.Is(err, jsontext.ErrDuplicateName):
		e.Fault = DuplicateName
	case !utf8.Valid(data):
		e.Fault = InvalidUTF8
	case passes(data, jsontext.AllowInvalidUTF8(true)):
		e.Fault = LoneSurrogate
	case depth(data) > MaxDepth:
		e.Fault = TooDeep
	}
	return e
}

func passes(data []byte, opts ...jsontext.Options) bool {
	_, err := scan(data, opts...)
	return err == nil
}

// depth counts the brackets that are open at once at most, outside strings.
func depth(data []byte) int {
	open, deepest := 0, 0
	for c := range outsideStrings(data) {
		switch c {
		case '[', '{':
			open++
			deepest = max(deepest, open)
		case ']', '}':
			open--
		}
	}
	return deepest
}

// outsideStrings are the bytes of data that are in no string.
func outsideStrings(data []byte) iter.Seq[byte] {
	return func(yield func(byte) bool) {
		inString := false
		for i := 0; i < len(data); i++ {
			switch c := data[i]; {
			case inString && c == '\\':
				i++
			case c == '"':
				inString = !inString
			case !inString && !yield(c):
				return
			}
		}
	}
}
