package client

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
)

// FromEnv returns the credentials that the vendor's own tools would use here.
// The first of these that is there counts:
//
//  1. HUAWEICLOUD_SDK_IDP_ID and HUAWEICLOUD_SDK_ID_TOKEN_FILE (the SDKs; see
//     [OpenIDConnect]), and IAM at HUAWEICLOUD_SDK_IAM_ENDPOINT if it is set
//  2. HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK, with
//     HUAWEICLOUD_SDK_SECURITY_TOKEN for temporary keys (the SDKs)
//  3. HW_AUTH_TOKEN (the Terraform provider, as the next three)
//  4. HW_ACCESS_KEY and HW_SECRET_KEY, with HW_SECURITY_TOKEN
//  5. HW_USER_NAME and HW_USER_PASSWORD, with HW_DOMAIN_NAME, and IAM at
//     HW_AUTH_URL or HUAWEICLOUD_SDK_IAM_ENDPOINT if one is set
//  6. the profile HW_PROFILE of the file HW_SHARED_CONFIG_FILE, where one of the
//     two is set (see [FromProfile])
//  7. the file that HUAWEICLOUD_SDK_CREDENTIALS_FILE names, else
//     ~/.huaweicloud/credentials (the SDKs; see [FromFile])
//  8. the keys of the instance ([InstanceMetadata]; the SDKs), for an endpoint of
//     the vendor's only: nobody named them, so they go to nobody else
//  9. HC_CONTAINER_CREDENTIALS_FULL_URI and
//     HC_CONTAINER_AUTHORIZATION_TOKEN_FILE (the SDKs; see [PodIdentity])
//
// An empty variable is one that is not set. The variables and the files that
// hold keys are read once, by this call. If something is missing or cannot be
// read, [WithCredentials] says what. If there is nothing, the error is
// [ErrNoCredentials]: of [New], or for an endpoint of the vendor's of the first
// call, since only then the instance is asked.
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
// In place of ak and sk it can have idp_id and id_token_file (see
// [OpenIDConnect]), with iam_endpoint if need be; they count before keys.
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

// The beginnings of the variables of the SDKs and of the Terraform provider.
const (
	sdkPrefix       = "HUAWEICLOUD_SDK_"
	terraformPrefix = "HW_"
)

func fromEnv(get func(string) string) (Credentials, error) {
	for _, source := range []func(func(string) string) (Credentials, error){sdkEnv, terraformEnv, profileEnv, fileEnv, ambientEnv} {
		if found, err := source(get); found != nil || err != nil {
			return found, err
		}
	}
	return nil, ErrNoCredentials
}

func sdkEnv(get func(string) string) (Credentials, error) {
	found, err := sdkCredentials(get, sdkPrefix+"IDP_ID", sdkPrefix+"ID_TOKEN_FILE", sdkPrefix+"IAM_ENDPOINT",
		sdkPrefix+"AK", sdkPrefix+"SK", sdkPrefix+"SECURITY_TOKEN")
	return found, ofClient(err)
}

func terraformEnv(get func(string) string) (Credentials, error) {
	if token := get(terraformPrefix + "AUTH_TOKEN"); token != "" {
		return Token(token), nil
	}
	found, err := pair(get, terraformPrefix+"ACCESS_KEY", terraformPrefix+"SECRET_KEY", terraformPrefix+"SECURITY_TOKEN")
	if found != nil || err != nil {
		return found, ofClient(err)
	}
	user, password := get(terraformPrefix+"USER_NAME"), get(terraformPrefix+"USER_PASSWORD")
	if user == "" || password == "" {
		return nil, nil //nolint:nilnil // neither found nor wrong
	}
	domain := get(terraformPrefix + "DOMAIN_NAME")
	if domain == "" {
		return nil, errors.New("client: HW_USER_NAME is set, but HW_DOMAIN_NAME is not")
	}
	iam := strings.TrimSuffix(strings.TrimSuffix(get(terraformPrefix+"AUTH_URL"), "/"), "/v3")
	if iam == "" {
		iam = withScheme(get(sdkPrefix + "IAM_ENDPOINT"))
	}
	return passwordCredentials{login: func() login { return login{domain, user, password} }, iam: iam}, nil
}

