package client

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// FromProfile returns the credentials of a profile of the vendor's command line
// KooCLI (hcloud). An empty file name stands for ~/.hcloud/config.json, and
// an empty profile for the one that is current there. By the profile's mode
// they are
//
//	AKSK       [AKSK], or [TemporaryAKSK] where there is a security token
//	SSO        [TemporaryAKSK] with the keys of the last login
//	token      [Token]
//	ecsAgency  [InstanceMetadata]
//
// hcloud encrypts what it keeps, unless it is told not to by
// "hcloud configure set --cli-auth-encrypt=false": only such a file can be used.
// [WithCredentials] says what is wrong with it. It is read once, by this call,
// and at most 64 KiB long.
func FromProfile(file, profile string) Credentials {
	found, err := fromProfile(file, profile)
	if err != nil {
		return noCredentials{err}
	}
	return found
}

func fromProfile(file, profile string) (Credentials, error) {
	name, err := inHome(file, ".hcloud", "config.json")
	if err != nil {
		return nil, fmt.Errorf("client: profile: %w", err)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("client: profile: %w", err)
	}
	defer f.Close()
	var found Credentials
	data, err := readBounded(f)
	if err == nil {
		found, err = parseProfiles(data, profile)
	}
	if err != nil {
		return nil, fmt.Errorf("client: profiles in %s: %w", name, err)
	}
	return found, nil
}

// inHome returns name with the home directory for a ~ in front, or if it is
// empty the file that the elements name there.
func inHome(name string, elements ...string) (string, error) {
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		name, elements = "", []string{rest}
	}
	if name != "" {
		return name, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{home}, elements...)...), nil
}

// profiles is a file of KooCLI (usermanual-hcli, hcli_03_004_01).
type profiles struct {
	AuthEncrypt any       `json:"authEncrypt"` // a boolean, or its text
	Current     string    `json:"current"`
	Profiles    []profile `json:"profiles"`
}

type profile struct {
	profileKeys
	Name       string `json:"name"`
	Mode       string `json:"mode"`
	XAuthToken string `json:"xAuthToken"`
	SSOAuth    struct {
		STSToken profileKeys `json:"stsToken"`
	} `json:"ssoAuth"`
}

type profileKeys struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SecurityToken   string `json:"securityToken"`
}

// parseProfiles reads a file of KooCLI. Its errors quote nothing of the file.
func parseProfiles(data []byte, name string) (Credentials, error) {
	var file profiles
	if err := decodeJSON(data, &file); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("profile %q", name)
	if name == "" {
		name, what = file.Current, "the current profile"
	}
	for _, p := range file.Profiles {
		if p.Name != name {
			continue
		}
		if file.AuthEncrypt == true || file.AuthEncrypt == "true" {
			return nil, errors.New("the credentials are encrypted: run hcloud configure set --cli-auth-encrypt=false")
		}
		found, err := p.credentials()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		return found, nil
	}
	return nil, fmt.Errorf("%s is not there", what)
}

func (p profile) credentials() (Credentials, error) {
	switch p.Mode {
	case "", "AKSK":
		return p.profileKeys.credentials()
	case "SSO":
		return p.SSOAuth.STSToken.credentials()
	case "token":
		if p.XAuthToken == "" {
			return nil, errors.New("no xAuthToken")
		}
		return Token(p.XAuthToken), nil
	case "ecsAgency":
		return InstanceMetadata(), nil
	}
	return nil, errors.New("the mode is not one of AKSK, SSO, token and ecsAgency")
}

func (k profileKeys) credentials() (Credentials, error) {
	values := map[string]string{"accessKeyId": k.AccessKeyID, "secretAccessKey": k.SecretAccessKey, "securityToken": k.SecurityToken}
	found, err := pair(func(name string) string { return values[name] }, "accessKeyId", "secretAccessKey", "securityToken")
	if found == nil && err == nil {
		err = errors.New("no accessKeyId and secretAccessKey")
	}
	return found, err
}
