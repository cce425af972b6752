package spectest

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	genserver "github.com/dataarts-go/factory/gen/server"
	"github.com/dataarts-go/factory/internal/racing"
)

const (
	documentFile = "../../openapi.yaml"
	factsFile    = "testdata/documented-facts.yaml"
)

func TestDocumentStatesWhatIsDocumented(t *testing.T) {
	for _, d := range compare(load(t, factsFile, parseFacts), load(t, documentFile, parseDocument)) {
		t.Errorf("%s", d)
	}
}

func TestDocumentIsValid(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile(documentFile)
	require.NoError(t, err)
	require.NoError(t, doc.Validate(t.Context(), openapi3.EnableExamplesValidation()))
}

func TestEmbeddedDocumentIsThisOne(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile(documentFile)
	require.NoError(t, err)
	want, err := json.Marshal(doc)
	require.NoError(t, err)

	embedded, err := genserver.GetSpec()
	require.NoError(t, err)
	got, err := json.Marshal(embedded)
	require.NoError(t, err)

	assert.JSONEq(t, string(want), string(got), "run: go generate ./...")
}

// The comparison must be able to fail: each of these edits of openapi.yaml is
// one that it has to report.
func TestComparisonReportsAnEditedDocument(t *testing.T) {
	const (
		path        = "/v2/{project_id}/factory/release-packages/unpack"
		status400   = "        \"400\":\n          description: The packages are not cancelled.\n"
		packageIDs  = "          description: IDs of release packages.\n"
		errorMsg    = "        error_msg:\n          type: string\n          minLength"
		requestType = "    CancelFactoryPackagesRequest:\n      type: object\n"
	)
	edits := []struct {
		name, old, new string
		want           string // part of one disagreement
	}{
		{"path changed", path, path + "s", "operation: uri"},
		{"method changed", "    post:", "    put:", "operation: method"},
		{"operation added", "components:\n", "    get: {responses: {\"200\": {description: A list.}}}\ncomponents:\n", `operation: method "GET"`},
		{"operationId changed", "operationId: Cancel", "operationId: Unpack", "operation: operationId"},
		{"operation deprecated", "      tags:\n", "      deprecated: true\n      tags:\n", "operation: deprecated true"},
		{"sentence changed", "no identity policy-based permission\n", "an identity policy-based permission\n", "operation: says: documented as"},
		{"sentence added", "        workspace is available. If you", "        workspace is available. There always is. If you", "header workspace: says \"There always is.\""},
		{"undocumented rule changed", "or none of them.", "or some of them.", "operation: says"},
		{"callback added", "      tags:\n", "      callbacks: {}\n      tags:\n", "operation: callbacks"},
		{"webhooks added", "components:\n", "webhooks: {}\ncomponents:\n", "document: webhooks"},

		{"server changed", "https://dayu.", "https://dayu-dlf.", "server: url"},
		{"server added", "servers:\n", "servers:\n  - url: https://example.com\n", `server: url "https://example.com"`},
		{"region changed", "default: cn-north-4", "default: cn-north-1", "server variable region: default"},
		{"region enumerated", "default: cn-north-4", "default: cn-north-4\n        enum: [cn-north-4]", "server variable region: enum"},

		{"parameter dropped", "        - $ref: \"#/components/parameters/Workspace\"\n", "", "header workspace: required false: documented"},
		{"dropped parameter's component", "        - $ref: \"#/components/parameters/Workspace\"\n", "", "component parameters/Workspace: used false"},
		{"query parameter added", "      parameters:\n", "      parameters:\n        - {name: dry_run, in: query, schema: {}}\n", "query dry_run: required false"},
		{"path item's parameter added", "    post:\n", "    parameters: [{name: X-A, in: header, schema: {}}]\n    post:\n", "header X-A: required false"},
		{"parameter made mandatory", "in: header\n      required: false\n      description: IAM", "in: header\n      required: true\n      description: IAM", "header X-Auth-Token: required: documented as false"},
		{"parameter moved", "      in: header\n      required: false\n      description: IAM", "      in: cookie\n      required: false\n      description: IAM", "cookie X-Auth-Token"},
		{"parameter of another type", "IAM token.\n      schema:\n        type: string", "IAM token.\n      schema:\n        type: integer", "header X-Auth-Token: type"},
		{"least length dropped", "        minLength: 0\n", "", "header X-Auth-Token: minLength 0: documented"},
		{"greatest length changed", "maxLength: 4096", "maxLength: 4095", "header X-Auth-Token: maxLength: documented as 4096"},
		{"pattern added", "        maxLength: 64\n", "        maxLength: 64\n        pattern: ^[a-z0-9]+$\n", "path project_id: pattern"},
		{"parameter's example changed", "example: b384", "example: c384", "path project_id: example"},
		{"parameter's example added", "        minLength: 0\n", "        minLength: 0\n        example: abc\n", "header X-Auth-Token: example"},
		{"serialization added", "      name: workspace\n", "      name: workspace\n      style: simple\n", "header workspace: style"},

		{"body made mandatory", "required: false\n        content:", "required: true\n        content:", "header Content-Type: required"},
		{"media type changed", "application/json;charset=UTF-8:", "application/json:", "header Content-Type: example"},
		{"media type added", "          application/json;charset=UTF-8:", "          text/plain: {}\n          application/json;charset=UTF-8:", `header Content-Type: example "text/plain"`},
		{"request's example changed", `["12", "13"]`, `["12"]`, "request body: example: documented"},
		{"example's own keyword", "            examples:\n              documented:\n", "            examples:\n              documented:\n                externalValue: a.json\n", "request body: externalValue"},
		{"property added", "      properties:\n        package_ids:", "      properties:\n        reason: {}\n        package_ids:", "request body reason: required false"},
		{"property made mandatory", requestType, requestType + "      required: [package_ids]\n", "request body package_ids: required: documented as false"},
		{"unknown property made mandatory", requestType, requestType + "      required: [reason]\n", `request body: required "reason"`},
		{"extra properties forbidden", requestType, requestType + "      additionalProperties: false\n", "request body: additionalProperties false"},
		{"composition added", requestType, requestType + "      anyOf: [{minProperties: 1}]\n", "request body: anyOf"},
		{"recursion added", "      properties:\n        package_ids:", "      properties:\n        parent: {$ref: \"#/components/schemas/CancelFactoryPackagesRequest\"}\n        package_ids:", "request body parent: recursion"},
		{"array bounded", packageIDs, packageIDs + "          maxItems: 100\n", "request body package_ids: maxItems 100"},
		{"array nullable", packageIDs, packageIDs + "          nullable: true\n", "request body package_ids: nullable"},
		{"items enumerated", "          items:\n            type: string\n", "          items:\n            type: string\n            enum: [\"12\", \"13\"]\n", "request body package_ids[]: enum"},
		{"items of another type", "          items:\n            type: string\n", "          items:\n            type: integer\n", "request body package_ids[]: type"},

		{"status added", status400, "        \"409\": {description: No package.}\n" + status400, "response: status 409"},
		{"default response added", status400, "        default: {description: Else.}\n" + status400, `response: status "default"`},
		{"status changed", "        \"400\":", "        \"409\":", "response: status: documented as 400"},
		{"body of the success", "There is no response body.", "A body.\n          content: {application/json: {}}", `response 200: body: documented as "none"`},
		{"response header added", status400, status400 + "          headers: {X-Request-Id: {schema: {type: string}}}\n", "headers of response 400 X-Request-Id: type"},
		{"link added", status400, status400 + "          links: {}\n", "response 400: links"},
		{"error field's length changed", "maxLength: 10240", "maxLength: 1024", "response 400 error_msg: maxLength"},
		{"error field added", errorMsg, "        request_id: {type: string}\n" + errorMsg, "response 400 request_id: type"},
		{"error field renamed", errorMsg, strings.Replace(errorMsg, "msg", "message", 1), "response 400 error_msg: type"},
		{"failure's example changed", `"DLF.0810"`, `"DLF.0819"`, "response 400: example: documented"},
		{"failure's example dropped", "examples:\n                taskNotFound:", "x-examples:\n                taskNotFound:", "response 400: example"},

		{"gateway's status dropped", "        \"413\":\n          $ref: \"#/components/responses/TooLarge\"\n", "", "component responses/TooLarge: used false"},
		{"gateway's code changed", `"APIG.0308"`, `"APIG.0309"`, "response 429: example: documented"},
		{"gateway's field made mandatory", "    GatewayError:\n", "    GatewayError:\n      required: [request_id]\n", "response 504 request_id: required: documented as false"},
		{"header made mandatory", "        Retry-After:\n", "        Retry-After:\n          required: true\n", "headers of response 429 Retry-After: required: documented as false"},
		{"header of another type", "or as a date.\n          schema:\n            type: string", "or as a date.\n          schema:\n            type: integer", "headers of response 429 Retry-After: type"},
		{"source of a header removed", "          x-source: \"RFC 9110, section 15.5.2", "          x-comment: \"RFC 9110, section 15.5.2", "headers of response 401 WWW-Authenticate: type string: the row is from"},

		{"security dropped", "  - Token: []\n", "", "security Token: suffices true: documented"},
		{"security made mandatory", "  - {}\n", "", "security none: suffices true: documented"},
		{"security of two schemes", "  - {}\n", "  - {}\n  - {Token: [], Signature: []}\n", "security Signature and Token: suffices"},
		{"security with a scope", "  - Token: []\n", "  - Token: [factory]\n", "security Token: scopes"},
		{"security of the operation", "      tags:\n", "      security: [{Token: []}]\n      tags:\n", "operation: security"},
		{"security scheme changed", "name: Authorization", "name: X-Authorization", "security Signature: name"},
		{"security scheme added", "    Token:\n", "    Basic: {type: http, scheme: basic}\n    Token:\n", "component securitySchemes/Basic: used false"},
		{"schema added", "    ErrorResponse:\n      type", "    Package: {type: object}\n    ErrorResponse:\n      type", "component schemas/Package: used false"},

		{"source removed", "        x-source: \"huawei-cloud-api-definitions-DataArtsStudio 0.1.20250411: length 3 to 64\"\n", "", "path project_id: minLength 3: the row is from"},
		{"source where the page states it", "      name: workspace\n", "      name: workspace\n      x-source: hearsay\n", `/components/parameters/Workspace: openapi.yaml has the x-source "hearsay"`},
		{"source of another", "x-source: \"dataartsstudio_02_0205, ", "x-source: \"dataartsstudio_02_0206, ", "no x-source of it at"},
		{"source of the security scheme removed", "      x-source: \"devg-apisign: api-sign-algorithm", "      x-comment: \"devg-apisign: api-sign-algorithm", "security Signature: suffices true: the row is from"},
	}
	documented := load(t, factsFile, parseFacts)
	for _, edit := range edits {
		t.Run(edit.name, func(t *testing.T) {
			edited := replaceOnce(t, documentFile, edit.old, edit.new)
			doc, err := parseDocument([]byte(edited))
			require.NoError(t, err)
			assertReports(t, compare(documented, doc), edit.want)
		})
	}
}

