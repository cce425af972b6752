package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
	"github.com/dataarts-go/factory/internal/atomicfile"
)

func newRunCommand() *cobra.Command {
	s := &settings{}
	cmd := &cobra.Command{
		Use:   "run --spec openapi.yaml --target URL",
		Short: "Test a server against every clause of a document",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return run(cmd, s, func(*report.Report) {}) },
	}
	s.declare(cmd, every)
	s.declareFile(cmd)
	cmd.MarkFlagsMutuallyExclusive("quiet", "verbose")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "report")
	return cmd
}

// variable is the name of a variable of the shell for something.
func variable(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(name))
}

// mayBeSecret are words in the names of what nobody should read.
var mayBeSecret = []string{"auth", "bearer", "token", "secret", "pass", "key", "sign", "cred", "session", "cookie"}

// isParameter reports whether a value is for a parameter or a property of the document, and
// so no credential.
func isParameter(contract *contracttest.Contract, name string) bool {
	if namesSecret(name) {
		return false
	}
	return slices.ContainsFunc(contract.Clauses(), func(cl contracttest.Clause) bool {
		return strings.Contains("/"+cl.Name+"/", "/"+name+"/")
	})
}

// run does a run, writes its reports, and calls then with it.
func run(cmd *cobra.Command, s *settings, then func(*report.Report)) error {
	if err := s.read(); err != nil {
		return err
	}
	outputs, err := s.outputs()
	if err != nil {
		return err
	}
	if s.BaselineUpdate && s.Baseline == "" {
		return errors.New("--baseline-update: --baseline FILE is missing")
	}
	rep, err := send(cmd, s, outputs)
	if err != nil || s.DryRun {
		return err
	}
	if err := saveDocument(outputs, rep); err != nil {
		return err
	}
	if err := s.show(cmd, outputs, rep); err != nil {
		return err
	}
	if b := rep.Baseline; b != nil && s.BaselineUpdate {
		fmt.Fprintf(cmd.ErrOrStderr(), "contracttest: %s: %s added, %d removed\n", b.File, count(b.Added, "line"), b.Removed)
		if b.Added > 0 {
			fmt.Fprintln(cmd.ErrOrStderr(), "contracttest: replace each # TODO: why with a reason, or the next run fails")
		}
	}
	then(rep)
	return status(rep, s.FailOn)
}

// show writes the reports of a run.
func (s *settings) show(cmd *cobra.Command, outputs []output, rep *report.Report) error {
	if !s.Quiet {
		opts := report.TextOptions{Color: colored(cmd.OutOrStdout()), Verbose: s.Verbose, Width: width(cmd.OutOrStdout()), Repeat: repeatBy(outputs)}
		if err := report.Text(cmd.OutOrStdout(), rep, opts); err != nil {
			return err
		}
	}
	if err := write(outputs, rep); err != nil {
		return err
	}
	return onGitHub(cmd.OutOrStdout(), rep)
}

// repeatBy is the command that sends a finding again by its ID; empty where no report has it.
func repeatBy(outputs []output) string {
	for _, o := range outputs {
		switch {
		case o.format == "json" && o.file == defaultFrom:
			return "contracttest repeat"
		case o.format == "json":
			return "contracttest repeat --from " + report.Quote(o.file)
		}
	}
	return ""
}

// status is the error that a run with this report ends with.
func status(rep *report.Report, failOn []string) error {
	switch rep.Status(failOn...) {
	case report.StatusFindings:
		return errFindings
	case report.StatusNoResult:
		if rep.Stats.Exchanges > 0 {
			return errNoResult
		}
	}
	if rep.Stats.Exchanges == 0 && rep.Idle == "" {
		return errors.New("no request was sent, so nothing is known: see --only, --skip and --budget")
	}
	return nil
}

// target is what the run sends to. A document of webhooks alone needs none.
func (s *settings) target(contract *contracttest.Contract) (contracttest.Target, error) {
	if s.Target == "" && !s.DryRun {
		if all, err := contract.Operations(); err != nil || len(all) > 0 {
			return contracttest.Target{}, errors.New("--target is missing: want the base URL of a server, as in --target http://127.0.0.1:8080")
		}
		if s.Receive == "" {
			return contracttest.Target{}, errors.New("--receive is missing: the document has webhooks alone, and nothing to send; want an address to listen on, as in --receive 127.0.0.1:9000")
		}
		return contracttest.Handler(http.NotFoundHandler()), nil
	}
	return contracttest.URL(s.Target), nil
}

