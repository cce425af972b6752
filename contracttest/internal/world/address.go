package world

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// addresses are how members are called whose value may be where the object that has them stands, as
// plain names: the resource names of Google's APIs ("name": "folders/7"), the links of HAL, JSON:API
// and other hypermedia formats to the object itself, the identifiers of JSON-LD and of OData.
var addresses = []string{"self", "selflink", "selfurl", "href", "uri", "url", "resourcename", "name", "@id", "@odata.id", "@odata.editlink"}

// Addressed reads the value of the parameter that the path of an item ends with out of an address
// that an object has of itself; empty where it has none.
func Addressed(members map[string]any, item string) string {
	for _, name := range addresses {
		for _, key := range slices.Sorted(maps.Keys(members)) {
			if text, ok := members[key].(string); ok && Plain(key) == name {
				if id := identifierOf(text, item); id != "" {
					return id
				}
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(members)) {
		if name := Plain(key); name == "links" || name == "self" {
			if id := linked(members[key], item); id != "" {
				return id
			}
		}
	}
	return ""
}

// linked reads the identifier out of the link to the object itself: {"self": {"href": "…"}},
// {"self": "…"}, [{"rel": "self", "href": "…"}] or {"href": "…"}.
func linked(links any, item string) string {
	switch v := links.(type) {
	case map[string]any:
		if self, ok := v["self"]; ok {
			if text, ok := self.(string); ok {
				return identifierOf(text, item)
			}
			return linked(self, item)
		}
		text, _ := v["href"].(string)
		return identifierOf(text, item)
	case []any:
		for _, one := range v {
			if link, _ := one.(map[string]any); link["rel"] == "self" {
				return linked(link, item)
			}
		}
	}
	return ""
}

// identifierOf reads what an address has in the place of the last parameter of a path template. The
// address may be absolute, stand under the path of the server, or begin in the midst of the template;
// the name of the collection is in it.
func identifierOf(address, item string) string {
	if !strings.Contains(address, "/") {
		return ""
	}
	address, _, _ = strings.Cut(address, "{") // the variables of a link that is a template
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	there, template := backwards(u.EscapedPath()), backwards(item)
	if len(there) < 2 || len(template) < 2 || strings.Contains(template[1], "{") {
		return ""
	}
	for i := range min(len(there), len(template)) {
		if open := strings.HasPrefix(template[i], "{") && strings.HasSuffix(template[i], "}"); there[i] == "" || !open && there[i] != template[i] {
			return ""
		}
	}
	id, err := url.PathUnescape(there[0])
	if err != nil || len(id) > maxText {
		return ""
	}
	return id
}

// backwards are the segments of a path, the last one first.
func backwards(path string) []string {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	slices.Reverse(segments)
	return segments
}

// addressed lists the identifiers of what is in some values, as near the top as there are any, by
// the addresses that they have of themselves.
func addressed(v any, item string) []string {
	level := []any{v}
	for range maxLevels {
		var found []string
		for _, one := range level {
			if members, ok := one.(map[string]any); ok && len(found) < maxValues {
				if id := Addressed(members, item); id != "" {
					found = append(found, id)
				}
			}
		}
		if len(found) > 0 {
			return found
		}
		level = below(level)
	}
	return nil
}
