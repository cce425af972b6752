package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/obtain"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/secret"
	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Obtained is a part of a header or a value that is got before the run.
type Obtained struct {
	For    string // ForHeader, ForPeer or ForValue
	Name   string
	Prefix string // before what is got
	// Written is how the setting has all of it.
	Written string
	Get     obtain.Source

	secret  bool     // whatever its name
	secrets []string // that errors may have
}

// written puts values that would be got as they are written, where nothing is to be got.
func (o *Options) written() {
	for _, b := range o.Obtained {
		if b.For == ForValue {
			o.Known[b.Name] = append(o.Known[b.Name], b.Written)
		}
	}
}

// What an Obtained is for, by the name of its setting.
const (
	ForHeader = "header"
	ForPeer   = "peer"
	ForValue  = "value"
)

// renewal gets credentials anew when the target takes them no longer. The plan, and so the
// report, has the first ones: those of the day take their place when a request is sent.
type renewal struct {
	mu     sync.RWMutex
	parts  []*renewed
	times  int         // that they were got anew
	former []string    // secrets that were good before
	brief  atomic.Bool // they expire by so few requests that each may need one of its own
}

type renewed struct {
	Obtained
	first, now string
	until      time.Time // when it is got anew, whether it is refused or not; zero: nobody knows
	hidden     bool
}

// maxFormer is how many secrets of before are kept, to hide them.
const maxFormer = 100

// identify has the credentials of who the run is among what is sent, or to be got.
func (o *Options) identify(c *contract.Contract, target send.Target) error {
	return errors.Join(o.asUser(c, target), o.byOAuth2(c, target))
}

// asUser gives the run the credentials of its user: what a login gives is among what is to be got.
func (o *Options) asUser(c *contract.Contract, target send.Target) error {
	if o.User == nil {
		return nil
	}
	headers, obtained, redact := slices.Clone(o.Headers), slices.Clone(o.Obtained), slices.Clone(o.Redact)
	for _, p := range o.User.Parts(target, o.Secure) {
		b := Obtained{For: ForHeader, Name: p.Name, Prefix: p.Text, Written: "a-login-gives-it", Get: p.Get, secret: true}
		if p.Query() {
			if b.For, b.Name = ForValue, queryScheme(c, p.Name); b.Name == "" {
				return fmt.Errorf("auth: the token goes into the query parameter %s, but the document has no security scheme for it (type: apiKey, in: query)", p.Name)
			}
		} else if o.hasHeader(p.Name) {
			return fmt.Errorf("auth: the user has the header %s, which is given too: remove one of them", p.Name)
		}
		if p.Get != nil {
			obtained = append(obtained, b)
			continue
		}
		headers = append(headers, Header{p.Name, p.Text})
		if !secret.IsName(p.Name) {
			redact = append(redact, p.Name) // it is a credential, whatever its name
		}
	}
	o.Headers, o.Obtained, o.Redact = headers, obtained, redact
	return nil
}

// hasHeader reports whether a header is given, or to be got.
func (o *Options) hasHeader(name string) bool {
	return o.given([]string{name}) || slices.ContainsFunc(o.Obtained, func(b Obtained) bool { return b.For == ForHeader && strings.EqualFold(b.Name, name) })
}

// queryScheme is the security scheme whose credential is in a parameter of the query; empty where
// there is none.
func queryScheme(c *contract.Contract, name string) string {
	if c.Doc.Components == nil {
		return ""
	}
	for _, scheme := range slices.Sorted(maps.Keys(c.Doc.Components.SecuritySchemes)) {
		if ref := c.Doc.Components.SecuritySchemes[scheme]; ref != nil && ref.Value != nil && ref.Value.Type == "apiKey" && ref.Value.In == "query" && ref.Value.Name == name {
			return scheme
		}
	}
	return ""
}

