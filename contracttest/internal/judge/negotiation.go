package judge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// What a client asks for besides the resource itself: a content coding, a language, the
// header alone, a part, or nothing where it has the current one already. No answer
// alone shows whether it is right: each is held against the usual one.

// The checks that hold the answer to such a request against the usual one.
var (
	codingDiffers = Check{
		Name: "coding-differs",
		Doc: "The response to a request that accepts a content coding differs, decoded, from the one without: another status, media type or content, " +
			"or bytes in a coding that is not named.",
		Silent: "The content differs from one request to the next without a coding too: then the kind of value and the names of its members count. Where these differ as well, nothing does.",
		Refs:   "RFC 9110 §8.4, §8.4.1 (a coding loses no information)",
	}
	varyMissing = Check{
		Name:     "vary-missing",
		Doc:      "The response depends on Accept-Encoding or Accept-Language, but its Vary does not name it: a cache may give it to a client that asks for another.",
		Severity: "always a warning",
		Silent:   "Responses with Cache-Control: no-store, and other methods than GET.",
		Refs:     "RFC 9110 §12.5.5",
	}
	etagShared = Check{
		Name:   "etag-shared",
		Doc:    "Two responses in different content codings have the same strong ETag. A client could put parts of both together.",
		Silent: "Weak ETags.",
		Refs:   "RFC 9110 §8.8.1, §8.8.3.3",
	}
	headDiffers = Check{
		Name:     "head-differs",
		Doc:      "The response to HEAD has a Content-Length that no response to GET has, or another Content-Type, ETag or Content-Encoding; or HEAD finds what was deleted and GET does not, or does not find what GET does.",
		Severity: "a warning for all but the Content-Length and what was deleted",
		Silent:   "HEAD is refused otherwise than with 404 or 410. A field that HEAD leaves out. The length of what differs from one GET to the next.",
		Refs:     "RFC 9110 §8.6, §9.3.2",
	}
	conditionalRequest = Check{
		Name: "conditional-request",
		Doc: "GET with the resource's own ETag in If-None-Match, or its Last-Modified in If-Modified-Since, returns neither 304 nor the usual status; " +
			"304 to another ETag or an older date; a 304 without the ETag that the 200 has.",
		Silent: "The response has neither header. Preconditions that are ignored.",
		Refs:   "RFC 9110 §13.1.2, §13.1.3, §15.4.5",
	}
	rangeRequest = Check{
		Name: "range-request",
		Doc: "GET with a Range returns other bytes than its Content-Range names, with a Content-Range that is missing or wrong, with a part under 200, " +
			"with 416 though there are such bytes, or with a part although the If-Range is of another representation.",
		Severity: "a warning for a 416 without a Content-Range",
		Silent:   "Neither the Accept-Ranges of a response nor the document mentions ranges. The content differs from one request to the next. A Range that is ignored.",
		Refs:     "RFC 9110 §13.1.5, §14.2, §14.4, §15.3.7, §15.5.17",
	}
)

// Negotiation are the names of these checks.
var Negotiation = []string{codingDiffers.Name, varyMissing.Name, etagShared.Name, headDiffers.Name, conditionalRequest.Name, rangeRequest.Name}

const (
	leaveVary         = "RFC 9110 §12.5.5: an origin server SHOULD generate a Vary field where its response depends on a field of the request"
	leaveHeadFields   = "RFC 9110 §9.3.2: a server SHOULD send the same header fields in response to HEAD as to GET"
	leaveContentRange = "RFC 9110 §15.5.17: a 416 SHOULD have a Content-Range with the current length"
)

// MaxCompared is how large a body may be that is held against another.
const MaxCompared = 1 << 20

// Usual is what a valid request is answered with when it asks for nothing special,
// several times over.
type Usual struct {
	*Exchange         // the first time
	Stable    bool    // the content is the same each time
	Alike     bool    // it is of one kind each time, with the same members
	Lengths   []int64 // of the answers to GET, in any coding
	tags      map[string]string
}

