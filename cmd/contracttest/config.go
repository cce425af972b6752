package main

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/config"
)

func newConfigCommand() *cobra.Command {
	s := &settings{}
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show the settings of a run with the same flags, and where each comes from",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.read(); err != nil {
				return err
			}
			contract := s.known()
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for i := range config.Table {
				one := &config.Table[i]
				given := s.Given(one.Name)
				if len(given) == 0 {
					fmt.Fprintf(w, "%s\t%s\tdefault\n", one.Name, cmp.Or(one.Get(&s.Settings), "-"))
				}
				for _, g := range given {
					from := g.Origin
					if from == config.FromFlag {
						from = "--" + one.Name
					}
					fmt.Fprintf(w, "%s\t%s\t%s\n", one.Name, printable(s.shownText(one, g, contract)), from)
				}
			}
			if err := w.Flush(); err != nil {
				return fmt.Errorf("standard output: %w", err)
			}
			return nil
		},
	}
	s.declare(cmd, every)
	s.declareFile(cmd)
	return cmd
}

// known is the contract, for what its names stand for; nil where it cannot be had from a file.
func (s *settings) known() *contracttest.Contract {
	if s.Spec == "-" || isURL(s.Spec) {
		return nil
	}
	contract, err := document{name: s.Spec}.load(contracttest.LoadWith(s.Layer))
	if err != nil {
		return nil
	}
	return contract
}

// shownText is what was given for a setting, without what may be a secret: variables can be
// shown, and values of what the document has as a parameter or property.
func (s *settings) shownText(one *config.Setting, g config.Given, contract *contracttest.Contract) string {
	secret := one.Kind == config.Headers || one.Secret && namesSecret(g.Name) && g.Name != "token_url"
	if one.Kind == config.Values {
		secret = s.redacts(g.Name) || contract == nil || !isParameter(contract, g.Name)
	}
	at := strings.IndexAny(g.Text, ":=") + 1
	if !secret || onlyVariable.MatchString(strings.TrimSpace(g.Text[at:])) || inFile.MatchString(g.Text[at:]) {
		return g.Text
	}
	return g.Text[:at] + " ***"
}

// redacts reports whether no report shows a value of this name, or for this place.
func (s *settings) redacts(name string) bool {
	return slices.ContainsFunc(s.Redact, func(r string) bool { return strings.EqualFold(r, name[strings.LastIndex(name, "/")+1:]) })
}

// inFile is a value that has nothing but the scheme of a credential beside a variable of the file.
var inFile = regexp.MustCompile(`^\s*(?:[A-Za-z]+ )?\$\{[A-Za-z_][A-Za-z0-9_]*\}\s*$`)

// namesSecret reports whether something is called as secrets are.
func namesSecret(name string) bool {
	lower := strings.ToLower(name)
	return slices.ContainsFunc(mayBeSecret, func(w string) bool { return strings.Contains(lower, w) })
}
