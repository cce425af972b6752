package codec

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// A value is written as XML, and read from it, as the XML Object of OpenAPI has
// it (OpenAPI 3.0.3, XML Object): a property is an element or an attribute, a
// list is its elements one after the other, in one around them where it is
// wrapped.

// Why a receiver may read a body of XML otherwise.
const (
	leaveComponent = "OpenAPI 3.0.3, XML Object: that the root element is called as the component is but shown in examples"
	leaveInstead   = "OpenAPI 3.0.3, XML Object, name: it replaces the name of the property, and a receiver may know the element by that all the same"
	leaveProperty  = "OpenAPI 3.0.3, XML Object, name: it replaces the name of the property, by which some call the element all the same"
)

// maxElements bounds how deep elements stand inside one another.
const maxElements = 1000

// xmlName is what an element or an attribute is called.
type xmlName struct{ local, space, prefix string }

// xmlOf returns what schemas say of the XML of a value.
func xmlOf(nodes schema.Nodes) openapi3.XML {
	for _, a := range nodes.Alternatives() {
		for _, n := range a.Nodes {
			if n.Schema.XML != nil {
				return *n.Schema.XML
			}
		}
	}
	return openapi3.XML{}
}

// isContent reports whether a member is the text of the element around it (OpenAPI 3.2.0, XML
// Object, nodeType).
func isContent(x openapi3.XML) bool {
	return x.Extensions["nodeType"] == "text" || x.Extensions["nodeType"] == "cdata"
}

// nameOr returns the documented name, and another where there is none.
func nameOr(x openapi3.XML, name string) xmlName {
	n := xmlName{local: name, space: x.Namespace, prefix: x.Prefix}
	if x.Name != "" {
		n.local = x.Name
	}
	return n
}

// Root is the root element of a body.
type Root struct {
	name xmlName
	// Given is set where the document says how it is called, Named where the name is not
	// made up.
	Given, Named bool
}

// RootOf returns what the root element of a value is called. ref is the reference to its
// schema, if there is one.
func RootOf(node *schema.Node, ref string) Root {
	x := xmlOf(schema.Nodes{node})
	switch {
	case x.Name != "":
		return Root{nameOr(x, ""), true, true}
	case strings.Contains(ref, "/schemas/"):
		return Root{nameOr(x, path.Base(ref)), false, true}
	}
	return Root{nameOr(x, "root"), false, false}
}

// itemName returns what the items of a list are called.
func itemName(item schema.Nodes, name xmlName) xmlName {
	x := xmlOf(item)
	if x.Name == "" && x.Namespace == "" {
		return name
	}
	return nameOr(x, name.local)
}

var (
	errXML       = errors.New("the value cannot be written in XML")
	xmlNamed     = regexp.MustCompile(`^[\pL_][\pL\pN._-]*$`)
	inAttributes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&#34;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;")
)

// WriteXML writes a value as a document of XML.
func WriteXML(node *schema.Node, root Root, v any) ([]byte, error) {
	w := &xmlWriter{}
	if err := w.element(root.name, schema.Nodes{node}, v); err != nil {
		return nil, err
	}
	return w.b.Bytes(), nil
}

type xmlWriter struct{ b bytes.Buffer }

func (w *xmlWriter) element(name xmlName, nodes schema.Nodes, v any) error {
	members, _ := v.(map[string]any)
	holding := nodes.Of(v)
	spaces := map[string]string{}
	qualified, err := qualify(name, spaces)
	if err != nil {
		return err
	}
	var attributes strings.Builder
	names := slices.Sorted(maps.Keys(members))
	for _, prop := range names {
		x := xmlOf(holding.Member(prop))
		if !x.Attribute {
			continue
		}
		key, err := qualify(nameOr(x, prop), spaces)
		if err != nil {
			return err
		}
		text, err := xmlText(members[prop])
		if err != nil {
			return err
		}
		fmt.Fprintf(&attributes, ` %s="%s"`, key, inAttributes.Replace(text))
	}
	w.b.WriteString("<" + qualified)
	for _, prefix := range slices.Sorted(maps.Keys(spaces)) {
		fmt.Fprintf(&w.b, ` %s="%s"`, strings.TrimSuffix("xmlns:"+prefix, ":"), inAttributes.Replace(spaces[prefix]))
	}
	w.b.WriteString(attributes.String() + ">")
	if err := w.content(name, holding, v); err != nil {
		return err
	}
	w.b.WriteString("</" + qualified + ">")
	return nil
}

