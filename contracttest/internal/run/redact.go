package run

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
	"github.com/dataarts-go/factory/contracttest/report"
)

// finding makes a finding for reports, without what the run wants no report to show.
func (r *runner) finding(e *judge.Exchange, f judge.Finding, name string) report.Finding {
	shown := *e
	shown.Secrets = slices.Concat(e.Secrets, r.redacted(e.Op, e.Exchange))
	return Finding(&shown, f, r.curlBase, name)
}

// Secrets lists the values of an exchange that nobody has planned which no report shows: its
// credentials, and those of headers, parameters and properties that these words are in the names
// of, beside those that are secret anywhere. That they come back is no leak.
func Secrets(e *judge.Exchange, words []string) []string {
	v := &redactor{names: slices.Concat(secretNames, words), within: true, all: slices.Clone(e.Secrets)}
	v.exchange(e.Op, e.Exchange, e.Op.BasePath)
	return v.longestFirst()
}

// minSecret is how many bytes a credential has that is hidden everywhere: shorter ones turn up by chance.
const minSecret = 6

// credentials lists those that the run has, wherever a request may have them: wrong ones are sent in
// other places, and made of good ones by another last character, their first half or the letter case.
func (o *Options) credentials(c *contract.Contract) []string {
	var all []string
	add := func(values ...string) {
		for _, value := range values {
			if len(value) < minSecret {
				continue
			}
			all = append(all, value, strings.ToUpper(value), strings.ToLower(value))
			if len(value) > minLong {
				_, last := utf8.DecodeLastRuneInString(value)
				all = append(all, value[:len(value)-last], value[:len(value)/2])
			}
		}
	}
	if c.Doc.Components != nil {
		for name := range c.Doc.Components.SecuritySchemes {
			add(o.Known[name]...)
			for _, pair := range o.Known[name] { // a name and a password are sent as Basic has them
				add(base64.StdEncoding.EncodeToString([]byte(pair)))
			}
		}
	}
	for _, h := range slices.Concat(o.Headers, o.Peer) {
		if !isSecretName(h.Name) {
			continue
		}
		add(h.Value)
		add(judge.InAuthorization(h.Value)...)
		if strings.EqualFold(h.Name, "Cookie") {
			for pair := range strings.SplitSeq(h.Value, ";") {
				_, value, _ := strings.Cut(pair, "=")
				add(value)
			}
		}
	}
	slices.SortFunc(all, longer)
	return slices.Compact(all)
}

// redacted lists the values of an exchange that no report shows: those of the headers,
// parameters and properties that the run names, and its credentials wherever they are. That they come
// back is no leak.
func (r *runner) redacted(op *contract.Operation, x *wire.Exchange) []string {
	own := r.opts.credentials(r.contract)
	if len(r.opts.Redact) == 0 {
		return own
	}
	v := &redactor{names: r.opts.Redact, all: own}
	known := func(name string, values []string) {
		for _, value := range values {
			v.text(name, value)
			v.escaped(name, value)
		}
	}
	for name, values := range r.opts.Known {
		known(name, values)
	}
	for path, values := range r.opts.at[op] {
		known(path[strings.LastIndex(path, "/")+1:], values)
	}
	v.exchange(op, x, r.base(op))
	return v.longestFirst()
}

type redactor struct {
	names  []string
	within bool // a name need only hold one of them
	all    []string
}

// longestFirst returns what was found: or a part of one would be hidden, and the rest shown.
func (v *redactor) longestFirst() []string {
	slices.SortFunc(v.all, longer)
	return slices.Compact(v.all)
}

func longer(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) }

// exchange looks for the names in both messages.
func (v *redactor) exchange(op *contract.Operation, x *wire.Exchange, base string) {
	for _, f := range x.Request.Header {
		v.header(f.Name, f.Value)
	}
	for name, value := range world.Values(op, x.Request.Target, base) {
		v.text(name, value)
	}
	_, query, _ := strings.Cut(x.Request.Target, "?")
	v.form(query)
	v.body(x.Request.Get("Content-Type"), x.Request.Body)
	if x.Response != nil {
		for name, values := range x.Response.Header {
			for _, value := range values {
				v.header(name, value)
			}
		}
		plain, _ := judge.Content(x.Response) // as it came where it cannot be decoded: then nobody is shown more
		v.body(x.Response.Header.Get("Content-Type"), plain.Body)
	}
}

func (v *redactor) header(name, value string) {
	v.text(name, value)
	if v.within && strings.HasSuffix(strings.ToLower(name), "cookie") { // its value may come back without its name
		for pair := range strings.SplitSeq(value, ";") {
			if _, value, _ := strings.Cut(pair, "="); len(value) >= minLong {
				v.text(name, value)
			}
		}
	}
}

// hides reports whether the value of something so named is hidden.
func (v *redactor) hides(name string) bool {
	if v.within {
		name = strings.ToLower(name)
		return slices.ContainsFunc(v.names, func(n string) bool { return strings.Contains(name, strings.ToLower(n)) })
	}
	return slices.ContainsFunc(v.names, func(n string) bool { return strings.EqualFold(n, name) })
}

func (v *redactor) text(name, value string) {
	if value != "" && v.hides(name) {
		v.all = append(v.all, value)
	}
}

// escaped is a text as the bytes of JSON have it, and of JSON within JSON.
func (v *redactor) escaped(name, value string) {
	for range 2 {
		text, err := json.Marshal(value)
		if err != nil {
			return
		}
		value = string(text[1 : len(text)-1])
		v.text(name, value)
	}
}

func (v *redactor) form(text string) {
	values, err := url.ParseQuery(text)
	if err != nil { // what is broken on purpose has other parts
		for pair := range strings.SplitSeq(text, "&") {
			name, value, _ := strings.Cut(pair, "=")
			v.text(name, value)
		}
	}
	for name, some := range values {
		for _, value := range some {
			v.text(name, value)
		}
	}
}
