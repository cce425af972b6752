package contract

import (
	"maps"
	"net/textproto"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// PartHeader is a header of one part of a multipart body (OpenAPI 3.0.3,
// Encoding Object, headers).
type PartHeader struct {
	Part, Name string
	Spec       *openapi3.Header
	Node       *Node
	Presence   *Clause // required, or may be absent
	// Media is the media type that describes the header; empty where the style simple
	// does.
	Media string
}

// buildPartHeaders makes the clauses about the headers of a part.
func (op *Operation) buildPartHeaders(name, prop, pointer string, all openapi3.Headers) []*PartHeader {
	var heads []*PartHeader
	for _, key := range slices.Sorted(maps.Keys(all)) {
		ref := all[key]
		if ref == nil || ref.Value == nil || strings.EqualFold(key, "Content-Type") || strings.EqualFold(key, "Content-Disposition") {
			continue // the first is what contentType is about, the second is the form's own (RFC 7578 §4.2)
		}
		spec := ref.Value
		pointer := target(ref.Ref, pointer+"/headers/"+escape(key))
		h := &PartHeader{Part: prop, Name: key, Spec: spec}
		path := name + "/" + escape(prop) + "/headers/" + escape(key)
		if spec.Required {
			h.Presence = op.clause(path+"/required", "the part "+prop+" has the header "+key, at(spec.Origin, pointer, "required"))
		} else {
			h.Presence = op.clause(path+"/optional", "the part "+prop+" may be without the header "+key, at(spec.Origin, pointer, "required"))
			h.Presence.Permits = true
		}
		d := op.Contract.describe(spec.Schema, spec.Content, pointer)
		h.Media = d.media
		h.Node = d.node(op, pointer, schema.Root{Path: path, Subject: key + " of the part " + prop, Name: key})
		heads = append(heads, h)
	}
	return heads
}

// checkPartHeaders returns the clauses that the header of a part breaks.
func checkPartHeaders(p Part, header textproto.MIMEHeader) []Violation {
	var broken []Violation
	for _, h := range p.Headers {
		values := header.Values(h.Name)
		if len(values) == 0 {
			if h.Spec.Required {
				broken = append(broken, Violation{Clause: h.Presence, Message: "the part " + h.Part + " has no header " + h.Name})
			}
			continue
		}
		if got := codec.ReadHeader(h.Node, h.Media, h.Explode(), "", values); got.Found {
			broken = append(broken, judge(h.Node, got, h.Node.Subject, nil)...)
		}
	}
	return broken
}

// Explode reports whether an object in the header is written as pairs.
func (h *PartHeader) Explode() bool { return h.Spec.Explode != nil && *h.Spec.Explode }

// PartHeaders lists the documented headers of all parts.
func (m *Media) PartHeaders() []*PartHeader {
	var all []*PartHeader
	for _, name := range slices.Sorted(maps.Keys(m.parts)) {
		all = append(all, m.parts[name].Headers...)
	}
	return all
}
