package contract

import (
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/document"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// A path of a document is no more than a path, but some have a query: /rest?method=photos.search,
// /current?lat={lat}&lon={lon}. It is read as parameters of the query, by which operations on one
// path are told apart.

// asked is what the query of a path asks for.
type asked struct {
	name  string
	fixed string // the pair as it is written; empty where it is a parameter
	param string // the parameter that the document has for it, of the path
	open  bool   // a parameter of the query is described by this name, too: fixed is one of its values
}

// askedOf takes a path apart. One whose query is no list of names with a value or a parameter each is
// left as it is.
func askedOf(path string) (string, []asked) {
	before, query, there := strings.Cut(path, "?")
	if !there {
		return path, nil
	}
	var all []asked
	for piece := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(piece, "=")
		a := asked{name: wire.Unescape(name, true), fixed: piece}
		if m := pathParam.FindStringSubmatch(value); m != nil && m[0] == value {
			a.fixed, a.param = "", m[1]
		}
		if name == "" || strings.ContainsAny(name+a.fixed, "{}") {
			return path, nil
		}
		all = append(all, a)
	}
	return before, all
}

// askFor takes the query off the path of the operation. What the document describes as a parameter of
// the query is one, whatever value the path has for it.
func (op *Operation) askFor(place Place) {
	if op.Path, op.asked = askedOf(op.Path); len(op.asked) == 0 {
		return
	}
	if op.PathItem.Extensions[document.AzurePaths] == nil { // which are for such paths
		op.Contract.document.Warn(place, "the path has a query, which is no part of a path; it is read as parameters of the query")
	}
	for i, a := range op.asked {
		if op.Spec.Parameters.GetByInAndName(openapi3.ParameterInQuery, a.name) != nil ||
			op.PathItem.Parameters.GetByInAndName(openapi3.ParameterInQuery, a.name) != nil {
			op.asked[i].open = true
		}
	}
}

// inTemplate lists the parameters that the path names.
func (op *Operation) inTemplate() []string {
	all := slices.Clone(op.names)
	for _, a := range op.asked {
		if a.param != "" {
			all = append(all, a.param)
		}
	}
	return all
}

// inQuery returns a parameter as one of the query, if it is of the query in the path.
func (op *Operation) inQuery(p *openapi3.Parameter) *openapi3.Parameter {
	i := slices.IndexFunc(op.asked, func(a asked) bool { return a.param != "" && a.param == p.Name })
	if p.In != openapi3.ParameterInPath || i < 0 {
		return p
	}
	q := *p
	q.In, q.Name, q.Style, q.Explode = openapi3.ParameterInQuery, op.asked[i].name, "", nil
	return &q
}

// Fixed lists the pairs of the query that every request has.
func (op *Operation) Fixed() []string {
	var all []string
	for _, a := range op.asked {
		if a.fixed != "" && !a.open {
			all = append(all, a.fixed)
		}
	}
	return all
}

// lacks counts the parameters in the query of the path that a request does not have, or with another
// value than there. It may be for the operation if it has the pairs that are fixed.
func (op *Operation) lacks(query string) (n int, may bool) {
	if len(op.asked) == 0 {
		return 0, true
	}
	pairs := wire.Params(query)
	for _, a := range op.asked {
		has := slices.ContainsFunc(pairs, func(p wire.Param) bool { return p.Name == a.name })
		if a.fixed != "" {
			want := wire.Params(a.fixed)[0]
			has = slices.ContainsFunc(pairs, func(p wire.Param) bool {
				return p.Name == want.Name && wire.Unescape(p.Value, true) == wire.Unescape(want.Value, true)
			})
		}
		switch {
		case has:
		case a.fixed != "" && !a.open:
			return 0, false
		default:
			n++
		}
	}
	return n, true
}
