package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// verdict is what is known of a value and a schema: of several that all have to be true the
// least holds, of several of which one has to be the greatest.
type verdict int8

const (
	refused verdict = iota
	unsure          // the validator has to say
	taken
)

func verdictOf(ok bool) verdict {
	if ok {
		return taken
	}
	return refused
}

// quickly says whether a value is valid against a compiled schema, where comparing is enough.
// The validator keeps an account of where it is and what was evaluated, for its errors and for
// unevaluatedProperties: only to say yes or no it takes ten times as long.
func quickly(s *jsonschema.Schema, v any) verdict {
	var room [32]*jsonschema.Schema
	q := quick{asked: room[:0]}
	return q.judge(s, v)
}

// quick is a value on its way through schemas.
type quick struct {
	asked []*jsonschema.Schema // on the way to this one
	about int                  // where those begin that are about the same value
}

func (q *quick) judge(s *jsonschema.Schema, v any) verdict {
	switch {
	case s.Bool != nil:
		return verdictOf(*s.Bool)
	case involved(s), slices.Contains(q.asked[q.about:], s): // it refers to itself
		return unsure
	}
	q.asked = append(q.asked, s)
	got := q.keywords(s, v)
	q.asked = q.asked[:len(q.asked)-1]
	return got
}

// part judges what is inside the value.
func (q *quick) part(s *jsonschema.Schema, v any) verdict {
	about := q.about
	q.about = len(q.asked)
	got := q.judge(s, v)
	q.about = about
	return got
}

// involved reports whether a schema has keywords for which there is more to do than to compare.
func involved(s *jsonschema.Schema) bool {
	return s.Ref != nil || s.RecursiveRef != nil || s.DynamicRef != nil || s.UnevaluatedProperties != nil || s.UnevaluatedItems != nil ||
		s.ContentEncoding != nil || s.ContentMediaType != nil || len(s.Extensions) > 0
}

func (q *quick) keywords(s *jsonschema.Schema, v any) verdict {
	kind := typeOf(v)
	got := verdictOf(s.Types == nil || s.Types.IsEmpty() || *s.Types&kind != 0)
	switch {
	case kind == 0:
		return unsure
	case got == refused && kind == numberType && *s.Types&integerType != 0:
		if _, ok := small(v); !ok {
			return unsure
		}
		got = taken
	case got == refused:
		return refused
	}
	if s.Const != nil {
		got = min(got, same(v, *s.Const))
	}
	if s.Enum != nil {
		got = min(got, among(v, s.Enum.Values))
	}
	if got == refused || s.Format != nil && s.Format.Validate(v) != nil {
		return refused
	}
	switch v := v.(type) {
	case map[string]any:
		got = min(got, q.object(s, v))
	case []any:
		got = min(got, q.array(s, v))
	case string:
		got = min(got, text(s, v))
	default:
		if kind == numberType {
			got = min(got, number(s, v))
		}
	}
	if got == refused {
		return refused
	}
	return min(got, q.inPlace(s, v))
}

// inPlace judges the value by the schemas that are about it as a whole.
func (q *quick) inPlace(s *jsonschema.Schema, v any) verdict {
	got := taken
	for _, part := range s.AllOf {
		if got = min(got, q.judge(part, v)); got == refused {
			return refused
		}
	}
	if s.Not != nil {
		got = min(got, taken-q.judge(s.Not, v))
	}
	if len(s.AnyOf) > 0 {
		one := refused
		for _, branch := range s.AnyOf {
			if one = max(one, q.judge(branch, v)); one == taken {
				break
			}
		}
		got = min(got, one)
	}
	if len(s.OneOf) > 0 && got != refused {
		got = min(got, q.exactlyOne(s.OneOf, v))
	}
	if s.If != nil && got != refused {
		switch holds := q.judge(s.If, v); {
		case holds == unsure:
			got = unsure
		case holds == taken && s.Then != nil:
			got = min(got, q.judge(s.Then, v))
		case holds == refused && s.Else != nil:
			got = min(got, q.judge(s.Else, v))
		}
	}
	return got
}

