package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/internal/heapfloor"
	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

const defaultDB = "sqlite:factory.db"

func newServeCommand() *cobra.Command {
	var in serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API from a database of task packages",
		Long: `Serve the API from a database of task packages until SIGINT or SIGTERM.

The first line of standard output is "listening on http://ADDRESS"; the log
goes to standard error. Requests in flight are answered before the end.

The file of --packages is YAML:

` + packagesFileForm + `
Loading it again changes nothing: a package that is already there keeps its
state, so that what was cancelled stays cancelled.

With --auth token, aksk or all only those are let in who are in the file of
--credentials, or in the variable ` + credentialsEnv + `, each to the
packages of one project:

` + credentialsForm + `
With --iam users of that file fetch tokens at /v3/auth/tokens, as from IAM: a
client with a password is given this server as its IAM endpoint.

A --fault befalls a share of the requests, so that a client can be seen to
survive it: drop ends the connection without a response, status=429, 500, 502,
503 or 504 is answered, with retry-after=TIME if that is given, and delay=TIME
waits before. With late the request is carried out all the same, which 429 and
503 deny:

  --fault share=0.1,delay=2s --fault share=0.1,status=503,retry-after=1s
  --fault share=0.05,drop,late

Each flag can be given as a variable of the environment, too: --tls-cert as
FACTORY_TLS_CERT. The log says at the start what is in force, without passwords.
/healthz answers while the process does, /readyz while the database does.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := fromEnvironment(cmd.Flags()); err != nil {
				return err
			}
			return serve(cmd, in)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&in.listen, "listen", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	flags.StringVar(&in.admin, "admin-listen", "", "`address` to serve /metrics on, for Prometheus, and a page with the packages; not meant for everyone, and on 127.0.0.1 where no host is given")
	flags.StringVar(&in.db, "db", defaultDB, "`database`: sqlite:FILE, created if missing, or postgres://USER:PASSWORD@HOST/NAME")
	flags.StringVar(&in.packages, "packages", "", "YAML `file` of packages to add before serving")
	flags.StringVar(&in.auth, "auth", "none", "who is let in: none (everyone), or those with a token, with a signature (aksk), with either (all)")
	flags.StringVar(&in.credentials, "credentials", "", "YAML `file` of credentials")
	flags.BoolVar(&in.iam, "iam", false, "give out tokens to the users of the credentials, as IAM does")
	flags.BoolVar(&in.requireSigned, "require-signed", false, "refuse a signed request whose workspace or X-Project-Id is not among its signed headers")
	flags.StringSliceVar(&in.hosts, "allow-host", nil, "further `name` by which requests may ask for a server on loopback that asks nobody for credentials (repeatable)")
	flags.StringSliceVar(&in.trusted, "trusted-proxy", nil, "`CIDR` of proxies whose X-Forwarded-For says who is calling (repeatable)")
	flags.StringVar(&in.cert, "tls-cert", "", "PEM `file` of the certificate, for TLS and HTTP/2")
	flags.StringVar(&in.key, "tls-key", "", "PEM `file` of its key")
	flags.StringArrayVar(&in.faults, "fault", nil, "`fault` to befall a share of the requests (repeatable)")
	flags.Uint64Var(&in.faultSeed, "fault-seed", 1, "`number` that decides which requests")
	in.limits = server.DefaultLimits()
	flags.DurationVar(&in.limits.HeaderTimeout, "header-timeout", in.limits.HeaderTimeout, "`time` to send the headers of a request")
	flags.DurationVar(&in.limits.ReadTimeout, "read-timeout", in.limits.ReadTimeout, "`time` to send a request")
	flags.DurationVar(&in.limits.RequestTimeout, "request-timeout", in.limits.RequestTimeout, "`time` to carry out a request")
	flags.DurationVar(&in.limits.WriteTimeout, "write-timeout", in.limits.WriteTimeout, "`time` from the headers of a request to the end of its response")
	flags.DurationVar(&in.limits.IdleTimeout, "idle-timeout", in.limits.IdleTimeout, "`time` between requests on a connection")
	flags.IntVar(&in.limits.HeaderBytes, "max-header", in.limits.HeaderBytes, "`bytes` of all headers of a request")
	flags.Int64Var(&in.limits.BodyBytes, "max-body", in.limits.BodyBytes, "`bytes` of the body of a request")
	flags.Int64Var(&in.limits.BodiesBytes, "max-bodies", in.limits.BodiesBytes, "`bytes` of memory for the bodies of all requests at a time")
	flags.IntVar(&in.limits.Connections, "max-connections", in.limits.Connections, "`number` of connections at a time")
	flags.IntVar(&in.limits.Packages, "max-packages", in.limits.Packages, "`number` of packages that one request may cancel; more get 400")
	flags.IntVar(&in.limits.ConnectionsPerAddress, "max-connections-per-address", in.limits.ConnectionsPerAddress, "`number` of connections of one address at a time")
	return cmd
}

// serveFlags are the flags of serve.
type serveFlags struct {
	listen, admin, db, packages, auth, credentials, cert, key string
	limits                                                    server.Limits
	iam, requireSigned                                        bool
	faults, trusted, hosts                                    []string
	faultSeed                                                 uint64
}

// options returns what the flags ask of the server.
func (f *serveFlags) options(log *slog.Logger) ([]server.Option, error) {
	auth, err := authOption(f.auth, f.credentials, f.iam)
	if err != nil {
		return nil, err
	}
	opts := append([]server.Option{named("auth", auth)}, f.limitOptions()...)
	if address, err := net.ResolveTCPAddr("tcp", f.listen); err == nil && f.auth == string(server.AuthNone) && onlyHere(address) {
		opts = append(opts, server.WithLocalHosts(f.hosts...))
	}
	if f.requireSigned {
		if f.auth != string(server.AuthAKSK) && f.auth != string(server.AuthAll) {
			return nil, errors.New("--require-signed: want --auth aksk or all")
		}
		opts = append(opts, server.WithRequireSigned())
	}
	trusted, err := networks(f.trusted)
	if err != nil {
		return nil, err
	}
	opts = append(opts, server.WithTrustedProxies(trusted...))
	if len(f.faults) > 0 {
		faults := make([]server.Fault, len(f.faults))
		for i, text := range f.faults {
			if faults[i], err = parseFault(text); err != nil {
				return nil, fmt.Errorf("--fault %s: %w", text, err)
			}
		}
		opts = append(opts, named("fault", server.WithFaults(f.faultSeed, faults...)))
	}
	if f.cert == "" && f.key == "" {
		return opts, nil
	}
	if f.cert == "" || f.key == "" {
		return nil, errors.New("--tls-cert and --tls-key belong together")
	}
	certificate, err := newCertificate(f.cert, f.key, log)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert and --tls-key: %w", err)
	}
	return append(opts, server.WithTLS(&tls.Config{GetCertificate: certificate.current, MinVersion: tls.VersionTLS12})), nil
}

// limitOptions returns what the flags ask of the limits. Each is set on its own
// before, if it is one that is refused, so that the error names its flag; all
// that may be at fault together is the write timeout.
func (f *serveFlags) limitOptions() []server.Option {
	l := f.limits
	return []server.Option{
		named("header-timeout", server.WithLimits(server.Limits{HeaderTimeout: min(l.HeaderTimeout, 0)})),
		named("read-timeout", server.WithLimits(server.Limits{ReadTimeout: min(l.ReadTimeout, 0)})),
		named("request-timeout", server.WithLimits(server.Limits{RequestTimeout: min(l.RequestTimeout, 0)})),
		named("idle-timeout", server.WithLimits(server.Limits{IdleTimeout: min(l.IdleTimeout, 0)})),
		named("max-header", server.WithLimits(server.Limits{HeaderBytes: min(l.HeaderBytes, 0)})),
		named("max-body", server.WithLimits(server.Limits{BodyBytes: min(l.BodyBytes, 0)})),
		named("max-bodies", server.WithLimits(server.Limits{BodyBytes: l.BodyBytes, BodiesBytes: l.BodiesBytes})),
		named("max-packages", server.WithLimits(server.Limits{Packages: min(l.Packages, 0)})),
		named("max-connections", server.WithLimits(server.Limits{Connections: min(l.Connections, 0)})),
		named("max-connections-per-address", server.WithLimits(server.Limits{ConnectionsPerAddress: min(l.ConnectionsPerAddress, 0)})),
		named("write-timeout", server.WithLimits(l)),
	}
}

// networks are the values of --trusted-proxy, each of which may be one address.
func networks(texts []string) ([]netip.Prefix, error) {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		var err error
		if all[i], err = netip.ParsePrefix(text); err == nil {
			continue
		}
		ip, err := netip.ParseAddr(text)
		if err != nil {
			return nil, fmt.Errorf("--trusted-proxy %s: want a network as in 192.0.2.0/24, or an address", text)
		}
		all[i] = netip.PrefixFrom(ip.WithZone(""), ip.BitLen())
	}
	return all, nil
}

// flagError is why the server refuses the value of a flag.
type flagError struct {
	flag string
	err  error
}

func (e *flagError) Error() string { return fmt.Sprintf("--%s: %v", e.flag, e.err) }
func (e *flagError) Unwrap() error { return e.err }

// named makes the error of an option name the flag.
func named(flag string, opt server.Option) server.Option {
	return func(s *server.Server) error {
		if err := opt(s); err != nil {
			return &flagError{flag, err}
		}
		return nil
	}
}

// authOption returns what --auth and --credentials ask for.
func authOption(auth, file string, iam bool) (server.Option, error) {
	if auth == string(server.AuthNone) && file == "" && !iam {
		return server.WithAuth(server.AuthNone, server.Credentials{}), nil
	}
	credentials, err := readCredentials(file)
	if err != nil {
		return nil, err
	}
	if !iam {
		credentials.Users = nil
	} else if len(credentials.Users) == 0 {
		return nil, errors.New("--iam needs users among the credentials")
	}
	return server.WithAuth(server.Auth(auth), credentials), nil
}

func serve(cmd *cobra.Command, in serveFlags) (err error) {
	release := heapfloor.Raise()
	defer release()
	ctx := cmd.Context()
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	opts, err := in.options(log)
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, in.db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if in.packages != "" {
		if err := loadPackagesFile(ctx, st, in.packages); err != nil {
			return err
		}
	}
	var admin net.Addr
	if in.admin != "" {
		metrics := newMetrics()
		address, stop, listening := metrics.serve(ctx, in.admin, st, log)
		admin = address
		if listening != nil {
			return fmt.Errorf("--admin-listen: %w", listening)
		}
		defer func() { err = errors.Join(err, stop()) }()
		opts = append(opts, server.WithObserver(metrics.observe))
		st = timedStore{st, metrics}
	}
	srv, err := server.New(st, append(opts, server.WithLogger(log))...)
	if refused, ok := errors.AsType[*flagError](err); ok {
		return refused
	}
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", in.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	scheme := "http"
	if in.cert != "" {
		scheme = "https"
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "listening on %s://%s\n", scheme, listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	log.LogAttrs(ctx, slog.LevelInfo, "configuration", settings(cmd.Flags())...)
	in.warn(ctx, log, listener.Addr(), admin)
	return srv.Serve(ctx, listener)
}

// loadPackagesFile adds what the file names to the store.
func loadPackagesFile(ctx context.Context, st store.Store, name string) error {
	file, err := readPackagesFile(name)
	if err != nil {
		return err
	}
	for _, w := range file.workspaces() {
		if err := st.PutWorkspace(ctx, w); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if _, err := st.Add(ctx, file.packages()); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
