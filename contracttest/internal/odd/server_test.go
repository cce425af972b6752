package odd_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// oddServer serves any document: it refuses what breaks the document and
// answers with its examples. It shares no code with the engine, and reads the
// document itself, so that where the two read it differently a test fails.
type oddServer struct {
	files   map[string]any // by name
	root    map[string]any
	old     bool // OpenAPI 3.0
	schemas map[string]*jsonschema.Schema
	request *jsonschema.Compiler
	answer  *jsonschema.Compiler
	keys    map[string]string // the credentials that exist, by scheme
	mu      sync.Mutex        // of schemas
}

// spot is a value in a document, with where it stands.
type spot struct {
	file, pointer string
	v             any
}

const mainFile = "openapi.yaml"

// newOddServer reads the files of a document. A schema that cannot be compiled
// is an error.
func newOddServer(files map[string]any, keys map[string]string) (*oddServer, error) {
	s := &oddServer{files: files, schemas: map[string]*jsonschema.Schema{}, keys: keys}
	root, ok := files[mainFile].(map[string]any)
	if !ok {
		return nil, errors.New("no document")
	}
	s.root = root
	version, _ := root["openapi"].(string)
	s.old = strings.HasPrefix(version, "3.0")
	for _, side := range []string{"request", "answer"} {
		c := jsonschema.NewCompiler()
		c.DefaultDraft(jsonschema.Draft2020)
		c.AssertFormat()
		for _, f := range oddFormats {
			c.RegisterFormat(f)
		}
		c.UseRegexpEngine(func(text string) (jsonschema.Regexp, error) {
			re, err := regexp2.Compile(text, regexp2.ECMAScript|regexp2.Unicode)
			return oddPattern{re}, err
		})
		for name, file := range files {
			if err := c.AddResource(side+":///"+name, s.converted(file, side, false)); err != nil {
				return nil, err
			}
		}
		if side == "request" {
			s.request = c
		} else {
			s.answer = c
		}
	}
	return s, nil
}

type oddPattern struct{ *regexp2.Regexp }

func (p oddPattern) MatchString(s string) bool {
	ok, err := p.Regexp.MatchString(s)
	return err == nil && ok
}

var oddFormats = []*jsonschema.Format{
	{Name: "int32", Validate: whole(math.MinInt32, math.MaxInt32)},
	{Name: "int64", Validate: whole(math.MinInt64, math.MaxInt64)},
	{Name: "byte", Validate: func(v any) error {
		if s, ok := v.(string); ok {
			_, err := base64.StdEncoding.DecodeString(s)
			return err
		}
		return nil
	}},
}

func whole(least, most int64) func(any) error {
	return func(v any) error {
		n, ok := v.(json.Number)
		if !ok {
			return nil
		}
		f, err := n.Float64()
		if err != nil {
			return err
		}
		if i, err := n.Int64(); err == nil && i >= least && i <= most || err != nil && f == math.Trunc(f) && f > float64(least) && f < float64(most) {
			return nil
		}
		return errors.New("out of range")
	}
}

// converted returns a copy of a document for JSON Schema 2020-12: what 3.0 has
// of its own in other words, and readOnly and writeOnly as they hold for a
// request or an answer.
func (s *oddServer) converted(v any, side string, names bool) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = s.converted(e, side, false)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			if !names && (k == "example" || k == "examples" || k == "enum" || k == "const" || k == "default") {
				if k == "enum" || k == "const" {
					out[k] = e
				}
				continue
			}
			out[k] = s.converted(e, side, !names && (k == "properties" || k == "patternProperties" || k == "$defs" || k == "dependentSchemas"))
		}
		if !names {
			s.convert(out, v, side)
		}
		return out
	}
	return v
}

func (s *oddServer) convert(out, v map[string]any, side string) {
	hidden := "readOnly"
	if side == "answer" {
		hidden = "writeOnly"
	}
	if _, flag := v["required"].(bool); flag { // of a parameter that is a file
		delete(out, "required")
	}
	if required, ok := v["required"].([]any); ok {
		props, _ := v["properties"].(map[string]any)
		var left []any
		for _, name := range required {
			prop, _ := props[fmt.Sprint(name)].(map[string]any)
			if ref, ok := prop["$ref"].(string); ok {
				prop, _ = s.follow(spot{file: mainFile}, ref).v.(map[string]any)
			}
			if prop[hidden] != true {
				left = append(left, name)
			}
		}
		if delete(out, "required"); len(left) > 0 {
			out["required"] = left
		}
	}
	if v[hidden] == true {
		clear(out)
		return
	}
	if !s.old {
		return
	}
	if ref, ok := v["$ref"].(string); ok {
		clear(out)
		out["$ref"] = ref
		return
	}
	if t, ok := v["type"].(string); ok && v["nullable"] == true {
		out["type"] = []any{t, "null"}
	}
	for _, pair := range [][2]string{{"minimum", "exclusiveMinimum"}, {"maximum", "exclusiveMaximum"}} {
		if strict, ok := v[pair[1]].(bool); ok {
			if delete(out, pair[1]); strict && v[pair[0]] != nil {
				out[pair[1]] = v[pair[0]]
				delete(out, pair[0])
			}
		}
	}
	s.discriminator(out, v)
}

