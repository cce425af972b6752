package run

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/refusal"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
	"github.com/dataarts-go/factory/contracttest/report"
)

// runMark begins what stands in reports for a text with the token of the run, so that two runs
// report the same. It is as long as the text, and of letters and digits as that is: what is sent
// again keeps and breaks the same clauses.
const runMark = "unique"

// token tells the texts of one run from those of all others, and the identifiers that it
// chooses where no text may be one.
type token struct {
	text   string
	uuid   string                        // what its UUIDs begin with
	digits [2]string                     // what its numbers begin with, of many digits and of few
	shown  atomic.Pointer[regexp.Regexp] // any of these with a number behind it
	count  atomic.Int64
	chosen atomic.Int64 // identifiers

	mu    sync.Mutex
	forms atomic.Pointer[[]*form] // of names that have room for none of these
}

// form is that of names such as AB123456, of which the run chooses some: letters and digits in the
// places of those of a planned name, the first of which tell the run and the last of which count.
type form struct {
	planned    string
	alphabet   alphabet
	begin, end string
	count      atomic.Int64
}

// formRoom is how many names a form has to have for the run's own beginning, so that those of
// others are not like it, and with one.
const formRoom = 10_000

// tokenLength is that of a token without a number behind it. Numbers have a digit and two more
// characters, and the mark of the run has room for as many.
const (
	tokenLength = 5
	perDigit    = 36 * 36
)

func newToken() *token {
	t := &token{text: "q" + strings.ToLower(rand.Text()[:tokenLength-1])}
	part := func() uint64 { return mathrand.Uint64N(1 << 12) }
	t.uuid = fmt.Sprintf("%08x-%04x-4%03x-8%03x-", 1<<24+mathrand.Uint64N(1<<31), part(), part(), part())
	t.digits = [2]string{strconv.FormatUint(2e7+mathrand.Uint64N(7e7), 10), strconv.FormatUint(11000+mathrand.Uint64N(8000), 10)}
	t.forms.Store(&[]*form{})
	t.compile()
	return t
}

// compile makes the pattern of what stands for the run in a text.
func (t *token) compile() {
	texts := []string{fmt.Sprintf(`(?i)%s[0-9][0-9a-z]*|\b%s[0-9a-f]{12}\b|\b(?:%s[0-9]{6}|%s[0-9]{4})\b`, t.text, t.uuid, t.digits[0], t.digits[1])}
	for _, f := range *t.forms.Load() {
		texts = append(texts, f.pattern())
	}
	t.shown.Store(regexp.MustCompile(strings.Join(texts, "|")))
}

// pattern matches the names of the run, however their letters are written, and as a URL has them.
func (f *form) pattern() string {
	var b strings.Builder
	for i, c := range f.begin + f.end {
		switch own := i < len(f.begin); {
		case !own && c >= '0' && c <= '9':
			b.WriteString(`[0-9]`)
		case !own && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'):
			b.WriteString(`[a-z]`)
		default:
			b.WriteString(`(?:` + regexp.QuoteMeta(string(c)) + `|` + regexp.QuoteMeta(url.QueryEscape(string(c))) + `)`)
		}
	}
	return `\b` + b.String() + `\b`
}

// mark is the name that stands for one of the run; empty where it is none of this form.
func (f *form) mark(found string, n int) string {
	name, err := url.PathUnescape(found)
	if err != nil || len(name) != len(f.planned) || !strings.EqualFold(name[:len(f.begin)], f.begin) {
		return ""
	}
	shown := f.planned[:len(f.begin)] + f.alphabet.count(f.end, int64(n), 0, func(at, _ int64) int64 { return at })
	if name != found {
		return url.QueryEscape(shown)
	}
	return shown
}

