package contracttest_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A carrier is a place of a message in which a value travels, with a writer and a
// reader that share nothing with the engine's. The reader knows no schema: it
// lists all that the bytes may stand for, in which texts are still texts.
type carrier struct {
	name     string
	response bool
	// wrapped is set where the value travels as the property v of an object.
	wrapped bool
	clauses string // where its clauses are, below the operation
	path    string // the template; /x where there is none
	// operation has what describes the value, with its schema.
	operation func(schema object) object
	write     func(m *message, v any)
	read      func(m *message) []any
}

// message is a request or a response in parts.
type message struct {
	path, query string // as they are sent
	header      http.Header
	body        []byte
}

func carriers() []carrier {
	return slices.Concat(bodies(), queries(), paths(), headers(), cookies(), contents(), responses())
}

// bodies of requests.
func bodies() []carrier {
	body := func(name, mediaType string, f format, encoding object) carrier {
		return carrier{
			name: "body-" + name, clauses: "body",
			operation: func(schema object) object {
				return object{"requestBody": object{"required": true, "content": content(mediaType, schema, encoding)}}
			},
			write: func(m *message, v any) {
				m.header.Set("Content-Type", f.label(mediaType))
				m.body = f.write(v)
			},
			read: func(m *message) []any { return f.read(m.body) },
		}
	}
	asProperty := func(c carrier) carrier {
		c.wrapped = true
		c.name += "-property"
		return c
	}
	const form, parts = "application/x-www-form-urlencoded", "multipart/form-data"
	flat := object{"v": object{"style": "form", "explode": false}}
	deep := object{"v": object{"style": "deepObject", "explode": true}}
	return []carrier{
		body("json", "application/json", jsonFormat, nil),
		body("text", "text/plain", textFormat, nil),
		body("urlencoded", form, formFormat(exploded), nil),
		asProperty(body("urlencoded", form, formFormat(exploded), nil)),
		asProperty(body("urlencoded-form", form, formFormat(joined(",")), flat)),
		asProperty(body("urlencoded-deepObject", form, formFormat(deepObject), deep)),
		body("multipart", parts, multipartFormat, nil),
		asProperty(body("multipart", parts, multipartFormat, nil)),
		body("xml", "application/xml", xmlFormat, nil),
		asProperty(body("xml", "application/xml", xmlFormat, nil)),
	}
}

// responses are bodies and headers of them.
func responses() []carrier {
	body := func(name, mediaType string, f format) carrier {
		return carrier{
			name: "response-" + name, response: true, clauses: "response/200/body",
			operation: func(schema object) object {
				return answering(object{"content": content(mediaType, schema, nil)})
			},
			write: func(m *message, v any) {
				m.header.Set("Content-Type", f.label(mediaType))
				m.body = f.write(v)
			},
		}
	}
	header := func(name string, described func(schema object) object, write func(v any) string) carrier {
		return carrier{
			name: name, response: true, clauses: "response/200/header/X-Value",
			operation: func(schema object) object {
				return answering(object{"headers": object{"X-Value": described(schema)}})
			},
			write: func(m *message, v any) { m.header.Set("X-Value", write(v)) },
		}
	}
	asProperty := body("xml-property", "application/xml", xmlFormat)
	asProperty.wrapped = true
	return []carrier{
		body("json", "application/json", jsonFormat),
		body("text", "text/plain", textFormat),
		body("urlencoded", "application/x-www-form-urlencoded", formFormat(exploded)),
		body("xml", "application/xml", xmlFormat),
		asProperty,
		header("response-header", func(schema object) object { return object{"schema": schema} },
			func(v any) string { return expand(v, ",", ",") }),
		header("response-header-exploded", func(schema object) object { return object{"explode": true, "schema": schema} },
			func(v any) string { return expand(v, ",", "=") }),
		header("response-header-content", func(schema object) object { return object{"content": content("application/json", schema, nil)} },
			func(v any) string { return string(jsonFormat.write(v)) }),
	}
}

func answering(response object) object {
	return object{"responses": object{"200": and(object{"description": "ok"}, response)}}
}

