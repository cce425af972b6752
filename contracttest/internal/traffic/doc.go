// Package traffic judges what others say to each other: it watches a handler or a
// transport, passes everything on as it is, and hands each exchange to the judge once it
// has passed. What it holds is bounded.
//
//	watcher := traffic.New(contract, traffic.Options{Share: 1})
//	handler := watcher.Handler(yours, 0) // a server
//	client := &http.Client{Transport: watcher.Transport(nil)} // a client
//	watcher.Wait()
//	report := watcher.Report()
package traffic
