package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/dataarts-go/factory/contracttest"
)

// dryRun lists the requests of a run, one in a line.
func dryRun(cmd *cobra.Command, contract *contracttest.Contract, base string, opts []contracttest.Option) error {
	var target contracttest.Target
	if base != "" {
		target = contracttest.URL(base)
	}
	cases, err := contracttest.Plan(cmd.Context(), contract, target, opts...)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(cmd.OutOrStdout())
	n := 0
	for c := range cases {
		n++
		fmt.Fprintf(w, "%-7s %s  %s: %s\n", c.Method, shortened(c.Target), c.ID, c.Expect)
	}
	fmt.Fprintf(w, "%s of %s, none sent\n", count(n, "case"), contractName(contract))
	fmt.Fprint(w, decided)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	note(cmd.ErrOrStderr(), contract)
	if n == 0 {
		if operations, err := contract.Operations(opts...); err == nil && len(operations) == 0 {
			return nil // as in an empty shard
		}
		return errors.New("no request would be sent: see --only and --skip")
	}
	return nil
}

// decided says what a run sends beside its cases.
const decided = `The responses decide what is sent in addition:
  before the cases: requests that find values for other requests, and that create a resource where a request uses one up; for
              OpenAPI 3.1, valid requests with and without the properties that are required and readOnly
  between the cases: the valid request before a clause is blamed; a case once more before it is an error; a path that does not exist;
              again what was late, lost, or answered with 401, 429 or 503
  after the cases, for each operation: the valid request, a refused one and HEAD in raw bytes; the valid request 48 times and a
              refused one 24 times, mixed with others, then each 16 times at once; last, wrong credentials, a few at a time, each
              time followed by the good one; and, if the target has died, the last requests one by one
`

func contractName(contract *contracttest.Contract) string {
	operations, err := contract.Operations()
	if err != nil {
		return "the document"
	}
	return count(len(operations), "operation")
}

// shortened keeps a request target on its line.
func shortened(target string) string {
	const most = 120
	if len(target) <= most {
		return printable(target)
	}
	cut := most
	for !utf8.RuneStart(target[cut]) {
		cut--
	}
	return printable(target[:cut]) + fmt.Sprintf("… (%d bytes)", len(target))
}

// warnOfDeletes tells whoever runs against another machine what may be lost
// there.
func warnOfDeletes(w io.Writer, contract *contracttest.Contract, target string, opts []contracttest.Option) error {
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || loopback(u.Hostname()) {
		return nil //nolint:nilerr // what is wrong with the URL, the run says
	}
	operations, err := contract.Operations(opts...)
	if err != nil {
		return err
	}
	var deletes []string
	for _, op := range operations {
		if op.Method == http.MethodDelete {
			deletes = append(deletes, op.ID)
		}
	}
	if len(deletes) == 0 {
		return nil
	}
	const named = 3
	names := strings.Join(deletes[:min(named, len(deletes))], ", ")
	if len(deletes) > named {
		names += fmt.Sprintf(" and %d more", len(deletes)-named)
	}
	fmt.Fprintf(w, "contracttest: warning: requests that delete are sent to %s (%s); --safe sends none, --skip leaves an operation out, --dry-run lists the requests\n",
		printable(u.Host), printable(names))
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
