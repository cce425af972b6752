// Package send carries requests to a target and brings back what came of them:
// an http.Handler in this process, or a server behind a base URL. What a target
// does wrong (a panic, a dropped connection, a response that never ends or is
// too large) is part of the exchange, never an end of the run.
//
//	target, err := send.ParseURL("http://127.0.0.1:8080/v2", nil)
//	defer target.Close()
//	response, err := target.Do(ctx, request, send.How{})
package send
