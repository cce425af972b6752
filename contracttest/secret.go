package contracttest

import (
	"net/url"
	"strings"
)

// Words in the name of a header whose value is not to be shown.
var secretNames = []string{"authorization", "cookie", "token", "secret", "password", "api-key", "apikey", "signature", "credential"}

func isSecretName(name string) bool {
	name = strings.ToLower(name)
	for _, w := range secretNames {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

const hidden = "***"

// hide replaces secrets in a text, as they are and as a URL has them.
func hide(text string, secrets []string) string {
	for _, s := range secrets {
		if s == "" {
			continue
		}
		escaped := url.QueryEscape(s)
		text = strings.NewReplacer(s, hidden, escaped, hidden, strings.ReplaceAll(escaped, "+", "%20"), hidden).Replace(text)
	}
	return text
}

// mask returns the value of a header as a command may show it: a secret as the
// name of a shell variable.
func mask(secrets []string) func(name, value string) string {
	return func(name, value string) string {
		for _, s := range secrets {
			if s != "" && strings.Contains(value, s) {
				return "$" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
			}
		}
		return value
	}
}
