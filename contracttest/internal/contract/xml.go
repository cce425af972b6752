package contract

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

	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// A value is written as XML, and read from it, as the XML Object of OpenAPI has
// it (OpenAPI 3.0.3, XML Object): a property is an element or an attribute, a
// list is its elements one after the other, in one around them where it is
// wrapped.

// Why a receiver may read a body of XML otherwise.
const (
	leaveRoot      = "OpenAPI 3.0.3, XML Object: what the root element of a schema without a name is called is not defined"
	leaveComponent = "OpenAPI 3.0.3, XML Object: that the root element is called as the component is but shown in examples"
)

// maxElements bounds how deep elements stand inside one another.
const maxElements = 1000

// isXML reports whether a media type is XML (RFC 7303 §8) that is made of a
// value: a text may be the XML itself.
func isXML(t mediatype.Type, s *openapi3.Schema) bool {
	return (t.Subtype == "xml" || strings.HasSuffix(t.Subtype, "+xml")) && s != nil && !slices.Contains(shapes(s), "scalar")
}

// xmlName is what an element or an attribute is called.
type xmlName struct{ local, space, prefix string }

// xmlOf returns what a schema says of its XML, itself or in allOf.
func xmlOf(s *openapi3.Schema, depth int) openapi3.XML {
	if s == nil || depth > maxDepth {
		return openapi3.XML{}
	}
	if s.XML != nil {
		return *s.XML
	}
	for _, part := range s.AllOf {
		if x := xmlOf(part.Value, depth+1); x.Name != "" || x.Namespace != "" || x.Attribute || x.Wrapped {
			return x
		}
	}
	return openapi3.XML{}
}

// nameOr returns the documented name, and another where there is none.
func nameOr(x openapi3.XML, name string) xmlName {
	n := xmlName{local: name, space: x.Namespace, prefix: x.Prefix}
	if x.Name != "" {
		n.local = x.Name
	}
	return n
}

// rootName returns what the root element is called. given is set where the
// document says so, and named where it is not made up.
func (m *Media) rootName() (name xmlName, given, named bool) {
	x := xmlOf(m.Spec.Schema.Value, 0)
	switch {
	case x.Name != "":
		return nameOr(x, ""), true, true
	case strings.Contains(m.Spec.Schema.Ref, "/schemas/"):
		return nameOr(x, path.Base(m.Spec.Schema.Ref)), false, true
	}
	return nameOr(x, "root"), false, false
}

// itemName returns what the items of a list are called, and their schema.
func itemName(list *openapi3.Schema, name xmlName) (xmlName, *openapi3.Schema) {
	item := items(list)
	x := xmlOf(item, 0)
	if x.Name == "" && x.Namespace == "" {
		return name, item
	}
	return nameOr(x, name.local), item
}

var (
	errXML       = errors.New("the value cannot be written in XML")
	xmlNamed     = regexp.MustCompile(`^[\pL_][\pL\pN._-]*$`)
	inAttributes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&#34;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;")
)

// WriteXML writes a value as a body of the media type.
func (m *Media) WriteXML(v any) ([]byte, error) {
	name, _, _ := m.rootName()
	w := &xmlWriter{}
	if err := w.element(name, m.Spec.Schema.Value, v); err != nil {
		return nil, err
	}
	return w.b.Bytes(), nil
}

type xmlWriter struct{ b bytes.Buffer }

