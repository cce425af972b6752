package amend

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/report"
)

// tree is a document, and the actions that have made of it what it is.
type tree struct {
	top     *yaml.Node
	v31     bool
	actions []report.Amendment
	finding *report.Finding // that is looked at

	made map[string]int           // the action that has changed a place, by its pointer
	used map[side]map[string]bool // components
	own  map[side]map[string]string
}

// side is of messages: what is said of answers is no matter of requests, though a component may
// be about both.
type side int

const (
	requests side = iota
	answers
)

// other is how the side is called whose components are left as they are, and suffix what the
// copies for this one end in.
func (s side) other() (side, string) {
	if s == answers {
		return requests, "requests"
	}
	return answers, "answers"
}

func (s side) suffix() string { return [...]string{"Request", "Answer"}[s] }

// place is a node with the way to it.
type place struct {
	node *yaml.Node
	path []string
}

func (p *place) pointer() string {
	var b strings.Builder
	for _, step := range p.path {
		b.WriteString("/" + document.Escape(step))
	}
	return b.String()
}

func newTree(top *yaml.Node, v31 bool) *tree {
	t := &tree{
		top: top, v31: v31, made: map[string]int{},
		used: map[side]map[string]bool{requests: {}, answers: {}}, own: map[side]map[string]string{requests: {}, answers: {}},
	}
	t.readUses()
	return t
}

func unescape(s string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(s) }

func resolved(n *yaml.Node) *yaml.Node {
	for i := 0; n != nil && n.Kind == yaml.AliasNode && i < 16; i++ {
		n = n.Alias
	}
	return n
}

// member is the value of a member of a mapping; nil where there is none.
func member(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return resolved(n.Content[i+1])
		}
	}
	return nil
}

