// Package wire holds requests and responses as they cross the network, to the
// byte: header names in the letter case they are sent in, targets as they are
// escaped, bodies that need not be what their labels say. It reads and writes
// them as HTTP messages, in txtar and HAR archives. It knows nothing of contracts.
//
//	pairs, err := wire.ParseHAR("browser.har", data)
//	request, err := wire.ParseRequest([]byte("GET /pets?limit=1 HTTP/1.1\r\nHost: a\r\n\r\n"))
//	fmt.Println(wire.Curl(request, "http://127.0.0.1:8080", mask))
package wire
