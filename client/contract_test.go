package client_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
	"github.com/dataarts-go/factory/internal/racing"
)

var update = flag.Bool("update", false, "write the table in docs/client-responses.md anew")

// documented is a response of openapi.yaml.
type documented struct {
	status    int
	mediaType string            // empty where no body is documented
	schema    *openapi3.Schema  // nil as well
	examples  map[string][]byte // bodies by name
}

// contract returns the documented responses of the operation.
func contract(t testing.TB) []documented {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../openapi.yaml")
	require.NoError(t, err)
	op := doc.Paths.Value("/v2/{project_id}/factory/release-packages/unpack").Post
	require.Equal(t, "CancelFactoryPackages", op.OperationID)
	var all []documented
	responses := op.Responses.Map()
	for _, code := range slices.Sorted(maps.Keys(responses)) {
		status, err := strconv.Atoi(code)
		require.NoError(t, err)
		content := responses[code].Value.Content
		if len(content) == 0 {
			all = append(all, documented{status: status, examples: map[string][]byte{"no body": nil}})
		}
		for name, mediaType := range content {
			d := documented{status: status, mediaType: name, schema: mediaType.Schema.Value, examples: map[string][]byte{}}
			for name, example := range mediaType.Examples {
				d.examples[name], err = json.Marshal(example.Value.Value)
				require.NoError(t, err)
			}
			all = append(all, d)
		}
	}
	require.Greater(t, len(all), 2)
	return all
}

// response is what a server writes, byte for byte.
func (d documented) response(body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\n", d.status, http.StatusText(d.status))
	if d.mediaType != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\n", d.mediaType)
	}
	fmt.Fprintf(&b, "X-Request-Id: 8a4d\r\nContent-Length: %d\r\n\r\n", len(body))
	b.Write(body)
	return b.Bytes()
}

// variant returns a body that the schema allows, with members of the shortest
// and the longest length and of any in between, present or not, in any order,
// and written in any of the ways in which JSON lets them be written.
func (d documented) variant(t *testing.T, draw *rand.Rand) (body []byte, want map[string]string) {
	t.Helper()
	want = map[string]string{}
	value := map[string]any{}
	var members []string
	names := slices.Sorted(maps.Keys(d.schema.Properties))
	draw.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for _, name := range names {
		if draw.IntN(5) == 0 {
			continue
		}
		schema := d.schema.Properties[name].Value
		require.True(t, schema.Type.Is("string"), name)
		text := randomText(t, draw, schema)
		want[name], value[name] = text, text
		members = append(members, randomJSON(draw, name)+space(draw)+":"+space(draw)+randomJSON(draw, text))
	}
	if draw.IntN(3) == 0 {
		value["extra"] = 1.0
		members = slices.Insert(members, draw.IntN(len(members)+1), `"extra":1`)
	}
	require.NoError(t, d.schema.VisitJSON(value), "the variant itself")
	body = []byte(space(draw) + "{" + space(draw) + strings.Join(members, space(draw)+","+space(draw)) + space(draw) + "}" + space(draw))
	return body, want
}

// randomText returns a text that the schema allows.
func randomText(t *testing.T, draw *rand.Rand, schema *openapi3.Schema) string {
	t.Helper()
	if schema.Pattern != "" {
		require.Equal(t, "^APIGW?[.][0-9]{4}$", schema.Pattern, "a pattern that is not known here")
		return fmt.Sprintf("%s.%04d", []string{"APIG", "APIGW"}[draw.IntN(2)], draw.IntN(10_000))
	}
	least, most := int(schema.MinLength), 10_240
	if schema.MaxLength != nil {
		most = int(*schema.MaxLength)
	}
	length := []int{least, most, least + draw.IntN(most-least+1), least + draw.IntN(20)}[draw.IntN(4)]
	return string(randomRunes(draw, length))
}

