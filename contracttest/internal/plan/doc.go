// Package plan turns a contract into cases: for each clause of a request the
// requests that keep it at its edges and the one that breaks it alone, then the
// documented examples, then random combinations of both. Every case says what
// it is for, and kin-openapi has confirmed that on the bytes that are sent.
//
// A plan is the same for the same document, values and seed.
package plan
