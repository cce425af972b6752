package server_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

// However long what a caller sends is, an error quotes 200 characters of it at most.
func TestErrorsQuoteLittle(t *testing.T) {
	long := strings.Repeat("x", 3000)
	asJSON := "Content-Type: " + mediaType
	s := newMemory(t)
	_, err := s.Add(t.Context(), store.Packages(store.Package{ID: long[:500], ProjectID: project, State: store.Released}))
	require.NoError(t, err)
	r := start(t, s)
	keys := start(t, s, server.WithAuth(server.AuthAll, credentials()))
	for name, tt := range map[string]struct {
		of      *running
		request string
	}{
		"pointer of a value that is not JSON": {r, post(path, `{"`+long+`":nope}`, asJSON)},
		"pointer of a member twice":           {r, post(path, `{"`+long+`":1,"`+long+`":2}`, asJSON)},
		"pointer of many levels":              {r, post(path, strings.Repeat(`{"x":`, 3000)+"nope", asJSON)},
		"pointer of a wrong type":             {r, post(path, `{"package_ids":[{"`+long+`":1}]}`, asJSON)},
		"value of a wrong type":               {r, post(path, `{"package_ids":"`+long+`"}`, asJSON)},
		"released package":                    {r, post(path, `{"package_ids":["`+long[:500]+`"]}`, asJSON)},
		"unknown package":                     {r, post(path, `{"package_ids":["`+long+`y"]}`, asJSON)},
		"Content-Type":                        {r, post(path, document, "Content-Type: application/"+long)},
		"parameter of the Content-Type":       {r, post(path, document, "Content-Type: application/json;charset="+long)},
		"workspace":                           {r, post(path, document, asJSON, "workspace: "+long)},
		"token":                               {r, post(path, document, asJSON, "X-Auth-Token: "+long+long)},
		"project":                             {r, post("/v2/"+long+"/factory/release-packages/unpack", document, asJSON)},
		"access key":                          {keys, post(path, document, asJSON, "Authorization: SDK-HMAC-SHA256 Access="+long+", SignedHeaders=x-sdk-date, Signature=00")},
	} {
		t.Run(name, func(t *testing.T) {
			a := tt.of.send(t, tt.request)
			_, text := errorOf(t, a.body)
			// All else that is said is short, and has few of this letter.
			assert.LessOrEqual(t, strings.Count(text, "x"), 210, text)
			assert.Less(t, len(text), 400, text)
		})
	}
}
