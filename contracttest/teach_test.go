package contracttest_test

import (
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// guests is a document that says less of a guest than its service wants.
const guests = `
  /guests:
    post:
      operationId: addGuest
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [nick, born, endsAt]
              properties:
                nick: {type: string}
                born: {type: string}
                endsAt: {type: string, format: date-time}
                meal: {type: string}
                vegan: {type: boolean}
      responses:
        "201": {description: welcome}
        "400": {description: bad, content: {application/json: {}, text/plain: {}}}
        "415": {description: no JSON}
`

// TestWordsTeach proves that a valid request which is refused is made anew by what the refusal
// says, so that the rest of the operation is tested.
func TestWordsTeach(t *testing.T) {
	lower := regexp.MustCompile(`^[a-z]{2,10}$`)
	for _, tt := range []struct {
		name   string
		refuse func(members map[string]any) string // the body of a 400
	}{
		{"a pattern", func(m map[string]any) string {
			if !regexp.MustCompile(`^[A-Z]{3}-[0-9]{3}$`).MatchString(m["nick"].(string)) {
				return `{"message": "nick must match ^[A-Z]{3}-[0-9]{3}$"}`
			}
			return ""
		}},
		{"a date beside its place", func(m map[string]any) string {
			if _, err := time.Parse(time.DateOnly, m["born"].(string)); err != nil {
				return `{"detail": [{"loc": ["body", "born"], "msg": "Input should be a valid date"}]}`
			}
			return ""
		}},
		{"one thing after the other", func(m map[string]any) string {
			if !lower.MatchString(m["nick"].(string)) {
				return `{"errors": {"nick": ["must match the pattern ^[a-z]{2,10}$"]}}`
			}
			if _, err := time.Parse(time.RFC3339, m["born"].(string)); err != nil {
				return `{"errors": {"born": ["is no RFC 3339 timestamp"]}}`
			}
			return ""
		}},
		{"both at once", func(m map[string]any) string {
			_, err := time.Parse(time.DateOnly, m["born"].(string))
			if err != nil || !lower.MatchString(m["nick"].(string)) {
				return "Key: 'Guest.Nick' Error: 'Nick' must match ^[a-z]{2,10}$\nKey: 'Guest.Born' Error: 'Born' must be a date"
			}
			return ""
		}},
		{"a choice", func(m map[string]any) string {
			if !slices.Contains([]string{"red", "green"}, m["nick"].(string)) {
				return `{"message": "nick: must be one of red, green"}`
			}
			return ""
		}},
		{"a time to come, of what is named in other words", func(m map[string]any) string {
			if at, err := time.Parse(time.RFC3339, m["endsAt"].(string)); err != nil || at.Year() < 2050 {
				return `{"error": "End time can't be in the past"}`
			}
			return ""
		}},
		{"what is taken, though no 409 is documented", unique("nick")},
		{"less than there is", func(m map[string]any) string {
			if m["vegan"] != nil {
				return `{"message": "not this"}`
			}
			return ""
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var mu sync.Mutex
			welcome := 0
			rep, err := contracttest.Run(t.Context(), parse(t, guests), contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !posted(w, r, "/guests") {
					return
				}
				m, ok := ofJSON(w, r)
				if !ok {
					return
				}
				for _, name := range []string{"nick", "born", "endsAt", "meal"} {
					if _, isText := m[name].(string); !isText && (name != "meal" || m[name] != nil) {
						w.WriteHeader(http.StatusBadRequest)
						return
					}
				}
				if text := tt.refuse(m); text != "" {
					w.Header().Set("Content-Type", "application/json")
					if text[0] != '{' {
						w.Header().Set("Content-Type", "text/plain")
					}
					w.WriteHeader(http.StatusBadRequest)
					_, _ = fmt.Fprint(w, text)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				welcome++
				w.WriteHeader(http.StatusCreated)
			})), contracttest.Cases(0))
			require.NoError(t, err)
			assert.Empty(t, rep.Unproven, "%s", describe(rep))
			assert.Greater(t, welcome, 50)
		})
	}
}

// TestWordsTeachWithout201 proves the same of a POST that makes nothing which has a path, or nothing at all.
func TestWordsTeachWithout201(t *testing.T) {
	const searches = `
  /search:
    post:
      operationId: search
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [words], properties: {words: {type: string}, most: {type: integer}}}}}}
      responses: {"200": {description: found}, "400": {description: bad, content: {application/json: {}}}, "415": {description: no JSON}}
`
	words := regexp.MustCompile(`^[a-z]{2,5}$`)
	var found atomic.Int64
	rep, err := contracttest.Run(t.Context(), parse(t, searches), contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !posted(w, r, "/search") {
			return
		}
		m, ok := ofJSON(w, r)
		if !ok {
			return
		}
		most, isNumber := m["most"].(float64)
		if text, _ := m["words"].(string); !words.MatchString(text) || m["most"] != nil && (!isNumber || most != math.Trunc(most)) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, `{"message": "words must match ^[a-z]{2,5}$"}`)
			return
		}
		found.Add(1)
	})), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Empty(t, rep.Unproven, "%s", describe(rep))
	assert.Greater(t, found.Load(), int64(10))
}

// labels is a document of a map, and of a list, that say of neither that they have to hold something.
const labels = `
  /labels:
    post:
      operationId: label
      requestBody: {required: true, content: {application/json: {schema: %s}}}
      responses:
        "201": {description: made}
        "400": {description: bad, content: {application/json: {}}}
        "415": {description: no JSON}
`

// TestNothingIsNotEnough proves that where a map or a list without anything in it is refused for
// that, the others are made of one that has something.
func TestNothingIsNotEnough(t *testing.T) {
	for schema, words := range map[string]string{
		"{type: object, additionalProperties: {type: string}}":                "the body must not be empty",
		"{type: object, minProperties: 0, additionalProperties: {}}":          "at least one label is required",
		"{type: array, items: {type: object, required: [a], properties: {}}}": "labels can't be empty",
	} {
		t.Run(words, func(t *testing.T) {
			done := 0
			rep, err := contracttest.Run(t.Context(), parse(t, fmt.Sprintf(labels, schema)), contracttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !posted(w, r, "/labels") {
					return
				}
				v, ok := bodyOfJSON(w, r)
				if !ok {
					return
				}
				members, _ := v.(map[string]any)
				items, _ := v.([]any)
				if len(members)+len(items) == 0 {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusBadRequest)
					_, _ = fmt.Fprintf(w, `{"message": %q}`, words)
					return
				}
				done++
				w.WriteHeader(http.StatusCreated)
			})), contracttest.Cases(0), contracttest.Workers(1))
			require.NoError(t, err)
			assert.Empty(t, rep.Unproven, "%s", describe(rep))
			assert.Positive(t, done)
		})
	}
}

// unique refuses a text of a name that was there before.
func unique(name string) func(members map[string]any) string {
	var mu sync.Mutex
	seen := map[any]bool{}
	return func(m map[string]any) string {
		mu.Lock()
		defer mu.Unlock()
		if seen[m[name]] {
			return `{"message": "` + name + ` is already taken"}`
		}
		seen[m[name]] = true
		return ""
	}
}
