package spectest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

// statement is one thing that the document says of the operation, in the words
// of a fact.
type statement struct {
	fact
	// at is the JSON pointer of what says it.
	at string
	// sources are the x-source there, the nearest first.
	sources []source
}

// source is an x-source and the JSON pointer of the object that has it.
type source struct{ at, text string }

// names reports whether an x-source is that source, alone or with what it says.
func (s source) names(want string) bool {
	return s.text == want || strings.HasPrefix(s.text, want+": ")
}

// prose are the keywords that describe and rule nothing. Of what the page describes
// each sentence is a statement, though.
var prose = []string{"description", "summary", "title", "tags", "externalDocs"}

// methods are the keys of a path item that are operations.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// parseDocument returns the document as plain values, after kin-openapi has
// loaded it and resolved its references. The statements are read from the plain
// values, since kin-openapi's model cannot tell a documented "minLength: 0" or
// "required: false" from silence, and leaves out keywords that it does not know.
func parseDocument(data []byte) (map[string]any, error) {
	if _, err := openapi3.NewLoader().LoadFromData(data); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return doc, nil
}

// reader collects the statements of a document. What it does not know how to
// read it reports under the keyword's own name, so that no keyword goes unseen.
type reader struct {
	doc  map[string]any
	used map[string]bool // pointers of the components that were read
	open []string        // pointers of the schemas being read, against recursion
	out  []statement
}

// node is an object of the document and where it is.
type node struct {
	at     string
	fields map[string]any
}

func (n node) keys() []string { return slices.Sorted(maps.Keys(n.fields)) }

func (n node) source() []source {
	if text, ok := n.fields["x-source"].(string); ok {
		return []source{{n.at, text}}
	}
	return nil
}

// sources returns every x-source in a value of the document.
func sources(at string, v any) []source {
	var found []source
	switch v := v.(type) {
	case map[string]any:
		n := node{at, v}
		found = n.source()
		for _, key := range n.keys() {
			found = append(found, sources(at+"/"+escape(key), v[key])...)
		}
	case []any:
		for i, item := range v {
			found = append(found, sources(at+"/"+strconv.Itoa(i), item)...)
		}
	}
	return found
}

// statements reads a document.
func statements(doc map[string]any) []statement {
	r := &reader{doc: doc, used: map[string]bool{}}
	root := r.node("", doc)
	for _, key := range root.keys() {
		switch key {
		case "openapi", "info", "components":
		case "servers":
			for _, server := range r.list(root, key) {
				r.server(server)
			}
		case "security":
			for _, requirement := range r.list(root, key) {
				r.requirement(requirement)
			}
		case "paths":
			paths := r.child(root, key)
			for _, path := range paths.keys() {
				r.pathItem(path, r.child(paths, path))
			}
		default:
			r.rest("document", "", root, key)
		}
	}
	r.unused()
	return r.out
}

func (r *reader) server(n node) {
	for _, key := range n.keys() {
		if key != "variables" {
			r.rest("server", "", n, key)
			continue
		}
		variables := r.child(n, key)
		for _, name := range variables.keys() {
			variable := r.child(variables, name)
			r.rest("server variable", name, variable, variable.keys()...)
		}
	}
}

// requirement reads one alternative of "security": the schemes that suffice
// together, or none.
func (r *reader) requirement(n node) {
	if len(n.fields) == 0 {
		r.say(n, "security", "none", "suffices", true)
		return
	}
	schemes := r.child(r.child(r.node("", r.doc), "components"), "securitySchemes")
	for _, name := range n.keys() {
		scheme := r.child(schemes, name)
		r.used[scheme.at] = true
		r.rest("security", name, scheme, scheme.keys()...)
		if scopes, ok := n.fields[name].([]any); !ok || len(scopes) > 0 {
			r.say(n, "security", name, "scopes", n.fields[name])
		}
	}
	together := strings.Join(n.keys(), " and ")
	r.say(n, "security", together, "suffices", true, r.child(schemes, n.keys()[0]).source()...)
}

