package chain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// How the parameters are named that say by what a list is sorted, and which way, in plain names.
var (
	Sorts      = []string{"sort", "sortby", "orderby", "order", "ordering", "$orderby"}
	Directions = []string{"direction", "dir", "order", "sortorder", "sortdir", "sortdirection", "orderdir", "orderdirection"}
)

// signs are how a text says which way, where % is the name of a property.
var signs = []struct{ up, down string }{
	{"%", "-%"}, {"+%", "-%"}, {"%:asc", "%:desc"}, {"%,asc", "%,desc"}, {"% asc", "% desc"}, {"%_asc", "%_desc"}, {"%.asc", "%.desc"}, {"%-asc", "%-desc"},
}

const (
	maxSorted = 5 // properties by which a list is sorted
	inOrder   = 3 // resources that are sorted
)

// order is how a list is asked for in the order of a property, both ways.
type order struct {
	item     *contract.Node
	up, down map[string]string // queries
}

// itemOf is the schema of the objects in the list that an operation answers with; nil where the
// document has none.
func itemOf(op *contract.Operation) *contract.Node {
	var item *contract.Node
	if r := op.Response(200); r != nil {
		for _, m := range r.Media {
			if m.Node == nil {
				continue
			}
			m.Node.Walk(func(n *contract.Node) {
				if e := n.Element(0); item == nil && e != nil && len(e.Members()) > 0 {
					item = e
				}
			})
		}
	}
	return item
}

// orders lists the ways in which the document lets a list be sorted.
func orders(op *contract.Operation) []order {
	item := itemOf(op)
	if item == nil {
		return nil
	}
	var all []order
	for _, by := range op.Params {
		if by.Spec.In != openapi3.ParameterInQuery || by.Node == nil || !slices.Contains(Sorts, world.Plain(by.Spec.Name)) {
			continue
		}
		for _, m := range item.Members() {
			if len(m.Members()) > 0 || m.Element(0) != nil || !m.Allows("string") && !m.Allows("integer") {
				continue
			}
			if o, ok := orderBy(op, by, m); ok && len(all) < maxSorted && !slices.ContainsFunc(all, func(other order) bool { return other.item.PropName == m.PropName }) {
				all = append(all, o)
			}
		}
	}
	return all
}

// orderBy is how a parameter sorts by a property: a sign beside its name says which way, or another
// parameter does.
func orderBy(op *contract.Operation, by *contract.Param, m *contract.Node) (order, bool) {
	query := by.Spec.Name
	for _, name := range []string{m.PropName, strings.TrimSuffix(strings.TrimSuffix(m.PropName, "_at"), "At")} { // created is created_at
		for _, sign := range signs {
			up, down := strings.ReplaceAll(sign.up, "%", name), strings.ReplaceAll(sign.down, "%", name)
			// Of a text that is nowhere said to be one of some, the example shows the sign.
			if says(by, name, up) && says(by, name, down) || up != name && takesText(by, up) && exemplifies(by, up) || takesText(by, up) && exemplifies(by, down) {
				return order{m, map[string]string{query: up}, map[string]string{query: down}}, true
			}
		}
		for _, dir := range op.Params {
			if dir == by || dir.Node == nil || dir.Spec.In != openapi3.ParameterInQuery || !slices.Contains(Directions, world.Plain(dir.Spec.Name)) || !says(by, name, name) && !exemplifies(by, name) {
				continue
			}
			up, down := wayOf(dir, "asc", "ascending"), wayOf(dir, "desc", "descending")
			if up != "" && down != "" {
				return order{m, map[string]string{query: name, dir.Spec.Name: up}, map[string]string{query: name, dir.Spec.Name: down}}, true
			}
		}
	}
	return order{}, false
}

// oneOf is the schema of one value of a parameter, be it a list.
func oneOf(p *contract.Param) *contract.Node {
	if e := p.Node.Element(0); e != nil {
		return e
	}
	return p.Node
}

// wayOf is the value that a parameter has for one of some names, in any letter case.
func wayOf(p *contract.Param, names ...string) string {
	for _, name := range names {
		for _, text := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			if says(p, name, text) {
				return text
			}
		}
	}
	return ""
}

