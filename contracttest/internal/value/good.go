package value

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/pattern"
)

// Maker makes values. Its zero value knows no value that exists on the target.
// It is not safe for concurrent use.
type Maker struct {
	// Known holds values that exist on the target, by the name of the parameter or
	// property that they are for, or by a slash and the path of the node in its operation,
	// which counts before its name.
	Known map[string][]string
	// Doubtful names those of which it is not certain.
	Doubtful map[string]bool
	// Thin makes of the values that keep a clause only the first few.
	Thin bool
	// Filled makes objects with what is required of them and for the other side alone.
	Filled bool
	// Stopped returns an error once there is no more time: from then on nothing is
	// made. nil means that there always is.
	Stopped func() error

	from    *Maker // what it is a fork of
	made    map[*contract.Node]made
	through map[*contract.Node]made
	spare   map[*contract.Node]Good
	judged  map[sight]verdict
	mutants map[mutantKey]mutants
	active  map[*contract.Node]int // nodes for which a value is being made
	left    int                    // steps of the search
	endless bool                   // it ended at a schema that refers to itself
	spent   bool                   // it ended as no steps were left
	cause   error                  // why the innermost part of it failed
}

// Fork returns a maker that has all that m has made, and adds nothing to it. As
// long as m itself is not used, forks of it may be used at once; what one makes
// does not depend on the others.
func (m *Maker) Fork() *Maker {
	return &Maker{Known: m.Known, Doubtful: m.Doubtful, Thin: m.Thin, Filled: m.Filled, Stopped: m.Stopped, from: m}
}

// sight is a value that is compared by where it is, and the node that it is
// judged by.
type sight struct {
	n *contract.Node
	v uintptr
}

// verdict is a judgement. It holds on to the value, so that no other one comes to
// be in its place.
type verdict struct {
	v  any
	ok bool
}

// maxJudged bounds how many judgements are held.
const maxJudged = 4096

// Takes reports whether a value keeps every clause of the node, as the node's
// Validates does. An object is judged once: the values that cases have in common
// are much larger than what they differ in, and nothing changes one in place.
func (m *Maker) Takes(n *contract.Node, v any) bool {
	members, isObject := v.(map[string]any)
	if !isObject {
		return n.Keeps(v)
	}
	key := sight{n, reflect.ValueOf(members).Pointer()}
	for from := m; from != nil; from = from.from {
		if before, ok := from.judged[key]; ok {
			return before.ok
		}
	}
	if m.judged == nil || len(m.judged) >= maxJudged {
		m.judged = map[sight]verdict{}
	}
	ok := n.Keeps(v)
	m.judged[key] = verdict{v, ok}
	return ok
}

// made is what has been found out of a node before.
type made struct {
	good Good
	err  error
}

// Good is a value that keeps every clause of its schema.
type Good struct {
	V any
	// Unknown lists the nodes for which a value was made up that may not exist
	// on the target: a valid request that carries one may still be refused.
	Unknown []string
}

// Absent stands for a property or parameter that is left out.
type Absent struct{}

const (
	maxDepth   = 24
	maxRepeats = 2    // how often a schema stands inside a value of its own
	maxSteps   = 2000 // values that are looked at in a search
)

// Good makes a value for a node: of known values where there are any, else of
// the document's examples, else made up. The error says why none could be made.
func (m *Maker) Good(n *contract.Node) (Good, error) { return m.good(n, 0) }

// Others makes good values that are unlike one another, in the properties that
// they have or the documented values in these: some of all there are.
func (m *Maker) Others(n *contract.Node, most int) []Good {
	const tries = 200
	if m.stopped() != nil {
		return nil
	}
	var all []Good
	seen := map[string]bool{}
	m.left = maxSteps
	count := 0
	for g := range m.values([]*contract.Node{n}, 0) {
		text, err := json.Marshal(Plain(g.V))
		if err == nil && !seen[string(text)] {
			seen[string(text)] = true
			all = append(all, g)
		}
		if count++; len(all) >= most || count >= tries {
			break
		}
	}
	return all
}

func (m *Maker) stopped() error {
	if m.Stopped == nil {
		return nil
	}
	return m.Stopped()
}

