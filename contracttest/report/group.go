package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Group is a cause: findings that one change in the server or in the document would
// mend. They are of one check, and their answers have one shape.
type Group struct {
	ID       string `json:"id"` // the same in every run that finds the same
	Title    string `json:"title"`
	Kind     string `json:"kind"`
	Severity string `json:"severity"` // that of its gravest finding
	Check    string `json:"check"`    // that of its example
	// Operations are those that it touches, in the order of the findings.
	Operations []string `json:"operations"`
	// Findings are indexes of the report's findings, the example first: the smallest
	// request of those that show the cause best.
	Findings  []int `json:"findings"`
	Exchanges int   `json:"exchanges"` // in which it was found, counted for each finding

	rank int
}

// The kinds of groups, in their rank.
const (
	KindCrash    = "crash"    // no answer, or a 5xx
	KindAccess   = "access"   // shown or changed for who may not
	KindAnswer   = "answer"   // an answer that breaks the document
	KindAccepted = "accepted" // a request that should have been refused
	KindRefused  = "refused"  // a request that should have been accepted
	KindDetail   = "detail"   // letter case, parameters of media types, what is left open
)

// The checks that groups know by their names; any other is about an answer.
const (
	checkConnection         = "connection"
	checkServerError        = "server-error"
	checkNotRepeatable      = "not-repeatable"
	checkSecurityIgnored    = "security-ignored"
	checkErrorLeak          = "error-leak"
	checkValidRefused       = "valid-request-refused"
	checkInvalidAccepted    = "invalid-request-accepted"
	checkUndocumentedStatus = "undocumented-status"
	checkUndocumentedMethod = "undocumented-method"
	checkUndocumentedPath   = "undocumented-path"
	checkAllowHeader        = "allow-header"
	checkMediaType          = "response-media-type"
	checkMalformed          = "response-body-malformed"
	checkSchema             = "response-schema"
)

// access are further checks on what is shown, changed or taken away for who may not.
var access = []string{checkSecurityIgnored, "object-shared", "other-parent", "neighbour-changed", "refused-but-done"}

// details are further checks on the letter of HTTP: on caches, codings and parts.
var details = []string{checkAllowHeader, "response-encoding", "vary-missing", "etag-shared", "head-differs", "conditional-request", "range-request"}

// ranks are those of groups: less is graver. A base request that is refused leaves all
// of its operation unknown, so it stands before the answers that are wrong in one thing; of
// these a success counts more than an error, as every client reads it.
const (
	rankDied = iota
	rankFailsValid
	rankAccess
	rankFails
	rankUntested
	rankAnswer
	rankErrorAnswer
	rankLeak
	rankAccepted
	rankRefused
	rankDetail
)

// Group groups the findings by their causes, those that are known left out.
func (r *Report) Group() {
	r.Groups = nil
	for i := range r.Findings {
		r.Findings[i].Group = ""
	}
	r.Groups = r.groups()
	for _, g := range r.Groups {
		for _, i := range g.Findings {
			r.Findings[i].Group = g.ID
		}
	}
}

// groups are those of the report, made where it has none yet.
func (r *Report) groups() []Group {
	if r.Groups == nil {
		return groupsOf(r.Findings, r.Unproven)
	}
	return r.Groups
}

// groupsOf groups findings: errors before warnings, and then by rank. unproven are the operations
// of which no valid request was accepted.
func groupsOf(findings []Finding, unproven []Unproven) []Group {
	keys := causes(findings)
	index := map[string]int{}
	var all []Group
	for i, f := range findings {
		if f.Known != nil {
			continue
		}
		n, ok := index[keys[i]]
		if !ok {
			n = len(all)
			index[keys[i]] = n
			sum := sha256.Sum256([]byte(keys[i]))
			all = append(all, Group{ID: hex.EncodeToString(sum[:3])})
		}
		g := &all[n]
		g.Findings = append(g.Findings, i)
		g.Exchanges += max(1, f.Count)
		if !slices.Contains(g.Operations, f.Operation) {
			g.Operations = append(g.Operations, f.Operation)
		}
	}
	for n := range all {
		all[n].complete(findings, unproven)
	}
	slices.SortStableFunc(all, func(a, b Group) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.rank, b.rank),
			cmp.Compare(len(b.Operations), len(a.Operations)), cmp.Compare(b.Exchanges, a.Exchanges))
	})
	return all
}

