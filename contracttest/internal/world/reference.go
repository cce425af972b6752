package world

import (
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// Reference is a property of an operation's body, or a parameter of its query, that
// is named after the identifier of what other operations make: customerId where there
// is POST /customers.
type Reference struct {
	Name    string
	Node    *contract.Node
	Sources []Source // that make it
}

// References lists what an operation refers to beside its path, each name once. Only
// what the run itself can make is among them: a request may change what it refers to.
func (w *World) References(op *contract.Operation) []Reference {
	var all []Reference
	add := func(name string, n *contract.Node) {
		if slices.ContainsFunc(all, func(r Reference) bool { return r.Name == name }) || n.Schema == nil || len(n.Schema.Enum) > 0 || n.Schema.Const != nil {
			return
		}
		if sources := w.makersOf(op, name); len(sources) > 0 {
			all = append(all, Reference{name, n, sources})
		}
	}
	for _, p := range op.Params {
		if p.Spec.In == openapi3.ParameterInQuery && !p.Credential {
			add(p.Spec.Name, p.Node)
		}
	}
	if op.Body == nil {
		return all
	}
	for _, m := range op.Body.Media {
		m.Node.Walk(func(n *contract.Node) {
			if n.PropName != "" {
				add(n.PropName, n)
			}
		})
	}
	return all
}

// fewLetters is how long the name of a resource is at least that another name may end with,
// as billingCustomerId does.
const fewLetters = 4

// makersOf lists the operations that make what a name is the identifier of.
func (w *World) makersOf(op *contract.Operation, name string) []Source {
	one := name
	if many := Plain(name); strings.HasSuffix(many, "ids") || strings.HasSuffix(many, "uuids") {
		one = name[:len(name)-1]
	}
	if lower := Plain(one); lower == "id" || lower == "uuid" {
		return nil // its own
	}
	stem := stemOf(one, "")
	if stem == "" {
		return nil
	}
	var all []Source
	for _, s := range w.contract.Operations {
		if s == op || s.Method != http.MethodPost || strings.Contains(s.Path, "{") || !w.Creates(s) {
			continue
		}
		named := slices.ContainsFunc(about(s), func(resource string) bool {
			return stem == resource || len(resource) >= fewLetters && strings.HasSuffix(stem, resource)
		})
		if !named {
			continue
		}
		all = append(all, Source{s, Named, func(x *wire.Exchange) []string {
			var found []string
			if made := w.items[s]; made.param != nil {
				found = located(x, made.op, made.param.Spec.Name)
			}
			return slices.Concat(found, within(x, one, "id", "uuid"))
		}})
	}
	return all[:min(len(all), maxSources)]
}
