package document

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A document of Swagger 2.0 is read as one of OpenAPI 3.0: its tree is written anew
// before it is mended, of the nodes that it has, so that everything keeps its line
// and column. For what is new (a request body, the schema of a parameter) the
// pointer in the document as it was written is kept beside the node.
//
// A schema stays where it is and is changed in place. Parameters and responses are
// copied to where they are referred to, as what they become depends on what the
// operation consumes and produces. A schema that is referred to elsewhere than in the
// definitions, as one in another file, becomes a component.

// written is where a node stands in the document as it was written.
type written struct {
	file    string // empty for the document itself
	pointer string
}

// swagger is a document of Swagger 2.0 on its way to OpenAPI 3.0.
type swagger struct {
	from    map[*yaml.Node]written
	files   map[string]*yaml.Node // by the names that places have for them; nil where one cannot be read
	source  *source
	warn    func(n *yaml.Node, pointer, format string, args ...any)
	schemas *yaml.Node            // of the components
	names   map[*yaml.Node]string // of the components, by their schemas
	done    map[*yaml.Node]bool   // schemas that were changed
	foreign map[string]*yaml.Node // keywords of schemas that Swagger 2.0 does not have, where they were first
}

// Extensions by which what Swagger 2.0 says, and OpenAPI 3.0 has no words for, is kept.
const (
	// Delimiter is what the items of a list are separated by: of a parameter, or of the encoding
	// of a form's field.
	Delimiter = "x-contracttest-delimiter"
	// AssumedMedia marks a request body of which the document names no media type.
	AssumedMedia = "x-contracttest-assumed-media-type"
	// FormFields marks the schema of a form of which the document lists fields, and does not say
	// whether there may be others.
	FormFields = "x-contracttest-form-fields"
)

// isSwagger reports whether a document is one of Swagger 2.0.
func isSwagger(root *yaml.Node) bool {
	return slices.Contains([]string{"2.0", "2"}, scalar(root, "swagger")) && member(root, "openapi") == nil
}

// convert returns a document as one of OpenAPI 3.0, and where its nodes stood.
func (s *source) convert(root *yaml.Node, warn func(n *yaml.Node, pointer, format string, args ...any)) (*yaml.Node, map[*yaml.Node]written) {
	c := &swagger{
		source: s, warn: warn, files: map[string]*yaml.Node{"": root},
		names: map[*yaml.Node]string{}, done: map[*yaml.Node]bool{}, foreign: map[string]*yaml.Node{},
	}
	c.from = note(root)
	joinAzurePaths(root)
	out := c.document(root)
	for _, keyword := range sorted(c.foreign) {
		n := c.foreign[keyword]
		c.warn(n, c.from[n].pointer, "Swagger 2.0 has no keyword %s; read as in OpenAPI 3.0", keyword)
	}
	return out, c.from
}

// note returns where the nodes of the document stand.
func note(root *yaml.Node) map[*yaml.Node]written {
	c := &swagger{from: map[*yaml.Node]written{}}
	c.note(root, written{}, map[*yaml.Node]bool{})
	return c.from
}

// note remembers where the nodes of a file stand.
func (c *swagger) note(n *yaml.Node, at written, seen map[*yaml.Node]bool) {
	if n = resolved(n); seen[n] {
		return
	}
	seen[n] = true
	c.from[n] = at
	for i, child := range n.Content {
		switch {
		case n.Kind == yaml.SequenceNode:
			c.note(child, written{at.file, at.pointer + "/" + strconv.Itoa(i)}, seen)
		case i%2 == 1:
			key := n.Content[i-1]
			in := written{at.file, at.pointer + "/" + Escape(key.Value)}
			c.from[key] = in
			c.note(child, in, seen)
		}
	}
}

// text makes a scalar that stands where another node does.
func (c *swagger) text(value string, at *yaml.Node) *yaml.Node {
	return c.placed(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}, at)
}

func (c *swagger) truth(value bool, at *yaml.Node) *yaml.Node {
	return c.placed(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(value)}, at)
}

func (c *swagger) list(at *yaml.Node, items ...*yaml.Node) *yaml.Node {
	return c.placed(&yaml.Node{Kind: yaml.SequenceNode, Content: items}, at)
}

