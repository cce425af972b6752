package document

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/speakeasy-api/jsonpath/pkg/jsonpath"
	"go.yaml.in/yaml/v3"
	jsonpathyaml "gopkg.in/yaml.v3" // the nodes of the library that reads JSONPath
)

// Overlay is a list of changes of a document, which is read with them: an OpenAPI Overlay of
// version 1.0 or 1.1. A list that is changed by a list is continued by it, what is no object and
// no list is replaced.
type Overlay struct {
	file    string
	actions []action
}

// action is one of an overlay.
type action struct {
	Target string            `yaml:"target"`
	Update jsonpathyaml.Node `yaml:"update"`
	Copy   string            `yaml:"copy"` // of version 1.1
	Remove bool              `yaml:"remove"`

	line       int
	path, from *jsonpath.JSONPath
}

// maxActions bounds the actions of an overlay.
const maxActions = 20_000

// ReadOverlay reads an overlay from a file. The error is an *Error.
func ReadOverlay(file string) (*Overlay, error) {
	data, err := readFile(file)
	if err != nil {
		return nil, &Error{File: file, Reason: "overlay cannot be read", Err: err}
	}
	var read struct {
		Version string              `yaml:"overlay"`
		Actions []jsonpathyaml.Node `yaml:"actions"`
	}
	wrong := func(line int, format string, args ...any) error {
		return &Error{File: file, Line: line, Column: min(line, 1), Reason: fmt.Sprintf(format, args...)}
	}
	switch err := jsonpathyaml.Unmarshal(data, &read); {
	case err != nil:
		return nil, &Error{File: file, Reason: "not an OpenAPI Overlay", Err: err}
	case !strings.HasPrefix(read.Version, "1."):
		return nil, wrong(0, "not an OpenAPI Overlay: want overlay: 1.0.0 or 1.1.0, got %q", clipped(read.Version))
	case len(read.Actions) > maxActions:
		return nil, wrong(0, "an overlay of more than %d actions", maxActions)
	}
	o := &Overlay{file: file}
	for _, n := range read.Actions {
		a := action{line: n.Line}
		if err := n.Decode(&a); err != nil {
			return nil, &Error{File: file, Line: n.Line, Column: 1, Reason: "not an action of an overlay", Err: err}
		}
		if a.Target == "" {
			return nil, wrong(n.Line, "the action has no target")
		}
		if a.path, err = selector(a.Target); err != nil {
			return nil, wrong(n.Line, "target is not a JSONPath (RFC 9535): %s", clipped(a.Target))
		}
		if a.from, err = selector(a.Copy); err != nil {
			return nil, wrong(n.Line, "copy is not a JSONPath (RFC 9535): %s", clipped(a.Copy))
		}
		o.actions = append(o.actions, a)
	}
	return o, nil
}

// selector reads a JSONPath; nil where there is none. A panic of the library is an error like
// any other.
func selector(text string) (path *jsonpath.JSONPath, err error) {
	if text == "" {
		return nil, nil //nolint:nilnil // none is none
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the library failed: %v", v)
		}
	}()
	return jsonpath.NewPath(text)
}

// apply changes a document, and says which actions change nothing.
func (o *Overlay) apply(doc *jsonpathyaml.Node) (idle []warning, err error) {
	c := &changer{left: maxYAML}
	for _, a := range o.actions {
		targets, err := query(a.path, doc)
		if err != nil {
			return nil, o.failed(a, err)
		}
		if len(targets) == 0 {
			idle = append(idle, warning{Place{File: o.file, Line: a.line, Column: 1}, "the target " + clipped(a.Target) + " is not in the document; nothing is changed"})
			continue
		}
		update := &a.Update
		if a.from != nil {
			sources, err := query(a.from, doc)
			if err != nil {
				return nil, o.failed(a, err)
			}
			if len(sources) != 1 {
				return nil, o.failed(a, fmt.Errorf("copy selects %d places of the document, want one", len(sources)))
			}
			update = sources[0]
		}
		if a.Remove {
			gone := map[*jsonpathyaml.Node]bool{}
			for _, target := range targets {
				gone[target] = true
			}
			drop(doc, gone)
			continue
		}
		if update.Kind == 0 {
			return nil, o.failed(a, errors.New("neither update, remove nor copy is given"))
		}
		for _, target := range targets {
			c.change(target, update)
		}
		if c.left < 0 {
			return nil, o.failed(a, errAliases)
		}
	}
	return idle, nil
}