func content(mediaType string, schema, encoding object) object {
	media := object{"schema": schema}
	if encoding != nil {
		media["encoding"] = encoding
	}
	return object{mediaType: media}
}

// parameter is an operation with one.
func parameter(in, name string, more object) func(schema object) object {
	return func(schema object) object {
		p := and(object{"name": name, "in": in, "required": true, "schema": schema}, more)
		return object{"parameters": array{p}}
	}
}

func queries() []carrier {
	query := func(name, style string, explode bool, s pairStyle) carrier {
		return carrier{
			name: "query-" + name, clauses: "query/p",
			operation: parameter("query", "p", object{"style": style, "explode": explode}),
			write:     func(m *message, v any) { m.query = strings.Join(s.write("p", v), "&") },
			read:      func(m *message) []any { return s.read("p", pairs(m.query, "&")) },
		}
	}
	return []carrier{
		query("form-exploded", "form", true, spread),
		query("form", "form", false, joined(",")),
		query("spaceDelimited", "spaceDelimited", false, joined("%20")),
		query("pipeDelimited", "pipeDelimited", false, joined("%7C")),
		query("deepObject", "deepObject", true, deepObject),
	}
}

// expand writes a value in one text, as RFC 6570 has it: its items or members
// between separators, equals between the name and the value of a member.
func expand(v any, separator, equals string) string {
	switch v := v.(type) {
	case array:
		var all []string
		for _, item := range v {
			all = append(all, fmt.Sprint(item))
		}
		return strings.Join(all, separator)
	case object:
		var all []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, name+equals+fmt.Sprint(v[name]))
		}
		return strings.Join(all, separator)
	}
	return fmt.Sprint(v)
}

// collect lists what a text that expand wrote may stand for.
func collect(raw, separator, equals string) []any {
	items := strings.Split(raw, separator)
	all := []any{unescape(raw)}
	var texts array
	for _, item := range items {
		texts = append(texts, unescape(item))
	}
	all = append(all, texts)
	members := object{}
	switch {
	case equals != separator:
		for _, item := range items {
			name, v, ok := strings.Cut(item, equals)
			if !ok {
				return all
			}
			members[unescape(name)] = unescape(v)
		}
	case len(items)%2 == 0:
		for i := 0; i < len(items); i += 2 {
			members[unescape(items[i])] = unescape(items[i+1])
		}
	default:
		return all
	}
	return append(all, members)
}

func unescape(raw string) string {
	text, err := url.PathUnescape(raw)
	if err != nil {
		return raw
	}
	return text
}

// paths have what stands around a value (prefix), between its items and after
// the names of its members.
func paths() []carrier {
	var all []carrier
	for _, style := range []struct {
		name            string
		explode         bool
		prefix          string
		separator, each string
		equals          string
	}{
		{"simple", false, "", ",", "", ","},
		{"simple", true, "", ",", "", "="},
		{"label", false, ".", ",", "", ","},
		{"label", true, ".", ".", "", "="},
		{"matrix", false, ";p=", ",", "", ","},
		{"matrix", true, ";", ";", "p=", "="},
	} {
		name := "path-" + style.name
		if style.explode {
			name += "-exploded"
		}
		all = append(all, carrier{
			name: name, clauses: "path/p", path: "/x/{p}",
			operation: parameter("path", "p", object{"style": style.name, "explode": style.explode}),
			write: func(m *message, v any) {
				switch v := v.(type) {
				case object:
					m.path = "/x/" + style.prefix + expand(v, style.separator, style.equals)
				default:
					m.path = "/x/" + style.prefix + style.each + expand(v, style.separator+style.each, "")
				}
			},
			read: func(m *message) []any {
				raw, ok := strings.CutPrefix(m.path, "/x/"+style.prefix)
				if !ok {
					return nil
				}
				if style.each == "" {
					return collect(raw, style.separator, style.equals)
				}
				all := collect(raw, style.separator, style.equals)
				if raw, ok = strings.CutPrefix(raw, style.each); ok {
					all = append(all, collect(raw, style.separator+style.each, style.equals)...)
				}
				return all
			},
		})
	}
	return all
}

