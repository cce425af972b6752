package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/client"
)

// The exit statuses of factory cancel, besides the common ones.
const (
	exitRefused = 1
	exitInDoubt = 3
	exitNotSent = 4
)

// cancelFlags are what factory cancel is asked for.
type cancelFlags struct {
	endpoint, region, project, workspace string
	credentials, iamEndpoint             string
	files                                []string
	dryRun, retryInDoubt                 bool
	output                               string
	timeout                              time.Duration
	ca                                   string
	debug                                bool
}

func newCancelCommand() *cobra.Command {
	var in cancelFlags
	cmd := &cobra.Command{
		Use:   "cancel [--endpoint URL | --region NAME] [--project ID] [--workspace W] {ID… | --file FILE}",
		Short: "Cancel packages on a server",
		Long: `Cancel packages on a server that offers the documented API: any number of them,
in requests of 100. A request that is refused for one of its packages is halved
until the packages that do not exist stand alone, and the others are cancelled.

The IDs are arguments, or lines of files: blank lines and those that begin with
# are left out, and - is standard input.

Region and project are those of HW_REGION_NAME and of HUAWEICLOUD_SDK_PROJECT_ID
or HW_PROJECT_ID, unless flags say otherwise.

Keys, tokens and passwords are read from the environment or from a file, and
never from the command line, which other users of the machine see. The first of
these that is there counts; --credentials goes before all:

  HUAWEICLOUD_SDK_IDP_ID, HUAWEICLOUD_SDK_ID_TOKEN_FILE
  HUAWEICLOUD_SDK_AK, HUAWEICLOUD_SDK_SK, HUAWEICLOUD_SDK_SECURITY_TOKEN
  HW_AUTH_TOKEN
  HW_ACCESS_KEY, HW_SECRET_KEY, HW_SECURITY_TOKEN
  HW_DOMAIN_NAME, HW_USER_NAME, HW_USER_PASSWORD
  HW_SHARED_CONFIG_FILE, HW_PROFILE (of KooCLI)
  HUAWEICLOUD_SDK_CREDENTIALS_FILE, else ~/.huaweicloud/credentials
  the agency of the cloud server, for the vendor's endpoints
  HC_CONTAINER_CREDENTIALS_FULL_URI, HC_CONTAINER_AUTHORIZATION_TOKEN_FILE

Without any, requests to the vendor are not sent, and others are sent without
proof.

Exit status: 0 all packages are cancelled (or would be, with --dry-run); 1 the
server refused some, or answered that it failed; 2 the command is not a proper
one, and nothing was sent; 3 no answer came for some, and they may or may not be
cancelled; 4 for some nothing was sent, since there was no connection or the time
was over, and they are not cancelled. Where several hold, 3 goes before 4, and 4
before 1.`,
		Example: `  factory cancel --region cn-north-4 --project ID 12 13
  factory cancel --region cn-north-4 --project ID --file packages.txt --output json
  factory cancel --endpoint http://127.0.0.1:8080 --project ID --dry-run - <packages.txt`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return in.run(cmd.Context(), args, cmd.Flags().Changed("workspace"), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&in.endpoint, "endpoint", "", "base `URL` of the server")
	flags.StringVar(&in.region, "region", "", "`NAME` of a region of the vendor's cloud, in place of --endpoint (default: HW_REGION_NAME)")
	flags.StringVar(&in.project, "project", "", "`ID` of the project (default: HUAWEICLOUD_SDK_PROJECT_ID, else HW_PROJECT_ID)")
	flags.StringVar(&in.workspace, "workspace", "", "`ID` of the workspace (default: the project's default workspace)")
	flags.StringVar(&in.credentials, "credentials", "", "`FILE` with keys, as the vendor's SDKs read it ([basic], ak, sk, security_token)")
	flags.StringVar(&in.iamEndpoint, "iam-endpoint", "", "base `URL` of IAM, for a password or an ID token and an endpoint of one's own")
	flags.StringArrayVar(&in.files, "file", nil, "`FILE` with IDs, one a line; - is standard input (can be repeated)")
	flags.BoolVar(&in.dryRun, "dry-run", false, "say what would be cancelled, and send nothing")
	flags.BoolVar(&in.retryInDoubt, "retry-in-doubt", false, "repeat a request that may have been carried out, too")
	flags.DurationVar(&in.timeout, "timeout", 0, "end after this `TIME`, such as 90s or 5m, whatever is left (default: one minute for each attempt)")
	flags.StringVar(&in.ca, "ca", "", "`FILE` with certificates (PEM) of authorities that are trusted besides those of the system")
	flags.BoolVar(&in.debug, "debug", false, "show requests and responses on stderr, without secrets")
	flags.StringVar(&in.output, "output", "text", "`FORMAT` of the result: text or json")
	cmd.MarkFlagsMutuallyExclusive("endpoint", "region")
	return cmd
}

func (in *cancelFlags) run(ctx context.Context, args []string, inWorkspace bool, stdin io.Reader, stdout, stderr io.Writer) error {
	if in.output != "text" && in.output != "json" {
		return fmt.Errorf("--output %s: want text or json", in.output)
	}
	if in.timeout < 0 {
		return fmt.Errorf("--timeout %v: want no negative time", in.timeout)
	}
	if in.timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, in.timeout)
		defer stop()
	}
	c, err := in.client(inWorkspace, stderr)
	if err != nil {
		return err
	}
	defer c.CloseIdleConnections()
	ids, err := readIDs(args, in.files, stdin)
	if err != nil {
		return err
	}
	out := cancelOutput{json: in.output == "json", debug: in.debug, stdout: stdout, stderr: stderr}
	if in.dryRun {
		return out.dryRun(ids)
	}
	return out.report(ids, c.CancelAll(ctx, slices.Values(ids), client.ChunkSize(chunkSize)))
}

