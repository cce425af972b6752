package codec

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// Part is one part of a multipart body.
type Part struct {
	Name string
	// Value is what the part stands for: a RawText where only its schema says.
	Value any
}

// RawText is the text of a part that is read as its schema has it.
type RawText string

// ReadParts reads the value of a multipart body from its parts: each part is a member, or
// an item of one that is a list (RFC 7578 §4.3).
func ReadParts(node *schema.Node, parts []Part) Reading {
	nodes := schema.Nodes{node}
	var names []string
	values := map[string][]any{}
	for _, p := range parts {
		if _, ok := values[p.Name]; !ok {
			names = append(names, p.Name)
		}
		values[p.Name] = append(values[p.Name], p.Value)
	}
	return best(nodes, func(yield func(Reading) bool) {
		for _, a := range nodes.Alternatives() {
			members := map[string]any{}
			got := Reading{Value: members, Found: true}
			for _, name := range names {
				one := readMember(a.Member(name), values[name])
				if one.Bad != nil {
					got = one.inside(name)
					break
				}
				members[name] = one.Value
				got.left(one.Leave, name)
			}
			if !yield(got) {
				return
			}
		}
	})
}

// readMember reads the parts of one member.
func readMember(nodes schema.Nodes, parts []any) Reading {
	return best(nodes, func(yield func(Reading) bool) {
		lists, others := byList(nodes)
		if len(nodes) == 0 && len(parts) > 1 {
			lists, others = []schema.Alternative{{}}, false
		}
		one := func() bool {
			got := readPart(nodes, parts[0])
			if len(parts) > 1 {
				got.Leave = cmp.Or(got.Leave, leaveRepeatedKey)
			}
			return yield(got)
		}
		if others && len(parts) == 1 && !one() {
			return
		}
		for _, a := range lists {
			if !yield(readPartsOfList(a, parts)) {
				return
			}
		}
		if others && len(parts) > 1 {
			one()
		}
	})
}

func readPartsOfList(a schema.Alternative, parts []any) Reading {
	if list, whole := parts[0].([]any); whole && len(parts) == 1 {
		return Reading{Value: list, Found: true, Leave: leaveNested}
	}
	list := make([]any, len(parts))
	got := Reading{Value: list, Found: true}
	for i, part := range parts {
		nodes := a.Item(i)
		item := readPart(nodes, part)
		if with := slices.Concat(nodes, a.Contained()); len(with) > len(nodes) {
			if contained := readPart(with, part); contained.Bad == nil && with.Keeps(contained.Value) {
				item = contained
			}
		}
		if item.Bad != nil {
			return item.inside(strconv.Itoa(i))
		}
		list[i] = item.Value
		got.left(item.Leave, strconv.Itoa(i))
	}
	return got
}

func readPart(nodes schema.Nodes, v any) Reading {
	if text, isText := v.(RawText); isText {
		return readNested(nodes, string(text))
	}
	return Reading{Value: v, Found: true}
}
