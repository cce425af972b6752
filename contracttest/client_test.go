package contracttest_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

const storeDocument = `
openapi: 3.1.0
info: {title: store, version: "1"}
servers: [{url: /v1}]
paths:
  /items:
    get:
      operationId: list
      parameters: [{name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 50}}]
      responses:
        '200':
          description: a page
          headers: {X-Left: {schema: {type: integer, minimum: 0, maximum: 9}}}
          content:
            application/json:
              schema:
                type: object
                required: [items]
                properties:
                  items: {type: array, maxItems: 4, items: {$ref: '#/components/schemas/Item'}}
                  next: {type: [string, 'null'], format: uuid}
        '429': {description: later, headers: {Retry-After: {schema: {type: integer, minimum: 0, maximum: 2}}}}
        default: {$ref: '#/components/responses/Problem'}
    post:
      operationId: add
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string, minLength: 1}}}}}}
      responses:
        '201': {description: made, headers: {Location: {required: true, schema: {type: string, enum: [/v1/items/1, 'https://store.example/v1/items/1']}}}, content: {application/json: {schema: {$ref: '#/components/schemas/Item'}}}}
        '202': {description: under way}
        '400': {$ref: '#/components/responses/Problem'}
        '409': {description: there, content: {text/plain: {schema: {type: string, enum: [there is one]}}}}
  /items/{id}:
    delete:
      operationId: remove
      parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1}}]
      responses: {'204': {description: gone}, '503': {$ref: '#/components/responses/Problem'}}
components:
  responses:
    Problem: {description: no, content: {application/problem+json: {schema: {type: object, required: [detail], properties: {detail: {type: string, enum: [no, '']}}}}}}
  schemas:
    Item:
      type: object
      required: [id, colour, weight]
      properties:
        id: {type: integer, format: int64}
        colour: {type: string, enum: [red, green, blue]}
        weight: {type: number, minimum: -5, maximum: 5}
        name: {type: string, maxLength: 40}
        made: {type: string, format: date-time}
        owner: {type: object, required: [email], properties: {email: {type: string, enum: [a@b.example]}}}
        kind: {oneOf: [{type: string, enum: [plain]}, {type: integer, enum: [7]}]}
`

// storeClient is a client of the store, which is right but for one defect.
type storeClient struct {
	web    *http.Client
	base   string
	defect string
}

type storeItem struct {
	ID     int64           `json:"id"`
	Colour string          `json:"colour"`
	Weight float64         `json:"weight"`
	Name   *string         `json:"name"`
	Made   *time.Time      `json:"made"`
	Owner  *storeOwner     `json:"owner"`
	Kind   json.RawMessage `json:"kind"`
}

type storeOwner struct {
	Email string `json:"email"`
}

type storePage struct {
	Items []storeItem `json:"items"`
	Next  *string     `json:"next"`
}

// storeError is a documented error.
type storeError struct {
	status int
	detail string
}

func (e *storeError) Error() string { return fmt.Sprintf("%d: %s", e.status, e.detail) }

func (c storeClient) has(defect string) bool { return c.defect == defect }

// storeAnswer is an answer of which the body was read.
type storeAnswer struct {
	StatusCode int
	Status     string
	Header     http.Header
	length     int64
}

func (c storeClient) do(ctx context.Context, method, path, body string) (*storeAnswer, []byte, error) {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	if c.has("a path without that of the server") {
		c.base = strings.TrimSuffix(c.base, "/v1") + "/v2"
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, r)
	if err != nil {
		return nil, nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		if c.has("a request in another media type") {
			req.Header.Set("Content-Type", "text/plain")
		}
	}
	switch {
	case c.has("gzip is asked for and not taken"):
		req.Header.Set("Accept-Encoding", "gzip")
	case c.has("deflate without its frame"):
		req.Header.Set("Accept-Encoding", "deflate")
	case c.has("nothing"):
		req.Header.Set("Accept-Encoding", "gzip, deflate")
	}
	if c.has("another media type is asked for") {
		req.Header.Set("Accept", "application/xml")
	}
	resp, err := c.web.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	var data []byte
	switch {
	case c.has("a length is needed"):
		data = make([]byte, resp.ContentLength)
		_, err = io.ReadFull(resp.Body, data)
	case c.has("one read"):
		data = make([]byte, 1<<16)
		n, readErr := resp.Body.Read(data)
		if data = data[:n]; readErr != nil && readErr != io.EOF {
			err = readErr
		}
	default:
		data, err = io.ReadAll(resp.Body)
	}
	if resp.Header.Get("Content-Encoding") == "gzip" && c.has("nothing") {
		z, zipErr := gzip.NewReader(bytes.NewReader(data))
		if zipErr != nil {
			return nil, nil, zipErr
		}
		data, err = io.ReadAll(z)
	}
	if resp.Header.Get("Content-Encoding") == "deflate" {
		if !c.has("deflate without its frame") {
			data = data[2:] // of zlib (RFC 1950 §2.2)
		}
		data, err = io.ReadAll(flate.NewReader(bytes.NewReader(data)))
	}
	if _, dateErr := http.ParseTime(resp.Header.Get("Date")); dateErr != nil && c.has("a date is taken for granted") {
		err = dateErr
	}
	return &storeAnswer{resp.StatusCode, resp.Status, resp.Header, resp.ContentLength}, data, err
}

