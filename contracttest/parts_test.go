package contracttest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

// household is a document of things with parts that have no identifier.
const household = `
  /devices:
    post:
      operationId: addDevice
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [label], properties: {label: {type: string, minLength: 1, maxLength: 40}}}}}}
      responses:
        "201": {description: made, headers: {Location: {required: true, schema: {type: string}}}, content: {application/json: {schema: {type: object}}}}
        "400": {description: refused}
        "415": {description: refused}
  /devices/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1}}]
    get: {operationId: getDevice, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}}
    put:
      operationId: putDevice
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [label], properties: {label: {type: string, minLength: 1, maxLength: 40}}}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}, "415": {description: refused}}
    delete: {operationId: removeDevice, responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
  /devices/{id}/config:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1}}]
    get: {operationId: getConfig, responses: {"200": {description: it, headers: {ETag: {schema: {type: string}}}, content: {application/json: {schema: {$ref: "#/components/schemas/Config"}}}}, "400": {description: refused}, "404": {description: none}}}
    put:
      operationId: putConfig
      parameters: [{name: If-Match, in: header, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Config"}}}}
      responses:
        "200": {description: stored, content: {application/json: {schema: {$ref: "#/components/schemas/Config"}}}}
        "201": {description: made}
        "202": {description: later}
        "204": {description: stored}
        "400": {description: refused}
        "404": {description: none}
        "412": {description: changed meanwhile}
        "415": {description: refused}
    patch:
      operationId: patchConfig
      parameters: [{name: If-Match, in: header, schema: {type: string}}]
      requestBody: {required: true, content: {application/merge-patch+json: {schema: {$ref: "#/components/schemas/Changes"}}}}
      responses:
        "200": {description: stored, content: {application/json: {schema: {$ref: "#/components/schemas/Config"}}}}
        "202": {description: later}
        "400": {description: refused}
        "404": {description: none}
        "412": {description: changed meanwhile}
        "415": {description: refused}
  /devices/{id}/config/reset:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1}}]
    post: {operationId: resetConfig, responses: {"200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Config"}}}}, "400": {description: refused}, "404": {description: none}}}
  /users:
    post:
      operationId: addUser
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [label], properties: {label: {type: string, minLength: 1, maxLength: 40}}}}}}
      responses:
        "201": {description: made, headers: {Location: {required: true, schema: {type: string}}}, content: {application/json: {schema: {type: object}}}}
        "400": {description: refused}
        "415": {description: refused}
  /users/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1}}]
    get: {operationId: getUser, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}}
    delete: {operationId: removeUser, responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
  /users/{id}/address:
    parameters: [{name: id, in: path, required: true, schema: {type: integer, minimum: 1}}]
    get: {operationId: getAddress, responses: {"200": {description: it, content: {application/json: {schema: {type: object, properties: {street: {type: string}, zip: {type: string}, floor: {type: integer}}}}}}, "400": {description: refused}, "404": {description: none}}}
    put:
      operationId: putAddress
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [street], properties: {street: {type: string, minLength: 1, maxLength: 60}, zip: {type: string, pattern: "^[0-9]{5}$"}, floor: {type: integer, minimum: 0, maximum: 200}}}}}}
      responses:
        "200": {description: stored, content: {application/json: {schema: {type: object}}}}
        "201": {description: made}
        "202": {description: later}
        "204": {description: stored}
        "400": {description: refused}
        "404": {description: none}
        "415": {description: refused}
    delete: {operationId: removeAddress, responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}}
  /settings:
    get: {operationId: getSettings, responses: {"200": {description: they, content: {application/json: {schema: {$ref: "#/components/schemas/Settings"}}}}}}
    put:
      operationId: putSettings
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Settings"}}}}
      responses:
        "200": {description: stored, content: {application/json: {schema: {$ref: "#/components/schemas/Settings"}}}}
        "202": {description: later}
        "204": {description: stored}
        "400": {description: refused}
        "415": {description: refused}
components:
  schemas:
    Config: {type: object, required: [interval], properties: {interval: {type: integer, minimum: 1, maximum: 3600}, mode: {type: string, enum: [eco, full]}, note: {type: string, maxLength: 40}, revision: {type: integer, readOnly: true}}}
    Changes: {type: object, minProperties: 1, properties: {interval: {type: integer, minimum: 1, maximum: 3600}, mode: {type: string, enum: [eco, full]}, note: {type: string, maxLength: 40, nullable: true}}}
    Settings: {type: object, required: [theme], properties: {theme: {type: string, enum: [light, dark]}, rows: {type: integer, minimum: 5, maximum: 100}, motto: {type: string, maxLength: 60}}}
`