// No value of the document and no key may be free to change, whatever the table
// above thought of.
func TestComparisonReportsAnyChange(t *testing.T) {
	documented := load(t, factsFile, parseFacts)
	doc := load(t, documentFile, parseDocument)
	report := func(t *testing.T, at, change string) {
		t.Helper()
		if len(compare(documented, doc)) == 0 {
			t.Errorf("nothing reported with %s %s", at, change)
		}
	}
	checked := 0
	var visit func(at string, v any, set func(any))
	visit = func(at string, v any, set func(any)) {
		switch v := v.(type) {
		case map[string]any:
			for key, child := range v {
				if at == "" && slices.Contains([]string{"openapi", "info"}, key) || slices.Contains(prose, key) {
					continue
				}
				visit(at+"/"+escape(key), child, func(x any) { v[key] = x })
				if key == "required" && child == false {
					continue // what OpenAPI means without the keyword
				}
				delete(v, key)
				report(t, at+"/"+escape(key), "deleted")
				v[key] = child
				checked++
			}
		case []any:
			for i, child := range v {
				visit(fmt.Sprintf("%s/%d", at, i), child, func(x any) { v[i] = x })
			}
		default:
			set(map[string]any{"changed": v})
			report(t, at, "changed")
			set(v)
			checked++
		}
	}
	visit("", doc, func(any) {})
	assert.Empty(t, compare(documented, doc), "the document was not restored")
	assert.Greater(t, checked, 100)
}

