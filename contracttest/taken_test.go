package contracttest_test

import (
	"fmt"
	"net/http"
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
}

func newDesks() *desks {
	d := &desks{mux: http.NewServeMux(), kinds: map[string]string{}, names: map[string]string{}, bookings: map[string][][2]time.Time{}, present: map[string]bool{}}
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
	number, isNumber := members["roomId"].(float64)
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

	full := newDesks()
	full.always = true
	rep, err = contracttest.Run(t.Context(), c, contracttest.Handler(full), contracttest.Skip("allow-header"), contracttest.Settle(10*time.Millisecond), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
}
