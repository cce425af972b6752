// Package routers is the API of ../greetings once more, on chi and on Echo: the
// document is the same, and so is the test. It is a module of its own, since users of this repository
// need not have chi.
package routers