func randomRunes(draw *rand.Rand, n int) []rune {
	const plain = "abc XYZ.019-:,;{}[]\\\"'<>&\n\t\x00\x7f"
	others := []rune("éß包\u2028\u202e\ufeff😀")
	runes := make([]rune, n)
	for i := range runes {
		if runes[i] = rune(plain[draw.IntN(len(plain))]); draw.IntN(8) == 0 {
			runes[i] = others[draw.IntN(len(others))]
		}
	}
	return runes
}

// randomJSON writes a string as JSON, some of its characters as escapes.
func randomJSON(draw *rand.Rand, text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r < 0x20 || r == '"' || r == '\\' || r < 0x10000 && draw.IntN(50) == 0:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}

func space(draw *rand.Rand) string { return []string{"", "", " ", "\n", "\t\r\n"}[draw.IntN(5)] }

// wire is a server that reads a request and answers it with bytes.
type wire struct {
	url      string
	answer   atomic.Pointer[func(net.Conn)]
	requests atomic.Int64
}

// newWire also returns a client for it, which does not expect a connection to
// be of use after an answer.
func newWire(t *testing.T) (*wire, *client.Client) {
	t.Helper()
	w := &wire{}
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		conn, _, err := http.NewResponseController(rw).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		(*w.answer.Load())(conn)
	}))
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w, w.client(t, 0)
}

func (w *wire) client(t *testing.T, timeout time.Duration) *client.Client {
	t.Helper()
	transport := &http.Transport{MaxResponseHeaderBytes: 256 << 10, DisableKeepAlives: true}
	return newClient(t, w.url, client.WithHTTPClient(&http.Client{Timeout: timeout, Transport: transport}))
}

func (w *wire) say(answer []byte) {
	say := func(conn net.Conn) { _, _ = conn.Write(answer) } // the client may not stay for all of it
	w.answer.Store(&say)
}

// checked calls the client and holds what it returns against what holds for
// any answer: it comes in time, a success is one, and the error can be shown.
// The status is that of what is sent, 0 if it is no HTTP response.
func checked(t *testing.T, c *client.Client, sent []byte, status int) error {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	err := c.CancelFactoryPackages(ctx, "12")
	require.NoError(t, ctx.Err(), "the client hangs")
	require.Equal(t, status/100 == 2, err == nil, "%.200q: %v", sent, err)
	if err == nil {
		return nil
	}
	require.Less(t, len(err.Error()), 64<<10)
	for _, r := range err.Error() {
		require.True(t, strconv.IsPrint(r), "%q", err)
	}
	if e, ok := errors.AsType[*client.Error](err); ok {
		require.Equal(t, status, e.HTTPStatus)
	} else {
		require.Zero(t, status, "%.200q: %v", sent, err)
		require.ErrorIs(t, err, client.ErrInDoubt)
	}
	if errors.Is(err, client.ErrTaskNotFound) && !bytes.Contains(sent, []byte("gzip")) {
		require.Contains(t, string(sent), "0810")
	}
	return err
}

// statusOf is the status of a response whose header is complete, else 0.
func statusOf(sent []byte) int {
	for {
		header, rest, ok := bytes.Cut(sent, []byte("\r\n\r\n"))
		if !ok || len(header) < 12 {
			return 0
		}
		status, err := strconv.Atoi(string(header[9:12]))
		switch {
		case err != nil:
			return 0
		case status/100 != 1 || status == http.StatusSwitchingProtocols:
			return status
		}
		sent = rest // an interim response
	}
}

// Every documented response, and what else the document allows in its place.
func TestContractVariants(t *testing.T) {
	const variants = 200
	w, c := newWire(t)
	for _, d := range contract(t) {
		t.Run(strconv.Itoa(d.status), func(t *testing.T) {
			for name, body := range d.examples {
				w.say(d.response(body))
				err := checked(t, c, d.response(body), d.status)
				assert.Equal(t, d.status == 400 && name != "released", errors.Is(err, client.ErrTaskNotFound), name)
			}
			if d.schema == nil {
				return
			}
			for i := range variants {
				if !racing.Take(i, 10) {
					continue
				}
				body, want := d.variant(t, rand.New(rand.NewPCG(5, uint64(i))))
				w.say(d.response(body))
				err := checked(t, c, d.response(body), d.status)
				var e *client.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, want["error_code"], e.Code, "%q", body)
				require.Equal(t, want["error_msg"], e.Message, "%q", body)
				require.Equal(t, "8a4d", e.RequestID)
				require.NoError(t, errors.Unwrap(e), "%q", body)
			}
		})
	}
}

