package contracttest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

// counter is a document of orders with such a body, and of what they refer to.
func counter(content string) string {
	var text strings.Builder
	for _, of := range []string{"customer", "product"} {
		fmt.Fprintf(&text, `
  /%[1]ss:
    post:
      operationId: add_%[1]s
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [words], properties: {words: {type: string, minLength: 1, maxLength: 60}}}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: string, format: uuid}}}}}}, "400": {description: bad}, "415": {description: type}}
  /%[1]ss/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]
    get: {operationId: show_%[1]s, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "404": {description: none}}}
`, of)
	}
	return text.String() + fmt.Sprintf(`
  /orders:
    post:
      operationId: order
      requestBody: {required: true, content: {%s}}
      responses: {"204": {description: ordered}, "400": {description: bad}, "415": {description: type}, "422": {description: it refers to what is not there}}
`, content)
}

// till takes orders that refer to what is there alone.
type till struct {
	inner http.Handler
	mu    sync.Mutex
	made  map[string]map[string]bool // by customer and product
	taken int
}

func (d *till) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	rec := httptest.NewRecorder()
	d.inner.ServeHTTP(rec, r)
	switch kind := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), "s"); {
	case kind == "order" && r.Method == http.MethodPost && rec.Code == http.StatusNoContent:
		r.Body = io.NopCloser(bytes.NewReader(body))
		if d.refers(r, body) {
			d.taken++
			break
		}
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	case rec.Code == http.StatusCreated:
		var made struct{ ID string }
		_ = json.Unmarshal(rec.Body.Bytes(), &made)
		if d.made[kind] == nil {
			d.made[kind] = map[string]bool{}
		}
		d.made[kind][made.ID] = true
	}
	for name, lines := range rec.Header() {
		w.Header()[name] = lines
	}
	w.WriteHeader(rec.Code)
	_, _ = w.Write(rec.Body.Bytes())
}

// refers reports whether all that an order refers to is there, and something is.
func (d *till) refers(r *http.Request, body []byte) bool {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" {
		return d.made["product"][r.FormValue("product_id")]
	}
	var v any
	_ = json.Unmarshal(body, &v)
	some, all := 0, true
	var walk func(name string, v any)
	walk = func(name string, v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(name, item)
			}
		case map[string]any:
			for key, inner := range v {
				of := strings.TrimSuffix(name, "s")
				if key == "product_id" {
					of, key = "product", "id"
				}
				if of == "" || key != "id" {
					walk(key, inner)
					continue
				}
				some, all = some+1, all && d.made[of][fmt.Sprint(inner)]
			}
		}
	}
	walk("", v)
	return all && some > 0
}

// TestReferred proves that what a request refers to is made for it, wherever it stands in the body.
func TestReferred(t *testing.T) {
	const reference = `{type: object, required: [id], properties: {id: {type: string, format: uuid}}}`
	for i, tt := range []struct{ name, content string }{
		{"beside", `application/json: {schema: {type: object, required: [product_id], properties: {product_id: {type: string, format: uuid}}}}`},
		{"in an object", `application/json: {schema: {type: object, required: [customer], properties: {customer: ` + reference + `}}}`},
		{"in two objects", `application/json: {schema: {type: object, required: [customer, product], properties: {customer: ` + reference + `, product: ` + reference + `}}}`},
		{"in items", `application/json: {schema: {type: object, required: [lines], properties: {lines: {type: array, minItems: 1, items: {type: object, required: [product_id, quantity], properties: {product_id: {type: string, format: uuid}, quantity: {type: integer, minimum: 1}}}}}}}`},
		{"in objects in items", `application/json: {schema: {type: object, required: [lines], properties: {lines: {type: array, minItems: 1, items: {type: object, required: [product], properties: {product: ` + reference + `}}}}}}`},
		{"in a list", `application/json: {schema: {type: object, required: [products], properties: {products: {type: array, minItems: 1, items: ` + reference + `}}}}`},
		{"in a part", `multipart/form-data: {schema: {type: object, required: [product_id], properties: {product_id: {type: string, format: uuid}, note: {type: string}}}}`},
	} {
		if !racing.Take(i, 3) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := parse(t, counter(tt.content))
			d := &till{inner: contracttest.Mock(c), made: map[string]map[string]bool{}}
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(d), contracttest.Only("order/method"), contracttest.Cases(0))
			require.NoError(t, err)
			assert.Zero(t, rep.Errors(), "%s", describe(rep))
			assert.Empty(t, rep.Unproven)
			assert.Positive(t, d.taken)
		})
	}
}

