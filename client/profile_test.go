package client_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

// kooCLI is a file of the vendor's command line with a profile of each kind.
const kooCLI = `{
  "authEncrypt": "false", "language": "en", "offline": "true", "agreePrivacy": "true", "warning": "true",
  "current": "default",
  "profiles": [
    {"name": "default", "mode": "AKSK", "accessKeyId": "AKDEFAULT", "secretAccessKey": "` + secretKey + `", "securityToken": "",
     "region": "cn-north-4", "projectId": "", "domainId": "", "skipSecureVerify": "false",
     "readTimeout": 10, "connectTimeout": 5, "retryCount": 0},
    {"name": "temporary", "mode": "AKSK", "accessKeyId": "AKTEMP", "secretAccessKey": "` + secretKey + `", "securityToken": "` + securityToken + `"},
    {"name": "old", "accessKeyId": "AKOLD", "secretAccessKey": "` + secretKey + `", "xAuthToken": "", "expiresAt": ""},
    {"name": "sso", "mode": "SSO", "accessKeyId": "", "ssoAuth": {"startUrl": "https://host", "stsToken":
     {"accessKeyId": "AKSSO", "secretAccessKey": "` + secretKey + `", "securityToken": "` + securityToken + `"}}},
    {"name": "token", "mode": "token", "xAuthToken": "` + token + `"},
    {"name": "instance", "mode": "ecsAgency"},
    {"name": "agency", "mode": "agency", "agencyName": "a", "sourceProfile": "default"},
    {"name": "half", "mode": "AKSK", "accessKeyId": "` + accessKey + `"},
    {"name": "empty", "mode": "AKSK"},
    {"name": "no login", "mode": "SSO"},
    {"name": "no token", "mode": "token"}
  ]}`

func TestFromProfile(t *testing.T) {
	file := writeFile(t, "config.json", kooCLI)
	for profile, want := range map[string]string{
		"": "|AKDEFAULT|", "default": "|AKDEFAULT|", "temporary": "|AKTEMP|" + securityToken, "old": "|AKOLD|",
		"sso": "|AKSSO|" + securityToken, "token": token + "||",
	} {
		credentials := client.FromProfile(file, profile)
		_, err := client.New("http://host", projectID, client.WithCredentials(credentials))
		require.NoError(t, err, profile)
		assert.Equal(t, want, used(t, credentials), profile)
	}
	assert.Equal(t, "InstanceMetadata([redacted])", fmt.Sprint(client.FromProfile(file, "instance")))

	// The file of the home directory.
	home := clearEnv(t)
	_, err := client.New("http://host", projectID, client.WithCredentials(client.FromProfile("", "")))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.Mkdir(filepath.Join(home, ".hcloud"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(home, ".hcloud", "config.json"), []byte(kooCLI), 0o600))
	assert.Equal(t, "|AKTEMP|"+securityToken, used(t, client.FromProfile("", "temporary")))
	assert.Equal(t, "|AKDEFAULT|", used(t, client.FromProfile("~/.hcloud/config.json", "")))
	t.Setenv("HOME", "")
	_, err = client.New("http://host", projectID, client.WithCredentials(client.FromProfile("", "")))
	require.ErrorContains(t, err, "client: profile: ")
}

func TestFromProfileRefuses(t *testing.T) {
	keys := `{"name":"p","accessKeyId":"` + accessKey + `","secretAccessKey":"` + secretKey + `"}`
	tests := []struct{ name, text, profile, want string }{
		{"no such profile", kooCLI, "none", `profile "none" is not there`},
		{"no current profile", `{"profiles":[` + keys + `]}`, "", "the current profile is not there"},
		{"another mode", kooCLI, "agency", `profile "agency": the mode is not one of AKSK, SSO, token and ecsAgency`},
		{"no secret key", kooCLI, "half", `profile "half": accessKeyId is set, but secretAccessKey is not`},
		{"no keys", kooCLI, "empty", `profile "empty": no accessKeyId and secretAccessKey`},
		{"no login", kooCLI, "no login", `profile "no login": no accessKeyId and secretAccessKey`},
		{"no token", kooCLI, "no token", `profile "no token": no xAuthToken`},
		{"encrypted", `{"authEncrypt":"true","current":"p","profiles":[` + keys + `]}`, "", "the credentials are encrypted: run hcloud configure set --cli-auth-encrypt=false"},
		{"encrypted, a boolean", `{"authEncrypt":true,"current":"p","profiles":[` + keys + `]}`, "", "the credentials are encrypted"},
		{"not JSON", `{"current":"` + secretKey, "", "not JSON: unexpected end of JSON input"},
		{"another type", `{"profiles":[{"accessKeyId":["` + secretKey + `"]}]}`, "", `not the documented JSON: "accessKeyId" has the wrong type`},
		{"an array", `["` + secretKey + `"]`, "", "not the documented JSON"},
		{"empty", "", "", "not JSON"},
		{"too long", strings.Repeat(" ", 65<<10), "", "more than 64 KiB"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			file := writeFile(t, "config.json", tt.text)
			_, err := client.New("http://host", projectID, client.WithCredentials(client.FromProfile(file, tt.profile)))
			require.ErrorContains(t, err, "client: profiles in "+file+": "+tt.want)
			noSecrets(t, err, secrets...)
		})
	}
	_, err := client.New("http://host", projectID, client.WithCredentials(client.FromProfile(t.TempDir(), "")))
	require.ErrorContains(t, err, "is a directory")
}
