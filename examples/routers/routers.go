package routers

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v4"
)

// Chi is the API on chi, behind some middleware.
func Chi(middleware ...func(http.Handler) http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Use(middleware...)
	// chi's own answer has no Allow where it does not know the method.
	r.MethodNotAllowed(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
	})
	r.Get("/greetings/{name}", func(w http.ResponseWriter, req *http.Request) {
		text, ok := greeting(unescaped(req, chi.URLParam(req, "name")), req.URL.Query())
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"text": text})
	})
	return r
}

// Echo is the API on Echo, behind some middleware.
func Echo(middleware ...func(http.Handler) http.Handler) http.Handler {
	e := echo.New()
	for _, m := range middleware {
		e.Use(echo.WrapMiddleware(m))
	}
	e.GET("/greetings/:name", func(c echo.Context) error {
		// A parameter at the end of a route takes the rest of the path.
		if strings.Contains(c.Param("name"), "/") {
			return echo.ErrNotFound
		}
		text, ok := greeting(unescaped(c.Request(), c.Param("name")), c.QueryParams())
		if !ok {
			return c.NoContent(http.StatusBadRequest)
		}
		return c.JSON(http.StatusOK, map[string]string{"text": text})
	})
	return e
}

// unescaped returns a parameter as text. Both routers go by the raw path where a
// request has one, and then hand its segments on as they are.
func unescaped(req *http.Request, param string) string {
	if req.URL.RawPath == "" {
		return param
	}
	text, err := url.PathUnescape(param)
	if err != nil {
		return "" // net/http has refused it already
	}
	return text
}

// greeting is what both answer, unless the document forbids the request.
func greeting(name string, query url.Values) (string, bool) {
	times := 1
	if query.Has("times") {
		var err error
		if times, err = strconv.Atoi(query.Get("times")); err != nil || times < 1 || times > 3 {
			return "", false
		}
	}
	if name == "" || !utf8.ValidString(name) || utf8.RuneCountInString(name) > 20 {
		return "", false
	}
	return strings.TrimSpace(strings.Repeat("Hello "+name+"! ", times)), true
}
