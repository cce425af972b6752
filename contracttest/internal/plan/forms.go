package plan

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// Why a receiver may refuse a valid request that is sent in another form.
const (
	leaveExpect        = "RFC 9110 §10.1.1: a receiver may answer 417 to an expectation"
	leaveHeaderSize    = "RFC 9110 §5.4: a receiver may bound the size of header fields"
	leaveOrigin        = "RFC 6454 §8: a server may tell by the Origin that a request was not meant to be sent"
	leaveForwarded     = "RFC 7239 §8.1: what forwarded headers say need not be trusted"
	leavePrecondition  = "RFC 9110 §13.1, §14.2: a receiver may go by a precondition or a range that the document does not have"
	leaveUnconditional = "RFC 6585 §3: a server may require that a request is conditional"
	leaveUpgrade       = "RFC 9110 §7.8: a server may switch to the protocol that an Upgrade asks for"
	leaveAccept        = "RFC 9110 §12.5.1: a server may answer 406, or disregard the Accept"
	leaveCoding        = "RFC 9110 §12.5.3: a server may refuse a request that takes no coding it has, and not even none"
	leaveObsText       = "RFC 9110 §5.5: octets beyond ASCII in a field value are obsolete"
	leaveBareQuery     = "RFC 3986 §6.2.3: a question mark with nothing behind makes another URI"
	leaveSegment       = "RFC 3986 §6.2.2: slashes and dots in a segment are often resolved before a receiver sees them, escaped or not"
	leaveOctets        = "RFC 3986 §2.5 asks for UTF-8 without control characters in a segment of text"
)

// LeaveAccept is why a request may be refused with 406 that accepts no media type which the answer
// has.
const LeaveAccept = leaveAccept

// form is another way to send the valid request.
type form struct {
	label, leave string
	header       []wire.Field
	cookies      bool // those of the run stand beside them
}

func field(name, v string) []wire.Field { return []wire.Field{{Name: name, Value: v}} }

// manyFields are as many header fields as proxies and browsers add up to.
var manyFields = func() []wire.Field {
	all := make([]wire.Field, 60)
	for i := range all {
		all[i] = wire.Field{Name: fmt.Sprintf("X-Unknown-%d", i+1), Value: "a"}
	}
	return all
}()

