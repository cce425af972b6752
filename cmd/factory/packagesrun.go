package main

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
	"unsafe"

	"github.com/dataarts-go/factory/server/store"
)

// sortedAtOnce is how many bytes of packages are in memory to be sorted: with IDs of 15
// characters, 400,000.
const sortedAtOnce = 12 << 20

// packagesRun is packages of a file that are sorted before they are added, in little
// memory. In the order of the database's own index few of its pages are changed by
// each transaction; in any other nearly all of them, and to add a million packages to SQLite
// takes five times as long.
type packagesRun struct {
	ids     []byte // one after the other
	entries []packagesEntry
	places  []store.Package // their projects and workspaces
}

// packagesEntry is a package of a run.
type packagesEntry struct {
	begin, end uint32 // of its ID
	place      uint32
	state      uint8 // in packageStates
}

// packageStates are the states that a file may give, and the one of a package without.
var packageStates = [...]store.State{"", store.Pending, store.Released, store.Cancelled}

// size returns the bytes of the run.
func (r *packagesRun) size() int {
	return len(r.ids) + len(r.entries)*int(unsafe.Sizeof(packagesEntry{}))
}

// append adds p, whose state is valid, to the end.
func (r *packagesRun) append(p store.Package) {
	place := store.Package{ProjectID: p.ProjectID, Workspace: p.Workspace}
	if len(r.places) == 0 || r.places[len(r.places)-1] != place {
		r.places = append(r.places, place)
	}
	begin := len(r.ids)
	r.ids = append(r.ids, p.ID...)
	r.entries = append(r.entries, packagesEntry{
		//nolint:gosec // G115: a run is far from having so many bytes
		uint32(begin), uint32(len(r.ids)), uint32(len(r.places) - 1), uint8(slices.Index(packageStates[:], p.State)),
	})
}

// take sorts the packages and empties the run. It yields up to n of them at a time, in a
// slice that is used again.
func (r *packagesRun) take(n int) iter.Seq[[]store.Package] {
	id := func(e packagesEntry) []byte { return r.ids[e.begin:e.end] }
	slices.SortFunc(r.entries, func(e, f packagesEntry) int {
		p, q := r.places[e.place], r.places[f.place]
		// Of two with the same ID the first one counts, so it stays the first one.
		return cmp.Or(cmp.Compare(p.ProjectID, q.ProjectID), cmp.Compare(p.Workspace, q.Workspace),
			bytes.Compare(id(e), id(f)), cmp.Compare(e.begin, f.begin))
	})
	return func(yield func([]store.Package) bool) {
		packages := make([]store.Package, 0, n)
		for entries := range slices.Chunk(r.entries, n) {
			packages = packages[:0]
			for _, e := range entries {
				p := r.places[e.place]
				p.ID, p.State = string(id(e)), packageStates[e.state]
				packages = append(packages, p)
			}
			if !yield(packages) {
				return
			}
		}
		r.ids, r.entries, r.places = r.ids[:0], r.entries[:0], r.places[:0]
	}
}
