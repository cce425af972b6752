package report

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
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

// HTML writes the report as one page for a browser: first the verdict, what was shown of the
// clauses, the causes of the findings and a table of the operations; behind it the document
// line by line, with the clauses that stand in each, their cases and exchanges. Everything
// in it is bounded, as the report is.
func HTML(w io.Writer, r *Report) error { return writeHTML(w, r, nil) }

// LiveHTML writes the page of a report that grows, as a server shows it: it follows the events at
// "events" beside it, each of which has a number of exchanges, errors and warnings in JSON, and
// links to each of Formats at "report/NAME".
func LiveHTML(w io.Writer, r *Report) error {
	return writeHTML(w, r, slices.Sorted(maps.Keys(Formats)))
}

func writeHTML(w io.Writer, r *Report, live []string) error {
	r = r.laidOut()
	p := newHTMLPage(r)
	if live != nil {
		p.Live, p.Policy = live, strings.Replace(policy, "img-src", "connect-src 'self'; img-src", 1)
	}
	data, err := packed(newHTMLData(r))
	if err != nil {
		return fmt.Errorf("HTML report: %w", err)
	}
	p.CSS, p.JS, p.Data = template.CSS(pageCSS), template.JS(pageJS), template.HTML(data) //nolint:gosec // ours
	var b bytes.Buffer
	if err := page.Execute(&b, p); err != nil {
		return fmt.Errorf("HTML report: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("HTML report: %w", err)
	}
	return nil
}

// packed is what the page's script has: JSON, compressed to a tenth, in letters that end no
// script.
func packed(data htmlData) (string, error) {
	var b bytes.Buffer
	letters := base64.NewEncoder(base64.StdEncoding, &b)
	z := gzip.NewWriter(letters)
	if err := cmp.Or(json.NewEncoder(z).Encode(data), z.Close(), letters.Close()); err != nil {
		return "", err //nolint:wrapcheck // nothing fails to be written to memory
	}
	return b.String(), nil
}

// htmlPage is what the template is filled with.
type htmlPage struct {
	Title, Spec, Target string
	Live                []string // the formats that a server has; nil in a file
	Policy              string
	Verdict, Word       string // kept, warned or broken; the same in words
	Facts               []htmlFact
	Command             string
	Alarms, Notes       []string
	Bar                 []htmlPart
	Clauses             int
	Unit                string // clause or clauses
	Causes              []htmlCauses
	Stale               []string // entries of the baseline that have to be mended
	Known               []htmlKnown
	Baseline            string
	Rows                []htmlRow
	Methods             []string
	CSS                 template.CSS
	JS                  template.JS
	Data                template.HTML
}

type (
	htmlFact struct{ Name, Value string }
	// htmlPart is a part of the bar, in thousandths of its width.
	htmlPart struct {
		Class, Name, Title string
		Count, X, Width    int
	}
	htmlCauses struct {
		Heading, Kinds string
		First, Rest    []htmlCause
	}
	htmlCause struct {
		N                             int
		ID, Title, Check, State, Sign string
		Where, Operations             string
		Times, Members                int
		Place, Line                   string // of the example
		Request, Tried                string
		Expected, Seen                string
		Curl, Again, Finding          string
		Open                          bool
	}
	htmlKnown struct{ ID, Sign, Check, Where, Message, Why string }
	htmlRow   struct {
		Operation, Method, Path                                                string
		Errors, Warnings, Kept, Refused, NotProven, NeverTried, Shown, Clauses int
		Bar                                                                    []htmlPart
	}
)

// htmlData is what the script has.
type htmlData struct {
	Spec      string         `json:"spec"`
	Total     int            `json:"total"` // exchanges of the run
	Files     []htmlFile     `json:"files"`
	Clauses   []htmlClause   `json:"clauses"`
	Findings  []htmlFinding  `json:"findings"`
	Groups    []htmlGroup    `json:"groups"`
	Exchanges []htmlExchange `json:"exchanges"`
}

type htmlFile struct {
	Name string `json:"name"`
	Text string `json:"text"` // empty where the report does not have it
}

type htmlGroup struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Findings []int  `json:"findings"`
}

type htmlClause struct {
	Name      string `json:"n"`
	Text      string `json:"t"`
	State     string `json:"s"` // as in the report
	Shown     string `json:"c"` // its colour
	Operation string `json:"o"`
	File      int    `json:"f"`
	Line      int    `json:"l"`
	Reason    string `json:"r,omitempty"` // why it is not proven, or was never tried
	Response  bool   `json:"a,omitempty"`
}

