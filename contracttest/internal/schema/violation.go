package schema

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/santhosh-tekuri/jsonschema/v6"
	jskind "github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/dataarts-go/factory/contracttest/internal/document"
)

// Violation is one clause that a message breaks.
type Violation struct {
	Clause  *Clause
	Message string // which part, what was wanted, what was there; no secret
	// Leave says why the document and the RFCs leave it to the receiver whether
	// it takes the message all the same; empty where it must not.
	Leave string
	// Within lists what a value that no branch of oneOf or anyOf takes breaks in
	// the branches that are nearest to taking it.
	Within []*Clause
	// Syntax is set where the bytes cannot be read at all.
	Syntax bool
}

// About reports whether the violation is of the clause, be it within a branch.
func (v Violation) About(c *Clause) bool { return v.Clause == c || slices.Contains(v.Within, c) }

// Check returns the clauses at and below the node that a JSON value breaks, as
// a decoder returns it: numbers as json.Number. subject is what messages call
// the value; empty for a body, whose parts are called by their pointer.
func (n *Node) Check(v any, subject string) []Violation {
	return n.check(v, checking{subject: subject, within: true})
}

// checking is how a value is checked.
type checking struct {
	subject string // what messages call the value
	within  bool   // whether branches are asked what the value breaks in them
	depth   int    // how far inside the value that the validator was given it stands
}

func (n *Node) check(v any, how checking) []Violation {
	subject := how.subject
	if path, found := unbounded(v); found {
		return []Violation{{Clause: n.nearest(path), Message: where(subject, path) + ": the number is beyond what can be read"}}
	}
	var broken []Violation
	switch compiled := n.compiled(); {
	case compiled.err != nil:
		return []Violation{{Clause: n.nearest(nil), Message: where(subject, nil) + ": " + document.OneLine(compiled.err.Error())}}
	case !compiled.takes(v): // the quick answer first: what is wrong takes longer to say
		if err, ok := errors.AsType[*jsonschema.ValidationError](compiled.schema.Validate(v)); ok {
			broken = n.violations(err, v, how)
		}
	}
	return n.withHints(broken, v, subject)
}

// withHints adds what a value breaks of that which is no matter of the validator.
func (n *Node) withHints(broken []Violation, v any, subject string) []Violation {
	for _, h := range n.hinted(v, subject) {
		if !slices.ContainsFunc(broken, func(b Violation) bool { return b.About(h.Clause) }) {
			broken = append(broken, h)
		}
	}
	for i, b := range broken {
		broken[i].Leave = cmp.Or(b.Leave, b.Clause.leave())
	}
	return broken
}

// leave says why what a clause says of a request is left to its receiver: it may not look at what is
// readOnly, whatever stands there.
func (c *Clause) leave() string {
	if c != nil && c.Keyword == "readOnly" {
		return leaveReadOnly
	}
	return ""
}

// Unreadable is the violation of a text that stands for no value of its schema. path is
// where it stands, why what is wrong with it, leave why some read it all the same; written is
// the clause about how the whole is written, nil where there is none.
func (n *Node) Unreadable(path []string, subject, why, leave string, written *Clause) Violation {
	clause := n.nearest(path)
	if written != nil && len(path) == 0 {
		clause = written
	}
	if why == "" {
		why = "cannot be read as what the document says: " + wanted(clause)
	}
	return Violation{Clause: clause, Message: where(subject, path) + ": " + why, Leave: cmp.Or(leave, clause.leave())}
}

// ReadOtherwise is the violation of a text that some read in another way.
func (n *Node) ReadOtherwise(path []string, subject, leave string) Violation {
	return Violation{Clause: n.nearest(path), Message: where(subject, path) + " is written in a way that receivers read differently", Leave: leave}
}

