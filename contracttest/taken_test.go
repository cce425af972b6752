package contracttest_test

import (
	"fmt"
	"math"
	"mime"
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
)

// hotel is a document of rooms, in which no two bookings are at the same time, and of guests,
// who are in a party once somebody puts them there.
const hotel = `
openapi: 3.0.3
info: {title: hotel, version: "1"}
paths:
  /rooms:
    post:
      operationId: addRoom
      responses: {"201": {description: added, content: {application/json: {schema: {$ref: '#/components/schemas/Made'}}}}}
  /rooms/{roomId}:
    get:
      operationId: getRoom
      parameters: [{name: roomId, in: path, required: true, schema: {type: integer}}]
      responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Made'}}}}, "404": {description: none}}
  /bookings:
    post:
      operationId: book
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [roomId, start, end]
              properties: {roomId: {type: integer}, start: {type: string, format: date-time}, end: {type: string, format: date-time}}
      responses:
        "201": {description: booked, content: {application/json: {schema: {$ref: '#/components/schemas/Made'}}}}
        "400": {description: bad}
        "404": {description: no such room}
        "409": {description: the room is booked}
        "415": {description: no JSON}
  /guests:
    get:
      operationId: listGuests
      parameters: [{name: name, in: query, schema: {type: string}}]
      responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Made'}}}}}}
    post:
      operationId: addGuest
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Named'}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {$ref: '#/components/schemas/Made'}}}}, "400": {description: bad}, "415": {description: no JSON}}
  /parties:
    post:
      operationId: addParty
      responses: {"201": {description: added, content: {application/json: {schema: {$ref: '#/components/schemas/Made'}}}}}
  /parties/{partyId}:
    get:
      operationId: getParty
      parameters: [{name: partyId, in: path, required: true, schema: {type: integer}}]
      responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Made'}}}}, "404": {description: none}}
  /parties/{partyId}/guests/{guestId}:
    parameters: [{name: partyId, in: path, required: true, schema: {type: integer}}, {name: guestId, in: path, required: true, schema: {type: integer}}]
    put:
      operationId: bring
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Named'}}}}
      responses: {"204": {description: is there}, "400": {description: bad}, "404": {description: none}, "415": {description: no JSON}}
    delete:
      operationId: sendHome
      responses: {"204": {description: is gone}, "404": {description: is not there}}
components:
  schemas:
    Made: {type: object, required: [id], properties: {id: {type: integer}, name: {type: string}}}
    Named: {type: object, required: [name], properties: {name: {type: string, maxLength: 40}}}
`

// desks serves the document.
type desks struct {
	mux      *http.ServeMux
	mu       sync.Mutex
	last     int
	kinds    map[string]string         // by identifier
	names    map[string]string         // of guests
	bookings map[string][][2]time.Time // by room
	present  map[string]bool           // party and guest
	always   bool                      // a room is booked, whenever it is asked for
	room     string                    // how a booking calls its room
}

func newDesks() *desks {
	d := &desks{mux: http.NewServeMux(), kinds: map[string]string{}, names: map[string]string{}, bookings: map[string][][2]time.Time{}, present: map[string]bool{}, last: 7000, room: "roomId"}
	d.mux.HandleFunc("POST /rooms", func(w http.ResponseWriter, _ *http.Request) { d.made(w, "room") })
	d.mux.HandleFunc("POST /parties", func(w http.ResponseWriter, _ *http.Request) { d.made(w, "party") })
	d.mux.HandleFunc("POST /bookings", d.book)
	for path, kind := range map[string]string{"/rooms/{id}": "room", "/parties/{id}": "party"} {
		d.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if d.kinds[r.PathValue("id")] != kind {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			answerJSON(w, http.StatusOK, parsed([]byte(`{"id": `+r.PathValue("id")+`}`)))
		})
	}
	d.mux.HandleFunc("POST /guests", func(w http.ResponseWriter, r *http.Request) {
		if name, ok := guestName(w, r); ok {
			d.names[d.made(w, "guest")] = name
		}
	})
	d.mux.HandleFunc("GET /guests", func(w http.ResponseWriter, r *http.Request) {
		all := []any{}
		for id, name := range d.names {
			if asked := r.URL.Query(); !asked.Has("name") || asked.Get("name") == name {
				all = append(all, map[string]any{"id": parsed([]byte(id)), "name": name})
			}
		}
		answerJSON(w, http.StatusOK, all)
	})
	d.mux.HandleFunc("/parties/{party}/guests/{guest}", d.attend)
	return d
}

