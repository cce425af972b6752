package contract

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"
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

func (e *Error) Error() string {
	text := e.File + " " + e.Reason
	if e.Line > 0 {
		text = fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Reason)
	}
	if e.Err != nil {
		text += ": " + oneLine(e.Err.Error())
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

var errTooLarge = fmt.Errorf("is larger than %d MiB", maxDocument>>20)

// Load reads a document from a file. A document that cannot be used is an
// *Error.
func Load(file string, opts ...Option) (*Contract, error) {
	data, err := readFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{File: file, Reason: "no such file", Err: err}
	case err != nil:
		return nil, &Error{File: file, Reason: "cannot be read", Err: err}
	}
	return Parse(file, data, opts...)
}

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

// Parse takes a document's bytes; file is what places call it, and what
// relative references are relative to.
func Parse(file string, data []byte, opts ...Option) (*Contract, error) {
	c := &Contract{File: file, max: DefaultMaxClauses, unrolled: map[unrolledKey]*Node{}, straight: map[*openapi3.Schema]bool{}}
	for _, opt := range opts {
		opt(c)
	}
	if len(data) > maxDocument {
		return nil, &Error{File: file, Reason: errTooLarge.Error()}
	}
	src := &source{file: file, data: data, files: map[string][]byte{}}
	doc, mended, err := src.load()
	if err != nil {
		return nil, err
	}
	c.Doc = doc
	c.readExact(src.location().Path, src.loaded)
	for name, text := range src.files {
		c.readExact(name, text)
	}
	var root *yaml.Node
	if mended != nil {
		root, c.faults = mended.root, mended.warnings
	}
	if version := doc.OpenAPI; !strings.HasPrefix(version, "3.0.") && !strings.HasPrefix(version, "3.1.") {
		c.warn(Place{Pointer: "/openapi"}, "OpenAPI %s is read as 3.0 or 3.1: what else it has is not known", clipped(version))
	}
	if pointer := givenTwice(data); pointer != "" {
		c.warn(Place{Pointer: pointer}, "the name is given twice, and but one of the two is read (RFC 8259 §4)")
	}
	if doc.Components != nil {
		for _, name := range slices.Sorted(maps.Keys(doc.Components.Schemas)) {
			if ref := doc.Components.Schemas[name]; ref != nil && ref.Value != nil {
				lift(ref)
				c.cut(ref.Value, nil)
			}
		}
	}
	c.inspect()
	c.BasePath = c.basePath(doc.Servers, "/servers")
	c.build()
	c.bases = c.basePaths()
	if len(c.Operations) == 0 {
		reason := "documents no operation"
		if n := len(doc.Webhooks); n > 0 {
			reason = fmt.Sprintf("documents no operation but %s, which are requests to others", count(uint64(n), "webhook"))
		}
		return nil, &Error{File: file, Reason: reason}
	}
	for _, name := range slices.Sorted(maps.Keys(doc.Webhooks)) {
		c.Undriven = append(c.Undriven, Undriven{Name: "webhooks/" + escape(name), Reason: "a webhook is a request to others: it is not driven"})
	}
	c.locate(data, root, src.relative)
	c.keepSources(data, src.relative)
	c.tell()
	return c, nil
}

// givenTwice returns where a document of JSON has a name that its object had
// before; nothing for one of YAML, of which that is a fault.
func givenTwice(data []byte) string {
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

// maxSources is how many bytes of the document's text are kept.
const maxSources = 8 << 20

// keepSources keeps the text of the files that clauses stand in, by the names of
// their places.
func (c *Contract) keepSources(data []byte, relative func(string) []byte) {
	c.Sources = map[string]string{}
	size := 0
	keep := func(name string, text []byte) {
		if _, has := c.Sources[name]; has || size+len(text) > maxSources {
			return
		}
		size += len(text)
		c.Sources[name] = string(text)
	}
	keep(c.File, data)
	for _, cl := range c.Clauses {
		if cl.Place.File != "" && cl.Place.File != c.File {
			keep(cl.Place.File, relative(cl.Place.File))
		}
	}
}

// Undriven is a part of the document that no request of a run is about.
type Undriven struct{ Name, Reason string }

// undriven lists the callbacks and links of an operation.
func (c *Contract) undriven(op *Operation, _ string) {
	for _, name := range slices.Sorted(maps.Keys(op.Spec.Callbacks)) {
		c.Undriven = append(c.Undriven, Undriven{op.ID + "/callbacks/" + escape(name), "a callback is a request to others: it is not driven"})
	}
	for _, status := range slices.Sorted(maps.Keys(op.Spec.Responses.Map())) {
		ref := op.Spec.Responses.Value(status)
		if ref == nil || ref.Value == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(ref.Value.Links)) {
			c.Undriven = append(c.Undriven, Undriven{op.ID + "/response/" + escape(status) + "/links/" + escape(name), "links are not followed"})
		}
	}
}

