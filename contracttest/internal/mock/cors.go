package mock

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// A page of any origin may ask a mock anything (Fetch, CORS protocol): it has no secrets.

// preflight reports whether a browser asks what it may send.
func preflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// preflight answers that all is allowed that the path has.
func (s *Server) preflight(req *wire.Request, r *http.Request) reply {
	header := http.Header{
		"Access-Control-Allow-Methods": {s.methods(req.Target)},
		"Access-Control-Max-Age":       {"600"},
	}
	if names := r.Header.Values("Access-Control-Request-Headers"); len(names) > 0 {
		header.Set("Access-Control-Allow-Headers", strings.Join(names, ", "))
	}
	return reply{Response: &wire.Response{Status: http.StatusNoContent, Header: header}, note: "preflight of a browser"}
}

// allow lets the page of a browser read the answer.
func (out *reply) allow(r *http.Request) {
	origin := r.Header.Get("Origin")
	if origin == "" || out.Header.Get("Access-Control-Allow-Origin") != "" {
		return
	}
	names := slices.Sorted(maps.Keys(out.Header))
	if len(out.broken) > 0 {
		names = append(names, "Contract-Violation")
	}
	if len(out.applied) > 0 {
		names = append(names, "Preference-Applied")
	}
	out.Header.Set("Access-Control-Allow-Origin", origin)
	out.Header.Set("Access-Control-Allow-Credentials", "true")
	out.Header.Set("Access-Control-Expose-Headers", strings.Join(names, ", "))
	out.Header.Add("Vary", "Origin")
}
