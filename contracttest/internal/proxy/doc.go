// Package proxy stands between clients and a service: it passes on what they say to each
// other, has it judged by package traffic, and shows on a page what was found.
//
//	watcher := traffic.New(contract, traffic.Options{Share: 1})
//	go http.ListenAndServe("127.0.0.1:8081", proxy.Page(watcher))
//	http.ListenAndServe("127.0.0.1:8080", proxy.New(watcher, target, nil))
package proxy
