package run

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

// hide replaces secrets in a text, as they are and as a URL has them, and what is
// left of one in which the text was cut.
func hide(text string, secrets []string) string {
	for _, s := range secrets {
		if s == "" {
			continue
		}
		escaped := url.QueryEscape(s)
		spellings := []string{s, escaped, strings.ReplaceAll(escaped, "+", "%20")}
		text = strings.NewReplacer(spellings[0], hidden, spellings[1], hidden, spellings[2], hidden).Replace(text)
		for _, spelling := range spellings {
			text = hideCut(text, spelling)
		}
	}
	return text
}

// What marks the place where a text was cut, and how much of a secret before it
// is no chance.
const (
	cutMark = "…"
	minCut  = 4
)

// hideCut replaces the beginning of a secret where the text was cut after it.
func hideCut(text, secret string) string {
	parts := strings.Split(text, cutMark)
	for i, part := range parts[:len(parts)-1] {
		for n := len(secret) - 1; n >= minCut; n-- {
			if before, ok := strings.CutSuffix(part, secret[:n]); ok {
				parts[i] = before + hidden
				break
			}
		}
	}
	return strings.Join(parts, cutMark)
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
