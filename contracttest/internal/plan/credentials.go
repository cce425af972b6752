package plan

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Why a receiver may take, or refuse, a credential all the same.
const (
	leavePlace      = "the credential is a good one, if not where the document has it (RFC 6750 §2 knows several places)"
	leaveSchemeCase = "RFC 9110 §11.1: the name of a scheme is compared in any letter case, which not every receiver does"
	leaveCredential = "the document does not say how a credential is compared"
)

// spot is where the credential of one security scheme goes.
type spot struct {
	scheme           string // its name in the document
	in, name, prefix string
	basic            bool
}

// Credentials that nobody has.
const (
	wrongText     = "wrong-credential"
	wrongPassword = "x-wrong-8c1f2e" //nolint:gosec // it opens nothing
	wrongPair     = "nobody:" + wrongPassword
)

// MadeUp reports whether a credential is one that nobody has: it is no secret.
func MadeUp(credential string) bool {
	return slices.Contains([]string{wrongText, wrongPassword, wrongPair, base64.StdEncoding.EncodeToString([]byte(wrongPair))}, credential)
}

// own names the header of the spot, in lower case.
func (s spot) own() string {
	switch s.in {
	case openapi3.ParameterInHeader:
		return strings.ToLower(s.name)
	case openapi3.ParameterInCookie:
		return "cookie"
	}
	return "?" + s.name
}

// sameplace reports whether two schemes use one header, parameter or cookie.
func (s spot) samePlace(o spot) bool { return s.in == o.in && strings.EqualFold(s.name, o.name) }

// set puts a credential where it goes, with the name of its scheme.
func (s spot) set(r *wire.Request, v string) { s.put(r, s.prefix+s.coded(v)) }

// coded is a credential as it is sent: a user and a password in Base64
// (RFC 7617 §2).
func (s spot) coded(v string) string {
	if s.basic && strings.Contains(v, ":") {
		return base64.StdEncoding.EncodeToString([]byte(v))
	}
	return v
}

// put puts a text where the credential goes, as it is.
func (s spot) put(r *wire.Request, text string) {
	switch s.in {
	case openapi3.ParameterInHeader:
		r.Set(s.name, strings.TrimSpace(text))
	case openapi3.ParameterInCookie:
		pair := codec.Style{Name: "form"}.Cookies(s.name, text)[0]
		if cookies := r.Get("Cookie"); cookies != "" {
			pair = cookies + "; " + pair
		}
		r.Set("Cookie", pair)
	case openapi3.ParameterInQuery:
		addQuery(r, codec.Style{Name: "form"}.Query(s.name, text)[0])
	}
}

// alternatives lists the security requirements of the operation, each the spots
// of the schemes that it asks for together.
func (pl *planner) alternatives() [][]spot {
	var all [][]spot
	for _, r := range pl.op.Requirements() {
		var together []spot
		for _, name := range sortedKeys(r) {
			if s, ok := pl.spotOf(name); ok {
				together = append(together, s)
			}
		}
		if len(together) > 0 {
			all = append(all, together)
		}
	}
	return all
}

func (pl *planner) spotOf(scheme string) (spot, bool) {
	if pl.op.Contract.Doc.Components == nil {
		return spot{}, false
	}
	ref := pl.op.Contract.Doc.Components.SecuritySchemes[scheme]
	if ref == nil || ref.Value == nil {
		return spot{}, false
	}
	s := spot{scheme: scheme, in: openapi3.ParameterInHeader, name: "Authorization"}
	switch ref.Value.Type {
	case "apiKey":
		s.in, s.name = ref.Value.In, ref.Value.Name
	case "http":
		if ref.Value.Scheme == "" {
			return spot{}, false
		}
		s.prefix = strings.ToUpper(ref.Value.Scheme[:1]) + strings.ToLower(ref.Value.Scheme[1:]) + " "
		s.basic = strings.EqualFold(ref.Value.Scheme, "basic")
	case "oauth2", "openIdConnect":
		s.prefix = "Bearer "
	default:
		return spot{}, false
	}
	return s, true
}

// credentials lists the spots of all schemes of the operation, one for each
// place and prefix.
func (pl *planner) credentials() []spot {
	var spots []spot
	for _, together := range pl.alternatives() {
		for _, s := range together {
			if !slices.ContainsFunc(spots, func(o spot) bool { return o.samePlace(s) && o.prefix == s.prefix }) {
				spots = append(spots, s)
			}
		}
	}
	return spots
}

// grant is a credential that is good on the target, and where it goes.
type grant struct {
	spot
	value string
}

// granted returns the credentials of a requirement, if all of them are known by
// the name of their scheme or of their header, parameter or cookie. Schemes that share
// one of these have one credential.
func (pl *planner) granted(together []spot) ([]grant, bool) {
	var all []grant
	var missing []spot
	for _, s := range together {
		known := pl.opts.Known[s.scheme]
		if len(known) == 0 && s.prefix == "" {
			known = pl.opts.Known[s.name]
		}
		switch has := slices.ContainsFunc(all, func(g grant) bool { return g.samePlace(s) }); {
		case has:
		case len(known) == 0:
			missing = append(missing, s)
		default:
			all = append(all, grant{s, known[0]})
		}
	}
	for _, s := range missing {
		if !slices.ContainsFunc(all, func(g grant) bool { return g.samePlace(s) }) {
			return nil, false
		}
	}
	return all, len(all) > 0
}

