package secret

import (
	"bytes"
	"encoding/xml"
	"io"
	"mime"
	"mime/multipart"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// body looks for the names in a body. How a value is written counts as well as what it says: é
// may be \u00E9 there.
func (f *Finder) body(kind string, data []byte) {
	media, params, err := mime.ParseMediaType(kind)
	switch {
	case err == nil && media == "application/x-www-form-urlencoded":
		f.form(string(data))
	case err == nil && strings.HasPrefix(media, "multipart/"):
		f.parts(data, params["boundary"])
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")):
		f.xml(data)
	case !f.json(data): // it may be of several values, or only look like JSON
		for line := range bytes.Lines(data) {
			f.json(bytes.TrimPrefix(bytes.Trim(line, "\x1e \r\n"), []byte("data:")))
		}
		f.alike(data)
	}
}

// parts looks for the names of parts, and for what is in them.
func (f *Finder) parts(data []byte, boundary string) {
	for r := multipart.NewReader(bytes.NewReader(data), boundary); ; {
		p, err := r.NextRawPart()
		if err != nil {
			return
		}
		text, _ := io.ReadAll(p) // as far as it goes
		f.text(p.FormName(), string(text))
		f.body(p.Header.Get("Content-Type"), text)
	}
}

// xml looks for the names of elements and attributes. All text below an element so named is Hidden.
func (f *Finder) xml(data []byte) {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // the bytes are what counts
	name, depth := "", 0                                                               // of the outermost that is Hidden
	add := func(name, text string) { f.text(name, strings.TrimSpace(text)) }
	for at := d.InputOffset(); ; at = d.InputOffset() {
		token, err := d.RawToken()
		if err != nil {
			return
		}
		raw := data[at:d.InputOffset()]
		switch t := token.(type) {
		case xml.StartElement:
			if depth > 0 || f.hides(t.Name.Local) {
				if depth++; depth == 1 {
					name = t.Name.Local
				}
			}
			for _, a := range t.Attr {
				of := a.Name.Local
				if depth > 0 {
					of = name
				}
				add(of, a.Value)
				for _, m := range attribute.FindAllSubmatch(raw, -1) {
					if string(m[1]) == a.Name.Local {
						add(of, string(m[2])+string(m[3]))
					}
				}
			}
		case xml.EndElement:
			depth = max(0, depth-1)
		case xml.CharData:
			if depth > 0 {
				add(name, string(t))
				add(name, string(raw))
			}
		}
	}
}

var attribute = regexp.MustCompile(`([^\s:=<>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')`)

// json looks for the names in a text of JSON, and reports whether it is one.
func (f *Finder) json(data []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if f.value(d, "") != nil {
		return false
	}
	_, err := d.ReadToken()
	return err == io.EOF //nolint:errorlint // the decoder says it as it is
}

// value looks for the names in a value. All that is below one of them is Hidden; true, false
// and null say nothing by themselves.
func (f *Finder) value(d *jsontext.Decoder, name string) error {
	switch kind := d.PeekKind(); kind {
	case '{', '[':
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for next := d.PeekKind(); next != '}' && next != ']'; next = d.PeekKind() {
			of := name
			if kind == '{' {
				key, err := d.ReadToken()
				if err != nil {
					return err
				}
				if !f.hides(name) {
					of = key.String()
				}
			}
			if err := f.value(d, of); err != nil {
				return err
			}
		}
		_, err := d.ReadToken()
		return err
	default:
		raw, err := d.ReadValue()
		if err != nil {
			return err
		}
		switch kind {
		case '"':
			f.quoted(name, raw)
		case '0':
			f.text(name, string(raw))
		}
		return nil
	}
}

// quoted is a string of JSON, as it is written and as it reads.
func (f *Finder) quoted(name string, raw []byte) {
	f.text(name, string(raw[1:len(raw)-1]))
	if text, err := jsontext.AppendUnquote(nil, raw); err == nil || len(text) > 0 {
		f.text(name, string(text))
		f.escaped(name, string(text))
	}
}

// alike looks for the names in what is no JSON, but looks like it.
func (f *Finder) alike(data []byte) {
	for _, name := range f.names {
		more := ""
		if f.within {
			more = `[^"]*`
		}
		member := regexp.MustCompile(`(?i)"` + more + regexp.QuoteMeta(name) + more + `"\s*:\s*(?:"((?:[^"\\]|\\.)*)|([^\s,{}\[\]"]+))`)
		for _, m := range member.FindAllSubmatch(data, -1) {
			f.text(name, string(m[1])+string(m[2]))
		}
	}
}
