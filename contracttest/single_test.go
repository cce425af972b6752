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

const masked = `
  /settings:
    get: {operationId: getSettings, responses: {"200": {description: it, content: {application/json: {schema: {type: object, properties: {title: {type: string}, mail: {type: object, properties: {host: {type: string}, key: {type: string}}}}}}}}}}
    put:
      operationId: putSettings
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [title, mail]
              properties:
                title: {type: string, minLength: 1, maxLength: 40}
                pin: {type: string, writeOnly: true, minLength: 1, maxLength: 40}
                mail: {type: object, required: REQUIRED, properties: {host: {type: string, maxLength: 40}, key: {type: string, maxLength: 40}}}
      responses: {"200": {description: it, content: {application/json: {schema: {type: object}}}}, "400": {description: bad}, "415": {description: bad}}
`

// TestMasked proves that what stands in answers in the place of a secret is not sent back for it, and that
// the run says of which members it cannot know what they were.
func TestMasked(t *testing.T) {
	for _, shown := range []string{"***", "••••••••", "xxxxxxxx", "<hidden>", "[REDACTED]", "sk-****9f3a"} {
		for _, required := range []string{"[host]", "[host, key]"} {
			t.Run(shown+" "+required, func(t *testing.T) {
				var mu sync.Mutex
				title, host, sentBack, puts := "ours", "mail.example.com", 0, 0
				c := parse(t, strings.Replace(masked, "REQUIRED", required, 1))
				h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					switch {
					case r.URL.Path != "/settings":
						w.WriteHeader(http.StatusNotFound)
						return
					case r.Method == http.MethodPut:
						members, ok := ofJSON(w, r)
						if !ok {
							return
						}
						mail, _ := members["mail"].(map[string]any)
						text, isText := members["title"].(string)
						to, isHost := mail["host"].(string)
						if !isText || text == "" || !isHost || required != "[host]" && mail["key"] == nil {
							w.WriteHeader(http.StatusBadRequest)
							return
						}
						puts++
						if title, host = text, to; mail["key"] == shown {
							sentBack++
						}
					case r.Method != http.MethodGet:
						notAllowed(w, "GET, PUT")
						return
					}
					answerJSON(w, http.StatusOK, map[string]any{"title": title, "mail": map[string]any{"host": host, "key": shown}})
				})
				rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(h), contracttest.Settle(2*time.Millisecond), contracttest.Cases(0))
				require.NoError(t, err)
				assert.Positive(t, puts)
				assert.Zero(t, sentBack)
				warnings := strings.Join(rep.Warnings, "\n")
				assert.Contains(t, warnings, "getSettings: the run has set mail, pin; no response shows what was there before")
				if required == "[host]" {
					assert.Equal(t, "ours mail.example.com", title+" "+host)
				} else {
					assert.Contains(t, warnings, "getSettings: what it was before the run could not be put back")
				}
			})
		}
	}
}
