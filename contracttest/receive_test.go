package contracttest_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/racing"
)

const callbacks = `
openapi: 3.1.0
info: {title: callbacks, version: "1"}
components:
  schemas:
    Event: {type: object, required: [id, kind], additionalProperties: false, properties: {id: {type: integer, readOnly: true}, kind: {enum: [made, gone]}, at: {type: string, format: date-time}}}
paths:
  /subscriptions:
    post:
      operationId: subscribe
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [topic], properties: {topic: {type: string, pattern: '^[a-z]{1,9}$'}, to: {type: object, required: [url], properties: {url: {type: string, maxLength: 200}}}}}}}}
      responses: {"201": {description: made}, "400": {description: bad}, "415": {description: no JSON}}
      callbacks:
        event:
          '{$request.body#/to/url}/{$request.body#/topic}?version=1':
            post:
              parameters: [{name: X-Delivery, in: header, required: true, schema: {type: integer, minimum: 1}}]
              requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Event'}}}}
              responses: {"202": {description: taken}}
  /jobs:
    post:
      operationId: start
      parameters: [{name: notify, in: query, schema: {type: string, maxLength: 200}}]
      responses: {"202": {description: begun}, "400": {description: bad}}
      callbacks:
        done: {'{$request.query.notify}': {put: {requestBody: {required: true, content: {text/plain: {schema: {enum: [done, failed]}}}}, responses: {"204": {description: taken}}}}}
        elsewhere: {'https://example.com/{$request.query.notify}': {post: {responses: {"204": {description: taken}}}}}
webhooks:
  gone:
    post:
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Event'}}}}
      responses: {"200": {description: taken}}
`

// notifier is a service that sends what its document says, but for what is replaced in it.
type notifier struct {
	replace [2]string // in a request as it is written
	silent  string    // what is not sent
	later   bool      // it is sent once the answer is
	client  *http.Client

	mu   sync.Mutex
	sent map[string]int
}

// once reports whether something has to be sent: of each kind there are only a few.
func (s *notifier) once(what string) bool {
	const most = 3
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent == nil {
		s.sent = map[string]int{}
	}
	s.sent[what]++
	return s.silent != what && s.sent[what] <= most
}

func (s *notifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/subscriptions" && r.Method == http.MethodPost:
		sent, ok := ofJSON(w, r)
		if !ok {
			return
		}
		topic, isText := sent["topic"].(string)
		to, isObject := sent["to"].(map[string]any)
		at, hasURL := to["url"].(string)
		_, there := sent["to"]
		if !isText || strings.Trim(topic, "abcdefghijklmnopqrstuvwxyz") != "" || topic == "" || len(topic) > 9 || there && (!isObject || !hasURL || len([]rune(at)) > 200) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.send(r.Context(), "event", "POST "+at+"/"+topic+"?version=1\nContent-Type: application/json\nX-Delivery: 7\n\n"+`{"id": 5, "kind": "made", "at": "2026-01-02T03:04:05Z"}`)
		if u, err := url.Parse(at); err == nil {
			s.send(r.Context(), "gone", "POST "+u.Scheme+"://"+u.Host+"/webhooks\nContent-Type: application/json\n\n"+`{"id": 6, "kind": "gone"}`)
		}
		w.WriteHeader(http.StatusCreated)
	case r.URL.Path == "/jobs" && r.Method == http.MethodPost:
		all := r.URL.Query()["notify"]
		if len(all) > 1 || len(all) == 1 && len([]rune(all[0])) > 200 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if len(all) == 1 {
			s.send(r.Context(), "done", "PUT "+all[0]+"\nContent-Type: text/plain\n\ndone")
		}
		w.WriteHeader(http.StatusAccepted)
	case r.URL.Path == "/jobs", r.URL.Path == "/subscriptions":
		w.Header().Set("Allow", "POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// send sends a request as it is written.
func (s *notifier) send(ctx context.Context, what, text string) {
	if s.replace[0] != "" {
		text = strings.Replace(text, s.replace[0], s.replace[1], 1)
	}
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	method, at, _ := strings.Cut(lines[0], " ")
	if u, err := url.Parse(at); err != nil || u.Hostname() != "127.0.0.1" || !s.once(what) {
		return
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), method, at, strings.NewReader(body))
	if err != nil {
		return
	}
	for _, line := range lines[1:] {
		if name, v, ok := strings.Cut(line, ": "); ok {
			req.Header.Set(name, v)
		}
	}
	do := func() {
		if resp, err := cmp.Or(s.client, http.DefaultClient).Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	if s.later {
		go do()
		return
	}
	do()
}

func runCallbacks(t *testing.T, s *notifier, opts ...contracttest.Option) *contracttest.Report {
	t.Helper()
	c, err := contracttest.Parse("callbacks.yaml", []byte(callbacks))
	require.NoError(t, err)
	opts = append([]contracttest.Option{contracttest.Receive("127.0.0.1:0"), contracttest.Timeout(time.Minute), contracttest.Settle(20 * time.Second)}, opts...)
	rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(s), opts...)
	require.NoError(t, err)
	return rep
}

// unreachedOf are the clauses of what the target sends that were never tried, with the reasons.
func unreachedOf(rep *contracttest.Report) string {
	var b strings.Builder
	for _, u := range rep.Coverage.Unreached {
		if strings.Contains(u.Clause, "callbacks/") || strings.HasPrefix(u.Clause, "webhooks/") {
			fmt.Fprintf(&b, "%s: %s\n", u.Clause, u.Reason)
		}
	}
	return b.String()
}

// TestReceiveLawful proves that nothing is found of a service that sends what it should, before its
// answer or after it.
func TestReceiveLawful(t *testing.T) {
	t.Parallel()
	for seed := range 20 {
		if !racing.Take(seed, 5) {
			continue
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rep := runCallbacks(t, &notifier{later: seed%4 == 0}, contracttest.Seed(int64(seed)), contracttest.Cases(3))
			assert.Zero(t, rep.Errors(), "%s", describe(rep))
			assert.NotContains(t, describe(rep), "request-invalid")
			if seed%4 != 0 { // else nobody waits for the webhook
				assert.Equal(t, "start/callbacks/elsewhere/url: the callback's URL does not begin with a value of the request: https://example.com/{$request.query.notify}\n"+
					"start/callbacks/elsewhere/post/method: the callback's URL does not begin with a value of the request: https://example.com/{$request.query.notify}\n"+
					"webhooks/gone/body/at/type: no received request had it\nwebhooks/gone/body/at/format: no received request had it\n", unreachedOf(rep))
			}
		})
	}
}

