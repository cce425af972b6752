package chain

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// together is how many resources are made at once.
const together = 6

// created plans what is looked for in a resource that was just made.
func (p *planner) created() {
	k := p.kind
	optional := optionalOf(p.actor, k.Make)
	less := [][]string{nil}
	if len(optional) > 0 {
		less = append(less, optional)
	}
	if len(optional) > 1 {
		for _, name := range optional[:min(len(optional), maxChanged)] {
			less = append(less, []string{name})
		}
	}
	for _, drop := range less {
		variant := ""
		if drop != nil {
			variant = "without-" + strings.Join(drop, "-")
		}
		p.add(judge.CreatedNotFound, variant, func(t *try) { t.missing(Edit{Drop: drop}) }, k.Make, k.Read)
		p.add(judge.CreatedDiffers, variant, func(t *try) {
			if drop != nil {
				t.make(Edit{Set: t.others(k.Make)}) // what is left of it may show in the next
			}
			t.differs(Edit{Drop: drop})
		}, k.Make, k.Read)
	}
	for _, name := range optional[:min(len(optional), maxChanged)] {
		rest := without(optional, name)
		if len(rest) == 0 {
			continue
		}
		for _, drop := range [][][]string{{nil, rest}, {rest, nil}} { // beside others, or alone
			p.add(judge.CreatedDiffers, name+"/alone-and-beside", func(t *try) { t.either(name, drop[0], drop[1]) }, k.Make, k.Read)
		}
	}
	p.located()
	p.edges()
	p.again()
	set := Others(p.actor, k.Make)
	for _, name := range sortedKeys(only(set, optional...)) {
		p.add(judge.CreatedDiffers, name, func(t *try) { t.differs(Edit{Set: only(set, name)}) }, k.Make, k.Read)
	}
	if k.Chosen() {
		p.another()
	} else {
		p.identified()
	}
	if k.Parent != nil {
		p.onNew(judge.CreatedDiffers, "parent", (*try).namesParent, k.Make, k.Read)
	}
	p.defaults()
	p.readOnly()
	p.undocumented()
	if !k.Chosen() { // a key is one for one target
		p.keyed()
	}
}

// identified plans whether each resource has an identifier of its own.
func (p *planner) identified() {
	k := p.kind
	p.onNew(judge.SameIdentifier, "", func(t *try, r *resource) {
		if s := t.beside(r, Edit{}); s != nil {
			t.identical([]*resource{r, s})
		}
	}, k.Make)
	p.onNew(judge.SameIdentifier, "at-once", func(t *try, first *resource) {
		all := make([]*resource, together)
		var wg sync.WaitGroup
		for i := range all {
			wg.Go(func() {
				if s, made := t.send(first, Edit{}); s != nil && s.ok() && made != nil {
					all[i] = &resource{kind: k, up: first.up, values: made, made: s}
				}
			})
		}
		wg.Wait()
		all = slices.DeleteFunc(all, func(r *resource) bool { return r == nil })
		t.identical(all)
	}, k.Make)
}

// namesParent makes a resource below another parent, and looks whether each of the two names its own, where they
// name any: vacancyId of what was made below a vacancy.
func (t *try) namesParent(r *resource) {
	other := t.makeKind(t.Kind, t.beside(r.up, Edit{}), Edit{})
	if other == nil || other.up.id() == r.up.id() {
		return
	}
	one, two := t.shown(r), t.shown(other)
	for _, name := range sortedKeys(one) {
		a, b := textOf(one[name]), textOf(two[name])
		_, sent := r.made.sent()[name]
		if sent || t.over() || a == "" || b == "" || !t.IsParent(name, nil) {
			continue
		}
		own, its := a == r.up.id(), b == other.up.id()
		switch wrong := other; {
		case own && its, !own && !its && a != b: // it may be another identifier of it
		case its:
			wrong = r
			fallthrough
		default:
			s := t.read(wrong)
			t.blameValue(judge.Warning, s, name, wrong.up.id(), textOf(s.got(t.Kind, wrong.id())[name]), "%s of a new resource is not the identifier of what %s created it below", name, t.Make.Endpoint())
		}
	}
}