// violations turns an error of the validator about the value v at n into the
// clauses that it is about.
func (n *Node) violations(err *jsonschema.ValidationError, v any, how checking) []Violation {
	switch err.ErrorKind.(type) {
	case *jskind.Schema, *jskind.Group, *jskind.Reference, *jskind.AllOf:
		var broken []Violation
		for _, cause := range err.Causes {
			broken = append(broken, n.violations(cause, v, how)...)
		}
		return broken
	}
	subject := how.subject
	schema, keyword, path := n.blamed(err, how.depth)
	value, there := valueAt(v, path)
	switch k := err.ErrorKind.(type) {
	case *jskind.ContentSchema:
		return []Violation{n.inContent(schema, v, subject)}
	case *jskind.Required:
		var broken []Violation
		for _, name := range k.Missing {
			_, clause := n.find(schema, "required/"+name, path)
			at := append(slices.Clone(path), name)
			broken = append(broken, Violation{Clause: clause, Message: where(subject, at) + ": is missing", Leave: n.leaveAbsent(at)})
		}
		return broken
	case *jskind.Type:
		node, clause := n.find(schema, "type", path)
		got := k.Got
		if there {
			got = kind(value)
		}
		message := fmt.Sprintf("%s: want %s, got %s", where(subject, path), strings.Join(k.Want, " or "), got)
		return []Violation{n.nullable(node.broken(clause, "type", message, nil), v, path)}
	}
	node, clause := n.find(schema, keyword, path)
	broken := node.broken(clause, keyword, where(subject, path)+": violates: "+wanted(clause), value)
	if keyword == "oneOf" {
		broken.Leave = node.shortcut(value)
	}
	if node != nil && how.within {
		node.inBranches(&broken, keyword, value, err)
	}
	return []Violation{n.nullable(broken, v, path)}
}

// blamed returns the schema and the keyword that an error of the validator is about, and the
// place in the value at n. depth is how far inside the validator's value that one stands.
func (n *Node) blamed(err *jsonschema.ValidationError, depth int) (schema *openapi3.Schema, keyword string, path []string) {
	path = err.InstanceLocation[depth:]
	schema, keyword = n.set.validators.named(err.SchemaURL)
	if _, no := err.ErrorKind.(*jskind.FalseSchema); no && keyword != "" && len(path) > 0 { // as the value of the keyword
		path = path[:len(path)-1]
	}
	if keyword == "" {
		keyword = "false"
		if keywords := err.ErrorKind.KeywordPath(); len(keywords) > 0 {
			keyword = keywords[0]
		}
	}
	switch k := err.ErrorKind.(type) {
	case *jskind.Format:
		keyword = "format"
	case *jskind.Not:
		keyword = "not"
	case *jskind.DependentRequired:
		keyword = "dependentRequired/" + k.Prop
	case *jskind.PropertyNames:
		if at := slices.IndexFunc(n.places(path), func(m *Node) bool { return m.PropertyNames != nil && m.PropertyNames.Schema == schema }); at >= 0 {
			schema = n.places(path)[at].Schema
		}
	}
	return schema, keyword, path
}

// inContent finds the text whose JSON breaks the contentSchema of a schema. What the validator
// says of the place is that of another value.
func (n *Node) inContent(schema *openapi3.Schema, v any, subject string) (broken Violation) {
	n.Visit(v, func(m *Node, text any, path []string) bool {
		if m.Schema != schema || broken.Clause != nil || m.Validates(text) == nil {
			return true
		}
		broken.Clause = m.own("contentSchema")
		broken.Message = where(subject, path) + ": violates: " + wanted(broken.Clause)
		if err, ok := errors.AsType[*jsonschema.ValidationError](m.compiled().schema.Validate(text)); ok {
			if inner := leaf(err); len(inner.ErrorKind.KeywordPath()) > 0 {
				broken.Message = fmt.Sprintf("%s: %s breaks %s", where(subject, path), where("the JSON in it", inner.InstanceLocation), inner.ErrorKind.KeywordPath()[0])
			}
		}
		return true
	})
	if broken.Clause == nil {
		_, broken.Clause = n.find(schema, "contentSchema", nil)
		broken.Message = where(subject, nil) + ": violates: " + wanted(broken.Clause)
	}
	return broken
}

