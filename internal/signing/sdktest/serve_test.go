package sdktest

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	dataarts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// factory builds the server, and starts it with --auth aksk.
func factory(t *testing.T) (url string) {
	t.Helper()
	dir := t.TempDir()
	file := func(name, content string) string {
		name = filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
		return name
	}
	binary := filepath.Join(dir, "factory")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/factory")
	build.Dir = "../../.."
	build.Env = append(os.Environ(), "GOFLAGS=")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	packages, err := os.ReadFile("../../../cmd/factory/testdata/packages.yaml")
	require.NoError(t, err)
	//nolint:gosec // G204: it has just been built
	serve := exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--db", "sqlite:"+filepath.Join(dir, "factory.db"),
		"--packages", file("packages.yaml", string(packages)), "--auth", "aksk", "--credentials",
		file("credentials.yaml", "keys: [{access_key: "+accessKey+", secret_key: '"+secretKey+"', project_id: "+projectID+"}]"))
	stdout, err := serve.StdoutPipe()
	require.NoError(t, err)
	log := &strings.Builder{}
	serve.Stderr = log
	require.NoError(t, serve.Start())
	t.Cleanup(func() {
		assert.NoError(t, serve.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, serve.Wait(), "%s", log)
		assert.NotContains(t, log.String(), secretKey)
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, "%s", log)
	return strings.TrimPrefix(strings.TrimSpace(line), "listening on ")
}

// The server answers the vendor's own client as the service does, so that those
// who use it see each refusal where they look for it.
func TestSDKAgainstServe(t *testing.T) {
	url := factory(t)
	const incorrect = "Incorrect IAM authentication information: "
	tests := []struct {
		name                    string
		ids                     []string // nil: no body
		access, secret, project string
		workspace               string
		age                     time.Duration
		status                  int // 0: cancelled
		code, message           string
	}{
		{name: "cancel", ids: []string{"12", "13"}},
		{name: "cancel again", ids: []string{"12", "13"}},
		{name: "unknown id", ids: []string{"12", "99"}, status: 400, code: "DLF.0810", message: "Task does not exist."},
		{name: "id that is no UTF-8", ids: []string{"\xff"}, status: 400, code: "DLF.0810", message: "Task does not exist."},
		{name: "no ids", ids: []string{}},
		{name: "no body"},
		{name: "unknown workspace", ids: []string{"12"}, workspace: "nowhere", status: 400, code: "DLF.0819", message: "Workspace does not exists"},
		{name: "wrong secret", ids: []string{"12"}, secret: "wrong", status: 401, code: "APIG.0301", message: incorrect + "verify aksk signature fail"},
		{name: "unknown key", ids: []string{"12"}, access: "AKNOBODY", status: 401, code: "APIG.0301", message: incorrect + "Get secretKey failed,ak:AKNOBODY,err:ak not exist"},
		{name: "another project", ids: []string{"12"}, project: "another", status: 403, code: "APIG.0302", message: "The IAM user is not authorized to access the API."},
		{name: "expired date", ids: []string{"12"}, age: 16 * time.Minute, status: 401, code: "APIG.0301", message: incorrect + "calc ak sk signature fail:signature expired"},
		{name: "date ahead", ids: []string{"12"}, age: -16 * time.Minute, status: 401, code: "APIG.0301", message: incorrect + "calc ak sk signature fail:signature expired"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			or := func(value, other string) string {
				if value == "" {
					return other
				}
				return value
			}
			credentials, err := basic.NewCredentialsBuilder().
				WithAk(or(tt.access, accessKey)).WithSk(or(tt.secret, secretKey)).WithProjectId(or(tt.project, projectID)).SafeBuild()
			require.NoError(t, err)
			hc, err := dataarts.DataArtsStudioClientBuilder().WithEndpoint(url).WithCredential(credentials).
				WithHttpConfig(config.DefaultHttpConfig().WithUserAgent("sdk")).SafeBuild()
			require.NoError(t, err)
			if tt.age != 0 {
				hc.WithExtraHeaders(map[string]string{"X-Sdk-Date": time.Now().Add(-tt.age).UTC().Format("20060102T150405Z")})
			}
			req := &model.CancelFactoryPackagesRequest{}
			if tt.workspace != "" {
				req.Workspace = &tt.workspace
			}
			if tt.ids != nil {
				req.Body = &model.CancelFactoryPackagesRequestBody{PackageIds: &tt.ids}
			}
			_, err = dataarts.NewDataArtsStudioClient(hc).CancelFactoryPackages(req)
			if tt.status == 0 {
				require.NoError(t, err)
				return
			}
			var refused *sdkerr.ServiceResponseError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.status, refused.StatusCode)
			assert.Equal(t, tt.code, refused.ErrorCode)
			assert.Contains(t, refused.ErrorMessage, tt.message)
			assert.Regexp(t, "^[0-9a-f]{32}$", refused.RequestId)
		})
	}
}
