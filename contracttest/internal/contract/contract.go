package contract

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// Contract is an OpenAPI document, resolved and taken apart.
type Contract struct {
	// Sources are the texts of the files that clauses stand in, by name.
	Sources    map[string]string
	File       string // as it was named; places name it too
	Doc        *openapi3.T
	Converted  bool   // Doc is not what was written: Swagger 2.0 as OpenAPI 3.0
	BasePath   string // path of the first server, without a slash at its end
	Operations []*Operation
	Clauses    []*Clause // of all operations, in order
	// Warnings are faults of the document that do not keep it from being used,
	// each with its place.
	Warnings []string
	// Inbound are the requests that the target sends: of callbacks and webhooks. Their clauses are
	// not among Clauses.
	Inbound []*Inbound
	// Undriven is what the document has beyond operations that are sent requests.
	Undriven []Undriven

	document *document.Document
	reading  []document.Option
	byID     map[string]*Operation
	bases    []string // base paths, the longest first
	// otherBases are those that no request is sent to, the longest first.
	otherBases []string
	routes     routes
	max        int // clauses, until a schema that was met before is shared
	schemas    *schema.Set
	formats    map[string]*schema.Format // that the user defines
	answers    jsonBodies                // that were judged
	types      map[string]*mediatype.Set // of messages, by their names
}

// DefaultMaxClauses is how far a document is unrolled in full: a schema that
// several operations share is clauses of each of them, which are too many in
// documents of thousands of operations.
const DefaultMaxClauses = 100_000

// Option shapes how a document is taken apart.
type Option func(*Contract)

// MaxClauses sets another bound than DefaultMaxClauses.
func MaxClauses(n int) Option { return func(c *Contract) { c.max = n } }

// Overlays change the document before it is taken apart, one after the other.
func Overlays(overlays ...*document.Overlay) Option {
	return func(c *Contract) { c.reading = append(c.reading, document.Overlaid(overlays...)) }
}

// Fetch allows references of the document to lead to these hosts.
func Fetch(hosts ...string) Option {
	return func(c *Contract) { c.reading = append(c.reading, document.Fetch(hosts...)) }
}

// Formats defines formats of texts by their names.
func Formats(formats map[string]*schema.Format) Option {
	return func(c *Contract) {
		if c.formats == nil {
			c.formats = map[string]*schema.Format{}
		}
		maps.Copy(c.formats, formats)
	}
}

// Operation is one method on one path.
type Operation struct {
	ID       string
	Index    int // in Contract.Operations
	Method   string
	Path     string // the template
	Spec     *openapi3.Operation
	PathItem *openapi3.PathItem
	Contract *Contract

	// BasePath is the path of the first server that holds for the operation.
	BasePath  string
	Params    []*Param
	Body      *Body // nil where none is documented
	Responses []*Response
	Unnamed   bool // there are responses whose name is no status
	Clauses   []*Clause

	// What the operation as a whole says.
	PathClause    *Clause // no other path than this one
	MessageClause *Clause // a request that keeps all the others is accepted however it is written
	MethodClause  *Clause // no undocumented method on the path; set in the first operation of a path
	StatusClause  *Clause // no other status than those documented
	AuthClause    *Clause // nil where no credential is required

	examplesOnce sync.Once
	examples     []string // of responses

	segments []*segment
	literal  int // characters of the template outside parameters: the more, the more concrete
	names    []string
	asked    []asked // in the query of the path, which is cut off
}

// Param is a documented parameter.
type Param struct {
	Spec     *openapi3.Parameter
	Node     *Node
	Presence *Clause // required, or may be absent
	Single   *Clause // is given once; nil where it may be repeated
	Syntax   *Clause // is JSON; nil where the parameter is described by a schema alone
	Style    *Clause // is written in its style; nil where that does not show
	Empty    *Clause // may be empty; nil where the document does not say so
	Reserved *Clause // may have reserved characters as they are; nil where the document does not say so
	// Credential is set for the header, query parameter or cookie of an apiKey
	// scheme that the operation's security names.
	Credential bool

	op    *Operation
	media string // that describes it; empty where a style does
}

// Body is a documented request body.
type Body struct {
	Spec      *openapi3.RequestBody
	Presence  *Clause
	MediaType *Clause
	Media     []*Media       // in lexical order, JSON first
	types     *mediatype.Set // of Media
}

