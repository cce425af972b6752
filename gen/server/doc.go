// Package server holds what oapi-codegen generates from openapi.yaml for the
// serving side: the Echo routes, the strict server interface and the embedded
// document (GetSpec). The types are those of package gen.
//
//	e := echo.New()
//	server.RegisterHandlers(e, server.NewStrictHandler(implementation, nil))
package server

//go:generate go tool oapi-codegen -config oapi-codegen.yaml ../../openapi.yaml
