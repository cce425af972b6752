package contracttest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// dishes is a document of which one path is an instance of another, by other
// methods.
const dishes = `
openapi: 3.0.3
info: {title: dishes, version: "1"}
paths:
  /dishes/new:
    post:
      operationId: addDish
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string, maxLength: 20}}}}}}
      responses: {"204": {description: added}, "400": {description: bad}, "415": {description: no JSON}}
  /plates/all/new:
    post:
      operationId: addPlate
      responses: {"204": {description: added}}
  /dishes/{name}:
    get:
      operationId: readDish
      parameters: [{name: name, in: path, required: true, schema: {type: string}}]
      responses: {"200": {description: one, content: {application/json: {schema: {type: object}}}}}
`

// envelopes has no status for a refusal.
const envelopes = `
openapi: 3.0.3
info: {title: orders, version: "1"}
paths:
  /orders:
    post:
      operationId: addOrder
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [count], properties: {count: {type: integer, minimum: 1, maximum: 9}}}}}}
      responses:
        "200":
          description: code 0, or why not
          content: {application/json: {schema: {type: object, required: [code, message], properties: {code: {}, message: {type: string}}}}}
`

// enveloped takes orders, which are answered with 200 whatever comes of it, and say in the body what did.
func enveloped(good, bad any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		code := good
		kind, params, err := mime.ParseMediaType(strings.Join(r.Header.Values("Content-Type"), ", "))
		charset := strings.ToLower(params["charset"])
		body, unread := io.ReadAll(r.Body)
		members, _ := parsed(body).(map[string]any)
		count, isNumber := members["count"].(float64)
		switch {
		case r.URL.EscapedPath() != "/orders":
			code = 40400
		case r.Method != http.MethodPost:
			code = 40500
		case unread != nil, err != nil, kind != "application/json", charset != "" && charset != "utf-8", !isNumber, count < 1, count != math.Trunc(count):
			code = bad
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "message": "as the code says"})
	}
}

// states takes orders whose status is that of the order, and tells how it is doing itself.
func states(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	body, unread := io.ReadAll(r.Body)
	members, isObject := parsed(body).(map[string]any)
	switch path := r.URL.EscapedPath(); {
	case path == "/health" && r.Method == http.MethodGet:
		_, _ = io.WriteString(w, `{"status": "ok", "code": 0}`)
	case path == "/orders" && r.Method == http.MethodPost && (unread != nil || !isObject):
		w.WriteHeader(http.StatusBadRequest)
	case path == "/orders" && r.Method == http.MethodPost:
		_ = json.NewEncoder(w).Encode(map[string]any{"status": "pending", "code": members["code"]})
	case path == "/orders":
		w.Header().Set("Allow", "POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	case path == "/health":
		w.Header().Set("Allow", "GET")
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// busyPages serves one page everywhere, but fails every second time where nobody knows the path.
func busyPages() http.Handler {
	var busy atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/shop" && busy.Add(1)%2 == 1 {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<title>Shop</title>")
	})
}

// locker has boxes that are there no more once their time to live was no integer, and
// takes only names of letters and digits.
func locker() http.Handler {
	var mu sync.Mutex
	boxes := map[int]bool{}
	last := 0
	mux := http.NewServeMux()
	mux.HandleFunc("POST /boxes", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := ofJSON(w, r); !ok {
			return
		}
		last++
		boxes[last] = true
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]int{"id": last})
	})
	mux.HandleFunc("PUT /boxes/{id}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || !boxes[id] {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		members, ok := ofJSON(w, r)
		if !ok {
			return
		}
		name, isText := members["name"].(string)
		ttl, isNumber := members["ttl"].(float64)
		if !isText || strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || name == "" || !isNumber || ttl < 0 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		boxes[id] = ttl == math.Trunc(ttl)
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// bodyOfJSON reads a body of JSON, and answers where it is none.
func bodyOfJSON(w http.ResponseWriter, r *http.Request) (any, bool) {
	kind, params, err := mime.ParseMediaType(strings.Join(r.Header.Values("Content-Type"), ", "))
	charset := strings.ToLower(params["charset"])
	if err != nil || kind != "application/json" || charset != "" && charset != "utf-8" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return nil, false
	}
	body, err := io.ReadAll(r.Body)
	value := parsed(body)
	if err != nil || value == nil {
		w.WriteHeader(http.StatusBadRequest)
	}
	return value, err == nil && value != nil
}