// bookings is a document of what refers to rooms, and is listed by that; required says whether it
// has to be.
const bookings = `
  /rooms:
    post:
      operationId: addRoom
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [words], properties: {words: {type: string, minLength: 1, maxLength: 60}}}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: string, format: uuid}}}}}}, "400": {description: bad}, "415": {description: type}}
  /rooms/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]
    get: {operationId: showRoom, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "404": {description: none}}}
  /bookings:
    get:
      operationId: listBookings
      parameters: [{name: roomId, in: query, required: %t, schema: {type: string, format: uuid}}]
      responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: &booking {type: object, required: [id, room_id, words], properties: {id: {type: string, format: uuid}, room_id: {type: string, format: uuid}, words: {type: string}}}}}}}, "400": {description: bad}}
    post:
      operationId: book
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [room_id, words], properties: {room_id: {type: string, format: uuid}, words: {type: string, minLength: 1, maxLength: 60}}}}}}
      responses: {"201": {description: booked, content: {application/json: {schema: *booking}}}, "400": {description: bad}, "415": {description: type}}
  /bookings/{bookingId}:
    parameters: [{name: bookingId, in: path, required: true, schema: {type: string, format: uuid}}]
    get: {operationId: showBooking, responses: {"200": {description: it, content: {application/json: {schema: *booking}}}, "400": {description: bad}, "404": {description: none}}}
`

// TestFilteredByReference proves that a list is found that does not heed what its entries have to
// refer to, and nothing of one that does.
func TestFilteredByReference(t *testing.T) {
	for i, tt := range []struct {
		name     string
		required bool
		in       func(asked, room string) bool // nil: as it should be
		before   int                           // entries that were there before; a list shows the first ten
		wrong    bool
	}{
		{"correct", false, nil, 0, false},
		{"correct where the list is long", false, nil, 10, false},
		{"required", true, nil, 0, false},
		{"ignored", false, func(_, _ string) bool { return true }, 0, true},
		{"ignored where the list is long", false, func(_, _ string) bool { return true }, 10, true},
		{"ignored where it is required", true, func(_, _ string) bool { return true }, 0, true},
		{"nothing is found", false, func(asked, _ string) bool { return asked == "" }, 0, true},
	} {
		if !racing.Take(i, 2) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := parse(t, fmt.Sprintf(bookings, tt.required))
			inner := contracttest.Mock(c)
			all := []map[string]any{}
			for n := range tt.before {
				id := fmt.Sprintf("5f0c1a8e-0000-4000-8000-%012d", n)
				all = append(all, map[string]any{"id": id, "room_id": id, "words": "there before"})
			}
			h := altered(inner, func(w http.ResponseWriter, r told) bool {
				rec := httptest.NewRecorder()
				asked := r.URL.Query().Get("roomId")
				switch {
				case r.URL.Path != "/bookings" || r.Method != http.MethodGet && r.Method != http.MethodPost:
					return false
				case r.Method == http.MethodGet:
					if inner.ServeHTTP(rec, r.Request); rec.Code != http.StatusOK {
						w.WriteHeader(rec.Code)
						return true
					}
					list := []map[string]any{}
					for _, b := range all {
						room, _ := b["room_id"].(string)
						if tt.in != nil && tt.in(asked, room) || tt.in == nil && (asked == "" || asked == room) {
							list = append(list, b)
						}
					}
					answerJSON(w, http.StatusOK, list[:min(len(list), 10)])
					return true
				}
				if inner.ServeHTTP(rec, r.Request); rec.Code != http.StatusCreated {
					w.WriteHeader(rec.Code)
					return true
				}
				var made map[string]any
				_ = json.Unmarshal(rec.Body.Bytes(), &made)
				all = append(all, made)
				answerJSON(w, http.StatusCreated, made)
				return true
			})
			const sequence = "listBookings/response/status#filter-ignored/room_id/referred"
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Cases(0), contracttest.Settle(time.Millisecond), contracttest.Only("case:"+sequence))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				found = append(found, f.Severity+" "+f.Case.ID)
			}
			if tt.wrong {
				assert.Equal(t, []string{"warning " + sequence}, found)
			} else {
				assert.Empty(t, found, "%s", describe(rep))
			}
		})
	}
}