// NewUsual is the first of several answers; nil for one that nothing can be held against.
func NewUsual(e *Exchange) *Usual {
	if e.Response == nil || e.Response.Status/100 != 2 || e.Response.BodyErr != nil || e.Response.Open || len(codings(e.Response)) > 0 {
		return nil
	}
	size := len(e.Response.Body)
	return &Usual{Exchange: e, Stable: size <= MaxCompared, Alike: size <= MaxCompared, Lengths: []int64{int64(size)}, tags: map[string]string{}}
}

// Again takes in another answer to the same request. It is false for one that is not
// like the others at all.
func (u *Usual) Again(e *Exchange) bool {
	if e.Response == nil || e.Response.Status != u.Response.Status || e.Response.BodyErr != nil || e.Response.Open || mediaType(e) != mediaType(u.Exchange) {
		return false
	}
	u.Stable = u.Stable && bytes.Equal(u.Response.Body, e.Response.Body)
	u.Alike = u.Alike && (u.Stable || kindOf(u.Response.Body) == kindOf(e.Response.Body))
	return true
}

func mediaType(e *Exchange) string {
	label := e.Response.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(label); err == nil {
		return kind
	}
	return label
}

// kindOf is what two contents have in common that differ in their values: of JSON the
// type, and of an object the names of its members.
func kindOf(body []byte) string {
	if len(body) == 0 {
		return "nothing"
	}
	var v any
	if json.Unmarshal(body, &v) != nil {
		return "no JSON"
	}
	members, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprintf("%T", v)
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	slices.Sort(names)
	return fmt.Sprintf("object of %q", names)
}

// Compare holds the answer to a request that asks for something special against the
// usual one. What it asks for is read off its method and its header.
func (u *Usual) Compare(e *Exchange, skip func(check string) bool) []Finding {
	if e.Response == nil || e.Response.BodyErr != nil || e.Response.Status/100 == 5 || e.Response.Status == http.StatusTooManyRequests {
		return nil // other checks are about that
	}
	var found []Finding
	has := func(name string) bool { return e.Request.Get(name) != "" && u.Request.Get(name) == "" }
	switch {
	case e.Request.Method == http.MethodHead && u.Request.Method == http.MethodGet:
		found = u.head(e)
	case has("Range"):
		found = u.part(e)
	case has("If-None-Match"), has("If-Modified-Since"):
		found = u.condition(e)
	default:
		found = u.coded(e)
	}
	found = slices.DeleteFunc(found, func(f Finding) bool { return skip(f.Check) })
	for i := range found {
		if found[i].Severity == "" {
			found[i].Severity = Error
		}
		if found[i].Clause == nil {
			found[i].Clause = u.place()
		}
		found[i].Message, found[i].Actual = clip([]byte(found[i].Message)), clip([]byte(found[i].Actual))
	}
	return found
}

// place is what a finding is about: the documented success.
func (u *Usual) place() *contract.Clause {
	if c := u.bodyClause(); c != nil {
		return c
	}
	return u.Op.StatusClause
}

