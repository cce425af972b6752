package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Why a receiver may refuse a valid request that is sent in another form.
const (
	leaveExpect     = "RFC 9110 §10.1.1: a receiver may answer 417 to an expectation"
	leaveHeaderSize = "RFC 9110 §5.4: a receiver may bound the size of header fields"
	leaveOrigin     = "RFC 6454 §8: a server may tell by the Origin that a request was not meant to be sent"
	leaveBareQuery  = "RFC 3986 §6.2.3: a question mark with nothing behind makes another URI"
	leaveOctets     = "RFC 3986 §2.5 asks for UTF-8 without control characters in a segment of text"
)

// form is another way to send the valid request.
type form struct {
	label, leave string
	header       []wire.Field
	// credential is set where a credential of the run may stand in a header of
	// this name, and is then not sent.
	credential bool
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
	for _, f := range append([]form{
		{label: "accept-any", header: field("Accept", "*/*")},
		{label: "identity", header: field("Accept-Encoding", "identity")},
		{label: "accept-language", header: field("Accept-Language", "fr-CH, fr;q=0.9, *;q=0.5")},
		{label: "no-user-agent", header: field("User-Agent", "")},
		{label: "user-agent", header: field("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")},
		{label: "connection-close", header: field("Connection", "close")},
		{label: "cookie", header: field("Cookie", "x-unknown=a; theme=dark"), credential: true},
		{label: "origin", header: field("Origin", "https://example.com"), leave: leaveOrigin},
		{label: "forwarded", header: field("X-Forwarded-For", "192.0.2.1, 198.51.100.7")},
		{label: "traceparent", header: field("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")},
		{label: "cache-control", header: field("Cache-Control", "no-cache")},
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
	if pl.documents(openapi3.ParameterInHeader, name) || f.credential && pl.documents(openapi3.ParameterInCookie, "") {
		return
	}
	c := pl.message(f.label, f.leave)
	c.Request.Del(name)
	c.Request.Header = append(c.Request.Header, f.header...)
	c.Own, c.Credential = []string{strings.ToLower(name)}, f.credential
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
	var types []string
	for _, resp := range pl.op.Responses {
		for _, m := range resp.Media {
			key, _, _ := strings.Cut(m.Key, ",")
			if key = strings.TrimSpace(key); !slices.Contains(types, key) {
				types = append(types, key)
			}
		}
	}
	if len(types) == 0 {
		return nil
	}
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

// spellings plans the values in the path in spellings that RFC 3986 §6.2.2
// calls equivalent, and with octets that are no text.
func (pl *planner) spellings() {
	for _, p := range pl.op.Params {
		good, ok := pl.base.params[p]
		if !ok || p.Spec.In != openapi3.ParameterInPath || p.Spec.Style != "" && p.Spec.Style != openapi3.SerializationSimple {
			continue
		}
		text := wire.Text(good.V)
		switch good.V.(type) {
		case []any, map[string]any: // their delimiters are not to be escaped
			continue
		}
		if text == "" {
			continue
		}
		all := percentEncoded(text)
		plain := wire.Style{Name: openapi3.SerializationSimple}.PathSegment(p.Spec.Name, text)
		pl.spelling(p, "all-characters-encoded", all, "", nil)
		if first := all[:3] + strings.TrimPrefix(plain, text[:1]); first != all {
			pl.spelling(p, "first-character-encoded", first, "", nil)
		}
		if lower := strings.ToLower(all); lower != all {
			pl.spelling(p, "escapes-in-lower-case", lower, "", nil)
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
		s.set(c.Request, "made-up-credential")
		c.Own, c.Credential = []string{s.own()}, true
		pl.sent(c)
	}
}
