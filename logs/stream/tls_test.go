package stream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
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

// listenTLS serves p on loopback, in plaintext without a certificate.
func listenTLS(t *testing.T, p *peer, certificate *tls.Certificate) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var options []grpc.ServerOption
	if certificate != nil {
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(certificate)))
	}
	server := grpc.NewServer(options...)
	statefulpb.RegisterStatefulLogsServiceServer(server, p)
	var wg sync.WaitGroup
	wg.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() { server.Stop(); wg.Wait() })
	return listener.Addr().String()
}

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
			p := &peer{}
			w, d := workWith(t, Config{Endpoints: []Endpoint{{Address: listenTLS(t, p, test.server), TLS: test.client}}, APIKey: "key"}, Deps{})
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