// Media is one documented representation of a body.
type Media struct {
	Key    string // as documented
	Form   codec.Form
	Spec   *openapi3.MediaType
	Node   *Node   // nil where no schema is documented
	Whole  *Node   // of the list of a sequence's items, where Node is of the items; else nil
	Syntax *Clause // nil where the form has none: every text is one, or nothing is said of it

	op       *Operation
	side     Side
	parts    map[string]Part
	framing  codec.Framing // of a sequence
	ordered  []Part        // of a sequence of parts, by position; those behind are as rest
	rest     Part
	itemized bool // Node is of the items of a sequence, as the document says
}

func (c *Contract) build() {
	paths := slices.Sorted(maps.Keys(c.Doc.Paths.Map()))
	slices.SortStableFunc(paths, func(a, b string) int {
		return cmp.Compare(line(c.Doc.Paths.Value(a).Origin), line(c.Doc.Paths.Value(b).Origin))
	})
	ids := map[string]int{}
	for _, path := range paths {
		item := c.Doc.Paths.Value(path)
		pointer := target(item.Ref, "/paths/"+escape(path))
		methods := slices.SortedFunc(maps.Keys(item.Operations()), func(a, b string) int {
			return cmp.Or(cmp.Compare(line(item.GetOperation(a).Origin), line(item.GetOperation(b).Origin)), cmp.Compare(a, b))
		})
		var clause *Clause
		for i, method := range methods {
			spec := item.GetOperation(method)
			op := &Operation{ID: operationID(spec, method, path), Method: method, Path: c.sent(method, path), Spec: spec, PathItem: item, Contract: c, Index: len(c.Operations)}
			if ids[op.ID]++; ids[op.ID] > 1 {
				op.ID = fmt.Sprintf("%s~%d", op.ID, ids[op.ID])
			}
			op.askFor(at(item.Origin, pointer, ""))
			op.Path = canonical(op.Path)
			op.compilePath()
			op.BasePath = c.basePathOf(op, pointer)
			c.undriven(op)
			if i == 0 {
				clause = op.clause("method", fmt.Sprintf("no method but %s", strings.Join(methods, ", ")), at(item.Origin, pointer, ""))
			}
			op.MethodClause = clause
			op.build(pointer)
			c.callbacks(op, pointer+operationPointer(method))
			c.Operations = append(c.Operations, op)
			c.byID[op.ID] = op
			c.routes.add(op)
			c.Clauses = append(c.Clauses, op.Clauses...)
		}
	}
}

// sent is a path without what follows # in it, which no request has (RFC 3986 §3.5); as it is where
// nothing else tells operations apart. It begins with a slash (OpenAPI 3.0.3, Paths Object).
func (c *Contract) sent(method, path string) string {
	if !strings.HasPrefix(path, "/") && c.Doc.Paths.Value("/"+path) == nil {
		c.document.Warn(Place{Pointer: "/paths/" + escape(path)}, "a path begins with a slash; read as /%s", path)
		return "/" + path
	}
	plain := func(path string) string {
		before, _, _ := strings.Cut(path, "#")
		return before
	}
	if plain(path) == path {
		return path
	}
	for other, item := range c.Doc.Paths.Map() {
		if other != path && plain(other) == plain(path) && item.Operations()[method] != nil {
			return path
		}
	}
	return plain(path)
}

// unique tells clauses apart that a document gave one name, as a property
// called items beside the keyword does.
func unique(clauses []*Clause) {
	seen := make(map[string]int, len(clauses))
	for _, c := range clauses {
		if seen[c.Name]++; seen[c.Name] > 1 {
			c.Name = fmt.Sprintf("%s~%d", c.Name, seen[c.Name])
		}
	}
}

