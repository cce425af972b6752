package chain

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
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
	if k.Read == nil || k.ReadInList {
		return
	}
	for _, op := range present(k.Put, k.Patch) {
		p.onNew(judge.ValidatorStale, op.ID, func(t *try, r *resource) {
			before := t.read(r)
			if before.ok() && before.strong() != "" && t.do(op, r, Edit{Set: t.others(op)}).ok() {
				t.moves(op, before, t.read(r))
			}
		}, k.Read, op)
		names := sortedKeys(Others(p.actor, op))
		if len(names) == 0 {
			continue
		}
		p.onNew(judge.ValidatorStale, op.ID+"/one-by-one", func(t *try, r *resource) { t.moveOneByOne(r, op, names) }, k.Read, op)
		p.onNew(judge.ValidatorStale, op.ID+"/answered", func(t *try, r *resource) {
			// RFC 9110 §9.3.4: PUT has no validator in its answer but that of what is read then.
			t.answered(r, t.do(op, r, Edit{Set: t.others(op)}), severityOf(op == k.Put))
		}, op, k.Read)
	}
	p.onNew(judge.ValidatorStale, "answered", func(t *try, r *resource) {
		if r.made.status() == http.StatusCreated {
			t.answered(r, r.made, judge.Warning)
		}
	}, k.Make, k.Read)
	p.conditional()
	for _, op := range present(k.Put, k.Patch) {
		if name := versionOf(op); name != "" {
			p.onNew(judge.LostUpdate, "stale-"+name, func(t *try, r *resource) { t.staleVersion(r, op, name) }, op, k.Read)
		}
	}
	if takes(k.Read, "If-None-Match") || has(k.Read, http.StatusNotModified) {
		p.onNew(judge.PreconditionIgnored, "unchanged", (*try).noneMatch, k.Read)
	}
	if k.Put != nil && takes(k.Put, "If-None-Match") && mayHave(k.Put, "If-None-Match", "*") {
		p.onNew(judge.PreconditionIgnored, "none-but-new", func(t *try, r *resource) {
			if !t.read(r).ok() {
				return
			}
			if s := t.do(k.Put, r, Edit{Set: t.others(k.Put), Header: map[string]string{"If-None-Match": "*"}}); s.ok() {
				t.blame(judge.Error, s, "412", s.answer(), "%s replaces an existing resource despite If-None-Match: *", k.Put.Endpoint())
			}
		}, k.Put, k.Read)
	}
	p.together()
	for _, op := range present(k.Put, k.Patch) {
		p.onNew(judge.ValidatorStale, op.ID+"/not-modified", func(t *try, r *resource) { t.notModified(r, op) }, k.Read, op)
		if takes(op, "If-Match") || has(op, http.StatusPreconditionFailed) {
			p.add(judge.LostUpdate, "", func(t *try) {
				t.meet(func(r *resource) { t.bothMatch(op, r) })
			}, op, k.Read).Alone = true // others would keep the two from meeting
		}
	}
}

// conditional plans whether changes heed an If-Match.
func (p *planner) conditional() {
	k := p.kind
	for _, op := range present(k.Put, k.Patch, k.Delete) {
		if !takes(op, "If-Match") && !has(op, http.StatusPreconditionFailed, http.StatusPreconditionRequired) {
			continue // a server may have validators for caches alone
		}
		p.onNew(judge.PreconditionIgnored, "stale", func(t *try, r *resource) { t.staleMatch(r, op) }, op, k.Read)
		for _, c := range []struct {
			variant, value, says string
			refuse               bool // it names nothing that is there
		}{
			{variant: "current", value: tagItself, says: "an If-Match with the ETag that GET just returned"},
			{variant: "any", value: "*", says: "If-Match: *, which matches any existing resource"},
			{variant: "in-a-list", value: `"another", ` + tagItself, says: "an If-Match that lists the current ETag second"},
			{variant: "weak", value: "W/" + tagItself, says: "an If-Match with a weak ETag (W/), though If-Match compares strongly", refuse: true},
		} {
			p.onNew(judge.PreconditionIgnored, c.variant, func(t *try, r *resource) { t.matched(r, op, c.value, c.says, c.refuse) }, op, k.Read)
		}
		if k.Single() {
			continue
		}
		p.onNew(judge.PreconditionIgnored, "after-another", func(t *try, r *resource) {
			if other := t.beside(r, Edit{}); other != nil && t.read(other).ok() {
				t.matched(r, op, tagItself, "an If-Match with the ETag that GET just returned", false)
			}
		}, op, k.Read)
	}
}

