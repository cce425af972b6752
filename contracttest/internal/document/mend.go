package document

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A document may have a fault that keeps the loader from reading any of it: a
// reference that leads nowhere, a text where a list is expected. What is at fault
// is then left out, or read as what it was meant to be, with a warning at its
// place, and the rest is loaded.

// mender takes a document apart and leaves out what the loader cannot read.
type mender struct {
	root     *yaml.Node
	from     map[*yaml.Node]written // where the nodes stood before the document was converted; nil where it was not
	warnings []warning
	refs     []string                    // as they are written
	bad      map[string]string           // references that the loader does not take, and why
	file     func(ref string) string     // says what is wrong with a reference to another file
	inFile   func(ref string) *yaml.Node // what a reference to another file leads to; nil where that is nothing
	later    bool                        // the document is one of OpenAPI 3.2
	old      bool                        // schemas are in a dialect before 2019-09
	seen     map[*yaml.Node]bool
	nodes    int
}

// lostReference marks a schema of which a reference was left out: it takes more than
// it was meant to.
const lostReference = "x-contracttest-lost-reference"

var errNoMapping = errors.New("not an OpenAPI document: the root must be an object")

// mend reads the document with the changes of its overlays, but for references that are known to
// be bad.
func (s *source) mend(bad map[string]string) (*mender, error) {
	root, idle, err := parse(s.data, s.overlays)
	if err != nil {
		return nil, err
	}
	m := &mender{root: root, warnings: idle, seen: map[*yaml.Node]bool{}, bad: bad, file: func(ref string) string { return s.unreadable(ref, "") }, inFile: s.target}
	if err := expandMergeKeys(m.root); err != nil {
		return nil, err
	}
	switch {
	case isSwagger(m.root):
		m.root, m.from = s.convert(m.root, m.warn)
	default:
		m.later = isLater(m.root)
		if m.later || member(m.root, AzurePaths) != nil {
			m.from = note(m.root)
		}
		joinAzurePaths(m.root)
		m.old = oldDialect.MatchString(scalar(m.root, "jsonSchemaDialect"))
		if hasNames.Match(s.data) || scalar(m.root, "$self") != "" {
			resolveNames(m.root, s.location(), m.warn)
		}
	}
	m.followComponents()
	m.fit(m.root, "document", "")
	if m.later {
		remove(m.root, "$self")
		if components := member(m.root, "components"); components != nil {
			remove(components, "mediaTypes")
		}
	}
	if m.nodes > maxYAML {
		return nil, errAliases
	}
	return m, nil
}

// AzurePaths holds the paths of documents of Azure that are told apart by their query, which paths of
// a document may not have. A path that was one of them has it as an extension.
const AzurePaths = "x-ms-paths"

// joinAzurePaths puts them beside the other paths, where each is read that has a query.
func joinAzurePaths(root *yaml.Node) {
	more := member(root, AzurePaths)
	if more == nil || more.Kind != yaml.MappingNode {
		return
	}
	paths := member(root, "paths")
	if paths == nil {
		paths = &yaml.Node{Kind: yaml.MappingNode, Line: more.Line, Column: more.Column}
		root.Content = append(root.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "paths", Line: more.Line, Column: more.Column}, paths)
	}
	for i := 0; i+1 < len(more.Content); i += 2 {
		key, item := more.Content[i], resolved(more.Content[i+1])
		if member(paths, key.Value) != nil || item.Kind != yaml.MappingNode {
			continue
		}
		item.Content = append(item.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: AzurePaths, Line: key.Line, Column: key.Column},
			&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true", Line: key.Line, Column: key.Column})
		paths.Content = append(paths.Content, key, item)
	}
	remove(root, AzurePaths)
}

func (m *mender) warn(n *yaml.Node, pointer, format string, args ...any) {
	m.warnings = append(m.warnings, warning{
		place: Place{Pointer: pointer, Line: n.Line, Column: n.Column}, text: fmt.Sprintf(format, args...),
	})
}

