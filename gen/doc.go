// Package gen holds the models and the HTTP client that oapi-codegen generates
// from openapi.yaml. Its subpackage server holds the Echo side.
//
// Nothing here is written by hand but this file and the directives: run
//
//	go generate ./...
//
// after a change of openapi.yaml. Most programs want package client, which
// adds bounded reads, typed errors and credentials to what is generated.
package gen

//go:generate go tool oapi-codegen -config ../oapi-codegen.yaml ../openapi.yaml