// says reports whether the schema of a parameter, or a branch of it, lists a text, or has a pattern
// for it that names the property.
func says(p *contract.Param, name, text string) bool {
	n, told := oneOf(p), false
	n.Walk(func(part *contract.Node) {
		told = told || len(part.Schema.Enum) > 0 || strings.Contains(part.Schema.Pattern, name)
	})
	return told && n.Validates(text) == nil
}

func takesText(p *contract.Param, text string) bool { return oneOf(p).Validates(text) == nil }

// exemplifies reports whether a text is an example of a parameter.
func exemplifies(p *contract.Param, text string) bool {
	n := oneOf(p)
	if n.Schema.Example == text || n.Schema.Default == text || p.Spec.Example == text {
		return true
	}
	for _, e := range p.Spec.Examples {
		if e.Value != nil && e.Value.Value == text {
			return true
		}
	}
	return false
}

// sorted plans whether a list is in the order that it is asked for.
func (p *planner) sorted() {
	k := p.kind
	members, fixed := p.actor.Base(k.Make)
	for _, o := range orders(k.List) {
		name := o.item.PropName
		var rows [][]any
		if n := prop(k.Make, name); n != nil && !n.Schema.ReadOnly && !fixed[name] && !p.actor.Renewed(k.Make, name) {
			rows = rowsOf(n, members[name])
		}
		p.add(judge.SortIgnored, name, func(t *try) { t.sorting(o, rows) }, k.List).Alone = k.shared()
	}
}

// rowsOf lists rows of values of a property that differ, in an order that is neither theirs nor the
// reverse; of numbers, not that of their texts either.
func rowsOf(n *contract.Node, now any) [][]any {
	var all [][]any
	add := func(row ...any) {
		if !slices.ContainsFunc(row, func(v any) bool { return n.Validates(v) != nil }) {
			all = append(all, row)
		}
	}
	number := func(texts ...string) {
		var row []any
		for _, text := range texts {
			row = append(row, json.Number(text))
		}
		add(row...)
	}
	if e := n.Listed(); len(e) > 1 {
		add(e[1], e[len(e)-1], e[0])
		return all
	}
	number("10", "200", "9")
	number("5", "7", "3")
	number("0.5", "0.75", "0.25")
	if v, is := now.(json.Number); is {
		m := &value.Maker{}
		add(m.Distinct(n, v, 1), m.Distinct(n, v, 2), v)
	}
	switch n.Schema.Format {
	case "date-time":
		add("2041-05-02T08:00:00Z", "2041-05-03T08:00:00Z", "2041-05-01T08:00:00Z")
		add("2011-05-02T08:00:00Z", "2011-05-03T08:00:00Z", "2011-05-01T08:00:00Z")
	case "date":
		add("2041-05-02", "2041-05-03", "2041-05-01")
		add("2011-05-02", "2011-05-03", "2011-05-01")
	case "":
		add("mango", "peach", "apple")
		add("m", "p", "a")
	}
	return all
}

// makeRow makes resources with the values of a row, the first that the target takes; where it takes
// none, as it makes them by itself. None where that is not possible.
func (t *try) makeRow(name string, rows [][]any) []*resource {
	for _, row := range rows {
		r := t.make(Edit{Set: map[string]any{name: row[0]}})
		if r == nil {
			continue
		}
		all := []*resource{r}
		for _, v := range row[1:] {
			other := t.beside(r, Edit{Set: map[string]any{name: v}})
			if other == nil {
				return nil
			}
			all = append(all, other)
		}
		return all
	}
	r := t.make(Edit{})
	all := []*resource{r}
	for len(all) < inOrder && r != nil {
		all = append(all, t.beside(r, Edit{}))
	}
	if slices.Contains(all, nil) {
		return nil
	}
	return all
}

// placed are the values that a list has of a property of some resources, in its order.
func (t *try) placed(all []*resource, query map[string]string, name string) []place {
	var list []place
	for _, page := range t.pagesOf(all[0], Own, query) {
		for _, item := range items(page) {
			for n, r := range all {
				if named(item, t.Kind, r.id()) && textOf(item[name]) != "" && !slices.ContainsFunc(list, func(p place) bool { return p.nth == n }) {
					list = append(list, place{n, item[name]})
				}
			}
		}
	}
	return list
}

