package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
)

// certificate is that of --tls-cert and --tls-key, which is read anew when the files
// have changed: whoever renews it replaces them, one after the other.
type certificate struct {
	files [2]string // the certificate's and the key's
	log   *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	read   [2]os.FileInfo // what the files were like when pair was read
	failed string         // why they cannot be read, as the log has it; empty: they can
}

// newCertificate reads the files.
func newCertificate(cert, key string, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: [2]string{cert, key}, log: log}
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// current returns the certificate for a handshake. As long as the files hold none that
// is valid, as between the writing of one and of the other, it is the one from before.
func (c *certificate) current(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed() {
		c.reload(hello.Context())
	}
	return c.pair, nil
}

// changed reports whether the files are no longer those that were read.
func (c *certificate) changed() bool {
	for i, name := range c.files {
		now, err := os.Stat(name)
		was := c.read[i]
		if err != nil || !os.SameFile(was, now) || !was.ModTime().Equal(now.ModTime()) || was.Size() != now.Size() {
			return true
		}
	}
	return false
}

func (c *certificate) reload(ctx context.Context) {
	err := c.load()
	switch {
	case err == nil:
		c.failed = ""
		c.log.InfoContext(ctx, "the certificate was read anew")
	case c.failed != err.Error(): // told once, and tried again with each handshake
		c.failed = err.Error()
		c.log.WarnContext(ctx, "the certificate cannot be read anew; the one from before is used", slog.Any("error", err))
	}
}

// load reads the files, and changes nothing if there is an error.
func (c *certificate) load() error {
	var read [2]os.FileInfo
	for i, name := range c.files { // before they are read, so that a change meanwhile is seen
		var err error
		if read[i], err = os.Stat(name); err != nil {
			return err
		}
	}
	pair, err := tls.LoadX509KeyPair(c.files[0], c.files[1])
	if err != nil {
		return err
	}
	c.pair, c.read = &pair, read
	return nil
}
