package chain

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
)

// Batch is an operation that makes several resources of a kind: it is sent a list of what makes
// one of them.
type Batch struct {
	Op     *contract.Operation
	member string // of the body that is the list; empty where the body is
	items  *contract.Node
}

// batchesOf lists those right below the collection of a kind: POST /teams/batch, POST /teams:import.
func batchesOf(c *contract.Contract, k *Kind) []Batch {
	var all []Batch
	one, collection := Node(k.Make), strings.TrimSuffix(k.Make.Path, "/")
	for _, op := range c.Operations {
		rest, below := strings.CutPrefix(op.Path, collection)
		if op.Method != http.MethodPost || !below || len(rest) < 2 || rest[0] != '/' && rest[0] != ':' || strings.ContainsAny(rest[1:], "/{") {
			continue
		}
		if b := batchOf(op); b.items != nil && one != nil && b.makes(one) {
			all = append(all, b)
		}
	}
	return all
}

// batchOf finds the one list of objects that an operation is sent.
func batchOf(op *contract.Operation) Batch {
	b := Batch{Op: op}
	n := Node(op)
	if n == nil {
		return b
	}
	if b.items = n.Element(0); b.items != nil {
		return b
	}
	for _, m := range n.Members() {
		item := m.Element(0)
		if item == nil {
			continue
		}
		if b.items != nil {
			return Batch{Op: op}
		}
		b.member, b.items = m.PropName, item
	}
	return b
}

// makes reports whether the items are what makes one resource: they have all that it has to have,
// or all that it may have where that is nothing.
func (b Batch) makes(one *contract.Node) bool {
	names := one.Members()
	needed := slices.DeleteFunc(slices.Clone(names), func(m *contract.Node) bool { return !one.Requires(m.PropName) })
	if len(needed) == 0 {
		needed = names
	}
	return len(needed) > 0 && !slices.ContainsFunc(needed, func(m *contract.Node) bool { return b.items.Prop(m.PropName) == nil })
}

// entry is what an answer has of one of the items.
type entry struct {
	*resource
	members map[string]any
	status  int // of its own; 0 where there is none
}

// failed reports whether nothing was made for the item, by what the answer says.
func (e entry) failed() bool {
	return e.status >= http.StatusBadRequest || e.members["error"] != nil || e.members["errors"] != nil
}

// inBatch is how many resources are made by one request.
const inBatch = 3

// batches plans what becomes of several resources that one request makes.
func (p *planner) batches() {
	k := p.kind
	for _, b := range k.Batches {
		p.add(judge.CreatedNotFound, "in-a-batch", func(t *try) { t.missingOfBatch(b) }, b.Op, k.Read)
		p.add(judge.CreatedDiffers, "in-a-batch", func(t *try) { t.batchDiffers(b) }, b.Op, k.Read)
		p.add(judge.NotListed, "in-a-batch", func(t *try) {
			s, sent, entries := t.batch(b, nil)
			if !s.ok() || t.over() || slices.ContainsFunc(entries, entry.failed) {
				return
			}
			listed := t.listed(sent)
			if slices.Contains(listed, true) && slices.Contains(listed, false) && !t.over() {
				t.do(k.List, &resource{kind: k, values: s.Values}, Edit{})
				t.blame(judge.Warning, s, "all that was sent", "a part of it", "%s returns %s, but the list does not show all of the new resources", b.Op.Endpoint(), s.answer())
			}
		}, b.Op, k.List).Alone = true
		for _, c := range p.actor.Broken(k.Make) {
			broken := Members(c.Request.Body)
			if broken != nil && Node(k.Make).Validates(broken) != nil { // else it is something else that is wrong
				p.add(judge.RefusedButDone, "in-a-batch", func(t *try) { t.refusedInBatch(b, broken, false) }, b.Op, k.List).Alone = true
				break
			}
		}
		members, _ := p.actor.Base(k.Make)
		for _, name := range sortedKeys(members) {
			if _, isText := members[name].(string); isText && p.actor.Renewed(k.Make, name) {
				p.onNew(judge.RefusedButDone, "in-a-batch/"+name+"-is-taken", func(t *try, r *resource) { t.takenInBatch(b, r, name) }, b.Op, k.List).Alone = true
			}
		}
	}
}

// missingOfBatch looks whether each resource that one request makes is there.
func (t *try) missingOfBatch(b Batch) {
	s, _, entries := t.batch(b, nil)
	for _, e := range entries {
		if e.id() == "" || e.failed() || !s.ok() || t.over() {
			continue
		}
		read, wrong := t.expect(t.Read, e.resource, "what "+b.Op.Endpoint()+" created could not be read", func(s *Step) bool { return !s.gone() })
		if wrong {
			t.blame(judge.Warning, s, "each resource that "+b.Op.Endpoint()+" created", read.answer(), "%s returns %s, but one of the new resources cannot be read: %s returns %s", b.Op.Endpoint(), s.answer(), t.Read.Endpoint(), read.answer())
		}
	}
}