// object makes an object that stands where another node does.
func (c *swagger) object(at *yaml.Node) *yaml.Node {
	return c.placed(&yaml.Node{Kind: yaml.MappingNode}, at)
}

func (c *swagger) placed(n, at *yaml.Node) *yaml.Node {
	n.Line, n.Column = at.Line, at.Column
	c.from[n] = c.from[at]
	return n
}

// set adds a member whose name stands where another node does.
func (c *swagger) set(n *yaml.Node, name string, at, value *yaml.Node) {
	n.Content = append(n.Content, c.text(name, at), value)
}

// pairs goes through the members of an object; of nothing, and of what is no object,
// there are none.
func pairs(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], resolved(n.Content[i+1])) {
				return
			}
		}
	}
}

// keyOf returns the name of a member as a node, or nil.
func keyOf(n *yaml.Node, name string) *yaml.Node {
	for key := range pairs(n) {
		if key.Value == name {
			return key
		}
	}
	return nil
}

// texts returns the items of a list that are scalars.
func texts(n *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	if n != nil && n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if item = resolved(item); item.Kind == yaml.ScalarNode {
				all = append(all, item)
			}
		}
	}
	return all
}

func isTrue(n *yaml.Node) bool { return n != nil && n.Kind == yaml.ScalarNode && n.Value == "true" }

// scoped is what holds for the parts of a file, or of an operation in it.
type scoped struct {
	file               string
	consumes, produces *yaml.Node
}

func (c *swagger) document(n *yaml.Node) *yaml.Node {
	out := c.object(n)
	in := scoped{consumes: member(n, "consumes"), produces: member(n, "produces")}
	components := c.object(n)
	c.schemas = c.object(n)
	definitions := keyOf(n, "definitions")
	for key, value := range pairs(n) {
		switch key.Value {
		case "swagger":
			c.set(out, "openapi", key, c.text("3.0.3", value))
		case "definitions":
			if value.Kind != yaml.MappingNode {
				c.warn(value, c.from[value].pointer, "expected an object; value ignored")
				continue
			}
			c.schemas = value
			for _, schema := range pairs(value) {
				c.schema(schema, in)
			}
		case "securityDefinitions":
			c.set(components, "securitySchemes", key, c.each(value, c.securityScheme))
		case "paths", "host", "basePath", "schemes", "consumes", "produces", "parameters", "responses":
		default:
			out.Content = append(out.Content, key, value)
		}
	}
	c.servers(n, out)
	if key := keyOf(n, "paths"); key != nil {
		c.set(out, "paths", key, c.each(member(n, "paths"), func(item *yaml.Node) *yaml.Node { return c.pathItem(item, in, 0) }))
	}
	if len(c.schemas.Content) > 0 {
		c.set(components, "schemas", cmp.Or(definitions, n), c.schemas)
	}
	c.set(out, "components", n, components)
	return out
}

// each returns an object with the members of another, but for extensions, each made
// anew. What is no object is left to be told of.
func (c *swagger) each(n *yaml.Node, f func(*yaml.Node) *yaml.Node) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return n
	}
	out := c.object(n)
	for key, value := range pairs(n) {
		if !strings.HasPrefix(key.Value, "x-") && value.Kind == yaml.MappingNode {
			value = f(value)
		}
		out.Content = append(out.Content, key, value)
	}
	return out
}

// servers makes the URLs that the document can be reached at of host, basePath and
// schemes.
func (c *swagger) servers(n, out *yaml.Node) {
	at := cmp.Or(keyOf(n, "basePath"), keyOf(n, "host"))
	if at == nil {
		return
	}
	host, base := scalar(n, "host"), strings.TrimRight(scalar(n, "basePath"), "/")
	if base != "" && !strings.HasPrefix(base, "/") {
		base = "/" + base
	}
	var urls []string
	for _, scheme := range texts(member(n, "schemes")) {
		if host != "" {
			urls = append(urls, scheme.Value+"://"+host+base)
		}
	}
	if len(urls) == 0 && host != "" {
		urls = []string{"//" + host + base} // the scheme is that of the document
	} else if len(urls) == 0 {
		urls = []string{cmp.Or(base, "/")}
	}
	list := c.list(at)
	for _, text := range urls {
		server := c.object(at)
		c.set(server, "url", at, c.text(text, at))
		list.Content = append(list.Content, server)
	}
	c.set(out, "servers", at, list)
}

