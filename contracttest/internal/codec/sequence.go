package codec

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dataarts-go/factory/internal/mediatype"
)

// Framing is how the items of a sequence are told apart (OpenAPI 3.2.0, Sequential Media
// Types).
type Framing int

// The framings.
const (
	Whole   Framing = iota // the media type is of no sequence
	Lines                  // a JSON value on each line: application/jsonl, application/x-ndjson
	Records                // a JSON value after each U+001E (RFC 7464)
	Events                 // server-sent events (WHATWG HTML §9.2)
	Parts                  // multipart/mixed and the like, whose parts need no names (RFC 2046 §5.1)
)

// lineTypes are the media types of JSON on lines, without an x- before them: none of them is
// registered, and services use them all.
var lineTypes = []string{"application/jsonl", "application/jsonlines", "application/json-lines", "application/ndjson", "application/stream+json"}

// FramingOf returns the framing of a media type.
func FramingOf(key string) Framing {
	t, err := mediatype.Parse(mediatype.List(key)[0])
	if err != nil {
		return Whole
	}
	switch name := t.Type + "/" + strings.TrimPrefix(t.Subtype, "x-"); {
	case slices.Contains(lineTypes, name):
		return Lines
	case name == "application/json-seq", strings.HasSuffix(t.Subtype, "+json-seq"):
		return Records
	case name == "text/event-stream":
		return Events
	case t.Type == "multipart" && t.Subtype != "form-data" && t.Subtype != "*":
		return Parts
	}
	return Whole
}

// Rule says what a sequence is, for the clause about it.
func (f Framing) Rule() string {
	switch f {
	case Lines:
		return "a sequence of JSON values in UTF-8, one on each line"
	case Records:
		return "a sequence of JSON values in UTF-8, each after U+001E (RFC 7464)"
	case Events:
		return "a stream of events in UTF-8, each ended by an empty line (WHATWG HTML §9.2.5)"
	case Parts:
		return "a list of parts between boundaries (RFC 2046 §5.1)"
	}
	return ""
}

// maxItems bounds the items of a sequence that are read.
const maxItems = 10_000

// ReadSequence reads the items of a sequence with a Content-Type, up to the first that cannot
// be read: err says which, and why. Of a sequence that was left before its end, the item that
// was on its way is none.
func ReadSequence(f Framing, label string, body []byte, ended bool) (items []any, err error) {
	items = []any{}
	if !ended {
		body = body[:f.complete(body)]
	}
	if f != Parts && !utf8.Valid(body) {
		return items, errors.New("is not UTF-8")
	}
	switch f {
	case Lines:
		return readValues(bytes.Split(body, []byte("\n")))
	case Records:
		before, _, _ := bytes.Cut(body, []byte{recordSeparator})
		if len(bytes.TrimSpace(before)) > 0 {
			return items, errors.New("does not begin with U+001E (RFC 7464 §2.2)")
		}
		return readValues(bytes.Split(body, []byte{recordSeparator}))
	case Events:
		return readEvents(body)
	case Parts:
		return readMixed(label, body, ended)
	}
	return items, nil
}

const recordSeparator = 0x1e

// complete is how many of the bytes of a sequence that goes on are whole items. Parts are cut
// where they are read.
func (f Framing) complete(body []byte) int {
	switch f {
	case Lines:
		return bytes.LastIndexByte(body, '\n') + 1
	case Records:
		return max(0, bytes.LastIndexByte(body, recordSeparator))
	case Events:
		end := 0
		for _, ending := range []string{"\n\n", "\r\n\r\n", "\r\r"} {
			if i := bytes.LastIndex(body, []byte(ending)); i >= 0 {
				end = max(end, i+len(ending))
			}
		}
		return end
	}
	return len(body)
}

