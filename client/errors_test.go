package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

// refuseWith answers 400 with a JSON body.
func refuseWith(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprint(w, body)
}

func TestError(t *testing.T) {
	tests := []struct {
		name   string
		status int
		header map[string]string
		body   string
		want   client.Error // its exported fields
		text   string       // after method and URL
	}{
		{
			"documented", 400, nil, `{"error_code":"DLF.0810","error_msg":"Task does not exist."}`,
			client.Error{HTTPStatus: 400, Code: "DLF.0810", Message: "Task does not exist."},
			"400 DLF.0810: Task does not exist.",
		},
		{
			"request ID in the header", 400, map[string]string{"X-Request-Id": "8a4d"},
			`{"error_code":"DLF.0810","error_msg":"Task does not exist.","request_id":"other"}`,
			client.Error{HTTPStatus: 400, Code: "DLF.0810", Message: "Task does not exist.", RequestID: "8a4d"},
			"400 DLF.0810: Task does not exist. (request 8a4d)",
		},
		{
			"of the gateway", 429, map[string]string{"Content-Type": "application/json; charset=utf-8"},
			`{"error_msg":"The throttling threshold has been reached.","error_code":"APIG.0308","request_id":"d4b1"}`,
			client.Error{HTTPStatus: 429, Code: "APIG.0308", Message: "The throttling threshold has been reached.", RequestID: "d4b1"},
			"429 APIG.0308: The throttling threshold has been reached. (request d4b1)",
		},
		{
			"code alone", 400, nil, `{"error_code":"DLF.3051"}`,
			client.Error{HTTPStatus: 400, Code: "DLF.3051"}, "400 DLF.3051",
		},
		{
			"message alone", 400, nil, `{"error_msg":"Task does not exist."}`,
			client.Error{HTTPStatus: 400, Message: "Task does not exist."}, "400 Bad Request: Task does not exist.",
		},
		{
			"nothing", 400, nil, `{}`,
			client.Error{HTTPStatus: 400}, "400 Bad Request",
		},
		{
			"a status without a name", 499, nil, `{}`,
			client.Error{HTTPStatus: 499}, "499",
		},
		{
			"text that would disturb a log", 400, nil, `{"error_code":"A\u001b[31m","error_msg":"one\r\ntwo\u202e\u0000"}`,
			client.Error{HTTPStatus: 400, Code: "A\x1b[31m", Message: "one\r\ntwo\u202e\x00"}, "400 A [31m: one  two  ",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := setup(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				for name, value := range tt.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			})
			e := requireError(t, c.CancelFactoryPackages(t.Context(), "12"))
			assert.Equal(t, tt.want, exported(e))
			assert.NoError(t, errors.Unwrap(e))
			assert.Regexp(t, `^POST http://127\.0\.0\.1:\d+/base/path/\S+: `, e.Error())
			assert.Truef(t, strings.HasSuffix(e.Error(), ": "+tt.text), "%q", e)
		})
	}
}

func requireError(t *testing.T, err error) *client.Error {
	t.Helper()
	var e *client.Error
	require.ErrorAs(t, err, &e)
	return e
}

func exported(e *client.Error) client.Error {
	return client.Error{Code: e.Code, Message: e.Message, HTTPStatus: e.HTTPStatus, RequestID: e.RequestID}
}

