package mock

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// choice is which answer of an operation it is.
type choice struct {
	response *contract.Response
	media    *contract.Media // nil: no body
	status   int
	example  string // its name; empty: any
	dynamic  int    // the number of a made value; 0: an example where there is one
}

// errNothing is why there is no answer: nothing that is made keeps the document.
var errNothing = errors.New("no response can be made that keeps the document")

var errNotAcceptable = errors.New("the document has no media type that the request accepts")

// successes lists the statuses that a request which keeps the document may get, the likeliest
// first.
func successes(op *contract.Operation) []int {
	var all, others, last []int
	for _, r := range op.Responses {
		code, err := strconv.Atoi(r.Key)
		switch {
		case err != nil && r.Key == "default":
			others = append(others, http.StatusOK)
		case err != nil: // a range
			code = int(r.Key[0]-'0') * 100
			if code == 300 {
				code = http.StatusFound
			}
		}
		switch {
		case code == http.StatusPartialContent, code == http.StatusNotModified: // for those who ask for it
			last = append(last, code)
		case code/100 == 2:
			all = append(all, code)
		case code >= 300:
			others = append(others, code)
		}
	}
	slices.Sort(all)
	slices.SortStableFunc(others, func(a, b int) int { return cmp.Compare(a/100, b/100) })
	switch {
	case len(all) > 0:
		return all
	case len(others) > 0:
		return others
	case len(last) > 0:
		return last
	}
	return []int{http.StatusOK}
}

// answers makes answers, and remembers them.
type answers struct {
	mu    sync.Mutex
	made  map[choice]made
	maker *value.Maker
	// atEdges are values at the edges of the schemas for which made ones were wanted.
	atEdges map[*contract.Node][]any
}

type made struct {
	answer  *wire.Response
	example string // that it is
	err     error
}

// maxAnswers is how many answers are remembered.
const maxAnswers = 4096

// of returns the answer that is chosen. Nobody may change it.
func (a *answers) of(c choice) (*wire.Response, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	got, ok := a.made[c]
	if !ok {
		got = a.make(c)
		if a.made == nil || len(a.made) >= maxAnswers {
			a.made = map[choice]made{}
		}
		a.made[c] = got
	}
	return got.answer, got.example, got.err
}

// with calls f with what makes values, which one at a time uses.
func (a *answers) with(f func(*value.Maker)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f(a.maker)
}

func (a *answers) make(c choice) made {
	var found made
	why := errNothing
	for name, v := range a.values(c) {
		body, label, err := written(c.media, v)
		if err != nil {
			why = err
			continue
		}
		resp := &wire.Response{Status: c.status, Header: http.Header{"Content-Type": {label}}, Body: body}
		if broken := c.response.CheckBody(c.media, resp); len(broken) > 0 {
			why = fmt.Errorf("%w: %s", errNothing, broken[0].Message)
			continue
		}
		found = made{answer: resp, example: name}
		break
	}
	switch {
	case c.media == nil || bodyless(c.status):
		found.answer = &wire.Response{Status: c.status, Header: http.Header{}}
	case found.answer == nil:
		return made{err: why}
	}
	a.heads(c.response, found.answer)
	return found
}

// bodyless reports whether an answer cannot have a body (RFC 9110 §6.4.1).
func bodyless(status int) bool {
	return status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified
}

// How many values of a schema are tried, and how many a request can get that wants made ones.
const (
	maxOthers = 16
	maxEdges  = 256
)

// values yields the values that the body may have, the likeliest first, each with the name of the
// example that it is.
func (a *answers) values(c choice) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if c.media == nil {
			return
		}
		if c.dynamic == 0 {
			for name, v := range examples(c.media.Spec.Example, c.media.Spec.Examples) {
				if (c.example == "" || c.example == name) && !yield(name, v) {
					return
				}
			}
		}
		if c.media.Node == nil {
			yield("", placeholder{})
			return
		}
		for v := range a.ofNode(c.media.Node, c.dynamic) {
			if !yield("", v) {
				return
			}
		}
	}
}

// ofNode yields values of a schema: the plainest first, or where dynamic is not 0 another one.
func (a *answers) ofNode(n *contract.Node, dynamic int) iter.Seq[any] {
	return func(yield func(any) bool) {
		if dynamic > 0 {
			all := a.edges(n)
			for i := range all {
				if !yield(all[(dynamic+i)%len(all)]) {
					return
				}
			}
		}
		if g, err := a.maker.Good(n); err == nil && !yield(value.Plain(g.V)) {
			return
		}
		for _, g := range a.maker.Others(n, maxOthers) {
			if !yield(value.Plain(g.V)) {
				return
			}
		}
	}
}

