// Package value makes JSON values for a schema of the contract: good ones, the
// good ones at the edges of each clause, and those that break one clause and
// keep the others as far as the schema allows. It sends nothing and knows no
// HTTP; whether a value does what it is made for is confirmed by the plan, on
// the bytes that are sent.
package value
