package signing

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// MaxSkew is how far the time of a signature may be from the verifier's.
const MaxSkew = 15 * time.Minute

// The reasons for which [Verify] refuses a request.
var (
	// ErrMalformed: the request is not signed, or not as the algorithm says.
	ErrMalformed = errors.New("malformed signature")
	// ErrUnknownKey: nobody has this access key.
	ErrUnknownKey = errors.New("unknown access key")
	// ErrExpired: the signature is from another time.
	ErrExpired = errors.New("signature expired")
	// ErrMismatch: the secret is another one, or the request is not the one
	// that was signed.
	ErrMismatch = errors.New("signature does not match")
)

// Verify proves that req, with this body, was signed by the holder of an
// access key, and returns the access key. The secret of a key is asked of
// secret, which is called once at most and reports whether there is such a
// key.
//
// The names of the signed headers are the signer's choice, but X-Sdk-Date must
// be among them, and each must stand in the request. What was not signed is
// not vouched for. The error wraps one of this package's; it quotes neither
// the signature nor a header's value.
func Verify(req *http.Request, body []byte, secret func(access string) (string, bool), now time.Time) (access string, err error) {
	proof, err := parse(req.Header[authorizationHeader])
	if err != nil {
		return "", err
	}
	fields := make([]field, len(proof.names))
	for i, name := range proof.names {
		key := http.CanonicalHeaderKey(name)
		values := req.Header[key]
		if len(values) == 0 && key != hostHeader {
			return "", fmt.Errorf("%w: a signed header is missing: %q", ErrMalformed, name)
		}
		fields[i] = newField(req, key, values)
	}
	date, err := single(req, DateHeader)
	if err != nil {
		return "", err
	}
	signed, err := time.Parse(DateFormat, date)
	if err != nil || !slices.Contains(proof.names, strings.ToLower(DateHeader)) {
		return "", fmt.Errorf("%w: want a signed %s as in %s", ErrMalformed, DateHeader, DateFormat)
	}
	payload := hashed(body)
	if req.Header[ContentHeader] != nil {
		given, err := single(req, ContentHeader)
		if err != nil {
			return "", err
		}
		if given != UnsignedPayload && given != payload {
			return "", fmt.Errorf("%w: %s is not that of the body", ErrMismatch, ContentHeader)
		}
		payload = given
	}
	if age := now.Sub(signed); age.Abs() > MaxSkew {
		return "", fmt.Errorf("%w: signed %s, now %s", ErrExpired, date, now.UTC().Format(DateFormat))
	}
	sk, ok := secret(proof.access)
	if !ok {
		return "", ErrUnknownKey
	}
	want, err := signature(nil, req, fields, payload, date, sk)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !hmac.Equal(want, []byte(proof.signature)) {
		return "", ErrMismatch
	}
	return proof.access, nil
}

// IsSigned reports whether an Authorization header claims to be a signature of
// this algorithm.
func IsSigned(authorization string) bool {
	scheme, _, _ := strings.Cut(authorization, " ")
	return scheme == Algorithm
}

// Parts returns what must not be shown of an Authorization header: the access
// key and the signature. They are empty if the header is not as [Sign] makes
// it.
func Parts(authorization string) (access, signature string) {
	proof, err := parse([]string{authorization})
	if err != nil {
		return "", ""
	}
	return proof.access, proof.signature
}

// Unsigned returns those of the names, as net/http writes them, that stand in the
// headers of a signed request and are not among the signed ones. Anybody on the way
// may have set them.
func Unsigned(req *http.Request, names ...string) []string {
	proof, err := parse(req.Header[authorizationHeader])
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return err != nil || len(req.Header[name]) == 0 || slices.Contains(proof.names, strings.ToLower(name))
	})
}

// proof is what an Authorization header says.
type proof struct {
	access, signature string
	names             []string
}

func parse(authorization []string) (proof, error) {
	if len(authorization) != 1 {
		return proof{}, fmt.Errorf("%w: want one %s header, got %d", ErrMalformed, authorizationHeader, len(authorization))
	}
	rest, ok := strings.CutPrefix(authorization[0], Algorithm+" ")
	if !ok {
		return proof{}, fmt.Errorf("%w: the algorithm is not %s", ErrMalformed, Algorithm)
	}
	parts := strings.Split(rest, ",")
	values := make([]string, 3)
	for i, name := range []string{"Access=", "SignedHeaders=", "Signature="} {
		if len(parts) != len(values) {
			return proof{}, fmt.Errorf("%w: want Access, SignedHeaders and Signature", ErrMalformed)
		}
		values[i], ok = strings.CutPrefix(strings.TrimSpace(parts[i]), name)
		if !ok || values[i] == "" {
			return proof{}, fmt.Errorf("%w: no %s in its place", ErrMalformed, strings.TrimSuffix(name, "="))
		}
	}
	names := strings.Split(values[1], ";")
	for i, name := range names {
		if name != strings.ToLower(name) || i > 0 && name <= names[i-1] {
			return proof{}, fmt.Errorf("%w: SignedHeaders are not in lower case, in order and each once", ErrMalformed)
		}
	}
	return proof{access: values[0], names: names, signature: values[2]}, nil
}

// single returns the value of a header that must stand once.
func single(req *http.Request, name string) (string, error) {
	values := req.Header[name]
	if len(values) != 1 {
		return "", fmt.Errorf("%w: want one %s header, got %d", ErrMalformed, name, len(values))
	}
	return values[0], nil
}
