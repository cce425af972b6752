package contract

import (
	"net/http"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/internal/mediatype"
)

// leavePatch is why a patch may be refused that keeps its schema.
const leavePatch = "RFC 6902 §4, §5: an operation on what the resource does not have is an error, whatever the schema of the patch says"

// Patch is a kind of body that changes some of a resource.
type Patch int

// The kinds.
const (
	NoPatch    Patch = iota
	JSONPatch        // RFC 6902
	MergePatch       // RFC 7396
)

// Patches tells which kind of patch a media type is.
func (m *Media) Patches() Patch {
	t, err := mediatype.Parse(m.Key)
	switch {
	case err != nil || t.Type != "application":
	case t.Subtype == "json-patch+json":
		return JSONPatch
	case t.Subtype == "merge-patch+json":
		return MergePatch
	}
	return NoPatch
}

// Changeable returns a member of the resource on the operation's path that others change or create
// too, as they describe it: one that is seldom unique before others. required is set where each
// resource has it. It is nil where the document shows none.
func (op *Operation) Changeable() (member *Node, required bool) {
	var read, written *Node
	above := op.Path[:strings.LastIndexByte(strings.TrimSuffix(op.Path, "/"), '/')+1]
	for _, other := range op.Contract.Operations {
		switch {
		case other.Path == op.Path && other.Method == http.MethodGet:
			if r := other.Response(http.StatusOK); r != nil {
				read = jsonNode(r.Media)
			}
		case other.Body == nil:
		case other.Path == op.Path && other.Method == http.MethodPut,
			written == nil && other.Method == http.MethodPost && strings.TrimSuffix(other.Path, "/")+"/" == above:
			written = jsonNode(other.Body.Media)
		}
	}
	if read == nil {
		return nil, false
	}
	members := read.Members()
	if written != nil {
		members = written.Members()
	}
	plain := func(n *Node) int {
		return slices.IndexFunc([]bool{
			n.Allows("boolean"), len(n.Schema.Enum) > 1, n.Allows("integer"), n.Allows("string") && n.Schema.Format == "",
		}, func(is bool) bool { return is })
	}
	best := -1
	for _, n := range members {
		shown := read.Prop(n.PropName)
		if shown == nil || n.Schema.ReadOnly || shown.Schema.ReadOnly || n.Schema.WriteOnly || len(n.Types()) != 1 || plain(n) < 0 || isIdentifier(n.PropName) {
			continue
		}
		if best < 0 || plain(n) < best {
			member, best, required = n, plain(n), read.Requires(n.PropName)
		}
	}
	return member, required
}

// isIdentifier reports whether a member is named as what tells resources apart.
func isIdentifier(name string) bool {
	name = strings.ToLower(name)
	return name == "id" || strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "uuid")
}

// jsonNode is the schema of JSON among some media types, or nil.
func jsonNode(all []*Media) *Node {
	for _, m := range all {
		if m.Syntax != nil && m.Patches() == NoPatch && m.Node != nil && strings.Contains(m.Key, "json") {
			return m.Node
		}
	}
	return nil
}
