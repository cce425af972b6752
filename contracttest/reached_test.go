package contracttest_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// keeper is a service that keeps objects with a name, as a mux has their paths.
type keeper struct {
	mu   sync.Mutex
	all  map[string]map[string]any
	last int
}

// at answers a request about the object that its path names, as long as that is in one of some
// states; none of them stands for any.
func (s *keeper) at(do func(w http.ResponseWriter, r *http.Request, v map[string]any), states ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		v := s.all[r.PathValue("id")]
		for _, state := range states {
			if v != nil && v["state"] == state {
				do(w, r, v)
				return
			}
		}
		switch {
		case v == nil, v["state"] == "deleted":
			answerJSON(w, http.StatusNotFound, map[string]any{"error": "unknown"})
		case len(states) > 0:
			answerJSON(w, http.StatusConflict, map[string]any{"error": "not now"})
		default:
			do(w, r, v)
		}
	}
}

// added makes an object of what is sent; it returns nil where that is none.
func (s *keeper) added(w http.ResponseWriter, r *http.Request) map[string]any {
	sent, ok := ofJSON(w, r)
	if !ok {
		return nil
	}
	name, isText := sent["name"].(string)
	if n := len([]rune(name)); !isText || n < 1 || n > 40 {
		w.WriteHeader(http.StatusBadRequest)
		return nil
	}
	s.last++
	v := map[string]any{"id": strconv.Itoa(s.last), "name": name, "state": "open"}
	s.all[v["id"].(string)] = v
	return v
}

func (s *keeper) add(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.added(w, r); v != nil {
		answerJSON(w, http.StatusCreated, v)
	}
}

// left counts what was not deleted.
func (s *keeper) left() int {
	n := 0
	for _, v := range s.all {
		if v["state"] != "deleted" {
			n++
		}
	}
	return n
}

func shown(w http.ResponseWriter, _ *http.Request, v map[string]any) {
	answerJSON(w, http.StatusOK, v)
}

func becomes(state string) func(http.ResponseWriter, *http.Request, map[string]any) {
	return func(w http.ResponseWriter, _ *http.Request, v map[string]any) {
		if v["state"] = state; state == "deleted" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answerJSON(w, http.StatusOK, v)
	}
}

const (
	byID    = `[{name: id, in: path, required: true, schema: {type: string}}]`
	isThing = `{description: it, content: {application/json: {schema: {type: object, required: [id, name, state], properties: {id: {type: string}, name: {type: string}, state: {type: string}}}}}}`
	isNamed = `{required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string, minLength: 1, maxLength: 40}}}}}}`
	refused = `"400": {description: refused}, "415": {description: refused}, "404": {description: none}, "409": {description: not now}`
)

// trash is a document of what can be restored when it is deleted.
const trash = `
  /notes:
    post: {operationId: addNote, requestBody: ` + isNamed + `, responses: {"201": ` + isThing + `, ` + refused + `}}
  /notes/{id}:
    parameters: ` + byID + `
    get: {operationId: getNote, responses: {"200": ` + isThing + `, ` + refused + `}}
    delete: {operationId: deleteNote, responses: {"204": {description: gone}, ` + refused + `}}
  /notes/{id}/restore:
    parameters: ` + byID + `
    post: {operationId: restoreNote, responses: {"200": ` + isThing + `, ` + refused + `}}
`

