package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest/config"
	"github.com/dataarts-go/factory/contracttest/report"
)

// defaultFrom is the report that has the finding where none is named.
const defaultFrom = "report.json"

func newRepeatCommand() *cobra.Command {
	s := &settings{}
	var from string
	cmd := &cobra.Command{
		Use:   "repeat ID",
		Short: "Send the request or the sequence of a finding again",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return repeat(cmd, s, from, args[0])
		},
	}
	s.declare(cmd, func(one config.Setting) bool {
		return one.Again || one.Name == "report" || one.Name == "restart" || one.Name == "before" || one.Name == "after" || one.Name == "verbose"
	})
	s.declareFile(cmd)
	cmd.Flags().StringVar(&from, "from", defaultFrom, "JSON report with the finding and the flags of its run; flags given here take precedence")
	return cmd
}

func repeat(cmd *cobra.Command, s *settings, from, id string) error {
	if s.wrong != nil {
		return s.wrong
	}
	rep, err := readReport(from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	f, err := findingOf(rep, from, id)
	if err != nil {
		return err
	}
	if err := s.takeFrom(rep, f); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	var found bool
	err = run(cmd, s, func(rep *report.Report) {
		found = slices.ContainsFunc(rep.Findings, func(other report.Finding) bool { return other.ID == f.ID })
		word := "did not come again"
		if found {
			word = "came again"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s %s: %s %s\n", f.ID, word, f.Check, printable(f.Clause))
	})
	if err == nil && found {
		return errFindings
	}
	return err
}

func readReport(file string) (*report.Report, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: --report json=FILE writes one", err)
	}
	var rep report.Report
	if err := json.Unmarshal(data, &rep); err != nil {
		return nil, fmt.Errorf("%s is not a JSON report: %w", file, err)
	}
	if rep.Version != report.Version {
		return nil, fmt.Errorf("%s is not a JSON report of version %d", file, report.Version)
	}
	return &rep, nil
}

// findingOf finds the only one whose ID begins so.
func findingOf(rep *report.Report, from, id string) (*report.Finding, error) {
	var found *report.Finding
	for i := range rep.Findings {
		switch f := &rep.Findings[i]; {
		case id == "" || !strings.HasPrefix(f.ID, id):
		case found != nil && found.ID != f.ID:
			return nil, fmt.Errorf("%q is ambiguous in %s: it matches %s and %s", id, from, found.ID, f.ID)
		case found == nil || f.Severity == report.Error:
			found = f
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no finding in %s has the ID %q; it has %s", from, id, count(len(rep.Findings), "finding"))
	}
	if found.Case.ID == "" {
		return nil, fmt.Errorf("the finding %s in %s has no case that could be sent again", found.ID, from)
	}
	return found, nil
}

// takeFrom puts the settings of a run below the flags, and restricts it to one finding.
func (s *settings) takeFrom(rep *report.Report, f *report.Finding) error {
	below := &config.Layer{}
	args := rep.Args
	if args == nil { // a test of Go has none
		args = []string{"--spec=" + rep.Spec}
		if strings.Contains(rep.Target, "://") {
			args = append(args, "--target="+rep.Target)
		}
	}
	for _, arg := range args {
		name, text, _ := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
		one := config.Lookup(name)
		switch {
		case name == "config":
			if s.file == "" {
				s.file = text
			}
			continue
		case one == nil || !one.Again:
			return fmt.Errorf("args: contracttest repeat does not take %q", "--"+name)
		case s.gives(one, text):
			continue
		}
		if err := below.SetFlag(one, text); err != nil {
			return fmt.Errorf("args: --%s: %w: set it, or give --%s here", name, err, name)
		}
	}
	s.flags = *s.flags.Over(below)
	s.flags.Seed, s.flags.Only = f.Case.Seed, []string{"case:" + f.Case.ID, "check:" + f.Check}
	s.flags.Mark("seed", config.Given{Origin: config.FromFlag})
	s.flags.Mark("only", config.Given{Origin: config.FromFlag})
	// The finding is shown whatever is known or left out, and no report of the run is written over.
	s.flagsAlone = []string{"skip", "baseline", "baseline-stale", "fail-on", "fail-fast", "min-coverage", "max-requests", "report"}
	return nil
}

// gives reports whether a flag has what an argument of the report has.
func (s *settings) gives(one *config.Setting, text string) bool {
	return slices.ContainsFunc(s.flags.Given(one.Name), func(g config.Given) bool {
		return g.Name == "" || strings.HasPrefix(strings.ToLower(text), strings.ToLower(g.Name)+":") || strings.HasPrefix(text, g.Name+"=")
	})
}
