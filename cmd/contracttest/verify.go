package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/config"
	"github.com/dataarts-go/factory/contracttest/report"
)

func newVerifyCommand() *cobra.Command {
	var spec, failOn string
	var verbose bool
	s := &settings{}
	var hosts *[]string
	cmd := &cobra.Command{
		Use:   "verify --spec openapi.yaml FILE.har|FILE.txtar…",
		Short: "Judge recorded or hand-written exchanges against a document",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if failOn != report.Error && failOn != report.Warning {
				return fmt.Errorf("--fail-on %q: want error or warning", failOn)
			}
			doc, err := open(cmd.Context(), spec, cmd.InOrStdin())
			if err != nil {
				return err
			}
			contract, err := doc.load(contracttest.Fetch(*hosts...))
			if err != nil {
				return err
			}
			if s.wrong != nil {
				return s.wrong
			}
			s.Layer = s.flags.Over(&config.Layer{Settings: config.Default()})
			outputs, err := s.outputs()
			if err != nil {
				return err
			}
			if err := noOverlay(outputs, onlyRun); err != nil {
				return err
			}
			seen := contracttest.NewTraffic(contract, strings.Join(args, ", "), contracttest.Hide(s.Redact...))
			result := verify(cmd.OutOrStdout(), contract, seen, args, failOn, verbose)
			if result != nil && !errors.Is(result, errFindings) {
				return result
			}
			return cmp.Or(write(outputs, seen.Report()), result)
		},
	}
	cmd.Flags().StringVar(&spec, "spec", "openapi.yaml", specUsage)
	hosts = fetchFlag(cmd)
	cmd.Flags().StringVar(&failOn, "fail-on", report.Error, "what makes the exit status 1: error or warning")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "print every exchange, not only those with findings")
	s.declare(cmd, func(one config.Setting) bool { return one.Name == "report" || one.Name == "redact" })
	return cmd
}

// verify judges the exchanges of files. Those without a verdict of their own, and those that do not
// fit theirs, are entered in seen.
func verify(stdout io.Writer, contract *contracttest.Contract, seen *contracttest.Traffic, files []string, failOn string, verbose bool) error {
	var all []*contracttest.Exchange
	for _, file := range files {
		exchanges, err := read(file)
		if err != nil {
			return err
		}
		all = append(all, exchanges...)
	}
	failed, outside, expected := 0, 0, 0
	for _, x := range all {
		verdict, given := x.Verdict()
		judge := seen.Add
		if given {
			judge = contract.Judge
		}
		findings, err := judge(x)
		if given && errors.Is(err, contracttest.ErrNotInContract) {
			failed++
			fmt.Fprintf(stdout, "WRONG    %s: the file has a verdict, but %v\n", x.Name(), err)
			continue
		}
		if errors.Is(err, contracttest.ErrNotInContract) {
			outside++
			if verbose {
				fmt.Fprintf(stdout, "outside  %s: %v\n", x.Name(), err)
			}
			continue
		}
		if err != nil {
			return err
		}
		switch {
		case given:
			if diff := compare(verdict, findings); diff != "" {
				failed++
				if _, err := seen.Add(x); err != nil {
					return err
				}
				fmt.Fprintf(stdout, "WRONG    %s: the verdict is not what the file says\n%s", x.Name(), diff)
				continue
			}
			expected++
			if verbose {
				fmt.Fprintf(stdout, "ok       %s: %s\n", x.Name(), summary(verdict))
			}
		case breaks(findings, failOn):
			failed++
			show(stdout, x, findings)
		default:
			if verbose || len(findings) > 0 {
				show(stdout, x, findings)
			}
		}
	}
	fmt.Fprintf(stdout, "%d exchanges: %d as expected (%d by their own verdict), %d not, %d outside the document\n",
		len(all), len(all)-failed-outside, expected, failed, outside)
	if failed > 0 {
		return errFindings
	}
	if outside == len(all) {
		return errors.New("no exchange was judged, so nothing is known: is it the right --spec?")
	}
	return nil
}

func read(file string) ([]*contracttest.Exchange, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	switch strings.ToLower(filepath.Ext(file)) {
	case ".txtar", ".txt":
		return contracttest.ParseTxtar(file, data)
	case ".har", ".json":
		return contracttest.ParseHAR(file, data)
	}
	return nil, fmt.Errorf("%s: want a file that ends in .txtar or .har", file)
}

func breaks(findings []contracttest.Finding, failOn string) bool {
	r := contracttest.Report{Findings: findings}
	return r.Failed(failOn)
}

func show(w io.Writer, x *contracttest.Exchange, findings []contracttest.Finding) {
	if len(findings) == 0 {
		fmt.Fprintf(w, "ok       %s\n", x.Name())
	}
	for _, f := range findings {
		fmt.Fprintf(w, "%-8s %s\n         %s: %s: %s (check %s)\n         expected %s\n",
			strings.ToUpper(f.Severity), x.Name(), f.Place, f.Clause, f.Message, f.Check, f.Expected)
	}
}

// compare says how findings differ from a verdict; empty where they do not.
func compare(verdict []string, findings []contracttest.Finding) string {
	var seen []string
	for _, f := range findings {
		seen = append(seen, f.Check+" "+f.Clause)
	}
	var diff strings.Builder
	for _, v := range verdict {
		if !slices.Contains(seen, v) {
			fmt.Fprintf(&diff, "         wanted %s\n", v)
		}
	}
	for i, s := range seen {
		if !slices.Contains(verdict, s) {
			fmt.Fprintf(&diff, "         found  %s: %s\n", s, findings[i].Message)
		}
	}
	return diff.String()
}

func summary(verdict []string) string {
	if len(verdict) == 0 {
		return "kept"
	}
	return strings.Join(verdict, "; ")
}