func line(o *openapi3.Origin) int {
	if o == nil || o.Key == nil {
		return 0
	}
	return o.Key.Line
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9]+`)

func operationID(spec *openapi3.Operation, method, path string) string {
	if spec.OperationID != "" {
		return escape(spec.OperationID)
	}
	return method + "_" + strings.Trim(notInNames.ReplaceAllString(path, "_"), "_")
}

func (op *Operation) clause(name, text string, place Place) *Clause {
	c := &Clause{Name: op.ID + "/" + name, Operation: op.ID, Text: text, Place: place}
	c.Keyword = name[strings.LastIndexByte(name, '/')+1:]
	op.Clauses = append(op.Clauses, c)
	return c
}

// Endpoint is how people call the operation: by its method and path.
func (op *Operation) Endpoint() string { return op.Method + " " + op.Path }

// Title is how messages call the operation: by its operationId, or by its method and path where it
// has none.
func (op *Operation) Title() string {
	if op.Spec.OperationID == op.ID {
		return op.ID
	}
	return op.Endpoint()
}

// node makes the tree of a schema, whose clauses are those of the operation.
func (op *Operation) node(ref *openapi3.SchemaRef, root schema.Root) *Node {
	root.Operation = op.ID
	root.Add = func(c *Clause) { op.Clauses = append(op.Clauses, c) }
	return op.Contract.schemas.Build(ref, root)
}

func (op *Operation) build(item string) {
	pointer := item + operationPointer(op.Method)
	op.PathClause = op.clause("path", "no other path than "+op.Path, at(op.PathItem.Origin, item, ""))
	op.MessageClause = op.clause("message", "a valid request in any form that HTTP allows", at(op.Spec.Origin, pointer, ""))
	op.MessageClause.Permits = true
	op.buildSecurity(pointer)
	op.buildParams(pointer, item)
	op.buildBody(pointer)
	op.buildResponses(pointer)
}

// Requirements returns the security requirements that hold for the operation: its
// own, else those of the document.
func (op *Operation) Requirements() openapi3.SecurityRequirements {
	if op.Spec.Security != nil {
		return *op.Spec.Security
	}
	return op.Contract.Doc.Security
}

func (op *Operation) buildSecurity(pointer string) {
	reqs := op.Requirements()
	if len(reqs) == 0 || slices.ContainsFunc(reqs, func(r openapi3.SecurityRequirement) bool { return len(r) == 0 }) {
		return
	}
	place := at(op.Spec.Origin, pointer, "security")
	if op.Spec.Security == nil {
		place = at(op.Contract.Doc.Origin, "", "security")
	}
	op.AuthClause = op.clause("security", "a request without a credential is refused", place)
}

// credential reports whether a parameter carries the key of an apiKey scheme
// that the operation names.
func (op *Operation) credential(in, name string) bool {
	if op.Contract.Doc.Components == nil {
		return false
	}
	for _, r := range op.Requirements() {
		for scheme := range r {
			ref := op.Contract.Doc.Components.SecuritySchemes[scheme]
			if ref != nil && ref.Value != nil && ref.Value.Type == "apiKey" && ref.Value.In == in && strings.EqualFold(ref.Value.Name, name) {
				return true
			}
		}
	}
	return false
}

// ignored are the header parameters that OpenAPI tells to ignore (OpenAPI
// 3.0.3, Parameter Object, name).
func ignored(p *openapi3.Parameter) bool {
	if p.In != openapi3.ParameterInHeader {
		return false
	}
	switch http.CanonicalHeaderKey(p.Name) {
	case "Accept", "Content-Type", "Authorization":
		return true
	}
	return false
}

// parts are those of the values of a parameter's in.
var parts = map[string]schema.Part{
	openapi3.ParameterInPath: schema.InPath, openapi3.ParameterInQuery: schema.InQuery,
	openapi3.ParameterInHeader: schema.InHeader, openapi3.ParameterInCookie: schema.InCookie, codec.Querystring: schema.InQuery,
}

// mark says of the clauses from an index on which part of the request they are about.
func (op *Operation) mark(from int, part schema.Part) {
	for _, c := range op.Clauses[from:] {
		c.Part = part
	}
}

func (op *Operation) buildParams(pointer, item string) {
	add := func(ref *openapi3.ParameterRef, pointer string) {
		if ref.Value == nil || ignored(ref.Value) {
			return
		}
		p := op.inQuery(ref.Value)
		pointer = target(ref.Ref, pointer)
		if p.In == openapi3.ParameterInPath && !slices.Contains(op.names, p.Name) {
			op.Contract.document.Warn(at(p.Origin, pointer, "name"), "path parameter %q is not in the template %s; ignored", p.Name, op.Path)
			return
		}
		defer op.mark(len(op.Clauses), parts[p.In])
		param := &Param{Spec: p, op: op, Credential: op.credential(p.In, p.Name)}
		path := p.In + "/" + escape(p.Name)
		if p.Required {
			param.Presence = op.clause(path+"/required", p.Name+" is present", at(p.Origin, pointer, "required"))
		} else {
			param.Presence = op.clause(path+"/optional", p.Name+" may be absent", at(p.Origin, pointer, "required"))
			param.Presence.Permits = true
		}
		d := op.Contract.describe(p.Schema, p.Content, pointer)
		if d.isJSON() {
			param.Syntax = op.clause(path+"/syntax", p.Name+" is one JSON value (RFC 8259)", at(p.Origin, pointer, "content"))
		}
		param.media = d.media
		param.Node = d.node(op, pointer, schema.Root{Path: path, Subject: p.Name, Name: p.Name})
		if !param.Node.Allows("array") && !param.Node.Allows("object") && p.In != openapi3.ParameterInPath && p.In != codec.Querystring {
			param.Single = op.clause(path+"/single", p.Name+" is given once", at(p.Origin, pointer, "name"))
		}
		op.buildStyle(param, path, pointer)
		op.Params = append(op.Params, param)
	}
	for i, ref := range op.PathItem.Parameters {
		if ref.Value != nil && op.Spec.Parameters.GetByInAndName(ref.Value.In, ref.Value.Name) == nil {
			add(ref, fmt.Sprintf("%s/parameters/%d", item, i))
		}
	}
	for i, ref := range op.Spec.Parameters {
		add(ref, fmt.Sprintf("%s/parameters/%d", pointer, i))
	}
	for _, name := range op.inTemplate() {
		described := openapi3.NewPathParameter(name)
		if !slices.ContainsFunc(op.Params, func(p *Param) bool {
			q := op.inQuery(described)
			return p.Spec.In == q.In && p.Spec.Name == q.Name
		}) {
			// Something has to stand there.
			op.Contract.document.Warn(at(op.PathItem.Origin, item, ""), "path parameter %q of the template %s is not described; any text is sent", name, op.Path)
			spec := openapi3.NewPathParameter(name).WithSchema(openapi3.NewStringSchema())
			spec.Origin = op.PathItem.Origin
			add(&openapi3.ParameterRef{Value: spec}, item)
		}
	}
}

// buildStyle makes the clauses about how a parameter is written.
func (op *Operation) buildStyle(param *Param, path, pointer string) {
	p := param.Spec
	sm, err := p.SerializationMethod()
	composed := param.Node.Allows("array") || param.Node.Allows("object")
	if err == nil && p.Schema != nil && (sm.Style == "label" || sm.Style == "matrix" || composed && len(param.Node.Types()) > 0) {
		how := sm.Style
		if sm.Explode {
			how += ", exploded"
		}
		if d := codec.DelimiterOf(p.Extensions); d != "" {
			how = fmt.Sprintf("%s, separated by %q", how, d)
		}
		param.Style = op.clause(path+"/style", fmt.Sprintf("%s is written in the style %s", p.Name, how), at(p.Origin, pointer, "style"))
	}
	later := op.Contract.document.Version32() && p.In == openapi3.ParameterInPath // OpenAPI 3.2.0, Parameter Object, allowReserved
	if p.In != openapi3.ParameterInQuery && !later {
		return // OpenAPI 3.0.3, Parameter Object: both are about query parameters
	}
	if p.AllowEmptyValue && !later {
		param.Empty = op.clause(path+"/allowEmptyValue", p.Name+" may be empty", at(p.Origin, pointer, "allowEmptyValue"))
		param.Empty.Permits = true
	}
	if p.AllowReserved {
		param.Reserved = op.clause(path+"/allowReserved", p.Name+" may have reserved characters as they are", at(p.Origin, pointer, "allowReserved"))
		param.Reserved.Permits = true
	}
}

func (op *Operation) buildBody(pointer string) {
	ref := op.Spec.RequestBody
	if ref == nil || ref.Value == nil {
		return
	}
	spec := ref.Value
	pointer = target(ref.Ref, pointer+"/requestBody")
	defer op.mark(len(op.Clauses), schema.InBody)
	op.Body = &Body{Spec: spec}
	if spec.Required {
		op.Body.Presence = op.clause("body/required", "the body is present", at(spec.Origin, pointer, "required"))
	} else {
		op.Body.Presence = op.clause("body/optional", "the body may be absent", at(spec.Origin, pointer, "required"))
		op.Body.Presence.Permits = true
	}
	op.Contract.complete(spec.Content, pointer)
	keys := mediaKeys(spec.Content)
	op.Body.MediaType = op.clause("body/media-type", "the body is "+strings.Join(keys, " or "), at(spec.Origin, pointer, "content"))
	if len(keys) == 1 {
		op.Body.MediaType.Place = at(spec.Content[keys[0]].Origin, pointer+"/content/"+escape(keys[0]), "")
	}
	op.Body.Media, op.Body.types = op.buildMedia(spec.Content, RequestSide, "body", pointer, schema.Body), op.Contract.typesOf(keys)
}

// typesOf returns the set of documented media types: most messages of a document have the same.
func (c *Contract) typesOf(keys []string) *mediatype.Set {
	of := strings.Join(keys, "\n")
	if c.types[of] == nil {
		c.types[of] = mediatype.NewSet(keys)
	}
	return c.types[of]
}

// meant are the media types that are called by what is none.
var meant = map[string]string{"*": "*/*", "json": "application/json", "xml": "application/xml", "text": "text/plain"}

// complete gives a media type that is but named, without a value, an empty one, and writes its name as it
// was meant.
func (c *Contract) complete(content openapi3.Content, pointer string) {
	for _, key := range slices.Sorted(maps.Keys(content)) {
		if content[key] == nil {
			content[key] = &openapi3.MediaType{}
		}
		name := meant[strings.ToLower(key)]
		if _, has := content[name]; name == "" || has {
			continue
		}
		content[name] = content[key]
		delete(content, key)
		c.document.Warn(Place{Pointer: pointer + "/content/" + escape(key)}, "%q is not a media type; read as %s", key, name)
	}
}

// mediaKeys returns the documented media types in lexical order, JSON first: what is sent of
// application/*+json is a guess.
func mediaKeys(content openapi3.Content) []string {
	rank := func(key string) int {
		switch {
		case !strings.Contains(key, "json"):
			return 2
		case strings.Contains(key, "*"):
			return 1
		}
		return 0
	}
	keys := slices.Collect(maps.Keys(content))
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(rank(a)-rank(b), cmp.Compare(a, b)) })
	return keys
}

func (op *Operation) buildMedia(content openapi3.Content, side Side, path, pointer, subject string) []*Media {
	var all []*Media
	keys := mediaKeys(content)
	for i, key := range keys {
		spec := content[key]
		m := &Media{Key: key, Spec: spec, op: op, side: side}
		name := path
		if i > 0 {
			name += ":" + escape(key)
		}
		at := at(spec.Origin, pointer+"/content/"+escape(key), "schema")
		before := len(op.Clauses)
		op.buildNodes(m, name, pointer+"/content/"+escape(key), subject)
		ofSchema := slices.Clone(op.Clauses[before:])
		if m.Patches() == JSONPatch {
			for _, c := range ofSchema {
				c.Narrowed = cmp.Or(c.Narrowed, leavePatch)
			}
		}
		op.Clauses = op.Clauses[:before]
		switch {
		case codec.IsJSON(key):
			m.Syntax = op.clause(name+"/syntax", subject+" is one JSON value in UTF-8 (RFC 8259)", at)
		case m.Form == codec.XML:
			m.Syntax = op.clause(name+"/syntax", subject+" is one XML document (XML 1.0 §2.1)", at)
		case m.Form == codec.YAML:
			m.Syntax = op.clause(name+"/syntax", subject+" is one YAML document (RFC 9512)", at)
		case m.Form == codec.Multipart:
			m.Syntax = op.clause(name+"/syntax", subject+" is a list of parts with names (RFC 7578)", at)
		case m.Form == codec.Sequence:
			m.Syntax = op.clause(name+"/syntax", subject+" is "+m.framing.Rule(), at)
		}
		if m.Syntax != nil {
			m.Syntax.Side = side
		}
		op.Clauses = append(op.Clauses, ofSchema...)
		op.buildParts(m, name, pointer+"/content/"+escape(key), side)
		op.buildOrdered(m, name, pointer+"/content/"+escape(key))
		all = append(all, m)
	}
	return all
}

// buildNodes makes the schemas of a media type. A sequence is read as one where its items are
// described, and in answers, whose items are judged whatever is said of them.
func (op *Operation) buildNodes(m *Media, name, pointer, subject string) {
	items := m.Spec.ItemSchema
	root := schema.Root{Side: m.side, Path: name, Pointer: pointer + "/schema", Subject: subject}
	if m.framing = codec.FramingOf(m.Key); m.framing != codec.Whole && (items != nil || m.side == ResponseSide) {
		m.Form = codec.Sequence
		root.Content = m.framing == codec.Events
	}
	if m.Form == codec.Sequence && items != nil {
		of := root
		of.OfItems, of.Pointer = true, pointer+"/itemSchema"
		m.Node, m.itemized = op.node(items, of), true
	}
	switch {
	case m.Spec.Schema == nil:
	case m.itemized:
		m.Whole = op.node(m.Spec.Schema, root)
	default:
		m.Node = op.node(m.Spec.Schema, root)
	}
	if m.Form != codec.Sequence {
		m.Form = codec.FormOf(m.Key, m.Node)
	}
}
