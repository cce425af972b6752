package obtain

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// hookTime is how long a hook may take: it may start a whole system.
const hookTime = 5 * time.Minute

// Hook does what is to be done before or after a run: a command of the shell, or an empty POST to a
// URL. It returns what the command prints, or what the URL answers with as plain text.
func Hook(ctx context.Context, text string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, hookTime, fmt.Errorf("it has not ended within %s", hookTime))
	defer cancel()
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		return post(ctx, text)
	}
	return output(ctx, text)
}

// Values are those of lines name=value. A name that is there again has several.
func Values(text string) (map[string][]string, error) {
	all := map[string][]string{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !ok || name == "" || value == "" {
			return nil, fmt.Errorf("line %d of what it prints is not name=value: what is no value belongs on standard error", n)
		}
		all[name] = append(all[name], value)
	}
	return all, nil
}

// post sends an empty POST. Errors do not have the URL's password.
func post(ctx context.Context, to string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, nil)
	if err != nil {
		return "", errors.New("its URL is none")
	}
	shown := req.URL.Redacted()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return "", fmt.Errorf("POST %s: %w", shown, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxOutput+1))
	switch {
	case resp.StatusCode/100 != 2:
		return "", fmt.Errorf("POST %s: want 2xx, got %s: %s", shown, resp.Status, strings.TrimSpace(string(body[:min(len(body), maxErrors)])))
	case err != nil:
		return "", fmt.Errorf("POST %s: cannot read the response: %w", shown, err)
	}
	if kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || kind != "text/plain" {
		return "", nil
	}
	if len(body) > maxOutput {
		return "", errTooMuch
	}
	return string(body), nil
}