// exactlyOne reports whether one branch takes the value, and no other.
func (q *quick) exactlyOne(branches []*jsonschema.Schema, v any) verdict {
	takers, doubtful := 0, 0
	for _, branch := range branches {
		switch q.judge(branch, v) {
		case taken:
			takers++
		case unsure:
			doubtful++
		}
		if takers > 1 {
			return refused
		}
	}
	if doubtful > 0 {
		return unsure
	}
	return verdictOf(takers == 1)
}

func (q *quick) object(s *jsonschema.Schema, members map[string]any) verdict {
	if !within(len(members), s.MinProperties, s.MaxProperties) || !hasAll(members, s.Required) {
		return refused
	}
	for name, others := range s.DependentRequired {
		if _, there := members[name]; there && !hasAll(members, others) {
			return refused
		}
	}
	got := taken
	for name, v := range members {
		if got = min(got, q.member(s, name, v)); got == refused {
			return refused
		}
	}
	for name, sub := range s.DependentSchemas {
		if _, there := members[name]; there {
			got = min(got, q.judge(sub, members))
		}
	}
	return got
}

func (q *quick) member(s *jsonschema.Schema, name string, v any) verdict {
	got, named := taken, false
	if sub, ok := s.Properties[name]; ok {
		named = true
		got = q.part(sub, v)
	}
	for re, sub := range s.PatternProperties {
		if re.MatchString(name) {
			named = true
			got = min(got, q.part(sub, v))
		}
	}
	if !named {
		switch others := s.AdditionalProperties.(type) {
		case bool:
			got = verdictOf(others)
		case *jsonschema.Schema:
			got = q.part(others, v)
		}
	}
	if s.PropertyNames != nil && got != refused {
		got = min(got, q.part(s.PropertyNames, name))
	}
	return got
}

func (q *quick) array(s *jsonschema.Schema, items []any) verdict {
	if !within(len(items), s.MinItems, s.MaxItems) {
		return refused
	}
	got := taken
	for i, item := range items {
		switch {
		case i < len(s.PrefixItems):
			got = min(got, q.part(s.PrefixItems[i], item))
		case s.Items2020 != nil:
			got = min(got, q.part(s.Items2020, item))
		}
		if got == refused {
			return refused
		}
	}
	if s.Contains != nil {
		got = min(got, q.contains(s, items))
	}
	if s.UniqueItems && got != refused {
		got = min(got, different(items))
	}
	return got
}

// contains reports whether as many items as there have to be, and no more than may, are as said.
func (q *quick) contains(s *jsonschema.Schema, items []any) verdict {
	least, most := 0, 0
	for _, item := range items {
		switch q.part(s.Contains, item) {
		case taken:
			least++
			most++
		case unsure:
			most++
		}
	}
	lowest := 1
	if s.MinContains != nil {
		lowest = *s.MinContains
	}
	switch {
	case most < lowest, s.MaxContains != nil && least > *s.MaxContains:
		return refused
	case least == most:
		return taken
	}
	return unsure
}

func hasAll(members map[string]any, names []string) bool {
	for _, name := range names {
		if _, there := members[name]; !there {
			return false
		}
	}
	return true
}

func within(n int, least, most *int) bool {
	return (least == nil || n >= *least) && (most == nil || n <= *most)
}

func text(s *jsonschema.Schema, v string) verdict {
	if (s.MinLength != nil || s.MaxLength != nil) && !within(utf8.RuneCountInString(v), s.MinLength, s.MaxLength) {
		return refused
	}
	return verdictOf(s.Pattern == nil || s.Pattern.MatchString(v))
}

