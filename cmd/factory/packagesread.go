package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/server/store"
)

// maxPiece is how many bytes of a file a streamed piece of it may have: a
// token of JSON, or what YAML holds between the names of two lists.
const maxPiece = 1 << 20

// cursor stands at a value of a file that is read piece by piece.
type cursor interface {
	// fields calls read with the name of each field of the value, which is an
	// object or null; read takes the field's value. It returns the line where
	// the value begins.
	fields(read func(name string, line int) error) (line int, err error)
	// items calls read with the cursor at each item of the value, which is a
	// list or null; read takes it.
	items(read func() error) error
	// text returns the value, a scalar, or nil for null.
	text() (*scalar, error)
	// end returns an error if there is something after the value of the whole.
	end() error
	// line is where the cursor stands.
	line() int
}

// packagesSink takes what a packages file names, in its order.
type packagesSink interface {
	workspace(w store.Workspace) error
	pkg(p store.Package) error
}

// streamPackages reads a packages file piece by piece, in memory for the
// longest one and for the names of its projects and workspaces, and hands on
// what it names. What stands before an error has been handed on then.
//
// It reads JSON, where the file begins with {, and the YAML that packages
// export writes, in which the lists stand item by item in lines of their own
// (block style). What is in such an item, or in a field that is no such list,
// is any YAML of up to maxPiece bytes, but for aliases. An id stands before the
// list that it belongs to.
func streamPackages(r io.Reader, sink packagesSink) error {
	in := bufio.NewReader(r)
	blank, begins := 0, true // lines before the text, and whether there is nothing before it
	for {
		b, err := in.ReadByte()
		if errors.Is(err, io.EOF) {
			return errors.New("it is empty, want projects")
		} else if err != nil {
			return err
		}
		if b == '\n' {
			blank++
		}
		if b == '\n' || b == '\r' {
			begins = false
			continue
		}
		if err := in.UnreadByte(); err != nil {
			return err
		}
		var at cursor
		if b == '{' {
			at = newJSONCursor(in, blank)
		} else {
			at = &yamlCursor{in: in, number: blank, parent: -1, begins: begins}
		}
		s := &packagesStream{at: at, sink: sink}
		if err := s.file(); err != nil {
			return err
		}
		return at.end()
	}
}

// packagesStream reads the form of a packages file.
type packagesStream struct {
	at   cursor
	sink packagesSink
}

// object reads an object with these fields, and returns the line where it
// begins. A field is there once at most.
func (s *packagesStream) object(read map[string]func() error) (line int, err error) {
	seen := map[string]bool{}
	return s.at.fields(func(name string, line int) error {
		field := read[name]
		if field == nil {
			return fmt.Errorf("line %d: unknown field %q: want %s", line, name, choice(slices.Sorted(maps.Keys(read))))
		}
		if seen[name] {
			return fmt.Errorf("line %d: field %s is there twice", line, name)
		}
		seen[name] = true
		return field()
	})
}

// textOf reads a text into value.
func (s *packagesStream) textOf(value **scalar) func() error {
	return func() (err error) {
		*value, err = s.at.text()
		return err
	}
}

func (s *packagesStream) file() error {
	projects := map[string]bool{}
	_, err := s.object(map[string]func() error{"projects": func() error {
		return s.at.items(func() error { return s.project(projects) })
	}})
	return err
}

func (s *packagesStream) project(seen map[string]bool) error {
	var id, byDefault *scalar
	workspaces := map[string]bool{}
	line, err := s.object(map[string]func() error{
		"id": func() error {
			if err := s.textOf(&id)(); err != nil || id == nil {
				return err
			}
			return checkID(id, seen, "project", "")
		},
		"default_workspace": func() error {
			if err := s.textOf(&byDefault)(); err != nil || byDefault == nil {
				return err
			}
			return checkID(byDefault, map[string]bool{}, "default workspace", "")
		},
		"workspaces": func() error {
			if id == nil {
				return fmt.Errorf("line %d: a project has no id, or has it after its workspaces", s.at.line())
			}
			return s.at.items(func() error { return s.workspace(id.value, workspaces) })
		},
	})
	switch {
	case err != nil:
		return err
	case id == nil:
		return fmt.Errorf("line %d: a project has no id", line)
	case byDefault == nil:
		return nil
	}
	return s.sink.workspace(store.Workspace{ProjectID: id.value, ID: byDefault.value, Default: true})
}