// content writes what stands inside an element.
func (w *xmlWriter) content(name xmlName, holding schema.Alternative, v any) error {
	switch v := v.(type) {
	case map[string]any:
		for _, prop := range slices.Sorted(maps.Keys(v)) {
			nodes := holding.Member(prop)
			x := xmlOf(nodes)
			if x.Attribute {
				continue
			}
			if isContent(x) {
				text, err := xmlText(v[prop])
				if err != nil {
					return err
				}
				_ = xml.EscapeText(&w.b, []byte(text)) // a buffer takes everything
				continue
			}
			if err := w.member(prop, nodes, v[prop]); err != nil {
				return err
			}
		}
		return nil
	case []any: // as the root, or wrapped
		return w.items(holding, name, v)
	}
	text, err := xmlText(v)
	if err != nil {
		return err
	}
	_ = xml.EscapeText(&w.b, []byte(text)) // a buffer takes everything
	return nil
}

func (w *xmlWriter) member(prop string, nodes schema.Nodes, v any) error {
	x := xmlOf(nodes)
	name := nameOr(x, prop)
	list, isList := v.([]any)
	switch {
	case !isList || x.Wrapped:
		return w.element(name, nodes, v)
	case len(list) == 0:
		return fmt.Errorf("%w: a list without items is no element at all", errXML)
	}
	return w.items(nodes.Of(v), name, list)
}

func (w *xmlWriter) items(holding schema.Alternative, name xmlName, list []any) error {
	for i, v := range list {
		if _, nested := v.([]any); nested {
			return fmt.Errorf("%w: a list as an item of another has no name", errXML)
		}
		item := holding.Item(i)
		if err := w.element(itemName(item, name), item, v); err != nil {
			return err
		}
	}
	return nil
}

// qualify returns a name with its prefix, and notes the namespace to declare.
func qualify(n xmlName, spaces map[string]string) (string, error) {
	if !xmlNamed.MatchString(n.local) || n.prefix != "" && !xmlNamed.MatchString(n.prefix) {
		return "", fmt.Errorf("%w: %q is no name in it", errXML, n.local)
	}
	if n.space != "" {
		spaces[n.prefix] = n.space
	}
	if n.prefix == "" || n.space == "" { // a prefix stands for a namespace
		return n.local, nil
	}
	return n.prefix + ":" + n.local, nil
}

// xmlText returns the text of a value that is neither a list nor an object.
func xmlText(v any) (string, error) {
	switch v.(type) {
	case nil:
		return "", fmt.Errorf("%w: null has no form in it", errXML)
	case []any, map[string]any:
		return "", fmt.Errorf("%w: an attribute is one text", errXML)
	}
	text := WriteText(v)
	if !utf8.ValidString(text) || strings.ContainsFunc(text, notInXML) {
		return "", fmt.Errorf("%w: it has a character that XML 1.0 §2.2 leaves out", errXML)
	}
	return text, nil
}

func notInXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufffe' || r == '\uffff'
}

// element is an element with all that is in it.
type element struct {
	name     xml.Name
	attrs    []xml.Attr
	children []*element
	text     string
}

// parseXML reads one document.
func parseXML(body []byte) (*element, error) {
	if bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.HasPrefix(body, []byte("\xfe\xff")) {
		return nil, ErrNotJudged
	}
	dec := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, ErrNotJudged }
	var root *element
	var open []*element
	for {
		token, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF) && root != nil:
			return root, nil
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: it has no element", ErrNotXML)
		case errors.Is(err, ErrNotJudged):
			return nil, ErrNotJudged
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrNotXML, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name, attrs: slices.Clone(t.Attr)}
			if err := e.ambiguous(); err != nil {
				return nil, err
			}
			switch {
			case len(open) > 0:
				parent := open[len(open)-1]
				parent.children = append(parent.children, e)
			case root != nil:
				return nil, fmt.Errorf("%w: it has more than one root element", ErrNotXML)
			default:
				root = e
			}
			if open = append(open, e); len(open) > maxElements {
				return nil, ErrNotJudged
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
			} else if strings.TrimFunc(string(t), unicode.IsSpace) != "" {
				return nil, fmt.Errorf("%w: it has text beside its root element", ErrNotXML)
			}
		case xml.Directive:
			if bytes.ContainsRune(t, '[') { // which may declare entities
				return nil, ErrNotJudged
			}
		}
	}
}

// ambiguous reports an attribute that is given twice (XML 1.0 §3.1).
func (e *element) ambiguous() error {
	seen := map[xml.Name]bool{}
	for _, a := range e.attrs {
		if seen[a.Name] {
			return fmt.Errorf("%w: an element has the attribute %s twice", ErrNotXML, a.Name.Local)
		}
		seen[a.Name] = true
	}
	return nil
}

