package contract

import (
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/wellformed"
)

// Why a receiver may take what is not quite right.
const (
	leaveNoType      = "RFC 9110 §8.3: a receiver may guess the type of a body that has no Content-Type"
	leaveRepeated    = "RFC 9110 §5.2: what a repeated line of a single-valued header means is not defined"
	leaveCoding      = "RFC 9110 §8.4: a receiver may answer 415 to a content coding that it does not know, but need not"
	leaveDuplicate   = "RFC 8259 §4: names within an object should be unique, receivers differ"
	leaveBOM         = "RFC 8259 §8.1: a receiver may ignore a byte-order mark"
	leaveSurrogate   = "RFC 8259 §8.2: what a receiver makes of half a surrogate pair is unpredictable"
	leaveDepth       = "RFC 8259 §9: a receiver may limit the depth of nesting"
	leaveRepeatedKey = "the document does not say what a repeated query parameter or cookie means"
	leaveEmptyBody   = "RFC 9110 §8.6: content of no bytes and no content look alike, and an empty text is a value of the schema"
	leaveBare        = "OpenAPI 3.0.3, Style Values: what the name of a deepObject means without brackets is not defined"
	leaveEscape      = "RFC 3986 §2.4: what a percent sign means that begins no escape is not defined"
)

var leaveJSON = map[wellformed.Fault]string{
	wellformed.DuplicateName: leaveDuplicate,
	wellformed.ByteOrderMark: leaveBOM,
	wellformed.LoneSurrogate: leaveSurrogate,
	wellformed.TooDeep:       leaveDepth,
}

func (op *Operation) checkParam(p *Param, m *taken) []Violation {
	var broken []Violation
	times := m.occurrences(p.Spec)
	if p.Single != nil && times > 1 {
		leave := leaveRepeatedKey
		if p.Spec.In == openapi3.ParameterInHeader {
			leave = leaveRepeated
		}
		broken = append(broken, Violation{Clause: p.Single, Message: p.Spec.Name + " is given " + count(uint64(times), "time"), Leave: leave})
	}
	if p.Spec.In == openapi3.ParameterInQuery && p.Style != nil && times > 1 && !repeats(p.Spec) {
		broken = append(broken, Violation{Clause: p.Style, Message: p.Spec.Name + " is given " + count(uint64(times), "time"), Leave: leaveRepeatedKey})
	}
	if p.Style != nil && times > 0 && p.Spec.Style == openapi3.SerializationDeepObject {
		broken = append(broken, Violation{Clause: p.Style, Message: p.Spec.Name + " is given without brackets", Leave: leaveBare})
	}
	if empty := m.values(p.Spec); p.Spec.In == openapi3.ParameterInQuery && len(empty) == 1 && empty[0] == "" && p.Spec.AllowEmptyValue {
		return broken
	}
	got := op.readParam(p, m)
	if !got.found {
		if p.Spec.Required && times == 0 {
			broken = append(broken, Violation{Clause: p.Presence, Message: p.Spec.Name + " is missing"})
		}
		return broken
	}
	if p.Spec.In == openapi3.ParameterInQuery && got.v == "" {
		got.leave = either(got.leave, leaveEmptyText)
	}
	at := p.Syntax
	if got.why == notInStyle {
		at = p.Style
	}
	return append(broken, p.Node.judge(got, p.Spec.Name, at)...)
}

// repeats reports whether the style of a parameter repeats its name.
func repeats(p *openapi3.Parameter) bool {
	sm, err := p.SerializationMethod()
	return err == nil && sm.Explode
}

// judge returns the clauses that what was read breaks. written is the one about
// how the whole is written, nil where there is none.
func (n *Node) judge(got reading, subject string, written *Clause) []Violation {
	if got.bad != nil {
		clause := n.nearest(got.bad)
		if written != nil && len(got.bad) == 0 {
			clause = written
		}
		why := got.why
		if why == "" {
			why = "cannot be read as what the document says: " + wanted(clause)
		}
		return []Violation{{Clause: clause, Message: where(subject, got.bad) + ": " + why, Leave: got.spare}}
	}
	broken := n.Check(got.v, subject)
	if len(broken) == 0 && got.leave != "" {
		return []Violation{{Clause: n.nearest(got.at), Message: where(subject, got.at) + " is written in a way that receivers read differently", Leave: got.leave}}
	}
	return broken
}

// leaveEmpty says why a receiver may take an absent body for an empty one: where
// the request has a Content-Type under which no bytes at all are a value.
func (op *Operation) leaveEmpty(r *wire.Request) string {
	key, err := op.Body.types.Select(r.Get("Content-Type"))
	if err != nil {
		return ""
	}
	i := slices.IndexFunc(op.Body.Media, func(m *Media) bool { return m.Key == key })
	m := op.Body.Media[i]
	if (m.Form == Text || m.Form == Bytes) && (m.Node == nil || op.Contract.verdict(m.Node.Schema, "")) {
		return leaveEmptyBody
	}
	return ""
}

func (op *Operation) checkBody(r *wire.Request) []Violation {
	if op.Body == nil {
		return nil // OpenAPI does not say what becomes of a body that is not documented
	}
	if len(r.Body) == 0 {
		if op.Body.Spec.Required {
			return []Violation{{Clause: op.Body.Presence, Message: "the body is missing", Leave: op.leaveEmpty(r)}}
		}
		return nil
	}
	var broken []Violation
	if coding := r.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		broken = append(broken, Violation{Clause: op.Body.MediaType, Message: "the body has the content coding " + coding, Leave: leaveCoding})
	}
	types := r.Values("Content-Type")
	switch {
	case len(types) == 0, len(types) == 1 && strings.TrimSpace(types[0]) == "":
		return append(broken, Violation{Clause: op.Body.MediaType, Message: "the body has no Content-Type", Leave: leaveNoType})
	case len(types) > 1:
		return append(broken, Violation{Clause: op.Body.MediaType, Message: "there are several Content-Type lines", Leave: leaveRepeated})
	}
	key, err := op.Body.types.Select(types[0])
	if err != nil {
		return append(broken, Violation{Clause: op.Body.MediaType, Message: err.Error()})
	}
	i := slices.IndexFunc(op.Body.Media, func(m *Media) bool { return m.Key == key })
	media := op.Body.Media[i]
	got, unread := op.readBody(media, r.Body, types[0])
	broken = append(broken, unread...)
	if media.Node == nil || !got.found {
		return broken
	}
	if media.Form == XML {
		return append(broken, media.judgeXML(got, true)...)
	}
	return append(broken, media.Node.judge(got, "", nil)...)
}