func (m *Maker) good(n *contract.Node, depth int) (Good, error) {
	if err := m.stopped(); err != nil {
		return Good{}, err
	}
	n = n.Whole()
	for from := m; from != nil; from = from.from {
		if before, ok := from.made[n]; ok {
			return before.good, before.err
		}
	}
	if m.active[n] > maxRepeats || depth > maxDepth {
		m.endless = true
		return Good{}, fmt.Errorf("%s: %w", n.Subject, ErrEndless)
	}
	if m.active == nil {
		m.active, m.made = map[*contract.Node]int{}, map[*contract.Node]made{}
	}
	m.active[n]++
	left, endless, spent := m.left, m.endless, m.spent
	m.endless, m.spent = false, false
	leaf := len(n.Children()) == 0
	if leaf { // it has no parts to choose among, and is looked for once: that takes nothing from what is around it
		m.left = maxSteps
	}
	g, err := m.search(n, depth)
	m.active[n]--
	// Deeper down a search may fail for what is around it: the schemas that it is inside of, or the steps
	// that they left.
	held := err == nil || leaf || depth == 0 || !m.endless && !m.spent
	if held {
		m.made[n] = made{g, err}
	}
	if held && depth > 0 { // what is held costs no steps again: a large object is not given up for being large
		m.left = left
	}
	m.endless, m.spent = m.endless || endless, m.spent && !leaf || spent
	if depth == 0 {
		m.endless = false
	}
	return g, err
}

// Spare makes a value as Good does, of an object but what has to be there: for
// what is only on the way to another value.
func (m *Maker) Spare(n *contract.Node) (Good, error) {
	for from := m; from != nil; from = from.from {
		if g, ok := from.spare[n]; ok {
			return g, nil
		}
	}
	g, err := m.Good(n)
	if err != nil {
		return g, err
	}
	if members, ok := g.V.(map[string]any); ok {
		few := Good{V: map[string]any{}, Unknown: slices.Clone(g.Unknown)}
		for name, v := range members {
			all, required := properties(n.Whole(), name)
			if required || len(all) == 0 {
				few.V.(map[string]any)[name] = v //nolint:forcetypeassert // made above
				continue
			}
			few.Unknown = slices.DeleteFunc(few.Unknown, func(path string) bool {
				return slices.ContainsFunc(all, func(p *contract.Node) bool { return path == p.Path || strings.HasPrefix(path, p.Path+"/") })
			})
		}
		if n.Keeps(few.V) {
			g = few
		}
	}
	if m.spare == nil {
		m.spare = map[*contract.Node]Good{}
	}
	m.spare[n] = g
	return g, nil
}

// properties returns the nodes of a property, of all schemas that are about the
// object, and whether one of them requires it.
func properties(n *contract.Node, name string) (all []*contract.Node, required bool) {
	for _, p := range n.Props {
		if p.PropName == name {
			all = append(all, p)
		}
	}
	required = n.Required[name]
	for _, part := range n.InPlace() {
		more, too := properties(part.Whole(), name)
		all, required = append(all, more...), required || too
	}
	return all, required
}

// out reports whether fewer steps are left than these: what is not found then may be there.
func (m *Maker) out(steps int) bool {
	if m.left >= steps {
		return false
	}
	m.spent = true
	return true
}

func (m *Maker) search(n *contract.Node, depth int) (Good, error) {
	if g, ok := m.known(n); ok {
		return g, nil
	}
	if depth == 0 {
		m.left, m.cause = maxSteps, nil
	}
	var found Good
	ok := false
	for g := range m.values([]*contract.Node{n}, depth) {
		found, ok = g, true
		break
	}
	if ok && n.Lost() && !slices.Contains(found.Unknown, n.Path) {
		found.Unknown = append(slices.Clone(found.Unknown), n.Path)
	}
	if ok {
		return found, nil
	}
	if m.cause == nil {
		m.cause = fmt.Errorf("%s: %w", n.Subject, m.why(n))
	}
	return Good{}, m.cause
}

// ErrEndless is why no value is made of a schema that has to contain itself.
var ErrEndless = errors.New("the schema refers to itself without an end")

var errNoValue = errors.New("no value found that keeps the schema")

// why says why no value was found.
func (m *Maker) why(n *contract.Node) error {
	s := n.Schema
	switch {
	case s.MinLength > maxText:
		return fmt.Errorf("a string of %d characters is not made, the longest has %d", s.MinLength, maxText)
	case s.MinItems > maxCount:
		return fmt.Errorf("a list of %d items is not made, the longest has %d", s.MinItems, maxCount)
	case s.Pattern != "" && len(s.Enum) == 0:
		return fmt.Errorf("no string is found that matches %s and keeps the rest of the schema", s.Pattern)
	case m.endless:
		return ErrEndless
	}
	return errNoValue
}

