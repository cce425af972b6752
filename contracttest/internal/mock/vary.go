package mock

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/big"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Edge is a documented answer at an edge of one of its clauses, which it keeps.
type Edge struct {
	Clause   *contract.Clause
	Label    string
	Response *wire.Response
	// Also are further clauses that the same answer is at an edge of.
	Also []*contract.Clause
	// Leave says why a client may fail at it all the same; empty where it may not.
	Leave  string
	manner manner
}

// Name is the name of the clause and the label.
func (e *Edge) Name() string { return e.Clause.Name + "#" + e.Label }

// manner is how an answer is sent.
type manner int

const (
	plainly manner = iota
	inChunks
	inPieces // chunks that end within characters
	inGzip
	inDeflate
	slowly
	closing    // the connection
	lowerCased // names of header fields
	interim    // another answer comes first
	unbounded  // the body ends with the connection
	trailing   // fields come behind the body
	dateless   // as of a server without a clock (RFC 9110 §6.6.1)
	reasonless // the status line ends with the status (RFC 9112 §4)
)

// maxVaried bounds the edges of one operation.
const maxVaried = 2000

const leaveBeyond = "RFC 8259 §6: an implementation may set limits on the range of numbers, and integers beyond 64 bits are rarely taken"

// Edges lists the answers of an operation at the edges of their clauses, as far as a request takes
// them: in the media types of its Accept and the content codings of its Accept-Encoding.
func (s *Server) Edges(op *contract.Operation, req *wire.Request) []*Edge {
	v := &variety{s: s, want: accepted(req.Values("Accept")), codings: req.Values("Accept-Encoding")}
	v.random = rand.New(rand.NewPCG(uint64(s.opts.Seed), uint64(op.Index))) //nolint:gosec // the same for a seed
	for _, r := range op.Responses {
		for _, status := range statusesOf(r) {
			v.response(op, r, status)
		}
	}
	return v.all
}

// statusesOf are those that stand for a documented response: of a range and the default some.
func statusesOf(r *contract.Response) []int {
	code, err := strconv.Atoi(r.Key)
	switch {
	case err == nil && (code/100 == 2 || code >= 400 && code < 600):
		return []int{code}
	case err == nil:
		return nil // redirects are followed, and what is interim is none of an answer
	case r.Key == "default":
		return []int{http.StatusInternalServerError, http.StatusTeapot}
	}
	switch r.Key[0] {
	case '2':
		return []int{http.StatusOK, http.StatusAccepted}
	case '4':
		return []int{http.StatusBadRequest, http.StatusTeapot}
	case '5':
		return []int{http.StatusInternalServerError, http.StatusServiceUnavailable}
	}
	return nil
}

// takes reports whether a request takes a content coding by its name (RFC 9110 §12.5.3).
func takes(fields []string, name string) bool {
	for one := range strings.SplitSeq(strings.Join(fields, ","), ",") {
		coding, q, _ := strings.Cut(strings.TrimSpace(one), ";")
		weight, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(q), "q="), 64)
		if strings.EqualFold(strings.TrimSpace(coding), name) {
			return q == "" || err != nil || weight > 0
		}
	}
	return false
}

// variety gathers edges.
type variety struct {
	s       *Server
	want    func(string) float64
	codings []string // the Accept-Encoding of the request
	all     []*Edge
	// random chooses which edges go together.
	random *rand.Rand
}

func (v *variety) add(c *contract.Clause, label, leave string, resp *wire.Response, m manner) *Edge {
	e := &Edge{Clause: c, Label: label, Response: resp, Leave: leave, manner: m}
	if len(v.all) < maxVaried {
		v.all = append(v.all, e)
	}
	return e
}

// response adds the edges of one documented response.
func (v *variety) response(op *contract.Operation, r *contract.Response, status int) {
	media := first(r, v.want)
	if len(r.Media) == 0 || bodyless(status) {
		media = []*contract.Media{nil}
	}
	for i, m := range media {
		usual, _, err := v.s.copied(choice{response: r, media: m, status: status})
		if err != nil {
			continue
		}
		usual = v.full(r, m, usual)
		about := r.MediaType
		if m == nil {
			about = r.NoBody
		}
		if about == nil {
			about = op.StatusClause
		}
		label := "status-" + strconv.Itoa(status)
		if m != nil {
			label += "-" + m.Label()
		}
		first := v.add(about, label, "", usual, plainly)
		first.Also = append(first.Also, op.StatusClause)
		if m != nil && m.Node != nil {
			v.body(r, m, first)
		}
		if i == 0 {
			v.forms(about, label, m, usual)
			v.heads(r, usual, first)
		}
	}
}

