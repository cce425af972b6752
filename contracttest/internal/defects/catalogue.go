package defects

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// Defect is one way in which the bookshop breaks its document.
type Defect struct {
	Class string // what goes wrong, in general
	Name  string
	Op    string // the operation that it is about
	Check string // the check that is meant to find it
	// Warning is set where the document and the RFCs leave it to the server.
	Warning bool
	Rule    string  // the rule that the shop does without
	Wrap    Wrapper // what is put around the shop; nil: nothing
}

// Server returns a server with the defect, which knows of nothing that was done
// to another.
func (d *Defect) Server() http.Handler {
	shop := http.Handler(NewShop(d.Rule))
	if d.Wrap != nil {
		return d.Wrap(shop)
	}
	return shop
}

// connKey is where ConnContext counts the requests of each connection, as net/http
// does not say.
type connKey struct{}

// ConnContext lets the requests of a connection be counted, for an http.Server.
func ConnContext(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, &atomic.Int64{})
}

// Listen serves a handler on a free port of this machine. Who closes the server
// should close its clients' connections first: some of the defects hold them.
func Listen(h http.Handler) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // some of the servers panic
	srv.Config.ConnContext = ConnContext
	srv.Start()
	return srv
}

//go:embed rules.txt
var rulesText string

// Catalogue lists the defects of the bookshop: those of a shop without one of its
// rules, then those that stand around a shop which is in order.
func Catalogue() []Defect {
	var all []Defect
	for line := range strings.Lines(rulesText) {
		all = append(all, Rule(strings.TrimSpace(line)))
	}
	return slices.Concat(all, coercions(), refusals(), statuses(), bodies(), heads(), methods(), securities(), robustness(), leaking(), states())
}

// The names of the checks.
const (
	accepted = "invalid-request-accepted"
	refusal  = "valid-request-refused"
	schema   = "response-schema"
	media    = "response-media-type"
	headers  = "response-header"
	server   = "server-error"
	unlisted = "undocumented-status"
	broken   = "response-body-malformed"
	flaky    = "not-repeatable"
	leaks    = "error-leak"
)

// Rule is the defect of a shop without one of its rules.
func Rule(rule string) Defect {
	op, _, _ := strings.Cut(rule, " ")
	d := Defect{Class: "validation missing", Name: "without " + rule, Op: op, Check: accepted, Rule: rule}
	switch rule[strings.LastIndexByte(rule, ' ')+1:] {
	case "security":
		d.Class, d.Check = "security", "security-ignored"
	case "single", "content-encoding", "readOnly":
		d.Warning = true
	case "type":
		// No text but the name without brackets is no deepObject, and what that
		// means is not defined (OpenAPI 3.0.3, Style Values).
		d.Warning = rule == "listBooks query price type"
	case "format":
		d.Warning = !strings.Contains(rule, "published") && !strings.Contains(rule, "since") // OpenAPI 3.0 defines few
	}
	return d
}

// operation names what a request is for.
func operation(r *http.Request) string {
	rt, _ := find(r.URL.EscapedPath())
	if rt == nil {
		return ""
	}
	return rt.methods[r.Method].name
}

// at narrows a condition to an operation.
func at(op string, when When) When {
	return func(r *http.Request, b []byte) bool { return operation(r) == op && (when == nil || when(r, b)) }
}

