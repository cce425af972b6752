package crud_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/crud"
)

// TestDefectsAreSeen proves that each defect is one: a client who does this and that,
// and looks at what came of it, sees something else than of the correct service.
func TestDefectsAreSeen(t *testing.T) {
	correct := map[crud.Dress]string{}
	for n, d := range crud.Defects() {
		if !*all && n%10 != 0 {
			continue
		}
		if _, known := correct[d.Dress]; !known {
			correct[d.Dress] = script(t, d.Dress)
			require.Equal(t, correct[d.Dress], script(t, d.Dress), "the same again: %+v", d.Dress)
		}
		assert.NotEqual(t, correct[d.Dress], script(t, d.Dress, d), "nobody sees: %s (%s)", d.Name, d.Doc)
	}
}

// caller writes down what it does and sees.
type caller struct {
	ctx  context.Context
	s    *crud.Service
	mu   sync.Mutex
	seen strings.Builder
}

// do sends a request; fields are "Name: value".
func (c *caller) do(method, path, body string, fields ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(c.ctx, method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+crud.Token)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	for _, field := range fields {
		name, v, _ := strings.Cut(field, ": ")
		r.Header.Set(name, v)
	}
	rec := httptest.NewRecorder()
	c.s.ServeHTTP(rec, r)
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(&c.seen, method, path, body, fields, rec.Code, rec.Header(), rec.Body)
	return rec
}

// look reads all that there may be.
func (c *caller) look() {
	const most = 8
	for team := 2; team < most; team++ {
		path := fmt.Sprintf("/teams/%d", team)
		c.do(http.MethodHead, path, "")
		c.do(http.MethodGet, path, "")
		c.do(http.MethodGet, path+"/notes", "")
		for note := 1; note < 5; note++ {
			c.do(http.MethodGet, fmt.Sprintf("%s/notes/n-%d", path, note), "")
			c.do(http.MethodHead, fmt.Sprintf("%s/notes/n-%d", path, note), "")
		}
	}
	c.do(http.MethodGet, "/teams", "")
}

// atOnce sends requests together, of which the order is open, and writes down how many were
// answered in which way.
func (c *caller) atOnce(send ...func() *httptest.ResponseRecorder) {
	var wg sync.WaitGroup
	codes := make([]string, len(send))
	before := c.seen.Len()
	for i, f := range send {
		wg.Go(func() {
			rec := f()
			codes[i] = fmt.Sprint(rec.Code, rec.Header().Get("Location"))
		})
	}
	wg.Wait()
	kept := c.seen.String()[:before]
	c.seen.Reset()
	c.seen.WriteString(kept)
	counts := map[string]int{}
	for _, code := range codes {
		counts[code]++
	}
	fmt.Fprintln(&c.seen, "at once:", counts)
}