func headers() []carrier {
	header := func(name string, explode bool, equals string) carrier {
		return carrier{
			name: name, clauses: "header/X-Value",
			operation: parameter("header", "X-Value", object{"explode": explode}),
			write:     func(m *message, v any) { m.header.Set("X-Value", expand(v, ",", equals)) },
			read: func(m *message) []any {
				lines := m.header.Values("X-Value")
				if len(lines) == 0 {
					return nil
				}
				return collect(strings.Join(lines, ","), ",", equals)
			},
		}
	}
	return []carrier{header("header", false, ","), header("header-exploded", true, "=")}
}

func cookies() []carrier {
	cookie := func(name string, explode bool, s pairStyle) carrier {
		return carrier{
			name: name, clauses: "cookie/p",
			operation: parameter("cookie", "p", object{"explode": explode}),
			write:     func(m *message, v any) { m.header.Set("Cookie", strings.Join(s.write("p", v), "; ")) },
			read:      func(m *message) []any { return s.read("p", pairs(m.header.Get("Cookie"), "; ")) },
		}
	}
	return []carrier{cookie("cookie-exploded", true, spread), cookie("cookie", false, joined(","))}
}

// contents are parameters that a media type describes.
func contents() []carrier {
	described := func(in, name string) func(schema object) object {
		return func(schema object) object {
			return object{"parameters": array{object{"name": name, "in": in, "required": true, "content": content("application/json", schema, nil)}}}
		}
	}
	asJSON := func(v any) string { return string(jsonFormat.write(v)) }
	return []carrier{
		{
			name: "query-content", clauses: "query/p", operation: described("query", "p"),
			write: func(m *message, v any) { m.query = "p=" + url.QueryEscape(asJSON(v)) },
			read: func(m *message) []any {
				values, err := url.ParseQuery(m.query)
				if err != nil || len(values["p"]) != 1 {
					return nil
				}
				return jsonFormat.read([]byte(values["p"][0]))
			},
		},
		{
			name: "path-content", clauses: "path/p", path: "/x/{p}", operation: described("path", "p"),
			write: func(m *message, v any) { m.path = "/x/" + url.PathEscape(asJSON(v)) },
			read:  func(m *message) []any { return jsonFormat.read([]byte(unescape(strings.TrimPrefix(m.path, "/x/")))) },
		},
		{
			name: "header-content", clauses: "header/X-Value", operation: described("header", "X-Value"),
			write: func(m *message, v any) { m.header.Set("X-Value", asJSON(v)) },
			read:  func(m *message) []any { return jsonFormat.read([]byte(m.header.Get("X-Value"))) },
		},
		{
			name: "cookie-content", clauses: "cookie/p", operation: described("cookie", "p"),
			write: func(m *message, v any) { m.header.Set("Cookie", "p="+url.PathEscape(asJSON(v))) },
			read: func(m *message) []any {
				_, raw, _ := strings.Cut(m.header.Get("Cookie"), "p=")
				return append(jsonFormat.read([]byte(raw)), jsonFormat.read([]byte(unescape(raw)))...)
			},
		},
	}
}

// pair is a name and a value, as they are sent.
type pair struct{ name, value string }

func pairs(raw, separator string) []pair {
	var all []pair
	for one := range strings.SplitSeq(raw, separator) {
		if one == "" {
			continue
		}
		name, v, _ := strings.Cut(one, "=")
		all = append(all, pair{name: name, value: v})
	}
	return all
}

// pairStyle writes a value as pairs, and lists what pairs may stand for.
type pairStyle struct {
	write func(name string, v any) []string
	read  func(name string, all []pair) []any
}

