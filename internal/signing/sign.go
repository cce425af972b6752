package signing

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Sign signs req as the holder of an access key and its secret at the time
// now: it sets X-Sdk-Date and Authorization. A signature that req already has
// is replaced.
//
// All headers in req.Header are signed, but for Authorization, Content-Type
// and what begins so, and names with an underscore, which proxies drop. They
// must not change on the way; those that net/http adds while it sends are not
// among them. Host is signed if it stands in req.Header, with the value that
// is sent: that of req.Host, else of the URL.
//
// The body is read through req.GetBody. That of another media type than JSON
// or BSON is not signed, and X-Sdk-Content-Sha256 says so; one that the caller
// has set stands.
func Sign(req *http.Request, access, secret string, now time.Time) error {
	if t := req.Header.Get("Content-Type"); t != "" && !strings.Contains(t, "application/json") && !strings.Contains(t, "application/bson") {
		req.Header.Set(ContentHeader, UnsignedPayload)
	}
	payload := req.Header.Get(ContentHeader)
	if payload == "" {
		var err error
		if payload, err = hashedBody(req); err != nil {
			return err
		}
	}
	date := now.UTC().Format(DateFormat)
	req.Header[DateHeader] = []string{date}

	var few [16]field
	fields := few[:0]
	for name, values := range req.Header {
		if isSigned(name) {
			fields = append(fields, newField(req, name, values))
		}
	}
	slices.SortFunc(fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	var authorization [512]byte
	text := append(authorization[:0], Algorithm+" Access="...)
	text = append(text, access...)
	text = append(text, ", SignedHeaders="...)
	text = appendNames(text, fields)
	text = append(text, ", Signature="...)
	text, err := signature(text, req, fields, payload, date, secret)
	if err != nil {
		return fmt.Errorf("sign the request: %w", err)
	}
	req.Header[authorizationHeader] = []string{string(text)}
	return nil
}

func isSigned(name string) bool {
	const contentType = "Content-Type"
	return name != authorizationHeader && !strings.Contains(name, "_") &&
		(len(name) < len(contentType) || !strings.EqualFold(name[:len(contentType)], contentType))
}

// lowered has the names that each request signs, since there is no need to make
// them anew each time.
var lowered = map[string]string{
	DateHeader: "x-sdk-date", ProjectHeader: "x-project-id", SecurityTokenHeader: "x-security-token",
	"User-Agent": "user-agent", "Workspace": "workspace",
}

// newField returns the field of a header with the values that are sent.
func newField(req *http.Request, name string, values []string) field {
	lower, ok := lowered[name]
	if !ok {
		lower = strings.ToLower(name)
	}
	if name == hostHeader {
		host := req.Host
		if host == "" {
			host = req.URL.Host
		}
		return field{lower, []string{host}}
	}
	if len(values) > 1 {
		values = slices.Sorted(slices.Values(values))
	}
	return field{lower, values}
}

func hashedBody(req *http.Request) (string, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return hashed(nil), nil
	}
	if req.GetBody == nil {
		return "", errors.New("sign the request: its body cannot be read twice (GetBody is nil)")
	}
	r, err := req.GetBody()
	if err != nil {
		return "", fmt.Errorf("sign the request: %w", err)
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", fmt.Errorf("sign the request: read its body: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
