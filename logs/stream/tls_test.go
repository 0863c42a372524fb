package stream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// certificate is a self-signed one for 127.0.0.1 and the pool that trusts it.
func certificate(t *testing.T, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// secured serves with TLS, in plaintext without a configuration. Its listener is in
// memory: TCP resets a connection that a server closes with something unread, and
// what the server said may be lost with it.
func secured(t *testing.T, config *tls.Config) *peer {
	t.Helper()
	p := &peer{}
	if config != nil {
		p.options = append(p.options, grpc.Creds(credentials.NewTLS(config)))
	}
	return p.listen(t)
}

// local is the endpoint that certificates are made for.
func local(config *tls.Config) []Endpoint { return []Endpoint{{Address: "127.0.0.1:443", TLS: config}} }

// TestF23TLS: what does not verify is refused with a reason, and the key does
// not leave before it did.
func TestF23TLS(t *testing.T) {
	t.Parallel()
	good, pool := certificate(t, time.Now().Add(time.Hour))
	expired, expiredPool := certificate(t, time.Now().Add(-time.Hour))
	tests := map[string]struct {
		server *tls.Certificate
		client *tls.Config
		want   string
	}{
		"trusted":          {&good, &tls.Config{RootCAs: pool}, ""},
		"unknown root":     {&good, &tls.Config{RootCAs: x509.NewCertPool()}, "certificate signed by unknown authority"},
		"wrong name":       {&good, &tls.Config{RootCAs: pool, ServerName: "other.example"}, "other.example"},
		"expired":          {&expired, &tls.Config{RootCAs: expiredPool}, "certificate has expired"},
		"plaintext server": {nil, &tls.Config{RootCAs: pool}, "first record does not look like a TLS handshake"},
		"plaintext client": {&good, nil, "error reading server preface"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var config *tls.Config
			if test.server != nil {
				config = &tls.Config{Certificates: []tls.Certificate{*test.server}, MinVersion: tls.VersionTLS12}
			}
			p := secured(t, config)
			w, d := workWith(t, Config{Endpoints: local(test.client), APIKey: "key"}, Deps{Dial: p.dial})
			put(t, w, 1, "a")
			if test.want == "" {
				flush(t, w)
				require.Equal(t, []int64{1}, d.all())
				return
			}
			require.Eventually(t, func() bool { return w.Stats().StreamErrors > 0 }, time.Minute, time.Millisecond)
			require.Contains(t, w.Stats().LastError, test.want)
			p.mu.Lock()
			defer p.mu.Unlock()
			require.Empty(t, p.heads)
		})
	}
}

// TestMutualTLS: the client shows its certificate, and TLS below 1.2 is not spoken.
func TestMutualTLS(t *testing.T) {
	t.Parallel()
	pair, pool := certificate(t, time.Now().Add(time.Hour))
	server := func(version uint16) *peer {
		return secured(t, &tls.Config{ //nolint:gosec // old versions are offered to be refused
			Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS10, MaxVersion: version,
		})
	}
	//nolint:gosec // the minimum is raised by the code under test
	mutual := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS10}
	w, d := workWith(t, Config{Endpoints: local(mutual), APIKey: "k"}, Deps{Dial: server(tls.VersionTLS12).dial})
	put(t, w, 1, "a")
	flush(t, w)
	require.Equal(t, []int64{1}, d.all())
	for name, c := range map[string]struct {
		version uint16
		client  *tls.Config
	}{
		"protocol version":  {tls.VersionTLS11, mutual},
		"handshake failure": {tls.VersionTLS12, &tls.Config{RootCAs: pool}},
	} {
		w, _ := workWith(t, Config{Endpoints: local(c.client)}, Deps{Dial: server(c.version).dial})
		require.Eventually(t, func() bool { return w.Stats().StreamErrors > 0 }, time.Minute, time.Millisecond)
		require.Contains(t, w.Stats().LastError, name)
	}
}
