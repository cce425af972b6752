package sdktest

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	dataarts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/dataartsstudio/v1/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The mock of openapi.yaml takes what the vendor's own client sends, and answers what that can read.
func TestSDKAgainstMock(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "contracttest")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/contracttest")
	build.Dir = "../../.."
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	//nolint:gosec // G204: it has just been built
	mock := exec.Command(binary, "mock", "--spec", "../../../openapi.yaml", "--listen", "127.0.0.1:0")
	log := &strings.Builder{}
	mock.Stderr = log
	stdout, err := mock.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, mock.Start())
	defer func() {
		assert.NoError(t, mock.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, mock.Wait(), "%s", log)
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)

	credentials, err := basic.NewCredentialsBuilder().WithAk(accessKey).WithSk(secretKey).WithProjectId(projectID).SafeBuild()
	require.NoError(t, err)
	hc, err := dataarts.DataArtsStudioClientBuilder().WithEndpoint(strings.TrimPrefix(strings.TrimSpace(line), "listening on ")).WithCredential(credentials).SafeBuild()
	require.NoError(t, err)
	cancel := func(body *model.CancelFactoryPackagesRequestBody) error {
		_, err := dataarts.NewDataArtsStudioClient(hc).CancelFactoryPackages(&model.CancelFactoryPackagesRequest{Body: body})
		return err
	}
	for _, body := range []*model.CancelFactoryPackagesRequestBody{{PackageIds: &[]string{"12", "13"}}, {}, nil} {
		require.NoError(t, cancel(body), "%v", body)
	}
	hc.WithExtraHeaders(map[string]string{"Prefer": "code=400"})
	var refused *sdkerr.ServiceResponseError
	require.ErrorAs(t, cancel(nil), &refused)
	assert.Equal(t, 400, refused.StatusCode)
	assert.NotEmpty(t, refused.ErrorCode)
	assert.NotEmpty(t, refused.ErrorMessage)
}