func TestComparisonReportsEditedFacts(t *testing.T) {
	doc := load(t, documentFile, parseDocument)
	count := len(load(t, factsFile, parseFacts).Documented)
	total := count + len(load(t, factsFile, parseFacts).Elsewhere)
	// row returns a fresh copy of the facts and one row of it.
	row := func(t *testing.T, i int) (facts, *fact) {
		t.Helper()
		f := load(t, factsFile, parseFacts)
		if i < count {
			return f, &f.Documented[i]
		}
		return f, &f.Elsewhere[i-count]
	}
	for i := range total {
		if !racing.Take(i, 5) {
			continue
		}
		_, original := row(t, i)
		t.Run(original.String(), func(t *testing.T) {
			f, r := row(t, i)
			r.Value = "changed"
			assertReports(t, compare(f, doc), original.key())

			f, r = row(t, i)
			r.Name += "x"
			assertReports(t, compare(f, doc), "not stated in openapi.yaml")

			f, _ = row(t, i)
			if i < count {
				f.Documented = slices.Delete(f.Documented, i, i+1)
			} else {
				f.Elsewhere = slices.Delete(f.Elsewhere, i-count, i-count+1)
			}
			assertReports(t, compare(f, doc), "no row has it")

			if i >= count {
				f, r = row(t, i)
				r.Source = "hearsay"
				assertReports(t, compare(f, doc), `the row is from "hearsay"`)
			}
		})
	}
}

