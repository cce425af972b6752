package value

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/pattern"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// A search for a value: the schemas that are to hold of it at once (those of
// allOf, a branch of oneOf, then, …) are brought together, a value is made as
// they ask for, and the validator has the last word. Where there are several
// ways, one is tried after the other.

// asked is what is to hold of one value.
type asked struct {
	nodes []*contract.Node
	nots  []*contract.Node  // that must not take it
	other []*contract.Node  // that are not meant, as a discriminator names another, and may take it
	fixed map[string]string // properties with the name that a discriminator wants
	// present lists properties that have to be there besides.
	present []string
}

// paths names the node of a made-up value.
func (a asked) paths() []string {
	if len(a.nodes) == 0 {
		return nil
	}
	return []string{a.nodes[0].Path}
}

func (a asked) with(nodes, nots []*contract.Node) asked {
	a.nodes = slices.Concat(a.nodes, nodes)
	a.nots = slices.Concat(a.nots, nots)
	return a
}

// contradictory reports whether one schema is to hold and not to hold. Most ways
// to choose among branches are so where one branch has been chosen before: without
// a look at that, the search would go through each of them to its end.
func (a asked) contradictory() bool {
	for _, not := range slices.Concat(a.nots, a.other) {
		for _, n := range a.nodes {
			if n.Schema == not.Schema {
				return true
			}
		}
	}
	return false
}

// option is one way to satisfy a keyword that has several.
type option struct {
	must, not, other []*contract.Node // as of asked
	property         string           // with this value, where a discriminator asks for it
	name             string
}

// maxOptions bounds the branches that are tried.
const maxOptions = 40

// values yields values that all nodes take, the plainest first.
func (m *Maker) values(nodes []*contract.Node, depth int) iter.Seq[Good] {
	return m.taken(asked{nodes: nodes}, depth)
}

// taken yields values for what is asked, of nodes that may be no part of one
// another.
func (m *Maker) taken(a asked, depth int) iter.Seq[Good] {
	return func(yield func(Good) bool) {
		if depth > maxDepth {
			m.endless = true
			return
		}
		stopped := false
		m.expand(a.nodes, asked{nots: a.nots, fixed: a.fixed, present: a.present}, func(all asked) bool {
			if len(all.nodes) == 0 {
				all.nodes = a.nodes
			}
			for g := range m.candidates(all, depth) {
				if m.left--; m.out(0) {
					return true
				}
				if m.takes(a.nodes, all.nots, g.V) && !yield(g) {
					stopped = true
					return false
				}
			}
			return !stopped
		})
	}
}

// MemberName returns the name of a property that a schema inside n is for: its own, one that
// matches its pattern, or one that no other schema is for.
func MemberName(child *contract.Node) string {
	switch {
	case child.PropName != "":
		return child.PropName
	case child.Patterned():
		return patternName(child)
	}
	return otherName(child.Parent)
}

// otherName returns the name of a property that the schema of additional ones
// is for.
func otherName(n *contract.Node) string {
	a := schema.Alternative{Nodes: schema.Nodes{n}}
	fits := func(name string) bool {
		return !a.Speaks(name) && (n.PropertyNames == nil || n.PropertyNames.Validates(name) == nil)
	}
	const name = "x-unknown-property"
	if fits(name) {
		return name
	}
	for other := range otherNames([]*contract.Node{n}) {
		if fits(other) {
			return other
		}
	}
	return name
}

// patternName returns the name of a property that a pattern is for, and, if there is
// one, no other schema.
func patternName(n *contract.Node) string {
	re, err := pattern.Compile(n.Key)
	if err != nil {
		return ""
	}
	first := ""
	for name := range re.Strings(0, -1) {
		if first == "" {
			first = name
		}
		if nodes, may := memberNodes([]*contract.Node{n.Parent}, name); may && len(nodes) == 1 &&
			(n.Parent.PropertyNames == nil || n.Parent.PropertyNames.Validates(name) == nil) {
			return name
		}
	}
	return first
}

func (m *Maker) takes(nodes, nots []*contract.Node, v any) bool {
	v = Plain(v)
	for _, n := range nodes {
		if !n.Keeps(v) {
			return false
		}
	}
	for _, n := range nots {
		if n.Keeps(v) {
			return false
		}
	}
	return true
}