// fit makes a value fit a shape. It returns false for one that has to be left
// out.
func (m *mender) fit(n *yaml.Node, shape, pointer string) bool {
	n = resolved(n)
	m.nodes++
	if m.nodes > maxYAML {
		return false
	}
	switch {
	case shape == "any":
		return true
	case strings.HasPrefix(shape, "[]"):
		m.follow(n, shape, pointer)
		return m.fitList(n, shape[2:], pointer)
	case strings.HasPrefix(shape, "{}"):
		m.follow(n, shape, pointer)
		return m.fitMap(n, func(string) string { return shape[2:] }, pointer)
	case objects[shape] != nil:
		return m.fitObject(n, shape, pointer)
	}
	return m.fitScalar(n, shape, pointer)
}

func (m *mender) fitObject(n *yaml.Node, shape, pointer string) bool {
	if shape == "schema" && n.Kind == yaml.ScalarNode && n.Tag == "!!bool" {
		return true
	}
	if m.seen[n] {
		return true
	}
	m.seen[n] = true
	if m.later && shape == "media" {
		m.lowerMedia(n)
	}
	if !referable[shape] {
		m.follow(n, shape, pointer)
	} else if ref := member(n, "$ref"); ref != nil {
		if !m.fitReference(n, ref, shape, pointer) {
			return false
		}
		if shape != "pathItem" && shape != "schema" {
			return true
		}
	}
	if m.later {
		m.lower(n, shape)
	}
	switch shape {
	case "parameter":
		m.describeOnce(n, pointer)
	case "schema":
		if dialect := scalar(n, "$schema"); dialect != "" {
			defer func(around bool) { m.old = around }(m.old)
			m.old = oldDialect.MatchString(dialect)
		}
		m.renew(n, pointer)
	}
	return m.fitMap(n, fieldsOf(shape), pointer)
}

// describeOnce takes the content out of a parameter that has a schema too, which the
// loader refuses.
func (m *mender) describeOnce(n *yaml.Node, pointer string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Value == "content" && member(n, "schema") != nil {
			m.warn(key, pointer+"/content", bothDescribed, "parameter", clipped(scalar(n, "name")))
			remove(n, "content")
			return
		}
	}
}

// bothDescribed is a warning of what must be described by one thing alone (OpenAPI
// 3.0.3, Parameter Object: "either a schema property, or a content property, but not
// both").
const bothDescribed = "%s %q has both schema and content; content ignored"

// fitReference takes a reference that leads nowhere out of an object of which
// something remains. It returns false where nothing does.
func (m *mender) fitReference(n, ref *yaml.Node, shape, pointer string) bool {
	fault := m.unresolved(ref)
	if fault == "" {
		return true
	}
	m.warn(ref, pointer+"/$ref", "reference %q ignored: %s", clipped(ref.Value), fault)
	if shape != "schema" && (shape != "pathItem" || len(n.Content) == 2) {
		return false
	}
	loseReference(n)
	return true
}

// loseReference takes the reference out of an object, and marks it.
func loseReference(n *yaml.Node) {
	remove(n, "$ref")
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: lostReference}, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
}

// follow puts what a reference leads to in its place where it stands for a whole map, list or object that OpenAPI has none
// for, as for the content of a response or an operation. People write them, and bundlers follow them. One to what it is in would
// make that endless.
func (m *mender) follow(n *yaml.Node, shape, pointer string) {
	kind := yaml.MappingNode
	if strings.HasPrefix(shape, "[]") {
		kind = yaml.SequenceNode
	}
	for range maxBehind {
		ref := member(n, "$ref")
		if ref == nil || ref.Kind != yaml.ScalarNode || len(n.Content) != 2 {
			return
		}
		var content []*yaml.Node
		switch {
		case strings.HasPrefix(ref.Value, "#"):
			to := nodeAt(m.root, ref.Value[1:])
			if to == nil || to.Kind != kind || m.holds(to, n, map[*yaml.Node]bool{}) {
				return
			}
			content = slices.Clone(to.Content)
		default:
			to := m.inFile(ref.Value)
			if to == nil || to.Kind != kind {
				return
			}
			content = m.referTo(to, ref, shape)
		}
		m.warn(ref, pointer+"/$ref", "no reference may stand here; read as what %q leads to", clipped(ref.Value))
		n.Kind, n.Tag, n.Content = kind, "", content
	}
}

