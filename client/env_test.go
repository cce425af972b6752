package client_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataarts-go/factory/client"
)

// clearEnv takes away what the environment of the test says of credentials.
func clearEnv(t *testing.T) (home string) {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "HW_") || strings.HasPrefix(name, "HUAWEICLOUD_SDK_") || strings.HasPrefix(name, "HC_CONTAINER_") {
			t.Setenv(name, "")
		}
	}
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	return home
}

// used is what credentials add to a request; of a signature, the access key.
func used(t *testing.T, credentials client.Credentials) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://host/", nil)
	require.NoError(t, err)
	require.NoError(t, credentials.Authorize(req))
	_, access, _ := strings.Cut(req.Header.Get("Authorization"), "Access=")
	access, _, _ = strings.Cut(access, ",")
	return strings.Join([]string{req.Header.Get("X-Auth-Token"), access, req.Header.Get("X-Security-Token")}, "|")
}

func TestFromEnv(t *testing.T) {
	sdk := map[string]string{"HUAWEICLOUD_SDK_AK": "SDKAK", "HUAWEICLOUD_SDK_SK": secretKey}
	terraform := map[string]string{"HW_ACCESS_KEY": "HWAK", "HW_SECRET_KEY": secretKey}
	file := "[basic]\nak = FILEAK\nsk = " + secretKey + "\n"
	kooCLIFile := writeFile(t, "config.json", kooCLI)
	tests := []struct {
		name string
		env  []map[string]string
		file string // ~/.huaweicloud/credentials
		want string
	}{
		{"SDK before all else", []map[string]string{sdk, terraform, {"HW_AUTH_TOKEN": token}}, file, "|SDKAK|"},
		{"SDK, temporary", []map[string]string{sdk, {"HUAWEICLOUD_SDK_SECURITY_TOKEN": securityToken}}, "", "|SDKAK|" + securityToken},
		{"token before keys of Terraform", []map[string]string{terraform, {"HW_AUTH_TOKEN": token}}, file, token + "||"},
		{"Terraform", []map[string]string{terraform, {"HW_USER_NAME": "u", "HW_USER_PASSWORD": "p", "HW_DOMAIN_NAME": "d"}}, file, "|HWAK|"},
		{"Terraform, temporary", []map[string]string{terraform, {"HW_SECURITY_TOKEN": securityToken}}, "", "|HWAK|" + securityToken},
		{"SDK, without the file of the ID token", []map[string]string{sdk, {"HUAWEICLOUD_SDK_IDP_ID": "idp"}}, file, "|SDKAK|"},
		{"Terraform before a profile", []map[string]string{terraform, {"HW_PROFILE": "none"}}, file, "|HWAK|"},
		{"current profile", []map[string]string{{"HW_SHARED_CONFIG_FILE": kooCLIFile}}, file, "|AKDEFAULT|"},
		{"another profile", []map[string]string{{"HW_SHARED_CONFIG_FILE": kooCLIFile, "HW_PROFILE": "token"}}, file, token + "||"},
		{"file of the home directory", nil, file, "|FILEAK|"},
		{"file that a variable names", []map[string]string{{"HUAWEICLOUD_SDK_CREDENTIALS_FILE": "testdata/credentials"}}, file, "|TESTAK|" + securityToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			home := clearEnv(t)
			for _, env := range tt.env {
				for name, value := range env {
					t.Setenv(name, value)
				}
			}
			if tt.file != "" {
				writeCredentials(t, home, tt.file)
			}
			credentials := client.FromEnv()
			assert.Equal(t, tt.want, used(t, credentials))
			_, err := client.New("http://host", projectID, client.WithCredentials(credentials))
			require.NoError(t, err)
		})
	}
}