// discriminator says in words of JSON Schema that a property names the branch.
func (s *oddServer) discriminator(out, v map[string]any) {
	d, ok := v["discriminator"].(map[string]any)
	delete(out, "discriminator")
	branches := "oneOf"
	if v["oneOf"] == nil {
		branches = "anyOf"
	}
	list, _ := v[branches].([]any)
	if !ok || len(list) == 0 {
		return
	}
	prop := fmt.Sprint(d["propertyName"])
	mapping, _ := d["mapping"].(map[string]any)
	var names, all []any
	add := func(name, ref string) {
		names = append(names, name)
		all = append(all, map[string]any{
			"if":   map[string]any{"properties": map[string]any{prop: map[string]any{"const": name}}, "required": []any{prop}},
			"then": map[string]any{"$ref": ref},
		})
	}
	for name, ref := range mapping {
		text := fmt.Sprint(ref)
		if !strings.ContainsAny(text, "#./") {
			text = "#/components/schemas/" + text
		}
		add(name, text)
	}
	for _, b := range list {
		if ref, ok := b.(map[string]any)["$ref"].(string); ok {
			add(ref[strings.LastIndexByte(ref, '/')+1:], ref)
		}
	}
	out["required"] = append(slices.Clone(asList(out["required"])), prop)
	old, _ := out["properties"].(map[string]any)
	props := maps.Clone(old)
	if props == nil {
		props = map[string]any{}
	}
	props[prop] = map[string]any{"enum": names}
	out["properties"] = props
	out["allOf"] = append(slices.Clone(asList(out["allOf"])), all...)
}

func asList(v any) []any { l, _ := v.([]any); return l }

// parseYAML reads YAML as JSON has it, numbers as they are written.
func parseYAML(text string) (any, error) {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err != nil || len(n.Content) == 0 {
		return nil, err
	}
	return plainYAML(n.Content[0])
}

func plainYAML(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := plainYAML(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[n.Content[i].Value] = v
		}
		return m, nil
	case yaml.SequenceNode:
		l := make([]any, len(n.Content))
		for i, e := range n.Content {
			v, err := plainYAML(e)
			if err != nil {
				return nil, err
			}
			l[i] = v
		}
		return l, nil
	case yaml.AliasNode:
		return plainYAML(n.Alias)
	}
	switch n.Tag {
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value), nil
		}
	case "!!bool":
		return n.Value == "true", nil
	case "!!null":
		return nil, nil //nolint:nilnil // it is the value
	}
	return n.Value, nil
}

// follow returns what a reference in a document leads to.
func (s *oddServer) follow(from spot, ref string) spot {
	file, pointer, _ := strings.Cut(ref, "#")
	if file == "" {
		file = from.file
	} else {
		file = path.Join(path.Dir(from.file), file)
	}
	to := spot{file: file, v: s.files[file]}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer != "" && pointer != "/" {
			to = to.at(unpoint(part))
		}
	}
	return to
}

func unpoint(part string) string {
	if p, err := url.PathUnescape(part); err == nil {
		part = p
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
}

// at returns a member.
func (p spot) at(key string) spot {
	next := spot{file: p.file, pointer: p.pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)}
	switch v := p.v.(type) {
	case map[string]any:
		next.v = v[key]
	case []any:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(v) {
			next.v = v[i]
		}
	}
	return next
}

// get returns a member with the references resolved that stand in its place.
func (s *oddServer) get(p spot, keys ...string) spot {
	for _, key := range keys {
		p = s.resolved(p.at(key))
	}
	return p
}

func (s *oddServer) resolved(p spot) spot {
	for range 20 {
		m, ok := p.v.(map[string]any)
		ref, has := m["$ref"].(string)
		if !ok || !has {
			break
		}
		p = s.follow(p, ref)
	}
	return p
}

func (p spot) text() string { t, _ := p.v.(string); return t }
func (p spot) is() bool     { b, _ := p.v.(bool); return b }
func (p spot) keys() []string {
	m, _ := p.v.(map[string]any)
	return slices.Sorted(maps.Keys(m))
}

func (s *oddServer) list(p spot) []spot {
	var all []spot
	for i := range asList(p.v) {
		all = append(all, s.get(p, strconv.Itoa(i)))
	}
	return all
}

// valid reports whether a value keeps the schema at a place.
func (s *oddServer) valid(schema spot, v any, c *jsonschema.Compiler) error {
	if schema.v == nil {
		return nil
	}
	side := "request"
	if c == s.answer {
		side = "answer"
	}
	where := side + ":///" + schema.file + "#" + (&url.URL{Path: schema.pointer}).EscapedPath()
	s.mu.Lock()
	defer s.mu.Unlock()
	compiled, ok := s.schemas[where]
	if !ok {
		var err error
		if compiled, err = c.Compile(where); err != nil {
			panic(err)
		}
		s.schemas[where] = compiled
	}
	return compiled.Validate(v)
}

