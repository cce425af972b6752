package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"text/template"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/gen"
	api "github.com/dataarts-go/factory/gen/server"
)

// request is what each server is sent: the documented example, with the
// parameters that a caller usually has.
type request struct {
	method, path string
	pattern      string // the path as Echo writes it
	project      string
	workspace    string
	ids          []string
	header       map[string]string
	body         string
}

// newRequest reads the request out of the embedded document.
func newRequest() (request, error) {
	doc, err := api.GetSpec()
	if err != nil {
		return request{}, fmt.Errorf("load the embedded document: %w", err)
	}
	for template, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			return requestOf(template, method, op)
		}
	}
	return request{}, errors.New("the document has no operation")
}

func requestOf(template, method string, op *openapi3.Operation) (request, error) {
	r := request{
		method:    method,
		workspace: "0fbd7a8cbd0d4d2c9c9f2d1b6a4c3e5f",
		header:    map[string]string{},
	}
	r.path, r.pattern = template, template
	for _, p := range op.Parameters {
		switch p.Value.In {
		case openapi3.ParameterInPath:
			r.project = fmt.Sprint(p.Value.Example)
			r.path = strings.ReplaceAll(r.path, "{"+p.Value.Name+"}", r.project)
			r.pattern = strings.ReplaceAll(r.pattern, "{"+p.Value.Name+"}", ":"+p.Value.Name)
		case openapi3.ParameterInHeader:
			r.header[p.Value.Name] = strings.Repeat("MIIEvgYJKoZIhvcN", 16) // a token, and what else there may be
		}
	}
	r.header["workspace"] = r.workspace
	for mediaType, content := range op.RequestBody.Value.Content {
		r.header["Content-Type"] = mediaType
		if example := content.Examples["documented"]; example != nil {
			data, err := json.Marshal(example.Value.Value)
			if err != nil {
				return request{}, fmt.Errorf("the document's example: %w", err)
			}
			r.body = string(data)
		}
	}
	var body gen.CancelFactoryPackagesRequest
	if err := json.Unmarshal([]byte(r.body), &body); err != nil {
		return request{}, fmt.Errorf("the document's example: %w", err)
	}
	if body.PackageIds == nil {
		return request{}, errors.New("the document's example names no packages")
	}
	r.ids = *body.PackageIds
	return r, nil
}

// http returns the request for the server at address.
func (r request) http(address string) (*http.Request, error) {
	req, err := http.NewRequest(r.method, "http://"+address+r.path, strings.NewReader(r.body)) //nolint:noctx // the caller's client has a timeout
	if err != nil {
		return nil, err
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	return req, nil
}

// script returns what wrk is to send, in Lua. With fresh each request has as
// many IDs as the example, and the first has that of the package first.
// Without it, the script has no function for each request, and wrk sends the
// same bytes over and over.
func (r request) script(fresh bool, first int) (string, error) {
	var b bytes.Buffer
	err := script.Execute(&b, map[string]any{
		"Method": r.method, "Header": r.header, "Body": r.body,
		"Fresh": fresh, "First": firstFresh + first, "IDs": len(r.ids),
	})
	return b.String(), err
}

// Strings are quoted as in Go: they are ASCII, of which Lua reads the same.
var script = template.Must(template.New("").Parse(`wrk.method = {{printf "%q" .Method}}
wrk.body = {{printf "%q" .Body}}
{{range $name, $value := .Header}}wrk.headers[{{printf "%q" $name}}] = {{printf "%q" $value}}
{{end}}{{if .Fresh}}local n = {{.First}}
function request()
  local ids = {}
  for i = 1, {{.IDs}} do ids[i] = string.format('"%d"', n + i - 1) end
  n = n + {{.IDs}}
  return wrk.format(nil, nil, nil, '{"package_ids":[' .. table.concat(ids, ",") .. ']}')
end
{{end}}function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("result: %d %d %d %d %d\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status + e.connect + e.read + e.write + e.timeout))
end
`))
