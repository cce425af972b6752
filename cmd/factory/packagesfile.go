package main

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/dataarts-go/factory/server/store"
)

const packagesFileForm = `  projects:
    - id: b384b9e9ab9b4ee8994c8633aabc9505
      default_workspace: development   # none if left out
      workspaces:
        - id: development
          packages:
            - id: "12"
            - {id: "13", state: released}   # pending (default), released, cancelled
`

// packagesFile is the file of --packages. What is left out or null is nil.
type packagesFile struct {
	Projects []struct {
		ID               *scalar `yaml:"id"`
		DefaultWorkspace *scalar `yaml:"default_workspace"`
		Workspaces       []struct {
			ID       *scalar `yaml:"id"`
			Packages []struct {
				ID    *scalar `yaml:"id"`
				State *scalar `yaml:"state"`
			} `yaml:"packages"`
		} `yaml:"workspaces"`
	} `yaml:"projects"`
}

// scalar is a text in the file and its place. A number or date is the text as
// it was written: id: 012 is "012".
type scalar struct {
	value string
	line  int
}

func (s *scalar) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: want a text", node.Line)
	}
	s.value, s.line = node.Value, node.Line
	return nil
}

// readPackagesFile returns what the file of this name holds. The error names
// the file and, where there is one, the line at fault.
func readPackagesFile(name string) (*packagesFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("packages file: %w", err)
	}
	defer f.Close()
	file, err := parsePackages(f)
	if err != nil {
		return nil, fmt.Errorf("packages file %s: %w", name, err)
	}
	return file, nil
}

// parsePackages reads a packages file and checks all that can be said without
// a store.
func parsePackages(r io.Reader) (*packagesFile, error) {
	dec := yaml.NewDecoder(r)
	dec.KnownFields(true)
	file := &packagesFile{}
	if err := dec.Decode(file); errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty, want projects")
	} else if err != nil {
		return nil, yamlError(err)
	}
	if err := dec.Decode(new(yaml.Node)); err == nil {
		return nil, errors.New("it holds a second YAML document")
	} else if !errors.Is(err, io.EOF) {
		return nil, yamlError(err)
	}
	if err := file.check(); err != nil {
		return nil, err
	}
	return file, nil
}

// yamlError rewords the decoder's error, which names Go types.
func yamlError(err error) error {
	e, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	known := map[string]string{}
	knownFields(reflect.TypeFor[packagesFile](), known)
	lines := make([]string, len(e.Errors))
	for i, line := range e.Errors {
		if m := unknownField.FindStringSubmatch(line); m != nil {
			line = fmt.Sprintf("%sunknown field %q: want %s", m[1], m[2], known[m[3]])
		}
		if before, _, ok := strings.Cut(line, " into "); ok {
			line = strings.Replace(before, "cannot unmarshal", "did not expect", 1)
		}
		lines[i] = line
	}
	return errors.New(strings.Join(lines, "; "))
}

// unknownField is the decoder's message for one: the line, the field and the Go type.
var unknownField = regexp.MustCompile(`(?s)^(line \d+: )field (.*) not found in type (.*)$`)

// knownFields lists the fields that a mapping may have, by the Go type that it is read into.
func knownFields(t reflect.Type, known map[string]string) {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		knownFields(t.Elem(), known)
		return
	}
	if t.Kind() != reflect.Struct {
		return
	}
	var names []string
	for f := range t.Fields() {
		if name := f.Tag.Get("yaml"); name != "" {
			names = append(names, name)
			knownFields(f.Type, known)
		}
	}
	slices.Sort(names)
	known[t.String()] = choice(names)
}

// choice lists names of which one is wanted.
func choice(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func (f *packagesFile) check() error {
	projects := map[string]bool{}
	for i, p := range f.Projects {
		if err := checkID(p.ID, projects, "project", fmt.Sprintf("project %d", i+1)); err != nil {
			return err
		}
		if p.DefaultWorkspace != nil {
			if err := checkID(p.DefaultWorkspace, map[string]bool{}, "default workspace", ""); err != nil {
				return err
			}
		}
		workspaces := map[string]bool{}
		for j, w := range p.Workspaces {
			place := fmt.Sprintf("workspace %d of project %q", j+1, p.ID.value)
			if err := checkID(w.ID, workspaces, "workspace", place); err != nil {
				return err
			}
			packages := map[string]bool{}
			for k, pkg := range w.Packages {
				place := fmt.Sprintf("package %d of workspace %q of project %q", k+1, w.ID.value, p.ID.value)
				if err := checkID(pkg.ID, packages, "package", place); err != nil {
					return err
				}
				if pkg.State != nil && !store.State(pkg.State.value).Valid() {
					return fmt.Errorf("line %d: state %q of package %q: want pending, released or cancelled",
						pkg.State.line, pkg.State.value, pkg.ID.value)
				}
			}
		}
	}
	return nil
}

// checkID refuses an id that is missing, cannot be held, or is among seen.
func checkID(id *scalar, seen map[string]bool, kind, place string) error {
	if id == nil {
		return fmt.Errorf("%s has no id", place)
	}
	if err := store.CheckName(id.value); err != nil {
		return fmt.Errorf("line %d: %s: %w", id.line, kind, err)
	}
	if seen[id.value] {
		return fmt.Errorf("line %d: %s %q is there twice", id.line, kind, id.value)
	}
	seen[id.value] = true
	return nil
}

// workspaces returns every workspace of the file, those without packages
// included.
func (f *packagesFile) workspaces() []store.Workspace {
	var all []store.Workspace
	for _, p := range f.Projects {
		if p.DefaultWorkspace != nil {
			all = append(all, store.Workspace{ProjectID: p.ID.value, ID: p.DefaultWorkspace.value, Default: true})
		}
		for _, w := range p.Workspaces {
			all = append(all, store.Workspace{ProjectID: p.ID.value, ID: w.ID.value})
		}
	}
	return all
}

// packages returns every package of the file.
func (f *packagesFile) packages() iter.Seq2[store.Package, error] {
	return func(yield func(store.Package, error) bool) {
		for _, p := range f.Projects {
			for _, w := range p.Workspaces {
				for _, pkg := range w.Packages {
					out := store.Package{ID: pkg.ID.value, ProjectID: p.ID.value, Workspace: w.ID.value}
					if pkg.State != nil {
						out.State = store.State(pkg.State.value)
					}
					if !yield(out, nil) {
						return
					}
				}
			}
		}
	}
}
