package contracttest_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/internal/racing"
)

// weather is a document that says nothing of codings and languages, and little of ranges
// and conditions: HTTP does.
const weather = `
  /weather:
    get:
      operationId: weather
      responses:
        "200": {description: now, content: {application/json: {schema: {type: object, required: [text], properties: {text: {type: string}, n: {type: integer}}}}}}
        "206": {description: a part, content: {application/json: {}}}
        "304": {description: the same as before}
        "203": {description: from elsewhere, content: {application/json: {schema: {type: object}}}}
    post:
      operationId: report
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
      responses:
        "200": {description: thanks, content: {application/json: {schema: {type: object}}}}
        "400": {description: bad}
        "415": {description: no JSON}
  /nothing:
    get:
      operationId: nothing
      responses: {"204": {description: nothing}}
`

var today = `{"text":"` + strings.Repeat("rain, ", 60) + `and sun"}`

// station keeps the document. How it answers GET /weather is left to whom it is given to.
func station(answer http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch path := r.URL.EscapedPath(); {
		case path == "/weather" && reads:
			w.Header().Set("Content-Type", "application/json")
			answer(w, r)
		case path == "/weather" && r.Method == http.MethodPost:
			if _, ok := ofJSON(w, r); ok {
				w.Header().Set("Content-Type", "application/json")
				_, _ = io.WriteString(w, today)
			}
		case path == "/nothing" && reads:
			w.WriteHeader(http.StatusNoContent)
		case path == "/weather":
			w.Header().Set("Allow", "GET, HEAD, POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
		case path == "/nothing":
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
}

// compression is how answers are compressed: as a careful middleware does where it is
// empty.
type compression struct {
	above   int // bytes
	noVary  bool
	rewrite func(plain []byte, coding string) []byte // what is compressed
	header  func(h http.Header, coding string)       // the last word on it
}

var coders = map[string]func(io.Writer) io.WriteCloser{
	"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"br":      func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
	"zstd": func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			panic(err)
		}
		return z
	},
}

// acceptedCoding is the best coding that a request takes.
func acceptedCoding(r *http.Request) string {
	asked := map[string]bool{}
	for item := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(item), " ", ""), ";q=")
		q, err := strconv.ParseFloat(weight, 64)
		asked[name] = err != nil || q > 0
	}
	for _, coding := range []string{"br", "zstd", "gzip", "deflate"} {
		if takes, said := asked[coding]; takes || !said && asked["*"] {
			return coding
		}
	}
	return ""
}

func (c compression) of(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		h := w.Header()
		for name, values := range rec.Header() {
			h[name] = values
		}
		h.Del("Content-Length")
		if !c.noVary {
			h.Add("Vary", "Accept-Encoding")
		}
		body := rec.Body.Bytes()
		coding := acceptedCoding(r)
		if len(body) <= c.above || rec.Code != http.StatusOK {
			coding = ""
		}
		if coding != "" {
			if c.rewrite != nil {
				body = c.rewrite(body, coding)
			}
			var b bytes.Buffer
			z := coders[coding](&b)
			_, _ = z.Write(body)
			_ = z.Close()
			body = b.Bytes()
			h.Set("Content-Encoding", coding)
			if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) {
				h.Set("ETag", "W/"+tag)
			}
		}
		if c.header != nil {
			c.header(h, coding)
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(body)
	})
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// sentAs answers as net/http does with a file: with validators, conditions and parts.
func sentAs(tag string, change func(h http.Header)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if tag != "" {
			w.Header().Set("ETag", tag)
		}
		r.Header.Del("If-Match")
		if change != nil {
			change(r.Header)
		}
		http.ServeContent(w, r, "", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), strings.NewReader(today))
	}
}