// obtain gets what is to be got before the run. A value that is no credential stays as it is.
func (o *Options) obtain(ctx context.Context, c *contract.Contract) (renewals []*renewed, err error) {
	for _, b := range o.Obtained {
		got, err := b.Get(ctx)
		if err != nil {
			return nil, o.notGot(b, err, nil)
		}
		text := got.Text
		p := &renewed{b, text, text, got.Until, b.secret || secret.IsName(b.Name)}
		switch b.For {
		case ForHeader:
			o.Headers = append(o.Headers, Header{b.Name, b.Prefix + text})
		case ForPeer:
			o.Peer = append(o.Peer, Header{b.Name, b.Prefix + text})
		default:
			o.Known[b.Name] = append(o.Known[b.Name], b.Prefix+text)
			if c.Doc.Components == nil || c.Doc.Components.SecuritySchemes[b.Name] == nil {
				continue
			}
			p.hidden = true
		}
		renewals = append(renewals, p)
	}
	return renewals, nil
}

// notGot says what could not be got, and why.
func (o *Options) notGot(b Obtained, err error, secrets []string) error {
	return fmt.Errorf("%s %s: %s", b.For, b.Name, o.withoutSecrets(err, slices.Concat(secrets, b.secrets))) // the text alone: what is wrapped has the secrets
}

// withoutSecrets is the text of an error without the secrets that the run knows and those of the
// environment.
func (o *Options) withoutSecrets(err error, secrets []string) string {
	for _, h := range slices.Concat(o.Headers, o.Peer) {
		if secret.IsName(h.Name) {
			_, bare, _ := strings.Cut(h.Value, " ")
			secrets = append(secrets, h.Value, bare)
		}
	}
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); len(value) >= secret.Long && secret.IsName(strings.ReplaceAll(name, "_", "-")) {
			secrets = append(secrets, value)
		}
	}
	return secret.Hide(err.Error(), secrets)
}

// state is how often credentials were got anew.
func (n *renewal) state() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.times
}

// again gets the credentials anew, if nobody has done so since.
func (n *renewal) again(ctx context.Context, since int, o *Options) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.times != since {
		return nil
	}
	for _, p := range n.parts {
		if err := n.replace(ctx, p); err != nil {
			return o.notGot(p.Obtained, err, n.known())
		}
	}
	n.times++
	return nil
}

func (n *renewal) replace(ctx context.Context, p *renewed) error {
	got, err := p.Get(ctx)
	if err != nil {
		return err
	}
	if p.hidden && p.now != p.first && !slices.Contains(n.former, p.now) {
		n.former = append(n.former[max(0, len(n.former)-maxFormer+1):], p.now)
	}
	p.now, p.until = got.Text, got.Until
	return nil
}

