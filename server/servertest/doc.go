// Package servertest serves task packages in a test, so that a program which
// calls the service can be tested whole, in a line and without a mock:
//
//	s := servertest.Start(t, servertest.Packages(project, "12", "13"))
//
// The server is the real one, in memory, on a free port of the loopback; it is
// gone when the test ends. A program that imports this package in its tests
// alone links no server.
package servertest