// expand follows the schemas that are about the same value, and calls f for
// each way to choose among branches, until f returns false or there are no steps left.
func (m *Maker) expand(todo []*contract.Node, a asked, f func(asked) bool) bool {
	for len(todo) > 0 {
		n := todo[0].Whole()
		todo = slices.Concat(todo[1:], n.AllOf)
		if n.Schema.Always != nil && !*n.Schema.Always {
			return true
		}
		if slices.Contains(a.nodes, n) {
			continue
		}
		a = a.with([]*contract.Node{n}, nil)
		if n.Not != nil {
			a = a.with(nil, []*contract.Node{n.Not})
		}
		if a.contradictory() {
			return true
		}
		if lists := choices(n); len(lists) > 0 {
			return m.choose(lists, todo, a, f)
		}
	}
	return f(a)
}

func (m *Maker) choose(lists [][]option, todo []*contract.Node, a asked, f func(asked) bool) bool {
	if len(lists) == 0 {
		return m.expand(todo, a, f)
	}
	for i, o := range lists[0] {
		if m.out(1) {
			return true
		}
		next := a.with(nil, o.not)
		next.other = slices.Concat(a.other, o.other)
		if o.property != "" {
			if was, fixed := a.fixed[o.property]; fixed && was != o.name {
				continue
			}
			next.fixed = maps.Clone(a.fixed)
			if next.fixed == nil {
				next.fixed = map[string]string{}
			}
			next.fixed[o.property] = o.name
		}
		// A branch that takes nothing which the others refuse leaves steps for those after it.
		kept := 0
		if after := len(lists[0]) - 1 - i; after > 0 {
			kept = m.left - m.left/min(after+1, 4)
		}
		if m.left -= kept; m.out(1) {
			m.left = kept
			continue
		}
		goOn := m.choose(lists[1:], slices.Concat(todo, o.must), next, f)
		if m.left = kept + max(m.left, 0); !goOn {
			return false
		}
	}
	return true
}

// choices lists the options of each keyword of a node that has several.
func choices(n *contract.Node) [][]option {
	var lists [][]option
	if len(n.OneOf) > 0 {
		var list []option
		for i, branch := range n.OneOf[:min(len(n.OneOf), maxOptions)] {
			o, others := option{must: []*contract.Node{branch}}, slices.Delete(slices.Clone(n.OneOf), i, i+1)
			if n.NameDecides() {
				o.other = others
			} else {
				o.not = others
			}
			list = append(list, named(n, branch, o)...)
		}
		lists = append(lists, list)
	}
	if len(n.AnyOf) > 0 {
		var list []option
		for _, branch := range n.AnyOf[:min(len(n.AnyOf), maxOptions)] {
			list = append(list, named(n, branch, option{must: []*contract.Node{branch}})...)
		}
		if len(n.AnyOf) > 1 {
			list = append(list, option{must: n.AnyOf})
		}
		lists = append(lists, list)
	}
	if len(n.OneOf)+len(n.AnyOf) == 0 {
		var list []option
		for _, name := range n.Discriminates() {
			o := option{property: n.Schema.Discriminator.PropertyName, name: name}
			if heir := n.Heir(name); heir != nil {
				o.must = []*contract.Node{heir}
			}
			list = append(list, o)
		}
		if len(list) > 0 { // the schema itself is often abstract
			slices.SortStableFunc(list, func(a, b option) int { return len(b.must) - len(a.must) })
			lists = append(lists, list)
		}
	}
	if n.If != nil && (n.Then != nil || n.Else != nil) {
		yes, no := option{must: []*contract.Node{n.If}}, option{not: []*contract.Node{n.If}}
		if n.Then != nil {
			yes.must = append(yes.must, n.Then)
		}
		if n.Else != nil {
			no.must = append(no.must, n.Else)
		}
		lists = append(lists, []option{yes, no})
	}
	return lists
}

// named adds a name that the discriminator has for the branch. There may be several, of
// which the branch takes but some: each is an option.
func named(n, branch *contract.Node, o option) []option {
	var all []option
	for _, name := range n.Discriminates() {
		if n.Branch(name) == branch {
			with := o
			with.property, with.name = n.Schema.Discriminator.PropertyName, name
			all = append(all, with)
		}
	}
	if len(all) == 0 {
		return []option{o}
	}
	return all
}