// follow returns what a reference leads to, and the file that it is in; nil where it
// leads nowhere.
func (c *swagger) follow(ref *yaml.Node, file string) (to *yaml.Node, pointer, in string) {
	if ref.Kind != yaml.ScalarNode {
		return nil, "", ""
	}
	u, err := url.Parse(ref.Value)
	if err != nil {
		return nil, "", ""
	}
	_, pointer, _ = strings.Cut(ref.Value, "#")
	in = file
	if u.Scheme != "" || u.Host != "" || u.Path != "" {
		in = c.source.fileOf(u, file)
	}
	root, known := c.files[in]
	if !known {
		root = c.open(in)
	}
	switch {
	case root == nil:
		return nil, "", ""
	case pointer == "":
		return root, pointer, in
	}
	return nodeAt(root, pointer), pointer, in
}

// open reads another file.
func (c *swagger) open(file string) *yaml.Node {
	c.files[file] = nil
	data, err := c.source.other(toURL(file))
	if err != nil {
		return nil
	}
	root, err := parseTree(data)
	if err != nil || expandMergeKeys(root) != nil {
		return nil
	}
	c.files[file] = root
	c.note(root, written{file: file}, map[*yaml.Node]bool{})
	return root
}

// maxReferences is how many references are followed one behind the other.
const maxReferences = 64

// target follows references until something is there that is none; nil where they lead
// nowhere. The object with the first reference is then left for the mender to tell of.
func (c *swagger) target(n *yaml.Node, in scoped) (*yaml.Node, scoped) {
	for range maxReferences {
		ref := member(n, "$ref")
		if ref == nil {
			return n, in
		}
		to, _, file := c.follow(ref, in.file)
		if to == nil {
			return nil, in
		}
		n, in.file = to, file
	}
	return nil, in
}

// methods are the fields of a path item that hold operations.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch"}

func (c *swagger) pathItem(n *yaml.Node, in scoped, depth int) *yaml.Node {
	out := c.object(n)
	if ref := member(n, "$ref"); ref != nil {
		to, _, file := c.follow(ref, in.file)
		if to == nil || depth > maxReferences {
			return n
		}
		there := in
		there.file = file
		out = c.pathItem(to, there, depth+1)
	}
	shared := c.parameters(member(n, "parameters"), in)
	for key, value := range pairs(n) {
		switch {
		case key.Value == "$ref":
		case key.Value == "parameters" && value.Kind == yaml.SequenceNode:
			list := c.list(value)
			for _, p := range shared {
				if p.in() != "body" && p.in() != "formData" {
					list.Content = append(list.Content, c.parameter(p))
				}
			}
			out.Content = append(out.Content, key, list)
		case slices.Contains(methods, key.Value) && value.Kind == yaml.MappingNode:
			remove(out, key.Value)
			out.Content = append(out.Content, key, c.operation(value, shared, in))
		default:
			out.Content = append(out.Content, key, value)
		}
	}
	return out
}

// given is a parameter, with the file that it is in.
type given struct {
	*yaml.Node
	scope scoped
}

func (p given) in() string   { return scalar(p.Node, "in") }
func (p given) name() string { return scalar(p.Node, "name") }

func (c *swagger) parameters(n *yaml.Node, in scoped) []given {
	var all []given
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	for _, item := range n.Content {
		item = resolved(item)
		p, scope := c.target(item, in)
		if p == nil || p.Kind != yaml.MappingNode {
			p, scope = item, in // which is told of later
		}
		all = append(all, given{p, scope})
	}
	return all
}

