package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/server/store"
)

func newPackagesExportCommand() *cobra.Command {
	var db, project, output string
	cmd := &cobra.Command{
		Use:   "export [--project ID] [--db DATABASE] [--output yaml|json]",
		Short: "Write all packages as serve --packages and packages add --file take them",
		Long: `Write all packages, or those of one project, as serve --packages and packages
add --file take them; they read the JSON as well as the YAML. They are written as they are read, so
that any number of them takes no more memory than one. Each workspace is as it
is at one moment, though not all of them at the same.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			e, ok := exporters[output]
			if !ok {
				return fmt.Errorf("--output %s: want yaml or json", output)
			}
			st, err := store.Open(cmd.Context(), db, store.MustExist())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, st.Close()) }()
			var workspaces []store.Workspace
			for w, err := range st.Workspaces(cmd.Context()) {
				if err != nil {
					return err
				}
				if project == "" || w.ProjectID == project {
					workspaces = append(workspaces, w)
				}
			}
			if project != "" && len(workspaces) == 0 {
				return fmt.Errorf("--project %s: there is no such project", project)
			}
			return export(cmd.OutOrStdout(), e, workspaces, func(w store.Workspace) iter.Seq2[store.Package, error] {
				return st.List(cmd.Context(), w.ProjectID, w.ID)
			})
		},
	}
	cmd.DisableFlagsInUseLine = true
	cmd.Flags().StringVar(&db, "db", defaultDB, dbUsage)
	cmd.Flags().StringVar(&project, "project", "", "`ID` of the only project to write")
	cmd.Flags().StringVar(&output, "output", "yaml", "`format`: yaml or json")
	return cmd
}

// exporter writes a packages file piece by piece. A writer keeps its first
// error until it is flushed.
type exporter interface {
	project(w *bufio.Writer, first bool, id, defaultWorkspace string)
	workspace(w *bufio.Writer, first bool, id string)
	pkg(w *bufio.Writer, first bool, p store.Package)
	endWorkspace(w *bufio.Writer, empty bool)
	endProject(w *bufio.Writer)
	end(w *bufio.Writer, empty bool)
}

var exporters = map[string]exporter{"yaml": yamlExport{}, "json": jsonExport{}}

// export writes the packages of workspaces, which are in order of their
// projects.
func export(out io.Writer, e exporter, workspaces []store.Workspace, list func(store.Workspace) iter.Seq2[store.Package, error]) error {
	w := bufio.NewWriter(out)
	for i, first := 0, 0; i < len(workspaces); first = i {
		var byDefault string
		for ; i < len(workspaces) && workspaces[i].ProjectID == workspaces[first].ProjectID; i++ {
			if workspaces[i].Default {
				byDefault = workspaces[i].ID
			}
		}
		e.project(w, first == 0, workspaces[first].ProjectID, byDefault)
		for j, workspace := range workspaces[first:i] {
			e.workspace(w, j == 0, workspace.ID)
			empty := true
			for p, err := range list(workspace) {
				if err != nil {
					return err
				}
				e.pkg(w, empty, p)
				empty = false
			}
			e.endWorkspace(w, empty)
		}
		e.endProject(w)
	}
	e.end(w, len(workspaces) == 0)
	return w.Flush()
}

// yamlExport quotes as Go does: its escapes are escapes of YAML, too.
type yamlExport struct{}

func (yamlExport) project(w *bufio.Writer, first bool, id, defaultWorkspace string) {
	if first {
		fmt.Fprintln(w, "projects:")
	}
	fmt.Fprintf(w, "  - id: %q\n", id)
	if defaultWorkspace != "" {
		fmt.Fprintf(w, "    default_workspace: %q\n", defaultWorkspace)
	}
	fmt.Fprintln(w, "    workspaces:")
}

func (yamlExport) workspace(w *bufio.Writer, _ bool, id string) {
	fmt.Fprintf(w, "      - id: %q\n        packages:", id)
}

func (yamlExport) pkg(w *bufio.Writer, _ bool, p store.Package) {
	fmt.Fprintf(w, "\n          - {id: %q, state: %s}", p.ID, p.State)
}

func (yamlExport) endWorkspace(w *bufio.Writer, empty bool) {
	if empty {
		fmt.Fprint(w, " []")
	}
	fmt.Fprintln(w)
}

func (yamlExport) endProject(*bufio.Writer) {}

func (yamlExport) end(w *bufio.Writer, empty bool) {
	if empty {
		fmt.Fprintln(w, "projects: []")
	}
}

type jsonExport struct{}

func (jsonExport) project(w *bufio.Writer, first bool, id, defaultWorkspace string) {
	if first {
		fmt.Fprint(w, `{"projects":[`)
	}
	fmt.Fprintf(w, `%s{"id":%s`, separator(first), quoteJSON(id))
	if defaultWorkspace != "" {
		fmt.Fprintf(w, `,"default_workspace":%s`, quoteJSON(defaultWorkspace))
	}
	fmt.Fprint(w, `,"workspaces":[`)
}

func (jsonExport) workspace(w *bufio.Writer, first bool, id string) {
	fmt.Fprintf(w, `%s{"id":%s,"packages":[`, separator(first), quoteJSON(id))
}

func (jsonExport) pkg(w *bufio.Writer, first bool, p store.Package) {
	fmt.Fprintf(w, `%s{"id":%s,"state":%s}`, separator(first), quoteJSON(p.ID), quoteJSON(string(p.State)))
}

func (jsonExport) endWorkspace(w *bufio.Writer, _ bool) { fmt.Fprint(w, "]}") }

func (jsonExport) endProject(w *bufio.Writer) { fmt.Fprint(w, "]}") }

func (jsonExport) end(w *bufio.Writer, empty bool) {
	if empty {
		fmt.Fprint(w, `{"projects":[`)
	}
	fmt.Fprintln(w, "]}")
}

// separator puts each item on a line of its own.
func separator(first bool) string {
	if first {
		return "\n"
	}
	return ",\n"
}

// quoteJSON also escapes what JSON leaves as it is but YAML forbids, since the
// file is read as YAML.
func quoteJSON(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strconv.IsPrint(r) || r > 0xFFFF: // YAML does not know surrogates
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, "\\u%04x", r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