func profileEnv(get func(string) string) (Credentials, error) {
	file, profile := get(terraformPrefix+"SHARED_CONFIG_FILE"), get(terraformPrefix+"PROFILE")
	if file == "" && profile == "" {
		return nil, nil //nolint:nilnil // neither found nor wrong
	}
	return fromProfile(file, profile)
}

func fileEnv(get func(string) string) (Credentials, error) {
	if name := get(sdkPrefix + "CREDENTIALS_FILE"); name != "" {
		return fromFile(name)
	}
	name, err := inHome("", ".huaweicloud", "credentials")
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // without a home directory there is no file
	}
	found, err := fromFile(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNoKeys) {
		return nil, nil //nolint:nilnil // neither found nor wrong
	}
	return found, err
}

func ambientEnv(get func(string) string) (Credentials, error) {
	const endpoint, tokenFile = "HC_CONTAINER_CREDENTIALS_FULL_URI", "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE" //nolint:gosec // G101: names
	c := ambientCredentials{unbound: unbound{"FromEnv"}}
	if get(endpoint) == "" && get(tokenFile) == "" {
		return c, nil
	}
	if err := both(get, endpoint, tokenFile); err != nil {
		return nil, ofClient(err)
	}
	c.pod = &podCredentials{c.unbound, get(endpoint), get(tokenFile)}
	return c, nil
}

// ofClient adds to the text of an error whose it is.
func ofClient(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("client: %w", err)
}

// withScheme returns an endpoint as the SDKs take it, with or without https://.
func withScheme(endpoint string) string {
	if endpoint == "" || strings.Contains(endpoint, "://") {
		return endpoint
	}
	return "https://" + endpoint
}

// sdkCredentials returns those of an identity provider, else keys, as the SDKs
// do, or nothing where none of them is set.
func sdkCredentials(get func(string) string, idp, idTokenFile, iam, access, secret, token string) (Credentials, error) {
	if get(idp) != "" && get(idTokenFile) != "" {
		return openIDCredentials{unbound{"OpenIDConnect"}, get(idp), get(idTokenFile), withScheme(get(iam))}, nil
	}
	found, err := pair(get, access, secret, token)
	if found != nil || err != nil || get(idp) == "" && get(idTokenFile) == "" {
		return found, err
	}
	return nil, both(get, idp, idTokenFile)
}

// pair returns nothing where neither key is set.
func pair(get func(string) string, accessName, secretName, tokenName string) (Credentials, error) {
	access, secret, token := get(accessName), get(secretName), get(tokenName)
	if access == "" && secret == "" {
		return nil, nil //nolint:nilnil // neither found nor wrong
	}
	if err := both(get, accessName, secretName); err != nil {
		return nil, err
	}
	if token != "" {
		return TemporaryAKSK(access, secret, token), nil
	}
	return AKSK(access, secret), nil
}

// both says which of two values is missing.
func both(get func(string) string, one, other string) error {
	if get(one) == "" {
		return fmt.Errorf("%s is set, but %s is not", other, one)
	}
	if get(other) == "" {
		return fmt.Errorf("%s is set, but %s is not", one, other)
	}
	return nil
}

// errNoKeys: a file is in order, and has no credentials for a project.
var errNoKeys = errors.New("no ak and sk in a section [basic]")

func fromFile(name string) (Credentials, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("client: credentials: %w", err)
	}
	defer f.Close()
	var found Credentials
	data, err := readBounded(f)
	if err == nil {
		found, err = parseFile(data)
	}
	if err != nil {
		return nil, fmt.Errorf("client: credentials in %s: %w", name, err)
	}
	return found, nil
}

// parseFile reads the section [basic] of an ini file. Its errors quote nothing
// of the file.
func parseFile(data []byte) (Credentials, error) {
	values := map[string]string{}
	section, line := "", 0
	for text := range strings.Lines(string(data)) {
		line++
		text = strings.TrimSpace(text)
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
	get := func(key string) string { return values[key] }
	found, err := sdkCredentials(get, "idp_id", "id_token_file", "iam_endpoint", "ak", "sk", "security_token")
	if found == nil && err == nil {
		err = errNoKeys
	}
	return found, err
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}
