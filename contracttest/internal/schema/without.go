package schema

import "github.com/getkin/kin-openapi/openapi3"

// less is a schema without one of its keywords.
type less struct {
	schema  *openapi3.Schema
	keyword string
}

// without take a keyword out of a schema.
var without = map[string]func(*openapi3.Schema){
	"type":                  func(s *openapi3.Schema) { s.Type = nil },
	"enum":                  func(s *openapi3.Schema) { s.Enum = nil },
	"const":                 func(s *openapi3.Schema) { s.Const = nil },
	"minLength":             func(s *openapi3.Schema) { s.MinLength = 0 },
	"maxLength":             func(s *openapi3.Schema) { s.MaxLength = nil },
	"pattern":               func(s *openapi3.Schema) { s.Pattern = "" },
	"minimum":               func(s *openapi3.Schema) { s.Min = nil },
	"maximum":               func(s *openapi3.Schema) { s.Max = nil },
	"exclusiveMinimum":      func(s *openapi3.Schema) { s.ExclusiveMin = openapi3.ExclusiveBound{} },
	"exclusiveMaximum":      func(s *openapi3.Schema) { s.ExclusiveMax = openapi3.ExclusiveBound{} },
	"multipleOf":            func(s *openapi3.Schema) { s.MultipleOf = nil },
	"minItems":              func(s *openapi3.Schema) { s.MinItems = 0 },
	"maxItems":              func(s *openapi3.Schema) { s.MaxItems = nil },
	"uniqueItems":           func(s *openapi3.Schema) { s.UniqueItems = false },
	"contains":              func(s *openapi3.Schema) { s.Contains = nil },
	"maxContains":           func(s *openapi3.Schema) { s.MaxContains = nil },
	"unevaluatedItems":      func(s *openapi3.Schema) { s.UnevaluatedItems = openapi3.BoolSchema{} },
	"minProperties":         func(s *openapi3.Schema) { s.MinProps = 0 },
	"maxProperties":         func(s *openapi3.Schema) { s.MaxProps = nil },
	"additionalProperties":  func(s *openapi3.Schema) { s.AdditionalProperties = openapi3.BoolSchema{} },
	"propertyNames":         func(s *openapi3.Schema) { s.PropertyNames = nil },
	"unevaluatedProperties": func(s *openapi3.Schema) { s.UnevaluatedProperties = openapi3.BoolSchema{} },
	"dependentRequired":     func(s *openapi3.Schema) { s.DependentRequired = nil },
	"oneOf":                 func(s *openapi3.Schema) { s.OneOf = nil },
	"anyOf":                 func(s *openapi3.Schema) { s.AnyOf = nil },
	"not":                   func(s *openapi3.Schema) { s.Not = nil },
	"then":                  func(s *openapi3.Schema) { s.Then = nil },
	"else":                  func(s *openapi3.Schema) { s.Else = nil },
	"dependentSchemas":      func(s *openapi3.Schema) { s.DependentSchemas = nil },
}

// Without returns a node like n whose schema lacks a keyword; nil where nobody can tell what it
// says then. A schema without it is made once, as the validator has to read each.
func (n *Node) Without(keyword string) *Node {
	cut := without[keyword]
	if cut == nil {
		return nil
	}
	key := less{n.Schema, keyword}
	s, ok := n.set.less.Load(key)
	if !ok {
		rest := *n.Schema
		cut(&rest)
		s, _ = n.set.less.LoadOrStore(key, &rest)
	}
	other, parts := *n, *n.Parts
	other.Schema, other.Parts = s.(*openapi3.Schema), &parts //nolint:forcetypeassert // nothing else is stored
	parts.drop(keyword)
	return &other
}

// drop forgets the nodes of a keyword whose schemas say nothing more.
func (p *Parts) drop(keyword string) {
	switch keyword {
	case "oneOf":
		p.OneOf = nil
	case "anyOf":
		p.AnyOf = nil
	case "not":
		p.Not = nil
	case "contains":
		p.Contains = nil
	case "propertyNames":
		p.PropertyNames = nil
	case "then":
		p.Then = nil
	case "else":
		p.Else = nil
	case "dependentSchemas":
		p.DependentSchemas = nil
	}
}