// chunkSize is how many packages go into one request.
const chunkSize = 100

func (in *cancelFlags) client(inWorkspace bool, stderr io.Writer) (*client.Client, error) {
	endpoint, err := in.target()
	if err != nil {
		return nil, err
	}
	project := cmp.Or(in.project, client.ProjectFromEnv())
	if project == "" {
		return nil, errors.New("no project: give --project, or set HUAWEICLOUD_SDK_PROJECT_ID or HW_PROJECT_ID")
	}
	opts := []client.Option{client.WithRetry(client.RetryPolicy{InDoubt: in.retryInDoubt})}
	if inWorkspace {
		opts = append(opts, client.WithWorkspace(in.workspace))
	}
	if in.iamEndpoint != "" {
		opts = append(opts, client.WithIAMEndpoint(in.iamEndpoint))
	}
	if in.ca != "" {
		roots, err := readAuthorities(in.ca)
		if err != nil {
			return nil, err
		}
		opts = append(opts, client.WithRootCAs(roots))
	}
	if in.debug {
		opts = append(opts, client.WithDebug(stderr))
	}
	credentials := client.FromEnv()
	if in.credentials != "" {
		credentials = client.FromFile(in.credentials)
	}
	c, err := client.New(endpoint, project, append(opts, client.WithCredentials(credentials))...)
	if errors.Is(err, client.ErrNoCredentials) {
		return client.New(endpoint, project, opts...)
	}
	return c, err
}

// target returns the endpoint that the flags name, or else the environment.
func (in *cancelFlags) target() (string, error) {
	if in.endpoint != "" {
		return in.endpoint, nil
	}
	region := cmp.Or(in.region, os.Getenv("HW_REGION_NAME"))
	if region == "" {
		return "", errors.New("no endpoint: give --endpoint or --region, or set HW_REGION_NAME")
	}
	return client.Region(region), nil
}

// readAuthorities returns the authorities of the system and those of a file.
func readAuthorities(name string) (*x509.CertPool, error) {
	const most = 4 << 20
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("--ca: %w", err)
	case len(text) > most:
		return nil, fmt.Errorf("--ca %s: more than %d MiB", name, most>>20)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // there are none
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--ca %s: no certificates in PEM", name)
	}
	return roots, nil
}