// TestRestored proves that an action is found that accepts to restore what was deleted, and does not, or
// not as it was.
func TestRestored(t *testing.T) {
	const unread = "POST /notes/{id}/restore accepts to restore a deleted resource, but it still cannot be read"
	draft := func(name string) func(http.ResponseWriter, *http.Request, map[string]any) {
		return func(w http.ResponseWriter, r *http.Request, v map[string]any) {
			if name != "" {
				v["name"] = name
			}
			becomes("draft")(w, r, v)
		}
	}
	for name, tt := range map[string]struct {
		restore func(http.ResponseWriter, *http.Request, map[string]any)
		from    []string
		want    string
	}{
		"of the deleted alone":            {becomes("open"), []string{"deleted"}, ""},
		"of any":                          {becomes("open"), []string{"deleted", "open"}, ""},
		"as a draft":                      {draft(""), []string{"deleted"}, ""},
		"without its name":                {draft("untitled"), []string{"deleted"}, "POST /notes/{id}/restore restores a deleted resource with another name than it had"},
		"not, of the deleted alone":       {shown, []string{"deleted"}, unread},
		"not, of any":                     {shown, []string{"deleted", "open"}, unread},
		"nothing, as it is gone for good": {shown, []string{"open"}, ""},
	} {
		mux, s := http.NewServeMux(), &keeper{all: map[string]map[string]any{}}
		mux.HandleFunc("POST /notes", s.add)
		mux.HandleFunc("GET /notes/{id}", s.at(shown))
		mux.HandleFunc("DELETE /notes/{id}", s.at(becomes("deleted")))
		mux.HandleFunc("POST /notes/{id}/restore", s.at(tt.restore, tt.from...))
		rep, err := contracttest.Run(t.Context(), parse(t, trash), contracttest.Handler(mux), contracttest.Cases(0), contracttest.Settle(time.Millisecond),
			contracttest.Only("case:restoreNote/response/status#deleted-still-usable"), contracttest.Skip("response-body-unexpected"))
		require.NoError(t, err, name)
		if tt.want == "" {
			assert.Empty(t, rep.Findings, "%s: %s", name, describe(rep))
		} else if assert.Len(t, rep.Findings, 1, name) {
			assert.Equal(t, tt.want, rep.Findings[0].Message)
			assert.Equal(t, "warning", rep.Findings[0].Severity)
		}
		assert.LessOrEqual(t, s.left(), 1, "%s: what is restored is deleted again", name)
	}
}