// moveOneByOne changes a property after the other, and looks at the validator each time.
func (t *try) moveOneByOne(r *resource, op *contract.Operation, names []string) {
	set, now := t.others(op), r.made.sent()
	t.each(names, func(name string) {
		before := t.read(r)
		if !before.ok() || before.strong() == "" {
			return
		}
		members := map[string]any{} // all others are as they are
		if op == t.Put {
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
}

// staleMatch sends a change under the condition that a resource is as it was before another change.
func (t *try) staleMatch(r *resource, op *contract.Operation) {
	stale, now := t.changedOnce(r)
	if stale == "" {
		return
	}
	change := t.acting()
	s := t.do(op, r, Edit{Set: t.others(op), Header: map[string]string{"If-Match": stale}})
	switch {
	case s.ok():
		t.blame(judge.Error, s, "412", s.answer(), "%s accepts an If-Match with an outdated ETag", op.Endpoint())
	case s.status() == http.StatusPreconditionFailed:
		before := map[string]any{}
		for name, v := range s.sent() {
			if !same(v, change.sent()[name]) { // else it may be that one, which shows late
				before[name] = now[name]
			}
		}
		t.notDone(r, s, before)
	}
}

// versionOf is the property of an operation's body that says which version of a resource it changes,
// where the document has a refusal for that; empty where there is none. One that is called version may
// be any data, unless it is required or a text beside it says what it is for.
func versionOf(op *contract.Operation) string {
	n := Node(op)
	if n == nil || takes(op, "If-Match") || !has(op, http.StatusConflict, http.StatusPreconditionFailed) {
		return ""
	}
	for _, m := range n.Members() {
		name := world.Plain(m.PropName)
		if m.Schema.ReadOnly || !slices.Contains(Versions, name) {
			continue
		}
		texts := []string{m.Schema.Description, op.Spec.Description, op.Spec.Summary}
		for _, status := range []int{http.StatusConflict, http.StatusPreconditionFailed} {
			if r := op.Response(status); r != nil && r.Spec.Description != nil {
				texts = append(texts, *r.Spec.Description)
			}
		}
		said := strings.ToLower(strings.Join(texts, " "))
		if !slices.Contains([]string{"version", "revision", "rev"}, name) || n.Requires(m.PropName) || has(op, http.StatusPreconditionFailed) ||
			slices.ContainsFunc(ofVersions, func(word string) bool { return strings.Contains(said, word) }) {
			return m.PropName
		}
	}
	return ""
}

// ofVersions are words of texts about the versions of a resource.
var ofVersions = []string{"stale", "outdated", "concurren", "optimistic", "current", "lost update", "version conflict", "modified", "changed by"}

// staleVersion changes a resource twice, with the version that it has in the body, and then with one that
// it had before: who sends that has not seen the last change.
func (t *try) staleVersion(r *resource, op *contract.Operation, name string) {
	kept, others := t.kept(r), t.others(op)
	members, _ := t.actor.Base(op)
	stale, now := any(nil), t.shown(r)
	for _, set := range []map[string]any{others, {}} { // the last change may be the one before it
		had := now[name]
		if had == nil || t.over() || !t.do(op, r, Edit{Set: with(set, name, had)}).ok() {
			return
		}
		if now = t.shown(r); t.over() || now[name] == nil || same(now[name], had) {
			return // it is what is sent, and no version of the target's
		}
		if !same(had, members[name]) { // else the run takes it for one that is to be brought up to date
			stale = had
		}
	}
	if stale == nil || same(stale, now[name]) {
		return
	}
	s := t.do(op, r, Edit{Set: with(others, name, stale)})
	if !s.ok() || t.over() {
		return
	}
	after := t.shown(r)
	for of, v := range s.sent() {
		if _, known := kept[of]; known && of != name && !same(v, now[of]) && same(v, after[of]) && !t.over() {
			t.blame(judge.Warning, s, "409 or 412", s.answer(), "%s accepts a change with a %s in its body that the resource no longer has", op.Endpoint(), name)
			return
		}
	}
}

// noneMatch reads a resource under conditions that it meets or does not meet.
func (t *try) noneMatch(r *resource) {
	before := t.read(r)
	if before.strong() == "" || t.peek(t.Read, r, Edit{}).strong() != before.strong() {
		return
	}
	known := map[string]string{"known": tagItself, "known-in-a-list": `"another", ` + tagItself, "known-weakly": "W/" + tagItself, "unknown": `"another"`}
	t.each([]string{"known", "known-in-a-list", "known-weakly", "unknown"}, func(name string) {
		match := strings.ReplaceAll(known[name], tagItself, before.strong())
		if !mayHave(t.Read, "If-None-Match", match) {
			return
		}
		switch s := t.do(t.Read, r, Edit{Header: map[string]string{"If-None-Match": match}}); {
		case name != "unknown" && s.status() == http.StatusOK:
			t.blame(severityOf(name == "known"), s, "304", s.answer(), "%s ignores an If-None-Match with the ETag that it just returned: %s", t.Read.Endpoint(), known[name])
		case name == "unknown" && s.status() == http.StatusNotModified:
			t.blame(judge.Error, s, "200", s.answer(), "%s returns 304 to an If-None-Match with an unknown ETag", t.Read.Endpoint())
		}
	})
}

// notModified changes a resource, and reads it under the condition that it has changed.
func (t *try) notModified(r *resource, op *contract.Operation) {
	before := t.read(r)
	kept := t.kept(r)
	if before.strong() == "" || t.over() || !t.do(op, r, Edit{Set: t.others(op)}).ok() {
		return
	}
	now := t.shown(r)
	changed := false
	for name, v := range kept {
		changed = changed || !same(now[name], v)
	}
	if s := t.do(t.Read, r, Edit{Header: map[string]string{"If-None-Match": before.strong()}}); changed && s.status() == http.StatusNotModified {
		t.blame(judge.Error, s, "200 with the current resource", s.answer(), "%s returns 304 although the resource changed", t.Read.Endpoint())
	}
}

// overlaps is how often two changes are sent at once: whether they meet is a matter of chance.
const overlaps = 2

// meet looks several times at what becomes of changes at once, each time of a new resource.
func (t *try) meet(look func(*resource)) {
	for range overlaps {
		r := t.make(Edit{})
		if r == nil {
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
		wg.Go(func() { all[i] = t.actor.Do(t.ctx, op, r.at(op), e) })
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
	if s.ok() && !good {
		t.blameValue(judge.Warning, t.acting(), lost, set[lost], kept[lost], "two concurrent requests to %s that change different properties are both accepted, but one change is lost", k.Patch.Endpoint())
	}
}

// changedOnce changes a resource, and returns the strong validator that is no longer its own, and
// what the resource has now; nothing where there is no such validator.
func (t *try) changedOnce(r *resource) (stale string, now map[string]any) {
	before := t.read(r)
	change := t.Put
	if change == nil {
		change = t.Patch
	}
	if before.strong() == "" || change == nil || t.over() || !t.do(change, r, Edit{Set: t.others(change)}).ok() {
		return "", nil
	}
	after := t.peek(t.Read, r, Edit{})
	if !after.ok() || after.strong() == "" || after.strong() == before.strong() {
		return "", nil // another check is about that
	}
	return before.strong(), after.got(t.Kind, r.id())
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

// matched sends a change under the condition that a resource is as it was just read.
func (t *try) matched(r *resource, op *contract.Operation, value, says string, refuse bool) {
	severity := severityOf(value == tagItself) // many a server compares whole texts
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
		if after := t.peek(t.Read, r, Edit{}); after.ok() && string(after.Response.Body) == string(before.Response.Body) {
			t.blame(severity, s, "a success", s.answer(), "%s refuses %s", op.Endpoint(), says)
		}
	}
}
