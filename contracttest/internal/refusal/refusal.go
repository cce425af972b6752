package refusal

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/dataarts-go/factory/contracttest/internal/pattern"
	"github.com/dataarts-go/factory/contracttest/internal/value"
)

// Remark is what a refusal says of one thing: a sentence, and the words around it that may
// name what it is about.
type Remark struct{ Text, Around string }

// How much of a refusal is read.
const (
	maxRefusal = 32 << 10
	maxRemarks = 32
	maxSaid    = 400 // bytes of a sentence
)

// Remarks reads the body of a refusal: of JSON each text with those beside it and the names
// above it, as in {"errors": [{"loc": ["body", "name"], "msg": "expected a date"}]}.
func Remarks(body []byte) []Remark {
	if len(body) > maxRefusal {
		return nil
	}
	var v any
	if json.Unmarshal(body, &v) != nil {
		text := cut(string(body))
		return []Remark{{text, text}}
	}
	var all []Remark
	var read func(v any, above string)
	read = func(v any, above string) {
		if len(all) >= maxRemarks {
			return
		}
		switch v := v.(type) {
		case string:
			v = cut(v)
			all = append(all, Remark{v, above + " " + v})
		case []any:
			for _, item := range v {
				read(item, above)
			}
		case map[string]any:
			words := []string{above}
			for _, name := range slices.Sorted(maps.Keys(v)) {
				switch member := v[name].(type) {
				case string:
					words = append(words, cut(member))
				case []any:
					for _, item := range member {
						if text, ok := item.(string); ok {
							words = append(words, cut(text))
						}
					}
				}
			}
			beside := strings.Join(words, " ")
			for _, name := range slices.Sorted(maps.Keys(v)) {
				read(v[name], beside+" "+name)
			}
		}
	}
	read(v, "")
	return all
}

// cut is as much of a text as is read.
func cut(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxSaid)], "")
}

