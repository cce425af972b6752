package world

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
)

// Plain makes bookId, book_id and BookID the same name.
func Plain(name string) string { return strings.ToLower(joined.Replace(name)) }

var joined = strings.NewReplacer("_", "", "-", "")

// Unnamed is a path template whatever its parameters are called: /teams/{id} is what
// /teams/{teamId}/notes stands below.
func Unnamed(path string) string {
	return parameters.ReplaceAllString(strings.TrimSuffix(path, "/"), "{}")
}

var parameters = regexp.MustCompile(`\{[^{}]*\}`)

// stemOf returns what a parameter is the identifier of, as a plain name: pet for
// petId, pet_id and petUUID, and for {id} below /pets. It is empty where the name
// does not say so.
func stemOf(name, collection string) string {
	lower := Plain(name)
	if lower == "id" || lower == "uuid" {
		return Singular(lastSegment(collection))
	}
	for _, suffix := range []string{"uuid", "id"} {
		if stem, ok := strings.CutSuffix(lower, suffix); ok && stem != "" {
			return stem
		}
	}
	return ""
}

// Identifiers lists how a path parameter may be named in what stands in a collection: key for
// {noteKey} below /notes.
func Identifiers(name, collection string) []string {
	names := []string{Plain(name)}
	if rest, ok := strings.CutPrefix(Plain(name), Singular(lastSegment(collection))); ok && rest != "" {
		names = append(names, rest)
	}
	for _, usual := range []string{"id", "uuid"} {
		if !slices.Contains(names, usual) {
			names = append(names, usual)
		}
	}
	return names
}

// lastSegment returns the last literal segment of a path.
func lastSegment(p string) string {
	segments := strings.Split(strings.Trim(p, "/"), "/")
	slices.Reverse(segments)
	for _, s := range segments {
		if s != "" && !strings.Contains(s, "{") {
			return s
		}
	}
	return ""
}

// Singular is the plain name of one of many: category for categories.
func Singular(name string) string {
	name = Plain(name)
	for _, end := range []struct{ many, one string }{{"ies", "y"}, {"sses", "ss"}, {"xes", "x"}, {"ches", "ch"}, {"shes", "sh"}, {"ss", "ss"}, {"s", ""}} {
		if stem, ok := strings.CutSuffix(name, end.many); ok && stem != "" {
			return stem + end.one
		}
	}
	return name
}

// schemaName is the plain name of what a schema describes: pet for PetOut.
func schemaName(ref string) string {
	name := Plain(path.Base(ref))
	for _, suffix := range []string{"response", "output", "out", "dto", "read", "list", "view", "model"} {
		if stem, ok := strings.CutSuffix(name, suffix); ok && stem != "" {
			name = stem
		}
	}
	return name
}

// properties calls f for each property that a success of the operation may have.
func properties(op *contract.Operation, f func(*contract.Node)) {
	for _, r := range op.Responses {
		if r.Key[0] != '2' {
			continue
		}
		for _, m := range r.Media {
			m.Node.Walk(func(n *contract.Node) {
				if n.PropName != "" {
					f(n)
				}
			})
		}
	}
}