// another plans whether what was made is read under a name that nothing has, too.
func (p *planner) another() {
	k := p.kind
	p.onNew(judge.CreatedDiffers, "another-name", func(t *try, r *resource) {
		values := t.actor.Name(k, r.parent())
		if values == nil {
			return
		}
		own := t.actor.Marks(values[k.Param.Spec.Name])
		s := t.do(k.Read, &resource{kind: k, values: values, made: r.made}, Edit{})
		others := slices.DeleteFunc(t.actor.Marks(string(s.body())), func(mark string) bool { return slices.Contains(own, mark) })
		if s.ok() && len(others) > 0 {
			t.blame(judge.Warning, s, "404 or 410", s.answer(), "what %s created can also be read under a name that does not exist", k.Make.Endpoint())
		}
	}, k.Read)
}

// missing makes a resource and looks whether it is there.
func (t *try) missing(e Edit) {
	r := t.make(e)
	if r == nil || r.made.status() == http.StatusAccepted {
		return
	}
	k := t.Kind
	located := r.made.Response.Header.Get("Location") != ""
	if k.Chosen() || k.Part() { // without a Location, the target of the request is what was made
		at := t.actor.Located(k.Read, r.made)
		located = !located || at != nil && (k.Part() || at[k.Param.Spec.Name] == r.id())
	}
	s, wrong := t.expect(k.Read, r, "what "+k.Make.Endpoint()+" created could not be read", func(s *Step) bool { return !s.gone() })
	if wrong {
		severity := severityOf(located && r.made.status() == http.StatusCreated)
		t.blame(severity, t.acting(), "the resource that "+k.Make.Endpoint()+" created", s.answer(), "%s returned %s, but the new resource cannot be read: %s returns %s", k.Make.Endpoint(), r.made.answer(), k.Read.Endpoint(), s.answer())
	}
}

// either makes a resource with a property that is read as it was sent, and another with
// more or fewer properties beside it.
func (t *try) either(name string, drop, dropThen []string) {
	r := t.make(Edit{Drop: drop})
	if r == nil {
		return
	}
	if _, known := t.kept(r)[name]; !known || t.over() {
		return
	}
	t.steps = t.stepsAbove(r)
	other := t.beside(r, Edit{Drop: dropThen})
	if other == nil {
		return
	}
	s := t.read(other)
	sent, got := other.made.sent()[name], s.got(t.Kind, other.id())[name]
	if s.ok() && !alike(got, sent) {
		with := "when other properties are left out"
		if dropThen == nil {
			with = "together with other properties"
		}
		t.blameValue(judge.Warning, t.acting(), name, sent, got, "%s is stored, but not %s", name, with)
	}
}

// optionalOf lists the properties in the valid body of an operation that may be absent.
func optionalOf(actor Actor, op *contract.Operation) []string {
	members, _ := actor.Base(op)
	n := Node(op)
	var all []string
	for _, name := range sortedKeys(members) {
		if n != nil && n.Prop(name) != nil && !n.Requires(name) {
			all = append(all, name)
		}
	}
	return all
}

// without are the names but one.
func without(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(other string) bool { return other == name })
}

// only are those properties that have one of some names.
func only(members map[string]any, names ...string) map[string]any {
	all := map[string]any{}
	for _, name := range names {
		if v, ok := members[name]; ok {
			all[name] = v
		}
	}
	return all
}

// shows reports whether a success of an operation may have a property, as the document has it.
func shows(op *contract.Operation, name string) bool {
	found, some := propertyOf(op, name)
	return found || !some
}

// described reports whether a success of an operation is documented to have a property.
func described(op *contract.Operation, name string) bool {
	found, _ := propertyOf(op, name)
	return found
}

// propertyOf reports whether the successes of an operation are documented to have a property, and
// whether they have any.
func propertyOf(op *contract.Operation, name string) (found, some bool) {
	for _, r := range op.Responses {
		for _, m := range r.Media {
			if r.Key[0] != '2' || m.Node == nil {
				continue
			}
			m.Node.Walk(func(n *contract.Node) {
				some = some || n.PropName != ""
				found = found || n.PropName == name
			})
		}
	}
	return found, some
}

