package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/contracttest/internal/schema"
)

// A body of YAML is written as JSON, which is YAML too (YAML 1.2.2 §1.2), and read by the core schema
// (§10.3). A scalar without quotes may be a text as well: readers who know what type they want take
// 5 for "5".

// What is read of a body is bounded, since aliases make much of few bytes: how many values, and how
// deep they stand inside one another.
const (
	maxNodes = 100_000
	maxInner = 1000
)

// ReadYAML reads a body that is one document of YAML. What has several, or more than JSON can say, is not
// judged; the error says why it is none.
func ReadYAML(node *schema.Node, body []byte) (Reading, error) {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it has no value")
		}
		return Reading{}, err
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) || node == nil {
		return Reading{}, nil // the second document is of no account
	}
	r := yamlReader{left: maxNodes}
	got := r.read(schema.Nodes{node}, doc.Content[0])
	if r.left < 0 {
		return Reading{}, nil
	}
	return got, nil
}

// yamlReader reads values until it has had enough, or met what JSON does not have: then left is below 0.
type yamlReader struct{ left, depth int }

func (r *yamlReader) giveUp() Reading {
	r.left = -1
	return Reading{}
}

func (r *yamlReader) read(nodes schema.Nodes, n *yaml.Node) Reading {
	if r.left--; r.left < 0 || r.depth == maxInner {
		return r.giveUp()
	}
	r.depth++
	defer func() { r.depth-- }()
	switch n.Kind {
	case yaml.AliasNode:
		return r.read(nodes, n.Alias)
	case yaml.MappingNode:
		return r.each(nodes, func(a schema.Alternative) Reading { return r.mapping(a, n) })
	case yaml.SequenceNode:
		return r.each(nodes, func(a schema.Alternative) Reading { return r.sequence(a, n) })
	}
	return r.scalar(nodes, n)
}

// each reads a value as each of the alternatives has it.
func (r *yamlReader) each(nodes schema.Nodes, read func(schema.Alternative) Reading) Reading {
	return best(nodes, func(yield func(Reading) bool) {
		for _, a := range nodes.Alternatives() {
			if got := read(a); r.left < 0 || !yield(got) {
				return
			}
		}
	})
}

func (r *yamlReader) mapping(a schema.Alternative, n *yaml.Node) Reading {
	members := map[string]any{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			return r.giveUp()
		}
		one := r.read(a.Member(key.Value), n.Content[i+1])
		if one.Bad != nil {
			return one.inside(key.Value)
		}
		members[key.Value] = one.Value
	}
	return Reading{Value: members, Found: true}
}

func (r *yamlReader) sequence(a schema.Alternative, n *yaml.Node) Reading {
	items := make([]any, len(n.Content))
	for i, item := range n.Content {
		one := r.read(a.Item(i), item)
		if one.Bad != nil {
			return one.inside(strconv.Itoa(i))
		}
		items[i] = one.Value
	}
	return Reading{Value: items, Found: true}
}

func (r *yamlReader) scalar(nodes schema.Nodes, n *yaml.Node) Reading {
	text := Reading{Value: n.Value, Found: true}
	quoted := n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) != 0
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		return r.giveUp()
	case quoted:
		return text
	case notJSON.MatchString(n.Value):
		return r.giveUp()
	}
	return best(nodes, func(yield func(Reading) bool) {
		if v, ok := plainScalar(n.Value); !ok || yield(Reading{Value: v, Found: true}) {
			yield(text)
		}
	})
}

// notJSON matches the numbers that JSON does not have.
var notJSON = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)

var yamlNumber = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)

// plainScalar is what a scalar without quotes stands for, if it is more than a text.
func plainScalar(text string) (v any, ok bool) {
	switch text {
	case "", "~", "null", "Null", "NULL":
		return nil, true
	case "true", "True", "TRUE":
		return true, true
	case "false", "False", "FALSE":
		return false, true
	}
	if number := decimal(text); yamlNumber.MatchString(text) && json.Valid([]byte(number)) {
		return json.Number(number), true
	}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil && !strings.Contains(text, "_") {
		return json.Number(strconv.FormatInt(n, 10)), true
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && yamlNumber.MatchString(text) {
		return json.Number(strconv.FormatFloat(f, 'g', -1, 64)), true
	}
	return nil, false
}

// decimal is a number without the plus and the zeros before it, which are none of JSON: 010 is ten.
func decimal(text string) string {
	number := strings.TrimPrefix(text, "+")
	rest, negative := strings.CutPrefix(number, "-")
	for len(rest) > 1 && rest[0] == '0' && '0' <= rest[1] && rest[1] <= '9' {
		rest = rest[1:]
	}
	if negative {
		return "-" + rest
	}
	return rest
}
