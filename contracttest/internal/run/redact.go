package run

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/secret"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/report"
)

// finding makes a finding for reports, without what the run wants no report to show.
func (r *runner) finding(e *judge.Exchange, f judge.Finding, name string) report.Finding {
	shown := *e
	shown.Secrets = slices.Concat(e.Secrets, r.redacted(e.Op, e.Exchange))
	return Finding(&shown, f, r.curlBase, name)
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
			if len(value) > secret.Long {
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
		if !secret.IsName(h.Name) {
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
	return secret.LongestFirst(all)
}

// redacted lists the values of an exchange that no report shows: those of the headers,
// parameters and properties that the run names, and its credentials wherever they are. That they come
// back is no leak.
func (r *runner) redacted(op *contract.Operation, x *wire.Exchange) []string {
	own := r.opts.credentials(r.contract)
	if len(r.opts.Redact) == 0 {
		return own
	}
	f := secret.NewFinder(r.opts.Redact, own)
	known := func(name string, values []string) {
		for _, value := range values {
			f.Add(name, value)
		}
	}
	for name, values := range r.opts.Known {
		known(name, values)
	}
	for path, values := range r.opts.at[op] {
		known(path[strings.LastIndex(path, "/")+1:], values)
	}
	f.Exchange(op, x, r.base(op))
	return f.Values()
}

// notMadeUp leaves out of secrets the credentials that nobody has.
func notMadeUp(secrets []string) []string {
	return slices.DeleteFunc(slices.Clone(secrets), plan.MadeUp)
}

// wrongIn names the headers in which a request has wrong credentials.
func wrongIn(op *contract.Operation, expect plan.Expect) []string {
	if expect != plan.RefuseCredential {
		return nil
	}
	return plan.Own(op)
}
