package document

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"
	"go.yaml.in/yaml/v3"
)

// Document is an OpenAPI document with the files that it refers to.
type Document struct {
	File string // as it was named; places name it too
	T    *openapi3.T
	// OneSided is set where some schema is readOnly or writeOnly.
	OneSided bool

	base     *url.URL // that relative URLs of the document are relative to
	warnings []warning
	warned   map[string]bool // by pointer and text
	overlays []*Overlay
	source   *source
	parts    *inventory
	root     *yaml.Node             // of the document as it was mended; nil where nothing was
	from     map[*yaml.Node]written // where its nodes stood in Swagger 2.0
	exact    map[position]any       // numbers that a double does not hold, and values with such
	ignored  map[*openapi3.SchemaRef]Ignored
	acyclic  map[*openapi3.Schema]bool // schemas that were looked at by cut
}

// Option shapes how a document is read.
type Option func(*source)

// Overlaid changes the document by overlays, one after the other.
func Overlaid(overlays ...*Overlay) Option {
	return func(s *source) { s.overlays = append(s.overlays, overlays...) }
}

// Fetch allows references to lead to files on the hosts.
func Fetch(hosts ...string) Option {
	return func(s *source) { s.fetcher.hosts = append(s.fetcher.hosts, hosts...) }
}

// Load reads a document from a file. The error is an *Error.
func Load(file string, opts ...Option) (*Document, error) {
	data, err := readFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{File: file, Reason: noSuchFile, Err: err}
	case err != nil:
		return nil, &Error{File: file, Reason: "cannot be read", Err: err}
	}
	return Parse(file, data, opts...)
}

// Parse reads a document from memory, as Load does. Places call it file, and relative
// references are relative to that. The error is an *Error.
func Parse(file string, data []byte, opts ...Option) (*Document, error) {
	if len(data) > maxDocument {
		return nil, &Error{File: file, Reason: errTooLarge.Error()}
	}
	src := &source{file: file, data: legible(data), files: map[string][]byte{}, trees: map[string]parsed{}, rewritten: map[string][]byte{}}
	for _, opt := range opts {
		opt(src)
	}
	doc, mended, err := src.load()
	if err != nil {
		return nil, err
	}
	d := &Document{File: file, T: doc, source: src, overlays: src.overlays, base: &url.URL{Path: "/"}, acyclic: map[*openapi3.Schema]bool{}}
	if src.location().Host != "" {
		d.base = src.location()
	}
	if mended != nil {
		d.root, d.from, d.warnings = mended.root, mended.from, mended.warnings
	}
	d.warnings = append(d.warnings, src.lost...)
	d.readExact(pathOf(src.location()), src.loaded)
	for name, text := range src.files {
		d.readExact(name, text)
	}
	d.checkRoot()
	d.normalize()
	d.check()
	return d, nil
}

// Converted reports whether T is not the document as it was written, but Swagger 2.0 as OpenAPI 3.0.
// What is written otherwise in OpenAPI 3.2 stands where it stood.
func (d *Document) Converted() bool { return d.from != nil && !d.Version32() }

// checkRoot warns of what concerns the document as a whole.
func (d *Document) checkRoot() {
	if version := d.T.OpenAPI; !strings.HasPrefix(version, "3.0.") && !strings.HasPrefix(version, "3.1.") && !d.Version32() {
		as := "3.0"
		if d.Version31() {
			as = "3.1"
		}
		d.Warn(Place{Pointer: "/openapi"}, "OpenAPI %s is not supported; read as OpenAPI %s", clipped(version), as)
	}
	if pointer := duplicateKey(d.source.data); pointer != "" {
		d.Warn(Place{Pointer: pointer}, "duplicate key; only one value is used (RFC 8259 §4)")
	}
}

// Version31 reports whether schemas are JSON Schema 2020-12, as in OpenAPI 3.1
// and later.
func (d *Document) Version31() bool { return d.T.IsOpenAPI31OrLater() }

// Version32 reports whether the document is one of OpenAPI 3.2 or later.
func (d *Document) Version32() bool { return d.T.IsOpenAPI32OrLater() }

// warning is a fault of the document that does not keep it from being used.
type warning struct {
	place Place
	text  string
}

// Warn adds a warning, unless its place has the same one.
func (d *Document) Warn(place Place, format string, args ...any) {
	w := warning{place, fmt.Sprintf(format, args...)}
	key := w.place.Pointer + "\n" + w.text
	if d.warned[key] {
		return
	}
	if d.warned == nil {
		d.warned = map[string]bool{}
	}
	d.warned[key] = true
	d.warnings = append(d.warnings, w)
}

// Fetched says what was got over a network; it is empty where nothing was.
func (d *Document) Fetched() string { return d.source.fetcher.note() }

// Faults counts the warnings.
func (d *Document) Faults() int { return len(d.warnings) }

// maxWarnings is how many warnings are written out.
const maxWarnings = 20

// Warnings returns the warnings as texts that begin with their places, in the
// order of these, once Locate has been called. Of many, the last text counts the
// rest.
func (d *Document) Warnings() []string {
	var all []string
	for i, w := range slices.SortedStableFunc(slices.Values(d.warnings), d.inOrder) {
		if i == maxWarnings && len(d.warnings) > maxWarnings+1 {
			return append(all, fmt.Sprintf("%s: %d more warnings", d.File, len(d.warnings)-i))
		}
		where := cmp.Or(w.place.File, d.File)
		if p := w.place; p.Line > 0 {
			where = fmt.Sprintf("%s:%d:%d", where, p.Line, p.Column)
		}
		all = append(all, where+": "+w.text)
	}
	return all
}

// inOrder compares warnings by place, those of the document before those of other
// files.
func (d *Document) inOrder(a, b warning) int {
	file := func(w warning) string {
		if w.place.File == d.File {
			return ""
		}
		return w.place.File
	}
	return cmp.Or(cmp.Compare(file(a), file(b)), cmp.Compare(a.place.Line, b.place.Line), cmp.Compare(a.place.Column, b.place.Column))
}

// maxText bounds the bytes that Text returns.
const maxText = 8 << 20

// Text returns the text of the document and of those files that the places are
// in, by the names that places have for them.
func (d *Document) Text(places []*Place) map[string]string {
	texts := map[string]string{}
	size := 0
	keep := func(name string, text []byte) {
		if _, has := texts[name]; has || size+len(text) > maxText {
			return
		}
		size += len(text)
		texts[name] = string(text)
	}
	keep(d.File, d.source.data)
	for _, p := range places {
		if p.File != "" && p.File != d.File {
			keep(p.File, d.source.text(p.File))
		}
	}
	return texts
}

// Forget lets go of what Locate, Text and Examples read.
func (d *Document) Forget() { d.source, d.root, d.from, d.parts, d.warned = nil, nil, nil, nil, nil }

// duplicateKey returns the pointer of the first key that an object of a JSON
// document has twice; it is empty for YAML, which forbids that.
func duplicateKey(data []byte) string {
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return ""
	}
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowInvalidUTF8(true))
	for {
		if err := dec.SkipValue(); err != nil {
			if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(err, jsontext.ErrDuplicateName) {
				return string(syntactic.JSONPointer)
			}
			return ""
		}
	}
}

// OneLine folds white space and bounds the length of an error's text.
func OneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 600 {
		s = string(r[:600]) + "…"
	}
	return s
}