// field says of a property of a part which values it takes.
type field struct {
	required bool
	good     func(v any) bool
}

func textUpTo(least, most int) func(any) bool {
	return func(v any) bool {
		s, ok := v.(string)
		return ok && len([]rune(s)) >= least && len([]rune(s)) <= most
	}
}

func wholeIn(least, most float64) func(any) bool {
	return func(v any) bool {
		n, ok := v.(float64)
		return ok && n == math.Trunc(n) && n >= least && n <= most
	}
}

func oneOf(texts ...string) func(any) bool {
	return func(v any) bool { s, ok := v.(string); return ok && slices.Contains(texts, s) }
}

// fieldsOf are the properties of the parts, by the end of their path.
var fieldsOf = map[string]map[string]field{
	"config":   {"interval": {true, wholeIn(1, 3600)}, "mode": {false, oneOf("eco", "full")}, "note": {false, textUpTo(0, 40)}, "revision": {false, func(any) bool { return true }}},
	"address":  {"street": {true, textUpTo(1, 60)}, "zip": {false, func(v any) bool { s, ok := v.(string); return ok && len(s) == 5 && strings.Trim(s, "0123456789") == "" }}, "floor": {false, wholeIn(0, 200)}},
	"settings": {"theme": {true, oneOf("light", "dark")}, "rows": {false, wholeIn(5, 100)}, "motto": {false, textUpTo(0, 60)}},
}

// home is a service of devices with a configuration, users with an address, and settings, with one
// way of its own.
type home struct {
	way   string
	mu    sync.Mutex
	last  int
	made  map[string]map[string]any // by path
	parts map[string]map[string]any // by path
	rev   map[string]int
	late  map[string]map[string]any // what is stored when it was read
}

var ourSettings = map[string]any{"theme": "light", "rows": 20.0, "motto": "ours"}

func newHome(way string) *home {
	return &home{
		way: way, made: map[string]map[string]any{}, rev: map[string]int{}, late: map[string]map[string]any{},
		parts: map[string]map[string]any{"/settings": maps.Clone(ourSettings)},
	}
}

func (h *home) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	segments := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if r.URL.Path == "/settings" {
		h.part(w, r, "/settings", "settings")
		return
	}
	if segments[0] != "devices" && segments[0] != "users" || len(segments) > 4 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if len(segments) == 1 {
		h.add(w, r)
		return
	}
	part := map[string]string{"devices": "config", "users": "address"}[segments[0]]
	acts := len(segments) == 4
	if len(segments) > 2 && segments[2] != part || acts && (part != "config" || segments[3] != "reset") {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	n, err := strconv.Atoi(segments[1])
	if err != nil || n < 1 {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	item := fmt.Sprintf("/%s/%d", segments[0], n)
	gone := h.made[item] == nil
	if gone && !(len(segments) == 3 && h.way == part+" outlives what it is of" && h.parts[item+"/"+part] != nil) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	switch {
	case acts && r.Method != http.MethodPost:
		notAllowed(w, "POST")
	case acts:
		if h.way != "reset does nothing" {
			h.parts[item+"/config"] = defaults(part)
		}
		h.rev[item+"/config"]++
		told := h.shown(item+"/config", "config", defaults(part))
		answerJSON(w, http.StatusOK, told)
	case len(segments) == 3:
		h.part(w, r, item+"/"+part, part)
	default:
		h.item(w, r, item, part)
	}
}

// notAllowed refuses a method.
func notAllowed(w http.ResponseWriter, allow string) {
	w.Header().Set("Allow", allow)
	w.WriteHeader(http.StatusMethodNotAllowed)
}

func defaults(part string) map[string]any {
	if part != "config" {
		return nil
	}
	return map[string]any{"interval": 60.0, "mode": "eco"}
}

func (h *home) add(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		notAllowed(w, "POST")
		return
	}
	label, ok := sentText(w, r, "label", 40)
	if !ok {
		return
	}
	h.last++
	path := fmt.Sprintf("%s/%d", r.URL.Path, h.last)
	h.made[path] = map[string]any{"id": h.last, "label": label}
	if d := defaults("config"); r.URL.Path == "/devices" && h.way != "none before PUT" && h.way != "none before PUT, 200" {
		h.parts[path+"/config"] = d
	}
	w.Header().Set("Location", path)
	answerJSON(w, http.StatusCreated, h.made[path])
}