// The answer's status survives a body that cannot be read, and the error says
// what was wrong with it.
func TestErrorBodyCannotBeRead(t *testing.T) {
	const (
		isJSON = "Content-Type: application/json\r\n"
		body   = `{"error_code":"DLF.0810","error_msg":"Task does not exist."}`
	)
	long := strings.Repeat("x", 10<<20)
	tests := []struct{ name, answer, want string }{
		{"empty", "400 Bad Request\r\nContent-Length: 0\r\n\r\n", "400 Bad Request: body is empty"},
		{"empty, without length", "400 Bad Request\r\n" + isJSON + "\r\n", "400 Bad Request: body is empty"},
		{"no content type", "400 Bad Request\r\n\r\n" + body, "400 Bad Request: "},
		{"malformed content type", "400 Bad Request\r\nContent-Type: application\r\n\r\n" + body, "400 Bad Request: malformed media type"},
		{"HTML", "502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html>", `502 Bad Gateway: media type "text/html" is not documented`},
		{"JSON as text", "400 Bad Request\r\nContent-Type: text/plain\r\n\r\n" + body, `400 Bad Request: media type "text/plain"`},
		{"another charset", "400 Bad Request\r\nContent-Type: application/json;charset=gbk\r\n\r\n" + body, "400 Bad Request: media type"},
		{"invalid JSON", "400 Bad Request\r\n" + isJSON + "\r\n{error_code", "400 Bad Request: decode body: invalid character 'e'"},
		{"more than one value", "400 Bad Request\r\n" + isJSON + "\r\n" + body + "{}", "400 Bad Request: decode body: invalid character '{'"},
		{"JSON that is cut", "400 Bad Request\r\n" + isJSON + "\r\n" + body[:20], "400 Bad Request: decode body: unexpected end of JSON input"},
		{"shorter than it says", "400 Bad Request\r\n" + isJSON + "Content-Length: 1000\r\n\r\n" + body, "400 Bad Request: read body: unexpected EOF"},
		{"cut in a chunk", "400 Bad Request\r\n" + isJSON + "Transfer-Encoding: chunked\r\n\r\nff\r\n" + body, "400 Bad Request: read body: unexpected EOF"},
		{"bad compression", "400 Bad Request\r\n" + isJSON + "Content-Encoding: gzip\r\n\r\n" + body, "400 Bad Request: read body: gzip"},
		{"null", "400 Bad Request\r\n" + isJSON + "\r\nnull", "400 Bad Request: body is null, want an object"},
		{"an array", "400 Bad Request\r\n" + isJSON + "\r\n[]", "400 Bad Request: body is of type array, want an object"},
		{"too large", "400 Bad Request\r\n" + isJSON + "\r\n" + `{"error_code":"` + long + `"}`, "400 Bad Request: body is larger than 64 KiB"},
		{"too large as HTML", "400 Bad Request\r\nContent-Type: text/html\r\n\r\n" + long, `400 Bad Request: media type "text/html"`},
		{"no upgrade was asked for", "101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "101 Switching Protocols: body is empty"},
		{"not modified", "304 Not Modified\r\n\r\n", "304 Not Modified: body is empty"},
		{"a status out of range", "999 Odd\r\nContent-Length: 0\r\n\r\n", "999: body is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := setup(t, rawUnchecked(tt.answer))
			e := requireError(t, c.CancelFactoryPackages(t.Context(), "12"))
			status, err := strconv.Atoi(tt.answer[:3])
			require.NoError(t, err)
			assert.Equal(t, client.Error{HTTPStatus: status}, exported(e))
			require.Error(t, errors.Unwrap(e))
			assert.Contains(t, e.Error(), ": "+tt.want)
			assert.Contains(t, e.Error(), errors.Unwrap(e).Error())
			assert.Less(t, len(e.Error()), 500)
			assert.NotErrorIs(t, e, client.ErrTaskNotFound)
		})
	}
}

// rawUnchecked answers with bytes that the client may not stay for.
func rawUnchecked(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 "+answer)
	}
}

// One member of the wrong type does not take the others with it.
func TestErrorMemberOfTheWrongType(t *testing.T) {
	tests := []struct {
		name, body string
		want       client.Error
	}{
		{"code", `{"error_code":810,"error_msg":"m","request_id":"r"}`, client.Error{HTTPStatus: 400, Message: "m", RequestID: "r"}},
		{"message", `{"error_code":"DLF.0810","error_msg":["m"],"request_id":"r"}`, client.Error{HTTPStatus: 400, Code: "DLF.0810", RequestID: "r"}},
		{"request ID", `{"error_code":"DLF.0810","error_msg":"m","request_id":{}}`, client.Error{HTTPStatus: 400, Code: "DLF.0810", Message: "m"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := setup(t, func(w http.ResponseWriter, _ *http.Request) { refuseWith(w, tt.body) })
			e := requireError(t, c.CancelFactoryPackages(t.Context(), "12"))
			assert.Equal(t, tt.want, exported(e))
			var typeError *json.UnmarshalTypeError
			require.ErrorAs(t, e, &typeError)
			assert.Equal(t, tt.want.Code == "DLF.0810", errors.Is(e, client.ErrTaskNotFound))
		})
	}
}

func TestErrorKinds(t *testing.T) {
	neither := errors.New("neither")
	tests := []struct {
		code string
		want error
	}{
		{"DLF.0810", client.ErrTaskNotFound},
		{"DLF.20810", client.ErrTaskNotFound},
		{"DLF.0819", client.ErrWorkspaceNotFound},
		{"DLF.20819", client.ErrWorkspaceNotFound},
		{"DLF.3051", neither},
		{"DLF.10810", neither},
		{"DLF.081", neither},
		{"APIG.0810", neither},
		{"", neither},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			c := setup(t, func(w http.ResponseWriter, _ *http.Request) {
				refuseWith(w, `{"error_code":"`+tt.code+`","error_msg":"Task does not exist. DLF.0810"}`)
			})
			err := fmt.Errorf("wrapped: %w", c.CancelFactoryPackages(t.Context(), "12"))
			for _, target := range []error{client.ErrTaskNotFound, client.ErrWorkspaceNotFound, client.ErrNoPackages} {
				assert.Equal(t, errors.Is(tt.want, target), errors.Is(err, target), "%v", target)
			}
		})
	}
}

