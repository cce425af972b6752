package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest/config"
	"github.com/dataarts-go/factory/contracttest/report"
)

func newMergeCommand() *cobra.Command {
	s := &settings{}
	cmd := &cobra.Command{
		Use:   "merge REPORT.json…",
		Short: "Join JSON reports: of all shards of a run, of runs and of traffic",
		Long: `Join JSON reports about one document: of the shards of a run (contracttest run --shard I/N), which must
all be given, of several runs, and of recorded (verify) or proxied traffic. A clause is covered if one
report covers it, and a finding of several reports is listed once. HTML and HAR reports made from JSON
lack the exchanges and the text of the document.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if s.wrong != nil {
				return s.wrong
			}
			s.Layer = s.flags.Over(&config.Layer{Settings: config.Default()})
			outputs, err := s.outputs()
			if err != nil {
				return err
			}
			if err := noOverlay(outputs, "JSON reports do not contain the responses: write the overlay where the shards run"); err != nil {
				return err
			}
			var shards, all []*report.Report
			for _, file := range files {
				rep, err := readReport(file)
				switch {
				case err != nil:
					return err
				case rep.Shard != nil:
					shards = append(shards, rep)
				default:
					all = append(all, rep)
				}
			}
			if len(shards) > 0 {
				rep, err := report.Merge(shards...)
				if err != nil {
					return err //nolint:wrapcheck // it says which shard
				}
				all = append([]*report.Report{rep}, all...)
			}
			rep := all[0]
			if len(all) > 1 {
				if rep, err = report.Join(all...); err != nil {
					return err //nolint:wrapcheck // it says what is wrong
				}
			}
			rep.Sort() // the causes of an older report are those of this version
			rep.FailOn = s.FailOn
			if err := s.show(cmd, outputs, rep); err != nil {
				return err
			}
			return status(rep, s.FailOn)
		},
	}
	s.declare(cmd, func(one config.Setting) bool {
		return slices.Contains([]string{"report", "fail-on", "verbose", "quiet"}, one.Name)
	})
	cmd.MarkFlagsMutuallyExclusive("quiet", "verbose")
	return cmd
}