func script(t *testing.T, dress crud.Dress, defects ...crud.Defect) string {
	t.Helper()
	s, err := crud.New(dress, defects...)
	require.NoError(t, err)
	c := &caller{ctx: t.Context(), s: s}
	const post, put, patch, del, get = http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodGet
	long := strings.Repeat("long ", 7)
	team := func(name string, more string) string {
		return fmt.Sprintf(`{"name":%q,"email":"%s@example.com"%s}`, name, strings.ToLower(strings.Fields(name)[0]), more)
	}
	c.do(post, "/teams", team("Ada", `,"size":345,"color":"blue"`))                                    // 2
	c.do(post, "/teams", team("Bob "+long, ``))                                                        // 3
	c.do(post, "/teams", team("Zoe Zoë", `,"size":7,"createdAt":"2001-02-03T04:05:06Z","admin":true`)) // 4
	c.do(post, "/teams", team("Dan", `,"color":"green"`))                                              // 5
	notes := []string{
		`{"title":"first","text":"one text","pinned":true}`, `{"title":"second","pinned":true}`, `{"title":"third","text":"` + strings.Repeat("long ", 30) + `"}`,
	}
	for _, n := range notes {
		c.do(post, "/teams/2/notes", n)
		c.do(post, "/teams/4/notes", strings.Replace(n, "\":\"", "\":\"other ", 2))
	}
	c.do(post, "/teams/3/notes", notes[0])
	c.look()
	c.do(get, "/teams?name=Ada", "")
	c.do(get, "/teams?name=Nobody", "")
	c.do(get, "/teams/2/notes?pinned=true", "")
	c.do(get, "/teams/2/notes?pinned=false", "")
	for _, after := range []string{"0", "1", "2", "3", "4", "5"} {
		c.do(get, "/teams?limit=1&after="+after, "")
		c.do(get, "/teams?limit=2&after="+after, "")
	}

	// Keys, other callers, what is not to be written, edges.
	const asPeer = "Authorization: Bearer " + crud.Peer
	for _, path := range []string{"/teams/2", "/teams/3"} {
		c.do(post, path+"/notes", `{"title":"keyed"}`, "Idempotency-Key: a")
		c.do(post, path+"/notes", `{"title":"keyed"}`, "Idempotency-Key: a")
		c.do(post, path+"/notes", `{"title":"other"}`, "Idempotency-Key: a")
		c.do(get, path+"/notes", "")
		c.do(patch, path+"/notes/n-1", `{"pinned":true,"admin":1}`)
		c.do(patch, path+"/notes/n-1", `{"pinned":true}`)
		c.do(get, path+"/notes?pinned=true", "")
		c.do(patch, path+"/notes/n-1", `{"pinned":false}`)
		c.do(get, path+"/notes?pinned=true", "")
	}
	for _, path := range []string{"/teams/3", "/teams/3/notes/n-1"} {
		full, some := team("Una", ``), `{"size":11}`
		if strings.Contains(path, "notes") {
			full, some = `{"title":"una"}`, `{"text":"una"}`
			c.do(get, "/teams/3/notes", "", asPeer)
			c.do(post, "/teams/3/notes", `{"title":"peer"}`, asPeer)
		}
		c.do(get, path, "", asPeer)
		c.do(put, path, full, asPeer)
		c.do(patch, path, some, asPeer)
		c.look()
		c.do(patch, path, some)
		c.do(get, path, "", asPeer)
		c.do(del, path, "", asPeer)
		c.look()
	}
	c.do(get, "/teams", "", asPeer)
	c.do(put, "/teams/4", team("Zoe Zoë", `,"size":300,"color":"blue","createdAt":"2001-02-03T04:05:06Z"`))
	c.do(put, "/teams/4", team("Zoe Zoë", `,"color":"green"`))
	c.do(patch, "/teams/4", `{"size":600}`)
	c.do(put, "/teams/4/notes/n-1", `{"title":"other first","text":"`+strings.Repeat("long ", 30)+`","pinned":true}`)
	c.look()
	c.do(put, "/teams/4/notes/n-1", `{"title":"other first","text":"one other text"}`)
	c.look()
	c.do(patch, "/teams/4", `{"size":7}`)
	c.do(put, "/teams/4/notes/n-1", `{"title":"other first","text":"one other text","pinned":true}`)
	c.do(post, "/teams/4/notes", `{"title":"empty","text":""}`)
	c.do(get, "/teams/4/notes/n-4", "")
	c.do(del, "/teams/4/notes/n-4", "")
	for _, size := range []string{"0", "null"} {
		path := cmp.Or(c.do(post, "/teams", team("Wim", `,"size":`+size)).Header().Get("Location"), "/teams/99")
		c.do(get, path, "")
		c.do(get, "/teams?name=Wim&limit=1", "")
		c.do(get, "/teams/777", "")
		c.do(put, "/teams/777", team("Xan", ``))
		c.do(get, "/teams/777", "")
		c.do(del, "/teams/777", "")
		c.do(get, path, "", asPeer)
		c.do(del, path, "")
		c.do(http.MethodHead, path, "")
		c.do(get, path, "")
		c.do(del, path, "")
	}
	c.do(get, "/teams", "")
	c.do(post, "/teams", team("Adam", ``))
	c.do(get, "/teams?name=Ada", "")
	c.do(get, "/teams?name=Adam", "")
	c.atOnce(func() *httptest.ResponseRecorder { return c.do(patch, "/teams/5", `{"size":40}`) }, func() *httptest.ResponseRecorder { return c.do(patch, "/teams/5", `{"color":"blue"}`) })
	c.do(get, "/teams/5", "")
	c.do(put, "/teams/5", team("Dan", `,"color":"green"`))

	// Validators.
	tag := func(path string) string { return c.do(get, path, "").Header().Get("ETag") }
	one := tag("/teams/2")
	match := func(of string) string { return "If-Match: " + of }
	for _, path := range []string{"/teams/2", "/teams/2/notes/n-1"} {
		full, some := team("Ada", `,"size":9`), `{"size":10}`
		if strings.Contains(path, "notes") {
			full, some = `{"title":"first","text":"two"}`, `{"text":"three"}`
		}
		old := tag(path)
		c.do(get, path, "", "If-None-Match: "+old)
		c.do(get, path, "", "If-None-Match: \"no\"")
		c.do(get, path, "", "If-None-Match: \"no\", "+old)
		c.do(get, path, "", "If-None-Match: W/"+old)
		c.do(put, path, full, match(old))
		c.do(get, path, "", "If-None-Match: "+old)
		c.do(put, path, full, match(old))
		c.do(patch, path, some, match(old))
		c.do(del, path, "", match(old))
		c.look()
		c.do(patch, path, some, match(tag(path)))
		c.do(put, path, full, match("*"))
		c.do(put, path, full, match(`"no", `+tag(path)))
		c.do(put, path, full, match("W/"+tag(path)))
		now := tag(path)
		c.atOnce(func() *httptest.ResponseRecorder { return c.do(put, path, full, match(now)) }, func() *httptest.ResponseRecorder { return c.do(put, path, full, match(now)) })
	}
	c.do(patch, "/teams/2", `{"size":77}`, match(one))
	c.look()

	// Changes.
	for range 2 {
		c.do(put, "/teams/2", team("Ada", `,"size":20,"color":"green"`))
		c.do(put, "/teams/2/notes/n-1", `{"title":"first","text":"ten","pinned":true}`)
		c.look()
	}
	c.do(put, "/teams/2", team("Eve", ``))
	c.do(put, "/teams/2/notes/n-1", `{"title":"changed"}`)
	c.look()
	c.do(put, "/teams/3", team("Bob", `,"size":30,"color":"green"`))
	c.look()
	c.do(put, "/teams/3", team("Bob", ``))
	c.do(post, "/teams", team("Ada", `,"size":1`)) // 6: the name is free again
	c.look()
	c.do(patch, "/teams/4", `{"color":"blue"}`)
	c.do(patch, "/teams/4", `{"name":"Zoe"}`)
	c.look()
	c.do(patch, "/teams/4", `{"size":null}`)
	c.do(patch, "/teams/4/notes/n-1", `{"title":"fourth","text":"more"}`)
	c.look()
	c.do(patch, "/teams/4/notes/n-1", `{"title":"fifth"}`)
	c.do(post, "/teams/4/notes", `{"title":"fourth"}`)
	c.do(patch, "/teams/4/notes/n-1", `{"text":null}`)
	c.do(patch, "/teams/5", `{"size":5,"color":"red"}`)
	c.look()

	// What is refused.
	for _, path := range []string{"/teams", "/teams/4/notes"} {
		taken, bad, good := team("Bob", `,"size":1`), `{"name":"Ivy","email":"ivy@example.com","size":-1}`, team("Kim", ``)
		if path != "/teams" {
			taken, bad, good = `{"title":"fifth"}`, `{"title":"sixth","text":"left over","pinned":7}`, `{"title":"seventh"}`
		}
		c.do(post, path, taken)
		c.do(post, path, bad)
		c.do(post, path, good, "Authorization: Bearer other")
		c.do(post, path, good, "Content-Type: text/plain")
		c.look()
		c.do(post, path, good)
	}
	c.do(post, "/teams", `{"name":"Lea","email":"dan@example.com"}`)
	c.do(post, "/teams", team("Lea", ``))
	for _, path := range []string{"/teams/4", "/teams/4/notes/n-1"} {
		taken, bad, good := `{"name":"Bob","email":"zoe@example.com","size":40,"color":"green"}`, `{"name":"Mia","email":"mia@example.com","size":-1}`, team("Ned", ``)
		part, takenPart, badPart := `{"size":50}`, `{"name":"Bob","size":60}`, `{"size":70,"color":"none"}`
		if path != "/teams/4" {
			taken, bad, good = `{"title":"seventh","text":"taken"}`, `{"title":"eighth","pinned":7}`, `{"title":"ninth","text":"good"}`
			part, takenPart, badPart = `{"pinned":true}`, `{"title":"seventh","text":"taken"}`, `{"text":"part","pinned":7}`
		}
		for _, how := range []string{"Authorization: Bearer other", "Content-Type: text/plain", `If-Match: "no"`} {
			c.do(put, path, good, how)
			c.look()
			c.do(patch, path, part, how)
			c.look()
			if !strings.HasPrefix(how, "Content-Type") {
				c.do(del, path, "", how)
				c.look()
			}
		}
		c.do(put, path, taken)
		c.look()
		c.do(put, path, bad)
		c.look()
		c.do(patch, path, takenPart)
		c.look()
		c.do(patch, path, badPart)
		c.look()
		c.do(patch, path, part)
		c.look()
		c.do(put, path, good)
		c.look()
	}

	// Notes below another team.
	c.do(get, "/teams/5/notes/n-1", "")
	c.do(put, "/teams/5/notes/n-1", `{"title":"moved"}`)
	c.do(del, "/teams/5/notes/n-1", "")
	c.look()

	// What is deleted, and what is asked of it then.
	again := func(paths ...string) {
		for _, path := range paths {
			full, some := team("Pat", ``), `{"size":1}`
			if strings.Contains(path, "notes") {
				full, some = `{"title":"again"}`, `{"text":"again"}`
			}
			c.do(get, path, "")
			c.do(del, path, "")
			c.do(patch, path, some)
			c.do(put, path, full)
		}
		c.look()
	}
	c.do(del, "/teams/4/notes/n-1", "")
	again("/teams/4/notes/n-1")
	c.do(del, "/teams/2/notes/n-2", "")
	again("/teams/2/notes/n-2")
	c.do(post, "/teams/2/notes", `{"title":"tenth"}`)
	c.look()
	c.do(post, "/teams/2/notes", `{"title":"second"}`)
	c.look()
	c.do(del, "/teams/2", "")
	c.do(post, "/teams/2/notes", `{"title":"below nothing"}`)
	c.do(get, "/teams/2/notes", "")
	c.do(get, "/teams/2/notes/n-1", "")
	again("/teams/2")
	c.do(post, "/teams", team("Eve", ``))
	c.do(del, "/teams/5", "")
	c.do(post, "/teams", team("Qin", ``))
	c.do(del, "/teams/3", "")
	c.look()
	c.atOnce(func() *httptest.ResponseRecorder { return c.do(post, "/teams", team("Ron", ``)) }, func() *httptest.ResponseRecorder { return c.do(post, "/teams", team("Sue", ``)) })
	return c.seen.String()
}
