package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/report"
	"github.com/dataarts-go/factory/internal/atomicfile"
)

type runFlags struct {
	spec, target    string
	headers, values []string
	peers           []string
	settle          time.Duration
	only, skip      []string
	reports         []string
	failOn          []string
	seed            int64
	cases, workers  int
	tries           int
	restart         string
	maxClauses      int
	rate            float64
	budget, timeout time.Duration
	maxTime         time.Duration
	operationTime   time.Duration
	verbose, quiet  bool
	dryRun          bool
	keep, safe      bool
	baseline        string
	baselineStale   string
	baselineUpdate  bool
}

const defaultCases = 40

func newRunCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run --spec openapi.yaml --target URL",
		Short: "Send cases for every clause of a document to a server and judge the answers",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return run(cmd, &f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.spec, "spec", "openapi.yaml", specUsage)
	fl.StringVar(&f.target, "target", "", "base URL of the server")
	fl.StringArrayVar(&f.headers, "header", nil, "header to send with every request, as 'Name: value', where env:VARIABLE in the value is that of the environment, as in 'Authorization: Bearer env:TOKEN' (repeatable)")
	fl.StringArrayVar(&f.peers, "peer", nil, "header with the credential of another user, who is not to see what this one makes, written as for --header (repeatable)")
	fl.DurationVar(&f.settle, "settle", 2*time.Second, "how long what was made, changed or deleted may take until it shows")
	fl.StringArrayVar(&f.values, "value", nil, "values that exist on the target, as name=a,b; env:VARIABLE as for --header (repeatable)")
	fl.StringArrayVar(&f.only, "only", nil, "run just this operation (its operationId, or 'GET /pets/*'), check, clause or case; * matches within a segment, ** any number of them; operation:, check:, clause: or case: before a name says what it names (repeatable)")
	fl.StringArrayVar(&f.skip, "skip", nil, "leave out this operation, check, clause or case, named as for --only (repeatable)")
	fl.StringArrayVar(&f.reports, "report", nil, reportUsage)
	fl.StringSliceVar(&f.failOn, "fail-on", []string{report.Error}, "what makes the exit status 1 beside errors: warning, or unproven (an operation whose valid request was never accepted)")
	fl.IntVar(&f.tries, "credential-tries", 4, "requests with a wrong credential in a row before one with the good credential; 0 sends none")
	fl.Int64Var(&f.seed, "seed", 1, "chooses the random cases; the same seed makes the same run")
	fl.IntVar(&f.cases, "cases", defaultCases, "random cases for each operation, beside those for its clauses")
	fl.IntVar(&f.maxClauses, "max-clauses", contracttest.DefaultMaxClauses, "clauses of the document from where on a shared schema is tried in full only where it was first met")
	fl.IntVar(&f.workers, "workers", 4, "requests under way at once")
	fl.StringVar(&f.restart, "restart", "", "command of the shell that brings the target back after it has died, to find out of which request; it may go on running until the run ends")
	fl.Float64Var(&f.rate, "rate", 0, "requests a second at most; 0 is without a bound")
	fl.DurationVar(&f.budget, "budget", 0, "time for the whole run; 0 is without a bound")
	fl.DurationVar(&f.operationTime, "operation-time", 0, "time for the requests of one operation, added up; the rest is left out and counted; 0 is without a bound")
	fl.DurationVar(&f.timeout, "timeout", 5*time.Second, "time for one exchange")
	fl.DurationVar(&f.maxTime, "max-time", 0, "time after which an answer is a finding (response-slow); 0 is without a bound")
	fl.BoolVar(&f.dryRun, "dry-run", false, "list the requests that would be sent, and send none")
	fl.BoolVar(&f.keep, "keep", false, "leave on the target what the run has made, instead of deleting it at the end")
	fl.BoolVar(&f.safe, "safe", false, "send GET, HEAD and OPTIONS alone")
	fl.BoolVar(&f.verbose, "verbose", false, "show every cause with all its findings, and every clause that was not proven or never tried")
	fl.BoolVar(&f.quiet, "quiet", false, "write nothing to standard output")
	cmd.MarkFlagsMutuallyExclusive("quiet", "verbose")
	cmd.MarkFlagsMutuallyExclusive("dry-run", "report")
	fl.StringVar(&f.baseline, "baseline", "", "file of known findings, which fail nothing: a line 'ID severity check clause [status] [until DATE] # why' for each")
	fl.StringVar(&f.baselineStale, "baseline-stale", "fail", "what an entry of the baseline does that has to be mended, as its finding is gone: fail or warn")
	fl.BoolVar(&f.baselineUpdate, "baseline-update", false, "write the findings that fail the run to the baseline, and take out what is gone")
	later(cmd, "before", "shard")
	return cmd
}

