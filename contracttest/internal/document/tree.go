package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// parseTree reads a document as a tree. JSON is read as such: it may have what YAML has
// not, such as tabs and surrogate pairs.
func parseTree(data []byte) (*yaml.Node, error) {
	if root := parseJSON(data); root != nil {
		return root, nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || resolved(doc.Content[0]).Kind != yaml.MappingNode {
		return nil, errNoMapping
	}
	return resolved(doc.Content[0]), nil
}

// parseJSON reads an object of JSON as a tree; nil where it is none.
func parseJSON(data []byte) *yaml.Node {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return nil
	}
	r := &jsonReader{data: data, line: 1, dec: jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))}
	root, err := r.value()
	if err != nil {
		return nil
	}
	if _, err := r.dec.ReadToken(); err != io.EOF { //nolint:errorlint // the decoder returns it as it is
		return nil
	}
	return root
}

type jsonReader struct {
	data         []byte
	dec          *jsontext.Decoder
	at, line     int // of what was read last: its offset, and its line from 1
	beginsOfLine int // the offset of the line
}

// read returns the next token, as a node.
func (r *jsonReader) read() (*yaml.Node, jsontext.Kind, error) {
	from := int(r.dec.InputOffset())
	for from < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[from]) >= 0 {
		from++
	}
	for ; r.at < from; r.at++ {
		if r.data[r.at] == '\n' {
			r.line++
			r.beginsOfLine = r.at + 1
		}
	}
	token, err := r.dec.ReadToken()
	if err != nil {
		return nil, 0, err
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: r.line, Column: from - r.beginsOfLine + 1}
	kind := token.Kind()
	switch kind {
	case '{', '[', '}', ']':
		n.Kind = map[jsontext.Kind]yaml.Kind{'{': yaml.MappingNode, '[': yaml.SequenceNode}[kind]
	case '"':
		n.Tag, n.Value, n.Style = "!!str", token.String(), yaml.DoubleQuotedStyle
	case '0':
		n.Tag, n.Value = "!!int", token.String()
		if strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!float"
		}
	case 'n':
		n.Tag, n.Value = "!!null", "null"
	default:
		n.Tag, n.Value = "!!bool", token.String()
	}
	return n, kind, nil
}

func (r *jsonReader) value() (*yaml.Node, error) {
	n, kind, err := r.read()
	if err != nil || kind != '{' && kind != '[' {
		return n, err
	}
	for r.dec.PeekKind() != '}' && r.dec.PeekKind() != ']' {
		child, err := r.value()
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, child)
	}
	_, _, err = r.read()
	return n, err
}

// resolved returns what an alias stands for, and any other node itself.
func resolved(n *yaml.Node) *yaml.Node {
	for range 16 {
		if n.Kind != yaml.AliasNode {
			break
		}
		n = n.Alias
	}
	return n
}

// nodeAt returns what a JSON pointer from a node leads to, or nil.
func nodeAt(n *yaml.Node, pointer string) *yaml.Node {
	if !strings.HasPrefix(pointer, "/") {
		return nil
	}
	for part := range strings.SplitSeq(pointer[1:], "/") {
		if plain, err := url.PathUnescape(part); err == nil {
			part = plain
		}
		part = strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		switch n = resolved(n); n.Kind {
		case yaml.MappingNode:
			if n = member(n, part); n == nil {
				return nil
			}
		case yaml.SequenceNode:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(n.Content) {
				return nil
			}
			n = n.Content[i]
		default:
			return nil
		}
	}
	return resolved(n)
}

// member returns the value of a mapping's member, or nil.
func member(n *yaml.Node, name string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return resolved(n.Content[i+1])
		}
	}
	return nil
}

// remove takes a member out of a mapping.
func remove(n *yaml.Node, name string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}

// maxYAML bounds the nodes that a document has when its aliases are followed,
// and maxDepth how deep they are nested.
const (
	maxYAML  = 10_000_000
	maxDepth = 10_000
)

var errAliases = errors.New("too large: its aliases expand to more than is read")

// toJSON writes a tree as JSON.
func toJSON(root *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	budget := maxYAML
	err := writeJSON(&b, root, 0, &budget)
	return b.Bytes(), err
}

func writeJSON(b *bytes.Buffer, n *yaml.Node, depth int, budget *int) error {
	if *budget--; *budget < 0 || depth > maxDepth {
		return errAliases
	}
	switch n = resolved(n); n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i+1 < len(n.Content); i += 2 {
			if i > 0 {
				b.WriteByte(',')
			}
			writeText(b, n.Content[i].Value)
			b.WriteByte(':')
			if err := writeJSON(b, n.Content[i+1], depth+1, budget); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, item, depth+1, budget); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	default:
		writeScalar(b, n)
	}
	return nil
}

func writeScalar(b *bytes.Buffer, n *yaml.Node) {
	switch n.Tag {
	case "!!null":
		b.WriteString("null")
		return
	case "!!bool":
		var v bool
		if n.Decode(&v) == nil {
			b.WriteString(strconv.FormatBool(v))
			return
		}
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			b.WriteString(n.Value)
			return
		}
		var v float64
		if n.Decode(&v) == nil {
			if text, err := json.Marshal(v); err == nil {
				b.Write(text)
				return
			}
		}
	}
	writeText(b, n.Value)
}

func writeText(b *bytes.Buffer, s string) {
	text, err := jsontext.AppendQuote(nil, s)
	if err == nil {
		b.Write(text)
	}
}
