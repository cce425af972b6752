package chain

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// referring plans whether a list that is asked for what refers to something has that alone: two
// resources refer to two things, as bookings to rooms.
func (p *planner) referring() {
	k := p.kind
	members, fixed := p.actor.Base(k.Make)
	for _, name := range sortedKeys(members) {
		for _, param := range k.filtersOf(name) {
			if fixed[name] && textOf(members[name]) != "" {
				p.onNew(judge.FilterIgnored, name+"/referred", func(t *try, r *resource) { t.refers(r, param, name) }, k.List).Doubtful = k.Parent == nil
			}
		}
	}
}

// refers makes a resource that refers to another thing than one does, and asks for each.
func (t *try) refers(first *resource, param *contract.Param, name string) {
	v := t.actor.Another(t.ctx, t.Make, name)
	if v == nil {
		return
	}
	second := t.beside(first, Edit{Set: map[string]any{name: v}})
	if second == nil {
		return
	}
	for _, pair := range [][2]*resource{{first, second}, {second, first}} {
		r, other := pair[0], pair[1]
		refers := r.made.sent()[name]
		if param.Node.Validates(refers) != nil {
			return
		}
		t.filters(param, name, r, other)
	}
}

// filtersOf lists the parameters of the list that are named as a property.
func (k *Kind) filtersOf(name string) []*contract.Param {
	if k.List == nil {
		return nil
	}
	var all []*contract.Param
	for _, param := range k.List.Params {
		if param.Spec.In == openapi3.ParameterInQuery && world.Plain(param.Spec.Name) == world.Plain(name) {
			all = append(all, param)
		}
	}
	return all
}

// filters asks a list for what has the value of one resource in a property, and not that of another.
// Where the two are not in the whole list, as it is too long to be read, only what the entries of the
// answer say of themselves counts.
func (t *try) filters(param *contract.Param, name string, r, other *resource) {
	v := r.made.sent()[name]
	if _, known := t.kept(r)[name]; !known || same(v, other.made.sent()[name]) {
		return
	}
	listed := param.Spec.Required || t.entries(r, r.id()) > 0 && t.entries(r, other.id()) > 0
	query := map[string]string{param.Spec.Name: queryText(v)}
	s := t.do(t.List, r, Edit{Query: query})
	switch {
	case !s.ok() || t.over():
	case listed && countEntries(s, t.Kind, r.id()) == 0 && (t.ends(s) || t.entriesOf(r, r.id(), query) == 0):
		t.blame(judge.Warning, s, "the resource with the value", "it is not listed", "%s filtered by %s leaves out a resource with the value", t.List.Endpoint(), param.Spec.Name)
	case listed && t.lets(s, r, other, query), !listed && slices.ContainsFunc(items(s), func(item map[string]any) bool { return isOther(item[name], v) }):
		t.blame(judge.Warning, t.steps[len(t.steps)-1], "only resources with the value", "one with another value", "%s filtered by %s returns a resource with another value", t.List.Endpoint(), param.Spec.Name)
	}
}

// isOther reports whether what an entry has is not what was asked for: another number, or a text
// that does not even contain it.
func isOther(got, asked any) bool {
	switch got := got.(type) {
	case json.Number:
		_, isNumber := asked.(json.Number)
		return isNumber && !same(got, asked)
	case string:
		text, isText := asked.(string)
		return isText && !strings.Contains(strings.ToLower(got), strings.ToLower(text))
	case bool:
		return got != asked
	}
	return false
}
