package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"unicode/utf8"

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
	cmd.Flags().StringVar(&f.project, "project", "", "`ID` of the project")
	cmd.Flags().StringVar(&f.workspace, "workspace", "", "`ID` of the workspace (default: the project's default workspace)")
}

func newPackagesAddCommand() *cobra.Command {
	var in workspaceFlags
	var file string
	cmd := &cobra.Command{
		Use:   "add [--db DATABASE] {--project ID [--workspace W] ID… | --file FILE}",
		Short: "Add packages",
		Long: `Add pending packages. The database, the project and the workspace are created
where they do not exist; without --workspace the project's default workspace is
meant, and created with the name "` + store.DefaultWorkspace + `" if there is none. A package that is
already there keeps its state.

With --file, which may be - for standard input, those that the file names are
added, in the states that it gives: what packages export has written, as YAML or
as JSON. It is read piece by piece and added ` + strconv.Itoa(addedAtOnce) + ` packages at a time, so that any
number of them takes little memory; in YAML each package has lines of its own, no
alias is used, and an id stands before the list that it belongs to. What stands
before an error may have been added; adding the file again is safe.`,
		Example: `  factory packages add --project ID 12 13
  factory packages export --db sqlite:factory.db | factory packages add --db postgres://… --file -`,
		RunE: func(cmd *cobra.Command, ids []string) (err error) {
			if err := in.checkAdd(file, ids); err != nil {
				return err
			}
			add := func(a *adder) error { return a.ids(in, ids) }
			if file != "" {
				var text io.Reader = cmd.InOrStdin()
				if file != "-" {
					f, err := os.Open(file)
					if err != nil {
						return fmt.Errorf("--file: %w", err)
					}
					defer f.Close()
					text = f
				}
				add = func(a *adder) error { return a.file(file, text) }
			}
			st, err := store.Open(cmd.Context(), in.db)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, st.Close()) }()
			a := &adder{ctx: cmd.Context(), store: st}
			if err := add(a); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "added %d, already there %d\n", a.added, a.given-a.added)
			return err
		},
	}
	cmd.DisableFlagsInUseLine = true
	in.add(cmd)
	cmd.Flags().StringVar(&file, "file", "", "`FILE` of packages, as packages export writes it; - is standard input")
	return cmd
}

// checkAdd refuses a file beside IDs, and neither of them.
func (f *workspaceFlags) checkAdd(file string, ids []string) error {
	switch {
	case file != "" && (f.project != "" || f.workspace != "" || len(ids) > 0):
		return errors.New("--file names the projects, workspaces and packages itself: want no --project, --workspace or ID beside it")
	case file != "":
		return nil
	case f.project == "":
		return errors.New("want --project and IDs, or --file")
	case len(ids) == 0:
		return errors.New("want the ID of a package, or --file")
	}
	return nil
}

// addedAtOnce is how many packages of a file one transaction adds. Each waits for the
// disk once; on SQLite a server that has the same database waits for each.
const addedAtOnce = 10_000

// adder adds packages to a store, and counts them.
type adder struct {
	ctx          context.Context //nolint:containedctx // it lives as long as one command
	store        store.Store
	sorted       packagesRun
	given, added int
}

// ids adds pending packages, all or none.
func (a *adder) ids(in workspaceFlags, ids []string) error {
	packages := make([]store.Package, len(ids))
	for i, id := range ids {
		packages[i] = store.Package{ID: id, ProjectID: in.project, Workspace: in.workspace}
	}
	return a.add(packages)
}

// file adds the packages of a file, whose name is for the errors.
func (a *adder) file(name string, text io.Reader) error {
	err := streamPackages(text, a)
	if err == nil {
		err = a.flush()
	}
	if err == nil {
		return nil
	}
	if name == "-" {
		return fmt.Errorf("standard input: %w", err)
	}
	return fmt.Errorf("packages file %s: %w", name, err)
}

func (a *adder) workspace(w store.Workspace) error { return a.store.PutWorkspace(a.ctx, w) }

func (a *adder) pkg(p store.Package) error {
	if a.sorted.size() >= sortedAtOnce {
		if err := a.flush(); err != nil {
			return err
		}
	}
	a.sorted.append(p)
	return nil
}

// flush adds what is sorted.
func (a *adder) flush() error {
	for packages := range a.sorted.take(addedAtOnce) {
		if err := a.add(packages); err != nil {
			return err
		}
	}
	return nil
}

func (a *adder) add(packages []store.Package) error {
	added, err := a.store.Add(a.ctx, store.Packages(packages...))
	if err != nil {
		return err
	}
	a.given, a.added = a.given+len(packages), a.added+added
	return nil
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
	if err := cmd.MarkFlagRequired("project"); err != nil {
		panic(err) // the flag is added above
	}
	cmd.Flags().StringVar(&output, "output", "text", "`format`: text or json")
	return cmd
}

// alignedAtOnce is how many lines of a table are in memory to be aligned.
const alignedAtOnce = 1000

// writeText writes the packages as a table with a heading. Its columns are as
// wide as the widest of the lines so far, a thousand at a time.
func writeText(w io.Writer, packages iter.Seq2[store.Package, error]) error {
	out := bufio.NewWriter(w)
	block := [][3]string{{"ID", "WORKSPACE", "STATE"}}
	var widths [2]int // in characters
	flush := func() {
		for _, line := range block {
			for i := range widths {
				widths[i] = max(widths[i], utf8.RuneCountInString(line[i]))
			}
		}
		for _, line := range block {
			fmt.Fprintf(out, "%-*s  %-*s  %s\n", widths[0], line[0], widths[1], line[1], line[2])
		}
		block = block[:0]
	}
	for p, err := range packages {
		if err != nil {
			return err
		}
		block = append(block, [3]string{printable(p.ID), printable(p.Workspace), string(p.State)})
		if len(block) == alignedAtOnce {
			flush()
		}
	}
	flush()
	return out.Flush()
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