// complete chooses the example, and says what the group is about.
func (g *Group) complete(findings []Finding, unproven []Unproven) {
	first := slices.MinFunc(g.Findings, func(i, j int) int {
		a, b := findings[i], findings[j]
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(leads(a), leads(b)), cmp.Compare(rankFor(a), rankFor(b)),
			cmp.Compare(len(a.Request)+len(a.Curl), len(b.Request)+len(b.Curl)), cmp.Compare(i, j))
	})
	at := slices.Index(g.Findings, first)
	copy(g.Findings[1:at+1], g.Findings[:at])
	g.Findings[0] = first
	lead := findings[first]
	g.Severity, g.Check, g.rank = lead.Severity, lead.Check, rankFor(lead)
	switch g.rank {
	case rankDied, rankFailsValid, rankFails:
		g.Kind = KindCrash
	case rankAccess, rankLeak:
		g.Kind = KindAccess
	case rankAnswer, rankErrorAnswer:
		g.Kind = KindAnswer
	case rankAccepted:
		g.Kind = KindAccepted
	case rankUntested, rankRefused:
		g.Kind = KindRefused
	default:
		g.Kind = KindDetail
	}
	members := make([]Finding, 0, len(g.Findings))
	for _, i := range g.Findings {
		members = append(members, findings[i])
	}
	accepted := slices.ContainsFunc(g.Operations, func(op string) bool {
		return !slices.ContainsFunc(unproven, func(u Unproven) bool { return u.Operation == op })
	})
	g.Title, g.ID = title(members, !accepted), g.Check+"-"+g.ID
}

// leads orders the checks of one group: what a person would report comes first.
func leads(f Finding) int {
	switch f.Check {
	case checkServerError, checkConnection, checkValidRefused:
		return 0
	case checkNotRepeatable, checkUndocumentedStatus, checkInvalidAccepted:
		return 1
	}
	return 2
}

// rankFor is how grave a finding is among others of its severity.
func rankFor(f Finding) int {
	switch {
	case f.isDetail():
		return rankDetail
	case f.Check == checkErrorLeak:
		return rankLeak
	case slices.Contains(access, f.Check):
		return rankAccess
	}
	switch f.Check {
	case checkConnection:
		if strings.HasPrefix(f.Message, "the target dies") {
			return rankDied
		}
		return rankFailsValid
	case checkServerError:
		if strings.Contains(f.Message, " to a request that breaks") {
			return rankFails
		}
		return rankFailsValid
	case checkNotRepeatable:
		if f.failsAtTimes() {
			return rankFailsValid
		}
	case checkValidRefused:
		if f.isBase() {
			return rankUntested
		}
		return rankRefused
	case checkInvalidAccepted, checkUndocumentedPath, checkUndocumentedMethod:
		return rankAccepted
	}
	if f.Status >= http.StatusBadRequest {
		return rankErrorAnswer
	}
	return rankAnswer
}

// isDetail reports whether a finding is about the spelling of a request or the letter
// of an RFC: clients hardly ever meet it.
func (f *Finding) isDetail() bool {
	label := f.label()
	if slices.Contains(details, f.Check) {
		return true
	}
	switch f.Check {
	case checkConnection, checkServerError:
		return false
	case checkErrorLeak:
		return f.Severity == Warning
	case checkUndocumentedMethod:
		return label != "" && label == strings.ToLower(label) // get is another method than GET
	case checkValidRefused:
		switch f.Clause[strings.LastIndexByte(f.Clause, '/')+1:] {
		case "media-type", "message", "syntax":
			return !strings.HasPrefix(label, "accept")
		}
	}
	return f.Leave != "" || slices.ContainsFunc([]string{"letter-case", "upper-case", "lower-case", "trailing-", "line-feed"}, func(w string) bool {
		return strings.Contains(label, w)
	})
}

// label is what the case of a finding is called among those of its clause.
func (f *Finding) label() string {
	_, label, _ := strings.Cut(f.Case.ID, "#")
	return label
}

// isBase reports whether the finding is about the valid request that all others of its
// operation are made of.
func (f *Finding) isBase() bool { return f.label() == "base" }

// failsAtTimes reports whether a request that is not answered in one way is answered
// with a 5xx.
func (f *Finding) failsAtTimes() bool {
	return strings.HasPrefix(f.Actual, "5") || strings.HasPrefix(f.Expected, "5")
}

// answered is an answer of an operation, as far as causes go by it.
type answered struct {
	operation string
	status    int
	text      string // all that it says
	first     string // the most telling of it
}

