package intake

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"

	"github.com/vigil-agent/vigil/logs/internal/follow"
)

// certificate is the server's, which may be replaced while it runs.
type certificate = follow.File[*tls.Certificate]

// serverTLS reads the TLS files; nil means plain text. current gives the certificate
// to show at each handshake; nil shows none, for a check of the files.
func serverTLS(c TLSConfig, current func() *tls.Certificate) (*tls.Config, error) {
	if c.CertFile == "" {
		return nil, nil
	}
	if current == nil {
		if _, err := loadPair(c); err != nil {
			return nil, err
		}
	}
	out := &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current(), nil },
	}
	if c.ClientCAFile == "" {
		return out, nil
	}
	pem, err := os.ReadFile(c.ClientCAFile)
	if err != nil {
		return nil, fmt.Errorf("tls.client_ca_file: cannot be read: %w", err)
	}
	out.ClientAuth, out.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	if !out.ClientCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("tls.client_ca_file: %s has no PEM certificate", c.ClientCAFile)
	}
	return out, nil
}

// followCertificate reads the server's certificate, and again when it changes.
func followCertificate(c TLSConfig, log *slog.Logger) (*certificate, error) {
	return follow.Open(c.CertFile, func() (*tls.Certificate, error) { return loadPair(c) }, func(err error) {
		log.Warn("the certificate stays as it was", "error", err)
	})
}

func loadPair(c TLSConfig) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("tls.cert_file: cannot be used with key_file: %w", err)
	}
	return &pair, nil
}
