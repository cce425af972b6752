package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"
)

// Bounds of what is read.
const (
	maxDocument = 128 << 20 // bytes of a file
	maxFiles    = 2000      // that a document refers to
)

// Error says why a document cannot be used.
type Error struct {
	File         string
	Line, Column int // 0 where the file as a whole is meant
	Reason       string
	Err          error // may be nil
}

// noSuchFile is the reason where the document itself is missing.
const noSuchFile = "no such file"

func (e *Error) Error() string {
	text := e.File + ": " + e.Reason
	if e.Line > 0 {
		text = fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Reason)
	}
	if e.Err != nil && e.Reason != noSuchFile { // the error of the system says the same once more
		text += ": " + OneLine(e.Err.Error())
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

var errTooLarge = fmt.Errorf("larger than %d MiB", maxDocument>>20)

func readFile(file string) ([]byte, error) {
	f, err := os.Open(file) //nolint:gosec // a document names the files that it is made of
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err == nil && len(data) > maxDocument {
		err = errTooLarge
	}
	return data, err
}

// What YAML 1.2 allows, but the parser does not: a directive that names another version than 1.1 (§6.8.1), and
// tabs in lines that hold nothing else, or a comment after them (§6.6).
var (
	directive = regexp.MustCompile(`\A((?:\x{feff})?(?:#.*\r?\n)*)%(YAML )`)
	blankLine = regexp.MustCompile(`(?m)^(?: *\t[ \t]*|\t[ \t]*#.*)\r?$`)
)

// legible is the text of a file as the parser reads it, every character where it was.
func legible(data []byte) []byte {
	data = directive.ReplaceAll(data, []byte("$1#$2"))
	if bytes.IndexByte(data, '\t') < 0 {
		return data
	}
	return blankLine.ReplaceAllFunc(data, func(line []byte) []byte { return bytes.ReplaceAll(line, []byte("\t"), []byte(" ")) })
}

// source is a document with the files that it refers to.
type source struct {
	file  string
	data  []byte
	files map[string][]byte // by the path that they were read from
	// overlays are what is changed in data, one after the other.
	overlays  []*Overlay
	fetcher   fetcher
	mending   bool              // the loader has not read the files as they are
	trees     map[string]parsed // files that the document refers to, by the path that they were read from
	rewritten map[string][]byte // those that were fetched or have a fault, as the loader is to read them
	lost      []warning         // of references in them
	// loaded is what the loader has read in place of data: without the faults.
	loaded []byte
}

// parsed is a file as a tree, or why it is none.
type parsed struct {
	root *yaml.Node
	err  error
}

// load reads the document, without the parts that are at fault where it has
// such; the mender is nil otherwise.
func (s *source) load() (*openapi3.T, *mender, error) {
	var doc *openapi3.T
	var err error
	s.mending = true
	if len(s.overlays) == 0 && !s.isSwagger() {
		doc, err = s.read(s.data)
		s.mending = err != nil || refersForWhole(doc)
		if !s.mending && !doc.IsOpenAPI32OrLater() && !(hasNames.Match(s.data) && doc.IsOpenAPI31OrLater()) {
			return doc, nil, s.isOpenAPI(doc)
		}
	}
	const most = 100 // references that are left out one by one
	bad := map[string]string{}
	for range most {
		m, merr := s.mend(bad)
		if merr != nil {
			return nil, nil, s.refused(merr)
		}
		if v := member(m.root, "swagger"); v != nil {
			return nil, nil, s.swagger(v.Value)
		}
		text, merr := toJSON(m.root)
		if merr != nil {
			return nil, nil, s.refused(merr)
		}
		if doc, err = s.read(text); err == nil {
			return doc, m, s.isOpenAPI(doc)
		}
		ref := m.worst(err)
		if ref == "" {
			break
		}
		bad[ref] = "cannot be resolved"
	}
	return nil, nil, s.refused(err)
}

// refersForWhole reports whether a reference stands in the place of an object that the loader follows none for, and reads as an
// unknown field: all components, an operation, a media type.
func refersForWhole(doc *openapi3.T) bool {
	const field = "$ref"
	refers := func(extensions map[string]any) bool { return extensions[field] != nil }
	inContent := func(content openapi3.Content) bool {
		for _, m := range content {
			if m != nil && refers(m.Extensions) {
				return true
			}
		}
		return false
	}
	if c := doc.Components; c != nil && refers(c.Extensions) {
		return true
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if refers(op.Extensions) || op.RequestBody != nil && op.RequestBody.Value != nil && inContent(op.RequestBody.Value.Content) {
				return true
			}
			for _, r := range op.Responses.Map() {
				if r.Value != nil && inContent(r.Value.Content) {
					return true
				}
			}
		}
	}
	return false
}