// Every documented response, cut at each byte.
func TestContractCut(t *testing.T) {
	w, c := newWire(t)
	for _, d := range contract(t) {
		for _, body := range d.examples {
			whole := d.response(body)
			for i := range whole {
				w.say(whole[:i])
				_ = checked(t, c, whole[:i], statusOf(whole[:i]))
			}
		}
	}
}

// Every documented response with each byte changed: to one that JSON and HTTP
// have a use for, or to one that they have none for.
func TestContractChangedBytes(t *testing.T) {
	w, c := newWire(t)
	for _, d := range contract(t) {
		for _, body := range d.examples {
			for i := range d.response(body) {
				if !racing.Take(i, 5) {
					continue
				}
				for _, b := range []byte{0, ' ', '\n', '"', '0', '9', ':', '}', 0xff} {
					changed := d.response(body)
					if i < len("HTTP/1.1 200") || changed[i] == '\r' || changed[i] == '\n' || b == '\n' && i < bytes.Index(changed, []byte("\r\n\r\n")) {
						continue // the status and the end of a line are changed below
					}
					changed[i] = b
					w.say(changed)
					ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
					err := c.CancelFactoryPackages(ctx, "12")
					require.NoError(t, ctx.Err(), "the client hangs")
					stop()
					if d.status != 200 {
						require.Error(t, err, "%q", changed)
					} else if err != nil {
						// A header that is not one any more.
						_, answered := errors.AsType[*client.Error](err)
						require.False(t, answered, "%q: %v", changed, err)
						require.ErrorIs(t, err, client.ErrInDoubt, "%q", changed)
					}
				}
			}
		}
	}
}

// holdDocs holds a part of the documentation against what the test of this name
// has found, or writes it.
func holdDocs(t *testing.T, test, want string) {
	t.Helper()
	const docs = "../docs/client-responses.md"
	begin := "<!-- Written by go test ./client -run " + test + " -update. -->\n"
	end := "<!-- End of what " + test + " writes. -->\n"
	text, err := os.ReadFile(docs)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok, "%s has no line %q", docs, begin)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "%s has no line %q", docs, end)
	want = before + begin + want + "\n" + end + after
	if *update {
		require.NoError(t, os.WriteFile(docs, []byte(want), 0o600))
		return
	}
	got := strings.Split(string(text), "\n")
	for i, line := range strings.Split(want, "\n") {
		require.Less(t, i, len(got))
		require.Equal(t, line, got[i], "line %d of %s is stale: go test ./client -run %s -update", i+1, docs, test)
	}
}

// breakage is a way to break a documented response.
type breakage struct {
	group, name string
	answer      []byte
	say         func(net.Conn) // in place of answer
	unreadable  bool           // not HTTP, though there is a status
	timeout     time.Duration  // of the HTTP client
}

func zipped(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body)
	_ = w.Close()
	return b.Bytes()
}