// spread has a pair for each item and for each member.
var spread = pairStyle{
	write: func(name string, v any) []string {
		var all []string
		switch v := v.(type) {
		case array:
			for _, item := range v {
				all = append(all, name+"="+fmt.Sprint(item))
			}
		case object:
			return strings.Split(expand(v, "&", "="), "&")
		default:
			all = append(all, name+"="+fmt.Sprint(v))
		}
		return all
	},
	read: func(name string, all []pair) []any {
		var found []any
		own := array{}
		names := map[string]array{}
		for _, p := range all {
			text := plus(p.value)
			if unescape(p.name) == name {
				own = append(own, text)
			}
			names[plus(p.name)] = append(names[plus(p.name)], text)
		}
		if len(own) == 1 {
			found = append(found, own[0])
		}
		if len(own) > 0 {
			found = append(found, own)
		}
		if len(all) > 0 {
			found = append(found, choices(names)...)
		}
		return found
	},
}

// choices are the objects that repeated names may stand for.
func choices(names map[string]array) []any {
	all := []object{{}}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		values := names[name]
		var more []object
		for _, o := range all {
			if len(values) == 1 {
				more = append(more, and(o, object{name: values[0]}))
			}
			more = append(more, and(o, object{name: values}))
		}
		all = more[:min(len(more), 64)]
	}
	var out []any
	for _, o := range all {
		out = append(out, o)
	}
	return out
}

func plus(raw string) string { return unescape(strings.ReplaceAll(raw, "+", "%20")) }

// joined has one pair, with separators between the items or members.
func joined(separator string) pairStyle {
	return pairStyle{
		write: func(name string, v any) []string { return []string{name + "=" + expand(v, separator, separator)} },
		read: func(name string, all []pair) []any {
			for _, p := range all {
				if unescape(p.name) == name {
					return collect(strings.ReplaceAll(p.value, "|", "%7C"), separator, separator)
				}
			}
			return nil
		},
	}
}

// deepObject has a pair for each member, with its name in brackets.
var deepObject = pairStyle{
	write: func(name string, v any) []string {
		members, _ := v.(object)
		var all []string
		for _, key := range slices.Sorted(maps.Keys(members)) {
			all = append(all, name+"%5B"+key+"%5D="+fmt.Sprint(members[key]))
		}
		return all
	},
	read: func(name string, all []pair) []any {
		members := map[string]array{}
		for _, p := range all {
			key, ok := strings.CutPrefix(plus(p.name), name+"[")
			if key, closed := strings.CutSuffix(key, "]"); ok && closed {
				members[key] = append(members[key], plus(p.value))
			}
		}
		if len(members) == 0 {
			return nil
		}
		return choices(members)
	},
}

// exact is a value that is no text any more.
type exact struct{ v any }

// format is how a value becomes the bytes of a body.
type format struct {
	write func(v any) []byte
	read  func(body []byte) []any
	more  string // what the label has behind the media type
}

func (f format) label(mediaType string) string { return mediaType + f.more }

var jsonFormat = format{
	write: func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err) // the values are those of the tables
		}
		return data
	},
	read: func(body []byte) []any {
		v, err := fromJSON(body)
		if err != nil {
			return nil
		}
		return []any{exact{v}}
	},
}

func fromJSON(data []byte) (any, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("JSON: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("JSON: there is more")
	}
	return v, nil
}

var textFormat = format{
	write: func(v any) []byte { return fmt.Append(nil, v) },
	read:  func(body []byte) []any { return []any{string(body)} },
}

// exploded has a pair for each item of a property, and JSON for one that is an
// object (OpenAPI 3.1.1, Encoding the x-www-form-urlencoded Media Type).
var exploded = pairStyle{
	write: func(name string, v any) []string {
		if _, ok := v.(object); ok {
			return []string{name + "=" + url.QueryEscape(string(jsonFormat.write(v)))}
		}
		return spread.write(name, v)
	},
	read: func(name string, all []pair) []any {
		var found []any
		texts := array{}
		for _, p := range all {
			if unescape(p.name) == name {
				texts = append(texts, plus(p.value))
			}
		}
		if len(texts) == 1 {
			found = append(jsonFormat.read([]byte(texts[0].(string))), texts[0])
		}
		if len(texts) > 0 {
			found = append(found, texts)
		}
		return found
	},
}