// TestFilteredByItem proves that a list is found that does not heed which item it is asked for.
func TestFilteredByItem(t *testing.T) {
	const letters = `
  /letters:
    get:
      operationId: listLetters
      parameters: [{name: "%s", in: query, schema: %s}]
      responses: {"200": {description: all, content: {application/json: {schema: {type: object, required: [items], properties: {items: {type: array, items: &letter {type: object, required: [id], properties: {id: {type: string, format: uuid}, tags: {type: array, items: {type: string}}}}}}}}}}, "400": {description: bad}}
    post:
      operationId: addLetter
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [words], properties: {words: {type: string, minLength: 1, maxLength: 60}, tags: {type: array, maxItems: 5, items: {type: string, minLength: 1, maxLength: 20}}}}}}}
      responses: {"201": {description: added, content: {application/json: {schema: *letter}}}, "400": {description: bad}, "415": {description: type}}
  /letters/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]
    get: {operationId: getLetter, responses: {"200": {description: it, content: {application/json: {schema: *letter}}}, "400": {description: bad}, "404": {description: none}}}
`
	// by is a service that lists what has an item at a place that counts.
	by := func(counts func(place int, same bool) bool) func(http.ResponseWriter, told) bool {
		return func(w http.ResponseWriter, r told) bool {
			all, _ := r.now["items"].([]any)
			if r.Method != http.MethodGet || r.URL.RawQuery == "" || all == nil {
				return false
			}
			listed := []any{}
			for _, letter := range all {
				tags, _ := letter.(map[string]any)["tags"].([]any)
				for i, tag := range tags {
					if counts(i, strings.HasSuffix(r.URL.RawQuery, "="+url.QueryEscape(fmt.Sprint(tag)))) {
						listed = append(listed, letter)
						break
					}
				}
			}
			answerJSON(w, http.StatusOK, map[string]any{"items": listed})
			return true
		}
	}
	text, list := "{type: string, minLength: 1, maxLength: 20}", "{type: array, items: {type: string, minLength: 1, maxLength: 20}}"
	for i, tt := range []struct {
		name, param, schema string
		by                  func(http.ResponseWriter, told) bool
		wrong               bool
	}{
		{"the mock", "tag", text, nil, false},
		{"the mock, of a list", "tags[]", list, nil, false},
		{"correct", "tags", text, by(func(_ int, same bool) bool { return same }), false},
		{"ignored", "tag", text, by(func(int, bool) bool { return true }), true},
		{"the first item alone", "tags", list, by(func(place int, same bool) bool { return place == 0 && same }), true},
		{"nothing is found", "tag[]", list, by(func(int, bool) bool { return false }), true},
	} {
		if !racing.Take(i, 2) {
			continue
		}
		sequence := "listLetters/response/status#filter-ignored/" + tt.param + "/item"
		found, rep := choicesFound(t, fmt.Sprintf(letters, tt.param, tt.schema), tt.by, "case:"+sequence)
		if tt.wrong {
			assert.Equal(t, []string{sequence}, found, "%s: %s", tt.name, describe(rep))
		} else {
			assert.Empty(t, found, "%s: %s", tt.name, describe(rep))
		}
	}
}