func (c *swagger) operation(n *yaml.Node, shared []given, in scoped) *yaml.Node {
	out := c.object(n)
	in.consumes, in.produces = cmp.Or(member(n, "consumes"), in.consumes), cmp.Or(member(n, "produces"), in.produces)
	own := c.parameters(member(n, "parameters"), in)
	var body given
	var fields []given
	list := c.list(n)
	for i, p := range slices.Concat(shared, own) {
		isShared := i < len(shared)
		switch p.in() {
		case "body":
			body = p
		case "formData":
			fields = slices.DeleteFunc(fields, func(f given) bool { return f.name() == p.name() })
			fields = append(fields, p)
		default:
			if !isShared {
				list.Content = append(list.Content, c.parameter(p))
			}
		}
	}
	for key, value := range pairs(n) {
		switch key.Value {
		case "consumes", "produces", "schemes":
		case "parameters":
			if value.Kind != yaml.SequenceNode {
				list = value
			}
			out.Content = append(out.Content, key, list)
		case "responses":
			out.Content = append(out.Content, key, c.each(value, func(r *yaml.Node) *yaml.Node { return c.response(r, in) }))
		default:
			out.Content = append(out.Content, key, value)
		}
	}
	switch {
	case body.Node != nil:
		c.set(out, "requestBody", body.Node, c.body(body, in))
	case len(fields) > 0:
		c.set(out, "requestBody", fields[0].Node, c.form(fields, in))
	}
	return out
}

// ofParameter are the fields of a parameter that are not about its value.
var ofParameter = []string{"name", "in", "description", "required", "allowEmptyValue", "deprecated", "$ref"}

// parameter writes a parameter that travels outside of a body.
func (c *swagger) parameter(p given) *yaml.Node {
	if member(p.Node, "$ref") != nil || p.Kind != yaml.MappingNode {
		return p.Node
	}
	out := c.object(p.Node)
	for key, value := range pairs(p.Node) {
		switch {
		case slices.Contains(ofParameter, key.Value):
			out.Content = append(out.Content, key, value)
		case key.Value == "x-example":
			c.set(out, "example", key, value)
		}
	}
	at := cmp.Or(keyOf(p.Node, "type"), keyOf(p.Node, "schema"), p.Node)
	schema := c.value(p)
	c.set(out, "schema", at, schema)
	if format := keyOf(p.Node, "collectionFormat"); scalar(p.Node, "type") == "array" {
		c.style(out, scalar(p.Node, "collectionFormat"), p.in(), cmp.Or(format, p.Node))
	}
	return out
}

// value makes the schema of a parameter, a header or a form's field of the fields that
// stand beside its name.
func (c *swagger) value(p given) *yaml.Node {
	if s := member(p.Node, "schema"); s != nil && member(p.Node, "type") == nil {
		c.warn(keyOf(p.Node, "schema"), c.from[p.Node].pointer+"/schema", "Swagger 2.0 has a schema in body parameters only; read as that of the parameter %q", clipped(p.name()))
		return c.schemaIn(s, p.scope)
	}
	schema := c.object(p.Node)
	for key, value := range pairs(p.Node) {
		if !slices.Contains(ofParameter, key.Value) && key.Value != "collectionFormat" && key.Value != "schema" && (key.Value == "x-nullable" || !strings.HasPrefix(key.Value, "x-")) {
			schema.Content = append(schema.Content, key, value)
		}
	}
	if member(schema, "type") == nil {
		c.warn(p.Node, c.from[p.Node].pointer, "%q has no type; any text is sent", clipped(cmp.Or(p.name(), "the header")))
	}
	c.schema(schema, p.scope)
	return schema
}

// delimiters are what lists are separated by, by collectionFormat.
var delimiters = map[string]string{"csv": ",", "ssv": " ", "tsv": "\t", "pipes": "|"}

// style says how a list is written. Of the formats of Swagger 2.0, OpenAPI 3.0 does not
// have tsv, those but csv in a query alone, and none but multi in a multipart form.
func (c *swagger) style(out *yaml.Node, format, in string, at *yaml.Node) {
	isForm := in == "query" || in == "formData"
	explode := false
	switch {
	case format == "multi" && isForm:
		explode = true
	case delimiters[format] == "" && format != "":
		c.warn(at, c.from[at].pointer, "collectionFormat %q is not one of Swagger 2.0 here; read as csv", clipped(format))
		format = "csv"
	}
	delimiter := delimiters[cmp.Or(format, "csv")]
	switch {
	case explode:
	case in == "query" && (format == "ssv" || format == "pipes"):
		c.set(out, "style", at, c.text(map[string]string{"ssv": "spaceDelimited", "pipes": "pipeDelimited"}[format], at))
	case in == "formData", delimiter != ",":
		c.set(out, Delimiter, at, c.text(delimiter, at))
	}
	if isForm {
		c.set(out, "explode", at, c.truth(explode, at))
	}
}