// types gathers what a text may stand for.
func (s *oddServer) types(schema spot, depth int) map[string]bool {
	all := map[string]bool{}
	schema = s.resolvedSchema(schema)
	if depth > 8 || schema.v == nil {
		return all
	}
	switch t := schema.at("type").v.(type) {
	case string:
		all[t] = true
	case []any:
		for _, one := range t {
			all[fmt.Sprint(one)] = true
		}
	}
	values := asList(schema.at("enum").v)
	if c := schema.at("const").v; c != nil {
		values = append(values, c)
	}
	for _, v := range values {
		switch v.(type) {
		case json.Number:
			all["number"] = true
		case bool:
			all["boolean"] = true
		case string:
			all["string"] = true
		}
	}
	if len(all) > 0 {
		return all
	}
	for _, key := range []string{"allOf", "oneOf", "anyOf"} {
		for i := range asList(schema.at(key).v) {
			maps.Copy(all, s.types(schema.at(key).at(strconv.Itoa(i)), depth+1))
		}
	}
	if len(all) == 0 && schema.at("properties").v != nil {
		all["object"] = true
	}
	return all
}

// resolvedSchema follows a reference unless something stands beside it.
func (s *oddServer) resolvedSchema(p spot) spot {
	for range 20 {
		m, _ := p.v.(map[string]any)
		ref, ok := m["$ref"].(string)
		if !ok || m["type"] != nil {
			return p
		}
		p = s.follow(p, ref)
	}
	return p
}

// scalar reads a text as its schema has it.
func (s *oddServer) scalar(schema spot, text string) any {
	types := s.types(schema, 0)
	var all []any
	if number := strings.TrimSpace(text); (types["number"] || types["integer"]) && number != "" && json.Valid([]byte(number)) && strings.ContainsAny(number[:1], "-0123456789") {
		all = append(all, json.Number(number))
	}
	if types["boolean"] && (text == "true" || text == "false") {
		all = append(all, text == "true")
	}
	all = append(all, text)
	for _, v := range all {
		if s.valid(schema, v, s.request) == nil {
			return v
		}
	}
	return all[0]
}

// sub finds what describes a member of an object or a list.
func (s *oddServer) sub(schema spot, key string, depth int) spot {
	schema = s.resolvedSchema(schema)
	if depth > 8 {
		return spot{}
	}
	if i, err := strconv.Atoi(key); err == nil {
		if p := schema.at("prefixItems").at(strconv.Itoa(i)); p.v != nil {
			return p
		}
		if p := schema.at("items"); p.v != nil {
			return p
		}
	}
	if p := schema.at("properties").at(key); p.v != nil {
		return p
	}
	for _, pattern := range schema.at("patternProperties").keys() {
		if regexp.MustCompile(pattern).MatchString(key) {
			return schema.at("patternProperties").at(pattern)
		}
	}
	if p := schema.at("additionalProperties"); p.v != nil {
		if _, ok := p.v.(map[string]any); ok {
			return p
		}
	}
	for _, group := range []string{"allOf", "oneOf", "anyOf"} {
		for i := range asList(schema.at(group).v) {
			if p := s.sub(schema.at(group).at(strconv.Itoa(i)), key, depth+1); p.v != nil {
				return p
			}
		}
	}
	return spot{}
}

// composedList makes a list of texts.
func (s *oddServer) composedList(schema spot, texts []string) any {
	l := make([]any, len(texts))
	for i, t := range texts {
		l[i] = s.nested(s.sub(schema, strconv.Itoa(i), 0), t)
	}
	return l
}

func (s *oddServer) nested(schema spot, text string) any {
	types := s.types(schema, 0)
	if (types["object"] || types["array"]) && !types["string"] {
		if v, err := decodeOne([]byte(text)); err == nil {
			return v
		}
	}
	return s.scalar(schema, text)
}

func (s *oddServer) composedObject(schema spot, pairs [][2]string) any {
	m := map[string]any{}
	for _, p := range pairs {
		m[p[0]] = s.nested(s.sub(schema, p[0], 0), p[1])
	}
	return m
}

