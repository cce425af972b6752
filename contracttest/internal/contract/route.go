package contract

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A path template is taken apart segment by segment: what matches a parameter
// has no slash in it.

var pathParam = regexp.MustCompile(`\{([^{}]+)\}`)

// segment is one segment of a path template.
type segment struct {
	text  string         // as in the template, the names of parameters left out
	names []string       // of its parameters
	expr  *regexp.Regexp // nil for a literal and for one parameter alone
}

func (s *segment) alone() bool { return s.text == "{}" }

// match appends the escaped values of the segment's parameters.
func (s *segment) match(text string, values []string) ([]string, bool) {
	switch {
	case len(s.names) == 0:
		return values, s.text == canonical(text)
	case s.alone():
		return append(values, text), text != ""
	}
	m := s.expr.FindStringSubmatch(canonical(text))
	if m == nil {
		return values, false
	}
	return append(values, m[1:]...), true
}

// inSegment are the characters that stand in a segment of a path as they are (RFC 3986 §3.3), beside letters and
// digits. A slash parts segments, what follows a hash is left to sent.
const inSegment = "-._~!$&'()*+,;=:@/#"

// canonical is a path as a request has it: what it cannot hold is escaped, and what need not be escaped is not
// (RFC 3986 §6.2.2). The names of parameters stay.
func canonical(path string) string {
	plain := func(c byte) bool {
		return c < utf8.RuneSelf && (unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c)) || strings.IndexByte(inSegment, c) >= 0)
	}
	if !slices.ContainsFunc([]byte(path), func(c byte) bool { return !plain(c) }) {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch end := strings.IndexByte(path[i:], '}'); {
		case c == '{' && end > 0:
			b.WriteString(path[i : i+end+1])
			i += end
		case plain(c):
			b.WriteByte(c)
		case c != '%':
			fmt.Fprintf(&b, "%%%02X", c)
		default:
			n := min(len(path), i+3)
			switch v, err := hex.DecodeString(path[i+1 : n]); {
			case err != nil || len(v) == 0:
				b.WriteByte(c)
			case v[0] != '/' && v[0] < utf8.RuneSelf && (unicode.IsLetter(rune(v[0])) || unicode.IsDigit(rune(v[0])) || strings.IndexByte("-._~", v[0]) >= 0):
				b.WriteByte(v[0])
				i = n - 1
			default:
				b.WriteString(strings.ToUpper(path[i:n]))
				i = n - 1
			}
		}
	}
	return b.String()
}

// Template is the path without a slash at its end: /pets/{petId}/ stands for the same as /pets/{petId}.
func (op *Operation) Template() string {
	return cmp.Or(strings.TrimSuffix(op.Path, "/"), "/")
}

// compilePath takes the operation's path template apart.
func (op *Operation) compilePath() {
	for text := range strings.SplitSeq(op.Path, "/") {
		s := &segment{text: pathParam.ReplaceAllString(text, "{}")}
		var expr strings.Builder
		last := 0
		for _, loc := range pathParam.FindAllStringSubmatchIndex(text, -1) {
			expr.WriteString(regexp.QuoteMeta(text[last:loc[0]]) + "(.+?)")
			op.literal += loc[0] - last
			s.names = append(s.names, text[loc[2]:loc[3]])
			last = loc[1]
		}
		op.literal += len(text) - last + 1
		if len(s.names) > 0 && !s.alone() {
			s.expr = regexp.MustCompile("^(?s:" + expr.String() + regexp.QuoteMeta(text[last:]) + ")$")
		}
		op.names = append(op.names, s.names...)
		op.segments = append(op.segments, s)
	}
	for _, a := range op.asked {
		op.literal += len(a.fixed) + 1
	}
}

// Match returns the escaped values of the path parameters, and whether the
// escaped path (without the server's base path) is one of this operation's.
func (op *Operation) Match(path string) (map[string]string, bool) {
	var values []string
	for i, s := range op.segments {
		text, rest, more := strings.Cut(path, "/")
		if more != (i < len(op.segments)-1) {
			return nil, false
		}
		var ok bool
		if values, ok = s.match(text, values); !ok {
			return nil, false
		}
		path = rest
	}
	named := make(map[string]string, len(op.names))
	for i, name := range op.names {
		named[name] = values[i]
	}
	return named, true
}

// routes is a tree of the path templates by segment.
type routes struct {
	literal map[string]*routes
	open    []*openRoute
	ops     []*Operation // whose template ends here
}

type openRoute struct {
	segment *segment
	routes
}

func (t *routes) add(op *Operation) {
	for _, s := range op.segments {
		if len(s.names) == 0 {
			if t.literal[s.text] == nil {
				if t.literal == nil {
					t.literal = map[string]*routes{}
				}
				t.literal[s.text] = &routes{}
			}
			t = t.literal[s.text]
			continue
		}
		i := slices.IndexFunc(t.open, func(o *openRoute) bool { return o.segment.text == s.text })
		if i < 0 {
			i = len(t.open)
			t.open = append(t.open, &openRoute{segment: s})
		}
		t = &t.open[i].routes
	}
	t.ops = append(t.ops, op)
}