func number(s *jsonschema.Schema, v any) verdict {
	if s.Minimum == nil && s.Maximum == nil && s.ExclusiveMinimum == nil && s.ExclusiveMaximum == nil && s.MultipleOf == nil {
		return taken
	}
	n, isSmall := small(v)
	var exact *big.Rat
	if !isSmall || s.MultipleOf != nil {
		var ok bool
		if exact, ok = new(big.Rat).SetString(fmt.Sprint(v)); !ok {
			return unsure
		}
	}
	compared := func(bound *big.Rat) int {
		switch {
		case !isSmall:
			return exact.Cmp(bound)
		case bound.IsInt() && bound.Num().IsInt64():
			return cmp.Compare(n, bound.Num().Int64())
		}
		return new(big.Rat).SetInt64(n).Cmp(bound)
	}
	switch {
	case s.Minimum != nil && compared(s.Minimum) < 0, s.Maximum != nil && compared(s.Maximum) > 0,
		s.ExclusiveMinimum != nil && compared(s.ExclusiveMinimum) <= 0, s.ExclusiveMaximum != nil && compared(s.ExclusiveMaximum) >= 0:
		return refused
	}
	return verdictOf(s.MultipleOf == nil || new(big.Rat).Quo(exact, s.MultipleOf).IsInt())
}

// typeBit is a type as the validator has it in a set of them.
func typeBit(name string) jsonschema.Types {
	var t jsonschema.Types
	t.Add(name)
	return t
}

var (
	nullType, booleanType, numberType = typeBit("null"), typeBit("boolean"), typeBit("number")
	integerType, stringType           = typeBit("integer"), typeBit("string")
	arrayType, objectType             = typeBit("array"), typeBit("object")
)

// typeOf is the type of a value; 0 for what is none of JSON.
func typeOf(v any) jsonschema.Types {
	switch v.(type) {
	case nil:
		return nullType
	case bool:
		return booleanType
	case json.Number, float64, int, int64:
		return numberType
	case string:
		return stringType
	case []any:
		return arrayType
	case map[string]any:
		return objectType
	}
	return 0
}

// small returns a number that is written as an integer of 64 bits.
func small(v any) (int64, bool) {
	switch v := v.(type) {
	case json.Number:
		n, err := strconv.ParseInt(string(v), 10, 64)
		return n, err == nil
	case int:
		return int64(v), true
	case int64:
		return v, true
	case float64:
		const exact = 1 << 53
		return int64(v), v == math.Trunc(v) && math.Abs(v) < exact
	}
	return 0, false
}

// same compares two values.
func same(v, w any) verdict {
	kind := typeOf(v)
	switch {
	case kind == 0 || typeOf(w) == 0:
		return unsure
	case kind != typeOf(w):
		return refused
	}
	switch v := v.(type) {
	case []any:
		w, _ := w.([]any)
		got := verdictOf(len(v) == len(w))
		for i := 0; i < len(v) && got != refused; i++ {
			got = min(got, same(v[i], w[i]))
		}
		return got
	case map[string]any:
		w, _ := w.(map[string]any)
		got := verdictOf(len(v) == len(w))
		for name := range v {
			if other, there := w[name]; !there {
				return refused
			} else if got = min(got, same(v[name], other)); got == refused {
				return refused
			}
		}
		return got
	case nil, bool, string:
		return verdictOf(v == w)
	}
	n, isSmall := small(v)
	m, isSmallToo := small(w)
	if !isSmall || !isSmallToo { // 1.0 is 1
		return unsure
	}
	return verdictOf(n == m)
}

func among(v any, all []any) verdict {
	got := refused
	for _, w := range all {
		if got = max(got, same(v, w)); got == taken {
			return taken
		}
	}
	return got
}

// different reports whether no two items are the same. Many are left to the validator, which
// hashes them.
func different(items []any) verdict {
	const many = 20
	if len(items) > many {
		return unsure
	}
	got := taken
	for i, item := range items {
		got = min(got, taken-among(item, items[:i]))
	}
	return got
}
