package command

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Prepare gives a root command its version, lets it and the commands below it suggest the
// command or flag that was probably meant, and say which arguments they take.
func Prepare(root *cobra.Command) {
	root.Version = version()
	root.SetFlagErrorFunc(suggestFlag)
	explainArgs(root)
}

// version is that of the module, as the program was built with it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}

// explainArgs makes a command that only groups others say which one was probably meant (cobra
// itself does so only for commands that take arguments), and any other how it is used.
func explainArgs(cmd *cobra.Command) {
	taken := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case cmd.HasSubCommands() && len(args) > 0:
			return unknownCommand(cmd, args[0])
		case cmd.HasSubCommands() || taken == nil || taken(cmd, args) == nil:
			return nil
		case taken(cmd, nil) == nil:
			return fmt.Errorf("unexpected argument %q: values are given with flags, see %s --help", args[0], cmd.CommandPath())
		}
		return fmt.Errorf("%d is the wrong number of arguments: want %s", len(args), strings.TrimSuffix(cmd.UseLine(), " [flags]"))
	}
	for _, below := range cmd.Commands() {
		explainArgs(below)
	}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	return fmt.Errorf("unknown command %q for %q%s", name, cmd.CommandPath(), suggest(cmd, name, ""))
}

// suggestFlag adds to the error about an unknown flag the one that was probably meant. The distance
// between names is cobra's: the flags are made commands of one that is thrown away.
func suggestFlag(cmd *cobra.Command, err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	if cmd.HasSubCommands() && cmd.Flags().NArg() > 0 { // the flag is one of the command that was meant
		return unknownCommand(cmd, cmd.Flags().Arg(0))
	}
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		if name, _, _ := strings.Cut(short, "="); cmd.Flags().Lookup(name) != nil {
			return fmt.Errorf("unknown flag: -%s; did you mean --%s?", name, name)
		}
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
