package amend

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/report"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// Run is what a run knows beside its report.
type Run struct {
	Answers Answers
	// Refused reports whether all requests about a clause were refused.
	Refused func(*contract.Clause) bool
	// Hidden reports whether values of this name are not to be shown.
	Hidden func(name string) bool
}

// Actions are the changes of the document that would mend what a report has found, cause by
// cause. Those that are known are left out.
func Actions(c *contract.Contract, rep *report.Report, run *Run) ([]report.Amendment, error) {
	if c.Converted {
		return nil, nil // a change of what it was made into is none of the document
	}
	root, err := c.Tree()
	if err != nil {
		return nil, err
	}
	d := &draft{
		tree: newTree(root, c.Doc.IsOpenAPI31OrLater()), contract: c, report: rep, run: run,
		clauses: map[string]about{}, operations: map[string]*contract.Operation{},
	}
	for _, op := range c.Operations {
		d.operations[op.ID] = op
	}
	for _, g := range rep.Groups {
		for _, i := range g.Findings {
			if f := &rep.Findings[i]; f.Known == nil && d.operations[f.Operation] != nil {
				d.finding = f
				d.mend(d.operations[f.Operation], f)
			}
		}
	}
	return d.actions, nil
}

// draft is the document as it is after the actions so far.
type draft struct {
	*tree
	contract   *contract.Contract
	report     *report.Report
	run        *Run
	operations map[string]*contract.Operation
	clauses    map[string]about // of the responses of the operations that were asked for
}

// about is what a clause of a response is about.
type about struct {
	response *contract.Response
	media    *contract.Media // nil for a header
	node     *contract.Node
	keyword  string
}

func (d *draft) mend(op *contract.Operation, f *report.Finding) {
	switch f.Check {
	case judge.UndocumentedStatus:
		if f.Status == http.StatusUnauthorized {
			d.security(op)
		}
		if f.Severity == report.Error || f.Leave == "" && !slices.Contains(ofHTTP, f.Status) {
			d.status(op, f, statusName(f)+" is returned, but not documented")
		}
	case "response-media-type":
		if f.Severity == report.Error {
			d.mediaType(op, f)
		}
	case "response-body-unexpected":
		if f.Severity == report.Warning {
			d.mediaType(op, f)
		}
	case "response-body-missing":
		d.noBody(op, f)
	case "response-schema":
		if f.Severity == report.Error {
			d.schema(op, f)
		}
	case "response-header":
		if f.Severity == report.Error {
			d.header(op, f)
		}
	case judge.ValidRefused:
		switch {
		case f.Status == http.StatusUnauthorized:
			d.security(op)
		case f.Severity == report.Error:
			d.refused(op, f)
		}
	}
}

// anyStatus is the key of the response for all statuses that have none of their own.
const anyStatus = "default"

// ofHTTP are refusals of a server whatever it serves: no document needs them.
var ofHTTP = []int{
	http.StatusMethodNotAllowed, http.StatusRequestTimeout, http.StatusLengthRequired, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
	http.StatusExpectationFailed, http.StatusMisdirectedRequest, http.StatusUpgradeRequired, http.StatusTooManyRequests, http.StatusRequestHeaderFieldsTooLarge,
}

// status documents one that is answered, with all that it is answered with.
func (d *draft) status(op *contract.Operation, f *report.Finding, sentence string) {
	media := d.run.Answers.media(op, f.Status)
	responses := d.at(op.StatusClause.Place.Pointer)
	if responses == nil || f.Status >= http.StatusInternalServerError || !slices.Contains(media, f.MediaType) {
		return
	}
	key := strconv.Itoa(f.Status)
	if there := d.child(responses, key); there != nil {
		d.also(there)
		return
	}
	response, content := mapping(), mapping()
	put(response, "description", text(cmp.Or(http.StatusText(f.Status), key)))
	for _, label := range media {
		if seen := d.run.Answers.of(op, func(status int, media string) bool { return status == f.Status && media == label }); seen.bodies > 0 && label != "" {
			put(content, label, d.media(label, seen))
		}
	}
	if len(content.Content) > 0 {
		put(response, "content", content)
	}
	d.set(responses, key, response, sentence)
}

// statusName is a status in words.
func statusName(f *report.Finding) string {
	return strings.TrimSpace(strconv.Itoa(f.Status) + " " + http.StatusText(f.Status))
}

