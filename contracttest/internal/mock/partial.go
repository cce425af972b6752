package mock

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/internal/mediatype"
)

// partial is what a request gets of an answer that asks for it in a coding, only if it has changed,
// or for a part: each where the document has it.
func (s *Server) partial(op *contract.Operation, req *wire.Request, out reply) reply {
	if op.Method != http.MethodGet || out.Status != http.StatusOK || len(out.Body) == 0 {
		return out
	}
	encode(op.Response(http.StatusOK), req, out.Response)
	if exactly(op, http.StatusNotModified) && unchanged(req, out.Header) {
		return s.notModified(op, out)
	}
	if exactly(op, http.StatusPartialContent) {
		return s.part(op, req, out)
	}
	return out
}

// encode puts a body into a content coding that the document has and the request accepts.
func encode(doc *contract.Response, req *wire.Request, resp *wire.Response) {
	i := -1
	if doc != nil {
		i = slices.IndexFunc(doc.Headers, func(h *contract.Header) bool { return strings.EqualFold(h.Name, "Content-Encoding") })
	}
	if i < 0 {
		return
	}
	resp.Header.Add("Vary", "Accept-Encoding")
	fields := req.Values("Accept-Encoding")
	plain := weight(fields, "identity")
	best, coded := 0.0, *resp
	for _, c := range wire.Codings {
		q := weight(fields, c.Name)
		if len(fields) == 0 && doc.Headers[i].Presence != nil {
			q = 1
		}
		if q <= best || q < plain {
			continue
		}
		with := *resp
		with.Header = resp.Header.Clone()
		with.Header.Set("Content-Encoding", c.Name)
		if tag := resp.Header.Get("ETag"); tag != "" { // each coding has its own (RFC 9110 §8.8.3.3)
			with.Header.Set("ETag", strings.TrimSuffix(tag, `"`)+"-"+c.Name+`"`)
		}
		body, err := wire.Encode(c.Name, resp.Body)
		if with.Body = body; err == nil && len(doc.CheckHeaders(&with)) == 0 {
			best, coded = q, with
		}
	}
	*resp = coded
}

// weight is how much a request wants a content coding, from 0 to 1 (RFC 9110 §12.5.3): one that it
// does not name not at all.
func weight(fields []string, coding string) float64 {
	others := 0.0
	for _, item := range mediatype.List(strings.Join(fields, ",")) {
		name, params, _ := strings.Cut(strings.ToLower(item), ";")
		q := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(text, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		switch name = strings.TrimSpace(name); {
		case name == coding:
			return q
		case name == "*" && coding != "identity":
			others = q
		}
	}
	return others
}

// uncoded is an entity tag as it is without a coding.
func uncoded(tag string) string {
	for _, c := range wire.Codings {
		if plain, ok := strings.CutSuffix(tag, "-"+c.Name+`"`); ok {
			return plain + `"`
		}
	}
	return tag
}

// unchanged reports whether a request has already what the answer is (RFC 9110 §13.1.2, §13.1.3).
func unchanged(req *wire.Request, header http.Header) bool {
	opaque := func(tag string) string { return strings.TrimPrefix(strings.TrimSpace(tag), "W/") }
	if fields := req.Values("If-None-Match"); len(fields) > 0 {
		mine := header.Get("ETag")
		return slices.ContainsFunc(mediatype.List(strings.Join(fields, ",")), func(tag string) bool {
			return opaque(tag) == "*" || mine != "" && opaque(tag) == opaque(mine)
		})
	}
	since, err := http.ParseTime(req.Get("If-Modified-Since"))
	changed, none := http.ParseTime(header.Get("Last-Modified"))
	return err == nil && none == nil && !changed.After(since)
}

// ofContent are the fields of an answer that a 304 has too (RFC 9110 §15.4.5).
var ofContent = []string{"Cache-Control", "Content-Location", "Date", "Etag", "Expires", "Last-Modified", "Vary"}

func (s *Server) notModified(op *contract.Operation, out reply) reply {
	doc := op.Response(http.StatusNotModified)
	resp, _, err := s.copied(choice{response: doc, status: http.StatusNotModified})
	if err != nil {
		return out
	}
	for _, name := range ofContent {
		if values := out.Header.Values(name); len(values) > 0 {
			resp.Header[name] = values
		}
	}
	if len(doc.CheckHeaders(resp)) > 0 {
		return out
	}
	out.Response = resp
	return out
}

// part answers with the one part that is asked for (RFC 9110 §14.2). Several are not sent.
func (s *Server) part(op *contract.Operation, req *wire.Request, out reply) reply {
	text, inBytes := strings.CutPrefix(req.Get("Range"), "bytes=")
	if now := req.Get("If-Range"); !inBytes || now != "" && now != out.Header.Get("ETag") {
		return out
	}
	size := len(out.Body)
	from, to, ok := bounds(strings.TrimSpace(text), size)
	switch {
	case !ok:
		return out
	case from >= size:
		if exactly(op, http.StatusRequestedRangeNotSatisfiable) {
			out.note = "there is no such part"
			out.Response = s.refused(op, http.StatusRequestedRangeNotSatisfiable, out.note)
			out.Header.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		}
		return out
	}
	doc := op.Response(http.StatusPartialContent)
	resp := &wire.Response{Status: http.StatusPartialContent, Header: http.Header{}, Body: out.Body[from : to+1]}
	s.answers.with(func(*value.Maker) { s.answers.heads(doc, resp) })
	maps.Copy(resp.Header, out.Header)
	resp.Header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, size))
	if _, err := doc.Select(resp.Header.Get("Content-Type")); err != nil && len(doc.Media) > 0 || len(doc.CheckHeaders(resp)) > 0 {
		return out
	}
	out.Response = resp
	return out
}

// bounds reads one range of so many bytes; from is size or more where it has none of them.
func bounds(text string, size int) (from, to int, ok bool) {
	first, last, ok := strings.Cut(text, "-")
	if !ok || first == "" && last == "" {
		return 0, 0, false
	}
	number := func(text string) (int, bool) {
		n, err := strconv.ParseUint(text, 10, 31)
		return int(n), err == nil
	}
	if first == "" {
		n, ok := number(last)
		if n == 0 {
			return size, size, ok
		}
		return max(0, size-n), size - 1, ok
	}
	if from, ok = number(first); !ok || last == "" {
		return from, size - 1, ok
	}
	n, ok := number(last)
	return from, min(n, size-1), ok && n >= from
}
