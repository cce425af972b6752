package document

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// laterKeywords are those of JSON Schema 2020-12 that the Schema Object of OpenAPI
// 3.0 does not have: "Additional properties defined by the JSON Schema specification
// that are not mentioned here are strictly unsupported" (OpenAPI 3.0.3, Schema
// Object). No request and no response can be held against them.
var laterKeywords = []string{
	"const", "prefixItems", "contains", "minContains", "maxContains", "patternProperties", "dependentSchemas", "dependentRequired",
	"propertyNames", "unevaluatedItems", "unevaluatedProperties", "if", "then", "else", "examples", "$defs", "$schema", "$comment", "$id",
	"$anchor", "$dynamicRef", "$dynamicAnchor", "contentMediaType", "contentEncoding", "contentSchema",
}

var laterFields = func() []reflect.StructField {
	var fields []reflect.StructField
	for f := range reflect.TypeFor[openapi3.Schema]().Fields() {
		if slices.Contains(laterKeywords, keywordOf(f)) {
			fields = append(fields, f)
		}
	}
	return fields
}()

// keywordOf returns the keyword that a field of the loader's schema holds.
func keywordOf(f reflect.StructField) string {
	keyword, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return keyword
}

// laterUse says where a document of OpenAPI 3.0 has keywords of later versions.
type laterUse struct {
	first map[string]Place
	count map[string]int
}

// drop takes out of a schema of OpenAPI 3.0 what only 3.1 has, and
// remembers where each keyword was first.
func (l laterUse) drop(s located) {
	v := reflect.ValueOf(s.schema).Elem()
	for _, f := range laterFields {
		value := v.FieldByIndex(f.Index)
		keyword := keywordOf(f)
		if value.IsZero() || keyword == "prefixItems" && s.schema.Extensions[tuple] != nil {
			continue
		}
		value.SetZero()
		if l.count[keyword]++; l.count[keyword] == 1 {
			l.first[keyword] = At(s.schema.Origin, s.pointer, keyword)
		}
	}
}

// dropLaterKeywords takes out of the schemas of OpenAPI 3.0 what only 3.1 has, with
// one warning for each keyword.
func (d *Document) dropLaterKeywords() {
	if d.Version31() {
		return
	}
	l := laterUse{map[string]Place{}, map[string]int{}}
	for _, s := range d.parts.schemas {
		l.drop(s)
	}
	for _, keyword := range sorted(l.first) {
		places := ""
		if n := l.count[keyword]; n > 1 {
			places = " in all " + strconv.Itoa(n) + " schemas that have it"
		}
		d.Warn(l.first[keyword], "OpenAPI 3.0 has no keyword %s; ignored%s", keyword, places)
	}
}
