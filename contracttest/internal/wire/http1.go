package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"strconv"
	"strings"
)

// ParseRequest reads an HTTP/1.1 request as a person writes it: line ends may
// be LF alone, the version may be missing, the target may be absolute. Without
// a Content-Length the body is all that follows the header.
func ParseRequest(data []byte) (*Request, error) {
	line, header, body, err := split(data)
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	method, rest, ok := strings.Cut(line, " ")
	target, version, _ := strings.Cut(strings.TrimSpace(rest), " ")
	version = strings.TrimSpace(version)
	if !ok || method == "" || target == "" || version != "" && !strings.HasPrefix(version, "HTTP/") {
		return nil, fmt.Errorf("request: malformed request line %q, want METHOD TARGET HTTP/1.1", line)
	}
	if strings.Contains(target, "://") && !strings.HasPrefix(target, "/") {
		if target, err = originForm(target); err != nil {
			return nil, fmt.Errorf("request: %w", err)
		}
	}
	r := &Request{Method: method, Target: target}
	length := -1
	for _, f := range header {
		switch strings.ToLower(f.Name) {
		case "host":
		case "content-length":
			if length, err = contentLength(f.Value); err != nil {
				return nil, fmt.Errorf("request: %w", err)
			}
		case "transfer-encoding":
			r.Chunked = true
		default:
			r.Header = append(r.Header, f)
		}
	}
	if length > len(body) {
		return nil, fmt.Errorf("request: Content-Length is %d, but %d bytes of body follow", length, len(body))
	}
	if length >= 0 {
		body = body[:length]
	}
	if len(body) > 0 || length == 0 || r.Chunked {
		r.Body = append([]byte{}, body...)
	}
	return r, nil
}

// ParseResponse reads an HTTP/1.1 response to a request of this method as a person
// writes it. A body that is shorter than its Content-Length is one that was cut,
// as BodyErr says, but where it is the length of what is not sent: in answer to
// HEAD, and with 304 (RFC 9110 §8.6).
func ParseResponse(method string, data []byte) (*Response, error) {
	line, header, body, err := split(data)
	if err != nil {
		return nil, fmt.Errorf("response: %w", err)
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	status, err := strconv.Atoi(code)
	if !strings.HasPrefix(version, "HTTP/") || err != nil || status < 100 || status > 999 {
		return nil, fmt.Errorf("response: malformed status line %q, want HTTP/1.1 STATUS REASON", line)
	}
	r := &Response{Status: status, Header: make(map[string][]string, len(header)), Body: body}
	for _, f := range header {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		r.Header[name] = append(r.Header[name], f.Value)
	}
	if v := r.Header.Get("Content-Length"); v != "" {
		n, err := contentLength(v)
		if err != nil {
			return nil, fmt.Errorf("response: %w", err)
		}
		unsent := len(body) == 0 && (method == "HEAD" || status == 304)
		if n > len(body) && !unsent {
			r.BodyErr = fmt.Errorf("%w: %d of %d bytes", io.ErrUnexpectedEOF, len(body), n)
		} else {
			r.Body = body[:min(n, len(body))]
		}
	}
	return r, nil
}

func contentLength(v string) (int, error) {
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("malformed Content-Length %q", v)
	}
	return n, nil
}

// split takes a message apart into its first line, its header lines and the
// bytes after the empty line.
func split(data []byte) (line string, header []Field, body []byte, err error) {
	first := true
	for len(data) > 0 {
		raw, rest, _ := bytes.Cut(data, []byte("\n"))
		data = rest
		text := string(bytes.TrimSuffix(raw, []byte("\r")))
		switch {
		case first && strings.TrimSpace(text) == "": // empty lines before the message (RFC 9112 §2.2)
		case first:
			line, first = text, false
		case text == "":
			return line, header, data, nil
		default:
			name, value, ok := strings.Cut(text, ":")
			if !ok || name == "" || strings.ContainsAny(name, " \t") {
				return "", nil, nil, fmt.Errorf("malformed header line %q", text)
			}
			header = append(header, Field{name, strings.Trim(value, " \t")})
		}
	}
	if first {
		return "", nil, nil, errors.New("no message")
	}
	return line, header, nil, nil
}