// firstGranted returns the credentials of the first requirement that is known
// whole.
func (pl *planner) firstGranted() []grant {
	for _, together := range pl.alternatives() {
		if all, ok := pl.granted(together); ok {
			return all
		}
	}
	return nil
}

// authorize adds credentials to a request that does not carry them already.
func authorize(r *wire.Request, grants []grant, params map[*contract.Param]value.Good) {
	for _, g := range grants {
		sent := false
		for p := range params {
			sent = sent || p.Spec.In == g.in && strings.EqualFold(p.Spec.Name, g.name)
		}
		if !sent {
			g.set(r, g.value)
		}
	}
}

// Credential is what a security scheme asks for.
type Credential struct {
	Scheme   string // its name in the document
	In, Name string // the header, parameter or cookie that it goes in
	Prefix   string // what stands before it there, as "Bearer "
	Given    bool   // the options have one
}

// Credentials lists the security requirements of an operation, each the
// credentials that it asks for together.
func Credentials(op *contract.Operation, opts Options) [][]Credential {
	pl := &planner{op: op, opts: opts.of(op)}
	var all [][]Credential
	for _, together := range pl.alternatives() {
		_, given := pl.granted(together)
		var some []Credential
		for _, s := range together {
			some = append(some, Credential{Scheme: s.scheme, In: s.in, Name: s.name, Prefix: s.prefix, Given: given})
		}
		all = append(all, some)
	}
	return all
}

// Own names the headers in which an operation asks for credentials, in lower case.
func Own(op *contract.Operation) []string { return own((&planner{op: op}).credentials()) }

func own(spots []spot) []string {
	var names []string
	for _, s := range spots {
		if !slices.Contains(names, s.own()) {
			names = append(names, s.own())
		}
	}
	return names
}

// security plans requests without and with a wrong credential, where the
// document requires one.
func (pl *planner) security() {
	clause := pl.op.AuthClause
	if clause == nil {
		return
	}
	spots := pl.credentials()
	if len(spots) == 0 {
		pl.reasons[clause] = "no case is made for the security schemes of the operation"
		return
	}
	bare := pl.base.clone()
	bare.auth = nil
	for _, p := range pl.op.Params {
		if p.Credential {
			bare = bare.withParam(p, value.Good{V: value.Absent{}})
		}
	}
	a := accuser{pl, bare, spots}
	if c := a.newCase("absent", RefuseCredential, "", nil); c != nil {
		c.Anonymous = true
		pl.add(c)
	}
	for i, s := range spots {
		suffix := ""
		if i > 0 {
			suffix = "-" + s.scheme
		}
		a.refuse("empty"+suffix, "", func(r *wire.Request) { s.put(r, "") })
		a.refuse("wrong"+suffix, "", func(r *wire.Request) { s.set(r, wrongText) })
		if s.prefix != "" {
			a.refuse("scheme-alone"+suffix, "", func(r *wire.Request) { s.put(r, s.prefix) })
			a.refuse("wrong-without-scheme"+suffix, "", func(r *wire.Request) { s.put(r, wrongText) })
		}
		if s.basic {
			a.refuse("wrong-user-and-password"+suffix, "", func(r *wire.Request) { s.set(r, wrongPair) })
			a.refuse("empty-user-and-password"+suffix, "", func(r *wire.Request) { s.set(r, ":") })
			a.refuse("not-base64"+suffix, "", func(r *wire.Request) { s.put(r, s.prefix+"***") })
		}
	}
	for _, together := range pl.alternatives() {
		grants, ok := pl.granted(together)
		if !ok {
			a.alter(together)
			continue
		}
		a.alternative(grants)
	}
}

// accuser plans the cases of an operation's security clause.
type accuser struct {
	pl    *planner
	bare  draft // the valid request without any credential
	spots []spot
}

func (a accuser) newCase(label string, expect Expect, leave string, give func(*wire.Request)) *Case {
	r, err := a.bare.request()
	if err != nil {
		a.pl.reasons[a.pl.op.AuthClause] = err.Error()
		return nil
	}
	if give != nil {
		give(r)
	}
	c := a.pl.newCase(Clauses, a.pl.op.AuthClause, label, expect)
	c.Credential, c.Leave, c.Request, c.Own = true, leave, r, own(a.spots)
	return c
}

func (a accuser) refuse(label, leave string, give func(*wire.Request)) {
	if c := a.newCase(label, RefuseCredential, leave, give); c != nil {
		a.pl.add(c)
	}
}

func (a accuser) accept(label, leave string, give func(*wire.Request)) {
	if c := a.newCase(label, Accept, leave, give); c != nil {
		c.Unknown = a.bare.unknown()
		a.pl.add(c)
	}
}

