package run

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/send"
)

// byOAuth2 has the access token among what is to be got: for the security schemes whose token
// endpoint gives it, or where there are none for the header Authorization.
func (o *Options) byOAuth2(c *contract.Contract, target send.Target) error {
	if o.OAuth2 == nil {
		return nil
	}
	endpoint, discovered, schemes, err := tokenEndpoint(c, o.OAuth2.URL, o.OAuth2.Password())
	if err != nil {
		return fmt.Errorf("oauth2: %w", err)
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.IsAbs() && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") || !u.IsAbs() && u.Host != "" {
		return fmt.Errorf("oauth2: the URL %q: want https://HOST/PATH, or a path on the target", endpoint)
	}
	if !u.IsAbs() { // OpenAPI has such a URL relative to that of the API
		endpoint = (&url.URL{Path: o.Base(c, target) + "/"}).ResolveReference(u).RequestURI()
	}
	get := o.OAuth2.Source(target, o.Secure, endpoint, discovered)
	if len(schemes) == 0 {
		if o.hasHeader("Authorization") {
			return errors.New("oauth2: the header Authorization is given too: remove one of them")
		}
		o.Obtained = append(slices.Clone(o.Obtained), Obtained{For: ForHeader, Name: "Authorization", Prefix: "Bearer ", Get: get, secret: true, secrets: o.OAuth2.Secrets()})
	}
	for _, name := range schemes {
		if len(o.Known[name]) > 0 || slices.ContainsFunc(o.Obtained, func(b Obtained) bool { return b.For == ForValue && b.Name == name }) {
			return fmt.Errorf("oauth2: a value for the security scheme %s is given too: remove one of them", name)
		}
		o.Obtained = append(slices.Clone(o.Obtained), Obtained{For: ForValue, Name: name, Written: "an-access-token", Get: get, secrets: o.OAuth2.Secrets()})
	}
	return nil
}

// tokenEndpoint is the URL that gives tokens for a grant, or at which OpenID Connect lets one
// discover it, and the security schemes that the tokens are for.
func tokenEndpoint(c *contract.Contract, given string, password bool) (endpoint string, discovered bool, schemes []string, err error) {
	byURL, byConnect := map[string][]string{}, map[string][]string{}
	var all []string // that take such a token
	if c.Doc.Components != nil {
		for _, name := range slices.Sorted(maps.Keys(c.Doc.Components.SecuritySchemes)) {
			ref := c.Doc.Components.SecuritySchemes[name]
			if ref == nil || ref.Value == nil || ref.Value.Type != "oauth2" && ref.Value.Type != "openIdConnect" {
				continue
			}
			all = append(all, name)
			if to := tokenURL(ref.Value.Flows, password); to != "" {
				byURL[to] = append(byURL[to], name)
			} else if to := ref.Value.OpenIdConnectUrl; to != "" {
				byConnect[to] = append(byConnect[to], name)
			}
		}
	}
	if given != "" {
		if len(byURL[given]) > 0 {
			all = byURL[given]
		}
		return given, false, all, nil
	}
	discovered = len(byURL) == 0
	if discovered {
		byURL = byConnect
	}
	switch urls := slices.Sorted(maps.Keys(byURL)); len(urls) {
	case 0:
		flow := map[bool]string{false: "clientCredentials", true: "password"}[password]
		return "", false, nil, fmt.Errorf("the document has no security scheme with a token URL for this grant (type: oauth2, flows/%s/tokenUrl, or type: openIdConnect): give one as token_url", flow)
	case 1:
		return urls[0], discovered, byURL[urls[0]], nil
	default:
		return "", false, nil, fmt.Errorf("the document has the token URLs %s: name one as token_url", strings.Join(urls, " and "))
	}
}

// givesTokens reports whether the document says of a security scheme where a run can ask for a token.
func givesTokens(c *contract.Contract, scheme string) bool {
	if c.Doc.Components == nil || c.Doc.Components.SecuritySchemes[scheme] == nil || c.Doc.Components.SecuritySchemes[scheme].Value == nil {
		return false
	}
	v := c.Doc.Components.SecuritySchemes[scheme].Value
	return tokenURL(v.Flows, false) != "" || tokenURL(v.Flows, true) != "" || v.OpenIdConnectUrl != ""
}

func tokenURL(flows *openapi3.OAuthFlows, password bool) string {
	switch {
	case flows == nil:
	case password && flows.Password != nil:
		return flows.Password.TokenURL
	case !password && flows.ClientCredentials != nil:
		return flows.ClientCredentials.TokenURL
	}
	return ""
}