// like is a new name of the form of a planned one; empty where there are too few of them, or where
// the names of the run are not wanted.
func (t *token) like(planned string, wanted func(string) bool) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	forms := *t.forms.Load()
	i := slices.IndexFunc(forms, func(f *form) bool { return f.planned == planned })
	if i >= 0 {
		return forms[i].next(t)
	}
	for _, a := range []alphabet{{'1', 26}, {'0', 26}, {'1', 6}, {'0', 6}} {
		f := &form{planned: planned, alphabet: a}
		for at := len(planned) - 1; at > 0 && f.end == ""; at-- {
			if a.texts(planned[at:]) >= formRoom {
				f.begin, f.end = planned[:at], planned[at:]
			}
		}
		if a.texts(f.begin) < formRoom {
			continue
		}
		f.begin = a.likeness(f.begin, t.text, 0, 0)
		if name := f.next(t); wanted(name) {
			forms = append(slices.Clone(forms), f)
			t.forms.Store(&forms)
			t.compile()
			return name
		}
	}
	return ""
}

func (f *form) next(t *token) string {
	return f.begin + f.alphabet.likeness(f.end, t.text, f.count.Add(1), 0)
}

// identifiers are new ones of the run that are no texts: a UUID, and numbers of many digits and
// of few.
func (t *token) identifiers() (uuid string, numbers []string) {
	n := t.chosen.Add(1)
	return t.uuid + fmt.Sprintf("%012x", n), []string{t.digits[0] + fmt.Sprintf("%06d", n%1e6), t.digits[1] + fmt.Sprintf("%04d", n%1e4)}
}

// next is the token with another number each time.
func (t *token) next() (suffix string, n int64) {
	n = t.count.Add(1)
	return fmt.Sprintf("%s%d%02s", t.text, n/perDigit, strconv.FormatInt(n%perDigit, 36)), n
}

// hide replaces the token by its mark.
func (t *token) hide(text string) string {
	return t.shown.Load().ReplaceAllStringFunc(text, func(found string) string { return t.mark(found, 0) })
}

// mark stands for a text with the token in what is shown: one of its form, which a target takes,
// too.
func (t *token) mark(found string, n int) string {
	for _, f := range *t.forms.Load() {
		if shown := f.mark(found, n); shown != "" {
			return shown
		}
	}
	shown := fmt.Sprintf("%s%0*d", runMark, len(found)-len(runMark), n)
	switch {
	case strings.HasPrefix(strings.ToLower(found), t.uuid):
		return fmt.Sprintf("00000000-0000-4000-8000-%012x", n)
	case found[0] >= '0' && found[0] <= '9':
		return fmt.Sprintf("1%0*d", len(found)-1, n)
	case found == strings.ToUpper(found):
		return strings.ToUpper(shown)
	}
	return shown
}

// number replaces the texts with the token by its mark with a number, each by its own:
// in some requests they have to be the same, in others not.
func (t *token) number(text string) string {
	numbers := map[string]int{}
	return t.shown.Load().ReplaceAllStringFunc(text, func(found string) string {
		same := strings.ToLower(found)
		if plain, err := url.PathUnescape(same); err == nil { // as only URLs have it
			same = plain
		}
		if numbers[same] == 0 {
			numbers[same] = len(numbers) + 1
		}
		return t.mark(found, numbers[same])
	})
}

// uniqueNames are those of properties of which there is often one alone with a
// value.
var uniqueNames = []string{
	"email", "emailaddress", "mail", "username", "login", "handle", "nickname", "name", "displayname", "slug", "code", "key", "title", "label", "alias",
	"sku", "domain", "hostname", "externalid", "reference",
}

// uniques are the texts in the bodies of an operation that have to be new in each
// request: those whose names say so and, once a 409 has taught it, the others.
type uniques struct {
	token *token
	nodes map[string][]*contract.Node // that a property of a name may be

	taught atomic.Bool  // a documented 409 was the answer to new texts of these names
	good   atomic.Bool  // a request with new texts was accepted
	alike  atomic.Bool  // only those that have the form of the planned ones are
	off    atomic.Bool  // it is refused for them
	vain   atomic.Int32 // refused with new texts and without
	base   atomic.Pointer[map[string]string]
	// mark is a property that chains give another text each time, where nothing else would tell
	// one resource from another.
	mark string
}

