package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// How far values are looked for in an answer.
const (
	maxValues = 3   // of one parameter
	maxLevels = 5   // of an answer
	maxText   = 512 // bytes of a value
)

// links lists the expressions that the responses of one operation have for a
// parameter of another.
func links(from, to *contract.Operation, p *contract.Param) []string {
	var all []string
	for _, resp := range from.Responses {
		if len(resp.Spec.Links) == 0 {
			continue // as nearly all, and this is asked for each pair of operations
		}
		for _, name := range slices.Sorted(maps.Keys(resp.Spec.Links)) {
			ref := resp.Spec.Links[name]
			if ref == nil || ref.Value == nil || !leads(ref.Value, to) {
				continue
			}
			for _, key := range []string{p.Spec.Name, p.Spec.In + "." + p.Spec.Name} {
				if expr, ok := ref.Value.Parameters[key].(string); ok {
					all = append(all, expr)
				}
			}
		}
	}
	return all
}

// DocumentedLink is one to what can be read.
type DocumentedLink struct {
	Name string
	To   *contract.Operation
	spec *openapi3.Link
}

// Links lists the links that the successes of an operation have to a GET, by name.
func Links(from *contract.Operation) []DocumentedLink {
	var all []DocumentedLink
	for _, resp := range from.Responses {
		for _, name := range slices.Sorted(maps.Keys(resp.Spec.Links)) {
			ref := resp.Spec.Links[name]
			if ref == nil || ref.Value == nil || !strings.HasPrefix(resp.Key, "2") || slices.ContainsFunc(all, func(l DocumentedLink) bool { return l.Name == name }) {
				continue
			}
			for _, to := range from.Contract.Operations {
				pointer := "#/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(to.Path) + "/get"
				if to.Method == http.MethodGet && (ref.Value.OperationID != "" && to.Spec.OperationID == ref.Value.OperationID || ref.Value.OperationRef == pointer) {
					all = append(all, DocumentedLink{name, to, ref.Value})
				}
			}
		}
	}
	return all
}

// Follow evaluates the parameters of a link. The values of the path are those of the request
// where the link has none of the name; the result is false where one has no value.
func (l DocumentedLink) Follow(x *wire.Exchange, values map[string]string) (path, query map[string]string, ok bool) {
	path, query = maps.Clone(values), map[string]string{}
	if path == nil {
		path = map[string]string{}
	}
	for key, expr := range l.spec.Parameters {
		var found []string
		switch text, isText := expr.(string); {
		case isText && strings.HasPrefix(text, "$request.path."):
			found = scalar(values[strings.TrimPrefix(text, "$request.path.")])
		case isText && strings.HasPrefix(text, "$"):
			found = evaluate(text, x)
		default:
			found = scalar(fmt.Sprint(expr)) // a constant
		}
		for _, p := range l.To.Params {
			switch {
			case key != p.Spec.Name && key != p.Spec.In+"."+p.Spec.Name:
			case len(found) == 0:
				return nil, nil, false // what is optional in the answer may be missing
			case p.Spec.In == openapi3.ParameterInPath:
				path[p.Spec.Name] = found[0]
			case p.Spec.In == openapi3.ParameterInQuery:
				query[p.Spec.Name] = found[0]
			}
		}
	}
	for _, p := range l.To.Params {
		if p.Spec.In == openapi3.ParameterInPath && path[p.Spec.Name] == "" {
			return nil, nil, false
		}
	}
	return path, query, true
}

// leads reports whether a link is to an operation, or to another one on its
// path: they name the same resource.
func leads(link *openapi3.Link, to *contract.Operation) bool {
	if link.OperationID != "" {
		return slices.ContainsFunc(to.Contract.Operations, func(o *contract.Operation) bool {
			return o.Path == to.Path && o.Spec.OperationID == link.OperationID
		})
	}
	pointer := strings.NewReplacer("~", "~0", "/", "~1").Replace(to.Path)
	_, method, ok := strings.Cut(link.OperationRef, "#/paths/"+pointer+"/")
	return ok && !strings.Contains(method, "/")
}

