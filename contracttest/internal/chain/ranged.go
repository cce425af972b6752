package chain

import (
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// bounds are how a parameter is named that bounds a property, in plain names: min_price, price_to,
// price[gte]. Reached is set where the name says that the bound itself is inside.
var bounds = []struct {
	before, after  string
	lower, reached bool
}{
	{"min", "", true, true}, {"", "min", true, true}, {"", "gte", true, true}, {"", "from", true, false}, {"", "gt", true, false}, {"", "after", true, false}, {"", "since", true, false},
	{"max", "", false, true}, {"", "max", false, true}, {"", "lte", false, true}, {"", "to", false, false}, {"", "lt", false, false}, {"", "before", false, false}, {"", "until", false, false},
}

// whole are the names of those that bound a time, without saying which. Since is none of them: it
// is often about changes, whose time no item needs to have.
var whole = map[string]bool{"from": true, "after": true, "to": false, "before": false, "until": false}

// bound is a parameter of a list by which what is on one side is left out.
type bound struct {
	param          *contract.Param
	props          []string // that it may be about
	lower, reached bool
}

var brackets = strings.NewReplacer("[", "", "]", "", ".", "")

func isDate(n *contract.Node) bool {
	return n.Schema.Format == "date" || n.Schema.Format == "date-time"
}

func isNumber(n *contract.Node) bool { return n != nil && n.Allows("integer") && !n.Allows("string") }

// boundsOf lists the parameters of a list that bound what a request sets. One that names nothing
// may be about any of the times of an item; so all of these have to be set.
func boundsOf(k *Kind) []bound {
	item := itemOf(k.List)
	if item == nil {
		return nil
	}
	var all []bound
	var dates []string
	unset := false
	for _, m := range item.Members() {
		set := prop(k.Make, m.PropName)
		isSet := set != nil && !set.Schema.ReadOnly && !m.Schema.ReadOnly
		if isDate(m) {
			dates, unset = append(dates, m.PropName), unset || !isSet
		}
		for _, p := range k.List.Params {
			if p.Spec.In != openapi3.ParameterInQuery || !isSet || !(isDate(m) && isDate(p.Node) || isNumber(m) && isNumber(p.Node)) {
				continue
			}
			for _, b := range bounds {
				if world.Plain(brackets.Replace(p.Spec.Name)) == b.before+world.Plain(m.PropName)+b.after {
					all = append(all, bound{p, []string{m.PropName}, b.lower, b.reached && isNumber(m)})
				}
			}
		}
	}
	for _, p := range k.List.Params {
		if lower, is := whole[world.Plain(p.Spec.Name)]; is && p.Spec.In == openapi3.ParameterInQuery && isDate(p.Node) && len(dates) > 0 && !unset {
			all = append(all, bound{p, dates, lower, false})
		}
	}
	return all
}

// Inside reports whether an item of a list is inside the bounds that a request has, as asked tells of its query. A
// bound that may be about several times is about the first.
func Inside(k *Kind, item map[string]any, asked func(name string) string) bool {
	return !slices.ContainsFunc(boundsOf(k), func(b bound) bool {
		text := asked(b.param.Spec.Name)
		if text == "" {
			return false
		}
		var limit any = text
		if isNumber(b.param.Node) {
			limit = json.Number(text)
		}
		order := compare(b.param.Node, item[b.props[0]], limit)
		return order < 0 && b.lower || order > 0 && !b.lower
	})
}

// probe is a value of a bound, and whether a resource is inside it.
type probe struct {
	text   string
	inside bool
}

// probes are values of a bound well below what an item has, well above, and at it.
func (b bound) probes(item map[string]any) []probe {
	var low, high time.Time
	for _, name := range b.props {
		if n, is := item[name].(json.Number); is {
			return b.numbers(n)
		}
		at, err := time.Parse(time.RFC3339, textOf(item[name]))
		if err != nil {
			at, err = time.Parse(time.DateOnly, textOf(item[name]))
		}
		if err != nil {
			return nil
		}
		if low.IsZero() || at.Before(low) {
			low = at
		}
		if high.IsZero() || at.After(high) {
			high = at
		}
	}
	layout := time.RFC3339
	if b.param.Node.Schema.Format == "date" {
		layout = time.DateOnly
	}
	const week = 7 * 24 * time.Hour // no zone is that far
	return []probe{{high.Add(week).UTC().Format(layout), !b.lower}, {low.Add(-week).UTC().Format(layout), b.lower}}
}

// numbers are probes about a number, as far from it as the parameter allows.
func (b bound) numbers(n json.Number) []probe {
	v, ok := new(big.Rat).SetString(short(n))
	if !ok {
		return nil
	}
	var all []probe
	for _, side := range []int64{1, -1} {
		for _, far := range []int64{100, 10, 1} {
			to := new(big.Rat).Add(v, big.NewRat(side*far, 1))
			text := to.FloatString(strings.Count(n.String(), ".") * len(n))
			if b.param.Node.Validates(json.Number(text)) == nil {
				all = append(all, probe{text, b.lower == (side < 0)})
				break
			}
		}
	}
	if b.reached && b.param.Node.Validates(n) == nil {
		all = append(all, probe{n.String(), true})
	}
	return all
}

// ranged plans whether a list heeds its bounds.
func (p *planner) ranged() {
	for _, b := range boundsOf(p.kind) {
		p.onNew(judge.FilterIgnored, b.param.Spec.Name, func(t *try, r *resource) { t.bounded(r, b) }, p.kind.List).Alone = p.kind.shared()
	}
}

// bounded asks for a list with bounds that a resource is inside of, and outside.
func (t *try) bounded(r *resource, b bound) {
	item, sent := t.listEntry(r), r.made.sent()
	if t.over() || slices.ContainsFunc(b.props, func(name string) bool { return item[name] == nil || !alike(sent[name], item[name]) }) {
		return
	}
	name := b.param.Spec.Name
	for _, probe := range b.probes(item) {
		query := map[string]string{name: probe.text}
		if !t.peek(t.List, r, Edit{Query: query}).ok() || t.over() {
			continue
		}
		good, _ := t.wait(func() bool {
			return t.over() || (t.entriesOf(r, r.id(), query) > 0) == probe.inside
		})
		if good || t.over() || t.entries(r, r.id()) == 0 {
			continue
		}
		s := t.do(t.List, r, Edit{Query: query})
		if probe.inside {
			t.blame(judge.Warning, s, "the resource, which is inside", "it is not listed", "%s bounded by %s leaves out a resource that is inside", t.List.Endpoint(), name)
		} else {
			t.blame(judge.Warning, s, "only resources inside", "one outside", "%s bounded by %s returns a resource that is outside", t.List.Endpoint(), name)
		}
	}
}

// listEntry is what the list has of a resource; nil where it has none.
func (t *try) listEntry(r *resource) map[string]any {
	for _, page := range t.pages(r) {
		for _, item := range items(page) {
			if named(item, t.Kind, r.id()) {
				return item
			}
		}
	}
	return nil
}
