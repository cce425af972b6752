package codec

import (
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// Form says how a value becomes the bytes of a body.
type Form int

// The forms.
const (
	Opaque     Form = iota // nothing says how
	JSON                   // one JSON value
	URLEncoded             // pairs (application/x-www-form-urlencoded)
	Multipart              // parts (multipart/form-data)
	Text                   // the value is a text in UTF-8
	Bytes                  // the value is the bytes
	XML                    // one document of XML
	YAML                   // one document of YAML
	Sequence               // items, as a Framing has them
)

// FormOf returns the form of a documented media type or range. node is nil where there
// is no schema.
func FormOf(key string, node *schema.Node) Form {
	t, err := mediatype.Parse(mediatype.List(key)[0])
	if err != nil {
		return Opaque
	}
	types, shapes := schema.AllTypes, []schema.Shape(nil)
	if node != nil {
		types, shapes = schema.Nodes{node}.Types(), schema.Nodes{node}.Shapes()
	}
	xml := IsXML(t)
	yaml := t.Subtype == "yaml" || t.Subtype == "x-yaml" || strings.HasSuffix(t.Subtype, "+yaml")
	switch name := t.Type + "/" + t.Subtype; {
	case t.JSON(), (name == "*/*" || name == "application/*") && !IsBytes(node):
		return JSON
	case name == "application/x-www-form-urlencoded":
		return URLEncoded
	case name == "multipart/form-data":
		return Multipart
	case xml && node != nil && !slices.Contains(shapes, schema.Scalar): // else the text may be the XML itself
		return XML
	case yaml && node != nil && !slices.Contains(shapes, schema.Scalar):
		return YAML
	case t.Type == "text" && (node == nil || slices.Contains(shapes, schema.Scalar)):
		return Text
	case !slices.Contains(types, "string"), node != nil && !slices.Equal(types, []string{"string"}):
		return Opaque
	}
	return Bytes
}

// IsJSON reports whether a media type is JSON.
func IsJSON(key string) bool {
	t, err := mediatype.Parse(key)
	return err == nil && t.JSON()
}

// IsXML reports whether a media type is XML.
func IsXML(t mediatype.Type) bool {
	return t.Subtype == "xml" || strings.HasSuffix(t.Subtype, "+xml")
}

// IsBytes reports whether a schema describes bytes that are no text.
func IsBytes(node *schema.Node) bool {
	if node == nil {
		return false
	}
	s := node.Whole().Schema
	return s.Type.Is("string") && (s.Format == "binary" || s.ContentEncoding == "" && s.ContentMediaType != "")
}

// readAs reads a text that a media type describes, as that of a parameter with content.
// Nothing is found where nobody can tell what the text says.
func readAs(media string, node *schema.Node, text string) Reading {
	switch FormOf(media, node) {
	case JSON:
		return readJSON(text)
	case Text:
		return readText(schema.Nodes{node}, text)
	}
	return Reading{}
}

// ReadText reads a body that is one text.
func ReadText(node *schema.Node, body []byte) Reading {
	return readText(schema.Nodes{node}, string(body))
}

// Concrete returns a media type that a range of the document includes.
func Concrete(key string) string {
	key = mediatype.List(key)[0]
	switch {
	case key == "*/*", key == "application/*":
		return "application/json"
	case strings.HasPrefix(key, "text/*"):
		return "text/plain"
	case strings.HasPrefix(key, "image/*"):
		return "image/png"
	case strings.Contains(key, "/*+"):
		return strings.Replace(strings.TrimSpace(key), "*", "x-unknown", 1)
	case strings.HasSuffix(key, "/*"):
		return strings.TrimSuffix(key, "*") + "x-unknown"
	}
	return strings.TrimSpace(key)
}