func (o *Overlay) failed(a action, err error) error {
	return &Error{File: o.file, Line: a.line, Column: 1, Reason: "cannot be applied", Err: err}
}

func query(path *jsonpath.JSONPath, doc *jsonpathyaml.Node) (found []*jsonpathyaml.Node, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the library that reads JSONPath failed: %v", v)
		}
	}()
	return path.Query(doc), nil
}

// drop takes nodes out of what they are in.
func drop(n *jsonpathyaml.Node, gone map[*jsonpathyaml.Node]bool) {
	step := 1
	if n.Kind == jsonpathyaml.MappingNode {
		step = 2
	}
	for i := len(n.Content) - step; i >= 0; i -= step {
		if value := n.Content[i+step-1]; gone[value] {
			n.Content = slices.Delete(n.Content, i, i+step)
		} else {
			drop(value, gone)
		}
	}
}

// changer puts updates into a document.
type changer struct{ left int } // nodes that may still be added

// change puts an update into its target.
func (c *changer) change(target, update *jsonpathyaml.Node) {
	switch {
	case target.Kind == jsonpathyaml.MappingNode && update.Kind == jsonpathyaml.MappingNode:
		if len(target.Content) == 0 {
			target.Style = update.Style
		}
		for i := 0; i+1 < len(update.Content); i += 2 {
			key, value := update.Content[i], update.Content[i+1]
			if old := valueOf(target, key.Value); old != nil {
				c.change(old, value)
			} else {
				target.Content = append(target.Content, c.fresh(key, 0), c.fresh(value, 0))
			}
		}
	case target.Kind == jsonpathyaml.SequenceNode && update.Kind == jsonpathyaml.SequenceNode:
		target.Content = append(target.Content, c.fresh(update, 0).Content...)
	case target.Kind == jsonpathyaml.SequenceNode:
		target.Content = append(target.Content, c.fresh(update, 0))
	default:
		line, column := target.Line, target.Column
		*target = *c.fresh(update, 0)
		target.Line, target.Column = line, column
	}
}

// valueOf is the value of a member of a mapping; nil where it has none of the name.
func valueOf(n *jsonpathyaml.Node, name string) *jsonpathyaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// fresh is a copy of a node that stands nowhere in the document, without aliases.
func (c *changer) fresh(n *jsonpathyaml.Node, depth int) *jsonpathyaml.Node {
	if c.left--; c.left < 0 || depth > maxDepth {
		c.left = -1
		return &jsonpathyaml.Node{Kind: jsonpathyaml.ScalarNode, Tag: "!!null", Value: "null"}
	}
	if n.Kind == jsonpathyaml.AliasNode {
		return c.fresh(n.Alias, depth+1)
	}
	out := *n
	out.Line, out.Column, out.Anchor, out.Content = 0, 0, "", nil
	for _, child := range n.Content {
		out.Content = append(out.Content, c.fresh(child, depth+1))
	}
	return &out
}

// parse reads a document with the changes of its overlays, and says which of these change nothing.
func parse(data []byte, overlays []*Overlay) (root *yaml.Node, idle []warning, err error) {
	if len(overlays) == 0 {
		root, err = parseTree(data)
		return root, nil, err
	}
	doc, idle, err := overlaid(data, overlays)
	if err != nil {
		return nil, nil, err
	}
	if len(doc.Content) != 1 {
		return nil, nil, errNoMapping
	}
	if root = resolved((&converter{done: map[*jsonpathyaml.Node]*yaml.Node{}}).node(doc.Content[0])); root.Kind != yaml.MappingNode {
		return nil, nil, errNoMapping
	}
	return root, idle, nil
}