// body makes the request body of the parameter in body.
func (c *swagger) body(p given, in scoped) *yaml.Node {
	out := c.object(p.Node)
	for key, value := range pairs(p.Node) {
		if key.Value == "description" || key.Value == "required" {
			out.Content = append(out.Content, key, value)
		}
	}
	types := texts(in.consumes)
	if len(types) == 0 {
		types = []*yaml.Node{c.text("application/json", p.Node)}
		c.set(out, AssumedMedia, p.Node, c.truth(true, p.Node))
	}
	c.set(out, "content", p.Node, c.content(p.Node, types, p.scope, keyOf(p.Node, "x-examples"), keyOf(p.Node, "x-example")))
	return out
}

// content makes the representations of the value of a body or a response: of one schema,
// in each media type.
func (c *swagger) content(n *yaml.Node, types []*yaml.Node, in scoped, examples, example *yaml.Node) *yaml.Node {
	content := c.object(n)
	var schema *yaml.Node
	if s := member(n, "schema"); s != nil {
		schema = c.schemaIn(s, in)
	}
	isFile := schema != nil && scalar(schema, "format") == "binary"
	for _, t := range types {
		if keyOf(content, t.Value) != nil {
			continue
		}
		media := c.object(n)
		if schema != nil && !(isFile && strings.Contains(t.Value, "json")) { // a file of JSON is not a string in JSON
			c.set(media, "schema", keyOf(n, "schema"), schema)
		}
		shown := false
		if examples != nil {
			for key, value := range pairs(member(n, examples.Value)) {
				if key.Value == t.Value || t.Value == "*/*" && !shown {
					c.set(media, "example", key, value)
					shown = true
				}
			}
		}
		if example != nil && !shown {
			c.set(media, "example", example, member(n, example.Value))
		}
		c.set(content, t.Value, t, media)
	}
	return content
}

// The media types of forms.
const (
	multipartForm  = "multipart/form-data"
	urlencodedForm = "application/x-www-form-urlencoded"
)

// form makes the request body of the parameters in formData.
func (c *swagger) form(fields []given, in scoped) *yaml.Node {
	at := fields[0].Node
	out, schema, properties, encoding := c.object(at), c.object(at), c.object(at), c.object(at)
	required := c.list(at)
	var requiredAt *yaml.Node
	hasFile := false
	for _, f := range fields {
		hasFile = hasFile || scalar(f.Node, "type") == "file"
		value := c.value(f)
		for key, description := range pairs(f.Node) {
			switch {
			case key.Value == "description":
				value.Content = append(value.Content, key, description)
			case key.Value == "x-example" && member(value, "example") == nil:
				c.set(value, "example", key, description)
			case key.Value == "required" && isTrue(description):
				requiredAt = cmp.Or(requiredAt, key)
				required.Content = append(required.Content, c.text(f.name(), key))
			}
		}
		c.set(properties, f.name(), f.Node, value)
		if scalar(f.Node, "type") == "array" {
			how := c.object(f.Node)
			c.style(how, scalar(f.Node, "collectionFormat"), "formData", cmp.Or(keyOf(f.Node, "collectionFormat"), f.Node))
			c.set(encoding, f.name(), f.Node, how)
		}
	}
	c.set(schema, "type", at, c.text("object", at))
	c.set(schema, "properties", at, properties)
	c.set(schema, FormFields, at, c.truth(true, at))
	if requiredAt != nil {
		c.set(schema, "required", requiredAt, required)
		c.set(out, "required", requiredAt, c.truth(true, requiredAt))
	}
	content := c.object(at)
	add := func(t *yaml.Node, name string) {
		media := c.object(at)
		c.set(media, "schema", at, schema)
		if len(encoding.Content) > 0 {
			c.set(media, "encoding", at, encoding)
		}
		c.set(content, name, t, media)
	}
	for _, t := range texts(in.consumes) {
		name, _, _ := strings.Cut(strings.ToLower(t.Value), ";")
		if name = strings.TrimSpace(name); (name == multipartForm || name == urlencodedForm && !hasFile) && keyOf(content, t.Value) == nil {
			add(t, t.Value)
		}
	}
	if len(content.Content) == 0 {
		add(at, map[bool]string{true: multipartForm, false: urlencodedForm}[hasFile])
		c.set(out, AssumedMedia, at, c.truth(true, at))
	}
	c.set(out, "content", at, content)
	return out
}

