package document

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The loader knows OpenAPI 3.1 and a little of 3.2. What else came with 3.2 is written
// in the tree as 3.1 has it before the loader reads it, or taken out where it refuses no
// request and no answer.

// isLater reports whether a document is one of OpenAPI 3.2.
func isLater(root *yaml.Node) bool {
	version := scalar(root, "openapi")
	return version == "3.2" || strings.HasPrefix(version, "3.2.")
}

// annotations are the fields that came with OpenAPI 3.2 and refuse nothing, by the objects
// that have them.
var annotations = map[string][]string{
	"tag":      {"summary", "parent", "kind"},
	"server":   {"name"},
	"scheme":   {"deprecated", "oauth2MetadataUrl"},
	"flows":    {"deviceAuthorization"},
	"encoding": {"encoding", "prefixEncoding", "itemEncoding"},
	"response": {"summary"},
}

// PrefixEncoding and ItemEncoding are the extensions of a media type that have what OpenAPI 3.2 says by position of the parts of
// a multipart body, which the loader has no fields for.
const (
	PrefixEncoding = "x-contracttest-prefix-encoding"
	ItemEncoding   = "x-contracttest-item-encoding"
)

// lower writes an object of OpenAPI 3.2 as OpenAPI 3.1 has it.
func (m *mender) lower(n *yaml.Node, shape string) {
	if n.Kind != yaml.MappingNode {
		return
	}
	switch shape {
	case "response":
		if member(n, "description") == nil { // which 3.2 no longer requires
			at := n
			if summary := keyOf(n, "summary"); summary != nil {
				at = summary
			}
			m.add(n, "description", at, scalar(n, "summary"))
		}
	case "example":
		if data := keyOf(n, "dataValue"); data != nil && member(n, "value") == nil {
			data.Value = "value"
		}
		remove(n, "dataValue")
		if remove(n, "serializedValue"); member(n, "value") == nil && member(n, "externalValue") == nil && member(n, "$ref") == nil {
			m.add(n, "externalValue", n, "") // an example that nobody can read as a value
		}
	case "xml":
		switch scalar(n, "nodeType") {
		case "attribute":
			m.addTrue(n, "attribute", keyOf(n, "nodeType"))
		case "element":
			m.addTrue(n, "wrapped", keyOf(n, "nodeType"))
		}
	}
	if shape == "media" {
		for name, kept := range map[string]string{"prefixEncoding": PrefixEncoding, "itemEncoding": ItemEncoding} {
			if key := keyOf(n, name); key != nil {
				key.Value = kept
			}
		}
	}
	for _, name := range annotations[shape] {
		remove(n, name)
	}
}

func (m *mender) add(n *yaml.Node, name string, at *yaml.Node, text string) {
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: at.Line, Column: at.Column}
	m.from[key] = m.from[at]
	n.Content = append(n.Content, key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Line: at.Line, Column: at.Column})
}

func (m *mender) addTrue(n *yaml.Node, name string, at *yaml.Node) {
	if member(n, name) == nil {
		m.add(n, name, at, "true")
		n.Content[len(n.Content)-1].Tag = "!!bool"
	}
}

// lowerMedia puts a media type of the components where it is referred to, as the loader
// follows no such references.
func (m *mender) lowerMedia(n *yaml.Node) {
	for range maxReferences {
		ref := member(n, "$ref")
		if ref == nil || m.unresolved(ref) != "" || !strings.HasPrefix(ref.Value, "#") {
			return
		}
		to := nodeAt(m.root, ref.Value[1:])
		if to == nil || to.Kind != yaml.MappingNode {
			return
		}
		n.Content = slices.Clone(to.Content)
	}
}

// knownToLater reports whether a fault that the loader finds in a document of OpenAPI 3.2
// is none: the parameters in querystring, and the style of cookies.
func knownToLater(text string) bool {
	return strings.Contains(text, `parameter can't have 'in' value "querystring"`) || strings.Contains(text, `serialization method with style="cookie"`)
}
