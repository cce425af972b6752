package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// What the page is made of. It is one file and asks for no other.
var (
	//go:embed html/page.html
	pageText string
	//go:embed html/page.css
	pageCSS string
	//go:embed html/page.js
	pageJS string

	page = template.Must(template.New("page").Parse(pageText))

	// policy lets the browser run the page's own script and style, and nothing else.
	policy = fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; img-src data:; base-uri 'none'; form-action 'none'",
		inlineHash(pageJS), inlineHash(pageCSS))
)

// inlineHash names an inline script or style in a content security policy.
func inlineHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// HTML writes the report as one page for a browser: the document line by line,
// each line with what was shown of the clauses that stand in it, and behind it their
// cases and exchanges. Everything in it is bounded, as the report is.
func HTML(w io.Writer, r *Report) error {
	p := newHTMLPage(r)
	var data bytes.Buffer
	enc := json.NewEncoder(&data) // which escapes <, > and &, so that no text ends the script
	if err := enc.Encode(p.data); err != nil {
		return fmt.Errorf("HTML report: %w", err)
	}
	p.CSS, p.JS, p.Data = template.CSS(pageCSS), template.JS(pageJS), template.JS(data.String()) //nolint:gosec // ours, and JSON
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		return fmt.Errorf("HTML report: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("HTML report: %w", err)
	}
	return nil
}

// htmlPage is what the template is filled with.
type htmlPage struct {
	Title, Spec, Target string
	Seed                int64
	Policy              string
	Verdict, Word       string // kept, warned or broken; the same in words
	Stats               []htmlStat
	Files               []htmlFile
	Warnings            []string
	CSS                 template.CSS
	JS                  template.JS
	Data                template.JS

	data htmlData
}

type htmlStat struct{ Name, Value, Title string }

type htmlFile struct {
	Name  string
	Index int
	Lines []htmlLine
}

type htmlLine struct {
	No         int
	Text       string
	State      string // empty where no clause stands
	Sign, Says string // of the state, for those who see no colour
}

// htmlData is what the script has.
type htmlData struct {
	Spec      string         `json:"spec"`
	Seed      int64          `json:"seed"`
	Total     int            `json:"total"` // exchanges of the run
	Clauses   []htmlClause   `json:"clauses"`
	Findings  []htmlFinding  `json:"findings"`
	Exchanges []htmlExchange `json:"exchanges"`
}

type htmlClause struct {
	Name      string `json:"n"`
	Text      string `json:"t"`
	State     string `json:"s"` // as in the report
	Shown     string `json:"c"` // its colour
	Operation string `json:"o"`
	File      int    `json:"f"`
	Line      int    `json:"l"`
	Reason    string `json:"r,omitempty"` // why it is unreached
	Response  bool   `json:"a,omitempty"`
}

type htmlFinding struct {
	Finding
	File int `json:"file"`
}

type htmlMessage struct {
	Header [][2]string `json:"h"`
	Body   string      `json:"b"`
	Size   int         `json:"z"`
}

type htmlExchange struct {
	Case      string      `json:"id"`
	Clause    string      `json:"cl"`
	Breaks    bool        `json:"x,omitempty"`
	Expect    string      `json:"e"`
	Leave     string      `json:"lv,omitempty"`
	Method    string      `json:"m"`
	Target    string      `json:"u"`
	Request   htmlMessage `json:"q"`
	Status    int         `json:"s"`
	Response  htmlMessage `json:"a"`
	Error     string      `json:"err,omitempty"`
	Curl      string      `json:"curl"`
	Found     []Found     `json:"fd,omitempty"`
	Operation string      `json:"o"`
}

// The states of a line and of a clause, the gravest first.
var lineStates = []struct{ name, sign, says string }{
	{"finding", "✗", "a finding"},
	{"untried", "○", "never tried"},
	{"warning", "!", "a warning"},
	{"partly", "◐", "shown in part"},
	{"shown", "✓", "kept, and broken on purpose"},
}

func stateAt(i int) (name, sign, says string) {
	s := lineStates[i]
	return s.name, s.sign, s.says
}

func rankOf(name string) int {
	for i, s := range lineStates {
		if s.name == name {
			return i
		}
	}
	return len(lineStates)
}

func newHTMLPage(r *Report) *htmlPage {
	p := &htmlPage{Title: readable(path.Base(r.Spec)), Spec: readable(r.Spec), Target: readable(r.Target), Seed: r.Seed, Policy: policy}
	for _, w := range r.notes() {
		p.Warnings = append(p.Warnings, readable(w))
	}
	errors, warnings := r.Errors(), r.FindingsWarned()
	switch {
	case errors > 0:
		p.Verdict, p.Word = "broken", fmt.Sprintf("The contract is broken: %d error%s", errors, plural(errors))
	case r.Stats.Exchanges == 0 && len(r.Findings) == 0:
		p.Verdict, p.Word = "warned", "Nothing was sent"
	case warnings > 0:
		p.Verdict, p.Word = "warned", "The contract is kept"
	default:
		p.Verdict, p.Word = "kept", "The contract is kept"
	}
	if warnings > 0 {
		p.Word += fmt.Sprintf(", %d warning%s", warnings, plural(warnings))
	}
	c := r.Coverage
	p.Stats = []htmlStat{
		{"clauses", fmt.Sprint(c.Clauses), "assertions of the document"},
		{"kept", fmt.Sprint(c.Kept), "a request that keeps it was accepted"},
		{"broken on purpose", fmt.Sprint(c.Broken), "a request that breaks it was refused"},
		{"observed", fmt.Sprint(c.Observed), "a response kept it"},
		{"not proven", fmt.Sprint(c.NotProven), "tried, but the answer shows nothing"},
		{"never tried", fmt.Sprint(len(c.Unreached)), "no request was about it, or no response had it"},
		{"exchanges", fmt.Sprint(r.Stats.Exchanges), fmt.Sprintf("%d cases in %.1f s", r.Stats.Cases, r.Stats.Seconds)},
	}
	p.data = htmlData{Spec: readable(r.Spec), Seed: r.Seed, Total: r.Stats.Exchanges}
	p.files(r)
	return p
}

