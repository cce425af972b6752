package crosssite

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Protect sets the headers of a page, or of what a page is made of. policy is what
// the Content-Security-Policy says of where its parts may come from.
func Protect(h http.Header, policy string) {
	h.Set("Content-Security-Policy", policy+"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY") // for browsers that do not know frame-ancestors
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// IsLocal reports whether a request's Host is an IP address or localhost. A page of
// another site can have its own name lead to this machine (DNS rebinding), and would
// then be allowed to read the answers.
func IsLocal(hostport string) bool {
	host := (&url.URL{Host: hostport}).Hostname()
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}
