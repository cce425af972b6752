package document

import (
	"bytes"
	"cmp"
	"io"
	"iter"
	"sort"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// spot is where something stands in a file.
type spot struct {
	line, column int
	written      *written // where it stood before the document was converted; nil where it was not
}

// Locate fills in the lines and columns of places, and of the warnings, that the
// loader keeps none for: those of documents written in JSON. A pointer to what is
// not there (a keyword at its default) gets the place of what it would be in.
func (d *Document) Locate(places []*Place) {
	wanted := map[string]map[string]spot{} // by file and pointer
	var missing []*Place
	for p := range d.all(places) {
		file, pointer := d.source.split(p.Pointer)
		d.distrust(p)
		if p.Line > 0 || !strings.HasPrefix(pointer, "/") {
			continue
		}
		missing = append(missing, p)
		if wanted[file] == nil {
			wanted[file] = map[string]spot{}
		}
		for ; pointer != ""; pointer = parent(pointer) {
			wanted[file][pointer] = spot{}
		}
	}
	for file, spots := range wanted {
		if file != "" || d.root == nil {
			find(d.source.text(file), spots)
			continue
		}
		walk(d.root, "", spots, d.from)
	}
	for _, p := range missing {
		file, whole := d.source.split(p.Pointer)
		for pointer := whole; pointer != ""; pointer = parent(pointer) {
			if at := wanted[file][pointer]; at.line > 0 {
				p.File, p.Line, p.Column = cmp.Or(file, d.File), at.line, at.column
				if at.written != nil {
					p.File, p.Pointer = cmp.Or(at.written.file, d.File), at.written.pointer+whole[len(pointer):]
					if at.written.file != "" {
						p.Pointer = at.written.file + "#" + p.Pointer
					}
				}
				break
			}
		}
	}
}

// all goes through places and those of the warnings.
func (d *Document) all(places []*Place) iter.Seq[*Place] {
	return func(yield func(*Place) bool) {
		for _, p := range places {
			if !yield(p) {
				return
			}
		}
		for i := range d.warnings {
			if !yield(&d.warnings[i].place) {
				return
			}
		}
	}
}

// distrust takes the line and column off a place in a document that was mended: the
// loader has read another text than the one that the place is in.
func (d *Document) distrust(p *Place) {
	if d.root != nil && p.File != "" && p.File == d.source.location().Path {
		p.File, p.Line, p.Column = "", 0, 0
	}
}

// parent returns the pointer of what a part is in.
func parent(pointer string) string { return pointer[:strings.LastIndexByte(pointer, '/')] }

// split takes the pointer of a place apart into the file, which is empty for the
// document itself, and the pointer in it. A name in the pointer may have a # too.
func (s *source) split(pointer string) (file, rest string) {
	if file, rest, ok := strings.Cut(pointer, "#"); ok && s.files[file] != nil {
		return file, rest
	}
	return "", pointer
}

// find enters where the wanted pointers of a text are: the name of a member, or the
// start of an item.
func find(data []byte, wanted map[string]spot) {
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) && offsets(data, wanted) == nil {
		return
	}
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) != 1 {
		return
	}
	walk(doc.Content[0], "", wanted, nil)
}

// walk enters the places of a tree of YAML. Only ways that are wanted are gone.
func walk(n *yaml.Node, pointer string, wanted map[string]spot, from map[*yaml.Node]written) {
	n = resolved(n)
	enter := func(pointer string, at, value *yaml.Node) {
		if old, ok := wanted[pointer]; ok && old.line == 0 {
			found := spot{line: at.Line, column: at.Column}
			if before, ok := from[at]; ok {
				found.written = &before
			}
			wanted[pointer] = found
			walk(value, pointer, wanted, from)
		}
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			enter(pointer+"/"+Escape(n.Content[i].Value), n.Content[i], n.Content[i+1])
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			enter(pointer+"/"+strconv.Itoa(i), resolved(item), item)
		}
	}
}

// offsets enters the places of a document of JSON.
func offsets(data []byte, wanted map[string]spot) error {
	lines := []int64{0}
	for i, b := range data {
		if b == '\n' {
			lines = append(lines, int64(i)+1)
		}
	}
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		before := dec.InputOffset()
		_, err := dec.ReadToken()
		if err == io.EOF { //nolint:errorlint // the decoder returns it as it is
			return nil
		}
		if err != nil {
			return err
		}
		pointer := string(dec.StackPointer())
		if at, ok := wanted[pointer]; ok && at.line == 0 {
			for int(before) < len(data) && strings.IndexByte(" \t\r\n,:", data[before]) >= 0 {
				before++
			}
			line := sort.Search(len(lines), func(i int) bool { return lines[i] > before })
			wanted[pointer] = spot{line: line, column: int(before-lines[line-1]) + 1}
		}
	}
}