// newUniques returns the unique texts of an operation; nil where it creates and
// changes nothing, or has no body with texts.
func newUniques(w *world.World, op *contract.Operation, t *token) *uniques {
	changes := op.Method == http.MethodPut || op.Method == http.MethodPatch
	if op.Body == nil || !w.Creates(op) && (!changes || w.Consumed(op.Method, op) == nil) {
		return nil
	}
	u := &uniques{token: t, nodes: map[string][]*contract.Node{}}
	for _, m := range op.Body.Media {
		if m.Form != codec.JSON && m.Form != codec.URLEncoded && m.Form != codec.Multipart {
			continue
		}
		m.Node.Walk(func(n *contract.Node) {
			if n.PropName != "" && n.Allows("string") {
				u.nodes[n.PropName] = append(u.nodes[n.PropName], n)
			}
		})
	}
	if len(u.nodes) == 0 {
		return nil
	}
	return u
}

// wanted reports whether a property has to have a new value.
func (u *uniques) wanted(name string) bool {
	return len(u.nodes[name]) > 0 && (u.taught.Load() || name == u.mark || slices.Contains(uniqueNames, strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))))
}

// How often a request is sent with other texts that is refused for those it has,
// and how often one without new texts is tried that was never accepted with them.
const (
	maxOthers409 = 3
	maxShort409  = 12 // where there are few others, as of one letter
	maxWithout   = 6
)

// anew sends a request with unique texts of its own, where there is room for what it makes. It
// returns the exchange with the request as reports show it.
func (r *runner) anew(ctx context.Context, c *plan.Case, req *wire.Request, send func(*wire.Request) *wire.Exchange) *wire.Exchange {
	return r.roomy(ctx, c, func() *wire.Exchange { return r.unique(ctx, c, req, send) })
}

// unique sends a request with unique texts of its own.
func (r *runner) unique(ctx context.Context, c *plan.Case, req *wire.Request, send func(*wire.Request) *wire.Exchange) *wire.Exchange {
	u := r.states.of(c.Op).uniques
	if u == nil || u.off.Load() || req.Method != c.Op.Method || len(req.Body) == 0 {
		return send(req)
	}
	base, fixed := u.baseTexts(c), r.fixedOf(c.Op)
	var x *wire.Exchange
	renewed, taught := false, false
	with := func(alike bool) *wire.Exchange {
		taught = u.taught.Load()
		sent, shown := u.fresh(req, base, fixed, alike)
		renewed = sent != req
		x := send(sent)
		x.Request = shown
		return x
	}
	for tries := 0; tries < maxOthers409 || tries < maxShort409 && u.short(req); tries++ {
		x = with(u.alike.Load())
		if renewed && u.wantsForm(c, x) {
			again := with(true)
			if accepted(c.Op, again) {
				u.alike.Store(true)
			}
			if u.alike.Load() || isTaken(c, again) {
				x = again
			}
		}
		if ctx.Err() != nil || !isTaken(c, x) {
			break
		}
		u.teach()
	}
	if st := r.states.of(c.Op); c.Expect == plan.Accept && ctx.Err() == nil && isTaken(c, x) && !st.apart.Load() && r.refersToMade(c.Op) {
		// What is there may be in the way of all others, as a booking without an end is.
		st.apart.Store(true)
		again := send(req)
		if again.Request = req; accepted(c.Op, again) {
			x = again
		} else {
			st.apart.Store(false)
		}
	}
	switch {
	case accepted(c.Op, x):
		if renewed && taught == u.taught.Load() {
			u.good.Store(true)
		}
	case c.Expect == plan.Accept && renewed && !u.good.Load() && x.Response != nil && x.Response.Status/100 == 4 && u.vain.Load() < maxWithout:
		// The document's example may be the only one that is taken.
		without := send(req)
		if !accepted(c.Op, without) {
			u.vain.Add(1)
			return x
		}
		u.off.Store(true)
		return without
	}
	return x
}

// teach notes that all texts have to be new. Of the others it is not known how they are accepted.
func (u *uniques) teach() {
	if u.taught.CompareAndSwap(false, true) {
		u.good.Store(false)
	}
}

// wantsForm reports whether new texts may be refused for their form, of which the document says
// nothing: none were accepted so far, and it is not that they are there already.
func (u *uniques) wantsForm(c *plan.Case, x *wire.Exchange) bool {
	return c.Expect == plan.Accept && !u.alike.Load() && !u.good.Load() && u.vain.Load() < maxWithout && says(x) && !isTaken(c, x)
}

