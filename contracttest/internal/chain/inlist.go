package chain

import (
	"encoding/json"
	"slices"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/judge"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// inList are the checks that are tried where no GET reads a resource by itself, and its entry in the
// list tells what it is. That it is not there says nothing: the list may be of others, or be late.
var inList = []string{
	judge.CreatedDiffers, judge.DefaultIgnored, judge.ReadOnlyStored, judge.UndocumentedStored, judge.PutNotStored, judge.PutNotIdempotent,
	judge.PatchPartial, judge.ActionNotStored, judge.RefusedButDone, judge.ConflictIgnored, judge.NeighbourChanged, judge.FilterIgnored,
}

// readInList makes the list what reads a kind, where no GET does. The operation that stands for that is
// the planner's own: what is sent, and reported, is the list.
func (k *Kind) readInList() {
	if k.Read != nil || k.List == nil || k.Chosen() {
		return
	}
	l := k.List
	k.Read = &contract.Operation{ID: l.ID, Method: l.Method, Path: l.Path, Contract: l.Contract, Responses: l.Responses, StatusClause: l.StatusClause}
	k.ReadInList = true
}

// inLists gives the lists for what stands for reading them, and reports whether a check may use that.
func (p *planner) inLists(check string, ops []*contract.Operation) bool {
	for _, k := range p.kinds {
		i := slices.Index(ops, k.Read)
		if !k.ReadInList || i < 0 {
			continue
		}
		if !slices.Contains(inList, check) {
			return false
		}
		for i := range ops {
			if ops[i] == k.Read {
				ops[i] = k.List
			}
		}
	}
	return true
}

// entryOf reads a resource in the list; nothing can be concluded where that does not have it.
func (t *try) entryOf(r *resource, e Edit) *Step {
	list := *t
	list.Kind = r.kind
	last := &Step{Op: r.kind.List, Exchange: &wire.Exchange{Request: &wire.Request{}}}
	for _, page := range list.pagesUntil(r, e.As, nil, func(s *Step) bool { return countEntries(s, r.kind, r.id()) > 0 }) {
		last = page
	}
	for _, item := range items(last) {
		if text, err := json.Marshal(item); err == nil && named(item, r.kind, r.id()) {
			last.entry = text
			return last
		}
	}
	t.silent = true
	return last
}
