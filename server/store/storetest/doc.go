// Package storetest tests the contract of [store.Store]. Every implementation
// runs it: Run for what each promises, RunDurable for those that outlive the
// process.
package storetest