// followComponents does so for the components first, which other references lead into.
func (m *mender) followComponents() {
	all := member(m.root, "components")
	if all == nil {
		return
	}
	m.follow(all, "components", "/components")
	for i := 0; all.Kind == yaml.MappingNode && i+1 < len(all.Content); i += 2 {
		if name := all.Content[i].Value; objects["components"][name] != "" {
			m.follow(resolved(all.Content[i+1]), objects["components"][name], "/components/"+name)
		}
	}
}

// referTo lists the parts of a map, list or object of another file, each as a reference to it: what a part refers to itself is
// relative to its file. A part that holds no reference stands as it is.
func (m *mender) referTo(to, ref *yaml.Node, shape string) []*yaml.Node {
	base := ref.Value
	if !strings.Contains(base, "#") {
		base += "#"
	}
	text := func(s string) *yaml.Node {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Line: ref.Line, Column: ref.Column}
	}
	part := func(name, shape string, value *yaml.Node) *yaml.Node {
		if inner := strings.TrimLeft(shape, "[]{}"); objects[inner] == nil {
			return value
		}
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: ref.Line, Column: ref.Column, Content: []*yaml.Node{text("$ref"), text(base + "/" + name)}}
	}
	var all []*yaml.Node
	if to.Kind == yaml.SequenceNode {
		for i, item := range to.Content {
			all = append(all, part(strconv.Itoa(i), shape[2:], item))
		}
		return all
	}
	fields := fieldsOf(shape)
	if of, isMap := strings.CutPrefix(shape, "{}"); isMap {
		fields = func(string) string { return of }
	}
	for i := 0; i+1 < len(to.Content); i += 2 {
		name := to.Content[i].Value
		all = append(all, text(name), part(url.PathEscape(Escape(name)), fields(name), to.Content[i+1]))
	}
	return all
}

// holds reports whether a node is part of another one, or would be with what was followed in it.
func (m *mender) holds(in, part *yaml.Node, seen map[*yaml.Node]bool) bool {
	if in = resolved(in); in == part {
		return true
	}
	if seen[in] {
		return false
	}
	seen[in] = true
	m.nodes++
	return slices.ContainsFunc(in.Content, func(n *yaml.Node) bool { return m.holds(n, part, seen) })
}

// fieldsOf returns the shapes of the fields of an object.
func fieldsOf(shape string) func(name string) string {
	fields := objects[shape]
	all := fields["*"]
	return func(name string) string {
		if all != "" && !strings.HasPrefix(name, "x-") {
			return all
		}
		return fields[name]
	}
}

