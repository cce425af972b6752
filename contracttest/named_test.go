package contracttest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

const namedClub = `
  /members:
    get: {operationId: listMembers, responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {type: object}}}}}}}
  /members/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string, pattern: "^[a-z0-9-]{1,40}$"}}]
    get: {operationId: getMember, responses: {"200": {description: the member, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}}
    put:
      operationId: putMember
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [motto], properties: {name: {type: string, maxLength: 40}, motto: {type: string, minLength: 1, maxLength: 80}, level: {type: integer, minimum: 1, maximum: 9}}}}}}
      responses:
        "200": {description: replaced, content: {application/json: {schema: {type: object}}}}
        "201": {description: made, content: {application/json: {schema: {type: object}}}}
        "400": {description: refused}
        "404": {description: none}
        "415": {description: refused}
    delete: {operationId: removeMember, responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
`

// memberNotes is what stands below them, made by POST.
const memberNotes = `
  /members/{name}/notes:
    parameters: [{name: name, in: path, required: true, schema: {type: string, pattern: "^[a-z0-9-]{1,40}$"}}]
    post:
      operationId: addNote
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [text], properties: {text: {type: string, minLength: 1, maxLength: 80}}}}}}
      responses:
        "201": {description: made, headers: {Location: {required: true, schema: {type: string}}}, content: {application/json: {schema: {type: object}}}}
        "400": {description: refused}
        "404": {description: none}
        "415": {description: refused}
  /members/{name}/notes/{noteId}:
    parameters:
      - {name: name, in: path, required: true, schema: {type: string, pattern: "^[a-z0-9-]{1,40}$"}}
      - {name: noteId, in: path, required: true, schema: {type: integer, minimum: 1}}
    get: {operationId: getNote, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}}
    delete: {operationId: removeNote, responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
`

// memberDesk is a service of what clients name, with one defect. What "theirs" has is somebody's.
type memberDesk struct {
	deleted []string
	defect  string
	names   *regexp.Regexp // nil: memberName
	mu      sync.Mutex
	all     map[string]map[string]any
	touched []string
	made    int
	notes   map[string]map[string]any // by name/number
}

