package mock

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
)

// Bounds of a JSON Patch: what is copied may be copied again, and moved deeper each time.
const (
	maxChanges = 1000
	maxSteps   = 100     // of a pointer
	maxCopied  = maxBody // bytes of JSON
)

// errPatch is why a JSON Patch cannot be applied.
var errPatch = errors.New("the patch cannot be applied")

// patched is a value after a JSON Patch (RFC 6902), all of it or nothing. The value itself stays as
// it is.
func patched(v any, changes []any) (any, error) {
	if len(changes) > maxChanges {
		return nil, fmt.Errorf("%w: it has more than %d operations", errPatch, maxChanges)
	}
	copied := 0
	for i, change := range changes {
		members, _ := change.(map[string]any)
		var err error
		if v, err = applied(v, members, &copied); err != nil {
			return nil, fmt.Errorf("%w: operation %d: %w", errPatch, i, err)
		}
	}
	return v, nil
}

var (
	errNotThere = errors.New("there is nothing at its path")
	errUnread   = errors.New("it is none of RFC 6902")
)

func applied(v any, change map[string]any, copied *int) (any, error) {
	op, _ := change["op"].(string)
	value, hasValue := change["value"]
	path, ok := steps(change["path"])
	if !ok || !hasValue && (op == "add" || op == "replace" || op == "test") {
		return nil, errUnread
	}
	from, ok := steps(change["from"])
	if !ok && (op == "move" || op == "copy") {
		return nil, errUnread
	}
	switch op {
	case "add":
		return with(v, path, value, true)
	case "replace":
		return with(v, path, value, false)
	case "remove":
		return without(v, path)
	case "test":
		if there, ok := at(v, path); !ok || !alike(there, value) {
			return nil, errors.New("the test fails")
		}
		return v, nil
	case "move", "copy":
		moved, ok := at(v, from)
		switch {
		case !ok:
			return nil, errNotThere
		case op == "move" && slices.Equal(from, path):
			return v, nil
		case op == "move" && len(from) < len(path) && slices.Equal(from, path[:len(from)]):
			return nil, errors.New("it moves a value into itself")
		case op == "copy":
			text, err := codec.WriteJSON(moved)
			if *copied += len(text); err != nil || *copied > maxCopied {
				return nil, errors.New("it copies too much")
			}
			return with(v, path, moved, true)
		}
		rest, err := without(v, from)
		if err != nil {
			return nil, err
		}
		return with(rest, path, moved, true)
	}
	return nil, errUnread
}

// steps takes a JSON pointer apart (RFC 6901).
func steps(pointer any) ([]string, bool) {
	text, isText := pointer.(string)
	switch {
	case !isText, text != "" && text[0] != '/', strings.Count(text, "/") > maxSteps:
		return nil, false
	case text == "":
		return nil, true
	}
	all := strings.Split(text[1:], "/")
	for i, step := range all {
		all[i] = strings.ReplaceAll(strings.ReplaceAll(step, "~1", "/"), "~0", "~")
	}
	return all, true
}

// at is the value at a path.
func at(v any, path []string) (any, bool) {
	for _, step := range path {
		switch in := v.(type) {
		case map[string]any:
			member, there := in[step]
			if !there {
				return nil, false
			}
			v = member
		case []any:
			i, ok := index(step, len(in)-1)
			if !ok {
				return nil, false
			}
			v = in[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// index reads the place of an item, up to the last that may be.
func index(step string, last int) (int, bool) {
	i, err := strconv.ParseUint(step, 10, 31)
	return int(i), err == nil && int(i) <= last && (step == "0" || step[0] != '0')
}

// with is a value with another one at a path: beside what is there, or in its place.
func with(v any, path []string, value any, add bool) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	step, rest := path[0], path[1:]
	switch in := v.(type) {
	case map[string]any:
		was, there := in[step]
		if !there && (len(rest) > 0 || !add) {
			return nil, errNotThere
		}
		now, err := with(was, rest, value, add)
		out := maps.Clone(in)
		out[step] = now
		return out, err
	case []any:
		if add && len(rest) == 0 {
			i, ok := index(step, len(in))
			if step == "-" {
				i, ok = len(in), true
			}
			if !ok {
				return nil, errNotThere
			}
			return slices.Insert(slices.Clone(in), i, value), nil
		}
		i, ok := index(step, len(in)-1)
		if !ok {
			return nil, errNotThere
		}
		now, err := with(in[i], rest, value, add)
		out := slices.Clone(in)
		out[i] = now
		return out, err
	}
	return nil, errNotThere
}

// without is a value without what is at a path.
func without(v any, path []string) (any, error) {
	if len(path) == 0 {
		return nil, errors.New("it removes the resource")
	}
	within, last := path[:len(path)-1], path[len(path)-1]
	around, _ := at(v, within)
	switch in := around.(type) {
	case map[string]any:
		if _, there := in[last]; !there {
			return nil, errNotThere
		}
		out := maps.Clone(in)
		delete(out, last)
		return with(v, within, out, false)
	case []any:
		i, ok := index(last, len(in)-1)
		if !ok {
			return nil, errNotThere
		}
		return with(v, within, slices.Delete(slices.Clone(in), i, i+1), false)
	}
	return nil, errNotThere
}

// alike compares two values: numbers by what they are, objects whatever their order (RFC 6902 §4.6).
func alike(v, w any) bool {
	switch v := v.(type) {
	case json.Number:
		w, isNumber := w.(json.Number)
		if !isNumber || v == w {
			return isNumber
		}
		if strings.ContainsAny(string(v)+string(w), "eE") { // which might take long to write out
			return false
		}
		n, okay := new(big.Rat).SetString(string(v))
		m, ok := new(big.Rat).SetString(string(w))
		return okay && ok && n.Cmp(m) == 0
	case []any:
		w, ok := w.([]any)
		return ok && slices.EqualFunc(v, w, alike)
	case map[string]any:
		w, ok := w.(map[string]any)
		return ok && maps.EqualFunc(v, w, alike)
	}
	switch w.(type) {
	case []any, map[string]any:
		return false
	}
	return v == w
}