func (c *swagger) response(n *yaml.Node, in scoped) *yaml.Node {
	to, there := c.target(n, in)
	if to == nil || to.Kind != yaml.MappingNode {
		return n
	}
	n, in.file = to, there.file
	out := c.object(n)
	for key, value := range pairs(n) {
		switch key.Value {
		case "schema", "examples":
		case "headers":
			c.set(out, "headers", key, c.each(value, func(h *yaml.Node) *yaml.Node { return c.header(h, in) }))
		default:
			out.Content = append(out.Content, key, value)
		}
	}
	at := cmp.Or(keyOf(n, "schema"), keyOf(n, "examples"))
	if at == nil {
		return out
	}
	types := texts(in.produces)
	if len(types) == 0 {
		types = []*yaml.Node{c.text("*/*", at)}
	}
	c.set(out, "content", at, c.content(n, types, in, keyOf(n, "examples"), nil))
	return out
}

func (c *swagger) header(n *yaml.Node, in scoped) *yaml.Node {
	out := c.object(n)
	if key := keyOf(n, "description"); key != nil {
		out.Content = append(out.Content, key, member(n, "description"))
	}
	c.set(out, "schema", cmp.Or(keyOf(n, "type"), n), c.value(given{n, in}))
	if scalar(n, "type") == "array" {
		c.style(out, scalar(n, "collectionFormat"), "header", cmp.Or(keyOf(n, "collectionFormat"), n))
	}
	return out
}

func (c *swagger) securityScheme(n *yaml.Node) *yaml.Node {
	kind, flow := scalar(n, "type"), scalar(n, "flow")
	out, inside := c.object(n), c.object(n)
	for key, value := range pairs(n) {
		switch {
		case key.Value == "type" && kind == "basic":
			c.set(out, "type", key, c.text("http", value))
			c.set(out, "scheme", key, c.text("basic", value))
		case kind == "oauth2" && slices.Contains([]string{"authorizationUrl", "tokenUrl", "scopes"}, key.Value):
			inside.Content = append(inside.Content, key, value)
		case key.Value != "flow":
			out.Content = append(out.Content, key, value)
		}
	}
	if kind == "oauth2" {
		if member(inside, "scopes") == nil {
			c.set(inside, "scopes", n, c.object(n))
		}
		at := cmp.Or(keyOf(n, "flow"), n)
		flows := c.object(n)
		c.set(flows, cmp.Or(map[string]string{"application": "clientCredentials", "accessCode": "authorizationCode"}[flow], flow, "implicit"), at, inside)
		c.set(out, "flows", at, flows)
	}
	return out
}

// schemaIn returns a schema that stands in a file, for a place in the document.
func (c *swagger) schemaIn(n *yaml.Node, in scoped) *yaml.Node {
	c.schema(n, in)
	return n
}

// newerKeywords are those of schemas that came with OpenAPI 3.0.
var newerKeywords = []string{"oneOf", "anyOf", "not", "nullable", "writeOnly", "deprecated"}

