package run

import (
	"encoding/json"
	"mime"
	"net/url"
	"regexp"
	"slices"
	"strings"

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

// redacted lists the values of an exchange that no report shows: those of the headers,
// parameters and properties that the run names. That they come back is no leak.
func (r *runner) redacted(op *contract.Operation, x *wire.Exchange) []string {
	if len(r.opts.Redact) == 0 {
		return nil
	}
	v := &redactor{names: r.opts.Redact}
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
	for _, f := range x.Request.Header {
		v.text(f.Name, f.Value)
	}
	for name, value := range world.Values(op, x.Request.Target, r.base(op)) {
		v.text(name, value)
	}
	_, query, _ := strings.Cut(x.Request.Target, "?")
	v.form(query)
	v.body(x.Request.Get("Content-Type"), x.Request.Body)
	if x.Response != nil {
		for name, values := range x.Response.Header {
			for _, value := range values {
				v.text(name, value)
			}
		}
		v.body(x.Response.Header.Get("Content-Type"), x.Response.Body)
	}
	slices.SortFunc(v.all, func(a, b string) int { return len(b) - len(a) }) // or a part of one would be hidden, and the rest shown
	return slices.Compact(v.all)
}

type redactor struct{ names, all []string }

func (v *redactor) text(name, value string) {
	if value != "" && slices.ContainsFunc(v.names, func(n string) bool { return strings.EqualFold(n, name) }) {
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

func (v *redactor) body(kind string, data []byte) {
	if media, _, err := mime.ParseMediaType(kind); err == nil && media == "application/x-www-form-urlencoded" {
		v.form(string(data))
		return
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var body any
	if d.Decode(&body) == nil {
		v.json("", body)
		return
	}
	for _, name := range v.names { // what is no JSON may look like it
		member := regexp.MustCompile(`(?i)"` + regexp.QuoteMeta(name) + `"\s*:\s*(?:"((?:[^"\\]|\\.)*)|([^\s,{}\[\]"]+))`)
		for _, m := range member.FindAllSubmatch(data, -1) {
			v.text(name, string(m[1])+string(m[2]))
		}
	}
}

// json looks for the names in a value. All that is below one of them is hidden; true, false
// and null say nothing by themselves.
func (v *redactor) json(name string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for key, member := range value {
			if slices.ContainsFunc(v.names, func(n string) bool { return strings.EqualFold(n, name) }) {
				key = name
			}
			v.json(key, member)
		}
	case []any:
		for _, item := range value {
			v.json(name, item)
		}
	case string:
		v.text(name, value)
		v.escaped(name, value)
	case json.Number:
		v.text(name, value.String())
	}
}
