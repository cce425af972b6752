package mock

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/codec"
	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/value"
)

// Data is what a mock begins with: the resources of collections, by their paths.
type Data map[string][]map[string]any

// ReadData reads the data of a mock, a JSON object such as {"/pets": [{"id": 1, "name": "Rex"}]}, and
// holds it against the contract.
func ReadData(c *contract.Contract, text []byte) (Data, error) {
	v, err := codec.DecodeJSON(text)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	paths, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New(`data: want an object of lists, as {"/pets": [{"id": 1}]}`)
	}
	data := Data{}
	for path, items := range paths {
		list, ok := items.([]any)
		if !ok {
			return nil, fmt.Errorf("data: %s: want a list", path)
		}
		data[path] = []map[string]any{}
		for i, item := range list {
			members, ok := item.(map[string]any)
			if !ok {
				return nil, fmt.Errorf("data: %s: item %d: want an object", path, i+1)
			}
			data[path] = append(data[path], members)
		}
	}
	s := New(c, Options{})
	return data, s.fill(data)
}

// fill puts data in the place of what a mock begins with by itself.
func (s *Server) fill(data Data) error {
	for _, k := range s.state.kinds {
		for _, r := range slices.Clone(k.all) {
			s.state.remove(r)
		}
	}
	// What stands below another comes after it.
	for _, path := range slices.SortedFunc(maps.Keys(data), func(a, b string) int { return strings.Count(a, "/") - strings.Count(b, "/") }) {
		kinds, values := s.at(path)
		if len(kinds) == 0 {
			return fmt.Errorf("data: %s: the document has no collection here whose items can be made", path)
		}
		for i, object := range data[path] {
			if err := s.begin(kinds, values, object, true); err != nil {
				return fmt.Errorf("data: %s: item %d: %w", path, i+1, err)
			}
		}
	}
	return nil
}

// at returns the kinds that are made at a path, and the values in it.
func (s *Server) at(path string) ([]*kind, map[string]string) {
	for _, op := range s.contract.At(path) {
		if makes := s.state.roles[op.Index].makes; len(makes) > 0 {
			return makes, turn{Server: s, op: op}.pathValues(path)
		}
	}
	return nil, nil
}

// begin enters a resource that is there from the beginning. One whose identifier there is already is
// passed over.
func (s *Server) begin(kinds []*kind, values map[string]string, object map[string]any, strict bool) error {
	k := kinds[0]
	t := turn{Server: s, op: k.Make}
	shapes := t.shapes(k)
	r := &resource{values: maps.Clone(values)}
	if r.values == nil {
		r.values = map[string]string{}
	}
	id, given := t.identifier(k, object)
	for _, of := range kinds {
		r.values[of.Param.Spec.Name] = codec.WriteText(id)
	}
	if given && k.find(r.values) != nil {
		return nil
	}
	r.object = maps.Clone(object)
	if !given {
		for _, sh := range shapes {
			if p := member(sh.node, k.names()); p != nil {
				r.object[p.PropName] = typed(p, id)
			}
		}
	}
	if strict && len(shapes) > 0 && shapes[0].project(r.object) == nil {
		if broken := shapes[0].node.Check(normal(r.object), ""); len(broken) > 0 {
			return errors.New(broken[0].Message)
		}
	}
	s.state.enter(kinds, r)
	return nil
}

// seed makes what a mock begins with where no data is given: of each kind that stands below no other
// what the document shows of it in its examples, and one resource at least.
func (s *Server) seed() {
	done := map[*contract.Operation]bool{}
	for _, k := range s.state.kinds {
		if k.Parent != nil || k.Part() || done[k.Make] {
			continue
		}
		done[k.Make] = true
		kinds := s.state.roles[k.Make.Index].makes
		t := turn{Server: s, op: k.Make}
		for _, of := range []*contract.Operation{k.Read, k.List} {
			for _, object := range t.exampled(k, of) {
				_ = s.begin(kinds, nil, object, false) // only data that is given is refused
			}
		}
		if shapes := t.shapes(k); len(k.all) == 0 && len(shapes) > 0 && (k.Read != nil || k.List != nil) {
			_ = s.begin(kinds, nil, shapes[0].made, false)
		}
	}
}

// exampled lists the resources in the valid examples of an operation's answers.
func (t turn) exampled(k *kind, op *contract.Operation) []map[string]any {
	if op == nil {
		return nil
	}
	var all []map[string]any
	for _, status := range successes(op) {
		doc := op.Response(status)
		if doc == nil || status/100 != 2 || len(doc.Media) == 0 || doc.Media[0].Node == nil {
			continue
		}
		m := doc.Media[0]
		at := shownAt(m.Node, k.names(), op == k.List)
		for _, v := range examples(m.Spec.Example, m.Spec.Examples) {
			v = normal(v)
			if at == nil || m.Node.Validates(v) != nil {
				continue
			}
			m.Node.Visit(v, func(n *schema.Node, v any, _ []string) bool {
				if members, ok := v.(map[string]any); ok && n == at {
					all = append(all, members)
				}
				return true
			})
		}
		if len(all) == 0 && op == k.List && at != nil { // those of the list's schema
			t.answers.with(func(maker *value.Maker) {
				if m.Node.Schema.Example == nil {
					return
				}
				if g, err := maker.Good(m.Node); err == nil {
					m.Node.Visit(value.Plain(g.V), func(n *schema.Node, v any, _ []string) bool {
						if members, ok := v.(map[string]any); ok && n == at {
							all = append(all, members)
						}
						return true
					})
				}
			})
		}
	}
	return all
}
