package chain

import (
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
	p.add(judge.PutNotStored, "", func(t *try) { t.replace(nil) }, k.Put, k.Read)
	for _, name := range sortedKeys(Others(p.actor, k.Put)) {
		p.add(judge.PutNotStored, name, func(t *try) { t.replace([]string{name}) }, k.Put, k.Read)
	}
	members, _ := p.actor.Base(k.Put)
	n := Node(k.Put)
	var optional []string
	for _, name := range sortedKeys(members) {
		if n != nil && n.Prop(name) != nil && !n.Requires(name) {
			optional = append(optional, name)
		}
	}
	for _, name := range optional[:min(len(optional), maxChanged)] {
		if len(optional) < 2 {
			break
		}
		p.add(judge.PutNotStored, name+"/alone", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			kept := t.kept(r)
			e := Edit{Set: map[string]any{}}
			if v, ok := t.others(k.Put)[name]; ok {
				e.Set[name] = v
			}
			for _, other := range optional {
				if other != name {
					e.Drop = append(e.Drop, other)
				}
			}
			if s := t.do(k.Put, r, e); s.ok() && !t.over() {
				t.stored(k.Put, s, r, kept, []string{name})
			}
		}, k.Put, k.Read)
	}
	for _, name := range sortedKeys(members) {
		if n == nil || n.Prop(name) == nil || n.Requires(name) || slices.Contains(k.names(), world.Plain(name)) {
			continue // the path says it, too
		}
		e := Edit{}
		made, _ := p.actor.Base(k.Make)
		d := n.Prop(name).Schema.Default
		if v, ok := Others(p.actor, k.Make)[name]; ok && (d == nil || !same(normal(v), normal(d))) {
			e.Set = map[string]any{name: v}
		} else if d != nil && same(made[name], normal(d)) {
			continue // that it stays would not show
		}
		p.add(judge.PutNotStored, name+"/left-out", func(t *try) {
			r := t.make(e)
			if r == nil || t.over() {
				return
			}
			before, readable := t.kept(r)[name]
			if d := n.Prop(name).Schema.Default; d != nil && same(normal(d), before) {
				return
			}
			if !readable || before == nil || !t.do(k.Put, r, Edit{Drop: []string{name}}).ok() {
				return
			}
			s, good, late := t.await(k.Read, r, func(s *Step) bool { return !s.ok() || !same(s.got(k, r.id())[name], before) })
			switch {
			case t.silent || !s.ok():
			case !good:
				t.blame(judge.Warning, t.acting(), "no "+name, name+": "+show(before), "%s left out %s, but it is still there", k.Put.Endpoint(), name)
			case late:
				t.settled("a read still showed what " + k.Put.Endpoint() + " left out")
			}
		}, k.Put, k.Read)
	}
	p.add(judge.PutNotStored, "unchanged", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() {
			return
		}
		kept := t.kept(r)
		if s := t.do(k.Put, r, Edit{}); s.ok() && !t.over() {
			t.stored(k.Put, s, r, kept, nil)
		}
	}, k.Put, k.Read)
	p.add(judge.PutNotStored, "twice", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() {
			return
		}
		kept := t.kept(r)
		if !t.holds(r, kept, t.do(k.Put, r, Edit{Set: t.others(k.Put)})) {
			return // what one shows takes no second
		}
		again := t.do(k.Put, r, Edit{})
		switch {
		case t.over():
		case again.ok():
			t.stored(k.Put, again, r, kept, nil)
		case again.status() != http.StatusConflict && again.refused():
			t.blame(judge.Warning, again, "a success", again.answer(), "%s is accepted the first time and refused the second time", k.Put.Endpoint())
		}
	}, k.Put, k.Read)
	p.add(judge.PutNotIdempotent, "", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() {
			return
		}
		put := t.do(k.Put, r, Edit{Set: t.others(k.Put)})
		if !put.ok() {
			t.steps = t.steps[:len(t.steps)-1]
			if put = t.do(k.Put, r, Edit{}); !put.ok() {
				return
			}
		}
		first, second := t.shown(r), t.shown(r)
		again := t.do(k.Put, r, Edit{Body: put.Request.Body})
		if again.status() == http.StatusConflict && !t.over() {
			t.blame(judge.Warning, again, "a success", again.answer(), "%s is accepted, but refused when the same request is sent again", k.Put.Endpoint())
		}
		if !again.ok() || t.over() {
			return
		}
		s := t.read(r)
		after := s.got(k, r.id())
		for _, name := range sortedKeys(put.sent()) {
			// What the target does not store as it was sent, as a version or a time, it may set anew.
			if same(first[name], put.sent()[name]) && same(first[name], second[name]) && s.ok() && !same(after[name], first[name]) {
				t.blame(judge.Error, t.acting(), name+": "+show(first[name]), name+": "+show(after[name]), "the same %s is sent twice, and changes %s the second time", k.Put.Endpoint(), name)
			}
		}
	}, k.Put, k.Read)
	p.add(judge.PutStatus, "", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() || !t.peek(k.Read, r, Edit{}).ok() {
			return
		}
		if s := t.do(k.Put, r, Edit{}); s.status() == http.StatusCreated {
			t.blame(judge.Error, s, "200 or 204", s.answer(), "%s replaces an existing resource, but returns 201", k.Put.Endpoint())
		}
	}, k.Put, k.Read)
	if has(k.Put, http.StatusCreated) {
		p.add(judge.CreatedNotFound, "", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() || !t.remove(r) || !t.peek(k.Read, r, Edit{}).gone() || t.do(k.Put, r, Edit{}).status() != http.StatusCreated {
				return
			}
			s, good, late := t.await(k.Read, r, func(s *Step) bool { return !s.gone() })
			switch {
			case t.silent:
			case !good:
				t.blame(judge.Warning, t.acting(), "the resource that "+k.Put.Endpoint()+" created", s.answer(), "%s returns 201, but the new resource cannot be read", k.Put.Endpoint())
			case late:
				t.settled("what " + k.Put.Endpoint() + " created could not be read")
			}
		}, k.Put, k.Read, k.Delete)
		p.add(judge.PutStatus, "new", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() || !t.remove(r) || !t.peek(k.Read, r, Edit{}).gone() {
				return
			}
			s := t.do(k.Put, r, Edit{})
			if s.status() != http.StatusOK && s.status() != http.StatusNoContent {
				return
			}
			if t.peek(k.Read, r, Edit{}).ok() {
				t.blame(judge.Error, s, "201", s.answer(), "%s creates a new resource, but does not return 201", k.Put.Endpoint())
			}
		}, k.Put, k.Read, k.Delete)
	}
}

