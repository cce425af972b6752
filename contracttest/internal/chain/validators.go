package chain

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// strong is the entity tag of an answer, if it is a strong one.
func (s *Step) strong() string {
	if s.Response == nil {
		return ""
	}
	tag := s.Response.Header.Get("ETag")
	if strings.HasPrefix(tag, "W/") {
		return ""
	}
	return tag
}

// validated plans what is looked for where a resource has a validator.
func (p *planner) validated() {
	k := p.kind
	if k.Read == nil {
		return
	}
	for _, op := range []*contract.Operation{k.Put, k.Patch} {
		if op == nil {
			continue
		}
		p.add(judge.ValidatorStale, op.ID, func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			before := t.read(r)
			if !before.ok() || before.strong() == "" || !t.do(op, r, Edit{Set: t.others(op)}).ok() {
				return
			}
			t.moves(op, before, t.read(r))
		}, k.Read, op)
		names := sortedKeys(Others(p.actor, op))
		if len(names) == 0 {
			continue
		}
		p.add(judge.ValidatorStale, op.ID+"/one-by-one", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			set, now := t.others(op), r.made.sent()
			t.each(names, func(name string) {
				before := t.read(r)
				if !before.ok() || before.strong() == "" {
					return
				}
				members := map[string]any{} // all others are as they are
				if op == k.Put {
					for n, v := range now {
						if prop(op, n) != nil && !prop(op, n).Schema.ReadOnly {
							members[n] = v
						}
					}
				}
				if members[name] = set[name]; same(now[name], normal(set[name])) {
					return
				}
				body, err := json.Marshal(members)
				if err != nil || !t.do(op, r, Edit{Body: body}).ok() {
					return
				}
				now[name] = normal(set[name])
				t.moves(op, before, t.read(r))
			})
		}, k.Read, op)
		p.add(judge.ValidatorStale, op.ID+"/answered", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			// RFC 9110 §9.3.4: PUT has no validator in its answer but that of what is read then.
			t.answered(r, t.do(op, r, Edit{Set: t.others(op)}), severityOf(op == k.Put))
		}, op, k.Read)
	}
	p.add(judge.ValidatorStale, "answered", func(t *try) {
		if r := t.make(Edit{}); r != nil && !t.over() && r.made.status() == http.StatusCreated {
			t.answered(r, r.made, judge.Warning)
		}
	}, k.Make, k.Read)
	for _, op := range []*contract.Operation{k.Put, k.Patch, k.Delete} {
		if op == nil {
			continue
		}
		if !takes(op, "If-Match") && !has(op, http.StatusPreconditionFailed, http.StatusPreconditionRequired) {
			continue // a server may have validators for caches alone
		}
		p.add(judge.PreconditionIgnored, "stale", func(t *try) {
			r, stale, first := t.changedOnce()
			if r == nil {
				return
			}
			set := t.others(op)
			s := t.do(op, r, Edit{Set: set, Header: map[string]string{"If-Match": stale}})
			switch {
			case s.ok():
				t.blame(judge.Error, s, "412", s.answer(), "%s accepts an If-Match with an outdated ETag", op.Endpoint())
			case s.status() == http.StatusPreconditionFailed && !t.over():
				after := t.read(r)
				if after.gone() {
					t.blame(judge.Error, s, "the resource as it was", after.answer(), "%s was refused with %s, but the resource is gone", op.Endpoint(), s.answer())
				} else if got := after.got(k, r.id()); after.ok() {
					for _, name := range sortedKeys(s.sent()) {
						if v := s.sent()[name]; !same(v, first[name]) && same(got[name], v) {
							t.blame(judge.Error, s, name+": "+show(first[name]), name+": "+show(v), "%s was refused with %s, but %s was stored", op.Endpoint(), s.answer(), name)
						}
					}
				}
			}
		}, op, k.Read)
		for _, c := range []struct {
			variant, value, says string
			refuse               bool // it names nothing that is there
		}{
			{variant: "current", value: tagItself, says: "an If-Match with the ETag that GET just returned"},
			{variant: "any", value: "*", says: "If-Match: *, which matches any existing resource"},
			{variant: "in-a-list", value: `"another", ` + tagItself, says: "an If-Match that lists the current ETag second"},
			{variant: "weak", value: "W/" + tagItself, says: "an If-Match with a weak ETag (W/), though If-Match compares strongly", refuse: true},
		} {
			p.add(judge.PreconditionIgnored, c.variant, func(t *try) { t.matched(op, c.value, c.says, c.refuse, false) }, op, k.Read)
		}
		p.add(judge.PreconditionIgnored, "after-another", func(t *try) {
			t.matched(op, tagItself, "an If-Match with the ETag that GET just returned", false, true)
		}, op, k.Read)
	}
	if takes(k.Read, "If-None-Match") || has(k.Read, http.StatusNotModified) {
		p.add(judge.PreconditionIgnored, "unchanged", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			before := t.read(r)
			if before.strong() == "" || t.peek(k.Read, r, Edit{}).strong() != before.strong() {
				return
			}
			known := map[string]string{"known": tagItself, "known-in-a-list": `"another", ` + tagItself, "known-weakly": "W/" + tagItself, "unknown": `"another"`}
			t.each([]string{"known", "known-in-a-list", "known-weakly", "unknown"}, func(name string) {
				match := strings.ReplaceAll(known[name], tagItself, before.strong())
				if !mayHave(k.Read, "If-None-Match", match) {
					return
				}
				switch s := t.do(k.Read, r, Edit{Header: map[string]string{"If-None-Match": match}}); {
				case name != "unknown" && s.status() == http.StatusOK:
					t.blame(severityOf(name == "known"), s, "304", s.answer(), "%s ignores an If-None-Match with the ETag that it just returned: %s", k.Read.Endpoint(), known[name])
				case name == "unknown" && s.status() == http.StatusNotModified:
					t.blame(judge.Error, s, "200", s.answer(), "%s returns 304 to an If-None-Match with an unknown ETag", k.Read.Endpoint())
				}
			})
		}, k.Read)
	}
	if k.Put != nil && takes(k.Put, "If-None-Match") && mayHave(k.Put, "If-None-Match", "*") {
		p.add(judge.PreconditionIgnored, "none-but-new", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() || !t.read(r).ok() {
				return
			}
			if s := t.do(k.Put, r, Edit{Set: t.others(k.Put), Header: map[string]string{"If-None-Match": "*"}}); s.ok() {
				t.blame(judge.Error, s, "412", s.answer(), "%s replaces an existing resource despite If-None-Match: *", k.Put.Endpoint())
			}
		}, k.Put, k.Read)
	}
	p.together()
	for _, op := range []*contract.Operation{k.Put, k.Patch} {
		p.add(judge.ValidatorStale, labelOfOp(op)+"/not-modified", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			before := t.read(r)
			kept := t.kept(r)
			if before.strong() == "" || t.over() {
				return
			}
			change := t.do(op, r, Edit{Set: t.others(op)})
			if !change.ok() || t.over() {
				return
			}
			now := t.shown(r)
			changed := false
			for name, v := range kept {
				changed = changed || !same(now[name], v)
			}
			if s := t.do(k.Read, r, Edit{Header: map[string]string{"If-None-Match": before.strong()}}); changed && s.status() == http.StatusNotModified {
				t.blame(judge.Error, s, "200 with the current resource", s.answer(), "%s returns 304 although the resource changed", k.Read.Endpoint())
			}
		}, k.Read, op)
		if op == nil || !takes(op, "If-Match") && !has(op, http.StatusPreconditionFailed) {
			continue
		}
		p.add(judge.LostUpdate, "", func(t *try) {
			t.meet(func(r *resource) { t.bothMatch(op, r) })
		}, op, k.Read).Alone = true // others would keep the two from meeting
	}
}