// posted reports whether a request is a POST to a path, and answers where it is none.
func posted(w http.ResponseWriter, r *http.Request, path string) bool {
	switch {
	case r.URL.EscapedPath() != path:
		w.WriteHeader(http.StatusNotFound)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		return true
	}
	return false
}

// ofJSON reads an object of JSON, and answers where it is none.
func ofJSON(w http.ResponseWriter, r *http.Request) (map[string]any, bool) {
	value, ok := bodyOfJSON(w, r)
	members, isObject := value.(map[string]any)
	if ok && !isObject {
		w.WriteHeader(http.StatusBadRequest)
	}
	return members, ok && isObject
}

// sentText reads a text of one to so many characters in an object of JSON, and answers where it is none.
func sentText(w http.ResponseWriter, r *http.Request, name string, most int) (string, bool) {
	members, ok := ofJSON(w, r)
	text, isText := members[name].(string)
	fits := isText && text != "" && len([]rune(text)) <= most
	if ok && !fits {
		w.WriteHeader(http.StatusBadRequest)
	}
	return text, ok && fits
}

// gifts take no ribbon.
func gifts() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /gifts", func(w http.ResponseWriter, r *http.Request) {
		members, ok := ofJSON(w, r)
		if !ok {
			return
		}
		v, given := members["card"]
		card, _ := v.(map[string]any)
		_, isText := card["by"].(string)
		if _, ribbon := card["ribbon"]; ribbon || given && !isText {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// teams have a name.
func teams() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /teams", func(w http.ResponseWriter, r *http.Request) {
		members, ok := ofJSON(w, r)
		if !ok {
			return
		}
		if _, isText := members["name"].(string); !isText {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// users takes those with an address, which the document calls a text. Its paths
// are cleaned by net/http.
func users() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, "hello")
	})
	mux.HandleFunc("POST /users", func(w http.ResponseWriter, r *http.Request) {
		members, ok := ofJSON(w, r)
		if !ok {
			return
		}
		email, _ := members["email"].(string)
		if _, err := mail.ParseAddress(email); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// club refuses in an update what the document does not forbid, and fails where
// two members would have the same name.
func club() http.Handler {
	var mu sync.Mutex
	var names []string
	member := func(r *http.Request) int {
		i, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || i < 0 || i >= len(names) {
			return -1
		}
		return i
	}
	body := func(w http.ResponseWriter, r *http.Request) (name string, others int, ok bool) {
		members, ok := ofJSON(w, r)
		if !ok {
			return "", 0, false
		}
		v, given := members["name"]
		name, isText := v.(string)
		if given {
			others = -1
		}
		if given && !isText || len([]rune(name)) > 40 {
			w.WriteHeader(http.StatusBadRequest)
			return "", 0, false
		}
		return name, others + len(members), true
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /members", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if _, _, ok := body(w, r); !ok {
			return
		}
		names = append(names, fmt.Sprintf("member %d", len(names)))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]int{"id": len(names) - 1})
	})
	mux.HandleFunc("GET /members/{id}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		i := member(r)
		if i < 0 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]int{"id": i})
	})
	mux.HandleFunc("PUT /members/{id}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		i := member(r)
		if i < 0 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		name, others, ok := body(w, r)
		if !ok {
			return
		}
		other := slices.Index(names, name)
		switch {
		case others > 0:
			w.WriteHeader(http.StatusBadRequest)
		case other >= 0 && other != i:
			w.WriteHeader(http.StatusInternalServerError)
		default:
			names[i] = name
			w.WriteHeader(http.StatusNoContent)
		}
	})
	return mux
}

