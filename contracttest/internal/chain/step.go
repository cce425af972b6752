package chain

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/plan"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
	"github.com/dataarts-go/factory/contracttest/internal/world"
)

// Actor carries out the steps of chains.
type Actor interface {
	// Make sends the valid request that makes a resource, below what has the given
	// values in its path. Made are the values of the new one; nil where none is.
	Make(ctx context.Context, k *Kind, above map[string]string, e Edit) (s *Step, made map[string]string)
	// Name returns where a resource of a kind would be under a new name, below what has the
	// given values; nil where no name can be made. It is for kinds whose names are chosen.
	Name(k *Kind, above map[string]string) map[string]string
	// Do sends the valid request of an operation about what has the given values.
	Do(ctx context.Context, op *contract.Operation, values map[string]string, e Edit) *Step
	// Base returns the properties in the body of an operation's valid request, and which
	// of them have to stay as they are; nil where it has no object.
	Base(op *contract.Operation) (members map[string]any, fixed map[string]bool)
	// Broken lists requests of an operation that have to be refused: one for each part.
	Broken(op *contract.Operation) []*plan.Case
	// Fresh returns the properties in the body of an operation's valid request, with texts that
	// no other request has.
	Fresh(ctx context.Context, op *contract.Operation) map[string]any
	// Another makes another thing that a property of an operation's body may refer to; nil where
	// the run makes none.
	Another(ctx context.Context, op *contract.Operation, name string) any
	// Refers returns the operation that makes what a property of an operation's body refers to; nil
	// where it refers to nothing.
	Refers(op *contract.Operation, name string) *contract.Operation
	// Own notes that the run has made a resource.
	Own(k *Kind, values map[string]string)
	// Before lists the actions that bring a new resource into the state in which an operation
	// takes it, in their order.
	Before(op *contract.Operation) []*contract.Operation
	// Renewed reports whether a property has another text in each request.
	Renewed(op *contract.Operation, name string) bool
	// Marks are what tells the texts that were made new for one request from those of all
	// others, as far as a text has any.
	Marks(text string) []string
	// Located are the values of the path that the Location of an answer leads to; nil where
	// it is none of the operation's.
	Located(op *contract.Operation, s *Step) map[string]string
	// Peer reports whether there is another user.
	Peer() bool
}

// Caller is whose credential a request has.
type Caller int

// The callers.
const (
	Own Caller = iota
	Nobody
	Peer
)

// Edit is how a request differs from the valid one.
type Edit struct {
	Case  *plan.Case     // instead of the valid request; nil for that
	Set   map[string]any // properties of the body; texts that have to be unique are made new unless they are set
	Renew bool           // those of Set too, as long as they are
	Drop  []string       // properties of the body
	// Of Set, what refers to something that the chain has made: the parameters that name it, by property.
	Refers map[string]string
	Only   bool     // the body has nothing but Set and Keep
	Keep   []string // properties as they are in the valid request, or made new
	Body   []byte   // the body, as it is
	Header map[string]string
	Query  map[string]string
	As     Caller
	Head   bool // HEAD instead of GET
}

// Step is a request of a chain and its answer.
type Step struct {
	*wire.Exchange // as it was sent
	Op             *contract.Operation
	Shown          *wire.Request     // as reports show it
	Values         map[string]string // of the path, as far as the run has made what it names
	Made           map[string]string // by it
	Item           string            // the path template of what it made
	Refers         map[string]string // as in its Edit
	Caller         Caller
	entry          []byte // of a list, in the place of the whole answer
}

func (s *Step) status() int {
	if s.Response == nil {
		return 0
	}
	return s.Response.Status
}

func (s *Step) ok() bool { return s.status()/100 == 2 }

func (s *Step) gone() bool { return s.status() == http.StatusNotFound || s.status() == http.StatusGone }

func (s *Step) refused() bool { return s.status()/100 == 4 }

// answer names the answer in messages.
func (s *Step) answer() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", s.status(), http.StatusText(s.status())))
}

// open reports whether the answer leaves room for what comes after it: something is
// under way, the request was limited, sent on or failed, or a cache has answered.
func (s *Step) open() bool {
	if s.Response == nil {
		return true
	}
	switch status := s.Response.Status; {
	case status == http.StatusAccepted, status == http.StatusTooManyRequests, status/100 == 3 && status != http.StatusNotModified, status/100 == 5:
		return true
	}
	age := s.Response.Header.Get("Age")
	cache := strings.ToUpper(s.Response.Header.Get("X-Cache") + s.Response.Header.Get("Cache-Status") + s.Response.Header.Get("CF-Cache-Status"))
	return age != "" && age != "0" || strings.Contains(cache, "HIT")
}