func overlaid(data []byte, overlays []*Overlay) (*jsonpathyaml.Node, []warning, error) {
	var doc jsonpathyaml.Node
	if root := parseJSON(data); root != nil {
		doc = jsonpathyaml.Node{Kind: jsonpathyaml.DocumentNode, Content: []*jsonpathyaml.Node{ofJSON(root)}}
	} else if err := jsonpathyaml.Unmarshal(data, &doc); err != nil {
		return nil, nil, err
	}
	var idle []warning
	for _, o := range overlays {
		more, err := o.apply(&doc)
		if err != nil {
			return nil, nil, err
		}
		idle = append(idle, more...)
	}
	return &doc, idle, nil
}

// ofJSON makes the nodes of the library of those that parseJSON makes, which have no aliases.
func ofJSON(n *yaml.Node) *jsonpathyaml.Node {
	out := &jsonpathyaml.Node{Kind: jsonpathyaml.Kind(n.Kind), Style: jsonpathyaml.Style(n.Style), Tag: n.Tag, Value: n.Value, Line: n.Line, Column: n.Column}
	for _, child := range n.Content {
		out.Content = append(out.Content, ofJSON(child))
	}
	return out
}

// converter makes nodes of one library those of the other, which are the same but for the name.
type converter struct {
	done map[*jsonpathyaml.Node]*yaml.Node
}

func (c *converter) node(n *jsonpathyaml.Node) *yaml.Node {
	if n == nil {
		return nil
	}
	if out := c.done[n]; out != nil {
		return out
	}
	out := &yaml.Node{Kind: yaml.Kind(n.Kind), Style: yaml.Style(n.Style), Tag: n.Tag, Value: n.Value, Anchor: n.Anchor, Line: n.Line, Column: n.Column}
	c.done[n] = out
	out.Alias = c.node(n.Alias)
	for _, child := range n.Content {
		out.Content = append(out.Content, c.node(child))
	}
	return out
}

// Apply writes a document with the changes of overlays: YAML with its comments, JSON with as much
// space as it has, both in their order. It says which of the actions change nothing.
func Apply(file string, data []byte, overlays ...*Overlay) (text []byte, idle []string, err error) {
	doc, none, err := overlaid(data, overlays)
	for _, w := range none {
		idle = append(idle, w.place.String()+": "+w.text)
	}
	if err != nil {
		if _, ok := errors.AsType[*Error](err); !ok {
			err = (&source{file: file}).refused(err)
		}
		return nil, nil, err
	}
	var b bytes.Buffer
	if parseJSON(data) != nil {
		err = writeLike(&b, data, (&converter{done: map[*jsonpathyaml.Node]*yaml.Node{}}).node(doc).Content[0])
	} else {
		enc := jsonpathyaml.NewEncoder(&b)
		enc.SetIndent(indentOf(data))
		err = cmp.Or(enc.Encode(doc), enc.Close())
	}
	if err != nil {
		return nil, nil, &Error{File: file, Reason: "cannot be written", Err: err}
	}
	return b.Bytes(), idle, nil
}

// Tree is the text of the document with the changes of its overlays.
func (d *Document) Tree(text string) (*yaml.Node, error) {
	root, _, err := parse([]byte(text), d.overlays)
	return root, err
}

// indentOf is by how many spaces the first line is indented that is.
func indentOf(data []byte) int {
	for line := range bytes.Lines(data) {
		if n := len(line) - len(bytes.TrimLeft(line, " ")); n > 0 && n < len(line)-1 {
			return min(max(n, 2), 8)
		}
	}
	return 2
}

// writeLike writes a tree as JSON, with lines and an indentation like those of another text.
func writeLike(b *bytes.Buffer, data []byte, root *yaml.Node) error {
	text, err := toJSON(root)
	if err != nil {
		return err
	}
	if !bytes.Contains(bytes.TrimSpace(data), []byte("\n")) {
		b.Write(text)
		return nil
	}
	indent := strings.Repeat(" ", indentOf(data))
	if bytes.Contains(data, []byte("\n\t")) {
		indent = "\t"
	}
	if err := json.Indent(b, text, "", indent); err != nil {
		return err
	}
	b.WriteByte('\n')
	return nil
}