// candidates yields values made for what is asked, not yet confirmed: those that
// the document gives, then those of each type.
func (m *Maker) candidates(a asked, depth int) iter.Seq[Good] {
	return func(yield func(Good) bool) {
		for _, v := range given(a.nodes) {
			if !yield(Good{V: v}) {
				return
			}
		}
		for _, n := range a.nodes {
			if len(n.Schema.Enum) > 0 || n.Schema.Const != nil {
				return
			}
		}
		for _, typ := range types(a) {
			for g := range m.ofType(typ, a, depth) {
				if !yield(g) {
					return
				}
			}
		}
	}
}

// given lists the values that the document gives: examples, defaults, those of
// an enumeration.
func given(nodes []*contract.Node) []any {
	var all, objects []any
	add := func(v any) {
		if v != nil {
			all = append(all, v)
		}
		if _, ok := v.(map[string]any); ok {
			objects = append(objects, v)
		}
	}
	for _, n := range nodes {
		add(n.Schema.Example)
		for _, v := range n.Schema.Examples {
			add(v)
		}
		add(n.Schema.Default)
		add(n.Schema.Const)
	}
	if len(objects) > 1 { // each may be of one part of allOf
		whole := map[string]any{}
		for _, o := range objects {
			maps.Copy(whole, o.(map[string]any))
		}
		all = append(all, whole)
	}
	for _, n := range nodes {
		if len(n.Schema.Enum) > 0 {
			return append(all, n.Schema.Enum...)
		}
	}
	return all
}

var allTypes = []string{"object", "string", "integer", "boolean", "array", "null", "number"}

// types returns the types to try, in order: those that all schemas allow, first
// those that a schema names or its keywords are about.
func types(a asked) []string {
	var order []string
	typed := false
	for _, n := range a.nodes {
		if t := n.Types(); len(t) > 0 {
			order = append(order, t...)
			typed = true
		}
	}
	for _, n := range a.nodes {
		order = append(order, about(n)...)
	}
	if len(order) == 0 && len(a.fixed)+len(a.present) > 0 {
		order = []string{"object"}
	}
	if !typed {
		order = append(order, allTypes...)
	} else if slices.Contains(order, "number") {
		order = append(order, "integer")
	}
	var out []string
	for _, typ := range order {
		if slices.Contains(out, typ) || slices.ContainsFunc(a.nodes, func(n *contract.Node) bool { return !n.Allows(typ) }) {
			continue
		}
		out = append(out, typ)
	}
	return out
}

// about returns the types that the keywords of a schema are about.
func about(n *contract.Node) []string {
	s := n.Schema
	var all []string
	if len(s.Properties)+len(s.Required)+len(s.PatternProperties)+len(s.DependentRequired)+len(s.DependentSchemas) > 0 || s.MinProps > 0 ||
		s.PropertyNames != nil || s.AdditionalProperties.Schema != nil || s.AdditionalProperties.Has != nil || s.MaxProps != nil ||
		s.UnevaluatedProperties.Has != nil || s.UnevaluatedProperties.Schema != nil {
		all = append(all, "object")
	}
	if s.Items != nil || s.MinItems > 0 || s.MaxItems != nil || len(s.PrefixItems) > 0 || s.Contains != nil || s.UniqueItems ||
		s.UnevaluatedItems.Has != nil || s.UnevaluatedItems.Schema != nil {
		all = append(all, "array")
	}
	if s.MinLength > 0 || s.MaxLength != nil || s.Pattern != "" || s.Format != "" {
		all = append(all, "string")
	}
	if s.Min != nil || s.Max != nil || s.MultipleOf != nil || s.ExclusiveMin.IsSet() || s.ExclusiveMax.IsSet() {
		all = append(all, "number")
	}
	return all
}