// overlaps is how often two changes are sent at once: whether they meet is a matter of chance.
const overlaps = 2

// meet looks several times at what becomes of changes at once, each time of a new resource.
func (t *try) meet(look func(*resource)) {
	for range overlaps {
		r := t.make(Edit{})
		if r == nil || t.over() {
			return
		}
		if look(r); t.over() {
			return
		}
		t.steps = nil
	}
}

// bothMatch sends two changes at once with the same condition.
func (t *try) bothMatch(op *contract.Operation, r *resource) {
	before := t.read(r)
	members := t.others(op)
	if before.strong() == "" || t.over() || len(members) == 0 {
		return
	}
	header := map[string]string{"If-Match": before.strong()}
	change := Edit{Header: header, Set: members}
	known := len(t.steps)
	all := slices.DeleteFunc(t.atOnce(op, r, change, change, change, change), func(s *Step) bool { return !s.ok() })
	// One that changes nothing leaves the ETag, and the next has the right one.
	if after := t.peek(t.Read, r, Edit{}); len(all) > 1 && after.ok() && after.strong() != before.strong() {
		t.steps = append(t.steps[:known:known], all[:2]...)
		t.blame(judge.Error, all[1], "412 for one of the two", all[1].answer(), "two concurrent requests to %s with the same If-Match are both accepted", op.Endpoint())
	}
}

// atOnce sends requests about a resource together, as steps.
func (t *try) atOnce(op *contract.Operation, r *resource, edits ...Edit) []*Step {
	all := make([]*Step, len(edits))
	var wg sync.WaitGroup
	for i, e := range edits {
		wg.Go(func() { all[i] = t.actor.Do(t.ctx, op, r.values, e) })
	}
	wg.Wait()
	t.steps = append(t.steps, all...)
	return all
}

// together plans whether of two changes at once, of different properties, both are there:
// each PATCH is to be applied as a whole, in whatever order they come (RFC 5789 §2).
func (p *planner) together() {
	k := p.kind
	if k.Patch == nil || k.Read == nil || !isMergePatch(k.Patch) {
		return
	}
	set := Others(p.actor, k.Patch)
	names := sortedKeys(set)
	if len(names) < 2 {
		return
	}
	p.add(judge.LostUpdate, "different", func(t *try) {
		t.meet(func(r *resource) { t.overlap(r, names, set) })
	}, k.Patch, k.Read).Alone = true
}

