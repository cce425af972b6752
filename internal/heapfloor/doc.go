// Package heapfloor keeps a program with a small heap from collecting garbage all
// the time. Go collects when the heap has doubled, and from 4 MB on: a server that
// holds 1 MB collects 70 times a second under load, which costs it a fifth of its
// throughput (docs/performance.md).
//
//	defer heapfloor.Raise()()
package heapfloor