// nullable leaves it open whether null is taken where the document says nullable
// beside another keyword that refuses it, or in a version that does not know it.
func (n *Node) nullable(v Violation, root any, path []string) Violation {
	value, there := valueAt(root, path)
	if !there || value != nil {
		return v
	}
	all := n.places(path)
	switch {
	case slices.ContainsFunc(all, func(m *Node) bool { return m.Schema.Nullable }):
		leave := leaveNullable
		if n.set.Document.Version31() {
			leave = leaveNullable31
		}
		v.Leave = cmp.Or(v.Leave, leave)
	case slices.ContainsFunc(all, func(m *Node) bool { return m.ignored.Nullable }):
		v.Leave = cmp.Or(v.Leave, leaveBesideRef)
	}
	return v
}

// broken makes a violation of a clause of the node. value is what stands there.
func (n *Node) broken(clause *Clause, keyword, message string, value any) Violation {
	v := Violation{Clause: clause, Message: message}
	if n == nil {
		return v
	}
	switch keyword {
	case "format":
		if v.Leave = n.leaveOf(n.Schema.Format); n.Schema.Format == "byte" && looseBase64(value) {
			v.Leave = cmp.Or(v.Leave, leaveBase64)
		}
	case "writeOnly":
		v.Leave = leaveWriteOnly
	}
	return v
}

// inBranches asks the branches what a value breaks in them that none takes. err is what the
// validator found, of each branch by itself.
func (n *Node) inBranches(v *Violation, keyword string, value any, err *jsonschema.ValidationError) {
	nearest := ""
	switch keyword {
	case "oneOf":
		leave := v.Leave
		v.Within, v.Leave, nearest = n.within(n.OneOf, value, err)
		v.Leave = cmp.Or(v.Leave, leave)
	case "anyOf":
		v.Within, v.Leave, nearest = n.within(n.AnyOf, value, err)
	}
	if nearest != "" {
		v.Message += "; nearest to " + nearest
	}
}

// maxBranches is how many branches are asked for what a value breaks in them.
const maxBranches = 64

// within returns the clauses that a value which no branch takes breaks in those
// that are nearest to taking it: with the fewest broken. leave says why a
// receiver may take it by one of them all the same, what which the first of them is and
// what it lacks.
func (n *Node) within(branches []*Node, value any, err *jsonschema.ValidationError) (nearest []*Clause, leave, what string) {
	if len(err.Causes) < len(branches) || len(branches) > maxBranches || n.nested() > 3 {
		return nil, "", "" // with fewer causes than branches, it is taken by more than one
	}
	// What is broken in branches of a branch is asked of those alone that count: it takes
	// as long as all the rest together, at each level.
	fewest := -1
	broken := make([][]Violation, len(branches))
	how := checking{depth: len(err.InstanceLocation)}
	best := 0
	decides := n.deciding(value)
	for i, b := range branches {
		if b.Recursive || b.Shared != nil || decides != nil && b != decides {
			continue
		}
		broken[i] = b.brokenBy(err.Causes[i], value, how)
		if len(broken[i]) == 0 {
			return nil, "", "" // it is taken, but for the name that the discriminator has for the branch
		}
		if fewest < 0 || len(broken[i]) < fewest {
			fewest = len(broken[i])
		}
	}
	for i, b := range branches {
		near := len(broken[i]) == fewest
		if len(broken[i]) == 0 || !near && slices.ContainsFunc(broken[i], certain) {
			continue
		}
		all := broken[i]
		if slices.ContainsFunc(all, branching) {
			all = b.brokenBy(err.Causes[i], value, checking{depth: how.depth, within: true})
		}
		if !slices.ContainsFunc(all, func(v Violation) bool { return v.Leave == "" }) {
			leave = cmp.Or(leave, all[0].Leave)
		}
		if likeness := b.likeness(broken[i]); near && (what == "" || likeness > best) {
			best = likeness
			what = b.branchName(i) + ", but " + strings.TrimPrefix(broken[i][0].Message, "the body: ")
		}
		for _, v := range all {
			if near && v.Clause != nil {
				nearest = append(append(nearest, v.Clause), v.Within...)
			}
		}
	}
	return nearest, leave, what
}

