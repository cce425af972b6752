// Package sdktest holds the signatures of package signing against those of the
// vendor's own Go SDK, and the client against the SDK's in time and memory. It
// has tests only, in a module of its own, so that nobody who imports the
// client gets the SDK with it.
package sdktest
