package plan

import (
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
)

// assumed lists the nodes of the base with identifiers that nobody has vouched
// for: the document's examples, of which nothing says that they exist on the
// target. Values that are made up are listed as unknown instead; those of an
// enumeration exist.
func (pl *planner) assumed() []string {
	var all []string
	unknown := pl.base.unknown()
	walk := func(n *contract.Node, v any) {
		n.Visit(value.Plain(v), func(n *contract.Node, v any, _ []string) bool {
			switch v.(type) {
			case nil, bool, []any, map[string]any:
				return true
			}
			given := len(pl.maker.Given(n)) > 0 || len(n.Schema.Enum) > 0 || n.Schema.Const != nil
			if !given && (strings.HasPrefix(n.Path, "path/") || Identifies(n.Name)) && !slices.Contains(unknown, n.Path) && !slices.Contains(all, n.Path) {
				all = append(all, n.Path)
			}
			return true
		})
	}
	for _, p := range pl.op.Params {
		if p.Spec.In != openapi3.ParameterInPath && p.Spec.In != openapi3.ParameterInQuery {
			continue // X-Request-Id is none of the target's
		}
		if p.Spec.In == openapi3.ParameterInPath && scopes(pl.op.Path, p.Spec.Name) {
			continue
		}
		if g, ok := pl.base.params[p]; ok {
			walk(p.Node, g.V)
		}
	}
	if m := pl.base.media; m != nil && m.Node != nil {
		walk(m.Node, pl.base.body.V)
	}
	return all
}

// Identifies reports whether a name is that of an identifier: id, petId, pet_ids.
func Identifies(name string) bool {
	name = strings.TrimSuffix(strings.TrimSuffix(name, "s"), "S")
	lower := strings.ToLower(name)
	switch {
	case lower == "id", lower == "uuid", lower == "guid":
		return true
	case strings.HasSuffix(name, "Id"), strings.HasSuffix(name, "ID"), strings.HasSuffix(lower, "_id"), strings.HasSuffix(lower, "-id"):
		return true
	}
	return strings.HasSuffix(name, "Uuid") || strings.HasSuffix(name, "UUID") || strings.HasSuffix(lower, "_uuid")
}

// scopes reports whether a path parameter says where the operation works, as the project in
// /{project_id}/release-packages/unpack, and not what it works on: more than the name of a
// collection or an action stands behind it.
func scopes(path, name string) bool {
	_, behind, _ := strings.Cut(path, "{"+name+"}")
	return strings.Count(strings.Trim(behind, "/"), "/") > 0 && !strings.Contains(behind, "{")
}