// refused answers requests as if they broke the document.
func refused(op string, when When) Wrapper {
	return Answer(at(op, when), func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"title":"No."}`))
	})
}

// fails answers requests with a fault of the server's own.
func fails(op string, when When) Wrapper {
	return Answer(at(op, when), func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) })
}

// query changes a parameter that the shop sees.
func query(name string, change func(string) string) Wrapper {
	return Request(func(r *http.Request, b []byte) []byte {
		q := r.URL.Query()
		if values := q[name]; len(values) == 1 {
			q.Set(name, change(values[0]))
			u := *r.URL
			u.RawQuery = q.Encode()
			r.URL = &u
		}
		return b
	})
}

// member changes a property of the body that the shop sees.
func member(name string, change func(any) any) Wrapper {
	return JSON(func(v any) any {
		if m, ok := v.(map[string]any); ok {
			if old, there := m[name]; there {
				if m[name] = change(old); m[name] == nil {
					delete(m, name)
				}
			}
		}
		return v
	})
}

// field changes a field of the form that the shop sees.
func field(name string, change func(string) string) Wrapper {
	return Request(func(_ *http.Request, b []byte) []byte {
		form, err := url.ParseQuery(string(b))
		if err != nil || len(form[name]) != 1 {
			return b
		}
		form.Set(name, change(form.Get(name)))
		return []byte(form.Encode())
	})
}

// replaced changes what an expression matches.
func replaced(expr, by string) func(string) string {
	re := regexp.MustCompile(expr)
	return func(s string) string { return re.ReplaceAllString(s, by) }
}

// text changes a text, and leaves what is none.
func text(change func(string) string) func(any) any {
	return func(v any) any {
		if s, ok := v.(string); ok {
			return change(s)
		}
		return v
	}
}

// asNumber reads a number out of a text.
func asNumber(v any) any {
	s, ok := v.(string)
	if _, is := number(s); ok && is {
		return json.Number(s)
	}
	return v
}

// asText writes a number as text.
func asText(v any) any {
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v
}

// instead replaces some values.
func instead(old, by any) func(any) any {
	return func(v any) any {
		if v == old {
			return by
		}
		return v
	}
}

// asked is about one query parameter.
func asked(name string, is func(string) bool) When {
	return func(r *http.Request, _ []byte) bool {
		values := r.URL.Query()[name]
		return len(values) > 0 && is(values[0])
	}
}

func equals(want string) func(string) bool { return func(s string) bool { return s == want } }

// sent is about one header.
func sent(name string, is func(string) bool) When {
	return func(r *http.Request, _ []byte) bool {
		values := r.Header.Values(name)
		return len(values) > 0 && is(values[0])
	}
}

// has is about one property of the body.
func has(name string, is func(any) bool) When {
	return func(_ *http.Request, b []byte) bool {
		v, _ := decode(b)
		m, _ := v.(map[string]any)
		member, ok := m[name]
		return ok && is(member)
	}
}

func any1(any) bool { return true }

// is compares JSON values as they are written.
func is(want string) func(any) bool {
	return func(v any) bool {
		b, err := json.Marshal(v)
		return err == nil && string(b) == want
	}
}

func items(n int) func(any) bool {
	return func(v any) bool {
		l, ok := v.([]any)
		return ok && len(l) == n
	}
}

func contains(part string) When {
	return func(_ *http.Request, b []byte) bool { return bytes.Contains(b, []byte(part)) }
}

// path changes the path that the shop sees.
func path(change func(string) string) Wrapper {
	return Request(func(r *http.Request, b []byte) []byte {
		escaped := change(r.URL.EscapedPath())
		plain, err := url.PathUnescape(escaped)
		if err != nil {
			return b
		}
		r.URL = &url.URL{Path: plain, RawPath: escaped, RawQuery: r.URL.RawQuery}
		return b
	})
}

// typed changes the Content-Type that the shop sees.
func typed(op string, when func(string) bool, by string) Wrapper {
	return Request(func(r *http.Request, b []byte) []byte {
		if operation(r) == op && len(r.Header["Content-Type"]) == 1 && when(r.Header.Get("Content-Type")) {
			r.Header.Set("Content-Type", by)
		}
		return b
	})
}

// authorization changes the credential that the shop sees.
func authorization(name string, change func(string) string) Wrapper {
	return Request(func(r *http.Request, b []byte) []byte {
		if values := r.Header.Values(name); len(values) > 0 {
			r.Header.Set(name, change(values[0]))
		}
		return b
	})
}

// left marks a defect that the document and the RFCs leave to the server.
func left(d Defect) Defect {
	d.Warning = true
	return d
}

// class puts defects under one heading.
func class(name string, all ...Defect) []Defect {
	for i := range all {
		all[i].Class = name
	}
	return all
}

func coercions() []Defect {
	page := func(name, expr, by string) Defect {
		return Defect{Name: name + " for page", Op: "listBooks", Check: accepted, Wrap: query("page", replaced(expr, by))}
	}
	of := func(op, name, property string, change func(any) any) Defect {
		return Defect{Name: name, Op: op, Check: accepted, Wrap: member(property, change)}
	}
	return class(
		"values coerced",
		page("word", `^[a-z]+$`, "1"),
		page("fraction", `\.\d+$`, ""),
		left(page("exponent", `e\d+$`, "")),
		page("nothing", `^$`, "1"),
		left(page("blanks", `^\s+|\s+$`, "")),
		left(page("plus sign", `^\+`, "")),
		left(page("leading zero", `^0+(\d)`, "$1")),
		left(page("hexadecimal number", `^0x0*`, "")),
		page("what begins with a number", `^(\d+)\D.*$`, "$1"),
		left(Defect{Name: "1 and 0 for a boolean in the query", Op: "listBooks", Check: accepted, Wrap: query("available", replaced("^[01]$", "true"))}),
		left(Defect{Name: "other letter case of a boolean in the query", Op: "listBooks", Check: accepted, Wrap: query("available", strings.ToLower)}),
		left(Defect{Name: "yes for a boolean in the query", Op: "listBooks", Check: accepted, Wrap: query("available", replaced("^yes$", "true"))}),
		Defect{Name: "nothing for a boolean in the query", Op: "listBooks", Check: accepted, Wrap: query("available", replaced("^$", "true"))},
		Defect{Name: "letter case of sort", Op: "listBooks", Check: accepted, Wrap: query("sort", strings.ToLower)},
		Defect{Name: "unknown sort is the first", Op: "listBooks", Check: accepted, Wrap: query("sort", func(string) string { return "title" })},
		Defect{Name: "date without a time", Op: "listBooks", Check: accepted, Wrap: query("since", replaced(`^(\d{4}-\d\d-\d\d)$`, "${1}T00:00:00Z"))},
		Defect{Name: "time without an offset", Op: "listBooks", Check: accepted, Wrap: query("since", replaced(`(T\d\d:\d\d:\d\d)$`, "${1}Z"))},
		Defect{Name: "page larger than allowed is the largest", Op: "listBooks", Check: accepted, Wrap: query("page", func(s string) string {
			if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 500 {
				return "500"
			}
			return s
		})},
		left(Defect{Name: "fraction in the path", Op: "getBook", Check: accepted, Wrap: path(replaced(`/(\d+)\.0+$`, "/$1"))}),
		Defect{Name: "what begins with a number in the path", Op: "getBook", Check: accepted, Wrap: path(replaced(`/books/\d*[^\d/-][^/]*$`, "/books/1"))},
		Defect{Name: "word in a cookie", Op: "listBooks", Check: accepted, Wrap: Request(func(r *http.Request, b []byte) []byte {
			r.Header.Set("Cookie", replaced(`branch=[^1-9;][^;]*|branch=\d+[^\d;][^;]*`, "branch=1")(r.Header.Get("Cookie")))
			return b
		})},
		of("addBook", "number for a title", "title", asText),
		of("addBook", "boolean for a title", "title", instead(true, "true")),
		of("addBook", "list for a title", "title", func(v any) any {
			if l, ok := v.([]any); ok && len(l) > 0 {
				return l[0]
			}
			return v
		}),
		of("addBook", "text for a price", "price", asNumber),
		of("addBook", "text for a stock", "stock", asNumber),
		of("addBook", "nothing for a stock", "stock", instead("", json.Number("0"))),
		of("addBook", "fraction for a stock", "stock", func(v any) any {
			if n, ok := v.(json.Number); ok {
				return json.Number(replaced(`\.\d+$`, "")(n.String()))
			}
			return v
		}),
		of("addBook", "boolean for a stock", "stock", instead(true, json.Number("1"))),
		of("addBook", "null for a stock counts as absent", "stock", instead(nil, nil)),
		of("addBook", "null for a title", "title", instead(nil, "Untitled")),
		of("addBook", "text for a boolean", "signed", func(v any) any {
			if v == "true" || v == "false" {
				return v == "true"
			}
			return v
		}),
		of("addBook", "number for a boolean", "signed", func(v any) any {
			if n, ok := v.(json.Number); ok && (n == "0" || n == "1") {
				return n == "1"
			}
			return v
		}),
		of("addBook", "letter case of a kind", "kind", text(strings.ToLower)),
		of("addBook", "one tag for the list", "tags", func(v any) any {
			if s, ok := v.(string); ok {
				return []any{s}
			}
			return v
		}),
		of("addBook", "object for the tags", "tags", func(v any) any {
			if m, ok := v.(map[string]any); ok {
				l := []any{}
				for _, e := range m {
					l = append(l, e)
				}
				return l
			}
			return v
		}),
		of("addBook", "list for the dimensions", "dimensions", func(v any) any {
			if l, ok := v.([]any); ok {
				return map[string]any{"a": append(l, json.Number("1"))[0]}
			}
			return v
		}),
		of("addBook", "date with a time", "published", text(replaced(`T.*$`, ""))),
		of("addBook", "date that is none", "published", text(replaced(`-(\d)\b`, "-0$1"))),
		of("placeOrder", "one item for the list", "items", func(v any) any {
			if m, ok := v.(map[string]any); ok {
				return []any{m}
			}
			return v
		}),
		of("placeOrder", "nothing for the coupon", "coupon", instead(nil, nil)),
		left(Defect{Name: "1 for a boolean in a form", Op: "logIn", Check: accepted, Wrap: field("remember", replaced("^(1|on|yes)$", "true"))}),
		left(Defect{Name: "letter case of a boolean in a form", Op: "logIn", Check: accepted, Wrap: field("remember", strings.ToLower)}),
		Defect{Name: "fraction in a form", Op: "logIn", Check: accepted, Wrap: field("days", replaced(`\.\d+$`, ""))},
		Defect{Name: "nothing for a number in a form", Op: "logIn", Check: accepted, Wrap: field("days", replaced(`^$`, "1"))},
		Defect{Name: "JSON for a form", Op: "logIn", Check: accepted, Wrap: Request(func(r *http.Request, b []byte) []byte {
			if operation(r) == "logIn" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			return b
		})},
		Defect{Name: "JSON for a merge patch", Op: "changeOrder", Check: accepted, Wrap: typed("changeOrder", equals("application/json"), "application/merge-patch+json")},
		Defect{Name: "HTML for a blurb", Op: "writeBlurb", Check: accepted, Wrap: typed("writeBlurb", func(s string) bool { return strings.HasPrefix(s, "text/") }, "text/plain")},
		Defect{Name: "any media type for a sample", Op: "writeSample", Check: accepted, Wrap: typed("writeSample", func(string) bool { return true }, "application/octet-stream")},
	)
}
