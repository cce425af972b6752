package main

import (
	"context"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"runtime"

	"github.com/dataarts-go/factory/server"
)

// onlyHere reports whether an address is one that other machines do not reach.
func onlyHere(address net.Addr) bool {
	tcp, ok := address.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// warn logs what is allowed and seldom meant. admin is nil without --admin-listen.
func (f *serveFlags) warn(ctx context.Context, log *slog.Logger, listen, admin net.Addr) {
	if f.auth == string(server.AuthNone) && !onlyHere(listen) {
		log.WarnContext(ctx, "everybody who reaches this address may cancel packages (--auth none)", slog.String("address", listen.String()))
	}
	if admin != nil && !onlyHere(admin) {
		log.WarnContext(ctx, "everybody who reaches this address sees all packages (--admin-listen)", slog.String("address", admin.String()))
	}
	if f.credentials == "" || runtime.GOOS == "windows" { // where a mode says nothing
		return
	}
	const byOthers fs.FileMode = 0o022
	if info, err := os.Stat(f.credentials); err == nil && info.Mode()&byOthers != 0 {
		log.WarnContext(ctx, "others than its owner may write the credentials file", slog.String("file", f.credentials),
			slog.String("mode", info.Mode().Perm().String()))
	}
}
