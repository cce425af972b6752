// Package odd holds documents that are seldom seen, and a server which reads them
// on its own: its tests prove that the engine has no finding on a server that keeps
// such a document, and finds the one that goes by another in one place.
package odd