// refused makes an error of an answer.
func (c storeClient) refused(ctx context.Context, resp *storeAnswer, data []byte) error {
	switch {
	case c.has("errors are taken for successes"):
		return nil
	case c.has("500 is never seen") && resp.StatusCode == http.StatusInternalServerError:
		panic("never seen")
	case c.has("an unknown status ends the program") && !slices.Contains([]int{400, 409, 429, 500, 503}, resp.StatusCode):
		panic(resp.Status)
	case c.has("a client that waits for ever") && resp.StatusCode == http.StatusTooManyRequests:
		<-ctx.Done()
		return ctx.Err()
	case c.has("the time to wait has to be there") && resp.StatusCode == http.StatusTooManyRequests:
		if _, err := strconv.Atoi(resp.Header.Get("Retry-After")); err != nil {
			return err
		}
	case c.has("one status for all errors"):
		return &storeError{500, ""}
	}
	e := &storeError{status: resp.StatusCode, detail: string(data)}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "application/problem+json" || c.has("errors are always JSON") {
		var body struct{ Detail string }
		if err := json.Unmarshal(data, &body); err != nil {
			return err
		}
		if e.detail = body.Detail; c.has("an error body has to say something") && e.detail == "" {
			return errors.New("no detail")
		}
	}
	if c.has("the error body is not read") {
		e.detail = "something went wrong"
	}
	return e
}

