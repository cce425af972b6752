package contracttest_test

import (
	"maps"
	"slices"
)

// object and array are JSON, as schemas, documents and values are written here.
type (
	object = map[string]any
	array  = []any
)

// An applicator is a keyword that applies schemas to a value or to what is in it,
// in a schema whose assertion is about something that is no string: a text is read
// rightly only by the schema that speaks of it.
type applicator struct {
	name   string
	shape  string // of the value: scalar, array or object
	schema object
	// components are the schemas that the schema refers to, by name.
	components object
	keep       any // keeps the schema
	breaks     any // breaks it, in any reading of its texts
	// at is where the applicator stands, as clause names have it below the value,
	// and says is the clause there or further down that speaks of the value.
	at, says string
}

// A shape is a kind of value, with schemas for it.
type shape struct {
	name string
	// number takes kept and not broken; word takes keptWord and neither of the others.
	number, word       object
	kept, broken       any
	keptWord, badWord  any
	says, wordSays     string // where the assertions of number and word stand
	base, bound, under object // of number: the type, the assertion, and what the broken value alone keeps
}

var shapes = []shape{
	{
		name:   "scalar",
		number: object{"type": "integer", "minimum": 3}, kept: 5, broken: 1, says: "minimum",
		word: object{"type": "string", "pattern": "^[a-z]{2}$"}, keptWord: "ab", badWord: "abc", wordSays: "pattern",
		base: object{"type": "integer"}, bound: object{"minimum": 3}, under: object{"maximum": 2},
	},
	{
		name:   "array",
		number: arrayOf(object{"type": "integer", "minimum": 3}), kept: array{5, 6}, broken: array{1, 2}, says: "items/minimum",
		word: arrayOf(object{"type": "string", "pattern": "^[a-z]{2}$"}), keptWord: array{"ab", "cd"}, badWord: array{"abc", "cde"}, wordSays: "items/pattern",
		base: arrayOf(object{"type": "integer"}), bound: object{"items": object{"minimum": 3}}, under: object{"items": object{"maximum": 2}},
	},
	{
		name:   "object",
		number: objectOf(object{"type": "integer", "minimum": 3}), kept: object{"n": 5}, broken: object{"n": 1}, says: "n/minimum",
		word: objectOf(object{"type": "string", "pattern": "^[a-z]{2}$"}), keptWord: object{"n": "ab"}, badWord: object{"n": "abc"}, wordSays: "n/pattern",
		base: objectOf(object{"type": "integer"}), bound: object{"properties": object{"n": object{"minimum": 3}}}, under: object{"properties": object{"n": object{"maximum": 2}}},
	},
}

// arrayOf is a short list: one without a bound is planned with many items, too.
func arrayOf(items object) object { return object{"type": "array", "items": items, "maxItems": 3} }

func objectOf(n object) object {
	return object{"type": "object", "required": array{"n"}, "properties": object{"n": n}}
}

// and is a schema with more keywords.
func and(schema, more object) object {
	all := maps.Clone(schema)
	maps.Copy(all, more)
	return all
}

// applicators are all of them: those that apply to the value itself with values of
// every shape, those of arrays and objects with values of that shape.
func applicators() []applicator {
	var all []applicator
	for _, s := range shapes {
		all = append(all, s.inPlace()...)
	}
	return slices.Concat(all, ofObjects, ofArrays)
}

// inPlace are the applicators whose schemas are about the value itself.
func (s shape) inPlace() []applicator {
	number := func(name string, schema object, at string) applicator {
		return applicator{name: name, shape: s.name, schema: schema, keep: s.kept, breaks: s.broken, at: at, says: s.says}
	}
	word := func(name string, schema object, at string) applicator {
		return applicator{name: name, shape: s.name, schema: schema, keep: s.keptWord, breaks: s.badWord, at: at, says: s.wordSays}
	}
	ref := func(name, keyword, to string, beside, component object) applicator {
		a := number(name, and(object{keyword: to}, beside), "")
		a.components = object{"Other": component}
		return a
	}
	not := number("not", and(s.base, object{"not": s.under}), "not")
	not.says = "not"
	return []applicator{
		number("allOf-0", object{"allOf": array{s.number, s.base}}, "allOf/0"),
		number("allOf-1", object{"allOf": array{s.base, s.bound}}, "allOf/1"),
		number("anyOf-0", object{"anyOf": array{s.number, s.word}}, "anyOf"),
		word("anyOf-1", object{"anyOf": array{s.number, s.word}}, "anyOf"),
		number("oneOf-0", object{"oneOf": array{s.number, s.word}}, "oneOf"),
		word("oneOf-1", object{"oneOf": array{s.number, s.word}}, "oneOf"),
		number("then", object{"if": s.base, "then": s.bound, "else": s.word}, "then"),
		word("else", object{"if": s.base, "then": s.bound, "else": s.word}, "else"),
		not,
		ref("$ref", "$ref", "#/components/schemas/Other", nil, s.number),
		ref("$ref-with-siblings", "$ref", "#/components/schemas/Other", s.bound, s.base),
		ref("$dynamicRef", "$dynamicRef", "#other", nil, and(s.number, object{"$dynamicAnchor": "other"})),
	}
}

