package report_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/report"
)

// recorded is the report of a run on a public service, as it was written: without the
// document and the exchanges.
func recorded(t testing.TB, name string) *report.Report {
	t.Helper()
	f, err := os.Open("testdata/recorded/" + name + ".json.gz")
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	var r report.Report
	require.NoError(t, json.NewDecoder(z).Decode(&r))
	r.Sort()
	return &r
}

// important are the three things to know of each recorded run. They were written down
// from the findings before the ranking was made; their order is that of readers who saw the
// reports for the first time.
var important = map[string][3]string{
	"petstore-chi": {
		"answer: 200 responses do not match their schema: the body: want array, got null (1 operation)",
		"answer: 400 responses have Content-Type text/plain; the document says application/json (4 operations)",
		"detail: 405 responses have no Allow header (2 operations)",
	},
	"petstore-gin": {
		"answer: 200 responses do not match their schema: the body: want array, got null (1 operation)",
		"answer: 400 responses do not match their schema: code is missing and message is missing (4 operations)",
		"answer: 400 responses have Content-Type text/plain; the document says application/json (1 operation)",
	},
	"fuego-gourmet": {
		"crash: Valid requests fail with 500 Internal Server Error: “cannot serialize HTML",
		"crash: The connection was closed without an answer: EOF (1 operation)",
		"refused: All valid requests are refused with 401 Unauthorized (not documented): “wrong username or password” (16 operations)",
	},
	"fuego-crud-gorm": {
		"crash: Valid requests fail with 500 Internal Server Error: “Failed to update the user.”",
		"answer: 200 and 201 responses have Content-Type text/plain",
		"answer: 400 and 500 responses have Content-Type application/problem+json; the document says application/json or application/xml (4 operations)",
	},
	"fuego-petstore": {
		"crash: Valid requests fail with 500 Internal Server Error (8 operations)",
		"crash: The connection was closed without an answer: EOF (1 operation)",
		"accepted: Invalid query parameters are accepted that break the rule: page is an integer",
	},
	"swaggest-advanced": {
		"crash: Valid requests fail with 500 Internal Server Error: “internal: bad response: validation failed” (4 operations)",
		"access: Requests without valid credentials are accepted (3 operations)",
		"answer: 400 Bad Request is returned but not documented (14 operations)",
	},
	"express-openapi-validator": {
		"crash: Valid requests fail with 500 Internal Server Error: “/response must have required property 'code'” (2 operations)",
		"access: Requests without valid credentials are accepted (1 operation)",
		"answer: 400, 401, 413, 415 and 500 responses do not match their schema: code is missing (5 operations)",
	},
	"connexion": {
		"crash: Valid requests fail with 500 Internal Server Error",
		"answer: 400 Bad Request is returned but not documented (4 operations)",
		"refused: Valid requests are refused with 400 Bad Request (not documented) although the body may be absent: “Request body must not be empty”",
	},
	"apiflask": {
		"crash: Valid requests fail with 500 Internal Server Error",
		"answer: 400 Bad Request is returned but not documented (2 operations)",
		"accepted: A wrong Content-Type is accepted: the body is application/json",
	},
}

// firstScreen is how many causes a reader sees at once.
const firstScreen = 10

// What is important of the recorded runs is on the first screen of each, in its order.
func TestGroupsOfRecordedRuns(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(important)) {
		t.Run(name, func(t *testing.T) {
			r := recorded(t, name)
			var first []string
			for _, g := range r.Groups[:min(len(r.Groups), firstScreen)] {
				line := g.Kind + ": " + g.Title + " (" + count(len(g.Operations), "operation") + ")"
				first = append(first, line)
			}
			at := 0
			for _, want := range important[name] {
				i := slices.IndexFunc(first[at:], func(line string) bool { return strings.HasPrefix(line, want) })
				if !assert.GreaterOrEqual(t, i, 0, "%s is not where it belongs among\n%s", want, strings.Join(first, "\n")) {
					continue
				}
				at += i + 1
			}
		})
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Each finding is in one group; errors come before warnings and details last of each;
// the example is as grave as its group; and far fewer causes are left than findings.
func TestGroupsHoldEverything(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(important)) {
		t.Run(name, func(t *testing.T) {
			r := recorded(t, name)
			seen := map[int]string{}
			ids := map[string]bool{}
			for i, g := range r.Groups {
				assert.False(t, ids[g.ID], "two groups have the ID %s", g.ID)
				ids[g.ID] = true
				assert.Equal(t, g.Severity, r.Findings[g.Findings[0]].Severity)
				assert.Equal(t, g.Check, r.Findings[g.Findings[0]].Check)
				assert.NotContains(t, g.Title, "\n")
				assert.Less(t, len([]rune(g.Title)), 320, g.Title)
				if i > 0 {
					assert.LessOrEqual(t, r.Groups[i-1].Severity, g.Severity)
				}
				exchanges := 0
				for _, n := range g.Findings {
					assert.Empty(t, seen[n], "a finding is in two groups")
					seen[n] = g.ID
					assert.Equal(t, g.ID, r.Findings[n].Group)
					assert.LessOrEqual(t, g.Severity, r.Findings[n].Severity, "a group is as grave as its gravest finding")
					assert.Contains(t, g.Operations, r.Findings[n].Operation)
					exchanges += r.Findings[n].Count
				}
				assert.Equal(t, exchanges, g.Exchanges)
			}
			assert.Len(t, seen, len(r.Findings))
			shuffled := *r
			shuffled.Findings = slices.Clone(r.Findings)
			slices.Reverse(shuffled.Findings)
			shuffled.Sort()
			assert.ElementsMatch(t, slices.Collect(maps.Keys(ids)), slices.Collect(func(yield func(string) bool) {
				for _, g := range shuffled.Groups {
					if !yield(g.ID) {
						return
					}
				}
			}), "whatever the order of the findings")
		})
	}
}