// TestSoftDeletion proves that a DELETE is found that does nothing where what is deleted may still be
// read and restored, and that none is taken for that whose effect shows anywhere.
func TestSoftDeletion(t *testing.T) {
	document := `
  /folders:
    get: {operationId: listFolders, responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {type: object}}}}}}}
    post: {operationId: addFolder, requestBody: ` + isNamed + `, responses: {"201": ` + isThing + `, ` + refused + `}}
  /folders/{id}:
    parameters: ` + byID + `
    get: {operationId: getFolder, responses: {"200": ` + isThing + `, ` + refused + `}}
    delete: {operationId: deleteFolder, responses: {"200": ` + isThing + `, ` + refused + `}}
  /folders/{id}:undelete:
    parameters: ` + byID + `
    post: {operationId: undeleteFolder, responses: {"200": ` + isThing + `, ` + refused + `}}
`
	is := func(v map[string]any) bool { return v["gone"] == true }
	with := func(v map[string]any, name string, value any) map[string]any {
		all := maps.Clone(v)
		delete(all, "gone")
		if all[name] = value; value == nil {
			delete(all, name)
		}
		return all
	}
	for name, tt := range map[string]struct {
		nothing    bool                                  // is what DELETE does, but for a new version
		read, list func(v map[string]any) map[string]any // how what is deleted is shown; nil for nothing
		loses      bool                                  // its name, when it is restored
		deletion   string
		restoring  string
	}{
		"it has another state": {
			read: func(v map[string]any) map[string]any { return with(v, "state", "deleted") },
		},
		"it has a time": {
			read: func(v map[string]any) map[string]any { return with(v, "deletedAt", "2026-01-01T00:00:00Z") },
			list: func(v map[string]any) map[string]any { return with(v, "", nil) },
		},
		"it is not listed": {read: func(v map[string]any) map[string]any { return with(v, "", nil) }},
		"the list alone says so": {
			read: func(v map[string]any) map[string]any { return with(v, "", nil) },
			list: func(v map[string]any) map[string]any { return with(v, "trashed", true) },
		},
		"nothing is done": {nothing: true, deletion: "error DELETE /folders/{id} deletes nothing: the resource is still read and listed as it was, but for its version and times"},
		"it is restored without its name": {
			read:  func(v map[string]any) map[string]any { return with(v, "state", "deleted") },
			loses: true, restoring: "warning POST /folders/{id}:undelete restores a deleted resource with another name than it had",
		},
	} {
		s := &keeper{all: map[string]map[string]any{}}
		changed := 0
		touch := func(v map[string]any) {
			changed++
			v["etag"], v["updated"] = fmt.Sprint("e", changed), time.Unix(int64(changed), 0).UTC().Format(time.RFC3339)
		}
		show := func(v map[string]any) map[string]any {
			if is(v) && tt.read != nil {
				return tt.read(v)
			}
			return with(v, "", nil)
		}
		mux := http.NewServeMux()
		mux.HandleFunc("GET /folders", func(w http.ResponseWriter, _ *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			all := []map[string]any{}
			for _, id := range slices.Sorted(maps.Keys(s.all)) {
				switch v := s.all[id]; {
				case !is(v):
					all = append(all, show(v))
				case tt.list != nil:
					all = append(all, tt.list(v))
				}
			}
			answerJSON(w, http.StatusOK, all)
		})
		mux.HandleFunc("POST /folders", func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if v := s.added(w, r); v != nil {
				touch(v)
				answerJSON(w, http.StatusCreated, v)
			}
		})
		mux.HandleFunc("GET /folders/{id}", s.at(func(w http.ResponseWriter, _ *http.Request, v map[string]any) { answerJSON(w, http.StatusOK, show(v)) }))
		mux.HandleFunc("DELETE /folders/{id}", s.at(func(w http.ResponseWriter, _ *http.Request, v map[string]any) {
			if is(v) {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			if touch(v); !tt.nothing {
				v["gone"] = true
			}
			answerJSON(w, http.StatusOK, show(v))
		}))
		mux.HandleFunc("POST /folders/{action}", func(w http.ResponseWriter, r *http.Request) {
			id, _ := strings.CutSuffix(r.PathValue("action"), ":undelete")
			r.SetPathValue("id", id)
			s.at(func(w http.ResponseWriter, _ *http.Request, v map[string]any) {
				if !is(v) {
					w.WriteHeader(http.StatusConflict)
					return
				}
				delete(v, "gone")
				if touch(v); tt.loses {
					v["name"] = "untitled"
				}
				answerJSON(w, http.StatusOK, show(v))
			})(w, r)
		})
		rep, err := contracttest.Run(t.Context(), parse(t, document), contracttest.Handler(mux), contracttest.Cases(0), contracttest.Settle(time.Millisecond),
			contracttest.Only("case:deleteFolder/response/status#deleted-still-there", "case:undeleteFolder/response/status#deleted-still-usable"), contracttest.Skip("response-body-unexpected"))
		require.NoError(t, err, name)
		found := map[string]string{}
		for _, f := range rep.Findings {
			found[f.Operation] = f.Severity + " " + f.Message
		}
		assert.Equal(t, cmp.Or(tt.deletion, "warning what DELETE /folders/{id} deleted can still be read, with other values"), cmp.Or(found["deleteFolder"], "none"), "%s: %s", name, describe(rep))
		assert.Equal(t, tt.restoring, found["undeleteFolder"], "%s: %s", name, describe(rep))
	}
}