// media is what a media type of a response holds.
func (d *draft) media(label string, s *seen) *yaml.Node {
	out := mapping()
	switch t, err := mediatype.Parse(label); {
	case s.values > 0:
		put(out, "schema", s.shape.schema(d.v31))
	case err == nil && t.Type == "text":
		of := mapping()
		put(of, "type", text("string"))
		put(out, "schema", of)
	}
	return out
}

func isJSON(label string) bool {
	t, err := mediatype.Parse(label)
	return err == nil && t.JSON()
}

// addContent documents a media type of a response.
func (d *draft) addContent(response *place, f *report.Finding, s *seen, sentence string) {
	if f.MediaType == "" || s == nil || s.bodies == 0 {
		return
	}
	content := d.child(response, "content")
	switch {
	case content == nil:
		of := mapping()
		put(of, f.MediaType, d.media(f.MediaType, s))
		d.set(response, "content", of, sentence)
	case d.child(content, f.MediaType) != nil:
		d.also(d.child(content, f.MediaType))
	default:
		d.set(content, f.MediaType, d.media(f.MediaType, s), sentence)
	}
}

// response finds a documented response, and where it stands.
func (d *draft) response(op *contract.Operation, status int) (*contract.Response, *place) {
	r := op.Response(status)
	if r == nil {
		return nil, nil
	}
	return r, d.follow(d.child(d.at(op.StatusClause.Place.Pointer), r.Key))
}

// mediaType documents one in which a documented status is answered.
func (d *draft) mediaType(op *contract.Operation, f *report.Finding) {
	r, at := d.response(op, f.Status)
	if at == nil || f.Status == http.StatusNoContent || f.Status == http.StatusResetContent || f.Status == http.StatusNotModified {
		return
	}
	seen := d.run.Answers.of(op, func(status int, media string) bool { return media == f.MediaType && op.Response(status) == r })
	if sentence := statusName(f) + " is returned as " + f.MediaType + ", which is not documented"; r.Key == anyStatus {
		d.status(op, f, sentence)
	} else {
		d.addContent(at, f, seen, sentence)
	}
}

// noBody takes the content out of a response that never has one.
func (d *draft) noBody(op *contract.Operation, f *report.Finding) {
	r, at := d.response(op, f.Status)
	if at == nil {
		return
	}
	if r.Key == anyStatus {
		d.status(op, f, f.Message)
		return
	}
	seen := d.run.Answers.of(op, func(status int, _ string) bool { return op.Response(status) == r })
	if seen != nil && seen.bodies == 0 && seen.empty > 0 {
		d.unset(at, "content", f.Message)
	}
}

// security documents that an operation asks for a credential.
func (d *draft) security(op *contract.Operation) {
	if op.AuthClause != nil || !slices.ContainsFunc(d.report.Unproven, func(u report.Unproven) bool { return u.Operation == op.ID }) {
		return
	}
	seen := d.run.Answers.of(op, func(status int, _ string) bool { return status == http.StatusUnauthorized })
	at := d.at(strings.TrimSuffix(op.StatusClause.Place.Pointer, "/responses"))
	if seen == nil || at == nil {
		return
	}
	scheme := d.scheme(strings.ToLower(seen.bearer))
	if scheme == "" {
		return
	}
	if asked := d.child(at, "security"); asked != nil && d.child(asked, "0", scheme) != nil {
		d.also(asked)
		return
	}
	need := mapping()
	put(need, scheme, list(nil))
	d.set(at, "security", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{need}}, "without a credential no request is accepted")
}

// refused says of a request that there are no more properties, where all that have more are
// refused.
func (d *draft) refused(op *contract.Operation, f *report.Finding) {
	at := d.at(strings.TrimSuffix(op.StatusClause.Place.Pointer, "/responses"))
	if op.Body == nil || at == nil {
		return
	}
	for _, m := range op.Body.Media {
		m.Node.Walk(func(n *contract.Node) {
			c := n.Clause(additional)
			steps, ok := way(n)
			if c == nil || c.Name != f.Clause || !c.Permits || !ok || composed(n) || !d.run.Refused(c) {
				return
			}
			start := d.child(d.follow(d.child(at, "requestBody")), "content", m.Key, "schema")
			switch of := d.follow(d.walk(start, steps)); {
			case of == nil:
			case value(of.node, additional) == "false":
				d.also(of)
			default:
				d.set(d.owned(d.walkOwned(start, steps, requests), requests), additional, plain("false"), f.Message)
			}
		})
	}
}

const additional = "additionalProperties"

// composed reports whether other schemas speak of the same value, of whose properties this one
// knows nothing.
func composed(n *contract.Node) bool {
	return len(n.InPlace()) > 0 || n.Parent != nil && n.About() == schema.Itself
}

