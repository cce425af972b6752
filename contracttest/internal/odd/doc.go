// Package odd holds documents that are seldom seen, and a server which reads them
// on its own: its tests prove that the engine has no finding on a server that keeps
// such a document, and finds the one that goes by another in one place. It has tests only.
// With -seeds 20 the server that keeps a document is asked with as many seeds.
//
// A document is an archive in testdata with its files, and with the defects that have to be found
// in it, a line each: the clause, the check, and the change of the document that the server goes by.
//
//	shared/query/size/maximum invalid-request-accepted; - /components/parameters/Size/schema/maximum
package odd
