package world_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// service is a document with resources of several kinds: each operation is a
// line, what its success holds behind it.
func service(t *testing.T, lines ...string) (*contract.Contract, *world.World) {
	t.Helper()
	var b strings.Builder
	b.WriteString("openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n")
	for _, line := range lines {
		head, answer, _ := strings.Cut(line, " => ")
		method, path, _ := strings.Cut(head, " ")
		var params []string
		for _, segment := range strings.Split(path, "/") {
			if name, ok := strings.CutPrefix(segment, "{"); ok {
				name, example, _ := strings.Cut(strings.TrimSuffix(name, "}"), "=")
				if example != "" {
					example = ", example: " + example
				}
				params = append(params, fmt.Sprintf("{name: %s, in: path, required: true, schema: {type: string}%s}", name, example))
				path = strings.Replace(path, segment, "{"+name+"}", 1)
			}
		}
		if answer == "" {
			answer = "content: {application/json: {schema: {type: object}}}"
		}
		status := "200"
		if method == "post" {
			status = "201"
		}
		entry := fmt.Sprintf("    %s:\n      operationId: %s\n      parameters: [%s]\n      responses: {\"%s\": {description: d, %s}}\n", method, method+path, strings.Join(params, ", "), status, answer)
		if key := "  " + path + ":\n"; strings.Contains(b.String(), key) {
			whole := strings.Replace(b.String(), key, key+entry, 1)
			b.Reset()
			b.WriteString(whole)
			continue
		}
		b.WriteString("  " + path + ":\n" + entry)
	}
	b.WriteString("components: {schemas: {PetOut: {type: object, properties: {id: {type: string}, code: {type: string, example: P-1234}}}}}\n")
	c, err := contract.Parse("t.yaml", []byte(b.String()))
	require.NoError(t, err, "%s", b.String())
	return c, world.New(c)
}

func operation(t *testing.T, c *contract.Contract, method, path string) *contract.Operation {
	t.Helper()
	for _, op := range c.Operations {
		if op.Method == method && op.Path == path {
			return op
		}
	}
	require.Fail(t, "no operation", "%s %s", method, path)
	return nil
}

func param(t *testing.T, op *contract.Operation, name string) *contract.Param {
	t.Helper()
	for _, p := range op.Params {
		if p.Spec.Name == name {
			return p
		}
	}
	require.Fail(t, "no parameter", name)
	return nil
}

