package schema

import (
	"encoding/json"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

// verdicts remember which lists and objects keep which schemas of a document. The
// places at which a schema stands are each planned with the same values: in a oneOf of
// 18 branches, of which three contain the whole again, a list of a thousand items is
// judged against every branch at dozens of places. The zero value is ready for use.
type verdicts struct {
	mu   sync.Mutex
	seed [2]maphash.Seed
	all  map[judged]bool
}

// judged is a value by its fingerprint, and what it is judged by.
type judged struct {
	schema *openapi3.Schema
	side   Side
	value  [2]uint64
}

// maxVerdicts bounds how many are held, of some 50 bytes each.
const maxVerdicts = 1 << 18

// Keeps reports whether a value, as a decoder returns it, is valid against the node's
// schema, as Validates does, and remembers it: for values that are asked about often.
func (n *Node) Keeps(v any) bool {
	vs := &n.set.verdicts
	switch v.(type) {
	case []any, map[string]any:
	default:
		return n.Validates(v) == nil
	}
	text, ok := appendText(nil, v)
	if !ok {
		return n.Validates(v) == nil
	}
	key := judged{schema: n.Schema, side: n.Side()}
	vs.mu.Lock()
	if vs.all == nil {
		vs.all, vs.seed = map[judged]bool{}, [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	}
	for i, seed := range vs.seed {
		key.value[i] = maphash.Bytes(seed, text)
	}
	kept, known := vs.all[key]
	vs.mu.Unlock()
	if known {
		return kept
	}
	kept = n.Validates(v) == nil
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if len(vs.all) >= maxVerdicts {
		clear(vs.all)
	}
	vs.all[key] = kept
	return kept
}

// appendText writes a value so that two that differ have two texts; ok is false for
// what no decoder returns.
func appendText(b []byte, v any) (_ []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return append(b, 'z'), true
	case bool:
		return strconv.AppendBool(b, v), true
	case string:
		b = append(strconv.AppendInt(append(b, 's'), int64(len(v)), 10), ':')
		return append(b, v...), true
	case json.Number:
		return append(append(append(b, 'n'), v...), ';'), true
	case []any:
		b = append(strconv.AppendInt(append(b, 'a'), int64(len(v)), 10), ':')
		for _, item := range v {
			if b, ok = appendText(b, item); !ok {
				return b, false
			}
		}
		return b, true
	case map[string]any:
		b = append(strconv.AppendInt(append(b, 'o'), int64(len(v)), 10), ':')
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b, _ = appendText(b, name)
			if b, ok = appendText(b, v[name]); !ok {
				return b, false
			}
		}
		return b, true
	}
	return b, false
}
