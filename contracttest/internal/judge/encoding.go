package judge

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// codings lists the content codings of the body in the order in which they were
// applied, without identity, which is none.
func (e *Exchange) codings() []string { return codings(e.Response) }

func codings(resp *wire.Response) []string {
	var all []string
	for _, value := range resp.Header["Content-Encoding"] {
		for coding := range strings.SplitSeq(value, ",") {
			if coding = strings.ToLower(strings.TrimSpace(coding)); coding != "" && coding != "identity" {
				all = append(all, coding)
			}
		}
	}
	return all
}

// content returns the response with its body as it was before coding. Where the
// bytes are not in the coding that they are said to be in, the error says so,
// and the response is as it came.
func (e *Exchange) content() (*wire.Response, error) { return Content(e.Response) }

// Content is a response with its body as it was before coding, or as it came, with
// the reason why it cannot be decoded.
func Content(resp *wire.Response) (*wire.Response, error) {
	codings := codings(resp)
	if len(codings) == 0 || len(resp.Body) == 0 || resp.BodyErr != nil {
		return resp, nil
	}
	if resp.Open { // nor can the last of its bytes
		return resp, wire.ErrUndecodable
	}
	body := resp.Body
	for _, coding := range slices.Backward(codings) {
		plain, err := wire.Decode(coding, body)
		if err != nil {
			return resp, err
		}
		body = plain
	}
	plain := *resp
	plain.Body = body
	return &plain, nil
}

// legible is content for a check that looks into the body; nil where nobody can.
func (e *Exchange) legible() *wire.Response {
	resp, err := e.content()
	if errors.Is(err, wire.ErrUndecodable) {
		return nil
	}
	return resp
}

// text is the body as messages show it.
func (e *Exchange) text() []byte {
	if resp := e.legible(); resp != nil {
		return resp.Body
	}
	return []byte("(in " + strings.Join(e.codings(), ", ") + ")")
}

// acceptable reports whether the request takes a coding (RFC 9110 §12.5.3): one
// that does not say takes any, but for those that were sent asking for none.
func (e *Exchange) acceptable(coding string) bool {
	values := e.Request.Values("Accept-Encoding")
	if len(values) == 0 {
		return !e.Response.Identity
	}
	others := false // what * says
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, params, _ := strings.Cut(strings.ToLower(item), ";")
		weight := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			if w, err := strconv.ParseFloat(q, 64); err == nil {
				weight = w
			}
		}
		switch strings.TrimPrefix(strings.TrimSpace(name), "x-") {
		case strings.TrimPrefix(coding, "x-"):
			return weight > 0
		case "*":
			others = weight > 0
		}
	}
	return others
}

func responseEncoding(e *Exchange) []Finding {
	if e.Response == nil || e.Response.Unseen {
		return nil
	}
	codings := e.codings()
	if len(codings) == 0 {
		return nil
	}
	if len(e.Response.Body) == 0 {
		return e.codedNothing(codings)
	}
	doc := e.Documented()
	documented := doc != nil && slices.ContainsFunc(doc.Headers, func(h *contract.Header) bool {
		return strings.EqualFold(h.Name, "Content-Encoding")
	})
	said := strings.Join(codings, ", ")
	var wrong []string
	if !documented && slices.ContainsFunc(codings, func(c string) bool { return !e.acceptable(c) }) {
		asked := "identity"
		if values := e.Request.Values("Accept-Encoding"); len(values) > 0 {
			asked = strings.Join(values, ", ")
		}
		wrong = append(wrong, fmt.Sprintf("the body is in %s, but the request asks for Accept-Encoding: %s (RFC 9110 §12.5.3)", said, asked))
	}
	if _, err := e.content(); err != nil && !errors.Is(err, wire.ErrUndecodable) {
		wrong = append(wrong, fmt.Sprintf("the Content-Encoding says %s, but the body is not: %s", said, err))
	}
	if len(wrong) == 0 {
		return nil
	}
	return []Finding{{
		Clause: e.bodyClause(), Message: clip([]byte(status(e.Response.Status) + ": " + strings.Join(wrong, "; "))),
		Expected: "a body in a coding that the request accepts", Actual: clip([]byte("Content-Encoding: " + said)),
	}}
}

// codedNothing reports a body of no bytes that is said to be in a coding: not one of
// those that are decoded here makes no bytes of anything. Where there can be no body,
// the field says what another answer would be in.
func (e *Exchange) codedNothing(codings []string) []Finding {
	if e.bodyless() || e.Response.BodyErr != nil || e.Response.Open || slices.ContainsFunc(codings, wire.Opaque) {
		return nil
	}
	said := strings.Join(codings, ", ")
	return []Finding{{
		Clause: e.bodyClause(), Message: clip([]byte(fmt.Sprintf("%s: the Content-Encoding says %s, but there is no body (RFC 9110 §8.4)", status(e.Response.Status), said))),
		Expected: "no Content-Encoding without a body", Actual: clip([]byte("Content-Encoding: " + said)),
	}}
}
