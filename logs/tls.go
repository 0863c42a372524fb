package logs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// tlsConfig reads the TLS files of the configuration at key; nil means plaintext.
// Errors are *FieldError.
func tlsConfig(key string, c TLSConfig) (*tls.Config, error) {
	if c.Insecure {
		return nil, nil
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, &FieldError{key + ".ca_file", fmt.Sprintf("cannot be read: %v", err)}
		}
		out.RootCAs = x509.NewCertPool()
		if !out.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &FieldError{key + ".ca_file", c.CAFile + " has no PEM certificate"}
		}
	}
	if c.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(c.CertFile, c.KeyFile)
		if err != nil {
			return nil, &FieldError{key + ".cert_file", fmt.Sprintf("cannot be used with key_file: %v", err)}
		}
		out.Certificates = []tls.Certificate{pair}
	}
	return out, nil
}