// body is that of the answer, if there is one.
func (s *Step) body() []byte {
	if s.Response == nil {
		return nil
	}
	if s.entry != nil {
		return s.entry
	}
	return s.Response.Body
}

// sent are the properties in the body of the request; nil where it has no object.
func (s *Step) sent() map[string]any { return Members(s.Request.Body) }

// Members are the properties of a JSON object; nil where a body is none.
func Members(body []byte) map[string]any {
	members, _ := decode(body).(map[string]any)
	return members
}

// got are the properties of the resource in the answer: those of the object that has
// its identifier, be it in an envelope, else of the whole; nil where there is no object.
func (s *Step) got(k *Kind, id string) map[string]any {
	whole, _ := decode(s.body()).(map[string]any)
	if whole == nil || named(whole, k, id) {
		return whole
	}
	for _, key := range sortedKeys(whole) {
		if inner, ok := whole[key].(map[string]any); ok && named(inner, k, id) {
			return inner
		}
	}
	return whole
}

// named reports whether an object has the identifier of a resource.
func named(members map[string]any, k *Kind, id string) bool {
	for name, v := range members {
		if slices.Contains(k.names(), world.Plain(name)) && textOf(v) == id {
			return true
		}
	}
	return id != "" && world.Addressed(members, k.Item) == id
}

// identifier is that of an object: the property with the likeliest name, else what its address says;
// empty where it has none.
func identifier(members map[string]any, k *Kind) string {
	names := k.names()
	best, of, id := len(names), "", ""
	for name, v := range members {
		i := slices.Index(names, world.Plain(name))
		if i >= 0 && (i < best || i == best && name > of) && textOf(v) != "" {
			best, of, id = i, name, textOf(v)
		}
	}
	return cmp.Or(id, world.Addressed(members, k.Item))
}

func textOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func decode(body []byte) any {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	return v
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// same compares JSON values: 1 and 1.0 are the same number.
func same(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		if !ok {
			return false
		}
		x, okX := new(big.Rat).SetString(short(a))
		y, okY := new(big.Rat).SetString(short(b))
		return a == b || okX && okY && x.Cmp(y) == 0
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, there := b[k]; !there || !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, same)
	}
	return a == b
}

// alike compares what was sent with what is read: a target may keep texts in one letter
// case, and without blanks around them, times in another zone, and null members as absent.
func alike(a, b any) bool {
	switch x := a.(type) {
	case string:
		y, isText := b.(string)
		if t, err := time.Parse(time.RFC3339, x); err == nil && isText {
			u, err := time.Parse(time.RFC3339, y)
			return err == nil && t.Equal(u)
		}
		return isText && strings.EqualFold(strings.TrimSpace(x), strings.TrimSpace(y))
	case map[string]any:
		y, isObject := b.(map[string]any)
		for name := range y {
			if isObject = isObject && alike(x[name], y[name]); !isObject {
				return false
			}
		}
		for name, v := range x {
			if _, there := y[name]; !there && v != nil {
				return false
			}
		}
		return isObject
	case []any:
		y, isList := b.([]any)
		return isList && slices.EqualFunc(x, y, alike)
	}
	return same(a, b)
}

// storedAs reports whether what is read of a property is what an operation was sent for it.
func storedAs(op *contract.Operation, got, sent any) bool {
	if isMergePatch(op) {
		got = patched(got, sent)
	}
	return alike(got, sent)
}

// patched is what is read of an object where a merge patch has changed it, without what the
// patch does not speak of.
func patched(got, sent any) any {
	members, isObject := got.(map[string]any)
	by, ok := sent.(map[string]any)
	if !isObject || !ok {
		return got
	}
	all := map[string]any{}
	for name, v := range members {
		if w, there := by[name]; there {
			all[name] = patched(v, w)
		}
	}
	return all
}

// short is the text of a number, if it can be compared in reasonable time.
func short(n json.Number) string {
	const most = 64
	if text := n.String(); len(text) <= most && !strings.ContainsAny(text, "eE") {
		return text
	}
	return ""
}

// show writes a value for a message.
func show(v any) string {
	const most = 60
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	if r := []rune(string(text)); len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(text)
}