func (s *packagesStream) workspace(project string, seen map[string]bool) error {
	var id *scalar
	line, err := s.object(map[string]func() error{
		"id": func() error {
			if err := s.textOf(&id)(); err != nil || id == nil {
				return err
			}
			if err := checkID(id, seen, "workspace", ""); err != nil {
				return err
			}
			return s.sink.workspace(store.Workspace{ProjectID: project, ID: id.value})
		},
		"packages": func() error {
			if id == nil {
				return fmt.Errorf("line %d: a workspace has no id, or has it after its packages", s.at.line())
			}
			return s.at.items(func() error { return s.pkg(project, id.value) })
		},
	})
	if err == nil && id == nil {
		err = fmt.Errorf("line %d: a workspace has no id", line)
	}
	return err
}

func (s *packagesStream) pkg(project, workspace string) error {
	var id, state *scalar
	line, err := s.object(map[string]func() error{"id": s.textOf(&id), "state": s.textOf(&state)})
	if err != nil {
		return err
	}
	if id == nil {
		return fmt.Errorf("line %d: a package has no id", line)
	}
	if err := checkID(id, map[string]bool{}, "package", ""); err != nil {
		return err
	}
	p := store.Package{ID: id.value, ProjectID: project, Workspace: workspace}
	if state != nil {
		if p.State = store.State(state.value); !p.State.Valid() {
			return fmt.Errorf("line %d: state %q of package %q: want pending, released or cancelled", state.line, state.value, id.value)
		}
	}
	return s.sink.pkg(p)
}

// yamlCursor reads YAML in block style by its indentation. A value that stands
// in the lines after its name is read line by line; any other is a node, which
// the YAML library has decoded.
type yamlCursor struct {
	in     *bufio.Reader
	number int    // of the last line that was read
	next   string // a line that is not taken yet, with its end; "": none
	begins bool   // nothing was read before: the file may begin with a byte order mark
	begun  bool   // a line of the document was read
	done   bool   // there is no more line

	node   *yaml.Node // the value, or nil: it is in the lines that follow
	offset int        // added to the node's lines
	parent int        // the indentation of what the lines belong to
}

