package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest/config"
	"github.com/dataarts-go/factory/contracttest/report"
)

func newMergeCommand() *cobra.Command {
	s := &settings{}
	cmd := &cobra.Command{
		Use:   "merge REPORT.json…",
		Short: "Join the JSON reports of all shards of a run",
		Long: `Join the JSON reports of all shards of a run (contracttest run --shard I/N). The report and
the exit status are those of a run without shards. No JSON report has exchanges and the text of the
document, which HTML and HAR show of a run.`,
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
			if slices.ContainsFunc(outputs, func(o output) bool { return o.format == "overlay" }) {
				return errors.New("--report overlay: JSON reports do not say what answers look like: write an overlay where the shards run")
			}
			var shards []*report.Report
			for _, file := range files {
				rep, err := readReport(file)
				if err != nil {
					return err
				}
				if rep.Shard == nil {
					return fmt.Errorf("%s is not the report of a shard: want those of contracttest run --shard I/N", file)
				}
				shards = append(shards, rep)
			}
			rep, err := report.Merge(shards...)
			if err != nil {
				return err //nolint:wrapcheck // it says which shard
			}
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
