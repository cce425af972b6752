package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
)

// note tells what is at fault in a document that can be used all the same.
func note(w io.Writer, contract *contracttest.Contract) {
	for _, warning := range contract.Warnings() {
		fmt.Fprintln(w, "contracttest: note:", warning)
	}
}

func newClausesCommand() *cobra.Command {
	var spec string
	var hosts *[]string
	cmd := &cobra.Command{
		Use:   "clauses --spec openapi.yaml",
		Short: "List the clauses of a document with their places",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			doc, err := open(cmd.Context(), spec, cmd.InOrStdin())
			if err != nil {
				return err
			}
			contract, err := doc.load(contracttest.Fetch(*hosts...))
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, c := range contract.Clauses() {
				fmt.Fprintf(w, "%s\t%s\t%s\n", c.Name, c.Place, c.Text)
			}
			if err := w.Flush(); err != nil {
				return fmt.Errorf("standard output: %w", err)
			}
			note(cmd.ErrOrStderr(), contract)
			return nil
		},
	}
	cmd.Flags().StringVar(&spec, "spec", "openapi.yaml", specUsage)
	hosts = fetchFlag(cmd)
	return cmd
}