// differs makes a resource and compares what is read with what the creation answered,
// and has stored of what it was sent.
func (t *try) differs(e Edit) {
	r := t.make(e)
	if r == nil {
		return
	}
	k := t.Kind
	answered := r.made.got(k, r.id())
	var wrong []string
	got, differs := t.expectValues(r, "a read did not show what "+k.Make.Endpoint()+" sent and returned", func(got map[string]any) bool {
		wrong = t.unlikeMade(r, got)
		return len(wrong) == 0
	})
	switch {
	case got == nil:
	case differs:
		name := wrong[0]
		want := answered[name]
		if _, told := answered[name]; !told {
			want = r.made.sent()[name]
		}
		actual := "no " + name
		if v, there := got[name]; there {
			actual = name + " is " + show(v)
		}
		t.blame(judge.Warning, t.acting(), name+" as "+k.Make.Endpoint()+" returned it: "+show(want), actual, "the new resource differs from what %s sent and returned: %s", k.Make.Endpoint(), listing(wrong))
	default:
		for _, name := range sortedKeys(r.made.sent()) {
			sent := r.made.sent()[name]
			if v, told := answered[name]; told && same(got[name], sent) && !same(v, sent) {
				t.blameValue(judge.Warning, r.made, name, sent, v, "%s stores %s as sent, but returns another value", k.Make.Endpoint(), name)
			}
		}
		if !t.over() {
			t.ignored(r, got)
		}
	}
}

