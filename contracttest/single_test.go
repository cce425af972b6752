package contracttest_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

const office = `
  /settings: &one
    get: &read {operationId: getSettings, security: [{key: []}], responses: {"200": {description: it, content: {application/json: {schema: {type: object, properties: {title: {type: string}}}}}}, "401": {description: who}}}
    put: &write
      operationId: putSettings
      security: [{key: []}]
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [title], properties: {title: {type: string, minLength: 1, maxLength: 40}}}}}}
      responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "401": {description: who}, "415": {description: bad}}
  /me:
    get: {<<: *read, operationId: getMe}
    put: {<<: *write, operationId: putMe}
components:
  securitySchemes:
    key: {type: apiKey, in: header, name: X-Key}
`

// frontDesk is a service whose settings all users share, while each has a /me of his own.
type frontDesk struct {
	mu  sync.Mutex
	all map[string]string
}

func (d *frontDesk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	key := r.Header.Get("X-Key")
	at := strings.TrimPrefix(r.URL.Path, "/")
	if at == "me" {
		at += " of " + key
	}
	switch {
	case at != "settings" && r.URL.Path != "/me":
		w.WriteHeader(http.StatusNotFound)
	case r.Method != http.MethodGet && r.Method != http.MethodPut:
		notAllowed(w, "GET, PUT")
	case key != "ada" && key != "bob":
		w.Header().Set("WWW-Authenticate", "Key")
		w.WriteHeader(http.StatusUnauthorized)
	case r.Method == http.MethodPut:
		title, ok := sentText(w, r, "title", 40)
		if !ok {
			return
		}
		d.all[at] = title
		fallthrough
	default:
		answerJSON(w, http.StatusOK, map[string]any{"title": d.all[at]})
	}
}

// TestSinglesOfPeers proves that what there is but one of is no object of the run's own that another user
// must not see, and that his own is left alone.
func TestSinglesOfPeers(t *testing.T) {
	d := &frontDesk{all: map[string]string{"settings": "ours", "me of ada": "Ada", "me of bob": "Bob"}}
	rep, err := contracttest.Run(t.Context(), parse(t, office), contracttest.Handler(d), contracttest.Values("X-Key", "ada"), contracttest.Values("key", "ada"),
		contracttest.Peer("X-Key", "bob"), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Empty(t, about(rep, "object-shared"))
	assert.Equal(t, map[string]string{"settings": "ours", "me of ada": "Ada", "me of bob": "Bob"}, d.all)
}
