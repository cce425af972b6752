package schema

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/net/idna"

	"github.com/dataarts-go/factory/contracttest/internal/pattern"
)

// Why a receiver may take what does not have its format.
const (
	leaveFormat     = "OpenAPI 3.0.3, Data Types: the document does not define the format, a receiver need not check it"
	leaveAnnotation = "JSON Schema Validation 2020-12 §7.2.1: format is an annotation, which a receiver need not check"
	leaveBase64     = "RFC 4648 §3: whether padding may be missing, line feeds and other alphabets are taken is up to the specification, and the document does not say"
	leavePrecision  = "RFC 8259 §6: a receiver may bound the range of numbers"
)

// formats are those that JSON Schema defines (JSON Schema Validation §7.3). Where its validator reads one otherwise than the RFC
// does, it is read here.
var formats = func() map[string]func(string) bool {
	all := map[string]func(string) bool{
		"ipv4":          isIPv4,
		"uri":           func(s string) bool { return matchesReference(s, uri) },
		"uri-reference": func(s string) bool { return matchesReference(s, uri, uriRelative) },
		"iri":           func(s string) bool { return matchesReference(s, iri) },
		"iri-reference": func(s string) bool { return matchesReference(s, iri, iriRelative) },
		"uri-template":  uriTemplate.MatchString,
		"regex":         func(s string) bool { _, err := pattern.Compile(s); return err == nil },
		"idn-email": func(s string) bool {
			at := strings.LastIndexByte(s, '@')
			return at >= 1 && at < len(s)-1
		},
		"idn-hostname": func(s string) bool { _, err := hostnames.ToASCII(s); return err == nil && s != "" },
	}
	for _, name := range []string{"date", "date-time", "time", "duration", "email", "hostname", "ipv6", "uuid", "json-pointer", "relative-json-pointer"} {
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		if c.AddResource("mem:///format", map[string]any{"format": name}) == nil {
			if schema, err := c.Compile("mem:///format"); err == nil {
				all[name] = func(s string) bool { return schema.Validate(s) == nil }
			}
		}
	}
	mailbox := all["email"]
	all["email"] = func(s string) bool { return !strings.HasPrefix(s, "@") && mailbox(s) }
	return all
}()

// Format is one that the user defines, for texts.
type Format struct {
	Valid    func(string) bool
	Examples []string         // to send
	Pattern  *pattern.Pattern // which makes more of them; nil where there is none
}

// check says whether a value has a format; what is no text has each that the user defines.
func (set *Set) check(name string, v any) error {
	f := set.Formats[name]
	if f == nil {
		return checkFormat(name, v)
	}
	if text, ok := v.(string); ok && !f.Valid(text) {
		return formatError(name)
	}
	return nil
}

// Format is the one that the user defines for a node; nil where there is none.
func (n *Node) Format() *Format { return n.set.Formats[n.Schema.Format] }

// hostnames are those of RFC 5890 to 5893.
var hostnames = idna.New(idna.ValidateLabels(true), idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.BidiRule(), idna.CheckJoiners(true), idna.CheckHyphens(true))

// formatError says no more, since the value may be a secret.
type formatError string

func (e formatError) Error() string { return "not of the format " + string(e) }

func checkFormat(name string, v any) error {
	switch v := v.(type) {
	case string:
		for _, valid := range []func(string) bool{formats[name], registered[name]} {
			if valid != nil && !valid(v) {
				return formatError(name)
			}
		}
	case json.Number, float64, int, int64:
		edges, whole := integers[name]
		lo, hi := edges.lo, edges.hi
		if !whole {
			most, ok := fractions[name]
			if !ok {
				return nil
			}
			lo, hi = -most, most
		}
		if f, ok := float(v); !ok || f < lo || f > hi || whole && (f != math.Trunc(f) || edges.excludes(v, f)) {
			return formatError(name)
		}
	}
	return nil
}

// span is the range of a format for integers. lo and hi are it as doubles, and may be one
// further than what they are made of.
type span struct {
	Least, Greatest string
	lo, hi          float64
}

