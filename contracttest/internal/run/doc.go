// Package run sends the cases of a contract to a target and concludes from the
// answers what the target keeps and what it breaks.
//
//	rep, err := run.Run(ctx, contract, target, run.Options{Seed: 1})
//
// A run knows the target by what it has answered: one state for each operation
// holds that. What comes of a case is a value, its outcome; outcomes are
// concluded in the order of the plan, whoever answered first, so that the same
// seed gives the same report with any number of workers. Findings are made by
// package judge alone; this package decides which of them the evidence bears.
//
// Where to look, in the order of a run:
//
//   - what is sent: selection.go, since.go, shard.go, planned.go;
//   - before the first case: hooks.go, renew.go and oauth2.go (credentials), learn.go and refer.go (values that
//     exist), fixture.go, stock.go and unlock.go (resources of the run's own), teach.go (words of refusals),
//     unique.go, setup.go (a base path or a credential that is wrong);
//   - sending: pool.go, load.go, exchange.go, journal.go, safe.go;
//   - what an answer proves: outcome.go, evidence.go, repeat.go, reduce.go, death.go;
//   - what several answers show: chains.go, negotiate.go;
//   - the report: finding.go, finish.go, known.go, redact.go, sample.go, cleanup.go, stop.go.
package run