// with writes a response with a status line, header lines and a body, and a
// Content-Length unless the header says how long the body is.
func with(status, header string, body string) []byte {
	length := ""
	if !strings.Contains(header, "Content-Length") && !strings.Contains(header, "Transfer-Encoding") {
		length = fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	if header != "" {
		header += "\r\n"
	}
	return []byte("HTTP/1.1 " + status + "\r\n" + header + length + "\r\n" + body)
}

// breakages are one a line in the documentation.
func breakages(t *testing.T) []breakage {
	t.Helper()
	const (
		isJSON = "Content-Type: application/json"
		bad    = "400 Bad Request"
		large  = 10 << 20
	)
	var all []breakage
	add := func(group, name string, answer []byte) {
		all = append(all, breakage{group: group, name: name, answer: answer})
	}
	unreadable := func(group, name string, answer []byte) {
		all = append(all, breakage{group: group, name: name, answer: answer, unreadable: true})
	}
	body := ""
	for _, d := range contract(t) {
		for _, name := range slices.Sorted(maps.Keys(d.examples)) {
			add("As documented", fmt.Sprintf("%d, %s", d.status, name), d.response(d.examples[name]))
			body = cmp.Or(body, string(d.examples[name]))
		}
	}
	for _, s := range []struct{ status, header, body string }{
		{"201 Created", "Location: /elsewhere", ""}, {"204 No Content", "", ""},
		{"200 OK", isJSON, body}, {"200 OK", "Content-Type: text/html", "<html>"},
		{"304 Not Modified", "", ""}, {"307 Temporary Redirect", "Location: http://elsewhere/", ""},
		{bad, isJSON, `{"error_code":"DLF.0819","error_msg":"Workspace does not exists"}`},
		{bad, isJSON, `{"error_code":"DLF.3051","error_msg":"The request parameter is invalid."}`},
		{"401 Unauthorized", isJSON, `{"error_msg":"Incorrect IAM authentication information: decrypt token fail","error_code":"APIG.0301","request_id":"r"}`},
		{"403 Forbidden", isJSON, `{"error_msg":"The IAM user is not allowed to access the API.","error_code":"APIGW.0302","request_id":"r"}`},
		{"404 Not Found", isJSON, `{"error_msg":"The API does not exist or has not been published in the environment.","error_code":"APIG.0101","request_id":"r"}`},
		{"405 Method Not Allowed", "Allow: GET", ""},
		{"408 Request Timeout", "", ""}, {"413 Request Entity Too Large", "", ""},
		{"429 Too Many Requests", isJSON, `{"error_msg":"The throttling threshold has been reached.","error_code":"APIG.0308","request_id":"r"}`},
		{"429 Too Many Requests", "Retry-After: 3600", ""},
		{"500 Internal Server Error", isJSON, `{"error_msg":"Internal server error","error_code":"APIG.0601","request_id":"r"}`},
		{"502 Bad Gateway", "Content-Type: text/html", "<html><h1>502 Bad Gateway</h1></html>"},
		{"502 Bad Gateway", isJSON, `{"error_msg":"Backend unavailable","error_code":"APIG.0202","request_id":"r"}`},
		{"503 Service Unavailable", isJSON, `{"error_msg":"IAM unavailable","error_code":"APIG.0613","request_id":"r"}`},
		{"503 Service Unavailable", "Content-Type: text/html", "<html>"},
		{"504 Gateway Timeout", "", ""}, {"599 Odd", "", ""}, {"999 Odd", "", ""},
		{"101 Switching Protocols", "Connection: upgrade\r\nUpgrade: x", ""},
	} {
		name := s.status
		if code := regexp.MustCompile(`(APIGW?|DLF)\.\d+`).FindString(s.body); code != "" {
			name += ", " + code
		} else if s.body != "" {
			name += ", HTML"
		} else if strings.HasPrefix(s.header, "Retry-After") {
			name += ", " + s.header
		}
		add("Another status", name, with(s.status, s.header, s.body))
	}
	for _, s := range []struct{ name, header string }{
		{"none", ""}, {"malformed", "Content-Type: application"}, {"twice", isJSON + "\r\nContent-Type: text/html"},
		{"text/html", "Content-Type: text/html"}, {"text/plain", "Content-Type: text/plain"},
		{"application/problem+json", "Content-Type: application/problem+json"},
		{"with charset=UTF-8", isJSON + "; charset=UTF-8"}, {"with charset=gbk", isJSON + ";charset=gbk"},
	} {
		add("400 with another Content-Type", s.name, with(bad, s.header, body))
	}
	for _, s := range []struct{ name, body string }{
		{"empty", ""}, {"not JSON", "{error_code"}, {"two values", body + body}, {"an array", "[" + body + "]"}, {"null", "null"}, {"an empty object", "{}"},
		{"a code that is a number", `{"error_code":810,"error_msg":"Task does not exist."}`},
		{"a message that is an array", `{"error_code":"DLF.0810","error_msg":["Task does not exist."]}`},
		{"a member twice", `{"error_code":"DLF.0001","error_code":"DLF.0810"}`},
		{"not UTF-8", "{\"error_code\":\"DLF.0810\",\"error_msg\":\"\xff\xfe\"}"},
		{"with a byte order mark", "\ufeff" + body},
		{"bytes that disturb a terminal", `{"error_code":"DLF.0810","error_msg":"\u001b[2J\u0000\r\n"}`},
		{"nested 100,000 deep", strings.Repeat(`{"a":`, 100_000)},
		{"longer than documented", `{"error_code":"` + strings.Repeat("9", 129) + `"}`},
		{"10 MB of JSON", `{"error_code":"` + strings.Repeat("x", large) + `"}`},
	} {
		add("400 with another body", s.name, with(bad, isJSON, s.body))
	}
	add("400 with another body", "10 MB of HTML", with(bad, "Content-Type: text/html", strings.Repeat("x", large)))
	add("400 with another body", "gzip", with(bad, isJSON+"\r\nContent-Encoding: gzip", string(zipped([]byte(body)))))
	add("400 with another body", "gzip that is none", with(bad, isJSON+"\r\nContent-Encoding: gzip", body))
	add("400 with another body", "gzip that is cut", with(bad, isJSON+"\r\nContent-Encoding: gzip", string(zipped([]byte(body))[:30])))
	add("400 with another body", "10 MB in 10 KB of gzip", with(bad, isJSON+"\r\nContent-Encoding: gzip", string(zipped([]byte(`{"error_code":"`+strings.Repeat("x", large)+`"}`)))))
	add("400 with another body", "a coding that was not asked for", with(bad, isJSON+"\r\nContent-Encoding: br", "\x8b\x02\x80"))

	add("Wrong length", "400 with one byte less than it says", with(bad, isJSON+"\r\nContent-Length: "+strconv.Itoa(len(body)+1), body))
	add("Wrong length", "400 with one byte more than it says", with(bad, isJSON+"\r\nContent-Length: "+strconv.Itoa(len(body)-1), body))
	unreadable("Wrong length", "400 with a length that is negative", with(bad, isJSON+"\r\nContent-Length: -1", body))
	unreadable("Wrong length", "400 with a length that is no number", with(bad, isJSON+"\r\nContent-Length: many", body))
	unreadable("Wrong length", "400 with two lengths", with(bad, isJSON+"\r\nContent-Length: 1\r\nContent-Length: 2", body))
	add("Wrong length", "400 that ends in a chunk", with(bad, isJSON+"\r\nTransfer-Encoding: chunked", "ff\r\n"+body))
	add("Wrong length", "400 with a chunk of no length", with(bad, isJSON+"\r\nTransfer-Encoding: chunked", "zz\r\n"+body))
	add("Wrong length", "200 with less than it says", with("200 OK", "Content-Length: 9", "abc"))
	add("Wrong length", "200 that ends in a chunk", with("200 OK", "Transfer-Encoding: chunked", "ff\r\nabc"))
	unreadable("Wrong length", "200 with a length that is no number", with("200 OK", "Content-Length: many", ""))

	add("No answer", "nothing", nil)
	unreadable("No answer", "a status that is no number", with("abc Odd", "", ""))
	unreadable("No answer", "a status of two digits", with("20 OK", "", ""))
	add("No answer", "not HTTP", []byte("SSH-2.0-OpenSSH_9.9\r\n"))
	add("No answer", "200 cut before the header ends", []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"))
	unreadable("No answer", "a header line without a colon", []byte("HTTP/1.1 200 OK\r\nodd\r\n\r\n"))
	unreadable("No answer", "a header of 10 MB", with("200 OK", "X: "+strings.Repeat("x", large), ""))
	unreadable("No answer", "interim answers without end", bytes.Repeat([]byte("HTTP/1.1 103 Early Hints\r\n\r\n"), 100_000))

	drip := func(answer []byte, whole bool) func(net.Conn) {
		return func(conn net.Conn) {
			for _, b := range answer {
				if _, err := conn.Write([]byte{b}); err != nil {
					return
				}
			}
			if !whole {
				_, _ = io.Copy(io.Discard, conn) // until the client hangs up
			}
		}
	}
	const soon = 100 * time.Millisecond
	documented400 := with(bad, isJSON, body)
	all = append(all,
		breakage{group: "Slow", name: "400, byte by byte", answer: documented400, say: drip(documented400, true)},
		breakage{group: "Slow", name: "400 that stops in its body", answer: documented400, say: drip(documented400[:len(documented400)-1], false), timeout: 20 * soon},
		breakage{group: "Slow", name: "400 that stops in its header", say: drip(documented400[:20], false), timeout: soon},
		breakage{group: "Slow", name: "200 that stops in its header", say: drip([]byte("HTTP/1.1 200 OK\r\nContent-"), false), timeout: soon},
		breakage{group: "Slow", name: "200 whose body never comes", answer: with("200 OK", "Content-Length: 9", ""), say: drip(with("200 OK", "Content-Length: 9", ""), false)},
		breakage{group: "Slow", name: "no answer at all", say: drip(nil, false), timeout: soon},
	)
	return all
}

// TestOutcomes runs the client against each way to break a response and holds
// the table of the documentation against what a caller sees.
func TestOutcomes(t *testing.T) {
	w, _ := newWire(t)
	var table strings.Builder
	group := ""
	for _, b := range breakages(t) {
		w.say(b.answer)
		if b.say != nil {
			w.answer.Store(&b.say)
		}
		w.requests.Store(0)
		status := statusOf(b.answer)
		if b.unreadable {
			status = 0
		}
		err := checked(t, w.client(t, b.timeout), b.answer, status)
		if b.group != group {
			group = b.group
			fmt.Fprintf(&table, "\n**%s**\n\n| the service answers | the caller gets | `errors.Is` | requests |\n|---|---|---|---|\n", group)
		}
		fmt.Fprintf(&table, "| %s | %s | %s | %d |\n", b.name, seen(t, err, w.url), kindsOf(err), w.requests.Load())
	}
	holdDocs(t, "TestOutcomes", table.String())
}

// seen describes an error as the documentation does: of one without an answer
// only that, since its text differs by system and chance.
func seen(t *testing.T, err error, base string) string {
	t.Helper()
	if err == nil {
		return "nil"
	}
	if e, ok := errors.AsType[*client.Error](err); ok {
		text := strings.TrimPrefix(e.Error(), "POST "+base+"/v2/"+projectID+"/factory/release-packages/unpack: ")
		if errors.Is(err, context.DeadlineExceeded) {
			// net/http has several words for it, and chance decides among them.
			text, _, _ = strings.Cut(text, "read body: ")
			text += "read body: " + context.DeadlineExceeded.Error()
		}
		if len(text) > 160 {
			text = text[:120] + "…"
		}
		return "`*Error` " + strings.NewReplacer("|", `\|`, "<", `\<`).Replace(text)
	}
	var e *url.Error
	require.ErrorAs(t, err, &e)
	return "`*url.Error`"
}

func kindsOf(err error) string {
	var names []string
	for _, kind := range []struct {
		name string
		err  error
	}{
		{"ErrTaskNotFound", client.ErrTaskNotFound},
		{"ErrWorkspaceNotFound", client.ErrWorkspaceNotFound},
		{"ErrUnauthorized", client.ErrUnauthorized},
		{"ErrForbidden", client.ErrForbidden},
		{"ErrThrottled", client.ErrThrottled},
		{"ErrInDoubt", client.ErrInDoubt},
		{"context.DeadlineExceeded", context.DeadlineExceeded},
	} {
		if errors.Is(err, kind.err) {
			names = append(names, "`"+kind.name+"`")
		}
	}
	return strings.Join(names, ", ")
}
