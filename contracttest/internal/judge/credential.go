package judge

import (
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// lacksAll reports whether a request has nothing that may be a credential, though the operation asks for one. What
// has a header, a cookie or a query parameter that the document does not know may have one that it does not know.
func lacksAll(op *contract.Operation, r *wire.Request) bool {
	if op.AuthClause == nil || slices.ContainsFunc(r.Header, func(f wire.Field) bool { return mayIdentify(op, f.Name) }) {
		return false
	}
	for _, p := range wire.Params(r.RawQuery()) {
		if !documented(op, openapi3.ParameterInQuery, p.Name) {
			return false
		}
	}
	return !slices.ContainsFunc(op.Requirements(), func(alternative openapi3.SecurityRequirement) bool {
		for name := range alternative {
			if lacks(op, name, r) {
				return false
			}
		}
		return true
	})
}

// lacks reports whether a request is without the credential of a scheme, where one can see that: neither a
// certificate nor what a connection was opened with is in a request.
func lacks(op *contract.Operation, name string, r *wire.Request) bool {
	if op.Contract.Doc.Components == nil {
		return false
	}
	ref := op.Contract.Doc.Components.SecuritySchemes[name]
	if ref == nil || ref.Value == nil {
		return false
	}
	switch s := ref.Value; s.Type {
	case "apiKey":
		return carried(r, s.In, s.Name) == ""
	case "http":
		return !slices.Contains([]string{"negotiate", "ntlm"}, strings.ToLower(s.Scheme))
	case "oauth2", "openIdConnect":
		return r.Body == nil // where a form may have it (RFC 6750 §2.2)
	}
	return false
}

// mayIdentify reports whether a header may say who sends a request: all may but those that HTTP or the document has
// for something else.
func mayIdentify(op *contract.Operation, name string) bool {
	name = http.CanonicalHeaderKey(name)
	for _, begins := range []string{"Accept", "Content-", "If-", "Sec-", "Access-Control-"} {
		if strings.HasPrefix(name, begins) {
			return false
		}
	}
	return !slices.Contains([]string{
		"Cache-Control", "Connection", "Date", "Expect", "Host", "Origin", "Pragma", "Range", "Referer", "Te", "Trailer",
		"Traceparent", "Tracestate", "Transfer-Encoding", "Upgrade", "User-Agent",
	}, name) && !documented(op, openapi3.ParameterInHeader, name)
}

// documented reports whether a parameter is one of the operation, or the key of a scheme, which lacks looks at.
func documented(op *contract.Operation, in, name string) bool {
	same := func(its string) bool {
		return its == name || in == openapi3.ParameterInHeader && strings.EqualFold(its, name)
	}
	if slices.ContainsFunc(op.Params, func(p *contract.Param) bool { return p.Spec.In == in && same(p.Spec.Name) }) {
		return true
	}
	if op.Contract.Doc.Components == nil {
		return false
	}
	for _, ref := range op.Contract.Doc.Components.SecuritySchemes {
		if ref != nil && ref.Value != nil && ref.Value.Type == "apiKey" && ref.Value.In == in && same(ref.Value.Name) {
			return true
		}
	}
	return false
}