func (h *home) item(w http.ResponseWriter, r *http.Request, path, part string) {
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		whole := maps.Clone(h.made[path])
		if c := h.parts[path+"/"+part]; c != nil {
			whole[part] = h.shown(path+"/"+part, part, c)
		}
		if h.way == "the device shows an old config" && part == "config" {
			whole[part] = h.made[path]["first"]
			if whole[part] == nil {
				whole[part] = h.shown(path+"/config", part, h.parts[path+"/config"])
				h.made[path]["first"] = whole[part]
			}
			delete(whole, "first")
		}
		answerJSON(w, http.StatusOK, whole)
	case r.Method == http.MethodDelete:
		delete(h.made, path)
		if h.way != part+" outlives what it is of" {
			delete(h.parts, path+"/"+part)
		}
		w.WriteHeader(http.StatusNoContent)
	case part == "config" && r.Method == http.MethodPut:
		label, ok := sentText(w, r, "label", 40)
		if !ok {
			return
		}
		h.made[path]["label"] = label
		if h.way == "PUT of the device resets its config" {
			h.parts[path+"/config"] = defaults(part)
		}
		answerJSON(w, http.StatusOK, h.made[path])
	case part == "config":
		notAllowed(w, "DELETE, GET, HEAD, PUT")
	default:
		notAllowed(w, "DELETE, GET, HEAD")
	}
}

// shown is a part as it is read.
func (h *home) shown(path, part string, members map[string]any) map[string]any {
	all := maps.Clone(members)
	if part == "config" {
		all["revision"] = h.rev[path]
	}
	return all
}

func (h *home) tag(path string) string {
	return fmt.Sprintf("%q", fmt.Sprint(path, " ", h.rev[path]))
}

func (h *home) part(w http.ResponseWriter, r *http.Request, path, part string) {
	now := h.parts[path]
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if now == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if part == "config" {
			w.Header().Set("ETag", h.tag(path))
		}
		answerJSON(w, http.StatusOK, h.shown(path, part, now))
		if then := h.late[path]; then != nil {
			h.parts[path] = then
			h.rev[path]++
			delete(h.late, path)
		}
		if h.way == "a read resets "+part {
			h.parts[path] = map[string]any{"interval": 60.0, "street": "Main", "theme": "light"}
		}
	case http.MethodPut:
		h.put(w, r, path, part)
	case http.MethodPatch:
		if part != "config" {
			notAllowed(w, map[string]string{"address": "DELETE, GET, HEAD, PUT", "settings": "GET, HEAD, PUT"}[part])
			return
		}
		h.patch(w, r, path)
	case http.MethodDelete:
		if part != "address" {
			notAllowed(w, map[string]string{"config": "GET, HEAD, PATCH, PUT", "settings": "GET, HEAD, PUT"}[part])
			return
		}
		if now == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		switch h.way {
		case "DELETE leaves the address":
		case "DELETE of one address is one of all":
			for at := range h.parts {
				if strings.HasSuffix(at, "/address") {
					delete(h.parts, at)
				}
			}
		default:
			h.late[path+" deleted"] = now
			delete(h.parts, path)
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		notAllowed(w, map[string]string{"config": "GET, HEAD, PATCH, PUT", "address": "DELETE, GET, HEAD, PUT", "settings": "GET, HEAD, PUT"}[part])
	}
}

// sentMembers reads what a request sets a part to; it is answered where that is refused.
func (h *home) sentMembers(w http.ResponseWriter, r *http.Request, path, part, media string, whole bool) (map[string]any, bool) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(kind), media) {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return nil, false
	}
	var sent map[string]any
	d := json.NewDecoder(r.Body)
	bad := d.Decode(&sent) != nil || sent == nil || d.More()
	members := map[string]any{}
	for name, f := range fieldsOf[part] {
		v, given := sent[name]
		_, isRead := map[string]bool{"revision": true}[name]
		switch {
		case isRead:
		case given && v == nil && !whole && name == "note":
			members[name] = nil
		case given && !f.good(v), whole && !given && f.required:
			bad = true
		case given:
			members[name] = v
		}
	}
	bad = bad || !whole && len(sent) == 0
	if bad && h.way == "a refused PUT is stored in part" && whole && part == "config" && h.parts[path] != nil && members["note"] != nil {
		h.parts[path]["note"] = members["note"]
	}
	if bad && h.way == "a refused PUT of settings is stored" && part == "settings" {
		for name, v := range members {
			h.parts[path][name] = v
		}
	}
	if bad && h.way == "a refused PATCH is stored in part" && !whole && members["interval"] != nil {
		h.parts[path]["interval"] = members["interval"]
	}
	if bad {
		w.WriteHeader(http.StatusBadRequest)
		return nil, false
	}
	if match := r.Header.Get("If-Match"); match != "" && part == "config" && h.way != r.Method+" ignores If-Match" {
		if !slices.ContainsFunc(strings.Split(match, ","), func(tag string) bool {
			return strings.TrimSpace(tag) == h.tag(path) || strings.TrimSpace(tag) == "*"
		}) {
			w.WriteHeader(http.StatusPreconditionFailed)
			return nil, false
		}
	}
	return members, true
}