func (m *Maker) ofType(typ string, a asked, depth int) iter.Seq[Good] {
	path := a.paths()
	switch typ {
	case "boolean":
		return slices.Values([]Good{{V: true}, {V: false}})
	case "null":
		return slices.Values([]Good{{V: nil}})
	case "string":
		return func(yield func(Good) bool) {
			tries := maxSteps / 2 // some are left for null
			for text := range texts(a.nodes, a.nots...) {
				if tries--; tries < 0 || !yield(Good{V: text, Unknown: path}) {
					return
				}
			}
		}
	case "integer", "number":
		return func(yield func(Good) bool) {
			for _, v := range numbers(a.nodes, typ == "integer", a.nots...) {
				if !yield(Good{V: v, Unknown: path}) {
					return
				}
			}
		}
	case "array":
		return m.arrays(a, depth)
	case "object":
		return m.objects(a, depth)
	}
	return slices.Values([]Good(nil))
}

// sizes returns the least and the greatest of a bound over all nodes; the
// greatest is negative where there is none.
func sizes(nodes []*contract.Node, least func(*contract.Node) uint64, most func(*contract.Node) *uint64) (lo, hi int) {
	hi = -1
	for _, n := range nodes {
		lo = max(lo, int(min(least(n), 1<<30)))
		if v := most(n); v != nil && (hi < 0 || int(min(*v, 1<<30)) < hi) {
			hi = int(min(*v, 1<<30))
		}
	}
	return lo, hi
}

// besides returns the sizes next to those that a schema takes.
func besides(not *contract.Node, least func(*contract.Node) uint64, most func(*contract.Node) *uint64) []int {
	lo, hi := sizes(parts(not), least, most)
	var all []int
	if lo > 0 {
		all = append(all, lo-1)
	}
	if hi >= 0 {
		all = append(all, hi+1)
	}
	return all
}

// parts returns a schema and those of its allOf.
func parts(n *contract.Node) []*contract.Node {
	n = n.Whole()
	all := []*contract.Node{n}
	for _, part := range n.AllOf {
		if len(all) < maxOptions {
			all = append(all, parts(part)...)
		}
	}
	return all
}

// arrays makes lists: of one item, or as many as are asked for.
func (m *Maker) arrays(a asked, depth int) iter.Seq[Good] {
	return func(yield func(Good) bool) {
		lo, hi := sizes(a.nodes, func(n *contract.Node) uint64 { return n.Schema.MinItems }, func(n *contract.Node) *uint64 { return n.Schema.MaxItems })
		if lo > maxCount {
			return
		}
		prefix, contained := 0, 0
		for _, n := range a.nodes {
			prefix = max(prefix, len(n.PrefixItems))
			if n.Contains != nil {
				contained += int(min(least(n), maxCount))
			}
		}
		usual := max(1, lo, contained)
		if depth > maxDepth/3 {
			usual = max(lo, contained)
		}
		tried := map[int]bool{}
		counts := []int{usual, max(lo, contained), lo, prefix, max(lo, prefix+contained), 0, lo + 1, lo + 2}
		for _, not := range a.nots {
			counts = append(counts, besides(not, func(n *contract.Node) uint64 { return n.Schema.MinItems }, func(n *contract.Node) *uint64 { return n.Schema.MaxItems })...)
		}
		for _, count := range counts {
			if hi >= 0 {
				count = min(count, hi)
			}
			if tried[count] || count < lo || count > maxCount {
				continue
			}
			tried[count] = true
			for _, last := range []bool{true, false} {
				if g, ok := m.list(a, count, last, depth); ok && !yield(g) {
					return
				}
				if contained == 0 {
					break
				}
			}
		}
		for _, not := range a.nots {
			if g, ok := m.listAgainst(a, not.Whole().Items, max(1, lo), depth); ok && !yield(g) {
				return
			}
		}
	}
}

// listAgainst makes a list whose first item is not one of those of a schema that
// must not take the list: no other difference may do, as in
// not: {items: {maximum: 2}}.
func (m *Maker) listAgainst(a asked, items *contract.Node, count, depth int) (Good, bool) {
	if items == nil {
		return Good{}, false
	}
	g, ok := m.list(a, count, true, depth)
	if !ok {
		return Good{}, false
	}
	must := itemNodes(a.nodes, 0)
	if len(must) == 0 {
		return Good{}, false
	}
	for first := range m.taken(asked{nodes: must, nots: []*contract.Node{items}}, depth+1) {
		all := slices.Clone(g.V.([]any)) //nolint:forcetypeassert // made by list
		all[0] = first.V
		return Good{V: all, Unknown: slices.Concat(g.Unknown, first.Unknown)}, true
	}
	return Good{}, false
}