func (c storeClient) decode(resp *storeAnswer, data []byte, v any) error {
	label := resp.Header.Get("Content-Type")
	switch kind, _, err := mime.ParseMediaType(label); {
	case c.has("the media type letter by letter") && label != "application/json",
		c.has("the media type in small letters") && !strings.HasPrefix(label, "application/json"),
		err != nil || kind != "application/json":
		return fmt.Errorf("media type %q", label)
	case c.has("no blanks before the value") && data[0] != '{':
		return errors.New("no object")
	case c.has("one order of members") && bytes.Index(data, []byte(`"weight"`)) < bytes.Index(data, []byte(`"id"`)):
		return errors.New("the identifier has to come first")
	case c.has("a charset without quotes") && strings.Contains(label, `"`):
		return fmt.Errorf("charset %q", label)
	case c.has("an escape for each character") && bytes.Contains(data, []byte(`\uD83D`)):
		return errors.New("half a character")
	case c.has("escapes are not read") && bytes.Contains(data, []byte(`\u`)):
		return errors.New("an escape")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if c.has("an unknown property is refused") {
		d.DisallowUnknownFields()
	}
	if c.has("unknown properties are texts") {
		var more struct {
			Unknown string `json:"x-unknown-property"`
		}
		if err := json.Unmarshal(data, &more); err != nil {
			return err
		}
	}
	return d.Decode(v)
}

// take looks at an item as programs do.
func (c storeClient) take(item storeItem, data []byte) error {
	has := func(what string, found bool) error {
		if c.has(what) && found {
			return errors.New(what)
		}
		return nil
	}
	name := ""
	if item.Name != nil {
		name = *item.Name
	}
	if c.has("an optional object is taken for granted") && item.Owner.Email == "" {
		return errors.New("no email")
	}
	if c.has("an optional text is taken for granted") && len(*item.Name) > 99 {
		return errors.New("too long")
	}
	if c.has("the first of an enumeration alone") && item.Colour != "red" {
		panic("not red")
	}
	if c.has("one branch of several") && len(item.Kind) > 0 {
		var kind string
		if err := json.Unmarshal(item.Kind, &kind); err != nil {
			return err
		}
	}
	if c.has("times without an offset") && item.Made != nil {
		var raw struct{ Made string }
		_ = json.Unmarshal(data, &raw)
		if _, err := time.Parse("2006-01-02T15:04:05Z", raw.Made); err != nil && raw.Made != "" {
			return err
		}
	}
	return errors.Join(
		has("an enumeration without its last value", item.Colour == "blue"),
		has("64 bits are cut", item.ID != int64(int32(item.ID))),
		has("an identifier of 0 is none", item.ID == 0),
		has("negative identifiers", item.ID < 0),
		has("a text of digits is a number", name != "" && strings.Trim(name, "0123456789") == ""),
		has("numbers without an exponent", item.Weight != 0 && math.Abs(item.Weight) < 1e-6),
		has("whole numbers", item.Weight != float64(int(item.Weight))),
		has("negative numbers", item.Weight < 0),
		has("a text of some length", len([]rune(name)) > 20),
		has("a text that is not empty", item.Name != nil && name == ""),
		has("ASCII", strings.ContainsFunc(name, func(r rune) bool { return r > '~' })),
		has("no line ends", strings.Contains(name, "\n")),
		has("times without fractions", item.Made != nil && item.Made.Nanosecond() > 0),
	)
}

// use calls all that the store has.
func (c storeClient) use(ctx context.Context) error {
	limit := "5"
	if c.has("a request out of its range") {
		limit = "99"
	}
	resp, data, err := c.do(ctx, http.MethodGet, "/items?limit="+limit, "")
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return c.refused(ctx, resp, data)
	}
	if c.has("the text of a status") && resp.Status != "200 OK" {
		return errors.New(resp.Status)
	}
	var page storePage
	if err := c.decode(resp, data, &page); err != nil {
		return err
	}
	if c.has("a list that is not empty") {
		_ = page.Items[0]
	}
	if c.has("a list of some length") && len(page.Items) > 2 {
		return errors.New("too many")
	}
	if c.has("null is no text") && len(*page.Next) > 99 {
		return errors.New("too long")
	}
	if _, err := strconv.Atoi(resp.Header.Get("X-Left")); err != nil && c.has("an optional header is taken for granted") {
		return err
	}
	for _, item := range page.Items {
		if err := c.take(item, data); err != nil {
			return err
		}
	}
	body := `{"name": "a"}`
	if c.has("a request without what is required") {
		body = `{}`
	}
	if resp, data, err = c.do(ctx, http.MethodPost, "/items", body); err != nil {
		return err
	}
	switch {
	case resp.StatusCode == http.StatusAccepted && c.has("no body by its length alone") && resp.length != 0:
		return json.Unmarshal(data, &storeItem{})
	case resp.StatusCode == http.StatusAccepted && !c.has("one success alone"):
	case resp.StatusCode != http.StatusCreated:
		return c.refused(ctx, resp, data)
	default:
		var item storeItem
		if err := c.decode(resp, data, &item); err != nil {
			return err
		}
		if err := c.take(item, data); err != nil {
			return err
		}
		if c.has("a path in Location") && !strings.HasPrefix(resp.Header.Get("Location"), "/") {
			return errors.New("no path")
		}
	}
	if resp, data, err = c.do(ctx, http.MethodDelete, "/items/1", ""); err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return c.refused(ctx, resp, data)
	}
	if c.has("204 is decoded") {
		return json.Unmarshal(data, &struct{}{})
	}
	return nil
}

// try runs the client with a defect against the store.
func try(t *testing.T, defect string, opts ...contracttest.ClientOption) *contracttest.ClientReport {
	t.Helper()
	c, err := contracttest.Parse("store.yaml", []byte(storeDocument))
	require.NoError(t, err)
	web := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2}}
	defer web.CloseIdleConnections()
	opts = append(opts, contracttest.Expect(func(status int, err error) error {
		e, ok := errors.AsType[*storeError](err)
		switch {
		case !ok:
			return fmt.Errorf("no storeError but %w", err)
		case e.status != status:
			return fmt.Errorf("the status is %d", e.status)
		case e.detail != "" && e.detail != "no" && e.detail != "there is one":
			return fmt.Errorf("the detail is %q", e.detail)
		}
		return nil
	}))
	rep, err := contracttest.RunClient(t.Context(), c, func(ctx context.Context, baseURL string) error {
		return storeClient{web, baseURL, defect}.use(ctx)
	}, opts...)
	require.NoError(t, err)
	return rep
}