// TestSources proves which operation is asked for which parameter, and where in
// its answer the value stands.
func TestSources(t *testing.T) {
	const pet = "content: {application/json: {schema: {$ref: '#/components/schemas/PetOut'}}}"
	tests := []struct {
		name          string
		lines         []string
		path, param   string
		relation      world.Relation
		header        string
		body          string
		want          string
		wantOperation string
	}{
		{"Location", []string{"post /pets", "get /pets/{petId}"}, "/pets/{petId}", "petId", world.Collection, "http://host/base/pets/a%2Fb", "", "a/b", "post/pets"},
		{"Location of a path that ends with a slash", []string{"post /pets/", "get /pets/{id}/"}, "/pets/{id}/", "id", world.Collection, "http://host/pets/a/", "", "a", "post/pets/"},
		{"Location without the slash at the end", []string{"post /pets/", "get /pets/{id}/"}, "/pets/{id}/", "id", world.Collection, "/pets/a", "", "a", "post/pets/"},
		{"id of what was created", []string{"post /pets", "get /pets/{id}"}, "/pets/{id}", "id", world.Collection, "", `{"name":"x","id":7}`, "7", "post/pets"},
		{"its own name before id", []string{"post /pets", "get /pets/{pet_id}"}, "/pets/{pet_id}", "pet_id", world.Collection, "", `{"id":1,"petId":"p"}`, "p", "post/pets"},
		{"what the name adds to that of the collection", []string{"post /notes", "get /notes/{noteKey}"}, "/notes/{noteKey}", "noteKey", world.Collection, "", `{"id":1,"key":"k-1"}`, "k-1", "post/notes"},
		{"list", []string{"get /pets", "get /pets/{id}"}, "/pets/{id}", "id", world.Collection, "", `[{"id":"a"},{"id":"b"}]`, "a", "get/pets"},
		{"envelope", []string{"get /pets", "get /pets/{id}"}, "/pets/{id}", "id", world.Collection, "", `{"cursor":{"id":"c"},"data":[{"id":"a"}]}`, "a", "get/pets"},
		{"list of names", []string{"get /pets", "get /pets/{name}"}, "/pets/{name}", "name", world.Collection, "", `["a","b"]`, "a", "get/pets"},
		{"envelope of names", []string{"get /pets", "get /pets/{name}"}, "/pets/{name}", "name", world.Collection, "", `{"next":"c","pets":["a"]}`, "a", "get/pets"},
		{"nested", []string{"get /users/{userId}/posts", "get /users/{userId}/posts/{postId}"}, "/users/{userId}/posts/{postId}", "postId", world.Collection, "", `{"items":[{"id":"p"}]}`, "p", "get/users/{userId}/posts"},
		{"parent of a nested one", []string{"get /users", "get /users/{userId}/posts/{postId}"}, "/users/{userId}/posts/{postId}", "userId", world.Collection, "", `[{"id":"u"}]`, "u", "get/users"},
		{"id of a Pet", []string{"get /animals => " + pet, "get /inventory/{petId}"}, "/inventory/{petId}", "petId", world.Named, "", `{"id":"a"}`, "a", "get/animals"},
		{"id below the collection of the name", []string{"get /pets => " + pet, "get /inventory/{pet_id}"}, "/inventory/{pet_id}", "pet_id", world.Named, "", `{"id":"a"}`, "a", "get/pets"},
		{"property of the name", []string{"get /things => " + pet, "get /lookup/{code}"}, "/lookup/{code}", "code", world.SameName, "", `{"code":"x"}`, "x", "get/things"},
		{"same example", []string{"get /things => " + pet, "get /lookup/{key=P-1234}"}, "/lookup/{key}", "key", world.SameExample, "", `{"code":"x"}`, "x", "get/things"},
		{
			"made below another resource", []string{"post /events/{id}/orders => content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}", "get /orders/{id}"},
			"/orders/{id}", "id", world.Shallow, "", `{"id":"o"}`, "o", "post/events/{id}/orders",
		},
		{
			"link", []string{`post /orders => content: {application/json: {schema: {type: object}}}, links: {one: {operationRef: "#/paths/~1orders~1{key}/get", parameters: {key: "$response.body#/made/0/key"}}}`, "get /orders/{key}"},
			"/orders/{key}", "key", world.Link, "", `{"made":[{"key":"k"}]}`, "k", "post/orders",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, w := service(t, tt.lines...)
			op := operation(t, c, http.MethodGet, tt.path)
			sources := w.Sources(op, param(t, op, tt.param))
			require.NotEmpty(t, sources)
			assert.Equal(t, tt.wantOperation, strings.ReplaceAll(strings.ReplaceAll(sources[0].Operation.ID, "~1", "/"), "~0", "~"))
			assert.Equal(t, tt.relation, sources[0].Relation, sources[0].Relation.String())
			x := &wire.Exchange{Response: &wire.Response{Status: http.StatusOK, Header: http.Header{"Location": {tt.header}}, Body: []byte(tt.body)}}
			values := sources[0].Values(x)
			require.NotEmpty(t, values)
			assert.Equal(t, tt.want, values[0])
			assert.Empty(t, sources[0].Values(&wire.Exchange{}), "no answer")
		})
	}
}

// TestCarried proves that values have the names that another path has in their places.
func TestCarried(t *testing.T) {
	values := map[string]string{"id": "1", "note": "2"}
	for _, tt := range []struct{ from, to, want string }{
		{"/teams/{id}", "/teams/{teamId}/notes", "map[teamId:1]"},
		{"/teams/{id}/notes/{note}", "/teams/{teamId}/notes/{noteId}/lines", "map[noteId:2 teamId:1]"},
		{"/teams/{id}/notes", "/notes/{id}", "map[]"},
		{"/teams/{id}", "/teams/mine", "map[]"},
		{"/teams/{other}", "/teams/{id}", "map[]"},
	} {
		assert.Equal(t, tt.want, fmt.Sprint(world.Carried(values, tt.from, tt.to)), tt.to)
	}
}