// full is an answer whose body has all that the schema describes, so that what is absent from others
// shows; as it is where there is none.
func (v *variety) full(r *contract.Response, m *contract.Media, usual *wire.Response) *wire.Response {
	if m == nil || m.Node == nil {
		return usual
	}
	var whole any
	var err error
	v.s.answers.with(func(maker *value.Maker) { whole, err = plan.Full(maker, m.Node) })
	if err != nil {
		return usual
	}
	body, label, err := written(m, whole)
	if err != nil {
		return usual
	}
	resp := again(usual)
	resp.Body = body
	resp.Header.Set("Content-Type", label)
	if len(r.CheckBody(m, resp)) > 0 {
		return usual
	}
	return resp
}

// body adds bodies at the edges of their schema, some at two edges at once, and in other spellings.
func (v *variety) body(r *contract.Response, m *contract.Media, usual *Edge) {
	seen := map[string]*Edge{string(usual.Response.Body): usual}
	add := func(c *contract.Clause, name, leave string, body []byte, label string) {
		if before := seen[string(body)]; before != nil {
			before.Also = append(before.Also, c)
			return
		}
		resp := again(usual.Response)
		resp.Body = body
		resp.Header.Set("Content-Type", label)
		if len(r.CheckBody(m, resp)) == 0 {
			seen[string(body)] = v.add(c, name, leave, resp, plainly)
		}
	}
	var edges []plan.Edge
	at := func(e plan.Edge, name string) {
		body, label, err := written(m, e.Value)
		if err != nil {
			return
		}
		leave := e.Leave
		if leave == "" && beyond(e.Value) {
			leave = leaveBeyond
		}
		add(e.Clause, name, leave, body, label)
	}
	v.s.answers.with(func(maker *value.Maker) {
		whole, err := plan.Full(maker, m.Node)
		if err != nil {
			return
		}
		for e := range plan.Edges(maker, m.Node, whole, value.InBody) {
			if at(e, e.Label); len(v.all) >= maxVaried {
				return
			}
			edges = append(edges, e)
		}
		if len(edges) > maxTwice {
			return
		}
		for i := range twice {
			first := edges[v.random.IntN(len(edges))]
			both := slices.Collect(plan.Edges(maker, m.Node, first.Value, value.InBody))
			if len(both) == 0 || first.Leave != "" {
				continue
			}
			e := both[v.random.IntN(len(both))]
			at(e, fmt.Sprintf("%s-with-%s-%s-%d", e.Label, strings.TrimPrefix(first.Clause.Name, first.Clause.Operation+"/"), first.Label, i+1))
		}
	})
	if m.Form == codec.JSON && m.Syntax != nil {
		typed := usual.Response.Header.Get("Content-Type")
		var indented bytes.Buffer
		if json.Indent(&indented, usual.Response.Body, "\r\n", "\t") == nil {
			add(m.Syntax, "indented", "", fmt.Appendf(nil, " \n%s\n ", indented.Bytes()), typed)
		}
		add(m.Syntax, "escaped", "", []byte(escapedJSON(string(usual.Response.Body))), typed)
		if e := v.foreign(usual.Response.Status); e != nil {
			add(m.Syntax, "escaped-to-ascii", e.Leave, asciiJSON(e.Response.Body), typed)
		}
		if v, err := codec.DecodeJSON(usual.Response.Body); err == nil {
			add(m.Syntax, "members-in-another-order", "", backwards(v), typed)
		}
	}
}

// backwards writes a value with the members of its objects in the other order than that of their names
// (RFC 8259 §4: objects have none).
func backwards(v any) []byte {
	var b bytes.Buffer
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		for i, name := range slices.Backward(slices.Sorted(maps.Keys(v))) {
			fmt.Fprintf(&b, "%s:%s", backwards(name), backwards(v[name]))
			if i > 0 {
				b.WriteByte(',')
			}
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			b.Write(backwards(item))
		}
		b.WriteByte(']')
	default:
		text, err := codec.WriteJSON(v)
		if err != nil {
			return nil
		}
		return text
	}
	return b.Bytes()
}

// How many bodies are at two edges at once, and of how many edges at most.
const (
	twice    = 8
	maxTwice = 400
)

