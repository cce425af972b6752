package send

import (
	"crypto/tls"
	"net/http"
)

// Trust lets a target trust the certificate that a client does.
func Trust(t Target, client *http.Client) {
	transport, ok := client.Transport.(*http.Transport)
	if !ok || transport.TLSClientConfig == nil {
		return
	}
	r := t.(*remote)
	r.tls = &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}
	r.transport.TLSClientConfig, r.fresh.TLSClientConfig = r.tls.Clone(), r.tls.Clone()
}