// TestReached proves that the valid requests of a service are accepted that are so for whoever
// knows what has to be done before.
func TestReached(t *testing.T) {
	for _, tt := range []struct {
		name, paths string
		serve       func(*http.ServeMux, *keeper)
		restores    bool
	}{
		{
			"what was deleted is restored", trash, func(mux *http.ServeMux, s *keeper) {
				mux.HandleFunc("POST /notes", s.add)
				mux.HandleFunc("GET /notes/{id}", s.at(shown))
				mux.HandleFunc("DELETE /notes/{id}", s.at(becomes("deleted")))
				mux.HandleFunc("POST /notes/{id}/restore", s.at(becomes("open"), "deleted"))
			}, true,
		},
		{
			"what PUT makes is read, has parts and is deleted", `
  /devices/{device}:
    parameters: [{name: device, in: path, required: true, schema: {type: string, pattern: '^[a-z0-9-]+$', maxLength: 40}, example: pump-7}]
    get: {operationId: getDevice, responses: {"200": ` + isThing + `, ` + refused + `}}
    put: {operationId: putDevice, requestBody: ` + isNamed + `, responses: {"200": ` + isThing + `, "201": ` + isThing + `, ` + refused + `}}
    delete: {operationId: deleteDevice, responses: {"204": {description: gone}, ` + refused + `}}
  /devices/{device}/readings:
    parameters: [{name: device, in: path, required: true, schema: {type: string, pattern: '^[a-z0-9-]+$', maxLength: 40}, example: pump-7}]
    post: {operationId: addReading, requestBody: ` + isNamed + `, responses: {"201": ` + isThing + `, ` + refused + `}}
    get: {operationId: listReadings, responses: {"200": {description: all}, ` + refused + `}}
  /devices/{device}/readings/{id}:
    parameters: [{name: device, in: path, required: true, schema: {type: string, pattern: '^[a-z0-9-]+$', maxLength: 40}, example: pump-7}, {name: id, in: path, required: true, schema: {type: string}}]
    get: {operationId: getReading, responses: {"200": ` + isThing + `, ` + refused + `}}
`, func(mux *http.ServeMux, s *keeper) {
				device := func(do func(http.ResponseWriter, *http.Request)) http.HandlerFunc {
					return func(w http.ResponseWriter, r *http.Request) {
						s.mu.Lock()
						defer s.mu.Unlock()
						name := r.PathValue("device")
						switch {
						case len(name) > 40 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
							w.WriteHeader(http.StatusBadRequest)
						case s.all["/"+name] == nil && r.Method != http.MethodPut:
							w.WriteHeader(http.StatusNotFound)
						default:
							do(w, r)
						}
					}
				}
				mux.HandleFunc("PUT /devices/{device}", device(func(w http.ResponseWriter, r *http.Request) {
					name, status := r.PathValue("device"), http.StatusCreated
					if s.all["/"+name] != nil {
						status = http.StatusOK
					}
					if v := s.added(w, r); v != nil {
						delete(s.all, v["id"].(string))
						s.all["/"+name], v["id"] = v, name
						answerJSON(w, status, v)
					}
				}))
				mux.HandleFunc("GET /devices/{device}", device(func(w http.ResponseWriter, r *http.Request) { shown(w, r, s.all["/"+r.PathValue("device")]) }))
				mux.HandleFunc("DELETE /devices/{device}", device(func(w http.ResponseWriter, r *http.Request) {
					delete(s.all, "/"+r.PathValue("device"))
					w.WriteHeader(http.StatusNoContent)
				}))
				mux.HandleFunc("GET /devices/{device}/readings", device(func(http.ResponseWriter, *http.Request) {}))
				mux.HandleFunc("POST /devices/{device}/readings", device(func(w http.ResponseWriter, r *http.Request) {
					if v := s.added(w, r); v != nil {
						v["of"] = s.all["/"+r.PathValue("device")]
						answerJSON(w, http.StatusCreated, map[string]any{"id": v["id"], "name": v["name"], "state": v["state"]})
					}
				}))
				mux.HandleFunc("GET /devices/{device}/readings/{id}", device(func(w http.ResponseWriter, r *http.Request) {
					of, v := s.all["/"+r.PathValue("device")], s.all[r.PathValue("id")]
					if parent, ok := v["of"].(map[string]any); !ok || parent["id"] != of["id"] {
						w.WriteHeader(http.StatusNotFound)
						return
					}
					answerJSON(w, http.StatusOK, map[string]any{"id": v["id"], "name": v["name"], "state": v["state"]})
				}))
			}, false,
		},
		{
			"what something is by is told by a type", `
  /people:
    post: {operationId: addPerson, requestBody: ` + isNamed + `, responses: {"201": ` + isThing + `, ` + refused + `}}
  /posts:
    post:
      operationId: addPost
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [data], properties: {data: {type: object, required: [type, id], properties: {type: {type: string, enum: [people]}, id: {type: string}}}}}}}}
      responses: {"201": ` + isThing + `, ` + refused + `}
`, func(mux *http.ServeMux, s *keeper) {
				mux.HandleFunc("POST /people", s.add)
				mux.HandleFunc("POST /posts", func(w http.ResponseWriter, r *http.Request) {
					s.mu.Lock()
					defer s.mu.Unlock()
					sent, ok := ofJSON(w, r)
					if !ok {
						return
					}
					by, _ := sent["data"].(map[string]any)
					id, isText := by["id"].(string)
					switch {
					case by["type"] != "people" || !isText:
						w.WriteHeader(http.StatusBadRequest)
					case s.all[id] == nil:
						answerJSON(w, http.StatusNotFound, map[string]any{"error": "unknown"})
					default:
						answerJSON(w, http.StatusCreated, map[string]any{"id": "1", "name": "post", "state": "open"})
					}
				})
			}, false,
		},
		{
			"what is added to something else stands by itself", `
  /events:
    post: {operationId: addEvent, requestBody: ` + isNamed + `, responses: {"201": ` + isThing + `, ` + refused + `}}
  /events/{id}:
    parameters: ` + byID + `
    get: {operationId: getEvent, responses: {"200": ` + isThing + `, ` + refused + `}}
  /events/{id}/orders:
    parameters: ` + byID + `
    post: {operationId: addOrder, requestBody: ` + isNamed + `, responses: {"201": ` + isThing + `, ` + refused + `}}
  /orders/{id}:
    parameters: ` + byID + `
    get: {operationId: getOrder, responses: {"200": ` + isThing + `, ` + refused + `}}
    delete: {operationId: deleteOrder, responses: {"204": {description: gone}, ` + refused + `}}
  /orders/{id}/ship:
    parameters: ` + byID + `
    post: {operationId: shipOrder, responses: {"200": ` + isThing + `, ` + refused + `}}
  /orders/{id}/pay:
    parameters: ` + byID + `
    post: {operationId: payOrder, responses: {"200": ` + isThing + `, ` + refused + `}}
`, func(mux *http.ServeMux, s *keeper) {
				mux.HandleFunc("POST /events", s.add)
				mux.HandleFunc("GET /events/{id}", s.at(shown))
				mux.HandleFunc("POST /events/{id}/orders", s.at(func(w http.ResponseWriter, r *http.Request, event map[string]any) {
					if v := s.added(w, r); v != nil {
						v["state"], event["state"] = "reserved", "full"
						answerJSON(w, http.StatusCreated, v)
					}
				}, "open"))
				mux.HandleFunc("GET /orders/{id}", s.at(shown, "reserved", "paid", "shipped"))
				mux.HandleFunc("DELETE /orders/{id}", s.at(becomes("deleted"), "reserved", "paid", "shipped"))
				mux.HandleFunc("POST /orders/{id}/ship", s.at(becomes("shipped"), "paid"))
				mux.HandleFunc("POST /orders/{id}/pay", s.at(becomes("paid"), "reserved"))
			}, false,
		},
		{
			"what is added takes what was brought there by an action, or by what was added before", `
  /polls:
    post: {operationId: addPoll, requestBody: ` + isNamed + `, responses: {"201": ` + isThing + `, ` + refused + `}}
  /polls/{id}:
    parameters: ` + byID + `
    get: {operationId: getPoll, responses: {"200": ` + isThing + `, ` + refused + `}}
  /polls/{id}/open:
    parameters: ` + byID + `
    post: {operationId: openPoll, responses: {"200": ` + isThing + `, ` + refused + `}}
  /polls/{id}/votes:
    parameters: ` + byID + `
    post: {operationId: addVote, requestBody: ` + isNamed + `, responses: {"201": ` + isThing + `, ` + refused + `}}
  /polls/{id}/claims:
    parameters: ` + byID + `
    post: {operationId: addClaim, requestBody: ` + isNamed + `, responses: {"201": ` + isThing + `, ` + refused + `}}
  /polls/{id}/result:
    parameters: ` + byID + `
    get: {operationId: getResult, responses: {"200": ` + isThing + `, ` + refused + `}}
  /votes/{id}:
    parameters: ` + byID + `
    get: {operationId: getVote, responses: {"200": ` + isThing + `, ` + refused + `}}
  /claims/{id}:
    parameters: ` + byID + `
    get: {operationId: getClaim, responses: {"200": ` + isThing + `, ` + refused + `}}
  /claims/{id}/withdraw:
    parameters: ` + byID + `
    post: {operationId: withdrawClaim, responses: {"200": ` + isThing + `, ` + refused + `}}
`, func(mux *http.ServeMux, s *keeper) {
				add := func(state string) func(http.ResponseWriter, *http.Request, map[string]any) {
					return func(w http.ResponseWriter, r *http.Request, poll map[string]any) {
						if v := s.added(w, r); v != nil {
							v["state"], poll["state"] = "cast", state
							answerJSON(w, http.StatusCreated, v)
						}
					}
				}
				mux.HandleFunc("POST /polls", s.add)
				mux.HandleFunc("GET /polls/{id}", s.at(shown))
				mux.HandleFunc("POST /polls/{id}/open", s.at(becomes("opened"), "open"))
				mux.HandleFunc("POST /polls/{id}/votes", s.at(add("voted"), "opened", "voted"))
				mux.HandleFunc("POST /polls/{id}/claims", s.at(add("claimed"), "voted"))
				mux.HandleFunc("GET /polls/{id}/result", s.at(shown, "voted", "claimed"))
				mux.HandleFunc("GET /votes/{id}", s.at(shown, "cast"))
				mux.HandleFunc("GET /claims/{id}", s.at(shown, "cast", "withdrawn"))
				mux.HandleFunc("POST /claims/{id}/withdraw", s.at(becomes("withdrawn"), "cast"))
			}, false,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mux, s := http.NewServeMux(), &keeper{all: map[string]map[string]any{}}
			tt.serve(mux, s)
			rep, err := contracttest.Run(t.Context(), parse(t, tt.paths), contracttest.Handler(mux), contracttest.Cases(0), contracttest.Settle(time.Millisecond))
			require.NoError(t, err)
			assert.Empty(t, rep.Unproven)
			assert.Zero(t, rep.Errors(), "%s", describe(rep))
			assert.True(t, !tt.restores || s.left() <= 1, "what is restored is deleted again")
		})
	}
}

