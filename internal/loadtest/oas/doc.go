// Package oas is the server that ogen generates from openapi.yaml, to compare
// ours with.
package oas

//go:generate go tool ogen --config ogen.yaml --target . --package oas --clean ../../../openapi.yaml
//go:generate sh -c "sha256sum ../../../openapi.yaml | cut -d ' ' -f 1 >openapi.sha256"