// coded is about an answer in a content coding or a language.
func (u *Usual) coded(e *Exchange) []Finding {
	if e.Response.Status/100 != 2 {
		return nil // a refusal has been judged
	}
	asked := "Accept-Encoding: " + strings.Join(e.Request.Values("Accept-Encoding"), ", ")
	language := e.Request.Get("Accept-Language") != "" && u.Request.Get("Accept-Language") == ""
	if language {
		asked = "Accept-Language: " + e.Request.Get("Accept-Language")
	}
	differs := func(what, want, got string) []Finding {
		return []Finding{{
			Check: codingDiffers.Name, Message: fmt.Sprintf("with %s, %s", asked, what),
			Expected: want, Actual: got,
		}}
	}
	if !language {
		switch {
		case e.Response.Status != u.Response.Status:
			return differs(fmt.Sprintf("the response is %s; without it, %s", status(e.Response.Status), status(u.Response.Status)), status(u.Response.Status), status(e.Response.Status))
		case mediaType(e) != mediaType(u.Exchange):
			return differs(fmt.Sprintf("the content is %s; without it, %s", mediaType(e), mediaType(u.Exchange)), mediaType(u.Exchange), mediaType(e))
		}
	}
	plain, err := e.content()
	if err != nil {
		return nil // what it is in has been judged
	}
	same := len(plain.Body) <= MaxCompared && sameContent(plain.Body, u.Response.Body)
	coding := strings.Join(e.codings(), ", ")
	var found []Finding
	switch {
	case language || same || len(plain.Body) > MaxCompared:
	case u.Stable:
		if hidden := unnamed(e, u.Response.Body); hidden != "" {
			found = differs("the content is in "+hidden+", but there is no Content-Encoding", "Content-Encoding: "+hidden, "no Content-Encoding")
			break
		}
		found = differs("the content differs from the one without it: "+clip(plain.Body), clip(u.Response.Body), clip(plain.Body))
	case u.Alike && kindOf(plain.Body) != kindOf(u.Response.Body):
		found = differs("the content is "+kindOf(plain.Body)+"; without it, "+kindOf(u.Response.Body), kindOf(u.Response.Body), kindOf(plain.Body))
	}
	if e.Request.Method != http.MethodGet {
		return found
	}
	u.Lengths = append(u.Lengths, int64(len(e.Response.Body)))
	field := "Accept-Encoding"
	depends := coding != ""
	if language {
		field = "Accept-Language"
		depends = coding == "" && (e.Response.Header.Get("Content-Language") != u.Response.Header.Get("Content-Language") || u.Stable && !same)
	}
	if depends && !lists(e.Response.Header, "Vary", field) && !lists(e.Response.Header, "Cache-Control", "no-store") {
		found = append(found, Finding{
			Check:   varyMissing.Name,
			Message: fmt.Sprintf("with %s, the response differs, but its Vary does not name %s", asked, field), Expected: "Vary: " + field,
			Actual: "Vary: " + strings.Join(e.Response.Header.Values("Vary"), ", "),
		}.left(leaveVary))
	}
	return append(found, u.shares(e, coding)...)
}

// shares reports a strong ETag that an answer in another coding has too.
func (u *Usual) shares(e *Exchange, coding string) []Finding {
	tag := e.Response.Header.Get("ETag")
	u.tags[u.Response.Header.Get("ETag")] = ""
	before, seen := u.tags[tag]
	if !seen {
		u.tags[tag] = coding
	}
	if !strong(tag) || !seen || before == coding {
		return nil
	}
	name := func(coding string) string {
		if coding == "" {
			return "without a coding"
		}
		return "in " + coding
	}
	return []Finding{{
		Check:    etagShared.Name,
		Message:  fmt.Sprintf("the content %s and the one %s have the same strong ETag %s", name(before), name(coding), tag),
		Expected: "an ETag of its own for each coding, or a weak one", Actual: "ETag: " + tag,
	}}
}

