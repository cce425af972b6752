// Command loadtest measures our server beside others that answer the same
// request: bare Echo, the generated strict server without validation, and the
// server that ogen generates from the same document.
//
// Each server is a process of its own, and all of them are up from the
// beginning to the end. They are loaded by wrk, one after the other and round
// by round, so that what else the machine does in the meantime befalls all of
// them alike. It runs on Linux.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "loadtest:", err)
		os.Exit(1)
	}
}

// run measures, or serves one of the servers, as args say.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("loadtest", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var (
		total       = flags.Duration("time", 4*time.Minute, "how long the whole run takes, about")
		connections = flags.String("connections", "1,2,4,8,16,32,64", "numbers of connections")
		names       = flags.String("servers", "", "the servers to measure; all of them if empty")
		page        = flags.String("page", "", "Markdown file to write the tables into, between its marks; none if empty")
		profiles    = flags.String("profiles", "", "directory to write the CPU profile of each server to; none if empty")
		serve       = flags.String("serve", "", "serve this one until the standard input ends: what loadtest starts itself")
		dir         = flags.String("dir", "", "directory for the files of the served one")
		packages    = flags.Int("packages", 0, "how many packages the served one prepares")
	)
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	req, err := newRequest()
	if err != nil {
		return err
	}
	if *serve != "" {
		return profiled(*profiles, *serve, func() error {
			return child(ctx, *serve, preparation{request: req, dir: *dir, packages: *packages}, stdin, stdout)
		})
	}
	m := measurement{request: req, total: *total, profiles: *profiles, progress: stderr}
	if m.connections, err = numbers(*connections); err != nil {
		return fmt.Errorf("-connections: %w", err)
	}
	if m.contestants, err = chosen(*names); err != nil {
		return fmt.Errorf("-servers: %w", err)
	}
	results, err := m.run(ctx)
	if err != nil {
		return err
	}
	text := results.markdown()
	if *page != "" {
		return writeInto(*page, text)
	}
	_, err = io.WriteString(stdout, text)
	return err
}

func numbers(list string) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		if n < 1 {
			return nil, fmt.Errorf("%d is no number of connections", n)
		}
		all = append(all, n)
	}
	return all, nil
}

// chosen returns the contestants of these names, in the order of the list.
func chosen(names string) ([]contestant, error) {
	if names == "" {
		return slices.Clone(contestants), nil
	}
	var all []contestant
	for name := range strings.SplitSeq(names, ",") {
		c, err := find(name)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}
