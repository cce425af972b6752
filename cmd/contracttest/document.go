package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/config"
)

// document is an OpenAPI document as the command line names it: a file, a URL,
// or - for standard input.
type document struct {
	name string // what places call it
	data []byte // nil where it is a file, which is read with those that it refers to
}

var specUsage = config.Lookup("spec").Doc

// stdinName is what places call a document from standard input.
const stdinName = "stdin"

const (
	maxDocument  = 128 << 20
	fetchTimeout = 30 * time.Second
)

// open reads a document that is not a file.
func open(ctx context.Context, name string, stdin io.Reader) (document, error) {
	switch {
	case name == "":
		return document{}, errors.New("the name of the document is empty: want a file, a URL or - for standard input")
	case name == "-":
		data, err := readAtMost(stdin)
		if err != nil {
			return document{}, fmt.Errorf("standard input: %w", err)
		}
		return document{stdinName, data}, nil
	case isURL(name):
		return fetch(ctx, name)
	}
	return document{name: name}, nil
}

func isURL(name string) bool {
	return strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://")
}

// fetch gets a document from a URL. A password in it is neither in the name nor
// in an error.
func fetch(ctx context.Context, name string) (document, error) {
	u, err := url.Parse(name)
	if err != nil {
		return document{}, errors.New("invalid document URL")
	}
	shown := u.Redacted()
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, name, nil)
	if err != nil {
		return document{}, fmt.Errorf("%s: cannot be fetched", shown)
	}
	req.Header.Set("Accept", "application/yaml, application/json;q=0.9, */*;q=0.5")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // which does not quote the URL
		}
		return document{}, fmt.Errorf("%s: cannot be fetched: %w", shown, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return document{}, fmt.Errorf("%s: cannot be fetched: the response is %s", shown, resp.Status)
	}
	data, err := readAtMost(resp.Body)
	if err != nil {
		return document{}, fmt.Errorf("%s: cannot be read: %w", shown, err)
	}
	return document{shown, data}, nil
}

func readAtMost(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err == nil && len(data) > maxDocument {
		err = fmt.Errorf("larger than %d MiB", maxDocument>>20)
	}
	return data, err
}

// hostAndPort is how an address begins that lacks only a scheme.
var hostAndPort = regexp.MustCompile(`^[\w.-]+:\d+(?:/|$)`)

// fetchFlag adds the flag that names the hosts that references may lead to.
func fetchFlag(cmd *cobra.Command) *[]string {
	return cmd.Flags().StringArray("fetch", nil, config.Lookup("fetch").Doc)
}

// load makes a contract of it.
func (d document) load(opts ...contracttest.LoadOption) (*contracttest.Contract, error) {
	if d.data == nil {
		contract, err := contracttest.Load(d.name, opts...)
		if errors.Is(err, fs.ErrNotExist) && hostAndPort.MatchString(d.name) {
			return nil, fmt.Errorf("%w; if it is a URL, give it a scheme: http://%s", err, d.name)
		}
		return contract, err //nolint:wrapcheck // it names the file
	}
	return contracttest.Parse(d.name, d.data, opts...)
}

// bytes returns the document itself.
func (d document) bytes() ([]byte, error) {
	if d.data != nil {
		return d.data, nil
	}
	f, err := os.Open(d.name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f)
}