// send does the run; for a dry run it lists the requests, and there is no report.
func send(cmd *cobra.Command, s *settings, outputs []output) (*report.Report, error) {
	opts := []contracttest.Option{contracttest.With(s.Layer)}
	doc, err := open(cmd.Context(), s.Spec, cmd.InOrStdin())
	if err != nil {
		return nil, err
	}
	contract, err := doc.load(contracttest.LoadWith(s.Layer))
	if err != nil {
		return nil, err
	}
	if contract.Swagger() {
		if err := noOverlay(outputs, s.Spec+" is Swagger 2.0, and overlays are of OpenAPI 3"); err != nil {
			return nil, err
		}
	}
	target, err := s.target(contract)
	if err != nil {
		return nil, err
	}
	if s.Since != "" {
		before, err := openSince(cmd, s)
		if err != nil {
			return nil, fmt.Errorf("--since %s: %w", s.Since, err)
		}
		opts = append(opts, contracttest.Since(before))
	}
	if s.DryRun {
		return nil, dryRun(cmd, contract, s.Target, opts)
	}
	if !s.Safe {
		if err := warnOfDeletes(cmd.ErrOrStderr(), contract, s.Target, opts); err != nil {
			return nil, err
		}
	}
	if s.Restart != "" {
		restarter := &restarter{command: s.Restart, out: cmd.ErrOrStderr()}
		defer restarter.stop()
		opts = append(opts, contracttest.Restart(restarter.start))
	}
	if show := progress(cmd.ErrOrStderr()); show != nil {
		opts = append(opts, contracttest.OnProgress(show.step))
		defer show.clear()
	}
	rep, err := contracttest.Run(cmd.Context(), contract, target, opts...)
	if err != nil {
		return nil, err
	}
	again := s.again(contract)
	rep.Command, rep.Args, rep.Config = typed(again), texts(again), s.found
	return rep, nil
}

// output is one rendering and the file that it goes to.
type output struct{ format, file string }

// outputs are those that the settings ask for.
func (s *settings) outputs() ([]output, error) {
	var reports []string
	for _, p := range s.Report {
		reports = append(reports, strings.Join(append([]string{p.Name}, p.Values...), "="))
	}
	return parseReports(reports)
}

// onlyRun is why others than a run write no overlay: it alone asks for what an answer may look like.
const onlyRun = "only contracttest run writes one"

// noOverlay is the error of asking for an overlay where none can be made.
func noOverlay(outputs []output, why string) error {
	if slices.ContainsFunc(outputs, func(o output) bool { return o.format == "overlay" }) {
		return errors.New("--report overlay: " + why)
	}
	return nil
}

func parseReports(specs []string) ([]output, error) {
	var outputs []output
	for _, s := range specs {
		format, file, _ := strings.Cut(s, "=")
		switch {
		case report.Formats[format] == nil:
			return nil, fmt.Errorf("--report %q: want one of %s", format, strings.Join(slices.Sorted(maps.Keys(report.Formats)), ", "))
		case format == "text" && file == "":
			continue // it is there anyway
		case file == "":
			return nil, fmt.Errorf("--report %s: want a file, as in %s=report.%s", format, format, format)
		}
		if err := writable(file); err != nil {
			return nil, fmt.Errorf("--report %s: %w", s, err)
		}
		outputs = append(outputs, output{format, file})
	}
	return outputs, nil
}

// writable finds out before the run, not after it, that a report could not be
// written. The last report stays as it is until there is a new one.
func writable(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	if info, err := os.Stat(file); err == nil && !info.Mode().IsRegular() {
		if info.IsDir() {
			return fmt.Errorf("%s is a directory", file)
		}
		return nil // a pipe, or /dev/stdout
	}
	out, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	return errors.Join(out.Close(), os.Remove(out.Name()))
}

// saveDocument saves a document from a URL beside the first report, as it was tested: the
// next one from there may be another.
func saveDocument(outputs []output, rep *report.Report) error {
	text := rep.Document()
	if len(outputs) == 0 || !isURL(rep.Spec) || text == "" {
		return nil
	}
	ext := ".openapi.yaml"
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		ext = ".openapi.json"
	}
	file := outputs[0].file
	rep.Saved = strings.TrimSuffix(file, filepath.Ext(file)) + ext
	if err := atomicfile.Replace(rep.Saved, []byte(text)); err != nil {
		return fmt.Errorf("%s: %w", rep.Saved, err)
	}
	return nil
}

func write(outputs []output, rep *report.Report) error {
	for _, o := range outputs {
		var b bytes.Buffer
		shown := rep
		if o.format == "sarif" && os.Getenv("GITHUB_ACTIONS") == "true" {
			shown = inRepository(rep)
		}
		if err := report.Formats[o.format](&b, shown); err != nil {
			return err
		}
		if err := atomicfile.Replace(o.file, b.Bytes()); err != nil {
			return fmt.Errorf("--report %s: %w", o.format, err)
		}
	}
	return nil
}
