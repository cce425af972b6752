package client

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/dataarts-go/factory/internal/signing"
)

// AKSK returns credentials of an access key and its secret key. Each request
// is signed with them (SDK-HMAC-SHA256, X-Sdk-Date); the secret key stays
// here. X-Project-Id, which accounts with several projects need, is that of
// the client. [WithCredentials] refuses keys that are empty or cannot stand in
// a header.
//
// The service refuses a signature if the clocks differ by more than 15 minutes.
// The error says so; and the client signs once more by the time that the answer
// had in its Date, to which it keeps from then on.
func AKSK(accessKey, secretKey string) Credentials {
	return keyCredentials{keys: func() keys { return keys{access: accessKey, secret: secretKey} }}
}

// TemporaryAKSK is [AKSK] for keys that IAM gives out for a while (15 minutes
// to 24 hours) with a security token, which is signed and sent in
// X-Security-Token. They are not renewed.
func TemporaryAKSK(accessKey, secretKey, securityToken string) Credentials {
	return keyCredentials{temporary: true, keys: func() keys { return keys{accessKey, secretKey, securityToken} }}
}

type keys struct{ access, secret, securityToken string }

// sign signs req for a project; none if projectID is empty.
func (k keys) sign(req *http.Request, projectID string, now time.Time) error {
	if projectID != "" {
		req.Header.Set(signing.ProjectHeader, projectID)
	}
	if k.securityToken != "" {
		req.Header.Set(signing.SecurityTokenHeader, k.securityToken)
	}
	return signing.Sign(req, k.access, k.secret, now)
}

// validate says what is wrong with keys, temporary ones or not.
func (k keys) validate(temporary bool) error {
	if err := checkText("access key", k.access); err != nil {
		return err
	}
	if strings.ContainsAny(k.access, " ,") {
		return errors.New("client: access key contains a space or a comma")
	}
	if err := checkText("secret key", k.secret); err != nil {
		return err
	}
	if temporary {
		return checkText("security token", k.securityToken)
	}
	return nil
}

// keyCredentials keep the keys in a function, as tokenCredentials do.
type keyCredentials struct {
	keys      func() keys
	temporary bool
	projectID string // empty until they are bound to a client
	clock     *clock // nil as well
}

func (c keyCredentials) bind(b binding) Credentials {
	c.projectID = b.projectID
	c.clock = new(clock)
	return c
}

// setClock lets the next signatures go by the time of the service.
func (c keyCredentials) setClock(date time.Time) { c.clock.set(date) }

func (c keyCredentials) Authorize(req *http.Request) error {
	return c.keys().sign(req, c.projectID, c.clock.now())
}

func (c keyCredentials) validate() error { return c.keys().validate(c.temporary) }

func (c keyCredentials) String() string {
	if c.temporary {
		return "TemporaryAKSK(" + redacted + ")"
	}
	return "AKSK(" + redacted + ")"
}
func (c keyCredentials) GoString() string     { return "client." + c.String() }
func (c keyCredentials) LogValue() slog.Value { return slog.StringValue(c.String()) }
