package mock

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/chain"
	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/value"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// page is which part of a list a request asks for.
type page struct {
	from, size int // size is negative where there is no bound
	number     int // of the first page, as the document counts
}

// usualSize is how long a page is where the request does not say.
const usualSize = "20"

// list answers with what is there; false where the document's list does not show it.
func (t turn) list(k *kind) (reply, bool) {
	var all []*resource
	up := t.above(k)
	for _, r := range k.all {
		if up != nil && r.up == up || up == nil && r.below(t.values) {
			all = append(all, r)
		}
	}
	for _, status := range successes(t.op) {
		doc := t.op.Response(status)
		if doc == nil {
			continue
		}
		total := 0
		resp := t.holding(doc, status, func(m *value.Maker, root *contract.Node) (any, bool) {
			item := shownAt(root, k.names(), true)
			if item == nil {
				return nil, false
			}
			list := listOf(item)
			entries := t.entries(k, all, m, item)
			total = len(entries)
			p := t.page()
			if from := t.behind(k, entries); from >= 0 && !namesNext(root, 0) {
				p.from = from
			}
			items := []any{}
			for _, e := range entries[min(p.from, total):] {
				items = append(items, e.shown)
			}
			if most := list.Schema.MaxItems; most != nil && *most < maxResources && (p.size < 0 || p.size > int(*most)) {
				p.size = int(*most)
			}
			if p.size >= 0 {
				items = items[:min(p.size, len(items))]
			}
			if list == root {
				return items, true
			}
			g, err := m.Good(root)
			if err != nil {
				return nil, false
			}
			v, err := plan.Put(m, root, value.Plain(g.V), list, any(items))
			if err != nil {
				return nil, false
			}
			t.counted(root, v, p, total, len(items))
			return v, true
		})
		if resp == nil {
			continue
		}
		if resp.Header.Get("X-Total-Count") != "" {
			resp.Header.Set("X-Total-Count", strconv.Itoa(total))
		}
		return reply{op: t.op, Response: resp}, true
	}
	return reply{}, false
}

// entry is a resource as a list shows it.
type entry struct {
	of    *resource
	shown map[string]any
}

// entries are what a request asks for of some resources, in its order.
func (t turn) entries(k *kind, all []*resource, m *value.Maker, item *contract.Node) []entry {
	var entries []entry
	for _, r := range all {
		if v := r.as(m, item); v != nil && t.matches(item, v) && chain.Inside(k.Kind, v, t.text) {
			entries = append(entries, entry{r, v})
		}
	}
	if order := chain.Order(t.op, t.text); order != nil {
		slices.SortStableFunc(entries, func(a, b entry) int { return order(a.shown, b.shown) })
	}
	return entries
}

// behind is where the page begins that follows the entry whose identifier is the cursor; negative
// where there is no such entry.
func (t turn) behind(k *kind, entries []entry) int {
	_, cursor := t.asked(chain.Cursors)
	if cursor == "" {
		return -1
	}
	i := slices.IndexFunc(entries, func(e entry) bool { return k.id(e.of.values) == cursor })
	if i < 0 {
		return -1
	}
	return i + 1
}

// namesNext reports whether an answer says itself where the next page begins.
func namesNext(n *contract.Node, depth int) bool {
	return slices.ContainsFunc(n.Members(), func(m *contract.Node) bool {
		name := world.Plain(m.PropName)
		return slices.Contains(chain.Nexts, name) || slices.Contains(besides, name) && depth < maxBeside && namesNext(m, depth+1)
	})
}

// asked is the text of a parameter of the query with one of some names; empty where there is none.
func (t turn) asked(names []string) (*contract.Param, string) {
	for _, p := range t.op.Params {
		if p.Spec.In != openapi3.ParameterInQuery || !slices.Contains(names, world.Plain(p.Spec.Name)) {
			continue
		}
		return p, t.text(p.Spec.Name)
	}
	return nil, ""
}

// text is that of a parameter of the query, or else its documented default.
func (t turn) text(name string) string {
	for _, q := range wire.Params(t.req.RawQuery()) {
		if q.Name == name {
			return wire.Unescape(q.Value, true)
		}
	}
	for _, p := range t.op.Params {
		if d := p.Node.Schema.Default; p.Spec.In == openapi3.ParameterInQuery && p.Spec.Name == name && d != nil {
			return codec.WriteText(d)
		}
	}
	return ""
}

// page reads which page is asked for.
func (t turn) page() page {
	p := page{size: -1}
	if limit, text := t.asked(chain.Limits); limit != nil {
		if n, err := strconv.Atoi(text); err == nil && n >= 0 {
			p.size = n
		} else if limit.Node.Validates(json.Number(usualSize)) == nil {
			p.size, _ = strconv.Atoi(usualSize)
		}
	}
	for _, names := range [][]string{chain.Offsets, chain.Cursors} {
		if _, text := t.asked(names); text != "" {
			if n, err := strconv.Atoi(text); err == nil && n >= 0 {
				p.from = n
			}
		}
	}
	number, text := t.asked(chain.Numbers)
	if number == nil {
		return p
	}
	p.number = 1
	if number.Node.Schema.Default == nil && number.Node.Validates(json.Number("0")) == nil && number.Node.Schema.Min != nil || codec.WriteText(number.Node.Schema.Default) == "0" {
		p.number = 0
	}
	if n, err := strconv.Atoi(text); err == nil && n > p.number && p.size > 0 {
		p.from = (min(n, maxResources) - p.number) * p.size
	} else if err == nil && n > p.number {
		p.from = maxResources // there is one page
	}
	return p
}