// batchDiffers looks whether the answer to one request gives each resource its own identifier.
func (t *try) batchDiffers(b Batch) {
	s, sent, entries := t.batch(b, nil)
	for i, e := range entries {
		if e.id() == "" || e.failed() || !s.ok() || t.over() || len(entries) != len(sent) {
			continue
		}
		read := t.read(e.resource)
		if !read.ok() || t.over() {
			continue
		}
		got, says := read.got(t.Kind, e.id()), false
		for _, name := range sortedKeys(sent[i]) {
			v, there := e.members[name]
			w, isRead := got[name]
			text, isText := v.(string)
			if says = says || there; there && isRead && isText && t.unique(text) && !alike(w, v) {
				t.blameValue(judge.Warning, s, name, v, w, "%s returns the %s of one new resource under the identifier of another", b.Op.Endpoint(), name)
			}
		}
		if mark := t.markOf(sent[i]); mark != nil && !says && !bytes.Contains(read.body(), mark) && slices.ContainsFunc(sent, func(other map[string]any) bool {
			text := t.markOf(other)
			return text != nil && bytes.Contains(read.body(), text)
		}) {
			t.blame(judge.Warning, s, "identifiers in the order of what was sent", "those of others", "%s returns only identifiers, but not in the order of the request", b.Op.Endpoint())
		}
	}
}

// takenInBatch asks for several resources of which one has what another has that was made before.
func (t *try) takenInBatch(b Batch, r *resource, name string) {
	item := t.actor.Fresh(t.ctx, t.Make)
	if v, is := r.made.sent()[name].(string); is && item != nil && t.unique(v) {
		item[name] = v
		t.refusedInBatch(b, item, true)
	}
}

// refusedInBatch looks whether the list shows one of several resources that is refused. Of the one
// that is wrong as its value is taken it does show that value.
func (t *try) refusedInBatch(b Batch, broken map[string]any, taken bool) {
	s, sent, entries := t.batch(b, broken)
	if t.over() {
		return
	}
	listed := t.listed(sent)
	for i := range sent {
		refused := s.refused() || len(entries) == len(sent) && entries[i].status/100 == 4
		if refused && listed[i] && !(taken && i == len(sent)/2) && !t.over() {
			t.do(t.List, &resource{kind: t.Kind, values: s.Values}, Edit{})
			t.blame(judge.Warning, s, "nothing of what was refused", "the list shows it", "%s refuses one of several resources, but creates it", b.Op.Endpoint())
		}
	}
}

// batch makes several resources by one request, with one that is broken among them, unless that is
// nil. It returns what was sent of each, and what the answer has of each, as far as that is told.
func (t *try) batch(b Batch, broken map[string]any) (s *Step, sent []map[string]any, entries []entry) {
	k := t.Kind
	up := t.above(k)
	n := inBatch
	if list := Node(b.Op); b.member != "" {
		n = atMost(list.Prop(b.member), n)
	} else {
		n = atMost(list, n)
	}
	var list []any
	for range n {
		list = append(list, t.actor.Fresh(t.ctx, k.Make))
	}
	if broken != nil {
		list[n/2] = broken
	}
	e := Edit{Set: map[string]any{b.member: list}}
	if b.member == "" {
		body, err := json.Marshal(list)
		t.silent = t.silent || err != nil
		e = Edit{Body: body}
	}
	s = t.do(b.Op, &resource{kind: k, up: up}, e)
	whole := decode(s.Request.Body)
	if members, ok := whole.(map[string]any); ok {
		whole = members[b.member]
	}
	listed, _ := whole.([]any)
	if sent = objects(listed); len(sent) != n || !s.ok() && !s.refused() {
		t.silent = true
		return s, sent, nil
	}
	for _, item := range items(s) {
		e := t.entry(item, s)
		entries = append(entries, e)
		if e.id() == "" || e.failed() || k.Read == nil || k.ReadInList {
			continue
		}
		// Whatever the answer says, what is deleted in the end has to be what was sent.
		read := t.actor.Do(t.ctx, k.Read, e.at(k.Read), Edit{})
		if read.ok() && slices.ContainsFunc(sent, func(item map[string]any) bool {
			mark := t.markOf(item)
			return mark != nil && bytes.Contains(read.body(), mark)
		}) {
			t.actor.Own(k, e.values)
		}
	}
	return s, sent, entries
}

// atMost is how many items a list may have, up to some.
func atMost(list *contract.Node, n int) int {
	if most := list.Schema.MaxItems; most != nil && *most < uint64(n) { //nolint:gosec // a count
		return int(*most) //nolint:gosec // it is less than n
	}
	return n
}

// entry reads what an answer has of one resource: the resource, be it in an envelope, or its
// identifier, beside a status of its own.
func (t *try) entry(item map[string]any, s *Step) entry {
	k := t.Kind
	e := entry{resource: &resource{kind: k, values: maps.Clone(s.Values), made: s}, members: item}
	if e.values == nil {
		e.values = map[string]string{}
	}
	for _, name := range []string{"status", "statusCode", "status_code", "code"} {
		if number, ok := item[name].(json.Number); ok && e.status == 0 {
			if v, err := number.Int64(); err == nil && v >= http.StatusOK && v < 600 {
				e.status = int(v)
			}
		}
	}
	inner := item
	if identifier(item, k) == "" {
		for _, name := range sortedKeys(item) {
			if members, ok := item[name].(map[string]any); ok && identifier(members, k) != "" {
				inner = members
				break
			}
		}
	}
	if id := identifier(inner, k); id != "" {
		e.values[k.Param.Spec.Name] = id
	}
	if !e.failed() {
		e.members = inner
	}
	return e
}

// listed reports of each item that was sent whether the list shows it, by a text that nothing
// else has.
func (t *try) listed(sent []map[string]any) []bool {
	var above map[string]string
	if len(t.steps) > 0 {
		above = t.steps[len(t.steps)-1].Values
	}
	pages := t.pages(&resource{kind: t.Kind, values: above})
	all := make([]bool, len(sent))
	for i, item := range sent {
		mark := t.markOf(item)
		all[i] = mark != nil && slices.ContainsFunc(pages, func(s *Step) bool { return bytes.Contains(bytes.ToLower(s.body()), bytes.ToLower(mark)) })
	}
	return all
}