func (w *xmlWriter) element(name xmlName, s *openapi3.Schema, v any) error {
	members, _ := v.(map[string]any)
	documented, rest := properties(s), additional(s)
	schema := func(name string) *openapi3.Schema {
		if all := documented[name]; len(all) > 0 {
			return all[0]
		}
		return rest
	}
	spaces := map[string]string{}
	qualified, err := qualify(name, spaces)
	if err != nil {
		return err
	}
	var attributes strings.Builder
	names := slices.Sorted(maps.Keys(members))
	for _, prop := range names {
		x := xmlOf(schema(prop), 0)
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
	switch v := v.(type) {
	case map[string]any:
		for _, prop := range names {
			if s := schema(prop); !xmlOf(s, 0).Attribute {
				if err := w.member(prop, s, v[prop]); err != nil {
					return err
				}
			}
		}
	case []any: // as the root, or wrapped
		if err := w.items(s, name, v); err != nil {
			return err
		}
	default:
		text, err := xmlText(v)
		if err != nil {
			return err
		}
		_ = xml.EscapeText(&w.b, []byte(text)) // a buffer takes everything
	}
	w.b.WriteString("</" + qualified + ">")
	return nil
}

func (w *xmlWriter) member(prop string, s *openapi3.Schema, v any) error {
	x := xmlOf(s, 0)
	name := nameOr(x, prop)
	list, isList := v.([]any)
	switch {
	case !isList || x.Wrapped:
		return w.element(name, s, v)
	case len(list) == 0:
		return fmt.Errorf("%w: a list without items is no element at all", errXML)
	}
	return w.items(s, name, list)
}

func (w *xmlWriter) items(s *openapi3.Schema, name xmlName, list []any) error {
	name, item := itemName(s, name)
	for _, v := range list {
		if _, nested := v.([]any); nested {
			return fmt.Errorf("%w: a list as an item of another has no name", errXML)
		}
		if err := w.element(name, item, v); err != nil {
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
	text := wire.Text(v)
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

var (
	errNotJudged = errors.New("is not judged") // what nobody can look into
	errNotXML    = errors.New("is no XML document")
)

// parseXML reads one document.
func parseXML(body []byte) (*element, error) {
	if bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.HasPrefix(body, []byte("\xfe\xff")) {
		return nil, errNotJudged
	}
	dec := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(body, []byte("\ufeff"))))
	dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errNotJudged }
	var root *element
	var open []*element
	for {
		token, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF) && root != nil:
			return root, nil
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: it has no element", errNotXML)
		case errors.Is(err, errNotJudged):
			return nil, errNotJudged
		case err != nil:
			return nil, fmt.Errorf("%w: %w", errNotXML, err)
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
				return nil, fmt.Errorf("%w: it has more than one root element", errNotXML)
			default:
				root = e
			}
			if open = append(open, e); len(open) > maxElements {
				return nil, errNotJudged
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
			} else if strings.TrimFunc(string(t), unicode.IsSpace) != "" {
				return nil, fmt.Errorf("%w: it has text beside its root element", errNotXML)
			}
		case xml.Directive:
			if bytes.ContainsRune(t, '[') { // which may declare entities
				return nil, errNotJudged
			}
		}
	}
}

// ambiguous reports an attribute that is given twice (XML 1.0 §3.1).
func (e *element) ambiguous() error {
	seen := map[xml.Name]bool{}
	for _, a := range e.attrs {
		if seen[a.Name] {
			return fmt.Errorf("%w: an element has the attribute %s twice", errNotXML, a.Name.Local)
		}
		seen[a.Name] = true
	}
	return nil
}

// readXML reads a body of XML; syntax is the clause about its bytes.
func (op *Operation) readXML(m *Media, body []byte, syntax *Clause) (reading, []Violation) {
	root, err := parseXML(body)
	switch {
	case errors.Is(err, errNotJudged):
		return reading{}, nil
	case err != nil:
		return reading{}, []Violation{{Clause: syntax, Message: "the body " + document.OneLine(err.Error()), Syntax: true}}
	case m.Node == nil:
		return reading{}, nil
	}
	name, given, named := m.rootName()
	if named && !root.is(name) {
		got := unreadable(fmt.Sprintf("the root element is no %s", name.local))
		if !given {
			got.leave = leaveComponent
		}
		return got, nil
	}
	return op.Contract.readElement(m.Node.Schema, root, name), nil
}

// judgeXML judges what was read of a body of XML. Where the document does not
// say what the root element is called, a receiver may want another one.
func (m *Media) judgeXML(got reading, request bool) []Violation {
	leave := ""
	if _, _, named := m.rootName(); request && !named {
		leave = leaveRoot
		got.left(leave)
	}
	if got.bad != nil {
		leave = either(leave, got.leave)
	}
	broken := m.Node.judge(got, "", nil)
	for i := range broken {
		broken[i].Leave = either(broken[i].Leave, leave)
	}
	return broken
}

// is reports whether an element is called so. Where no namespace is documented,
// it may be in any.
func (e *element) is(n xmlName) bool {
	return e.name.Local == n.local && (n.space == "" || e.name.Space == n.space)
}

