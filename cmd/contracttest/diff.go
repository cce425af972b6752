package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oasdiff/oasdiff/checker"
	"github.com/oasdiff/oasdiff/diff"
	"github.com/oasdiff/oasdiff/load"
	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/config"
	"github.com/dataarts-go/factory/contracttest/report"
)

func newDiffCommand() *cobra.Command {
	var reports []string
	var failOn string
	var verbose, quiet bool
	var hosts *[]string
	cmd := &cobra.Command{
		Use:   "diff old.yaml new.yaml",
		Short: "List the clauses that were added, removed or changed, and what breaks clients",
		Long: `List the clauses that were added, removed or changed between two versions of a document,
and what breaks clients (an error) or may break them (a warning). Each document is a file,
a URL, or - for standard input.

Exit status: 0 nothing breaks, 1 something does (see --fail-on), 2 it could not be done.`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			outputs, err := parseReports(reports)
			if err != nil {
				return err
			}
			if err := noOverlay(outputs, onlyRun); err != nil {
				return err
			}
			if failOn != report.Error && failOn != report.Warning {
				return fmt.Errorf("--fail-on %q: want error or warning", failOn)
			}
			if args[0] == "-" && args[1] == "-" {
				return errors.New("only one of the documents can come from standard input")
			}
			before, err := openEdition(cmd, args[0], *hosts)
			if err != nil {
				return err
			}
			after, err := openEdition(cmd, args[1], *hosts)
			if err != nil {
				return err
			}
			c, err := contrast(before, after)
			if err != nil {
				return err
			}
			if !quiet {
				if err := c.text(cmd.OutOrStdout(), verbose, colored(cmd.OutOrStdout())); err != nil {
					return fmt.Errorf("standard output: %w", err)
				}
			}
			if err := write(outputs, c.report()); err != nil {
				return err
			}
			if err := onGitHub(cmd.OutOrStdout(), c.report()); err != nil {
				return err
			}
			if c.report().Failed(failOn) {
				return errFindings
			}
			return nil
		},
	}
	hosts = fetchFlag(cmd)
	fl := cmd.Flags()
	fl.StringArrayVar(&reports, "report", nil, config.Lookup("report").Doc)
	fl.StringVar(&failOn, "fail-on", report.Error, "what makes the exit status 1: error or warning")
	fl.BoolVar(&verbose, "verbose", false, "list every clause that was added, removed or changed")
	fl.BoolVar(&quiet, "quiet", false, "write nothing to standard output")
	return cmd
}

// edition is one of the documents that are compared.
type edition struct {
	name     string
	contract *contracttest.Contract
	text     string
	all      []contracttest.Clause
	clauses  map[string]contracttest.Clause // by name
}

func openEdition(cmd *cobra.Command, name string, hosts []string) (*edition, error) {
	doc, err := open(cmd.Context(), name, cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	v := &edition{name: doc.name, clauses: map[string]contracttest.Clause{}}
	if v.contract, err = doc.load(contracttest.Fetch(hosts...)); err != nil {
		return nil, err
	}
	v.all = v.contract.Clauses()
	for _, c := range v.all {
		v.clauses[c.Name] = c
	}
	data, err := doc.bytes()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doc.name, err)
	}
	v.text = string(data)
	return v, nil
}

// comparison is what became of a contract.
type comparison struct {
	before, after *edition
	came, went    []contracttest.Clause
	changed       []change
	findings      []report.Finding
	states        []report.Clause
}

// change is a clause that says something else than before.
type change struct{ before, after contracttest.Clause }

// contrast holds two versions of a contract against each other. Which clauses
// came and went is known by their names; what of it breaks clients oasdiff
// knows.
func contrast(before, after *edition) (c *comparison, err error) {
	c = &comparison{before: before, after: after}
	for _, cl := range after.all {
		old, known := before.clauses[cl.Name]
		state := "unchanged"
		switch {
		case !known:
			state = "added"
			c.came = append(c.came, cl)
		case old.Text != cl.Text:
			state = "changed"
			c.changed = append(c.changed, change{old, cl})
		}
		c.states = append(c.states, shown(cl, state))
	}
	for _, cl := range before.all {
		if _, kept := after.clauses[cl.Name]; !kept {
			c.went = append(c.went, cl)
			c.states = append(c.states, shown(cl, "removed"))
		}
	}
	// What oasdiff cannot cope with is an error like any other.
	defer func() {
		if v := recover(); v != nil {
			c, err = nil, fmt.Errorf("%s and %s cannot be compared: %v", before.name, after.name, v)
		}
	}()
	d, sources, err := diff.GetWithOperationsSourcesMap(diff.NewConfig(),
		&load.SpecInfo{Url: before.name, Spec: before.contract.Loaded()}, &load.SpecInfo{Url: after.name, Spec: after.contract.Loaded()})
	if err != nil {
		return nil, fmt.Errorf("%s and %s cannot be compared: %w", before.name, after.name, err)
	}
	words := checker.NewDefaultLocalizer()
	for _, ch := range checker.CheckBackwardCompatibility(checker.NewConfig(checker.GetAllChecks()), d, sources) {
		c.findings = append(c.findings, c.finding(ch, words))
	}
	return c, nil
}