// fixedOf are the values of an operation's requests that stay as they are, by name: those that
// the user has given, and what refers to something that is there.
func (r *runner) fixedOf(op *contract.Operation) map[string][]string {
	fixed := maps.Clone(r.opts.knownOf(op))
	if fixed == nil {
		fixed = map[string][]string{}
	}
	for _, ref := range r.states.of(op).references {
		fixed[ref.name] = append(slices.Clone(fixed[ref.name]), ref.planned, ref.actual)
	}
	return fixed
}

// isTaken reports whether a request is refused for what is there already: by a documented
// 409, or by the words of another refusal.
func isTaken(c *plan.Case, x *wire.Exchange) bool {
	switch {
	case !says(x):
		return false
	case x.Response.Status == http.StatusConflict && c.Op.Response(http.StatusConflict) != nil:
		return true
	case c.Expect != plan.Accept:
		return false
	}
	plain, err := judge.Content(x.Response)
	return err == nil && refusal.Taken(plain.Body)
}

// baseTexts are the texts of the valid request that a case differs from.
func (u *uniques) baseTexts(c *plan.Case) map[string]string {
	if c.Base != nil {
		if before := u.base.Load(); before != nil {
			return *before
		}
		c = c.Base
	}
	all := textsOf(c.Request)
	u.base.Store(&all)
	return all
}

// textsOf are the texts of a request by their names.
func textsOf(req *wire.Request) map[string]string {
	all := map[string]string{}
	for _, s := range texts(req) {
		all[s.name] = s.value
	}
	return all
}

// fresh returns a request with new texts, and the same as reports show it. Alike ones have the form
// of the planned ones.
func (u *uniques) fresh(req *wire.Request, base map[string]string, fixed map[string][]string, alike bool) (sent, shown *wire.Request) {
	var body, display []byte
	last, days := 0, 0
	for _, s := range texts(req) {
		if !u.wanted(s.name) || slices.Contains(fixed[s.name], s.value) {
			continue
		}
		raw := string(req.Body[s.start:s.end])
		suffix, n := u.token.next()
		if days == 0 {
			days = apart * int(n%mostApart)
		}
		fresh, ok := u.other(s, raw, suffix, n, base[s.name] == s.value, alike, days)
		if !ok {
			continue
		}
		body = append(append(body, req.Body[last:s.start]...), fresh...)
		display = append(append(display, req.Body[last:s.start]...), u.token.shownAs(fresh, raw)...)
		last = s.end
	}
	if last == 0 {
		return req, req
	}
	sent, shown = req.Clone(), req.Clone()
	sent.Body, shown.Body = slices.Concat(body, req.Body[last:]), slices.Concat(display, req.Body[last:])
	return sent, shown
}

// few is how many characters a text has of which there are few.
const few = 2

// short reports whether a request has such a text that has to be new.
func (u *uniques) short(req *wire.Request) bool {
	return slices.ContainsFunc(texts(req), func(s scalar) bool { return u.wanted(s.name) && len([]rune(s.value)) <= few })
}

// shownAs is a new text as reports show it: with the mark of the run, or as it was
// planned where there was no room for one.
func (t *token) shownAs(fresh, planned string) string {
	if shown := t.hide(fresh); shown != fresh {
		return shown
	}
	return planned
}

// apart is by how many days the times of a request are later than those of the one before: what
// lasts from one to the other is not to meet it.
const apart = 3

// mostApart is after how many of them it begins anew: a date of birth is not to be in the future
// for that.
const mostApart = 1000

