package mock_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/dataarts-go/factory/contracttest"
)

// FuzzPrefer asks with any Prefer, Accept and query: there is an answer, and it is a documented one.
func FuzzPrefer(f *testing.F) {
	for _, seed := range [][3]string{
		{`code=404, example="pear"`, "application/json", "unit=kg"}, {`respond-async; wait=10, code="4\"04`, "*/*;q=0.1, text/html", "__code=404&__example=pear"},
		{`=,;"\`, `application/json;q="1`, "__dynamic"}, {"dynamic", "application/*+xml;q=2", "%zz=1&__code=%"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	c, err := contracttest.Parse("shop.yaml", []byte(shop))
	if err != nil {
		f.Fatal(err)
	}
	h := contracttest.Mock(c)
	f.Fuzz(func(t *testing.T, prefer, accept, query string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/goods/1", nil)
		r.URL.RawQuery, r.RequestURI = query, "/v1/goods/1?"+query
		r.Header["Prefer"], r.Header["Accept"] = []string{prefer}, []string{accept}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusOK, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusServiceUnavailable, http.StatusNotAcceptable:
		default:
			t.Errorf("%d in answer to Prefer: %q, Accept: %q, query %q: %s", w.Code, prefer, accept, query, w.Body)
		}
	})
}
