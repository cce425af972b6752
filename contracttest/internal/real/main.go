// Command real builds, starts and tests public services that nobody here wrote, in pinned
// versions, and holds what is found against what a person has found out about it. make real
// runs it; docs/real.md is written from the files in testdata.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
)

// files is the directory of the files, from the root of the repository.
const files = "contracttest/internal/real/testdata"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "real:", err)
		os.Exit(1)
	}
}

var errDiffers = errors.New("what is found is not what the files say")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("real", flag.ContinueOnError)
	flags.SetOutput(stderr)
	from := flags.String("files", files, "directory of the services' files")
	dir := flags.String("dir", "build/real", "directory for sources, programs and reports")
	only := flags.String("service", "", "names of services, with commas; empty: all")
	update := flags.Bool("update", false, "write what was measured and new causes, as open, into the files")
	theirs := flags.Bool("schemathesis", false, "let Schemathesis test the services instead, and leave what it says in files beside our reports")
	covered := flags.Bool("cover", false, "count the statements of services in Go that we and Schemathesis reach")
	if err := flags.Parse(args); err != nil {
		return err
	}
	all, err := load(*from)
	if err != nil {
		return err
	}
	if all, err = choose(all, *only); err != nil {
		return err
	}
	absolute, err := filepath.Abs(*dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(absolute, 0o750); err != nil {
		return err
	}
	r := &runner{dir: absolute, checkouts: os.Getenv("REAL_CHECKOUTS")}
	if r.checkouts != "" {
		if r.checkouts, err = filepath.Abs(r.checkouts); err != nil {
			return err
		}
	}
	if *theirs {
		return r.others(ctx, all, *from, *update, stdout, stderr)
	}
	if r.engine, err = command(ctx, absolute, stderr); err != nil {
		return err
	}
	if *covered {
		return r.cover(ctx, all, *from, *update, stdout)
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', tabwriter.AlignRight|tabwriter.TabIndent)
	fmt.Fprintln(table, "service\toperations\tunaccepted\texchanges\tseconds\ttrue\topen\tfalse\t\t")
	var problems []string
	tried := 0
	for _, s := range all {
		fmt.Fprintf(stderr, "%s: %s\n", s.Name, s.source())
		o, err := r.run(ctx, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case errors.Is(err, errUnavailable):
			fmt.Fprintf(table, "%s\t\t\t\t\t\t\t\tskipped: %s\t\n", s.Name, strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		case err != nil:
			problems = append(problems, fmt.Sprintf("%s: %v", s.Name, err))
			fmt.Fprintf(table, "%s\t\t\t\t\t\t\t\tFAILED\t\n", s.Name)
			continue
		}
		tried++
		word := "as the file says"
		if len(o.problems) > 0 {
			word = fmt.Sprintf("%d DIFFERENT", len(o.problems))
		}
		m := o.measured
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.1f\t%d\t%d\t%d\t%s\t\n", s.Name, m.Operations, m.Unaccepted, m.Exchanges, m.Seconds,
			o.found[True], o.found[Open], o.found[False], word)
		for _, p := range o.problems {
			problems = append(problems, s.Name+": "+p)
		}
		if *update {
			s.update(o)
			if err := s.save(*from); err != nil {
				return err
			}
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(stderr, p)
	}
	switch {
	case len(problems) > 0:
		return errDiffers
	case tried == 0:
		return errors.New("no service could be had: set REAL_CHECKOUTS")
	}
	return nil
}

// choose takes the services of these names.
func choose(all []*Service, names string) ([]*Service, error) {
	if names == "" {
		return all, nil
	}
	var chosen []*Service
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(s *Service) bool { return s.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no service %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