// readElement reads an element by the first of the shapes that its schema has.
func (c *Contract) readElement(s *openapi3.Schema, e *element, name xmlName) reading {
	blank := strings.Trim(e.text, " \t\r\n") == ""
	if s == nil {
		return reading{v: e.plain(), found: true}
	}
	all := shapes(s)
	composed := len(e.children) > 0 || len(e.own()) > 0
	switch {
	case slices.Contains(all, "scalar") && !composed:
		v, ok := c.readText(s, e.text)
		if !ok {
			return unreadable("")
		}
		return reading{v: v.v, leave: v.leave, found: true}
	case slices.Contains(all, "scalar") && len(all) == 1:
		return unreadable("it has elements or attributes where a text is wanted")
	case !blank:
		return unreadable("it has text beside its elements")
	case slices.Equal(all, []string{"array"}) || all[0] == "array" && !slices.Contains(all, "object"):
		name, item := itemName(s, name)
		return c.readItems(item, name, e.children)
	}
	return c.readMembers(s, e)
}

func (c *Contract) readItems(item *openapi3.Schema, name xmlName, elements []*element) reading {
	list := make([]any, len(elements))
	got := reading{v: list, found: true}
	for i, e := range elements {
		at := strconv.Itoa(i)
		if !e.is(name) {
			return unreadable("it is no "+name.local, at)
		}
		one := c.readElement(item, e, name)
		if one.bad != nil {
			return unreadable(one.why, append([]string{at}, one.bad...)...)
		}
		list[i] = one.v
		got.left(one.leave, append([]string{at}, one.at...)...)
	}
	return got
}

func (c *Contract) readMembers(s *openapi3.Schema, e *element) reading {
	members := map[string]any{}
	got := reading{v: members, found: true}
	documented, rest := properties(s), additional(s)
	taken := map[*element]bool{}
	attributes := e.own()
	for _, prop := range slices.Sorted(maps.Keys(documented)) {
		of := documented[prop]
		x := xmlOf(of[0], 0)
		var one reading
		if x.Attribute {
			i := slices.IndexFunc(attributes, func(a xml.Attr) bool { return a.Name.Local == nameOr(x, prop).local })
			if i < 0 {
				continue
			}
			one = c.readElement(of[0], &element{text: attributes[i].Value}, xmlName{})
			attributes = slices.Delete(attributes, i, i+1)
		} else {
			name := nameOr(x, prop)
			if slices.Equal(shapes(of[0]), []string{"array"}) && !x.Wrapped {
				name, _ = itemName(of[0], name)
			}
			var own []*element
			for _, child := range e.children {
				if child.is(name) && !taken[child] {
					taken[child] = true
					own = append(own, child)
				}
			}
			if len(own) == 0 {
				continue
			}
			one = c.readMember(of, own, name)
		}
		if one.bad != nil {
			return unreadable(one.why, append([]string{prop}, one.bad...)...)
		}
		members[prop] = one.v
		got.left(one.leave, append([]string{prop}, one.at...)...)
	}
	for _, a := range attributes {
		members[a.Name.Local] = a.Value
	}
	for _, child := range e.children {
		if taken[child] {
			continue
		}
		var same []*element
		for _, other := range e.children {
			if other.name == child.name && !taken[other] {
				taken[other] = true
				same = append(same, other)
			}
		}
		one := c.readMember([]*openapi3.Schema{rest}, same, xmlName{local: child.name.Local})
		if one.bad != nil {
			return unreadable(one.why, append([]string{child.name.Local}, one.bad...)...)
		}
		members[child.name.Local] = one.v
	}
	return got
}

// readMember reads the elements of one property by the first of its schemas that
// they keep.
func (c *Contract) readMember(schemas []*openapi3.Schema, elements []*element, name xmlName) reading {
	var first reading
	for _, s := range schemas {
		var got reading
		isList := s != nil && slices.Equal(shapes(s), []string{"array"})
		switch {
		case isList && !xmlOf(s, 0).Wrapped:
			_, item := itemName(s, name)
			got = c.readItems(item, name, elements)
		case len(elements) == 1:
			got = c.readElement(s, elements[0], name)
		default: // several where one is wanted
			got = c.readItems(s, xmlName{local: elements[0].name.Local}, elements)
		}
		if got.bad == nil && (s == nil || c.verdict(s, got.v)) {
			return got
		}
		if !first.found {
			first = got
		}
	}
	return first
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