// TestProducers proves that what a list names is nobody's to consume.
func TestProducers(t *testing.T) {
	c, w := service(t, "get /pets", "post /pets", "delete /pets/{id}", "delete /lists/{id}", "get /lists")
	op := operation(t, c, http.MethodDelete, "/pets/{id}")
	producers := w.Producers(op, param(t, op, "id"))
	require.Len(t, producers, 1)
	assert.Equal(t, http.MethodPost, producers[0].Operation.Method)
	op = operation(t, c, http.MethodDelete, "/lists/{id}")
	assert.Empty(t, w.Producers(op, param(t, op, "id")))
}

// TestConsumed proves what of a path is changed by a request, and what only says
// where it is.
func TestConsumed(t *testing.T) {
	c, w := service(t,
		"get /pets", "post /pets", "get /pets/{id}", "put /pets/{id}", "delete /pets/{id}/photo", "post /pets/{id}/sell", "post /pets/{id}/visits",
		"get /pets/{id}/visits/{visit}", "patch /pets/{id}/visits/{visit}", "put /settings", "post /{project}/tasks", "post /orders/{orderId}/cancel",
		"put /v2/{project}/factory/release",
		"get /toys/", "post /toys/", "get /toys/{id}/", "put /toys/{id}/", "post /toys/{id}/sell/", "post /toys/{id}/visits/", "get /toys/{id}/visits/{visit}/")
	tests := []struct{ method, path, consumed, parent string }{
		{"GET", "/pets/{id}", "", ""},
		{"PUT", "/pets/{id}", "id", ""},
		{"DELETE", "/pets/{id}/photo", "id", ""},
		{"POST", "/pets/{id}/sell", "id", ""},
		{"POST", "/pets/{id}/visits", "", "id"},
		{"PATCH", "/pets/{id}/visits/{visit}", "visit", ""},
		{"PUT", "/settings", "", ""},
		{"POST", "/{project}/tasks", "", ""},
		{"POST", "/orders/{orderId}/cancel", "orderId", ""},
		{"PUT", "/v2/{project}/factory/release", "", ""},
		{"POST", "/pets", "", ""},
		{"PUT", "/toys/{id}/", "id", ""},
		{"POST", "/toys/{id}/sell/", "id", ""},
		{"POST", "/toys/{id}/visits/", "", "id"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			op := operation(t, c, tt.method, tt.path)
			name := func(p *contract.Param) string {
				if p == nil {
					return ""
				}
				return p.Spec.Name
			}
			assert.Equal(t, tt.consumed, name(w.Consumed(op.Method, op)))
			assert.Equal(t, tt.parent, name(w.Parent(op)))
		})
	}
	assert.Equal(t, "/toys/{id}/", w.ItemPath(operation(t, c, http.MethodPost, "/toys/")))
	op := operation(t, c, http.MethodGet, "/pets/{id}")
	assert.NotNil(t, w.Consumed(http.MethodDelete, op), "by a method that the path does not document")
}

