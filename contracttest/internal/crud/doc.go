// Package crud is a service that remembers, as a backend engineer writes it:
// teams, the notes below each, unique names, tokens, pages, PUT, PATCH and
// DELETE, with its OpenAPI document. What it does about its state is lawful in
// several ways, its dresses, and it is put behind what deployments put before a
// service. A run against any of them has no error to report.
//
//	service, err := crud.New(crud.Dresses()["soft delete"])
//	srv := httptest.NewServer(service)
//
// The same service with one of the Defects is wrong in a way that no exchange alone
// shows: what was created is not there, what was refused is done, a page repeats an item.
//
// Requests are judged by the engine's own reading of the document: what is tried
// here is not how a clause is kept, which package defects is for, but what a run
// concludes from several answers.
package crud
