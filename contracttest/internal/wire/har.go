package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// ParseHAR reads the entries of an HTTP archive (HAR 1.2). Pseudo-headers of
// HTTP/2 are left out. An entry without a response (status 0: aborted, blocked)
// is skipped, as nothing was exchanged.
func ParseHAR(name string, data []byte) ([]Pair, error) {
	type nameValue struct{ Name, Value string }
	var har struct {
		Log *struct {
			Entries []struct {
				Request struct {
					Method, URL string
					Headers     []nameValue
					PostData    *struct {
						MimeType, Text, Encoding string
					}
				}
				Response struct {
					Status  int
					Headers []nameValue
					Content struct {
						Text, Encoding string
						MimeType       string
					}
				}
			}
		}
	}
	if err := json.Unmarshal(data, &har); err != nil {
		return nil, fmt.Errorf("%s: not a HAR file: %w", name, err)
	}
	if har.Log == nil {
		return nil, fmt.Errorf("%s: not a HAR file: no log", name)
	}
	var pairs []Pair
	for i, e := range har.Log.Entries {
		if e.Response.Status == 0 {
			continue
		}
		pair := Pair{Name: fmt.Sprintf("%s:%d", name, i+1)}
		target, err := originForm(e.Request.URL)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pair.Name, err)
		}
		req := &Request{Method: e.Request.Method, Target: target}
		for _, h := range e.Request.Headers {
			switch {
			case strings.HasPrefix(h.Name, ":"), strings.EqualFold(h.Name, "Host"), strings.EqualFold(h.Name, "Content-Length"):
			default:
				req.Add(h.Name, h.Value)
			}
		}
		if p := e.Request.PostData; p != nil {
			if req.Body, err = content(p.Text, p.Encoding); err != nil {
				return nil, fmt.Errorf("%s: request body: %w", pair.Name, err)
			}
			if req.Get("Content-Type") == "" && p.MimeType != "" {
				req.Set("Content-Type", p.MimeType)
			}
		}
		resp := &Response{Status: e.Response.Status, Header: http.Header{}}
		for _, h := range e.Response.Headers {
			// Archives hold bodies decoded.
			if !strings.HasPrefix(h.Name, ":") && !strings.EqualFold(h.Name, "Content-Encoding") && !strings.EqualFold(h.Name, "Content-Length") {
				resp.Header.Add(h.Name, h.Value)
			}
		}
		if resp.Body, err = content(e.Response.Content.Text, e.Response.Content.Encoding); err != nil {
			return nil, fmt.Errorf("%s: response body: %w", pair.Name, err)
		}
		pair.Request, pair.Response = req, resp
		pairs = append(pairs, pair)
	}
	return pairs, nil
}

func originForm(rawURL string) (string, error) {
	_, after, ok := strings.Cut(rawURL, "://")
	if !ok {
		return "", fmt.Errorf("malformed URL %q", rawURL)
	}
	after, _, _ = strings.Cut(after, "#")
	i := strings.IndexAny(after, "/?")
	if i < 0 {
		return "/", nil
	}
	if after[i] == '?' {
		return "/" + after[i:], nil
	}
	return after[i:], nil
}

func content(text, encoding string) ([]byte, error) {
	if encoding != "base64" {
		return []byte(text), nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("base64: %w", err)
	}
	return data, nil
}
