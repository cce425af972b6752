package run

import (
	"cmp"
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
	endpoint, schemes, err := tokenEndpoint(c, o.OAuth2.URL, o.OAuth2.Password())
	if err != nil {
		return fmt.Errorf("oauth2: %w", err)
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.IsAbs() && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") || !u.IsAbs() && u.Host != "" {
		return fmt.Errorf("oauth2: the token URL %q: want https://HOST/PATH, or a path on the target", endpoint)
	}
	if !u.IsAbs() { // OpenAPI has such a URL relative to that of the API
		endpoint = (&url.URL{Path: o.Base(c, target) + "/"}).ResolveReference(u).RequestURI()
	}
	get := o.OAuth2.Source(target, o.Secure, endpoint)
	if len(schemes) == 0 {
		if o.hasHeader("Authorization") {
			return errors.New("oauth2: the header Authorization is given, too: leave one of them out")
		}
		o.Obtained = append(slices.Clone(o.Obtained), Obtained{For: ForHeader, Name: "Authorization", Prefix: "Bearer ", Get: get, secret: true, secrets: o.OAuth2.Secrets()})
	}
	for _, name := range schemes {
		if len(o.Known[name]) > 0 || slices.ContainsFunc(o.Obtained, func(b Obtained) bool { return b.For == ForValue && b.Name == name }) {
			return fmt.Errorf("oauth2: a value for the security scheme %s is given, too: leave one of them out", name)
		}
		o.Obtained = append(slices.Clone(o.Obtained), Obtained{For: ForValue, Name: name, Written: "an-access-token", Get: get, secrets: o.OAuth2.Secrets()})
	}
	return nil
}

// tokenEndpoint is the URL that gives tokens for a grant, and the security schemes that they are for.
func tokenEndpoint(c *contract.Contract, given string, password bool) (endpoint string, schemes []string, err error) {
	byURL := map[string][]string{}
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
			}
		}
	}
	switch urls := slices.Sorted(maps.Keys(byURL)); {
	case given != "" && len(byURL[given]) > 0:
		return given, byURL[given], nil
	case given != "":
		return given, all, nil
	case len(urls) == 1:
		return urls[0], byURL[urls[0]], nil
	case len(urls) > 1:
		return "", nil, fmt.Errorf("the document has the token URLs %s: name one as token_url", strings.Join(urls, " and "))
	}
	flow := map[bool]string{false: "clientCredentials", true: "password"}[password]
	return "", nil, fmt.Errorf("the document has no security scheme with a token URL for this grant (type: oauth2, flows/%s/tokenUrl): give one as token_url", flow)
}

// tokenOf is a token URL of a security scheme that a run can ask for a token; empty where there is none.
func tokenOf(c *contract.Contract, scheme string) string {
	if c.Doc.Components == nil || c.Doc.Components.SecuritySchemes[scheme] == nil || c.Doc.Components.SecuritySchemes[scheme].Value == nil {
		return ""
	}
	flows := c.Doc.Components.SecuritySchemes[scheme].Value.Flows
	return cmp.Or(tokenURL(flows, false), tokenURL(flows, true))
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