// scheme is the name of a security scheme that is asked for by the word of a challenge, or that
// is the only one; empty where nothing says which.
func (d *draft) scheme(challenge string) string {
	schemes := d.at("/components/securitySchemes")
	var names []string
	if schemes != nil {
		for i := 0; i+1 < len(schemes.node.Content); i += 2 {
			name := schemes.node.Content[i].Value
			of := d.follow(d.child(schemes, name))
			if of != nil && value(of.node, "type") == "http" && strings.EqualFold(value(of.node, "scheme"), challenge) {
				return name
			}
			names = append(names, name)
		}
	}
	switch {
	case challenge == "bearer" || challenge == "basic":
		scheme, all, components := mapping(), mapping(), mapping()
		put(scheme, "type", text("http"))
		put(scheme, "scheme", text(challenge))
		name := free(challenge+"Auth", names)
		put(all, name, scheme)
		put(components, "securitySchemes", all)
		d.set(d.root(), "components", components, "401 Unauthorized asks for a credential of this kind, and no scheme of the document is of it")
		return name
	case len(names) == 1:
		return names[0]
	}
	return ""
}

// free is a name that is not taken.
func free(name string, taken []string) string {
	out := name
	for n := 2; slices.Contains(taken, out); n++ {
		out = name + strconv.Itoa(n)
	}
	return out
}

// header mends what is said of a header of a response.
func (d *draft) header(op *contract.Operation, f *report.Finding) {
	r, response := d.response(op, f.Status)
	of, ok := d.about(op, f.Clause)
	if response == nil || r == nil {
		return
	}
	for _, h := range r.Headers {
		at := d.follow(d.child(response, "headers", h.Name))
		switch {
		case at == nil:
		case h.Presence != nil && h.Presence.Name == f.Clause:
			d.unset(at, "required", f.Message)
		case ok && of.node == h.Node && of.keyword == "type": // it is a text, whatever it means
			if at := d.follow(d.child(at, "schema")); at != nil && value(at.node, "type") != "string" {
				as := mapping()
				put(as, "type", text("string"))
				d.replace(at, as, f.Message)
			}
		case ok && of.node == h.Node && slices.Contains(bounds, of.keyword):
			d.unset(d.follow(d.child(at, "schema")), of.keyword, f.Message)
		}
	}
}

// about finds what a clause of a response is about.
func (d *draft) about(op *contract.Operation, clause string) (about, bool) {
	if _, has := d.clauses[op.ID]; !has {
		d.clauses[op.ID] = about{}
		for _, r := range op.Responses {
			enter := func(m *contract.Media, root *contract.Node) {
				root.Walk(func(n *contract.Node) {
					for _, c := range n.Clauses {
						d.clauses[c.Name] = about{r, m, n, c.Key}
					}
				})
			}
			for _, m := range r.Media {
				enter(m, m.Node)
			}
			for _, h := range r.Headers {
				enter(nil, h.Node)
			}
		}
	}
	of, ok := d.clauses[clause]
	return of, ok && of.node != nil
}

// bounds are the keywords that only narrow what a value may be: without them, it may be all that
// the others let it be.
var bounds = []string{
	"const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern", "format",
	"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "not", "contains", "minContains", "maxContains", "propertyNames",
}

// schema mends what is said of a value in the body of a response.
func (d *draft) schema(op *contract.Operation, f *report.Finding) {
	of, ok := d.about(op, f.Clause)
	if !ok || of.media == nil {
		return
	}
	if of.response.Key == anyStatus { // which holds for others as well
		d.status(op, f, f.Message)
		return
	}
	_, response := d.response(op, f.Status)
	seen := d.run.Answers.of(op, func(status int, media string) bool {
		if op.Response(status) != of.response {
			return false
		}
		m, err := of.response.Select(media)
		return err == nil && m == of.media
	})
	if response == nil || seen == nil || seen.values == 0 {
		return
	}
	steps, ok := way(of.node)
	shape := shapeAt(&seen.shape, of.node)
	if !ok || shape == nil {
		return
	}
	start := d.child(response, "content", of.media.Key, "schema")
	m := &mending{draft: d, of: of, shape: shape, sentence: f.Message, nearest: strings.Contains(f.Message, "nearest to")}
	// It is looked at first whether there is something to be done: a component is copied only then.
	if at := d.walk(start, steps); at != nil && m.wanted(at) {
		m.do(d.walkOwned(start, steps, answers))
	} else if at != nil {
		d.also(at)
	}
}