// fieldName is a line that begins with a field's name, and its name and rest.
var fieldName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*):(?: +(.*))?$`)

// syntaxLine is where the library says a fault is.
var syntaxLine = regexp.MustCompile(`^yaml: line ([0-9]+): `)

// read makes next the next line, whatever it holds.
func (y *yamlCursor) read() error {
	if y.next != "" || y.done {
		return nil
	}
	var line []byte
	for {
		part, err := y.in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxPiece {
			return y.tooLong(y.number + 1)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) {
			y.done = true
		} else if err != nil {
			return err
		}
		break
	}
	if len(line) == 0 {
		return nil
	}
	y.number++
	if y.begins {
		line, y.begins = bytes.TrimPrefix(line, []byte("\ufeff")), false
	}
	if len(line) == 0 || line[len(line)-1] != '\n' {
		line = append(line, '\n')
	}
	y.next = string(line)
	if !utf8.Valid(line) || strings.ContainsFunc(y.next, notYAML) {
		return fmt.Errorf("line %d: a character that YAML does not allow, or no UTF-8", y.number)
	}
	// To YAML these end a line, too, so that lines counted otherwise would mean
	// something else.
	if strings.ContainsAny(strings.TrimSuffix(strings.TrimSuffix(y.next, "\n"), "\r"), "\r\u0085\u2028\u2029") {
		return fmt.Errorf("line %d: a line ends otherwise than with LF or CR LF", y.number)
	}
	return nil
}

// notYAML reports whether YAML takes r as an escape only (YAML 1.1, 5.1).
func notYAML(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r == '\u0085':
		return false
	case r < ' ' || r >= 0x7F && r < 0xA0:
		return true
	}
	return r == '\uFEFF' || r == '\uFFFE' || r == '\uFFFF'
}

func (y *yamlCursor) tooLong(line int) error {
	return fmt.Errorf("line %d: more than %d bytes in one piece, want a package in a line of its own", line, maxPiece)
}

// peek returns the indentation and the text of the next line that is neither
// blank nor a comment; indentation -1: the document has none.
func (y *yamlCursor) peek() (indent int, text string, err error) {
	for {
		if err := y.read(); err != nil {
			return 0, "", err
		}
		if y.next == "" {
			return -1, "", nil
		}
		indent, text = split(y.next)
		if !y.begun && indent == 0 && text == "---" {
			y.next, y.begun = "", true
			continue
		}
		if y.begun && indent == 0 && (text == "---" || strings.HasPrefix(text, "--- ")) {
			return -1, text, nil
		}
		if text != "" && text[0] != '#' {
			y.begun = true
			return indent, text, nil
		}
		y.next = ""
	}
}

// split returns the indentation of a line, and its text without its end.
func split(line string) (indent int, text string) {
	line = strings.TrimRight(line, "\r\n ")
	text = strings.TrimLeft(line, " ")
	return len(line) - len(text), text
}

func isItem(text string) bool { return text == "-" || strings.HasPrefix(text, "- ") }

// piece decodes the next line with those below it that are indented by more
// than indent. It is nil where there is nothing.
func (y *yamlCursor) piece(indent int) (*yaml.Node, int, error) {
	if _, _, err := y.peek(); err != nil {
		return nil, 0, err
	}
	first := y.number
	var text strings.Builder
	text.WriteString(y.next)
	for y.next = ""; ; y.next = "" {
		if err := y.read(); err != nil {
			return nil, 0, err
		}
		if in, line := split(y.next); y.next == "" || in <= indent && line != "" && line[0] != '#' {
			break
		}
		text.WriteString(y.next)
		if text.Len() > maxPiece {
			return nil, 0, y.tooLong(first)
		}
	}
	var node yaml.Node
	dec := yaml.NewDecoder(strings.NewReader(text.String()))
	err := dec.Decode(&node)
	if err == nil {
		if more := dec.Decode(new(yaml.Node)); !errors.Is(more, io.EOF) {
			return nil, 0, fmt.Errorf("line %d: it holds a second YAML document", first)
		}
		return node.Content[0], first - 1, nil
	}
	at, why := first, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := syntaxLine.FindStringSubmatch(err.Error()); m != nil {
		n, _ := strconv.Atoi(m[1])
		at, why = first-1+n, strings.TrimPrefix(err.Error(), m[0])
	}
	return nil, 0, fmt.Errorf("line %d: %s", at, why)
}

// resolve makes the value a node where its lines do not begin as wanted does.
// It returns their indentation, or -1 where the value is a node or null.
func (y *yamlCursor) resolve(wanted func(text string) bool) (int, error) {
	if y.node != nil {
		return -1, nil
	}
	indent, text, err := y.peek()
	if err != nil {
		return 0, err
	}
	if indent < y.parent || indent == y.parent && !isItem(text) || indent < 0 {
		y.node = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: y.number}
		y.offset = 0
		return -1, nil
	}
	if wanted(text) {
		return indent, nil
	}
	y.node, y.offset, err = y.piece(y.parent)
	return -1, err
}

func (y *yamlCursor) isNull() bool { return y.node.Kind == yaml.ScalarNode && y.node.Tag == "!!null" }

func (y *yamlCursor) line() int {
	if y.node != nil {
		return y.node.Line + y.offset
	}
	return y.number
}

func (y *yamlCursor) text() (*scalar, error) {
	if _, err := y.resolve(func(string) bool { return false }); err != nil {
		return nil, err
	}
	if y.isNull() {
		return nil, nil
	}
	if y.node.Kind != yaml.ScalarNode {
		return nil, fmt.Errorf("line %d: want a text", y.line())
	}
	return &scalar{value: y.node.Value, line: y.line()}, nil
}

func (y *yamlCursor) fields(read func(name string, line int) error) (line int, err error) {
	indent, err := y.resolve(fieldName.MatchString)
	if err != nil {
		return 0, err
	}
	line = y.line()
	if indent < 0 {
		if y.isNull() {
			return line, nil
		}
		return line, y.nodeFields(y.node, y.offset, read)
	}
	for {
		now, text, err := y.peek()
		if err != nil {
			return 0, err
		}
		if now > indent {
			return 0, fmt.Errorf("line %d: it is indented by more than the lines before", y.number)
		}
		if now < indent {
			return line, nil
		}
		m := fieldName.FindStringSubmatch(text)
		if m != nil && (m[2] == "" || m[2][0] == '#') {
			y.next, y.node, y.parent = "", nil, indent
			if err := read(m[1], y.number); err != nil {
				return 0, err
			}
			continue
		}
		node, offset, err := y.piece(indent)
		if err != nil {
			return 0, err
		}
		if len(node.Content) != 2 || node.Style&yaml.FlowStyle != 0 {
			return 0, fmt.Errorf("line %d: want a field in lines of its own", node.Line+offset)
		}
		if err := y.nodeFields(node, offset, read); err != nil {
			return 0, err
		}
	}
}

func (y *yamlCursor) nodeFields(node *yaml.Node, offset int, read func(name string, line int) error) error {
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: did not expect %s, want fields", node.Line+offset, node.ShortTag())
	}
	for i := 0; i < len(node.Content); i += 2 {
		y.node, y.offset = node.Content[i+1], offset
		if err := read(node.Content[i].Value, node.Content[i].Line+offset); err != nil {
			return err
		}
	}
	return nil
}

func (y *yamlCursor) items(read func() error) error {
	indent, err := y.resolve(isItem)
	if err != nil {
		return err
	}
	if indent < 0 {
		if y.isNull() {
			return nil
		}
		return y.nodeItems(y.node, y.offset, read)
	}
	for {
		now, text, err := y.peek()
		if err != nil {
			return err
		}
		if now > indent {
			return fmt.Errorf("line %d: it is indented by more than the lines before", y.number)
		}
		if now < indent || !isItem(text) {
			return nil
		}
		if fieldName.MatchString(strings.TrimLeft(text[1:], " ")) {
			// The fields of the item are those of a value below the dash.
			y.next = strings.Replace(y.next, "-", " ", 1)
			y.node, y.parent = nil, indent
			if err := read(); err != nil {
				return err
			}
			continue
		}
		if item := plainItem(text); item != nil {
			y.next, y.node, y.offset = "", item, y.number
			if err := read(); err != nil {
				return err
			}
			continue
		}
		node, offset, err := y.piece(indent)
		if err != nil {
			return err
		}
		if node.Kind != yaml.SequenceNode || len(node.Content) != 1 {
			return fmt.Errorf("line %d: want an item in lines of its own", node.Line+offset)
		}
		if err := y.nodeItems(node, offset, read); err != nil {
			return err
		}
	}
}

// plainItem returns the value of an item that is written as packages export writes it,
// with nothing in its id that means something else to YAML, or nil for any other. The
// library takes thirty times as long, which for a million packages is most of the time.
func plainItem(text string) *yaml.Node {
	text, begins := strings.CutPrefix(text, `- {id: "`)
	text, ends := strings.CutSuffix(text, "}")
	id, state, both := strings.Cut(text, `", state: `)
	if !begins || !ends || !both || !store.State(state).Valid() || strings.ContainsAny(id, "\"\\\t") {
		return nil
	}
	nodes := [5]yaml.Node{{Kind: yaml.MappingNode, Tag: "!!map"}}
	for i, value := range []string{"id", id, "state", state} {
		nodes[i+1] = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
		nodes[0].Content = append(nodes[0].Content, &nodes[i+1])
	}
	return &nodes[0]
}

func (y *yamlCursor) nodeItems(node *yaml.Node, offset int, read func() error) error {
	if node.Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: did not expect %s, want a list", node.Line+offset, node.ShortTag())
	}
	for _, item := range node.Content {
		y.node, y.offset = item, offset
		if err := read(); err != nil {
			return err
		}
	}
	return nil
}

func (y *yamlCursor) end() error {
	_, text, err := y.peek()
	switch {
	case err != nil:
		return err
	case !y.begun:
		return errors.New("it is empty, want projects")
	case strings.HasPrefix(text, "---"):
		return fmt.Errorf("line %d: it holds a second YAML document", y.number)
	case text != "":
		return fmt.Errorf("line %d: did not expect more", y.number)
	}
	return nil
}
