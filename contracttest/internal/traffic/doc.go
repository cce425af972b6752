// Package traffic judges what others say to each other: it watches a handler or a
// transport, passes everything on as it is, and hands each exchange to the judge once it
// has passed. What it holds is bounded.
package traffic