// replace replaces a resource with other values in some properties, in all if there are
// none named, and looks whether they are stored.
func (t *try) replace(names []string) {
	k := t.Kind
	r := t.make(Edit{})
	if r == nil || t.over() {
		return
	}
	kept := t.kept(r)
	set := t.others(k.Put)
	if names != nil {
		for name := range set {
			if !slices.Contains(names, name) {
				delete(set, name)
			}
		}
	}
	put := t.do(k.Put, r, Edit{Set: set})
	if !put.ok() || t.over() {
		return
	}
	t.stored(k.Put, put, r, kept, names)
}

// stored looks whether a change is stored: what was kept of the creation is known to
// come back as it is sent.
func (t *try) stored(op *contract.Operation, change *Step, r *resource, kept map[string]any, names []string) {
	k := t.Kind
	sent := change.sent()
	var wrong []string
	s, good, late := t.await(k.Read, r, func(s *Step) bool {
		wrong = wrong[:0]
		got := s.got(k, r.id())
		for _, name := range sortedKeys(sent) {
			if _, known := kept[name]; known && (names == nil || slices.Contains(names, name)) && !storedAs(op, got[name], sent[name]) {
				wrong = append(wrong, name)
			}
		}
		return !s.ok() || len(wrong) == 0
	})
	switch {
	case t.silent || !s.ok():
	case !good:
		name := wrong[0]
		t.blame(judge.Warning, t.acting(), name+": "+show(sent[name]), name+": "+show(s.got(k, r.id())[name]), "%s is not stored as %s sent it", name, op.Endpoint())
	case late:
		t.settled("a read did not show what " + op.Endpoint() + " sent")
	default:
		for _, name := range sortedKeys(change.got(k, r.id())) {
			answered := change.got(k, r.id())[name]
			_, known := kept[name]
			if v, was := sent[name]; known && was && !storedAs(op, answered, v) && !t.over() {
				t.blame(judge.Warning, change, name+": "+show(sent[name]), name+": "+show(answered), "%s stores %s as sent, but returns another value", op.Endpoint(), name)
			}
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
	only := func(names ...string) Edit {
		e := Edit{Only: true, Set: map[string]any{}}
		for _, name := range names {
			if v, ok := all[name]; ok {
				e.Set[name] = v
			} else {
				e.Keep = append(e.Keep, name)
			}
		}
		return e
	}
	for _, name := range names {
		p.add(judge.PatchPartial, name, func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			kept := t.kept(r)
			_, known := kept[name]
			change := t.do(k.Patch, r, only(name))
			if !change.ok() || t.over() {
				return
			}
			s, good, late := t.await(k.Read, r, func(s *Step) bool {
				return !s.ok() || !known || storedAs(k.Patch, s.got(k, r.id())[name], change.sent()[name])
			})
			got := s.got(k, r.id())
			for _, other := range sortedKeys(kept) {
				if other != name && s.ok() && !same(got[other], kept[other]) {
					t.blame(judge.Warning, t.acting(), other+": "+show(kept[other]), other+": "+show(got[other]), "%s sent only %s, but %s changed too", k.Patch.Endpoint(), name, other)
				}
			}
			switch {
			case t.silent || !s.ok():
			case !good:
				t.blame(judge.Warning, t.acting(), name+": "+show(change.sent()[name]), name+": "+show(got[name]), "%s is not stored as %s sent it", name, k.Patch.Endpoint())
			case late:
				t.settled("a read did not show what " + k.Patch.Endpoint() + " sent")
			}
		}, k.Patch, k.Read)
	}
	p.add(judge.PatchPartial, "twice", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() {
			return
		}
		kept := t.kept(r)
		if !t.holds(r, kept, t.do(k.Patch, r, only(names...))) {
			return
		}
		again := Edit{Only: true, Keep: names}
		if s := t.do(k.Patch, r, again); s.ok() && !t.over() {
			t.stored(k.Patch, s, r, kept, nil)
		}
	}, k.Patch, k.Read)
	p.add(judge.PatchPartial, "unchanged", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() {
			return
		}
		kept := t.kept(r)
		if s := t.do(k.Patch, r, Edit{Only: true, Keep: names}); s.ok() && !t.over() {
			t.stored(k.Patch, s, r, kept, nil)
		}
	}, k.Patch, k.Read)
	p.add(judge.PatchPartial, "the-same-twice", func(t *try) {
		r := t.make(Edit{})
		if r == nil || t.over() {
			return
		}
		kept := t.kept(r)
		first := t.do(k.Patch, r, only(names...))
		if !t.holds(r, kept, first) {
			return
		}
		if s := t.do(k.Patch, r, Edit{Body: first.Request.Body}); s.ok() && !t.over() {
			t.stored(k.Patch, s, r, kept, nil)
		}
	}, k.Patch, k.Read)
	if len(names) > 1 {
		p.add(judge.PatchPartial, "by-halves", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			kept := t.kept(r)
			change := t.do(k.Patch, r, only(names...))
			if !change.ok() || t.over() {
				return
			}
			var done, undone []string
			s, _, _ := t.await(k.Read, r, func(s *Step) bool {
				done, undone = nil, nil
				got := s.got(k, r.id())
				for name, v := range change.sent() {
					switch _, known := kept[name]; {
					case !known:
					case storedAs(k.Patch, got[name], v):
						done = append(done, name)
					case same(got[name], kept[name]):
						undone = append(undone, name)
					}
				}
				return !s.ok() || len(undone) == 0
			})
			if s.ok() && len(done) > 0 && len(undone) > 0 && !t.over() {
				severity := severityOf(t.storesAlone(undone, only(undone...)))
				t.blame(severity, t.acting(), "all of the changes, or none", listing(done)+" alone", "%s sent %s together, but only %s was stored", k.Patch.Endpoint(), listing(slices.Concat(done, undone)), listing(done))
			}
		}, k.Patch, k.Read)
	}
	if !isMergePatch(k.Patch) {
		return
	}
	for _, name := range sortedKeys(members) {
		n := prop(k.Patch, name)
		if _, isObject := members[name].(map[string]any); !isObject || fixed[name] || n == nil {
			continue
		}
		p.add(judge.PatchPartial, name+"/in-part", func(t *try) { t.inPart(name, n) }, k.Patch, k.Read)
	}
	for _, name := range names {
		if n := prop(k.Patch, name); n == nil || n.Validates(nil) != nil {
			continue
		}
		p.add(judge.PatchPartial, name+"/null", func(t *try) {
			r := t.make(Edit{})
			if r == nil || t.over() {
				return
			}
			before, known := t.kept(r)[name]
			if !known || before == nil || !t.do(k.Patch, r, Edit{Set: map[string]any{name: nil}, Only: true}).ok() {
				return
			}
			s, good, late := t.await(k.Read, r, func(s *Step) bool {
				now := s.got(k, r.id())[name]
				return !s.ok() || now == nil || t.isDefault(name, now)
			})
			switch {
			case t.silent || !s.ok():
			case !good:
				now := s.got(k, r.id())[name]
				t.blame(severityOf(same(now, before)), t.acting(), "no "+name, name+": "+show(now), "null in a merge patch should remove %s, but it is still there", name)
			case late:
				t.settled("a read still showed what " + k.Patch.Endpoint() + " removed")
			}
		}, k.Patch, k.Read)
	}
}

// inPart changes one member of an object by a merge patch, and looks whether the others are
// still there, and one that is null then is not (RFC 7396 §2).
func (t *try) inPart(name string, n *contract.Node) {
	k := t.Kind
	r := t.make(Edit{})
	if r == nil || t.over() {
		return
	}
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
		if s.ok() && !good && !t.over() {
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
			if s.ok() && !good && !t.over() {
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
	if r == nil || t.over() {
		return false
	}
	change := t.peek(t.Patch, r, edit)
	if !change.ok() {
		return false
	}
	got := t.shown(r)
	return slices.ContainsFunc(names, func(name string) bool { return storedAs(t.Patch, got[name], change.sent()[name]) })
}