type htmlFinding struct {
	Finding
	File  int    `json:"file"`
	Again string `json:"again"`
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

func newHTMLPage(r *Report) *htmlPage {
	text, severity := verdict(r)
	p := &htmlPage{
		Title: readable(path.Base(r.Spec)), Spec: readable(r.Spec), Target: readable(r.Target), Policy: policy,
		Verdict: map[string]string{Error: "broken", Warning: "warned"}[severity], Word: sentence(readable(text)),
		Command: readable(r.Command), Clauses: r.Coverage.Clauses, Unit: "clause" + plural(r.Coverage.Clauses),
	}
	if p.Verdict == "" {
		p.Verdict = "kept"
	}
	for _, note := range r.alarms() {
		p.Alarms = append(p.Alarms, readable(note))
	}
	for _, note := range r.Warnings {
		p.Notes = append(p.Notes, readable(note))
	}
	if r.Baseline != nil {
		fail, warn := r.stale()
		for _, text := range texts(r.Baseline.File, append(fail, warn...)) {
			p.Stale = append(p.Stale, readable(text))
		}
		p.Baseline = readable(r.Baseline.File)
	}
	for _, f := range r.known() {
		k := htmlKnown{ID: f.ID, Sign: signOf(f.Severity), Check: readable(f.Check), Where: readable(f.Clause), Message: readable(f.Message), Why: readable(f.Known.Why)}
		if f.Known.Until != "" {
			k.Why += " (until " + readable(f.Known.Until) + ")"
		}
		p.Known = append(p.Known, k)
	}
	p.Facts = []htmlFact{
		{"started", readable(r.Stats.Started)}, {"took", fmt.Sprintf("%.1f s", r.Stats.Seconds)},
		{"requests", r.requests()}, {"seed", r.seed()},
		{"version", readable(r.Tool)}, {"document saved as", readable(r.Saved)}, {"settings", readable(r.Config)},
		{"tested", readable(r.scope())},
	}
	if len(r.Severities) > 0 {
		p.Facts = append(p.Facts, htmlFact{"severities", readable(r.severities())})
	}
	p.Facts = slices.DeleteFunc(p.Facts, func(f htmlFact) bool { return f.Value == "" })
	counts := map[string]int{}
	for _, c := range r.Coverage.ByClause {
		counts[c.State]++
	}
	p.Bar = barOf([]htmlPart{
		{Class: "both", Name: "kept and refused", Count: counts["kept+broken"], Title: "requests that keep it were accepted, and those that break it were refused as they should be"},
		{Class: "kept", Name: "kept", Count: counts["kept"], Title: "requests that keep it were accepted"},
		{Class: "refused", Name: "refused", Count: counts["broken"], Title: "requests that break it were refused as they should be"},
		{Class: "observed", Name: "observed", Count: counts["observed"], Title: "responses kept it"},
		{Class: "unproven", Name: "not proven", Count: counts["not_proven"], Title: "tried, but the responses do not decide it"},
		{Class: "untried", Name: "never tried", Count: counts["unreached"], Title: "no request was about it, or it was never seen in a response"},
	})
	p.causes(r)
	for _, o := range r.rows() {
		row := htmlRow{
			Operation: readable(o.operation), Path: readable(o.name), Errors: o.errors, Warnings: o.warnings, Kept: o.kept, Refused: o.refused,
			NotProven: o.notProven, NeverTried: o.neverTried, Shown: o.shown, Clauses: o.clauses,
			Bar: barOf([]htmlPart{
				{Class: "both", Count: o.shown, Title: "shown"}, {Class: "unproven", Count: o.notProven, Title: "not proven"}, {Class: "untried", Count: o.neverTried, Title: "never tried"},
			}),
		}
		if method, path, ok := strings.Cut(row.Path, " "); ok {
			row.Method, row.Path = method, path
			if !slices.Contains(p.Methods, method) {
				p.Methods = append(p.Methods, method)
			}
		}
		p.Rows = append(p.Rows, row)
	}
	slices.Sort(p.Methods)
	return p
}

func (r *Report) requests() string {
	if r.Traffic != nil {
		return r.Traffic.String()
	}
	return fmt.Sprintf("%d sent, %d cases planned", r.Stats.Exchanges, r.Stats.Cases)
}

func (r *Report) seed() string {
	if r.Traffic != nil {
		return ""
	}
	return strconv.FormatInt(r.Seed, 10)
}

// barOf gives the parts their width, by what they count.
func barOf(parts []htmlPart) []htmlPart {
	all, before := 0, 0
	for _, part := range parts {
		all += part.Count
	}
	for i := range parts {
		parts[i].X = 1000 * before / max(all, 1)
		before += parts[i].Count
		parts[i].Width = 1000*before/max(all, 1) - parts[i].X
	}
	return parts
}

// maxMore is how many causes the page has beyond the first.
const maxMore = 300

func (p *htmlPage) causes(r *Report) {
	n := 0
	for _, severity := range []string{Error, Warning} {
		var all []htmlCause
		for _, g := range r.groups() {
			if g.Severity != severity {
				continue
			}
			n++
			f := r.Findings[g.Findings[0]]
			c := htmlCause{
				N: n, ID: readable(g.ID), Title: readable(g.Title), Check: readable(g.Check), State: "finding", Sign: signOf(severity), Where: readable(r.touches(g, 60)), Times: g.Exchanges,
				Place: readable(r.placeOf(f)), Request: readable(f.Request), Tried: readable(r.tried(f.Case)), Expected: readable(f.Expected), Seen: readable(f.Actual),
				Curl: readable(f.Curl), Finding: f.ID, Open: len(r.groups()) == 1,
			}
			if f.Case.ID != "" && r.Traffic == nil {
				c.Again = readable(r.again(f.Case))
			}
			if f.Answer != "" && f.Actual == statusText(f.Status) {
				c.Seen += ": " + readable(f.Answer)
			}
			if severity == Warning {
				c.State = "warning"
			}
			if len(g.Operations) > 1 {
				names := make([]string, 0, len(g.Operations))
				for _, op := range g.Operations {
					names = append(names, readable(r.called(op)))
				}
				c.Operations = strings.Join(names, ", ")
			}
			all = append(all, c)
		}
		if len(all) == 0 {
			continue
		}
		section := htmlCauses{}
		_, section.Heading, section.Kinds = r.counted(severity)
		first := min(len(all), maxCauses)
		section.First, section.Rest = all[:first], all[first:min(len(all), first+maxMore)]
		p.Causes = append(p.Causes, section)
	}
}

// newHTMLData lays the clauses over the lines of the document.
func newHTMLData(r *Report) htmlData {
	data := htmlData{Spec: readable(r.Spec), Total: r.Stats.Exchanges}
	index := map[string]int{}
	fileOf := func(name string) int {
		i, ok := index[name]
		if !ok {
			i = len(data.Files)
			index[name] = i
			data.Files = append(data.Files, htmlFile{readable(name), readable(strings.ReplaceAll(strings.TrimSuffix(r.Sources[name], "\n"), "\r\n", "\n"))})
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
		switch {
		case f.Known != nil:
		case f.Severity == Error:
			worst[f.Clause] = "finding"
		case worst[f.Clause] == "":
			worst[f.Clause] = "warning"
		}
		again := ""
		if f.Case.ID != "" && r.Traffic == nil {
			again = readable(r.again(f.Case))
		}
		data.Findings = append(data.Findings, htmlFinding{shownFinding(f), fileOf(f.Place.File), again})
	}
	for _, g := range r.groups() {
		data.Groups = append(data.Groups, htmlGroup{readable(g.ID), readable(g.Title), g.Findings})
	}
	for _, cl := range r.Coverage.ByClause {
		data.Clauses = append(data.Clauses, htmlClause{
			Name: readable(cl.Clause), Text: readable(cl.Text), State: cl.State, Shown: colour(cl, worst[cl.Clause]), Operation: readable(cl.Operation),
			File: fileOf(cl.Place.File), Line: cl.Place.Line, Reason: readable(cmp.Or(reasons[cl.Clause], cl.Reason)), Response: cl.Response,
		})
	}
	for _, x := range r.Exchanges {
		data.Exchanges = append(data.Exchanges, htmlExchangeOf(x))
	}
	return data
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
	for _, text := range []*string{&f.Operation, &f.Check, &f.Clause, &f.Place.File, &f.Place.Pointer, &f.Message, &f.Expected, &f.Actual, &f.Curl, &f.Case.ID, &f.Request, &f.Answer, &f.MediaType, &f.Leave} {
		*text = readable(*text)
	}
	if f.Known != nil {
		known := *f.Known
		known.Why, known.Until = readable(known.Why), readable(known.Until)
		f.Known = &known
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
