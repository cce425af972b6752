package run

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// scalar is a string or a number in a body: the value of a property or a field, or an item of
// one that is a list.
type scalar struct {
	name, value string
	at          string // where it stands in a JSON body: /owner/id; items have no place of their own
	start, end  int    // of how it is written, in JSON with the quotation marks
	item, text  bool
	write       func(string) (string, error)
}

// texts lists the strings in the body of a request that are values of properties or fields.
func texts(req *wire.Request) []scalar {
	kind, params, _ := mime.ParseMediaType(req.Get("Content-Type"))
	start := bytes.TrimLeft(req.Body, " \t\r\n")
	switch {
	case bytes.HasPrefix(start, []byte("{")): // whatever it is called: the target may not look at that
	case kind == "application/x-www-form-urlencoded":
		return fields(req.Body)
	case kind == "multipart/form-data":
		return parts(req.Body, params["boundary"])
	}
	return slices.DeleteFunc(scalars(req.Body), func(s scalar) bool { return s.item || !s.text })
}

// fields lists the fields of a form.
func fields(body []byte) []scalar {
	var all []scalar
	at := 0
	for pair := range bytes.SplitSeq(body, []byte("&")) {
		name, raw, ok := strings.Cut(string(pair), "=")
		plain, err1 := url.QueryUnescape(name)
		v, err2 := url.QueryUnescape(raw)
		if start := at + len(name) + 1; ok && raw != "" && err1 == nil && err2 == nil {
			all = append(all, scalar{name: plain, value: v, start: start, end: start + len(raw), text: true, write: func(v string) (string, error) {
				return url.QueryEscape(v), nil
			}})
		}
		at += len(pair) + 1
	}
	return all
}

// parts lists the parts of a multipart body that are neither a file nor anything but text.
func parts(body []byte, boundary string) []scalar {
	if boundary == "" {
		return nil
	}
	var all []scalar
	delimiter := []byte("--" + boundary + "\r\n")
	for at := 0; ; {
		i := bytes.Index(body[at:], delimiter)
		if i < 0 {
			return all
		}
		at += i + len(delimiter)
		end := bytes.Index(body[at:], []byte("\r\n--"+boundary))
		head := bytes.Index(body[at:], []byte("\r\n\r\n"))
		if end < 0 {
			return all
		}
		if head < 0 || head+len("\r\n\r\n") >= end {
			at += end
			continue
		}
		name, isText := "", true
		for line := range strings.SplitSeq(string(body[at:at+head]), "\r\n") {
			key, v, _ := strings.Cut(line, ":")
			switch strings.ToLower(strings.TrimSpace(key)) {
			case "content-disposition":
				_, params, err := mime.ParseMediaType(v)
				name = params["name"]
				isText = isText && err == nil && params["filename"] == ""
			case "content-type":
				isText = isText && strings.HasPrefix(strings.ToLower(strings.TrimSpace(v)), "text/plain")
			case "content-transfer-encoding":
				isText = false
			}
		}
		if start := at + head + len("\r\n\r\n"); isText && name != "" {
			all = append(all, scalar{name: name, value: string(body[start : at+end]), start: start, end: at + end, text: true, write: func(v string) (string, error) {
				return v, nil
			}})
		}
		at += end
	}
}

// level is an object or a list around a value.
type level struct {
	object bool
	at     string
}

// scalars lists the strings and the numbers in a JSON body, as far as it can be read.
func scalars(body []byte) []scalar {
	var all []scalar
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var levels []level
	key, isKey := "", false
	for {
		before := dec.InputOffset()
		tok, err := dec.Token()
		if err != nil {
			return all
		}
		inObject := len(levels) > 0 && levels[len(levels)-1].object
		at := "/" + key
		if len(levels) > 0 {
			at = levels[len(levels)-1].at + at
		}
		switch v := tok.(type) {
		case json.Delim:
			switch {
			case v != '{' && v != '[':
				levels = levels[:len(levels)-1]
			case len(levels) == 0:
				levels = append(levels, level{object: v == '{'})
			default:
				levels = append(levels, level{object: v == '{', at: at})
			}
			isKey = len(levels) > 0 && levels[len(levels)-1].object
			continue
		case string:
			if inObject && isKey {
				key, isKey = v, false
				continue
			}
			end := int(dec.InputOffset())
			quote := bytes.IndexByte(body[before:end], '"')
			all = append(all, scalar{key, v, at, int(before) + quote, end, !inObject, true, encoded})
		case json.Number:
			end := int(dec.InputOffset())
			all = append(all, scalar{key, v.String(), at, end - len(v), end, !inObject, false, encoded})
		}
		isKey = inObject
	}
}