func (d *desks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mux.ServeHTTP(w, r)
}

func (d *desks) made(w http.ResponseWriter, kind string) string {
	d.last++
	id := fmt.Sprint(d.last)
	d.kinds[id] = kind
	answerJSON(w, http.StatusCreated, map[string]any{"id": d.last})
	return id
}

func guestName(w http.ResponseWriter, r *http.Request) (string, bool) {
	members, ok := ofJSON(w, r)
	name, isText := members["name"].(string)
	if ok && (!isText || len([]rune(name)) > 40) {
		w.WriteHeader(http.StatusBadRequest)
		return "", false
	}
	return name, ok
}

// attend brings a guest to a party, or sends him home.
func (d *desks) attend(w http.ResponseWriter, r *http.Request) {
	party, guest := r.PathValue("party"), r.PathValue("guest")
	switch {
	case r.Method != http.MethodPut && r.Method != http.MethodDelete:
		w.Header().Set("Allow", "PUT, DELETE")
		w.WriteHeader(http.StatusMethodNotAllowed)
	case d.kinds[party] != "party" || d.kinds[guest] != "guest" || r.Method == http.MethodDelete && !d.present[party+"/"+guest]:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodDelete:
		delete(d.present, party+"/"+guest)
		w.WriteHeader(http.StatusNoContent)
	default:
		if _, ok := guestName(w, r); ok {
			d.present[party+"/"+guest] = true
			w.WriteHeader(http.StatusNoContent)
		}
	}
}

