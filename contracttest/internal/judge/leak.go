package judge

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// leak is one thing that the inside of a server looks like. The expressions run
// in linear time and have no counted repetition of a wide class, which would
// make them slow on long bodies.
type leak struct {
	what string
	// hints are what one of must be there, in lower case, for the expression to
	// match: looking for them is much cheaper.
	hints []string
	re    *regexp.Regexp
	// words is set for what a runtime says of itself: nothing forbids it.
	words bool
	// secret keeps what was found out of the message.
	secret bool
	// least is how long a match is at least that shows anything.
	least int
}

// leaveWords is why runtime error text is only a warning. A stack trace, a
// path, a statement of SQL and a credential tell an attacker what to do next.
const leaveWords = "OWASP API8:2023 advises against runtime error text in responses; neither the document nor an RFC forbids them"

// traces are looked for in header values too, whatever the status: nothing else
// looks like them.
var traces = []leak{
	{what: "a stack trace", hints: []string{"goroutine ", "panic: ", ".go:"},
		re: regexp.MustCompile(`goroutine \d+ \[|(?:^|[":>\n]) ?panic: |\w\.go:\d+`)},
	{what: "a stack trace", hints: []string{"traceback ", `", line `, "panicked at ", ".rb:", ".ex:", ".exs:", "sanitizer"},
		re: regexp.MustCompile(`Traceback \(most recent call last\)|File "[^"]+", line \d+|\bpanicked at |\w\.rb:\d+:in\b|\w\.exs?:\d+:|\b(?:Address|Leak|Memory|Thread|UndefinedBehavior)Sanitizer\b`)},
	{what: "a stack trace", hints: []string{".java:", ".kt:", ".scala:", "(native method)", "(unknown source)"},
		re: regexp.MustCompile(`\bat [\w.$/<>]+\((?:\w+\.(?:java|kt|scala):\d+|Native Method|Unknown Source)\)`)},
	{what: "a stack trace", hints: []string{"js:", "ts:", "jsx:", "tsx:"}, re: regexp.MustCompile(`[\w)\]]\.[cm]?[jt]sx?:\d+:\d+`)},
	{what: "a stack trace", hints: []string{".cs:line ", ".vb:line ", ".fs:line "}, re: regexp.MustCompile(`\w\.(?:cs|vb|fs):line \d+`)},
	{what: "a stack trace", hints: []string{"php ", ".php", "stack trace:"},
		re: regexp.MustCompile(`\bPHP (?:(?:Fatal|Parse|Recoverable fatal) error|Warning|Notice)\b|\w\.php(?::\d+|\(\d+\)| on line (?:<b>)?\d+)|\bStack trace:(?:\s|<br ?/?>)*#0`)},
	{what: "an exception class", words: true, hints: []string{"exception", "error:", `error"`, "error ", "error("},
		re: regexp.MustCompile(`\b[a-z][\w$]*(?:\.[a-zA-Z_$][\w$]*)+\.[A-Z][\w$]*(?:Exception|Error)\b|\bSystem\.(?:\w+\.)*\w+Exception\b`)},
}