// A row of the operation's own page that is filed under elsewhere needs an
// x-source, which the document does not give it.
func TestComparisonReportsAMovedRow(t *testing.T) {
	f := load(t, factsFile, parseFacts)
	f.Elsewhere = append(f.Elsewhere, f.Documented[0])
	f.Documented = f.Documented[1:]
	assertReports(t, compare(f, load(t, documentFile, parseDocument)), "has no x-source")
}

func TestFactsFileIsRefused(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unknown column", "documented:\n", "documented:\n  - {origin: URI}\n", "field origin not found"},
		{"no source", "documented:\n", "documented:\n  - {place: path, fact: type, value: string}\n", "want source, place, fact and value"},
		{"no value", "documented:\n", "documented:\n  - {source: URI, place: path, fact: type}\n", "want source, place, fact and value"},
		{"unknown part", "documented:\n", "documented:\n  - {source: Table 9, place: path, fact: type, value: string}\n", `the page has no part "Table 9"`},
		{"row twice", "documented:\n", "documented:\n  - {source: URI, place: operation, fact: method, value: POST}\n", "two rows say so"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseFacts([]byte(replaceOnce(t, factsFile, tt.old, tt.new)))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestDocumentIsRefused(t *testing.T) {
	_, err := parseDocument([]byte(replaceOnce(t, documentFile, "schemas/ErrorResponse\"", "schemas/Error\"")))
	assert.ErrorContains(t, err, "openapi.yaml: ")
}

func assertReports(t *testing.T, found []disagreement, want string) {
	t.Helper()
	if !slices.ContainsFunc(found, func(d disagreement) bool { return strings.Contains(string(d), want) }) {
		t.Errorf("want a disagreement with %q, got %q", want, found)
	}
}

func load[T any](t *testing.T, file string, parse func([]byte) (T, error)) T {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	v, err := parse(data)
	require.NoError(t, err)
	return v
}

// replaceOnce returns the file with one occurrence of a text replaced, and
// fails the test if there is none or more than one.
func replaceOnce(t *testing.T, file, old, replacement string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(data), old), "occurrences of %q in %s", old, file)
	return strings.Replace(string(data), old, replacement, 1)
}