// What is one cause, and what is not.
func TestGroupTogether(t *testing.T) {
	refused := report.Finding{
		Operation: "add", Check: "valid-request-refused", Severity: report.Error, Clause: "add/body/a/type", Message: "a valid request (a is a string) is refused with 400 Bad Request: no 12",
		Actual: "400 Bad Request", Status: 400, Answer: `{"code":3,"message":"no 12"}`, Count: 2, Case: report.Case{ID: "add/body/a/type#long"}, Request: "POST /a",
	}
	failed := report.Finding{
		Operation: "add", Check: "server-error", Severity: report.Error, Clause: "add/response/status", Message: "500 Internal Server Error in response to a valid request: boom",
		Actual: "500 Internal Server Error", Status: 500, MediaType: "text/plain", Answer: "boom at 0x12", Count: 2, Case: report.Case{ID: "add/path#base"}, Request: "POST /a",
	}
	schema := report.Finding{
		Operation: "add", Check: "response-schema", Severity: report.Error, Clause: "add/response/default/body/code/required", Message: "400 Bad Request: code: is missing",
		Actual: "code: is missing", Status: 400, Answer: `{}`, Count: 2, Case: report.Case{ID: "add/path#x"},
	}
	open := report.Finding{
		Operation: "add", Check: "invalid-request-accepted", Severity: report.Warning, Clause: "add/query/q/single", Leave: "the document does not say what twice means",
		Message: "an invalid request is accepted with 200 OK; broken: q is given once (the document does not say what twice means)", Status: 200, Count: 1, Case: report.Case{ID: "add/query/q/single#twice"},
	}
	accepted := report.Finding{
		Operation: "add", Check: "invalid-request-accepted", Severity: report.Error, Clause: "add/body/zip/pattern",
		Message: "an invalid request is accepted with 201 Created; broken: zip matches ^[0-9]{5}$", Status: 201, Count: 1, Case: report.Case{ID: "add/body/zip/pattern#suffix"},
	}
	returned := report.Finding{
		Operation: "list", Check: "response-schema", Severity: report.Error, Clause: "list/response/200/body/items/items/zip/pattern", Expected: "items[].zip matches ^[0-9]{5}$",
		Message: "200 OK: items/3/zip: violates: items[].zip matches ^[0-9]{5}$", Status: 200, Count: 9, Case: report.Case{ID: "list/path#base"},
	}
	with := func(f report.Finding, change func(*report.Finding)) report.Finding {
		change(&f)
		return f
	}
	tests := map[string]struct {
		a, b report.Finding
		one  bool
	}{
		"the same answer in another operation, with other numbers": {refused, with(refused, func(f *report.Finding) {
			f.Operation, f.Clause, f.Answer = "put", "put/body/b/type", `{"code":4,"message":"no 13"}`
		}), true},
		"another answer": {refused, with(refused, func(f *report.Finding) { f.Clause, f.Answer = "add/body/b/type", `{"message":"too long"}` }), false},
		"another status": {refused, with(refused, func(f *report.Finding) { f.Clause, f.Status = "add/body/b/type", 422 }), false},
		"a refused request and its undocumented status": {refused, with(refused, func(f *report.Finding) {
			f.Check, f.Clause, f.Message = "undocumented-status", "add/response/status", "400 Bad Request is not documented, in response to a valid request"
		}), true},
		"an undocumented status that other requests have, too": {refused, with(refused, func(f *report.Finding) {
			f.Check, f.Clause, f.Message, f.Count = "undocumented-status", "add/response/status", "400 Bad Request is not documented, in response to a valid request", 90
		}), false},
		"a failure, and the media type of the same answer": {failed, with(failed, func(f *report.Finding) {
			f.Check, f.Clause, f.Message = "response-media-type", "add/response/500/media-type", `500 Internal Server Error: media type "text/plain" is not documented, want application/json: boom`
		}), true},
		"a failure at another address": {failed, with(failed, func(f *report.Finding) { f.Operation, f.Answer = "put", "boom at 0x99" }), true},
		"a failure for another reason": {failed, with(failed, func(f *report.Finding) { f.Operation, f.Answer = "put", "no such table" }), false},
		"a failure, and the same text in XML": {failed, with(failed, func(f *report.Finding) {
			f.MediaType, f.Answer = "application/xml", "<error><title>Failure</title><detail>boom at 0x12</detail></error>"
		}), true},
		"a failure, and the same in a sentence around it": {failed, with(failed, func(f *report.Finding) { f.MediaType, f.Answer = "text/html", "<h1>Oops</h1> boom at 0x13, sorry" }), true},
		"one general message, and another reason": {
			with(refused, func(f *report.Finding) {
				f.Answer = `{"error":{"message":"The request is malformed","reason":"no body"}}`
			}),
			with(refused, func(f *report.Finding) {
				f.Operation, f.Answer = "put", `{"error":{"message":"The request is malformed","reason":"it is too long"}}`
			}), false,
		},
		"two members that one error body lacks": {schema, with(schema, func(f *report.Finding) {
			f.Clause, f.Message = "add/response/default/body/message/required", "400 Bad Request: message: is missing"
		}), true},
		"a member that a success lacks": {schema, with(schema, func(f *report.Finding) {
			f.Clause, f.Message, f.Status, f.Case.ID = "add/response/200/body/code/required", "200 OK: code: is missing", 200, "add/path#y"
		}), false},
		"what one sentence leaves open": {open, with(open, func(f *report.Finding) {
			f.Operation, f.Clause, f.Message = "put", "put/query/r/single", "an invalid request is accepted with 204 No Content; broken: r is given once (the document does not say what twice means)"
		}), true},
		"what is accepted, and comes back": {accepted, returned, true},
		"what comes back in another member": {accepted, with(returned, func(f *report.Finding) {
			f.Clause, f.Expected = "list/response/200/body/items/items/code/pattern", "items[].code matches ^[0-9]{5}$"
		}), false},
		"what breaks another rule of the member": {accepted, with(returned, func(f *report.Finding) { f.Expected = "items[].zip matches ^[A-Z]$" }), false},
		"what is left open, and comes back":      {with(accepted, func(f *report.Finding) { f.Leave, f.Severity = "RFC 1: it may", report.Warning }), returned, false},
		"what another sentence leaves open":      {open, with(open, func(f *report.Finding) { f.Leave = "RFC 1: it may" }), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := &report.Report{Findings: []report.Finding{tt.a, tt.b}}
			r.Sort()
			assert.Equal(t, tt.one, len(r.Groups) == 1, "%+v", r.Groups)
		})
	}
}

