package codec

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/schema"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// What texts have in common that stand for lists and objects, in parameters and forms.

// readItems reads a list of which each item is one text.
func readItems(a schema.Alternative, pieces []string, plain func(string) string) Reading {
	list := make([]any, len(pieces))
	got := Reading{Value: list, Found: true}
	for i, piece := range pieces {
		item := readItem(a, i, func(nodes schema.Nodes) Reading { return readNested(nodes, plain(piece)) })
		if item.Bad != nil {
			return item.inside(strconv.Itoa(i))
		}
		list[i] = item.Value
		got.left(item.Leave, strconv.Itoa(i))
	}
	return got
}

// readItem reads an item: as one that the list has to contain, if it can be one.
func readItem(a schema.Alternative, i int, read func(schema.Nodes) Reading) Reading {
	if with := a.Containing(i); len(with) > 0 {
		if got := read(with); got.Bad == nil && with.Keeps(got.Value) {
			return got
		}
	}
	return read(a.Item(i))
}

// readFields reads an object of which every member is one text or several.
func readFields(a schema.Alternative, fields map[string][]string) Reading {
	members := make(map[string]any, len(fields))
	got := Reading{Value: members, Found: true}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		one := readField(a.Member(name), fields[name])
		if one.Bad != nil {
			return one.inside(name)
		}
		members[name] = one.Value
		got.left(one.Leave, name)
	}
	return got
}

// readField reads one member: of several texts rather a list, of one rather a text.
func readField(nodes schema.Nodes, texts []string) Reading {
	if len(nodes) == 0 && len(texts) > 1 {
		return readItems(schema.Alternative{}, texts, func(text string) string { return text })
	}
	return best(nodes, func(yield func(Reading) bool) {
		one := func() bool {
			got := readNested(nodes, texts[0])
			if len(texts) > 1 {
				got.Leave = cmp.Or(got.Leave, leaveRepeatedKey)
			}
			return yield(got)
		}
		lists, others := byList(nodes)
		if others && len(texts) == 1 && !one() {
			return
		}
		for _, a := range lists {
			if !yield(readItems(a, texts, func(text string) string { return text })) {
				return
			}
		}
		if others && len(texts) > 1 {
			one()
		}
	})
}

// byList returns the alternatives of schemas that allow a list, and whether something else
// is allowed.
func byList(nodes schema.Nodes) (lists []schema.Alternative, others bool) {
	for _, a := range nodes.Alternatives() {
		shapes := a.Shapes()
		if shapes[0] == schema.Array {
			lists = append(lists, a)
			shapes = shapes[1:]
		}
		others = others || len(shapes) > 0
	}
	return lists, others
}

// readDeep reads an object in the style deepObject.
func readDeep(nodes schema.Nodes, name string, pairs []wire.Param) Reading {
	root := branch{}
	for _, pair := range pairs {
		rest, ok := strings.CutPrefix(pair.Name, name+"[")
		if !ok || !strings.HasSuffix(rest, "]") {
			continue
		}
		keys := strings.Split(strings.TrimSuffix(rest, "]"), "][")
		root.put(keys, wire.Unescape(pair.Value, true))
	}
	if len(root.members) == 0 {
		return Reading{}
	}
	return root.read(nodes)
}

// branch is an object in brackets: texts, or further names.
type branch struct {
	texts   []string
	members map[string]*branch
}

func (b *branch) put(keys []string, v string) {
	if len(keys) == 0 || len(keys) == 1 && keys[0] == "" { // name[] is an item
		b.texts = append(b.texts, v)
		return
	}
	if b.members == nil {
		b.members = map[string]*branch{}
	}
	next := b.members[keys[0]]
	if next == nil {
		next = &branch{}
		b.members[keys[0]] = next
	}
	next.put(keys[1:], v)
}

func (b *branch) read(nodes schema.Nodes) Reading {
	if b.members == nil {
		got := readField(nodes, b.texts)
		if len(b.texts) > 1 {
			got.Leave = cmp.Or(got.Leave, leaveNested)
		}
		return got
	}
	return best(nodes, func(yield func(Reading) bool) {
		for _, a := range nodes.Alternatives() {
			shapes := a.Shapes()
			if shapes[0] == schema.Array {
				if !yield(b.readList(a)) {
					return
				}
				shapes = shapes[1:]
			}
			if len(shapes) > 0 && !yield(b.readObject(a)) {
				return
			}
		}
	})
}

// readList reads name[0], name[1] and so on.
func (b *branch) readList(a schema.Alternative) Reading {
	list := make([]any, 0, len(b.members))
	for i := range len(b.members) {
		step := strconv.Itoa(i)
		member := b.members[step]
		if member == nil {
			return unreadable("")
		}
		item := readItem(a, i, member.read)
		if item.Bad != nil {
			return item.inside(step)
		}
		list = append(list, item.Value)
	}
	return Reading{Value: list, Found: true, Leave: leaveNested}
}

func (b *branch) readObject(a schema.Alternative) Reading {
	members := make(map[string]any, len(b.members))
	got := Reading{Value: members, Found: true}
	for _, name := range slices.Sorted(maps.Keys(b.members)) {
		further := b.members[name].members != nil
		member := b.members[name].read(a.Member(name))
		if member.Bad != nil {
			if further {
				member.Spare = leaveInNested
			}
			return member.inside(name)
		}
		members[name] = member.Value
		if further {
			got.left(leaveNested, name)
		}
		got.left(member.Leave, append([]string{name}, member.At...)...)
	}
	return got
}
