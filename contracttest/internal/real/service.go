package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Service is a public service as its file in testdata has it: where it comes from, how it
// is built and started, and what a person has found out about what is reported of it.
// Scripts are of the shell and run in the sources. They have OUT, a directory of the
// service's own, and PORT, which also stand for themselves as $OUT and $PORT in the fields
// that say so.
type Service struct {
	Name string `yaml:"-"` // of its file

	Title  string `yaml:"title"`
	Module string `yaml:"module,omitempty"` // of Go, as name@version: its files are the sources
	// Checkouts are git repositories in the directory that REAL_CHECKOUTS names, as
	// owner/name@revision. The first has the sources; any other is laid in $OUT/name.
	Checkouts []string `yaml:"checkouts,omitempty"`
	Packages  []string `yaml:"packages,omitempty"` // of npm or PyPI, with their versions: what Build installs
	Build     string   `yaml:"build,omitempty"`
	Start     string   `yaml:"start"`
	Port      int      `yaml:"port,omitempty"`  // where the service knows no other; 0: a free one
	Ready     string   `yaml:"ready"`           // answers once the service has started; a URL with $PORT
	Document  string   `yaml:"document"`        // file or URL, with $OUT and $PORT
	Target    string   `yaml:"target"`          // with $PORT
	Flags     []string `yaml:"flags,omitempty"` // of contracttest run, with $OUT and $PORT

	// Main is the folder of the program and Cover its packages, of one in Go of which statements
	// are counted.
	Main  string `yaml:"main,omitempty"`
	Cover string `yaml:"cover,omitempty"`

	// Unaccepted says why more operations than usual had no valid request accepted.
	Unaccepted string   `yaml:"unaccepted,omitempty"`
	Notes      string   `yaml:"notes,omitempty"` // for docs/real.md: the defects worth telling
	Measured   Measured `yaml:"measured,omitempty"`
	Causes     []Cause  `yaml:"causes,omitempty"`
	// Schemathesis is what it finds of the same service; nil where it was not tried.
	Schemathesis *Other `yaml:"schemathesis,omitempty"`
	// Statements are those of its code that are reached; nil where they were not counted.
	Statements *Statements `yaml:"statements,omitempty"`
}

// Statements says how many statements of a service are reached beyond those of its start.
type Statements struct {
	All    int `yaml:"all"` // reached or not
	Ours   int `yaml:"ours"`
	Theirs int `yaml:"theirs"`
	// OnlyOurs and OnlyTheirs are reached by one of the two.
	OnlyOurs   int `yaml:"only_ours"`
	OnlyTheirs int `yaml:"only_theirs"`
}

// Other is another tool on the same service.
type Other struct {
	Flags   []string `yaml:"flags,omitempty"` // of its command, with $OUT and $PORT
	Seconds float64  `yaml:"seconds,omitempty"`
	Causes  []Said   `yaml:"causes,omitempty"`
}

// Said is a cause that another tool reports, and what a person says of it.
type Said struct {
	Title   string `yaml:"title"`
	Verdict string `yaml:"verdict"`
	Why     string `yaml:"why"`
}

// Measured is what the last run with -update was like.
type Measured struct {
	Operations int     `yaml:"operations"`
	Unaccepted int     `yaml:"unaccepted"` // operations without a valid request that was accepted
	Exchanges  int     `yaml:"exchanges"`
	Seconds    float64 `yaml:"seconds"`
}

// Cause is a group of errors, and what a person says of it.
type Cause struct {
	ID      string `yaml:"id"` // of the group
	Title   string `yaml:"title"`
	Verdict string `yaml:"verdict"`
	// Why is the sentence of the document or the RFC that is broken, or what of ours is wrong.
	Why string `yaml:"why,omitempty"`
	// Request and Answer are of its example. Where a stranger could do harm with it there is
	// no request, and Why says so.
	Request string `yaml:"request,omitempty"`
	Answer  string `yaml:"answer,omitempty"`
	// Varies says why some runs do not find it; empty where all have to.
	Varies string `yaml:"varies,omitempty"`
}

// What a person says of a cause. An open one counts as false.
const (
	True  = "true"
	Open  = "open"
	False = "false"
)

// load reads the services of a directory, in the order of their names.
func load(dir string) ([]*Service, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	services := make([]*Service, 0, len(files))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s := &Service{Name: strings.TrimSuffix(filepath.Base(file), ".yaml")}
		dec := yaml.NewDecoder(bytes.NewReader(data))
		dec.KnownFields(true)
		if err := errors.Join(dec.Decode(s)); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		services = append(services, s)
	}
	return services, nil
}

// save writes the service as load reads it.
func (s *Service) save(dir string) error {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	return os.WriteFile(filepath.Join(dir, s.Name+".yaml"), b.Bytes(), 0o644) //nolint:gosec // it is committed
}

// check tells what is missing in the file.
func (s *Service) check() error {
	var errs []error
	for _, c := range s.Checkouts {
		if owner, rest, _ := strings.Cut(c, "/"); owner == "" || !strings.Contains(rest, "@") {
			errs = append(errs, fmt.Errorf("checkout %s: want owner/name@revision", c))
		}
	}
	for _, f := range []struct{ name, value string }{
		{"title", s.Title}, {"start", s.Start}, {"ready", s.Ready}, {"document", s.Document}, {"target", s.Target},
	} {
		if f.value == "" {
			errs = append(errs, fmt.Errorf("%s is missing", f.name))
		}
	}
	switch {
	case s.Module != "" && !strings.Contains(s.Module, "@"):
		errs = append(errs, fmt.Errorf("module %s has no version", s.Module))
	case s.Module == "" && len(s.Checkouts) == 0 && len(s.Packages) == 0:
		errs = append(errs, errors.New("want a module, a checkout or packages"))
	}
	seen := map[string]bool{}
	for _, c := range s.Causes {
		switch {
		case c.Verdict != True && c.Verdict != Open && c.Verdict != False:
			errs = append(errs, fmt.Errorf("cause %s: verdict %q: want true, open or false", c.ID, c.Verdict))
		case c.Verdict != Open && c.Why == "":
			errs = append(errs, fmt.Errorf("cause %s: a verdict needs a sentence in why", c.ID))
		case c.Verdict == True && c.Answer == "":
			errs = append(errs, fmt.Errorf("cause %s: what is true needs its answer", c.ID))
		case seen[c.ID]:
			errs = append(errs, fmt.Errorf("cause %s is given twice", c.ID))
		}
		seen[c.ID] = true
	}
	return errors.Join(errs...)
}

// source says where the service comes from.
func (s *Service) source() string {
	var parts []string
	if s.Module != "" {
		parts = append(parts, s.Module)
	}
	for _, c := range s.Checkouts {
		name, revision, _ := strings.Cut(c, "@")
		parts = append(parts, name+"@"+revision[:min(len(revision), 12)])
	}
	return strings.Join(append(parts, s.Packages...), ", ")
}