// evaluate reads a runtime expression (OpenAPI 3.0.3, Link Object).
func evaluate(expr string, x *wire.Exchange) []string {
	if body, ok := strings.CutPrefix(expr, "$response.body"); ok {
		v, ok := decoded(x)
		if !ok {
			return nil
		}
		for step := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(body, "#"), "/"), "/") {
			if step == "" {
				continue
			}
			name := strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
			switch inner := v.(type) {
			case map[string]any:
				v = inner[name]
			case []any:
				v = nil
				if name == "0" && len(inner) > 0 {
					v = inner[0]
				}
			default:
				v = nil
			}
		}
		return scalar(v)
	}
	if name, ok := strings.CutPrefix(expr, "$response.header."); ok {
		return scalar(x.Response.Header.Get(name))
	}
	return nil
}

// located reads a parameter out of the Location of what was created.
func located(x *wire.Exchange, op *contract.Operation, name string) []string {
	u, err := url.Parse(x.Response.Header.Get("Location"))
	if err != nil || u.Path == "" {
		return nil
	}
	path := u.EscapedPath()
	for {
		values, ok := op.Match(path)
		if !ok { // it may have a slash at its end where the document has none, or none
			values, ok = op.Match(strings.TrimSuffix(path, "/") + strings.TrimPrefix(op.Path, op.Template()))
		}
		if ok {
			v, err := url.PathUnescape(values[name])
			if err != nil {
				return nil
			}
			return scalar(v)
		}
		// The path may stand under that of the server.
		next := strings.IndexByte(strings.TrimPrefix(path, "/"), '/')
		if next < 0 {
			return nil
		}
		path = path[next+1:]
	}
}

// within lists the values of properties with one of the names, as near the top
// as there are any: the first name that there is counts. What an envelope holds
// comes before what else is on its level, as in {"page": {"id": 1}, "items":
// [{"id": 7}]}.
func within(x *wire.Exchange, names ...string) []string {
	v, ok := decoded(x)
	if !ok {
		return nil
	}
	level := []any{v}
	for range maxLevels {
		for _, name := range names {
			if found := named(level, name); len(found) > 0 {
				return found[:min(len(found), maxValues)]
			}
		}
		level = below(level)
	}
	return nil
}

// identified lists the identifiers in an answer: the values of properties with one of the names, else
// what the addresses say that stand in it, where the path of the operation ends with a parameter.
func identified(x *wire.Exchange, op *contract.Operation, names []string) []string {
	if found := within(x, names...); len(found) > 0 || !strings.HasSuffix(op.Template(), "}") {
		return found
	}
	v, _ := decoded(x)
	return addressed(v, op.Template())
}

// unasked leaves out of the identifiers in an answer those that the request has itself: POST
// /playlists/{id}/tracks that is sent {"id": 5} adds a track that was there before, and makes none.
func unasked(x *wire.Exchange, ids []string, name, collection string) []string {
	if x.Request == nil {
		return ids
	}
	sent, err := value(x.Request.Body)
	switch {
	case err != nil && codec.IsJSON(x.Request.Get("Content-Type")):
		return nil // who can read it knows more
	case err != nil:
		return ids
	}
	names := append(Identifiers(name, collection), stemOf(name, collection))
	var asked []string
	level := []any{sent}
	for range maxLevels {
		for _, name := range names {
			asked = append(asked, named(level, name)...)
		}
		level = below(level)
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return slices.ContainsFunc(asked, func(sent string) bool { return sent == id || sameNumber(sent, id) })
	})
}

func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}