// serveNotes answers for what stands below a member.
func (m *memberDesk) serveNotes(w http.ResponseWriter, r *http.Request, name, id string) {
	n, err := strconv.Atoi(id)
	at := fmt.Sprintf("%s/%d", name, n)
	switch {
	case id != "" && (err != nil || n < 1):
		w.WriteHeader(http.StatusBadRequest)
	case m.all[name] == nil && !(m.defect == "notes stay" && m.notes[at] != nil):
		w.WriteHeader(http.StatusNotFound)
	case id == "" && r.Method == http.MethodPost:
		text, ok := sentText(w, r, "text", 80)
		if !ok {
			return
		}
		m.made++
		note := map[string]any{"id": m.made, "text": text}
		if m.defect != "notes are lost" {
			m.notes[fmt.Sprintf("%s/%d", name, m.made)] = note
		}
		w.Header().Set("Location", fmt.Sprintf("/members/%s/notes/%d", name, m.made))
		answerJSON(w, http.StatusCreated, note)
	case id == "":
		w.Header().Set("Allow", "POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	case m.notes[at] == nil && (r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodDelete):
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		answerJSON(w, http.StatusOK, m.notes[at])
	case r.Method == http.MethodDelete:
		delete(m.notes, at)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "DELETE, GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

var memberName = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)

func (m *memberDesk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name, isItem := strings.CutPrefix(r.URL.Path, "/members/")
	name, rest, below := strings.Cut(name, "/notes")
	id := strings.TrimPrefix(rest, "/")
	switch {
	case r.URL.Path == "/members" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		list := []map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(m.all)) {
			if m.defect != "not listed" || name == "theirs" {
				list = append(list, m.all[name])
			}
		}
		answerJSON(w, http.StatusOK, list)
		return
	case r.URL.Path == "/members":
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	case !isItem, below && m.notes == nil:
		w.WriteHeader(http.StatusNotFound)
		return
	case !cmp.Or(m.names, memberName).MatchString(name):
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if below {
		m.serveNotes(w, r, name, id)
		return
	}
	before := m.all[name]
	if name == "theirs" && (r.Method == http.MethodPut || r.Method == http.MethodDelete) {
		m.touched = append(m.touched, r.Method)
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		const alike = 6 // characters that tell one name from another
		for other, member := range m.all {
			if before == nil && m.defect == "cut names" && len(name) >= alike && strings.HasPrefix(other, name[:alike]) {
				before = member
			}
		}
		if before == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		answerJSON(w, http.StatusOK, before)
	case http.MethodPut:
		if !strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "application/json") {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		var sent map[string]any
		err := json.NewDecoder(r.Body).Decode(&sent)
		motto, ok := sent["motto"].(string)
		in, isText := sent["name"].(string) // that it is another than in the path is left alone
		level, isNumber := sent["level"].(float64)
		_, has := sent["level"]
		if n := len([]rune(motto)); err != nil || sent["name"] != nil && (!isText || len([]rune(in)) > 40) || !ok || n < 1 || n > 80 || has && (!isNumber || level != float64(int(level)) || level < 1 || level > 9) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		switch {
		case before == nil && m.defect == "makes nothing", m.defect == "always 200" && slices.Contains(m.deleted, name):
			w.WriteHeader(http.StatusNotFound)
			return
		case m.defect == "makes nothing anew", before != nil && m.defect == "does not replace":
		default:
			kept := map[string]any{"name": name, "motto": motto}
			if has && m.defect != "loses a field" {
				kept["level"] = level
			}
			m.all[name] = kept
		}
		status := http.StatusOK
		if before == nil && m.defect != "always 200" || m.defect == "always 201" {
			status = http.StatusCreated
		}
		told := maps.Clone(sent)
		told["name"] = name
		answerJSON(w, status, told)
	case http.MethodDelete:
		if before == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		m.deleted = append(m.deleted, name)
		if m.defect != "DELETE leaves it" {
			delete(m.all, name)
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "DELETE, GET, HEAD, PUT")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// TestNamed proves that what a PUT makes under a name that the client chooses is tried by the
// sequences as what a POST makes is, under new names, and that nothing of it stays.
func TestNamed(t *testing.T) {
	kept := regexp.MustCompile(`(?s)    delete: .*?\n`).ReplaceAllString(namedClub, "")
	for _, of := range []struct {
		defect, want string // a sequence that finds it; empty where nothing is to be found
		kept         bool   // the document has no DELETE
	}{
		{defect: ""},
		{defect: "", kept: true},
		{defect: "makes nothing"},
		{defect: "makes nothing anew", want: "error putMember/response/status#created-not-found"},
		{defect: "loses a field", want: "warning putMember/response/status#created-differs"},
		{defect: "does not replace", want: "warning putMember/response/status#put-not-stored"},
		{defect: "always 201", want: "error putMember/response/status#put-status"},
		{defect: "always 200", want: "error putMember/response/status#put-status/new"}, // and what is deleted cannot be made again
		{defect: "DELETE leaves it", want: "error removeMember/response/status#deleted-still-there"},
		{defect: "cut names", want: "warning getMember/response/status#created-differs/another-name"},
		{defect: "cut names", want: "warning getMember/response/status#created-differs/another-name", kept: true},
		{defect: "not listed", want: "warning listMembers/response/status#not-listed"},
	} {
		t.Run(of.defect, func(t *testing.T) {
			text := namedClub
			if of.kept {
				text = kept
			}
			theirs := map[string]any{"name": "theirs", "motto": "ours"}
			m := &memberDesk{defect: of.defect, all: map[string]map[string]any{"theirs": theirs}}
			rep, err := contracttest.Run(t.Context(), parse(t, text), contracttest.Handler(m), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				if strings.Contains(f.Case.ID, "/response/status#") {
					found = append(found, f.Severity+" "+f.Case.ID)
					assert.Regexp(t, `/members(/[a-z0-9-]*unique\d+)?['?]`, f.Curl, "its lines have names that a URL may have")
				}
			}
			if of.want == "" {
				assert.Empty(t, found)
			} else {
				assert.Contains(t, found, of.want)
			}
			assert.Empty(t, m.touched)
			switch {
			case of.kept:
				assert.Less(t, len(m.all), 60, "few are made where they stay")
			case of.defect == "always 200": // to the run, what it replaces may be somebody's
			case of.defect != "DELETE leaves it":
				assert.Equal(t, map[string]map[string]any{"theirs": theirs}, m.all, "nothing stays")
			}
		})
	}
}

// TestNamedByIdentifiers proves the same of names that are UUIDs, numbers or texts of a form, as a
// serial number: new ones of the run, which its lines have in a form that the target takes.
func TestNamedByIdentifiers(t *testing.T) {
	const uuid, number, short = "{type: string, format: uuid}", "{type: integer, minimum: 1}", "{type: integer, format: int32, minimum: 1}"
	const serial, mac = `{type: string, pattern: "^[A-Z]{2}[0-9]{6}$"}`, `{type: string, pattern: "^([0-9A-F]{2}:){5}[0-9A-F]{2}$"}`
	names := map[string]*regexp.Regexp{
		serial: regexp.MustCompile(`^[A-Z]{2}[0-9]{6}$`), mac: regexp.MustCompile(`^([0-9A-F]{2}:){5}[0-9A-F]{2}$`),
		uuid: regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`), number: regexp.MustCompile(`^[1-9][0-9]{0,17}$`), short: regexp.MustCompile(`^[1-9][0-9]{0,8}$`),
	}
	for _, of := range []struct{ schema, defect, want string }{
		{uuid, "", ""},
		{number, "", ""},
		{uuid, "makes nothing", ""},
		{uuid, "makes nothing anew", "error putMember/response/status#created-not-found"},
		{number, "does not replace", "warning putMember/response/status#put-not-stored"},
		{serial, "", ""},
		{serial, "does not replace", "warning putMember/response/status#put-not-stored"},
		{mac, "makes nothing anew", "error putMember/response/status#created-not-found"},
		{short, "DELETE leaves it", "error removeMember/response/status#deleted-still-there"},
	} {
		t.Run(of.schema+of.defect, func(t *testing.T) {
			text := strings.Replace(namedClub, `{type: string, pattern: "^[a-z0-9-]{1,40}$"}`, of.schema, 1)
			m := &memberDesk{defect: of.defect, names: names[of.schema], all: map[string]map[string]any{}}
			rep, err := contracttest.Run(t.Context(), parse(t, text), contracttest.Handler(m), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				if strings.Contains(f.Case.ID, "/response/status#") {
					found = append(found, f.Severity+" "+f.Case.ID)
					for _, at := range inPath.FindAllStringSubmatch(f.Curl, -1) {
						name, err := url.PathUnescape(at[1])
						require.NoError(t, err)
						assert.Regexp(t, names[of.schema], name, "%s", f.Curl)
						if of.schema == mac && strings.Contains(f.Curl, `"name"`) {
							assert.Contains(t, f.Curl, `"name":"`+name+`"`, "one name is one, however it is written")
						}
					}
				}
			}
			if of.want == "" {
				assert.Empty(t, found)
			} else {
				assert.Contains(t, found, of.want)
			}
			if of.defect != "DELETE leaves it" {
				assert.Empty(t, m.all, "nothing stays")
			}
		})
	}
}

var inPath = regexp.MustCompile(`/members/([^'?]+)`)

// TestBelowNamed proves that what stands below something that a client names is tried.
func TestBelowNamed(t *testing.T) {
	for defect, want := range map[string]string{
		"":               "",
		"makes nothing":  "",
		"notes are lost": "error addNote/response/status#created-not-found",
		"notes stay":     "error removeMember/response/status#orphan/getNote",
	} {
		t.Run(defect, func(t *testing.T) {
			m := &memberDesk{defect: defect, all: map[string]map[string]any{}, notes: map[string]map[string]any{}}
			rep, err := contracttest.Run(t.Context(), parse(t, namedClub+memberNotes), contracttest.Handler(m), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				if strings.Contains(f.Case.ID, "/response/status#") {
					found = append(found, f.Severity+" "+f.Case.ID)
				}
			}
			if want == "" {
				assert.Empty(t, found)
			} else {
				assert.Contains(t, found, want)
			}
			assert.Empty(t, m.all, "nothing stays")
		})
	}
}