// source is a document with the files that it refers to.
type source struct {
	file  string
	data  []byte
	files map[string][]byte // by the path that they were read from
	// loaded is what the loader has read in place of data: without what is at fault.
	loaded []byte
}

// load reads the document, without the parts that are at fault where it has
// such; mended is nil otherwise.
func (s *source) load() (*openapi3.T, *mended, error) {
	doc, err := s.read(s.data)
	if err == nil && !(hasNames.Match(s.data) && doc.IsOpenAPI31OrLater()) {
		return doc, nil, s.isContract(doc)
	}
	const most = 100 // references that are left out one by one
	bad := map[string]string{}
	for range most {
		m, merr := mend(s.data, bad, s.unreadable)
		if merr != nil {
			return nil, nil, s.refused(merr)
		}
		if v := member(m.root, "swagger"); v != nil {
			return nil, nil, s.swagger(v.Value)
		}
		var text []byte
		if text, merr = m.JSON(); merr != nil {
			return nil, nil, s.refused(merr)
		}
		if doc, err = s.read(text); err == nil {
			return doc, m, s.isContract(doc)
		}
		// What else the loader does not take, it names.
		found := ""
		for _, ref := range m.refs {
			if bad[ref] == "" && len(ref) > len(found) && strings.Contains(err.Error(), strconv.Quote(ref)) {
				found = ref
			}
		}
		if found == "" {
			break
		}
		bad[found] = "cannot be followed"
	}
	return nil, nil, s.refused(err)
}

var atLine = regexp.MustCompile(`\bline (\d+)`)

func (s *source) refused(err error) *Error {
	e := &Error{File: s.file, Reason: "cannot be loaded", Err: err}
	if m := atLine.FindStringSubmatch(err.Error()); m != nil {
		e.Line, _ = strconv.Atoi(m[1])
		e.Column = 1
	}
	if errors.Is(err, errNoMapping) {
		e.Reason, e.Err = err.Error(), nil
	}
	return e
}

func (s *source) swagger(version string) *Error {
	return &Error{File: s.file, Reason: fmt.Sprintf("is a Swagger %s document: convert it to OpenAPI 3 first", clipped(version))}
}

func (s *source) isContract(doc *openapi3.T) error {
	if version, ok := doc.Extensions["swagger"]; ok {
		return s.swagger(fmt.Sprint(version))
	}
	if doc.OpenAPI == "" {
		return &Error{File: s.file, Reason: "is no OpenAPI document: it has no field openapi"}
	}
	return nil
}

// read loads bytes in place of the document. What the loader cannot cope with at
// all is an error like any other.
func (s *source) read(data []byte) (doc *openapi3.T, err error) {
	defer func() {
		if v := recover(); v != nil {
			doc, err = nil, fmt.Errorf("the loader cannot cope with it: %v", v)
		}
	}()
	s.loaded = data
	load := func(data []byte) (*openapi3.T, error) {
		loader := openapi3.NewLoader()
		loader.IncludeOrigin = true
		loader.IsExternalRefsAllowed = true
		loader.ReadFromURIFunc = func(_ *openapi3.Loader, location *url.URL) ([]byte, error) { return s.other(location) }
		return loader.LoadFromDataWithPath(data, s.location())
	}
	if len(data) <= maxReread && json.Valid(data) && (nullConst.Match(data) || hasInexact(data)) {
		// The loader keeps the places of what it reads as YAML alone.
		if doc, err := load(append(data[:len(data):len(data)], "\n# YAML\n"...)); err == nil {
			return doc, nil
		}
	}
	return load(data)
}

// location is the document's as a URL: most are files, but one may have been
// fetched.
func (s *source) location() *url.URL {
	if u, err := url.Parse(s.file); err == nil && u.Scheme != "" && u.Host != "" {
		return u
	}
	return &url.URL{Path: filepath.ToSlash(s.file)}
}