// integers are the formats for integers: those of OpenAPI, and those of its registry of formats.
var integers = func() map[string]span {
	all := map[string]span{}
	for bits := 8; bits <= 64; bits *= 2 {
		half := math.Ldexp(1, bits-1)
		greatest := uint64(1)<<(bits-1) - 1
		all[fmt.Sprintf("int%d", bits)] = span{fmt.Sprintf("-%d", greatest+1), fmt.Sprint(greatest), -half, half - 1}
		all[fmt.Sprintf("uint%d", bits)] = span{"0", fmt.Sprint(2*greatest + 1), 0, 2*half - 1}
	}
	for name, most := range map[string]int64{"double-int": 1<<53 - 1, "sf-integer": 999_999_999_999_999} {
		all[name] = span{fmt.Sprint(-most), fmt.Sprint(most), float64(-most), float64(most)}
	}
	return all
}()

// fractions are the greatest values of formats for numbers with a fraction.
var fractions = map[string]float64{"float": math.MaxFloat32, "sf-decimal": 999_999_999_999.999}

// IntegerEdges are the least and the greatest value of a format for integers; none of another.
func IntegerEdges(format string) []string {
	if s, ok := integers[format]; ok {
		return []string{s.Least, s.Greatest}
	}
	return nil
}

// excludes looks at the digits: 2⁶³ and 2⁶³-1 are one double.
func (s span) excludes(v any, f float64) bool {
	if math.Abs(f) < math.MaxInt64 {
		return false
	}
	n, ok := v.(json.Number)
	if !ok {
		return f >= s.hi
	}
	digits, ok := new(big.Int).SetString(string(n), 10)
	if !ok {
		return f >= s.hi // 1e30
	}
	greatest, _ := new(big.Int).SetString(s.Greatest, 10)
	least, _ := new(big.Int).SetString(s.Least, 10)
	return digits.Cmp(least) < 0 || digits.Cmp(greatest) > 0
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// calculated are the formats that are checked without the validator of JSON Schema.
var calculated = slices.Concat(keys(integers), keys(fractions), keys(registered))

// Formats for which nothing is refused.
var (
	anyText   = []string{"password", "binary", "html", "commonmark", "markdown", "text", "string", "multiline", "textarea", "file"}
	anyNumber = []string{"double", "decimal", "decimal128", "unixtime", "number", "integer"}
)

// unchecked says why no value breaks the format of a node, and whether that is because each has it;
// it is empty where one may.
func (n *Node) unchecked() (why string, vacuous bool) {
	format := n.Schema.Format
	switch {
	case n.Format() != nil, formats[format] != nil:
		return "", false
	case slices.Contains(anyText, format):
		return "every string has the format " + format, true
	case slices.Contains(anyNumber, format) && (registered[format] == nil || !n.Allows("string")):
		return "every number has the format " + format + ", if not to the last digit", true
	case slices.Contains(calculated, format):
		return "", false
	}
	return "nothing says which values the format " + format + " has: neither OpenAPI nor JSON Schema defines it", false
}

// FormatIsDefined reports whether a value can be told to have the format: where
// it cannot, a made-up one may be refused.
func (n *Node) FormatIsDefined() bool {
	format := n.Schema.Format
	return format == "" || n.Format() != nil || !slices.Contains(unsettled, format) && (formats[format] != nil || slices.Contains(calculated, format) ||
		slices.Contains(anyText, format) || slices.Contains(anyNumber, format))
}

// looseBase64 reports whether a text is base64 as some receivers read it: in the
// alphabet for URLs, without padding, with line feeds.
func looseBase64(v any) bool {
	text, ok := v.(string)
	if !ok {
		return false
	}
	text = strings.NewReplacer("-", "+", "_", "/", "\r", "", "\n", "").Replace(text)
	_, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	return err == nil
}

// leaveOf says why a receiver may take a value that is not of the format; empty
// where the document itself defines it.
func (n *Node) leaveOf(format string) string {
	later := n.set.Document.Version31()
	if n.Format() != nil { // who defines it wants it
		return ""
	}
	switch format {
	case "int32", "int64": // OpenAPI 3.0.3, Data Types, and 3.1.1 §4.4
		return ""
	case "byte", "date", "date-time":
		if !later {
			return ""
		}
	case "float":
		return leavePrecision
	}
	if later {
		return leaveAnnotation
	}
	return leaveFormat
}

func keys[V any](m map[string]V) []string {
	all := make([]string, 0, len(m))
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// anything is what stands for a pattern that cannot be used.
type anything string

func (anything) MatchString(string) bool { return true }
func (a anything) String() string        { return string(a) }

// leniently compiles a pattern for a validator. One that cannot be used
// matches everything: it is a fault of the document, told as a warning.
func leniently(expr string) (jsonschema.Regexp, error) {
	if p, err := pattern.Compile(expr); err == nil {
		return p, nil
	}
	return anything(expr), nil
}