func (r *reader) pathItem(path string, n node) {
	for _, key := range n.keys() {
		switch {
		case slices.Contains(methods, key):
			operation := r.child(n, key)
			r.say(operation, "operation", "", "method", strings.ToUpper(key))
			r.say(operation, "operation", "", "uri", path)
			r.operation(operation)
		case key == "parameters":
			r.parameters(n)
		default:
			r.rest("operation", "", n, key)
		}
	}
}

func (r *reader) operation(n node) {
	for _, key := range n.keys() {
		switch key {
		case "parameters":
			r.parameters(n)
		case "requestBody":
			r.requestBody(r.child(n, key))
		case "description":
			r.says(n, "operation", "")
		case "x-not-documented":
			for _, item := range r.list(n, key) {
				r.say(item, "operation", "", "says", item.fields["says"])
			}
		case "responses":
			responses := r.child(n, key)
			for _, status := range responses.keys() {
				r.response(status, r.child(responses, status))
			}
		default:
			r.rest("operation", "", n, key)
		}
	}
}

func (r *reader) parameters(parent node) {
	for _, n := range r.list(parent, "parameters") {
		place, name := fmt.Sprint(n.fields["in"]), fmt.Sprint(n.fields["name"])
		if _, ok := n.fields["required"]; !ok {
			r.say(n, place, name, "required", false)
		}
		for _, key := range n.keys() {
			switch key {
			case "in", "name":
			case "description":
				r.says(n, place, name)
			case "schema":
				r.schema(place, name, r.child(n, key))
			case "examples":
				r.examples(place, name, r.child(n, key))
			default:
				r.rest(place, name, n, key)
			}
		}
	}
}

func (r *reader) requestBody(n node) {
	if _, ok := n.fields["required"]; !ok {
		r.say(n, "header", "Content-Type", "required", false)
	}
	for _, key := range n.keys() {
		switch key {
		case "required":
			r.say(n, "header", "Content-Type", key, n.fields[key])
		case "description":
			r.says(n, "header", "Content-Type")
		case "content":
			content := r.child(n, key)
			for _, mediaType := range content.keys() {
				r.say(content, "header", "Content-Type", "type", "string")
				r.say(content, "header", "Content-Type", "example", mediaType)
				r.mediaType("request body", r.child(content, mediaType))
			}
		default:
			r.rest("request body", "", n, key)
		}
	}
}

func (r *reader) response(status string, n node) {
	var value any = status
	if code, err := strconv.Atoi(status); err == nil {
		value = code
	}
	r.say(n, "response", "", "status", value)
	place := "response " + status
	content := r.child(n, "content")
	if len(content.fields) == 0 {
		r.say(n, place, "", "body", "none")
	}
	for _, mediaType := range content.keys() {
		r.say(content, place, "", "body", mediaType, n.source()...)
		r.mediaType(place, r.child(content, mediaType))
	}
	headers := r.child(n, "headers")
	for _, name := range headers.keys() {
		r.header("headers of "+place, name, r.child(headers, name))
	}
	for _, key := range n.keys() {
		if key != "content" && key != "headers" {
			r.rest(place, "", n, key)
		}
	}
}

// header reads a header of a response, whose x-source holds for its schema too.
func (r *reader) header(place, name string, n node) {
	if _, ok := n.fields["required"]; !ok {
		r.say(n, place, name, "required", false)
	}
	from := len(r.out)
	r.schema(place, name, r.child(n, "schema"))
	for i := range r.out[from:] {
		r.out[from+i].sources = append(r.out[from+i].sources, n.source()...)
	}
	for _, key := range n.keys() {
		if key != "schema" {
			r.rest(place, name, n, key)
		}
	}
}

func (r *reader) mediaType(place string, n node) {
	for _, key := range n.keys() {
		switch key {
		case "schema":
			r.schema(place, "", r.child(n, key))
		case "examples":
			r.examples(place, "", r.child(n, key))
		default:
			r.rest(place, "", n, key)
		}
	}
}

