package obtain_test

import (
	"testing"

	"github.com/dataarts-go/factory/contracttest/internal/obtain"
)

// No file makes the reader fail in another way than by an error.
func FuzzParseUser(f *testing.F) {
	f.Add("auth: [{name: ada, fixedHeaders: [{name: a, value: b}]}]", "ada")
	f.Add("authTemplate: {loginEndpointAuth: {verb: POST}}\nauth: [{name: ada, loginEndpointAuth: {endpoint: /a, expectCookies: true}}]", "")
	f.Add("auth: [&a {name: b, loginEndpointAuth: *a}]", "b")
	f.Add("auth: [{name: a, loginEndpointAuth: {1: 2, [a]: b}}, {name: .nan}]", "a")
	f.Fuzz(func(_ *testing.T, text, name string) {
		_, _ = obtain.ParseUser([]byte(text), name, func(text string) (string, error) { return text + "x", nil })
	})
}
