package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
)

// mockFlags are those of contracttest mock.
type mockFlags struct {
	spec, listen, data, delay, fail string
	values                          []string
	fetch                           *[]string
	seed                            int64
	stateless, vary, quiet          bool
}

func newMockCommand() *cobra.Command {
	var in mockFlags
	cmd := &cobra.Command{
		Use:   "mock --spec openapi.yaml",
		Short: "Serve a mock of the document: refuse what breaks it, answer with examples or generated values",
		Long: `Serve a mock of the document: refuse what breaks it, answer with examples or generated values.

The first line of standard output is "listening on http://ADDRESS"; a line for each request
goes to standard error. A document in a file is read again when it changes.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serveMock(cmd, in) },
	}
	fl := cmd.Flags()
	fl.StringVar(&in.spec, "spec", "openapi.yaml", specUsage)
	in.fetch = fetchFlag(cmd)
	fl.StringVar(&in.listen, "listen", "127.0.0.1:4010", "address to listen on; port 0 takes a free one")
	fl.BoolVar(&in.stateless, "stateless", false, "keep no state: no request creates, changes or deletes anything")
	fl.BoolVar(&in.vary, "vary", false, "answer valid requests with every documented response in turn, with values at its limits")
	fl.StringVar(&in.data, "data", "", `file with the initial resources, as {"/pets": [{"id": 1}]}; default: the document's examples`)
	fl.Int64Var(&in.seed, "seed", 1, "seed of the generated values: the same request and seed get the same response")
	fl.StringArrayVar(&in.values, "value", nil, "credential that a security scheme accepts, as SCHEME=CREDENTIAL; without it, any well-formed one (repeatable)")
	fl.StringVar(&in.delay, "delay", "", "delay of each response: 50ms, or 50ms-200ms")
	fl.StringVar(&in.fail, "fail", "", "share of requests that fail with a 5xx, as 1%")
	fl.BoolVar(&in.quiet, "quiet", false, "do not log requests")
	return cmd
}

// options are what the flags ask of a mock.
func (in mockFlags) options(log func(contracttest.MockEntry)) ([]contracttest.MockOption, error) {
	opts := []contracttest.MockOption{contracttest.MockSeed(in.seed)}
	if !in.quiet {
		opts = append(opts, contracttest.MockLog(log))
	}
	if in.stateless {
		opts = append(opts, contracttest.MockStateless())
	}
	if in.vary {
		opts = append(opts, contracttest.MockVary())
	}
	for _, v := range in.values {
		scheme, credential, ok := strings.Cut(v, "=")
		if !ok || scheme == "" || credential == "" {
			return nil, errors.New("--value: want SCHEME=CREDENTIAL") // without what was given, which may be a secret
		}
		opts = append(opts, contracttest.MockCredentials(scheme, credential))
	}
	if in.delay != "" {
		least, most, ranged := strings.Cut(in.delay, "-")
		if !ranged {
			most = least
		}
		from, err := time.ParseDuration(least)
		to, err2 := time.ParseDuration(most)
		if err = errors.Join(err, err2); err != nil || from < 0 || to < from {
			return nil, fmt.Errorf("--delay %q: want a duration, or two as 50ms-200ms", in.delay)
		}
		opts = append(opts, contracttest.MockDelay(from, to))
	}
	if in.fail != "" {
		percent, err := strconv.ParseFloat(strings.TrimSuffix(in.fail, "%"), 64)
		if err != nil || !strings.HasSuffix(in.fail, "%") || !(percent >= 0 && percent <= 100) {
			return nil, fmt.Errorf("--fail %q: want a share of 0%% to 100%%", in.fail)
		}
		opts = append(opts, contracttest.MockFail(percent/100))
	}
	return opts, nil
}

// How long the head of a request and the whole of it may take to come, how long a connection may be idle, and how
// long what is under way may take at the end.
const (
	headerTimeout  = 10 * time.Second
	requestTimeout = time.Minute
	idleTimeout    = 2 * time.Minute
	stopTimeout    = 5 * time.Second
)

func serveMock(cmd *cobra.Command, in mockFlags) error {
	ctx := cmd.Context()
	out := &lockedWriter{w: cmd.ErrOrStderr()}
	opts, err := in.options(func(e contracttest.MockEntry) { fmt.Fprint(out, mockLine(e)) })
	if err != nil {
		return err
	}
	doc, err := open(ctx, in.spec, cmd.InOrStdin())
	if err != nil {
		return err
	}
	contract, err := doc.load(contracttest.Fetch(*in.fetch...))
	if err != nil {
		return err
	}
	var current atomic.Pointer[http.Handler]
	put := func(c *contracttest.Contract) error {
		data, err := in.filled(c)
		if err != nil {
			return err
		}
		h := contracttest.Mock(c, append(data, opts...)...)
		current.Store(&h)
		return nil
	}
	if err := put(contract); err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", in.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	srv := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*current.Load()).ServeHTTP(w, r) }),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		IdleTimeout:       idleTimeout,
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "listening on http://%s\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	for _, w := range contract.Warnings() {
		fmt.Fprintln(out, "warning", w)
	}
	var watching sync.WaitGroup
	if doc.data == nil {
		watching.Go(func() { watch(ctx, doc, contract, out, put, *in.fetch...) })
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		stopped <- errors.Join(srv.Shutdown(ending), srv.Close())
	})
	err = srv.Serve(listener)
	if !stop() {
		err = <-stopped
	}
	watching.Wait()
	return err
}