func clipped(s string) string {
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// expected warns of a value that is left out for being of another kind. A null
// is left out without a word: it is the same as nothing.
func (m *mender) expected(what string, n *yaml.Node, pointer string) bool {
	if n.Tag != "!!null" {
		m.warn(n, pointer, "expected %s; value ignored", what)
	}
	return false
}

// fitMap keeps those members whose value fits, and of several of one name the
// last.
func (m *mender) fitMap(n *yaml.Node, shape func(string) string, pointer string) bool {
	if n.Kind != yaml.MappingNode {
		return m.expected("an object", n, pointer)
	}
	last := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if _, twice := last[name]; twice {
			m.warn(n.Content[i], pointer+"/"+Escape(name), "duplicate key %q; only the last value is used", clipped(name))
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

func (m *mender) fitList(n *yaml.Node, shape, pointer string) bool {
	if n.Kind != yaml.SequenceNode {
		return m.expected("an array", n, pointer)
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
func (m *mender) fitScalar(n *yaml.Node, shape, pointer string) bool {
	switch {
	case n.Tag == "!!null":
		return false
	case shape == "types" && n.Kind == yaml.SequenceNode:
		return m.fitList(n, "string", pointer)
	case n.Kind != yaml.ScalarNode:
		return m.expected(scalarNames[shape], n, pointer)
	}
	switch shape {
	case "target":
		return m.fitTarget(n, pointer)
	case "string", "types":
		if n.Tag == "!!int" || n.Tag == "!!float" || n.Tag == "!!bool" {
			m.warn(n, pointer, "%s is read as the string %q", clipped(n.Value), clipped(n.Value))
		}
		n.Tag = "!!str"
		return true
	case "bool":
		return m.fitBool(n, pointer)
	case "bound":
		return n.Tag == "!!bool" || m.fitNumber(n, shape, pointer)
	}
	return m.fitNumber(n, shape, pointer)
}

// scalarNames say in messages what the plain types are.
var scalarNames = map[string]string{
	"bool": "a boolean", "count": "a number", "bound": "a number", "number": "a number", "types": "a string", "string": "a string", "target": "a string",
}

// fitTarget reads the name of a schema, or a reference to one.
func (m *mender) fitTarget(n *yaml.Node, pointer string) bool {
	n.Tag = "!!str"
	if !strings.ContainsAny(n.Value, "#/") {
		return true
	}
	fault := m.unresolved(n)
	if fault != "" {
		m.warn(n, pointer, "reference %q ignored: %s", clipped(n.Value), fault)
	}
	return fault == ""
}

func (m *mender) fitBool(n *yaml.Node, pointer string) bool {
	switch {
	case n.Tag == "!!bool":
		return true
	case n.Value == "true", n.Value == "false":
		return m.readAs("boolean", "!!bool", n, pointer)
	}
	return m.expected("a boolean", n, pointer)
}

func (m *mender) fitNumber(n *yaml.Node, shape, pointer string) bool {
	v, err := strconv.ParseFloat(n.Value, 64)
	switch {
	case err != nil || shape == "count" && (v < 0 || v != float64(uint64(v))):
		return m.expected("a number", n, pointer)
	case n.Tag != "!!int" && n.Tag != "!!float":
		return m.readAs("number", "!!float", n, pointer)
	}
	return true
}

func (m *mender) readAs(what, tag string, n *yaml.Node, pointer string) bool {
	m.warn(n, pointer, "%q is read as a %s", clipped(n.Value), what)
	n.Tag, n.Style = tag, 0
	return true
}

// Why a reference leads nowhere.
const (
	notFound = "target not found"
	circular = "circular, it leads back to itself"
)

// maxBehind is how many references one behind the other are followed.
const maxBehind = 64

// unresolved says why a reference cannot be followed; empty where it can.
func (m *mender) unresolved(ref *yaml.Node) string {
	if ref.Kind != yaml.ScalarNode || ref.Value == "" {
		return "not a URI"
	}
	m.refs = append(m.refs, ref.Value)
	if fault := m.bad[ref.Value]; fault != "" {
		return fault
	}
	for range maxBehind {
		if !strings.HasPrefix(ref.Value, "#") {
			return m.file(ref.Value)
		}
		to := nodeAt(m.root, ref.Value[1:])
		if to == nil {
			return notFound
		}
		if ref = member(to, "$ref"); ref == nil {
			return ""
		}
	}
	return circular
}

// worst returns the reference that an error of the loader is about; empty where
// it is about none. The longest one is: a shorter one may be a part of it.
func (m *mender) worst(err error) string {
	found := ""
	for _, ref := range m.refs {
		if m.bad[ref] == "" && len(ref) > len(found) && strings.Contains(err.Error(), strconv.Quote(ref)) {
			found = ref
		}
	}
	return found
}
