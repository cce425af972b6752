package contracttest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	legacy "github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// A side of an exchange of our endpoint, as the engine and kin-openapi judge it.
type opinion struct {
	engine string // what it breaks, as the engine has it; empty where nothing
	open   string // the sentence that leaves it to the receiver, where one does
	filter error  // of openapi3filter
}

// misreadings are where openapi3filter is known to say something else than the
// document does. wrong is "refuses" where it refuses what the document allows, and
// "takes" where it takes what the document does not; says is part of what the engine or
// the filter says there.
var misreadings = []struct{ wrong, says, sentence string }{
	{"refuses", "header Content-Type has unexpected value", "RFC 9110 §8.3.1: type and parameter names in any case, blanks around the semicolon, quoted values"},
	{"takes", "malformed media type", "RFC 9110 §5.6.6: a parameter has a value"},
	{"takes", "names a member twice", "RFC 8259 §4: the names within an object should be unique; RFC 8259 §10 binds who writes JSON"},
	{"takes", "goes on after the JSON value", "RFC 8259 §2: a JSON text is one value"},
	{"takes", "the response body cannot be read", "RFC 9112 §8: an incomplete message is no answer; the filter is given the bytes that came"},
}

// known reports whether a misreading explains the disagreement.
func (o opinion) known() bool {
	return slices.ContainsFunc(misreadings, func(m struct{ wrong, says, sentence string }) bool {
		if o.filter != nil {
			return m.wrong == "refuses" && strings.Contains(o.filter.Error(), m.says)
		}
		return m.wrong == "takes" && strings.Contains(o.engine, m.says)
	})
}

// agrees reports whether the two say the same of what is not left open.
func (o opinion) agrees() bool { return o.open != "" || (o.engine == "") == (o.filter == nil) }

// second judges pairs by openapi3filter beside the engine.
type second struct {
	contract *contract.Contract
	router   routers.Router
}

func newSecond(t testing.TB) *second {
	t.Helper()
	c, err := contract.Load(spec)
	require.NoError(t, err)
	doc, err := openapi3.NewLoader().LoadFromFile(spec)
	require.NoError(t, err)
	doc.Servers = nil
	router, err := legacy.NewRouter(doc)
	require.NoError(t, err)
	return &second{c, router}
}

// judge returns what is thought of the request and of the response. ok is false where
// the pair is not of the operation.
func (s *second) judge(ctx context.Context, x *wire.Exchange) (request, response opinion, ok bool) {
	e := judge.Recorded(s.contract, x)
	if e == nil || e.Request.Method != e.Op.Method {
		return opinion{}, opinion{}, false
	}
	for _, v := range e.Broken {
		if v.Leave != "" {
			request.open = v.Leave
		} else {
			request.engine += fmt.Sprintf("%s: %s; ", v.Clause.Name, v.Message)
		}
	}
	if request.engine != "" {
		request.open = ""
	}
	for _, f := range judge.Judge(e, nil) {
		if f.Clause.Side != contract.ResponseSide || !slices.Contains(ofDocument, f.Check) {
			continue
		}
		if f.Severity == judge.Error {
			response.engine += fmt.Sprintf("%s %s: %s; ", f.Check, f.Clause.Name, f.Message)
		} else {
			response.open = f.Message
		}
	}
	if response.engine != "" {
		response.open = ""
	}
	r, err := http.NewRequestWithContext(ctx, x.Request.Method, "http://recorded"+x.Request.Target, bytes.NewReader(x.Request.Body))
	if err != nil {
		return opinion{}, opinion{}, false
	}
	if x.Request.Body == nil {
		r.Body = nil
	}
	for _, f := range x.Request.Header {
		r.Header.Add(f.Name, f.Value)
	}
	route, params, err := s.router.FindRoute(r)
	if err != nil {
		return opinion{}, opinion{}, false
	}
	in := &openapi3filter.RequestValidationInput{Request: r, Route: route, PathParams: params, Options: &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true, IncludeResponseStatus: true,
	}}
	request.filter = openapi3filter.ValidateRequest(ctx, in)
	if x.Response != nil {
		response.filter = openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
			RequestValidationInput: in, Status: x.Response.Status, Header: x.Response.Header, Body: io.NopCloser(bytes.NewReader(x.Response.Body)), Options: in.Options,
		})
	}
	return request, response, true
}

// ofDocument are the checks of what the document says of a response.
var ofDocument = []string{
	"undocumented-status", "response-media-type", "response-schema", "response-header",
	"response-body-malformed", "response-body-unexpected", "response-body-missing",
}

// compare fails where the two disagree, and nobody knows why.
func (s *second) compare(ctx context.Context, t *testing.T, name string, x *wire.Exchange) bool {
	t.Helper()
	request, response, ok := s.judge(ctx, x)
	if !ok {
		return false
	}
	for side, o := range map[string]opinion{"request": request, "response": response} {
		if !o.agrees() && !o.known() {
			t.Errorf("%s: of the %s the engine says %q, openapi3filter %v\n%s %s\n%.300s\n%+v", name, side, o.engine, o.filter, x.Request.Method, x.Request.Target, x.Request.Body, x.Response)
		}
	}
	return true
}

// TestSecondOpinion has openapi3filter judge every recorded pair of our endpoint, and
// every pair of a run against the server, beside the engine.
func TestSecondOpinion(t *testing.T) {
	s := newSecond(t)
	t.Run("recorded", func(t *testing.T) {
		files, err := filepath.Glob("testdata/exchanges/*.txtar")
		require.NoError(t, err)
		compared := 0
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			pairs, err := wire.ParseTxtar(file, data)
			require.NoError(t, err)
			for _, p := range pairs {
				if s.compare(t.Context(), t, p.Name, &p.Exchange) {
					compared++
				}
			}
		}
		assert.Greater(t, compared, 40)
	})
	t.Run("live", func(t *testing.T) {
		compared := 0
		var mu sync.Mutex
		served := correct(t)
		recording := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			rec := httptest.NewRecorder()
			served.ServeHTTP(rec, r)
			for name, values := range rec.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
			if err != nil {
				return
			}
			req := &wire.Request{Method: r.Method, Target: r.RequestURI, Body: body}
			if len(body) == 0 {
				req.Body = nil
			}
			for name, values := range r.Header {
				for _, v := range values {
					req.Add(name, v)
				}
			}
			x := &wire.Exchange{Request: req, Response: &wire.Response{Status: rec.Code, Header: rec.Header(), Body: rec.Body.Bytes()}}
			mu.Lock()
			defer mu.Unlock()
			if s.compare(r.Context(), t, "live", x) {
				compared++
			}
		})
		_, err := contracttest.Run(t.Context(), load(t), contracttest.Handler(recording), known()...)
		require.NoError(t, err)
		assert.Greater(t, compared, 200)
	})
}
