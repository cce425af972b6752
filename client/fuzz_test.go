package client

import (
	"encoding/json"
	"strings"
	"testing"
)

// Whatever a file of the SDKs holds, it has credentials that New takes or that
// it refuses for what they are, or an error that quotes none of it.
func FuzzParseFile(f *testing.F) {
	for _, seed := range []string{
		"", "[basic]\nak = AK1\nsk = secretOfTheSeed\nsecurity_token = 't'\n", "[basic]\r\nidp_id=i\r\nid_token_file=\"f\"\r\niam_endpoint=iam.example",
		"[", "[]", "]", "[basic]\n=", "[basic]\nak=\"\nsk='", "; c\n# d\n[global]\nak=x\n", "[basic]\nnot an assignment, a secretOfTheSeed", "\xff\x00",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		found, err := parseFile(data)
		checkFound(t, found, err)
		if err != nil && strings.Contains(err.Error(), "secretOfTheSeed") {
			t.Errorf("the error quotes the file: %v", err)
		}
	})
}

// The same of a file of KooCLI.
func FuzzParseProfiles(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `[]`, `{"current":"p","profiles":[{"name":"p","mode":"AKSK","accessKeyId":"a","secretAccessKey":"secretOfTheSeed"}]}`,
		`{"authEncrypt":"true","current":"p","profiles":[{"name":"p"}]}`, `{"authEncrypt":[1],"profiles":[null,{}]}`,
		`{"current":"p","profiles":[{"name":"p","mode":"SSO","ssoAuth":{"stsToken":{"accessKeyId":"a","secretAccessKey":"s","securityToken":"t"}}}]}`,
		`{"current":"p","profiles":[{"name":"p","mode":"token","xAuthToken":"t"},{"name":"p","mode":"ecsAgency"}]}`, `{"current":1}`,
	} {
		f.Add([]byte(seed), "")
		f.Add([]byte(seed), "p")
	}
	f.Fuzz(func(t *testing.T, data []byte, profile string) {
		found, err := parseProfiles(data, profile)
		checkFound(t, found, err)
		if err == nil && !json.Valid(data) {
			t.Error("credentials of what is not JSON")
		}
		if err != nil && profile != "secretOfTheSeed" && strings.Contains(err.Error(), "secretOfTheSeed") {
			t.Errorf("the error quotes the file: %v", err)
		}
	})
}

func checkFound(t *testing.T, found Credentials, err error) {
	t.Helper()
	if (found == nil) == (err == nil) {
		t.Fatalf("credentials %v with error %v", found, err)
	}
	if found != nil {
		_, _ = New("https://dayu.cn-north-4.myhuaweicloud.com", "p", WithCredentials(found)) // it must not panic
	}
}
