package client

import "net/http"

// A Response is an answer with a 2xx status.
type Response struct {
	// HTTPStatus is the status code: 200 as documented, or another 2xx.
	HTTPStatus int
	// RequestID names the request to the vendor's support: the header
	// X-Request-Id; empty if there is none.
	RequestID string
	// Header is the answer's header, as it came.
	Header http.Header
}

func newResponse(resp *http.Response) *Response {
	return &Response{HTTPStatus: resp.StatusCode, RequestID: resp.Header.Get("X-Request-Id"), Header: resp.Header}
}