// decodeOne reads one JSON value and nothing beside it.
func decodeOne(data []byte) (any, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

// refusal is why a request is refused.
type refusal struct {
	status int
	why    string
}

func (r *refusal) Error() string { return r.why }

func refuse(status int, format string, args ...any) error {
	return &refusal{status, fmt.Sprintf(format, args...)}
}

// oddOperation is what a request is for.
type oddOperation struct {
	item, op spot
	values   map[string]string // of the path, escaped
	template string
}

var templated = regexp.MustCompile(`\{([^{}]+)\}`)

// serversPath returns the path of a list of servers, if there is one.
func serversPath(p spot) (string, bool) {
	l := asList(p.at("servers").v)
	if len(l) == 0 {
		return "", false
	}
	first := p.at("servers").at("0")
	raw := first.at("url").text()
	for _, name := range first.at("variables").keys() {
		raw = strings.ReplaceAll(raw, "{"+name+"}", first.at("variables").at(name).at("default").text())
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", true
	}
	return strings.TrimRight(u.EscapedPath(), "/"), true
}

func (s *oddServer) route(r *http.Request) (*oddOperation, []string) {
	full := r.URL.EscapedPath()
	root := spot{file: mainFile, v: s.root}
	paths := root.at("paths")
	templates := paths.keys()
	slices.SortStableFunc(templates, func(a, b string) int {
		return strings.Count(a, "{") - strings.Count(b, "{")
	})
	var allowed []string
	for _, template := range templates {
		item := s.get(paths, template)
		for _, method := range []string{"get", "put", "post", "delete", "options", "head", "patch", "trace", "query", "copy", "lock"} {
			op := item.at(method)
			if op.v == nil {
				continue
			}
			base, ok := serversPath(op)
			if !ok {
				base, ok = serversPath(item)
			}
			if !ok {
				base, _ = serversPath(root)
			}
			var names []string
			var pattern strings.Builder
			pattern.WriteString("^" + regexp.QuoteMeta(base))
			last := 0
			for _, m := range templated.FindAllStringSubmatchIndex(template, -1) {
				pattern.WriteString(regexp.QuoteMeta(template[last:m[0]]) + "([^/]+?)")
				names = append(names, template[m[2]:m[3]])
				last = m[1]
			}
			pattern.WriteString(regexp.QuoteMeta(template[last:]) + "$")
			got := regexp.MustCompile(pattern.String()).FindStringSubmatch(full)
			if got == nil {
				continue
			}
			if strings.ToUpper(method) == r.Method {
				values := map[string]string{}
				for i, n := range names {
					values[n] = got[i+1]
				}
				return &oddOperation{item: item, op: op, values: values, template: template}, nil
			}
			allowed = append(allowed, strings.ToUpper(method))
		}
		if len(allowed) > 0 {
			break
		}
	}
	return nil, allowed
}

func (s *oddServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op, allowed := s.route(r)
	if op == nil {
		if len(allowed) == 0 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if err := s.check(op, r); err != nil {
		var no *refusal
		if !errors.As(err, &no) {
			no = &refusal{http.StatusBadRequest, err.Error()}
		}
		s.refused(w, r, op, no)
		return
	}
	s.accepted(w, r, op)
}

func (s *oddServer) check(op *oddOperation, r *http.Request) error {
	if err := s.secured(op, r); err != nil {
		return err
	}
	for _, p := range s.params(op) {
		if err := s.param(op, p, r); err != nil {
			return fmt.Errorf("%s: %w", p.at("name").text(), err)
		}
	}
	return s.body(op, r)
}

func (s *oddServer) params(op *oddOperation) []spot {
	own := s.list(op.op.at("parameters"))
	all := slices.Clone(own)
	for _, p := range s.list(op.item.at("parameters")) {
		if !slices.ContainsFunc(own, func(o spot) bool {
			return o.at("name").text() == p.at("name").text() && o.at("in").text() == p.at("in").text()
		}) {
			all = append(all, p)
		}
	}
	return all
}

func (s *oddServer) secured(op *oddOperation, r *http.Request) error {
	security := op.op.at("security")
	if security.v == nil {
		security = spot{file: mainFile, v: s.root}.at("security")
	}
	list := s.list(security)
	if len(list) == 0 {
		return nil
	}
	for _, alternative := range list {
		good := true
		for _, name := range alternative.keys() {
			good = good && s.credential(name, r)
		}
		if good {
			return nil
		}
	}
	return refuse(http.StatusUnauthorized, "no credential")
}

func (s *oddServer) credential(name string, r *http.Request) bool {
	scheme := s.get(spot{file: mainFile, v: s.root}, "components", "securitySchemes", name)
	want := s.keys[name]
	switch scheme.at("type").text() {
	case "apiKey":
		key := scheme.at("name").text()
		switch scheme.at("in").text() {
		case "query":
			return r.URL.Query().Get(key) == want
		case "cookie":
			c, err := r.Cookie(key)
			return err == nil && c.Value == want
		}
		return r.Header.Get(key) == want
	case "mutualTLS":
		return true
	}
	kind, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme.at("scheme").text(), "basic") {
		user, password, ok := r.BasicAuth()
		return ok && user+":"+password == want
	}
	return strings.EqualFold(kind, "bearer") && rest == want
}

// delimited takes a text apart before it is unescaped.
func delimited(raw, by string) []string { return strings.Split(raw, by) }

func unescape(s string, plus bool) string {
	if plus {
		s = strings.ReplaceAll(s, "+", " ")
	}
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// queryPairs are the pairs of a query or form, names unescaped, values not.
func queryPairs(raw string) [][2]string {
	var all [][2]string
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, v, _ := strings.Cut(pair, "=")
		all = append(all, [2]string{unescape(name, true), v})
	}
	return all
}

func valuesOf(pairs [][2]string, name string) []string {
	var all []string
	for _, p := range pairs {
		if p[0] == name {
			all = append(all, p[1])
		}
	}
	return all
}

func (s *oddServer) param(op *oddOperation, p spot, r *http.Request) error {
	name, in := p.at("name").text(), p.at("in").text()
	if in == "header" && slices.Contains([]string{"accept", "content-type", "authorization"}, strings.ToLower(name)) {
		return nil
	}
	var raw []string
	var pairs [][2]string
	switch in {
	case "path":
		raw = []string{op.values[name]}
	case "query":
		pairs = queryPairs(r.URL.RawQuery)
		raw = valuesOf(pairs, name)
	case "querystring":
		if r.URL.RawQuery != "" {
			raw = []string{r.URL.RawQuery}
		}
	case "header":
		raw = r.Header.Values(name)
	case "cookie":
		for _, c := range r.Cookies() {
			pairs = append(pairs, [2]string{c.Name, c.Value})
		}
		raw = valuesOf(pairs, name)
	}
	if content := p.at("content"); content.v != nil {
		return s.contentParam(p, raw, in)
	}
	if p.at("x-escaped").is() && strings.ContainsAny(strings.Join(raw, ""), ":/?@") {
		return errors.New("reserved characters stand as they are")
	}
	schema := p.at("schema")
	style, explode := p.at("style").text(), p.at("explode").is()
	if style == "" {
		style = map[string]string{"path": "simple", "query": "form", "header": "simple", "cookie": "form"}[in]
	}
	if p.at("explode").v == nil {
		explode = style == "form"
	}
	v, found, err := s.styled(schema, styledText{name, in, style, explode, raw, pairs})
	if err != nil {
		return err
	}
	if !found {
		if p.at("required").is() {
			return errors.New("missing")
		}
		return nil
	}
	if text, ok := v.(string); ok && text == "" && p.at("allowEmptyValue").is() {
		return nil
	}
	return s.valid(schema, v, s.request)
}

func (s *oddServer) contentParam(p spot, raw []string, in string) error {
	if len(raw) == 0 {
		if p.at("required").is() {
			return errors.New("missing")
		}
		return nil
	}
	key := p.at("content").keys()[0]
	text := raw[0]
	if in != "header" && in != "cookie" {
		text = unescape(text, in == "query")
	}
	var v any = text
	if strings.Contains(key, "json") {
		var err error
		if v, err = decodeOne([]byte(text)); err != nil {
			return err
		}
	}
	return s.valid(p.at("content").at(key).at("schema"), v, s.request)
}

type styledText struct {
	name, in, style string
	explode         bool
	raw             []string
	pairs           [][2]string
}

var errStyle = errors.New("not in its style")

// styled reads what a style wrote. A single value that is given twice is an error.
func (s *oddServer) styled(schema spot, t styledText) (v any, found bool, err error) {
	types := s.types(schema, 0)
	escaped := t.in == "path" || t.in == "query"
	plain := func(x string) string {
		if escaped {
			return unescape(x, t.in == "query")
		}
		return x
	}
	plains := func(l []string) []string {
		for i, x := range l {
			if t.in == "header" {
				x = strings.TrimSpace(x)
			}
			l[i] = plain(x)
		}
		return l
	}
	object, array := types["object"], types["array"]
	if object && t.style == "deepObject" {
		return s.deep(schema, t)
	}
	if object && t.style == "form" && t.explode {
		m := map[string]any{}
		for _, p := range t.pairs {
			if sub := s.sub(schema, p[0], 0); sub.v != nil {
				m[p[0]] = s.nested(sub, plain(p[1]))
			}
		}
		return m, len(m) > 0, nil
	}
	if len(t.raw) == 0 {
		return nil, false, nil
	}
	if array && t.style == "form" && t.explode {
		l := plains(slices.Clone(t.raw))
		if len(l) == 1 && l[0] == "" && s.valid(schema, []any{}, s.request) == nil {
			return []any{}, true, nil
		}
		if got := s.composedList(schema, l); len(l) > 1 || s.valid(schema, got, s.request) == nil || !types["string"] {
			return got, true, nil
		}
	}
	if len(t.raw) > 1 && t.in != "header" {
		return nil, false, errors.New("given twice")
	}
	text := t.raw[0]
	if t.in == "header" {
		if len(t.raw) > 1 && !array {
			return nil, false, errors.New("given twice")
		}
		text = strings.Join(t.raw, ",")
	}
	by, pairBy := ",", ","
	switch t.style {
	case "label":
		rest, ok := strings.CutPrefix(text, ".")
		if !ok {
			return nil, false, errStyle
		}
		if text = rest; t.explode {
			by, pairBy = ".", "="
		}
	case "matrix":
		rest, ok := strings.CutPrefix(text, ";")
		if !ok {
			return nil, false, errStyle
		}
		switch {
		case object && t.explode:
			text, by, pairBy = rest, ";", "="
		case rest == t.name:
			text = ""
		default:
			if text, ok = strings.CutPrefix(rest, t.name+"="); !ok {
				return nil, false, errStyle
			}
			if t.explode {
				by = ";" + t.name + "="
			}
		}
	case "simple":
		if t.explode {
			pairBy = "="
		}
	case "spaceDelimited":
		text = strings.NewReplacer("+", "%20", " ", "%20").Replace(text)
		by, pairBy = "%20", "%20"
	case "pipeDelimited":
		text = strings.NewReplacer("%7C", "|", "%7c", "|").Replace(text)
		by, pairBy = "|", "|"
	}
	switch {
	case array:
		if text == "" {
			if s.valid(schema, []any{}, s.request) == nil {
				return []any{}, true, nil
			}
		}
		return s.composedList(schema, plains(delimited(text, by))), true, nil
	case object:
		pieces := plains(delimited(text, by))
		var pairs [][2]string
		if pairBy == "=" {
			for _, p := range delimited(text, by) {
				k, v, ok := strings.Cut(strings.TrimSpace(p), "=")
				if !ok {
					return nil, false, errStyle
				}
				pairs = append(pairs, [2]string{plain(k), plain(v)})
			}
			return s.composedObject(schema, pairs), true, nil
		}
		if len(pieces)%2 != 0 {
			return nil, false, errStyle
		}
		for i := 0; i < len(pieces); i += 2 {
			pairs = append(pairs, [2]string{pieces[i], pieces[i+1]})
		}
		return s.composedObject(schema, pairs), true, nil
	}
	if t.in == "header" {
		text = strings.TrimSpace(text)
	}
	return s.scalar(schema, plain(text)), true, nil
}

func (s *oddServer) deep(schema spot, t styledText) (any, bool, error) {
	m := map[string]any{}
	lists := map[string][]string{}
	for _, p := range t.pairs {
		rest, ok := strings.CutPrefix(p[0], t.name+"[")
		key, ok2 := strings.CutSuffix(rest, "]")
		if !ok || !ok2 {
			continue
		}
		lists[key] = append(lists[key], unescape(p[1], true))
	}
	for key, texts := range lists {
		first, _, _ := strings.Cut(key, "][")
		sub := s.sub(schema, first, 0)
		switch types := s.types(sub, 0); {
		case types["array"]:
			m[first] = s.composedList(sub, texts)
		case first != key:
			in, _ := m[first].(map[string]any)
			if in == nil {
				in = map[string]any{}
			}
			_, inner, _ := strings.Cut(key, "][")
			in[inner] = s.scalar(s.sub(sub, inner, 0), texts[0])
			m[first] = in
		default:
			m[key] = s.nested(sub, texts[0])
		}
	}
	return m, len(m) > 0, nil
}

// matchMedia picks the documented media type of a Content-Type.
func matchMedia(keys []string, label string) string {
	t, params, err := mime.ParseMediaType(label)
	if major, minor, ok := strings.Cut(t, "/"); err != nil || !ok || major == "" || minor == "" || strings.Contains(t, "*") {
		return ""
	}
	best, rank := "", -1
	for _, key := range keys {
		k, want, err := mime.ParseMediaType(key)
		if err != nil {
			continue
		}
		kt, ks, _ := strings.Cut(k, "/")
		gt, gs, _ := strings.Cut(t, "/")
		r := 0
		switch {
		case kt == gt && ks == gs:
			r = 2 + len(want)
		case kt == gt && ks == "*":
			r = 1
		case kt != "*" || ks != "*":
			continue
		}
		fits := true
		for name, v := range want {
			_, given := params[name]
			fits = fits && (strings.EqualFold(params[name], v) || name == "charset" && !given)
		}
		if fits && r > rank {
			best, rank = key, r
		}
	}
	return best
}

func (s *oddServer) body(op *oddOperation, r *http.Request) error {
	body := s.get(op.op, "requestBody")
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	if body.v == nil {
		if len(data) > 0 {
			return errors.New("a body, but none is documented")
		}
		return nil
	}
	if len(data) == 0 && r.ContentLength <= 0 && r.Header.Get("Content-Type") == "" || len(data) == 0 && !body.at("required").is() {
		if body.at("required").is() {
			return errors.New("no body")
		}
		return nil
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return refuse(http.StatusUnsupportedMediaType, "content encoding %q", enc)
	}
	content := body.at("content")
	label := r.Header.Get("Content-Type")
	key := matchMedia(content.keys(), label)
	if key == "" || len(r.Header.Values("Content-Type")) > 1 {
		return refuse(http.StatusUnsupportedMediaType, "content type %q", label)
	}
	kind, params, _ := mime.ParseMediaType(label)
	if c := params["charset"]; c != "" && !strings.EqualFold(c, "utf-8") {
		return refuse(http.StatusUnsupportedMediaType, "charset %q", c)
	}
	media := content.at(key)
	schema := media.at("schema")
	var v any
	switch {
	case kind == "application/json" || strings.HasSuffix(kind, "+json"):
		if v, err = decodeOne(data); err != nil {
			return err
		}
	case kind == "application/x-www-form-urlencoded":
		if v, err = s.form(media, string(data)); err != nil {
			return err
		}
	case kind == "multipart/form-data":
		if v, err = s.parts(media, data, params["boundary"]); err != nil {
			return err
		}
	case kind == "application/xml":
		if v, err = plainXML(data); err != nil {
			return err
		}
	case strings.HasPrefix(kind, "text/"):
		if !utf8.Valid(data) {
			return errors.New("not UTF-8")
		}
		v = s.scalar(schema, string(data))
	default:
		v = string(data)
	}
	return s.valid(schema, v, s.request)
}

// plainXML writes the elements, attributes and text of a document in one way.
func plainXML(data []byte) (string, error) {
	var b strings.Builder
	roots, depth := 0, 0
	for dec := xml.NewDecoder(bytes.NewReader(data)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) && roots == 1 {
			return b.String(), nil
		}
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
			b.WriteString("<" + token.Name.Local)
			for _, a := range token.Attr {
				fmt.Fprintf(&b, " %s=%q", a.Name.Local, a.Value)
			}
			b.WriteString(">")
		case xml.EndElement:
			depth--
			b.WriteString("</" + token.Name.Local + ">")
		case xml.CharData:
			if text := string(token); depth > 0 || strings.TrimSpace(text) != "" {
				b.WriteString(text)
			}
		}
	}
}

