// Bookshop serves the bookshop of the catalogue, with one of its defects or with
// none, for whoever wants to see what a contract test finds:
//
//	bookshop --list
//	bookshop --listen 127.0.0.1:0 --defect 'listBooks: last page refused'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/dataarts-go/factory/contracttest/internal/defects"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bookshop:", err)
		}
		os.Exit(2) //nolint:gocritic // stop only ends the wait for signals
	}
}

func run(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	flags := flag.NewFlagSet("bookshop", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	listen := flags.String("listen", "127.0.0.1:0", "where to listen")
	name := flags.String("defect", "", "which defect to have, as in --list; none where it is empty")
	list := flags.Bool("list", false, "list the defects and the checks that find them")
	document := flags.Bool("document", false, "write the OpenAPI document")
	if err := flags.Parse(args); err != nil {
		return err //nolint:wrapcheck // it says what is wrong with the flags
	}
	all := defects.Catalogue()
	switch {
	case *list:
		for _, d := range all {
			fmt.Fprintf(out, "%s: %s\t%s\n", d.Op, d.Name, d.Check)
		}
		return nil
	case *document:
		_, err := out.Write(defects.Document)
		return err //nolint:wrapcheck // of the output itself
	}
	h := http.Handler(defects.NewShop(""))
	if *name != "" {
		if h = with(all, *name); h == nil {
			return fmt.Errorf("no defect is called %q: see --list", *name)
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Fprintf(out, "listening on http://%s\n", l.Addr())
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ConnContext: defects.ConnContext,
		ErrorLog: log.New(io.Discard, "", 0), // some of the defects panic
	}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func with(all []defects.Defect, name string) http.Handler {
	for _, d := range all {
		if d.Op+": "+d.Name == name {
			return d.Server()
		}
	}
	return nil
}
