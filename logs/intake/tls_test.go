package intake

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
)

// writePair writes a self-signed certificate for 127.0.0.1, which is its own
// authority, and its key.
func writePair(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	text, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	cert, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}), 0o600))
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return cert, key
}

// secureStream opens a stream over TLS that trusts ca and shows a certificate, if
// there is one, and returns why it ends, nil when a batch was acknowledged.
func secureStream(t *testing.T, s *Server, ca, cert, key string) error {
	t.Helper()
	text, err := os.ReadFile(ca)
	require.NoError(t, err)
	cfg := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	require.True(t, cfg.RootCAs.AppendCertsFromPEM(text))
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		require.NoError(t, err)
		cfg.Certificates = []tls.Certificate{pair}
	}
	conn, err := grpc.NewClient(s.Addr().String(), grpc.WithTransportCredentials(credentials.NewTLS(cfg)))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	c, err := statefulpb.NewStatefulLogsServiceClient(conn).LogsStream(t.Context())
	if err != nil {
		return err
	}
	if err := c.Send(&statefulpb.StatefulBatch{BatchId: 1, Data: datums(t, rawLog("secure"))}); err != nil {
		t.Log(err) // the next read says why
	}
	_, err = c.Recv()
	return err
}

func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := writePair(t, dir, "server")
	s, path := serve(t, Config{TLS: TLSConfig{CertFile: cert, KeyFile: key}}, Deps{})
	require.NoError(t, secureStream(t, s, cert, "", ""))
	require.Equal(t, []string{"secure"}, messages(t, path))
	// The certificate is replaced, without a restart.
	old, err := os.ReadFile(cert)
	require.NoError(t, err)
	before := filepath.Join(dir, "before.pem")
	require.NoError(t, os.WriteFile(before, old, 0o600))
	writePair(t, dir, "server")
	require.Eventually(t, func() bool { return secureStream(t, s, cert, "", "") == nil }, waitFor, 50*time.Millisecond)
	require.ErrorContains(t, secureStream(t, s, before, "", ""), "certificate signed by unknown authority")
}

func TestTLSOfClients(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := writePair(t, dir, "server")
	known, knownKey := writePair(t, dir, "known")
	other, otherKey := writePair(t, dir, "other")
	s, path := serve(t, Config{TLS: TLSConfig{cert, key, known}}, Deps{})
	require.NoError(t, secureStream(t, s, cert, known, knownKey))
	for _, c := range [][2]string{{}, {other, otherKey}} {
		err := secureStream(t, s, cert, c[0], c[1])
		require.Equal(t, codes.Unavailable, status.Code(err), "%v", err)
	}
	require.Equal(t, []string{"secure"}, messages(t, path))
	require.EqualValues(t, 1, s.Stats().Streams, "the others never came as far as a stream")
}

// TestStartNamesTheFile that it cannot use.
func TestStartNamesTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := writePair(t, dir, "server")
	for want, c := range map[string]Config{
		"intake: tls.cert_file: cannot be used with key_file: open /no: no such file or directory": {TLS: TLSConfig{CertFile: "/no", KeyFile: key}},
		"intake: tls.client_ca_file: cannot be read: open /no: no such file or directory":          {TLS: TLSConfig{cert, key, "/no"}},
		"intake: api_key_file: /no cannot be read: open /no: no such file or directory":            {APIKeyFile: "/no"},
	} {
		c.Listen = "127.0.0.1:0"
		s, err := New(c, Deps{})
		require.NoError(t, err)
		require.EqualError(t, s.Start(t.Context()), want)
		require.NoError(t, s.Stop(t.Context()))
	}
}
