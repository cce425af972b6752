package document

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Bounds of what is fetched.
const (
	maxFetched     = 200      // files
	maxFetchedFile = 16 << 20 // bytes of one
	fetchTimeout   = 30 * time.Second
	maxFetchTime   = 2 * time.Minute // for all of them
	maxRedirects   = 5
)

// fetcher gets files that a document refers to by URL, from hosts that were named.
type fetcher struct {
	hosts    []string
	deadline time.Time
	files    map[string]fetched // by URL
	names    []string           // in the order in which they were got
	size     int
}

type fetched struct {
	data []byte
	err  error
}

// hostError is why a file is not fetched: nobody has named its host.
type hostError struct{ host string }

func (e *hostError) Error() string {
	return fmt.Sprintf("remote files are not fetched: --fetch %s allows it", e.host)
}

// get returns a file. Each is fetched once.
func (f *fetcher) get(u *url.URL) ([]byte, error) {
	if err := f.allowed(u); err != nil {
		return nil, err
	}
	name := u.String()
	if got, ok := f.files[name]; ok {
		return got.data, got.err
	}
	if f.files == nil {
		f.files, f.deadline = map[string]fetched{}, time.Now().Add(maxFetchTime)
	}
	if len(f.files) >= maxFetched {
		return nil, fmt.Errorf("the document refers to more than %d remote files", maxFetched)
	}
	data, err := f.fetch(u)
	f.files[name] = fetched{data, err}
	if err == nil {
		f.names = append(f.names, name)
		f.size += len(data)
	}
	return data, err
}

// allowed says why a URL is not fetched.
func (f *fetcher) allowed(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return errors.New("only files and URLs of http and https are followed")
	case u.User != nil:
		return errors.New("a URL with a password is not followed")
	case !slices.Contains(f.hosts, u.Host) && !slices.Contains(f.hosts, u.Hostname()):
		return &hostError{u.Host}
	}
	return nil
}

func (f *fetcher) fetch(u *url.URL) ([]byte, error) {
	ctx, cancel := context.WithDeadline(context.Background(), f.deadline)
	defer cancel()
	ctx, cancel = context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("the URL is none")
	}
	req.Header.Set("Accept", "application/yaml, application/json;q=0.9, */*;q=0.5")
	client := &http.Client{CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errors.New("too many redirects")
		}
		return f.allowed(next.URL)
	}}
	resp, err := client.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return nil, fmt.Errorf("cannot be fetched: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("cannot be fetched: the response is %s", resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxFetchedFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot be fetched: %w", err)
	case len(data) > maxFetchedFile:
		return nil, fmt.Errorf("larger than %d MiB", maxFetchedFile>>20)
	}
	return data, nil
}

// note says what was fetched; it is empty where nothing was.
func (f *fetcher) note() string {
	if len(f.names) == 0 {
		return ""
	}
	const most = 5
	shown := strings.Join(f.names[:min(len(f.names), most)], ", ")
	if more := len(f.names) - most; more > 0 {
		shown += fmt.Sprintf(" and %d more", more)
	}
	files := "1 file"
	if len(f.names) > 1 {
		files = fmt.Sprintf("%d files", len(f.names))
	}
	return fmt.Sprintf("fetched %s that the document refers to, %d KiB: %s", files, (f.size+1023)>>10, shown)
}

// readable returns a file that the document refers to as the loader can read it: without references
// that cannot be followed, and those of a file that was fetched as URLs. One that is relative to it,
// or begins with a slash, would lead to a local file otherwise.
func (s *source) readable(at *url.URL) ([]byte, error) {
	name := pathOf(at)
	if text, ok := s.rewritten[name]; ok {
		return text, nil
	}
	root, err := s.tree(at)
	if err != nil {
		return nil, err
	}
	before := len(s.lost)
	s.mendReferences(root, at, !isSchema(root), map[*yaml.Node]bool{})
	text := s.files[name]
	if at.Host != "" || len(s.lost) > before {
		if text, err = toJSON(root); err != nil {
			return nil, err
		}
	}
	s.rewritten[name] = text
	return text, nil
}

// isSchema reports whether an object is rather a schema than a map of what a file has by names.
func isSchema(n *yaml.Node) bool {
	return slices.ContainsFunc([]string{"type", "properties", "allOf", "oneOf", "anyOf"}, func(keyword string) bool { return member(n, keyword) != nil })
}

// namesParts are the members whose own members are called as the document likes.
var namesParts = []string{
	"properties", "patternProperties", "dependentSchemas", "$defs", "definitions", "schemas", "parameters", "responses", "headers",
	"requestBodies", "pathItems", "links", "callbacks", "mediaTypes", "securitySchemes", "examples", "paths", "encoding", "variables",
}

// mendReferences does so with all references of a file: what is an example or another value has none. named
// is set where the members are called as the document likes.
func (s *source) mendReferences(n *yaml.Node, base *url.URL, named bool, seen map[*yaml.Node]bool) {
	n = resolved(n)
	if seen[n] {
		return
	}
	seen[n] = true
	if n.Kind != yaml.MappingNode {
		for _, item := range n.Content {
			s.mendReferences(item, base, false, seen)
		}
		return
	}
	if ref := member(n, "$ref"); ref != nil && ref.Kind == yaml.ScalarNode && ref.Value != "" {
		s.mendReference(n, ref, base)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, child := n.Content[i].Value, resolved(n.Content[i+1])
		if !named && (slices.Contains([]string{"example", "default", "enum", "const", "value", "dataValue"}, name) || name == "examples" && child.Kind == yaml.SequenceNode) {
			continue
		}
		s.mendReferences(child, base, slices.Contains(namesParts, name), seen)
	}
}

func (s *source) mendReference(n, ref *yaml.Node, base *url.URL) {
	fault := s.unreadable(ref.Value, pathOf(base))
	switch u, err := url.Parse(ref.Value); {
	case fault != "":
		s.lost = append(s.lost, warning{
			Place{File: pathOf(base), Line: ref.Line, Column: ref.Column}, fmt.Sprintf("reference %q ignored: %s", clipped(ref.Value), fault),
		})
		loseReference(n)
	case err == nil && base.Host != "" && !strings.HasPrefix(ref.Value, "#"):
		ref.Value = base.ResolveReference(u).String()
	}
}
