package crud

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/template"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// The credentials that the service takes. What was made with one is not there for the other.
const (
	Token = "crud-token-1"
	Peer  = "second-caller-7Kq"
)

//go:embed crud.yaml
var text string

var document = template.Must(template.New("crud.yaml").Parse(text))

// Document is the OpenAPI document of a dress.
func Document(d Dress) []byte {
	var b bytes.Buffer
	if err := document.Execute(&b, d); err != nil {
		panic(err) // the template is part of the program
	}
	if d.Slashes {
		return pathLine.ReplaceAll(b.Bytes(), []byte("$0/"))
	}
	return b.Bytes()
}

// pathLine is the path in a line of the document, without its colon.
var pathLine = regexp.MustCompile("(?m)^  /[^ :]+")

// Service keeps the document of its dress.
type Service struct {
	dress    Dress
	contract *contract.Contract
	// Admits says whether a token is good; nil stands for Token alone.
	Admits func(token string) bool

	hooks []hook

	mu    sync.Mutex
	teams map[int]*item
	last  int
	// version is that of the last change; an item has that of its own last change.
	version int
	// keys are the Idempotency-Keys that were used.
	keys map[string]keyed
}

// keyed is what was asked and answered with an Idempotency-Key.
type keyed struct {
	body  string
	reply *reply
}

// item is a team or a note.
type item struct {
	members map[string]any
	notes   map[int]*item
	last    int
	version int
	before  int // the version before
	created time.Time
	owner   string
	gone    bool // deleted, in a dress that keeps it
	unread  int  // reads that come too early
}

// New returns a service without teams but the one with the identifier 1, which
// is somebody's: a run has no business changing it. With defects it is wrong in so
// many ways.
func New(d Dress, defects ...Defect) (*Service, error) {
	c, err := contract.Parse("crud.yaml", Document(d))
	if err != nil {
		return nil, fmt.Errorf("crud: %w", err)
	}
	s := &Service{dress: d, contract: c, teams: map[int]*item{}, last: 1, version: 1, keys: map[string]keyed{}}
	s.teams[1] = &item{members: map[string]any{"name": "Somebody's", "email": "somebody@example.com", "color": "red"}, notes: map[int]*item{}, last: 1, version: 1, created: s.now()}
	s.teams[1].notes[1] = &item{members: map[string]any{"title": "Somebody's", "pinned": false}, version: 1}
	for _, defect := range defects {
		s.hooks = append(s.hooks, defect.hook)
	}
	s.hooks = append(s.hooks, d.hooks()...)
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

// call is a request.
type call struct {
	op     string // empty where the document has no such operation
	method string
	path   string
	host   string
	values map[string]string // of the path
	query  url.Values
	header http.Header
	body   []byte
	user   string
	// refused is why the request does not reach the teams; nil where it does.
	refused *reply
}

// reply is an answer that is not yet written.
type reply struct {
	status int
	header http.Header
	body   any // nil where there is none
}

// hook stands around the service: what it makes of a call and its reply is a defect.
// Calls are served one after the other.
type hook func(s *Service, c *call, next func(*call) *reply) *reply

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := s.read(r)
	s.mu.Lock()
	out := s.behind(s.hooks)(c)
	s.mu.Unlock()
	out.write(w)
}

// behind is the service behind hooks, the first outermost.
func (s *Service) behind(hooks []hook) func(*call) *reply {
	if len(hooks) == 0 {
		return func(c *call) *reply {
			if c.refused != nil {
				return c.refused
			}
			return s.serve(c)
		}
	}
	next := s.behind(hooks[1:])
	return func(c *call) *reply { return hooks[0](s, c, next) }
}