// forms plans the valid request in the forms that HTTP allows.
func (pl *planner) forms() {
	leaveRange := ""
	if pl.op.Method == http.MethodGet { // of others it is to be ignored (RFC 9110 §14.2)
		leaveRange = leavePrecondition
	}
	for _, f := range append([]form{
		{label: "accept-any", header: field("Accept", "*/*")},
		{label: "identity", header: field("Accept-Encoding", "identity")},
		{label: "accept-gzip", header: field("Accept-Encoding", "gzip")},
		{label: "accept-br", header: field("Accept-Encoding", "br")},
		{label: "accept-zstd", header: field("Accept-Encoding", "zstd")},
		{label: "accept-deflate", header: field("Accept-Encoding", "deflate")},
		{label: "accept-codings-of-browsers", header: field("Accept-Encoding", "gzip, deflate, br, zstd")},
		{label: "accept-all-codings", header: field("Accept-Encoding", "*")},
		{label: "accept-no-gzip", header: field("Accept-Encoding", "gzip;q=0")},
		{label: "accept-gzip-alone", header: field("Accept-Encoding", "gzip;q=1.0, identity;q=0"), leave: leaveCoding},
		{label: "accept-unknown-coding", header: field("Accept-Encoding", "x-unknown")},
		{label: "accept-language", header: field("Accept-Language", "fr-CH, fr;q=0.9, *;q=0.5")},
		{label: "no-user-agent", header: field("User-Agent", "")},
		{label: "user-agent", header: field("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")},
		{label: "connection-close", header: field("Connection", "close")},
		{label: "cookie", header: field("Cookie", "x-unknown=a; theme=dark"), cookies: true},
		{label: "origin", header: field("Origin", "https://example.com"), leave: leaveOrigin},
		{label: "forwarded", header: field("X-Forwarded-For", "192.0.2.1, 198.51.100.7")},
		{label: "traceparent", header: field("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")},
		{label: "cache-control", header: field("Cache-Control", "no-cache")},
		{label: "accept-charset", header: field("Accept-Charset", "utf-8")},
		{label: "forwarded-by", header: field("Forwarded", "for=192.0.2.60;proto=http;by=203.0.113.43")},
		{label: "forwarded-host", header: field("X-Forwarded-Host", "example.com"), leave: leaveForwarded},
		{label: "forwarded-proto", header: field("X-Forwarded-Proto", "https")},
		{label: "real-ip", header: field("X-Real-IP", "192.0.2.1")},
		{label: "via", header: field("Via", "1.1 proxy.example")},
		{label: "referer", header: field("Referer", "https://example.com/a?b=c")},
		{label: "pragma", header: field("Pragma", "no-cache")},
		{label: "trailer", header: field("Trailer", "X-Unknown")},
		{label: "te", header: field("TE", "trailers")},
		{label: "range", header: field("Range", "bytes=0-99"), leave: leaveRange},
		{label: "if-match", header: field("If-Match", `"x-unknown"`), leave: leavePrecondition},
		{label: "if-none-match", header: field("If-None-Match", `"x-unknown"`), leave: leavePrecondition},
		{label: "if-modified-since", header: field("If-Modified-Since", "Sat, 29 Oct 1994 19:43:31 GMT"), leave: leavePrecondition},
		{label: "upgrade", header: []wire.Field{{Name: "Upgrade", Value: "h2c"}, {Name: "Connection", Value: "Upgrade"}}, leave: leaveUpgrade},
		{label: "preflight-header", header: field("Access-Control-Request-Method", "POST"), leave: leaveOrigin},
		{label: "request-id", header: field("X-Request-Id", "7f3c9a1e-5d2b-4c8a-9e0f-1a2b3c4d5e6f")},
		{label: "correlation-id", header: field("X-Correlation-Id", "7f3c9a1e")},
		{label: "requested-with", header: field("X-Requested-With", "XMLHttpRequest")},
		{label: "do-not-track", header: field("DNT", "1")},
		{label: "date", header: field("Date", "Tue, 15 Nov 1994 08:12:31 GMT")},
		{label: "prefer", header: field("Prefer", "return=minimal")},
		{label: "accept-html", header: field("Accept", "text/html,application/xhtml+xml;q=0.9"), leave: leaveAccept},
		{label: "accept-xml", header: field("Accept", "application/xml"), leave: leaveAccept},
		{label: "accept-unknown", header: field("Accept", "x-unknown/x-unknown"), leave: leaveAccept},
		{label: "header-beyond-ascii", header: field("X-Unknown-Header", "\u6570"), leave: leaveObsText},
		{label: "unknown-header", header: field("X-Unknown-Header", "a")},
		{label: "unknown-headers", header: manyFields, leave: leaveHeaderSize},
		{label: "long-unknown-header", header: field("X-Unknown-Header", value.Letters(2<<10)), leave: leaveHeaderSize},
	}, pl.accepts()...) {
		pl.form(f)
	}
	if pl.base.media != nil {
		pl.form(form{label: "expect-continue", header: field("Expect", "100-continue"), leave: leaveExpect})
	}
	if !strings.Contains(pl.first.Request.Target, "?") {
		c := pl.message("bare-question-mark", leaveBareQuery)
		c.Request.Target += "?"
		pl.sent(c)
	}
	pl.spellings()
	pl.optionalCredentials()
}

// message starts a case that sends the valid request in another form.
func (pl *planner) message(label, leave string) *Case {
	c := pl.newCase(Clauses, pl.op.MessageClause, label, Accept)
	c.Request, c.Unknown, c.Leave = pl.first.Request.Clone(), pl.first.Unknown, leave
	return c
}

func (pl *planner) sent(c *Case) {
	if pl.labelled(c) {
		pl.add(c)
	}
}

func (pl *planner) form(f form) {
	name := f.header[0].Name
	if pl.documents(openapi3.ParameterInHeader, name) || f.cookies && pl.documents(openapi3.ParameterInCookie, "") {
		return
	}
	c := pl.message(f.label, f.leave)
	c.Request.Del(name)
	c.Request.Header = append(c.Request.Header, f.header...)
	if !f.cookies {
		c.Own = []string{strings.ToLower(name)}
	}
	pl.sent(c)
}

// documents reports whether a parameter or a security scheme of the operation
// has this place; an empty name stands for any.
func (pl *planner) documents(in, name string) bool {
	return slices.ContainsFunc(pl.op.Params, func(p *contract.Param) bool {
		return p.Spec.In == in && (name == "" || strings.EqualFold(p.Spec.Name, name))
	}) || slices.ContainsFunc(pl.credentials(), func(s spot) bool {
		return s.in == in && (name == "" || strings.EqualFold(s.name, name))
	})
}

