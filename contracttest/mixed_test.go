package contracttest_test

import (
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest"
)

// album is a service whose bodies are parts without names: what is said of all, then pictures.
const album = `openapi: 3.2.0
info: {title: album, version: "1"}
paths:
  /album:
    put:
      operationId: put
      requestBody:
        required: true
        content:
          multipart/mixed:
            itemSchema: {type: object, required: [title], properties: {title: {type: string, minLength: 1, maxLength: 9}}}
            itemEncoding: {contentType: application/json}
      responses: {"204": {description: put}, "400": {description: bad}, "415": {description: not parts}}
    get:
      operationId: get
      responses:
        "200":
          description: the album
          content:
            multipart/mixed:
              itemSchema: {}
              prefixEncoding: [{contentType: application/json}]
              itemEncoding: {contentType: image/*}
`

// TestMixed tests bodies of multipart/mixed whose parts are described by position.
func TestMixed(t *testing.T) {
	for defect, want := range map[string]string{
		"":                  "",
		"any title":         "put/body/items/title/maxLength",
		"a text as picture": "get/response/200/body/itemEncoding/content-type",
		"XML at first":      "get/response/200/body/prefixEncoding/0/content-type",
	} {
		t.Run(defect, func(t *testing.T) {
			c, err := contracttest.Parse("album.yaml", []byte(album))
			require.NoError(t, err)
			rep, err := contracttest.Run(t.Context(), c, contracttest.Handler(albumServer(defect)), contracttest.Cases(5))
			require.NoError(t, err)
			var found []string
			for _, f := range rep.Findings {
				if f.Severity == "error" {
					found = append(found, f.Clause)
				}
			}
			if want == "" {
				assert.Empty(t, found)
				assert.Empty(t, rep.Inconclusive)
				return
			}
			assert.Equal(t, []string{want}, found)
		})
	}
}

func albumServer(defect string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /album", func(w http.ResponseWriter, r *http.Request) {
		kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		switch {
		case err != nil, kind != "multipart/mixed", len(r.Header.Values("Content-Type")) > 1, r.Header.Get("Content-Encoding") != "" && r.Header.Get("Content-Encoding") != "identity":
			w.WriteHeader(http.StatusUnsupportedMediaType)
		case !titled(multipart.NewReader(r.Body, params["boundary"]), defect == "any title"):
			w.WriteHeader(http.StatusBadRequest)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("GET /album", func(w http.ResponseWriter, _ *http.Request) {
		first, second := "application/json", "image/png"
		switch defect {
		case "a text as picture":
			second = "text/plain"
		case "XML at first":
			first = "application/xml"
		}
		w.Header().Set("Content-Type", "multipart/mixed; boundary=b")
		_, _ = io.WriteString(w, "--b\r\nContent-Type: "+first+"\r\n\r\n{}\r\n--b\r\nContent-Type: "+second+"\r\n\r\na\r\n--b--\r\n")
	})
	return mux
}

// titled reports whether each part is an object with a title, and there is one.
func titled(r *multipart.Reader, ofAnyLength bool) bool {
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		if err == io.EOF { //nolint:errorlint // the reader returns it as it is
			return n > 0
		}
		if err != nil {
			return false
		}
		var item map[string]any // in which names are told apart by case
		data, err := io.ReadAll(part)
		if err != nil || part.Header.Get("Content-Type") != "application/json" || json.Unmarshal(data, &item) != nil {
			return false
		}
		title, isText := item["title"].(string)
		if length := len([]rune(title)); !isText || length < 1 || length > 9 && !ofAnyLength {
			return false
		}
	}
}
