package contracttest_test

import (
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

const patchesAndCodings = `
openapi: 3.0.3
info: {title: bodies, version: "1"}
components:
  schemas:
    Thing: {type: object, required: [note, open], properties: {note: {type: string, maxLength: 40}, open: {type: boolean}}}
    Whole: {allOf: [{$ref: '#/components/schemas/Thing'}, {type: object, required: [id], properties: {id: {type: integer, readOnly: true}}}]}
    Patch: {type: array, minItems: 1, items: {type: object, required: [op, path], properties: {op: {type: string, enum: [add, replace, test]}, path: {type: string, pattern: '^/'}, value: {}}}}
paths:
  /things:
    post:
      operationId: create
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses: {"201": {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/Whole'}}}}, "400": {description: bad}, "415": {description: no JSON}}
  /things/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {operationId: read, responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Whole'}}}}, "400": {description: bad}, "404": {description: none}}}
    patch:
      operationId: change
      requestBody: {required: true, content: {application/json-patch+json: {schema: {$ref: '#/components/schemas/Patch'}}, application/merge-patch+json: {schema: {type: object}}}}
      responses: {"204": {description: changed}, "400": {description: bad}, "404": {description: none}, "409": {description: not applicable}, "415": {description: no patch}}
  /uploads:
    post:
      operationId: upload
      parameters: [{name: Content-Encoding, in: header, schema: {type: string, enum: [gzip, deflate]}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses: {"204": {description: taken}, "400": {description: bad}, "415": {description: no JSON or in another coding}}
  /packed:
    post:
      operationId: packed
      parameters: [{name: Content-Encoding, in: header, required: true, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
      responses: {"204": {description: taken}, "400": {description: bad}, "415": {description: no JSON or in another coding}}
`

// patched is a service that takes patches and bodies in content codings.
type patched struct {
	fault string // what it does not do

	mu  sync.Mutex
	all map[string]map[string]any
}

func (s *patched) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, one := strings.CutPrefix(r.URL.Path, "/things/")
	thing := s.all[id]
	methods := map[string]string{"/things": "POST", "/uploads": "POST", "/packed": "POST"}[r.URL.Path]
	if one && thing != nil {
		methods = "GET, HEAD, PATCH"
	}
	switch method := strings.Replace(r.Method, http.MethodHead, http.MethodGet, 1); {
	case methods == "":
		w.WriteHeader(http.StatusNotFound)
	case !strings.Contains(methods, method):
		w.Header().Set("Allow", methods)
		w.WriteHeader(http.StatusMethodNotAllowed)
	case method == http.MethodGet:
		answerJSON(w, http.StatusOK, thing)
	case one:
		w.WriteHeader(s.change(r, thing))
	default:
		sent, status := s.sent(r)
		switch {
		case status != 0:
			w.WriteHeader(status)
		case r.URL.Path != "/things":
			w.WriteHeader(http.StatusNoContent)
		default:
			sent["id"] = 100 + len(s.all)
			s.all[fmt.Sprint(sent["id"])] = sent
			answerJSON(w, http.StatusCreated, sent)
		}
	}
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// oneValue is one value of JSON, written as it should be.
func oneValue(text []byte) (v any, ok bool) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return v, json.Valid(text) && d.Decode(&v) == nil
}

// fits reports whether a member of a thing has a value that it may have.
func fits(name string, v any) bool {
	text, isText := v.(string)
	_, isBool := v.(bool)
	switch name {
	case "note":
		return isText && len([]rune(text)) <= 40
	case "open":
		return isBool
	}
	return true
}

// sent reads a thing.
func (s *patched) sent(r *http.Request) (map[string]any, int) {
	kind, params, err := mime.ParseMediaType(strings.Join(r.Header.Values("Content-Type"), ", "))
	if charset := strings.ToLower(params["charset"]); err != nil || kind != "application/json" || charset != "" && charset != "utf-8" {
		return nil, http.StatusUnsupportedMediaType
	}
	var in io.Reader = r.Body
	codings := r.Header.Values("Content-Encoding")
	coding := strings.Join(codings, ", ")
	switch {
	case coding == "" && r.URL.Path == "/packed", len(codings) > 1:
		return nil, http.StatusBadRequest
	case coding == "", coding == "identity" && r.URL.Path != "/uploads":
	case r.URL.Path == "/things", coding != "gzip" && coding != "deflate" && s.fault != "codings":
		return nil, http.StatusUnsupportedMediaType
	case s.fault == coding:
	case coding == "gzip":
		in, err = gzip.NewReader(r.Body)
	case coding == "deflate":
		in, err = zlib.NewReader(r.Body)
	}
	if err != nil {
		return nil, http.StatusBadRequest
	}
	text, err := io.ReadAll(in)
	v, ok := oneValue(text)
	members, isObject := v.(map[string]any)
	if err != nil || !ok || !isObject || members["note"] == nil || members["open"] == nil || !fits("note", members["note"]) || !fits("open", members["open"]) {
		return nil, http.StatusBadRequest
	}
	return members, 0
}