// read finds out what is asked, and whether it may be.
func (s *Service) read(r *http.Request) *call {
	c := &call{method: r.Method, path: r.URL.EscapedPath(), host: r.Host, query: r.URL.Query(), header: r.Header}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		c.refused = refuse(http.StatusBadRequest, "the body cannot be read")
		return c
	}
	path := c.path
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	op, known := s.contract.Find(method, path)
	switch {
	case !known:
		c.refused = refuse(http.StatusNotFound, "no such path")
		return c
	case op == nil:
		var allowed []string
		for _, o := range s.contract.At(path) {
			allowed = append(allowed, o.Method)
		}
		c.refused = refuse(http.StatusMethodNotAllowed, "no such method").with("Allow", strings.Join(allowed, ", "))
		return c
	}
	c.op, c.body = op.ID, body
	c.values, _ = op.Match(path)
	token, ok := s.admitted(r)
	if !ok {
		c.refused = refuse(http.StatusUnauthorized, "no good token").with("WWW-Authenticate", "Bearer")
		return c
	}
	if token == Peer {
		c.user = Peer
	}
	req := &wire.Request{Method: method, Target: r.RequestURI, Body: body}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, v := range r.Header[name] {
			req.Add(name, v)
		}
	}
	broken := slices.DeleteFunc(op.CheckRequest(req), func(v contract.Violation) bool {
		return v.Clause != nil && v.Clause.Keyword == "readOnly" // read over, as services do
	})
	if len(broken) > 0 {
		status := http.StatusBadRequest
		if op.Body != nil && broken[0].Clause == op.Body.MediaType {
			status = http.StatusUnsupportedMediaType
		}
		c.refused = refuse(status, broken[0].Message)
	}
	return c
}