// again is the command that runs the same once more, to which a case can be added. What
// may be a secret is left to a variable of the shell.
func (f *runFlags) again(contract *contracttest.Contract) string {
	command := []string{"contracttest run --spec", report.Quote(f.spec), "--target", report.Quote(f.target)}
	for _, h := range f.headers {
		name, value, _ := strings.Cut(h, ":")
		if onlyVariable.MatchString(strings.TrimSpace(value)) {
			command = append(command, "--header", report.Quote(h))
		} else {
			command = append(command, fmt.Sprintf(`--header "%s: $%s"`, name, variable(name)))
		}
	}
	for _, h := range f.peers {
		name, _, _ := strings.Cut(h, ":")
		command = append(command, fmt.Sprintf(`--peer "%s: $PEER_%s"`, name, variable(name)))
	}
	for _, v := range f.values {
		if name, _, _ := strings.Cut(v, "="); isParameter(contract, name) {
			command = append(command, "--value", report.Quote(v))
		} else {
			command = append(command, fmt.Sprintf(`--value "%s=$%s"`, name, variable(name)))
		}
	}
	if f.cases != defaultCases {
		command = append(command, fmt.Sprintf("--cases %d", f.cases))
	}
	if f.maxClauses != contracttest.DefaultMaxClauses {
		command = append(command, fmt.Sprintf("--max-clauses %d", f.maxClauses))
	}
	return strings.Join(command, " ")
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
	lower := strings.ToLower(name)
	if slices.ContainsFunc(mayBeSecret, func(w string) bool { return strings.Contains(lower, w) }) {
		return false
	}
	return slices.ContainsFunc(contract.Clauses(), func(cl contracttest.Clause) bool {
		return strings.Contains(cl.Name+"/", "/"+name+"/")
	})
}

const reportUsage = "html=FILE, json=FILE, junit=FILE, sarif=FILE, har=FILE or text=FILE, beside the text on standard output (repeatable)"

// later declares flags that are to come, so that a script that uses one is told
// so instead of being run without it.
func later(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		cmd.Flags().Var(&laterFlag{name: name}, name, "")
		if err := cmd.Flags().MarkHidden(name); err != nil {
			panic(err) // the flag was declared one line above
		}
	}
}

type laterFlag struct{ name string }

func (f *laterFlag) String() string { return "" }
func (f *laterFlag) Type() string   { return "string" }
func (f *laterFlag) Set(string) error {
	return errors.New("this version does not have it yet")
}