// day is what a date or a time begins with.
var day = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}($|[Tt ])`)

// later is a date or a time some days later; empty where a text is none. All those of a request
// are as far from each other as before.
func later(text string, days int) string {
	if !day.MatchString(text) {
		return ""
	}
	t, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)])
	if err != nil {
		return ""
	}
	return t.AddDate(0, 0, days).Format(time.DateOnly) + text[len(time.DateOnly):]
}

// other makes a new text, as it is written, that its schema judges as it judges the
// planned one. A text that a case is about keeps its length.
func (u *uniques) other(s scalar, raw, suffix string, n int64, ofBase, alike bool, days int) (string, bool) {
	nodes := u.nodes[s.name]
	judged := make([]bool, len(nodes))
	for i, node := range nodes {
		judged[i] = node.Validates(s.value) == nil
	}
	same := func(v string) bool {
		for i, node := range nodes {
			if (node.Validates(v) == nil) != judged[i] {
				return false
			}
		}
		return v != s.value
	}
	plain, err := s.write(s.value)
	if err != nil {
		return "", false
	}
	if v := later(s.value, days); v != "" && plain == raw && same(v) {
		text, err := s.write(v)
		return text, err == nil
	}
	if plain != raw { // it is the spelling that counts
		text := strings.TrimSuffix(raw, `"`)
		isAddress := strings.Contains(s.value, "@") // which does not end as it likes
		switch v := inForm(s.value, suffix, n); {
		case alike && !isAddress && text != raw:
			return escaped(v), same(v)
		case ofBase && !isAddress && same(s.value+suffix):
			return text + suffix + raw[len(text):], true
		case ofBase && same(suffix+"-"+s.value):
			open := raw[:len(raw)-len(strings.TrimPrefix(raw, `"`))]
			return open + suffix + "-" + raw[len(open):], true
		}
		return "", false
	}
	all := candidates(s.value, suffix, n, ofBase)
	if alike && !strings.Contains(s.value, "@") {
		all = append([]string{inForm(s.value, suffix, n)}, all...)
	}
	for _, v := range all {
		if same(v) {
			text, err := s.write(v)
			return text, err == nil
		}
	}
	return "", false
}

func encoded(v string) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err //nolint:wrapcheck // a string can be encoded
}

// candidates lists texts like another, the most telling first: with the token
// added, in the place of its end, and with other letters and digits. Only those of
// the same length will do for a text that a case is about.
func candidates(v, suffix string, n int64, longer bool) []string {
	var all []string
	runes := []rune(v)
	local, domain, isAddress := strings.Cut(v, "@")
	if longer {
		if isAddress {
			all = append(all, local+"-"+suffix+"@"+domain, suffix+"@"+domain)
		}
		all = append(all, v+"-"+suffix, v+suffix)
	}
	if l := []rune(local); isAddress && len(l) > len(suffix) {
		all = append(all, string(l[:len(l)-len(suffix)])+suffix+"@"+domain)
	}
	if len(runes) > len(suffix) {
		cut := string(runes[:len(runes)-len(suffix)]) + suffix
		all = append(all, cut)
	}
	if longer {
		all = append(all, suffix, strings.ToUpper(suffix))
	}
	for try := range int64(4) {
		if len(runes) <= few {
			all = append(all, anyOf(len(runes), suffix, n<<2+try))
		}
		all = append(all, alphabetOf(v, '1').likeness(v, suffix, n<<2+try, 0))
	}
	// A zero may be a digit as any other, and a text begin with what is always so.
	for from := 0; from < len(runes); from += (len(runes) - from + 1) / 2 {
		all = append(all, alphabetOf(v, '0').likeness(v, suffix, n, from))
	}
	return all
}

// enough is how many texts there have to be of a form that are new.
const enough = 100_000

// inForm has other letters and digits at the end of a text, as few as there have to be: it may
// begin with what is always so, as SKU-00042 and +49301234567 do.
func inForm(v, suffix string, n int64) string {
	out, a := []rune(v), alphabetOf(v, '0')
	r := seeded(suffix, n) // by chance, as another run has not to meet what this one has made
	left := int64(enough)
	for i, c := range slices.Backward(out) {
		if left <= 1 {
			break
		}
		if first, choices := a.symbols(c); choices > 0 {
			out[i] = first + rune(r.Int64N(choices)) //nolint:gosec // it is small
			left /= choices
		}
	}
	return string(out)
}

// anyOf is a text of some letters and digits.
func anyOf(length int, suffix string, n int64) string {
	const choice = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	r := seeded(suffix, n)
	out := make([]byte, length)
	for i := range out {
		out[i] = choice[r.IntN(len(choice))]
	}
	return string(out)
}

func seeded(suffix string, n int64) *mathrand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(suffix))
	return mathrand.New(mathrand.NewPCG(h.Sum64(), uint64(n))) //nolint:gosec // they have to differ, not to be secret
}

// alphabet is what may stand in the place of a digit and of a letter: the least digit and those
// above it, and so many letters.
type alphabet struct {
	least   rune
	letters int64
}