// schema changes a schema, and those inside, in place.
func (c *swagger) schema(n *yaml.Node, in scoped) {
	if n = resolved(n); c.done[n] || n.Kind != yaml.MappingNode {
		return
	}
	c.done[n] = true
	if ref := member(n, "$ref"); ref != nil && ref.Kind == yaml.ScalarNode {
		c.reference(n, ref, in)
		return
	}
	nullable := isTrue(member(n, "nullable"))
	kept := make([]*yaml.Node, 0, len(n.Content))
	for key, value := range pairs(n) {
		if slices.Contains(newerKeywords, key.Value) && c.foreign[key.Value] == nil {
			c.foreign[key.Value] = key
		}
		switch key.Value {
		case "x-nullable":
			if isTrue(value) && !nullable {
				nullable = true
				kept = append(kept, c.text("nullable", key), c.truth(true, value))
			}
			continue
		case "type":
			var null bool
			if value, null = c.types(value); null && !nullable {
				nullable = true
				kept = append(kept, c.text("nullable", key), c.truth(true, value))
			}
			if value.Value == "file" && value.Kind == yaml.ScalarNode {
				value = c.text("string", value)
				kept = append(kept, c.text("format", key), c.text("binary", value))
			}
		case "format":
			if scalar(n, "type") == "file" {
				continue
			}
		case "discriminator":
			if value.Kind == yaml.ScalarNode {
				name := value
				value = c.object(name)
				c.set(value, "propertyName", name, name)
			}
		case "collectionFormat":
			continue // of items inside items: how they are written is left to the receiver
		case "properties", "patternProperties":
			for _, property := range pairs(value) {
				c.schema(property, in)
			}
		case "items", "additionalProperties", "not":
			c.schema(value, in)
			if value.Kind == yaml.SequenceNode { // which is told of later
				for _, item := range value.Content {
					c.schema(item, in)
				}
			}
		case "allOf", "anyOf", "oneOf":
			for _, part := range value.Content {
				c.schema(part, in)
			}
		}
		kept = append(kept, key, value)
	}
	n.Content = kept
}

// types takes null, which OpenAPI 3.0 has no type for, out of a list of types.
func (c *swagger) types(list *yaml.Node) (types *yaml.Node, null bool) {
	if list.Kind != yaml.SequenceNode {
		return list, false
	}
	all := texts(list)
	some := slices.DeleteFunc(slices.Clone(all), func(t *yaml.Node) bool { return t.Value == "null" })
	switch {
	case len(some) == 1:
		return some[0], len(all) > 1
	case len(some) == 0:
		return list, false
	}
	return c.list(list, some...), len(some) < len(all)
}

// reference makes a reference lead to a component. One that leads nowhere stays as it
// is written, to be told of.
func (c *swagger) reference(n, ref *yaml.Node, in scoped) {
	to, pointer, file := c.follow(ref, in.file)
	if to == nil {
		return
	}
	there := in
	there.file = file
	where := "#/components/schemas/"
	if name, ok := strings.CutPrefix(pointer, "/definitions/"); ok && file == "" {
		where += name
	} else {
		where += Escape(c.component(to, pointer, file))
	}
	if key := keyOf(n, "x-nullable"); key != nil && isTrue(member(n, "x-nullable")) {
		// What stands beside a reference is ignored in OpenAPI 3.0.
		old := c.object(n)
		c.set(old, "$ref", ref, c.text(where, ref))
		n.Content = nil
		c.set(n, "nullable", key, c.truth(true, key))
		c.set(n, "allOf", ref, c.list(ref, old))
	} else {
		marked := keyOf(n, "readOnly") // which is ignored there, but meant
		if !isTrue(member(n, "readOnly")) {
			marked = nil
		}
		n.Content = nil
		c.set(n, "$ref", ref, c.text(where, ref))
		if marked != nil {
			c.set(n, "readOnly", marked, c.truth(true, marked))
		}
	}
	c.schema(to, there)
}

// component gives a schema that is not among the definitions a name there.
func (c *swagger) component(n *yaml.Node, pointer, file string) string {
	if name, ok := c.names[n]; ok {
		return name
	}
	last := pointer[strings.LastIndexByte(pointer, '/')+1:]
	base, _, _ := strings.Cut(file[strings.LastIndexByte(file, '/')+1:], ".")
	last = cmp.Or(strings.NewReplacer("~1", "_", "~0", "_", "%", "_").Replace(last), base, "schema")
	name := last
	for i := 2; keyOf(c.schemas, name) != nil; i++ {
		name = fmt.Sprintf("%s_%d", last, i)
	}
	c.names[n] = name
	c.set(c.schemas, name, n, n)
	return name
}
