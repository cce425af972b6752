// Package readmetest proves that what README.md shows is true: its Go is that
// of the examples, and its commands run. It has tests only.
package readmetest