// formFormat is a form whose properties have a style.
func formFormat(s pairStyle) format {
	return format{
		write: func(v any) []byte {
			members, _ := v.(object)
			var all []string
			for _, name := range slices.Sorted(maps.Keys(members)) {
				all = append(all, s.write(name, members[name])...)
			}
			return []byte(strings.Join(all, "&"))
		},
		read: func(body []byte) []any {
			all := pairs(string(body), "&")
			found := array{object{}}
			seen := map[string]bool{}
			for _, p := range all {
				name, _, _ := strings.Cut(plus(p.name), "[")
				if seen[name] {
					continue
				}
				seen[name] = true
				found = product(found, name, s.read(name, all))
			}
			return found
		},
	}
}

// product are the objects with each of the values that a member may have.
func product(objects array, name string, values []any) array {
	var all array
	for _, o := range objects {
		for _, v := range values {
			all = append(all, and(o.(object), object{name: v}))
		}
	}
	return all[:min(len(all), 256)]
}

const boundary = "matrix"

var multipartFormat = format{
	more: "; boundary=" + boundary,
	write: func(v any) []byte {
		members, _ := v.(object)
		var b bytes.Buffer
		part := func(name string, v any) {
			label, data := "text/plain", fmt.Append(nil, v)
			if _, ok := v.(object); ok {
				label, data = "application/json", jsonFormat.write(v)
			}
			fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q\r\nContent-Type: %s\r\n\r\n%s\r\n", boundary, name, label, data)
		}
		for _, name := range slices.Sorted(maps.Keys(members)) {
			items, ok := members[name].(array)
			if !ok {
				items = array{members[name]}
			}
			for _, item := range items {
				part(name, item)
			}
		}
		fmt.Fprintf(&b, "--%s--\r\n", boundary)
		return b.Bytes()
	},
	read: readMultipart,
}

// readMultipart takes the boundary from the body, which begins with it.
func readMultipart(body []byte) []any {
	first, _, _ := bytes.Cut(body, []byte("\r\n"))
	r := multipart.NewReader(bytes.NewReader(body), strings.TrimPrefix(string(first), "--"))
	members := map[string]array{}
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return choices(members)
		}
		if err != nil {
			return nil
		}
		data, err := io.ReadAll(p)
		if err != nil {
			return nil
		}
		var v any = string(data)
		if mediaType, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); mediaType == "application/json" {
			decoded, err := fromJSON(data)
			if err != nil {
				return nil
			}
			v = exact{decoded}
		}
		members[p.FormName()] = append(members[p.FormName()], v)
	}
}

// rootElement is what the schema of a body of XML is called.
const rootElement = "doc"

var xmlFormat = format{
	write: func(v any) []byte {
		var b bytes.Buffer
		writeElement(&b, rootElement, v)
		return b.Bytes()
	},
	read: func(body []byte) []any {
		var root element
		if err := xml.Unmarshal(body, &root); err != nil || root.XMLName.Local != rootElement {
			return nil
		}
		return root.values()
	},
}

func writeElement(b *bytes.Buffer, name string, v any) {
	fmt.Fprintf(b, "<%s>", name)
	if members, ok := v.(object); ok {
		for _, name := range slices.Sorted(maps.Keys(members)) {
			items, ok := members[name].(array)
			if !ok {
				items = array{members[name]}
			}
			for _, item := range items {
				writeElement(b, name, item)
			}
		}
	} else {
		fmt.Fprint(b, v)
	}
	fmt.Fprintf(b, "</%s>", name)
}

// element is an element of XML without attributes.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

func (e element) values() []any {
	var all []any
	if len(e.Children) == 0 {
		all = append(all, e.Text)
	}
	found := array{object{}}
	byName := map[string][]any{}
	for _, c := range e.Children {
		byName[c.XMLName.Local] = append(byName[c.XMLName.Local], c.values())
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		lists := []any{array{}}
		for _, values := range byName[name] {
			var longer []any
			for _, before := range lists {
				for _, v := range values.([]any) {
					longer = append(longer, append(slices.Clone(before.(array)), v))
				}
			}
			lists = longer[:min(len(longer), 64)]
		}
		if len(byName[name]) == 1 {
			lists = append(lists, byName[name][0].([]any)...)
		}
		found = product(found, name, lists)
	}
	return append(all, found...)
}