// way is how to get to the schema of a node from that of the whole. Of what is in a branch the
// keyword speaks that has it.
func way(n *contract.Node) (steps [][]string, ok bool) {
	if n.Parent == nil {
		return nil, true
	}
	if steps, ok = way(n.Parent); !ok {
		return nil, false
	}
	var step []string
	for part := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(n.Path, n.Parent.Path), "/"), "/") {
		step = append(step, unescape(part))
	}
	if n.PropName != "" {
		step = []string{"properties", n.PropName}
	}
	return append(steps, step), n.About() != schema.Name && (n.About() != schema.Itself || step[0] == "allOf")
}

// shapeAt is the shape of the values that a node is about; nil where none was seen.
func shapeAt(s *Shape, n *contract.Node) *Shape {
	if n.Parent == nil {
		return s
	}
	s = shapeAt(s, n.Parent)
	switch {
	case s == nil || n.About() == schema.Itself:
		return s
	case n.About() == schema.Item:
		return s.items
	case n.PropName != "" && s.open == nil:
		return s.props[n.PropName]
	}
	return s.members()
}

// mending is what is done about one keyword of a schema.
type mending struct {
	*draft
	of       about
	shape    *Shape // of the values that it is about
	sentence string
	nearest  bool // the values are taken by none of the branches
}

// types are those that a schema allows; none where it does not say. With null beside.
func (d *draft) types(n *yaml.Node) (types []string, null bool) {
	t := member(n, "type")
	switch {
	case t == nil:
		return nil, true
	case t.Kind == yaml.SequenceNode:
		for _, item := range t.Content {
			if item.Value == "null" {
				null = true
			} else {
				types = append(types, item.Value)
			}
		}
	default:
		types = []string{t.Value}
	}
	return types, null || !d.v31 && value(n, "nullable") == "true"
}

// lacks are the types of the values that a schema does not allow.
func (m *mending) lacks(n *yaml.Node) (types []string, null, some bool) {
	allowed, nullable := m.types(n)
	of, hasNull := m.shape.typesOf()
	for _, t := range of {
		if allowed == nil || slices.Contains(allowed, t) || t == "integer" && slices.Contains(allowed, "number") {
			some = true
		} else {
			types = append(types, t)
		}
	}
	return types, hasNull && !nullable, some || hasNull && nullable
}

// wanted reports whether there is something to be done at the place of the schema, which may be
// a reference.
func (m *mending) wanted(at *place) bool {
	of := m.follow(at)
	if of == nil || of.node.Kind != yaml.MappingNode {
		return false
	}
	switch kind, name, _ := strings.Cut(m.of.keyword, "/"); kind {
	case "type":
		if anyOf := member(at.node, "anyOf"); anyOf != nil && member(at.node, "type") == nil {
			return false // it was mended before
		}
		types, null, _ := m.lacks(of.node)
		return len(types) > 0 || null
	case "required":
		return names(member(of.node, "required"), name)
	case additional, "unevaluatedProperties":
		return len(m.undeclared(of)) > 0 || m.shape.open != nil
	case "enum":
		return m.values(of) != nil || member(of.node, "enum") != nil && m.shape.many
	case "oneOf":
		return member(of.node, kind) != nil && member(of.node, "anyOf") == nil
	case "anyOf":
		return member(of.node, kind) != nil && !has(member(of.node, kind), m.shape.schema(m.v31))
	default:
		return slices.Contains(bounds, kind) && member(of.node, kind) != nil
	}
}

func (m *mending) do(at *place) {
	of := m.follow(at)
	switch kind, name, _ := strings.Cut(m.of.keyword, "/"); kind {
	case "type":
		m.widen(at, of)
	case "required":
		m.optional(m.owned(at, answers), name)
	case additional, "unevaluatedProperties":
		of = m.owned(at, answers)
		if m.shape.open != nil {
			m.set(of, kind, m.shape.open.schema(m.v31), m.sentence)
			return
		}
		props := mapping()
		for _, name := range m.undeclared(of) {
			put(props, name, m.shape.props[name].schema(m.v31))
		}
		m.set(of, "properties", props, m.sentence)
	case "enum":
		of = m.owned(at, answers)
		if values := m.values(of); values != nil {
			m.set(of, "enum", values, m.sentence)
		} else {
			m.unset(of, "enum", m.sentence)
		}
	case "oneOf", "anyOf":
		m.branches(m.owned(at, answers), kind)
	default:
		of = m.owned(at, answers)
		if other := member(of.node, map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}[kind]); other != nil && other.Tag == "!!bool" {
			m.unset(of, map[string]string{"minimum": "exclusiveMinimum", "maximum": "exclusiveMaximum"}[kind], m.sentence)
		}
		m.unset(of, kind, m.sentence)
	}
}