// Graver causes come first, and of those that are as grave the one that touches more.
func TestGroupRank(t *testing.T) {
	finding := func(operation, check, severity, clause string, more func(*report.Finding)) report.Finding {
		f := report.Finding{Operation: operation, Check: check, Severity: severity, Clause: operation + "/" + clause, Count: 1, Message: check, Case: report.Case{ID: operation + "/" + clause + "#x"}}
		if more != nil {
			more(&f)
		}
		return f
	}
	r := &report.Report{Findings: []report.Finding{
		finding("a", "error-leak", report.Warning, "response/status", func(f *report.Finding) { f.Leave = "OWASP" }),
		finding("a", "response-body-missing", report.Warning, "response/200/media-type", func(f *report.Finding) { f.Message = "left out" }),
		finding("a", "valid-request-refused", report.Error, "body/media-type", func(f *report.Finding) { f.Case.ID += "-upper-case" }),
		finding("a", "valid-request-refused", report.Error, "body/x/maxLength", func(f *report.Finding) { f.Status = 400 }),
		finding("a", "invalid-request-accepted", report.Error, "body/x/maxLength", nil),
		finding("a", "response-header", report.Error, "response/200/header/x", nil),
		finding("a", "response-body-missing", report.Error, "response/200/media-type", nil),
		finding("b", "response-body-missing", report.Error, "response/200/media-type", nil),
		finding("a", "valid-request-refused", report.Error, "path", func(f *report.Finding) { f.Case.ID, f.Status = "a/path#base", 404 }),
		finding("a", "security-ignored", report.Error, "security", nil),
		finding("a", "server-error", report.Error, "response/status", func(f *report.Finding) {
			f.Status, f.Message = 500, "500 Internal Server Error in response to a valid request: x"
		}),
		finding("a", "connection", report.Error, "response/status", nil),
		finding("b", "connection", report.Error, "response/status", func(f *report.Finding) { f.Message = "the target dies of a valid request" }),
	}}
	r.Sort()
	var got []string
	for _, g := range r.Groups {
		got = append(got, g.Severity+" "+g.Kind+" "+g.Check)
	}
	assert.Equal(t, []string{
		"error crash connection", "error crash connection", "error crash server-error", "error access security-ignored", "error refused valid-request-refused",
		"error answer response-body-missing", "error answer response-header", "error accepted invalid-request-accepted", "error refused valid-request-refused", "error detail valid-request-refused",
		"warning answer response-body-missing", "warning detail error-leak",
	}, got)
	assert.Equal(t, []string{"b"}, r.Groups[0].Operations)
}