// kitchen keeps the document above with the routes of net/http, which serve HEAD
// wherever they serve GET, and has a page for every path that it does not know.
func kitchen() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<title>Dishes</title>")
	})
	mux.HandleFunc("POST /dishes/new", func(w http.ResponseWriter, r *http.Request) {
		members, ok := ofJSON(w, r)
		if !ok {
			return
		}
		name, ok := members["name"].(string)
		if !ok || len([]rune(name)) > 20 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /plates/all/new", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /dishes/{name}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"name": r.PathValue("name")})
	})
	return mux
}

// search refuses an absent body.
func search(w http.ResponseWriter, r *http.Request) {
	kinds := r.Header.Values("Content-Type")
	kind, params, err := mime.ParseMediaType(strings.Join(kinds, ", "))
	charset := strings.ToLower(params["charset"])
	body, unread := io.ReadAll(r.Body)
	members, isObject := parsed(body).(map[string]any)
	most, given := members["max"]
	number, isNumber := most.(float64)
	isInteger := !given || isNumber && number == math.Trunc(number)
	positive := func(name string) bool {
		all := r.URL.Query()[name]
		n, err := strconv.Atoi(strings.Join(all, ","))
		return len(all) == 0 || err == nil && n > 0
	}
	switch {
	case r.URL.EscapedPath() != "/search":
		http.NotFound(w, r)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	case len(body) > 0 && (err != nil || kind != "application/json" || charset != "" && charset != "utf-8"):
		w.WriteHeader(http.StatusUnsupportedMediaType)
	case unread != nil || !isObject || !isInteger || !positive("page") || !positive("size"):
		w.WriteHeader(http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// kennel has pets, which have a name, and can be removed.
func kennel() http.Handler {
	mux := http.NewServeMux()
	var mu sync.Mutex
	last, all := 0, map[string]bool{}
	mux.HandleFunc("POST /pets", func(w http.ResponseWriter, r *http.Request) {
		members, ok := ofJSON(w, r)
		if !ok {
			return
		}
		if _, isText := members["name"].(string); !isText {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		last++
		id := last
		all[strconv.Itoa(id)] = true
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{"id": id})
	})
	mux.HandleFunc("DELETE /pets/{id}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		id := r.PathValue("id")
		if !all[id] {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		delete(all, id)
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// permissions has an editor and a guest.
func permissions() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /check", func(w http.ResponseWriter, r *http.Request) {
		switch strings.Join(r.URL.Query()["subject"], ",") {
		case "editor":
		case "guest":
			w.WriteHeader(http.StatusForbidden)
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	return mux
}

// memos answers what it is sent, with null for a text that is missing.
func memos() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /notes", func(w http.ResponseWriter, r *http.Request) {
		members, ok := ofJSON(w, r)
		if !ok {
			return
		}
		text, isText := members["text"].(string)
		if members["text"] != nil && !isText {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		answer := map[string]any{"text": nil}
		if isText {
			answer["text"] = text
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	return mux
}

// patches takes a JSON Patch of a color.
func patches() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PATCH /settings", func(w http.ResponseWriter, r *http.Request) {
		body, ok := bodyOfJSON(w, r)
		if !ok {
			return
		}
		operations, isList := body.([]any)
		status := http.StatusNoContent
		for _, v := range operations {
			op, _ := v.(map[string]any)
			value, given := op["value"]
			_, isText := value.(string)
			if op["path"] != "/color" || op["op"] != "replace" && op["op"] != "remove" || op["op"] == "replace" && !isText || given && !isText {
				status = http.StatusBadRequest
			}
		}
		if !isList {
			status = http.StatusBadRequest
		}
		w.WriteHeader(status)
	})
	return mux
}

// onePet has a list that is not wrapped, as lists are where the document does not say so.
func onePet() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /pets", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = io.WriteString(w, "<Pet><name>Rex</name></Pet>")
	})
	return mux
}

// people is a document of what people may have or not: those who are new have none of it.
const people = `
openapi: 3.0.3
info: {title: people, version: "1"}
paths:
  /people:
    post:
      operationId: addPerson
      responses: {"201": {description: added, headers: {Location: {required: true, schema: {type: string}}}, content: {application/json: {schema: {type: object, required: [id]}}}}}
  /people/{personId}:
    parameters: [{name: personId, in: path, required: true, schema: {type: integer, minimum: 1}}]
    get: {operationId: getPerson, responses: {"200": {description: one, content: {application/json: {schema: {type: object, required: [id]}}}}, "400": {description: bad}, "404": {description: none}}}
    delete: {operationId: removePerson, responses: {"204": {description: gone}, "400": {description: bad}, "404": {description: none}}}
  /people/{personId}/sessions:
    parameters: [{name: personId, in: path, required: true, schema: {type: integer, minimum: 1}}]
    delete: {operationId: endSessions, responses: {"204": {description: ended}, "400": {description: bad}, "404": {description: none}}}
  /people/{personId}/keys/{kind}:
    parameters:
      - {name: personId, in: path, required: true, schema: {type: integer, minimum: 1}}
      - {name: kind, in: path, required: true, schema: {type: string, enum: [card, code]}}
    delete: {operationId: removeKey, responses: {"204": {description: gone}, "400": {description: bad}, "404": {description: none}}}
  /people/{personId}/picture:
    parameters: [{name: personId, in: path, required: true, schema: {type: integer, minimum: 1}}]
    get: {operationId: getPicture, responses: {"200": {description: it, content: {image/png: {schema: {type: string, format: binary}}}}, "400": {description: bad}, "404": {description: none}}}
`

// census is a service of people, who have a session, a key or a picture only where somebody gave
// them one by other means.
func census() http.Handler {
	var mu sync.Mutex
	var all []bool
	mux := http.NewServeMux()
	mux.HandleFunc("POST /people", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, true)
		w.Header().Set("Location", fmt.Sprintf("/people/%d", len(all)))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id": %d}`, len(all))
	})
	find := func(found func(http.ResponseWriter, int)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			n, err := strconv.Atoi(r.PathValue("id"))
			switch {
			case err != nil || n < 1 || r.PathValue("kind") != "" && r.PathValue("kind") != "card" && r.PathValue("kind") != "code":
				w.WriteHeader(http.StatusBadRequest)
			case n > len(all) || !all[n-1] || found == nil:
				w.WriteHeader(http.StatusNotFound)
			default:
				found(w, n)
			}
		}
	}
	mux.HandleFunc("GET /people/{id}", find(func(w http.ResponseWriter, n int) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id": %d}`, n)
	}))
	mux.HandleFunc("DELETE /people/{id}", find(func(w http.ResponseWriter, n int) {
		all[n-1] = false
		w.WriteHeader(http.StatusNoContent)
	}))
	mux.HandleFunc("DELETE /people/{id}/sessions", find(nil))
	mux.HandleFunc("DELETE /people/{id}/keys/{kind}", find(nil))
	mux.HandleFunc("GET /people/{id}/picture", find(nil))
	return mux
}