func (h *home) put(w http.ResponseWriter, r *http.Request, path, part string) {
	members, ok := h.sentMembers(w, r, path, part, "application/json", true)
	if !ok {
		return
	}
	before := h.parts[path]
	switch h.way {
	case "PUT normalises":
		for name, v := range members {
			if s, isText := v.(string); isText {
				members[name] = strings.TrimSpace(strings.ToLower(s))
			}
		}
		if part == "config" {
			members["interval"] = math.Max(5, members["interval"].(float64))
		}
	case "PUT of " + part + " loses a value":
		for _, name := range []string{"note", "zip", "rows"} {
			delete(members, name)
		}
	case "PUT of " + part + " stores no number":
		for _, name := range []string{"interval", "floor", "rows"} {
			if before != nil && before[name] != nil {
				members[name] = before[name]
			}
		}
	case "PUT of " + part + " keeps what it leaves out":
		for name, v := range before {
			if _, sent := members[name]; !sent {
				members[name] = v
			}
		}
	case "PUT of " + part + " stores nothing":
		if before != nil {
			members = before
		}
	case "PUT of one address is one of all":
		for at := range h.parts {
			if strings.HasSuffix(at, "/address") {
				h.parts[at] = members
			}
		}
	case "what was deleted is back":
		for name, v := range h.late[path+" deleted"] {
			if _, sent := members[name]; !sent {
				members[name] = v
			}
		}
	}
	delete(h.late, path+" deleted")
	h.store(path, members)
	status := http.StatusOK
	switch {
	case h.way == "202":
		status = http.StatusAccepted
	case before == nil && h.way != "none before PUT, 200", h.way == "201 first" && part != "settings" && h.rev[path] == 1, h.way == "always 201" && part != "settings":
		status = http.StatusCreated
	case h.way == "204":
		status = http.StatusNoContent
	}
	if status == http.StatusOK {
		answerJSON(w, status, h.shown(path, part, members))
		return
	}
	w.WriteHeader(status)
}

// store keeps a part, or does so when it is next read.
func (h *home) store(path string, members map[string]any) {
	if (h.way == "202" || h.way == "late") && h.parts[path] != nil {
		h.late[path] = members
		return
	}
	if h.way != "the ETag stays" {
		h.rev[path]++
	}
	h.parts[path] = members
}

func (h *home) patch(w http.ResponseWriter, r *http.Request, path string) {
	members, ok := h.sentMembers(w, r, path, "config", "application/merge-patch+json", false)
	if !ok {
		return
	}
	if h.parts[path] == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	all := maps.Clone(h.parts[path])
	if h.way == "PATCH replaces all" {
		all = map[string]any{"interval": 60.0}
	}
	for name, v := range members {
		if v == nil {
			delete(all, name)
		} else if h.way != "PATCH stores no mode" || name != "mode" {
			all[name] = v
		}
	}
	h.store(path, all)
	status := http.StatusOK
	if h.way == "202" {
		status = http.StatusAccepted
	}
	answerJSON(w, status, h.shown(path, "config", all))
}

// stateful lists what sequences have found, each once, and the errors of any kind.
func stateful(rep *contracttest.Report) (found, errors []string) {
	for _, f := range rep.Findings {
		line := f.Severity + " " + f.Case.ID
		if f.Severity == "error" {
			errors = append(errors, line+": "+f.Message)
		}
		if strings.Contains(f.Case.ID, "/response/status#") {
			found = append(found, line)
		}
	}
	return found, errors
}

