package world

import (
	"bytes"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/dataarts-go/factory/contracttest/internal/contract"
	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

// How properties are called that say who somebody is, the likeliest to be asked for first, and what
// nobody else knows.
var (
	callers = []string{"email", "emailaddress", "username", "login", "mail", "user", "identifier", "account", "handle", "phone", "phonenumber"}
	proofs  = []string{"password", "passwd", "passphrase", "passcode", "pass", "pwd", "pin", "secret"}
)

// What operations are called that let somebody in, and those that make an account whatever their
// answers are.
var (
	logins  = []string{"login", "logon", "signin", "auth", "authenticate", "authentication", "authorize", "session", "token", "accesstoken", "jwt"}
	signUps = []string{"signup", "register", "registration", "enroll"}
)

// SignsUp reports whether an operation makes an account: it is sent who somebody is with a password,
// and creates something that is no session.
func (w *World) SignsUp(op *contract.Operation) bool {
	segment := Singular(lastSegment(op.Path))
	if op.Method != http.MethodPost || strings.Contains(op.Path, "{") || slices.Contains(logins, segment) || !w.Creates(op) && !slices.Contains(signUps, segment) {
		return false
	}
	props, _ := sentBy(op)
	return oneOf(props, callers) != "" && oneOf(props, proofs) != ""
}

// letsIn reports whether an operation lets somebody in, or is about that, and makes nothing of what is
// called by a stem: POST /login, or /auth/refresh.
func (w *World) letsIn(op *contract.Operation, stem string) bool {
	last := Singular(lastSegment(op.Path))
	switch {
	case slices.Contains(logins, last):
		return true
	case slices.Contains(signUps, last), last == stem, w.SignsUp(op):
		return false
	}
	return slices.ContainsFunc(strings.Split(op.Path, "/"), func(segment string) bool { return slices.Contains(logins, Singular(segment)) })
}

// Account lists what an operation asks for that an account was made with, as a login does: a
// password and who it is of. Whatever else it requires the document lists. It is read from requests, not from
// answers.
func (w *World) Account(op *contract.Operation) []Reference {
	props, required := sentBy(op)
	if op.Method != http.MethodPost || strings.Contains(op.Path, "{") || w.SignsUp(op) || oneOf(props, callers) == "" || oneOf(props, proofs) == "" {
		return nil
	}
	all := slices.DeleteFunc(parts(op), func(ref Reference) bool { return ref.In != "" || !isOf(ref.Name, callers) && !isOf(ref.Name, proofs) })
	for _, s := range w.contract.Operations {
		if s == op || !w.SignsUp(s) {
			continue
		}
		sent, _ := sentBy(s)
		from := map[string]string{}
		for name := range props {
			from[name] = counterpart(name, sent)
		}
		if slices.ContainsFunc(required, func(name string) bool { return from[name] == "" }) {
			continue
		}
		for i, ref := range all {
			if of := from[ref.Name]; of != "" {
				all[i].Sources = append(all[i].Sources, Source{s, SameName, func(x *wire.Exchange) []string { return asSent(x, of) }})
			}
		}
	}
	all = slices.DeleteFunc(all, func(ref Reference) bool { return len(ref.Sources) == 0 })
	slices.SortStableFunc(all, func(a, b Reference) int { return strings.Compare(a.Key, b.Key) })
	return slices.CompactFunc(all, func(a, b Reference) bool { return a.Key == b.Key }) // of several media types
}

// Proves reports whether a reference is to what nobody else knows of an account.
func (ref Reference) Proves() bool { return isOf(ref.Name, proofs) }

// sentBy lists the properties of the bodies of an operation that have a value of their own, and
// those that are required and of which the document does not list the values.
func sentBy(op *contract.Operation) (props map[string]bool, required []string) {
	props = map[string]bool{}
	if op.Body == nil {
		return props, nil
	}
	wanted, chosen := map[string]bool{}, map[string]bool{}
	for _, m := range op.Body.Media {
		m.Node.Walk(func(n *contract.Node) {
			for name := range n.Required {
				wanted[name] = true
			}
			if n.PropName == "" || len(n.Props) > 0 || n.Items != nil || n.Schema == nil {
				return
			}
			props[n.PropName] = true
			chosen[n.PropName] = len(n.Schema.Enum) > 0 || n.Schema.Const != nil || n.Schema.Default != nil || n.Allows("boolean")
		})
	}
	for name := range wanted {
		if props[name] && !chosen[name] {
			required = append(required, name)
		}
	}
	return props, required
}

func isOf(name string, words []string) bool { return slices.Contains(words, Plain(name)) }

// oneOf is the first of some properties, by the order of the words that they are called by.
func oneOf(props map[string]bool, words []string) string {
	for _, word := range words {
		for _, name := range slices.Sorted(maps.Keys(props)) {
			if Plain(name) == word {
				return name
			}
		}
	}
	return ""
}

// counterpart is the property in which an account was sent what another operation asks for by a
// name: that of the same name, else one of the same kind; empty where there is none.
func counterpart(name string, sent map[string]bool) string {
	if same := oneOf(sent, []string{Plain(name)}); same != "" {
		return same
	}
	for _, words := range [][]string{callers, proofs} {
		if isOf(name, words) {
			return oneOf(sent, words)
		}
	}
	return ""
}

// asSent is the value of a property in the request of an exchange.
func asSent(x *wire.Exchange, name string) []string {
	req := x.Request
	if x.Sent != nil {
		req = x.Sent
	}
	if kind, _, _ := mime.ParseMediaType(req.Get("Content-Type")); kind == "application/x-www-form-urlencoded" {
		fields, err := url.ParseQuery(string(req.Body))
		if err != nil {
			return nil
		}
		return scalar(fields.Get(name))
	}
	dec := json.NewDecoder(bytes.NewReader(req.Body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil
	}
	level := []any{v}
	for range maxLevels {
		if found := named(level, name); len(found) > 0 {
			return found[:1]
		}
		level = below(level)
	}
	return nil
}