func TestFromEnvPassword(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"Terraform":    {"HW_AUTH_URL": "http://iam.env:443/v3"},
		"with a slash": {"HW_AUTH_URL": "http://iam.env:443/v3/"},
		"SDK":          {"HUAWEICLOUD_SDK_IAM_ENDPOINT": "http://iam.env:443"},
	} {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			for name, value := range env {
				t.Setenv(name, value)
			}
			t.Setenv("HW_USER_NAME", "user")
			t.Setenv("HW_USER_PASSWORD", password)
			t.Setenv("HW_DOMAIN_NAME", "domain")
			asked := ""
			transport := roundTripFunc(func(req *http.Request) (*http.Response, error) {
				asked = req.URL.String()
				return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody}, nil
			})
			c := newClient(t, "http://host", client.WithHTTPClient(&http.Client{Transport: transport}), client.WithCredentials(client.FromEnv()))
			require.ErrorAs(t, c.CancelFactoryPackages(t.Context(), "12"), new(*client.Error))
			assert.Equal(t, "http://iam.env:443/v3/auth/tokens?nocatalog=true", asked)
		})
	}
}

func TestFromEnvRefuses(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want string
	}{
		{"no SK", map[string]string{"HUAWEICLOUD_SDK_AK": accessKey}, "HUAWEICLOUD_SDK_AK is set, but HUAWEICLOUD_SDK_SK is not"},
		{"no AK", map[string]string{"HW_SECRET_KEY": secretKey}, "HW_SECRET_KEY is set, but HW_ACCESS_KEY is not"},
		{"no domain", map[string]string{"HW_USER_NAME": "u", "HW_USER_PASSWORD": password}, "HW_DOMAIN_NAME is not"},
		{"no file", map[string]string{"HUAWEICLOUD_SDK_CREDENTIALS_FILE": "testdata/none"}, "testdata/none: no such file"},
		{"no ID token", map[string]string{"HUAWEICLOUD_SDK_IDP_ID": "idp"}, "client: HUAWEICLOUD_SDK_IDP_ID is set, but HUAWEICLOUD_SDK_ID_TOKEN_FILE is not"},
		{"no identity provider", map[string]string{"HUAWEICLOUD_SDK_ID_TOKEN_FILE": "file"}, "client: HUAWEICLOUD_SDK_ID_TOKEN_FILE is set, but HUAWEICLOUD_SDK_IDP_ID is not"},
		{"no IAM", map[string]string{"HUAWEICLOUD_SDK_IDP_ID": "idp", "HUAWEICLOUD_SDK_ID_TOKEN_FILE": "file"}, "set WithIAMEndpoint"},
		{"bad identity provider", map[string]string{"HUAWEICLOUD_SDK_IDP_ID": "a\nb", "HUAWEICLOUD_SDK_ID_TOKEN_FILE": "file"}, "client: ID of the identity provider contains a control character"},
		{"no profile", map[string]string{"HW_PROFILE": "p"}, "config.json: no such file"},
		{"no such profile", map[string]string{"HW_SHARED_CONFIG_FILE": writeFile(t, "config.json", kooCLI), "HW_PROFILE": "none"}, `profile "none" is not there`},
		{"no token of the pod", map[string]string{"HC_CONTAINER_CREDENTIALS_FULL_URI": "http://pod"}, "client: HC_CONTAINER_CREDENTIALS_FULL_URI is set, but HC_CONTAINER_AUTHORIZATION_TOKEN_FILE is not"},
		{"no endpoint of the pod", map[string]string{"HC_CONTAINER_AUTHORIZATION_TOKEN_FILE": "file"}, "client: HC_CONTAINER_AUTHORIZATION_TOKEN_FILE is set, but HC_CONTAINER_CREDENTIALS_FULL_URI is not"},
		{"bad endpoint of the pod", map[string]string{"HC_CONTAINER_CREDENTIALS_FULL_URI": "pod", "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE": "file"}, "client: the pod's endpoint for credentials is not an absolute"},
		{"bad token", map[string]string{"HW_AUTH_TOKEN": token + "\n"}, "token contains a control character"},
		{"bad IAM", map[string]string{"HW_USER_NAME": "u", "HW_USER_PASSWORD": password, "HW_DOMAIN_NAME": "d", "HW_AUTH_URL": "iam"}, "IAM endpoint is not"},
		{"nothing", nil, client.ErrNoCredentials.Error()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clearEnv(t)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			credentials := client.FromEnv()
			_, err := client.New("http://host", projectID, client.WithCredentials(credentials))
			require.ErrorContains(t, err, tt.want)
			for _, secret := range secrets {
				assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, credentials, credentials), secret)
			}
			if tt.env == nil {
				require.ErrorIs(t, err, client.ErrNoCredentials)
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://host", nil)
				require.NoError(t, err)
				require.ErrorIs(t, credentials.Authorize(req), client.ErrNoCredentials)
			}
		})
	}
	t.Run("no home", func(t *testing.T) {
		clearEnv(t)
		t.Setenv("HOME", "")
		_, err := client.New("http://host", projectID, client.WithCredentials(client.FromEnv()))
		require.ErrorIs(t, err, client.ErrNoCredentials)
	})
}