// An Error that a caller's test makes can be used as one that was received.
func TestErrorMadeByHand(t *testing.T) {
	err := &client.Error{Code: "DLF.0810", Message: "Task does not exist.", HTTPStatus: 400, RequestID: "8a4d"}
	require.EqualError(t, err, "400 DLF.0810: Task does not exist. (request 8a4d)")
	require.ErrorIs(t, err, client.ErrTaskNotFound)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	long := "http://192.0.2.1/" + strings.Repeat("x", 10_000)
	locations := []struct{ name, location, want string }{
		{"here", "/elsewhere", "/elsewhere"},
		{"another host", "http://192.0.2.1/", "http://192.0.2.1/"},
		{"not a URL", "http://[", ""},
		{"none", "", ""},
		{"with secrets", "https://user:" + secretKey[:8] + "@192.0.2.1/login?state=" + token + "#access_token=" + token, "https://user:xxxxx@192.0.2.1/login?[redacted]"},
		{"with the caller's token", "https://192.0.2.1/" + token, "https://192.0.2.1/[redacted]"},
		{"too long", long, long[:2048] + "%E2%80%A6"},
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, tt := range locations {
			t.Run(fmt.Sprint(status, " ", tt.name), func(t *testing.T) {
				requests := 0
				c := setup(t, func(w http.ResponseWriter, _ *http.Request) {
					requests++
					if tt.location != "" {
						w.Header().Set("Location", tt.location)
					}
					w.WriteHeader(status)
				}, client.WithCredentials(client.Token(token)))
				e := requireError(t, c.CancelFactoryPackages(t.Context(), "12"))
				assert.Equal(t, status, e.HTTPStatus)
				assert.Equal(t, tt.want, e.Location)
				target := ": "
				if tt.want != "" {
					target = ": the redirect to " + tt.want + " is not followed: "
				}
				assert.Contains(t, e.Error(), http.StatusText(status)+target+"body is empty")
				assert.Equal(t, 1, requests)
			})
		}
	}
}

// Which errors a caller can tell apart by errors.Is, by their status and code.
func TestErrorKindsOfRefusals(t *testing.T) {
	tests := []struct {
		status int
		code   string
		want   error
	}{
		{401, "", client.ErrUnauthorized},
		{401, "APIG.0301", client.ErrUnauthorized},
		{400, "APIG.0301", client.ErrUnauthorized},
		{403, "APIGW.0307", client.ErrForbidden}, // and unauthorized
		{500, "APIGW.0307", client.ErrUnauthorized},
		{400, "APIG.0303", client.ErrUnauthorized},
		{400, "APIG.0305", client.ErrUnauthorized},
		{403, "", client.ErrForbidden},
		{403, "APIG.0302", client.ErrForbidden},
		{400, "APIGW.0306", client.ErrForbidden},
		{400, "DLF.6888", client.ErrForbidden},
		{429, "", client.ErrThrottled},
		{429, "APIG.0308", client.ErrThrottled},
		{400, "APIGW.0308", client.ErrThrottled},
		{400, "DLF.0301", nil},
		{400, "APIG.03010", nil},
		{400, "0301", nil},
		{400, "", nil},
		{404, "APIG.0101", nil},
	}
	for _, tt := range tests {
		err := fmt.Errorf("wrapped: %w", &client.Error{HTTPStatus: tt.status, Code: tt.code})
		for _, target := range []error{client.ErrUnauthorized, client.ErrForbidden, client.ErrThrottled} {
			both := tt.code == "APIGW.0307" && errors.Is(target, client.ErrUnauthorized)
			assert.Equal(t, errors.Is(tt.want, target) || both, errors.Is(err, target), "%d %s: %v", tt.status, tt.code, target)
		}
		if tt.want != nil {
			assert.NotErrorIs(t, err, client.ErrInDoubt, "%d %s", tt.status, tt.code)
		}
	}
}

// countingBody counts what is read of a body.
type countingBody struct {
	io.ReadCloser
	read *int64
}

func (b countingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	*b.read += int64(n)
	return n, err
}

