package document

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The loader follows references by JSON pointer alone. Those by name (JSON Schema
// Core 2020-12 §8.2) are rewritten as pointers before it reads them:
//
//	Part:
//	  $id: https://example.com/schemas/part   # a resource of its own: the base of
//	  properties:                             # the references inside
//	    size: {$ref: size}                    # https://example.com/schemas/size
//	    code: {$ref: '#/$defs/code'}          # in this resource, not in the document
//
// A $dynamicRef leads to the one $dynamicAnchor of its name; where there are
// several, which one depends on the way to it.

var hasNames = regexp.MustCompile(`\$(anchor|dynamicAnchor|id)["']?\s*:`)

// resource is a schema with an $id, or the document as a whole.
type resource struct {
	uri     *url.URL // without a fragment
	pointer string
}

// names are the pointers that names stand for.
type names struct {
	root      *yaml.Node
	document  resource
	resources map[string]string            // by URI
	anchors   map[string]string            // by URI and fragment
	anywhere  map[string][]string          // by the name of an anchor alone
	dynamic   map[string][]string          // those of $dynamicAnchor
	dynamicIn map[string]map[string]string // the same, by the pointer of their resource and their name
	warn      func(n *yaml.Node, pointer, format string, args ...any)
}

// resolveNames rewrites the references of a document that stands at a URI.
func resolveNames(root *yaml.Node, uri *url.URL, warn func(n *yaml.Node, pointer, format string, args ...any)) {
	base := url.URL{Scheme: "file", Path: "/"}
	uri = base.ResolveReference(uri)
	if self, err := url.Parse(scalar(root, "$self")); err == nil && self.Fragment == "" { // OpenAPI 3.2.0 §4.1.2
		uri = uri.ResolveReference(self)
	}
	a := &names{
		root: root, document: resource{uri: uri}, warn: warn,
		resources: map[string]string{}, anchors: map[string]string{}, anywhere: map[string][]string{}, dynamic: map[string][]string{},
		dynamicIn: map[string]map[string]string{},
	}
	a.resources[a.document.uri.String()] = ""
	a.walk(root, "", a.document, map[*yaml.Node]bool{}, a.collect)
	a.walk(root, "", a.document, map[*yaml.Node]bool{}, a.rewrite)
	a.followWays()
}

func (a *names) collect(n *yaml.Node, pointer string, in resource) {
	if in.pointer == pointer {
		a.resources[in.uri.String()] = pointer
	}
	for _, keyword := range []string{"$anchor", "$dynamicAnchor", "$id"} {
		name, isFragment := strings.CutPrefix(scalar(n, keyword), "#")
		if name == "" || isFragment != (keyword == "$id") {
			continue
		}
		a.anchors[in.uri.String()+"#"+name] = pointer
		a.anywhere[name] = append(a.anywhere[name], pointer)
		if keyword == "$dynamicAnchor" {
			a.dynamic[name] = append(a.dynamic[name], pointer)
			if a.dynamicIn[in.pointer] == nil {
				a.dynamicIn[in.pointer] = map[string]string{}
			}
			if _, twice := a.dynamicIn[in.pointer][name]; twice {
				pointer = "" // nothing says which of them counts
			}
			a.dynamicIn[in.pointer][name] = pointer
		}
	}
}

// scalar returns the value of a member that is a scalar; empty where there is none.
func scalar(n *yaml.Node, name string) string {
	if v := member(n, name); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

func (a *names) rewrite(n *yaml.Node, pointer string, in resource) {
	if ref := member(n, "$ref"); ref != nil && ref.Kind == yaml.ScalarNode {
		if to, ok := a.pointer(ref, pointer, in); ok {
			ref.Value = "#" + to
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key, v := n.Content[i], n.Content[i+1]; key.Value == "$dynamicRef" && v.Kind == yaml.ScalarNode {
			if to := a.dynamic[strings.TrimPrefix(v.Value, "#")]; len(to) == 1 {
				key.Value, v.Value = "$ref", "#"+to[0]
			}
		}
	}
}

// pointer returns where a reference in a resource leads. It is false for what
// the loader follows as it stands: a pointer from the root, and another file.
func (a *names) pointer(ref *yaml.Node, pointer string, in resource) (string, bool) {
	u, err := url.Parse(ref.Value)
	if err != nil {
		return "", false
	}
	u = in.uri.ResolveReference(u)
	fragment := u.EscapedFragment()
	u.Fragment, u.RawFragment = "", ""
	to, known := a.resources[u.String()]
	if !known {
		return "", false
	}
	switch {
	case fragment == "":
		return to, ref.Value != ""
	case !strings.HasPrefix(fragment, "/"):
		return a.anchor(u.String(), fragment)
	case to != "" && nodeAt(a.root, to+fragment) == nil && nodeAt(a.root, fragment) != nil:
		a.warn(ref, pointer+"/$ref", "reference %q is read from the root of the document: the schema with the $id around it has no such part", clipped(ref.Value))
		return fragment, true
	}
	return to + fragment, to != "" || !strings.HasPrefix(ref.Value, "#")
}

// anchor returns where an anchor of a resource is: in the resource itself, or, as
// many write it, somewhere else in the document.
func (a *names) anchor(uri, name string) (string, bool) {
	if to, ok := a.anchors[uri+"#"+name]; ok {
		return to, true
	}
	if all := a.anywhere[name]; len(all) > 0 {
		return all[0], true
	}
	return "", false
}

// unnamed lists the members that hold values and no schemas.
var unnamed = []string{"example", "examples", "default", "enum", "const"}

// walk calls f for each object, with its pointer and the resource that it is in.
func (a *names) walk(n *yaml.Node, pointer string, in resource, seen map[*yaml.Node]bool, f func(n *yaml.Node, pointer string, in resource)) {
	n = resolved(n)
	if seen[n] {
		return
	}
	seen[n] = true
	switch n.Kind {
	case yaml.SequenceNode:
		for i, item := range n.Content {
			a.walk(item, pointer+"/"+strconv.Itoa(i), in, seen, f)
		}
	case yaml.MappingNode:
		if id := scalar(n, "$id"); id != "" && pointer != "" {
			if u, err := url.Parse(id); err == nil {
				u = in.uri.ResolveReference(u)
				u.Fragment, u.RawFragment = "", ""
				if u.String() != in.uri.String() { // $id: '#name' is an anchor, as older drafts write it
					in = resource{u, pointer}
				}
			}
		}
		f(n, pointer, in)
		for i := 0; i+1 < len(n.Content); i += 2 {
			name := n.Content[i].Value
			if slices.Contains(unnamed, name) && !strings.HasSuffix(pointer, "/properties") {
				continue
			}
			a.walk(n.Content[i+1], pointer+"/"+Escape(name), in, seen, f)
		}
	}
}
