package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/config"
	"github.com/dataarts-go/factory/contracttest/report"
)

// settings are what flags and a file say of a run.
type settings struct {
	flags      config.Layer
	wrong      error    // the first thing that is wrong with a flag
	file       string   // of --config
	found      string   // the file that is read; empty where there is none
	flagsAlone []string // settings of which the file has no say

	*config.Layer // all together
}

// declare makes a flag of each setting that is wanted.
func (s *settings) declare(cmd *cobra.Command, wanted func(config.Setting) bool) {
	defaults := config.Default()
	for i := range config.Table {
		one := &config.Table[i]
		if !wanted(*one) {
			continue
		}
		value := &flagValue{s, one, one.Get(&defaults)}
		if fl := cmd.Flags().VarPF(value, one.Name, "", one.Doc); one.Kind == config.Bool {
			fl.NoOptDefVal = "true"
		}
	}
}

// every setting is one that the command wants.
func every(config.Setting) bool { return true }

// declareFile makes the flag that names the file of settings.
func (s *settings) declareFile(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.file, "config", "", "file of settings, with flags as keys; default: "+config.FileName+" beside the document, if it exists")
}

// flagValue is a setting as a flag. What is wrong is said once all flags are read, without
// what was given, which may be a secret.
type flagValue struct {
	all     *settings
	one     *config.Setting
	initial string
}

func (v *flagValue) String() string {
	if v.all == nil || v.initial == "false" || v.initial == "0" || v.initial == "0s" {
		return ""
	}
	return v.initial
}

func (v *flagValue) Type() string {
	return map[config.Kind]string{config.Bool: "bool", config.Int: "int", config.Float: "float", config.Duration: "duration", config.Percent: "percent", config.PerTime: "rate", config.Share: "part"}[v.one.Kind] + map[bool]string{true: "string"}[v.one.Kind >= config.List || v.one.Kind == config.Text]
}

func (v *flagValue) Set(text string) error {
	if err := v.all.flags.SetFlag(v.one, text); err != nil && v.all.wrong == nil {
		v.all.wrong = fmt.Errorf("--%s: %w", v.one.Name, err)
	}
	return nil
}

var _ pflag.Value = (*flagValue)(nil)

// read puts the flags over the file.
func (s *settings) read() error {
	if s.wrong != nil {
		return s.wrong
	}
	if s.found = s.file; s.found == "" {
		spec := config.Default().Spec
		if s.flags.Given("spec") != nil {
			spec = s.flags.Spec
		}
		s.found = config.Find(spec)
	}
	below := &config.Layer{}
	if s.found != "" {
		var err error
		if below, err = config.Load(s.found); err != nil {
			return fmt.Errorf("--config: %w", err)
		}
	}
	below.Drop(s.flagsAlone...)
	s.Layer = s.flags.Over(below).Over(&config.Layer{Settings: config.Default()})
	if s.Quiet && s.Verbose {
		return errors.New("quiet and verbose contradict each other")
	}
	return s.Check(every) //nolint:wrapcheck // it says what is wrong, and where
}

// argument is one that sends a case again.
type argument struct {
	flag, text string
	secret     string // the variable that text has in the place of a secret; empty where there is none
}

// again are the arguments of a run that sends the same once more. What may be a secret is left
// to a variable. What a file says is said again by it.
func (s *settings) again(contract *contracttest.Contract) []argument {
	var all []argument
	if s.file != "" {
		all = append(all, argument{flag: "config", text: s.file})
	}
	for _, one := range config.Table {
		if !one.Again || one.Name == "seed" {
			continue
		}
		given := s.flags.Given(one.Name)
		if len(given) == 0 && (one.Name == "spec" || one.Name == "target") && len(s.Given(one.Name)) == 0 {
			given = []config.Given{{Text: one.Get(&s.Settings)}}
		}
		for _, g := range given {
			a := argument{flag: one.Name, text: g.Text}
			name, value, _ := strings.Cut(g.Text, ":")
			switch prefix := ""; one.Name {
			case "peer":
				prefix = "PEER_"
				fallthrough
			case "header":
				if !onlyVariable.MatchString(strings.TrimSpace(value)) {
					a.secret = prefix + variable(name)
					a.text = name + ": env:" + a.secret
				}
			case "oauth2":
				if name, value, _ := strings.Cut(g.Text, "="); namesSecret(name) && name != "token_url" && !onlyVariable.MatchString(value) {
					a.secret = "OAUTH2_" + variable(name)
					a.text = name + "=env:" + a.secret
				}
			case "value":
				if name, value, _ := strings.Cut(g.Text, "="); !onlyVariable.MatchString(value) && !isParameter(contract, name) || s.redacts(name) {
					a.secret = variable(name)
					a.text = name + "=env:" + a.secret
				}
			}
			all = append(all, a)
		}
	}
	return all
}

// onlyVariable is a value that has nothing but the scheme of a credential beside its variable, or
// its command without arguments, so that it can be shown.
var onlyVariable = regexp.MustCompile(`^(?i:(?:Basic|Bearer|Token) +)?(?:env|cmd):[^\s,;="']+$`)

// typed is how arguments are typed.
func typed(all []argument) string {
	var b strings.Builder
	b.WriteString("contracttest run")
	for _, a := range all {
		switch {
		case a.secret != "": // which the shell puts in
			fmt.Fprintf(&b, ` --%s "%s"`, a.flag, strings.Replace(a.text, "env:"+a.secret, "$"+a.secret, 1))
		case a.text == "true" && config.Lookup(a.flag) != nil && config.Lookup(a.flag).Kind == config.Bool:
			b.WriteString(" --" + a.flag)
		default:
			b.WriteString(" --" + a.flag + " " + report.Quote(a.text))
		}
	}
	return b.String()
}

// texts are the arguments for another command.
func texts(all []argument) []string {
	var out []string
	for _, a := range all {
		out = append(out, "--"+a.flag+"="+a.text)
	}
	return out
}
