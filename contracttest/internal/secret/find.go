package secret

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// InExchange lists the values of an exchange that nobody has planned which no report shows: its
// credentials, and those of headers, parameters and properties that these words are in the names
// of, beside those that are secret anywhere. That they come back is no leak.
func InExchange(e *judge.Exchange, words []string) []string {
	f := &Finder{names: slices.Concat(secretNames, words), within: true, all: slices.Clone(e.Secrets)}
	f.Exchange(e.Op, e.Exchange, e.Op.BasePath)
	return f.Values()
}

// Finder finds in exchanges the values of what has some names.
type Finder struct {
	names  []string
	within bool // a name need only hold one of them
	all    []string
}

// NewFinder returns one that looks for names, whatever their letter case, and knows some values already.
func NewFinder(names, known []string) *Finder { return &Finder{names: names, all: known} }

// Values returns what was found.
func (f *Finder) Values() []string { return LongestFirst(f.all) }

// LongestFirst sorts secrets, each once: or a part of one would be Hidden, and the rest shown.
func LongestFirst(secrets []string) []string {
	slices.SortFunc(secrets, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(secrets)
}

// Add takes what something is called and has.
func (f *Finder) Add(name, value string) {
	f.text(name, value)
	f.escaped(name, value)
}

// Exchange looks for the names in both messages of an operation below a base path.
func (f *Finder) Exchange(op *contract.Operation, x *wire.Exchange, base string) {
	for _, field := range x.Request.Header {
		f.header(field.Name, field.Value)
	}
	for name, value := range world.Values(op, x.Request.Target, base) {
		f.text(name, value)
	}
	_, query, _ := strings.Cut(x.Request.Target, "?")
	f.form(query)
	f.body(x.Request.Get("Content-Type"), x.Request.Body)
	if x.Response != nil {
		for name, values := range x.Response.Header {
			for _, value := range values {
				f.header(name, value)
			}
		}
		plain, _ := judge.Content(x.Response) // as it came where it cannot be decoded: then nobody is shown more
		f.body(x.Response.Header.Get("Content-Type"), plain.Body)
	}
}

func (f *Finder) header(name, value string) {
	f.text(name, value)
	if f.within && strings.HasSuffix(strings.ToLower(name), "cookie") { // its value may come back without its name
		for pair := range strings.SplitSeq(value, ";") {
			if _, value, _ := strings.Cut(pair, "="); len(value) >= Long {
				f.text(name, value)
			}
		}
	}
}

// hides reports whether the value of something so named is Hidden.
func (f *Finder) hides(name string) bool {
	if f.within {
		name = strings.ToLower(name)
		return slices.ContainsFunc(f.names, func(n string) bool { return strings.Contains(name, strings.ToLower(n)) })
	}
	return slices.ContainsFunc(f.names, func(n string) bool { return strings.EqualFold(n, name) })
}

func (f *Finder) text(name, value string) {
	if value != "" && f.hides(name) {
		f.all = append(f.all, value)
	}
}

// escaped is a text as the bytes of JSON have it, and of JSON within JSON.
func (f *Finder) escaped(name, value string) {
	for range 2 {
		text, err := json.Marshal(value)
		if err != nil {
			return
		}
		value = string(text[1 : len(text)-1])
		f.text(name, value)
	}
}

func (f *Finder) form(text string) {
	values, err := url.ParseQuery(text)
	if err != nil { // what is broken on purpose has other parts
		for pair := range strings.SplitSeq(text, "&") {
			name, value, _ := strings.Cut(pair, "=")
			f.text(name, value)
		}
	}
	for name, some := range values {
		for _, value := range some {
			f.text(name, value)
		}
	}
}
