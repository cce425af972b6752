package codec

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

const leaveFormEscape = "the form encoding of WHATWG URL §5.1 has no errors: what a bad escape means is up to the receiver"

// ReadForm reads a body of application/x-www-form-urlencoded: each member as its
// encoding has it, by default repeated for the items of a list.
func ReadForm(node *schema.Node, encodings map[string]*openapi3.Encoding, body string) Reading {
	nodes := schema.Nodes{node}
	pairs := wire.Params(body)
	got := best(nodes, func(yield func(Reading) bool) {
		for _, a := range nodes.Alternatives() {
			if !yield(readPairs(a, encodings, pairs)) {
				return
			}
		}
	})
	if !wire.WellEscaped(body) {
		got.Leave, got.At = leaveFormEscape, nil
	}
	return got
}

func readPairs(a schema.Alternative, encodings map[string]*openapi3.Encoding, pairs []wire.Param) Reading {
	members := map[string]any{}
	got := Reading{Value: members, Found: true}
	done := map[string]bool{}
	for _, pair := range pairs {
		name := pair.Name
		if base, _, ok := strings.Cut(name, "["); ok && !a.Speaks(name) && a.Speaks(base) {
			name = base
		}
		if done[name] {
			continue
		}
		done[name] = true
		one := readFormField(a.Member(name), name, encodings[name], pairs)
		if one.Bad != nil {
			return one.inside(name)
		}
		if one.Found {
			members[name] = one.Value
			got.left(one.Leave, append([]string{name}, one.At...)...)
		}
	}
	return got
}

// FieldIsJSON reports whether a field of a urlencoded form is one JSON value: its
// encoding says so, and names no style, beside which a contentType is ignored
// (OpenAPI 3.1.1, Encoding Object).
func FieldIsJSON(enc *openapi3.Encoding) bool {
	return enc != nil && hasNoStyle(enc) && IsJSON(enc.ContentType)
}

// FieldIsPlain reports whether the document says nothing of how a field of a urlencoded
// form is written.
func FieldIsPlain(enc *openapi3.Encoding) bool {
	return enc == nil || hasNoStyle(enc) && enc.ContentType == ""
}

func hasNoStyle(enc *openapi3.Encoding) bool {
	return enc.Style == "" && enc.Explode == nil && !enc.AllowReserved
}

// readJSONField reads the one value of a field that is JSON.
func readJSONField(values []string) Reading {
	if len(values) != 1 {
		return unreadable("is given more than once")
	}
	return readJSON(wire.Unescape(values[0], true))
}

func readFormField(nodes schema.Nodes, name string, enc *openapi3.Encoding, pairs []wire.Param) Reading {
	sm := enc.SerializationMethod()
	values := Named(pairs, name)
	deep := sm.Style == openapi3.SerializationDeepObject
	t := text{name: name, in: openapi3.ParameterInQuery, style: sm.Style, explode: sm.Explode, delimiter: delimiterOf(enc)}
	switch {
	case FieldIsJSON(enc) && len(values) > 0:
		return readJSONField(values)
	case len(values) == 0:
		got := readDeep(nodes, name, pairs)
		if !deep {
			got.Leave, got.Spare = cmp.Or(got.Leave, leaveNested), leaveInNested
		}
		return got
	case deep && onlyObjects(nodes):
		got := notInStyle()
		got.Spare = leaveBare
		return got
	case len(nodes) == 0, sm.Explode && !deep:
		plain := make([]string, len(values))
		for i, v := range values {
			plain[i] = t.plain(v)
		}
		return readField(nodes, plain)
	}
	return t.read(nodes, values)
}

func delimiterOf(enc *openapi3.Encoding) string {
	if enc == nil {
		return ""
	}
	return DelimiterOf(enc.Extensions)
}

func onlyObjects(nodes schema.Nodes) bool {
	return !slices.ContainsFunc(nodes.Alternatives(), func(a schema.Alternative) bool {
		return !slices.Equal(a.Shapes(), []schema.Shape{schema.Object})
	})
}

// WriteForm writes the members of an object as a body of application/x-www-form-urlencoded.
func WriteForm(encodings map[string]*openapi3.Encoding, members map[string]any) []byte {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		sm := encodings[name].SerializationMethod()
		st := Style{Name: sm.Style, Explode: sm.Explode, Delimiter: delimiterOf(encodings[name])}
		v := members[name]
		if WrittenAsJSON(encodings[name], v) {
			if text, err := WriteJSON(v); err == nil {
				pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(string(text)))
				continue
			}
		}
		if _, isObject := v.(map[string]any); isObject && st.Explode && st.Name != openapi3.SerializationDeepObject {
			st.Name = openapi3.SerializationDeepObject // its properties would be the form's own
		}
		pairs = append(pairs, st.Query(name, v)...)
	}
	return []byte(strings.Join(pairs, "&"))
}

// WrittenAsJSON reports whether a value is written as JSON in a field of a form: where
// the document says so, and an object of which it says nothing (OpenAPI 3.0.4 and
// 3.1.1, Encoding Object: the default contentType of an object is application/json).
func WrittenAsJSON(enc *openapi3.Encoding, v any) bool {
	_, isObject := v.(map[string]any)
	return FieldIsJSON(enc) || isObject && FieldIsPlain(enc)
}
