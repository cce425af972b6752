package obtain

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/dataarts-go/factory/contracttest/internal/send"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Creation is a request that makes a user, whose texts are generated: each run has a user of its
// own, and another one where that is no longer good.
type Creation struct {
	Endpoint    string      `json:"endpoint"`
	External    string      `json:"externalEndpointURL"`
	Verb        string      `json:"verb"`
	ContentType string      `json:"contentType"`
	Raw         string      `json:"payloadRaw"`
	Generators  []Generator `json:"generators"`
}

// Generator makes texts that no other user has, in the place of a placeholder.
type Generator struct {
	PlaceHolder string `json:"placeHolder"`
	MinLength   int    `json:"minLength"`
	MaxLength   *int   `json:"maxLength"`
	Prefix      string `json:"prefix"`
	Postfix     string `json:"postfix"`
}

// How many characters are generated where nothing else is asked for, and at most.
const (
	usualLength = 12
	maxLength   = 1024
)

func (c *Creation) check() error {
	if err := checkEndpoint(c.Endpoint, c.External, c.Verb); err != nil {
		return err
	}
	switch {
	case c.Raw == "":
		return errors.New("payloadRaw: want what is sent to make a user")
	case c.ContentType == "" || strings.ContainsAny(c.ContentType, "\r\n"):
		return errors.New("contentType: want that of the payload, as in application/json")
	case len(c.Generators) == 0:
		return errors.New("generators: want at least one: a user has a name that no other has")
	}
	for i, g := range c.Generators {
		switch {
		case g.PlaceHolder == "":
			return fmt.Errorf("generators %d: placeHolder: want a text of payloadRaw, as in {$username}", i+1)
		case !strings.Contains(c.Raw, g.PlaceHolder):
			return fmt.Errorf("generators %d: placeHolder %q: payloadRaw does not have it", i+1, g.PlaceHolder)
		case g.MinLength < 0 || g.MinLength > maxLength || g.MaxLength != nil && *g.MaxLength < g.MinLength:
			return fmt.Errorf("generators %d: want a minLength from 0 to %d, and a maxLength that is not below it", i+1, maxLength)
		case g.MaxLength != nil && *g.MaxLength <= len(g.Prefix)+len(g.Postfix):
			return fmt.Errorf("generators %d: maxLength %d leaves nothing to be generated between prefix and postfix", i+1, *g.MaxLength)
		}
	}
	return nil
}

// text is another one each time, as the operating system's random numbers go.
func (g *Generator) text() (string, error) {
	fixed := len(g.Prefix) + len(g.Postfix)
	n := max(usualLength, g.MinLength-fixed)
	if g.MaxLength != nil {
		n = min(n, *g.MaxLength-fixed)
	}
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := make([]byte, n)
	for i := range b {
		at, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			return "", fmt.Errorf("no random text can be had: %w", err)
		}
		b[i] = letters[at.Int64()]
	}
	return g.Prefix + string(b) + g.Postfix, nil
}

// account is the user that was made last.
type account struct {
	*Creation

	target send.Target
	secure *tls.Config

	mu    sync.Mutex
	made  int
	texts *strings.Replacer // of the placeholders
}

// current is the user that was made last, or another one where that was found to be no longer
// good. Where none is to be made, it has no texts.
func (a *account) current(ctx context.Context, spent int) (texts *strings.Replacer, made int, err error) {
	if a.Creation == nil {
		return strings.NewReplacer(), 0, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made > spent {
		return a.texts, a.made, nil
	}
	var pairs []string
	for i := range a.Generators {
		text, err := a.Generators[i].text()
		if err != nil {
			return nil, a.made, err
		}
		pairs = append(pairs, a.Generators[i].PlaceHolder, text)
	}
	texts = strings.NewReplacer(pairs...)
	req := &wire.Request{Method: a.Verb, Body: []byte(texts.Replace(a.Raw))}
	req.Add("Content-Type", a.ContentType)
	endpoint := a.Endpoint + a.External
	resp, err := ask(ctx, a.target, a.secure, endpoint, req)
	if err == nil && resp.Status/100 != 2 {
		err = fmt.Errorf("it returns %d %s: see payloadRaw and the generators", resp.Status, http.StatusText(resp.Status))
	}
	if err != nil {
		return nil, a.made, fmt.Errorf("no user could be made by %s %s: %w", a.Verb, shown(endpoint), err)
	}
	a.texts = texts
	a.made++
	return a.texts, a.made, nil
}

// fills reports whether a text has a placeholder.
func (a *account) fills(text string) bool {
	return a.Creation != nil && slices.ContainsFunc(a.Generators, func(g Generator) bool { return strings.Contains(text, g.PlaceHolder) })
}