// TestReceiveDefects proves that each clause of what the target sends is judged.
func TestReceiveDefects(t *testing.T) {
	t.Parallel()
	const event, gone = "subscribe/callbacks/event/", "webhooks/gone/"
	for i, tt := range []struct{ find, put, clause string }{
		{"?version=1", "", event + "url"}, {"?version=1", "?version=2", event + "url"},
		{"POST http://127.0.0.1:", "PUT http://127.0.0.1:", event + "post/method"},
		{"X-Delivery", "X-Other", event + "header/X-Delivery/required"}, {"X-Delivery: 7", "X-Delivery: 0", event + "header/X-Delivery/minimum"}, {"X-Delivery: 7", "X-Delivery: x", event + "header/X-Delivery/type"},
		{`{"id": 5, "kind": "made", "at": "2026-01-02T03:04:05Z"}`, "", event + "body/required"}, {"application/json\nX-Del", "text/plain\nX-Del", event + "body/media-type"},
		{`{"id": 5`, `{"id": 5,`, event + "body/syntax"}, {`"id": 5, `, "", event + "body/id/required"}, {`"id": 5`, `"id": "5"`, event + "body/id/type"},
		{"made", "other", event + "body/kind/enum"}, {`"2026-01-02T03:04:05Z"`, "2026", event + "body/at/type"}, {`"kind": "made"`, `"kind": "made", "more": 1`, event + "body/additionalProperties"},
		{"PUT", "POST", "start/callbacks/done/put/method"}, {"\n\ndone", "\n\nother", "start/callbacks/done/body/enum"}, {"text/plain\n\ndone", "text/html\n\ndone", "start/callbacks/done/body/media-type"},
		{`"kind": "gone"`, `"kind": "x"`, gone + "body/kind/enum"}, {`"id": 6, `, ``, gone + "body/id/required"}, {`{"id": 6, "kind": "gone"}`, ``, gone + "body/required"},
		{"application/json\n\n{\"id\": 6", "text/plain\n\n{\"id\": 6", gone + "body/media-type"},
	} {
		if !racing.Take(i, 5) {
			continue
		}
		t.Run(tt.clause+" "+tt.put, func(t *testing.T) {
			t.Parallel()
			rep := runCallbacks(t, &notifier{replace: [2]string{tt.find, tt.put}}, contracttest.Cases(0))
			assert.Contains(t, describe(rep), "error request-invalid "+tt.clause+":", "%s", describe(rep))
			if !strings.HasPrefix(tt.find, "POST") { // which the webhook is sent by, too
				assert.Equal(t, 1, rep.Errors(), "%s", describe(rep))
			}
		})
	}
}