// change applies a patch, or none of it.
func (s *patched) change(r *http.Request, thing map[string]any) int {
	kind, params, err := mime.ParseMediaType(strings.Join(r.Header.Values("Content-Type"), ", "))
	charset := strings.ToLower(params["charset"])
	if err != nil || kind != "application/json-patch+json" && kind != "application/merge-patch+json" || charset != "" && charset != "utf-8" || r.Header.Get("Content-Encoding") != "" {
		return http.StatusUnsupportedMediaType
	}
	text, err := io.ReadAll(r.Body)
	v, ok := oneValue(text)
	if err != nil || !ok {
		return http.StatusBadRequest
	}
	now := map[string]any{}
	if kind == "application/merge-patch+json" {
		members, isObject := v.(map[string]any)
		if !isObject && s.fault != "merge" {
			return http.StatusBadRequest
		}
		for name, to := range members {
			if !fits(name, to) || name == "id" {
				return http.StatusConflict
			}
			now[name] = to
		}
	}
	operations, isList := v.([]any)
	if kind == "application/json-patch+json" && (!isList && s.fault != "list" || isList && len(operations) == 0 && s.fault != "empty") {
		return http.StatusBadRequest
	}
	for _, o := range operations {
		operation, isObject := o.(map[string]any)
		op, hasOp := operation["op"].(string)
		path, hasPath := operation["path"].(string)
		switch {
		case !isObject && s.fault != "item", isObject && !hasOp && s.fault != "op", isObject && !hasPath && s.fault != "path", hasPath && !strings.HasPrefix(path, "/") && s.fault != "pattern":
			return http.StatusBadRequest
		case op != "add" && op != "replace" && op != "test" && hasOp && s.fault != "enum":
			return http.StatusBadRequest
		}
		name := strings.TrimPrefix(path, "/")
		_, given := operation["value"]
		if isObject && hasOp && hasPath && s.fault == "" && (op == "replace" && thing[name] == nil || name == "id" || !given || !fits(name, operation["value"]) || strings.Contains(name, "/")) {
			return http.StatusConflict
		}
		now[name] = operation["value"]
	}
	if s.fault == "refuses" {
		return http.StatusBadRequest
	}
	for name, v := range now {
		if fits(name, v) && (name == "open" || name == "note") {
			thing[name] = v
		}
	}
	return http.StatusNoContent
}

func runBodies(t *testing.T, fault string, opts ...contracttest.Option) *contracttest.Report {
	t.Helper()
	c, err := contracttest.Parse("bodies.yaml", []byte(patchesAndCodings))
	require.NoError(t, err)
	opts = append([]contracttest.Option{contracttest.Timeout(time.Minute), contracttest.Settle(20 * time.Millisecond)}, opts...)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(&patched{fault: fault, all: map[string]map[string]any{}}), opts...)
	require.NoError(t, err)
	return rep
}

// TestBodiesLawful proves that nothing is found of a service that applies patches where they can be
// applied, and takes the content codings that it documents.
func TestBodiesLawful(t *testing.T) {
	t.Parallel()
	for seed := range 20 {
		if !racing.Take(seed, 5) {
			continue
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			only := []string{"change", "upload/header/**", "packed/header/**", "upload/header/**"}[seed%4] // all of them take long
			rep := runBodies(t, "", contracttest.Seed(int64(seed)), contracttest.Cases(5), contracttest.Only(only), contracttest.Skip("*/body/syntax", "*/body/media-type"))
			assert.Zero(t, rep.Errors(), "%s", describe(rep))
			assert.Empty(t, rep.Unproven, "a patch is made that can be applied")
			assert.Empty(t, rep.Inconclusive)
		})
	}
}

// TestBodiesDefects proves that each clause of such bodies is judged.
func TestBodiesDefects(t *testing.T) {
	t.Parallel()
	const accepted, refused = "invalid-request-accepted", "valid-request-refused"
	for i, tt := range []struct{ fault, op, check, clause string }{
		{"gzip", "upload", refused, "header/Content-Encoding/enum"},
		{"codings", "upload", accepted, "header/Content-Encoding/enum"},
		{"refuses", "change", refused, "path"}, {"list", "change", accepted, "body/type"}, {"empty", "change", accepted, "body/minItems"}, {"item", "change", accepted, "body/items/type"},
		{"op", "change", accepted, "body/items/op/required"}, {"path", "change", accepted, "body/items/path/required"}, {"pattern", "change", accepted, "body/items/path/pattern"},
		{"enum", "change", accepted, "body/items/op/enum"}, {"merge", "change", accepted, "body:application~1merge-patch+json/type"},
	} {
		if !racing.Take(i, 5) {
			continue
		}
		t.Run(tt.op+" "+tt.fault, func(t *testing.T) {
			t.Parallel()
			only := tt.op
			if tt.check == accepted {
				only += "/" + tt.clause
			}
			rep := runBodies(t, tt.fault, contracttest.Cases(0), contracttest.Only(only), contracttest.Skip("*/body/syntax", "*/body/media-type"))
			assert.Contains(t, describe(rep), "error "+tt.check+" "+tt.op+"/"+tt.clause+":", "%s", describe(rep))
		})
	}
}
