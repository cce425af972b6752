package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/server/store"
)

//nolint:gosec // G101: a form
const dbUsage = "`database`: sqlite:FILE or postgres://USER:PASSWORD@HOST/NAME; without the flag, that of the variable FACTORY_DB"

func newPackagesCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "packages",
		Short: "Add, list and export the packages of a database",
		Args:  cobra.NoArgs,
		RunE:  needsCommand,
	}
	for _, sub := range []*cobra.Command{newPackagesAddCommand(), newPackagesListCommand(), newPackagesExportCommand()} {
		sub.PreRunE = func(cmd *cobra.Command, _ []string) error { return flagFromEnvironment(cmd.Flags(), "db") }
		cmd.AddCommand(sub)
	}
	return cmd
}

// workspaceFlags are the flags that say which workspace of which database.
type workspaceFlags struct{ db, project, workspace string }

func (f *workspaceFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.db, "db", defaultDB, dbUsage)
	cmd.Flags().StringVar(&f.project, "project", "", "`ID` of the project (mandatory)")
	cmd.Flags().StringVar(&f.workspace, "workspace", "", "`ID` of the workspace (default: the project's default workspace)")
	if err := cmd.MarkFlagRequired("project"); err != nil {
		panic(err) // the flag is added above
	}
}

func newPackagesAddCommand() *cobra.Command {
	var in workspaceFlags
	cmd := &cobra.Command{
		Use:   "add --project ID [--workspace W] [--db DATABASE] ID…",
		Short: "Add pending packages",
		Long: `Add pending packages. The database, the project and the workspace are created
where they do not exist; without --workspace the project's default workspace is
meant, and created with the name "` + store.DefaultWorkspace + `" if there is none. A package that is
already there keeps its state.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, ids []string) (err error) {
			st, err := store.Open(cmd.Context(), in.db)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, st.Close()) }()
			packages := make([]store.Package, len(ids))
			for i, id := range ids {
				packages[i] = store.Package{ID: id, ProjectID: in.project, Workspace: in.workspace}
			}
			added, err := st.Add(cmd.Context(), store.Packages(packages...))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "added %d, already there %d\n", added, len(ids)-added)
			return err
		},
	}
	cmd.DisableFlagsInUseLine = true
	in.add(cmd)
	return cmd
}

func newPackagesListCommand() *cobra.Command {
	var in workspaceFlags
	var output string
	cmd := &cobra.Command{
		Use:   "list --project ID [--workspace W] [--db DATABASE] [--output text|json]",
		Short: "List the packages of a workspace with their states",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			var write func(io.Writer, iter.Seq2[store.Package, error]) error
			switch output {
			case "text":
				write = writeText
			case "json":
				write = writeJSON
			default:
				return fmt.Errorf("--output %s: want text or json", output)
			}
			st, err := store.Open(cmd.Context(), in.db, store.MustExist())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, st.Close()) }()
			err = write(cmd.OutOrStdout(), st.List(cmd.Context(), in.project, in.workspace))
			if errors.Is(err, store.ErrNoDefaultWorkspace) || errors.Is(err, store.ErrUnknownWorkspace) {
				return fmt.Errorf("--project %s: %w", in.project, err)
			}
			return err
		},
	}
	cmd.DisableFlagsInUseLine = true
	in.add(cmd)
	cmd.Flags().StringVar(&output, "output", "text", "`format`: text or json")
	return cmd
}

// writeText writes the packages as a table with a heading.
func writeText(w io.Writer, packages iter.Seq2[store.Package, error]) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	heading := "ID\tWORKSPACE\tSTATE\n"
	for p, err := range packages {
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(table, "%s%s\t%s\t%s\n", heading, printable(p.ID), printable(p.Workspace), p.State); err != nil {
			return err
		}
		heading = ""
	}
	if heading != "" {
		if _, err := io.WriteString(table, heading); err != nil {
			return err
		}
	}
	return table.Flush()
}

// printable quotes a name that would disturb the table or the terminal.
func printable(name string) string {
	for _, r := range name {
		if !strconv.IsPrint(r) {
			return strconv.Quote(name)
		}
	}
	return name
}

// writeJSON writes the packages as a JSON array, one a line.
func writeJSON(w io.Writer, packages iter.Seq2[store.Package, error]) error {
	before := "[\n  "
	for p, err := range packages {
		if err != nil {
			return err
		}
		data, err := json.Marshal(p)
		if err != nil {
			return fmt.Errorf("package %q: %w", p.ID, err)
		}
		if _, err := fmt.Fprintf(w, "%s%s", before, data); err != nil {
			return err
		}
		before = ",\n  "
	}
	after := "\n]\n"
	if before == "[\n  " {
		after = "[]\n"
	}
	_, err := io.WriteString(w, after)
	return err
}
