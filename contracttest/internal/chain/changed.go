package chain

import (
	"maps"
	"net/http"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// changed plans what is looked for where something was replaced.
func (p *planner) changed() {
	k := p.kind
	if k.Put == nil || k.Read == nil {
		return
	}
	p.replaced()
	p.leftOut()
	p.leftOutWithin()
	p.onNew(judge.PutNotStored, "unchanged", func(t *try, r *resource) { t.change(k.Put, r, Edit{}) }, k.Put, k.Read)
	p.onNew(judge.PutNotStored, "twice", (*try).replaceTwice, k.Put, k.Read)
	p.onNew(judge.PutNotIdempotent, "", (*try).repeatPut, k.Put, k.Read)
	p.onNew(judge.PutStatus, "", func(t *try, r *resource) {
		if !t.readable(r) {
			return
		}
		if s := t.do(k.Put, r, Edit{}); s.status() == http.StatusCreated {
			t.blame(judge.Error, s, "200 or 204", s.answer(), "%s replaces an existing resource, but returns 201", k.Put.Endpoint())
		}
	}, k.Put, k.Read)
	if !has(k.Put, http.StatusCreated) {
		return
	}
	p.onNew(judge.CreatedNotFound, "", (*try).createdByPut, k.Put, k.Read, k.Delete)
	if k.Chosen() {
		p.onNew(judge.PutStatus, "new", (*try).statusOfChosen, k.Put, k.Read)
	} else {
		p.onNew(judge.PutStatus, "new", (*try).statusOfNew, k.Put, k.Read, k.Delete)
	}
}

// replaced plans whether a PUT is stored: of all properties, of one, and of one without the others
// that may be absent.
func (p *planner) replaced() {
	k := p.kind
	p.onNew(judge.PutNotStored, "", func(t *try, r *resource) { t.change(k.Put, r, Edit{Set: t.others(k.Put)}) }, k.Put, k.Read)
	for _, name := range sortedKeys(Others(p.actor, k.Put)) {
		p.onNew(judge.PutNotStored, name, func(t *try, r *resource) { t.change(k.Put, r, Edit{Set: only(t.others(k.Put), name)}, name) }, k.Put, k.Read)
	}
	optional := optionalOf(p.actor, k.Put)
	if len(optional) < 2 {
		return
	}
	for _, name := range optional[:min(len(optional), maxChanged)] {
		p.onNew(judge.PutNotStored, name+"/alone", func(t *try, r *resource) {
			t.change(k.Put, r, Edit{Set: only(t.others(k.Put), name), Drop: without(optional, name)}, name)
		}, k.Put, k.Read)
	}
}

// leftOut plans whether what a PUT leaves out is still there.
func (p *planner) leftOut() {
	k, n := p.kind, Node(p.kind.Put)
	made, _ := p.actor.Base(k.Make)
	others := Others(p.actor, k.Make)
	for _, name := range optionalOf(p.actor, k.Put) {
		if slices.Contains(k.names(), world.Plain(name)) {
			continue // the path says it, too
		}
		e := Edit{}
		d := n.Prop(name).Schema.Default
		if v, ok := others[name]; ok && (d == nil || !same(normal(v), normal(d))) {
			e.Set = map[string]any{name: v}
		} else if d != nil && same(made[name], normal(d)) {
			continue // that it stays would not show
		}
		p.add(judge.PutNotStored, name+"/left-out", func(t *try) {
			if r := t.make(e); r != nil {
				t.leaveOut(r, name)
			}
		}, k.Put, k.Read)
	}
}

// leaveOut replaces a resource without a property, and looks whether that is still there.
func (t *try) leaveOut(r *resource, name string) {
	before, readable := t.kept(r)[name]
	if isDefault(t.Put, name, before) || !readable || before == nil || !t.do(t.Put, r, Edit{Drop: []string{name}}).ok() {
		return
	}
	_, wrong := t.expectValues(r, "a read still showed what "+t.Put.Endpoint()+" left out", func(got map[string]any) bool { return !same(got[name], before) })
	if wrong {
		t.blame(judge.Warning, t.acting(), "no "+name, name+": "+show(before), "%s left out %s, but it is still there", t.Put.Endpoint(), name)
	}
}

// leftOutWithin plans whether what a PUT leaves out of an object, or of the item of a list, is still there.
func (p *planner) leftOutWithin() {
	k := p.kind
	made, fixed := p.actor.Base(k.Make)
	for _, name := range sortedKeys(made) {
		n, wrap := prop(k.Put, name), func(v any) any { return v }
		if list, isList := made[name].([]any); n != nil && isList && len(list) > 0 {
			n, wrap = n.Element(0), func(v any) any { return []any{v} }
		}
		now, _ := within(made[name]).(map[string]any)
		if n == nil || now == nil || fixed[name] || prop(k.Put, name) == nil {
			continue
		}
		whole := several(n, now)
		for _, member := range sortedKeys(whole) {
			part := maps.Clone(whole)
			delete(part, member)
			m := n.Prop(member)
			if m != nil && m.Schema.Default != nil || n.Requires(member) || n.Validates(part) != nil || whole[member] == nil || prop(k.Put, name).Validates(wrap(part)) != nil {
				continue
			}
			p.add(judge.PutNotStored, name+"/"+member+"/left-out", func(t *try) { t.leaveOutWithin(name, member, wrap(whole), wrap(part)) }, k.Put, k.Read)
			break
		}
	}
}

// within is an object, or the item that a list begins with.
func within(v any) any {
	if list, isList := v.([]any); isList && len(list) > 0 {
		return list[0]
	}
	return v
}

// leaveOutWithin makes a resource whose property is whole, replaces it by one with a part of it, and
// looks whether the rest is still there. A member that new resources have, too, that are made with the
// part is one that the target sets.
func (t *try) leaveOutWithin(name, member string, whole, part any) {
	r := t.make(Edit{Set: map[string]any{name: whole}})
	if r == nil {
		return
	}
	of := func(members map[string]any) any {
		object, _ := within(members[name]).(map[string]any)
		return object[member]
	}
	before := of(t.kept(r))
	if before == nil || !t.do(t.Put, r, Edit{Set: map[string]any{name: part}}).ok() {
		return
	}
	got, wrong := t.expectValues(r, "a read still showed what "+t.Put.Endpoint()+" left out", func(got map[string]any) bool { return !same(of(got), before) })
	if !wrong {
		return
	}
	steps := t.steps
	other := t.beside(r, Edit{Set: map[string]any{name: part}})
	t.steps = steps
	if other != nil && !same(of(t.shown(other)), before) && !t.over() {
		t.blame(judge.Warning, t.acting(), "no "+member+" in "+name, name+": "+show(got[name]), "%s left out %s of %s, but it is still there", t.Put.Endpoint(), member, name)
	}
}

// replaceTwice replaces a resource with other values, and then with those that it had.
func (t *try) replaceTwice(r *resource) {
	kept := t.kept(r)
	if !t.holds(r, kept, t.do(t.Put, r, Edit{Set: t.others(t.Put)})) {
		return // what one shows takes no second
	}
	again := t.do(t.Put, r, Edit{})
	if again.status() != http.StatusConflict && again.refused() {
		t.blame(judge.Warning, again, "a success", again.answer(), "%s is accepted the first time and refused the second time", t.Put.Endpoint())
	}
	t.stored(again, r, kept)
}

// repeatPut sends the same PUT twice.
func (t *try) repeatPut(r *resource) {
	put := t.do(t.Put, r, Edit{Set: t.others(t.Put)})
	if !put.ok() {
		t.steps = t.steps[:len(t.steps)-1]
		if put = t.do(t.Put, r, Edit{}); !put.ok() {
			return
		}
	}
	first, second := t.shown(r), t.shown(r)
	again := t.do(t.Put, r, Edit{Body: put.Request.Body})
	if again.status() == http.StatusConflict {
		t.blame(judge.Warning, again, "a success", again.answer(), "%s is accepted, but refused when the same request is sent again", t.Put.Endpoint())
	}
	if !again.ok() || t.over() {
		return
	}
	s := t.read(r)
	after := s.got(t.Kind, r.id())
	for _, name := range sortedKeys(put.sent()) {
		// What the target does not store as it was sent, as a version or a time, it may set anew.
		if same(first[name], put.sent()[name]) && same(first[name], second[name]) && s.ok() && !same(after[name], first[name]) {
			t.blameValue(judge.Error, t.acting(), name, first[name], after[name], "the same %s is sent twice, and changes %s the second time", t.Put.Endpoint(), name)
		}
	}
}

// createdByPut makes a deleted resource anew by PUT, and looks whether it is there.
func (t *try) createdByPut(r *resource) {
	if !t.vanishes(r) || t.do(t.Put, r, Edit{}).status() != http.StatusCreated {
		return
	}
	s, wrong := t.expect(t.Read, r, "what "+t.Put.Endpoint()+" created could not be read", func(s *Step) bool { return !s.gone() })
	if wrong {
		t.blame(judge.Warning, t.acting(), "the resource that "+t.Put.Endpoint()+" created", s.answer(), "%s returns 201, but the new resource cannot be read", t.Put.Endpoint())
	}
}

// statusOfNew makes a deleted resource anew by PUT, and looks at the status.
func (t *try) statusOfNew(r *resource) {
	if !t.vanishes(r) {
		return
	}
	s := t.do(t.Put, r, Edit{})
	if (s.status() == http.StatusOK || s.status() == http.StatusNoContent) && t.readable(r) {
		t.blame(judge.Error, s, "201", s.answer(), "%s creates a new resource, but does not return 201", t.Put.Endpoint())
	}
}

// statusOfChosen looks at the status of the PUT that has made something under a new name, where a
// name that nothing has is read as none: then it was not there before.
func (t *try) statusOfChosen(r *resource) {
	if s := r.made.status(); s != http.StatusOK && s != http.StatusNoContent {
		return
	}
	values := t.actor.Name(t.Kind, r.parent())
	if values == nil || !t.do(t.Read, &resource{kind: t.Kind, values: values, made: r.made}, Edit{}).gone() || !t.readable(r) {
		return
	}
	t.blame(judge.Error, r.made, "201", r.made.answer(), "%s creates a new resource, but does not return 201", t.Put.Endpoint())
}

// change changes a resource, and looks whether that is stored: of some properties, of all if
// there are none named.
func (t *try) change(op *contract.Operation, r *resource, e Edit, names ...string) {
	kept := t.kept(r)
	t.stored(t.do(op, r, e), r, kept, names...)
}

// stored looks whether a change that was accepted is stored: what was kept of the creation is
// known to come back as it is sent.
func (t *try) stored(change *Step, r *resource, kept map[string]any, names ...string) {
	if !change.ok() {
		return
	}
	op, sent := change.Op, change.sent()
	var wrong []string
	got, differs := t.expectValues(r, "a read did not show what "+op.Endpoint()+" sent", func(got map[string]any) bool {
		wrong = slices.DeleteFunc(sortedKeys(sent), func(name string) bool {
			_, known := kept[name]
			return !known || names != nil && !slices.Contains(names, name) || storedAs(op, got[name], sent[name])
		})
		return len(wrong) == 0
	})
	if differs {
		name := wrong[0]
		t.blameValue(judge.Warning, t.acting(), name, sent[name], got[name], "%s is not stored as %s sent it", name, op.Endpoint())
	}
	if got == nil {
		return
	}
	answered := change.got(t.Kind, r.id())
	for _, name := range sortedKeys(answered) {
		_, known := kept[name]
		if v, was := sent[name]; known && was && storedAs(op, got[name], v) && !storedAs(op, answered[name], v) {
			t.blameValue(judge.Warning, change, name, v, answered[name], "%s stores %s as sent, but returns another value", op.Endpoint(), name)
		}
	}
}

// holds reports whether a change is stored.
func (t *try) holds(r *resource, kept map[string]any, change *Step) bool {
	if !change.ok() || t.over() {
		return false
	}
	now, sent := t.shown(r), change.sent()
	for name := range kept {
		if v, was := sent[name]; was && !storedAs(change.Op, now[name], v) {
			return false
		}
	}
	return !t.over()
}

// patched plans what is looked for where something was changed in part.
func (p *planner) patched() {
	k := p.kind
	if k.Patch == nil || k.Read == nil {
		return
	}
	all := Others(p.actor, k.Patch)
	members, fixed := p.actor.Base(k.Patch)
	var names []string
	for _, name := range sortedKeys(members) {
		if _, ok := all[name]; (ok || p.actor.Renewed(k.Patch, name) && !fixed[name]) && len(names) < maxChanged {
			names = append(names, name)
		}
	}
	// of sends some properties alone, with other values where there are.
	of := func(names ...string) Edit {
		set := only(all, names...)
		return Edit{Only: true, Set: set, Keep: slices.DeleteFunc(slices.Clone(names), func(name string) bool { _, ok := set[name]; return ok })}
	}
	for _, name := range names {
		p.onNew(judge.PatchPartial, name, func(t *try, r *resource) { t.patchOne(r, name, of(name)) }, k.Patch, k.Read)
	}
	again := Edit{Only: true, Keep: names}
	p.onNew(judge.PatchPartial, "twice", func(t *try, r *resource) {
		t.patchTwice(r, of(names...), func(*Step) Edit { return again })
	}, k.Patch, k.Read)
	p.onNew(judge.PatchPartial, "unchanged", func(t *try, r *resource) { t.change(k.Patch, r, again) }, k.Patch, k.Read)
	p.onNew(judge.PatchPartial, "the-same-twice", func(t *try, r *resource) {
		t.patchTwice(r, of(names...), func(first *Step) Edit { return Edit{Body: first.Request.Body} })
	}, k.Patch, k.Read)
	if len(names) > 1 {
		p.onNew(judge.PatchPartial, "by-halves", func(t *try, r *resource) { t.byHalves(r, names, of) }, k.Patch, k.Read)
	}
	if !isMergePatch(k.Patch) {
		return
	}
	for _, name := range sortedKeys(members) {
		n := prop(k.Patch, name)
		if _, isObject := members[name].(map[string]any); isObject && !fixed[name] && n != nil {
			p.onNew(judge.PatchPartial, name+"/in-part", func(t *try, r *resource) { t.inPart(r, name, n) }, k.Patch, k.Read)
		}
	}
	for _, name := range names {
		if n := prop(k.Patch, name); n != nil && n.Validates(nil) == nil {
			p.onNew(judge.PatchPartial, name+"/null", func(t *try, r *resource) { t.patchNull(r, name) }, k.Patch, k.Read)
		}
	}
}

// patchOne changes one property, and looks whether it is stored and all others are as they were.
func (t *try) patchOne(r *resource, name string, e Edit) {
	kept := t.kept(r)
	_, known := kept[name]
	change := t.do(t.Patch, r, e)
	if v := change.sent()[name]; change.status() == http.StatusNotModified && known && !alike(kept[name], v) && alike(t.shown(r)[name], kept[name]) {
		t.blameValue(judge.Warning, change, name, v, kept[name], "%s sent another %s, but returns 304 and changes nothing", t.Patch.Endpoint(), name)
	}
	if !change.ok() || t.over() {
		return
	}
	s, good, late := t.await(t.Read, r, func(s *Step) bool {
		return !s.ok() || !known || storedAs(t.Patch, s.got(t.Kind, r.id())[name], change.sent()[name])
	})
	if !s.ok() {
		return
	}
	got := s.got(t.Kind, r.id())
	for _, other := range sortedKeys(kept) {
		if other != name && !same(got[other], kept[other]) {
			t.blameValue(judge.Warning, t.acting(), other, kept[other], got[other], "%s sent only %s, but %s changed too", t.Patch.Endpoint(), name, other)
		}
	}
	switch {
	case !good:
		t.blameValue(judge.Warning, t.acting(), name, change.sent()[name], got[name], "%s is not stored as %s sent it", name, t.Patch.Endpoint())
	case late:
		t.settled("a read did not show what " + t.Patch.Endpoint() + " sent")
	}
}

// patchTwice changes a resource, and then once more.
func (t *try) patchTwice(r *resource, first Edit, then func(first *Step) Edit) {
	kept := t.kept(r)
	change := t.do(t.Patch, r, first)
	if t.holds(r, kept, change) {
		t.stored(t.do(t.Patch, r, then(change)), r, kept)
	}
}

// byHalves changes several properties at once, and looks whether only some of them are stored.
func (t *try) byHalves(r *resource, names []string, of func(names ...string) Edit) {
	kept := t.kept(r)
	change := t.do(t.Patch, r, of(names...))
	if !change.ok() || t.over() {
		return
	}
	var done, undone []string
	s, _, _ := t.await(t.Read, r, func(s *Step) bool {
		done, undone = nil, nil
		got := s.got(t.Kind, r.id())
		for name, v := range change.sent() {
			switch _, known := kept[name]; {
			case !known:
			case storedAs(t.Patch, got[name], v):
				done = append(done, name)
			case same(got[name], kept[name]):
				undone = append(undone, name)
			}
		}
		return !s.ok() || len(undone) == 0
	})
	if s.ok() && len(done) > 0 && len(undone) > 0 && !t.over() {
		severity := severityOf(t.storesAlone(undone, of(undone...)))
		t.blame(severity, t.acting(), "all of the changes, or none", listing(done)+" alone", "%s sent %s together, but only %s was stored", t.Patch.Endpoint(), listing(slices.Concat(done, undone)), listing(done))
	}
}

// patchNull removes a property by a merge patch, and looks whether it is still there.
func (t *try) patchNull(r *resource, name string) {
	before, known := t.kept(r)[name]
	if !known || before == nil || !t.do(t.Patch, r, Edit{Set: map[string]any{name: nil}, Only: true}).ok() {
		return
	}
	got, wrong := t.expectValues(r, "a read still showed what "+t.Patch.Endpoint()+" removed", func(got map[string]any) bool {
		return got[name] == nil || isDefault(t.Make, name, got[name])
	})
	if wrong {
		t.blame(severityOf(same(got[name], before)), t.acting(), "no "+name, name+": "+show(got[name]), "null in a merge patch should remove %s, but it is still there", name)
	}
}

// inPart changes one member of an object by a merge patch, and looks whether the others are
// still there, and one that is null then is not (RFC 7396 §2).
func (t *try) inPart(r *resource, name string, n *contract.Node) {
	k := t.Kind
	before, _ := t.kept(r)[name].(map[string]any)
	whole := several(n, before)
	patch := func(v any) Edit { return Edit{Only: true, Set: map[string]any{name: v}} }
	if before == nil || len(whole) < 2 || !t.do(k.Patch, r, patch(whole)).ok() || t.over() {
		return
	}
	shown, _ := t.shown(r)[name].(map[string]any)
	for _, member := range sortedKeys(whole) {
		part := map[string]any{}
		for other, v := range whole {
			if other == member || n.Requires(other) {
				part[other] = v
			}
		}
		left := slices.DeleteFunc(sortedKeys(whole), func(other string) bool { return part[other] != nil || !alike(shown[other], whole[other]) })
		if len(left) == 0 || n.Validates(part) != nil {
			continue
		}
		change := t.do(k.Patch, r, patch(part))
		if !change.ok() || t.over() {
			return
		}
		var now map[string]any
		s, good, _ := t.await(k.Read, r, func(s *Step) bool {
			now, _ = s.got(k, r.id())[name].(map[string]any)
			return !s.ok() || alike(now[left[0]], whole[left[0]])
		})
		if s.ok() && !good {
			t.blame(judge.Warning, t.acting(), left[0]+" of "+name+": "+show(whole[left[0]]), left[0]+" of "+name+": "+show(now[left[0]]),
				"%s sent a part of %s, but the rest of it changed too", k.Patch.Endpoint(), name)
			return
		}
		m, none := n.Prop(left[0]), with(part, left[0], nil)
		if !s.ok() || t.over() || m != nil && m.Schema.Default != nil {
			return
		}
		if n.Validates(none) == nil && t.do(k.Patch, r, patch(none)).ok() {
			s, good, _ := t.await(k.Read, r, func(s *Step) bool {
				now, _ = s.got(k, r.id())[name].(map[string]any)
				return !s.ok() || now[left[0]] == nil
			})
			if s.ok() && !good {
				t.blame(judge.Warning, t.acting(), "no "+left[0]+" of "+name, left[0]+" of "+name+": "+show(now[left[0]]), "null in a merge patch should remove %s of %s, but it is still there", left[0], name)
			}
		}
		return
	}
}

// storesAlone reports whether a PATCH of some properties alone stores one of them.
func (t *try) storesAlone(names []string, edit Edit) bool {
	steps := t.steps
	defer func() { t.steps = steps }()
	r := t.make(Edit{})
	if r == nil {
		return false
	}
	change := t.peek(t.Patch, r, edit)
	if !change.ok() {
		return false
	}
	got := t.shown(r)
	return slices.ContainsFunc(names, func(name string) bool { return storedAs(t.Patch, got[name], change.sent()[name]) })
}