func shown(cl contracttest.Clause, state string) report.Clause {
	return report.Clause{Clause: cl.Name, Text: cl.Text, Place: cl.Place, State: state, Operation: cl.Operation}
}

// finding is a change that breaks clients, or may do so: its clause is the one
// that stands where the change is.
func (c *comparison) finding(ch checker.Change, words checker.Localizer) report.Finding {
	f := report.Finding{
		Check: ch.GetId(), Severity: report.Error, Message: sentence(ch.GetUncolorizedText(words)), Count: 1,
	}
	if ch.GetLevel() < checker.ERR {
		f.Severity = report.Warning
	}
	if comment := ch.GetComment(words); comment != "" {
		f.Message += " (" + comment + ")"
	}
	v, source := c.after, ch.GetRevisionSource()
	if source == nil || source.Line == 0 {
		v, source = c.before, ch.GetBaseSource()
	}
	f.Operation = cmp.Or(v.operation(ch.GetOperation(), ch.GetPath()), c.before.operation(ch.GetOperation(), ch.GetPath()), ch.GetPath())
	f.Place = report.Place{File: v.name}
	if source != nil && source.Line > 0 {
		f.Place.Line, f.Place.Column = source.Line, max(1, source.Column)
		if source.File != "" {
			f.Place.File = source.File
		}
	}
	if f.Place.Line == 0 { // of a document in JSON, or that was converted
		if v = c.after; v.message(f.Operation) == nil {
			v = c.before
		}
		if cl := v.message(f.Operation); cl != nil {
			f.Place = cl.Place
		}
	}
	if cl := v.clauseAt(f.Place, f.Operation); cl != nil {
		f.Clause = cl.Name
	}
	if old, ok := c.before.clauses[f.Clause]; ok {
		f.Expected = old.Text
	}
	if now, ok := c.after.clauses[f.Clause]; ok && now.Text != f.Expected {
		f.Actual = now.Text
	} else if !ok && f.Clause != "" {
		f.Actual = "the clause is gone"
	}
	return f
}

// operation returns the name of an operation, empty if the version does not have
// it.
func (v *edition) operation(method, path string) string {
	item := "/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(path)
	for _, cl := range v.all {
		for _, pointer := range []string{item + "/" + strings.ToLower(method), item + "/additionalOperations/" + method} {
			if cl.Place.Pointer == pointer || strings.HasPrefix(cl.Place.Pointer, pointer+"/") {
				return cl.Operation
			}
		}
	}
	return ""
}

// message returns the clause of an operation that stands where the operation does; nil where
// the version does not have the operation.
func (v *edition) message(operation string) *contracttest.Clause {
	if cl, ok := v.clauses[operation+"/message"]; ok {
		return &cl
	}
	return nil
}

// clauseAt returns the clause at a place or the last one before it, of the
// operation if it has some.
func (v *edition) clauseAt(p report.Place, operation string) *contracttest.Clause {
	var best *contracttest.Clause
	for _, cl := range v.all {
		if cl.Place.File != p.File || cl.Place.Line == 0 || inOrder(p, cl.Place) < 0 {
			continue
		}
		if best == nil || cl.Operation == operation && best.Operation != operation ||
			(cl.Operation == operation || best.Operation != operation) && inOrder(cl.Place, best.Place) > 0 {
			best = &cl
		}
	}
	return best
}

// inOrder compares two places of a file.
func inOrder(a, b report.Place) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

func sentence(text string) string { return strings.TrimSuffix(strings.TrimSpace(text), ".") }

// report is the comparison as a report, for all its renderings: what breaks is a
// finding, and the state of a clause is added, removed, changed or unchanged.
func (c *comparison) report() *report.Report {
	operations := map[string]bool{}
	for _, cl := range c.after.all {
		operations[cl.Operation] = true
	}
	r := &report.Report{
		Version: report.Version, Spec: c.after.name, Target: c.before.name, Findings: slices.Clone(c.findings),
		Stats:    report.Stats{Operations: len(operations)},
		Coverage: report.Coverage{Clauses: len(c.states), Unreached: []report.Unreached{}, ByClause: c.states},
		Warnings: c.after.contract.Warnings(),
		Sources:  map[string]string{c.before.name: c.before.text, c.after.name: c.after.text},
	}
	if r.Findings == nil {
		r.Findings = []report.Finding{}
	}
	r.Sort()
	return r
}
