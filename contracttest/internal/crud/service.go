package crud

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Token is a credential that the service takes.
const Token = "crud-token-1"

// Dress is a lawful way in which a service treats its state.
type Dress struct {
	Soft      bool // what is deleted can still be read, and says so
	Late      bool // what is made or deleted is so for who reads a little later: 202
	Reuse     bool // identifiers of what is gone are given again
	Normalise bool // addresses and titles are stored in lower case, names without blanks around them
	Upsert    bool // PUT makes what is not there
}

// Dresses are the plain service and its correct twins, by name.
func Dresses() map[string]Dress {
	return map[string]Dress{
		"plain": {}, "soft delete": {Soft: true}, "late": {Late: true}, "reused identifiers": {Reuse: true},
		"normalised": {Normalise: true}, "upsert": {Upsert: true},
	}
}

//go:embed crud.yaml
var text string

var document = template.Must(template.New("crud.yaml").Parse(text))

// Document is the OpenAPI document of a dress.
func Document(d Dress) []byte {
	var b bytes.Buffer
	if err := document.Execute(&b, d); err != nil {
		panic(err) // the template is part of the program
	}
	return b.Bytes()
}

// Service keeps the document of its dress.
type Service struct {
	dress    Dress
	contract *contract.Contract
	// Admits says whether a token is good; nil stands for Token alone.
	Admits func(token string) bool

	mu    sync.Mutex
	teams map[int]*item
	last  int
}

// item is a team or a note.
type item struct {
	members map[string]any
	notes   map[int]*item
	last    int
	gone    bool // deleted, in a dress that keeps it
	unread  int  // reads that come too early
}

// New returns a service without teams but the one with the identifier 1, which
// is somebody's: a run has no business changing it.
func New(d Dress) (*Service, error) {
	c, err := contract.Parse("crud.yaml", Document(d))
	if err != nil {
		return nil, fmt.Errorf("crud: %w", err)
	}
	s := &Service{dress: d, contract: c, teams: map[int]*item{}}
	s.teams[1] = &item{members: map[string]any{"name": "Somebody's", "email": "somebody@example.com"}, notes: map[int]*item{}}
	s.teams[1].notes[1] = &item{members: map[string]any{"title": "Somebody's"}}
	s.teams[1].last, s.last = 1, 1
	return s, nil
}

// Left lists the identifiers of the teams that are there, in order; those of
// others than somebody's are what a run has left.
func (s *Service) Left() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []int
	for id, t := range s.teams {
		if !t.gone {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// Untouched reports whether what is somebody's is as it was.
func (s *Service) Untouched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.teams[1]
	return t != nil && !t.gone && t.members["name"] == "Somebody's" && t.members["email"] == "somebody@example.com" && t.members["size"] == nil &&
		t.notes[1] != nil && !t.notes[1].gone && t.notes[1].members["title"] == "Somebody's"
}

// maxBody bounds what is read of a request.
const maxBody = 1 << 20

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		refuse(w, http.StatusBadRequest, "the body cannot be read")
		return
	}
	path := r.URL.EscapedPath()
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	op, known := s.contract.Find(method, path)
	switch {
	case !known:
		refuse(w, http.StatusNotFound, "no such path")
		return
	case op == nil:
		var allowed []string
		for _, o := range s.contract.At(path) {
			allowed = append(allowed, o.Method)
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		refuse(w, http.StatusMethodNotAllowed, "no such method")
		return
	}
	if !s.admitted(r) {
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, http.StatusUnauthorized, "no good token")
		return
	}
	req := &wire.Request{Method: method, Target: r.RequestURI, Body: body}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			req.Add(name, v)
		}
	}
	if broken := op.CheckRequest(req); len(broken) > 0 {
		status := http.StatusBadRequest
		if op.Body != nil && broken[0].Clause == op.Body.MediaType {
			status = http.StatusUnsupportedMediaType
		}
		refuse(w, status, broken[0].Message)
		return
	}
	values, _ := op.Match(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serve(&call{w: w, op: op.ID, values: values, query: r.URL.Query(), body: body})
}

