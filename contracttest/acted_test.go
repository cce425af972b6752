package contracttest_test

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// freight is a document of resources that actions bring from state to state.
const freight = `
  /parcels:
    post:
      operationId: addParcel
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [label], properties: {label: {type: string, minLength: 1, maxLength: 40}}}}}}
      responses:
        "201": {description: made, headers: {Location: {required: true, schema: {type: string}}}, content: {application/json: {schema: {type: object}}}}
        "400": {description: refused}
        "415": {description: refused}
  /parcels/{parcelId}:
    parameters: [{name: parcelId, in: path, required: true, schema: {type: integer, minimum: 1}}]
    get: {operationId: getParcel, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}}}
  /parcels/{parcelId}/pay:
    parameters: [{name: parcelId, in: path, required: true, schema: {type: integer, minimum: 1}}]
    post: {operationId: payParcel, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}, "409": {description: not now}}}
  /parcels/{parcelId}/ship:
    parameters: [{name: parcelId, in: path, required: true, schema: {type: integer, minimum: 1}}]
    post: {operationId: shipParcel, responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: refused}, "404": {description: none}, "409": {description: not now}}}
`

// depot is a service of parcels with one way of its own.
type depot struct {
	way   string
	mu    sync.Mutex
	all   []map[string]any
	reads int
	late  map[int]map[string]any // what is to be stored when it is read for the second time
}

func (d *depot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads++
	path, below := strings.CutPrefix(r.URL.Path, "/parcels/")
	if r.URL.Path == "/parcels" {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		label, ok := sentText(w, r, "label", 40)
		if !ok {
			return
		}
		made := map[string]any{"id": len(d.all) + 1, "label": label, "state": "open", "changed": 1}
		d.all = append(d.all, made)
		w.Header().Set("Location", fmt.Sprintf("/parcels/%d", len(d.all)))
		answerJSON(w, http.StatusCreated, made)
		return
	}
	id, action, acts := strings.Cut(path, "/")
	n, err := strconv.Atoi(id)
	switch {
	case !below || acts && action != "pay" && action != "ship":
		w.WriteHeader(http.StatusNotFound)
		return
	case err != nil || n < 1:
		w.WriteHeader(http.StatusBadRequest)
		return
	case n > len(d.all):
		w.WriteHeader(http.StatusNotFound)
		return
	}
	p := d.all[n-1]
	switch {
	case !acts && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		shown := maps.Clone(p)
		if d.way == "counts reads" {
			shown["reads"] = d.reads
		}
		if d.late[n] != nil {
			d.all[n-1], d.late[n] = d.late[n], nil
		}
		answerJSON(w, http.StatusOK, shown)
	case !acts || r.Method != http.MethodPost:
		w.Header().Set("Allow", map[bool]string{true: "POST", false: "GET, HEAD"}[acts])
		w.WriteHeader(http.StatusMethodNotAllowed)
	case d.way == "pay again is the same" && action == "pay" && p["state"] == "paid":
		answerJSON(w, http.StatusOK, p)
	case p["state"] != map[string]string{"pay": "open", "ship": "paid"}[action] && d.way != action+" is taken in every state":
		w.WriteHeader(http.StatusConflict)
	default:
		next := maps.Clone(p)
		next["state"] = map[string]string{"pay": "paid", "ship": "shipped"}[action]
		next["changed"] = p["changed"].(int) + 1
		stored := next
		switch d.way {
		case action + " is not stored":
			stored = p
		case action + " is stored in part":
			stored = maps.Clone(next)
			stored["changed"] = p["changed"]
		case action + " is late":
			stored, d.late = p, map[int]map[string]any{n: next}
		case "a receipt":
			answerJSON(w, http.StatusOK, map[string]any{"id": n + 1000, "parcelId": n, "state": "booked"})
			d.all[n-1] = next
			return
		case "an order that is under way":
			answerJSON(w, http.StatusOK, map[string]any{"parcelId": n, "state": "booked"})
			return
		case "another spelling":
			answerJSON(w, http.StatusOK, map[string]any{"id": n, "label": strings.ToUpper(p["label"].(string)), "state": next["state"]})
			d.all[n-1] = next
			return
		case "counts reads":
			next["reads"] = d.reads
			stored = p
			stored["state"], stored["changed"] = next["state"], next["changed"]
		}
		d.all[n-1] = stored
		answerJSON(w, http.StatusOK, next)
	}
}

// TestActed proves that what an action answers is read then, that one with a 409 is refused in
// some state, and that answers which are of something else are left alone.
func TestActed(t *testing.T) {
	for way, want := range map[string]string{
		"":                            "",
		"a receipt":                   "",
		"an order that is under way":  "",
		"another spelling":            "",
		"counts reads":                "",
		"pay is late":                 "payParcel: a read did not show what POST /parcels/{parcelId}/pay returned at first, but a little later it was right",
		"pay is not stored":           "payParcel: POST /parcels/{parcelId}/pay responds with a change of changed, state, but a read shows the old value",
		"pay is stored in part":       "payParcel: POST /parcels/{parcelId}/pay responds with a change of changed, but a read shows the old value",
		"ship is not stored":          "shipParcel: POST /parcels/{parcelId}/ship responds with a change of changed, state, but a read shows the old value",
		"pay again is the same":       "",
		"pay is taken in every state": "payParcel: POST /parcels/{parcelId}/pay is accepted whatever the state is, despite its documented 409",
	} {
		t.Run(way, func(t *testing.T) {
			rep, err := contracttest.Run(t.Context(), parse(t, freight), contracttest.Handler(&depot{way: way}), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
			require.NoError(t, err)
			var found []string
			id := ""
			for _, f := range rep.Findings {
				if strings.Contains(f.Case.ID, "/response/status#") {
					id = f.Case.ID
					found = append(found, f.Operation+": "+f.Message)
					assert.Equal(t, "warning", f.Severity)
				}
			}
			if want == "" {
				assert.Empty(t, found)
			} else {
				assert.Equal(t, []string{want}, found)
				_, err := contracttest.Run(t.Context(), parse(t, freight), contracttest.Handler(&depot{way: way}), contracttest.Settle(2*time.Millisecond), contracttest.Only("case:"+id))
				require.NoError(t, err, "the sequence can be sent alone")
			}
		})
	}
}
