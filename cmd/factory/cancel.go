package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/client"
)

// The exit statuses of factory cancel, besides the common ones.
const (
	exitRefused     = 1
	exitUnreachable = 3
)

// tokenVariable is the environment variable that the vendor's Terraform
// provider reads. There is no flag for the token: other users of the machine
// see the command line.
const tokenVariable = "HW_AUTH_TOKEN" //nolint:gosec // the name of a variable

func newCancelCommand() *cobra.Command {
	var in struct{ endpoint, project, workspace string }
	cmd := &cobra.Command{
		Use:   "cancel --endpoint URL --project ID [--workspace W] ID…",
		Short: "Cancel packages on a server",
		Long: `Cancel packages on a server that offers the documented API, all in one request.

The IAM token is read from the environment variable ` + tokenVariable + `; without it, or
with an empty one, none is sent.

Exit status: 0 the packages are cancelled; 1 the server refused; 2 the command
is not a proper one, and nothing was sent; 3 no answer came, and the packages
may or may not be cancelled.`,
		Example: "  " + tokenVariable + "=… factory cancel --endpoint https://dayu.cn-north-4.myhuaweicloud.com --project ID 12 13",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, ids []string) error {
			var opts []client.Option
			if cmd.Flags().Changed("workspace") {
				opts = append(opts, client.WithWorkspace(in.workspace))
			}
			if token := os.Getenv(tokenVariable); token != "" {
				opts = append(opts, client.WithCredentials(client.Token(token)))
			}
			c, err := client.New(in.endpoint, in.project, opts...)
			if err != nil {
				return err
			}
			defer c.CloseIdleConnections()
			if err := c.CancelFactoryPackages(cmd.Context(), ids...); err != nil {
				return withCancelStatus(err)
			}
			noun := "packages"
			if len(ids) == 1 {
				noun = "package"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "cancelled %d %s\n", len(ids), noun)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&in.endpoint, "endpoint", "", "base `URL` of the server (mandatory)")
	flags.StringVar(&in.project, "project", "", "`ID` of the project (mandatory)")
	flags.StringVar(&in.workspace, "workspace", "", "`ID` of the workspace (default: the project's default workspace)")
	for _, name := range []string{"endpoint", "project"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // the flag is added above
		}
	}
	return cmd
}

// withCancelStatus gives an error of the client its exit status.
func withCancelStatus(err error) error {
	if _, ok := errors.AsType[*client.Error](err); ok {
		return exit(exitRefused, err)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return exit(exitUnreachable, err)
	}
	return err
}