// place is the value of one of some resources.
type place struct {
	nth int
	v   any
}

// inBoth are the entries of a list that another has too, with a value that no other has.
func inBoth(list, other []place) []place {
	return slices.DeleteFunc(slices.Clone(list), func(p place) bool {
		alone := func(all []place) bool {
			n := 0
			for _, q := range all {
				if alike(q.v, p.v) {
					n++
				}
			}
			return n == 1
		}
		return !alone(list) || !alone(other) || !slices.ContainsFunc(other, func(q place) bool { return q.nth == p.nth })
	})
}

// compare tells which of two values is before the other, where all agree on that: numbers, times,
// and texts of as many small letters.
func compare(n *contract.Node, a, b any) int {
	x, isNumber := a.(json.Number)
	if y, both := b.(json.Number); isNumber && both {
		p, okP := new(big.Rat).SetString(short(x))
		q, okQ := new(big.Rat).SetString(short(y))
		if okP && okQ {
			return p.Cmp(q)
		}
		return 0
	}
	s, t := textOf(a), textOf(b)
	if isNumber || len(n.Listed()) > 0 {
		return 0 // of an enumeration the order may be the document's
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		p, errP := time.Parse(layout, s)
		q, errQ := time.Parse(layout, t)
		if errP == nil && errQ == nil {
			return p.Compare(q)
		}
	}
	if len(s) != len(t) || strings.Trim(s+t, "abcdefghijklmnopqrstuvwxyz") != "" {
		return 0
	}
	return strings.Compare(s, t)
}

// Order compares two items of a list as a request wants them sorted; nil where it does not say. asked is the text
// of a parameter of its query, or else the documented default; empty where there is neither.
func Order(op *contract.Operation, asked func(name string) string) func(a, b map[string]any) int {
	wanted := func(query map[string]string) bool {
		for name, text := range query {
			got := asked(name)
			if ascending := len(query) > 1 && strings.HasPrefix(strings.ToLower(text), "asc"); got != text && !(got == "" && ascending) {
				return false
			}
		}
		return true
	}
	for _, o := range orders(op) {
		by := func(a, b map[string]any) int {
			x, y := a[o.item.PropName], b[o.item.PropName]
			return cmp.Or(compare(o.item, x, y), strings.Compare(textOf(x), textOf(y)))
		}
		switch {
		case wanted(o.up):
			return by
		case wanted(o.down):
			return func(a, b map[string]any) int { return by(b, a) }
		}
	}
	return nil
}

// sorting asks for a list in the order of a property, both ways.
func (t *try) sorting(o order, rows [][]any) {
	name := o.item.PropName
	all := t.makeRow(name, rows)
	if len(all) == 0 || t.over() {
		return
	}
	var up, down []place
	query, actual := o.up, ""
	right := func() bool {
		up, down = t.placed(all, o.up, name), t.placed(all, o.down, name)
		up, down = inBoth(up, down), inBoth(down, up)
		query, actual = o.up, ""
		if len(up) != len(down) {
			return true
		}
		for i := range len(up) - 1 {
			switch {
			case compare(o.item, up[i].v, up[i+1].v) > 0:
				query, actual = o.up, "not in ascending order"
			case actual == "" && compare(o.item, down[i].v, down[i+1].v) < 0:
				query, actual = o.down, "not in descending order"
			case actual == "" && up[i].nth != down[len(down)-1-i].nth:
				query, actual = o.down, "not the reverse of the other direction"
			}
		}
		return t.over() || actual == ""
	}
	if right() {
		return
	}
	before := append(slices.Clone(up), down...)
	good, _ := t.wait(func() bool {
		return right() || !slices.EqualFunc(before, append(slices.Clone(up), down...), func(a, b place) bool { return a.nth == b.nth })
	})
	if good || t.over() {
		return
	}
	s := t.do(t.List, all[0], Edit{Query: query})
	t.blame(judge.Warning, s, "in the order of "+name, actual, "%s sorted by %s (%s) is %s", t.List.Endpoint(), name, asking(query), actual)
}

// asking writes a query for a message.
func asking(query map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		all = append(all, fmt.Sprintf("%s=%s", name, query[name]))
	}
	return listing(all)
}