// Patterns for whole documents begin with a fixed text, which is what makes them fast.
var mayBeSwagger = regexp.MustCompile(`swagger["']?\s*:`)

// isSwagger reports whether the document is one of Swagger 2.0.
func (s *source) isSwagger() bool {
	if !mayBeSwagger.Match(s.data) {
		return false
	}
	root, err := parseTree(s.data)
	return err == nil && isSwagger(root)
}

var atLine = regexp.MustCompile(`\bline (\d+)`)

func (s *source) refused(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok { // of an overlay
		return e
	}
	e := &Error{File: s.file, Reason: "cannot be loaded", Err: err}
	if m := atLine.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Column = 1
	}
	if looksLikeHTML(s.data) {
		return &Error{File: s.file, Reason: "not an OpenAPI document, but an HTML page: name the document itself, as in https://HOST/openapi.json"}
	}
	if errors.Is(err, errNoMapping) {
		e.Reason, e.Err = err.Error(), nil
	}
	return e
}

func (s *source) swagger(version string) *Error {
	return &Error{File: s.file, Reason: fmt.Sprintf("Swagger %s document: only 2.0 is read of Swagger", clipped(version))}
}

func (s *source) isOpenAPI(doc *openapi3.T) error {
	if version, ok := doc.Extensions["swagger"]; ok {
		return s.swagger(fmt.Sprint(version))
	}
	if doc.OpenAPI == "" {
		return &Error{File: s.file, Reason: "not an OpenAPI document: " + s.lacks(doc)}
	}
	return nil
}

// lacks says what a document without a version is.
func (s *source) lacks(doc *openapi3.T) string {
	if len(bytes.TrimSpace(s.data)) == 0 {
		return "it is empty"
	}
	if _, ok := doc.Extensions["$schema"]; ok {
		return "it is a JSON Schema; the field openapi is missing"
	}
	return "the field openapi is missing"
}

// looksLikeHTML reports whether data is a page, as that which shows a document to people.
func looksLikeHTML(data []byte) bool {
	start := bytes.ToLower(bytes.TrimSpace(data[:min(len(data), 512)]))
	return bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// read loads bytes in place of the document. A panic of the loader is an error
// like any other.
func (s *source) read(data []byte) (doc *openapi3.T, err error) {
	defer func() {
		if v := recover(); v != nil {
			doc, err = nil, fmt.Errorf("the loader failed: %v", v)
		}
	}()
	s.loaded = data
	load := func(data []byte) (*openapi3.T, error) { return s.loader().LoadFromDataWithPath(data, s.location()) }
	if len(data) <= maxReread && json.Valid(data) && (nullConst.Match(data) || hasInexact(data)) {
		// The loader keeps the places of what it reads as YAML alone.
		if doc, err := load(append(data[:len(data):len(data)], "\n# YAML\n"...)); err == nil {
			return doc, nil
		}
	}
	return load(data)
}

// loader returns one that reads nothing but files.
func (s *source) loader() *openapi3.Loader {
	loader := openapi3.NewLoader()
	loader.IncludeOrigin = true
	loader.IsExternalRefsAllowed = true
	loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) { return s.other(location) }
	return loader
}

// resolve follows one reference of the document, if it leads anywhere.
func (s *source) resolve(doc *openapi3.T, ref *openapi3.SchemaRef) {
	part := &openapi3.T{OpenAPI: doc.OpenAPI, Components: &openapi3.Components{Schemas: openapi3.Schemas{}}}
	if doc.Components != nil {
		maps.Copy(part.Components.Schemas, doc.Components.Schemas)
	}
	part.Components.Schemas["the reference"] = ref
	defer func() { _ = recover() }() // as elsewhere a panic of the loader means that it finds nothing
	_ = s.loader().ResolveRefsIn(part, s.location())
}

// location is the document's as a URL: most are files, but one may have been
// fetched.
func (s *source) location() *url.URL { return toURL(s.file) }

// Resolve returns an absolute path or URL for one that is relative to the document
// (RFC 3986 §5.2). Where a file will be served nobody knows: it is taken to be at
// the root of its server.
func (d *Document) Resolve(ref string) (*url.URL, error) {
	u, err := url.Parse(ref)
	if err != nil {
		return nil, err
	}
	return d.base.ResolveReference(u), nil
}

// other reads a file that the document refers to, as the loader is to read it.
func (s *source) other(location *url.URL) ([]byte, error) {
	location = s.whole(location)
	if s.name(pathOf(location)) != "" && (location.Host != "" || s.mending) {
		return s.readable(location)
	}
	return s.raw(location)
}

// whole returns the location of a file that the loader names: a document that was fetched has
// no local files.
func (s *source) whole(location *url.URL) *url.URL {
	if at := s.location(); at.Host != "" && location.Host == "" && location.Scheme == "" {
		return at.ResolveReference(location)
	}
	return location
}