// What is accepted leads what comes of it, and its title says both.
func TestTitleOfReturned(t *testing.T) {
	r := &report.Report{Findings: []report.Finding{
		{
			Operation: "list", Check: "response-schema", Severity: report.Error, Clause: "list/response/200/body/items/zip/pattern", Expected: "[].zip matches ^[0-9]{5}$",
			Message: "200 OK: 3/zip: violates: [].zip matches ^[0-9]{5}$", Status: 200, Count: 9, Case: report.Case{ID: "list/path#base"},
		},
		{
			Operation: "add", Check: "invalid-request-accepted", Severity: report.Error, Clause: "add/body/zip/pattern",
			Message: "an invalid request is accepted with 201 Created; broken: zip matches ^[0-9]{5}$", Status: 201, Count: 1, Case: report.Case{ID: "add/body/zip/pattern#suffix"},
		},
	}}
	r.Sort()
	if assert.Len(t, r.Groups, 1) {
		assert.Equal(t, "accepted", r.Groups[0].Kind)
		assert.Equal(t, "Invalid request bodies are accepted that break the rule: zip matches ^[0-9]{5}$; responses then break it, too", r.Groups[0].Title)
	}
}

// A title says that all valid requests are refused only where none of any of its operations was
// accepted.
func TestTitleOfRefusals(t *testing.T) {
	refused := func(operation, id string) report.Finding {
		return report.Finding{
			Operation: operation, Check: "valid-request-refused", Severity: report.Error, Clause: operation + "/" + id,
			Message: "a valid request is refused with 400 Bad Request: no", Status: 400, Answer: "no", Count: 1, Case: report.Case{ID: operation + "/" + id},
		}
	}
	for name, tt := range map[string]struct {
		findings []report.Finding
		unproven []string
		want     string
	}{
		"the base":                   {[]report.Finding{refused("a", "path#base")}, []string{"a"}, "All valid requests"},
		"the base and another":       {[]report.Finding{refused("a", "path#base"), refused("a", "body/x/type#long")}, []string{"a"}, "All valid requests"},
		"the base, another accepted": {[]report.Finding{refused("a", "path#base")}, nil, "Valid requests"},
		"the base of one, and one of another operation": {[]report.Finding{refused("a", "path#base"), refused("b", "body/x/type#long")}, []string{"a"}, "Valid requests"},
		"the bases of two": {[]report.Finding{refused("a", "path#base"), refused("b", "path#base")}, []string{"a", "b"}, "All valid requests"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &report.Report{Findings: tt.findings}
			for _, op := range tt.unproven {
				r.Unproven = append(r.Unproven, report.Unproven{Operation: op, Answer: "400 Bad Request"})
			}
			r.Sort()
			require.Len(t, r.Groups, 1)
			assert.Equal(t, tt.want+" are refused with 400 Bad Request: “no”", r.Groups[0].Title)
		})
	}
}

// A title says nothing of one example that does not hold for the others.
func TestTitlesWithoutIndexes(t *testing.T) {
	for message, want := range map[string]string{
		"200 OK: 0: want array, got null":           "200 responses do not match their schema: an item of the body: want array, got null",
		"200 OK: 3/of/12/name: is missing":          "200 responses do not match their schema: body[]/of[]/name is missing",
		"200 OK: of/12: violates: of[] is one of 1": "200 responses do not match their schema: of[]: violates: of[] is one of 1",
		"200 OK: the body: want array, got null":    "200 responses do not match their schema: the body: want array, got null",
		"200 OK: items at 7 o'clock: want array":    "200 responses do not match their schema: items at 7 o'clock: want array",
	} {
		r := &report.Report{Findings: []report.Finding{{Check: "response-schema", Severity: report.Error, Status: 200, Message: message}}}
		r.Sort()
		assert.Equal(t, want, r.Groups[0].Title)
	}
}