func (s *oddServer) form(media spot, data string) (any, error) {
	schema := media.at("schema")
	pairs := queryPairs(data)
	m := map[string]any{}
	for _, pair := range pairs {
		name := pair[0]
		base, _, deep := strings.Cut(name, "[")
		enc := media.at("encoding").at(name)
		style, explode := enc.at("style").text(), enc.at("explode").is()
		if deep && media.at("encoding").at(base).at("style").text() == "deepObject" {
			v, _, err := s.deep(s.sub(schema, base, 0), styledText{name: base, pairs: pairs})
			if err != nil {
				return nil, err
			}
			m[base] = v
			continue
		}
		if style == "" {
			style = "form"
		}
		if enc.at("explode").v == nil {
			explode = style == "form"
		}
		if _, done := m[name]; done {
			continue
		}
		sub := s.sub(schema, name, 0)
		types := s.types(sub, 0)
		raw := valuesOf(pairs, name)
		if strings.Contains(enc.at("contentType").text(), "json") && len(raw) == 1 {
			v, err := decodeOne([]byte(unescape(raw[0], true)))
			if err != nil {
				return nil, err
			}
			m[name] = v
			continue
		}
		if types["array"] || style != "form" || !explode {
			v, _, err := s.styled(sub, styledText{name, "query", style, explode, raw, nil})
			if err != nil {
				return nil, err
			}
			m[name] = v
			continue
		}
		if len(raw) > 1 && sub.v != nil {
			return nil, errors.New("given twice")
		}
		m[name] = s.nested(sub, unescape(raw[0], true))
	}
	return m, nil
}