// edges lists values at the edges of a schema, some of those that there are.
func (a *answers) edges(n *contract.Node) []any {
	all, ok := a.atEdges[n]
	if !ok {
		for e := range plan.Edges(a.maker, n, nil, value.InBody) {
			if e.Leave == "" {
				all = append(all, e.Value)
			}
			if len(all) >= maxEdges {
				break
			}
		}
		if a.atEdges == nil {
			a.atEdges = map[*contract.Node][]any{}
		}
		a.atEdges[n] = all
	}
	return all
}

// examples yields the documented examples with their names.
func examples(one any, more openapi3.Examples) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		if one != nil && !yield("", one) {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(more)) {
			if ref := more[name]; ref != nil && ref.Value != nil && ref.Value.Value != nil && !yield(name, ref.Value.Value) {
				return
			}
		}
	}
}

// placeholder stands for the value of a body of which the document says nothing.
type placeholder struct{}

// written writes a value as a body. An example of XML or a form may be the text itself.
func written(m *contract.Media, v any) (body []byte, label string, err error) {
	label = m.Label()
	text, isText := v.(string)
	switch {
	case v == placeholder{}:
		return nothing(m, label)
	case isText && m.Form != codec.JSON && m.Form != codec.Multipart:
		return []byte(text), label, nil
	case strings.HasPrefix(label, "text/event-stream") && m.Form != codec.Text:
		items, isList := v.([]any)
		if !isList {
			items = []any{v}
		}
		for _, item := range items {
			text, err := codec.WriteJSON(item)
			if err != nil {
				return nil, "", err
			}
			body = append(append(append(body, "data: "...), text...), "\n\n"...)
		}
		return body, label, nil
	}
	body, label, err = m.Write(v, func(*contract.PartHeader) (any, bool) { return nil, false })
	if errors.Is(err, contract.ErrNotWritten) { // nothing says how: as JSON
		body, err = codec.WriteJSON(v)
		label = m.Label()
	}
	return body, label, err
}

// nothing is a body of which the document says no more than its media type.
func nothing(m *contract.Media, label string) ([]byte, string, error) {
	switch {
	case m.Form == codec.JSON:
		return []byte("{}"), label, nil
	case m.Form == codec.Multipart:
		return m.Write(map[string]any{"part": "text"}, func(*contract.PartHeader) (any, bool) { return nil, false })
	case strings.Contains(label, "xml"):
		return []byte("<root/>"), label, nil
	case m.Form == codec.URLEncoded:
		return []byte("name=value"), label, nil
	}
	return []byte("text"), label, nil
}

// ofConnection are fields that say how a message travels, which is no matter of a document.
var ofConnection = []string{
	"Connection", "Content-Encoding", "Content-Length", "Content-Range", "Date", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// heads adds the documented header fields, each with a value that keeps its schema. One that
// need not be there is left out where no such value can be sent.
func (a *answers) heads(r *contract.Response, resp *wire.Response) {
	for _, h := range r.Headers {
		name := http.CanonicalHeaderKey(h.Name)
		if slices.Contains(ofConnection, name) {
			continue
		}
		for text := range a.texts(h, name, resp) {
			resp.Header.Set(name, text)
			if h.Check(resp) == nil {
				break
			}
			resp.Header.Del(name)
		}
	}
}

// texts yields what a header field may be, the likeliest first.
func (a *answers) texts(h *contract.Header, name string, resp *wire.Response) iter.Seq[string] {
	return func(yield func(string) bool) {
		take := func(v any) bool {
			text, err := h.Write(v)
			return err != nil || !sendable(text) || yield(text)
		}
		if name == "Etag" && !take(etag(resp.Body)) || name == "Accept-Ranges" && !take("bytes") {
			return
		}
		for _, v := range examples(h.Spec.Example, h.Spec.Examples) {
			if !take(v) {
				return
			}
		}
		if (name == "Last-Modified" || name == "Expires") && !take("Thu, 01 Jan 2026 00:00:00 GMT") {
			return
		}
		for v := range a.ofNode(h.Node, 0) {
			if !take(v) {
				return
			}
		}
	}
}

// etag is a strong validator of a body.
func etag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
}

// sendable reports whether a text can be the value of a header field as it is (RFC 9110 §5.5).
func sendable(text string) bool {
	return text == strings.Trim(text, " \t") && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r > '~' })
}

// first lists the documented media types of a response, those first that a request wants most.
// Those that it does not want are left out.
func first(r *contract.Response, want func(label string) float64) []*contract.Media {
	var all []*contract.Media
	for _, m := range r.Media {
		if want(m.Label()) > 0 {
			all = append(all, m)
		}
	}
	slices.SortStableFunc(all, func(a, b *contract.Media) int { return cmp.Compare(want(b.Label()), want(a.Label())) })
	return all
}