// TestClientDefects plants a defect in a client, and names the clause at whose edge it is found.
func TestClientDefects(t *testing.T) {
	tests := []struct{ defect, clause, edge string }{
		{"an unknown property is refused", "list/response/200/body/type", "unknown-property"},
		{"the first of an enumeration alone", "list/response/200/body/items/items/colour/enum", "value-2"},
		{"an enumeration without its last value", "list/response/200/body/items/items/colour/enum", "value-3"},
		{"64 bits are cut", "list/response/200/body/items/items/id/type", ""},
		{"an identifier of 0 is none", "list/response/200/body/items/items/id/type", ""},
		{"negative identifiers", "list/response/200/body/items/items/id/type", ""},
		{"whole numbers", "list/response/200/body/items/items/weight/type", ""},
		{"negative numbers", "list/response/200/body/items/items/weight/minimum", ""},
		{"a text of some length", "list/response/200/body/items/items/name/maxLength", ""},
		{"a text that is not empty", "list/response/200/body/items/items/name/type", "empty"},
		{"ASCII", "list/response/200/body/items/items/name/type", ""},
		{"no line ends", "list/response/200/body/items/items/name/type", "line-feed"},
		{"times without an offset", "add/response/201/body/made/format", ""},
		{"times without fractions", "add/response/201/body/made/format", ""},
		{"an optional object is taken for granted", "list/response/200/body/items/items/owner/type", "absent"},
		{"an optional text is taken for granted", "list/response/200/body/items/items/name/type", "absent"},
		{"one branch of several", "list/response/200/body/items/items/kind/oneOf", "branch-2"},
		{"a list that is not empty", "list/response/200/body/items/type", ""},
		{"a list of some length", "list/response/200/body/items/maxItems", ""},
		{"null is no text", "list/response/200/body/next/type", "null"},
		{"an optional header is taken for granted", "list/response/200/header/X-Left/type", "absent"},
		{"the time to wait has to be there", "list/response/429/header/Retry-After/type", "absent"},
		{"a path in Location", "add/response/201/header/Location/enum", "value-2"},
		{"one success alone", "add/response/202/no-body", "status-202"},
		{"204 is decoded", "remove/response/204/no-body", ""},
		{"errors are taken for successes", "list/response/default/media-type", ""},
		{"errors are always JSON", "add/response/409/media-type", ""},
		{"an error body has to say something", "add/response/400/body/detail/type", "empty"},
		{"the error body is not read", "add/response/400/media-type", ""},
		{"one status for all errors", "add/response/400/media-type", ""},
		{"500 is never seen", "list/response/default/media-type", "status-500-application/problem+json"},
		{"an unknown status ends the program", "list/response/default/media-type", "status-418-application/problem+json"},
		{"a client that waits for ever", "list/response/429/no-body", ""},
		{"a length is needed", "list/response/200/media-type", "status-200-application/json-in-chunks"},
		{"one read", "list/response/200/media-type", "status-200-application/json-slow"},
		{"gzip is asked for and not taken", "list/response/200/media-type", "status-200-application/json-in-gzip"},
		{"the media type letter by letter", "list/response/200/media-type", "status-200-application/json-with-charset"},
		{"the media type in small letters", "list/response/200/media-type", "status-200-application/json-type-in-upper-case"},
		{"a charset without quotes", "list/response/200/media-type", "status-200-application/json-with-charset-in-quotes"},
		{"deflate without its frame", "list/response/200/media-type", "status-200-application/json-in-deflate"},
		{"a date is taken for granted", "list/response/200/media-type", "status-200-application/json-without-a-date"},
		{"the text of a status", "list/response/200/media-type", "status-200-application/json-without-a-reason"},
		{"no body by its length alone", "add/response/202/no-body", "status-202-no-body-in-chunks"},
		{"an escape for each character", "list/response/200/body/syntax", "escaped-to-ascii"},
		{"unknown properties are texts", "list/response/200/body/type", "unknown-object"},
		{"a text of digits is a number", "list/response/200/body/items/items/name/type", "digits"},
		{"numbers without an exponent", "list/response/200/body/items/items/weight/type", "small"},
		{"no blanks before the value", "list/response/200/body/syntax", "indented"},
		{"escapes are not read", "list/response/200/body/syntax", "escaped"},
		{"one order of members", "list/response/200/body/syntax", "members-in-another-order"},
		{"another media type is asked for", "list/response/status", "usual"},
		{"a request out of its range", "list/query/limit/maximum", ""},
		{"a request in another media type", "add/body/media-type", ""},
		{"a request without what is required", "add/body/name/required", ""},
		{"a path without that of the server", "", ""},
	}
	for i, tt := range tests {
		if !racing.Take(i, 10) {
			continue
		}
		t.Run(tt.defect, func(t *testing.T) {
			t.Parallel()
			rep := try(t, tt.defect, contracttest.CallTimeout(2*time.Second))
			assert.True(t, slices.ContainsFunc(rep.Failures, func(f contracttest.ClientFailure) bool {
				return f.Clause == tt.clause && (tt.edge == "" || f.Edge == tt.edge) && f.Severity == "error"
			}), "%+v", rep.Failures)
		})
	}
}

