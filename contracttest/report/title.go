package report

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTitle bounds what a title quotes, in characters.
const maxTitle = 110

// title says in one sentence what a group of findings is about, its example first. none is whether
// no valid request of any of its operations was accepted.
func title(members []Finding, none bool) string {
	f := members[0]
	switch f.Check {
	case checkServerError:
		if !strings.HasPrefix(f.Message, strconv.Itoa(f.Status)) {
			break
		}
		if rankFor(f) == rankFailsValid {
			return fmt.Sprintf("Valid requests fail with %s%s", statusText(f.Status), f.quoted())
		}
		return fmt.Sprintf("Invalid requests fail with %s, not with a 4xx%s", statusText(f.Status), f.quoted())
	case checkValidRefused:
		return f.refusal(members, none)
	case checkUndocumentedStatus:
		text := f.Actual + " is returned but not documented"
		if f.Leave != "" {
			text += ", which is allowed: " + f.left()
		}
		return text
	case checkMediaType:
		if f.Leave == "" && strings.Contains(f.Message, " is not documented, want ") {
			kind := "no Content-Type"
			if f.MediaType != "" {
				kind = "Content-Type " + f.MediaType
			}
			_, want, _ := strings.Cut(f.Expected, " is ")
			return fmt.Sprintf("%s have %s; the document says %s", statuses(members), kind, want)
		}
	case checkSchema:
		return fmt.Sprintf("%s do not match their schema: %s", statuses(members), some(members, func(f Finding) string {
			return strings.Replace(anyItem(f.about()), ": is ", " is ", 1)
		}))
	case checkInvalidAccepted:
		if f.Leave == "" {
			own := slices.DeleteFunc(slices.Clone(members), func(o Finding) bool { return o.Check != f.Check })
			if len(own) < len(members) {
				return title(own, none) + "; responses then break it, too"
			}
			if strings.HasPrefix(f.label(), "null") {
				return fmt.Sprintf("null is accepted where the document does not allow it: %s", some(members, Finding.breaks))
			}
			unchecked := ": "
			if strings.Contains(f.Message, "; broken: ") {
				unchecked = " that break the rule: "
			}
			where, keyword := f.rule()
			if where == "body" && keyword == "media-type" {
				return "A wrong Content-Type is accepted: " + some(members, Finding.breaks)
			}
			return fmt.Sprintf("Invalid %s are accepted%s%s", cmp.Or(parts[where], "requests"), unchecked, some(members, Finding.breaks))
		}
		return "Invalid requests are accepted, which is allowed but not portable: " + f.left()
	case checkUndocumentedMethod:
		if f.isDetail() && f.Severity == Error {
			return fmt.Sprintf("Method names are matched without regard to case: %s returns %s", f.label(), f.Actual)
		}
		return "Undocumented methods return " + f.Actual + ", not 405"
	case checkUndocumentedPath:
		if f.Leave != "" {
			return "Other spellings of a path are served, which is allowed: " + f.left()
		}
		return "Undocumented paths are served"
	case checkSecurityIgnored:
		return "Requests without valid credentials are accepted"
	case checkAllowHeader:
		switch about := f.about(); {
		case strings.HasPrefix(about, "405 without"):
			return "405 responses have no Allow header"
		default:
			return strings.Replace(about, "Allow ", "The Allow header ", 1)
		}
	case checkErrorLeak:
		_, shows, ok := strings.Cut(f.about(), " shows ")
		if ok {
			return statuses(members) + " reveal " + strings.TrimRight(shows, `: "`)
		}
	}
	text := shorten(f.about())
	switch f.Check {
	case "response-body-unexpected":
		text = statuses(members) + " have a body although none is documented"
	case "response-body-missing":
		text = statuses(members) + " have no body although one is documented"
	}
	if source, _, ok := strings.Cut(f.Leave, ": "); ok {
		text += " (allowed by " + source + ")"
	}
	return sentence(text)
}

// parts are the parts of a request that a clause may be about, by their names in it.
var parts = map[string]string{
	"query": "query parameters", "path": "path parameters", "header": "headers", "cookie": "cookies", "body": "request bodies",
}

