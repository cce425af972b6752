// Package greetings is an API of somebody else's, on net/http alone, to show
// how it is tested against its OpenAPI document.
package greetings

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Handler answers GET /greetings/{name}.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /greetings/{name}", func(w http.ResponseWriter, r *http.Request) {
		times := 1
		if r.URL.Query().Has("times") {
			var err error
			if times, err = strconv.Atoi(r.URL.Query().Get("times")); err != nil || times < 1 || times > 3 {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
		}
		name := r.PathValue("name")
		if !utf8.ValidString(name) || utf8.RuneCountInString(name) > 20 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		text := strings.Repeat("Hello "+name+"! ", times)
		_ = json.NewEncoder(w).Encode(map[string]string{"text": strings.TrimSpace(text)})
	})
	return mux
}