func (s *oddServer) parts(media spot, data []byte, boundary string) (any, error) {
	schema := media.at("schema")
	m := map[string]any{}
	if boundary == "" {
		return nil, errors.New("no boundary")
	}
	rd := multipart.NewReader(bytes.NewReader(data), boundary)
	for {
		part, err := rd.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return nil, err
		}
		name := part.FormName()
		if name == "" {
			return nil, errors.New("a part without a name")
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		sub := s.sub(schema, name, 0)
		types := s.types(sub, 0)
		one := sub
		if types["array"] {
			one = s.sub(sub, strconv.Itoa(len(asList(m[name]))), 0)
		}
		enc := media.at("encoding").at(name)
		label := part.Header.Get("Content-Type")
		if want := enc.at("contentType").text(); want != "" {
			if label == "" {
				label = "text/plain"
			}
			if matchMedia(strings.Split(strings.ReplaceAll(want, " ", ""), ","), label) == "" {
				return nil, fmt.Errorf("the part %s is %q", name, label)
			}
		}
		for _, h := range enc.at("headers").keys() {
			if strings.EqualFold(h, "Content-Type") {
				continue
			}
			header := s.get(enc, "headers", h)
			got := part.Header.Values(h)
			if len(got) == 0 {
				if header.at("required").is() {
					return nil, fmt.Errorf("the part %s has no %s", name, h)
				}
				continue
			}
			if err := s.valid(header.at("schema"), s.scalar(header.at("schema"), got[0]), s.request); err != nil {
				return nil, err
			}
		}
		var v any
		onlyJSON := !s.types(one, 0)["string"] && (s.types(one, 0)["object"] || s.types(one, 0)["array"])
		switch {
		case strings.Contains(label, "json") || onlyJSON:
			if v, err = decodeOne(text); err != nil {
				return nil, err
			}
		case s.resolvedSchema(one).at("format").text() == "binary":
			v = string(text)
		default:
			v = s.scalar(one, string(text))
		}
		if types["array"] {
			m[name] = append(asList(m[name]), v)
			continue
		}
		if _, twice := m[name]; twice {
			return nil, errors.New("given twice")
		}
		m[name] = v
	}
}

