package chain

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/value"
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
				p.onNew(judge.FilterIgnored, name+"/referred", func(t *try, r *resource) { t.refers(r, param, name) }, k.List).Doubtful = k.shared()
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

// ofParent plans whether a list of what stands below any parent, that is asked for what stands below one, has that alone.
func (p *planner) ofParent() {
	k := p.kind
	for _, param := range k.List.Params {
		if param.Spec.In == openapi3.ParameterInQuery && k.shared() && k.IsParent(param.Spec.Name, param.Node) {
			p.onNew(judge.FilterIgnored, param.Spec.Name+"/parent", func(t *try, r *resource) {
				other := t.makeKind(k, t.beside(r.up, Edit{}), Edit{})
				if v := inSchema(param.Node, r.up.id()); other != nil && param.Node.Validates(v) == nil {
					t.filtersBy(param, param.Spec.Name, v, r, other)
				}
			}, k.List).Doubtful = true
		}
	}
}

// inSchema is the identifier in a path as a schema has it.
func inSchema(n *contract.Node, id string) any {
	if isNumber(n) {
		return json.Number(id)
	}
	return id
}

// holding plans whether a list that is asked for what has an item in a property has that alone, and
// all of it: ?tag=a of tags.
func (p *planner) holding() {
	k := p.kind
	members, fixed := p.actor.Base(k.Make)
	for _, name := range sortedKeys(members) {
		n := prop(k.Make, name)
		list, _ := members[name].([]any)
		if n == nil || fixed[name] || len(list) == 0 || isComposed(list[0]) || n.Element(0) == nil || strings.HasSuffix(world.Plain(name), "ids") {
			continue
		}
		var each []any
		for i := range 3 {
			v := normal((&value.Maker{}).Distinct(n.Element(0), list[0], i))
			if queryText(v) != "" && !slices.ContainsFunc(each, func(other any) bool { return same(other, v) }) {
				each = append(each, v)
			}
		}
		if len(each) < 2 {
			continue
		}
		has, other := each[:len(each)-1], each[len(each)-1:]
		if n.Validates(has) != nil || n.Validates(other) != nil {
			if has = each[:1]; n.Validates(has) != nil || n.Validates(other) != nil {
				continue
			}
		}
		for _, param := range k.List.Params {
			if param.Spec.In == openapi3.ParameterInQuery && AsksForItem(param.Spec.Name, name) {
				p.add(judge.FilterIgnored, param.Spec.Name+"/item", func(t *try) { t.itemsOf(param, name, has, other) }, k.List, k.Read).Doubtful = k.shared()
			}
		}
	}
}

// AsksForItem reports whether a parameter is named as a list or one of its items: tag, tags[] of tags.
func AsksForItem(param, list string) bool {
	named := world.Plain(brackets.Replace(param))
	return named == world.Plain(list) || named == world.Singular(list)
}

// itemsOf makes a resource with some items and one with others, and asks for each of the first.
func (t *try) itemsOf(param *contract.Param, name string, has, others []any) {
	r := t.make(Edit{Set: map[string]any{name: has}})
	if r == nil {
		return
	}
	other := t.beside(r, Edit{Set: map[string]any{name: others}})
	if other == nil || !same(t.shown(r)[name], has) || !same(t.shown(other)[name], others) {
		return
	}
	for _, v := range has {
		if param.Node.Validates(v) == nil || param.Node.Validates([]any{v}) == nil {
			t.filtersBy(param, name, v, r, other)
		}
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
	t.filtersBy(param, name, v, r, other)
}

// filtersBy asks a list for what has a value, which one resource has and another has not.
func (t *try) filtersBy(param *contract.Param, name string, v any, r, other *resource) {
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
	case []any:
		return !slices.ContainsFunc(got, func(item any) bool { return !isOther(item, asked) })
	}
	return false
}
