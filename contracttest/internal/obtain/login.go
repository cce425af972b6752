package obtain

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Part is what requests have of a user, in a header or a query parameter.
type Part struct {
	In, Name string
	Text     string // before what is got
	Get      Source // nil where it is always the same
}

// Query reports whether it is in a query parameter.
func (p *Part) Query() bool { return p.In == inQuery }

// Parts are what requests have of the user, what a login gives first. What is got is got at the target,
// or where else it is, over TLS as secure says.
func (u *User) Parts(target send.Target, secure *tls.Config) []Part {
	of := &account{Creation: u.CreateUsers, target: target, secure: secure}
	var all []Part
	if l := u.Login; l != nil {
		in, name := l.gives()
		before, after := "", ""
		if l.Token != nil && l.Token.Template != "" {
			before, after, _ = strings.Cut(l.Token.Template, "{token}")
		}
		all = append(all, Part{in, name, before, l.source(of, after)})
	}
	for _, h := range u.FixedHeaders {
		if of.fills(h.Value) {
			all = append(all, Part{In: inHeader, Name: h.Name, Get: h.source(of, u.Login == nil)})
		} else {
			all = append(all, Part{In: inHeader, Name: h.Name, Text: h.Value})
		}
	}
	return all
}

// source logs in. Where that fails and has not before, a user that was made may be gone: then another
// one logs in.
func (l *Login) source(of *account, after string) Source {
	good := 0
	return func(ctx context.Context) (Credential, error) {
		texts, made, err := of.current(ctx, 0)
		if err != nil {
			return Credential{}, err
		}
		text, err := l.do(ctx, of, texts)
		if err != nil && made > 0 && made == good {
			if texts, made, err = of.current(ctx, made); err != nil {
				return Credential{}, err
			}
			text, err = l.do(ctx, of, texts)
		}
		if err != nil {
			return Credential{}, fmt.Errorf("the login by %s %s: %w", l.Verb, shown(l.Endpoint+l.External), err)
		}
		good = made
		return Credential{Text: text + after}, nil
	}
}

// source is the header of the user that was made last. Where no login tells whether that is still
// good, it is another user each time that all headers are got anew.
func (h Header) source(of *account, alone bool) Source {
	had := 0
	return func(ctx context.Context) (Credential, error) {
		spent := 0
		if alone {
			spent = had
		}
		texts, made, err := of.current(ctx, spent)
		if err != nil {
			return Credential{}, err
		}
		had = made
		return Credential{Text: texts.Replace(h.Value)}, nil
	}
}

// shown is an endpoint without what may be a secret.
func shown(endpoint string) string {
	bare, _, _ := strings.Cut(endpoint, "?")
	if u, err := url.Parse(bare); err == nil {
		return u.Redacted()
	}
	return bare
}

// ask sends a request to an endpoint: a path at the target, or a URL.
func ask(ctx context.Context, target send.Target, secure *tls.Config, endpoint string, req *wire.Request) (*wire.Response, error) {
	req.Target = endpoint
	if u, err := url.Parse(endpoint); err == nil && u.IsAbs() {
		if target, err = send.ParseURL(u.Scheme+"://"+u.Host, secure); err != nil {
			return nil, err //nolint:wrapcheck // it names the URL
		}
		defer target.Close()
		req.Target = u.RequestURI()
	}
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	return target.Do(ctx, req, send.How{}) //nolint:wrapcheck // it says what was not reached
}

func (l *Login) do(ctx context.Context, of *account, texts *strings.Replacer) (string, error) {
	req, err := l.request(texts)
	if err != nil {
		return "", err
	}
	resp, err := ask(ctx, of.target, of.secure, l.Endpoint+l.External, req)
	if err != nil {
		return "", err
	}
	if resp.Status/100 != 2 && !(l.Cookies && resp.Status/100 == 3) {
		return "", fmt.Errorf("it returns %d %s: see the user's name, password and fields", resp.Status, http.StatusText(resp.Status))
	}
	text, err := l.credential(resp)
	if err == nil && (text == "" || strings.ContainsAny(text, "\r\n\x00")) {
		err = errors.New("the credential in its response is empty, or has a control character")
	}
	return text, err
}

// credential is that of the answer.
func (l *Login) credential(resp *wire.Response) (string, error) {
	if l.Cookies {
		var all []string
		for _, c := range (&http.Response{Header: resp.Header}).Cookies() {
			if c.MaxAge >= 0 && c.Value != "" {
				all = append(all, c.Name+"="+c.Value)
			}
		}
		if len(all) == 0 {
			return "", errors.New("its response sets no cookie")
		}
		return strings.Join(all, "; "), nil
	}
	if l.Token.From == inHeader {
		if text := resp.Header.Get(l.Token.Selector); text != "" {
			return text, nil
		}
		return "", fmt.Errorf("its response has no header %s", l.Token.Selector)
	}
	if resp.BodyErr != nil {
		return "", resp.BodyErr
	}
	var value any
	if err := json.Unmarshal(resp.Body, &value); err != nil {
		return "", errors.New("the body of its response is not JSON")
	}
	for name := range strings.SplitSeq(l.Token.Selector[1:], "/") {
		name = strings.NewReplacer("~1", "/", "~0", "~").Replace(name)
		switch v := value.(type) {
		case map[string]any:
			value = v[name]
		case []any:
			i, err := strconv.Atoi(name)
			if value = nil; err == nil && i >= 0 && i < len(v) {
				value = v[i]
			}
		default:
			value = nil
		}
	}
	text, ok := value.(string)
	if !ok {
		return "", fmt.Errorf("the body of its response has no text at %s", l.Token.Selector)
	}
	return text, nil
}
