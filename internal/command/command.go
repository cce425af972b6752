package command

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Prepare gives a root command its version, and lets it and the commands below it suggest the
// command or flag that was probably meant.
func Prepare(root *cobra.Command) {
	root.Version = version()
	root.SetFlagErrorFunc(suggestFlag)
	suggestCommands(root)
}

// version is that of the module, as the program was built with it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}

// suggestCommands makes a command that only groups others say which one was probably meant; cobra
// itself does so only for commands that take arguments.
func suggestCommands(cmd *cobra.Command) {
	if !cmd.HasSubCommands() {
		return
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return fmt.Errorf("unknown command %q for %q%s", args[0], cmd.CommandPath(), suggest(cmd, args[0], ""))
	}
	for _, below := range cmd.Commands() {
		suggestCommands(below)
	}
}

// suggestFlag adds to the error about an unknown flag the one that was probably meant. The distance
// between names is cobra's: the flags are made commands of one that is thrown away.
func suggestFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok || unknown.GetSpecifiedShortnames() != "" {
		return err
	}
	names := &cobra.Command{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	return fmt.Errorf("%w%s", err, suggest(names, unknown.GetSpecifiedName(), "--"))
}

// suggest ends a message about an unknown name with the subcommands that are nearest to it: those that
// begin so or are one letter away, else those that are two away, as where two letters are swapped.
func suggest(cmd *cobra.Command, name, prefix string) string {
	for cmd.SuggestionsMinimumDistance = 1; cmd.SuggestionsMinimumDistance <= 2; cmd.SuggestionsMinimumDistance++ {
		if near := cmd.SuggestionsFor(name); len(near) > 0 {
			return "; did you mean " + prefix + strings.Join(near, " or "+prefix) + "?"
		}
	}
	return ""
}
