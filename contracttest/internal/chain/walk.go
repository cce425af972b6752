package chain

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// How many walks there are for a kind of resource, and how long one is.
const (
	walks    = 12
	maxMoves = 10
	inWalk   = 3 // resources at once
	// maxShorter is how often a walk that fails is tried without one of its moves.
	maxShorter = 24
)

// move is a step of a walk: what is done, and to which of the resources that there are.
type move struct {
	op *contract.Operation
	to int
	// set says that other values are sent than those of the valid request; a PATCH is sent
	// those alone, or one.
	set bool
	one int
}

// Walks lists walks over some kinds of resources: changes in an order that no check has, but
// a seed gives. After each of them all resources have to be what the changes have made of
// them.
func Walks(kinds []*Kind, actor Actor, seed int64) []*Chain {
	var all []*Chain
	for _, k := range kinds {
		p := &planner{kind: k, actor: actor}
		if k.Read == nil || k.ReadInList {
			continue
		}
		ops := present(append(k.Bodies(), k.Delete, k.List)...)
		for n := range walks {
			r := rand.New(rand.NewPCG(uint64(seed), uint64(n))) //nolint:gosec // they have to be the same for a seed
			moves := []move{{op: k.Make}}
			for len(moves) < maxMoves {
				moves = append(moves, move{ops[r.IntN(len(ops))], r.IntN(inWalk), r.IntN(2) > 0, r.IntN(2 * maxChanged)})
			}
			p.add(judge.WalkDiffers, fmt.Sprint("walk-", n+1), func(t *try) {
				first := t.walk(moves)
				if first != nil && t.alone == "" {
					first, moves = t.shorten(first, moves)
				}
				if first != nil {
					t.found, t.steps, t.about = first, first.steps, first.about
				}
			}, k.Read, ops...).Alone = true
		}
		all = append(all, p.all...)
	}
	return all
}

// walk makes moves on fresh resources, and returns what is wrong then.
func (t *try) walk(moves []move) *verdict {
	w := &walker{try: &try{Kind: t.Kind, ctx: t.ctx, actor: t.actor, settle: t.settle}}
	w.run(moves)
	if w.silent || w.ctx.Err() != nil || w.found == nil {
		return nil
	}
	w.found.steps = w.steps
	return w.found
}

// shorten makes the moves of a walk that fails without each of those that this does not need.
func (t *try) shorten(first *verdict, moves []move) (*verdict, []move) {
	for i, tries := 0, 0; i < len(moves) && tries < maxShorter; tries++ {
		shorter := slices.Delete(slices.Clone(moves), i, i+1)
		if again := t.walk(shorter); again != nil && again.about == first.about {
			first, moves = again, shorter
		} else {
			i++
		}
	}
	return first, moves
}

// walker knows what the resources have to be.
type walker struct {
	*try
	all  []*resource
	want []map[string]any // of each; nil where it was deleted
	mark []string         // of each, a text of its own that it had last
	kept map[string]bool  // properties that are read as they are sent
}

func (w *walker) run(moves []move) {
	k := w.Kind
	for _, m := range moves {
		e := Edit{}
		if m.set {
			e.Set = w.others(m.op)
		}
		if w.over() {
			return
		}
		if len(w.all) == 0 && m.op != k.Make {
			continue
		}
		switch m.to %= max(len(w.all), 1); { // so it is about one where there are fewer
		case m.op == k.Make && len(w.all) < inWalk:
			w.create(e)
		case m.op == k.Make && !k.Chosen() || w.want[m.to] == nil:
			continue
		case m.op == k.List:
			w.do(k.List, w.all[m.to], Edit{})
		default:
			w.change(m, e)
		}
		w.look()
	}
}

// create makes a resource; of the first one it is learned what comes back as it is sent.
func (w *walker) create(e Edit) {
	var r *resource
	if len(w.all) == 0 {
		r = w.make(e)
	} else {
		r = w.beside(w.all[0], e)
	}
	if r == nil || w.over() {
		return
	}
	kept := w.try.kept(r)
	if w.kept == nil {
		w.kept = map[string]bool{}
		for name := range kept {
			w.kept[name] = true
		}
	}
	maps.DeleteFunc(kept, func(name string, _ any) bool { return !w.kept[name] })
	w.all, w.want, w.mark = append(w.all, r), append(w.want, kept), append(w.mark, "")
}

func (w *walker) change(m move, e Edit) {
	k, want := w.Kind, w.want[m.to]
	if m.op == k.Patch {
		e.Only = len(e.Set) > 0
		if names := sortedKeys(e.Set); m.one < len(names) {
			e.Set = map[string]any{names[m.one]: e.Set[names[m.one]]}
		}
	}
	s := w.do(m.op, w.all[m.to], e)
	switch {
	case w.over() || !s.ok():
	case m.op == k.Delete:
		for _, v := range want {
			if text, is := v.(string); is && w.unique(text) {
				w.mark[m.to] = text
			}
		}
		w.want[m.to] = nil
	default:
		if m.op == k.Put {
			clear(want) // what is left out may have its default
		}
		for name, v := range s.sent() {
			if delete(want, name); w.kept[name] && v != nil {
				want[name] = v
			}
		}
	}
}

// look compares each resource with what it has to be.
func (w *walker) look() {
	for i, r := range w.all {
		if w.over() {
			return
		}
		want, wrong := w.want[i], ""
		s, good, _ := w.await(w.Read, r, func(s *Step) bool {
			got := s.got(w.Kind, r.id())
			switch wrong = ""; {
			case want == nil && s.ok() && w.mark[i] != "" && bytes.Contains(s.body(), []byte(w.mark[i])):
				wrong = "back"
			case want != nil && s.gone():
				wrong = "gone"
			case want != nil && s.ok():
				for _, name := range sortedKeys(want) {
					if wrong == "" && !alike(got[name], want[name]) {
						wrong = name
					}
				}
			}
			return wrong == ""
		})
		if good || w.over() {
			w.steps = w.steps[:len(w.steps)-1]
			continue
		}
		switch w.about = wrong; wrong {
		case "back":
			w.blame(judge.Warning, s, "404 or 410", s.answer(), "a deleted resource is still there")
		case "gone":
			w.blame(judge.Warning, s, "the resource", s.answer(), "a resource that was created and not deleted is gone")
		default:
			w.blame(judge.Warning, s, wrong+": "+show(want[wrong]), wrong+": "+show(s.got(w.Kind, r.id())[wrong]), "%s does not have the value of the last change", wrong)
		}
	}
}
