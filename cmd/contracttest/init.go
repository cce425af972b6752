package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
	"golang.org/x/mod/modfile"

	"github.com/dataarts-go/factory/contracttest"
)

//go:embed templates
var templates embed.FS

type initFlags struct {
	spec, target, handler, start string
	dir                          string
	force                        bool
}

func newInitCommand() *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init --handler ./DIR.FUNC | --target URL",
		Short: "Write a contract test, a workflow and a Makefile target into a repository",
		Long: `Write a contract test, a GitHub workflow and a Makefile target for the document of
this repository, and for the handler or the URL to be tested.

--handler names a function that takes nothing and returns the http.Handler (and an
error, if need be), by its directory: ./internal/api.NewHandler. The test is written
beside it. --target is a base URL; the test then takes CONTRACT_TARGET in its place.

What is there already is not overwritten, and nothing is written if one of the
files is.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := f.survey()
			if err != nil {
				return err
			}
			files, err := s.files()
			if err != nil {
				return err
			}
			if err := writeAll(s.root, files, f.force); err != nil {
				return err
			}
			for _, file := range files {
				fmt.Fprintln(cmd.OutOrStdout(), "wrote", file.name)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nnext:\n%s", s.next())
			return err
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.spec, "spec", "", "the OpenAPI or Swagger document; by default the one openapi.yaml, swagger.yaml, .yml or .json that the repository has")
	fl.StringVar(&f.handler, "handler", "", "the function that makes the handler, as ./DIR.FUNC")
	fl.StringVar(&f.target, "target", "", "base URL of the service")
	fl.StringVar(&f.start, "start", "", "the command that starts the service in the workflow, with --target")
	fl.StringVar(&f.dir, "dir", ".", "the repository")
	fl.BoolVar(&f.force, "force", false, "overwrite what is there")
	return cmd
}

// survey is what init found out, and what its templates are filled with. Names of
// files are relative to the root, with slashes.
type survey struct {
	root string // the repository

	Document   string // the OpenAPI document
	Module     string // empty where the repository is no Go module
	Package    string // of the test
	PackageDir string // the directory of the test, as ./internal/api
	Spec       string // the document as the test names it
	Handler    string // the function
	HandlerErr bool   // it returns an error too
	Target     string
	Start      string
	Make       string // the name of the Makefile's target
	makefile   []byte // what there is of it
}

// ReportDir is where the reports of the workflow are, which go test runs in the
// directory of the test.
func (s *survey) ReportDir() string { return path.Join(path.Clean(s.PackageDir), "contract-report") }

func (f *initFlags) survey() (*survey, error) {
	s := &survey{root: f.dir, PackageDir: ".", Target: f.target, Start: f.start, Make: "contract"}
	switch {
	case (f.handler == "") == (f.target == ""):
		return nil, errors.New("want either --handler ./DIR.FUNC or --target URL")
	case f.start != "" && f.target == "":
		return nil, errors.New("--start goes with --target")
	case strings.ContainsAny(f.start, "\r\n"):
		return nil, errors.New("--start: want one line")
	}
	if f.target != "" {
		if u, err := url.Parse(f.target); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(f.target, " '\"$`\\") {
			return nil, errors.New("--target: want the base URL of a service, as in http://127.0.0.1:8080")
		}
	}
	if err := s.readModule(); err != nil {
		return nil, err
	}
	if err := s.findDocument(f.spec); err != nil {
		return nil, err
	}
	if f.handler != "" {
		if err := s.findHandler(f.handler); err != nil {
			return nil, err
		}
	} else if s.Module != "" {
		s.Package = "contract_test"
		if name, err := packageOf(filepath.Join(s.root, s.PackageDir)); err == nil && name != "" {
			s.Package = name
		}
	}
	rel, err := filepath.Rel(filepath.FromSlash(s.PackageDir), filepath.FromSlash(s.Document))
	if err != nil {
		return nil, fmt.Errorf("--spec: %w", err)
	}
	s.Spec = filepath.ToSlash(rel)
	return s, s.readMakefile()
}

func (s *survey) readModule() error {
	file := filepath.Join(s.root, "go.mod")
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if s.Module = modfile.ModulePath(data); s.Module == "" {
		return fmt.Errorf("%s: names no module", file)
	}
	return nil
}

// documents are where repositories keep their document.
var documents = []string{
	"openapi", "api/openapi", "docs/openapi", "spec/openapi", "openapi/openapi", "api/api", "api", "swagger", "api/swagger", "docs/swagger", "swagger/swagger",
}

func (s *survey) findDocument(spec string) error {
	if spec == "" {
		var found []string
		for _, name := range documents {
			for _, ext := range []string{".yaml", ".yml", ".json"} {
				if info, err := os.Stat(filepath.Join(s.root, name+ext)); err == nil && info.Mode().IsRegular() {
					found = append(found, name+ext)
					break // generators write one document in YAML and in JSON
				}
			}
		}
		if len(found) != 1 {
			return fmt.Errorf("--spec: want the OpenAPI document: %d files of the usual names are there%s", len(found), listed(found))
		}
		spec = found[0]
	} else if filepath.IsAbs(spec) || !filepath.IsLocal(filepath.FromSlash(spec)) {
		return fmt.Errorf("--spec %s: want a file within the repository", spec)
	}
	if strings.ContainsAny(spec, " '\"$`\\\n") {
		return fmt.Errorf("--spec %q: want a name that needs no quoting in a Makefile", spec)
	}
	s.Document = path.Clean(filepath.ToSlash(spec))
	_, err := contracttest.Load(filepath.Join(s.root, filepath.FromSlash(s.Document)))
	return err
}

