// Package coverage keeps account of what a run has shown of each clause.
//
//	account := coverage.Account{}
//	account.Kept(clause)                    // a request that keeps it was accepted
//	account.Broken(clause)                  // one that breaks it alone was refused
//	account.Response(operation, response)   // the clauses that speak of an answer were observed
//	fmt.Println(account[clause])            // kept+broken
package coverage
