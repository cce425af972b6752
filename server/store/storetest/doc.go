// Package storetest tests the contract of [store.Store]. Every implementation
// runs it: Run for what each promises, RunDurable for those that outlive the
// process.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) store.Store { return mystore.New() })
//	}
package storetest