// TestCounted proves that a GET is tested whose identifier no answer names: the first numbers are
// tried, after something was made.
func TestCounted(t *testing.T) {
	c := parse(t, `
  /events:
    get: {operationId: listEvents, responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {type: object, required: [name], properties: {name: {type: string}}}}}}}}}
  /events/create:
    post: {operationId: addEvent, requestBody: `+isNamed+`, responses: {"200": {description: done}, `+refused+`}}
  /events/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getEvent, responses: {"200": {description: it, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}}}}}}, `+refused+`}}
`)
	mux, s := http.NewServeMux(), &keeper{all: map[string]map[string]any{}}
	named := func(v map[string]any) map[string]any { return map[string]any{"name": v["name"]} }
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		all := []map[string]any{}
		for _, v := range s.all {
			all = append(all, named(v))
		}
		answerJSON(w, http.StatusOK, all)
	})
	mux.HandleFunc("POST /events/create", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if v := s.added(w, r); v != nil {
			w.WriteHeader(http.StatusOK)
		}
	})
	mux.HandleFunc("GET /events/{id}", s.at(func(w http.ResponseWriter, _ *http.Request, v map[string]any) {
		answerJSON(w, http.StatusOK, named(v))
	}))
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(mux), contracttest.Cases(0), contracttest.Settle(time.Millisecond))
	require.NoError(t, err)
	assert.Empty(t, rep.Unproven)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
}

