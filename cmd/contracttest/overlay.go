package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/internal/atomicfile"
)

func newOverlayCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "overlay",
		Short: "Work with OpenAPI Overlays, as contracttest run --report overlay=FILE writes them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return fmt.Errorf("no command given, see %s --help", cmd.CommandPath())
		},
	}
	cmd.AddCommand(newOverlayApplyCommand())
	return cmd
}

func newOverlayApplyCommand() *cobra.Command {
	var spec, file string
	cmd := &cobra.Command{
		Use:   "apply --spec openapi.yaml OVERLAY…",
		Short: "Apply overlays to a document, keeping its comments and order",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, overlays []string) error {
			doc, err := open(cmd.Context(), spec, cmd.InOrStdin())
			if err != nil {
				return err
			}
			data, err := doc.bytes()
			if err != nil {
				return err
			}
			text, notes, err := contracttest.ApplyOverlays(doc.name, data, overlays...)
			if err != nil {
				return err //nolint:wrapcheck // it names the file
			}
			for _, n := range notes {
				fmt.Fprintln(cmd.ErrOrStderr(), "contracttest: note:", n)
			}
			if file != "" {
				return atomicfile.Replace(file, text)
			}
			if _, err := cmd.OutOrStdout().Write(text); err != nil {
				return fmt.Errorf("standard output: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&spec, "spec", "openapi.yaml", specUsage)
	cmd.Flags().StringVarP(&file, "output", "o", "", "file to write, which may be that of --spec; default: standard output")
	return cmd
}
