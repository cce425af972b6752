// Members is a small service as teams have them: its tokens last two seconds, its members have
// unique addresses, and in three places it is not as its document says. docs/walkthrough.md takes
// it from an empty repository to a green pull request.
//
// members [PORT] [--mended] prints the address that it listens on, a free port where none is given. With
// --mended the first of the three is as the document says.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

func main() {
	port, mended := "0", false
	for _, arg := range os.Args[1:] {
		if mended = mended || arg == "--mended"; arg != "--mended" {
			port = arg
		}
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		fmt.Fprintln(os.Stderr, "members:", err)
		os.Exit(1)
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	err = (&http.Server{Handler: newService(2*time.Second, mended), ReadHeaderTimeout: 5 * time.Second}).Serve(l)
	fmt.Fprintln(os.Stderr, "members:", err)
	os.Exit(1)
}

type member struct {
	ID    int    `json:"id"`
	Email string `json:"email"`
	Name  string `json:"name"`
}

type service struct {
	life   time.Duration // of a token
	mended bool

	mu      sync.Mutex
	tokens  map[string]time.Time // until when each is good
	members []member             // the newest last
	last    int                  // ID
}

func newService(life time.Duration, mended bool) http.Handler {
	s := &service{life: life, mended: mended, tokens: map[string]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", s.token)
	mux.HandleFunc("POST /login", s.login)
	for pattern, serve := range map[string]http.HandlerFunc{
		"GET /v1/members": s.list, "POST /v1/members": s.create, "GET /v1/members/{id}": s.get, "DELETE /v1/members/{id}": s.remove,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if !s.knows(r) {
				w.Header().Set("WWW-Authenticate", "Bearer")
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			serve(w, r)
		})
	}
	return mux
}

// issue makes a token.
func (s *service) issue() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := fmt.Sprintf("token-%d-%d", len(s.tokens), time.Now().UnixNano())
	s.tokens[token] = time.Now().Add(s.life)
	return token
}

// knows reports whether a request has a token that is good.
func (s *service) knows(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && time.Now().Before(s.tokens[token])
}

// token is the token endpoint of OAuth 2 (RFC 6749 §4.4).
func (s *service) token(w http.ResponseWriter, r *http.Request) {
	if id, secret, _ := r.BasicAuth(); id != "tests" || secret != "a-secret" {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": s.issue(), "token_type": "Bearer", "expires_in": s.life.Seconds()})
}

// login gives a token to a user.
func (s *service) login(w http.ResponseWriter, r *http.Request) {
	var body struct{ User, Password string }
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.User != "ada" || body.Password != "a-password" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	answer(w, http.StatusOK, map[string]any{"token": s.issue()})
}

func (s *service) list(w http.ResponseWriter, r *http.Request) {
	limit := 20
	if text, given := first(r.URL.Query()["limit"]); given {
		n, err := strconv.Atoi(text)
		if err != nil || n > 100 || n < 1 && s.mended {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		limit = max(n, 1) // the first defect: what is below 1 is taken
	}
	some := s.members[max(0, len(s.members)-limit):]
	answer(w, http.StatusOK, map[string]any{"members": append([]member{}, some...), "next": nil}) // the second: null is no text
}

func first(all []string) (string, bool) {
	if len(all) == 0 {
		return "", false
	}
	return all[0], true
}

var address = regexp.MustCompile(`^[a-z0-9.]{1,40}@example\.com$`)

func (s *service) create(w http.ResponseWriter, r *http.Request) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	var body map[string]any // a struct would take names in any letter case
	err := json.NewDecoder(r.Body).Decode(&body)
	email, _ := body["email"].(string)
	name, _ := body["name"].(string)
	switch {
	case err != nil, !address.MatchString(email), name == "":
		w.WriteHeader(http.StatusBadRequest)
	case utf8.RuneCountInString(name) > 50:
		w.WriteHeader(http.StatusUnprocessableEntity) // the third: the document has 400
	case slices.ContainsFunc(s.members, func(m member) bool { return m.Email == email }):
		w.WriteHeader(http.StatusConflict)
	default:
		s.last++
		m := member{s.last, email, name}
		s.members = append(s.members, m)
		w.Header().Set("Location", fmt.Sprintf("/v1/members/%d", m.ID))
		answer(w, http.StatusCreated, m)
	}
}

// at is where the member is that a path names; it answers where there is none.
func (s *service) at(w http.ResponseWriter, r *http.Request) (int, bool) {
	text := r.PathValue("id")
	id, err := strconv.Atoi(text)
	if err != nil || id < 1 || id > 999999 || strconv.Itoa(id) != text {
		w.WriteHeader(http.StatusBadRequest)
		return 0, false
	}
	i := slices.IndexFunc(s.members, func(m member) bool { return m.ID == id })
	if i < 0 {
		w.WriteHeader(http.StatusNotFound)
	}
	return i, i >= 0
}

func (s *service) get(w http.ResponseWriter, r *http.Request) {
	if i, ok := s.at(w, r); ok {
		answer(w, http.StatusOK, s.members[i])
	}
}

func (s *service) remove(w http.ResponseWriter, r *http.Request) {
	if i, ok := s.at(w, r); ok {
		s.members = slices.Delete(s.members, i, i+1)
		w.WriteHeader(http.StatusNoContent)
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