// TestReceiveTLS proves that what the target sends over TLS is judged, and that files which hold no
// certificate are named.
func TestReceiveTLS(t *testing.T) {
	t.Parallel()
	known := httptest.NewTLSServer(nil)
	defer known.Close()
	pair := known.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	file := filepath.Join(t.TempDir(), "both.pem")
	require.NoError(t, os.WriteFile(file, append(cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...), 0o600))

	rep := runCallbacks(t, &notifier{client: known.Client()}, contracttest.ReceiveTLS(file, ""), contracttest.Cases(0))
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.NotContains(t, unreachedOf(rep), "sent no such request")
	rep = runCallbacks(t, &notifier{client: known.Client(), replace: [2]string{`"kind": "made"`, `"kind": "x"`}}, contracttest.ReceiveTLS(file, file), contracttest.Cases(0))
	assert.Contains(t, describe(rep), "error request-invalid subscribe/callbacks/event/body/kind/enum:")

	c, err := contracttest.Parse("callbacks.yaml", []byte(callbacks))
	require.NoError(t, err)
	_, err = contracttest.Run(t.Context(), c, contracttest.Handler(&notifier{}), contracttest.ReceiveTLS("no.pem", ""))
	require.ErrorContains(t, err, "receive: cert no.pem")
}

// TestReceiveWebhooksAlone proves that a document may have nothing but webhooks: one of each is waited
// for.
func TestReceiveWebhooksAlone(t *testing.T) {
	t.Parallel()
	c, err := contracttest.Parse("webhooks.yaml", []byte(`
openapi: 3.1.0
info: {title: webhooks, version: "1"}
webhooks:
  made: {post: {requestBody: {required: true, content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}}, responses: {"204": {description: taken}}}}
`))
	require.NoError(t, err)
	for _, tt := range []struct {
		sent      string
		exchanges int
		finding   string
	}{
		{`{"id": 1}`, 1, ""},
		{`{"id": "1"}`, 1, "error request-invalid webhooks/made/body/id/type:"},
		{"", 0, ""},
	} {
		at := freeAddress(t)
		ctx, over := context.WithCancel(t.Context()) // as the answer may come when the run is done
		sent := make(chan struct{})
		if tt.sent == "" {
			close(sent)
		} else {
			go func() {
				defer close(sent)
				for ctx.Err() == nil { // until it is listened on
					req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+at+"/webhooks/made", strings.NewReader(tt.sent))
					if err != nil {
						return
					}
					req.Header.Set("Content-Type", "application/json")
					if resp, err := http.DefaultClient.Do(req); err == nil {
						_ = resp.Body.Close()
						return
					}
				}
			}()
		}
		settle := time.Millisecond
		if tt.sent != "" {
			settle = time.Minute
		}
		rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(http.NotFoundHandler()), contracttest.Receive(at), contracttest.Settle(settle))
		over()
		require.NoError(t, err)
		<-sent
		assert.Equal(t, tt.exchanges, rep.Stats.Exchanges)
		if tt.finding == "" {
			assert.Empty(t, describe(rep))
		} else {
			assert.Contains(t, describe(rep), tt.finding)
		}
	}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// TestReceiveNothing proves that what never comes is said, and fails nothing.
func TestReceiveNothing(t *testing.T) {
	t.Parallel()
	rep := runCallbacks(t, &notifier{silent: "event"}, contracttest.Cases(0), contracttest.Settle(20*time.Millisecond))
	assert.Zero(t, rep.Errors(), "%s", describe(rep))
	assert.Contains(t, unreachedOf(rep), "subscribe/callbacks/event/body/kind/enum: the target sent no such request")

	c, err := contracttest.Parse("callbacks.yaml", []byte(callbacks))
	require.NoError(t, err)
	rep, err = contracttest.Run(t.Context(), c, contracttest.Handler(&notifier{}), contracttest.Cases(0))
	require.NoError(t, err)
	assert.Contains(t, unreachedOf(rep), "subscribe/callbacks/event: the target sends this request: listen for it with --receive ADDR\n")
	var b bytes.Buffer
	require.NoError(t, json.NewEncoder(&b).Encode(rep))
}
