package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/internal/command"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(Do(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Do runs the command that args name, without the program's own name in front,
// and returns the exit status. It reads and writes nothing but the given
// streams; an error is one line on stderr.
func Do(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	cmd := newRootCommand()
	cmd.SetArgs(args)
	cmd.SetIn(stdin)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	if err := cmd.ExecuteContext(ctx); err != nil {
		return report(stderr, err)
	}
	return exitOK
}

// report writes err as one line and returns its exit status.
func report(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "factory: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	return exitCannot
}

func newRootCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "factory",
		Short:         "Serve, cancel and list task packages",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          needsCommand,
	}
	cmd.AddCommand(newServeCommand(), newCancelCommand(), newPackagesCommand())
	command.Prepare(cmd)
	return cmd
}

// needsCommand is run by a command that only groups others.
func needsCommand(cmd *cobra.Command, _ []string) error {
	return fmt.Errorf("no command given, see %s --help", cmd.CommandPath())
}
