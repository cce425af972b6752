package contracttest_test

import (
	"encoding/json"
	"maps"
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

// bank is a document of customers with nested properties, whose orders stand in the way of their end; of
// accounts, between which money goes; and of tags that are only listed.
const bank = `
openapi: 3.0.3
info: {title: Bank, version: "1"}
paths:
  /customers:
    get:
      operationId: listCustomers
      responses: {"200": {description: all, content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Customer"}}}}}}
    post:
      operationId: addCustomer
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Customer"}}}}
      responses:
        "201": {description: added, content: {application/json: {schema: {$ref: "#/components/schemas/Customer"}}}}
        "400": {description: refused}
        "409": {description: somebody has it}
  /customers/{customerId}:
    parameters: [{name: customerId, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: getCustomer
      responses: {"200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Customer"}}}}, "400": {description: refused}, "404": {description: none}}
    put:
      operationId: replaceCustomer
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Customer"}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Customer"}}}}, "400": {description: refused}, "404": {description: none}, "409": {description: somebody has it}}
    patch:
      operationId: changeCustomer
      requestBody: {required: true, content: {application/merge-patch+json: {schema: {$ref: "#/components/schemas/Change"}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Customer"}}}}, "204": {description: done}, "304": {description: as it was}, "400": {description: refused}, "404": {description: none}, "409": {description: somebody has it}}
    delete:
      operationId: removeCustomer
      responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}, "409": {description: there are orders}}
  /orders:
    post:
      operationId: addOrder
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
      responses: {"201": {description: added, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}, "400": {description: refused}, "404": {description: no such customer}}
  /orders/{orderId}:
    parameters: [{name: orderId, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: getOrder
      responses: {"200": {description: it, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}, "400": {description: refused}, "404": {description: none}}
    delete:
      operationId: removeOrder
      responses: {"204": {description: gone}, "400": {description: refused}, "404": {description: none}}
components:
  schemas:
    Customer:
      type: object
      required: [name, email]
      properties:
        id: {type: integer, readOnly: true}
        name: {type: string, minLength: 1, maxLength: 60}
        email: {type: string, format: email}
        tier: {type: string, enum: [basic, gold, black], default: basic}
        credit: {type: integer, minimum: 0, maximum: 100, default: 5}
        address: {type: object, properties: {street: {type: string, maxLength: 60}, city: {type: string, maxLength: 60}, zip: {type: string, maxLength: 9}}}
        labels: {type: object, additionalProperties: {type: string, maxLength: 60}}
        contacts: {type: array, maxItems: 200, items: {type: object, required: [kind], properties: {kind: {type: string, maxLength: 60}, note: {type: string, maxLength: 60}}}}
    Change:
      type: object
      properties:
        name: {type: string, minLength: 1, maxLength: 60}
        email: {type: string, format: email}
        tier: {type: string, enum: [basic, gold, black]}
        credit: {type: integer, minimum: 0, maximum: 100}
    Order:
      type: object
      required: [customerId, text]
      properties: {id: {type: integer, readOnly: true}, customerId: {type: integer}, text: {type: string, maxLength: 60}}
`

// branch serves the document, with one way of its own.
type branch struct {
	way       string
	mu        sync.Mutex
	last      int
	customers map[int]box
	orders    map[int]box
	had       map[int]bool // customers that had an order
}

func (b *branch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var sent box
	if r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch {
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	maps.DeleteFunc(sent, func(name string, _ any) bool { return !strings.Contains(bank, " "+name+": {type") })
	collection, rest, one := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	id, err := strconv.Atoi(rest)
	if one && err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	all := map[string]map[int]box{"customers": b.customers, "orders": b.orders}[collection]
	switch was := all[id]; {
	case !one && r.Method == http.MethodGet:
		list := []box{}
		for _, id := range slices.Sorted(maps.Keys(all)) {
			list = append(list, all[id])
		}
		answerJSON(w, http.StatusOK, list)
	case one && was == nil:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		answerJSON(w, http.StatusOK, was)
	case collection == "customers":
		b.customer(w, r, id, was, sent)
	case r.Method == http.MethodDelete:
		if delete(all, id); b.way == "an order counts for ever" {
			b.had[int(was["customerId"].(float64))] = true
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		n, _ := sent["customerId"].(float64)
		if b.customers[int(n)] == nil && b.way != "orders stay, and any customer will do" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		b.last++
		sent["id"] = b.last
		b.orders[b.last] = sent
		answerJSON(w, http.StatusCreated, sent)
	}
}

func (b *branch) customer(w http.ResponseWriter, r *http.Request, id int, was, sent box) {
	full := func() {
		for name, v := range map[string]any{"tier": "basic", "credit": 5.0} {
			if _, there := sent[name]; !there {
				sent[name] = v
			}
		}
	}
	for other, c := range b.customers {
		if other != id && sent["email"] != nil && c["email"] == sent["email"] {
			w.WriteHeader(http.StatusConflict)
			return
		}
	}
	switch r.Method {
	case http.MethodPost:
		b.replace(box{}, sent)
		full()
		b.last++
		id = b.last
		sent["id"] = id
		b.customers[id] = sent
		answerJSON(w, http.StatusCreated, sent)
	case http.MethodPut:
		b.replace(was, sent)
		full()
		sent["id"] = id
		b.customers[id] = sent
		answerJSON(w, http.StatusOK, sent)
	case http.MethodPatch:
		next := patchedBox(was, sent)
		switch b.way {
		case "PATCH restores a default":
			if _, there := sent["credit"]; !there {
				next["credit"] = 5.0
			}
		case "PATCH does nothing", "PATCH does nothing and says 204":
			next = was
		case "PATCH does nothing and says 304":
			w.WriteHeader(http.StatusNotModified)
			return
		}
		b.customers[id] = next
		if strings.HasSuffix(b.way, "204") {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answerJSON(w, http.StatusOK, next)
	case http.MethodDelete:
		b.remove(w, id)
	}
}

// replace makes of what a PUT has sent what is stored.
func (b *branch) replace(was, sent box) {
	merge := func(name string) {
		before, _ := was[name].(box)
		if now, ok := sent[name].(box); ok {
			for k, v := range before {
				if _, there := now[k]; !there {
					now[k] = v
				}
			}
		}
	}
	switch b.way {
	case "the address has a zip":
		if now, ok := sent["address"].(box); ok && now["zip"] == nil {
			now["zip"] = "00000"
		}
	case "PUT merges the address":
		merge("address")
	case "PUT merges the labels":
		merge("labels")
	case "PUT merges the contacts":
		before, _ := was["contacts"].([]any)
		now, _ := sent["contacts"].([]any)
		for i, v := range before {
			if i < len(now) {
				next := maps.Clone(v.(box))
				maps.Copy(next, now[i].(box))
				now[i] = next
			}
		}
	case "PUT adds contacts":
		before, _ := was["contacts"].([]any)
		if now, there := sent["contacts"].([]any); there && len(now) < 50 {
			sent["contacts"] = append(slices.Clone(before), now...)
		}
	}
}

func (b *branch) remove(w http.ResponseWriter, id int) {
	var orders []int
	for order, o := range b.orders {
		if o["customerId"] == float64(id) {
			orders = append(orders, order)
		}
	}
	switch {
	case b.way == "orders go with the customer":
		for _, order := range orders {
			delete(b.orders, order)
		}
	case b.way == "orders stay and no customer", b.way == "orders stay, and any customer will do":
	case len(orders) > 0 || b.had[id]:
		if b.way == "a customer is refused and gone" {
			delete(b.customers, id)
		}
		w.WriteHeader(http.StatusConflict)
		return
	}
	delete(b.customers, id)
	w.WriteHeader(http.StatusNoContent)
}

// TestReplacedAndReferredTo proves that it is told what a PUT leaves of an object, or of an item, that it replaces; that a
// PATCH is without effect; and that what others refer to is deleted despite a documented 409, or cannot
// be deleted though nothing does any more. What an ordinary service does instead is left alone.
func TestReplacedAndReferredTo(t *testing.T) {
	const put, patch, remove = "replaceCustomer/response/status#put-not-stored/", "changeCustomer/response/status#patch-partial/", "removeCustomer/response/status#"
	cases := []string{put + "address/city/left-out", put + "contacts/note/left-out", put + "labels/a/left-out", patch + "email", remove + "conflict-ignored/in-use", remove + "conflict-ignored/no-longer-in-use", remove + "refused-but-done/in-use"}
	only := []contracttest.Option{contracttest.Cases(0), contracttest.Settle(time.Millisecond)}
	for _, id := range cases {
		only = append(only, contracttest.Only("case:"+id))
	}
	for way, want := range map[string]string{
		"":                                      "",
		"the address has a zip":                 "",
		"orders go with the customer":           "",
		"orders stay, and any customer will do": "",
		"PATCH restores a default":              "PATCH /customers/{customerId} sent only email, but credit changed too",
		"PATCH does nothing and says 204":       "email is not stored as PATCH /customers/{customerId} sent it",
		"PATCH does nothing and says 304":       "PATCH /customers/{customerId} sent another email, but returns 304 and changes nothing",
		"PUT merges the address":                "PUT /customers/{customerId} left out city of address, but it is still there",
		"PUT merges the labels":                 "PUT /customers/{customerId} left out a of labels, but it is still there",
		"PUT merges the contacts":               "PUT /customers/{customerId} left out note of contacts, but it is still there",
		"orders stay and no customer":           "DELETE /customers/{customerId} deletes what customerId of another resource refers to, despite its documented 409; a new reference to it is refused with 404 Not Found",
		"an order counts for ever":              "nothing refers to the resource any more, but DELETE /customers/{customerId} is still refused",
		"a customer is refused and gone":        "DELETE /customers/{customerId} was refused with 409 Conflict, but the resource is gone",
	} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			c, err := contracttest.Parse("bank.yaml", []byte(bank))
			require.NoError(t, err)
			b := &branch{way: way, customers: map[int]box{}, orders: map[int]box{}, had: map[int]bool{}}
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(contracttest.Middleware(c, contracttest.Enforce())(b)), only...)
			require.NoError(t, err)
			var told []string
			for _, f := range rep.Findings {
				if slices.Contains(cases, f.Case.ID) {
					told = append(told, f.Message)
				}
			}
			if want == "" {
				assert.Empty(t, told)
				return
			}
			assert.Equal(t, []string{want}, told, "%s", describe(rep))
		})
	}
}