// anywhere is the answer whatever the operation.
func (a answered) anywhere() answered {
	a.operation = ""
	return a
}

func (f *Finding) answered() answered {
	all := said(f.Answer)
	return answered{f.Operation, f.Status, plainly(strings.Join(all, " ")), plainly(strings.Join(all[:min(1, len(all))], ""))}
}

// causes gives each finding the key of its group.
func causes(findings []Finding) []string {
	keys, answers := make([]string, len(findings)), make([]answered, len(findings))
	refused := map[answered]int{}     // exchanges with a refusal of a valid request
	why := map[answered]string{}      // the key of that refusal
	untested := map[answered]string{} // the key of a refused base request, of any operation
	failed := map[answered]string{}   // the key of a 5xx
	fails := map[string]string{}      // the key of a 5xx, by operation
	wrong := map[string]string{}      // the key of an error, by check, clause and answer
	alone := map[string]bool{}        // keys of what is not only wrong with a 5xx
	for i, f := range findings {
		answers[i] = f.answered()
		a := answers[i]
		keys[i] = f.cause(a)
		switch f.Check {
		case checkValidRefused:
			refused[a] += max(1, f.Count)
			if why[a] == "" {
				why[a] = keys[i] // of an error, if there is one: they come first
			}
			if f.isBase() {
				untested[a.anywhere()] = keys[i]
			}
		case checkServerError:
			failed[a] = keys[i]
			fails[f.Operation] = keys[i]
		}
		if f.Severity == Error {
			wrong[f.exactly(a)] = keys[i]
		}
		if f.Status < http.StatusInternalServerError || f.Check == checkServerError {
			alone[keys[i]] = true
		}
	}
	for i, f := range findings {
		a := answers[i]
		switch {
		// A status that nobody documents and a valid request that is refused with it are one.
		case f.Check == checkUndocumentedStatus && untested[a.anywhere()] != "":
			keys[i] = untested[a.anywhere()]
		case f.Check == checkUndocumentedStatus && refused[a] >= max(1, f.Count):
			keys[i] = why[a]
		// What is wrong with an answer that should not be there goes with it.
		case !alone[keys[i]] && failed[a] != "":
			keys[i] = failed[a]
		case f.Check == checkNotRepeatable && f.failsAtTimes() && fails[f.Operation] != "":
			keys[i] = fails[f.Operation]
		// What is left open for one request and not for another, and is answered alike.
		case f.Leave != "" && wrong[f.exactly(a)] != "":
			keys[i] = wrong[f.exactly(a)]
		}
	}
	into := merged{}
	into.bodies(findings, keys)
	into.returned(findings, keys)
	into.failures(findings, answers, keys)
	for i := range keys {
		keys[i] = into.root(keys[i])
	}
	return keys
}

// merged says which groups are one, each by the key of another.
type merged map[string]string

func (m merged) root(k string) string {
	for m[k] != "" {
		k = m[k]
	}
	return k
}

func (m merged) join(a, b string) {
	if a, b := m.root(a), m.root(b); a < b { // the same key, in whatever order they are joined
		m[b] = a
	} else if b < a {
		m[a] = b
	}
}

// bodies joins what is wrong with the schema of one error body: that a code and a
// message are missing is one shape of an error.
func (m merged) bodies(findings []Finding, keys []string) {
	first := map[string]string{}
	for i, f := range findings {
		if f.Check != checkSchema || f.Status < http.StatusBadRequest {
			continue
		}
		body := key(f.Operation, f.Case.ID, fmt.Sprint(f.Status), f.MediaType)
		if other, ok := first[body]; ok {
			m.join(other, keys[i])
		} else {
			first[body] = keys[i]
		}
	}
}

// returned joins what is wrong with the values of a property in successes with the requests that
// were accepted with such values: what is stored comes back, in lists as well.
func (m merged) returned(findings []Finding, keys []string) {
	accepted := map[string]string{}
	for i, f := range findings {
		if f.Check == checkInvalidAccepted && f.Severity == Error && f.Leave == "" {
			accepted[key(f.property(), ruleIn(f.breaks()))] = keys[i]
		}
	}
	for i, f := range findings {
		if k := accepted[key(f.property(), ruleIn(f.Expected))]; k != "" && f.Check == checkSchema && f.Status < http.StatusBadRequest && f.property() != "" {
			m.join(k, keys[i])
		}
	}
}

