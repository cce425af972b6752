package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A document may have a fault that keeps the loader from reading any of it: a
// reference that leads nowhere, a text where a list belongs. What is at fault is
// then left out, or read as what it was meant to be, with a warning at its place,
// and the rest is loaded.

// objects says what the fields of each object of OpenAPI hold: a plain type, the
// name of an object, or, after [] or {}, a list or a map of these. Fields that are
// not named are left as they are.
var objects = map[string]map[string]string{
	"document": {
		"openapi": "string", "info": "info", "servers": "[]server", "paths": "{}pathItem", "webhooks": "{}pathItem",
		"components": "components", "security": "[]requirement", "tags": "[]tag", "externalDocs": "docs",
	},
	"info":    {"title": "string", "version": "string", "description": "string", "termsOfService": "string", "contact": "contact", "license": "license", "summary": "string"},
	"contact": {"name": "string", "url": "string", "email": "string"},
	"license": {"name": "string", "url": "string", "identifier": "string"},
	"tag":     {"name": "string", "description": "string", "externalDocs": "docs"},
	"docs":    {"url": "string", "description": "string"},
	"server":  {"url": "string", "description": "string", "variables": "{}variable"},
	"variable": {
		"enum": "[]string", "default": "string", "description": "string",
	},
	"components": {
		"schemas": "{}schema", "responses": "{}response", "parameters": "{}parameter", "examples": "{}example",
		"requestBodies": "{}requestBody", "headers": "{}header", "securitySchemes": "{}scheme", "links": "{}link",
		"callbacks": "{}callback", "pathItems": "{}pathItem",
	},
	"pathItem": {
		"summary": "string", "description": "string", "servers": "[]server", "parameters": "[]parameter",
		"get": "operation", "put": "operation", "post": "operation", "delete": "operation", "options": "operation",
		"head": "operation", "patch": "operation", "trace": "operation",
	},
	"operation": {
		"tags": "[]string", "summary": "string", "description": "string", "operationId": "string", "externalDocs": "docs",
		"parameters": "[]parameter", "requestBody": "requestBody", "responses": "{}response", "callbacks": "{}callback",
		"deprecated": "bool", "security": "[]requirement", "servers": "[]server",
	},
	"parameter": {
		"name": "string", "in": "string", "description": "string", "required": "bool", "deprecated": "bool", "allowEmptyValue": "bool",
		"style": "string", "explode": "bool", "allowReserved": "bool", "schema": "schema", "content": "{}media", "examples": "{}example",
	},
	"header": {
		"description": "string", "required": "bool", "deprecated": "bool", "style": "string", "explode": "bool",
		"schema": "schema", "content": "{}media", "examples": "{}example",
	},
	"requestBody": {"description": "string", "required": "bool", "content": "{}media"},
	"media":       {"schema": "schema", "examples": "{}example", "encoding": "{}encoding"},
	"encoding":    {"contentType": "string", "headers": "{}header", "style": "string", "explode": "bool", "allowReserved": "bool"},
	"response":    {"description": "string", "headers": "{}header", "content": "{}media", "links": "{}link"},
	"example":     {"summary": "string", "description": "string", "externalValue": "string"},
	"link":        {"operationRef": "string", "operationId": "string", "description": "string", "parameters": "{}any", "server": "server"},
	"callback":    {"*": "pathItem"},
	"scheme": {
		"type": "string", "description": "string", "name": "string", "in": "string", "scheme": "string", "bearerFormat": "string",
		"flows": "flows", "openIdConnectUrl": "string",
	},
	"flows":       {"implicit": "flow", "password": "flow", "clientCredentials": "flow", "authorizationCode": "flow"},
	"flow":        {"authorizationUrl": "string", "tokenUrl": "string", "refreshUrl": "string", "scopes": "{}string"},
	"requirement": {"*": "[]string"},
	"schema": {
		"title": "string", "description": "string", "format": "string", "pattern": "string", "type": "types", "enum": "[]any", "examples": "[]any", "required": "[]string",
		"minLength": "count", "maxLength": "count", "minItems": "count", "maxItems": "count", "minProperties": "count", "maxProperties": "count",
		"minimum": "number", "maximum": "number", "multipleOf": "number", "exclusiveMinimum": "bound", "exclusiveMaximum": "bound",
		"uniqueItems": "bool", "nullable": "bool", "readOnly": "bool", "writeOnly": "bool", "deprecated": "bool",
		"properties": "{}schema", "items": "schema", "additionalProperties": "schema", "allOf": "[]schema", "oneOf": "[]schema", "anyOf": "[]schema",
		"not": "schema", "discriminator": "discriminator", "externalDocs": "docs", "xml": "xml",
		"prefixItems": "[]schema", "contains": "schema", "patternProperties": "{}schema", "propertyNames": "schema", "if": "schema", "then": "schema", "else": "schema",
		"dependentSchemas": "{}schema", "unevaluatedItems": "schema", "unevaluatedProperties": "schema", "minContains": "count", "maxContains": "count",
		"$defs": "{}schema",
	},
	"discriminator": {"propertyName": "string", "mapping": "{}target"},
	"xml":           {"name": "string", "namespace": "string", "prefix": "string", "attribute": "bool", "wrapped": "bool"},
}

