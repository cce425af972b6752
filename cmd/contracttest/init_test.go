package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const shopDocument = `openapi: 3.0.3
info: {title: Shop, version: "1"}
paths:
  /items/{id}:
    get:
      operationId: getItem
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer, minimum: 1, maximum: 100}}
      responses:
        "200":
          description: The item.
          content: {application/json: {schema: {type: object, required: [id], properties: {id: {type: integer}}}}}
        "400": {description: A wrong request.}
`

// shop's handler forgets the maximum.
const shop = `package api

import (
	"fmt"
	"net/http"
	"strconv"
)

func New() (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil || id < 1 {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, "{\"id\": %d}", id)
	})
	return mux, nil
}

func with(http.Handler) http.Handler { return nil }
`

// repository is somebody else's.
func repository(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
	return dir
}

func shopRepository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	mod, err := os.ReadFile("../../go.mod")
	require.NoError(t, err)
	sum, err := os.ReadFile("../../go.sum")
	require.NoError(t, err)
	// What the shop needs of ours is in versions that are here already.
	text := bytes.Replace(mod, []byte("module github.com/dataarts-go/factory\n"), []byte("module example.com/shop\n"), 1)
	text = append(text, "\nrequire github.com/dataarts-go/factory v0.0.0\nreplace github.com/dataarts-go/factory => "+root+"\n"...)
	return repository(t, map[string]string{
		"go.mod": string(text), "go.sum": string(sum), "openapi.yaml": shopDocument, "internal/api/api.go": shop,
		"Makefile": "build:\n\tgo build ./...",
	})
}

func do(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Do(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// From an empty directory with somebody's handler to a red test that names the
// clause that it breaks.
func TestInitHandler(t *testing.T) {
	dir := shopRepository(t)
	code, stdout, stderr := do("init", "--dir", dir, "--handler", "./internal/api.New")
	require.Equal(t, exitKept, code, stderr)
	assert.Contains(t, stdout, "wrote internal/api/contract_test.go\n")
	assert.Contains(t, stdout, "make contract\n")

	makefile, err := os.ReadFile(filepath.Join(dir, "Makefile"))
	require.NoError(t, err)
	assert.Contains(t, string(makefile), "build:\n\tgo build ./...\n\n.PHONY: contract\n", "what was there is kept")

	vet := exec.CommandContext(t.Context(), "go", "vet", "-mod=mod", "./...")
	vet.Dir = dir
	out, err := vet.CombinedOutput()
	require.NoError(t, err, "%s", out)

	run := exec.CommandContext(t.Context(), "make", "contract")
	run.Dir = dir
	run.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "MAKEFLAGS=", "MAKELEVEL=")
	out, err = run.CombinedOutput()
	require.Error(t, err, "the handler breaks the contract")
	assert.Contains(t, string(out), "--- FAIL: TestContract/getItem/path/id/maximum")
	assert.NotContains(t, string(out), "--- FAIL: TestContract/getItem/path/id/minimum")

	code, _, stderr = do("init", "--dir", dir, "--handler", "./internal/api.New")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "already exists: nothing was written")
}

func TestInitTarget(t *testing.T) {
	dir := repository(t, map[string]string{"api/openapi.yaml": shopDocument, "go.mod": "module example.com/shop\n", "main.go": "package main\n"})
	code, stdout, stderr := do("init", "--dir", dir, "--target", "http://127.0.0.1:8080", "--start", "go run .")
	require.Equal(t, exitKept, code, stderr)
	assert.Contains(t, stdout, "CONTRACT_TARGET")
	test, err := os.ReadFile(filepath.Join(dir, "contract_test.go"))
	require.NoError(t, err)
	assert.Contains(t, string(test), "package main\n")
	assert.Contains(t, string(test), `contracttest.Load("api/openapi.yaml")`)

	data, err := os.ReadFile(filepath.Join(dir, ".github/workflows/contract.yml"))
	require.NoError(t, err)
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct{ Uses, Run string }
		}
	}
	require.NoError(t, yaml.Unmarshal(data, &workflow))
	steps := workflow.Jobs["contract"].Steps
	require.Len(t, steps, 5)
	assert.Contains(t, steps[2].Run, "go run . &\n")
	assert.Equal(t, "make contract", steps[3].Run)
}

// A service of another language has no test of Go.
func TestInitOtherLanguage(t *testing.T) {
	dir := repository(t, map[string]string{"openapi.json": `{"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "paths": {"/a": {"get": {"responses": {"200": {"description": "Done."}}}}}}`})
	code, stdout, stderr := do("init", "--dir", dir, "--target", "http://127.0.0.1:8080")
	require.Equal(t, exitKept, code, stderr)
	assert.NotContains(t, stdout, "_test.go")
	makefile, err := os.ReadFile(filepath.Join(dir, "Makefile"))
	require.NoError(t, err)
	assert.Contains(t, string(makefile), "run --spec openapi.json --target http://127.0.0.1:8080\n")
}

func TestInitRefuses(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"neither", nil, "want either --handler ./DIR.FUNC or --target URL"},
		{"both", []string{"--handler", "./internal/api.New", "--target", "http://a"}, "want either"},
		{"start of a handler", []string{"--handler", "./internal/api.New", "--start", "x"}, "--start goes with --target"},
		{"no URL", []string{"--target", "127.0.0.1:80"}, "want the base URL of a service"},
		{"a URL that a Makefile reads otherwise", []string{"--target", "http://a/$(shell id)"}, "want the base URL of a service"},
		{"no such function", []string{"--handler", "./internal/api.Old"}, "there is no such function in ./internal/api (New, with)"},
		{"no such directory", []string{"--handler", "./api.New"}, "no such file or directory"},
		{"outside", []string{"--handler", "../api.New"}, "want the directory and the function"},
		{"arguments", []string{"--handler", "./internal/api.with"}, "takes nothing and returns the http.Handler"},
		{"no document", []string{"--target", "http://a", "--spec", "none.yaml"}, "no such file"},
		{"a document elsewhere", []string{"--target", "http://a", "--spec", "/etc/openapi.yaml"}, "want a file within the repository"},
	}
	dir := shopRepository(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := do(append([]string{"init", "--dir", dir}, tt.args...)...)
			assert.Equal(t, exitFailed, code)
			assert.Contains(t, stderr, tt.want)
			assert.Empty(t, stdout)
			assert.NoFileExists(t, filepath.Join(dir, ".github/workflows/contract.yml"))
		})
	}
	t.Run("which document", func(t *testing.T) {
		dir := repository(t, map[string]string{"openapi.yaml": shopDocument, "api.yaml": shopDocument})
		code, _, stderr := do("init", "--dir", dir, "--target", "http://a")
		assert.Equal(t, exitFailed, code)
		assert.Contains(t, stderr, "2 files of the usual names are there (openapi.yaml, api.yaml)")
	})
	t.Run("no Go", func(t *testing.T) {
		dir := repository(t, map[string]string{"openapi.yaml": shopDocument})
		code, _, stderr := do("init", "--dir", dir, "--handler", "./a.New")
		assert.Equal(t, exitFailed, code)
		assert.Contains(t, stderr, "there is no go.mod here")
	})
}