// accepts names the documented media types of the responses in an Accept.
func (pl *planner) accepts() []form {
	var types, success []string
	for _, resp := range pl.op.Responses {
		for _, m := range resp.Media {
			key := mediatype.List(m.Key)[0]
			if !slices.Contains(types, key) {
				types = append(types, key)
			}
			if resp.Key[0] == '2' && !slices.Contains(success, key) {
				success = append(success, key)
			}
		}
	}
	if len(types) == 0 {
		return nil
	}
	pl.negotiate(success)
	list := strings.Join(types, ", ")
	all := []form{
		{label: "accept-documented", header: field("Accept", list)},
		{label: "accept-with-quality", header: field("Accept", "x-unknown/x-unknown, "+types[0]+";q=0.9, */*;q=0.1")},
		{label: "accept-twice", header: append(field("Accept", list), field("Accept", "x-unknown/x-unknown;q=0.1")...)},
	}
	kind, _, _ := strings.Cut(types[0], "/")
	if !slices.ContainsFunc(types, func(t string) bool { return !strings.HasPrefix(t, kind+"/") }) {
		all = append(all, form{label: "accept-range", header: field("Accept", kind+"/*")})
	}
	return all
}

// negotiate asks for each documented media type of a success alone, where there
// are several.
func (pl *planner) negotiate(types []string) {
	if len(types) < 2 || pl.documents(openapi3.ParameterInHeader, "Accept") {
		return
	}
	for _, t := range types {
		if strings.Contains(t, "*") {
			continue
		}
		c := pl.message("accept-only-"+t, leaveAccept)
		c.Request.Set("Accept", t)
		c.Own, c.Wants = []string{"accept"}, t
		pl.sent(c)
	}
}

// spellings plans the values in the path in spellings that RFC 3986 §6.2.2
// calls equivalent, and with octets that are no text.
func (pl *planner) spellings() {
	for _, p := range pl.op.Params {
		good, ok := pl.base.params[p]
		if !ok || p.Spec.In != openapi3.ParameterInPath || p.Spec.Style != "" && p.Spec.Style != openapi3.SerializationSimple {
			continue
		}
		text := codec.WriteText(good.V)
		switch good.V.(type) {
		case []any, map[string]any: // their delimiters are not to be escaped
			continue
		}
		if text == "" {
			continue
		}
		all := percentEncoded(text)
		style := codec.Style{Name: openapi3.SerializationSimple}
		plain := style.PathSegment(p.Spec.Name, text)
		pl.spelling(p, "all-characters-encoded", all, "", nil)
		if first := all[:3] + style.PathSegment(p.Spec.Name, text[1:]); first != all {
			pl.spelling(p, "first-character-encoded", first, "", nil)
		}
		if lower := strings.ToLower(all); lower != all {
			pl.spelling(p, "escapes-in-lower-case", lower, "", nil)
		}
		for _, v := range []sample{
			{"slash", "a%2Fb"}, {"slash-at-the-end", plain + "%2F"}, {"dot", "%2E"}, {"two-dots", "%2E%2E"}, {"traversal", "..%2F" + plain}, {"backslash", "a%5Cb"}, {"blank", "%20"}, {"plus", "a+b"},
		} {
			pl.spelling(p, "path-with-"+v.label, v.text, leaveSegment, []string{p.Node.Path})
		}
		for _, v := range []struct{ label, octet string }{{"nul", "%00"}, {"invalid-utf-8", "%FF"}, {"line-feed", "%0A"}} {
			pl.spelling(p, "path-with-"+v.label, plain+v.octet, leaveOctets, []string{p.Node.Path})
		}
	}
}

func (pl *planner) spelling(p *contract.Param, label, segment, leave string, unknown []string) {
	r, err := pl.base.withSpelling(p, segment).request()
	if err != nil || r.Target == pl.first.Request.Target {
		return
	}
	c := pl.message(label+"-of-"+p.Spec.Name, leave)
	c.Request.Target = r.Target
	if unknown != nil {
		c.Unknown = unknown
	}
	pl.sent(c)
}

// percentEncoded escapes every octet.
func percentEncoded(text string) string {
	var b strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&b, "%%%02X", text[i])
	}
	return b.String()
}

// optionalCredentials plans a made-up credential where the document asks for
// none: it may be refused as such, but not break anything.
func (pl *planner) optionalCredentials() {
	if pl.op.AuthClause != nil {
		return
	}
	for _, s := range pl.credentials() {
		if slices.ContainsFunc(pl.op.Params, func(p *contract.Param) bool { return p.Spec.In == s.in && strings.EqualFold(p.Spec.Name, s.name) }) {
			continue // planned as the parameter that it is
		}
		c := pl.message("credential-in-"+s.in+"-"+s.name, "")
		if s.in == openapi3.ParameterInHeader && c.Request.Get(s.name) != "" {
			continue
		}
		s.set(c.Request, "made-up-credential")
		c.Own, c.Credential = []string{s.own()}, true
		pl.sent(c)
	}
}
