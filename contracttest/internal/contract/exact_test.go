package contract

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// A bound counts to its last digit, in either version and however the document
// is written.
func TestExactBounds(t *testing.T) {
	const schema = `{"type": "object", "properties": {"n": {"type": "integer", "minimum": 9007199254740993, "maximum": 9223372036854775807, "example": 9007199254740995}}}`
	for name, document := range map[string]string{
		"3.0":    `{"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": {"operationId": "op", "requestBody": {"content": {"application/json": {"schema": ` + schema + `}}}, "responses": {"200": {"description": "ok"}}}}}}`,
		"3.1":    `{"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {"/a": {"post": {"operationId": "op", "requestBody": {"content": {"application/json": {"schema": ` + schema + `}}}, "responses": {"200": {"description": "ok"}}}}}}`,
		"mended": `{"openapi": "3.0.3", "info": {"title": "t", "version": 1}, "tags": 5, "paths": {"/a": {"post": {"operationId": "op", "requestBody": {"content": {"application/json": {"schema": ` + schema + `}}}, "responses": {"200": {"description": "ok"}}}}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Parse("exact.json", []byte(document))
			require.NoError(t, err)
			op := c.Operations[0]
			for number, want := range map[string]string{
				"9007199254740992": "op/body/n/minimum", "9007199254740993": "", "9223372036854775807": "", "9223372036854775808": "op/body/n/maximum",
			} {
				r := &wire.Request{Method: "POST", Target: "/a", Body: []byte(`{"n": ` + number + `}`)}
				r.Add("Content-Type", "application/json")
				var got []string
				for _, v := range op.CheckRequest(r) {
					got = append(got, v.Clause.Name)
				}
				assert.Equal(t, want, strings.Join(got, " "), number)
			}
			n := op.Body.Media[0].Node.Prop("n")
			assert.EqualValues(t, "9007199254740995", n.Schema.Example)
		})
	}
}