func TestClientWithoutDefects(t *testing.T) {
	for seed := range int64(4) {
		if racing.Take(int(seed), 10) {
			rep := try(t, "nothing", contracttest.ClientSeed(seed))
			assert.Empty(t, rep.Failures, seed)
			assert.Empty(t, rep.Untried)
		}
	}
}

// socketClient reads answers from a connection as RFC 9112 has them, but for one defect.
type socketClient struct{ defect string }

func (c socketClient) use(ctx context.Context, base string) error {
	u, err := url.Parse(base)
	if err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(end)
	}
	fmt.Fprintf(conn, "GET %s/items HTTP/1.1\r\nHost: %s\r\n\r\n", u.Path, u.Host)
	r := textproto.NewReader(bufio.NewReader(conn))
	var status string
	fields := map[string]string{}
	for {
		line, err := r.ReadLine()
		if err != nil {
			return err
		}
		if _, status, _ = strings.Cut(line, " "); len(status) < 3 || c.defect == "a reason" && len(status) < 5 {
			return fmt.Errorf("status line %q", line)
		}
		for {
			if line, err = r.ReadLine(); err != nil || line == "" {
				break
			}
			name, v, _ := strings.Cut(line, ":")
			if c.defect != "names letter by letter" {
				name = http.CanonicalHeaderKey(name)
			}
			fields[name] = strings.TrimSpace(v)
		}
		if status[0] != '1' || c.defect == "one head" {
			break
		}
	}
	if status[0] != '2' || fields["Content-Type"] == "" {
		return fmt.Errorf("%s with %q", status, fields["Content-Type"])
	}
	body, err := c.body(r, fields)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, &storePage{})
}

func (c socketClient) body(r *textproto.Reader, fields map[string]string) ([]byte, error) {
	if length, ok := fields["Content-Length"]; ok {
		n, err := strconv.Atoi(length)
		if err != nil {
			return nil, err
		}
		body := make([]byte, n)
		_, err = io.ReadFull(r.R, body)
		return body, err
	}
	if fields["Transfer-Encoding"] != "chunked" {
		if c.defect == "a body that says where it ends" {
			return nil, errors.New("no length")
		}
		return io.ReadAll(r.R)
	}
	var body []byte
	for {
		line, err := r.ReadLine()
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(line, 16, 32)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			break
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(r.R, chunk); err != nil {
			return nil, err
		}
		if body = append(body, chunk[:n]...); c.defect == "a text for each chunk" && !utf8.Valid(chunk[:n]) {
			return nil, fmt.Errorf("no text: %q", chunk[:n])
		}
	}
	for {
		line, err := r.ReadLine()
		if err != nil || line == "" {
			return body, err
		}
		if c.defect == "no trailer" {
			return nil, fmt.Errorf("behind the body: %q", line)
		}
	}
}

// TestSocketClientDefects plants defects in a client that reads HTTP by itself.
func TestSocketClientDefects(t *testing.T) {
	c, err := contracttest.Parse("store.yaml", []byte(storeDocument))
	require.NoError(t, err)
	for i, tt := range []struct{ defect, edge string }{
		{"names letter by letter", "status-200-application/json-header-names-in-lower-case"},
		{"one head", "status-200-application/json-after-early-hints"},
		{"a body that says where it ends", "status-200-application/json-until-the-connection-is-closed"},
		{"no trailer", "status-200-application/json-in-chunks-with-a-trailer"},
		{"a text for each chunk", "status-200-application/json-in-chunks-that-end-within-characters"},
		{"a reason", "status-200-application/json-without-a-reason"},
		{"nothing", ""},
	} {
		if !racing.Take(i, 10) {
			continue
		}
		t.Run(tt.defect, func(t *testing.T) {
			t.Parallel()
			rep, err := contracttest.RunClient(t.Context(), c, func(ctx context.Context, base string) error { return socketClient{tt.defect}.use(ctx, base) },
				contracttest.CallTimeout(2*time.Second))
			require.NoError(t, err)
			var edges []string
			for _, f := range rep.Failures {
				edges = append(edges, f.Edge)
			}
			if tt.edge == "" {
				assert.Empty(t, rep.Failures)
				return
			}
			assert.Equal(t, []string{tt.edge}, edges, "%+v", rep.Failures)
		})
	}
}
