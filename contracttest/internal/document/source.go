package document

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
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
		text += ": " + OneLine(e.Err.Error())
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

var errTooLarge = fmt.Errorf("is larger than %d MiB", maxDocument>>20)

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