// readValues reads texts that are a JSON value each, but for empty ones.
func readValues(texts [][]byte) ([]any, error) {
	items := []any{}
	for _, text := range texts {
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		got := readItemOfJSON(text)
		if got.Bad != nil {
			return items, &itemError{fmt.Sprintf("has an item %d that is no JSON: %s", len(items)+1, got.Why), got.Spare}
		}
		if items = append(items, got.Value); len(items) == maxItems {
			break
		}
	}
	return items, nil
}

// itemError says what is wrong with an item, and why some read it all the same.
type itemError struct{ text, spare string }

func (e *itemError) Error() string { return e.text }

// Spares says why a receiver may take a sequence of which err says what is wrong; it is empty where
// nothing does.
func Spares(err error) string {
	if e, ok := errors.AsType[*itemError](err); ok {
		return e.spare
	}
	return ""
}

// readItemOfJSON reads one JSON value. Half a surrogate pair is in the grammar, and breaks
// nothing.
func readItemOfJSON(text []byte) Reading {
	got := readJSON(string(text))
	if got.Bad != nil && got.Spare == leaveSurrogate {
		if v, err := DecodeJSON(text); err == nil {
			return Reading{Value: v, Found: true}
		}
	}
	return got
}

// readEvents reads server-sent events as browsers do (WHATWG HTML §9.2.6): comments, unknown
// fields and events without data are passed over, lines of data are joined. A member is there
// where its field is; retry is a number, the others are texts (OpenAPI 3.2.0, Special
// Considerations for text/event-stream Content).
func readEvents(body []byte) ([]any, error) {
	text := strings.TrimPrefix(string(body), "\ufeff")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	items, event, data := []any{}, map[string]any{}, []string(nil)
	for line := range strings.Lines(text) {
		line, ended := strings.CutSuffix(line, "\n")
		if line == "" && ended {
			if data != nil {
				event["data"] = strings.Join(data, "\n")
				items = append(items, event)
			}
			event, data = map[string]any{}, nil
			if len(items) == maxItems {
				return items, nil
			}
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "data":
			data = append(data, value)
		case "event":
			event[name] = value
		case "id":
			if !strings.Contains(value, "\x00") {
				event[name] = value
			}
		case "retry":
			if value != "" && strings.Trim(value, "0123456789") == "" {
				event[name] = json.Number(cmp.Or(strings.TrimLeft(value, "0"), "0"))
			}
		}
	}
	if data != nil {
		return items, errors.New("ends inside an event: without an empty line after it, no client sees the last one (WHATWG HTML §9.2.6)")
	}
	return items, nil
}

// readMixed reads the parts of a multipart body: of JSON the value, of others the text.
func readMixed(label string, body []byte, ended bool) ([]any, error) {
	items := []any{}
	_, params, err := mime.ParseMediaType(label)
	if err != nil || params["boundary"] == "" {
		return items, errors.New("has no boundary in its Content-Type (RFC 2046 §5.1.1)")
	}
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for len(items) < maxItems {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) && ended && len(items) == 0 && len(body) > 0 && !bytes.Contains(body, []byte("--"+params["boundary"])) {
			return items, errors.New("has no part between boundaries (RFC 2046 §5.1.1)")
		}
		if errors.Is(err, io.EOF) || err != nil && !ended {
			break
		}
		if err != nil {
			return items, fmt.Errorf("is no multipart body (RFC 2046 §5.1): %w", err)
		}
		data, err := io.ReadAll(part)
		if err != nil && !ended {
			break // it was on its way
		}
		if err != nil {
			return items, fmt.Errorf("ends inside part %d: %w", len(items)+1, err)
		}
		item := any(string(data))
		if IsJSON(part.Header.Get("Content-Type")) {
			got := readItemOfJSON(data)
			if got.Bad != nil {
				return items, &itemError{fmt.Sprintf("has a part %d that calls itself JSON: %s", len(items)+1, got.Why), got.Spare}
			}
			item = got.Value
		}
		items = append(items, item)
	}
	return items, nil
}

