package document

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Where a $dynamicRef leads depends on the way to it: to the anchor of the first resource on it that has one of the
// name (JSON Schema Core 2020-12 §8.2.3.2). The loader knows no ways. So a schema that such a reference is
// reached from is written once more for each way, with a $ref in its place:
//
//	List: {$id: list, items: {$dynamicRef: '#item'}, $defs: {item: {$dynamicAnchor: item}}}
//	Numbers: {$id: numbers, $ref: list, $defs: {item: {$dynamicAnchor: item, type: number}}}
//
// becomes Numbers: {$ref: List-2} and List-2: {items: {$ref: Numbers/$defs/item}}.
type ways struct {
	*names
	written *yaml.Node        // the document as it was before
	made    map[string]string // pointers, by the schema and the way
	reached map[string]bool   // whether a $dynamicRef is reached from a pointer
	left    int               // how many more schemas are written
}

// maxWays bounds the schemas that are written once more.
const maxWays = 500

// followWays replaces the dynamic references of the resources that the document refers to.
func (a *names) followWays() {
	several := func(to []string) bool { return len(to) > 1 }
	if !slices.ContainsFunc(slices.Collect(maps.Values(a.dynamic)), several) {
		return
	}
	w := &ways{names: a, written: copied(a.root), made: map[string]string{}, reached: map[string]bool{}, left: maxWays}
	var refs []string
	a.walk(a.root, "", a.document, map[*yaml.Node]bool{}, func(n *yaml.Node, _ string, in resource) {
		if to, ok := strings.CutPrefix(scalar(n, "$ref"), "#/"); ok && in.pointer == "" {
			refs = append(refs, "/"+to)
		}
	})
	for _, to := range refs {
		w.along(to, nil)
	}
}

func copied(n *yaml.Node) *yaml.Node {
	c := *resolved(n)
	c.Content = make([]*yaml.Node, len(c.Content))
	for i, child := range resolved(n).Content {
		c.Content[i] = copied(child)
	}
	return &c
}

// resourceOf returns the pointer of the resource that a pointer leads into.
func (w *ways) resourceOf(pointer string) string {
	in := ""
	for _, at := range w.resources {
		if (pointer == at || strings.HasPrefix(pointer, at+"/")) && len(at) > len(in) {
			in = at
		}
	}
	return in
}

// along returns the pointer of a schema as it is on a way, which is the anchors of the resources on it.
func (w *ways) along(pointer string, way map[string]string) string {
	anchors := maps.Clone(w.dynamicIn[w.resourceOf(pointer)])
	if anchors == nil {
		anchors = map[string]string{}
	}
	maps.Copy(anchors, way)
	var key strings.Builder
	key.WriteString(pointer)
	for _, name := range slices.Sorted(maps.Keys(anchors)) {
		fmt.Fprintf(&key, "\n%s %s", name, anchors[name])
	}
	if to, ok := w.made[key.String()]; ok {
		return to
	}
	schema, seen := nodeAt(w.written, pointer), map[string]bool{}
	if schema == nil || w.left == 0 || !w.reaches(pointer, seen) {
		for other := range seen {
			w.reached[other] = false // nor does anything on the way
		}
		return pointer
	}
	w.left--
	if way == nil { // from outside all resources there is one way: it stays where it is
		w.made[key.String()] = pointer
		if n := nodeAt(w.root, pointer); n != nil {
			n.Content = w.rewritten(schema, anchors, false, true).Content
		}
		return pointer
	}
	to, value := w.add(pointer, schema)
	w.made[key.String()] = to
	*value = *w.rewritten(schema, anchors, false, false)
	return to
}

// add adds a component that is called as the schema at a pointer is.
func (w *ways) add(pointer string, at *yaml.Node) (string, *yaml.Node) {
	text := func(s string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Line: at.Line, Column: at.Column}
	}
	in := w.root
	for _, name := range []string{"components", "schemas"} {
		next := member(in, name)
		if next == nil {
			next = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: at.Line, Column: at.Column}
			in.Content = append(in.Content, text(name), next)
		}
		in = next
	}
	base := pointer[strings.LastIndexByte(pointer, '/')+1:]
	name := ""
	for i := 2; name == "" || member(in, name) != nil; i++ {
		name = fmt.Sprintf("%s-%d", base, i)
	}
	value := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: at.Line, Column: at.Column}
	in.Content = append(in.Content, text(name), value)
	return "/components/schemas/" + Escape(name), value
}

// rewritten is a copy of a schema in which the references lead where they do on a way. named is set where the
// members are called as the document likes, whole where others may refer into it.
func (w *ways) rewritten(n *yaml.Node, way map[string]string, named, whole bool) *yaml.Node {
	out := *n
	out.Content = nil
	if n.Kind != yaml.MappingNode {
		for _, item := range n.Content {
			out.Content = append(out.Content, w.rewritten(item, way, false, whole))
		}
		return &out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := *n.Content[i], n.Content[i+1]
		ref, isRef := strings.CutPrefix(value.Value, "#")
		isRef = isRef && value.Kind == yaml.ScalarNode && !named
		switch name := key.Value; {
		case named || !slices.Contains([]string{"$id", "$anchor", "$dynamicAnchor", "$defs", "$ref", "$dynamicRef"}, name) && !slices.Contains(unnamed, name):
			value = w.rewritten(value, way, !named && slices.Contains(namesParts, name), whole)
		case name == "$ref" && isRef:
			value = pointing(value, w.along(ref, way))
		case name == "$dynamicRef" && isRef && way[ref] != "" && member(n, "$ref") == nil:
			key.Value, value = "$ref", pointing(value, w.along(way[ref], way))
		case name == "$defs" && whole:
			value = w.rewritten(value, way, true, whole)
		case !whole && strings.HasPrefix(name, "$") && name != "$ref" && name != "$dynamicRef":
			continue
		}
		out.Content = append(out.Content, &key, value)
	}
	return &out
}

// pointing is a reference to a pointer.
func pointing(ref *yaml.Node, to string) *yaml.Node {
	out := *ref
	out.Value = "#" + to
	return &out
}

// reaches reports whether a $dynamicRef is reached from what a pointer leads to.
func (w *ways) reaches(pointer string, seen map[string]bool) bool {
	if yes, known := w.reached[pointer]; known || seen[pointer] {
		return yes
	}
	seen[pointer] = true
	yes := false
	if n := nodeAt(w.written, pointer); n != nil {
		w.walk(n, cmp.Or(pointer, "/"), w.document, map[*yaml.Node]bool{}, func(n *yaml.Node, _ string, _ resource) {
			to, isPointer := strings.CutPrefix(scalar(n, "$ref"), "#")
			yes = yes || scalar(n, "$dynamicRef") != "" || isPointer && w.reaches(to, seen)
		})
	}
	if yes {
		w.reached[pointer] = true
	}
	return yes
}
