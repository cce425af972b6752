package orders

import (
	_ "embed"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// DeskDocument is the OpenAPI document of the front desk, whose answers to GET are needed by
// other requests.
//
//go:embed desk.yaml
var DeskDocument []byte

// Desk keeps [DeskDocument].
type Desk struct {
	// Keeps is set where a flow can be used for several logins.
	Keeps bool

	mu      sync.Mutex
	flows   map[string]bool // that were opened, and whether they have been used
	uploads map[string]bool
	tokens  map[string]bool
	last    int
	posts   int            // requests, whatever came of them
	done    map[string]int // requests that were accepted
	found   []string       // the filters by which an identity was found
}

// NewDesk makes a front desk.
func NewDesk() *Desk {
	return &Desk{flows: map[string]bool{}, uploads: map[string]bool{}, tokens: map[string]bool{}, done: map[string]int{}}
}

// Done tells how often a method on a path was accepted.
func (d *Desk) Done(what string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done[what]
}

// Posts tells how many requests there were that may change something.
func (d *Desk) Posts() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.posts
}

// Found lists the filters by which an identity was found.
func (d *Desk) Found() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(d.found)))
}

func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Method == http.MethodPost {
		d.posts++
	}
	serve(w, r, d.routes)
}

// mary is the one identity that there is.
const (
	maryID    = "7f0e2d6c-51b4-4c3a-9d8e-6a5b4c3d2e1f"
	maryLogin = "mary@example.org"
)

func (d *Desk) routes(w http.ResponseWriter, r *http.Request, body []byte) map[string]map[string]serving {
	did := func(status int, v any) (int, any, string) {
		d.done[r.Method+" "+r.URL.Path]++
		return status, v, ""
	}
	flow := func(id string) map[string]any {
		return map[string]any{"id": id, "expires_at": time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)}
	}
	return map[string]map[string]serving{
		"/self-service/login/api": {"GET": func(string) (int, any, string) {
			id := d.next()
			d.flows[id] = false
			return did(200, flow(id))
		}},
		"/self-service/login": {"POST": func(string) (int, any, string) {
			id := queryID(r, "flow")
			o := object(r, body)
			who := text(o, "identifier", 1, 40)
			text(o, "password", 1, 40)
			d.mustBeOpen(id)
			d.flows[id] = !d.Keeps
			return did(200, map[string]string{"user": who})
		}},
		"/self-service/login/flows": {"GET": func(string) (int, any, string) {
			id := queryID(r, "id")
			d.mustBeOpen(id)
			return did(200, flow(id))
		}},
		"/csrf": {"GET": func(string) (int, any, string) {
			token := "t-" + d.next()
			d.tokens[token] = true
			w.Header().Set("Set-Cookie", "csrf="+token+"; Path=/; HttpOnly; SameSite=Strict")
			return did(200, map[string]string{"csrf_token": token})
		}},
		"/comments": {"POST": func(string) (int, any, string) {
			o := object(r, body)
			said := text(o, "text", 1, 200)
			d.guarded(r, text(o, "csrf_token", 1, 80))
			return did(200, map[string]string{"text": said})
		}},
		"/votes": {"POST": func(string) (int, any, string) {
			tokens := r.Header.Values("X-CSRF-Token")
			if cookies := r.CookiesNamed("csrf"); len(tokens) != 1 || tokens[0] == "" || len(tokens[0]) > 80 || len(cookies) != 1 {
				refuse(http.StatusBadRequest, "a token and a cookie")
			}
			d.guarded(r, tokens[0])
			return did(204, nil)
		}},
		"/uploads": {"POST": func(string) (int, any, string) {
			text(object(r, body), "text", 1, 200)
			id := d.next()
			d.uploads[id] = true
			return did(200, map[string]string{"id": id})
		}},
		"/documents": {"POST": func(string) (int, any, string) {
			o := object(r, body)
			heading, id := text(o, "heading", 1, 80), text(o, "upload_id", 1, 40)
			if !d.uploads[id] {
				refuse(http.StatusUnprocessableEntity, "there is no such upload, or it is in another document")
			}
			d.uploads[id] = false
			return did(200, map[string]string{"heading": heading})
		}},
		"/identities": {"GET": func(string) (int, any, string) { return did(200, d.identities(r)) }},
	}
}

// next is an identifier that was not given yet.
func (d *Desk) next() string {
	d.last++
	return fmt.Sprintf("0e0f1a2b-3c4d-4e5f-8a9b-%012d", d.last)
}

func (d *Desk) mustBeOpen(id string) {
	used, ok := d.flows[id]
	switch {
	case !ok:
		refuse(http.StatusNotFound, "no such flow")
	case used:
		refuse(http.StatusGone, "the flow was used")
	}
}

func (d *Desk) identities(r *http.Request) []any {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(values["credentials_identifier"]) > 1 || len(values["ids"]) > 20 {
		refuse(http.StatusBadRequest, "query")
	}
	for _, id := range values["ids"] {
		if !uuid.MatchString(strings.ToLower(id)) {
			refuse(http.StatusBadRequest, "no UUID")
		}
	}
	by := values["credentials_identifier"]
	if len(by) > 0 && len([]rune(by[0])) > 80 {
		refuse(http.StatusBadRequest, "too long")
	}
	if len(by) > 0 && by[0] != maryLogin || len(values["ids"]) > 0 && !slices.Contains(values["ids"], maryID) {
		return []any{}
	}
	for _, name := range []string{"credentials_identifier", "ids"} {
		if len(values[name]) > 0 {
			d.found = append(d.found, name)
		}
	}
	password := map[string]any{"type": "password", "identifiers": []string{maryLogin}}
	return []any{map[string]any{"id": maryID, "credentials": map[string]any{"password": password}}}
}

// guarded refuses a token that was not given, or is not that of the request's cookie.
func (d *Desk) guarded(r *http.Request, token string) {
	if cookie, err := r.Cookie("csrf"); err != nil || cookie.Value != token || !d.tokens[token] {
		refuse(http.StatusForbidden, "the token is not that of the cookie")
	}
}

// queryID reads the one identifier in the query.
func queryID(r *http.Request, name string) string {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(values[name]) != 1 || !uuid.MatchString(strings.ToLower(values[name][0])) {
		refuse(http.StatusBadRequest, name)
	}
	return strings.ToLower(values[name][0])
}