// refresh gets those credentials anew that are about to expire. Where one cannot be had, the one that
// is there may still be good: if it is not, a refusal tells.
func (n *renewal) refresh(ctx context.Context) {
	due := func(p *renewed) bool { return !p.until.IsZero() && time.Now().After(p.until) }
	n.mu.RLock()
	some := slices.ContainsFunc(n.parts, due)
	n.mu.RUnlock()
	if !some {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.parts {
		if !due(p) {
			continue
		}
		if err := n.replace(ctx, p); err != nil {
			p.until = time.Time{}
			continue
		}
		n.times++
	}
}

// secrets are those that were got.
func (n *renewal) secrets() []string {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.known()
}

func (n *renewal) known() []string {
	all := slices.Clone(n.former)
	for _, p := range n.parts {
		if p.hidden {
			all = append(all, p.first, p.now)
		}
	}
	return all
}

// borne are the credentials of those that were got that a request has.
func (n *renewal) borne(req *wire.Request) (all []*renewed) {
	has := func(text, credential string) bool { return secret.Replace(text, credential, "") != text }
	for _, p := range n.parts { // their first texts never change
		if has(req.Target, url.QueryEscape(p.first)) || slices.ContainsFunc(req.Header, func(f wire.Field) bool { return has(f.Value, p.first) }) {
			all = append(all, p)
		}
	}
	return all
}

// current is a request with the credentials of now.
func (n *renewal) current(req *wire.Request) *wire.Request {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.times == 0 {
		return req
	}
	req = req.Clone()
	for _, p := range n.parts {
		req.Target = secret.Replace(req.Target, url.QueryEscape(p.first), url.QueryEscape(p.now))
		for i := range req.Header {
			req.Header[i].Value = secret.Replace(req.Header[i].Value, p.first, p.now)
		}
	}
	return req
}

// exchange sends a request of an operation by one of the target's ways. Where its credential is
// refused it is sent once more with another, if that can be had: one that has expired says
// nothing about the operation.
func (r *runner) exchange(ctx context.Context, op *contract.Operation, req *wire.Request, do way) *wire.Exchange {
	const most = 3 // others may get a credential, too, and it may expire again
	for tries := 0; ; tries++ {
		since := r.renewal.state()
		x := r.persist(ctx, op, req, do)
		if x.Response == nil || len(r.renewal.parts) == 0 {
			return x
		}
		if x.Response.Status != http.StatusUnauthorized {
			r.noteGood(op, x)
			return x
		}
		borne := r.renewal.borne(req)
		if len(borne) == 0 || !r.renewable(ctx) {
			return x
		}
		if r.renewal.brief.Load() || tries == most {
			// It may have expired by the requests of others. With one of its own it has not.
			r.renewal.brief.Store(true)
			return r.persist(context.WithValue(ctx, ownCredential{}, true), op, req, do)
		}
		if !r.renews(ctx, op, req, borne, since) {
			return x
		}
	}
}

// ownCredential is the key of a context whose request is sent alone, with a credential that was
// not used yet.
type ownCredential struct{}

// good is a request that was accepted with credentials, and changes nothing.
type good struct {
	req   *wire.Request
	borne []*renewed
}

// noteGood notes the first request of an operation that shows later whether its credential is
// still good.
func (r *runner) noteGood(op *contract.Operation, x *wire.Exchange) {
	if st := r.states.of(op); x.Request.Method == http.MethodGet && x.Response.Status/100 == 2 && st.good.Load() == nil {
		if borne := r.renewal.borne(x.Request); len(borne) > 0 {
			st.good.Store(&good{x.Request, borne})
		}
	}
}

// renewable reports whether a credential that a case has may be got anew where it is refused.
func (r *runner) renewable(ctx context.Context) bool {
	c := caseOf(ctx)
	return r.credential.lost.Load() == nil && (c == nil || !c.Credential || c.Expect == plan.Accept)
}

// renews reports whether there are other credentials since some were refused. That they have
// expired, and are not refused for what the request says, another request tells that was accepted
// before; where there is none, others are tried once.
func (r *runner) renews(ctx context.Context, op *contract.Operation, req *wire.Request, borne []*renewed, since int) bool {
	if r.renewal.state() != since {
		return true
	}
	st := r.states.of(op)
	by, control := r.control(op, borne)
	switch {
	case control == nil && (op.AuthClause == nil && r.secured() || !st.accepted && st.renewed.Swap(true)):
		return false
	case control != nil && control.req != req:
		r.exchange(withCase(ctx, nil), by, control.req, r.target.Do) // which renews them
		return r.renewal.state() != since
	}
	return r.renew(ctx, since)
}

// control is a request that tells whether credentials are still good: one of the same operation,
// else of one that asks for credentials. Nil where there is none.
func (r *runner) control(op *contract.Operation, borne []*renewed) (*contract.Operation, *good) {
	if g := r.states.of(op).good.Load(); g != nil {
		return op, g
	}
	for _, st := range r.states {
		if g := st.good.Load(); g != nil && st.op.AuthClause != nil && slices.ContainsFunc(g.borne, func(p *renewed) bool { return slices.Contains(borne, p) }) {
			return st.op, g
		}
	}
	return nil, nil
}

// renew gets the credentials anew, if nobody has done so since. That there are none ends the run.
func (r *runner) renew(ctx context.Context, since int) bool {
	err := r.renewal.again(ctx, since, r.opts)
	if err != nil && ctx.Err() == nil {
		why := fmt.Sprintf("the credential stopped working, and there is no other: %s", err)
		r.credential.lost.Store(&why)
	}
	return err == nil
}

// secured reports whether the document asks for credentials anywhere.
func (r *runner) secured() bool {
	return slices.ContainsFunc(r.contract.Operations, func(op *contract.Operation) bool { return op.AuthClause != nil })
}