func listed(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return " (" + strings.Join(names, ", ") + ")"
}

var handlerName = regexp.MustCompile(`^(.*)\.([\pL_][\pL\pN_]*)$`)

// findHandler looks for the function in its directory.
func (s *survey) findHandler(name string) error {
	if s.Module == "" {
		return errors.New("--handler: there is no go.mod here; a service of another language is tested by --target URL")
	}
	m := handlerName.FindStringSubmatch(name)
	if m == nil || m[1] == "" || filepath.IsAbs(m[1]) || !filepath.IsLocal(filepath.FromSlash(m[1])) {
		return fmt.Errorf("--handler %s: want the directory and the function, as in ./internal/api.NewHandler", name)
	}
	s.PackageDir, s.Handler = "./"+path.Clean(filepath.ToSlash(m[1])), m[2]
	if s.PackageDir == "./." {
		s.PackageDir = "."
	}
	dir := filepath.Join(s.root, filepath.FromSlash(s.PackageDir))
	fset := token.NewFileSet()
	var others []string
	sources, err := sourcesOf(dir)
	if err != nil {
		return fmt.Errorf("--handler %s: %w", name, err)
	}
	for _, file := range sources {
		parsed, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("--handler %s: %w", name, err)
		}
		for _, d := range parsed.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil {
				continue
			}
			if fn.Name.Name != s.Handler {
				others = append(others, fn.Name.Name)
				continue
			}
			s.Package = parsed.Name.Name
			return s.signature(name, fset.Position(fn.Pos()).String(), fn)
		}
	}
	slices.Sort(others)
	return fmt.Errorf("--handler %s: there is no such function in %s%s", name, s.PackageDir, listed(others[:min(10, len(others))]))
}

func (s *survey) signature(name, place string, fn *ast.FuncDecl) error {
	results := 0
	if fn.Type.Results != nil {
		results = fn.Type.Results.NumFields()
	}
	if fn.Type.Params.NumFields() > 0 || fn.Type.TypeParams != nil || results < 1 || results > 2 {
		return fmt.Errorf("--handler %s: %s: want a function that takes nothing and returns the http.Handler, and an error if need be", name, place)
	}
	s.HandlerErr = results == 2
	return nil
}

// sourcesOf lists the Go files of a directory but for tests.
func sourcesOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if n := e.Name(); strings.HasSuffix(n, ".go") && !strings.HasSuffix(n, "_test.go") && e.Type().IsRegular() {
			files = append(files, filepath.Join(dir, n))
		}
	}
	return files, nil
}

// packageOf returns the name of the package in a directory, empty if there is
// none.
func packageOf(dir string) (string, error) {
	sources, err := sourcesOf(dir)
	if err != nil || len(sources) == 0 {
		return "", err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), sources[0], nil, parser.PackageClauseOnly)
	if err != nil {
		return "", err
	}
	return parsed.Name.Name, nil
}

func (s *survey) readMakefile() error {
	data, err := os.ReadFile(filepath.Join(s.root, "Makefile"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.makefile = data
	for _, name := range []string{"contract", "contract-test", "openapi-contract-test"} {
		if !regexp.MustCompile(`(?m)^` + name + `\s*:`).Match(data) {
			s.Make = name
			return nil
		}
	}
	return errors.New("the Makefile has targets of the names contract, contract-test and openapi-contract-test already")
}

// file is one that init writes; appended says that its name may be there.
type file struct {
	name     string
	data     []byte
	appended bool
}

func (s *survey) files() ([]file, error) {
	all := []file{{name: ".github/workflows/contract.yml"}, {name: "Makefile", appended: true}}
	sources := []string{"contract.yml.tmpl", "Makefile.tmpl"}
	if s.Module != "" {
		all = append(all, file{name: path.Join(path.Clean(s.PackageDir), "contract_test.go")})
		if s.Handler != "" {
			sources = append(sources, "handler_test.go.tmpl")
		} else {
			sources = append(sources, "url_test.go.tmpl")
		}
	}
	for i := range all {
		t, err := template.ParseFS(templates, "templates/"+sources[i])
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if all[i].appended && len(s.makefile) > 0 {
			b.Write(bytes.TrimRight(s.makefile, "\n"))
			b.WriteString("\n\n")
		}
		if err := t.Execute(&b, s); err != nil {
			return nil, err
		}
		all[i].data = b.Bytes()
		if strings.HasSuffix(all[i].name, ".go") {
			if all[i].data, err = format.Source(b.Bytes()); err != nil {
				return nil, fmt.Errorf("%s: %w", all[i].name, err)
			}
		}
	}
	return all, nil
}

// writeAll writes the files, or none if one of them is there.
func writeAll(root string, files []file, force bool) error {
	for _, f := range files {
		if _, err := os.Lstat(filepath.Join(root, filepath.FromSlash(f.name))); err == nil && !f.appended && !force {
			return fmt.Errorf("%s already exists: nothing was written (--force overwrites it)", f.name)
		}
	}
	for _, f := range files {
		name := filepath.Join(root, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.data, 0o644); err != nil { //nolint:gosec // a repository's files are for all to read
			return err
		}
	}
	return nil
}

// next says what is left to be done.
func (s *survey) next() string {
	switch {
	case s.Module == "":
		return "  make " + s.Make + "\n"
	case s.Target != "":
		return "  go get github.com/dataarts-go/factory/contracttest@latest\n  make " + s.Make + "   # with the service at " + s.Target + ", or CONTRACT_TARGET=URL make " + s.Make + "\n"
	}
	return "  go get github.com/dataarts-go/factory/contracttest@latest\n  make " + s.Make + "\n"
}