var (
	aNumber = object{"type": "integer", "minimum": 3}
	aWord   = object{"type": "string", "pattern": "^[a-z]{2}$"}
)

// ofObjects are the applicators that apply to what is in an object.
var ofObjects = []applicator{
	{
		name: "properties", shape: "object", schema: object{"type": "object", "properties": object{"n": aNumber}},
		keep: object{"n": 5}, breaks: object{"n": 1}, at: "n", says: "minimum",
	},
	{
		name: "additionalProperties", shape: "object", schema: object{"type": "object", "properties": object{"w": aWord}, "additionalProperties": aNumber},
		keep: object{"n": 5, "w": "ab"}, breaks: object{"n": 1, "w": "ab"}, at: "additionalProperties", says: "minimum",
	},
	{
		name: "patternProperties", shape: "object", schema: object{"type": "object", "patternProperties": object{"^n": aNumber}},
		keep: object{"n1": 5}, breaks: object{"n1": 1}, at: "patternProperties/^n", says: "minimum",
	},
	{
		name: "unevaluatedProperties", shape: "object",
		schema: object{"type": "object", "allOf": array{object{"properties": object{"w": aWord}}}, "unevaluatedProperties": aNumber},
		keep:   object{"n": 5, "w": "ab"}, breaks: object{"n": 1, "w": "ab"}, at: "unevaluatedProperties", says: "minimum",
	},
	{
		name: "dependentSchemas", shape: "object",
		schema: object{"type": "object", "dependentSchemas": object{"w": object{"properties": object{"n": aNumber}}}},
		keep:   object{"n": 5, "w": "ab"}, breaks: object{"n": 1, "w": "ab"}, at: "dependentSchemas/w", says: "n/minimum",
	},
	{
		name: "propertyNames", shape: "object",
		schema: object{"type": "object", "propertyNames": object{"pattern": "^n"}, "additionalProperties": object{"type": "integer"}},
		keep:   object{"n1": 5}, breaks: object{"m1": 5}, at: "propertyNames", says: "propertyNames",
	},
	{
		name: "then-of-required", shape: "object",
		schema: object{"type": "object", "if": object{"required": array{"n"}}, "then": object{"properties": object{"n": aNumber}}},
		keep:   object{"n": 5}, breaks: object{"n": 1}, at: "then", says: "n/minimum",
	},
}

// ofArrays are the applicators that apply to what is in an array.
var ofArrays = []applicator{
	{
		name: "items", shape: "array", schema: object{"type": "array", "maxItems": 3, "items": aNumber},
		keep: array{5, 6}, breaks: array{5, 1}, at: "items", says: "minimum",
	},
	{
		name: "prefixItems", shape: "array", schema: object{"type": "array", "maxItems": 3, "prefixItems": array{aNumber, aWord}},
		keep: array{5, "ab"}, breaks: array{1, "ab"}, at: "prefixItems/0", says: "minimum",
	},
	{
		name: "unevaluatedItems", shape: "array", schema: object{"type": "array", "maxItems": 3, "prefixItems": array{aWord}, "unevaluatedItems": aNumber},
		keep: array{"ab", 5}, breaks: array{"ab", 1}, at: "unevaluatedItems", says: "minimum",
	},
	{
		name: "unevaluatedItems-allOf", shape: "array",
		schema: object{"type": "array", "maxItems": 3, "allOf": array{object{"prefixItems": array{aWord}}}, "unevaluatedItems": aNumber},
		keep:   array{"ab", 5}, breaks: array{"ab", 1}, at: "unevaluatedItems", says: "minimum",
	},
	{
		name: "unevaluatedItems-contains", shape: "array",
		schema: object{"type": "array", "maxItems": 3, "contains": aWord, "unevaluatedItems": aNumber},
		keep:   array{"ab", 5}, breaks: array{"ab", 1}, at: "unevaluatedItems", says: "minimum",
	},
	{
		name: "contains", shape: "array", schema: object{"type": "array", "maxItems": 3, "contains": aNumber},
		keep: array{"ab", 5}, breaks: array{"ab", 1}, at: "contains", says: "contains",
	},
}