// Errors of ReadXML.
var (
	// ErrNotJudged is returned for what cannot be looked into: another encoding than UTF-8,
	// entities of its own.
	ErrNotJudged = errors.New("is not judged")
	// ErrNotXML is returned for bytes that are no document of XML.
	ErrNotXML = errors.New("is not an XML document")
)

// ReadXML reads a document of XML.
func ReadXML(node *schema.Node, root Root, body []byte) (Reading, error) {
	e, err := parseXML(body)
	switch {
	case err != nil:
		return Reading{}, err
	case node == nil:
		return Reading{}, nil
	}
	if root.Named && !e.is(root.name) {
		got := unreadable("the root element is no " + root.name.local)
		if !root.Given {
			got.Leave = leaveComponent
		}
		return got, nil
	}
	name := root.name
	if !root.Given {
		name.local = "" // nor does it say how the items of a list are called
	}
	nodes := schema.Nodes{node}
	got := readElement(nodes, e, name)
	if got.Bad == nil && nodes.Keeps(got.Value) {
		return got, nil
	}
	if one, ok := readAlone(nodes, e, name); ok {
		return one, nil
	}
	return got, nil
}

// readAlone reads the root element as the only item of a list that is not wrapped, which has
// no element around its items.
func readAlone(nodes schema.Nodes, e *element, name xmlName) (Reading, bool) {
	if xmlOf(nodes).Wrapped {
		return Reading{}, false
	}
	for _, a := range nodes.Alternatives() {
		if !slices.Contains(a.Shapes(), schema.Array) {
			continue
		}
		if got := readElements(a, name, []*element{e}); got.Bad == nil && nodes.Keeps(got.Value) {
			return got, true
		}
	}
	return Reading{}, false
}

// is reports whether an element is called so. Where no name is documented, it may
// have any, and where no namespace is, it may be in any.
func (e *element) is(n xmlName) bool {
	return (n.local == "" || e.name.Local == n.local) && (n.space == "" || e.name.Space == n.space)
}

// readElement reads an element in each shape that the schemas may have.
func readElement(nodes schema.Nodes, e *element, name xmlName) Reading {
	if len(nodes) == 0 {
		return Reading{Value: e.plain(), Found: true}
	}
	blank := strings.Trim(e.text, " \t\r\n") == ""
	composed := len(e.children) > 0 || len(e.own()) > 0
	return best(nodes, func(yield func(Reading) bool) {
		for _, a := range nodes.Alternatives() {
			for _, shape := range a.Shapes() {
				var got Reading
				switch {
				case shape == schema.Scalar && composed:
					got = unreadable("it has elements or attributes where a text is wanted")
				case shape == schema.Scalar:
					got = readText(nodes, e.text)
				case !blank && !(shape == schema.Object && hasContent(a)):
					got = unreadable("it has text beside its elements")
				case shape == schema.Array:
					got = readElements(a, name, e.children)
				default:
					got = readMembers(a, e)
				}
				if !yield(got) {
					return
				}
			}
		}
	})
}

// hasContent reports whether a member of an object is the text of its element.
func hasContent(a schema.Alternative) bool {
	return slices.ContainsFunc(a.Names(), func(prop string) bool { return isContent(xmlOf(a.Member(prop))) })
}

// readElements reads a list of which each item is an element.
func readElements(a schema.Alternative, name xmlName, elements []*element) Reading {
	list := make([]any, len(elements))
	got := Reading{Value: list, Found: true}
	for i, e := range elements {
		at, called := strconv.Itoa(i), itemName(a.Item(i), name)
		if !e.is(called) {
			return unreadable("the element is no "+called.local, at)
		}
		one := readItem(a, i, func(nodes schema.Nodes) Reading { return readElement(nodes, e, called) })
		if one.Bad != nil {
			return one.inside(at)
		}
		list[i] = one.Value
		got.left(one.Leave, append([]string{at}, one.At...)...)
	}
	return got
}

// readMembers reads an object: its attributes and elements, first those that schemas name.
func readMembers(a schema.Alternative, e *element) Reading {
	m := &membersOf{a: a, element: e, attributes: e.own(), taken: map[*element]bool{}, members: map[string]any{}}
	m.got = Reading{Value: m.members, Found: true}
	for _, prop := range a.Names() {
		if !m.described(prop) {
			return m.got
		}
	}
	m.others()
	return m.got
}

