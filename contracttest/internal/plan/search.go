package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/value"
)

// Part is one of the things that a case does to the base.
type Part struct {
	Clause *contract.Clause
	Label  string
	// Unknown and Doubts are those of the case that are there for this part.
	Unknown, Doubts []string
}

// How much is searched together in the cases of an operation.
const (
	maxOptions    = 32 // optional parts that are sent and left out
	maxLimited    = 64 // values that are put at limits
	maxOptionRows = 16 // cases with optional parts
	maxLimitRows  = 16 // cases with limits
	maxTried      = 24 // choices of which the best becomes the next case
)

// limited are the values of one place at common limits.
type limited []change

// search plans valid requests that differ from the base in many things at once: optional
// parts with and without each other, and values at the limits that receivers have
// though the document has none. Of one that is refused, the run looks for the part that it is
// refused for.
func (pl *planner) search() {
	if pl.opts.Random == 0 || pl.opts.Thin {
		return
	}
	r := rand.New(rand.NewPCG(uint64(pl.opts.Seed), uint64(pl.op.Index)<<32|1<<31)) //nolint:gosec // cases need repeatable, not secret, choices
	pl.optionRows(r)
	pl.limitRows(r)
}

// works reports whether a change alone makes a valid request.
func (pl *planner) works(ch change) bool {
	d, err := ch.apply(pl.maker, pl.base)
	if err != nil {
		return false
	}
	req, err := d.request()
	return err == nil && len(pl.checker.CheckRequest(pl.asDocumented(req))) == 0
}

// optionRows sends the optional parts that the base leaves out, and leaves out those that it
// has, so that every two of them, or three, are seen in all combinations in few requests.
func (pl *planner) optionRows(r *rand.Rand) {
	var options []change
	for _, ch := range slices.Concat(pl.optionalParams(), pl.options) {
		if len(options) == maxOptions || pl.ended() {
			break
		}
		if !slices.ContainsFunc(options, func(o change) bool { return overlap(o.site, ch.site) }) && pl.works(ch) {
			options = append(options, ch)
		}
	}
	if len(options) < 2 {
		return
	}
	covered := newCover(len(options))
	covered.take(make([]bool, len(options))) // the base is one of the rows
	for n := 1; n <= min(maxOptionRows, pl.opts.Random) && covered.left > 0; n++ {
		var row []bool
		most := 0
		for range maxTried {
			other := make([]bool, len(options))
			for i := range other {
				other[i] = r.IntN(2) == 1
			}
			if news := covered.news(other); news > most {
				row, most = other, news
			}
		}
		if row == nil {
			continue
		}
		covered.take(row)
		var used []*change
		for i, on := range row {
			if on {
				used = append(used, &options[i])
			}
		}
		pl.addTogether(fmt.Sprintf("options-%d", n), used)
	}
}

// cover counts which of three parts, or of two where there are many, have been seen in
// which combination.
type cover struct {
	n, left int
	threes  bool
	seen    map[[3]int]bool // parts, twice their number and one more where they are changed
}

// maxThrees is of how many parts every three are seen together.
const maxThrees = 14

func newCover(n int) *cover {
	c := &cover{n: n, threes: n > 2 && n <= maxThrees, seen: map[[3]int]bool{}}
	if c.left = 4 * n * (n - 1) / 2; c.threes {
		c.left = 8 * n * (n - 1) * (n - 2) / 6
	}
	return c
}

func (c *cover) each(row []bool, f func(key [3]int)) {
	part := func(i int) int {
		if row[i] {
			return 2*i + 1
		}
		return 2 * i
	}
	for i := range c.n {
		for j := i + 1; j < c.n; j++ {
			if !c.threes {
				f([3]int{part(i), part(j)})
				continue
			}
			for k := j + 1; k < c.n; k++ {
				f([3]int{part(i), part(j), part(k)})
			}
		}
	}
}

func (c *cover) news(row []bool) int {
	count := 0
	c.each(row, func(key [3]int) {
		if !c.seen[key] {
			count++
		}
	})
	return count
}

func (c *cover) take(row []bool) {
	c.each(row, func(key [3]int) {
		if !c.seen[key] {
			c.seen[key] = true
			c.left--
		}
	})
}

// optionalParams are the changes that send an optional parameter, or leave it out; not one
// without which a documented 428 may come.
func (pl *planner) optionalParams() []change {
	var all []change
	for _, p := range pl.op.Params {
		if p.Spec.Required || p.Credential || saysVersion(p, pl.op) {
			continue
		}
		ch := change{clause: p.Presence, label: p.Spec.Name + "-absent", node: p.Node, site: p.Node.Path, touches: p}
		g := value.Good{V: value.Absent{}}
		if _, there := pl.base.params[p]; !there {
			var err error
			if g, err = pl.goodParam(p); err != nil {
				continue
			}
			ch.label = p.Spec.Name + "-present"
			if pl.names(p.Node) {
				ch.doubt = p.Node.Path
			}
		}
		ch.apply = func(_ *value.Maker, d draft) (draft, error) { return d.withParam(p, g), nil }
		all = append(all, ch)
	}
	return all
}

