package sdktest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A program that cancels one package, built as go build does it: how large it
// is, and how many packages outside the standard library it is made of.
func TestWeight(t *testing.T) {
	size, packages := map[string]int64{}, map[string]int{}
	programs := []string{"bare", "keys", "client", "sdk"}
	for _, name := range programs {
		program := filepath.Join(t.TempDir(), name)
		command(t, "build", "-o", program, "./weight/"+name)
		info, err := os.Stat(program)
		require.NoError(t, err)
		size[name] = info.Size()
		list := command(t, "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./weight/"+name)
		packages[name] = len(strings.Fields(list)) - 1 // without the program
		t.Logf("%s: %.2f MB, %d packages", name, float64(size[name])/1e6, packages[name])
	}
	assert.LessOrEqual(t, float64(size["client"]), 1.12*float64(size["bare"]))
	assert.Less(t, size["keys"], size["client"], "a program links the credentials that it uses")
	assert.LessOrEqual(t, packages["client"], 15)
	assert.Less(t, size["client"], size["sdk"])
	assert.Less(t, packages["client"], packages["sdk"])

	// The documentation says the same, as far as versions of Go do.
	docs, err := os.ReadFile("../../../docs/client-responses.md")
	require.NoError(t, err)
	rows := regexp.MustCompile(`\| ([0-9.]+) MB[^|]*\| (\d+) \|`).FindAllStringSubmatch(string(docs), -1)
	require.Len(t, rows, len(programs))
	for i, name := range programs {
		documented, err := strconv.ParseFloat(rows[i][1], 64)
		require.NoError(t, err)
		assert.InEpsilon(t, float64(size[name])/1e6, documented, 0.05, name)
		assert.Equal(t, strconv.Itoa(packages[name]), rows[i][2], name)
	}
}

func command(t *testing.T, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "go %s: %s", strings.Join(args, " "), &stderr)
	return string(out)
}