// deciding returns the branch of oneOf that the discriminator's value names, where it decides alone: that
// others would take the value is of no account then.
func (n *Node) deciding(value any) *Node {
	members, _ := value.(map[string]any)
	if members == nil || !n.NameDecides() {
		return nil
	}
	name, _ := members[n.Schema.Discriminator.PropertyName].(string)
	return n.Branch(name)
}

// likeness tells which of the values that break as much of a branch is more like one of it: one of
// another type is not, nor is one that has another constant, which often names the branch.
func (n *Node) likeness(broken []Violation) int {
	switch {
	case broken[0].Clause != nil && broken[0].Clause == n.Clause("type"):
		return 0
	case slices.ContainsFunc(broken, func(v Violation) bool {
		return v.Clause != nil && (v.Clause.Keyword == "const" || v.Clause.Keyword == "enum")
	}):
		return 1
	}
	return 2
}

// branchName is what people call a branch: its component, or which one it is.
func (n *Node) branchName(i int) string {
	if name, ok := strings.CutPrefix(n.Pointer, "/components/schemas/"); ok && !strings.Contains(name, "/") {
		return name
	}
	return fmt.Sprintf("schema %d", i+1)
}

// brokenBy returns what a value breaks in a branch for which the validator has found err.
func (n *Node) brokenBy(err *jsonschema.ValidationError, value any, how checking) []Violation {
	if n.Parent.Schema.Discriminator != nil {
		how.depth = 0
		return n.check(value, how) // the validator was given more than the branch
	}
	return n.withHints(n.violations(err, value, how), value, "")
}

// branching reports whether a violation is of branches, which have more to say of it.
func branching(v Violation) bool {
	return v.Clause != nil && (v.Clause.Keyword == "oneOf" || v.Clause.Keyword == "anyOf")
}

// certain reports whether a violation is one that nothing leaves open, whatever its
// branches say.
func certain(v Violation) bool { return v.Leave == "" && !branching(v) }

// nested counts the branches around a node.
func (n *Node) nested() int {
	depth := 0
	for up := n; up.Parent != nil; up = up.Parent {
		if slices.Contains(up.Parent.OneOf, up) || slices.Contains(up.Parent.AnyOf, up) {
			depth++
		}
	}
	return depth
}

// find returns the node of a schema at a place in the value and its clause for
// a keyword; where there is none, the clause of that keyword at that place, or
// what is nearest.
func (n *Node) find(schema *openapi3.Schema, keyword string, path []string) (*Node, *Clause) {
	var of, other *Node
	for _, m := range n.places(path) {
		if m.own(keyword) == nil {
			continue
		}
		if m.Schema == schema {
			of = m
			break
		}
		if other == nil {
			other = m
		}
	}
	switch {
	case of != nil:
		return of, of.own(keyword)
	case other != nil && schema == nil:
		return other, other.own(keyword)
	}
	if name, ok := strings.CutPrefix(keyword, "required/"); ok {
		path = append(slices.Clone(path), name)
	}
	return nil, n.nearest(path)
}

// places returns the nodes that a place in the value may lead to: several where
// schemas are composed.
func (n *Node) places(path []string) Nodes {
	var all Nodes
	if n = n.unrolled(); len(path) == 0 {
		all = Nodes{n}
	} else {
		for _, c := range n.inside(path[0]) {
			all = append(all, c.places(path[1:])...)
		}
	}
	for _, same := range n.InPlace() {
		all = append(all, same.places(path)...)
	}
	if len(path) > 0 { // last: they speak of what no other schema does
		for _, c := range present(n.UnevaluatedProps, n.UnevaluatedItems) {
			all = append(all, c.places(path[1:])...)
		}
	}
	return all
}