// filled is the option for what there is at the beginning.
func (in mockFlags) filled(c *contracttest.Contract) ([]contracttest.MockOption, error) {
	if in.data == "" {
		return nil, nil
	}
	text, err := os.ReadFile(in.data)
	if err != nil {
		return nil, fmt.Errorf("--data: %w", err)
	}
	data, err := contracttest.MockData(c, text)
	if err != nil {
		return nil, fmt.Errorf("--data %s: %w", in.data, err)
	}
	return []contracttest.MockOption{data}, nil
}

// lockedWriter writes lines whole.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p) //nolint:wrapcheck // nobody looks at it
}

// mockLine is what is said of a request.
func mockLine(e contracttest.MockEntry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-7s %s %d", e.Method, printable(e.Path), e.Status)
	if e.Operation != "" {
		b.WriteString(" " + e.Operation)
	}
	switch {
	case len(e.Broken) > 0:
		b.WriteString(" REFUSED")
	case e.Note == "":
		b.WriteString(" ok")
	}
	if e.Note != "" {
		b.WriteString(" (" + printable(e.Note) + ")")
	}
	b.WriteByte('\n')
	for _, broken := range e.Broken {
		b.WriteString("        " + printable(broken) + "\n")
	}
	return b.String()
}

// watchEvery is how often a document is looked at.
const watchEvery = 500 * time.Millisecond

// watch reads a document again when it, or a file that it refers to, has changed, and says what
// has. One that cannot be used leaves the one before in its place.
func watch(ctx context.Context, doc document, contract *contracttest.Contract, out io.Writer, put func(*contracttest.Contract) error, hosts ...string) {
	files := filesOf(doc, contract)
	seen := stamps(files)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := stamps(files)
		if maps.Equal(seen, now) {
			continue
		}
		seen = now
		next, err := doc.load(contracttest.Fetch(hosts...))
		if err == nil {
			err = put(next)
		}
		if err != nil {
			fmt.Fprintf(out, "%s has changed but cannot be used: %v\n", doc.name, err)
			continue
		}
		fmt.Fprintf(out, "%s has changed: %s\n", doc.name, changed(contract, next))
		contract = next
		files = filesOf(doc, contract)
		seen = stamps(files)
	}
}

// filesOf lists the files of a document, as far as clauses stand in them.
func filesOf(doc document, contract *contracttest.Contract) []string {
	files := []string{doc.name}
	for _, cl := range contract.Clauses() {
		if name := cl.Place.File; name != "" && !slices.Contains(files, name) {
			files = append(files, name)
		}
	}
	return files
}

// stamp tells whether a file is another than before.
type stamp struct {
	size int64
	time time.Time
}

func stamps(files []string) map[string]stamp {
	all := map[string]stamp{}
	for _, name := range files {
		if info, err := os.Stat(name); err == nil {
			all[name] = stamp{info.Size(), info.ModTime()}
		}
	}
	return all
}

// changed says which clauses came, went and changed.
func changed(before, after *contracttest.Contract) string {
	was := map[string]string{}
	for _, cl := range before.Clauses() {
		was[cl.Name] = cl.Text
	}
	var came, other []string
	for _, cl := range after.Clauses() {
		text, there := was[cl.Name]
		switch {
		case !there:
			came = append(came, cl.Name)
		case text != cl.Text:
			other = append(other, cl.Name)
		}
		delete(was, cl.Name)
	}
	var parts []string
	for _, p := range []struct {
		what  string
		names []string
	}{{"new", came}, {"changed", other}, {"gone", slices.Sorted(maps.Keys(was))}} {
		const most = 5
		if n := len(p.names); n > most {
			parts = append(parts, fmt.Sprintf("%s: %s and %d more", p.what, strings.Join(p.names[:most], ", "), n-most))
		} else if n > 0 {
			parts = append(parts, p.what+": "+strings.Join(p.names, ", "))
		}
	}
	if len(parts) == 0 {
		return "the clauses are the same"
	}
	return strings.Join(parts, "; ")
}