// overlap changes two properties of a resource at once.
func (t *try) overlap(r *resource, names []string, set map[string]any) {
	k := t.Kind
	kept := t.kept(r)
	var both []string
	for _, name := range names {
		if v, known := kept[name]; known && !same(v, normal(set[name])) && len(both) < 2 {
			both = append(both, name)
		}
	}
	if len(both) < 2 || t.over() {
		return
	}
	only := func(name string) Edit { return Edit{Only: true, Set: map[string]any{name: set[name]}} }
	changes := t.atOnce(k.Patch, r, only(both[0]), only(both[1]))
	if !changes[0].ok() || !changes[1].ok() || changes[0].open() || changes[1].open() {
		return
	}
	lost := ""
	s, good, _ := t.await(k.Read, r, func(s *Step) bool {
		lost = ""
		for _, name := range both {
			if same(s.got(k, r.id())[name], kept[name]) {
				lost = name
			}
		}
		return !s.ok() || lost == ""
	})
	if s.ok() && !good && !t.over() {
		t.blame(judge.Warning, t.acting(), lost+": "+show(set[lost]), lost+": "+show(kept[lost]), "two concurrent requests to %s that change different properties are both accepted, but one change is lost", k.Patch.Endpoint())
	}
}

// changedOnce makes a resource with a strong validator that is no longer its own, as it
// was changed since. It returns the old one and what the resource has now; nil where
// there is none.
func (t *try) changedOnce() (r *resource, stale string, now map[string]any) {
	k := t.Kind
	if r = t.make(Edit{}); r == nil || t.over() {
		return nil, "", nil
	}
	before := t.read(r)
	change := k.Put
	if change == nil {
		change = k.Patch
	}
	if before.strong() == "" || change == nil || t.over() || !t.do(change, r, Edit{Set: t.others(change)}).ok() {
		return nil, "", nil
	}
	after := t.peek(k.Read, r, Edit{})
	if !after.ok() || after.strong() == "" || after.strong() == before.strong() {
		return nil, "", nil // another check is about that
	}
	return r, before.strong(), after.got(k, r.id())
}

// tagItself stands for the entity tag of a resource in the values of conditions.
const tagItself = "ETAG"

// moves blames a change that leaves the strong validator of what it changes.
func (t *try) moves(op *contract.Operation, before, after *Step) {
	if after.ok() && after.strong() == before.strong() && string(after.Response.Body) != string(before.Response.Body) {
		t.blame(judge.Error, after, "another ETag", after.strong(), "the body changed after %s, but the strong ETag did not", op.Endpoint())
	}
}

// answered compares the validator in the answer to a change with that of what is read then.
func (t *try) answered(r *resource, change *Step, severity judge.Severity) {
	if !change.ok() || change.strong() == "" || t.over() {
		return
	}
	one, good, _ := t.await(t.Read, r, func(s *Step) bool { return !s.ok() || s.strong() == "" || s.strong() == change.strong() })
	if good || t.over() {
		return
	}
	if two := t.peek(t.Read, r, Edit{}); two.ok() && one.strong() == two.strong() && string(one.Response.Body) == string(two.Response.Body) && two.strong() != change.strong() {
		t.blame(severity, change, "the ETag that "+t.Read.Endpoint()+" returns: "+two.strong(), change.strong(), "%s returns an ETag that differs from the one that a read returns", change.Op.Endpoint())
	}
}

// matched sends a change under the condition that a resource is as it was just read, be it
// that another was read in between.
func (t *try) matched(op *contract.Operation, value, says string, refuse, another bool) {
	k := t.Kind
	severity := severityOf(value == tagItself) // many a server compares whole texts
	r := t.make(Edit{})
	if r == nil || t.over() {
		return
	}
	if another {
		other := t.beside(r, Edit{})
		if other == nil || t.over() || !t.read(other).ok() {
			return
		}
	}
	before := t.read(r)
	match := strings.ReplaceAll(value, tagItself, before.strong())
	if !before.ok() || before.strong() == "" || t.over() || !mayHave(op, "If-Match", match) {
		return
	}
	s := t.do(op, r, Edit{Set: t.others(op), Header: map[string]string{"If-Match": match}})
	switch {
	case t.over():
	case refuse && s.ok():
		t.blame(severity, s, "412", s.answer(), "%s accepts %s", op.Endpoint(), says)
	case !refuse && s.status() == http.StatusPreconditionFailed:
		// A tag may be another each time; that it is of no use is said only where nothing else has changed.
		if after := t.peek(k.Read, r, Edit{}); after.ok() && string(after.Response.Body) == string(before.Response.Body) {
			t.blame(severity, s, "a success", s.answer(), "%s refuses %s", op.Endpoint(), says)
		}
	}
}
