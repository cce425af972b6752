// Package orders is an ordinary service that remembers, with its document, for tests of what a
// run concludes from one: it has sessions that end, refers from one resource to another, counts
// versions, knows a request again by its key, lets a resource go from state to state, and
// takes so many of them. It keeps its document, so that no run may have an error:
//
//	srv := httptest.NewServer(orders.New(100))
//	report, err := contracttest.Run(ctx, contract, contracttest.URL(srv.URL), contracttest.Values("bearer", orders.Token))
//
// The front desk, [Desk], is another one: its answers to GET open what other requests need.
package orders
