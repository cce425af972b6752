package sdktest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/signer"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/request"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/internal/signing"
)

const (
	requests = 5000
	host     = "dayu.cn-north-4.myhuaweicloud.com"
)

// Each request is signed by the vendor's signer and by ours, which must agree;
// then it goes over the wire, and our verifier must accept it.
func TestSignaturesOfTheSDK(t *testing.T) {
	for i := range requests {
		draw := drawer{rand.New(rand.NewPCG(5, uint64(i)))}
		access, secret, at := "AK"+draw.key(18), draw.key(40), draw.time()
		theirs := draw.request(at)

		proof, err := signer.Sign(theirs, access, secret)
		require.NoError(t, err)
		ours, err := theirs.ConvertRequest()
		require.NoError(t, err)
		if host := ours.Header.Get("Host"); host != "" {
			require.Equal(t, host, ours.Host)
		}
		require.NoError(t, signing.Sign(ours, access, secret, at))
		if !assert.Equal(t, proof["Authorization"], ours.Header.Get("Authorization"), "request %d: %s %s %q", i, ours.Method, ours.URL, ours.Header) {
			return
		}
		assert.Equal(t, proof["X-Sdk-Date"], ours.Header.Get("X-Sdk-Date"))

		received, body := overTheWire(t, ours)
		got, err := signing.Verify(received, body, func(asked string) (string, bool) { return secret, asked == access }, at)
		require.NoError(t, err, "request %d: %s %s %q", i, received.Method, received.URL, received.Header)
		require.Equal(t, access, got)
	}
}

// overTheWire returns a request as a server reads it.
func overTheWire(t *testing.T, req *http.Request) (*http.Request, []byte) {
	t.Helper()
	var wire bytes.Buffer
	require.NoError(t, req.Write(&wire))
	received, err := http.ReadRequest(bufio.NewReader(&wire))
	require.NoError(t, err)
	body, err := io.ReadAll(received.Body)
	require.NoError(t, err)
	return received, body
}

// drawer draws requests at random.
type drawer struct{ *rand.Rand }

// alphabet is what paths, queries and bodies are made of: every ASCII
// character that prints, and others of two to four bytes.
var alphabet = func() []rune {
	var runes []rune
	for r := ' '; r < 0x7f; r++ {
		runes = append(runes, r)
	}
	return append(runes, []rune("éß項目包①Ω\u2028😀")...)
}()

func (d drawer) text(longest int, without string) string {
	var b strings.Builder
	for range d.IntN(longest + 1) {
		if r := alphabet[d.IntN(len(alphabet))]; !strings.ContainsRune(without, r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (d drawer) key(length int) string {
	const characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	b := make([]byte, length)
	for i := range b {
		b[i] = characters[d.IntN(len(characters))]
	}
	return string(b)
}

func (d drawer) time() time.Time {
	return time.Unix(d.Int64N(4_000_000_000), 0).UTC()
}

// chance is true once in n times.
func (d drawer) chance(n int) bool { return d.IntN(n) == 0 }

func (d drawer) request(at time.Time) *request.DefaultHttpRequest {
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch}
	b := request.NewHttpRequestBuilder().
		WithEndpoint("https://" + host).
		WithMethod(methods[d.IntN(len(methods))]).
		WithPath(d.path())
	for range d.IntN(5) {
		values := make([]string, d.IntN(4))
		for i := range values {
			values[i] = d.text(6, "")
		}
		b.AddQueryParam("n"+d.text(4, ""), reflect.ValueOf(values))
	}
	for i := range d.IntN(5) {
		b.AddHeaderParam(d.caseOf(fmt.Sprintf("x-header-%d", i)), d.spaces()+d.text(10, "")+d.spaces())
	}
	if d.chance(4) {
		b.AddHeaderParam("X_Under_Score", d.text(10, ""))
	}
	if d.chance(2) {
		b.AddHeaderParam("Host", host)
	}
	if d.chance(3) {
		b.AddHeaderParam("User-Agent", "agent/"+d.key(3))
	}
	if d.chance(3) {
		b.AddHeaderParam("X-Security-Token", d.key(100))
	}
	if !d.chance(4) {
		types := []string{"application/json", "application/json;charset=UTF-8", "application/bson", "text/plain", "application/octet-stream"}
		b.AddHeaderParam("Content-Type", types[d.IntN(len(types))])
	}
	if d.chance(8) {
		b.AddHeaderParam("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")
	}
	if !d.chance(3) {
		b.WithBody("", d.text(200, ""))
	}
	b.AddHeaderParam("X-Sdk-Date", at.Format("20060102T150405Z"))
	return b.Build()
}

func (d drawer) path() string {
	var b strings.Builder
	for range d.IntN(6) {
		b.WriteString("/" + d.text(8, "{}/"))
	}
	if d.chance(4) {
		b.WriteString("/")
	}
	return b.String()
}

func (d drawer) caseOf(name string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' && d.chance(2) {
			return r - 'a' + 'A'
		}
		return r
	}, name)
}

func (d drawer) spaces() string {
	return strings.Repeat(" ", d.IntN(3)) + strings.Repeat("\t", d.IntN(2))
}