// TestPartsOfNone proves that nobody is blamed for parts that a new resource has none of.
func TestPartsOfNone(t *testing.T) {
	c, err := contracttest.Parse("people.yaml", []byte(people))
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(census()), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	var unproven []string
	for _, u := range rep.Unproven {
		unproven = append(unproven, u.Operation)
	}
	assert.Equal(t, []string{"endSessions", "removeKey", "getPicture"}, unproven)
}

// TestOrdinary has a row for each ordinary way of a service that was once taken
// for a fault of it.
// shelves finds a book of another shelf than those that can be read have.
func shelves() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST /shelves/{shelf}/books", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	m.HandleFunc("GET /shelves/{shelf}/books/{book}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("book") != "b0" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{}`)
	})
	m.HandleFunc("POST /search/books", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"books": [{"id": "b1"}]}`)
	})
	return m
}

// TestOrdinarySearch has a POST that finds what is elsewhere: it is not what another operation has made.
func TestOrdinarySearch(t *testing.T) {
	c, err := contracttest.Parse("shelves.yaml", []byte(`
openapi: 3.0.3
info: {title: shelves, version: "1"}
paths:
  /shelves/{shelf}/books:
    parameters: [{name: shelf, in: path, required: true, schema: {type: string, example: top}}]
    post:
      operationId: addBook
      responses: {"204": {description: added}}
  /shelves/{shelf}/books/{bookId}:
    parameters: [{name: shelf, in: path, required: true, schema: {type: string, example: top}}, {name: bookId, in: path, required: true, schema: {type: string}, example: b0}]
    get: {operationId: readBook, responses: {"200": {description: one, content: {application/json: {schema: {type: object}}}}, "404": {description: none, content: {text/plain: {}}}}}
  /search/books:
    post:
      operationId: searchBooks
      responses: {"200": {description: found, content: {application/json: {schema: {type: object, properties: {books: {type: array, items: {type: object, required: [id], properties: {id: {type: string}}}}}}}}}}
`))
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(shelves()), contracttest.Cases(0))
	require.NoError(t, err)
	for _, f := range rep.Findings {
		assert.NotEqual(t, "created-not-found", f.Check, f.Message)
	}
}

