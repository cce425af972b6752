package plan

import (
	"cmp"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Why a receiver may make of a media type what it likes.
const (
	leaveBareType      = "RFC 9110 §8.3: a Content-Type is of the content, and nothing says what it means where there is none"
	leaveChunked       = "RFC 9112 §6: a chunked body of no bytes is a body, and none of the media type; many receivers take it for an absent one"
	leaveTypeParameter = "RFC 9110 §8.3.1: what a parameter means that the media type does not define is not defined"
	leaveVendorCharset = "RFC 6838 §4.3: which parameters a media type has is said where it is registered, and JSON:API has a server refuse a charset"
	leaveLastSemicolon = "RFC 9110 §5.6.6 allows a semicolon without a parameter, RFC 7231 §3.1.1.1 did not"
	leaveCharsetAlias  = "RFC 2978 §2.3: utf8 is no registered name of UTF-8, but many take it for one"
	leaveIdentity      = "RFC 9110 §8.4.1: identity is reserved for Accept-Encoding and should not be sent as a Content-Encoding"
)

// typeSample is a Content-Type to send.
type typeSample struct{ label, contentType, leave string }

// label plans the Content-Type.
func (pl *planner) label(m *contract.Media, d draft) {
	clause := pl.op.Body.MediaType
	name, _, _ := strings.Cut(m.Label(), ";")
	name = strings.TrimSpace(name)
	if !strings.Contains(name, "/") {
		pl.reasons[clause] = "what the document has as a media type is none (RFC 9110 §8.3.1)"
		return
	}
	first := m == pl.op.Body.Media[0]
	send := func(expect Expect, samples []typeSample) {
		for _, s := range samples {
			if !first {
				s.label += "-of-" + name
			}
			pl.raw(clause, s.label, expect, s.leave, d, func(r *wire.Request) { r.Set("Content-Type", s.contentType) })
		}
	}
	send(Accept, sameTypes(m))
	if m.Form == codec.Multipart { // with all that is needed to read the parts
		for _, other := range []string{"mixed", "related", "x-unknown"} {
			send(Refuse, []typeSample{{other, "multipart/" + other + "; boundary=" + codec.Boundary, ""}})
		}
	}
	send(Refuse, otherTypes(name))
	if !first {
		return
	}
	pl.asForm(m, d)
	for _, v := range []struct {
		label, leave string
		expect       Expect
		change       func(*wire.Request)
	}{
		{"no-content-type", "", Refuse, func(r *wire.Request) { r.Del("Content-Type") }},
		{"two-content-types", "", Refuse, func(r *wire.Request) { r.Add("Content-Type", "text/plain") }},
		{"unknown-content-encoding", "", Refuse, func(r *wire.Request) { r.Set("Content-Encoding", "x-unknown") }},
		{"identity-content-encoding", leaveIdentity, Accept, func(r *wire.Request) { r.Set("Content-Encoding", "identity") }},
		{"chunked", "", Accept, func(r *wire.Request) { r.Chunked = true }},
	} {
		pl.raw(clause, v.label, v.expect, v.leave, d, v.change)
	}
}

// sameTypes are the media type of a body in other spellings (RFC 9110 §8.3.1). Those of a multipart
// body are planned with its boundary.
func sameTypes(m *contract.Media) []typeSample {
	key := m.Label()
	name, params, _ := strings.Cut(key, ";")
	name, params = strings.TrimSpace(name), strings.TrimSpace(params)
	if strings.HasPrefix(name, "multipart/") {
		return nil
	}
	without := leaveTypeParameter
	if params == "" || isJSON(m) && !strings.Contains(params, ";") && strings.HasPrefix(strings.ToLower(params), "charset=") {
		without = "" // RFC 8259 §11: a charset says nothing of JSON
	}
	all := []typeSample{
		{"upper-case", strings.ToUpper(key), ""},
		{"without-parameters", name, without},
		{"blank-after-semicolon", strings.ReplaceAll(key, ";", "; "), ""},
	}
	added := ""
	if isJSON(m) {
		if params == "" && ofVendor(name) {
			added = leaveVendorCharset
		}
		all = append(all, typeSample{"charset", name + "; charset=utf-8", added}, typeSample{"quoted-charset", name + `;charset="UTF-8"`, added})
		params = cmp.Or(params, "charset=UTF-8")
	}
	if params != "" {
		all = append(all, typeSample{"blanks-around-semicolon", name + " ;  " + params, added}, typeSample{"tab-after-semicolon", name + ";\t" + params, added})
	}
	return append(all, typeSample{"final-semicolon", key + ";", leaveLastSemicolon}, typeSample{"unknown-parameter", key + ";x-unknown=a", leaveTypeParameter})
}

// ofVendor reports whether a media type is of a vendor's or a private tree (RFC 6838 §3.2 to §3.4).
func ofVendor(name string) bool {
	_, subtype, _ := strings.Cut(strings.ToLower(name), "/")
	return strings.HasPrefix(subtype, "vnd.") || strings.HasPrefix(subtype, "prs.") || strings.HasPrefix(subtype, "x.") || strings.HasPrefix(subtype, "x-")
}

// otherTypes are media types that bodies often come in, ones that look like the one given, and texts
// that are none.
func otherTypes(name string) []typeSample {
	kind, subtype, _ := strings.Cut(name, "/")
	return []typeSample{
		{"json", "application/json", ""},
		{"text", "text/plain", ""},
		{"html", "text/html", ""},
		{"form", "application/x-www-form-urlencoded", ""},
		{"multipart", "multipart/form-data; boundary=" + codec.Boundary, ""},
		{"xml", "application/xml", ""},
		{"yaml", "application/yaml", ""},
		{"octets", "application/octet-stream", ""},
		{"problem", "application/problem+json", ""},
		{"text-json", "text/json", ""},
		{"xml-text", "text/xml", ""},
		{"text-with-charset", "text/plain;charset=UTF-8", ""},
		{"problem-with-charset", "application/problem+json;charset=UTF-8", ""},
		{"merge-patch", "application/merge-patch+json", ""},
		{"json-patch", "application/json-patch+json", ""},
		{"json-api", "application/vnd.api+json", ""},
		{"json-lines", "application/x-ndjson", ""},
		{"jsonp", "application/jsonp", ""},
		{"json5", "application/json5", ""},
		{"javascript", "application/javascript", ""},
		{"image", "image/png", ""},
		{"no-type", "/" + subtype, ""},
		{"slash-alone", "/", ""},
		{"slash-at-the-end", kind + "/", ""},
		{"range", "application/*", ""},
		{"any", "*/*", ""},
		{"misspelt", name + "x", ""},
		{"subtype-alone", subtype, ""},
		{"no-subtype", kind, ""},
		{"malformed", name + "; charset", ""},
		{"two-types", name + ", text/plain", ""},
		{"empty", "", ""},
		{"other-charset", name + ";charset=ISO-8859-1", ""},
		{"windows-charset", name + ";charset=windows-1252", ""},
		{"ascii-charset", name + ";charset=us-ascii", ""},
		{"gbk", name + ";charset=gbk", ""},
		{"utf-16", name + ";charset=utf-16", ""},
		{"upper-case-utf-16", name + "; charset=UTF-16", ""},
		{"utf8", name + ";charset=utf8", leaveCharsetAlias},
	}
}

// asForm plans the values of a JSON body in a form under its own media type, which the
// document does not have: many a framework binds it to the same fields.
func (pl *planner) asForm(m *contract.Media, d draft) {
	members, ok := d.body.V.(map[string]any)
	if !ok || !isJSON(m) || len(members) == 0 {
		return
	}
	pl.raw(pl.op.Body.MediaType, "values-in-a-form", Refuse, "", d, func(r *wire.Request) {
		r.Body = codec.WriteForm(nil, members)
		r.Set("Content-Type", "application/x-www-form-urlencoded")
	})
	pl.raw(pl.op.Body.MediaType, "values-in-parts", Refuse, "", d, func(r *wire.Request) {
		var pieces []codec.Piece
		for _, name := range sortedKeys(members) {
			values, isList := members[name].([]any)
			if !isList {
				values = []any{members[name]}
			}
			for _, v := range values {
				pieces = append(pieces, codec.Piece{Name: name, Value: v})
			}
		}
		if body, err := codec.WriteParts(pieces); err == nil {
			r.Body = body
		}
		r.Set("Content-Type", "multipart/form-data; boundary="+codec.Boundary)
	})
}