func (r *reader) examples(place, name string, n node) {
	for _, key := range n.keys() {
		example := r.child(n, key)
		for _, k := range example.keys() {
			if k == "value" {
				r.say(example, place, name, "example", example.fields[k])
			} else {
				r.rest(place, name, example, k)
			}
		}
	}
}

// schema reads a schema. Its properties and items have names of their own; any
// other keyword, a composition among them, is one statement.
func (r *reader) schema(place, name string, n node) {
	if slices.Contains(r.open, n.at) {
		r.say(n, place, name, "recursion", n.at)
		return
	}
	r.open = append(r.open, n.at)
	properties := r.child(n, "properties")
	for _, key := range n.keys() {
		switch key {
		case "items":
			r.schema(place, name+"[]", r.child(n, key))
		case "properties":
			for _, property := range properties.keys() {
				child := r.child(properties, property)
				full := strings.TrimPrefix(name+"."+property, ".")
				r.say(child, place, full, "required", requires(n, property), n.source()...)
				if place == "request body" {
					r.says(child, place, full)
				}
				r.schema(place, full, child)
			}
		case "required":
			names, _ := n.fields[key].([]any)
			for _, required := range names {
				if _, ok := properties.fields[fmt.Sprint(required)]; !ok {
					r.say(n, place, name, key, required)
				}
			}
		default:
			r.rest(place, name, n, key)
		}
	}
	r.open = r.open[:len(r.open)-1]
}

func requires(schema node, property string) bool {
	names, _ := schema.fields["required"].([]any)
	return slices.Contains(names, any(property))
}

// unused states every component that nothing refers to: no row could hold what
// is in it.
func (r *reader) unused() {
	components := r.child(r.node("", r.doc), "components")
	for _, kind := range components.keys() {
		section := r.child(components, kind)
		for _, name := range section.keys() {
			if n := r.child(section, name); !r.used[n.at] {
				r.say(n, "component", kind+"/"+name, "used", false)
			}
		}
	}
}

// rest states keywords under their own names, but prose and extensions.
func (r *reader) rest(place, name string, n node, keys ...string) {
	for _, key := range keys {
		if !slices.Contains(prose, key) && !strings.HasPrefix(key, "x-") {
			r.say(n, place, name, key, n.fields[key])
		}
	}
}

// says states each sentence of a description, however its lines are broken.
func (r *reader) says(n node, place, name string) {
	described, _ := n.fields["description"].(string)
	described = strings.ReplaceAll("\n"+described, "\n- ", "\n")
	for sentence := range strings.SplitAfterSeq(strings.Join(strings.Fields(described), " "), ". ") {
		if sentence != "" {
			r.say(n, place, name, "says", strings.TrimSpace(sentence))
		}
	}
}

func (r *reader) say(n node, place, name, word string, value any, sources ...source) {
	f := fact{Place: place, Name: name, Fact: word, Value: value}
	r.out = append(r.out, statement{fact: f, at: n.at, sources: append(n.source(), sources...)})
}

// child returns what a key of n holds, an empty node if there is no such key.
func (r *reader) child(n node, key string) node {
	return r.node(n.at+"/"+escape(key), n.fields[key])
}

func (r *reader) list(n node, key string) []node {
	items, _ := n.fields[key].([]any)
	nodes := make([]node, len(items))
	for i, item := range items {
		nodes[i] = r.node(n.at+"/"+escape(key)+"/"+strconv.Itoa(i), item)
	}
	return nodes
}

// node follows a reference, so that a statement is found where it is written.
func (r *reader) node(at string, v any) node {
	fields, _ := v.(map[string]any)
	ref, ok := fields["$ref"].(string)
	if !ok {
		return node{at: at, fields: fields}
	}
	at = strings.TrimPrefix(ref, "#")
	r.used[at] = true
	var target any = r.doc
	for key := range strings.SplitSeq(strings.TrimPrefix(at, "/"), "/") {
		object, _ := target.(map[string]any)
		target = object[unescape(key)]
	}
	return r.node(at, target)
}

var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1").Replace
	unescape = strings.NewReplacer("~1", "/", "~0", "~").Replace
)