// replies changes an answer that is held back.
func replies(next http.Handler, change func(r *http.Request, rec *httptest.ResponseRecorder)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		change(r, rec)
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

func partial(code int, contentRange, body string) func(*http.Request, *httptest.ResponseRecorder) {
	return func(r *http.Request, rec *httptest.ResponseRecorder) {
		if r.Header.Get("Range") != "bytes=1-2" || rec.Code != http.StatusPartialContent {
			return
		}
		rec.Code = code
		rec.Header().Del("Content-Length")
		rec.Header().Set("Content-Range", contentRange)
		if contentRange == "" {
			rec.Header().Del("Content-Range")
		}
		rec.Body = bytes.NewBufferString(body)
	}
}

// negotiated is a service with what is to be found of it.
type negotiated struct {
	name, want string
	server     func() http.Handler
}

var negotiating = []negotiated{
	{"no codings", "", func() http.Handler { return station(say(today)) }},
	{"every coding", "", func() http.Handler { return compression{}.of(station(say(today))) }},
	{"above a size that nothing has", "", func() http.Handler { return compression{above: 1 << 20}.of(station(say(today))) }},
	{"a weak ETag in a coding", "", func() http.Handler { return compression{}.of(station(sentAs(`"v1"`, nil))) }},
	{"an ETag for each coding", "", func() http.Handler {
		return compression{header: func(h http.Header, coding string) {
			if tag := strings.TrimPrefix(h.Get("ETag"), "W/"); coding != "" && tag != "" {
				h.Set("ETag", strings.TrimSuffix(tag, `"`)+"-"+coding+`"`)
			}
		}}.of(station(sentAs(`"v1"`, nil)))
	}},
	{"not to be stored, without Vary", "", func() http.Handler {
		return compression{noVary: true, header: func(h http.Header, _ string) { h.Set("Cache-Control", "private, no-store") }}.of(station(say(today)))
	}},
	{"files", "", func() http.Handler { return station(sentAs(`"v1"`, nil)) }},
	{"files with a weak tag", "", func() http.Handler { return station(sentAs(`W/"v1"`, nil)) }},
	{"files with a date alone", "", func() http.Handler { return station(sentAs("", nil)) }},
	{"conditions and ranges ignored", "", func() http.Handler {
		return station(sentAs(`"v1"`, func(h http.Header) {
			for _, name := range []string{"If-None-Match", "If-Modified-Since", "Range", "If-Range"} {
				h.Del(name)
			}
		}))
	}},
	{"another content each time", "", func() http.Handler {
		var n atomic.Int64
		return compression{}.of(station(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"n":%d,"text":%q}`, n.Add(1), today)
		}))
	}},
	{"the members in another order", "", func() http.Handler {
		var n atomic.Int64
		return compression{}.of(station(func(w http.ResponseWriter, _ *http.Request) {
			members := []string{`"n":1`, `"text":"a"`}
			if n.Add(1)%3 == 0 {
				slices.Reverse(members)
			}
			_, _ = io.WriteString(w, "{"+strings.Join(members, ",")+"}")
		}))
	}},
	{"HEAD in no coding", "", func() http.Handler {
		coded, plain := compression{}.of(station(say(today))), station(say(today))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				plain.ServeHTTP(w, r)
				return
			}
			coded.ServeHTTP(w, r)
		})
	}},
	{"no HEAD", "", func() http.Handler {
		next := station(say(today))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.Header().Set("Allow", "GET, POST")
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			next.ServeHTTP(w, r)
		})
	}},
	{"in two languages", "", func() http.Handler {
		return station(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Vary", "Accept-Language")
			if strings.HasPrefix(r.Header.Get("Accept-Language"), "de") {
				w.Header().Set("Content-Language", "de")
				_, _ = io.WriteString(w, `{"text":"Regen"}`)
				return
			}
			w.Header().Set("Content-Language", "en")
			_, _ = io.WriteString(w, `{"text":"rain"}`)
		})
	}},

	{"another content in gzip", "error coding-differs", func() http.Handler {
		return compression{rewrite: func(plain []byte, coding string) []byte {
			if coding == "gzip" {
				return []byte(`{"text":"another"}`)
			}
			return plain
		}}.of(station(say(today)))
	}},
	{"nothing in zstd where there is something", "error coding-differs", func() http.Handler {
		return compression{rewrite: func(plain []byte, coding string) []byte {
			if coding == "zstd" {
				return []byte(`{"text":""}`)
			}
			return plain
		}}.of(station(say(today)))
	}},
	{"a member is lost in br, of what differs each time", "error coding-differs", func() http.Handler {
		var n atomic.Int64
		return compression{rewrite: func(plain []byte, coding string) []byte {
			if coding == "br" {
				return []byte(`{"text":"a"}`)
			}
			return plain
		}}.of(station(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintf(w, `{"n":%d,"text":"a"}`, n.Add(1)) }))
	}},
	{"203 in a coding", "error coding-differs", func() http.Handler {
		return replies(station(say(today)), func(r *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == http.StatusOK && r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept-Encoding"), "zstd") {
				rec.Code = http.StatusNonAuthoritativeInfo
			}
		})
	}},
	{"no Vary", "warning vary-missing", func() http.Handler { return compression{noVary: true}.of(station(say(today))) }},
	{"no Vary for a language", "warning vary-missing", func() http.Handler {
		return station(func(w http.ResponseWriter, r *http.Request) {
			language := "en"
			if strings.HasPrefix(r.Header.Get("Accept-Language"), "de") {
				language = "de"
			}
			w.Header().Set("Content-Language", language)
			_, _ = io.WriteString(w, today)
		})
	}},
	{"the strong ETag of the file in a coding", "error etag-shared", func() http.Handler {
		return compression{header: func(h http.Header, _ string) {
			if tag := h.Get("ETag"); tag != "" {
				h.Set("ETag", strings.TrimPrefix(tag, "W/"))
			}
		}}.of(station(sentAs(`"v1"`, nil)))
	}},
	{"another length for HEAD", "error head-differs", func() http.Handler {
		return replies(station(say(today)), func(r *http.Request, rec *httptest.ResponseRecorder) {
			if r.Method == http.MethodHead && rec.Code == http.StatusOK {
				rec.Header().Set("Content-Length", "7")
			}
		})
	}},
	{"length 0 for HEAD", "error head-differs", func() http.Handler {
		return replies(station(say(today)), func(r *http.Request, rec *httptest.ResponseRecorder) {
			if r.Method == http.MethodHead && rec.Code == http.StatusOK {
				rec.Header().Set("Content-Length", "0")
			}
		})
	}},
	{"another media type for HEAD", "warning head-differs", func() http.Handler {
		return replies(station(say(today)), func(r *http.Request, rec *httptest.ResponseRecorder) {
			if r.Method == http.MethodHead && rec.Code == http.StatusOK {
				rec.Header().Set("Content-Type", "text/plain")
			}
		})
	}},
	{"412 for the current ETag", "error conditional-request", func() http.Handler {
		return replies(station(sentAs(`"v1"`, nil)), func(_ *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == http.StatusNotModified {
				rec.Code = http.StatusPreconditionFailed
			}
		})
	}},
	{"304 for every ETag", "error conditional-request", func() http.Handler {
		return replies(station(sentAs(`"v1"`, nil)), func(r *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == http.StatusOK && r.Method == http.MethodGet && r.Header.Get("If-None-Match") != "" {
				rec.Code, rec.Body = http.StatusNotModified, &bytes.Buffer{}
			}
		})
	}},
	{"304 for every date", "error conditional-request", func() http.Handler {
		return replies(station(sentAs("", nil)), func(r *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == http.StatusOK && r.Method == http.MethodGet && r.Header.Get("If-Modified-Since") != "" {
				rec.Code, rec.Body = http.StatusNotModified, &bytes.Buffer{}
			}
		})
	}},
	{"the date counts though there is another ETag", "error conditional-request", func() http.Handler {
		return station(sentAs(`"v1"`, func(h http.Header) {
			if h.Get("If-Modified-Since") != "" {
				h.Del("If-None-Match")
			}
		}))
	}},
	{"304 without the ETag", "error conditional-request", func() http.Handler {
		return replies(station(sentAs(`"v1"`, nil)), func(_ *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == http.StatusNotModified {
				rec.Header().Del("ETag")
			}
		})
	}},
	{"500 for a condition", "error server-error", func() http.Handler {
		return replies(station(sentAs(`"v1"`, nil)), func(_ *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == http.StatusNotModified {
				rec.Code = http.StatusInternalServerError
			}
		})
	}},
	{"other bytes than asked for", "error range-request", func() http.Handler {
		return replies(station(sentAs("", nil)), partial(206, fmt.Sprintf("bytes 1-2/%d", len(today)), "{\""))
	}},
	{"one byte too many", "error range-request", func() http.Handler {
		return replies(station(sentAs("", nil)), partial(206, fmt.Sprintf("bytes 1-3/%d", len(today)), today[1:4]))
	}},
	{"no Content-Range", "error range-request", func() http.Handler {
		return replies(station(sentAs("", nil)), partial(206, "", today[1:3]))
	}},
	{"a wrong length in Content-Range", "error range-request", func() http.Handler {
		return replies(station(sentAs("", nil)), partial(206, "bytes 1-2/3", today[1:3]))
	}},
	{"a part under 200", "error range-request", func() http.Handler {
		return replies(station(sentAs("", nil)), partial(200, "", `{"text":"a"}`))
	}},
	{"416 for bytes that there are", "error range-request", func() http.Handler {
		return replies(station(sentAs("", nil)), partial(416, fmt.Sprintf("bytes */%d", len(today)), ""))
	}},
	{"a part of another representation", "error range-request", func() http.Handler {
		return station(sentAs(`"v1"`, func(h http.Header) { h.Del("If-Range") }))
	}},
	{"416 without the length", "warning range-request", func() http.Handler {
		return replies(station(sentAs("", nil)), func(_ *http.Request, rec *httptest.ResponseRecorder) {
			if rec.Code == http.StatusRequestedRangeNotSatisfiable {
				rec.Header().Del("Content-Range")
			}
		})
	}},
	{"bytes in gzip that are not said to be", "error coding-differs, error response-body-malformed", func() http.Handler {
		return compression{header: func(h http.Header, _ string) { h.Del("Content-Encoding") }}.of(station(say(today)))
	}},
	{"gzip whatever is asked for", "error response-encoding", func() http.Handler {
		next := compression{}.of(station(say(today)))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "identity" {
				r.Header.Set("Accept-Encoding", "gzip")
			}
			next.ServeHTTP(w, r)
		})
	}},
}

// TestNegotiation proves that what clients ask for beside a resource is looked at, that each
// wrong answer is found, and that no ordinary service has a finding.
func TestNegotiation(t *testing.T) {
	for i, tt := range negotiating {
		if !racing.Take(i, 8) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.server())
			defer srv.Close()
			rep, err := contracttest.Run(t.Context(), parse(t, weather), contracttest.URL(srv.URL), contracttest.Cases(0), contracttest.Timeout(time.Minute))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				if name := f.Severity + " " + f.Check; f.Severity == "error" || slices.Contains(judge.Negotiation, f.Check) {
					found = append(found, name)
				}
			}
			slices.Sort(found)
			assert.Equal(t, tt.want, strings.Join(slices.Compact(found), ", "), "%s", describe(rep))
			for _, f := range rep.Findings {
				if !slices.Contains(judge.Negotiation, f.Check) {
					continue
				}
				again, err := contracttest.Run(t.Context(), parse(t, weather), contracttest.URL(srv.URL), contracttest.Cases(0), contracttest.Timeout(time.Minute), contracttest.Only("case:"+f.Case.ID))
				require.NoError(t, err)
				assert.True(t, slices.ContainsFunc(again.Findings, func(other contracttest.Finding) bool { return other.ID == f.ID }), "%s shows %s by itself: %s", f.Case.ID, f.Check, describe(again))
				assert.Less(t, again.Stats.Exchanges, 40)
			}
		})
	}
}