func (s *Service) admitted(r *http.Request) bool {
	lines := r.Header.Values("Authorization")
	if len(lines) != 1 {
		return false
	}
	scheme, token, ok := strings.Cut(lines[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	if s.Admits != nil {
		return s.Admits(token)
	}
	return token == Token
}

// call is a request that keeps the document.
type call struct {
	w      http.ResponseWriter
	op     string
	values map[string]string // of the path
	query  url.Values
	body   []byte
}

func (c *call) id(name, prefix string) int {
	text, err := url.PathUnescape(c.values[name])
	n, wrong := strconv.Atoi(strings.TrimPrefix(text, prefix))
	if err != nil || wrong != nil {
		return 0
	}
	return n
}

func (c *call) members() map[string]any {
	var all map[string]any
	dec := json.NewDecoder(bytes.NewReader(c.body))
	dec.UseNumber()
	if dec.Decode(&all) != nil {
		return nil
	}
	return all
}

func (s *Service) serve(c *call) {
	switch c.op {
	case "listTeams":
		s.page(c)
		return
	case "createTeam":
		s.create(c, s.teams, &s.last, "name", "email", "size")
		return
	}
	id := c.id("teamId", "")
	team := s.teams[id]
	if team == nil && c.op == "replaceTeam" && s.dress.Upsert && id > 0 {
		s.put(c, s.teams, id, "name", "email", "size")
		return
	}
	reads := c.op == "getTeam"
	if team == nil || team.gone && !reads || reads && team.early() {
		refuse(c.w, http.StatusNotFound, "no such team")
		return
	}
	switch c.op {
	case "getTeam":
		s.show(c.w, http.StatusOK, "", id, team)
	case "replaceTeam":
		s.put(c, s.teams, id, "name", "email", "size")
	case "changeTeam":
		s.patch(c, id, team)
	case "deleteTeam":
		s.remove(c, s.teams, id)
	default:
		s.note(c, team)
	}
}

func (s *Service) note(c *call, team *item) {
	switch c.op {
	case "listNotes":
		all := []any{}
		for _, id := range slices.Sorted(maps.Keys(team.notes)) {
			if n := team.notes[id]; !n.gone {
				all = append(all, view("n-", id, n))
			}
		}
		answer(c.w, http.StatusOK, all)
		return
	case "addNote":
		s.create(c, team.notes, &team.last, "title", "text")
		return
	}
	id := c.id("noteId", "n-")
	note := team.notes[id]
	if note == nil && c.op == "replaceNote" && s.dress.Upsert {
		s.put(c, team.notes, id, "title", "text")
		return
	}
	reads := c.op == "getNote"
	if note == nil || note.gone && !reads || reads && note.early() {
		refuse(c.w, http.StatusNotFound, "no such note")
		return
	}
	switch c.op {
	case "getNote":
		s.show(c.w, http.StatusOK, "n-", id, note)
	case "replaceNote":
		s.put(c, team.notes, id, "title", "text")
	default:
		s.remove(c, team.notes, id)
	}
}

// early reports whether a read comes before what was made can be seen.
func (i *item) early() bool {
	if i.unread == 0 {
		return false
	}
	i.unread--
	return true
}

// page answers with at most as many teams as are asked for.
func (s *Service) page(c *call) {
	limit, err := strconv.Atoi(c.query.Get("limit"))
	if err != nil {
		limit = 50
	}
	after, err := strconv.Atoi(c.query.Get("after"))
	if err != nil {
		after = 0
	}
	items := []any{}
	out := map[string]any{}
	for _, id := range slices.Sorted(maps.Keys(s.teams)) {
		if id <= after || s.teams[id].gone {
			continue
		}
		if len(items) == limit {
			out["next"] = after
			break
		}
		items, after = append(items, view("", id, s.teams[id])), id
	}
	out["items"] = items
	answer(c.w, http.StatusOK, out)
}

// unique lists the properties of which no two have the same value.
var unique = []string{"name", "email", "title"}

// take reads an item, and reports whether it may be where it is to be.
func (s *Service) take(c *call, all map[int]*item, id int, names []string) (map[string]any, bool) {
	sent, out := c.members(), map[string]any{}
	for _, name := range names {
		v, there := sent[name]
		if text, ok := v.(string); ok && s.dress.Normalise && slices.Contains(unique, name) {
			if v = strings.Map(lower, text); name == "name" && strings.Trim(text, " ") != "" {
				v = strings.Trim(strings.Map(lower, text), " ")
			}
		}
		if there {
			out[name] = v
		}
	}
	for other, i := range all {
		for _, name := range unique {
			if other != id && !i.gone && out[name] != nil && i.members[name] == out[name] {
				refuse(c.w, http.StatusConflict, "the "+name+" is taken")
				return nil, false
			}
		}
	}
	return out, true
}

func lower(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func (s *Service) create(c *call, all map[int]*item, last *int, names ...string) {
	members, ok := s.take(c, all, 0, names)
	if !ok {
		return
	}
	*last++
	id := *last
	if s.dress.Reuse {
		for id = 1; all[id] != nil; id++ {
		}
	}
	for all[id] != nil { // PUT has made it
		id++
		*last = id
	}
	i := &item{members: members, notes: map[int]*item{}}
	status := http.StatusCreated
	if s.dress.Late {
		i.unread, status = 2, http.StatusAccepted
	}
	all[id] = i
	if c.op == "createTeam" {
		c.w.Header().Set("Location", fmt.Sprintf("/teams/%d", id))
		s.show(c.w, status, "", id, i)
		return
	}
	s.show(c.w, status, "n-", id, i)
}

func (s *Service) put(c *call, all map[int]*item, id int, names ...string) {
	members, ok := s.take(c, all, id, names)
	if !ok {
		return
	}
	prefix := ""
	if c.op == "replaceNote" {
		prefix = "n-"
	}
	i, status := all[id], http.StatusOK
	if i == nil || i.gone {
		i, status = &item{notes: map[int]*item{}}, http.StatusCreated
		all[id] = i
	}
	i.members = members
	s.show(c.w, status, prefix, id, i)
}

func (s *Service) patch(c *call, id int, team *item) {
	members, ok := s.take(c, s.teams, id, []string{"name", "size"})
	if !ok {
		return
	}
	for name, v := range members {
		team.members[name] = v
		if v == nil {
			delete(team.members, name)
		}
	}
	s.show(c.w, http.StatusOK, "", id, team)
}

func (s *Service) remove(c *call, all map[int]*item, id int) {
	switch {
	case s.dress.Soft:
		all[id].gone = true
		answer(c.w, http.StatusOK, map[string]any{"deleted": true})
	case s.dress.Late:
		delete(all, id)
		c.w.WriteHeader(http.StatusAccepted)
	default:
		delete(all, id)
		c.w.WriteHeader(http.StatusNoContent)
	}
}

func view(prefix string, id int, i *item) map[string]any {
	out := maps.Clone(i.members)
	out["id"] = id
	if prefix != "" {
		out["id"] = prefix + strconv.Itoa(id)
	}
	if i.gone {
		out["deleted"] = true
	}
	return out
}

func (s *Service) show(w http.ResponseWriter, status int, prefix string, id int, i *item) {
	answer(w, status, view(prefix, id, i))
}

func refuse(w http.ResponseWriter, status int, why string) {
	answer(w, status, map[string]string{"error": strings.ToValidUTF8(why, "")})
}

func answer(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
