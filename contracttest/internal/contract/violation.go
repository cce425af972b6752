package contract

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/santhosh-tekuri/jsonschema/v6"
	jskind "github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// violations turns an error of kin-openapi about the value at n into the
// clauses it is about. subject is what messages call the value; empty for a
// body, whose parts are called by their pointer.
func (n *Node) violations(err error, subject string) []Violation {
	if err == nil {
		return nil
	}
	var broken []Violation
	for _, e := range flatten(err) {
		if ve, ok := errors.AsType[*jsonschema.ValidationError](e); ok && !branched(e) {
			broken = append(broken, n.violations2020(ve, subject)...)
			continue
		}
		broken = append(broken, n.violation(e, subject))
	}
	return broken
}

// branched reports whether an error of the 2020-12 validator is about branches:
// what they say is why, not what.
func branched(err error) bool {
	se, ok := errors.AsType[*openapi3.SchemaError](err)
	return ok && se.Schema == nil && slices.Contains([]string{"oneOf", "anyOf", "not"}, se.SchemaField)
}

// violations2020 takes an error of the JSON Schema 2020-12 validator, which
// kin-openapi asks for documents of OpenAPI 3.1: a leaf, about one keyword.
func (n *Node) violations2020(err *jsonschema.ValidationError, subject string) []Violation {
	path, keyword := err.InstanceLocation, ""
	if keywords := err.ErrorKind.KeywordPath(); len(keywords) > 0 {
		keyword = keywords[len(keywords)-1]
	}
	switch k := err.ErrorKind.(type) {
	case *jskind.Required:
		var broken []Violation
		for _, name := range k.Missing {
			at := append(slices.Clone(path), name)
			broken = append(broken, Violation{Clause: n.named("required/"+name, path), Message: where(subject, at) + ": is missing"})
		}
		return broken
	case *jskind.Type:
		message := fmt.Sprintf("%s: want %s, got %s", where(subject, path), strings.Join(k.Want, " or "), k.Got)
		return []Violation{{Clause: n.named("type", path), Message: message}}
	}
	clause := n.named(keyword, path)
	return []Violation{{Clause: clause, Message: where(subject, path) + ": broken: " + wanted(clause)}}
}

// named returns the clause for a keyword at a place in the value, or what is
// nearest.
func (n *Node) named(keyword string, path []string) *Clause {
	var found *Clause
	n.each(path, func(m *Node) {
		if found == nil {
			found = m.own(keyword)
		}
	})
	if found == nil {
		return n.nearest(path)
	}
	return found
}

// each calls f for the nodes that a place in the value leads to: several where
// schemas are composed.
func (n *Node) each(path []string, f func(*Node)) {
	for _, branch := range slices.Concat(n.AllOf, n.OneOf, n.AnyOf) {
		branch.each(path, f)
	}
	if len(path) == 0 {
		f(n)
		return
	}
	for _, p := range n.Props {
		if p.PropName == path[0] {
			p.each(path[1:], f)
		}
	}
	for _, c := range []*Node{n.Items, n.Additional} {
		if c != nil {
			c.each(path[1:], f)
		}
	}
}

// flatten lists the innermost errors about single values: the parts of multi
// errors, and of those that request and response errors and allOf wrap.
func flatten(err error) []error {
	if multi, ok := err.(openapi3.MultiError); ok { //nolint:errorlint // a wrapped multi error is reached below
		var all []error
		for _, e := range multi {
			all = append(all, flatten(e)...)
		}
		return all
	}
	var inner error
	switch e := err.(type) { //nolint:errorlint // one layer at a time
	case *openapi3filter.RequestError:
		inner = e.Err
	case *openapi3filter.ResponseError:
		inner = e.Err
	case *openapi3.SchemaError:
		var parts openapi3.MultiError
		if (e.SchemaField == "allOf" || e.Schema == nil && !branched(e)) && errors.As(e.Origin, &parts) {
			inner = parts
		}
	}
	if inner != nil {
		return flatten(inner)
	}
	return []error{err}
}

func (n *Node) violation(err error, subject string) Violation {
	if se, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		path := se.JSONPointer()
		if se.Schema == nil {
			clause := n.named(se.SchemaField, path)
			return Violation{Clause: clause, Message: where(subject, path) + ": broken: " + wanted(clause)}
		}
		if slices.Contains([]string{"enum", "oneOf", "anyOf"}, se.SchemaField) && mistyped(se) {
			typed := *se // kin-openapi looks at these first, and then no further
			typed.SchemaField = "type"
			se = &typed
		}
		clause := n.locate(se.Schema, se.SchemaField, path)
		if clause == nil {
			clause = n.nearest(path)
		}
		return Violation{Clause: clause, Message: message(subject, path, se)}
	}
	if pe, ok := errors.AsType[*openapi3filter.ParseError](err); ok {
		var path []string
		for _, p := range pe.Path() {
			path = append(path, fmt.Sprint(p))
		}
		clause := n.nearest(path)
		return Violation{Clause: clause, Message: where(subject, path) + ": cannot be read as what the document says: " + wanted(clause)}
	}
	return Violation{Clause: n.nearest(nil), Message: where(subject, nil) + ": " + oneLine(err.Error())}
}

// mistyped reports whether the value is of a type that its schema does not have.
func mistyped(se *openapi3.SchemaError) bool {
	types, got := se.Schema.Type.Slice(), kind(se.Value)
	switch {
	case len(types) == 0, slices.Contains(types, got):
		return false
	case got == "null":
		return !se.Schema.Nullable
	}
	return got != "integer" || !slices.Contains(types, "number")
}

func wanted(c *Clause) string {
	if c == nil {
		return "its schema"
	}
	return c.Text
}

func message(subject string, path []string, se *openapi3.SchemaError) string {
	at := where(subject, path)
	if (se.SchemaField == "type" || se.SchemaField == "nullable") && se.Schema.Type != nil {
		return fmt.Sprintf("%s: want %s, got %s", at, strings.Join(se.Schema.Type.Slice(), " or "), kind(se.Value))
	}
	return at + ": " + oneLine(se.Reason)
}

// kind names the JSON type of a value, never the value: it may be a secret.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	default:
		if strings.ContainsAny(fmt.Sprint(v), ".eE") {
			return "number"
		}
		return "integer"
	}
}

func where(subject string, path []string) string {
	if len(path) == 0 {
		if subject == "" {
			return "the body"
		}
		return subject
	}
	escaped := make([]string, len(path))
	for i, p := range path {
		escaped[i] = escape(p)
	}
	if subject == "" {
		return strings.Join(escaped, "/")
	}
	return subject + "/" + strings.Join(escaped, "/")
}

// nearest returns a clause of the node that a value path leads to, or of the
// last one on the way that has any: where a reader looks first.
func (n *Node) nearest(path []string) *Clause {
	if len(path) > 0 {
		next := n.Prop(path[0])
		if _, err := strconv.Atoi(path[0]); err == nil && next == nil {
			next = n.Items
		}
		if next == nil {
			next = n.Additional
		}
		if next != nil {
			if c := next.nearest(path[1:]); c != nil {
				return c
			}
		}
	}
	for _, keyword := range []string{"type", "oneOf", "anyOf", "not"} {
		if c := n.Clauses[keyword]; c != nil {
			return c
		}
	}
	var first *Clause
	n.Walk(func(m *Node) {
		for _, keyword := range []string{"type", "enum", "format"} {
			if c := m.Clauses[keyword]; c != nil && first == nil {
				first = c
			}
		}
	})
	return first
}
