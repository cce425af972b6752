package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// exchange asks services for tokens and keys.
type exchange struct {
	http peer
	log  *slog.Logger // nil without any
}

// question is a request for a token or for keys.
type question struct {
	method, url string
	header      http.Header   // beside User-Agent, and Content-Type where there is a body
	body        any           // sent as JSON; none if it is nil
	timeout     time.Duration // beside that of the HTTP client; none if it is 0
	secrets     []string      // what the answer may repeat, besides the usual headers

	// refused says more of an answer whose status is not 2xx; nil for no more.
	refused func(e *Error, body []byte) error
}

// ask sends q, and lets read have an answer with a status of 2xx. Any other is
// an [*Error]. No error quotes a secret of the question, and read sees to it
// that none quotes one of the answer.
func (x exchange) ask(ctx context.Context, q question, read func(*http.Response) error) error {
	limited, cancel := x.http.within(ctx)
	defer cancel()
	if q.timeout > 0 {
		limited, cancel = context.WithTimeout(limited, q.timeout)
		defer cancel()
	}
	req, err := q.request(limited)
	if err != nil {
		return err
	}
	start := time.Now()
	err = x.send(req, q, read)
	if x.log != nil {
		attrs := []slog.Attr{slog.String("url", req.URL.Redacted()), slog.Duration("duration", time.Since(start))}
		if err != nil {
			attrs = append(attrs, slog.String("error", err.Error()))
		}
		x.log.LogAttrs(ctx, slog.LevelDebug, "fetch credentials", attrs...)
	}
	return err
}

func (q question) request(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if q.body != nil {
		data, err := json.Marshal(q.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, q.method, q.url, body)
	if err != nil {
		return nil, err
	}
	if q.body != nil {
		req.Header.Set("Content-Type", "application/json;charset=utf8")
	}
	for name, values := range q.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", userAgent())
	return req, nil
}

func (x exchange) send(req *http.Request, q question, read func(*http.Response) error) error {
	resp, err := x.http.Do(req)
	if err != nil {
		return redactError(req.Header, err, q.secrets...)
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return q.refusal(req, resp)
	}
	if err := read(resp); err != nil {
		return fmt.Errorf("%s answered %d %s: %w", req.URL.Redacted(), resp.StatusCode, http.StatusText(resp.StatusCode), err)
	}
	return nil
}

func (q question) refusal(req *http.Request, resp *http.Response) error {
	var body []byte
	if q.refused != nil {
		body, _ = io.ReadAll(io.LimitReader(resp.Body, maxErrorBody+1)) // what is missing, newError says
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	e := newError(req, resp, q.secrets...)
	e.ofIAM = true
	if q.refused != nil {
		return q.refused(e, body)
	}
	return e
}

// maxKeys bounds an answer that holds keys, and a file that does.
const maxKeys = 64 << 10

// readJSON decodes the body of an answer into the object that v points to. Its
// error quotes no more of the body than one character.
func readJSON(resp *http.Response, v any) error {
	data, err := readBounded(resp.Body)
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	return decodeJSON(data, v)
}

// readBounded reads all of r, which is not to be longer than maxKeys.
func readBounded(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxKeys+1))
	if err == nil && len(data) > maxKeys {
		err = fmt.Errorf("more than %d KiB", maxKeys>>10)
	}
	return data, err
}

func decodeJSON(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		member := wrong.Field[strings.LastIndexByte(wrong.Field, '.')+1:]
		return fmt.Errorf("not the documented JSON: %q has the wrong type", member)
	}
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return nil
}

// direct returns p without a proxy: what is asked on this machine, or in this
// pod, is not for others to see. A transport that is not net/http's own is used
// as it is.
func (p peer) direct() peer {
	wrapped, ok := p.client.Transport.(noRedirects)
	if !ok {
		return p
	}
	t, ok := wrapped.base.(*http.Transport)
	if !ok {
		return p
	}
	t = t.Clone()
	t.Proxy = nil
	t.DisableKeepAlives = true // the next question comes in hours
	c := *p.client
	c.Transport = noRedirects{t}
	p.client = &c
	return p
}
