// Package chain makes and judges short sequences of requests: a resource is made,
// something is done to it, and then one looks what came of it.
//
//	kinds := chain.Kinds(contract, world)
//	for _, c := range chain.Plan(kinds, actor) {
//		if f := c.Try(ctx, actor, &chain.Settle{Most: time.Second}); f != nil {
//			fmt.Println(c.ID, f.Message) // deleteTeam/response/status#deleted-still-there
//		}
//	}
//
// What is done is given by construction: each check has its own sequence, as short
// as it can be, about resources that it makes itself. Nothing is concluded where an
// answer leaves room: where something is under way (202), the request was sent on,
// limited or failed, or a cache has answered. What a target sets, normalises or
// does not show is learned from its answers first: compared is only what once came
// back as it was sent. A finding that does not come again on fresh resources is a
// warning.
//
// Walks are changes in an order that a seed gives; one that fails is made again without
// each of the changes that the failure does not need.
//
// A kind is made by POST, or by PUT under a name that the actor chooses: then the two are one
// operation, and what the sequences make has names that nothing had.
//
// Requests are sent by an [Actor], which package run is; the checks are declared in
// package judge, which makes the findings.
package chain