// refusal is the title of valid requests that are refused.
func (f *Finding) refusal(members []Finding, none bool) string {
	which, status := "Valid requests are", statusText(f.Status)
	if none && f.isBase() {
		which = "All valid requests are"
	}
	if slices.ContainsFunc(members, func(f Finding) bool { return f.Check == checkUndocumentedStatus }) {
		status += " (not documented)"
	}
	text := fmt.Sprintf("%s refused with %s", which, status)
	if rule := f.keeps(); rule != "" && !slices.ContainsFunc(members, func(o Finding) bool { return o.Check == f.Check && o.keeps() != rule }) {
		text += " although " + rule
	}
	if f.Leave != "" {
		return text + ", which is allowed: " + f.left()
	}
	return text + f.quoted()
}

// keeps is the rule by which a request that is refused is valid, where it is about one.
func (f *Finding) keeps() string {
	_, rule, ok := strings.Cut(f.Message, "a valid request (")
	if f.isBase() || !ok {
		return ""
	}
	rule, _, ok = strings.Cut(rule, ") is refused with ")
	if !ok {
		return ""
	}
	if _, keyword := f.rule(); slices.Contains([]string{"message", "media-type", "path", "syntax"}, keyword) { // it is about the form
		return "only its form is unusual: " + strings.ReplaceAll(f.label(), "-", " ")
	}
	return shorten(rule)
}

// quoted is what the server says, behind a colon.
func (f *Finding) quoted() string {
	text := ""
	if all := said(f.Answer); len(all) > 0 {
		text = all[0]
	}
	for _, known := range []string{statusText(f.Status), http.StatusText(f.Status)} {
		text = strings.TrimSpace(strings.TrimPrefix(text, known))
	}
	if text == "" || strings.HasPrefix(text, "The server encountered an internal error") { // a framework's words for any failure
		return ""
	}
	return ": “" + shorten(text) + "”"
}

// left is the sentence that leaves it open, with its source behind it.
func (f *Finding) left() string {
	source, what, ok := strings.Cut(f.Leave, ": ")
	if !ok || strings.Contains(source, " does not say ") {
		return f.Leave
	}
	return what + " (" + source + ")"
}

// breaks is the rule that an accepted request breaks.
func (f Finding) breaks() string {
	_, what, _ := strings.Cut(f.about(), "; ")
	what = strings.TrimPrefix(what, "broken: ")
	what, _, _ = strings.Cut(what, "; sent again")
	return cmp.Or(anyItem(what), f.Clause)
}

// anyItem is what a message says of a place, without the index of the item that the example
// happens to have: of others it says the same.
func anyItem(text string) string {
	place, what, ok := strings.Cut(text, ": ")
	if !ok || strings.Contains(place, " ") {
		return text
	}
	var b strings.Builder
	for i, step := range strings.Split(place, "/") {
		_, err := strconv.ParseUint(step, 10, 32)
		switch {
		case err == nil && i == 0:
			b.WriteString("body[]")
		case err == nil:
			b.WriteString("[]")
		case i == 0:
			b.WriteString(step)
		default:
			b.WriteString("/" + step)
		}
	}
	if b.String() == "body[]" {
		return "an item of the body: " + what
	}
	return b.String() + ": " + what
}

// some lists what the findings say, the first few of them.
func some(members []Finding, say func(Finding) string) string {
	var all []string
	for _, f := range members {
		if text := shorten(say(f)); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	const most = 2
	if more := len(all) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), more)
	}
	return and(all)
}

// statuses names the responses of the findings: "400, 404 and 500 responses".
func statuses(members []Finding) string {
	var codes []int
	for _, f := range members {
		if !slices.Contains(codes, f.Status) {
			codes = append(codes, f.Status)
		}
	}
	slices.Sort(codes)
	all := make([]string, len(codes))
	for i, code := range codes {
		all[i] = strconv.Itoa(code)
	}
	return and(all) + " responses"
}

// and lists texts: "a, b and c".
func and(all []string) string {
	last := len(all) - 1
	if last < 1 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:last], ", ") + " and " + all[last]
}

func sentence(text string) string {
	text = strings.TrimRight(text, ": ")
	r, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[n:]
}

// shorten cuts a text to maxTitle characters.
func shorten(text string) string {
	if most := utf8.UTFMax * (maxTitle + 1); len(text) > most { // no need to count them all
		text = strings.ToValidUTF8(text[:most], "")
	}
	if r := []rune(text); len(r) > maxTitle {
		return strings.TrimSpace(string(r[:maxTitle-1])) + "…"
	}
	return text
}