func (s *Service) admitted(r *http.Request) (token string, ok bool) {
	lines := r.Header.Values("Authorization")
	if len(lines) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(lines[0], " ")
	switch {
	case !ok || !strings.EqualFold(scheme, "Bearer"):
		return "", false
	case s.Admits != nil:
		return token, s.Admits(token)
	}
	return token, token == Token || token == Peer
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

func (s *Service) serve(c *call) *reply {
	switch c.op {
	case "listTeams":
		return s.page(c)
	case "createTeam":
		return s.create(c, teams, s.teams, &s.last)
	}
	id := c.id("teamId", "")
	team := s.teams[id]
	if team == nil && c.op == "replaceTeam" && s.dress.Upsert && id > 0 {
		return s.put(c, teams, s.teams, id)
	}
	switch {
	case team != nil && team.owner != c.user && s.dress.Forbidden:
		return refuse(http.StatusForbidden, "the team is another's")
	case team == nil || team.owner != c.user:
		return refuse(http.StatusNotFound, "no such team")
	}
	if slices.Contains(teams.ops[:], c.op) {
		return s.one(c, teams, s.teams, id)
	}
	if team.gone {
		return refuse(http.StatusNotFound, "no such team")
	}
	switch c.op {
	case "listNotes":
		return s.list(c, team)
	case "addNote":
		return s.once(c, func() *reply { return s.create(c, notes, team.notes, &team.last) })
	}
	id = c.id("noteId", "n-")
	if team.notes[id] == nil && c.op == "replaceNote" && s.dress.Upsert && id > 0 {
		return s.put(c, notes, team.notes, id)
	}
	return s.one(c, notes, team.notes, id)
}

// once carries out what has an Idempotency-Key one time.
func (s *Service) once(c *call, create func() *reply) *reply {
	key := fmt.Sprintf("%s %d %s", c.user, c.id("teamId", ""), c.header.Get("Idempotency-Key"))
	if before, used := s.keys[key]; used {
		if before.body != string(c.body) {
			return refuse(http.StatusUnprocessableEntity, "the key was used with another body")
		}
		return before.reply.clone()
	}
	r := create()
	if c.header.Get("Idempotency-Key") != "" && r.status < http.StatusMultipleChoices {
		s.keys[key] = keyed{string(c.body), r.clone()}
	}
	return r
}

// kind is what teams and notes differ in.
type kind struct {
	what     string
	prefix   string // of identifiers
	names    []string
	defaults map[string]any
	ops      [4]string // read, replace, change, delete
}

var (
	teams = kind{"team", "", []string{"name", "email", "size", "color"}, map[string]any{"color": "red"}, [...]string{"getTeam", "replaceTeam", "changeTeam", "deleteTeam"}}
	notes = kind{"note", "n-", []string{"title", "text", "pinned"}, map[string]any{"pinned": false}, [...]string{"getNote", "replaceNote", "changeNote", "deleteNote"}}
)

// one is about one item.
func (s *Service) one(c *call, k kind, all map[int]*item, id int) *reply {
	i := all[id]
	reads := c.op == k.ops[0]
	if i == nil || i.gone && !reads || reads && i.early() {
		return refuse(http.StatusNotFound, "no such "+k.what)
	}
	if match := c.header.Values("If-Match"); !reads && len(match) > 0 && !i.matches(match) {
		return refuse(http.StatusPreconditionFailed, "the "+k.what+" has changed")
	}
	switch c.op {
	case k.ops[0]:
		if match := c.header.Values("If-None-Match"); len(match) > 0 && i.matches(weakly(match)) {
			return (&reply{status: http.StatusNotModified}).with("ETag", i.tag())
		}
		return k.show(http.StatusOK, id, i)
	case k.ops[1]:
		return s.put(c, k, all, id)
	case k.ops[2]:
		return s.patch(c, k, all, id)
	}
	return s.remove(all, id)
}

// tag is the ETag of an item.
func (i *item) tag() string { return fmt.Sprintf(`"v%d"`, i.version) }

// matches reports whether a precondition names the item as it is.
func (i *item) matches(lines []string) bool {
	for _, tag := range strings.Split(strings.Join(lines, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == i.tag() {
			return true
		}
	}
	return false
}

// weakly reads ETags as a weak comparison does.
func weakly(lines []string) []string {
	return strings.Split(strings.ReplaceAll(strings.Join(lines, ","), "W/", ""), ",")
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
func (s *Service) page(c *call) *reply {
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
	total := 0
	for _, id := range s.inOrder(s.teams) {
		t := s.teams[id]
		if t.gone || t.owner != c.user || c.query.Has("name") && !s.called(t, c.query.Get("name")) {
			continue
		}
		if total++; after > 0 && (id == after || s.dress.Newest == (id > after)) {
			continue
		}
		if len(items) == limit {
			out["next"] = after
			continue
		}
		items, after = append(items, teams.view(id, t)), id
	}
	out["items"], out["total"] = items, total
	return answer(http.StatusOK, out)
}

// called reports whether a team is found by a name.
func (s *Service) called(t *item, name string) bool {
	own, _ := t.members["name"].(string)
	if s.dress.Fold {
		return strings.Contains(strings.ToLower(own), strings.ToLower(name))
	}
	return own == name
}

// inOrder lists the identifiers of what is there as lists show it.
func (s *Service) inOrder(all map[int]*item) []int {
	ids := slices.Sorted(maps.Keys(all))
	if s.dress.Newest {
		slices.Reverse(ids)
	}
	return ids
}

func (s *Service) list(c *call, team *item) *reply {
	all := []any{}
	for _, id := range s.inOrder(team.notes) {
		n := team.notes[id]
		if !n.gone && (!c.query.Has("pinned") || fmt.Sprint(n.members["pinned"]) == c.query.Get("pinned")) {
			all = append(all, notes.view(id, n))
		}
	}
	return answer(http.StatusOK, all)
}

// unique lists the properties of which no two have the same value.
var unique = []string{"name", "email", "title"}

// take reads what is sent of an item.
func (s *Service) take(c *call, k kind) map[string]any {
	sent, out := c.members(), map[string]any{}
	for _, name := range k.names {
		v, there := sent[name]
		if text, ok := v.(string); ok && s.dress.Normalise && slices.Contains(unique, name) {
			if v = strings.Map(lower, text); name == "name" && strings.Trim(text, " ") != "" {
				v = strings.Trim(strings.Map(lower, text), " ")
			}
		}
		if n, ok := numberOf(sent, name); ok && s.dress.Normalise {
			v = n - n%5
		}
		if there {
			out[name] = v
		}
	}
	return out
}

// whole is what is sent of an item, with the defaults of what is not.
func (s *Service) whole(c *call, k kind) map[string]any {
	out := maps.Clone(k.defaults)
	maps.Copy(out, s.take(c, k))
	return out
}

// taken names what of an item another one has; nothing where it may be stored.
func taken(all map[int]*item, id int, members map[string]any) string {
	for _, name := range unique {
		for other, i := range all {
			if other != id && !i.gone && members[name] != nil && i.members[name] == members[name] {
				return name
			}
		}
	}
	return ""
}

func lower(r rune) rune {
	if r >= 'A' && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func (s *Service) create(c *call, k kind, all map[int]*item, last *int) *reply {
	members := s.whole(c, k)
	if name := taken(all, 0, members); name != "" {
		return refuse(http.StatusConflict, "the "+name+" is taken")
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
	i := &item{notes: map[int]*item{}, owner: c.user, created: s.now()}
	status := http.StatusCreated
	if s.dress.Late {
		i.unread, status = 2, http.StatusAccepted
	}
	all[id] = i
	s.store(i, members)
	out := k.show(status, id, i)
	if c.op == "createTeam" {
		out.header.Set("Location", fmt.Sprintf("/teams/%d", id))
	}
	return out
}

// now is a time that each change moves on.
func (s *Service) now() time.Time {
	return time.Date(2026, time.May, 1, 12, 0, s.version, 0, time.UTC)
}

// store makes members those of an item.
func (s *Service) store(i *item, members map[string]any) {
	s.version++
	i.before, i.version, i.members = i.version, s.version, members
	if s.dress.Hash {
		i.version = int(crc32.ChecksumIEEE(fmt.Append(nil, members)))
	}
}

func (s *Service) put(c *call, k kind, all map[int]*item, id int) *reply {
	members := s.whole(c, k)
	if name := taken(all, id, members); name != "" {
		return refuse(http.StatusConflict, "the "+name+" is taken")
	}
	i, status := all[id], http.StatusOK
	if i == nil {
		if len(c.header.Values("If-Match")) > 0 {
			return refuse(http.StatusPreconditionFailed, "the "+k.what+" is not there")
		}
		i, status = &item{notes: map[int]*item{}, owner: c.user, created: s.now()}, http.StatusCreated
		all[id] = i
	}
	s.store(i, members)
	return k.show(status, id, i)
}

func (s *Service) patch(c *call, k kind, all map[int]*item, id int) *reply {
	sent := s.take(c, k)
	if name := taken(all, id, sent); name != "" {
		return refuse(http.StatusConflict, "the "+name+" is taken")
	}
	members := maps.Clone(all[id].members)
	for name, v := range sent {
		members[name] = v
		if v == nil {
			delete(members, name)
		}
	}
	s.store(all[id], members)
	return k.show(http.StatusOK, id, all[id])
}

func (s *Service) remove(all map[int]*item, id int) *reply {
	switch {
	case s.dress.Soft:
		all[id].gone = true
		s.store(all[id], all[id].members)
		return answer(http.StatusOK, map[string]any{"deleted": true})
	case s.dress.Late:
		delete(all, id)
		return &reply{status: http.StatusAccepted, header: http.Header{}}
	}
	delete(all, id)
	return &reply{status: http.StatusNoContent, header: http.Header{}}
}

func (k kind) view(id int, i *item) map[string]any {
	out := maps.Clone(i.members)
	out["id"] = id
	if k.prefix != "" {
		out["id"] = k.prefix + strconv.Itoa(id)
	} else {
		out["createdAt"] = i.created.Format(time.RFC3339)
	}
	if i.gone {
		out["deleted"] = true
	}
	return out
}

func (k kind) show(status, id int, i *item) *reply {
	return answer(status, k.view(id, i)).with("ETag", i.tag())
}

func refuse(status int, why string) *reply {
	return answer(status, map[string]any{"error": strings.ToValidUTF8(why, "")})
}

func answer(status int, body any) *reply {
	return (&reply{status: status, body: body}).with("Content-Type", "application/json")
}

// with sets a header field.
func (r *reply) with(name, value string) *reply {
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header.Set(name, value)
	return r
}

// clone is the same reply, to be changed without it.
func (r *reply) clone() *reply {
	out := *r
	out.header = r.header.Clone()
	if m, ok := r.body.(map[string]any); ok {
		out.body = maps.Clone(m)
	}
	return &out
}

func (r *reply) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), r.header)
	if r.body == nil {
		w.WriteHeader(r.status)
		return
	}
	status := r.status
	body, err := json.Marshal(r.body)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"the answer cannot be written"}`)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