// value is the text of a member; empty where it has none.
func value(n *yaml.Node, name string) string {
	if v := member(n, name); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

// names reports whether a list has a text.
func names(n *yaml.Node, name string) bool {
	return n != nil && slices.ContainsFunc(n.Content, func(item *yaml.Node) bool { return item.Value == name })
}

func copied(n *yaml.Node) *yaml.Node {
	n = resolved(n)
	out := *n
	out.Content, out.Anchor, out.HeadComment, out.LineComment, out.FootComment = nil, "", "", "", ""
	for _, child := range n.Content {
		out.Content = append(out.Content, copied(child))
	}
	return &out
}

func (t *tree) root() *place { return &place{node: t.top} }

// at finds a place of the document by its pointer; nil where there is none, as in another file.
func (t *tree) at(pointer string) *place {
	if !strings.HasPrefix(pointer, "/") {
		return nil
	}
	var steps []string
	for step := range strings.SplitSeq(pointer[1:], "/") {
		steps = append(steps, unescape(step))
	}
	return t.child(t.root(), steps...)
}

// child is a place inside another; nil where there is none.
func (t *tree) child(p *place, steps ...string) *place {
	if p == nil {
		return nil
	}
	n := resolved(p.node)
	for _, step := range steps {
		switch n.Kind {
		case yaml.MappingNode:
			n = member(n, step)
		case yaml.SequenceNode:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(n.Content) {
				return nil
			}
			n = resolved(n.Content[i])
		default:
			return nil
		}
		if n == nil {
			return nil
		}
	}
	return &place{n, slices.Concat(p.path, steps)}
}

// maxReferences is how many references that lead to each other are followed.
const maxReferences = 16

// follow is where references lead from a place: to itself where it has none, nowhere where they
// leave the document.
func (t *tree) follow(p *place) *place {
	for range maxReferences {
		if p == nil || member(p.node, "$ref") == nil {
			return p
		}
		ref, ok := strings.CutPrefix(value(p.node, "$ref"), "#")
		if !ok {
			return nil
		}
		p = t.at(ref)
	}
	return nil
}

const schemas = "/components/schemas/"

// walk goes from a schema to one inside, by steps, and leaves the last reference to be followed.
func (t *tree) walk(p *place, steps [][]string) *place {
	for _, step := range steps {
		p = t.child(t.follow(p), step...)
	}
	return p
}

// walkOwned is walk on the way to a change: a component that the other side has too is copied.
func (t *tree) walkOwned(p *place, steps [][]string, of side) *place {
	for _, step := range steps {
		p = t.child(t.owned(p, of), step...)
	}
	return p
}

// owned is where the references of a schema lead that may be changed for the sake of one side.
func (t *tree) owned(p *place, of side) *place {
	other, called := of.other()
	for range maxReferences {
		if p == nil || member(p.node, "$ref") == nil {
			return p
		}
		ref := strings.TrimPrefix(value(p.node, "$ref"), "#")
		if escaped, ok := strings.CutPrefix(ref, schemas); ok && t.used[other][unescape(escaped)] && t.at(ref) != nil {
			name := unescape(escaped)
			ref = schemas + document.Escape(t.copyFor(of, name))
			t.set(p, "$ref", text("#"+ref), name+" as "+called+" have it is left as it is")
		}
		p = t.at(ref)
	}
	return nil
}

// copyFor is the name of the copy of a component that only one side has.
func (t *tree) copyFor(of side, name string) string {
	if own, ok := t.own[of][name]; ok {
		return own
	}
	all := t.at("/components/schemas")
	var taken []string
	for i := 0; i+1 < len(all.node.Content); i += 2 {
		taken = append(taken, all.node.Content[i].Value)
	}
	own := free(name+of.suffix(), taken)
	t.own[of][name] = own
	_, called := of.other()
	t.set(all, own, copied(member(all.node, name)), name+" as "+called+" have it is left as it is")
	return own
}

// readUses notes which components each side has.
func (t *tree) readUses() {
	message := func(n *yaml.Node) {
		t.read(member(n, "parameters"), requests, 0)
		t.read(member(n, "requestBody"), requests, 0)
		t.read(member(n, "responses"), answers, 0)
	}
	components := member(t.top, "components")
	message(components)
	t.read(member(components, "requestBodies"), requests, 0)
	t.read(member(components, "headers"), answers, 0)
	if paths := member(t.top, "paths"); paths != nil {
		for _, item := range paths.Content {
			item = resolved(item)
			message(item)
			for _, operation := range item.Content {
				message(resolved(operation))
			}
		}
	}
}

const maxNested = 100

// read notes the components that a part of a message leads to.
func (t *tree) read(n *yaml.Node, of side, depth int) {
	if n = resolved(n); n == nil || depth > maxNested {
		return
	}
	if ref, ok := strings.CutPrefix(value(n, "$ref"), "#"); ok {
		if name, ok := strings.CutPrefix(ref, schemas); ok {
			if name = unescape(name); t.used[of][name] {
				return
			}
			t.used[of][name] = true
		}
		if to := t.at(ref); to != nil {
			t.read(to.node, of, depth+1)
		}
	}
	for _, child := range n.Content {
		t.read(child, of, depth+1)
	}
}

// act adds an action.
func (t *tree) act(at *place, target string, update *yaml.Node, sentence string) {
	t.actions = append(t.actions, report.Amendment{Findings: []string{t.finding.ID}, Text: sentence, Target: target, Update: update, Remove: update == nil})
	t.made[at.pointer()] = len(t.actions) - 1
}

// also says that the last action on a place, or on what it is in, mends the finding as well.
func (t *tree) also(p *place) {
	if p == nil {
		return
	}
	for n := len(p.path); n > 0; n-- {
		if i, ok := t.made[(&place{path: p.path[:n]}).pointer()]; ok {
			if a := &t.actions[i]; !slices.Contains(a.Findings, t.finding.ID) {
				a.Findings = append(a.Findings, t.finding.ID)
			}
			return
		}
	}
}

// set gives a member a value. An object is joined with the one that is there; anything else takes
// its place, which versions of the specification only agree on where the old one was removed.
func (t *tree) set(p *place, name string, v *yaml.Node, sentence string) {
	update := mapping()
	put(update, name, v)
	if old := member(p.node, name); old != nil && (old.Kind != yaml.MappingNode || v.Kind != yaml.MappingNode) {
		if old.Kind != yaml.ScalarNode || v.Kind != yaml.ScalarNode {
			t.unset(p, name, sentence)
		}
	}
	t.act(t.inside(p, name), t.path(p), update, sentence)
	join(p.node, update)
}

func (t *tree) inside(p *place, name string) *place {
	return &place{path: append(slices.Clone(p.path), name)}
}

// join is what a tool does with an update of an object.
func join(n, update *yaml.Node) {
	for i := 0; i+1 < len(update.Content); i += 2 {
		key, v := update.Content[i].Value, update.Content[i+1]
		if old := member(n, key); old != nil && old.Kind == yaml.MappingNode && v.Kind == yaml.MappingNode {
			join(old, v)
		} else {
			put(n, key, copied(v))
		}
	}
}

// unset takes a member away.
func (t *tree) unset(p *place, name, sentence string) {
	if p == nil || member(p.node, name) == nil {
		return
	}
	gone := t.inside(p, name)
	t.act(gone, t.path(gone), nil, sentence)
	for i := 0; i+1 < len(p.node.Content); i += 2 {
		if p.node.Content[i].Value == name {
			p.node.Content = slices.Delete(p.node.Content, i, i+2)
			return
		}
	}
}

// take takes a text out of a list.
func (t *tree) take(p *place, item, sentence string) {
	t.act(t.inside(p, item), t.path(p)+"[?@ == "+quoted(item)+"]", nil, sentence)
	p.node.Content = slices.DeleteFunc(p.node.Content, func(n *yaml.Node) bool { return n.Value == item })
}

// replace puts another object in the place of one.
func (t *tree) replace(p *place, v *yaml.Node, sentence string) {
	if len(p.node.Content) > 0 {
		t.act(p, t.path(p)+".*", nil, sentence)
	}
	t.act(p, t.path(p), v, sentence)
	p.node.Kind, p.node.Tag, p.node.Content = yaml.MappingNode, "!!map", copied(v).Content
}

// path is the JSONPath of a place (RFC 9535).
func (t *tree) path(p *place) string {
	var b strings.Builder
	b.WriteByte('$')
	at := t.root()
	for _, step := range p.path {
		switch {
		case at != nil && at.node.Kind == yaml.SequenceNode:
			b.WriteString("[" + step + "]")
		case isName(step):
			b.WriteString("." + step)
		default:
			b.WriteString("[" + quoted(step) + "]")
		}
		at = t.child(at, step)
	}
	return b.String()
}

// isName reports whether a step needs no quotes.
func isName(s string) bool {
	for i, r := range s {
		if letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'; !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// quoted is a text as JSONPath has it between single quotes (RFC 9535 §2.3.1.1).
func quoted(s string) string {
	text, err := jsontext.AppendQuote(nil, s)
	if err != nil { // it is not UTF-8, and no name in a document
		return "''"
	}
	return "'" + strings.NewReplacer(`\\`, `\\`, `\"`, `"`, `'`, `\'`).Replace(string(text[1:len(text)-1])) + "'"
}