// known takes a value that exists on the target. A list takes all of them.
func (m *Maker) known(n *contract.Node) (Good, bool) {
	for _, v := range m.KnownFor(n) {
		if n.Validates(Plain(v)) == nil {
			return Good{V: v, Unknown: m.doubts(n)}, true
		}
	}
	if len(m.Given(n)) == 0 || n.Items == nil {
		return Good{}, false
	}
	var items []any
	for _, v := range m.KnownFor(n.Items) {
		if n.Schema.MaxItems != nil && uint64(len(items)) == *n.Schema.MaxItems {
			break
		}
		items = append(items, v)
	}
	if len(items) == 0 || !n.Keeps(items) {
		return Good{}, false
	}
	return Good{V: items, Unknown: m.doubts(n.Items)}, true
}

// doubts lists a node if what is known of its name is in doubt.
func (m *Maker) doubts(n *contract.Node) []string {
	if m.Doubtful[n.Name] || m.Doubtful["/"+n.Path] {
		return []string{n.Path}
	}
	return nil
}

// Given are the values that exist on the target for a node, as they were given. Those of a list
// are for its items.
func (m *Maker) Given(n *contract.Node) []string {
	for path := n.Path; ; {
		if texts := m.Known["/"+path]; len(texts) > 0 {
			return texts
		}
		list, ok := strings.CutSuffix(path, "/items")
		if !ok {
			return m.Known[n.Name]
		}
		path = list
	}
}

// KnownFor returns the values that exist on the target for a scalar node, as
// JSON values of its type, in the order they were given.
func (m *Maker) KnownFor(n *contract.Node) []any {
	if n.Items != nil || len(n.Props) > 0 {
		return nil
	}
	var values []any
	for _, text := range m.Given(n) {
		switch {
		case n.Allows("string"):
			values = append(values, text)
		case n.Allows("boolean") && (text == "true" || text == "false"):
			values = append(values, text == "true")
		case n.Allows("integer"):
			if _, err := strconv.ParseFloat(text, 64); err == nil {
				values = append(values, json.Number(text))
			}
		}
	}
	return values
}

// empty reports whether a value says nothing, so that an optional property
// that has it need not be there.
func empty(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return false
}

// Number writes a number without an exponent where it has no fraction.
func Number(v float64) json.Number {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return json.Number(strconv.FormatInt(int64(v), 10))
	}
	return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
}

// Distinct returns a value like v that differs from it: the i-th of a row.
func (m *Maker) Distinct(n *contract.Node, v any, i int) any {
	suffix := strconv.Itoa(i)
	switch v := v.(type) {
	case string:
		if c := v + suffix; n.Validates(c) == nil {
			return c
		}
		if r := []rune(v); len(r) > 0 {
			if c := string(r[:max(0, len(r)-len(suffix))]) + suffix; n.Validates(c) == nil {
				return c
			}
		}
		if c, ok := m.mutant(n, v, max(i, 1)); ok {
			return c
		}
	case json.Number, float64, int:
		if f, ok := exact(v); ok {
			by := ranged([]*contract.Node{n}, false).stepOr(big.NewRat(1, 1))
			f.Add(f, by.Mul(by, big.NewRat(int64(i), 1)))
			if c := decimal(f); n.Validates(c) == nil {
				return c
			}
		}
	}
	if listed := n.Listed(); i < len(listed) && n.Validates(listed[i]) == nil {
		return listed[i]
	}
	return v
}

// mutants are the texts that differ from one in a character and that its schema takes, as far as
// they have been looked for: of a row of thousands each is the next one.
type mutants struct {
	valid []string
	tried int
}

type mutantKey struct {
	node *contract.Node
	text string
}

// mutant returns the i-th text, from 1, that differs from one in a character.
func (m *Maker) mutant(n *contract.Node, text string, i int) (string, bool) {
	key := mutantKey{n, text}
	known := m.mutants[key]
	count := 0
	for c := range pattern.Mutated(text) {
		if len(known.valid) >= i {
			break
		}
		if count++; count <= known.tried {
			continue
		}
		if known.tried = count; n.Validates(c) == nil {
			known.valid = append(known.valid, c)
		}
	}
	if m.mutants == nil {
		m.mutants = map[mutantKey]mutants{}
	}
	m.mutants[key] = known
	if len(known.valid) < i {
		return "", false
	}
	return known.valid[i-1], true
}

// Plain returns a value as a JSON decoder would: raw JSON decoded.
func Plain(v any) any {
	switch v := v.(type) {
	case json.RawMessage:
		var out any
		dec := json.NewDecoder(strings.NewReader(string(v)))
		dec.UseNumber()
		if dec.Decode(&out) != nil {
			return nil
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = Plain(e)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Plain(e)
		}
		return out
	}
	return v
}
