package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/server"
	"github.com/dataarts-go/factory/server/store"
)

const defaultDB = "sqlite:factory.db"

func newServeCommand() *cobra.Command {
	var listen, db, packages, auth, credentials string
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

` + credentialsForm,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			option, err := authOption(auth, credentials)
			if err != nil {
				return err
			}
			return serve(cmd, listen, db, packages, option)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&listen, "listen", "127.0.0.1:8080", "`address` to listen on; port 0 takes a free one")
	flags.StringVar(&db, "db", defaultDB, "`database`: sqlite:FILE, created if missing, or postgres://USER:PASSWORD@HOST/NAME")
	flags.StringVar(&packages, "packages", "", "YAML `file` of packages to add before serving")
	flags.StringVar(&auth, "auth", "none", "who is let in: none (everyone), or those with a token, with a signature (aksk), with either (all)")
	flags.StringVar(&credentials, "credentials", "", "YAML `file` of credentials")
	return cmd
}

// authOption returns what --auth and --credentials ask for.
func authOption(auth, file string) (server.Option, error) {
	if auth == string(server.AuthNone) && file == "" {
		return server.WithAuth(server.AuthNone, server.Credentials{}), nil
	}
	credentials, err := readCredentials(file)
	if err != nil {
		return nil, err
	}
	return server.WithAuth(server.Auth(auth), credentials), nil
}

func serve(cmd *cobra.Command, listen, db, packages string, opts ...server.Option) (err error) {
	ctx := cmd.Context()
	st, err := store.Open(ctx, db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if packages != "" {
		if err := loadPackagesFile(ctx, st, packages); err != nil {
			return err
		}
	}
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
	srv, err := server.New(st, append(opts, server.WithLogger(log))...)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if _, err := fmt.Fprintf(cmd.OutOrStdout(), "listening on http://%s\n", listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
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