// escapedJSON is a JSON text with a letter of each string as an escape (RFC 8259 §7).
func escapedJSON(text string) string {
	var b strings.Builder
	inside := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			b.WriteByte(c)
			i++
			c = text[i]
			b.WriteByte(c)
			continue
		case c == '"':
			inside = !inside
			b.WriteByte(c)
			if next := i + 1; inside && next < len(text) && (text[next] >= 'a' && text[next] <= 'z' || text[next] >= 'A' && text[next] <= 'Z') {
				fmt.Fprintf(&b, "\\u%04x", text[next])
				i++
			}
			continue
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// asciiJSON is a JSON text with escapes for slashes and for all that is not ASCII, as many libraries write it.
func asciiJSON(text []byte) []byte {
	var b []byte
	for _, r := range string(text) {
		switch {
		case r == '/':
			b = append(b, `\/`...)
		case r < utf8.RuneSelf:
			b = utf8.AppendRune(b, r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				b = fmt.Appendf(b, "\\u%04X", unit)
			}
		}
	}
	return b
}

// foreign is the edge of a status whose body has the characters of most bytes; nil where all are ASCII.
func (v *variety) foreign(status int) *Edge {
	var found *Edge
	most := 1
	for _, e := range v.all {
		if e.Response.Status != status {
			continue
		}
		for _, r := range string(e.Response.Body) {
			if n := utf8.RuneLen(r); n > most {
				found, most = e, n
			}
		}
	}
	return found
}

// beyond reports whether there is an integer in a value that 64 bits do not hold.
func beyond(v any) bool {
	switch v := v.(type) {
	case json.Number:
		i, ok := new(big.Int).SetString(v.String(), 10)
		return ok && !i.IsInt64()
	case []any:
		return slices.ContainsFunc(v, beyond)
	case map[string]any:
		for _, member := range v {
			if beyond(member) {
				return true
			}
		}
	}
	return false
}

// forms adds the same answer in the ways in which HTTP may bring it.
func (v *variety) forms(c *contract.Clause, label string, m *contract.Media, usual *wire.Response) {
	v.add(c, label+"-header-names-in-lower-case", "", usual, lowerCased)
	v.add(c, label+"-connection-closed", "", usual, closing)
	v.add(c, label+"-after-early-hints", "", usual, interim)
	v.add(c, label+"-without-a-date", "", usual, dateless)
	v.add(c, label+"-without-a-reason", "", usual, reasonless)
	if m == nil || len(usual.Body) == 0 {
		if !bodyless(usual.Status) {
			v.add(c, label+"-no-body-in-chunks", "", usual, inChunks)
		}
		return
	}
	v.add(c, label+"-in-chunks", "", usual, inChunks)
	v.add(c, label+"-in-chunks-with-a-trailer", "", usual, trailing)
	v.add(c, label+"-until-the-connection-is-closed", "", usual, unbounded)
	v.add(c, label+"-slow", "", usual, slowly)
	if takes(v.codings, "gzip") {
		v.add(c, label+"-in-gzip", "", usual, inGzip)
	}
	if takes(v.codings, "deflate") {
		v.add(c, label+"-in-deflate", "", usual, inDeflate)
	}
	if e := v.foreign(usual.Status); e != nil {
		v.add(c, label+"-in-chunks-that-end-within-characters", e.Leave, e.Response, inPieces)
	}
	typed := usual.Header.Get("Content-Type")
	spellings := map[string]string{"-type-in-upper-case": strings.ToUpper(typed)}
	if strings.Contains(typed, "json") && !strings.Contains(typed, ";") { // RFC 8259 §11: a charset says nothing of JSON
		spellings["-with-charset"] = typed + "; charset=utf-8"
		spellings["-with-charset-in-quotes"] = typed + `;charset="UTF-8"`
	}
	if strings.Contains(typed, "=") { // the values of parameters may be in one case alone
		delete(spellings, "-type-in-upper-case")
	}
	for _, suffix := range []string{"-type-in-upper-case", "-with-charset", "-with-charset-in-quotes"} {
		if spelling, ok := spellings[suffix]; ok {
			resp := again(usual)
			resp.Header.Set("Content-Type", spelling)
			v.add(c, label+suffix, "", resp, plainly)
		}
	}
}

// heads adds documented header fields: absent where they may be, and at the edges of their schemas.
func (v *variety) heads(r *contract.Response, usual *wire.Response, first *Edge) {
	for _, h := range r.Headers {
		name := http.CanonicalHeaderKey(h.Name)
		if slices.Contains(ofConnection, name) || len(usual.Header[name]) == 0 {
			continue
		}
		if h.Presence != nil {
			first.Also = append(first.Also, h.Presence)
		} else {
			resp := again(usual)
			resp.Header.Del(name)
			if c := h.Node.Clause("type"); c != nil {
				v.add(c, "absent", "", resp, plainly)
			}
		}
		v.s.answers.with(func(m *value.Maker) {
			for e := range plan.Edges(m, h.Node, nil, value.InHeader) {
				text, err := h.Write(e.Value)
				if err != nil || !sendable(text) || text == "" {
					continue
				}
				resp := again(usual)
				resp.Header.Set(name, text)
				if len(h.Check(resp)) > 0 {
					continue
				}
				leave := e.Leave
				if leave == "" && beyond(e.Value) {
					leave = leaveBeyond
				}
				v.add(e.Clause, e.Label, leave, resp, plainly)
			}
		})
	}
}

// slowness is how long a slow answer takes between the halves of its body.
const slowness = 20 * time.Millisecond

// announce sends what comes before an answer in its manner. A client of HTTP/1.0 knows no such thing
// (RFC 9110 §15.2).
func (e *Edge) announce(w http.ResponseWriter, r *http.Request) {
	if e.manner == interim && r.ProtoAtLeast(1, 1) {
		w.WriteHeader(http.StatusEarlyHints)
	}
}

// sendAs sends the body of an answer in its manner.
func (e *Edge) sendAs(w http.ResponseWriter, r *http.Request, out *wire.Response) {
	header, body := w.Header(), out.Body
	header.Set("Contract-Edge", escaped(strings.TrimPrefix(e.Name(), e.Clause.Operation+"/")))
	switch e.manner {
	case inGzip, inDeflate:
		var b bytes.Buffer
		coding, z := "gzip", io.WriteCloser(gzip.NewWriter(&b))
		if e.manner == inDeflate {
			coding, z = "deflate", zlib.NewWriter(&b) // (RFC 9110 §8.4.1.2)
		}
		_, _ = z.Write(body) // to memory
		_ = z.Close()
		body = b.Bytes()
		header.Set("Content-Encoding", coding)
		header.Add("Vary", "Accept-Encoding")
		header.Set("Content-Length", strconv.Itoa(len(body)))
	case inChunks, inPieces, trailing:
		header.Del("Content-Length")
	case dateless:
		header["Date"] = nil
	case reasonless:
		if withoutReason(w, r, out) {
			return
		}
	case unbounded:
		header.Del("Content-Length")
		header.Set("Transfer-Encoding", "identity") //nolint:gosec // no length is beside it: net/http neither counts nor cuts the body
	case closing:
		header.Set("Connection", "close")
	case lowerCased:
		for name, values := range header.Clone() {
			if name != "Content-Length" && name != "Connection" && name != "Contract-Edge" {
				delete(header, name)
				header[strings.ToLower(name)] = values
			}
		}
		header["Content-Type"] = nil // it is there
	}
	w.WriteHeader(out.Status)
	if r.Method == http.MethodHead || bodyless(out.Status) {
		return
	}
	control := http.NewResponseController(w)
	switch e.manner {
	case inChunks:
		_ = control.Flush() // else the length of a short one is known
		for i := 0; i < len(body); i += max(1, len(body)/7) {
			_, _ = w.Write(body[i:min(len(body), i+max(1, len(body)/7))])
			_ = control.Flush()
		}
		return
	case inPieces:
		for piece := range pieces(body) {
			_, _ = w.Write(piece)
			_ = control.Flush()
		}
		return
	case trailing:
		_, _ = w.Write(body)
		_ = control.Flush() // else its length is known
		header.Set(http.TrailerPrefix+"Contract-Trailer", "1")
		return
	case slowly:
		_, _ = w.Write(body[:len(body)/2])
		body = body[len(body)/2:]
		_ = control.Flush()
		select {
		case <-time.After(slowness):
		case <-r.Context().Done():
		}
	}
	_, _ = w.Write(body)
}

// maxPieces is how many pieces a body is sent in at most.
const maxPieces = 64

// pieces yields the parts of a text, which end within its characters.
func pieces(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		begin := 0
		for i, n := 0, 1; i < len(text) && n < maxPieces; i++ {
			if text[i] < utf8.RuneSelf || utf8.RuneStart(text[i]) {
				continue
			}
			if !yield(text[begin:i]) {
				return
			}
			begin = i
			n++
		}
		yield(text[begin:])
	}
}

