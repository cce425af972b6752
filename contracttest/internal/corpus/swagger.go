package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// swaggerModules are modules of Go that have documents of Swagger 2.0: those of services, those
// that generators write, and those that libraries are tested with.
var swaggerModules = []string{
	"code.gitea.io/gitea@v1.27.3",
	"github.com/argoproj/argo-cd/v2@v2.14.21",
	"github.com/docker/docker@v28.5.2+incompatible",
	"github.com/go-openapi/analysis@v1.0.1",
	"github.com/go-openapi/loads@v0.25.3",
	"github.com/go-openapi/runtime@v0.33.4",
	"github.com/go-openapi/spec@v1.0.1",
	"github.com/go-openapi/validate@v1.0.1",
	"github.com/go-swagger/go-swagger@v0.36.7",
	"github.com/prometheus/alertmanager@v0.35.0",
	"github.com/swaggo/swag@v1.16.6",
	"k8s.io/kubernetes@v1.29.0",
}

// maxSwagger is how large a document may be.
const maxSwagger = 32 << 20

var aboutSwagger = regexp.MustCompile(`(?m)^\s*\{?\s*["']?swagger["']?\s*:\s*["']?2`)

// fetchSwagger downloads the modules, and returns the documents in them by their names.
func fetchSwagger(ctx context.Context) (map[string]string, error) {
	files := map[string]string{}
	seen := map[[sha256.Size]byte]bool{}
	for _, module := range swaggerModules {
		out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", module).Output() //nolint:gosec // of the list above
		var got struct{ Dir, Error string }
		if jsonErr := json.Unmarshal(out, &got); jsonErr != nil || got.Dir == "" {
			return nil, fmt.Errorf("%s cannot be had: %s: %w", module, got.Error, errors.Join(err, jsonErr))
		}
		err = filepath.WalkDir(got.Dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !slices.Contains([]string{".json", ".yaml", ".yml", ".tmpl"}, filepath.Ext(path)) {
				return err
			}
			data, err := readSwagger(path)
			sum := sha256.Sum256(data)
			if len(data) == 0 || err != nil || seen[sum] {
				return err
			}
			seen[sum] = true
			name, err := filepath.Rel(got.Dir, path)
			files[strings.SplitN(module, "@", 2)[0]+"/"+filepath.ToSlash(name)] = path
			return err
		})
		if err != nil {
			return nil, err //nolint:wrapcheck // it names the file
		}
	}
	return files, nil
}

// readSwagger returns the text of a file, which is empty where that is no document of Swagger.
func readSwagger(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSwagger))
	if err != nil || !aboutSwagger.Match(data) {
		return nil, err
	}
	return data, nil
}
