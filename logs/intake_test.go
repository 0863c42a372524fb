package logs

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/logs/intake/journal"
)

// backend is a real receiving side on loopback.
type backend struct {
	server  *intake.Server
	address string
	journal string
}

func (b *backend) start(t *testing.T, apiKey string) {
	t.Helper()
	if b.address == "" {
		b.address, b.journal = "127.0.0.1:0", filepath.Join(t.TempDir(), "journal.ndjson")
	}
	server, err := intake.New(intake.Config{Listen: b.address, Journal: b.journal, APIKey: apiKey}, intake.Deps{})
	require.NoError(t, err)
	require.NoError(t, server.Start(t.Context()))
	b.server, b.address = server, server.Addr().String()
	t.Cleanup(func() { b.stop(t) })
}

func (b *backend) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	require.NoError(t, b.server.Stop(ctx))
}

// received are the lines in the journal, and the tags of the last.
func (b *backend) received(t *testing.T) (text, tags string) {
	t.Helper()
	var out strings.Builder
	for line, err := range journal.Read(b.journal) {
		require.NoError(t, err)
		out.Write(line.Message)
		out.WriteByte('\n')
		tags = line.Tags
	}
	return out.String(), tags
}

// shipping is an engine that ships one file to address.
func shipping(t *testing.T, address string, change func(*Config)) (e *Engine, log string) {
	t.Helper()
	dir := t.TempDir()
	cfg := valid()
	cfg.RunPath = filepath.Join(dir, "run")
	log = filepath.Join(dir, "app.log")
	cfg.Sources[0] = SourceConfig{Type: SourceFile, Path: log, StartAt: StartAtBeginning, Service: "app"}
	cfg.Endpoint.Address = address
	cfg.Batch.MaxWait = 50 * time.Millisecond
	if change != nil {
		change(&cfg)
	}
	require.NoError(t, cfg.Validate())
	e, err := New(cfg, Deps{Version: "1.2.3"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Stop(context.Background()) })
	return e, log
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestFromFileToJournal(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "key-1")
	e, log := shipping(t, b.address, func(c *Config) { c.APIKey = "key-1" })
	want := "plain\ncrlf\r\n\r\nnul\x00\ttabs\t\n\x1b[31mred\x1b[0m  two spaces  \nemoji 🙂\n{\"json\": 1.0}\n"
	appendTo(t, log, want)
	require.NoError(t, e.Start(t.Context()))
	require.NoError(t, e.Flush(soon(t)))
	got, tags := b.received(t)
	require.Equal(t, want, got)
	require.Equal(t, "service:app,filename:app.log", tags)

	s := e.Status()
	require.Equal(t, int64(0), s.Files[0].Lag)
	require.Equal(t, uint64(7), s.Stream.AckedLines)
	require.True(t, s.Stream.Connected)
	require.Equal(t, uint64(len(want)-7), s.Stream.RawBytes)
	require.Positive(t, s.Stream.WireBytes)
	require.NoError(t, e.Stop(soon(t)))
}

func TestRotationUnderLoadIntoTheJournal(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "")
	e, log := shipping(t, b.address, nil)
	require.NoError(t, e.Start(t.Context()))
	var want strings.Builder
	for generation := range 5 {
		for i := range 20 {
			var text strings.Builder
			for line := range 200 {
				fmt.Fprintf(&text, "generation %d: request %d of user-%d took %d.%03dms\n", generation, i*200+line, line%7, line, i)
			}
			want.WriteString(text.String())
			appendTo(t, log, text.String())
		}
		require.NoError(t, os.Rename(log, fmt.Sprintf("%s.2026100%d", log, generation)))
	}
	appendTo(t, log, "last\n")
	want.WriteString("last\n")
	require.NoError(t, e.Flush(soon(t)))
	got, _ := b.received(t)
	require.Len(t, got, want.Len())
	if got != want.String() { // half a megabyte is no message
		require.Fail(t, "the texts differ")
	}
	require.NoError(t, e.Stop(soon(t)))
}