// guardsIn reads a token against forged requests out of an answer: from a property or a
// header that is named so, and from a field of a form, {"name": "csrf_token", "value": "…"}.
func guardsIn(from *contract.Operation, x *wire.Exchange) []string {
	v, _ := decoded(x)
	level := []any{v}
	for range maxLevels {
		for _, one := range level {
			members, _ := one.(map[string]any)
			if name, _ := members["name"].(string); guards(name) {
				if found := scalar(members["value"]); len(found) > 0 {
					return found
				}
			}
			for _, key := range slices.Sorted(maps.Keys(members)) {
				if found := scalar(members[key]); guards(key) && len(found) > 0 {
					return found
				}
			}
		}
		level = below(level)
	}
	for _, name := range slices.Sorted(maps.Keys(x.Response.Header)) {
		if guards(name) {
			return scalar(x.Response.Header.Get(name))
		}
	}
	if guards(lastSegment(from.Path)) {
		return within(x, "token")
	}
	return nil
}

// Cookies are those that an answer sets.
func Cookies(x *wire.Exchange) []*http.Cookie {
	if x == nil || x.Response == nil {
		return nil
	}
	return (&http.Response{Header: x.Response.Header}).Cookies()
}

// ofItems lists what the items of a list have of a name, of the first item that has it.
func ofItems(x *wire.Exchange, name string) []string {
	v, _ := decoded(x)
	var found []string
	var look func(v any, keys []string, inItem bool)
	look = func(v any, keys []string, inItem bool) {
		if len(found) > 0 || len(keys) > maxLevels {
			return
		}
		switch v := v.(type) {
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				look(v[key], append(keys[:len(keys):len(keys)], key), inItem)
			}
		case []any:
			for _, item := range v[:min(len(v), maxValues)] {
				look(item, keys, inItem || len(keys) < 2)
			}
		default:
			if inItem && fits(name, keys) {
				found = scalar(v)
			}
		}
	}
	look(v, nil, false)
	return found
}

// listed lists what is in a list of texts or numbers, be it in an envelope: the
// names of a collection's items.
func listed(x *wire.Exchange) []string {
	v, _ := decoded(x)
	items, _ := v.([]any)
	if members, ok := v.(map[string]any); ok {
		for _, key := range slices.Sorted(maps.Keys(members)) {
			if list, ok := members[key].([]any); ok {
				items = append(items, list...)
			}
		}
	}
	var found []string
	for _, item := range items[:min(len(items), maxValues)] {
		found = append(found, scalar(item)...)
	}
	return found
}

// named lists the values of a property in the objects among some values.
func named(level []any, name string) []string {
	var found []string
	for _, v := range level {
		members, ok := v.(map[string]any)
		if !ok {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(members)) {
			if Plain(key) == Plain(name) {
				found = append(found, scalar(members[key])...)
			}
		}
	}
	return found
}

// below lists what is in some values: what is in a list first.
func below(level []any) []any {
	var next []any
	for _, v := range level {
		switch v := v.(type) {
		case map[string]any:
			keys := slices.Sorted(maps.Keys(v))
			isList := func(key string) int {
				if _, ok := v[key].([]any); ok {
					return 0
				}
				return 1
			}
			slices.SortStableFunc(keys, func(a, b string) int { return isList(a) - isList(b) })
			for _, key := range keys {
				if items, ok := v[key].([]any); ok {
					next = append(next, items[:min(len(items), maxValues)]...)
					continue
				}
				next = append(next, v[key])
			}
		case []any:
			next = append(next, v[:min(len(v), maxValues)]...)
		}
	}
	return next
}

func decoded(x *wire.Exchange) (v any, ok bool) {
	v, err := value(x.Response.Body)
	return v, err == nil
}

func value(body []byte) (v any, err error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	err = dec.Decode(&v)
	return v, err
}

// scalar is a value as parameters carry it, if it can be one.
func scalar(v any) []string {
	switch v := v.(type) {
	case string:
		if v != "" && len(v) <= maxText {
			return []string{v}
		}
	case json.Number:
		return []string{v.String()}
	}
	return nil
}