// match calls f for every operation that a path is one of; last is set for the
// last segment of the path.
func (t *routes) match(path string, last bool, f func(*Operation)) {
	if last {
		for _, op := range t.ops {
			f(op)
		}
		return
	}
	text, rest, more := strings.Cut(path, "/")
	if next := t.literal[canonical(text)]; next != nil {
		next.match(rest, !more, f)
	}
	for _, o := range t.open {
		if _, ok := o.segment.match(text, nil); ok {
			o.match(rest, !more, f)
		}
	}
}

// Find returns the operation that a request is for, by its target: its path under the base
// path of the document's server or under none, the most concrete template
// first. The second result tells whether the path is documented at all.
func (c *Contract) Find(method, target string) (op *Operation, known bool) {
	path, query, _ := strings.Cut(target, "?")
	least := 0
	for _, p := range c.underBase(path) {
		c.routes.match(p.path, false, func(o *Operation) {
			lacks, may := o.lacks(query)
			if !may || !p.has(o) {
				return
			}
			known = true
			if o.Method == method && (op == nil || lacks < least || lacks == least && o.before(op)) {
				op, least = o, lacks
			}
		})
		if op != nil {
			return op, true
		}
	}
	return nil, known
}

// before reports whether a path that both match is rather op's: the more
// concrete template's (OpenAPI 3.0.3, Paths Object), then the first one's.
func (op *Operation) before(other *Operation) bool {
	return op.literal > other.literal || op.literal == other.literal && op.Index < other.Index
}

// At returns the operations that a target is one of, whatever their method, those of the most concrete
// template first.
func (c *Contract) At(target string) []*Operation {
	path, query, _ := strings.Cut(target, "?")
	var all []*Operation
	for _, p := range c.underBase(path) {
		c.routes.match(p.path, false, func(o *Operation) {
			if _, may := o.lacks(query); may && p.has(o) {
				all = append(all, o)
			}
		})
		if len(all) > 0 {
			break
		}
	}
	slices.SortFunc(all, func(a, b *Operation) int { return cmp.Or(b.literal-a.literal, a.Index-b.Index) })
	return all
}

// Rival returns an operation on another template that a target of op may be taken
// for just as well or rather, or nil. Only one of the two is what a server
// looks at, so that the answer says nothing of the other.
func (op *Operation) Rival(target string) *Operation {
	path, query, _ := strings.Cut(target, "?")
	mine, _ := op.lacks(query)
	var rival *Operation
	op.Contract.routes.match(path, false, func(o *Operation) {
		lacks, may := o.lacks(query)
		if rival != nil || o == op || !may || lacks > mine {
			return
		}
		byQuery := o.Path == op.Path && o.Method == op.Method && (lacks < mine || lacks > 0 || o.literal >= op.literal)
		if byQuery || o.literal >= op.literal && o.Path != op.Path &&
			(o.Method == op.Method || !op.sameShape(o)) && (o.before(op) || !op.sameShape(o)) {
			rival = o
		}
	})
	return rival
}

// Ambiguous reports whether a path of op is one of another template too, and
// nothing says which of them counts: a concrete path is matched before one with
// parameters (OpenAPI 3.0.3, Paths Object), but of two that have parameters in
// the same segment neither is.
func (op *Operation) Ambiguous(path string) bool {
	found := false
	for _, p := range op.Contract.underBase(path) {
		if _, ok := op.Match(p.path); !ok || !p.has(op) {
			continue
		}
		op.Contract.routes.match(p.path, false, func(o *Operation) {
			found = found || o.Path != op.Path && o.Method == op.Method && !op.sameShape(o) && !op.moreConcrete(o)
		})
	}
	return found
}

// moreConcrete reports whether the first segment in which two templates for one
// path differ is a text in op, and a parameter in the other.
func (op *Operation) moreConcrete(other *Operation) bool {
	for i, s := range op.segments {
		if i >= len(other.segments) {
			return true
		}
		if o := other.segments[i]; s.text != o.text {
			return len(s.names) == 0 && len(o.names) > 0
		}
	}
	return true
}

// sameShape reports whether two templates differ in the names of parameters at
// most.
func (op *Operation) sameShape(other *Operation) bool {
	return slices.EqualFunc(op.segments, other.segments, func(a, b *segment) bool { return a.text == b.text })
}

// relative is what a path may be in a document, which has them without the path of a server.
type relative struct {
	path string
	// base is that of a server which the path begins with all the same: then a path of the document
	// has to begin so too, as no parameter has that value.
	base string
}

// has reports whether an operation may have it.
func (p relative) has(op *Operation) bool {
	return p.base == "" || strings.HasPrefix(op.Path, p.base+"/")
}

// underBase lists what a path may be: under the path of a server that requests are sent to, as it is, or under
// that of another server.
func (c *Contract) underBase(path string) []relative {
	all := make([]relative, 0, 2)
	whole := relative{path: path}
	for _, base := range c.bases {
		if rest, ok := strings.CutPrefix(path, base); ok && strings.HasPrefix(rest, "/") {
			all = append(all, relative{path: rest})
			whole.base = base
		}
	}
	all = append(all, whole)
	for _, base := range c.otherBases {
		if rest, ok := strings.CutPrefix(path, base); ok && strings.HasPrefix(rest, "/") {
			all = append(all, relative{path: rest})
		}
	}
	return all
}
