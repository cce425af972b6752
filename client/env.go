package client

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

// FromEnv returns the credentials that the environment holds for the vendor's
// own tools. The first of these that is set counts:
//
//  1. HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, with
//     HUAWEICLOUD_SDK_SECURITY_TOKEN for temporary keys (the SDKs)
//  2. HW_AUTH_TOKEN (the Terraform provider, as the next two)
//  3. HW_ACCESS_KEY and HW_SECRET_KEY, with HW_SECURITY_TOKEN
//  4. HW_USER_NAME and HW_USER_PASSWORD, with HW_DOMAIN_NAME, and IAM at
//     HW_AUTH_URL or HUAWEICLOUD_SDK_IAM_ENDPOINT if one is set
//  5. the file that HUAWEICLOUD_SDK_CREDENTIALS_FILE names, else
//     ~/.huaweicloud/credentials (the SDKs; see [FromFile])
//
// An empty variable is one that is not set. If there is nothing,
// [WithCredentials] returns [ErrNoCredentials]; if something is missing or
// cannot be read, it says what. The variables are read once, by this call.
// What the SDKs can take from an identity provider, a pod or a server's
// metadata is not looked for.
func FromEnv() Credentials {
	found, err := fromEnv(os.Getenv)
	if err != nil {
		return noCredentials{err}
	}
	return found
}

// FromFile returns the credentials in a file of the vendor's SDKs:
//
//	[basic]
//	ak = …
//	sk = …
//	security_token = … (for temporary keys)
//
// [WithCredentials] says what is wrong with the file. It is read once, by this
// call, and at most 64 KiB long.
func FromFile(name string) Credentials {
	found, err := fromFile(name)
	if err != nil {
		return noCredentials{err}
	}
	return found
}

// noCredentials are the error in place of credentials.
type noCredentials struct{ err error }

func (c noCredentials) validate() error               { return c.err }
func (c noCredentials) Authorize(*http.Request) error { return c.err }

func fromEnv(get func(string) string) (Credentials, error) {
	const sdk, terraform = "HUAWEICLOUD_SDK_", "HW_"
	if found, err := pair(get, sdk+"AK", sdk+"SK", sdk+"SECURITY_TOKEN"); found != nil || err != nil {
		return found, err
	}
	if token := get(terraform + "AUTH_TOKEN"); token != "" {
		return Token(token), nil
	}
	if found, err := pair(get, terraform+"ACCESS_KEY", terraform+"SECRET_KEY", terraform+"SECURITY_TOKEN"); found != nil || err != nil {
		return found, err
	}
	if user, password := get(terraform+"USER_NAME"), get(terraform+"USER_PASSWORD"); user != "" && password != "" {
		domain := get(terraform + "DOMAIN_NAME")
		if domain == "" {
			return nil, errors.New("client: HW_USER_NAME is set, but HW_DOMAIN_NAME is not")
		}
		iam := strings.TrimSuffix(strings.TrimSuffix(get(terraform+"AUTH_URL"), "/"), "/v3")
		if iam == "" {
			iam = get(sdk + "IAM_ENDPOINT")
		}
		return passwordCredentials{login: func() login { return login{domain, user, password} }, iam: iam}, nil
	}
	if name := get(sdk + "CREDENTIALS_FILE"); name != "" {
		return fromFile(name)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, ErrNoCredentials
	}
	found, err := fromFile(filepath.Join(home, ".huaweicloud", "credentials"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoCredentials
	}
	return found, err
}

// pair returns nothing where neither key is set.
func pair(get func(string) string, accessName, secretName, tokenName string) (Credentials, error) {
	access, secret, token := get(accessName), get(secretName), get(tokenName)
	switch {
	case access == "" && secret == "":
		return nil, nil //nolint:nilnil // neither found nor wrong
	case access == "":
		return nil, fmt.Errorf("client: %s is set, but %s is not", secretName, accessName)
	case secret == "":
		return nil, fmt.Errorf("client: %s is set, but %s is not", accessName, secretName)
	case token != "":
		return TemporaryAKSK(access, secret, token), nil
	}
	return AKSK(access, secret), nil
}

// maxFile bounds a file of credentials.
const maxFile = 64 << 10

func fromFile(name string) (Credentials, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("client: credentials: %w", err)
	}
	defer f.Close()
	found, err := parseFile(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("client: credentials in %s: %w", name, err)
	}
	return found, nil
}

// parseFile reads the section [basic] of an ini file. Its errors quote nothing
// of the file.
func parseFile(r io.Reader) (Credentials, error) {
	values := map[string]string{}
	section, line, size := "", 0, 0
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxFile+1)
	for scanner.Scan() {
		line++
		size += len(scanner.Bytes()) + 1
		text := strings.TrimSpace(scanner.Text())
		switch {
		case text == "", text[0] == '#', text[0] == ';':
		case text[0] == '[' && text[len(text)-1] == ']':
			section = strings.TrimSpace(text[1 : len(text)-1])
		default:
			key, value, ok := strings.Cut(text, "=")
			if !ok {
				return nil, fmt.Errorf("line %d is neither [section] nor key = value", line)
			}
			if section == "basic" {
				values[strings.TrimSpace(key)] = unquote(strings.TrimSpace(value))
			}
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	if size > maxFile {
		return nil, fmt.Errorf("more than %d KiB", maxFile>>10)
	}
	get := func(key string) string { return values[key] }
	found, err := pair(get, "ak", "sk", "security_token")
	if found == nil && err == nil {
		err = errors.New("no ak and sk in a section [basic]")
	}
	return found, err
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
