package document

import "go.yaml.in/yaml/v3"

// A merge key of YAML stands for the members of other mappings, where the mapping
// itself has none of the name, and an earlier mapping counts for more than a later
// one (https://yaml.org/type/merge.html):
//
//	base: &base {type: string, maxLength: 3}
//	code: {<<: *base, maxLength: 5}   # {maxLength: 5, type: string}

const mergeTag = "!!merge"

// merger replaces the merge keys of a document.
type merger struct {
	done map[*yaml.Node]bool
	left int // members that may still be added
}

func expandMergeKeys(root *yaml.Node) error {
	m := &merger{done: map[*yaml.Node]bool{}, left: maxYAML}
	m.expand(root)
	if m.left < 0 {
		return errAliases
	}
	return nil
}

func (m *merger) expand(n *yaml.Node) {
	n = resolved(n)
	if m.done[n] || m.left < 0 {
		return
	}
	m.done[n] = true // what merges itself has nothing to add
	for _, child := range n.Content {
		m.expand(child)
	}
	if n.Kind != yaml.MappingNode || !hasMergeKey(n) {
		return
	}
	names := map[string]bool{}
	var own, merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i]; key.Tag == mergeTag {
			merged = append(merged, n.Content[i+1])
		} else {
			names[key.Value] = true
			own = append(own, key, n.Content[i+1])
		}
	}
	for _, source := range merged {
		own = append(own, m.members(resolved(source), names)...)
	}
	n.Content = own
}

func hasMergeKey(n *yaml.Node) bool {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Tag == mergeTag {
			return true
		}
	}
	return false
}

// members returns those members of a mapping, or of a list of mappings, whose
// names are not taken, and takes them.
func (m *merger) members(source *yaml.Node, names map[string]bool) []*yaml.Node {
	var all []*yaml.Node
	switch source.Kind {
	case yaml.SequenceNode:
		for _, item := range source.Content {
			all = append(all, m.members(resolved(item), names)...)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(source.Content) && m.left >= 0; i += 2 {
			if key := source.Content[i]; key.Tag != mergeTag && !names[key.Value] {
				names[key.Value] = true
				m.left--
				all = append(all, key, source.Content[i+1])
			}
		}
	}
	return all
}