// files lays the clauses over the lines of the document.
func (p *htmlPage) files(r *Report) {
	index := map[string]int{}
	var names []string
	fileOf := func(name string) int {
		i, ok := index[name]
		if !ok {
			i = len(names)
			index[name] = i
			names = append(names, name)
		}
		return i
	}
	fileOf(r.Spec)
	reasons := map[string]string{}
	for _, u := range r.Coverage.Unreached {
		reasons[u.Clause] = u.Reason
	}
	worst := map[string]string{}
	for _, f := range r.Findings {
		state := "finding"
		if f.Severity == Warning {
			state = "warning"
		}
		if old := worst[f.Clause]; old == "" || rankOf(state) < rankOf(old) {
			worst[f.Clause] = state
		}
		p.data.Findings = append(p.data.Findings, htmlFinding{shownFinding(f), fileOf(f.Place.File)})
	}
	lines := map[[2]int]string{}
	for _, cl := range r.Coverage.ByClause {
		h := htmlClause{
			Name: readable(cl.Clause), Text: readable(cl.Text), State: cl.State, Shown: colour(cl, worst[cl.Clause]), Operation: readable(cl.Operation),
			File: fileOf(cl.Place.File), Line: cl.Place.Line, Reason: readable(reasons[cl.Clause]), Response: cl.Response,
		}
		p.data.Clauses = append(p.data.Clauses, h)
		at := [2]int{h.File, h.Line}
		if old := lines[at]; old == "" || rankOf(h.Shown) < rankOf(old) {
			lines[at] = h.Shown
		}
	}
	for _, x := range r.Exchanges {
		p.data.Exchanges = append(p.data.Exchanges, htmlExchangeOf(x))
	}
	for i, name := range names {
		f := htmlFile{Name: readable(name), Index: i}
		text := strings.TrimSuffix(r.Sources[name], "\n")
		if r.Sources[name] == "" {
			text = strings.Repeat("\n", lastLine(p.data.Clauses, i))
		}
		for n, line := range strings.Split(text, "\n") {
			l := htmlLine{No: n + 1, Text: readable(strings.TrimSuffix(line, "\r"))}
			if state := lines[[2]int{i, n + 1}]; state != "" {
				l.State, l.Sign, l.Says = stateAt(rankOf(state))
			}
			f.Lines = append(f.Lines, l)
		}
		p.Files = append(p.Files, f)
	}
}

func lastLine(clauses []htmlClause, file int) int {
	last := 0
	for _, c := range clauses {
		if c.File == file {
			last = max(last, c.Line)
		}
	}
	return max(0, last-1)
}

// colour is how much of a clause is shown.
func colour(cl Clause, finding string) string {
	switch {
	case finding != "":
		return finding
	case cl.State == "kept+broken" || cl.Permits && cl.State == "kept" || cl.Response && cl.State == "observed":
		return "shown"
	case cl.State == "unreached":
		return "untried"
	}
	return "partly"
}

func shownFinding(f Finding) Finding {
	for _, text := range []*string{&f.Operation, &f.Check, &f.Clause, &f.Place.File, &f.Place.Pointer, &f.Message, &f.Expected, &f.Actual, &f.Curl, &f.Case.ID} {
		*text = readable(*text)
	}
	return f
}

func htmlExchangeOf(x Exchange) htmlExchange {
	out := htmlExchange{
		Case: readable(x.Case), Clause: readable(x.Clause), Breaks: x.Breaks, Expect: x.Expect, Leave: readable(x.Leave), Method: readable(x.Method), Target: readable(x.Target),
		Request: htmlMessageOf(x.Request), Status: x.Status, Response: htmlMessageOf(x.Response), Error: readable(x.Error), Curl: readable(x.Curl),
		Operation: readable(x.Operation), Found: slices.Clone(x.Findings),
	}
	for i := range out.Found {
		f := &out.Found[i]
		f.Check, f.Clause, f.Message = readable(f.Check), readable(f.Clause), readable(f.Message)
	}
	return out
}

func htmlMessageOf(m Message) htmlMessage {
	out := htmlMessage{Header: [][2]string{}, Body: readable(m.Body), Size: m.Size}
	for _, h := range m.Header {
		out.Header = append(out.Header, [2]string{readable(h.Name), readable(h.Value)})
	}
	return out
}

// readable writes what has no glyph as something that has: control characters as
// their pictures, directions as their code, and bytes that are not UTF-8 in
// hexadecimal.
func readable(text string) string {
	plain := true
	for i := 0; i < len(text) && plain; i++ {
		plain = text[i] >= ' ' && text[i] < 0x7f || text[i] == '\n' || text[i] == '\t'
	}
	if plain {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02X`, text[i])
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case r < ' ':
			b.WriteRune('\u2400' + r)
		case r == 0x7f:
			b.WriteRune('\u2421')
		case r >= 0x80 && r < 0xa0, r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f, r == 0xfeff:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String()
}
