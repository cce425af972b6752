package send

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// Certificates are files in PEM: what a target is known by, and what the client shows to it.
type Certificates struct{ CA, Cert, Key string }

// Config is how TLS is spoken with them; nil where there are none. A key may be in the file of
// its certificate.
func (c Certificates) Config() (*tls.Config, error) {
	if c == (Certificates{}) {
		return nil, nil //nolint:nilnil // none is none
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("cacert: %w", err)
		}
		if cfg.RootCAs, err = x509.SystemCertPool(); err != nil { // as on a system that has none
			cfg.RootCAs = x509.NewCertPool()
		}
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cacert: %s: it has no certificate in PEM", c.CA)
		}
	}
	if c.Cert == "" && c.Key != "" {
		return nil, errors.New("key: its certificate is missing: give cert, too")
	}
	if c.Cert != "" {
		key := c.Key
		if key == "" {
			key = c.Cert
		}
		pair, err := tls.LoadX509KeyPair(c.Cert, key)
		if err != nil {
			return nil, fmt.Errorf("cert %s, key %s: %w", c.Cert, key, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