// leaks are looked for in the bodies of errors.
var leaks = slices.Concat(traces, []leak{
	{what: "a file path", hints: []string{"/home/", "/root/", "/usr/", "/var/", "/etc/", "/opt/", "/tmp/", "/srv/", "/mnt/", "/proc/", "/app/", "/users/", `:\`, "node_modules/", "site-packages/"},
		re: regexp.MustCompile(`(?:^|[\s"'(=:])(?:file://)?(?:/(?:home|root|usr|var|etc|opt|tmp|srv|mnt|proc|app|Users)/[\w.@-]+|[A-Za-z]:\\+\w[\w. -]*\\)|\b(?:node_modules|site-packages)/\w+`)},
	{what: "SQL", hints: []string{"select ", "insert into ", "update ", "delete from "},
		re: regexp.MustCompile("\\bSELECT [^;]* FROM \\S+|\\bINSERT INTO \\S+|\\bUPDATE \\S+ SET \\S|\\bDELETE FROM \\S+" +
			"|(?i:\\bselect [^;]* from [\\w.`\"]+ (?:where [\\w.`\"]+ ?(?:[=<>!]|in ?\\(|like |is )|limit \\d|order by \\w)" +
			"|\\binsert into [\\w.`\"]+ ?(?:\\(|values ?\\()|\\bupdate [\\w.`\"]+ set [\\w.`\"]+ ?=|\\bdelete from [\\w.`\"]+ where [\\w.`\"]+ ?(?:[=<>!]|in ?\\(|like |is ))")},
	{what: "a database error", hints: []string{"sqlstate", "sqlite", "syntax error at or near", "sql syntax", "incorrect syntax near", "ora-", "pq: ", "pg::", "constraint failed", "violates ", "no such table", "no such column", "duplicate key", "duplicate entry", "sql logic error", `relation "`, `column "`, "quotation mark"},
		re: regexp.MustCompile(`SQLSTATE\b|\bSQLITE_[A-Z]+|\bsqlite3?[.:] ?\w|\bORA-\d+: |\bpq: |\bPG::\w+|syntax error at or near|You have an error in your SQL syntax|Incorrect syntax near '|SQL logic error|(?:UNIQUE|FOREIGN KEY|NOT NULL|CHECK) constraint failed|violates (?:unique|foreign key|not-null|check|exclusion) constraint|no such (?:table|column): \w|duplicate key value|Duplicate entry '|\b(?:relation|column) "[\w.]+" does not exist|Unclosed quotation mark`)},
	{what: "a document store error", words: true, hints: []string{"e11000", "mongo"}, re: regexp.MustCompile(`\bE11000\b|\bMongo\w*(?:Error|Exception)\b`)},
	{what: "runtime error text", words: true, hints: []string{"java.lang.", "java.sql.", "java.util."}, re: regexp.MustCompile(`\bjava\.(?:lang|sql|util)\.\w+`)},
	{what: "runtime error text", words: true, hints: []string{"runtime error: ", "cannot unmarshal ", "interface conversion: ", "strconv.", "option::unwrap", "result::unwrap", "nil:nilclass", "undefined method", "sigsegv", "segmentation violation", "segmentation fault", "{badmatch,", "{function_clause,", "kotlinnullpointer", "nullpointerexception", "cannot read propert", "is not a function", "nonetype", "jsontoken.", "cannot deserialize value", "pydantic", "wrongtype operation", "prisma.", "invalid memory address"},
		re: regexp.MustCompile("\\bruntime error: |\\bcannot unmarshal \\w+ into Go |\\binterface conversion: \\S|\\bstrconv\\.\\w+: |\\b(?:Option|Result)::unwrap\\(\\)|\\bnil:NilClass\\b|\\bundefined method [`']|\\bSIGSEGV\\b|\\b[Ss]egmentation (?:violation|fault)\\b|\\{(?:badmatch|function_clause),\\{|\\b\\w*NullPointerException\\b|\\bCannot read propert(?:y|ies) |\\bis not a function\\b|'NoneType' object|\\bJsonToken\\.[A-Z_]+|\\bCannot deserialize value of type|\\bpydantic(?:_core)?\\.|\\bWRONGTYPE Operation\\b|\\bprisma\\.\\w+\\.\\w+\\(\\)|\\binvalid memory address\\b")},
	{what: "a framework's error page", words: true, hints: []string{"whitelabel error page", "debug = true", "werkzeug debugger", "symfony exception", "whoops\\"},
		re: regexp.MustCompile(`\bWhitelabel Error Page\b|\bDEBUG = True\b|\bWerkzeug Debugger\b|\bSymfony Exception\b|\bWhoops\\`)},
	{what: "a setting with a secret", hints: []string{"password", "passwd", "secret", "api_key", "apikey", "access_key", "private_key", "database_url"},
		re: regexp.MustCompile(`(?i:\b\w*(?:password|passwd|secret_key|client_secret|secret_access_key|api_?key|access_key|private_key|database_url) ?= ?["']?[^\s"'<>&=,;*$\x7b(]{4,})`), secret: true},
	{what: "a memory address", words: true, hints: []string{"0xc000"}, re: regexp.MustCompile(`\b0xc000[0-9a-f]+\b`)},
	{what: "an internal address", words: true, hints: []string{"10.", "172.", "192.168.", "read tcp ", "write tcp "},
		re: regexp.MustCompile(`\b(?:read|write) tcp \S+->|\b(?:10\.\d+|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.\d+\.\d+:\d+\b`)},
	{what: "an internal address", words: true, hints: []string{"dial ", "econnrefused ", ".cluster.local", "lookup "},
		re: regexp.MustCompile(`\bdial (?:tcp|udp)[46]?:? \S+:|\bECONNREFUSED [\w.:\[\]]+:\d+|\.svc\.cluster\.local\b|\blookup [\w.-]+ on [\w.:\[\]]+:53\b`)},
	{what: "a URL with a password", hints: []string{"@"}, re: regexp.MustCompile(`\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@"'<>]*:[^\s/@"'<>]*[^\s/@"'<>*xX][^\s/@"'<>]*@`), secret: true},
	{what: "a private key", hints: []string{"private key"}, re: regexp.MustCompile(`-----BEGIN (?:[A-Z]+ )*PRIVATE KEY`), secret: true},
	{what: "an access key", hints: []string{"akia", "asia"}, re: regexp.MustCompile(`\bA[KS]IA[0-9A-Z]{16}\b`), secret: true},
	{what: "a token", hints: []string{"bearer "}, re: regexp.MustCompile(`\bBearer [\w.~+/-]*\d[\w.~+/-]*=*`), secret: true, least: 24},
	{what: "a token", hints: []string{"eyj"}, re: regexp.MustCompile(`\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]+`), secret: true},
})

// hints finds which of the leaks may be in a text, in one pass: there are some
// hundred hints, and most texts have none.
var hints = newHintIndex(leaks)

// hintIndex holds hints by their first two bytes; one byte alone is there with
// any other behind it.
type hintIndex struct {
	starts [1 << 16 / 64]uint64 // which two bytes begin a hint
	of     map[uint16][]hint
}

type hint struct {
	text string
	leak int // its index, less than 64
}

func newHintIndex(all []leak) *hintIndex {
	h := &hintIndex{of: map[uint16][]hint{}}
	for i, l := range all {
		for _, text := range l.hints {
			from, to := uint16(text[0])<<8, uint16(text[0])<<8|0xff
			if len(text) > 1 {
				from |= uint16(text[1])
				to = from
			}
			for k := int(from); k <= int(to); k++ {
				h.starts[k/64] |= 1 << (k % 64)
				h.of[uint16(k)] = append(h.of[uint16(k)], hint{text, i}) //nolint:gosec // less than 1 << 16
			}
		}
	}
	return h
}

// in returns the leaks of which a hint stands in the text, as bits.
func (h *hintIndex) in(text []byte) (found uint64) {
	for i := range text {
		k := uint16(lower(text[i])) << 8
		if i+1 < len(text) {
			k |= uint16(lower(text[i+1]))
		}
		if h.starts[k/64]&(1<<(k%64)) == 0 {
			continue
		}
		for _, hint := range h.of[k] {
			if found&(1<<hint.leak) == 0 && startsWith(text[i:], hint.text) {
				found |= 1 << hint.leak
			}
		}
	}
	return found
}

// startsWith reports whether text starts with a word in lower case, in any
// letter case.
func startsWith(text []byte, word string) bool {
	if len(text) < len(word) {
		return false
	}
	for i := range len(word) {
		if lower(text[i]) != word[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// How much of an error body and of a header value is looked through.
const (
	maxLeakScan   = 64 << 10
	maxLeakHeader = 8 << 10
)

func errorLeak(e *Exchange) []Finding {
	if e.Response == nil {
		return nil
	}
	found := e.headerLeaks()
	if e.Response.Status < 400 {
		return found
	}
	resp := e.legible()
	if resp == nil {
		return found
	}
	body := unescaped(resp.Body[:min(len(resp.Body), maxLeakScan)])
	if e.repeats(body) {
		found = append(found, Finding{Clause: e.bodyClause(), Message: status(e.Response.Status) + " repeats a credential of the request", Expected: "no credential", Actual: "the credential"})
	}
	for _, what := range e.shown(leaks, body) {
		found = append(found, Finding{
			Clause: e.bodyClause(), Message: fmt.Sprintf("%s shows %s", status(e.Response.Status), what.text), Expected: "an error message without internals", Actual: what.kind,
		}.left(what.leave))
	}
	return found
}

// escapes are those of JSON that programs write.
var escapes = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\/`, "/", `\n`, "\n", `\r`, "\r", `\t`, "\t",
	`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\u0027`, "'", `\u003C`, "<", `\u003E`, ">")

// unescaped is what a body reads like to people: the escapes of JSON would hide
// where a line or a word begins.
func unescaped(body []byte) []byte {
	start := bytes.TrimLeft(body, " \t\r\n")
	if len(start) == 0 || !slices.Contains([]byte("{[\""), start[0]) || bytes.IndexByte(body, '\\') < 0 {
		return body
	}
	return []byte(escapes.Replace(string(body)))
}

// plainHeaders say no internals of the server, and are in most responses.
var plainHeaders = map[string]bool{"Content-Type": true, "Content-Length": true, "Date": true, "Allow": true, "Connection": true, "Vary": true, "Server": true}

func (e *Exchange) headerLeaks() []Finding {
	var found []Finding
	for name, values := range e.Response.Header {
		for _, value := range values {
			if e.repeats([]byte(value)) && !e.returns(name, value) {
				found = append(found, Finding{
					Message:  fmt.Sprintf("%s repeats a credential of the request in the header %s", status(e.Response.Status), clip([]byte(name))),
					Expected: "no credential", Actual: "the credential",
				})
			}
			if plainHeaders[name] {
				continue
			}
			for _, what := range e.shown(traces, []byte(value[:min(len(value), maxLeakHeader)])) {
				found = append(found, Finding{
					Message:  fmt.Sprintf("%s shows %s in the header %s", status(e.Response.Status), what.text, clip([]byte(name))),
					Expected: "no internals of the server", Actual: what.kind,
				}.left(what.leave))
			}
		}
	}
	slices.SortFunc(found, func(a, b Finding) int { return strings.Compare(a.Message, b.Message) })
	return found
}

// returns reports whether a header is meant to hold what the request has sent:
// the document has it, a cookie is set again as it is, a redirect keeps the
// query, or a challenge names the scheme that was sent without a credential.
func (e *Exchange) returns(name, value string) bool {
	switch name {
	case "Set-Cookie":
		pair, _, _ := strings.Cut(value, ";")
		for cookie := range strings.SplitSeq(e.Request.Get("Cookie"), ";") {
			if strings.TrimSpace(cookie) == strings.TrimSpace(pair) {
				return true
			}
		}
	case "Www-Authenticate", "Proxy-Authenticate":
		sent := e.Request.Get("Authorization")
		for challenge := range strings.SplitSeq(value, ",") {
			if scheme, _, _ := strings.Cut(strings.TrimSpace(challenge), " "); sent != "" && strings.EqualFold(scheme, sent) {
				return true
			}
		}
	case "Location", "Content-Location", "Link":
		query := e.Request.RawQuery()
		plain, err := url.QueryUnescape(query)
		return e.repeats([]byte(query)) || err == nil && e.repeats([]byte(plain))
	}
	doc := e.Documented()
	return doc != nil && slices.ContainsFunc(doc.Headers, func(h *contract.Header) bool { return strings.EqualFold(h.Name, name) })
}

// repeats reports whether text holds a credential of the request. A short one
// must stand alone there: it may be a part of a word by chance.
func (e *Exchange) repeats(text []byte) bool {
	const short, long = 6, 16
	if e.disguised == nil {
		for _, secret := range e.Secrets {
			plain := secret
			if scheme, rest, ok := strings.Cut(secret, " "); ok && !strings.ContainsAny(scheme, "=,") {
				plain = rest // what Authorization has after its scheme
			}
			e.disguised = append(append(e.disguised, disguises(plain)...), secret, plain)
		}
	}
	for _, part := range e.disguised {
		if len(part) >= long && bytes.Contains(text, []byte(part)) || len(part) >= short && len(part) < long && alone(text, part) {
			return true
		}
	}
	return false
}

// A credential is looked for whole, and by so much of its ends.
const ends = 16

// disguises are what of a long credential shows it as well: its ends, and the
// whole or its beginning in the spellings that logs and dumps have.
func disguises(secret string) []string {
	if len(secret) < 2*ends {
		return nil
	}
	head := secret[:ends]
	all := []string{
		secret[:ends], secret[len(secret)-ends:],
		base64.StdEncoding.EncodeToString([]byte(head[:ends-ends%3])), hex.EncodeToString([]byte(head)),
	}
	for _, other := range []string{strings.ToUpper(head), strings.ToLower(head)} {
		if other != head {
			all = append(all, other)
		}
	}
	return all
}

// alone reports whether word is in text with no letter or digit next to it.
func alone(text []byte, word string) bool {
	for from := 0; ; {
		i := bytes.Index(text[from:], []byte(word))
		if i < 0 {
			return false
		}
		start, end := from+i, from+i+len(word)
		if (start == 0 || !wordByte(text[start-1])) && (end == len(text) || !wordByte(text[end])) {
			return true
		}
		from = start + 1
	}
}

func wordByte(c byte) bool {
	return c >= utf8.RuneSelf || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// shown is what text shows of the server's inside, each kind once.
func (e *Exchange) shown(patterns []leak, text []byte) []sight {
	hinted := hints.in(text)
	if hinted == 0 {
		return nil
	}
	var all []sight
	for i, l := range patterns {
		if hinted&(1<<i) == 0 || slices.ContainsFunc(all, func(s sight) bool { return s.kind == l.what }) {
			continue
		}
		for _, at := range l.re.FindAllIndex(text, maxMatches) {
			match := text[at[0]:at[1]]
			if len(match) < l.least || e.own(match) || e.Op.Shows(trimmed(wholeWord(text, at[0], at[1]))) {
				continue
			}
			s := sight{kind: l.what, text: l.what}
			if !l.secret {
				s.text += ": " + clip(match)
			}
			if l.words {
				s.leave = leaveWords
			}
			all = append(all, s)
			break
		}
	}
	forbidden := func(s sight) bool { return s.leave == "" }
	if slices.ContainsFunc(all, forbidden) { // the words are part of it
		all = slices.DeleteFunc(all, func(s sight) bool { return !forbidden(s) })
	}
	return all
}

// maxMatches is how many places are looked at that may be echoes.
const maxMatches = 16

// sight is a kind of leak, how a message shows it, and why it is but a warning.
type sight struct{ kind, text, leave string }

// wholeWord is a match with what follows it up to a blank or a quote: of a path
// the first segments are matched.
func wholeWord(text []byte, start, end int) []byte {
	if i := bytes.IndexAny(text[end:], " \t\r\n\"'<>"); i >= 0 {
		return text[start : end+i]
	}
	return text[start:]
}

// trimmed is a match without what stands around it.
func trimmed(match []byte) string { return strings.Trim(string(match), " \t\r\n\"'(=:") }

// own reports whether a match is an echo of the request, which shows nothing of
// the server, or a path of the API.
func (e *Exchange) own(match []byte) bool {
	word := trimmed(match)
	if bytes.Contains(unescaped(e.Request.Body), []byte(word)) || strings.Contains(e.Request.Target, word) {
		return true
	}
	if plain, err := url.QueryUnescape(e.Request.Target); err == nil && strings.Contains(plain, word) {
		return true
	}
	if plain, err := url.QueryUnescape(string(e.Request.Body)); err == nil && strings.Contains(plain, word) {
		return true
	}
	if slices.ContainsFunc(e.Request.Header, func(f wire.Field) bool { return strings.Contains(f.Value, word) }) {
		return true
	}
	first, _, ok := strings.Cut(strings.TrimPrefix(word, "/"), "/")
	if !ok || word[0] != '/' {
		return false
	}
	first = "/" + first + "/"
	c := e.Op.Contract
	return strings.HasPrefix(c.BasePath+"/", first) || slices.ContainsFunc(c.Operations, func(op *contract.Operation) bool {
		return strings.HasPrefix(op.Path+"/", first)
	})
}
