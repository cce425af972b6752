package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newPair returns a certificate of this serial number and its key, as PEM.
func newPair(t *testing.T, serial int64) (cert, key []byte) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// replaceFile puts a file with this content in the place of another one, at once.
func replaceFile(t *testing.T, name string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(name+".new", content, 0o600))
	require.NoError(t, os.Rename(name+".new", name))
}

// serial returns the number of the certificate that a server shows.
func serial(t *testing.T, url string) int64 {
	t.Helper()
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "https://"))
	require.NoError(t, err)
	defer conn.Close()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

// A certificate that is renewed is used without a restart.
func TestCertificateIsReadAnew(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	put := func(n int64) {
		certificate, secret := newPair(t, n)
		replaceFile(t, cert, certificate)
		replaceFile(t, key, secret)
	}
	put(1)
	url, _ := served(t, "--db", "sqlite:"+filepath.Join(dir, "f.db"), "--tls-cert", cert, "--tls-key", key)
	assert.EqualValues(t, 1, serial(t, url))
	put(2)
	assert.EqualValues(t, 2, serial(t, url))
}

// What is no valid pair is told of once, and the one from before stays.
func TestCertificateThatIsBroken(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	firstCert, firstKey := newPair(t, 1)
	secondCert, secondKey := newPair(t, 2)
	replaceFile(t, cert, firstCert)
	replaceFile(t, key, firstKey)
	var log bytes.Buffer
	c, err := newCertificate(cert, key, slog.New(slog.NewTextHandler(&log, nil)))
	require.NoError(t, err)
	current := func() int64 {
		pair, err := c.current(&tls.ClientHelloInfo{})
		require.NoError(t, err)
		return pair.Leaf.SerialNumber.Int64()
	}
	assert.EqualValues(t, 1, current())
	assert.Empty(t, log.String())

	replaceFile(t, cert, secondCert) // and not its key, yet
	for range 3 {
		assert.EqualValues(t, 1, current())
	}
	assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log.String())
	require.NoError(t, os.Remove(key))
	assert.EqualValues(t, 1, current())
	assert.Equal(t, 2, strings.Count(log.String(), "level=WARN"), log.String())
	replaceFile(t, key, secondKey)
	assert.EqualValues(t, 2, current())
	assert.Equal(t, 1, strings.Count(log.String(), "was read anew"))

	// Written over in its place.
	require.NoError(t, os.WriteFile(cert, firstCert, 0o600))
	require.NoError(t, os.WriteFile(key, firstKey, 0o600))
	require.NoError(t, os.Chtimes(cert, time.Time{}, time.Now().Add(time.Second)))
	assert.EqualValues(t, 1, current())
	assert.NotContains(t, log.String(), "PRIVATE")
}
