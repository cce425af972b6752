package codec

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// Part is one part of a multipart body.
type Part struct {
	Name string
	// Value is what the part stands for: a RawText or RawXML where only its schema says, a Reading
	// where some read what is bad.
	Value any
}

// Joined returns what the items of a list are separated by that is one part; it is empty
// where each is a part of its own.
func Joined(enc *openapi3.Encoding) string { return delimiterOf(enc) }

// Join writes the items of a list as one text.
func Join(items []any, delimiter string) string {
	return strings.Join(escaped(items, func(text string) string { return text }), delimiter)
}

// RawText is the text of a part that is read as its schema has it.
type RawText string

// RawXML is the text of a part that is a document of XML, unless its schema takes a text.
type RawXML string

// Why a receiver may read such a part otherwise.
const (
	leavePartRoot   = "OpenAPI 3.0.3, XML Object: what the root element of a schema without a name is called is not defined"
	leavePartCoding = "XML 1.0 §4.3.3, §5.1: a processor need not read every encoding, nor entities that are declared elsewhere"
)

// readXMLPart reads a part that is a document of XML, whatever its root element is called.
func readXMLPart(nodes schema.Nodes, text string) Reading {
	e, err := parseXML([]byte(text))
	switch {
	case errors.Is(err, ErrNotJudged):
		return Spared(leavePartCoding)
	case err != nil:
		return unreadable(err.Error())
	}
	got := readElement(nodes, e, xmlName{})
	if xmlOf(nodes).Name == "" {
		got.Leave = cmp.Or(got.Leave, leavePartRoot)
	}
	return got
}

// WriteXMLPart writes a value as a part that is a document of XML, called as the property is where nothing
// else is documented.
func WriteXMLPart(nodes schema.Nodes, name string, v any) (string, error) {
	w := &xmlWriter{}
	err := w.element(nameOr(xmlOf(nodes), name), nodes, v)
	return w.b.String(), err
}

// ReadParts reads the value of a multipart body from its parts: each part is a member, or
// an item of one that is a list (RFC 7578 §4.3).
func ReadParts(node *schema.Node, parts []Part) Reading {
	nodes := schema.Nodes{node}
	var names []string
	values := map[string][]any{}
	for _, p := range parts {
		if _, ok := values[p.Name]; !ok {
			names = append(names, p.Name)
		}
		values[p.Name] = append(values[p.Name], p.Value)
	}
	return best(nodes, func(yield func(Reading) bool) {
		for _, a := range nodes.Alternatives() {
			members := map[string]any{}
			got := Reading{Value: members, Found: true}
			for _, name := range names {
				one := readMember(a.Member(name), values[name])
				if one.Bad != nil {
					got = one.inside(name)
					break
				}
				members[name] = one.Value
				got.left(one.Leave, name)
			}
			if !yield(got) {
				return
			}
		}
	})
}

// readMember reads the parts of one member.
func readMember(nodes schema.Nodes, parts []any) Reading {
	return best(nodes, func(yield func(Reading) bool) {
		lists, others := byList(nodes)
		if len(nodes) == 0 && len(parts) > 1 {
			lists, others = []schema.Alternative{{}}, false
		}
		one := func() bool {
			got := readPart(nodes, parts[0])
			if len(parts) > 1 {
				got.Leave = cmp.Or(got.Leave, leaveRepeatedKey)
			}
			return yield(got)
		}
		if others && len(parts) == 1 && !one() {
			return
		}
		for _, a := range lists {
			if !yield(readPartsOfList(a, parts)) {
				return
			}
		}
		if others && len(parts) > 1 {
			one()
		}
	})
}

func readPartsOfList(a schema.Alternative, parts []any) Reading {
	if list, whole := parts[0].([]any); whole && len(parts) == 1 {
		return Reading{Value: list, Found: true, Leave: leaveNested}
	}
	list := make([]any, len(parts))
	got := Reading{Value: list, Found: true}
	for i, part := range parts {
		item := readItem(a, i, func(nodes schema.Nodes) Reading { return readPart(nodes, part) })
		if item.Bad != nil {
			return item.inside(strconv.Itoa(i))
		}
		list[i] = item.Value
		got.left(item.Leave, strconv.Itoa(i))
	}
	return got
}

func readPart(nodes schema.Nodes, v any) Reading {
	switch v := v.(type) {
	case RawText:
		return readNested(nodes, string(v))
	case RawXML:
		if len(nodes) == 0 || slices.Contains(nodes.Shapes(), schema.Scalar) { // the text may be the XML itself
			return readNested(nodes, string(v))
		}
		return readXMLPart(nodes, string(v))
	case Reading:
		return v
	}
	return Reading{Value: v, Found: true}
}

// Boundary is fixed, so that a plan has the same bytes each time.
const Boundary = "contracttest-7MA4YWxkTrZu0gW"

// Piece is a part of a multipart body that is to be written.
type Piece struct {
	Name   string
	Value  any
	File   bool              // it is sent as a file
	JSON   bool              // its value is sent as JSON; an object always is
	Type   string            // its Content-Type; empty for the usual one
	Header map[string]string // further fields
}

// WriteParts writes a multipart body as RFC 7578 §4.2 to §4.4 has it.
func WriteParts(pieces []Piece) ([]byte, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(Boundary); err != nil {
		return nil, fmt.Errorf("multipart: %w", err)
	}
	for _, p := range pieces {
		if err := p.write(w); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("multipart: %w", err)
	}
	return b.Bytes(), nil
}

func (p Piece) write(w *multipart.Writer) error {
	h := textproto.MIMEHeader{}
	disposition := map[string]string{"name": p.Name}
	if p.File {
		disposition["filename"] = "file.bin"
		h.Set("Content-Type", "application/octet-stream")
	}
	h.Set("Content-Disposition", formData(disposition))
	text := WriteText(p.Value)
	if _, isObject := p.Value.(map[string]any); p.JSON || isObject {
		encoded, err := WriteJSON(p.Value)
		if err != nil {
			return err
		}
		text = string(encoded)
		h.Set("Content-Type", "application/json")
	}
	if p.Type != "" {
		h.Set("Content-Type", p.Type)
	}
	for name, v := range p.Header {
		h.Set(name, v)
	}
	part, err := w.CreatePart(h)
	if err != nil {
		return fmt.Errorf("multipart: %w", err)
	}
	if _, err := io.WriteString(part, text); err != nil {
		return fmt.Errorf("multipart: %w", err)
	}
	return nil
}

var inQuotes = strings.NewReplacer("\n", "%0A", "\r", "%0D", `"`, "%22")

// formData writes a Content-Disposition with quoted values, as browsers do
// (RFC 7578 §4.2, WHATWG HTML §4.10.21.8).
func formData(params map[string]string) string {
	text := "form-data"
	for _, name := range slices.Sorted(maps.Keys(params)) {
		text = fmt.Sprintf(`%s; %s="%s"`, text, name, inQuotes.Replace(params[name]))
	}
	return text
}