// sameContent compares two contents; JSON by its values.
func sameContent(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// unnamed is the coding in which the bytes of an answer are the content, although it
// names none.
func unnamed(e *Exchange, content []byte) string {
	if len(e.codings()) > 0 {
		return ""
	}
	for _, coding := range []string{"gzip", "deflate", "zstd", "br"} {
		if plain, err := wire.Decode(coding, e.Response.Body); err == nil && bytes.Equal(plain, content) {
			return coding
		}
	}
	return ""
}

// lists reports whether a field of a list has an item, or *.
func lists(h http.Header, name, item string) bool {
	for v := range strings.SplitSeq(strings.Join(h.Values(name), ","), ",") {
		if v = strings.TrimSpace(v); v == "*" || strings.EqualFold(v, item) {
			return true
		}
	}
	return false
}

func strong(tag string) bool { return strings.HasPrefix(tag, `"`) }

// sameTag is the weak comparison (RFC 9110 §8.8.3.2).
func sameTag(a, b string) bool { return strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/") }

// head is about the answer to HEAD. A length may be the one that any GET has: some
// compress nothing for HEAD.
func (u *Usual) head(e *Exchange) []Finding {
	if e.Response.Status != u.Response.Status {
		return nil // the document does not say that HEAD is served
	}
	var found []Finding
	header, usual := e.Response.Header, u.Response.Header
	if n, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64); err == nil && u.Stable && !slices.Contains(u.Lengths, n) {
		found = append(found, Finding{
			Check:    headDiffers.Name,
			Message:  fmt.Sprintf("the response to HEAD has Content-Length: %d, but GET returns %d bytes (RFC 9110 §8.6)", n, len(u.Response.Body)),
			Expected: fmt.Sprintf("Content-Length: %d, or none", len(u.Response.Body)), Actual: fmt.Sprintf("Content-Length: %d", n),
		})
	}
	if e.Request.Get("Accept-Encoding") != u.Request.Get("Accept-Encoding") {
		return found
	}
	for _, name := range []string{"Content-Type", "ETag", "Content-Encoding"} {
		got, want := header.Get(name), usual.Get(name)
		if name == "Content-Type" {
			got, want = e.Response.Label(), u.Response.Label()
		}
		if got == "" || want == "" && name != "Content-Encoding" || strings.EqualFold(got, want) || name == "ETag" && (!u.Stable || sameTag(got, want)) {
			continue
		}
		found = append(found, Finding{
			Check: headDiffers.Name, Message: fmt.Sprintf("the response to HEAD has %s: %s, the one to GET %q", name, got, want),
			Expected: name + ": " + want, Actual: name + ": " + got,
		}.left(leaveHeadFields))
	}
	return found
}

// condition is about a GET with a precondition. What the answer to it has to be, the
// validators of the usual answer say.
func (u *Usual) condition(e *Exchange) []Finding {
	broken := func(want, format string, args ...any) []Finding {
		return []Finding{{Check: conditionalRequest.Name, Message: fmt.Sprintf(format, args...), Expected: want, Actual: status(e.Response.Status)}}
	}
	tag := u.Response.Header.Get("ETag")
	field, given := "If-Modified-Since", e.Request.Get("If-Modified-Since")
	current := given == u.Response.Header.Get("Last-Modified")
	if tags := e.Request.Get("If-None-Match"); tags != "" {
		field, given, current = "If-None-Match", tags, false
		for one := range strings.SplitSeq(tags, ",") {
			current = current || tag != "" && sameTag(strings.TrimSpace(one), tag)
		}
	}
	usual := status(u.Response.Status)
	switch code := e.Response.Status; {
	case !current && code == http.StatusNotModified:
		return broken(usual, "304 to %s: %s, which is not of the current representation (ETag: %s, Last-Modified: %s)", field, given, tag, u.Response.Header.Get("Last-Modified"))
	case current && code != http.StatusNotModified && code != u.Response.Status:
		return broken("304, or "+usual, "%s to the current %s: %s", status(code), field, given)
	case code == http.StatusNotModified && tag != "" && !sameTag(e.Response.Header.Get("ETag"), tag):
		f := broken("ETag: "+tag, "the 304 has the ETag %q, and the 200 has %s (RFC 9110 §15.4.5)", e.Response.Header.Get("ETag"), tag)
		f[0].Actual = "ETag: " + e.Response.Header.Get("ETag")
		return f
	}
	return nil
}

// part is about a GET for some of the bytes. A server may ignore a Range, and give less
// than was asked for.
func (u *Usual) part(e *Exchange) []Finding {
	if !u.Stable || u.Response.Status != http.StatusOK {
		return nil
	}
	asked, all := e.Request.Get("Range"), u.Response.Body
	size := int64(len(all))
	from, to, err := span(asked, size)
	there := err == nil && from < size
	broken := func(want, got, format string, args ...any) []Finding {
		return []Finding{{
			Check: rangeRequest.Name, Message: fmt.Sprintf("%s to Range: %s of %d bytes: ", status(e.Response.Status), asked, size) + fmt.Sprintf(format, args...),
			Expected: want, Actual: got,
		}}
	}
	said := e.Response.Header.Get("Content-Range")
	switch code := e.Response.Status; {
	case code == http.StatusOK && len(e.Response.Body) < len(all):
		return broken("206, or all bytes", fmt.Sprintf("%d bytes", len(e.Response.Body)), "a part of the content needs 206, not 200")
	case code == http.StatusOK:
		return nil
	case code == http.StatusRequestedRangeNotSatisfiable && there:
		return broken("206, or 200", status(code), "these bytes exist")
	case code == http.StatusRequestedRangeNotSatisfiable && said == "":
		f := broken(fmt.Sprintf("Content-Range: bytes */%d", size), "no Content-Range", "the current length is missing")
		return []Finding{f[0].left(leaveContentRange)}
	case code == http.StatusRequestedRangeNotSatisfiable && strings.TrimSpace(said) != fmt.Sprintf("bytes */%d", size):
		return broken(fmt.Sprintf("Content-Range: bytes */%d", size), "Content-Range: "+said, "the length is wrong")
	case code == http.StatusRequestedRangeNotSatisfiable:
		return nil
	case code != http.StatusPartialContent:
		return broken("206, or 200", status(code), "a server that does not serve the range has to ignore it")
	case !there:
		return broken("416, or 200", status(code), "these bytes do not exist")
	case e.Request.Get("If-Range") != "" && e.Request.Get("If-Range") != u.Response.Header.Get("ETag"):
		return broken("200", status(code), "the If-Range %s is of another representation, whose parts do not go with this one", e.Request.Get("If-Range"))
	case said == "":
		return broken("a Content-Range", "none", "the part is not named")
	}
	got, upTo, whole, err := contentRange(said)
	if err != nil || got < from || upTo > to || whole >= 0 && whole != size {
		return broken(fmt.Sprintf("Content-Range: bytes %d-%d/%d", from, to, size), "Content-Range: "+said, "the Content-Range is wrong")
	}
	if !bytes.Equal(e.Response.Body, all[got:upTo+1]) {
		return broken(clip(all[got:upTo+1]), clip(e.Response.Body), "the bytes differ from those that the Content-Range %q names", said)
	}
	return nil
}

var errRange = errors.New("not a range of bytes")

// span reads a Range of one part (RFC 9110 §14.1.2) of so many bytes.
func span(text string, size int64) (from, to int64, err error) {
	text, ok := strings.CutPrefix(text, "bytes=")
	first, last, also := strings.Cut(text, "-")
	if !ok || !also {
		return 0, 0, errRange
	}
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	switch {
	case first == "" && err2 == nil:
		return max(size-to, 0), size - 1, nil
	case err1 == nil && last == "":
		return from, size - 1, nil
	case err1 != nil || err2 != nil:
		return 0, 0, errRange
	}
	return from, min(to, size-1), nil
}

// contentRange reads a Content-Range; the length is -1 where it is not told.
func contentRange(text string) (from, to, size int64, err error) {
	text, ok := strings.CutPrefix(strings.TrimSpace(text), "bytes ")
	part, whole, also := strings.Cut(text, "/")
	first, last, both := strings.Cut(part, "-")
	if !ok || !also || !both {
		return 0, 0, 0, errRange
	}
	size = -1
	if whole != "*" {
		if size, err = strconv.ParseInt(whole, 10, 64); err != nil {
			return 0, 0, 0, errRange
		}
	}
	from, err1 := strconv.ParseInt(first, 10, 64)
	to, err2 := strconv.ParseInt(last, 10, 64)
	if err1 != nil || err2 != nil || from > to {
		return 0, 0, 0, errRange
	}
	return from, to, size, nil
}