// TestParts proves that what stands below something under a fixed name, and has no identifier, is
// tried by the sequences as what has one is; that lawful ways to keep it have no error; and that
// settings, of which there is but one, are as they were after the run.
func TestParts(t *testing.T) {
	for i, way := range []string{"", "none before PUT", "204", "201 first", "PUT normalises", "202", "late"} {
		if !racing.Take(i, 3) {
			continue
		}
		t.Run("lawful "+way, func(t *testing.T) {
			seeds := int64(1)
			if way == "" && !racing.Sampled() {
				seeds = 3
			}
			for seed := range seeds {
				for _, workers := range []int{8, 1}[:min(seeds, 2)] {
					h := newHome(way)
					rep, err := contracttest.Run(t.Context(), parse(t, household), contracttest.Handler(h), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0), contracttest.Seed(seed), contracttest.Workers(workers))
					require.NoError(t, err)
					found, errors := stateful(rep)
					assert.Empty(t, errors)
					if way == "" {
						assert.Empty(t, found)
					}
					assert.Empty(t, h.made, "nothing stays")
					assert.Equal(t, ourSettings, h.parts["/settings"], "what is not the run's own is as it was")
					assert.NotContains(t, strings.Join(rep.Warnings, "\n"), "could not be put back")
				}
			}
		})
	}
}

// TestPartDefects proves that defects of parts are found, each by a sequence.
func TestPartDefects(t *testing.T) {
	defects := map[string]string{
		"config outlives what it is of":            "error removeDevice/response/status#orphan/getConfig",
		"address outlives what it is of":           "error removeUser/response/status#orphan/getAddress",
		"PUT of config loses a value":              "warning putConfig/response/status#put-not-stored/whatever-is-sent",
		"PUT of address loses a value":             "warning putAddress/response/status#put-not-stored/whatever-is-sent",
		"PUT of config stores no number":           "warning putConfig/response/status#put-not-stored/whatever-is-sent",
		"PUT of config keeps what it leaves out":   "warning putConfig/response/status#put-not-stored",
		"PUT of config stores nothing":             "warning putConfig/response/status#put-not-stored",
		"PUT of address stores nothing":            "warning putAddress/response/status#put-not-stored",
		"PUT of one address is one of all":         "warning putAddress/response/status#neighbour-changed",
		"DELETE of one address is one of all":      "warning removeAddress/response/status#neighbour-changed",
		"DELETE leaves the address":                "error removeAddress/response/status#deleted-still-there",
		"what was deleted is back":                 "warning putAddress/response/status#put-not-stored/after-DELETE",
		"PUT of the device resets its config":      "warning putDevice/response/status#neighbour-changed",
		"the device shows an old config":           "warning putConfig/response/status#put-not-stored/embedded",
		"PATCH replaces all":                       "warning patchConfig/response/status#patch-partial",
		"PATCH stores no mode":                     "warning patchConfig/response/status#patch-partial",
		"a refused PUT is stored in part":          "error putConfig/response/status#refused-but-done",
		"a refused PATCH is stored in part":        "error patchConfig/response/status#refused-but-done",
		"PUT ignores If-Match":                     "error putConfig/response/status#precondition-ignored/stale",
		"PATCH ignores If-Match":                   "error patchConfig/response/status#precondition-ignored/stale",
		"the ETag stays":                           "error getConfig/response/status#validator-stale",
		"always 201":                               "error putAddress/response/status#put-status",
		"none before PUT, 200":                     "error putConfig/response/status#put-status/first",
		"a read resets config":                     "warning getConfig/response/status#unsafe-read",
		"PUT of settings loses a value":            "warning putSettings/response/status#put-not-stored/whatever-is-sent",
		"PUT of settings stores no number":         "warning putSettings/response/status#put-not-stored/whatever-is-sent",
		"PUT of settings stores nothing":           "warning putSettings/response/status#put-not-stored/whatever-is-sent",
		"PUT of settings keeps what it leaves out": "warning putSettings/response/status#put-not-stored",
		"a refused PUT of settings is stored":      "error putSettings/response/status#refused-but-done",
		"reset does nothing":                       "warning resetConfig/response/status#action-not-stored",
	}
	for i, way := range slices.Sorted(maps.Keys(defects)) {
		if !racing.Take(i, 8) {
			continue
		}
		t.Run(way, func(t *testing.T) {
			want := defects[way]
			_, id, _ := strings.Cut(want, " ")
			clause, _, _ := strings.Cut(id, "#")
			rep, err := contracttest.Run(t.Context(), parse(t, household), contracttest.Handler(newHome(way)), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0), contracttest.Only(clause))
			require.NoError(t, err)
			found, _ := stateful(rep)
			assert.True(t, slices.ContainsFunc(found, func(f string) bool { return strings.HasPrefix(f, want) }), "%s", strings.Join(found, "\n"))
		})
	}
}

// TestPartsOfMock proves that a mock keeps parts and settings as the sequences expect it.
func TestPartsOfMock(t *testing.T) {
	c := parse(t, household)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(contracttest.Mock(c)), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
	require.NoError(t, err)
	for _, f := range rep.Findings {
		t.Errorf("%s %s: %s", f.Severity, f.Case.ID, f.Message)
	}
}