// membersOf reads the members of an element one by one.
type membersOf struct {
	a          schema.Alternative
	element    *element
	attributes []xml.Attr        // that are not read yet
	taken      map[*element]bool // children that are
	members    map[string]any
	got        Reading
}

// add enters a member. It reports whether it could be read.
func (m *membersOf) add(prop string, one Reading) bool {
	if one.Bad != nil {
		m.got = one.inside(prop)
		return false
	}
	m.members[prop] = one.Value
	m.got.left(one.Leave, append([]string{prop}, one.At...)...)
	return true
}

// described reads a member that schemas name, where it is there.
func (m *membersOf) described(prop string) bool {
	nodes := m.a.Member(prop)
	x := xmlOf(nodes)
	name := nameOr(x, prop)
	if x.Attribute {
		i := slices.IndexFunc(m.attributes, func(a xml.Attr) bool { return a.Name.Local == name.local })
		if i < 0 {
			return true
		}
		text := m.attributes[i].Value
		m.attributes = slices.Delete(m.attributes, i, i+1)
		return m.add(prop, readElement(nodes, &element{text: text}, xmlName{}))
	}
	if isContent(x) {
		return m.element.text == "" || m.add(prop, readText(nodes, m.element.text))
	}
	lists, others := byList(nodes)
	if len(lists) > 0 && !others && !x.Wrapped {
		name = itemName(lists[0].Item(0), name)
	}
	own := m.take(func(child *element) bool { return child.is(name) })
	return len(own) == 0 || m.add(prop, readElementsOf(nodes, own, name))
}

// others reads what no schema names.
func (m *membersOf) others() {
	for _, attr := range m.attributes {
		if !m.add(attr.Name.Local, readElement(m.a.Member(attr.Name.Local), &element{text: attr.Value}, xmlName{})) {
			return
		}
	}
	for _, child := range m.element.children {
		same := m.take(func(other *element) bool { return other.name == child.name })
		name := child.name.Local
		if len(same) == 0 {
			continue
		}
		nodes := m.a.Member(name)
		one := readElementsOf(nodes, same, xmlName{local: name})
		if slices.Contains(m.a.Names(), name) { // <t> may be meant as t: {xml: {name: T}}, if it can be
			if _, there := m.members[name]; there || one.Bad != nil || !nodes.Keeps(one.Value) {
				m.got.left(leaveProperty, name)
				continue
			}
			m.got.left(leaveInstead, name)
		}
		if !m.add(name, one) {
			return
		}
	}
}

// take returns some of the children that were not taken before.
func (m *membersOf) take(wanted func(*element) bool) []*element {
	var some []*element
	for _, child := range m.element.children {
		if !m.taken[child] && wanted(child) {
			m.taken[child] = true
			some = append(some, child)
		}
	}
	return some
}

// readElementsOf reads the elements of one member.
func readElementsOf(nodes schema.Nodes, elements []*element, name xmlName) Reading {
	wrapped := xmlOf(nodes).Wrapped
	return best(nodes, func(yield func(Reading) bool) {
		lists, others := byList(nodes)
		if (others || wrapped) && len(elements) == 1 && !yield(readElement(nodes, elements[0], name)) {
			return
		}
		if !wrapped {
			for _, a := range lists {
				if !yield(readElements(a, name, elements)) {
					return
				}
			}
		}
		if len(elements) == 1 || !others && !wrapped {
			return
		}
		several := make([]any, len(elements)) // where one is wanted
		for i, e := range elements {
			several[i] = readElement(nodes, e, name).Value
		}
		yield(Reading{Value: several, Found: true})
	})
}

// own lists the attributes that are no declarations.
func (e *element) own() []xml.Attr {
	return slices.DeleteFunc(slices.Clone(e.attrs), func(a xml.Attr) bool {
		switch a.Name.Space {
		case "xmlns", "xml", "http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2001/XMLSchema-instance":
			return true
		}
		return a.Name.Space == "" && a.Name.Local == "xmlns"
	})
}

// plain returns an element that no schema describes as a value.
func (e *element) plain() any {
	if len(e.children) == 0 && len(e.own()) == 0 {
		return e.text
	}
	members := map[string]any{}
	for _, a := range e.own() {
		members[a.Name.Local] = a.Value
	}
	for _, child := range e.children {
		switch before := members[child.name.Local].(type) {
		case nil:
			members[child.name.Local] = child.plain()
		case []any:
			members[child.name.Local] = append(before, child.plain())
		default:
			members[child.name.Local] = []any{before, child.plain()}
		}
	}
	return members
}