// TestLife proves that what was made is known until it is deleted, newest first,
// and that an identifier which is given again is of the new one.
func TestLife(t *testing.T) {
	c, w := service(t, "post /pets", "get /pets/{id}", "post /pets/{id}/visits", "get /pets/{id}/visits/{visit}")
	made := func(path string, values map[string]string, body string) *world.Resource {
		x := &wire.Exchange{Response: &wire.Response{Status: http.StatusCreated, Header: http.Header{}, Body: []byte(body)}}
		r := w.Identify(operation(t, c, http.MethodPost, path), values, "ada", x)
		require.NotNil(t, r)
		w.Enter(r)
		return r
	}
	pet := made("/pets", nil, `{"id":1}`)
	visit := made("/pets/{id}/visits", map[string]string{"id": "1"}, `{"id":"v"}`)
	assert.Equal(t, []*world.Resource{visit, pet}, w.Living())
	assert.Equal(t, map[string]string{"id": "1", "visit": "v"}, visit.Values)
	assert.Equal(t, "ada", visit.Owner)
	assert.Nil(t, w.Settle("/pets/{id}", map[string]string{"id": "2"}, world.Deleted, w.Entered()), "it is somebody's")
	assert.Same(t, pet, w.Settle("/pets/{id}", map[string]string{"id": "1"}, world.Changed, w.Entered()))
	assert.Equal(t, world.Changed, w.Life(pet))
	before := w.Entered()
	again := made("/pets", nil, `{"id":1}`)
	assert.Equal(t, []*world.Resource{again, visit}, w.Living())
	assert.Nil(t, w.Settle("/pets/{id}", map[string]string{"id": "1"}, world.Deleted, before), "the identifier may have been given again since")
	assert.Equal(t, []*world.Resource{again, visit}, w.Living())
	w.Settle("/pets/{id}", map[string]string{"id": "1"}, world.Deleted, w.Entered())
	assert.Equal(t, []*world.Resource{visit}, w.Living())
	assert.Nil(t, w.Identify(operation(t, c, http.MethodPost, "/pets"), nil, "", &wire.Exchange{Response: &wire.Response{Header: http.Header{}}}), "the answer does not say")
}

// TestBind proves that another resource takes the place of the first in every
// spelling, and that a value which is another one stays.
func TestBind(t *testing.T) {
	c, _ := service(t, "delete /pets/{id}", "get /pets/{id}/visits/{visit}")
	tests := []struct{ path, target, from, to, want string }{
		{"/pets/{id}", "/v1/pets/7?a=7", "7", "19", "/v1/pets/19?a=7"},
		{"/pets/{id}", "/v1/pets/07", "7", "19", "/v1/pets/019"},
		{"/pets/{id}", "/v1/pets/7.0", "7", "19", "/v1/pets/19.0"},
		{"/pets/{id}", "/v1/pets/%37", "7", "19", "/v1/pets/%31%39"},
		{"/pets/{id}", "/v1/pets/1700", "7", "19", "/v1/pets/1700"},
		{"/pets/{id}", "/v1/pets/abc", "7", "19", "/v1/pets/abc"},
		{"/pets/{id}", "/v1/pets/7/x", "7", "19", "/v1/pets/19/x"},
		{"/pets/{id}", "/v1/x/pets/7", "7", "19", "/v1/x/pets/19"},
		{"/pets/{id}", "/v1/pets%2F7", "7", "19", "/v1/pets%2F19"},
		{"/pets/{id}", "/v1/pets/%21111", "1111", "ABCD", "/v1/pets/%21111"},
		{"/pets/{id}", "/v1/pets/a%20b", "a b", "c/d", "/v1/pets/c%2Fd"},
		{"/pets/{id}/visits/{visit}", "/v1/pets/7/visits/v", "7", "19", "/v1/pets/19/visits/v"},
	}
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			method := http.MethodDelete
			if strings.Contains(tt.path, "visits") {
				method = http.MethodGet
			}
			op := operation(t, c, method, tt.path)
			assert.Equal(t, tt.want, world.Bind(op, tt.target, "/v1", map[string]string{"id": tt.from}, map[string]string{"id": tt.to}))
		})
	}
	short, _ := service(t, "get /short/{id}")
	inShort := operation(t, short, http.MethodGet, "/short/{id}")
	longest := uint64(6)
	inShort.Params[0].Node.Schema.MaxLength = &longest
	for target, want := range map[string]string{"/short/abcde": "/short/x", "/short/abcdexy": "/short/abcdexy", "/short/abcdexyfghi": "/short/xxyfghi"} {
		assert.Equal(t, want, world.Bind(inShort, target, "", map[string]string{"id": "abcde"}, map[string]string{"id": "x"}), "what is too long stays so")
	}
	op := operation(t, c, http.MethodDelete, "/pets/{id}")
	assert.Equal(t, map[string]string{"id": "a b"}, world.Values(op, "/v1/pets/a%20b?q", "/v1"))
	assert.Nil(t, world.Values(op, "/v1/pets", "/v1"))
}