func TestReadIsBounded(t *testing.T) {
	tests := []struct {
		name        string
		status      int
		contentType string
		most        int64
	}{
		{"success", 200, "application/json", 0},
		{"error", 400, "application/json", 64<<10 + 1},
		{"another type", 400, "text/html", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var read int64
			transport := roundTripFunc(func(*http.Request) (*http.Response, error) {
				body := io.NopCloser(io.LimitReader(zeros{}, 10<<20))
				return &http.Response{
					StatusCode:    tt.status,
					Header:        http.Header{"Content-Type": {tt.contentType}},
					ContentLength: -1,
					Body:          countingBody{body, &read},
				}, nil
			})
			c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: transport}))
			err := c.CancelFactoryPackages(t.Context(), "12")
			assert.Equal(t, tt.status == 200, err == nil)
			assert.LessOrEqual(t, read, tt.most)
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A body of exactly the bound is still read.
func TestLargestBody(t *testing.T) {
	const frame = `{"error_msg":""}`
	message := strings.Repeat("m", 64<<10-len(frame))
	for extra, readable := range []bool{true, false} {
		c := setup(t, func(w http.ResponseWriter, _ *http.Request) {
			refuseWith(w, `{"error_msg":"`+message+strings.Repeat("m", extra)+`"}`)
		})
		e := requireError(t, c.CancelFactoryPackages(t.Context(), "12"))
		assert.Equal(t, readable, e.Message == message)
		assert.Equal(t, readable, errors.Unwrap(e) == nil)
	}
}

// A body that does not end is given up with the call, and the status is kept.
func TestErrorBodyThatHangs(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) {
		packageIDs(t, r)
		refuseWith(w, `{"error_code":`)
		assert.NoError(t, http.NewResponseController(w).Flush())
		<-r.Context().Done()
	}
	reason := errors.New("enough")
	tests := []struct {
		name string
		end  func(*http.Client) (context.Context, func())
		want []error
	}{
		{"cancelled", func(*http.Client) (context.Context, func()) {
			return context.WithCancel(t.Context())
		}, []error{context.Canceled}},
		{"cancelled for a reason", func(*http.Client) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(t.Context())
			return ctx, func() { cancel(reason) }
		}, []error{context.Canceled, reason}},
		{"timeout", func(h *http.Client) (context.Context, func()) {
			h.Timeout = 50 * time.Millisecond
			return t.Context(), func() {}
		}, []error{context.DeadlineExceeded}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			transport := &http.Transport{}
			httpClient := &http.Client{}
			ctx, end := tt.end(httpClient)
			defer end()
			// The call ends when its body is first read, not before.
			httpClient.Transport = roundTripFunc(func(req *http.Request) (*http.Response, error) {
				resp, err := transport.RoundTrip(req)
				if err == nil {
					resp.Body = endingBody{resp.Body, end}
				}
				return resp, err
			})
			t.Cleanup(transport.CloseIdleConnections)
			e := requireError(t, setup(t, hang, client.WithHTTPClient(httpClient)).CancelFactoryPackages(ctx, "12"))
			assert.Equal(t, http.StatusBadRequest, e.HTTPStatus)
			for _, want := range tt.want {
				assert.ErrorIs(t, e, want)
			}
		})
	}
}

// endingBody calls end before each read.
type endingBody struct {
	io.ReadCloser
	end func()
}

func (b endingBody) Read(p []byte) (int, error) {
	b.end()
	return b.ReadCloser.Read(p)
}

func FuzzErrorBody(f *testing.F) {
	const isJSON = "application/json"
	f.Add(400, isJSON, "8a4d", []byte(`{"error_code":"DLF.0810","error_msg":"Task does not exist."}`))
	f.Add(401, isJSON, "", []byte(`{"error_code":"APIG.0307","error_msg":"`+token+`","request_id":"r"}`))
	f.Add(400, isJSON, token, []byte(`{"error_code":1,"error_msg":null}`))
	f.Add(502, "text/html", "\x1b[2J", []byte("<html>"))
	f.Add(400, isJSON+";charset=utf-8", "", []byte("{\"error_msg\":\"\xff\\ud800\"}"))
	f.Add(307, "", "", []byte(nil))
	f.Add(204, "", "", []byte(nil))
	f.Fuzz(func(t *testing.T, status int, contentType, requestID string, body []byte) {
		transport := roundTripFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode:    status,
				Header:        http.Header{"Content-Type": {contentType}, "X-Request-Id": {requestID}, "Location": {contentType}},
				ContentLength: int64(len(body)),
				Body:          io.NopCloser(bytes.NewReader(body)),
			}, nil
		})
		c, err := client.New("http://host", projectID, client.WithRetry(client.RetryPolicy{Attempts: 1}),
			client.WithHTTPClient(&http.Client{Transport: transport}), client.WithCredentials(client.Token(token)))
		require.NoError(t, err)
		err = c.CancelFactoryPackages(t.Context(), "12")
		if status/100 == 2 {
			require.NoError(t, err)
			return
		}
		e := requireError(t, err)
		require.Equal(t, status, e.HTTPStatus)
		require.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, *e), token)
		for _, r := range e.Error() {
			require.Truef(t, strconv.IsPrint(r), "%q", e.Error())
		}
		if errors.Is(e, client.ErrTaskNotFound) {
			require.Contains(t, string(body), "0810")
		}
	})
}