// limitRows puts all values at some limit each, at another one in each case.
func (pl *planner) limitRows(r *rand.Rand) {
	var all []limited
	rows := 0
	for _, l := range pl.limits {
		if len(all) == maxLimited || pl.ended() {
			break
		}
		l = slices.DeleteFunc(slices.Clone(l), func(ch change) bool { return !pl.works(ch) })
		if len(l) == 0 || slices.ContainsFunc(all, func(o limited) bool { return overlap(o[0].site, l[0].site) }) {
			continue
		}
		r.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
		all, rows = append(all, l), max(rows, len(l))
	}
	for n := range min(rows, maxLimitRows, pl.opts.Random) {
		var used []*change
		size := 0
		for _, l := range all {
			if n < len(l) || len(l) > 1 { // one that has few has them again beside others
				ch := &l[n%len(l)]
				if size += ch.size; size < maxRandomSize {
					used = append(used, ch)
				}
			}
		}
		pl.addTogether(fmt.Sprintf("limits-%d", n+1), used)
	}
}

// addTogether adds a case with several changes.
func (pl *planner) addTogether(label string, used []*change) {
	if len(used) == 0 || pl.ended() {
		return
	}
	if c := pl.together(Random, used, nil, label+"-"+summary(used)); c != nil && !pl.repeats(c) {
		pl.add(c)
	}
}

// summary names some of the changes.
func summary(used []*change) string {
	const most = 3
	var names []string
	for _, ch := range used[:min(most, len(used))] {
		names = append(names, ch.label)
	}
	if more := len(used) - most; more > 0 {
		names = append(names, fmt.Sprintf("%d-more", more))
	}
	return strings.Join(names, "+")
}

// several is what a case is made of that does several things to the base: changes of
// different places, and with them a fault where there is one.
type several struct {
	pl    *planner
	used  []*change
	fault *change
}

// newSeveral copies the changes: they are items of lists that are dropped.
func newSeveral(pl *planner, used []*change, fault *change) *several {
	s := &several{pl: pl}
	for _, ch := range used {
		one := *ch
		s.used = append(s.used, &one)
	}
	if fault != nil {
		one := *fault
		s.fault = &one
	}
	return s
}

// Parts lists what the case does to the base beside its fault, where it does several things.
func (c *Case) Parts() []Part {
	if c.several == nil {
		return nil
	}
	parts := make([]Part, len(c.several.used))
	for i, ch := range c.several.used {
		parts[i] = Part{Clause: ch.clause, Label: ch.label, Unknown: ch.made}
		if ch.doubt != "" {
			parts[i].Doubts = []string{ch.doubt}
		}
	}
	return parts
}

// Some makes the case with some of its parts alone; nil where there is none. It may be
// called when the plan is done.
func (c *Case) Some(parts []int) *Case {
	w := *c.several.pl
	w.checker, w.maker, w.reasons = w.op.NewChecker(), w.maker.Fork(), map[*contract.Clause]string{}
	var few []*change
	for _, i := range parts {
		few = append(few, c.several.used[i])
	}
	less := w.together(c.Phase, few, c.several.fault, "some")
	if less != nil {
		less.ID, less.several = c.ID, nil
	}
	return less
}

// together makes a case of several changes of other places, and with them a fault where there
// is one; nil where nothing comes of it.
func (pl *planner) together(phase Phase, used []*change, fault *change, label string) *Case {
	d, others := pl.base, pl.base // others: all changes but the first
	first := fault
	for i := range used {
		next, err := used[i].apply(pl.maker, d)
		if err != nil {
			return nil
		}
		d = next
		if i == 0 || fault != nil {
			continue
		}
		if others, err = used[i].apply(pl.maker, others); err != nil {
			return nil
		}
	}
	expect := Refuse
	switch {
	case fault != nil:
		next, err := fault.apply(pl.maker, d)
		if err != nil {
			return nil
		}
		d = next
	case len(used) == 0:
		return nil
	default:
		first, expect = used[0], Accept
	}
	c := pl.newCase(phase, first.clause, label, expect)
	if fault == nil {
		if len(used) > 1 {
			c.Without = append(c.Without, others.written())
		}
		c.compare(*used[0])
	} else {
		c.doubt(*fault)
		pl.own(c, fault.touches)
	}
	for i := range used {
		c.doubt(*used[i])
		pl.own(c, used[i].touches)
	}
	if !pl.confirmed(c, d) {
		return nil
	}
	if len(used) > 1 || len(used) > 0 && fault != nil {
		c.several = newSeveral(pl, used, fault)
	}
	return c
}
