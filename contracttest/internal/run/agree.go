package run

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// agreed puts the identifier that the path of a request has in its body, where that names the
// same resource and the case has there what the valid request has: PUT /things/7 with
// {"id": 7}. Many services refuse a body about another resource, which no schema can say.
func (f *fixture) agreed(c *plan.Case, req *wire.Request) *wire.Request {
	at, first := f.repeated(c)
	if at == "" {
		return req
	}
	id, inPath := world.Values(f.op, req.Target, f.r.base(f.op))[f.param.Spec.Name]
	if planned, there := identifierAt(c.Request, at); !inPath || !there || planned != first {
		return req
	}
	sent := req.Clone()
	sent.Body = inJSON(req.Body, func(s scalar) (string, bool) {
		return id, s.at == at && !s.item && (s.text || json.Valid([]byte(id)))
	})
	return sent
}

// disagrees returns where the body of a case has another identifier than the valid request; it is
// empty where it has the same, or none.
func (f *fixture) disagrees(c *plan.Case) string {
	at, first := f.repeated(c)
	if at == "" {
		return ""
	}
	if id, there := identifierAt(c.Request, at); there && id != first {
		return at
	}
	return ""
}

// repeated returns where the body of the valid request has the identifier of the resource that
// its path names, and which one; at is empty where it has none. It is a property of the body or of its one
// member that is the resource: data in JSON:API.
func (f *fixture) repeated(c *plan.Case) (at, id string) {
	if f.op.Method != http.MethodPut && f.op.Method != http.MethodPatch {
		return "", ""
	}
	collection, last := strings.CutSuffix(strings.TrimSuffix(f.op.Path, "/"), "{"+f.param.Spec.Name+"}")
	if !last {
		return "", ""
	}
	if c.Base != nil {
		c = c.Base
	}
	all := scalars(c.Request.Body)
	for _, name := range world.Identifiers(f.param.Spec.Name, collection) {
		i := slices.IndexFunc(all, func(s scalar) bool {
			return !s.item && world.Plain(s.name) == name && (strings.Count(s.at, "/") == 1 || s.at == "/data/"+s.name)
		})
		if i >= 0 {
			return all[i].at, all[i].value
		}
	}
	return "", ""
}

// identifierAt is the text or the number at a place of a body.
func identifierAt(req *wire.Request, at string) (string, bool) {
	all := scalars(req.Body)
	i := slices.IndexFunc(all, func(s scalar) bool { return s.at == at && !s.item })
	if i < 0 {
		return "", false
	}
	return all[i].value, true
}
