// Package h2spectest has the server judged by h2spec, a suite of tests for servers of
// HTTP/2, beside a bare one of net/http. It is a module of its own, since nobody
// else needs h2spec.
package h2spectest