func least(n *contract.Node) uint64 {
	if n.Schema.MinContains != nil {
		return *n.Schema.MinContains
	}
	return 1
}

// list makes a list of count items. What it has to contain stands at its end,
// or at its start.
func (m *Maker) list(a asked, count int, last bool, depth int) (Good, bool) {
	items := make([]any, 0, count)
	var unknown []string
	unique := slices.ContainsFunc(a.nodes, func(n *contract.Node) bool { return n.Schema.UniqueItems })
	seen := map[string]bool{}
	same := map[*contract.Node]Good{} // items of one schema are one value, where they may be
	for i := range count {
		var contained, nots []*contract.Node
		for _, n := range a.nodes {
			if n.Contains == nil {
				continue
			}
			wanted := min(int(min(least(n), maxCount)), count)
			from := 0
			if last {
				from = count - wanted
			}
			if i >= from && i < from+wanted {
				contained = append(contained, n.Contains)
			} else if n.Schema.MaxContains != nil {
				nots = append(nots, n.Contains)
			}
		}
		must := itemNodes(a.nodes, i, contained...)
		alike := !unique && len(must) == 1 && len(nots) == 0
		if alike {
			if g, ok := same[must[0]]; ok {
				items = append(items, g.V)
				continue
			}
		}
		g, ok := m.item(must, nots, items, unique, seen, depth)
		if !ok {
			return Good{}, false
		}
		if alike {
			same[must[0]] = g
		}
		items = append(items, g.V)
		unknown = append(unknown, g.Unknown...)
	}
	slices.Sort(unknown)
	return Good{V: items, Unknown: slices.Compact(unknown)}, true
}

// plainest are values for what no schema speaks of.
var plainest = []any{"a", true, nil, json.Number("1")}

// item makes the next item.
func (m *Maker) item(must, nots []*contract.Node, before []any, unique bool, seen map[string]bool, depth int) (Good, bool) {
	fresh := func(v any) bool {
		if !unique {
			return true
		}
		text, err := json.Marshal(Plain(v))
		if err != nil || seen[string(text)] {
			return false
		}
		seen[string(text)] = true
		return true
	}
	if len(must) == 0 {
		for i := range 5 {
			v := any(json.Number(strconv.Itoa(len(before) + i)))
			if m.takes(nil, nots, v) && fresh(v) {
				return Good{V: v}, true
			}
		}
		for _, v := range plainest {
			if m.takes(nil, nots, v) && fresh(v) {
				return Good{V: v}, true
			}
		}
		return Good{}, false
	}
	if len(must) == 1 && len(nots) == 0 {
		g, err := m.good(must[0], depth+1)
		if err != nil {
			return Good{}, false
		}
		if fresh(g.V) {
			return g, true
		}
		for i := len(before); i < len(before)+3; i++ {
			if v := m.Distinct(must[0], g.V, i); must[0].Validates(Plain(v)) == nil && fresh(v) {
				return Good{V: v, Unknown: g.Unknown}, true
			}
		}
	}
	for g := range m.values(must, depth+1) {
		if m.takes(nil, nots, g.V) && fresh(g.V) {
			return g, true
		}
	}
	return Good{}, false
}

// itemNodes returns the schemas of the i-th item.
func itemNodes(nodes []*contract.Node, i int, contained ...*contract.Node) []*contract.Node {
	a := schema.Alternative{Nodes: nodes}
	if len(contained) > 0 {
		return a.Containing(i, contained...)
	}
	return a.Item(i)
}

// memberNodes returns the schemas of a property, and whether it may be there.
func memberNodes(nodes []*contract.Node, name string) (all []*contract.Node, may bool) {
	a := schema.Alternative{Nodes: nodes}
	if !a.Allows(name) {
		return nil, false
	}
	return a.Member(name), true
}

