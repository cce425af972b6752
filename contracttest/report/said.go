package report

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// saidIn are the members of an error body that say what is wrong, the most telling first.
var saidIn = []string{"detail", "reason", "message", "msg", "error_msg", "error_description", "description", "error", "title"}

// said is what an answer says in words, the most telling first: of JSON the members that
// are meant for people, of markup the text. Bodies are cut, so neither need be whole.
func said(body string) []string {
	text := strings.TrimSpace(body[:min(len(body), maxRead)])
	switch {
	case text == "":
		return nil
	case strings.ContainsRune(`{["`, rune(text[0])):
		return saidInJSON(text)
	case text[0] == '<':
		return []string{saidInMarkup(text)}
	}
	return []string{oneLine(text)}
}

func saidInJSON(text string) []string {
	// By name the first value, a sentence before a single word; the last is of any other name.
	values := make([]string, 2*len(saidIn)+1)
	name := ""
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			continue
		}
		end := i + 1
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		value := text[i:min(end, len(text))] + `"`
		if plain, err := strconv.Unquote(value); err == nil {
			value = plain
		} else {
			value = strings.Trim(value, `"`)
		}
		i = end
		if strings.HasPrefix(strings.TrimLeft(text[min(end+1, len(text)):], " \t\r\n"), ":") {
			name = strings.ToLower(value)
			continue
		}
		value = oneLine(value)
		at := slices.Index(saidIn, name)
		switch {
		case at < 0:
			at = len(values) - 1
		case !strings.Contains(value, " "):
			at += len(saidIn)
		}
		if values[at] == "" && strings.ContainsFunc(value, unicode.IsLetter) {
			values[at] = value
		}
	}
	if all := slices.DeleteFunc(values[:len(values)-1], func(v string) bool { return v == "" }); len(all) > 0 {
		return all
	}
	return slices.DeleteFunc(values[len(values)-1:], func(v string) bool { return v == "" })
}

var (
	notText = regexp.MustCompile(`(?is)<(script|style)\b.*?(</(script|style)>|$)|<[^>]*(>|$)`)
	element = regexp.MustCompile(`<([A-Za-z]+)>([^<]+)(</|$)`)
)

func saidInMarkup(text string) string {
	best, rank := notText.ReplaceAllString(text, " "), len(saidIn)
	for _, m := range element.FindAllStringSubmatch(text, -1) {
		if n := slices.Index(saidIn, strings.ToLower(m[1])); n >= 0 && n < rank && m[1] != "title" {
			best, rank = m[2], n
		}
	}
	return oneLine(best)
}

// oneLine is a text with a single blank for every white space.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// variable is what differs between two texts of one cause: what is quoted, and words with
// a digit or a dot inside, as numbers, paths, types and addresses have.
var variable = regexp.MustCompile("\"[^\"]*(\"|$)|'[^']*('|$)|`[^`]*(`|$)|\\S*\\w\\.\\w\\S*|\\S*[0-9]\\S*")

// maxRead is how much of a text is looked at, in bytes.
const maxRead = 1 << 10

// maxSaid is how much of a text tells causes apart.
const maxSaid = 200

// notWord is what the words of a text stand between.
var notWord = regexp.MustCompile(`[^\pL\pN#]+`)

// plainly is the words of a text without its variable parts.
func plainly(text string) string {
	text = variable.ReplaceAllString(oneLine(text[:min(len(text), maxRead)]), "#")
	text = strings.Trim(strings.ToLower(notWord.ReplaceAllString(text, " ")), " #")
	if r := []rune(text); len(r) > maxSaid {
		text = string(r[:maxSaid])
	}
	return text
}