// book books a room, for as long as the request says: one that asks for a thousand years is in
// the way of all others.
func (d *desks) book(w http.ResponseWriter, r *http.Request) {
	members, ok := ofJSON(w, r)
	if !ok {
		return
	}
	var times [2]time.Time
	for i, name := range []string{"start", "end"} {
		text, _ := members[name].(string)
		t, err := time.Parse(time.RFC3339, strings.ToUpper(text))
		if times[i] = t; err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	number, isNumber := members[d.room].(float64)
	room := fmt.Sprint(number)
	taken := d.always
	for _, b := range d.bookings[room] {
		taken = taken || times[0].Before(b[1]) && b[0].Before(times[1])
	}
	switch {
	case !isNumber || number != float64(int(number)) || !times[1].After(times[0]):
		w.WriteHeader(http.StatusBadRequest)
	case d.kinds[room] != "room":
		w.WriteHeader(http.StatusNotFound)
	case taken:
		w.WriteHeader(http.StatusConflict)
	default:
		d.bookings[room] = append(d.bookings[room], times)
		d.made(w, "booking")
	}
}

// TestTaken proves what is known of a service that refuses a second booking of one time: each
// request has another time, and what it refers to stays, or is another where something is in
// the way of all. And it proves that what is made by itself need not be where a path has it.
func TestTaken(t *testing.T) {
	c, err := contracttest.Parse("hotel.yaml", []byte(hotel))
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(newDesks()), contracttest.Skip("allow-header"), contracttest.Settle(10*time.Millisecond), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	for _, clause := range []string{
		"book/message", "book/body/roomId/type", "book/body/start/format", "book/body/end/format", "sendHome/path/guestId/type", "sendHome/response/status",
	} {
		assert.NotContains(t, []string{"", "tried", "unreached"}, stateOf(rep, clause), clause)
	}
	for _, op := range rep.Unproven {
		t.Errorf("%s was never accepted: %v", op.Operation, op)
	}

	foreign, err := contracttest.Parse("hotel.yaml", []byte(strings.NewReplacer("[roomId, start", "[room, start", "roomId: {type: integer}, start", "room: {type: integer}, start").Replace(hotel)))
	require.NoError(t, err)
	named := newDesks()
	named.room = "room"
	rep, err = contracttest.Run(t.Context(), foreign, contracttest.Handler(named), contracttest.Only("addRoom", "getRoom", "book"), contracttest.Skip("allow-header"), contracttest.Settle(10*time.Millisecond), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Empty(t, rep.Unproven, "a number that is called as what can be made is the identifier of one")

	full := newDesks()
	full.always = true
	rep, err = contracttest.Run(t.Context(), c, contracttest.Handler(full), contracttest.Skip("allow-header"), contracttest.Settle(10*time.Millisecond), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
}

// letters is a document of an outbox whose letters leave it by themselves, of pages that are made
// once, and of files that are any bytes.
const letters = `
openapi: 3.0.3
info: {title: letters, version: "1"}
paths:
  /letters:
    get:
      operationId: listLetters
      parameters: [{name: weight, in: query, schema: {type: integer, minimum: 0, maximum: 9}}]
      responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Letter'}}}}}, "400": {description: bad}}
    post:
      operationId: write
      requestBody: {required: true, content: {application/json: {schema: {type: object, properties: {weight: {type: integer, minimum: 0, maximum: 9, default: 5}}}}}}
      responses: {"201": {description: written, content: {application/json: {schema: {$ref: '#/components/schemas/Letter'}}}}, "400": {description: bad}, "415": {description: no JSON}}
  /letters/{letterId}:
    get:
      operationId: readLetter
      parameters: [{name: letterId, in: path, required: true, schema: {type: integer}}]
      responses: {"200": {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/Letter'}}}}, "404": {description: none}}
  /letters/{letterId}/stop:
    post:
      operationId: stop
      parameters: [{name: letterId, in: path, required: true, schema: {type: integer}}]
      responses: {"204": {description: stopped}, "404": {description: none}, "409": {description: it has left}}
  /pages/{name}:
    parameters: [{name: name, in: path, required: true, schema: {type: string, pattern: '^[a-z0-9-]{1,40}$'}}]
    get:
      operationId: readPage
      responses: {"200": {description: one, content: {application/json: {schema: {type: object}}}}, "404": {description: none}}
    put:
      operationId: putPage
      parameters: [{name: If-Match, in: header, schema: {type: string}}, {name: If-None-Match, in: header, schema: {type: string, enum: ['*']}}]
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [text], properties: {text: {type: string}}}}}}
      responses: {"200": {description: changed}, "201": {description: made}, "400": {description: bad}, "412": {description: it is another}, "415": {description: no JSON}}
  /files:
    post:
      operationId: upload
      requestBody:
        required: true
        content:
          multipart/form-data:
            schema: {type: object, required: [file], properties: {file: {type: string, format: binary}}}
            encoding: {file: {contentType: application/octet-stream}}
      responses: {"204": {description: there}, "400": {description: bad}, "415": {description: no form}}
components:
  schemas:
    Letter: {type: object, required: [id, weight], properties: {id: {type: integer}, weight: {type: integer}}}
`

// outbox serves the document. A letter leaves when some others were written.
func outbox() http.Handler {
	const most = 3
	var mu sync.Mutex
	var weights []any
	var stopped []bool
	pages := map[string]int{}
	one := func(w http.ResponseWriter, r *http.Request) int {
		i, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || i < 0 || i >= len(weights) {
			w.WriteHeader(http.StatusNotFound)
			return -1
		}
		return i
	}
	letter := func(i int) any { return map[string]any{"id": i, "weight": weights[i]} }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /letters", func(w http.ResponseWriter, r *http.Request) {
		asked := r.URL.Query()
		n, err := strconv.Atoi(asked.Get("weight"))
		if asked.Has("weight") && (err != nil || n < 0 || n > 9 || len(asked["weight"]) > 1) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		all := []any{}
		for i := range weights {
			if !asked.Has("weight") || weights[i] == float64(n) {
				all = append(all, letter(i))
			}
		}
		answerJSON(w, http.StatusOK, all)
	})
	mux.HandleFunc("POST /letters", func(w http.ResponseWriter, r *http.Request) {
		members, ok := ofJSON(w, r)
		if !ok {
			return
		}
		v, given := members["weight"]
		if !given {
			v = 5.0
		}
		if n, isNumber := v.(float64); !isNumber || n < 0 || n > 9 || n != math.Trunc(n) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		weights, stopped = append(weights, v), append(stopped, false)
		answerJSON(w, http.StatusCreated, letter(len(weights)-1))
	})
	mux.HandleFunc("GET /letters/{id}", func(w http.ResponseWriter, r *http.Request) {
		if i := one(w, r); i >= 0 {
			answerJSON(w, http.StatusOK, letter(i))
		}
	})
	mux.HandleFunc("POST /letters/{id}/stop", func(w http.ResponseWriter, r *http.Request) {
		switch i := one(w, r); {
		case i < 0:
		case stopped[i] || i < len(weights)-most:
			w.WriteHeader(http.StatusConflict)
		default:
			stopped[i] = true
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("GET /pages/{name}", func(w http.ResponseWriter, r *http.Request) {
		if version := pages[r.PathValue("name")]; version > 0 {
			w.Header().Set("ETag", strconv.Quote(strconv.Itoa(version)))
			answerJSON(w, http.StatusOK, map[string]any{})
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	mux.HandleFunc("PUT /pages/{name}", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
		there := pages[name] > 0
		switch {
		case len(name) > 40 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || none != "" && none != "*":
			w.WriteHeader(http.StatusBadRequest)
			return
		case there && none == "*", match == "*" && !there, match != "" && match != "*" && !slices.Contains(strings.Split(match, ", "), strconv.Quote(strconv.Itoa(pages[name]))):
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		members, ok := ofJSON(w, r)
		if !ok {
			return
		}
		if _, isText := members["text"].(string); !isText {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		pages[name]++
		w.WriteHeader(map[bool]int{false: http.StatusCreated, true: http.StatusOK}[there])
	})
	mux.HandleFunc("POST /files", func(w http.ResponseWriter, r *http.Request) {
		if kind, _, err := mime.ParseMediaType(strings.Join(r.Header.Values("Content-Type"), ", ")); err != nil || kind != "multipart/form-data" {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		if err := r.ParseMultipartForm(1 << 20); err != nil || len(r.MultipartForm.File["file"])+len(r.MultipartForm.Value["file"]) != 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

// TestOwnLife proves that nothing is wrong with what changes by itself, with a condition that a
// request itself has, or with a part that is any bytes under another label; and that a list is
// asked for the value that it is said to be asked for.
func TestOwnLife(t *testing.T) {
	c, err := contracttest.Parse("letters.yaml", []byte(letters))
	require.NoError(t, err)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(outbox()), contracttest.Skip("allow-header"), contracttest.Settle(10*time.Millisecond), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Empty(t, about(rep, "filter-ignored", "precondition-ignored", "not-repeatable"), "%s", describe(rep))
}

// TestPartOfDeleted proves that what is read below a resource, as its content, is gone with it.
func TestPartOfDeleted(t *testing.T) {
	c := parse(t, `
  /scans:
    post:
      operationId: scan
      responses: {"201": {description: made, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}}
  /scans/{scanId}:
    parameters: [{name: scanId, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getScan, responses: {"200": {description: one, content: {application/json: {schema: {type: object}}}}, "404": {description: none}}}
    delete: {operationId: drop, responses: {"204": {description: gone}, "404": {description: none}}}
  /scans/{scanId}/image:
    parameters: [{name: scanId, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getImage, responses: {"200": {description: bytes, content: {image/png: {}}}, "404": {description: none}}}
`)
	for _, stays := range []bool{false, true} {
		var mu sync.Mutex
		there, images := map[string]bool{}, map[string]bool{}
		answer := func(of map[string]bool, then func(w http.ResponseWriter, id string)) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if id := r.PathValue("id"); of[id] {
					then(w, id)
				} else {
					w.WriteHeader(http.StatusNotFound)
				}
			}
		}
		mux := http.NewServeMux()
		mux.HandleFunc("POST /scans", func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			id := len(images)
			there[strconv.Itoa(id)], images[strconv.Itoa(id)] = true, true
			answerJSON(w, http.StatusCreated, map[string]any{"id": id})
		})
		mux.HandleFunc("GET /scans/{id}", answer(there, func(w http.ResponseWriter, _ string) { answerJSON(w, http.StatusOK, map[string]any{}) }))
		mux.HandleFunc("DELETE /scans/{id}", answer(there, func(w http.ResponseWriter, id string) {
			there[id] = false
			images[id] = stays
			w.WriteHeader(http.StatusNoContent)
		}))
		mux.HandleFunc("GET /scans/{id}/image", answer(images, func(w http.ResponseWriter, _ string) {
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte("png"))
		}))
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(mux), contracttest.Skip("allow-header"), contracttest.Settle(10*time.Millisecond), contracttest.Cases(0))
		require.NoError(t, err)
		assert.Zero(t, rep.Errors(), "%s", describe(rep))
		var want []string
		if stays {
			want = []string{"warning getImage/response/status"}
		}
		assert.Equal(t, want, about(rep, "deleted-still-usable"), "stays: %t", stays)
	}
}

// TestVersionOfPart proves that If-Match has the ETag of what a request is about, be it a part of
// what the path names, or what an action is sent to; and that of the whole where a part has none.
func TestVersionOfPart(t *testing.T) {
	var document strings.Builder
	document.WriteString(`
  /devices:
    post:
      operationId: add
      responses: {"201": {description: made, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}}
  /devices/{deviceId}:
    parameters: [{name: deviceId, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getDevice, responses: {"200": {description: one, content: {application/json: {schema: {type: object}}}}, "404": {description: none}}}
    delete: {operationId: drop, responses: {"204": {description: gone}, "404": {description: none}}}
`)
	for _, part := range []string{"config", "limits"} {
		document.WriteString(strings.ReplaceAll(`
  /devices/{deviceId}/PART:
    parameters: [{name: deviceId, in: path, required: true, schema: {type: integer}}]
    get: {operationId: getPART, responses: {"200": {description: one, content: {application/json: {schema: {type: object}}}}, "404": {description: none}}}
    put:
      operationId: putPART
      parameters: [{name: If-Match, in: header, required: true, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [level], properties: {level: {type: integer, minimum: 0, maximum: 9}}}}}}
      responses: {"204": {description: changed}, "400": {description: bad}, "404": {description: none}, "412": {description: another}, "415": {description: no JSON}, "428": {description: no If-Match}}
  /devices/{deviceId}/PART/reset:
    parameters: [{name: deviceId, in: path, required: true, schema: {type: integer}}]
    post:
      operationId: resetPART
      parameters: [{name: If-Match, in: header, required: true, schema: {type: string}}]
      responses: {"204": {description: changed}, "404": {description: none}, "412": {description: another}, "428": {description: no If-Match}}
`, "PART", part))
	}
	var mu sync.Mutex
	there, versions := map[string]bool{}, map[string]int{} // of a path
	mux := http.NewServeMux()
	mux.HandleFunc("POST /devices", func(w http.ResponseWriter, _ *http.Request) {
		there[strconv.Itoa(len(there))] = true
		answerJSON(w, http.StatusCreated, map[string]any{"id": len(there) - 1})
	})
	mux.HandleFunc("DELETE /devices/{id}", func(w http.ResponseWriter, r *http.Request) {
		there[r.PathValue("id")] = false
		w.WriteHeader(http.StatusNoContent)
	})
	tag := func(r *http.Request, part string) string {
		return fmt.Sprintf(`"%s%s%d"`, r.PathValue("id"), part, versions[r.PathValue("id")+part])
	}
	mux.HandleFunc("GET /devices/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", tag(r, "limits"))
		answerJSON(w, http.StatusOK, map[string]any{})
	})
	mux.HandleFunc("GET /devices/{id}/config", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", tag(r, "config"))
		answerJSON(w, http.StatusOK, map[string]any{})
	})
	mux.HandleFunc("GET /devices/{id}/limits", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, map[string]any{}) })
	change := func(w http.ResponseWriter, r *http.Request) {
		part := strings.Split(r.URL.Path, "/")[3]
		switch match := r.Header.Get("If-Match"); match {
		case "":
			w.WriteHeader(http.StatusPreconditionRequired)
			return
		case tag(r, part):
		default:
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		if r.Method == http.MethodPut {
			members, ok := ofJSON(w, r)
			if !ok {
				return
			}
			if level, isNumber := members["level"].(float64); !isNumber || level != float64(int(level)) || level < 0 || level > 9 {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
		}
		versions[r.PathValue("id")+part]++
		w.WriteHeader(http.StatusNoContent)
	}
	for _, part := range []string{"config", "limits"} {
		mux.HandleFunc("PUT /devices/{id}/"+part, change)
		mux.HandleFunc("POST /devices/{id}/"+part+"/reset", change)
	}
	service := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if at := strings.Split(r.URL.Path, "/"); len(at) > 2 && !there[at[2]] {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		mux.ServeHTTP(w, r)
	})
	// The header may be optional by itself, where 428 says that it is not.
	for _, text := range []string{document.String(), strings.ReplaceAll(document.String(), "in: header, required: true", "in: header")} {
		rep, err := contracttest.Run(t.Context(), parse(t, text), contracttest.Handler(service), contracttest.Skip("allow-header"), contracttest.Settle(time.Millisecond), contracttest.Cases(0))
		require.NoError(t, err)
		assert.Empty(t, rep.Unproven)
		assert.Zero(t, rep.Errors(), "%s", describe(rep))
	}
}
