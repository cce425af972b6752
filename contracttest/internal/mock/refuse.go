package mock

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// fits lists the statuses that fit a broken clause, the best first.
func fits(op *contract.Operation, v contract.Violation) []int {
	switch {
	case op.Body != nil && v.Clause == op.Body.MediaType:
		return []int{http.StatusUnsupportedMediaType, http.StatusBadRequest, http.StatusUnprocessableEntity}
	case v.Clause.Part == schema.InBody && !v.Syntax && (op.Body == nil || v.Clause != op.Body.Presence):
		return []int{http.StatusUnprocessableEntity, http.StatusBadRequest}
	case v.Clause.Part == schema.InPath:
		return []int{http.StatusBadRequest, http.StatusNotFound, http.StatusUnprocessableEntity}
	}
	return []int{http.StatusBadRequest, http.StatusUnprocessableEntity}
}

// ofOther are the refusals that say something else than that a request is not as documented.
var ofOther = []int{
	http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound, http.StatusProxyAuthRequired,
	http.StatusRequestTimeout, http.StatusConflict, http.StatusGone, http.StatusPreconditionFailed, http.StatusTooEarly, http.StatusPreconditionRequired, http.StatusTooManyRequests,
}

// refusal is the documented status that fits a refusal best; the first that fits where none is
// documented.
func refusal(op *contract.Operation, fit []int) int {
	exact := func(code int) bool {
		r := op.Response(code)
		return r != nil && r.Key[0] == '4' && !strings.ContainsAny(r.Key, "xX")
	}
	usual := fit[0]
	if usual == http.StatusUnprocessableEntity { // where nothing is said of the number
		usual = http.StatusBadRequest
	}
	r := op.Response(usual)
	switch i := slices.IndexFunc(fit, exact); {
	case i == 0:
		return fit[0]
	case r != nil && r.Key[0] == '4': // the range
		return usual
	case i > 0:
		return fit[i]
	case r != nil: // the default
		return usual
	}
	var others []int
	for code := 400; code < 500; code++ {
		if exact(code) {
			others = append(others, code)
		}
	}
	for _, code := range others {
		if !slices.Contains(ofOther, code) {
			return code
		}
	}
	for _, code := range slices.Concat([]int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusForbidden}, others) {
		if slices.Contains(others, code) {
			return code
		}
	}
	return usual
}

// sentences are how members of error bodies are called that say in words what is wrong.
var sentences = []string{"detail", "details", "message", "errormessage", "errormsg", "msg", "errordescription", "description", "reason", "error"}

// explain puts into the body of a refusal why it is one, where the document has a text for that:
// an example may be of another reason.
func explain(r *contract.Response, resp *wire.Response, why string) {
	media, err := r.Select(resp.Header.Get("Content-Type"))
	if err != nil || media.Form != codec.JSON {
		return
	}
	v, ok := r.Decoded(resp)
	members, isObject := v.(map[string]any)
	if !ok || !isObject {
		return
	}
	keys := slices.Sorted(maps.Keys(members))
	if media.Node != nil {
		for _, p := range media.Node.Members() {
			keys = append(keys, p.PropName)
		}
	}
	for _, name := range sentences {
		for _, key := range keys {
			if _, isText := members[key].(string); world.Plain(key) != name || members[key] != nil && !isText {
				continue
			}
			with := maps.Clone(members)
			with[key] = why
			body, err := codec.WriteJSON(with)
			told := &wire.Response{Status: resp.Status, Header: resp.Header, Body: body}
			if err == nil && len(r.CheckBody(media, told)) == 0 {
				resp.Body = body
				return
			}
		}
	}
}

// credentials are what security schemes ask for, each alternative together.
type credentials [][]plan.Credential

// credentialsOf returns the alternatives of an operation; none where it needs no credential, or
// takes one that no request shows, as a certificate.
func credentialsOf(op *contract.Operation) credentials {
	if op.AuthClause == nil {
		return nil
	}
	all := plan.Credentials(op, plan.Options{})
	if len(all) < len(op.Requirements()) {
		return nil
	}
	return all
}

// challenge names the schemes that are asked for (RFC 9110 §11.6.1).
func (c credentials) challenge() string {
	var all []string
	for _, together := range c {
		for _, one := range together {
			scheme := strings.TrimSpace(one.Prefix)
			if scheme == "" {
				scheme = "ApiKey"
			}
			if text := scheme + ` realm="mock"`; !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	return strings.Join(all, ", ")
}

// satisfied reports whether a request has the credentials of some alternative: those that are
// known by the name of their scheme, or else any that have its form.
func (c credentials) satisfied(r *wire.Request, known map[string][]string) bool {
	return len(c) == 0 || slices.ContainsFunc(c, func(together []plan.Credential) bool {
		return !slices.ContainsFunc(together, func(one plan.Credential) bool { return !carries(r, one, known) })
	})
}

func carries(r *wire.Request, c plan.Credential, known map[string][]string) bool {
	text, ok := carried(r, c)
	if !ok {
		return false
	}
	if n := len(c.Prefix); n > 0 {
		if len(text) <= n || !strings.EqualFold(text[:n], c.Prefix) {
			return false
		}
		text = strings.TrimLeft(text[n:], " ")
	}
	texts := []string{text}
	if strings.EqualFold(c.Prefix, "Basic ") {
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil || !strings.Contains(string(plain), ":") {
			return false
		}
		texts = append(texts, string(plain))
	}
	good := known[c.Scheme]
	if len(good) == 0 && c.Prefix == "" {
		good = known[c.Name]
	}
	if len(good) == 0 {
		return strings.Trim(texts[len(texts)-1], " :") != ""
	}
	return slices.ContainsFunc(texts, func(text string) bool { return slices.Contains(good, text) })
}

// carried returns the text in the place of a credential, if there is just one.
func carried(r *wire.Request, c plan.Credential) (string, bool) {
	var all []string
	switch c.In {
	case openapi3.ParameterInQuery:
		for _, p := range wire.Params(r.RawQuery()) {
			if p.Name == c.Name {
				all = append(all, wire.Unescape(p.Value, true))
			}
		}
	case openapi3.ParameterInCookie:
		for _, p := range wire.Cookies(r) {
			if p.Name == c.Name {
				all = append(all, wire.Unescape(p.Value, false))
			}
		}
	default:
		all = r.Values(c.Name)
	}
	if len(all) != 1 || all[0] == "" {
		return "", false
	}
	return all[0], true
}