func TestOrdinary(t *testing.T) {
	tests := []struct {
		name, spec string
		h          http.Handler
		errors     []string // clauses that it does break
		workers    int      // 4, unless what it breaks depends on what is sent at the same time
	}{
		{name: "a path that another template has too", spec: dishes, h: kitchen()},
		{
			name: "a semicolon in a query, which parts pairs for some readers", spec: `
openapi: 3.0.3
info: {title: search, version: "1"}
paths:
  /search:
    get:
      operationId: search
      parameters: [{name: q, in: query, required: true, allowReserved: true, schema: {type: string, minLength: 1, maxLength: 40}}]
      responses: {"204": {description: done}, "400": {description: bad}}
`, h: func() http.Handler {
				m := http.NewServeMux()
				m.HandleFunc("GET /search", func(w http.ResponseWriter, r *http.Request) {
					query, err := url.ParseQuery(r.URL.RawQuery) // which refuses one
					if n := utf8.RuneCountInString(query.Get("q")); err != nil || len(query["q"]) != 1 || n < 1 || n > 40 {
						w.WriteHeader(http.StatusBadRequest)
						return
					}
					w.WriteHeader(http.StatusNoContent)
				})
				return m
			}(),
		},
		{
			name: "a file of which parts may be asked for", spec: `
openapi: 3.0.3
info: {title: files, version: "1"}
paths:
  /robots.txt:
    get:
      operationId: robots
      responses: {"200": {description: the file, content: {text/plain: {schema: {type: string}}}}}
`, h: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.EscapedPath() != "/robots.txt":
					http.NotFound(w, r)
				case r.Method != http.MethodGet && r.Method != http.MethodHead:
					w.Header().Set("Allow", "GET, HEAD")
					w.WriteHeader(http.StatusMethodNotAllowed)
				default:
					http.ServeContent(w, r, "robots.txt", time.Unix(1e9, 0), strings.NewReader("User-agent: *\nAllow: /\n"))
				}
			}),
		},
		{
			name: "a body that the document forgets to require", errors: []string{"search/body/optional"}, spec: `
openapi: 3.0.3
info: {title: search, version: "1"}
paths:
  /search:
    post:
      operationId: search
      parameters:
      - {name: page, in: query, schema: {type: integer, minimum: 1}, example: 1}
      - {name: size, in: query, schema: {type: integer, minimum: 1}, example: 10}
      - {name: X-Trace, in: header, schema: {type: string}}
      requestBody: {content: {application/json: {schema: {type: object, properties: {max: {type: integer}}}}}}
      responses: {"204": {description: found}, "400": {description: bad}, "415": {description: no JSON}}
`, h: http.HandlerFunc(search),
		},
		{
			name: "a failure where a body is absent that the document forgets to require", errors: []string{"search/response/status"}, spec: `
openapi: 3.0.3
info: {title: search, version: "1"}
paths:
  /search:
    post:
      operationId: search
      requestBody: {content: {application/json: {schema: {type: object, properties: {max: {type: integer}}}}}}
      responses: {"204": {description: found}, "400": {description: bad}, "415": {description: no JSON}}
`, h: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost && r.URL.EscapedPath() == "/search" && r.ContentLength == 0 {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				search(w, r)
			}),
		},
		{
			// What is inside it is not to blame.
			name: "a part that needs more than the document says", errors: []string{"addGift/body/card/optional", "addGift/body/card/type"}, spec: `
openapi: 3.0.3
info: {title: gifts, version: "1"}
paths:
  /gifts:
    post:
      operationId: addGift
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              properties:
                card:
                  type: object
                  required: [by]
                  properties:
                    by: {type: string}
                    ribbon: {type: object, properties: {bold: {type: boolean}, ends: {type: array, items: {type: object, properties: {cut: {type: boolean}}}}}}
      responses: {"204": {description: added}, "400": {description: bad}, "415": {description: no JSON}}
`, h: gifts(),
		},
		{
			name: "content of a GET", spec: `
openapi: 3.1.0
info: {title: search, version: "1"}
paths:
  /books:
    get:
      operationId: findBooks
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [title], properties: {title: {type: string, maxLength: 20}}}}}}
      responses: {"204": {description: none}, "400": {description: bad}}
`, h: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.EscapedPath() != "/books":
					http.NotFound(w, r)
				case r.Method != http.MethodGet && r.Method != http.MethodHead:
					w.Header().Set("Allow", "GET, HEAD")
					w.WriteHeader(http.StatusMethodNotAllowed)
				default:
					w.WriteHeader(http.StatusNoContent)
				}
			}),
		},
		{
			name: "a body without which nothing is accepted", errors: []string{"addTeam/body/optional"}, spec: `
openapi: 3.0.3
info: {title: teams, version: "1"}
paths:
  /teams:
    post:
      operationId: addTeam
      requestBody: {content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}}}}}}
      responses: {"204": {description: added}, "400": {description: bad}, "415": {description: no JSON}}
`, h: teams(),
		},
		{
			name: "what is made with a body that the document forgets to require", errors: []string{"addPet/body/optional"}, spec: `
openapi: 3.0.3
info: {title: pets, version: "1"}
paths:
  /pets:
    post:
      operationId: addPet
      requestBody: {content: {application/json: {schema: {type: object, required: [name], properties: {name: {type: string}}}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}, "400": {description: bad}, "415": {description: no JSON}}
  /pets/{petId}:
    delete:
      operationId: removePet
      parameters: [{name: petId, in: path, required: true, schema: {type: integer}}]
      responses: {"204": {description: gone}, "404": {description: none}}
`, h: kennel(),
		},
		{
			name: "a text that has a format by its name alone", spec: `
openapi: 3.0.3
info: {title: users, version: "1"}
paths:
  /:
    get:
      operationId: hello
      responses: {"200": {description: hello, content: {text/plain: {schema: {type: string}}}}}
  /users:
    post:
      operationId: addUser
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [email], properties: {email: {type: string}}}}}}
      responses: {"204": {description: added}, "400": {description: bad}, "415": {description: no JSON}}
`, errors: []string{"addUser/body/email/type"}, h: users(),
		},
		{
			// What fails on one resource is in the way of another: nothing has spoilt the target.
			name: "a name that two may not have", spec: `
openapi: 3.0.3
info: {title: members, version: "1"}
paths:
  /members:
    post:
      operationId: addMember
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Member'}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {$ref: '#/components/schemas/Added'}}}}, "400": {description: bad}, "415": {description: no JSON}}
  /members/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: readMember
      responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Added'}}}}, "404": {description: none}}
    put:
      operationId: renameMember
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Member'}}}}
      responses: {"204": {description: renamed}, "400": {description: bad}, "404": {description: none}, "415": {description: no JSON}}
components:
  schemas:
    Member: {type: object, properties: {name: {type: string, maxLength: 40}}}
    Added: {type: object, required: [id], properties: {id: {type: integer}}}
`, errors: []string{"renameMember/response/status", "renameMember/body/additionalProperties"}, h: club(), workers: 1,
		},
		{
			// Requests that are refused for other reasons do not make it a fault.
			name: "what is there no more after a request that should have been refused", spec: `
openapi: 3.0.3
info: {title: boxes, version: "1"}
paths:
  /boxes:
    post:
      operationId: addBox
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}, "400": {description: bad}, "415": {description: no JSON}}
  /boxes/{id}:
    put:
      operationId: changeBox
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      requestBody:
        required: true
        content: {application/json: {schema: {type: object, required: [name, ttl], properties: {ttl: {type: integer, minimum: 0}, name: {type: string}}}}}
      responses: {"204": {description: changed}, "400": {description: bad}, "404": {description: none}, "415": {description: no JSON}}
`, errors: []string{"changeBox/body/ttl/type", "changeBox/body/name/type"}, h: locker(),
		},
		{
			// What it does not check, the code says too.
			name: "refusals with 200 and a code, where no other status is documented", spec: envelopes, errors: []string{"addOrder/body/count/maximum"}, h: enveloped(0, 40001),
		},
		{
			name: "refusals with 200 and a word", spec: envelopes, errors: []string{"addOrder/body/count/maximum"}, h: enveloped("OK", "E1001"),
		},
		{
			// A JSON:API server has to refuse any other parameter than ext and profile.
			name: "a media type of a vendor without a charset", spec: `
openapi: 3.0.3
info: {title: tags, version: "1"}
paths:
  /tags:
    post:
      operationId: addTag
      requestBody: {required: true, content: {application/vnd.api+json: {schema: {type: object}}}}
      responses: {"204": {description: added}, "400": {description: bad}, "415": {description: no JSON:API}}
`, h: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				_, isObject := parsed(body).(map[string]any)
				switch {
				case r.URL.EscapedPath() != "/tags":
					http.NotFound(w, r)
				case r.Method != http.MethodPost:
					w.Header().Set("Allow", "POST")
					w.WriteHeader(http.StatusMethodNotAllowed)
				case !strings.EqualFold(strings.Join(r.Header.Values("Content-Type"), ", "), "application/vnd.api+json") && len(body) > 0:
					w.WriteHeader(http.StatusUnsupportedMediaType)
				case err != nil || !isObject:
					w.WriteHeader(http.StatusBadRequest)
				default:
					w.WriteHeader(http.StatusNoContent)
				}
			}),
		},
		{
			name: "a member that would change the prototype of objects", spec: `
openapi: 3.0.3
info: {title: tags, version: "1"}
paths:
  /tags:
    post:
      operationId: addTag
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
      responses: {"204": {description: added}, "400": {description: bad}, "415": {description: no JSON}}
`, h: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.EscapedPath() != "/tags":
					http.NotFound(w, r)
				case r.Method != http.MethodPost:
					w.Header().Set("Allow", "POST")
					w.WriteHeader(http.StatusMethodNotAllowed)
				default:
					sent, ok := ofJSON(w, r)
					if _, has := sent["__proto__"]; ok && has {
						w.WriteHeader(http.StatusBadRequest)
					} else if ok {
						w.WriteHeader(http.StatusNoContent)
					}
				}
			}),
		},
		{
			// That something is pending, or has the code that was sent, refuses nothing.
			name: "a status and a code of what is made, beside a service that says how it is doing", spec: `
openapi: 3.0.3
info: {title: orders, version: "1"}
paths:
  /health:
    get:
      operationId: health
      responses: {"200": {description: "how it is doing", content: {application/json: {schema: {type: object}}}}}
  /orders:
    post:
      operationId: addOrder
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [code], properties: {code: {type: integer, maximum: 9}}}}}}
      responses: {"200": {description: added, content: {application/json: {schema: {type: object, required: [status], properties: {status: {type: string}}}}}}}
`, errors: []string{"addOrder/body/media-type", "addOrder/body/code/required", "addOrder/body/code/type", "addOrder/body/code/maximum"}, h: http.HandlerFunc(states),
		},
		{
			// That it is denied is an answer of a service that is asked for permissions.
			name: "a permission that is denied, and an index at the root", spec: `
openapi: 3.0.3
info: {title: permissions, version: "1"}
paths:
  /check:
    get:
      operationId: check
      parameters: [{name: subject, in: query, required: true, schema: {type: string, enum: [editor, guest]}}]
      responses: {"200": {description: allowed}, "400": {description: bad}, "403": {description: denied}}
`, h: permissions(),
		},
		{
			// A web interface that is served for whatever nothing else is, by any method.
			name: "a page of which the document speaks, and the same for all else", spec: `
openapi: 3.0.3
info: {title: shop, version: "1"}
paths:
  /shop:
    get:
      operationId: showShop
      responses: {"200": {description: the page, content: {text/html: {schema: {type: string}}}}}
`, h: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = io.WriteString(w, "<title>Shop</title>")
			}),
		},
		{
			// What fails once says nothing of the paths that nobody knows.
			name: "the same page for all else, which fails while it is busy", errors: []string{"showShop/response/status"}, spec: `
openapi: 3.0.3
info: {title: shop, version: "1"}
paths:
  /shop:
    get:
      operationId: showShop
      responses: {"200": {description: the page, content: {text/html: {schema: {type: string}}}}}
`, h: busyPages(),
		},
		{
			// Generators write nullable for every version.
			name: "nullable in a document of 3.1", spec: `
openapi: 3.1.0
info: {title: notes, version: "1"}
paths:
  /notes:
    post:
      operationId: addNote
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}
      responses: {"200": {description: added, content: {application/json: {schema: {$ref: '#/components/schemas/Note'}}}}, "400": {description: bad}, "415": {description: no JSON}}
components:
  schemas:
    Note: {type: object, properties: {text: {type: string, nullable: true}}}
`, h: memos(),
		},
		{
			// Each operation of a JSON Patch has members of its own, which the schema does not say.
			name: "a description that refers to an RFC", spec: `
openapi: 3.0.3
info: {title: patches, version: "1"}
paths:
  /settings:
    patch:
      operationId: patchSettings
      requestBody: {required: true, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Operation'}}}}}
      responses: {"204": {description: patched}, "400": {description: bad}, "415": {description: no JSON}}
components:
  schemas:
    Operation:
      description: An operation as defined by RFC 6902.
      type: object
      required: [op, path]
      properties:
        op: {type: string, enum: [replace, remove]}
        path: {type: string, example: /color}
        value: {type: string, example: red}
`, h: patches(),
		},
		{
			name: "a list of one in XML", spec: `
openapi: 3.0.3
info: {title: pets, version: "1"}
paths:
  /pets:
    get:
      operationId: listPets
      responses: {"200": {description: all, content: {application/xml: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}}
components:
  schemas:
    Pet: {type: object, required: [name], properties: {name: {type: string}}}
`, h: onePet(),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.h)
			defer srv.Close()
			c, err := contracttest.Parse("ordinary.yaml", []byte(tt.spec))
			require.NoError(t, err)
			rep, err := contracttest.Run(t.Context(), c, contracttest.URL(srv.URL), contracttest.Workers(cmp.Or(tt.workers, 4)))
			require.NoError(t, err)
			assert.Empty(t, rep.Unproven)
			var clauses []string
			for _, f := range rep.Findings {
				if f.Severity == "error" {
					clauses = append(clauses, f.Clause)
				}
			}
			assert.Equal(t, tt.errors, slices.Compact(clauses), "%s", describe(rep))
		})
	}
}

// TestOwnCookie proves that a cookie which the user gives, such as that of a load balancer, goes
// with the requests that have cookies of their own.
func TestOwnCookie(t *testing.T) {
	t.Parallel()
	c := parse(t, dishes)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie("BACKEND"); err != nil || cookie.Value != "b2" {
			http.NotFound(w, r)
			return
		}
		kitchen().ServeHTTP(w, r)
	})
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Header("Cookie", "BACKEND=b2"), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
}