// unlikeMade lists the properties that are read otherwise than the creation answered them as it was
// sent them, and those whose value is of another request.
func (t *try) unlikeMade(r *resource, got map[string]any) []string {
	answered := r.made.got(t.Kind, r.id())
	var all []string
	for name, sent := range r.made.sent() {
		want, told := answered[name]
		if !told || !same(want, sent) {
			continue // the server has another way to show it, or none
		}
		v, there := got[name]
		if !there && !shows(t.Read, name) {
			continue // the document does not have it there
		}
		if !there || !alike(v, want) {
			all = append(all, name)
		}
	}
	for name, v := range got {
		if _, sent := r.made.sent()[name]; !sent && t.leftOver(r, name, v) {
			all = append(all, name)
		}
	}
	for _, members := range []map[string]any{answered, got} { // what was not sent may change, but not be that of another
		for name, v := range members {
			if text, is := v.(string); is && t.foreign(r, text) {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// ignored looks at what a creation that answers without the resource has stored: a
// property that shows no part of what was sent, whatever that was.
func (t *try) ignored(r *resource, got map[string]any) {
	k, sent := t.Kind, r.made.sent()
	set := map[string]any{}
	for name, v := range t.others(k.Make) {
		w, there := got[name]
		if first, was := sent[name]; was && there && !same(w, first) {
			set[name] = v
		}
	}
	if len(set) == 0 {
		return
	}
	other := t.beside(r, Edit{Set: set})
	if other == nil {
		return
	}
	after := t.shown(other)
	for _, name := range sortedKeys(set) {
		if same(after[name], got[name]) {
			t.blameValue(judge.Warning, t.acting(), name, sent[name], got[name], "%s of a new resource is always %s, whatever %s sends", name, show(got[name]), k.Make.Endpoint())
		}
	}
}

// leftOver reports whether a property that was not sent is that of the creation before, and
// not its default.
func (t *try) leftOver(r *resource, name string, v any) bool {
	if prop(t.Make, name) == nil || v == nil || isDefault(t.Make, name, v) {
		return false
	}
	return slices.ContainsFunc(t.steps, func(s *Step) bool {
		before, there := s.sent()[name]
		return s != r.made && s.Op == t.Make && there && same(before, v)
	})
}

// foreign reports whether a text is one that another request of the chain was sent, and
// not the one that made a resource: texts that have to be unique are so.
func (t *try) foreign(r *resource, text string) bool {
	const telling = 8
	if len(text) < telling || strings.Contains(string(r.made.Request.Body), text) {
		return false
	}
	return slices.ContainsFunc(t.steps, func(s *Step) bool {
		if s == r.made || s.Request == nil {
			return false
		}
		for _, v := range s.sent() {
			if v == text && t.unique(text) {
				return true
			}
		}
		return false
	})
}

// identical blames creations that have given the same identifier, if that is what can be
// read.
func (t *try) identical(all []*resource) {
	if len(all) == 0 || t.Read == nil || t.ReadInList || !t.peek(t.Read, all[0], Edit{}).ok() {
		return
	}
	seen := map[string]bool{}
	for _, r := range all {
		if !slices.Contains(t.steps, r.made) {
			t.steps = append(t.steps, r.made)
		}
		if r.made.status() != http.StatusCreated {
			continue
		}
		if seen[r.id()] {
			t.blame(judge.Error, r.made, "a unique identifier for each resource", "the same for two", "%s returns 201 twice with the same identifier", t.Make.Endpoint())
			return
		}
		seen[r.id()] = true
	}
}

// defaults plans what becomes of properties that are left out and have a default.
func (p *planner) defaults() {
	n := Node(p.kind.Make)
	members, _ := p.actor.Base(p.kind.Make)
	if n == nil || members == nil {
		return
	}
	for _, name := range sortedKeys(members) {
		pn := n.Prop(name)
		if pn == nil || pn.Schema.Default == nil || n.Requires(name) {
			continue
		}
		want := normal(pn.Schema.Default)
		p.onNew(judge.DefaultIgnored, name, func(t *try, with *resource) {
			if _, readable := t.kept(with)[name]; !readable {
				return
			}
			t.steps = nil
			r := t.beside(with, Edit{Drop: []string{name}})
			if r == nil {
				return
			}
			s := t.read(r)
			if got, there := s.got(t.Kind, r.id())[name]; s.ok() && (!there || !same(got, want)) {
				t.blameValue(judge.Warning, t.acting(), name, want, got, "%s was left out, but does not have its default", name)
			}
		}, p.kind.Make, p.kind.Read)
	}
}

// readOnly plans what becomes of properties that the document makes readOnly, and are
// sent all the same.
func (p *planner) readOnly() {
	k := p.kind
	for _, op := range k.Bodies() {
		n := Node(op)
		if n == nil || k.Read == nil {
			continue
		}
		for _, name := range readOnlyOf(n) {
			if slices.Contains(k.names(), world.Plain(name)) {
				continue
			}
			p.onNew(judge.ReadOnlyStored, name, func(t *try, first *resource) {
				before := t.shown(first)
				v, ok := unlikely(n.Prop(name), before[name])
				if _, there := before[name]; !there || !ok || t.over() {
					return
				}
				r := first
				if op == k.Make {
					t.steps = nil
					if r = t.beside(first, Edit{Set: map[string]any{name: v}}); r == nil {
						return
					}
				} else if s := t.do(op, r, Edit{Set: map[string]any{name: v}}); !s.ok() {
					return
				}
				s := t.read(r)
				if got := s.got(k, r.id())[name]; s.ok() && same(got, normal(v)) && !same(before[name], normal(v)) {
					t.blame(judge.Warning, t.acting(), name+" as the server has it", name+": "+show(got), "%s is readOnly, but the value that %s sent is stored", name, op.Endpoint())
				}
			}, op, k.Read)
		}
	}
}

// undocumented plans what becomes of properties that a request is not documented to have:
// one that no schema speaks of, and those of answers that none of the kind's requests has, as
// the server sets them.
func (p *planner) undocumented() {
	k := p.kind
	for _, op := range k.Bodies() {
		n := Node(op)
		if n == nil || k.Read == nil || n.Prop(unheardOf) != nil || n.Schema.AdditionalProperties.Schema != nil || n.Schema.AdditionalProperties.Has != nil && *n.Schema.AdditionalProperties.Has {
			continue // the document wants such properties
		}
		p.onNew(judge.UndocumentedStored, "", func(t *try, first *resource) {
			shown := t.shown(first)
			set := map[string]any{unheardOf: unheardOf}
			for name, v := range shown {
				if w, ok := unasked(v); ok && prop(k.Make, name) == nil && prop(k.Put, name) == nil && prop(k.Patch, name) == nil && !slices.Contains(k.names(), world.Plain(name)) && len(set) <= maxChanged {
					set[name] = w
				}
			}
			if op == k.Make && k.makesNew() {
				t.steps = t.stepsAbove(first)
			}
			t.each(sortedKeys(set), func(name string) {
				r, e := first, Edit{Set: map[string]any{name: set[name]}}
				if op == k.Make {
					if r = t.beside(first, e); r == nil {
						return
					}
				} else if !t.do(op, r, e).ok() {
					return
				}
				if s := t.read(r); s.ok() && same(s.got(k, r.id())[name], normal(set[name])) && !same(shown[name], normal(set[name])) {
					t.blame(judge.Warning, t.acting(), "no "+name+" in a request", name+": "+show(set[name]), "%s stores %s, which is not documented in its request", op.Endpoint(), name)
				}
			})
		}, op, k.Read)
	}
}

// unasked is another value than one that the server has set.
func unasked(v any) (any, bool) {
	switch v := v.(type) {
	case bool:
		return !v, true
	case json.Number:
		return json.Number("987654"), true
	case string:
		if _, err := time.Parse(time.RFC3339, v); err == nil {
			return longAgo[0], true
		}
		return unheardOf, true
	}
	return nil, false
}

// unheardOf is a property that no document has.
const unheardOf = "xUnheardOf"

// keyed plans what becomes of a creation that is sent again with the same key.
func (p *planner) keyed() {
	k := p.kind
	name := KeyOf(k.Make)
	if name == "" {
		return
	}
	p.onNew(judge.KeyIgnored, "", func(t *try, r *resource) {
		again, made := t.attempt(k, r.up, Edit{Body: r.made.Request.Body, Header: map[string]string{name: r.made.Request.Get(name)}})
		switch {
		case t.over():
		case made != nil && made.id() != r.id():
			t.blame(judge.Warning, again, "the same resource, or a refusal", "another resource", "%s creates two resources when a request is sent twice with the same %s", k.Make.Endpoint(), name)
		case again.status() == http.StatusConflict && len(again.Request.Body) > 0:
			t.blame(judge.Warning, again, r.made.answer(), again.answer(), "%s refuses a request that is sent again with the same %s", k.Make.Endpoint(), name)
		}
	}, k.Make)
	p.onNew(judge.KeyIgnored, "other-body", func(t *try, r *resource) { t.useKey(r, name) }, k.Make)
	if k.Parent != nil && k.Read != nil {
		p.onElsewhere(judge.KeyIgnored, "elsewhere", func(t *try, r, there *resource) { t.useKeyElsewhere(r, there, name) }, k.Make, k.Read)
	}
	p.onNew(judge.RefusedButDone, "used-"+name, func(t *try, r *resource) {
		if t.lists(r, t.mark(r.made)) {
			s, _ := t.attempt(k, r.up, Edit{Header: map[string]string{name: r.made.Request.Get(name)}})
			t.nothing(r, s)
		}
	}, k.Make, k.List)
}

// useKey sends another request with the key of a resource, and looks what comes of it.
func (t *try) useKey(r *resource, name string) {
	k := t.Kind
	again, made := t.attempt(k, r.up, Edit{Header: map[string]string{name: r.made.Request.Get(name)}, Set: t.others(k.Make)})
	if t.over() || made == nil || bytes.Equal(again.Request.Body, r.made.Request.Body) {
		return
	}
	if made.id() != r.id() {
		t.blame(judge.Warning, again, "a refusal", again.answer(), "%s accepts the same %s for two different requests", k.Make.Endpoint(), name)
	}
	first, then := r.made.got(k, r.id()), again.got(k, r.id())
	for _, of := range sortedKeys(again.sent()) {
		if same(first[of], r.made.sent()[of]) && same(then[of], first[of]) && !same(then[of], again.sent()[of]) {
			t.blame(judge.Warning, again, "a refusal", again.answer(), "%s responds to a different request with a used %s as it did to the first", k.Make.Endpoint(), name)
		}
	}
}

// useKeyElsewhere sends the key of a resource below another parent, and looks whether something
// is made there.
func (t *try) useKeyElsewhere(r, there *resource, name string) {
	k := t.Kind
	again, made := t.attempt(k, there.up, Edit{Header: map[string]string{name: r.made.Request.Get(name)}})
	mark := t.mark(again)
	if made == nil || mark == nil || t.over() || !bytes.Contains(t.peek(k.Read, r, Edit{}).body(), t.mark(r.made)) {
		return
	}
	if s := t.read(made); !bytes.Contains(s.body(), mark) {
		t.blame(judge.Warning, again, "another resource, or a refusal", "it is not there", "%s accepts a %s that was used below another resource, but creates nothing", k.Make.Endpoint(), name)
	}
}

// located plans where the Location of a creation leads.
func (p *planner) located() {
	k := p.kind
	p.onNew(judge.CreatedNotFound, "location", func(t *try, r *resource) {
		if r.made.status() != http.StatusCreated {
			return
		}
		if s := t.leads(r); s != nil && t.readable(r) && !t.over() && !t.led(r, s) {
			t.steps = append(t.steps, s)
			if s.gone() {
				t.blame(judge.Error, r.made, "the new resource", s.answer(), "the Location of %s does not exist: %s returns %s", k.Make.Endpoint(), k.Read.Endpoint(), s.answer())
			} else {
				t.blame(judge.Error, r.made, "the new resource", "another", "the Location of %s leads to another resource", k.Make.Endpoint())
			}
		}
	}, k.Make, k.Read)
}

// leads reads where the Location of a creation leads; nil where that is none of the operation.
func (t *try) leads(r *resource) *Step {
	values := t.actor.Located(t.Read, r.made)
	if values == nil || r.made.status() != http.StatusCreated {
		return nil
	}
	return t.peek(t.Read, &resource{kind: t.Kind, values: values, made: r.made}, Edit{})
}

// led reports whether what was read there may be the resource that was made.
func (t *try) led(r *resource, s *Step) bool {
	id := s.Values[t.Param.Spec.Name]
	got := s.got(t.Kind, id)
	return id == r.id() || !s.gone() && (!s.ok() || identifier(got, t.Kind) == "" || named(got, t.Kind, r.id()))
}

// edges plans what becomes of values at their edges, one after the other.
func (p *planner) edges() {
	k := p.kind
	if k.Read == nil || k.ReadInList { // a list may shorten long texts
		return
	}
	for _, op := range k.Bodies() {
		members, fixed := p.actor.Base(op)
		all := map[string]edge{}
		of := map[string]string{}
		var labels []string
		var each [][]edge
		names := sortedKeys(members)
		for _, name := range names {
			var list []edge
			if n := prop(op, name); n != nil && !fixed[name] {
				list = edges(n, members[name])
			}
			each = append(each, list)
		}
		for nth := range maxEdges { // of each property some, where there are too many
			for i, name := range names {
				if nth < len(each[i]) && len(labels) < maxEdges {
					label := name + "/" + each[i][nth].label
					all[label], of[label] = each[i][nth], name
					labels = append(labels, label)
				}
			}
		}
		if len(labels) == 0 {
			continue
		}
		check := k.stores(op)
		p.onNew(check, "edges", func(t *try, first *resource) {
			kept := t.kept(first)
			if op == k.Make {
				t.steps = t.stepsAbove(first)
			}
			t.each(labels, func(label string) {
				name := of[label]
				if _, known := kept[name]; known {
					t.edge(op, first, name, Edit{Set: map[string]any{name: all[label].v}, Renew: true, Only: op == k.Patch})
				}
			})
		}, op, k.Read)
	}
}

// maxEdges bounds the values at their edges that an operation is sent.
const maxEdges = 60

// edge sends an operation a value for a property, and looks whether that is stored.
func (t *try) edge(op *contract.Operation, r *resource, name string, e Edit) {
	k := t.Kind
	var change *Step
	if op == k.Make && k.makesNew() {
		if r = t.beside(r, e); r == nil {
			return
		}
		change = r.made
	} else if change = t.do(op, r, e); !change.ok() {
		return
	}
	sent := change.sent()[name]
	got, wrong := t.expectValues(r, "a read did not show what "+op.Endpoint()+" sent", func(got map[string]any) bool {
		return storedAs(op, got[name], sent) || sent == nil && isDefault(k.Make, name, got[name])
	})
	if wrong {
		t.blameValue(judge.Warning, change, name, sent, got[name], "%s is not stored as %s sent it", name, op.Endpoint())
	}
}

// isDefault reports whether a value is the default of a property in the body of an operation.
func isDefault(op *contract.Operation, name string, v any) bool {
	n := prop(op, name)
	return n != nil && n.Schema.Default != nil && same(normal(n.Schema.Default), v)
}

// again plans what becomes of several resources that are made one after the other.
func (p *planner) again() {
	k := p.kind
	p.onNew(judge.CreatedDiffers, "several", func(t *try, first *resource) {
		kept := t.kept(first)
		var all []*resource
		for range together {
			if r := t.beside(first, Edit{}); r != nil {
				all = append(all, r)
			}
		}
		for _, r := range all {
			if s := t.leads(r); s != nil && t.readable(r) && !t.over() && !t.led(r, s) {
				t.steps = append(t.stepsAbove(first), r.made, s)
				t.blame(judge.Error, r.made, "the new resource", s.answer(), "the Location of one of several new resources does not lead to it")
			}
			s := t.peek(k.Read, r, Edit{})
			got, sent := s.got(k, r.id()), r.made.sent()
			for _, name := range sortedKeys(kept) {
				if !t.over() && (s.gone() || s.ok() && !alike(got[name], sent[name])) {
					t.steps = append(t.stepsAbove(first), r.made, s)
					t.blameValue(judge.Warning, r.made, name, sent[name], got[name], "one of several new resources differs from what %s sent; the others do not", k.Make.Endpoint())
				}
			}
		}
	}, k.Make, k.Read)
}