// alternative plans one requirement whose credentials are known: all of them,
// all but one, and each with a fault.
func (a accuser) alternative(grants []grant) {
	names := make([]string, len(grants))
	for i, g := range grants {
		names[i] = g.scheme
	}
	with := func(i int, give func(*wire.Request)) func(*wire.Request) {
		return func(r *wire.Request) {
			for j, g := range grants {
				if j != i {
					g.set(r, g.value)
				} else if give != nil {
					give(r)
				}
			}
		}
	}
	a.accept("with-"+strings.Join(names, "-and-"), "", with(-1, nil))
	for i, g := range grants {
		refuse := func(label, leave string, give func(*wire.Request)) {
			a.refuse(label+"-"+g.scheme, leave, with(i, give))
		}
		if len(grants) > 1 {
			refuse("without", "", nil)
		}
		for _, miss := range nearMisses(g.value) {
			refuse(miss.label, miss.leave, func(r *wire.Request) { g.set(r, miss.text) })
		}
		a.misplaced(g, refuse)
		if g.prefix == "" {
			continue
		}
		text := g.coded(g.value)
		refuse("other-scheme", "", func(r *wire.Request) { g.put(r, otherScheme(g.prefix)+text) })
		refuse("unknown-scheme", "", func(r *wire.Request) { g.put(r, "X-Unknown "+text) })
		refuse("without-scheme", "", func(r *wire.Request) { g.put(r, text) })
		a.accept("scheme-in-other-case-"+g.scheme, leaveSchemeCase, with(i, func(r *wire.Request) { g.put(r, otherCase(g.prefix)+text) }))
		if user, password, ok := strings.Cut(g.value, ":"); ok && g.basic {
			refuse("wrong-password", "", func(r *wire.Request) { g.set(r, user+":"+wrongPassword) })
			refuse("no-password", "", func(r *wire.Request) { g.set(r, user+":") })
			refuse("wrong-user", "", func(r *wire.Request) { g.set(r, "nobody:"+password) })
			refuse("not-in-base64", "", func(r *wire.Request) { g.put(r, g.prefix+g.value) })
		}
	}
}

// misplaced plans a good credential in a place that the document does not have.
func (a accuser) misplaced(g grant, refuse func(label, leave string, give func(*wire.Request))) {
	for _, in := range []string{openapi3.ParameterInHeader, openapi3.ParameterInQuery, openapi3.ParameterInCookie} {
		other := spot{in: in, name: g.name}
		if g.prefix != "" {
			other.name = "access_token"
		}
		if in == g.in || slices.ContainsFunc(a.spots, func(s spot) bool { return s.samePlace(other) }) ||
			slices.ContainsFunc(a.pl.op.Params, func(p *contract.Param) bool { return p.Spec.In == in && strings.EqualFold(p.Spec.Name, other.name) }) {
			continue
		}
		refuse("in-"+in, leavePlace, func(r *wire.Request) { other.put(r, g.coded(g.value)) })
	}
}

// miss is a credential that is nearly the right one.
type miss struct{ label, text, leave string }

// nearMisses changes a credential a little.
func nearMisses(v string) []miss {
	if len(v) < 2 {
		return nil
	}
	last := "0"
	if strings.HasSuffix(v, last) {
		last = "1"
	}
	all := []miss{
		{"last-character-changed", v[:len(v)-1] + last, ""},
		{"last-character-left-out", v[:len(v)-1], ""},
		{"one-character-more", v + "0", ""},
		{"first-half", v[:len(v)/2], ""},
		{"twice", v + v, ""},
	}
	if other := swapped(v); other != v {
		all = append(all, miss{"other-letter-case", other, leaveCredential})
	}
	return all
}

func swapped(v string) string {
	if up := strings.ToUpper(v); up != v {
		return up
	}
	return strings.ToLower(v)
}

func otherScheme(prefix string) string {
	if prefix == "Basic " {
		return "Bearer "
	}
	return "Basic "
}

// alter plans near misses of a credential that only the run knows, in a header
// of its own.
func (a accuser) alter(together []spot) {
	if len(together) != 1 || together[0].in == openapi3.ParameterInQuery {
		return
	}
	s := together[0]
	for _, change := range alterations {
		if c := a.newCase(change.label+"-"+s.scheme+"-of-the-run", RefuseCredential, change.leave, nil); c != nil {
			c.Alter = change.alter
			a.pl.add(c)
		}
	}
}

// alterations change a credential that is first seen when it is sent.
var alterations = func() []struct {
	label, leave string
	alter        func(string) string
} {
	type alteration = struct {
		label, leave string
		alter        func(string) string
	}
	var all []alteration
	for i, m := range nearMisses("ab") {
		all = append(all, alteration{m.label, m.leave, func(v string) string {
			misses := nearMisses(v)
			if i >= len(misses) {
				return ""
			}
			return misses[i].text
		}})
	}
	return all
}()
