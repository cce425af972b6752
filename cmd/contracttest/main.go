// Command contracttest tests an HTTP API against its OpenAPI document.
//
// Exit status: 0 the contract is kept, 1 there are findings, 2 the run could
// not be done or proves nothing (usage, document, target, credentials, nothing
// sent to an operation, stopped before its clauses were tried).
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/internal/command"
	"github.com/dataarts-go/factory/internal/heapfloor"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	log.SetOutput(quiet{os.Stderr})
	release := heapfloor.Raise()
	code := Do(ctx, os.Args[1:], os.Stdout, os.Stderr)
	release()
	stop()
	os.Exit(code)
}

// quiet leaves out of the standard log what net/http's client says of bytes on a connection that
// nobody has asked for: it has no other way to be told not to, and the run tells of them itself.
type quiet struct{ io.Writer }

func (q quiet) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("Unsolicited response received on idle HTTP channel")) {
		return len(line), nil
	}
	return q.Writer.Write(line)
}

// Exit statuses.
const (
	exitKept     = 0
	exitFindings = 1
	exitFailed   = 2
)

// What ends a command that has said all there is to say.
var (
	errFindings = errors.New("findings")
	errNoResult = errors.New("no result")
)

// Do runs the command and returns its exit status. It writes nowhere but to the
// given writers and the files that args name.
func Do(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:           "contracttest",
		Short:         "Test an HTTP API against its OpenAPI document",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return fmt.Errorf("no command given, see %s --help", cmd.CommandPath())
		},
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newRunCommand(), newRepeatCommand(), newMergeCommand(), newVerifyCommand(), newMockCommand(), newProxyCommand(), newClausesCommand(), newDiffCommand(), newInitCommand(), newConfigCommand(), newOverlayCommand())
	command.Prepare(root)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitKept
	case errors.Is(err, errFindings):
		return exitFindings
	case errors.Is(err, errNoResult):
		return exitFailed
	default:
		fmt.Fprintln(stderr, "contracttest:", err)
		return exitFailed
	}
}