// PartTypes lists the Content-Type of the parts of a multipart body that can be read.
func PartTypes(label string, body []byte) []string {
	_, params, err := mime.ParseMediaType(label)
	if err != nil || params["boundary"] == "" {
		return nil
	}
	var types []string
	r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for len(types) < maxItems {
		part, err := r.NextRawPart()
		if err != nil {
			break
		}
		types = append(types, part.Header.Get("Content-Type"))
	}
	return types
}

// WriteMixed writes the parts of a multipart body, which have no names, each as a value of a media type: as JSON, or as
// the text that it is.
func WriteMixed(items []any, typeOf func(i int) string) ([]byte, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(Boundary); err != nil {
		return nil, fmt.Errorf("multipart: %w", err)
	}
	for i, v := range items {
		kind := typeOf(i)
		text := []byte(WriteText(v))
		_, isList := v.([]any)
		_, isObject := v.(map[string]any)
		if IsJSON(kind) {
			encoded, err := WriteJSON(v)
			if err != nil {
				return nil, err
			}
			text = encoded
		} else if isList || isObject {
			return nil, fmt.Errorf("multipart: nothing says how a part of %s holds an object or a list", kind)
		}
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Type": {kind}})
		if err == nil {
			_, err = part.Write(text)
		}
		if err != nil {
			return nil, fmt.Errorf("multipart: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("multipart: %w", err)
	}
	return b.Bytes(), nil
}

// WriteSequence writes values as a sequence of JSON.
func WriteSequence(f Framing, items []any) ([]byte, error) {
	var b bytes.Buffer
	for _, v := range items {
		text, err := WriteJSON(v)
		if err != nil {
			return nil, err
		}
		if f == Records {
			b.WriteByte(recordSeparator)
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// Counter counts the items of a sequence while its bytes come in.
type Counter struct {
	framing  Framing
	boundary string
	items    int
	line     []byte // the start of the line that is coming
	last     byte
	data     bool // the item that is coming has something in it
}

// NewCounter returns a counter for a Content-Type; nil where it is that of no sequence.
func NewCounter(label string) *Counter {
	f := FramingOf(label)
	if f == Whole {
		return nil
	}
	_, params, _ := mime.ParseMediaType(label) // FramingOf has read it
	return &Counter{framing: f, boundary: "--" + params["boundary"]}
}

// Count is how many came in to their ends.
func (c *Counter) Count() int { return c.items }

// lineStart is as much of a line as tells what it is: a boundary has at most 70 characters
// (RFC 2046 §5.1.1).
const lineStart = 80

// Take counts what ends in some more bytes, up to as many items as are wanted. It returns how
// many of the bytes that takes.
func (c *Counter) Take(p []byte, most int) int {
	for i, b := range p {
		before := c.last
		c.last = b
		switch {
		case c.framing == Events && before == '\r' && b == '\n': // one end of a line
		case c.framing == Records && b == recordSeparator, b == '\n', b == '\r' && c.framing == Events:
			c.end(b)
			if c.line = c.line[:0]; c.items >= most {
				return i + 1
			}
		case len(c.line) < lineStart && b != '\r':
			c.line = append(c.line, b)
		}
	}
	return len(p)
}

// end takes in a line.
func (c *Counter) end(by byte) {
	line := string(c.line)
	blank := strings.TrimSpace(line) == ""
	ends := false
	switch c.framing {
	case Lines:
		ends = !blank
	case Records:
		c.data = c.data || !blank
		ends = by == recordSeparator && c.data
	case Events:
		ends = line == "" && c.data
		c.data = c.data || line == "data" || strings.HasPrefix(line, "data:")
	case Parts:
		delimits := strings.HasPrefix(line, c.boundary)
		ends = delimits && c.data
		c.data = c.data || delimits
		if ends {
			c.items++
		}
		return
	}
	if ends {
		c.items, c.data = c.items+1, false
	}
}
