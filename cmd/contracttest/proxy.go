package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
	"github.com/dataarts-go/factory/contracttest/config"
)

// proxySettings are those of a run that the proxy has, too.
var proxySettings = []string{"spec", "target", "cacert", "cert", "key", "max-clauses", "format", "redact", "fail-on", "report", "verbose", "quiet"}

type proxyFlags struct {
	listen, page string
	enforce      bool
	maxBody      int
}

func newProxyCommand() *cobra.Command {
	s := &settings{}
	var in proxyFlags
	cmd := &cobra.Command{
		Use:   "proxy --spec openapi.yaml --target URL",
		Short: "Forward requests from clients to a server, and test both against the document",
		Long: `Forward requests from clients to a server, and test requests and responses against the document.

The first line of standard output is "listening on http://ADDRESS", the second one with --page
"page on http://ADDRESS/"; each new finding is a line on standard error. On SIGINT or SIGTERM the
proxy stops and writes its reports; the exit status is that of a run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serveProxy(cmd, s, in) },
	}
	s.declare(cmd, func(one config.Setting) bool { return slices.Contains(proxySettings, one.Name) })
	cmd.Flags().StringVar(&in.listen, "listen", "127.0.0.1:4011", "address to listen on; port 0 takes a free one")
	cmd.Flags().StringVar(&in.page, "page", "", "address of a web page with the findings, as 127.0.0.1:4012; it shows the traffic to anyone who can open it")
	cmd.Flags().BoolVar(&in.enforce, "enforce", false, "reject what breaks the document with 400, 405 or 502 instead of forwarding it")
	cmd.Flags().IntVar(&in.maxBody, "max-body", 1<<20, "bytes of a body that are kept for judging; at most eight times as many in total")
	cmd.MarkFlagsMutuallyExclusive("quiet", "verbose")
	return cmd
}

func serveProxy(cmd *cobra.Command, s *settings, in proxyFlags) error {
	if s.wrong != nil {
		return s.wrong
	}
	s.Layer = s.flags.Over(&config.Layer{Settings: config.Default()})
	if err := s.Check(every); err != nil {
		return err //nolint:wrapcheck // it says what is wrong
	}
	if s.Target == "" {
		return errors.New("--target is missing: want the base URL of the server, as in --target http://127.0.0.1:8080")
	}
	if in.maxBody < 1 {
		return fmt.Errorf("--max-body %d: want a number of bytes", in.maxBody)
	}
	outputs, err := s.outputs()
	if err != nil {
		return err
	}
	if err := noOverlay(outputs, onlyRun); err != nil {
		return err
	}
	doc, err := open(cmd.Context(), s.Spec, cmd.InOrStdin())
	if err != nil {
		return err
	}
	contract, err := doc.load(contracttest.LoadWith(s.Layer))
	if err != nil {
		return err
	}
	told := &telling{w: cmd.ErrOrStderr(), seen: map[string]bool{}}
	opts := []contracttest.TrafficOption{contracttest.Bound(in.maxBody), contracttest.Hide(s.Redact...), contracttest.Certificates(s.CACert, s.Cert, s.Key)}
	if in.enforce {
		opts = append(opts, contracttest.Enforce())
	}
	if !s.Quiet {
		opts = append(opts, contracttest.OnFinding(told.tell))
	}
	proxy, err := contracttest.NewProxy(contract, s.Target, opts...)
	if err != nil {
		return fmt.Errorf("--target: %w", err)
	}
	if err := listen(cmd, in, proxy); err != nil {
		return err
	}
	proxy.Wait()
	rep := proxy.Report()
	rep.FailOn = s.FailOn
	if err := s.show(cmd, outputs, rep); err != nil {
		return err
	}
	return status(rep, s.FailOn)
}

// listen serves the proxy and its page until the command ends.
func listen(cmd *cobra.Command, in proxyFlags, proxy *contracttest.Proxy) error {
	ctx := cmd.Context()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", in.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	said := fmt.Sprintf("listening on http://%s\n", listener.Addr())
	const patience = 10 * time.Second
	servers := []*http.Server{{Handler: proxy, ReadHeaderTimeout: patience, IdleTimeout: idleTimeout}}
	listeners := []net.Listener{listener}
	if in.page != "" {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", in.page)
		if err != nil {
			return errors.Join(fmt.Errorf("--page: %w", err), listeners[0].Close())
		}
		said += fmt.Sprintf("page on http://%s/\n", listener.Addr())
		servers, listeners = append(servers, &http.Server{Handler: proxy.Page(), ReadHeaderTimeout: patience, IdleTimeout: idleTimeout}), append(listeners, listener)
	}
	if _, err := io.WriteString(cmd.OutOrStdout(), said); err != nil {
		for _, l := range listeners {
			err = errors.Join(err, l.Close())
		}
		return err
	}
	var serving sync.WaitGroup
	ended := make(chan error, len(servers))
	for i, srv := range servers {
		serving.Go(func() { ended <- srv.Serve(listeners[i]) })
	}
	select {
	case <-ctx.Done():
		err = nil
	case err = <-ended:
	}
	// What is under way comes to its end; what has none is cut off.
	const rest = 2 * time.Second
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), rest)
	defer cancel()
	if stopped := servers[0].Shutdown(last); stopped != nil && !errors.Is(stopped, context.DeadlineExceeded) {
		err = errors.Join(err, stopped)
	}
	for _, srv := range servers {
		err = errors.Join(err, srv.Close())
	}
	serving.Wait()
	return err
}

// telling writes a line for each finding that is new.
type telling struct {
	mu   sync.Mutex
	w    io.Writer
	seen map[string]bool
}

// maxTold is how many findings have a line.
const maxTold = 1000

func (t *telling) tell(f contracttest.Finding) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen[f.ID+f.Severity] || len(t.seen) >= maxTold {
		return
	}
	t.seen[f.ID+f.Severity] = true
	fmt.Fprintf(t.w, "%s %s: %s: %s (check %s, id %s)\n", strings.ToUpper(f.Severity), f.Place, printable(f.Clause), printable(f.Message), f.Check, f.ID)
}