// withoutReason sends an answer whose status line has no reason phrase, which net/http always sends; false where the
// connection is not one of HTTP/1.
func withoutReason(w http.ResponseWriter, r *http.Request, out *wire.Response) bool {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return false
	}
	header := w.Header()
	header.Set("Connection", "close")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	fmt.Fprintf(buffered, "HTTP/1.1 %d \r\n", out.Status)
	_ = header.Write(buffered)
	_, _ = buffered.WriteString("\r\n")
	if r.Method != http.MethodHead && !bodyless(out.Status) {
		_, _ = buffered.Write(out.Body)
	}
	_ = errors.Join(buffered.Flush(), conn.Close()) // the client may be gone
	return true
}

// cycle gives each request to an operation the next of its edges.
func (s *Server) cycle(op *contract.Operation, req *wire.Request) *Edge {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprint(op.Index, req.Values("Accept"), req.Values("Accept-Encoding"))
	all, ok := s.varied[key]
	if !ok {
		all = s.Edges(op, req)
		if s.varied == nil || len(s.varied) >= maxAnswers {
			s.varied = map[string][]*Edge{}
		}
		s.varied[key] = all
	}
	if len(all) == 0 {
		return nil
	}
	s.turns[op.Index]++
	return all[(s.turns[op.Index]-1)%len(all)]
}
