package wire_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/contracttest/internal/wire"
)

func TestCurl(t *testing.T) {
	masked := func(name, value string) string {
		if value == "geheim" {
			return "$" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		}
		return value
	}
	tests := []struct {
		name string
		r    wire.Request
		want string
	}{
		{"GET", wire.Request{Method: "GET", Target: "/a?b=c&d"}, `curl -sS -i 'http://h/a?b=c&d'`},
		{"HEAD", wire.Request{Method: "HEAD", Target: "/a"}, `curl -sS -i --head 'http://h/a'`},
		{"POST without a body", wire.Request{Method: "POST", Target: "/"}, `curl -sS -i -X 'POST' 'http://h/'`},
		{"GET with a body", wire.Request{Method: "GET", Target: "/", Body: []byte("a"), Header: []wire.Field{{Name: "Content-Type", Value: "a/b"}}}, `curl -sS -i -X 'GET' -H 'Content-Type: a/b' --data-binary 'a' 'http://h/'`},
		{"no Content-Type", wire.Request{Method: "POST", Target: "/", Body: []byte("a")}, `curl -sS -i -X 'POST' -H 'Content-Type:' --data-binary 'a' 'http://h/'`},
		{"empty header", wire.Request{Method: "GET", Target: "/", Header: []wire.Field{{Name: "X-A"}}}, `curl -sS -i -H 'X-A;' 'http://h/'`},
		{"secret", wire.Request{Method: "GET", Target: "/", Header: []wire.Field{{Name: "X-Auth-Token", Value: "geheim"}}}, `curl -sS -i -H "X-Auth-Token: $X_AUTH_TOKEN" 'http://h/'`},
		{"secret of an odd name", wire.Request{Method: "GET", Target: "/", Header: []wire.Field{{Name: "X-`id`", Value: "geheim"}}}, "curl -sS -i -H 'X-`id`: $X_`ID`' 'http://h/'"},
		{"chunked", wire.Request{Method: "POST", Target: "/", Body: []byte{}, Chunked: true}, `curl -sS -i -X 'POST' -H 'Content-Type:' -H 'Transfer-Encoding: chunked' --data-binary '' 'http://h/'`},
		{"NUL in the body", wire.Request{Method: "POST", Target: "/", Body: []byte("a\x00%'\\")}, `curl -sS -i -X 'POST' -H 'Content-Type:' --data-binary @<(printf 'a\000\045\047\134') 'http://h/'`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, wire.Curl(&tt.r, "http://h", masked))
		})
	}
}

func TestCurlIsBounded(t *testing.T) {
	r := &wire.Request{Method: "POST", Target: "/", Body: []byte(strings.Repeat("b", 10<<20)), Header: []wire.Field{{Name: "X-A", Value: strings.Repeat("é", 5000)}}}
	got := wire.Curl(r, "http://h", nil)
	assert.Less(t, len(got), 4<<10)
	assert.Contains(t, got, "… (5005 characters)")
	assert.Contains(t, got, "10485760 bytes of body")
}

// The line, given to a shell, calls curl with the arguments that it is meant
// to have: checked with a function of that name that prints them.
func TestCurlQuoting(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Log("no bash: the quoting is checked by TestCurl alone")
		return
	}
	for _, text := range []string{
		"plain", `it's "quoted" $HOME \ ` + "`id`", "line\nfeed\r\ttab", "\x01\x7f", "\xff\xfe", "é 数 \U0001F600", "'", `\x41`, "a\x00b\x00%d\\n'c", "-X", "@file", "!$!",
	} {
		r := &wire.Request{Method: "POST", Target: "/", Body: []byte(text), Header: []wire.Field{{Name: "Content-Type", Value: "a/b"}}}
		line := wire.Curl(r, "http://h", nil)
		// Of an argument @FILE, curl reads the file.
		script := `curl() { while [ $# -gt 0 ]; do if [ "$1" = --data-binary ]; then case "$2" in @/dev/fd/*|@/proc/*) cat "${2#@}";; *) printf '%s' "$2";; esac; fi; shift; done; }` + "\n" + line
		out, err := exec.CommandContext(t.Context(), bash, "-c", script).Output()
		require.NoError(t, err, "%s", line)
		assert.Equal(t, text, string(out), "%s", line)
	}
}