func TestFromFile(t *testing.T) {
	long := strings.Repeat("#", 1000) + "\n"
	tests := []struct{ name, text, want string }{
		{"plain", "[basic]\nak=AK1\nsk=s\n", "|AK1|"},
		{"last line without an end", "[basic]\nak=AK1\nsk=s", "|AK1|"},
		{"quotes and other endings", "# of the SDK\r\n[basic]\r\nak = \"AK1\"\r\nsk = 's'\r\n", "|AK1|"},
		{"temporary", "; a comment\n\n[ basic ]\nak=AK1\nsk=s\nsecurity_token = a=b==\nproject_id = p\n", "|AK1|a=b=="},
		{"other section", "[global]\nak=AK2\nsk=s\n[basic]\nak=AK1\nsk=s\n[other]\nak=AK3", "|AK1|"},
		{"as long as may be", strings.Repeat(long, 65) + "[basic]\nak=AK1\nsk=s\n", "|AK1|"},
		{"too long", strings.Repeat(long, 66) + "[basic]\nak=AK1\nsk=s\n", "error: more than 64 KiB"},
		{"one long line", strings.Repeat("x", 100_000), "error: more than 64 KiB"},
		{"identity provider without a file", "[basic]\nidp_id=idp\n", "error: idp_id is set, but id_token_file is not"},
		{"keys beside half an identity provider", "[basic]\nidp_id=idp\nak=AK1\nsk=s\n", "|AK1|"},
		{"no section", "ak=AK1\nsk=" + secretKey, "error: no ak and sk in a section [basic]"},
		{"no sk", "[basic]\nak=" + accessKey, "error: ak is set, but sk is not"},
		{"not ini", "[basic]\n" + secretKey, "error: line 2 is neither [section] nor key = value"},
		{"empty", "", "error: no ak and sk"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "credentials")
			require.NoError(t, os.WriteFile(name, []byte(tt.text), 0o600))
			credentials := client.FromFile(name)
			_, err := client.New("http://host", projectID, client.WithCredentials(credentials))
			if want, wrong := strings.CutPrefix(tt.want, "error: "); wrong {
				require.ErrorContains(t, err, "client: credentials in "+name+": "+want)
				assert.NotContains(t, err.Error(), secretKey)
				assert.NotContains(t, err.Error(), accessKey)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, used(t, credentials))
		})
	}
	_, err := client.New("http://host", projectID, client.WithCredentials(client.FromFile(t.TempDir())))
	require.Error(t, err, "a directory")
}