// Names reports whether words name a parameter or a property: as it is written, or in
// other letters and separators.
func Names(words, name string) bool {
	want := plainName(name)
	fields := strings.FieldsFunc(words, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' })
	for i, word := range fields {
		word = plainName(word)
		if word == want || i > 0 && plainName(fields[i-1])+word == want {
			return true
		}
	}
	return false
}

func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// Means reports whether words may be about a parameter or a property that they do not name: "End
// time" about endsAt, and "expiry" about expiresAt.
func Means(words, name string) bool {
	notLetter := func(r rune) bool { return !unicode.IsLetter(r) }
	stems := map[string]bool{}
	for _, word := range strings.FieldsFunc(words, notLetter) {
		stems[stem(word)] = true
	}
	apart := capital.ReplaceAllString(name, "$1 $2")
	return slices.ContainsFunc(strings.FieldsFunc(apart, notLetter), func(word string) bool {
		word = stem(word)
		return word != "" && stems[word]
	})
}

var (
	capital = regexp.MustCompile(`([\p{Ll}\d])(\p{Lu})`)
	// Words that say nothing of what a name or a sentence is about.
	common = []string{"at", "on", "in", "of", "by", "to", "is", "be", "id", "not", "must", "date", "time", "timestamp"}
)

// stem is a word in small letters and without its ending, empty for one that is common.
func stem(word string) string {
	word = strings.ToLower(word)
	if slices.Contains(common, word) {
		return ""
	}
	const least = 3
	for _, ending := range []string{"ation", "ing", "ed", "es", "s", "y", "e"} {
		if short, ok := strings.CutSuffix(word, ending); ok && len(short) >= least {
			return short
		}
	}
	return word
}

// Taken reports whether a refusal says that something is there already.
func Taken(body []byte) bool { return says(body, taken) }

// Empty reports whether a refusal says that something has nothing in it.
func Empty(body []byte) bool { return says(body, empty) }

func says(body []byte, words *regexp.Regexp) bool {
	return slices.ContainsFunc(Remarks(body), func(said Remark) bool { return words.MatchString(said.Text) })
}

var taken = regexp.MustCompile(`(?i)\balready\b|\bduplicate|\b(must be|not|has to be) unique\b|\bunique constraint\b`)
var empty = regexp.MustCompile(`(?i)\bempty\b|\bat least (one|1)\b`)

// lessons are words that say what a text has to be, and texts that are it.
var lessons = []struct {
	words *regexp.Regexp
	texts []string
}{
	{regexp.MustCompile(`(?i)date[- ]?time|timestamp|rfc ?3339|iso ?8601`), []string{"2024-02-29T12:34:56Z", "2024-02-29"}},
	{regexp.MustCompile(`(?i)\bfuture\b|(not|n['’]t|\bis|\bare|\bwas|\blies?)( be)?( set)?( a)?( date| time)?( in the)? past\b|\b(already|has|have) (passed|expired)\b`), []string{"2099-12-31", "2099-12-31T23:59:59Z"}},
	{regexp.MustCompile(`(?i)\bdate\b|yyyy-mm-dd`), []string{"2024-02-29", "2024-02-29T12:34:56Z"}},
	{regexp.MustCompile(`(?i)\btime\b|hh:mm`), []string{"12:34:56", "12:34"}},
	{regexp.MustCompile(`(?i)\buuid|\bguid`), []string{"123e4567-e89b-42d3-a456-426614174000"}},
	{regexp.MustCompile(`(?i)e-?mail`), []string{"someone@example.com"}},
	{regexp.MustCompile(`(?i)\bur[li]s?\b`), []string{"https://example.com/a"}},
	{regexp.MustCompile(`(?i)\bip(v4)?\b`), []string{"192.0.2.1"}},
	{regexp.MustCompile(`(?i)\bipv6\b`), []string{"2001:db8::1"}},
	{regexp.MustCompile(`(?i)\bhost ?name|\bdomain\b`), []string{"host.example.com"}},
	{regexp.MustCompile(`(?i)\bphone|e\.164`), []string{"+12025550123"}},
	{regexp.MustCompile(`(?i)password|upper-?case (letter|character)|special character`), []string{"Ab1!" + "cdefgh-2345"}},
	{regexp.MustCompile(`(?i)upper-?case`), []string{"ABCDEF"}},
	{regexp.MustCompile(`(?i)lower-?case`), []string{"abcdef"}},
	{regexp.MustCompile(`(?i)alpha-?numeric|letters and (digits|numbers)`), []string{"abc123"}},
	{regexp.MustCompile(`(?i)hexadecimal|\bhex\b`), []string{"0a1b2c3d"}},
	{regexp.MustCompile(`(?i)base-?64`), []string{"YWJjZA=="}},
	{regexp.MustCompile(`(?i)country|iso ?3166`), []string{"DE", "DEU"}},
	{regexp.MustCompile(`(?i)currency|iso ?4217`), []string{"EUR"}},
	{regexp.MustCompile(`(?i)language|locale|bcp ?47`), []string{"en", "en-US"}},
	{regexp.MustCompile(`(?i)\bdigits?\b|numeric|\binteger\b|\bnumber\b`), []string{"12", "123456"}},
	{regexp.MustCompile(`(?i)\bjson\b`), []string{"{}"}},
	{regexp.MustCompile(`(?i)positive|greater than (0|zero)`), []string{"1"}},
	{regexp.MustCompile(`(?i)\bboolean\b`), []string{"true"}},
}

const aWord = "[\"'`]?[\\w.-]+[\"'`]?"

var (
	aPattern = regexp.MustCompile(`\^[^\s"']+\$`)
	aChoice  = regexp.MustCompile(`(?i)(?:one of|values?(?: are)?|must be|expected|either)[:\s]*[\[({]?\s*((?:` + aWord + `(?:\s*[,|/]\s*(?:or\s+)?|\s+or\s+))+` + aWord + `)`)
	aList    = regexp.MustCompile(`\[(` + aWord + `(?:\s+` + aWord + `)+)\]`)
	aLeast   = regexp.MustCompile(`(?i)(?:at least|minimum|min|longer than|greater than|more than|>=?)\D{0,24}?(\d+)`)
	aMost    = regexp.MustCompile(`(?i)(?:at most|maximum|max|shorter than|less than|no more than|<=?)\D{0,24}?(\d+)`)
)

// How long a text is at most that is made because a refusal asks for it, and one that has
// to match a pattern.
const (
	maxLength = 4096
	maxMatch  = 64
)

// Texts lists texts that a sentence of a refusal asks for, the likeliest first.
func Texts(said string) []string {
	var all []string
	for _, expr := range aPattern.FindAllString(said, 2) {
		p, err := pattern.Compile(expr)
		if err != nil {
			continue
		}
		for _, least := range []int{4, 1} {
			for text := range p.Strings(least, maxMatch) {
				all = append(all, text)
				break
			}
		}
	}
	for _, list := range []*regexp.Regexp{aChoice, aList} {
		if m := list.FindStringSubmatch(said); m != nil {
			words := strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune(" ,|/\"'`", r) })
			all = append(all, slices.DeleteFunc(words, func(w string) bool { return w == "or" })...)
		}
	}
	for _, l := range lessons {
		if l.words.MatchString(said) {
			all = append(all, l.texts...)
		}
	}
	for _, bound := range []*regexp.Regexp{aLeast, aMost} {
		m := bound.FindStringSubmatch(said)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil || n > maxLength {
			continue
		}
		if bound == aLeast {
			n++ // more than n is at least n
		} else {
			n = max(n-1, 1)
		}
		all = append(all, value.Letters(n), strconv.Itoa(n))
	}
	var some []string
	for _, text := range all {
		if !slices.Contains(some, text) && len(some) < maxTexts {
			some = append(some, text)
		}
	}
	return some
}

// maxTexts is how many texts are taken from one sentence.
const maxTexts = 8
