package contract

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// Names of other packages that are known from here.
type (
	// Node is a schema at one place of a message.
	Node = schema.Node
	// Clause is one assertion of the contract.
	Clause = schema.Clause
	// Violation is one clause that a message breaks.
	Violation = schema.Violation
	// Side tells who keeps or breaks a clause.
	Side = schema.Side

	// Place is where a clause stands in the document.
	Place = document.Place
	// Error says why a document cannot be used.
	Error = document.Error
)

// The sides.
const (
	RequestSide  = schema.RequestSide
	ResponseSide = schema.ResponseSide
)

var (
	at     = document.At
	target = document.Target
	escape = document.Escape

	operationPointer = document.OperationPointer
)

// Load reads a document from a file. A document that cannot be used is an
// *Error.
func Load(file string, opts ...Option) (*Contract, error) {
	c := shaped(opts)
	d, err := document.Load(file, c.reading...)
	if err != nil {
		return nil, err
	}
	return c.take(d)
}

// Parse is Load for a document that is in memory; file is what places call it,
// and what relative references are relative to.
func Parse(file string, data []byte, opts ...Option) (*Contract, error) {
	c := shaped(opts)
	d, err := document.Parse(file, data, c.reading...)
	if err != nil {
		return nil, err
	}
	return c.take(d)
}

// shaped is an empty contract with options.
func shaped(opts []Option) *Contract {
	c := &Contract{max: DefaultMaxClauses, byID: map[string]*Operation{}, types: map[string]*mediatype.Set{}}
	for _, opt := range opts {
		opt(c)
	}
	return c
}

// take takes a document apart.
func (c *Contract) take(d *document.Document) (*Contract, error) {
	c.File, c.Doc, c.Converted, c.document = d.File, d.T, d.Converted(), d
	c.schemas = schema.NewSet(d, c.max, c.formats)
	c.checkExamples()
	c.BasePath = c.basePath(d.T.Servers, "/servers")
	c.build()
	c.bases = c.basePaths()
	c.otherBases = c.otherBasePaths()
	c.webhooks()
	if len(c.Operations)+len(c.Inbound) == 0 {
		return nil, &Error{File: d.File, Reason: "no operations"}
	}
	c.locate()
	return c, nil
}

// locate completes the places of the clauses, and takes from the document what
// depends on them.
func (c *Contract) locate() {
	clauses := slices.Clone(c.Clauses)
	for _, in := range c.Inbound {
		clauses = append(clauses, in.Clauses...)
	}
	unique(clauses)
	places := make([]*Place, len(clauses))
	for i, cl := range clauses {
		places[i] = &cl.Place
	}
	c.document.Locate(places)
	c.Sources = c.document.Text(places)
	if c.schemas.Full() {
		c.Warnings = append(c.Warnings, fmt.Sprintf("%s: the document unrolls to more than %d clauses (--max-clauses): from there on, a schema that was met before is one clause, with one case that keeps it and one that breaks it", c.File, c.max))
	}
	if note := c.document.Fetched(); note != "" {
		c.Warnings = append(c.Warnings, c.File+": "+note)
	}
	c.Warnings = append(c.Warnings, c.document.Warnings()...)
	c.document.Forget()
}

// Tree is the document as it was read, with the changes of its overlays; it is made anew each
// time. Documents that are too large to be shown have none.
func (c *Contract) Tree() (*yaml.Node, error) {
	text, ok := c.Sources[c.File]
	if !ok {
		return nil, errors.New("the document is too large")
	}
	return c.document.Tree(text)
}

// Faults counts what the document is not valid in.
func (c *Contract) Faults() int { return c.document.Faults() }

// Undriven is a part of the document that no request of a run is about.
type Undriven struct{ Name, Reason string }

// undriven lists the links of an operation.
func (c *Contract) undriven(op *Operation) {
	for _, status := range slices.Sorted(maps.Keys(op.Spec.Responses.Map())) {
		ref := op.Spec.Responses.Value(status)
		if ref == nil || ref.Value == nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(ref.Value.Links)) {
			c.Undriven = append(c.Undriven, Undriven{op.ID + "/response/" + escape(status) + "/links/" + escape(name), "links are no requests: those to a GET are followed from what a run makes"})
		}
	}
}

// basePath returns the path of the first server, its variables at their
// defaults, without a slash at its end. A relative URL is relative to the document
// (OpenAPI 3.0.3, Server Object).
func (c *Contract) basePath(servers openapi3.Servers, pointer string) string {
	if len(servers) == 0 || servers[0] == nil {
		return ""
	}
	path, ok := c.pathOf(urls(servers[0])[0])
	if !ok {
		c.document.Warn(Place{Pointer: pointer + "/0"}, "invalid server URL; / is used")
	}
	return path
}

// pathOf returns the path of a server's URL.
func (c *Contract) pathOf(url string) (string, bool) {
	if url == "" { // relative to the document it would be the document itself, which nobody means
		return "", true
	}
	u, err := c.document.Resolve(url)
	if err != nil {
		return "", false
	}
	return strings.TrimRight(u.EscapedPath(), "/"), true
}

// maxURLs bounds the URLs that a server has by the values of its variables.
const maxURLs = 100

// urls lists the URLs of a server: with its variables at their defaults, then at each of their other values.
func urls(server *openapi3.Server) []string {
	all := []string{server.URL}
	for _, name := range slices.Sorted(maps.Keys(server.Variables)) {
		v := server.Variables[name]
		if v == nil {
			continue
		}
		values := append([]string{v.Default}, slices.DeleteFunc(slices.Clone(v.Enum), func(other string) bool { return other == v.Default })...)
		var next []string
		for _, value := range values {
			for _, url := range all {
				next = append(next, strings.ReplaceAll(url, "{"+name+"}", value))
			}
		}
		all = next[:min(len(next), maxURLs)]
	}
	return all
}

// basePathOf returns the base path of an operation: its own servers count for
// more than those of its path, and these for more than the document's (OpenAPI
// 3.0.3, Path Item Object and Operation Object, servers).
func (c *Contract) basePathOf(op *Operation, pointer string) string {
	switch {
	case op.Spec.Servers != nil && len(*op.Spec.Servers) > 0:
		return c.basePath(*op.Spec.Servers, pointer+operationPointer(op.Method)+"/servers")
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
	return longestFirst(all)
}

// otherBasePaths lists those of the servers that no request is sent to, but recorded ones may have been.
func (c *Contract) otherBasePaths() []string {
	servers := slices.Clone(c.Doc.Servers)
	for _, op := range c.Operations {
		servers = append(servers, op.PathItem.Servers...)
		if op.Spec.Servers != nil {
			servers = append(servers, *op.Spec.Servers...)
		}
	}
	all := map[string]bool{}
	for _, server := range servers {
		if server == nil {
			continue
		}
		for _, url := range urls(server) {
			if path, ok := c.pathOf(url); ok && !slices.Contains(c.bases, path) {
				all[path] = true
			}
		}
	}
	return longestFirst(all)
}

func longestFirst(paths map[string]bool) []string {
	delete(paths, "")
	return slices.SortedFunc(maps.Keys(paths), func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
}