// An identity provider counts before keys, with the IAM that the variable or the
// file names.
func TestFromEnvOpenIDConnect(t *testing.T) {
	token := writeFile(t, "id-token", idToken)
	keys := "ak = FILEAK\nsk = " + secretKey + "\n"
	for name, tt := range map[string]struct {
		env  map[string]string
		file string
	}{
		"variables": {map[string]string{
			"HUAWEICLOUD_SDK_IDP_ID": "my-idp", "HUAWEICLOUD_SDK_ID_TOKEN_FILE": token, "HUAWEICLOUD_SDK_IAM_ENDPOINT": "iam.example",
			"HUAWEICLOUD_SDK_AK": "SDKAK", "HUAWEICLOUD_SDK_SK": secretKey,
		}, ""},
		"file": {nil, "[basic]\nidp_id = my-idp\nid_token_file = " + token + "\niam_endpoint = https://iam.example\n" + keys},
	} {
		t.Run(name, func(t *testing.T) {
			home := clearEnv(t)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			writeCredentials(t, home, tt.file)
			var f federation
			asked := ""
			iam := f.handler(t, func() string { return idToken })
			c := cloudClient(t, hosts{
				"iam.example": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked = r.URL.Scheme
					iam.ServeHTTP(w, r)
				}),
				vendorHost: http.HandlerFunc(f.cancel),
			}, client.FromEnv())
			require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
			assert.Equal(t, "https", asked)
			assert.Equal(t, []string{accessNumber(1)}, f.used)
		})
	}
}

// A file of the home directory that has nothing for a project is passed over; a
// broken one is not.
func TestFromEnvOtherFile(t *testing.T) {
	for text, want := range map[string]string{
		"[global]\nak=AK1\nsk=s\n": "client: no credentials in the environment",
		"":                         "client: no credentials in the environment",
		"[basic]\nak=AK1\n":        "ak is set, but sk is not",
		"x":                        "line 1 is neither",
	} {
		writeCredentials(t, clearEnv(t), text)
		_, err := client.New("http://host", projectID, client.WithCredentials(client.FromEnv()))
		require.ErrorContains(t, err, want)
	}
}

func writeCredentials(t *testing.T, home, text string) {
	t.Helper()
	require.NoError(t, os.Mkdir(filepath.Join(home, ".huaweicloud"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(home, ".huaweicloud", "credentials"), []byte(text), 0o600))
}

func TestNewFromEnv(t *testing.T) {
	clearEnv(t)
	_, err := client.NewFromEnv()
	require.EqualError(t, err, "client: no region: HW_REGION_NAME is not set")
	t.Setenv("HW_REGION_NAME", "cn-north-4")
	_, err = client.NewFromEnv()
	require.EqualError(t, err, "client: no project: neither HUAWEICLOUD_SDK_PROJECT_ID nor HW_PROJECT_ID is set")
	t.Setenv("HW_PROJECT_ID", "of-terraform")
	assert.Equal(t, "of-terraform", client.ProjectFromEnv())
	t.Setenv("HUAWEICLOUD_SDK_PROJECT_ID", projectID)
	assert.Equal(t, projectID, client.ProjectFromEnv())

	got := ""
	to := client.WithHTTPClient(&http.Client{Transport: roundTripFunc(func(req *http.Request) (*http.Response, error) {
		got = req.Header.Get("X-Auth-Token") + " " + req.URL.String()
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}, nil
	})})
	t.Setenv("HW_AUTH_TOKEN", token)
	const url = " https://dayu.cn-north-4.myhuaweicloud.com/v2/" + projectID + "/factory/release-packages/unpack"
	for want, opts := range map[string][]client.Option{
		token: {to}, "of-the-program": {to, client.WithCredentials(client.Token("of-the-program"))},
	} {
		c, err := client.NewFromEnv(opts...)
		require.NoError(t, err)
		require.NoError(t, c.CancelFactoryPackages(t.Context(), "12"))
		assert.Equal(t, want+url, got)
	}
	t.Setenv("HW_AUTH_TOKEN", token+"\n")
	_, err = client.NewFromEnv()
	require.EqualError(t, err, "client: token contains a control character")
}