// TestUniqueInSequences proves that sequences give what only a 409 says to be unique another value
// in each resource, though no other request has learned that: a list that ignores its filter is
// found then.
func TestUniqueInSequences(t *testing.T) {
	c := parse(t, `
  /items:
    post:
      operationId: addItem
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [kind], properties: {kind: {enum: [a, b]}, serial: {type: string, minLength: 4, maxLength: 40}}}}}}
      responses: {"201": {description: made, content: {application/json: {schema: {type: object}}}}, `+refused+`}
    get:
      operationId: listItems
      parameters: [{name: kind, in: query, schema: {enum: [a, b]}}]
      responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {type: object}}}}}, `+refused+`}
  /items/{id}:
    get: {operationId: getItem, parameters: `+byID+`, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, `+refused+`}}
`)
	s := &keeper{all: map[string]map[string]any{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /items", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		sent, ok := ofJSON(w, r)
		if !ok {
			return
		}
		for _, v := range s.all {
			if sent["serial"] != nil && v["serial"] == sent["serial"] {
				w.WriteHeader(http.StatusConflict)
				return
			}
		}
		s.last++
		sent["id"] = strconv.Itoa(s.last)
		s.all[strconv.Itoa(s.last)] = sent
		answerJSON(w, http.StatusCreated, sent)
	})
	mux.HandleFunc("GET /items/{id}", s.at(shown))
	mux.HandleFunc("GET /items", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		all := []map[string]any{}
		for i := range s.last {
			all = append(all, s.all[strconv.Itoa(i+1)])
		}
		answerJSON(w, http.StatusOK, all)
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(mux), contracttest.Only("listItems"), contracttest.Cases(0), contracttest.Settle(time.Millisecond))
	require.NoError(t, err)
	assert.Contains(t, about(rep, "filter-ignored"), "warning listItems/response/status")
}

// TestExampleOfNothing proves that what an example is not there for is asked once, however many need what it
// would have.
func TestExampleOfNothing(t *testing.T) {
	var paths strings.Builder
	paths.WriteString(`
  /teams/{team}/tasks:
    parameters: [{name: team, in: path, required: true, schema: {type: string}, example: red}]
    get: {operationId: listTasks, responses: {"200": {description: tasks, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}}}, "404": {description: none}}}`)
	const parts = 20
	for i := range parts {
		fmt.Fprintf(&paths, `
  /teams/{team}/tasks/{task}/part%[1]d:
    parameters: [{name: team, in: path, required: true, schema: {type: string}, example: red}, {name: task, in: path, required: true, schema: {type: string}}]
    get: {operationId: getPart%[1]d, responses: {"200": {description: it}, "404": {description: none}}}`, i)
	}
	var asked atomic.Int32
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/teams/red/tasks" {
			asked.Add(1)
		}
		w.WriteHeader(http.StatusNotFound)
	})
	_, err := contracttest.Run(t.Context(), parse(t, paths.String()), contracttest.Handler(h), contracttest.Only("getPart*"), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Equal(t, int32(1), asked.Load())
}