// refused answers with the documented refusal that fits best.
func (s *oddServer) refused(w http.ResponseWriter, r *http.Request, op *oddOperation, no *refusal) {
	responses := s.get(op.op, "responses")
	status, key := no.status, ""
	for _, want := range []int{no.status, 400, 422, 404, 409, 401, 403} {
		if key = responseKey(responses, want); key != "" {
			status = want
			break
		}
	}
	if no.status == http.StatusUnauthorized {
		status, key = no.status, responseKey(responses, no.status)
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if key == "" {
		w.WriteHeader(status)
		return
	}
	s.respond(w, r, s.get(responses, key), status)
}

func responseKey(responses spot, status int) string {
	keys := responses.keys()
	for _, k := range []string{strconv.Itoa(status), strconv.Itoa(status/100) + "XX", "default"} {
		if slices.Contains(keys, k) {
			return k
		}
	}
	return ""
}

func (s *oddServer) accepted(w http.ResponseWriter, r *http.Request, op *oddOperation) {
	responses := s.get(op.op, "responses")
	for _, k := range responses.keys() {
		switch status, err := strconv.Atoi(k); {
		case err == nil && status < 400:
			s.respond(w, r, s.get(responses, k), status)
			return
		case k == "2XX" || k == "default":
			s.respond(w, r, s.get(responses, k), http.StatusOK)
			return
		}
	}
	if key := responseKey(responses, http.StatusBadRequest); key != "" { // nothing else is documented
		s.respond(w, r, s.get(responses, key), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusOK)
}

func (s *oddServer) example(p spot) any {
	if v := p.at("example").v; v != nil {
		return v
	}
	if keys := p.at("examples").keys(); len(keys) > 0 {
		return s.get(p, "examples", keys[0]).at("value").v
	}
	if l := asList(p.at("examples").v); len(l) > 0 {
		return l[0]
	}
	if schema := p.at("schema"); schema.v != nil {
		return s.example(s.resolvedSchema(schema))
	}
	return nil
}

func (s *oddServer) respond(w http.ResponseWriter, r *http.Request, response spot, status int) {
	for _, name := range response.at("headers").keys() {
		header := s.get(response, "headers", name)
		v := s.example(header)
		if content := header.at("content"); content.v != nil {
			b, _ := json.Marshal(s.example(content.at(content.keys()[0])))
			w.Header().Set(name, string(b))
			continue
		}
		if v != nil {
			w.Header().Set(name, headerText(v, header.at("explode").is()))
		}
	}
	content := response.at("content")
	if len(content.keys()) == 0 {
		w.WriteHeader(status)
		return
	}
	key := negotiate(content.keys(), r.Header.Get("Accept"))
	v := s.example(content.at(key))
	label := strings.NewReplacer("*/*", "application/json", "image/*", "image/png", "application/*", "application/json", "text/*", "text/plain").Replace(key)
	w.Header().Set("Content-Type", label)
	w.WriteHeader(status)
	if text, ok := v.(string); ok && !strings.Contains(label, "json") {
		_, _ = io.WriteString(w, text)
		return
	}
	b, _ := json.Marshal(v)
	_, _ = w.Write(b)
}

func headerText(v any, explode bool) string {
	switch v := v.(type) {
	case []any:
		var all []string
		for _, e := range v {
			all = append(all, fmt.Sprint(e))
		}
		return strings.Join(all, ",")
	case map[string]any:
		var all []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if explode {
				all = append(all, fmt.Sprint(k, "=", v[k]))
				continue
			}
			all = append(all, k, fmt.Sprint(v[k]))
		}
		return strings.Join(all, ",")
	}
	return fmt.Sprint(v)
}

// negotiate picks a media type that the request accepts, else the first.
func negotiate(keys []string, accept string) string {
	for part := range strings.SplitSeq(accept, ",") {
		t, params, err := mime.ParseMediaType(strings.TrimSpace(part))
		if err != nil || params["q"] == "0" {
			continue
		}
		for _, key := range keys {
			k, _, _ := mime.ParseMediaType(key)
			major, _, _ := strings.Cut(k, "/")
			if t == k || t == "*/*" || t == major+"/*" {
				return key
			}
		}
	}
	return keys[0]
}
