package crud_test

import (
	"cmp"
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
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// hiring is a document of what is made below something else and has a path of its own, two levels deep.
const hiring = `
openapi: 3.0.3
info: {title: hiring, version: "1"}
paths:
  /vacancies:
    post: {operationId: addVacancy, requestBody: {$ref: '#/components/requestBodies/Vacancy'}, responses: {"201": {$ref: '#/components/responses/Vacancy'}, "400": {$ref: '#/components/responses/No'}, "415": {$ref: '#/components/responses/No'}}}
  /vacancies/{vacancyId}:
    parameters: [{$ref: '#/components/parameters/vacancyId'}]
    get: {operationId: getVacancy, responses: {"200": {$ref: '#/components/responses/Vacancy'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}}}
    delete: {operationId: deleteVacancy, responses: {"204": {description: gone}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}}}
  /vacancies/{vacancyId}/applications:
    parameters: [{$ref: '#/components/parameters/vacancyId'}]
    post:
      operationId: addApplication
      requestBody: {$ref: '#/components/requestBodies/Application'}
      responses: {"201": {$ref: '#/components/responses/Application'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}, "409": {$ref: '#/components/responses/No'}, "415": {$ref: '#/components/responses/No'}}
    get:
      operationId: listApplicationsOfVacancy
      parameters: [{$ref: '#/components/parameters/limit'}, {$ref: '#/components/parameters/offset'}]
      responses: {"200": {$ref: '#/components/responses/Applications'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}}
  /applications:
    get:
      operationId: listApplications
      parameters: [{name: vacancyId, in: query, schema: {type: integer, minimum: 1}}, {name: stage, in: query, schema: {enum: [new, seen, hired]}}, {$ref: '#/components/parameters/limit'}, {$ref: '#/components/parameters/offset'}]
      responses: {"200": {$ref: '#/components/responses/Applications'}, "400": {$ref: '#/components/responses/No'}}
  /applications/{applicationId}:
    parameters: [{$ref: '#/components/parameters/applicationId'}]
    get: {operationId: getApplication, responses: {"200": {$ref: '#/components/responses/Application'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}}}
    put:
      operationId: putApplication
      parameters: [{$ref: '#/components/parameters/match'}]
      requestBody: {$ref: '#/components/requestBodies/Application'}
      responses: {"200": {$ref: '#/components/responses/Application'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}, "409": {$ref: '#/components/responses/No'}, "412": {$ref: '#/components/responses/No'}, "415": {$ref: '#/components/responses/No'}}
    patch:
      operationId: patchApplication
      parameters: [{$ref: '#/components/parameters/match'}]
      requestBody: {required: true, content: {application/merge-patch+json: {schema: {type: object, minProperties: 1, properties: {email: {$ref: '#/components/schemas/Email'}, note: {type: string, maxLength: 60}, stage: {enum: [new, seen, hired]}}}}}}
      responses: {"200": {$ref: '#/components/responses/Application'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}, "409": {$ref: '#/components/responses/No'}, "412": {$ref: '#/components/responses/No'}, "415": {$ref: '#/components/responses/No'}}
    delete: {operationId: deleteApplication, responses: {"204": {description: gone}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}}}
  /applications/{applicationId}/withdraw:
    parameters: [{$ref: '#/components/parameters/applicationId'}]
    post: {operationId: withdrawApplication, responses: {"200": {$ref: '#/components/responses/Application'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}}}
  /applications/{applicationId}/interviews:
    parameters: [{$ref: '#/components/parameters/applicationId'}]
    post: {operationId: addInterview, requestBody: {$ref: '#/components/requestBodies/Interview'}, responses: {"201": {$ref: '#/components/responses/Interview'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}, "415": {$ref: '#/components/responses/No'}}}
    get: {operationId: listInterviews, responses: {"200": {$ref: '#/components/responses/Interviews'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}}}
  /interviews/{interviewId}:
    parameters: [{$ref: '#/components/parameters/interviewId'}]
    get: {operationId: getInterview, responses: {"200": {$ref: '#/components/responses/Interview'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}}}
    put: {operationId: putInterview, requestBody: {$ref: '#/components/requestBodies/Interview'}, responses: {"200": {$ref: '#/components/responses/Interview'}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}, "415": {$ref: '#/components/responses/No'}}}
    delete: {operationId: deleteInterview, responses: {"204": {description: gone}, "400": {$ref: '#/components/responses/No'}, "404": {$ref: '#/components/responses/No'}}}
components:
  parameters:
    vacancyId: {name: vacancyId, in: path, required: true, schema: {type: integer, minimum: 1}}
    applicationId: {name: applicationId, in: path, required: true, schema: {type: integer, minimum: 1}}
    interviewId: {name: interviewId, in: path, required: true, schema: {type: integer, minimum: 1}}
    limit: {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100, default: 20}}
    offset: {name: offset, in: query, schema: {type: integer, minimum: 0, maximum: 100000}}
    match: {name: If-Match, in: header, schema: {type: string}}
  requestBodies:
    Vacancy: {required: true, content: {application/json: {schema: {type: object, required: [title], properties: {title: {type: string, minLength: 1, maxLength: 60}}}}}}
    Application: {required: true, content: {application/json: {schema: {type: object, required: [email], properties: {email: {$ref: '#/components/schemas/Email'}, note: {type: string, maxLength: 60}, stage: {enum: [new, seen, hired], default: new}}}}}}
    Interview: {required: true, content: {application/json: {schema: {type: object, required: [room], properties: {room: {type: string, minLength: 1, maxLength: 60}, minutes: {type: integer, minimum: 5, maximum: 500}}}}}}
  responses:
    No: {description: refused}
    Vacancy: {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Vacancy'}}}}
    Application: {description: it, headers: {ETag: {schema: {type: string}}}, content: {application/json: {schema: {$ref: '#/components/schemas/Application'}}}}
    Interview: {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Interview'}}}}
    Applications: {description: all, content: {application/json: {schema: {type: object, required: [items, total], properties: {total: {type: integer}, items: {type: array, items: {$ref: '#/components/schemas/Application'}}}}}}}
    Interviews: {description: all, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Interview'}}}}}
  schemas:
    Email: {type: string, minLength: 3, maxLength: 60}
    Vacancy: {type: object, required: [id, title], properties: {id: {type: integer}, title: {type: string}}}
    Application: {type: object, required: [id, vacancyId, email, stage], properties: {id: {type: integer}, vacancyId: {type: integer}, email: {type: string}, note: {type: string}, stage: {type: string}}}
    Interview: {type: object, required: [id, applicationId, room], properties: {id: {type: integer}, applicationId: {type: integer}, room: {type: string}, minutes: {type: integer}}}
`

// Forms in which such documents are written.
var hiringForms = map[string]func(string) string{
	"": func(text string) string { return text },
	"one name": func(text string) string { // of all path parameters
		for _, name := range []string{"vacancyId", "applicationId", "interviewId"} {
			text = strings.NewReplacer("{"+name+"}", "{id}", "{name: "+name+", in: path", "{name: id, in: path").Replace(text)
		}
		return text
	},
	"other names": func(text string) string { // where something stands below
		text = strings.NewReplacer(
			"/vacancies/{vacancyId}:\n    parameters: [{$ref: '#/components/parameters/vacancyId'}]", "/vacancies/{id}:\n    parameters: [{$ref: '#/components/parameters/id'}]",
			"/interviews/{interviewId}:\n    parameters: [{$ref: '#/components/parameters/interviewId'}]", "/interviews/{id}:\n    parameters: [{$ref: '#/components/parameters/id'}]",
			"  parameters:\n    vacancyId:", "  parameters:\n    id: {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}\n    vacancyId:",
		).Replace(text)
		return text
	},
	"bare": func(text string) string { // what is made has a Location, and no schema
		return strings.ReplaceAll(text, `requestBody: {$ref: '#/components/requestBodies/Application'}
      responses: {"201": {$ref: '#/components/responses/Application'}`, `requestBody: {$ref: '#/components/requestBodies/Application'}
      responses: {"201": {description: made, headers: {Location: {required: true, schema: {type: string}}}}`)
	},
	"without a list below": func(text string) string {
		before, rest, _ := strings.Cut(text, "    get:\n      operationId: listApplicationsOfVacancy")
		_, after, _ := strings.Cut(rest, "  /applications:\n")
		return before + "  /applications:\n" + after
	},
	"without a list of all": func(text string) string {
		before, rest, _ := strings.Cut(text, "  /applications:\n")
		_, after, _ := strings.Cut(rest, "  /applications/{applicationId}:\n")
		return before + "  /applications/{applicationId}:\n" + after
	},
	"of one vacancy": func(text string) string { // the list of all wants the vacancy
		return strings.Replace(text, "{name: vacancyId, in: query, schema", "{name: vacancyId, in: query, required: true, schema", 1)
	},
	"later": func(text string) string { // what is made is answered with a 202
		return strings.Replace(text, `"201": {$ref: '#/components/responses/Application'}`, `"202": {$ref: '#/components/responses/Application'}`, 1)
	},
}

// hired is something that a recruiter keeps.
type hired struct {
	id, up, version int
	members         map[string]any
}

// recruiter is the service of the hiring document, with one defect.
type recruiter struct {
	form, defect string
	stays        bool // what was made below a vacancy outlives it
	contract     *contract.Contract

	mu   sync.Mutex
	last map[string]int
	all  map[string][]*hired // by collection, in the order in which they were made
}

func newRecruiter(t *testing.T, form, defect string) (*recruiter, *contracttest.Contract) {
	t.Helper()
	text := []byte(hiringForms[form](hiring))
	c, err := contract.Parse("hiring.yaml", text)
	require.NoError(t, err)
	public, err := contracttest.Parse("hiring.yaml", text)
	require.NoError(t, err)
	return &recruiter{form: form, defect: defect, contract: c, last: map[string]int{}, all: map[string][]*hired{}}, public
}

// find returns what has an identifier; nil where nothing has.
func (s *recruiter) find(kind string, id int) *hired {
	i := slices.IndexFunc(s.all[kind], func(h *hired) bool { return h.id == id })
	if i < 0 {
		return nil
	}
	return s.all[kind][i]
}

// kept are the members that are stored.
var kept = []string{"title", "email", "note", "stage", "room", "minutes"}

// childOf is what stands below each kind, and upOf how that names what it stands below.
var childOf = map[string]string{"vacancies": "applications", "applications": "interviews"}

var upOf = map[string]string{"applications": "vacancyId", "interviews": "applicationId"}

func (s *recruiter) show(kind string, h *hired) map[string]any {
	all := maps.Clone(h.members)
	all["id"] = h.id
	if up := upOf[kind]; up != "" {
		all[up] = h.up
	}
	return all
}

func (s *recruiter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	op, known := s.contract.Find(method, r.URL.EscapedPath())
	if !known || op == nil {
		var allowed []string
		for _, o := range s.contract.At(r.URL.EscapedPath()) {
			allowed = append(allowed, o.Method)
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		w.WriteHeader(map[bool]int{true: http.StatusMethodNotAllowed, false: http.StatusNotFound}[known])
		return
	}
	body, _ := io.ReadAll(r.Body)
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
		w.WriteHeader(status)
		return
	}
	var sent map[string]any
	_ = json.Unmarshal(body, &sent)
	maps.DeleteFunc(sent, func(name string, _ any) bool { return !slices.Contains(kept, name) })
	segments := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	kind, id := segments[0], 0
	if len(segments) > 1 {
		text, _ := url.PathUnescape(segments[1])
		id, _ = strconv.Atoi(text)
	}
	switch len(segments) {
	case 1:
		if method == http.MethodPost {
			s.make(w, kind, 0, sent)
			return
		}
		s.list(w, r, kind, nil)
	case 2:
		s.one(w, r, kind, id, sent)
	default:
		up := s.find(kind, id)
		below := map[string]string{"made below what is deleted": http.MethodPost, "interviews outlive their application in the list": http.MethodGet}[s.defect]
		if up == nil && below == method && id <= s.last[kind] {
			up = &hired{id: id}
		}
		switch {
		case up == nil:
			w.WriteHeader(http.StatusNotFound)
		case segments[2] == "withdraw":
			s.withdraw(w, up)
		case method == http.MethodPost:
			s.make(w, childOf[kind], up.id, sent)
		default:
			s.list(w, r, childOf[kind], up)
		}
	}
}

func (s *recruiter) write(w http.ResponseWriter, status int, kind string, h *hired) {
	if kind == "applications" {
		w.Header().Set("ETag", fmt.Sprintf(`"%d-%d"`, h.id, h.version))
	}
	s.answer(w, status, s.show(kind, h))
}

func (s *recruiter) answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// taken reports whether another application of the vacancy has the address.
func (s *recruiter) taken(h *hired) bool {
	return slices.ContainsFunc(s.all["applications"], func(o *hired) bool {
		return o.id != h.id && o.up == h.up && o.members["email"] == h.members["email"]
	})
}

func (s *recruiter) make(w http.ResponseWriter, kind string, up int, sent map[string]any) {
	h := &hired{up: up, version: 1, members: sent}
	if kind == "applications" {
		h.members["stage"] = cmp.Or(h.members["stage"], any("new"))
		if s.taken(h) {
			if s.defect == "a conflict is made all the same" {
				s.last[kind]++
				h.id = s.last[kind]
				s.all[kind] = append(s.all[kind], h)
			}
			w.WriteHeader(http.StatusConflict)
			return
		}
	}
	s.last[kind]++
	h.id = s.last[kind]
	told := h
	if s.defect == "made below the first vacancy" && kind == "applications" && len(s.all["vacancies"]) > 0 {
		told = &hired{id: h.id, up: up, version: 1, members: sent}
		h.up = s.all["vacancies"][0].id
	}
	if !(s.defect == "applications are lost" && kind == "applications" || s.defect == "interviews are lost" && kind == "interviews") {
		s.all[kind] = append(s.all[kind], h)
	}
	w.Header().Set("Location", fmt.Sprintf("/%s/%d", kind, h.id))
	status := http.StatusCreated
	switch {
	case s.form == "bare" && kind == "applications":
		w.WriteHeader(status)
		return
	case s.form == "later" && kind == "applications":
		status = http.StatusAccepted
	}
	s.write(w, status, kind, told)
}

func (s *recruiter) withdraw(w http.ResponseWriter, h *hired) {
	told := &hired{id: h.id, up: h.up, version: h.version, members: maps.Clone(h.members)}
	told.members["stage"] = "withdrawn"
	if s.defect != "withdrawn is not stored" {
		h.members["stage"] = "withdrawn"
		h.version++
	}
	s.write(w, http.StatusOK, "applications", told)
}

func (s *recruiter) one(w http.ResponseWriter, r *http.Request, kind string, id int, sent map[string]any) {
	h := s.find(kind, id)
	if h == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if match := r.Header.Get("If-Match"); kind == "applications" && (r.Method == http.MethodPut || r.Method == http.MethodPatch) && match != "" && match != "*" && s.defect != "If-Match is ignored" {
		if !slices.ContainsFunc(strings.Split(match, ","), func(tag string) bool { return strings.TrimSpace(tag) == fmt.Sprintf(`"%d-%d"`, h.id, h.version) }) {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
	}
	next := &hired{id: h.id, up: h.up, version: h.version + 1, members: maps.Clone(h.members)}
	switch r.Method {
	case http.MethodDelete:
		s.delete(kind, h)
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodPut:
		next.members = sent
		if kind == "applications" {
			next.members["stage"] = cmp.Or(next.members["stage"], any("new"))
		}
	case http.MethodPatch:
		for name, v := range sent {
			next.members[name] = v
		}
	default:
		if s.defect == "the reference is of the first" && upOf[kind] != "" {
			h = &hired{id: h.id, up: 1, version: h.version, members: h.members}
		}
		s.write(w, http.StatusOK, kind, h)
		return
	}
	if kind == "applications" && s.taken(next) && s.defect != "a conflict is taken for a change" {
		w.WriteHeader(http.StatusConflict)
		return
	}
	told := *next
	switch {
	case s.defect == "PATCH loses the note" && r.Method == http.MethodPatch && sent["note"] == nil:
		delete(next.members, "note")
		told = *next
	case s.defect == "PUT is not stored" && r.Method == http.MethodPut && kind == "applications", s.defect == "PUT of an interview is not stored" && kind == "interviews":
		next.members = h.members
	}
	if s.defect == "PATCH changes all of the vacancy" && r.Method == http.MethodPatch && sent["note"] != nil {
		for _, o := range s.all[kind] {
			if o.up == h.up {
				o.members["note"] = sent["note"]
			}
		}
	}
	*h = *next
	s.write(w, http.StatusOK, kind, &told)
}

func (s *recruiter) delete(kind string, h *hired) {
	switch {
	case s.defect == "deleted stays" && kind == "applications":
		return
	case s.defect == "DELETE takes a neighbour" && kind == "applications":
		if i := slices.IndexFunc(s.all[kind], func(o *hired) bool { return o.up == h.up && o.id != h.id }); i >= 0 {
			s.all[kind] = slices.Delete(s.all[kind], i, i+1)
		}
	case (s.defect == "deleted stays in the list of all" || s.defect == "deleted stays in the list below") && kind == "applications":
		s.all["was"] = append(s.all["was"], h)
	}
	s.all[kind] = slices.DeleteFunc(s.all[kind], func(o *hired) bool { return o == h })
	if s.stays {
		return
	}
	for _, child := range slices.Clone(s.all[childOf[kind]]) {
		if child.up == h.id {
			s.delete(childOf[kind], child)
		}
	}
}

// list answers with a page of what stands below something, or of all.
func (s *recruiter) list(w http.ResponseWriter, r *http.Request, kind string, up *hired) {
	q := r.URL.Query()
	all := slices.Clone(s.all[kind])
	if s.defect == "deleted stays in the list of all" && up == nil || s.defect == "deleted stays in the list below" && up != nil {
		all = append(all, s.all["was"]...)
	}
	items := []map[string]any{}
	for i, h := range all {
		asked := q.Get("vacancyId")
		switch {
		case up != nil && h.up != up.id && s.defect != "the list below has all":
		case s.defect == "missing in the list below" && up != nil && kind == "applications" && i%2 == 1:
		case s.defect == "missing in the list of all" && up == nil && i%2 == 1:
		case asked != "" && strconv.Itoa(h.up) != asked && s.defect != "the vacancy is ignored":
		case q.Get("stage") != "" && h.members["stage"] != q.Get("stage") && s.defect != "the stage is ignored":
		case asked != "" && s.defect == "the vacancy hides all":
		default:
			items = append(items, s.show(kind, h))
		}
	}
	if kind == "interviews" {
		s.answer(w, http.StatusOK, items)
		return
	}
	total := len(items)
	if s.defect == "the total is of all" && up != nil {
		total = len(s.all[kind])
	}
	if s.defect == "the total stays" && up == nil {
		total = min(total, 1)
	}
	limit, offset := 20, 0
	if n, err := strconv.Atoi(q.Get("limit")); err == nil {
		limit = n
	}
	if n, err := strconv.Atoi(q.Get("offset")); err == nil {
		offset = n
	}
	if s.defect == "a page begins one early" && up == nil && offset > 0 {
		offset--
	}
	items = items[min(offset, len(items)):]
	items = items[:min(limit, len(items))]
	s.answer(w, http.StatusOK, map[string]any{"total": total, "items": items})
}

// ofHiring runs the engine against a recruiter, and lists what its sequences have found.
func ofHiring(t *testing.T, s *recruiter, c *contracttest.Contract, opts ...contracttest.Option) []string {
	t.Helper()
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(s), append([]contracttest.Option{contracttest.Settle(2 * time.Millisecond), contracttest.Cases(0)}, opts...)...)
	require.NoError(t, err)
	var found []string
	for _, f := range rep.Findings {
		found = append(found, fmt.Sprint(f.Severity, " ", f.Case.ID, ": ", f.Message))
	}
	return found
}

// TestShallow proves that the sequences try what is made below something else and has a path of its own,
// however its parameters are named, and tell nothing of a service that keeps its document. It is a
// sample: with -all it takes all forms and seeds, and runs as a whole for each defect.
func TestShallow(t *testing.T) {
	for _, form := range slices.Sorted(maps.Keys(hiringForms)) {
		for n := range 3 {
			if !*all && (form != "one name" || n > 0) {
				continue
			}
			t.Run(fmt.Sprint("correct/", form, "/", n+1), func(t *testing.T) {
				s, c := newRecruiter(t, form, "")
				s.stays = n == 1
				assert.Empty(t, ofHiring(t, s, c, contracttest.Seed(int64(n+1)), contracttest.Workers([]int{8, 1, 8}[n])))
				assert.Empty(t, s.all["applications"], "nothing stays")
			})
		}
	}
	for n, of := range []struct{ defect, form, want string }{
		{"applications are lost", "", "error addApplication/response/status#created-not-found"},
		{"applications are lost", "bare", "error addApplication/response/status#created-not-found"},
		{"interviews are lost", "one name", "error addInterview/response/status#created-not-found"},
		{"interviews are lost", "other names", "error addInterview/response/status#created-not-found"},
		{"made below the first vacancy", "one name", "warning addApplication/response/status#created-differs/parent"},
		{"the reference is of the first", "other names", "warning addApplication/response/status#created-differs/parent"},
		{"PUT is not stored", "", "warning putApplication/response/status#put-not-stored"},
		{"PUT of an interview is not stored", "one name", "warning putInterview/response/status#put-not-stored"},
		{"PATCH loses the note", "", "warning patchApplication/response/status#patch-partial/email"},
		{"PATCH changes all of the vacancy", "", "warning patchApplication/response/status#neighbour-changed/made-before"},
		{"DELETE takes a neighbour", "", "error deleteApplication/response/status#neighbour-changed/made-before"},
		{"deleted stays", "later", "error deleteApplication/response/status#deleted-still-there"},
		{"deleted stays in the list of all", "", "warning listApplications/response/status#deleted-still-listed"},
		{"deleted stays in the list below", "one name", "warning listApplicationsOfVacancy/response/status#deleted-still-listed"},
		{"missing in the list of all", "other names", "warning listApplications/response/status#not-listed"},
		{"missing in the list of all", "without a list below", "warning listApplications/response/status#not-listed"},
		{"missing in the list below", "without a list of all", "warning listApplicationsOfVacancy/response/status#not-listed"},
		{"the list below has all", "one name", "warning listApplicationsOfVacancy/response/status#other-parent/listed"},
		{"the vacancy is ignored", "", "warning listApplications/response/status#filter-ignored/vacancyId/parent"},
		{"the vacancy is ignored", "of one vacancy", "warning listApplications/response/status#filter-ignored/vacancyId/parent"},
		{"the vacancy hides all", "one name", "warning listApplications/response/status#filter-ignored/vacancyId/parent"},
		{"the stage is ignored", "", "warning listApplications/response/status#filter-ignored/stage"},
		{"the total is of all", "", "warning listApplicationsOfVacancy/response/status#list-differs/total/pages"},
		{"the total stays", "", "warning listApplications/response/status#list-differs/total"},
		{"a page begins one early", "", "warning listApplications/response/status#page-broken/by-2"},
		{"withdrawn is not stored", "one name", "warning withdrawApplication/response/status#action-not-stored"},
		{"If-Match is ignored", "", "error patchApplication/response/status#precondition-ignored/stale"},
		{"a conflict is made all the same", "", "error addApplication/response/status#refused-but-done/email/taken"},
		{"a conflict is taken for a change", "", "warning patchApplication/response/status#conflict-ignored/email"},
		{"made below what is deleted", "", "error addApplication/response/status#deleted-still-usable"},
		{"interviews outlive their application in the list", "one name", "warning deleteApplication/response/status#orphan/listInterviews"},
	} {
		if !*all && n%6 != 3 {
			continue
		}
		t.Run(of.defect+"/"+of.form, func(t *testing.T) {
			s, c := newRecruiter(t, of.form, of.defect)
			_, id, _ := strings.Cut(of.want, " ")
			only := []contracttest.Option{contracttest.Only("case:" + id)}
			if *all {
				only = nil
			}
			found := ofHiring(t, s, c, only...)
			assert.True(t, slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, of.want+": ") }), "%s", strings.Join(found, "\n"))
		})
	}
}