func TestReceivingSideIsAwayAndComesBack(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "")
	b.stop(t)
	e, log := shipping(t, b.address, nil)
	appendTo(t, log, "one\n")
	require.NoError(t, e.Start(t.Context()))
	require.Eventually(t, func() bool { return e.Status().Stream.LastError != "" }, 20*time.Second, 10*time.Millisecond)
	s := e.Status().Stream
	require.False(t, s.Connected)
	require.NotEmpty(t, s.NextStep)
	b.start(t, "")
	require.NoError(t, e.Flush(soon(t)))

	// A restart of both sides in between neither loses nor repeats.
	require.NoError(t, e.Stop(soon(t)))
	b.stop(t)
	appendTo(t, log, "two\n")
	b.start(t, "")
	require.NoError(t, e.Start(t.Context()))
	require.NoError(t, e.Flush(soon(t)))
	got, _ := b.received(t)
	require.Equal(t, "one\ntwo\n", got)
	require.NoError(t, e.Stop(soon(t)))
}

func TestStopAgainstASilentReceivingSide(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	e, log := shipping(t, listener.Addr().String(), nil)
	appendTo(t, log, "one\n")
	require.NoError(t, e.Start(t.Context()))
	require.Eventually(t, func() bool { return e.Status().Stream.InflightLines == 1 }, 20*time.Second, 10*time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err = e.Stop(ctx)
	require.ErrorContains(t, err, "stream: stopped with 1 lines in 1 batches unacknowledged; they are read again at the next start")
	require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded, "it waited for the acknowledgement")
	require.Equal(t, int64(0), e.Status().Files[0].Offset)
}

// authority signs certificates for one test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	dir  string
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.file, _ = a.issue(t, "ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// issue writes a certificate and key; the first is the authority's own.
func (a *authority) issue(t *testing.T, name string, like *x509.Certificate) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	like.SerialNumber = big.NewInt(time.Now().UnixNano())
	like.NotBefore, like.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	like.DNSNames = []string{name}
	parent, signer := like, key
	if a.cert != nil {
		parent, signer = a.cert, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, like, parent, &key.PublicKey, signer)
	require.NoError(t, err)
	if a.cert == nil {
		a.key = key
		a.cert, err = x509.ParseCertificate(der)
		require.NoError(t, err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	return certFile, keyFile
}

// terminate puts TLS with client certificates in front of a plaintext address,
// as a load balancer does.
func (a *authority) terminate(t *testing.T, to string) (address string) {
	t.Helper()
	certFile, keyFile := a.issue(t, "intake.test", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
	})
	require.NoError(t, err)
	var running sync.WaitGroup
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		running.Wait()
	})
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				if err := client.(*tls.Conn).Handshake(); err != nil {
					// A close with something unread is a reset, which may overtake
					// the alert that says why.
					_, _ = io.Copy(io.Discard, client.(*tls.Conn).NetConn())
					_ = client.Close()
					return
				}
				relay(client, to)
			})
		}
	})
	return listener.Addr().String()
}

func relay(client net.Conn, to string) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	})
	_, _ = io.Copy(client, server)
	_ = client.Close()
	both.Wait()
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "key-1")
	ca := newAuthority(t)
	address := ca.terminate(t, b.address)
	certFile, keyFile := ca.issue(t, "agent", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	good := TLSConfig{CAFile: ca.file, CertFile: certFile, KeyFile: keyFile, ServerName: "intake.test"}

	e, log := shipping(t, address, func(c *Config) { c.APIKey, c.Endpoint.TLS = "key-1", good })
	appendTo(t, log, "over TLS\n")
	require.NoError(t, e.Start(t.Context()))
	require.NoError(t, e.Flush(soon(t)))
	got, _ := b.received(t)
	require.Equal(t, "over TLS\n", got)
	require.NoError(t, e.Stop(soon(t)))

	for name, c := range map[string]struct {
		change func(*TLSConfig)
		want   string
	}{
		"unknown authority": {func(c *TLSConfig) { c.CAFile = "" }, "certificate signed by unknown authority"},
		"wrong name":        {func(c *TLSConfig) { c.ServerName = "" }, "doesn't contain any IP SANs"},
		"no certificate":    {func(c *TLSConfig) { c.CertFile, c.KeyFile = "", "" }, "tls"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			c.change(&bad)
			e, log := shipping(t, address, func(c *Config) { c.APIKey, c.Endpoint.TLS = "key-1", bad })
			appendTo(t, log, "must not arrive\n")
			require.NoError(t, e.Start(t.Context()))
			require.Eventually(t, func() bool { return strings.Contains(e.Status().Stream.LastError, c.want) }, 20*time.Second, 10*time.Millisecond,
				"last error: %s", e.Status().Stream.LastError)
			require.NotContains(t, e.Status().Stream.LastError, "key-1")
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			require.Error(t, e.Stop(ctx))
		})
	}
	got, _ = b.received(t)
	require.Equal(t, "over TLS\n", got)
}