// property is the end of a clause about a property of a body: its name and the keyword.
func (f *Finding) property() string {
	_, path, _ := strings.Cut(f.Clause, "/body/")
	all := strings.Split(path, "/")
	if len(all) < 2 {
		return ""
	}
	return strings.Join(all[len(all)-2:], "/")
}

// ruleIn is a rule without the name of what it is about, which is another in a list.
func ruleIn(text string) string {
	_, rule, _ := strings.Cut(text, " ")
	return rule
}

// failures joins the 5xx of one operation that say the same in several media types, one
// of them with more words around it.
func (m merged) failures(findings []Finding, answers []answered, keys []string) {
	texts := map[string]map[string]string{} // by operation and status: texts and their keys
	for i, f := range findings {
		if f.Check != checkServerError || f.Answer == "" {
			continue
		}
		at, text := key(f.Operation, fmt.Sprint(f.Status)), answers[i].first
		for other, k := range texts[at] {
			if strings.Contains(text, other) || strings.Contains(other, text) {
				m.join(k, keys[i])
			}
		}
		if texts[at] == nil {
			texts[at] = map[string]string{}
		}
		if text != "" {
			texts[at][text] = keys[i]
		}
	}
}

func key(parts ...string) string { return strings.Join(parts, "\x00") }

// exactly is what a finding is about, but for its severity.
func (f *Finding) exactly(a answered) string {
	return key(f.Check, f.Clause, fmt.Sprint(f.Status), a.text)
}

// cause is what findings have in common that one change would mend.
func (f *Finding) cause(a answered) string {
	status := fmt.Sprint(f.Status)
	switch f.Check {
	case checkUndocumentedStatus, checkUndocumentedMethod, "redirect":
		detail := ""
		if f.isDetail() {
			detail = f.label()
		}
		return key(f.Check, status, detail)
	case checkSecurityIgnored, checkAllowHeader:
		return key(f.Check, f.about())
	case checkErrorLeak:
		return key(f.Check, f.Actual)
	case checkServerError:
		if !strings.HasPrefix(f.Message, status) { // what it does to later requests
			return key(f.Check, f.Clause)
		}
		return key(f.Check, status, a.text)
	}
	if f.Leave != "" {
		return key(f.Check, f.Leave)
	}
	switch f.Check {
	case checkValidRefused:
		return key(f.Check, status, a.text)
	case checkMediaType:
		return key(f.Check, f.class(), f.MediaType)
	case checkSchema:
		part, what := f.broken()
		if strings.HasSuffix(what, "got null") {
			part = ""
		}
		return key(f.Check, f.class(), part, plainly(what))
	case checkInvalidAccepted:
		where, keyword := f.rule()
		return key(f.Check, where, keyword, strconv.FormatBool(strings.HasPrefix(f.label(), "null")))
	case checkUndocumentedPath:
		return key(f.Check, f.label())
	}
	return key(f.Check, plainly(f.about()))
}

// class says whether an answer is a success or an error.
func (f *Finding) class() string {
	if f.Status >= http.StatusBadRequest {
		return "error"
	}
	return "success"
}

// about is the message without the status before its colon, and without the sentence that
// leaves it open. What is quoted of a body that cannot be read stays out.
func (f *Finding) about() string {
	if f.Check == checkMalformed {
		return f.Actual
	}
	text := strings.TrimSuffix(f.Message, " ("+f.Leave+")")
	return strings.TrimSpace(strings.TrimPrefix(text, statusText(f.Status)+": "))
}

// broken takes the message of a broken schema apart: the member, and what is wrong with it.
func (f *Finding) broken() (member, what string) {
	about, _, _ := strings.Cut(f.about(), "; nearest to ")
	path, what, ok := strings.Cut(about, ": ")
	if !ok {
		return "", path
	}
	if path = path[strings.LastIndexByte(path, '/')+1:]; strings.Trim(path, "0123456789") == "" || path == "the body" {
		path = ""
	}
	return path, what
}

// rule is where a clause stands in a request, and its keyword.
func (f *Finding) rule() (where, keyword string) {
	rest := strings.TrimPrefix(f.Clause, f.Operation+"/")
	where, _, _ = strings.Cut(rest, "/")
	where, _, _ = strings.Cut(where, ":")
	return where, rest[strings.LastIndexByte(rest, '/')+1:]
}

func statusText(status int) string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", status, http.StatusText(status)))
}
