// Package world is what a run knows of the target's state: which operation's
// answer names the resource that another needs, and the resources that the run
// has made there.
//
// The first is read from the document, so that it is the same for every run:
//
//	w := world.New(contract)
//	for _, s := range w.Sources(getPet, petID) {
//		fmt.Println(s.Operation.ID, s.Relation) // createPet: Location
//	}
//
// An operation that deletes, replaces or changes a resource consumes it: what it
// works on has to be the run's own, which [Consumed] and [World.Producers] are
// for. The resources are entered as they are made, and leave when they are
// deleted; what is left of them at the end is [World.Living].
package world