// other reads a file that the document refers to. Nothing is fetched over a
// network: who names a document does not name what it refers to. A document
// that was fetched is one file.
func (s *source) other(location *url.URL) ([]byte, error) {
	if location.Host != "" && location.String() == s.location().String() {
		return s.data, nil
	}
	if location.Scheme != "" || location.Host != "" {
		return nil, fmt.Errorf("%s: only files are read, nothing is fetched", location.Redacted())
	}
	name := location.Path
	if name == filepath.ToSlash(s.file) {
		return s.data, nil
	}
	if data, ok := s.files[name]; ok {
		return data, nil
	}
	if len(s.files) >= maxFiles {
		return nil, fmt.Errorf("the document refers to more than %d files", maxFiles)
	}
	data, err := readFile(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	s.files[name] = data
	return data, nil
}

// unreadable says why a reference to another file leads nowhere.
func (s *source) unreadable(ref string) string {
	u, err := url.Parse(ref)
	if err != nil {
		return "is none"
	}
	u.Fragment = ""
	if s.location().Host != "" {
		u = s.location().ResolveReference(u)
	}
	if u.Scheme == "" && u.Host == "" && !path.IsAbs(u.Path) {
		u.Path = path.Join(path.Dir(filepath.ToSlash(s.file)), u.Path)
	}
	if _, err := s.other(u); err != nil {
		if u.Scheme != "" || u.Host != "" {
			return "is not followed: nothing is fetched"
		}
		return "leads to a file that cannot be read"
	}
	return ""
}

// relative returns a file by its name as the document writes it.
func (s *source) relative(file string) []byte {
	return s.files[path.Join(path.Dir(filepath.ToSlash(s.file)), file)]
}

// maxFaults is how many faults of a document are told one by one.
const maxFaults = 20

func parts(err error) []error {
	if multi, ok := err.(openapi3.MultiError); ok { //nolint:errorlint // one layer at a time
		var all []error
		for _, e := range multi {
			all = append(all, parts(e)...)
		}
		return all
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// sections are the fields of the components, by what the loader calls what is in
// them.
var sections = map[string]string{
	"schema": "schemas", "parameter": "parameters", "request body": "requestBodies", "response": "responses", "header": "headers",
	"security scheme": "securitySchemes", "example": "examples", "link": "links", "callback": "callbacks",
}

// scope returns the pointer of the part of the document that a fault is in.
func scope(err error) string {
	pointer := ""
	if e, ok := errors.AsType[*openapi3.PathValidationError](err); ok {
		pointer = "/paths/" + escape(e.Path)
		if o, ok := errors.AsType[*openapi3.OperationValidationError](err); ok {
			pointer += "/" + strings.ToLower(o.Method)
		}
	} else if e, ok := errors.AsType[*openapi3.ComponentValidationError](err); ok {
		pointer = "/components/" + sections[e.Section] + "/" + escape(e.Name)
	}
	return pointer
}

// Faults counts what the document is not valid in.
func (c *Contract) Faults() int { return len(c.faults) }

// tell writes the warnings down, those of one place once.
func (c *Contract) tell() {
	if c.many() {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s: the document unrolls to more than %d clauses (--max-clauses): from there on, a schema that was met before is one clause, with one case that keeps it and one that breaks it", c.File, c.max))
	}
	for i, w := range c.faults {
		if i == maxFaults && len(c.faults) > maxFaults+1 {
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: %d more faults of the document", c.File, len(c.faults)-i))
			break
		}
		place := w.place
		place.File = cmp.Or(place.File, c.File)
		switch {
		case place.Line > 0:
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: %s", place, w.text))
		default:
			c.Warnings = append(c.Warnings, fmt.Sprintf("%s: %s", place.File, w.text))
		}
	}
}

// oneLine folds white space and bounds the length of an error's text.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 600 {
		s = string(r[:600]) + "…"
	}
	return s
}

// basePath returns the path of the first server, its variables at their
// defaults, without a slash at its end.
func (c *Contract) basePath(servers openapi3.Servers, pointer string) string {
	if len(servers) == 0 || servers[0] == nil {
		return ""
	}
	server := servers[0]
	raw := server.URL
	for name, v := range server.Variables {
		if v != nil {
			raw = strings.ReplaceAll(raw, "{"+name+"}", v.Default)
		}
	}
	u, err := url.Parse(raw)
	if err != nil {
		c.warn(Place{Pointer: pointer + "/0"}, "the URL of the server cannot be read: its path is taken for /")
		return ""
	}
	base := strings.TrimRight(u.EscapedPath(), "/")
	if base != "" && !strings.HasPrefix(base, "/") {
		base = "/" + base
	}
	return base
}

// basePathOf returns the base path of an operation: its own servers count for
// more than those of its path, and these for more than the document's (OpenAPI
// 3.0.3, Path Item Object and Operation Object, servers).
func (c *Contract) basePathOf(op *Operation, pointer string) string {
	switch {
	case op.Spec.Servers != nil && len(*op.Spec.Servers) > 0:
		return c.basePath(*op.Spec.Servers, pointer+"/"+strings.ToLower(op.Method)+"/servers")
	case len(op.PathItem.Servers) > 0:
		return c.basePath(op.PathItem.Servers, pointer+"/servers")
	}
	return c.BasePath
}

// basePaths lists what the paths of the document are under, the longest first.
func (c *Contract) basePaths() []string {
	all := map[string]bool{c.BasePath: true}
	for _, op := range c.Operations {
		all[op.BasePath] = true
	}
	delete(all, "")
	return slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
}