// widen lets a schema take the types that the values have. Where it takes none of them, it is
// of another value, and replaced.
func (m *mending) widen(at, of *place) {
	types, null, some := m.lacks(of.node)
	onlyNull := null && len(types) == 0
	inline := at == of
	switch {
	case !some && !onlyNull:
		m.replace(at, m.shape.schema(m.v31), m.sentence)
	case onlyNull && inline && m.v31:
		allowed, _ := m.types(of.node)
		m.alsoEnum(of)
		m.set(of, "type", list(append(allowed, "null")), m.sentence)
	case onlyNull && inline:
		m.alsoEnum(of)
		m.set(of, "nullable", plain("true"), m.sentence)
	default:
		lacking := *m.shape
		lacking.types = map[string]bool{}
		for _, t := range types {
			lacking.types[t] = true
		}
		if null {
			lacking.types["null"] = true
		}
		other := lacking.schema(m.v31)
		if onlyNull && !m.v31 { // by itself, nullable says nothing (OpenAPI 3.0.3, Schema Object)
			other = mapping()
			allowed, _ := m.types(of.node)
			put(other, "type", text(allowed[0]))
			put(other, "nullable", plain("true"))
			put(other, "enum", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: yaml.FlowStyle, Content: []*yaml.Node{plain("null")}})
		}
		either := mapping()
		put(either, "anyOf", &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{copied(at.node), other}})
		m.replace(at, either, m.sentence)
	}
}

// alsoEnum adds null to the values that are listed beside the type.
func (m *mending) alsoEnum(of *place) {
	if values := member(of.node, "enum"); values != nil && !slices.ContainsFunc(values.Content, func(n *yaml.Node) bool { return n.Tag == "!!null" }) {
		all := copied(values)
		all.Content = append(all.Content, plain("null"))
		m.set(of, "enum", all, m.sentence)
	}
}

// optional takes a name out of those that are required.
func (m *mending) optional(of *place, name string) {
	required := member(of.node, "required")
	if len(required.Content) == 1 { // an empty list is not valid in OpenAPI 3.0
		m.unset(of, "required", m.sentence)
		return
	}
	m.take(m.child(of, "required"), name, m.sentence)
}

// undeclared are the properties of the values that a schema does not name.
func (m *mending) undeclared(of *place) []string {
	props := member(of.node, "properties")
	var all []string
	for _, name := range slices.Sorted(maps.Keys(m.shape.props)) {
		if props == nil || member(props, name) == nil {
			all = append(all, name)
		}
	}
	return all
}

// values are those that are listed and those that come; nil where these cannot be listed, or all
// are there.
func (m *mending) values(of *place) *yaml.Node {
	listed := member(of.node, "enum")
	if listed == nil || m.shape.many || m.run.Hidden(m.of.node.Name) {
		return nil
	}
	all := copied(listed)
	for _, s := range slices.Sorted(maps.Keys(m.shape.scalars)) {
		n := scalar(s)
		if !slices.ContainsFunc(all.Content, func(o *yaml.Node) bool { return o.Value == n.Value && (o.Tag == n.Tag || o.Tag == "") }) {
			all.Content = append(all.Content, n)
		}
	}
	if len(all.Content) == len(listed.Content) {
		return nil
	}
	return all
}

// has reports whether a list has an item that is written alike.
func has(list, item *yaml.Node) bool {
	want, err := yaml.Marshal(item)
	return err == nil && slices.ContainsFunc(list.Content, func(n *yaml.Node) bool {
		got, err := yaml.Marshal(copied(n))
		return err == nil && string(got) == string(want)
	})
}

// branches lets a value be valid against several of the schemas, or against one that is as the
// values are.
func (m *mending) branches(of *place, keyword string) {
	all := copied(member(of.node, keyword))
	if keyword == "anyOf" || m.nearest {
		all.Content = append(all.Content, m.shape.schema(m.v31))
		if member(of.node, "discriminator") != nil { // which names the other branches alone
			m.unset(of, "discriminator", m.sentence)
		}
	}
	if keyword == "oneOf" {
		m.unset(of, "oneOf", m.sentence)
	}
	m.set(of, "anyOf", all, m.sentence)
}