func run(cmd *cobra.Command, f *runFlags) error {
	outputs, err := parseReports(f.reports)
	if err != nil {
		return err
	}
	for _, what := range f.failOn {
		if what != report.Error && what != report.Warning && what != report.FailOnUnproven {
			return fmt.Errorf("--fail-on %q: want error, warning or unproven", what)
		}
	}
	if f.target == "" && !f.dryRun {
		return errors.New("--target is missing: want the base URL of a server, as in --target http://127.0.0.1:8080")
	}
	opts := []contracttest.Option{
		contracttest.Seed(f.seed), contracttest.Cases(f.cases), contracttest.Workers(f.workers), contracttest.Rate(f.rate),
		contracttest.Budget(f.budget), contracttest.Timeout(f.timeout), contracttest.MaxTime(f.maxTime), contracttest.OperationTime(f.operationTime), contracttest.Settle(f.settle), contracttest.Only(f.only...), contracttest.Skip(f.skip...),
		contracttest.CredentialTries(f.tries),
	}
	if f.keep {
		opts = append(opts, contracttest.Keep())
	}
	switch {
	case f.baseline != "":
		opts = append(opts, contracttest.Baseline(f.baseline), contracttest.BaselineStale(f.baselineStale), contracttest.FailOn(f.failOn...))
		if f.baselineUpdate {
			opts = append(opts, contracttest.BaselineUpdate())
		}
	case f.baselineUpdate:
		return errors.New("--baseline-update: --baseline FILE is missing")
	}
	if f.safe {
		opts = append(opts, contracttest.Safe())
	}
	for _, h := range f.headers {
		name, value, err := parseHeader("header", h)
		if err != nil {
			return err
		}
		opts = append(opts, contracttest.Header(name, value))
	}
	for _, h := range f.peers {
		name, value, err := parseHeader("peer", h)
		if err != nil {
			return err
		}
		opts = append(opts, contracttest.Peer(name, value))
	}
	for _, v := range f.values {
		name, list, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return fmt.Errorf("--value %q: want name=a,b", v)
		}
		if list == "" { // as with a variable of the shell that is not set
			return fmt.Errorf("--value %q: it has no value, want name=a,b", v)
		}
		values := strings.Split(list, ",")
		for i := range values { // what a variable has is one value, commas and all
			if values[i], err = fromEnvironment(values[i]); err != nil {
				return fmt.Errorf("--value %s: %w", name, err)
			}
		}
		opts = append(opts, contracttest.Values(name, values...))
	}
	doc, err := open(cmd.Context(), f.spec, cmd.InOrStdin())
	if err != nil {
		return err
	}
	contract, err := doc.load(contracttest.MaxClauses(f.maxClauses))
	if err != nil {
		return err
	}
	if f.dryRun {
		return dryRun(cmd, contract, f.target, opts)
	}
	if !f.safe {
		if err := warnOfDeletes(cmd.ErrOrStderr(), contract, f.target, opts); err != nil {
			return err
		}
	}
	if f.restart != "" {
		restarter := &restarter{command: f.restart, out: cmd.ErrOrStderr()}
		defer restarter.stop()
		opts = append(opts, contracttest.Restart(restarter.start))
	}
	if show := progress(cmd.ErrOrStderr()); show != nil {
		opts = append(opts, contracttest.OnProgress(show.step))
		defer show.clear()
	}
	rep, err := contracttest.Run(cmd.Context(), contract, contracttest.URL(f.target), opts...)
	if err != nil {
		return err
	}
	rep.Command = f.again(contract)
	if err := saveDocument(outputs, rep); err != nil {
		return err
	}
	if !f.quiet {
		opts := report.TextOptions{Color: colored(cmd.OutOrStdout()), Verbose: f.verbose, Width: width(cmd.OutOrStdout())}
		if err := report.Text(cmd.OutOrStdout(), rep, opts); err != nil {
			return err
		}
	}
	if err := write(outputs, rep); err != nil {
		return err
	}
	if err := onGitHub(cmd.OutOrStdout(), rep); err != nil {
		return err
	}
	if b := rep.Baseline; b != nil && f.baselineUpdate {
		fmt.Fprintf(cmd.ErrOrStderr(), "contracttest: %s: %s added, %d taken out\n", b.File, count(b.Added, "line"), b.Removed)
		if b.Added > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "contracttest: put a reason in the place of each # TODO: why, which fails the next run\n")
		}
	}
	switch rep.Status(f.failOn...) {
	case report.StatusFindings:
		return errFindings
	case report.StatusNoResult:
		if rep.Stats.Exchanges > 0 {
			return errNoResult
		}
	}
	if rep.Stats.Exchanges == 0 {
		return errors.New("no request was sent, so nothing is known: see --only, --skip and --budget")
	}
	return nil
}

// output is one rendering and the file that it goes to.
type output struct{ format, file string }

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
