package chain

import (
	"slices"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// restorers are how an action is named that takes what was deleted.
var restorers = []string{"restore", "undelete", "recover", "untrash"}

// isRestorer reports whether an operation is an action that takes what was deleted: POST
// /notes/{id}/restore or /notes/{id}:undelete.
func isRestorer(op *contract.Operation) bool {
	path := op.Template()
	return slices.Contains(restorers, world.Plain(path[strings.LastIndexAny(path, "/:")+1:]))
}

// restore deletes a resource and restores it, and looks whether it can be read as it was, be it that it
// could not be in between, or that it was but marked.
func (t *try) restore(r *resource, op *contract.Operation) {
	kept := t.kept(r)
	if t.over() || !t.remove(r) {
		return
	}
	s := t.do(op, r, Edit{})
	if !s.ok() {
		return
	}
	read, wrong := t.expect(t.Read, r, "what "+op.Endpoint()+" restored could not be read", func(s *Step) bool { return !s.gone() })
	if wrong {
		t.blame(judge.Warning, s, "the restored resource", read.answer(), "%s accepts to restore a deleted resource, but it still cannot be read", op.Endpoint())
		return
	}
	t.actor.Own(t.Kind, r.values)
	var lost []string
	got, wrong := t.expectValues(r, "a read did not show what "+op.Endpoint()+" restored", func(got map[string]any) bool {
		lost = slices.DeleteFunc(sortedKeys(kept), func(name string) bool {
			return slices.Contains(Versions, world.Plain(name)) || t.oneOfFew(name, kept[name]) || alike(kept[name], got[name])
		})
		return len(lost) == 0
	})
	if wrong {
		name := lost[0]
		t.blameValue(judge.Warning, t.acting(), name, kept[name], got[name], "%s restores a deleted resource with another %s than it had", op.Endpoint(), name)
	}
}

// oneOfFew reports whether a property has one of few values, as a state is: what is restored may come
// back as a draft.
func (t *try) oneOfFew(name string, v any) bool {
	_, isBool := v.(bool)
	n := prop(t.Make, name)
	return isBool || n == nil || len(n.Listed()) > 0
}

// Versions are how properties are named that have to be what the resource has at the time.
var Versions = []string{"version", "revision", "rev", "etag", "lockversion", "rowversion", "resourceversion"}

// marks reports whether what can still be read after it was deleted tells so: by what a read or its
// list have of it, or as the list has it no more. Where there is no list, nobody can tell.
func (t *try) marks(r *resource, before, after map[string]any) bool {
	if t.List == nil || t.List == t.Read || !asItWas(before, after) {
		return true
	}
	gone, _ := t.wait(func() bool { return t.over() || t.entries(r, r.id()) == 0 })
	if gone {
		return true
	}
	// What an entry of the list was before is looked at in another one.
	steps := t.steps
	defer func() { t.steps = steps }()
	other := t.beside(r, Edit{})
	if other == nil {
		return true
	}
	entry := t.listEntry(other)
	return entry == nil || !t.remove(other) || !asItWas(entry, t.listEntry(other))
}

// asItWas reports whether a resource has what it had, but for versions and times, which any change
// moves.
func asItWas(before, after map[string]any) bool {
	if len(before) != len(after) {
		return false
	}
	for name, v := range before {
		w, there := after[name]
		if !there || !same(v, w) && !slices.Contains(Versions, world.Plain(name)) && !(isTime(v) && isTime(w)) {
			return false
		}
	}
	return true
}

func isTime(v any) bool {
	text, isText := v.(string)
	_, err := time.Parse(time.RFC3339, text)
	return isText && err == nil
}
