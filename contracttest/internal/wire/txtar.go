package wire

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"golang.org/x/tools/txtar"
)

// Pair is a request and a response as somebody recorded them or wrote them by
// hand.
type Pair struct {
	// Name says where the pair stands: the file and, where it holds several,
	// the name inside it.
	Name string
	// About is what the author says of the pair.
	About string
	Exchange
	// Verdict holds what the author expects of the judge, a line per finding
	// ("check clause"), or "kept" alone. It is nil where nothing is expected.
	Verdict []string
}

// ParseTxtar reads the pairs of a txtar archive. A file whose name ends in
// "request" or "response" (an extension does not count) is that half of a pair;
// what stands before that word tells several pairs of one archive apart. A file
// that ends in "verdict" says what the judge should find. The line end that
// closes each file in the archive is no part of the message.
func ParseTxtar(name string, data []byte) ([]Pair, error) {
	archive := txtar.Parse(data)
	type parts struct {
		request, response, verdict []byte
		hasVerdict                 bool
	}
	byKey := map[string]*parts{}
	var keys []string
	for _, f := range archive.Files {
		stem := strings.TrimSuffix(f.Name, path.Ext(f.Name))
		var key, half string
		for _, word := range []string{"request", "response", "verdict"} {
			if k, ok := strings.CutSuffix(stem, word); ok {
				key, half = k, word
			}
		}
		if half == "" {
			return nil, fmt.Errorf("%s: file %q is neither a request, a response nor a verdict", name, f.Name)
		}
		p := byKey[key]
		if p == nil {
			p = &parts{}
			byKey[key] = p
			keys = append(keys, key)
		}
		content := bytes.TrimSuffix(f.Data, []byte("\n"))
		switch half {
		case "request":
			p.request = content
		case "response":
			p.response = content
		case "verdict":
			p.verdict, p.hasVerdict = content, true
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: no pair: want files named request and response, each below a line -- NAME --", name)
	}
	var pairs []Pair
	for _, key := range keys {
		p := byKey[key]
		pair := Pair{Name: name, About: strings.TrimSpace(string(archive.Comment))}
		if key != "" {
			pair.Name += ":" + strings.TrimRight(key, "/-_. ")
		}
		if p.request == nil || p.response == nil {
			return nil, fmt.Errorf("%s: a pair needs a request and a response", pair.Name)
		}
		var err error
		if pair.Request, err = ParseRequest(p.request); err != nil {
			return nil, fmt.Errorf("%s: %w", pair.Name, err)
		}
		pair.Request.Written = true
		if pair.Response, err = ParseResponse(pair.Request.Method, p.response); err != nil {
			return nil, fmt.Errorf("%s: %w", pair.Name, err)
		}
		if p.hasVerdict {
			pair.Verdict = []string{}
			for line := range strings.Lines(string(p.verdict)) {
				if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
					pair.Verdict = append(pair.Verdict, strings.Join(strings.Fields(line), " "))
				}
			}
		}
		pairs = append(pairs, pair)
	}
	return pairs, nil
}