// objects makes objects: what is required, and of the rest what is known; then
// with more properties, for schemas that ask for some.
func (m *Maker) objects(a asked, depth int) iter.Seq[Good] {
	return func(yield func(Good) bool) {
		lo, hi := sizes(a.nodes, func(n *contract.Node) uint64 { return n.Schema.MinProps }, func(n *contract.Node) *uint64 { return n.Schema.MaxProps })
		if lo > maxCount {
			return
		}
		required := m.required(a)
		optional := optional(a, required)
		o := &object{m: m, a: a, depth: depth, lo: lo, hi: hi, members: map[string]any{}}
		for _, name := range required {
			if !o.add(name) {
				return
			}
		}
		base := o.clone()
		for _, name := range optional {
			base.addKnown(name)
		}
		tries := []*object{base}
		if base.needs() {
			tries[0].fill(optional)
		}
		if len(a.nots) > 0 || len(a.nodes) > 1 {
			tries = append(tries, o.clone())
		}
		for _, t := range tries {
			if !m.finish(t, yield) {
				return
			}
		}
		if len(a.nots) > 1 && !m.finish(o.againstAll(), yield) {
			return
		}
		for _, not := range a.nots {
			for _, p := range propsOf(not) {
				if with := o.clone(); with.addAgainst(p) && !m.finish(with, yield) {
					return
				}
			}
		}
		for _, name := range optional {
			if m.out(0) {
				return
			}
			if with := o.clone(); with.add(name) && !m.finish(with, yield) {
				return
			}
		}
		full := o.clone()
		for _, name := range optional {
			full.add(name)
		}
		if !m.finish(full, yield) {
			return
		}
		more := o.clone()
		more.lo = len(more.members) + 1
		more.fill(nil)
		m.finish(more, yield)
	}
}

// dependents are the members that dependentRequired of a schema asks for beside one, but for those
// that are for the other side alone.
func (m *Maker) dependents(nodes []*contract.Node, n *contract.Node, name string) []string {
	all := n.Schema.DependentRequired[name]
	if m.Filled {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), (schema.Alternative{Nodes: nodes}).OneSided)
}

// finish adds what the properties that are there ask for besides.
func (m *Maker) finish(o *object, yield func(Good) bool) bool {
	if o.needs() {
		o.fill(nil)
	}
	for changed := true; changed; {
		changed = false
		for _, n := range o.a.nodes {
			for _, name := range slices.Sorted(maps.Keys(n.Schema.DependentRequired)) {
				if _, there := o.members[name]; !there {
					continue
				}
				for _, other := range m.dependents(o.a.nodes, n, name) {
					if _, there := o.members[other]; !there {
						if !o.add(other) {
							return true
						}
						changed = true
					}
				}
			}
		}
	}
	var asks []*contract.Node
	for _, n := range o.a.nodes {
		for _, d := range n.DependentSchemas {
			if _, there := o.members[d.Key]; there && !slices.Contains(o.a.nodes, d.Whole()) {
				asks = append(asks, d)
			}
		}
	}
	if len(asks) > 0 && o.depth < maxDepth {
		stopped := false
		m.expand(slices.Concat(o.a.nodes, asks), asked{nots: o.a.nots, fixed: o.a.fixed, present: o.a.present}, func(a asked) bool {
			for g := range m.withMembers(a, o, o.depth+1) {
				if !yield(g) {
					stopped = true
					return false
				}
			}
			return true
		})
		return !stopped
	}
	o.order()
	slices.Sort(o.unknown)
	return yield(Good{V: o.members, Unknown: slices.Compact(o.unknown)})
}

// withMembers makes an object that has at least the properties of another.
func (m *Maker) withMembers(a asked, o *object, depth int) iter.Seq[Good] {
	return func(yield func(Good) bool) {
		next := &object{m: m, a: a, depth: depth, lo: o.lo, hi: o.hi, members: map[string]any{}}
		for _, name := range slices.Concat(m.required(a), slices.Sorted(maps.Keys(o.members))) {
			if !next.add(name) {
				return
			}
		}
		m.finish(next, yield)
	}
}