// matches reports whether an item has what the query asks for in parameters that are named as its
// properties are.
func (t turn) matches(n *contract.Node, item map[string]any) bool {
	for _, p := range t.op.Params {
		name := p.Spec.Name
		if p.Spec.In != openapi3.ParameterInQuery || p.Node.Allows("object") {
			continue
		}
		i := slices.IndexFunc(n.Members(), func(m *contract.Node) bool {
			return world.Plain(m.PropName) == world.Plain(name) || slices.Contains(m.Types(), "array") && chain.AsksForItem(name, m.PropName)
		})
		if i < 0 {
			continue
		}
		var wanted []string
		for _, q := range wire.Params(t.req.RawQuery()) {
			if q.Name != name {
				continue
			}
			if p.Node.Allows("array") {
				for one := range strings.SplitSeq(q.Value, ",") {
					wanted = append(wanted, wire.Unescape(one, true))
				}
			} else {
				wanted = append(wanted, wire.Unescape(q.Value, true))
			}
		}
		if len(wanted) == 0 {
			continue
		}
		has := item[n.Members()[i].PropName]
		values, isList := has.([]any)
		if !isList {
			values = []any{has}
		}
		if !slices.ContainsFunc(values, func(v any) bool { return slices.Contains(wanted, codec.WriteText(v)) }) {
			return false
		}
	}
	return true
}

// counted sets what stands beside the items of a page: how many there are of all, and where the
// next page begins.
func (t turn) counted(root *contract.Node, v any, p page, total, here int) {
	whole, ok := v.(map[string]any)
	if !ok {
		return
	}
	pages := 1
	if p.size > 0 {
		pages = max(1, (total+p.size-1)/p.size)
	}
	more := p.from+here < total && here > 0
	var set func(n *contract.Node, members map[string]any, link bool, depth int)
	set = func(n *contract.Node, members map[string]any, link bool, depth int) {
		for _, m := range n.Members() {
			var now any
			name := world.Plain(m.PropName)
			inner, isObject := members[m.PropName].(map[string]any)
			switch {
			case isObject && slices.Contains(besides, name) && depth < maxBeside:
				set(m, inner, link || name == "links", depth+1)
				continue
			case slices.Contains(chain.Totals, name):
				now = json.Number(strconv.Itoa(total))
			case slices.Contains(chain.OfPages, name):
				now = json.Number(strconv.Itoa(pages))
			case slices.Contains(chain.Mores, name):
				now = more
			case slices.Contains(chain.Lasts, name):
				now = !more
			case slices.Contains(chain.Limits, name) && p.size >= 0:
				now = json.Number(strconv.Itoa(p.size))
			case slices.Contains(chain.Offsets, name):
				now = json.Number(strconv.Itoa(p.from))
			case slices.Contains(chain.Nexts, name):
				t.next(n, m, members, p, here, more, link)
				continue
			default:
				continue
			}
			if _, there := members[m.PropName]; m.Validates(now) == nil && (there || n.Requires(m.PropName)) {
				members[m.PropName] = now
			}
		}
	}
	set(root, whole, false, 0)
}

// besides are objects that say of a page what stands beside its items, which may stand in each other.
var besides = []string{"page", "pagination", "paging", "meta", "cursors", "links"}

const maxBeside = 2

// next sets where the next page begins, or takes it away at the end. Among links it is one.
func (t turn) next(n, m *contract.Node, members map[string]any, p page, here int, more, link bool) {
	at := strconv.Itoa(p.from + here)
	cursor, _ := t.asked(chain.Cursors)
	var all []any
	switch {
	case more && link:
		to := t.link(p, at)
		all = []any{to, map[string]any{"href": to}}
	case more && cursor != nil:
		all = []any{at, json.Number(at)}
	}
	for _, v := range all {
		if m.Validates(v) == nil {
			members[m.PropName] = v
			return
		}
	}
	switch {
	case m.Validates(nil) == nil:
		members[m.PropName] = nil
	case !n.Requires(m.PropName):
		delete(members, m.PropName)
	case m.Validates("") == nil:
		members[m.PropName] = ""
	}
}

// link is the URL of the next page, which begins at an item.
func (t turn) link(p page, at string) string {
	query := t.req.RawQuery()
	for _, names := range [][]string{chain.Cursors, chain.Offsets, chain.Numbers} {
		param, _ := t.asked(names)
		if param == nil {
			continue
		}
		if slices.Contains(chain.Numbers, world.Plain(param.Spec.Name)) {
			at = strconv.Itoa(p.number + p.from/max(1, p.size) + 1)
		}
		pairs := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool {
			name, _, _ := strings.Cut(pair, "=")
			return name == "" || name == param.Spec.Name
		})
		query = strings.Join(append(pairs, param.Spec.Name+"="+at), "&")
		break
	}
	return t.absolute(t.req.Path() + "?" + query)
}