// Composite reports whether what stands at a place in the value can but be a list or an object.
func (n *Node) Composite(path []string) bool {
	return !slices.Contains(n.places(path).Shapes(), Scalar)
}

// Speaks reports whether a clause is about what stands at a place in the value, or about something inside it.
func (n *Node) Speaks(c *Clause, path []string) bool {
	found := false
	for _, place := range n.places(path) {
		place.Walk(func(m *Node) {
			found = found || slices.ContainsFunc(m.Clauses, func(own OfKeyword) bool { return own.Clause == c })
		})
	}
	return found
}

// inside returns the nodes by which a schema itself speaks of what stands under a name, or an
// index.
func (n *Node) inside(step string) Nodes {
	all := n.members(step)
	if i, err := strconv.Atoi(step); err == nil && i >= 0 {
		all = slices.Concat(all, Alternative{Nodes: Nodes{n}}.evaluated(i))
	}
	return all
}

// valueAt returns what stands at a place in the value.
func valueAt(v any, path []string) (any, bool) {
	for _, step := range path {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[step]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(in) {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// maxExponent bounds the numbers that are judged: of a greater one the digits
// alone would fill the memory.
const maxExponent = 100_000

// unbounded returns where a number stands that is not judged.
func unbounded(v any) (path []string, found bool) {
	switch v := v.(type) {
	case json.Number:
		if i := strings.IndexAny(string(v), "eE"); i >= 0 {
			exponent, err := strconv.Atoi(string(v[i+1:]))
			return nil, err != nil || exponent > maxExponent || exponent < -maxExponent
		}
	case []any:
		for i, item := range v {
			if path, found := unbounded(item); found {
				return append([]string{strconv.Itoa(i)}, path...), true
			}
		}
	case map[string]any:
		for name, item := range v {
			if below, here := unbounded(item); here && (!found || name < path[0]) {
				path, found = append([]string{name}, below...), true
			}
		}
	}
	return path, found
}

func wanted(c *Clause) string {
	if c == nil {
		return "its schema"
	}
	return c.Text
}

// kind names the JSON type of a value, never the value: it may be a secret.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if v == float64(int64(v)) {
			return "integer"
		}
		return "number"
	default:
		if strings.ContainsAny(fmt.Sprint(v), ".eE") {
			return "number"
		}
		return "integer"
	}
}

func where(subject string, path []string) string {
	if len(path) == 0 {
		if subject == "" {
			return "the body"
		}
		return subject
	}
	escaped := make([]string, len(path))
	for i, p := range path {
		escaped[i] = document.Escape(p)
	}
	if subject == "" {
		return strings.Join(escaped, "/")
	}
	return subject + "/" + strings.Join(escaped, "/")
}

// nearest returns a clause of the node that a value path leads to, or of the
// last one on the way that has any: where a reader looks first.
func (n *Node) nearest(path []string) *Clause {
	if len(path) > 0 {
		for _, next := range n.places(path[:1]) {
			if c := next.nearest(path[1:]); c != nil {
				return c
			}
		}
	}
	for _, keyword := range []string{"type", "oneOf", "anyOf", "not"} {
		if c := n.Clause(keyword); c != nil {
			return c
		}
	}
	var first *Clause
	n.Walk(func(m *Node) {
		for _, keyword := range []string{"type", "enum", "format"} {
			if c := m.Clause(keyword); c != nil && first == nil {
				first = c
			}
		}
	})
	if first == nil {
		for _, c := range n.Clauses {
			if !c.Permits {
				return c.Clause
			}
		}
	}
	return first
}

// aliases are the names that the validator gives to what a clause of another name
// says.
var aliases = map[string]string{
	"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum",
	"minContains": "contains", "boolean": "false",
}

func (n *Node) own(keyword string) *Clause {
	if c := n.Clause(keyword); c != nil {
		return c
	}
	return n.Clause(aliases[keyword])
}