// mended is a document without what the loader cannot take.
type mended struct {
	root     *yaml.Node
	warnings []warning
	refs     []string                // as they are written
	bad      map[string]string       // references that the loader does not take, and why
	file     func(ref string) string // says what is wrong with a reference to another file
	seen     map[*yaml.Node]bool
	nodes    int
}

// lostReference marks a schema of which a reference was left out: it takes more than
// it was meant to.
const lostReference = "x-contracttest-lost-reference"

// maxYAML bounds the nodes that a document has when its aliases are followed.
const maxYAML = 10_000_000

var errNoMapping = errors.New("is no OpenAPI document: it is no object")

// mend takes a document apart and leaves out what is at fault.
func mend(data []byte, bad map[string]string, file func(ref string) string) (*mended, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) != 1 || resolved(doc.Content[0]).Kind != yaml.MappingNode {
		return nil, errNoMapping
	}
	m := &mended{root: resolved(doc.Content[0]), seen: map[*yaml.Node]bool{}, bad: bad, file: file}
	if hasNames.Match(data) {
		resolveNames(m.root)
	}
	m.fit(m.root, "document", "")
	if m.nodes > maxYAML {
		return nil, errors.New("is too large: its aliases make more of it than is read")
	}
	return m, nil
}

func resolved(n *yaml.Node) *yaml.Node {
	for range 16 {
		if n.Kind != yaml.AliasNode {
			break
		}
		n = n.Alias
	}
	return n
}

func (m *mended) warn(n *yaml.Node, pointer, format string, args ...any) {
	m.warnings = append(m.warnings, warning{
		place: Place{Pointer: pointer, Line: n.Line, Column: n.Column}, text: fmt.Sprintf(format, args...),
	})
}

// fit makes a value fit a shape. It returns false for one that has to be left
// out.
func (m *mended) fit(n *yaml.Node, shape, pointer string) bool {
	n = resolved(n)
	m.nodes++
	if m.nodes > maxYAML {
		return false
	}
	switch {
	case shape == "any":
		return true
	case strings.HasPrefix(shape, "[]"):
		return m.fitList(n, shape[2:], pointer)
	case strings.HasPrefix(shape, "{}"):
		return m.fitMap(n, func(string) string { return shape[2:] }, pointer)
	case objects[shape] != nil:
		return m.fitObject(n, shape, pointer)
	}
	return m.fitScalar(n, shape, pointer)
}

func (m *mended) fitObject(n *yaml.Node, shape, pointer string) bool {
	if shape == "schema" && n.Kind == yaml.ScalarNode && n.Tag == "!!bool" {
		return true
	}
	if m.seen[n] {
		return true
	}
	m.seen[n] = true
	if ref := member(n, "$ref"); ref != nil && shape != "document" {
		if fault := m.leadsNowhere(ref); fault != "" {
			m.warn(ref, pointer+"/$ref", "the reference %q %s: it is left out", clipped(ref.Value), fault)
			if shape == "pathItem" && len(n.Content) > 2 || shape == "schema" {
				remove(n, "$ref")
				n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: lostReference}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
				return m.fitMap(n, func(name string) string { return objects[shape][name] }, pointer)
			}
			return false
		}
		if shape != "pathItem" && shape != "schema" {
			return true
		}
	}
	fields := objects[shape]
	return m.fitMap(n, func(name string) string {
		if all := fields["*"]; all != "" && !strings.HasPrefix(name, "x-") {
			return all
		}
		return fields[name]
	}, pointer)
}