// required lists the properties that have to be there, in order.
func (m *Maker) required(a asked) []string {
	names := slices.Clone(a.present)
	for name := range a.fixed {
		names = append(names, name)
	}
	for _, n := range a.nodes {
		for name := range n.Required {
			// What is for the other side alone need not be there, whichever schema says so.
			if m.Filled || !(schema.Alternative{Nodes: a.nodes}).OneSided(name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// optional lists the named properties that need not be there, in order.
func optional(a asked, required []string) []string {
	var names []string
	for _, n := range a.nodes {
		for _, p := range n.Props {
			if !slices.Contains(required, p.PropName) && !p.Schema.ReadOnly {
				names = append(names, p.PropName)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// object is an object in the making.
type object struct {
	m       *Maker
	a       asked
	depth   int
	lo, hi  int
	members map[string]any
	unknown []string
}

func (o *object) clone() *object {
	c := *o
	c.members = maps.Clone(o.members)
	c.unknown = slices.Clone(o.unknown)
	return &c
}

func (o *object) needs() bool { return len(o.members) < o.lo }

func (o *object) value(name string) (Good, bool) {
	nodes, may := memberNodes(o.a.nodes, name)
	if !may {
		return Good{}, false
	}
	if fixed, ok := o.a.fixed[name]; ok {
		return Good{V: fixed}, true
	}
	switch len(nodes) {
	case 0:
		return Good{V: "a", Unknown: o.a.paths()}, true
	case 1:
		g, err := o.m.good(nodes[0], o.depth+1)
		return g, err == nil
	}
	for _, n := range nodes {
		if g, err := o.m.good(n, o.depth+1); err == nil && o.m.takes(nodes, nil, g.V) {
			return g, true
		}
	}
	for g := range o.m.values(nodes, o.depth+1) {
		return g, true
	}
	return Good{}, false
}

func (o *object) add(name string) bool {
	if _, there := o.members[name]; there {
		return true
	}
	g, ok := o.value(name)
	if !ok {
		return false
	}
	o.members[name] = g.V
	o.unknown = append(o.unknown, g.Unknown...)
	return true
}

// addAgainst adds a property, or gives it another value, so that the schema which
// must not take the object refuses it for that: if there is one, with a value that none of
// those has for the property.
func (o *object) addAgainst(p *contract.Node) bool {
	nodes, may := memberNodes(o.a.nodes, p.PropName)
	if _, fixed := o.a.fixed[p.PropName]; !may || fixed {
		return false
	}
	var all []*contract.Node
	for _, not := range o.a.nots {
		for _, other := range propsOf(not) {
			if other.PropName == p.PropName {
				all = append(all, other)
			}
		}
	}
	for _, nots := range [][]*contract.Node{all, {p}} {
		if len(nodes) == 0 {
			if i := slices.IndexFunc(plainest, func(v any) bool { return o.m.takes(nil, nots, v) }); i >= 0 {
				o.members[p.PropName] = plainest[i]
				o.unknown = append(o.unknown, o.a.paths()...)
				return true
			}
			continue
		}
		for g := range o.m.taken(asked{nodes: nodes, nots: nots}, o.depth+1) {
			o.members[p.PropName] = g.V
			o.unknown = append(o.unknown, g.Unknown...)
			return true
		}
	}
	return false
}

// againstAll returns the object with what it takes that none of the schemas which must not
// take it does: of each that still does, one property is given another value.
func (o *object) againstAll() *object {
	o = o.clone()
	for _, not := range o.a.nots {
		for _, p := range propsOf(not) {
			if !not.Keeps(Plain(o.members)) {
				break
			}
			if with := o.clone(); with.addAgainst(p) && !not.Keeps(Plain(with.members)) {
				*o = *with
			}
		}
	}
	return o
}

// propsOf returns the properties of a schema and of its allOf.
func propsOf(n *contract.Node) []*contract.Node {
	var all []*contract.Node
	for _, part := range parts(n) {
		all = append(all, part.Props...)
	}
	return all
}

// maxOptional is how deep inside a value properties are added that need not be
// there. Further down they make a body large, and unlike what is really sent.
const maxOptional = 2

// addKnown adds a property whose value exists on the target.
func (o *object) addKnown(name string) {
	if o.hi >= 0 && len(o.members) >= o.hi || o.depth > maxOptional {
		return
	}
	if g, ok := o.value(name); ok && len(g.Unknown) == 0 && !empty(g.V) {
		o.members[name] = g.V
	}
}

// fill adds properties until there are enough: of the named ones, then of
// others.
func (o *object) fill(names []string) {
	for _, name := range names {
		if !o.needs() {
			return
		}
		o.add(name)
	}
	for name := range otherNames(o.a.nodes) {
		if !o.needs() || o.m.out(0) {
			return
		}
		o.add(name)
	}
}

// otherNames yields names that the schemas do not list, and take as far as
// their names go.
func otherNames(nodes []*contract.Node) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range (schema.Alternative{Nodes: nodes}).Names() {
			if !yield(name) {
				return
			}
		}
		for _, n := range nodes {
			if n.PropertyNames == nil {
				continue
			}
			for _, v := range given([]*contract.Node{n.PropertyNames.Whole()}) {
				if name, ok := v.(string); ok && !yield(name) {
					return
				}
			}
			count := 0
			for name := range texts([]*contract.Node{n.PropertyNames}) {
				if count++; count > maxCount || !yield(name) {
					return
				}
			}
		}
		for _, n := range nodes {
			for _, p := range n.PatternProps {
				re, err := pattern.Compile(p.Key)
				if err != nil {
					continue
				}
				for name := range re.Strings(0, -1) {
					if !yield(name) {
						return
					}
				}
			}
		}
		for i := range maxCount {
			if !yield(fmt.Sprintf("extra%d", i+1)) {
				return
			}
		}
	}
}

// Through makes a value of the schema around n to which n applies. Where n
// takes none of them, it is one that n refuses.
func (m *Maker) Through(n *contract.Node) (Good, error) {
	for from := m; from != nil; from = from.from {
		if before, ok := from.through[n]; ok {
			return before.good, before.err
		}
	}
	if m.through == nil {
		m.through = map[*contract.Node]made{}
	}
	if err := m.stopped(); err != nil {
		return Good{}, err
	}
	g, err := m.makeThrough(n)
	m.through[n] = made{g, err}
	return g, err
}

func (m *Maker) makeThrough(n *contract.Node) (Good, error) {
	up := n.Parent
	a, loose := asked{}, up
	if n.Force() == schema.Condition {
		loose = up.Without(n.Via())
	}
	switch {
	case n == up.Then:
		a.nodes = append(a.nodes, up.If)
	case n == up.Else:
		a.nots = append(a.nots, up.If)
	case slices.Contains(up.DependentSchemas, n):
		a.present = []string{n.Key}
	}
	for _, nodes := range [][]*contract.Node{append(around(n), n), {n}, {loose}} {
		m.left = maxSteps
		try := a
		try.nodes = slices.Concat(a.nodes, nodes)
		for g := range m.taken(try, 1) {
			return g, nil
		}
	}
	return Good{}, fmt.Errorf("%s: no value found to which %s applies", n.Subject, n.Path)
}

// around returns the schemas around n that hold of the same value, the outermost first: a
// value for a branch of one part of allOf has to have what the other parts require.
func around(n *contract.Node) []*contract.Node {
	var all []*contract.Node
	for up := n.Parent; up != nil; up = up.Parent {
		all = append(all, up)
		if up.Parent == nil || up.About() != schema.Itself {
			break
		}
	}
	slices.Reverse(all)
	return all
}

// goods returns the good value and others of the types that the schema has
// something to say of besides.
func (m *Maker) goods(n *contract.Node, good Good) []Good {
	all := []Good{good}
	have := []string{basic(good.V)}
	for _, typ := range slices.Concat(n.Types(), about(n)) {
		if typ == "integer" {
			typ = "number"
		}
		if slices.Contains(have, typ) || !n.Allows(typ) && (typ != "number" || !n.Allows("integer")) {
			continue
		}
		have = append(have, typ)
		m.left = maxSteps / 4
		m.expand([]*contract.Node{n}, asked{}, func(a asked) bool {
			for _, v := range given(a.nodes) {
				if basic(v) == typ && m.takes([]*contract.Node{n}, a.nots, v) {
					all = append(all, Good{V: v})
					return false
				}
			}
			for g := range m.ofType(typ, a, 1) {
				if m.left--; m.out(0) {
					return true
				}
				if m.takes([]*contract.Node{n}, a.nots, g.V) {
					all = append(all, g)
					return false
				}
			}
			return true
		})
	}
	return all
}

// basic is the type of a value, integers among the numbers.
func basic(v any) string {
	if typ := kind(v); typ != "integer" {
		return typ
	}
	return "number"
}
