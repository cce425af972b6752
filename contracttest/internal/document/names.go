package document

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The loader follows references by JSON pointer alone. Those by name (JSON Schema
// Core §8.2) are written as pointers before it reads them: to an $anchor, to the
// $id of a schema, and a pointer inside a schema that has an $id, which starts there.
// A $dynamicRef leads to the one $dynamicAnchor of its name; where there are
// several, which one depends on the way to it, and it stays as it is.
var hasNames = regexp.MustCompile(`\$(anchor|dynamicAnchor|id)["']?\s*:`)

// anchors are the pointers that names stand for.
type anchors struct {
	at      map[string][]string // anchors, static and dynamic
	dynamic map[string][]string
	ids     map[string]string
}

// unnamed lists the members that hold values and no schemas.
var unnamed = []string{"example", "examples", "default", "enum", "const"}

// resolveNames rewrites the references of a document.
func resolveNames(root *yaml.Node) {
	a := &anchors{at: map[string][]string{}, dynamic: map[string][]string{}, ids: map[string]string{}}
	walkNamed(root, "", "", map[*yaml.Node]bool{}, func(n *yaml.Node, pointer, _ string) {
		for _, kind := range []string{"$anchor", "$dynamicAnchor"} {
			if v := member(n, kind); v != nil && v.Kind == yaml.ScalarNode {
				a.at[v.Value] = append(a.at[v.Value], pointer)
				if kind == "$dynamicAnchor" {
					a.dynamic[v.Value] = append(a.dynamic[v.Value], pointer)
				}
			}
		}
		if v := member(n, "$id"); v != nil && v.Kind == yaml.ScalarNode && pointer != "" {
			a.ids[v.Value] = pointer
		}
	})
	walkNamed(root, "", "", map[*yaml.Node]bool{}, a.rewrite)
}

func (a *anchors) rewrite(n *yaml.Node, _, resource string) {
	if ref := member(n, "$ref"); ref != nil && ref.Kind == yaml.ScalarNode {
		if to, ok := a.pointer(ref.Value, resource); ok {
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

// pointer returns where a reference by name leads.
func (a *anchors) pointer(ref, resource string) (string, bool) {
	base, fragment, _ := strings.Cut(ref, "#")
	if base != "" {
		at, known := a.ids[base]
		if !known {
			return "", false
		}
		resource = at
	}
	switch {
	case fragment == "":
		return resource, base != ""
	case strings.HasPrefix(fragment, "/"):
		return resource + fragment, resource != ""
	}
	all := a.at[fragment]
	inside := slices.DeleteFunc(slices.Clone(all), func(p string) bool { return !strings.HasPrefix(p, resource+"/") && p != resource })
	if len(inside) > 0 {
		all = inside
	}
	return strings.Join(all[:min(1, len(all))], ""), len(all) > 0
}

// walkNamed calls f for each object, with its pointer and that of the schema with
// an $id around it.
func walkNamed(n *yaml.Node, pointer, resource string, seen map[*yaml.Node]bool, f func(n *yaml.Node, pointer, resource string)) {
	n = resolved(n)
	if seen[n] {
		return
	}
	seen[n] = true
	if n.Kind == yaml.SequenceNode {
		for i, item := range n.Content {
			walkNamed(item, pointer+"/"+strconv.Itoa(i), resource, seen, f)
		}
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	if id := member(n, "$id"); id != nil && id.Kind == yaml.ScalarNode && pointer != "" {
		resource = pointer
	}
	f(n, pointer, resource)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if slices.Contains(unnamed, name) && !strings.HasSuffix(pointer, "/properties") {
			continue
		}
		walkNamed(n.Content[i+1], pointer+"/"+Escape(name), resource, seen, f)
	}
}