// pathOf returns the name of a file by its location: its path, or its URL.
func pathOf(location *url.URL) string {
	if location.Scheme == "" && location.Host == "" {
		return location.Path
	}
	u := *location
	u.Fragment, u.RawFragment = "", ""
	return u.String()
}

// raw returns the text of a file. Over a network those are got alone whose host was named: who
// names a document does not name what it refers to.
func (s *source) raw(location *url.URL) ([]byte, error) {
	name := pathOf(location)
	if s.name(name) == "" {
		return s.data, nil
	}
	if data, ok := s.files[name]; ok {
		return data, nil
	}
	if len(s.files) >= maxFiles {
		return nil, fmt.Errorf("the document refers to more than %d files", maxFiles)
	}
	var data []byte
	var err error
	if location.Scheme != "" || location.Host != "" {
		data, err = s.fetcher.get(location)
	} else {
		data, err = readFile(filepath.FromSlash(name))
	}
	if err != nil {
		return nil, err
	}
	s.files[name] = legible(data)
	return s.files[name], nil
}

// unreadable says why a reference of a file leads nowhere; empty where it leads somewhere, or into
// the document itself. from is the file, empty for the document.
func (s *source) unreadable(ref, from string) string {
	u, err := url.Parse(ref)
	if err != nil {
		return "not a URI"
	}
	file := from
	if u.Scheme != "" || u.Host != "" || u.Path != "" {
		file = s.fileOf(u, from)
	}
	if file == "" {
		return ""
	}
	at := toURL(file)
	root, err := s.tree(at)
	switch {
	case err != nil && at.Host == "":
		return "file cannot be read"
	case err != nil:
		return OneLine(err.Error())
	case strings.HasPrefix(u.Fragment, "/") && nodeAt(root, u.Fragment) == nil:
		return notFound
	}
	return ""
}

// target returns what a reference of the document to another file leads to; nil where it leads nowhere.
func (s *source) target(ref string) *yaml.Node {
	u, err := url.Parse(ref)
	if err != nil || s.unreadable(ref, "") != "" {
		return nil
	}
	file := s.fileOf(u, "")
	if file == "" {
		return nil
	}
	root, err := s.tree(toURL(file))
	if err != nil || u.Fragment == "" {
		return root
	}
	return nodeAt(root, u.Fragment)
}

// tree returns a file that the document refers to as a tree.
func (s *source) tree(at *url.URL) (*yaml.Node, error) {
	name := pathOf(at)
	got, ok := s.trees[name]
	if !ok {
		got.root, got.err = s.parse(at)
		s.trees[name] = got
	}
	return got.root, got.err
}

func (s *source) parse(at *url.URL) (*yaml.Node, error) {
	data, err := s.raw(at)
	if err != nil {
		return nil, err
	}
	root, err := parseTree(data)
	if err != nil {
		return nil, err
	}
	return root, expandMergeKeys(root)
}

// fileOf returns the name of the file that a reference in another one leads to.
func (s *source) fileOf(ref *url.URL, from string) string {
	u := *ref
	base := s.location()
	if from != "" {
		base = toURL(from)
	}
	switch {
	case u.Scheme == "" && u.Host == "" && base.Host == "" && path.IsAbs(u.Path):
		return s.name(u.Path)
	case u.Scheme == "" && u.Host == "" && base.Host == "":
		return s.name(path.Join(path.Dir(base.Path), u.Path))
	}
	return s.name(pathOf(base.ResolveReference(&u)))
}

// toURL returns the URL of a document or file that is named by a path or a URL.
func toURL(file string) *url.URL {
	if u, err := url.Parse(file); err == nil && u.Scheme != "" && u.Host != "" {
		return u
	}
	return &url.URL{Path: filepath.ToSlash(file)}
}

// name returns what places and references call a file: nothing where it is the
// document itself.
func (s *source) name(file string) string {
	if at := s.location(); file == at.Path && at.Host == "" || at.Host != "" && file == at.String() {
		return ""
	}
	return file
}

// complete writes a reference of a file as one that tells where it leads from
// anywhere: "#/a" within the document, "parts/b.yaml#/c" into another file, whose
// name then is the path that it was read from. from is the file, empty for the
// document itself.
func (s *source) complete(ref, from string) string {
	u, err := url.Parse(ref)
	if err != nil {
		return ref
	}
	_, fragment, _ := strings.Cut(ref, "#")
	file := from
	if u.Scheme != "" || u.Host != "" || u.Path != "" {
		file = s.fileOf(u, from)
	}
	return file + "#" + fragment
}

// text returns the text of a file by the name that places have for it.
func (s *source) text(name string) []byte {
	if name == "" || name == s.file {
		return s.data
	}
	return s.files[name]
}