// payments is a document of invoices, and of payments of them.
const payments = `
  /invoices:
    post:
      operationId: addInvoice
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [words], properties: {words: {type: string, minLength: 1, maxLength: 60}}}}}}
      responses: {"201": {description: added, content: {application/json: {schema: &invoice {type: object, required: [id], properties: {id: {type: string, format: uuid}, words: {type: string}, status: {type: string}}}}}}, "400": {description: bad}, "415": {description: type}}
  /invoices/{id}:
    parameters: &one [{name: id, in: path, required: true, schema: {type: string, format: uuid}}]
    get: {operationId: showInvoice, responses: &answers {"200": {description: it, content: {application/json: {schema: *invoice}}}, "400": {description: bad}, "404": {description: none}, "409": {description: not now}, "415": {description: type}}}
    %s
  /payments:
    post:
      operationId: pay
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [invoice_id], properties: {invoice_id: {type: string, format: uuid}, note: {type: string, maxLength: 60}}}}}}
      responses: {"201": {description: paid, content: {application/json: {schema: &payment {type: object, required: [id, invoice_id], properties: {id: {type: string, format: uuid}, invoice_id: {type: string, format: uuid}, note: {type: string}}}}}}, "400": {description: bad}, "409": {description: the invoice is not sent}, "415": {description: type}, "422": {description: no such invoice}}
  /payments/{id}:
    parameters: *one
    get: {operationId: showPayment, responses: {"200": {description: it, content: {application/json: {schema: *payment}}}, "400": {description: bad}, "404": {description: none}}}
`

// TestReferredInState proves that what a request refers to is brought into the state in which it
// may be referred to, for each request where one uses it up; and that what is made then is
// looked at as all else is.
func TestReferredInState(t *testing.T) {
	const (
		send    = "\n  /invoices/{id}/send:\n    parameters: *one\n    post: {operationId: sendInvoice, responses: *answers}"
		approve = "\n  /invoices/{id}/approve:\n    parameters: *one\n    post: {operationId: approveInvoice, responses: *answers}"
		patch   = `patch: {operationId: changeInvoice, requestBody: {required: true, content: {application/json: {schema: {type: object, minProperties: 1, properties: {words: {type: string, minLength: 1}, status: {type: string, enum: [draft, void, sent]}}}}}}, responses: *answers}`
	)
	for i, tt := range []struct {
		name, ways string
		once       bool // a payment uses up its invoice
		lost       bool // no payment is there when it is read
	}{
		{"an action", send, false, false},
		{"an action, once", send, true, false},
		{"two actions, once", send + approve, true, false},
		{"a status, once", patch, true, false},
		{"what is made is lost", send, true, true},
	} {
		if !racing.Take(i, 2) {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := parse(t, fmt.Sprintf(payments, tt.ways))
			status := map[string]string{}
			paid := 0
			h := altered(contracttest.Mock(c), func(w http.ResponseWriter, r told) bool {
				id, action, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/invoices/"), "/")
				switch {
				case action == "approve" && r.Method == http.MethodPost && len(id) == 36:
					status[id] = "approved"
				case action == "send" && r.Method == http.MethodPost && len(id) == 36:
					if strings.Contains(tt.ways, "approve") && status[id] != "approved" {
						w.WriteHeader(http.StatusConflict)
						return true
					}
					status[id] = "sent"
				case r.Method == http.MethodPatch && fits("status", r.sent["status"]):
					if s, is := r.sent["status"].(string); is {
						status[id] = s
					}
				case r.URL.Path == "/payments" && r.Method == http.MethodPost && r.sent["invoice_id"] != nil:
					of := fmt.Sprint(r.sent["invoice_id"])
					if status[of] != "sent" && len(of) == 36 {
						w.WriteHeader(http.StatusConflict)
						return true
					}
					if paid++; tt.once {
						status[of] = "paid"
					}
				case tt.lost && strings.HasPrefix(r.URL.Path, "/payments/") && r.Method == http.MethodGet:
					w.WriteHeader(http.StatusNotFound)
					return true
				}
				return false
			})
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Cases(0), contracttest.Only("pay"), contracttest.Settle(time.Millisecond))
			require.NoError(t, err)
			assert.Positive(t, paid)
			assert.Empty(t, rep.Unproven, "%s", describe(rep))
			if tt.lost {
				assert.NotEmpty(t, about(rep, "created-not-found"), "%s", describe(rep))
			} else {
				assert.Empty(t, rep.Findings, "%s", describe(rep))
			}
		})
	}
}