func clipped(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// fitMap keeps those members whose value fits, and of several of one name the
// last.
func (m *mended) fitMap(n *yaml.Node, shape func(string) string, pointer string) bool {
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			m.warn(n, pointer, "an object belongs here: what is there is left out")
		}
		return false
	}
	last := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if _, twice := last[name]; twice {
			m.warn(n.Content[i], pointer+"/"+Escape(name), "the name %q is given twice: the last one counts", clipped(name))
		}
		last[name] = i
	}
	kept := make([]*yaml.Node, 0, len(n.Content))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if last[key.Value] != i {
			continue
		}
		if s := shape(key.Value); s == "" || m.fit(value, s, pointer+"/"+Escape(key.Value)) {
			kept = append(kept, key, value)
		}
	}
	n.Content = kept
	return true
}

func (m *mended) fitList(n *yaml.Node, shape, pointer string) bool {
	if n.Kind != yaml.SequenceNode {
		if n.Tag != "!!null" {
			m.warn(n, pointer, "a list belongs here: what is there is left out")
		}
		return false
	}
	kept := make([]*yaml.Node, 0, len(n.Content))
	for i, item := range n.Content {
		if m.fit(item, shape, pointer+"/"+strconv.Itoa(i)) {
			kept = append(kept, item)
		}
	}
	n.Content = kept
	return true
}

// fitScalar reads a scalar as what it was meant to be, where that is plain: "1"
// for 1, 1.0 for the version "1.0".
func (m *mended) fitScalar(n *yaml.Node, shape, pointer string) bool {
	if n.Tag == "!!null" {
		return false
	}
	if shape == "types" && n.Kind == yaml.SequenceNode {
		return m.fitList(n, "string", pointer)
	}
	bad := func() bool {
		m.warn(n, pointer, "a %s belongs here: what is there is left out", map[string]string{"bool": "boolean", "count": "number", "bound": "number", "number": "number", "types": "string", "string": "string"}[shape])
		return false
	}
	if n.Kind != yaml.ScalarNode {
		return bad()
	}
	as := func(tag string) bool {
		m.warn(n, pointer, "%q is read as a %s", clipped(n.Value), map[string]string{"!!bool": "boolean", "!!float": "number"}[tag])
		n.Tag, n.Style = tag, 0
		return true
	}
	switch shape {
	case "target": // the name of a schema, or a reference to one
		n.Tag = "!!str"
		if !strings.ContainsAny(n.Value, "#/") {
			return true
		}
		fault := m.leadsNowhere(n)
		if fault != "" {
			m.warn(n, pointer, "the reference %q %s: it is left out", clipped(n.Value), fault)
		}
		return fault == ""
	case "string", "types":
		if n.Tag == "!!int" || n.Tag == "!!float" || n.Tag == "!!bool" {
			m.warn(n, pointer, "%s is read as the string %q", clipped(n.Value), clipped(n.Value))
		}
		n.Tag = "!!str"
		return true
	case "bool":
		if n.Tag == "!!bool" {
			return true
		}
		if n.Value == "true" || n.Value == "false" {
			return as("!!bool")
		}
	case "bound":
		if n.Tag == "!!bool" {
			return true
		}
		fallthrough
	case "number", "count":
		v, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || shape == "count" && (v < 0 || v != float64(uint64(v))) {
			return bad()
		}
		if n.Tag != "!!int" && n.Tag != "!!float" {
			return as("!!float")
		}
		return true
	}
	return bad()
}

// leadsNowhere says what is wrong with a reference, if it is one within the
// document.
func (m *mended) leadsNowhere(ref *yaml.Node) string {
	if ref.Kind != yaml.ScalarNode || ref.Value == "" {
		return "is none"
	}
	m.refs = append(m.refs, ref.Value)
	if fault := m.bad[ref.Value]; fault != "" {
		return fault
	}
	at := ref
	for range 64 {
		if !strings.HasPrefix(at.Value, "#") {
			return m.file(at.Value)
		}
		target := m.at(at.Value[1:])
		if target == nil {
			return "leads nowhere"
		}
		if at = member(target, "$ref"); at == nil {
			return ""
		}
	}
	return "leads in a circle"
}

// at returns what a pointer points to, or nil.
func (m *mended) at(pointer string) *yaml.Node {
	n := m.root
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

func remove(n *yaml.Node, name string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}

// JSON writes the document.
func (m *mended) JSON() ([]byte, error) {
	var b bytes.Buffer
	budget := maxYAML
	err := writeJSON(&b, m.root, 0, &budget)
	return b.Bytes(), err
}

func writeJSON(b *bytes.Buffer, n *yaml.Node, depth int, budget *int) error {
	if *budget--; *budget < 0 || depth > 10_000 {
		return errors.New("is too large: its aliases make more of it than is read")
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
	text, err := json.Marshal(s)
	if err == nil {
		b.Write(text)
	}
}