func alphabetOf(v string, least rune) alphabet {
	if strings.Trim(strings.ToLower(v), "0123456789abcdef-") == "" { // hexadecimal
		return alphabet{least, 6}
	}
	return alphabet{least, 26}
}

// likeness has other letters and digits in the places of those of a text, from some place on and
// from the least of the digits on: for each number others, as long as there are any.
func (a alphabet) likeness(v, suffix string, n int64, from int) string {
	r := seeded(suffix[:tokenLength], 0)
	return a.count(v, n, from, func(_, choices int64) int64 { return r.Int64N(choices) })
}

// texts is how many of them a text has, if there are fewer than a form needs.
func (a alphabet) texts(v string) int64 {
	all := int64(1)
	a.count(v, 0, 0, func(_, choices int64) int64 {
		all = min(all*choices, formRoom)
		return 0
	})
	return all
}

// count counts with the letters and digits of a text, from some place on: each begins with one of
// its choices, as it is told for the one that is there.
func (a alphabet) count(v string, n int64, from int, begin func(at, choices int64) int64) string {
	out := []rune(v)
	for i, c := range slices.Backward(out) {
		if i < from {
			break
		}
		first, choices := a.symbols(c)
		if choices == 0 {
			continue
		}
		out[i] = first + rune((begin(int64(c-first), choices)+n)%choices) //nolint:gosec // it is small
		n /= choices
	}
	return string(out)
}

// symbols are the letters or digits that may stand in the place of one, as the first of them and
// how many they are; none for what has to stay.
func (a alphabet) symbols(c rune) (first rune, choices int64) {
	switch {
	case c >= 'a' && c <= 'z':
		return 'a', a.letters
	case c >= 'A' && c <= 'Z':
		return 'A', a.letters
	case c >= a.least && c <= '9':
		return a.least, int64('9'-a.least) + 1
	}
	return 0, 0
}

// keysOf lists the headers by which a target tells a request from one that is sent again: the
// same key with another body is refused, or answered as the first was.
func keysOf(op *contract.Operation) []*contract.Param {
	var all []*contract.Param
	for _, p := range op.Params {
		if p.Spec.In == openapi3.ParameterInHeader && strings.Contains(strings.ToLower(strings.ReplaceAll(p.Spec.Name, "-", "")), "idempotency") {
			all = append(all, p)
		}
	}
	return all
}

// keyed gives a request keys of its own. One that the case is about keeps its length.
func (r *runner) keyed(c *plan.Case, req *wire.Request) *wire.Request {
	base := c
	if c.Base != nil {
		base = c.Base
	}
	for _, p := range r.states.of(c.Op).keys {
		v := req.Get(p.Spec.Name)
		if v == "" || len(req.Values(p.Spec.Name)) > 1 || len(r.opts.knownOf(c.Op)[p.Spec.Name]) > 0 {
			continue
		}
		suffix, n := r.token.next()
		for _, key := range candidates(v, suffix, n, v == base.Request.Get(p.Spec.Name)) {
			if key != v && (p.Node.Validates(key) == nil) == (p.Node.Validates(v) == nil) {
				req = req.Clone()
				req.Set(p.Spec.Name, key)
				break
			}
		}
	}
	return req
}

// hideToken puts the mark of the run in the place of its token, wherever a report
// has it.
func (r *runner) hideToken() {
	hide := func(texts ...*string) {
		for _, text := range texts {
			*text = r.token.hide(*text)
		}
	}
	for i := range r.report.Findings {
		f := &r.report.Findings[i]
		hide(&f.Message, &f.Expected, &f.Actual, &f.Curl, &f.Request, &f.Answer)
	}
	for i := range r.report.Exchanges {
		x := &r.report.Exchanges[i]
		hide(&x.Target, &x.Curl, &x.Error, &x.Request.Body, &x.Response.Body)
		for _, headers := range [][]report.Header{x.Request.Header, x.Response.Header} {
			for j := range headers {
				hide(&headers[j].Value)
			}
		}
		for j := range x.Findings {
			hide(&x.Findings[j].Message)
		}
	}
	for i := range r.report.Warnings {
		hide(&r.report.Warnings[i])
	}
}
