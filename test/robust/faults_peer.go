package robust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/test/fakeintake"
)

// setKey changes the agent's key.
func (p *play) setKey(key string) error { return os.WriteFile(p.path("key"), []byte(key), 0o600) }

// opened says whether too many streams were opened at a receiving side.
func (p *play) opened(fake, most int) error {
	if n := len(p.fakes[fake].Streams()); n > most {
		return fmt.Errorf("%d streams were opened, more than %d", n, most)
	}
	return nil
}

// nextJournal is the configuration of one more intake.
func (p *play) nextJournal() intake.Config {
	journal := p.path(fmt.Sprintf("journal%d.ndjson", len(p.journals)))
	p.journals = append(p.journals, journal)
	return intake.Config{Journal: journal}
}

// adopt ends a receiving side with the play.
func (p *play) adopt(f *fakeintake.Intake) {
	p.fakes = append(p.fakes, f)
	p.closers = append(p.closers, func() error { return f.Stop(p.ctx) })
}

// failed takes note of the streams that failed, of which there must be some.
func (p *play) failed(tally) error {
	if p.last.StreamErrors == 0 {
		return ErrNotPlayed
	}
	p.played += int(p.last.StreamErrors)
	return nil
}

// refusedForSize takes note of the messages that were refused for their size, of
// which there must be some.
func (p *play) refusedForSize(tally) error {
	if p.last.Ends.Size == 0 {
		return ErrNotPlayed
	}
	p.played += p.last.Ends.Size
	return nil
}

// idle waits until everything written is acknowledged. The writer is held.
func (p *play) idle() error {
	return p.until("nothing is on its way", func() bool {
		s, err := p.status()
		return err == nil && s.InflightLines == 0 && p.stored() == len(p.truth.sums)
	})
}

// padded puts n random hexadecimal digits at the end of each line.
func padded(n int) func(int, []byte) []byte {
	chance, raw := mathrand.NewChaCha8([32]byte{1}), make([]byte, n/2)
	return func(_ int, line []byte) []byte {
		_, _ = chance.Read(raw) // it never fails
		return append(hex.AppendEncode(append(line, " pad="...), raw), '.')
	}
}

// refused speaks no stream at all; the lines go over HTTP.
func refused() Fault {
	return Fault{
		ID: "F16h", Name: "no stream is served: HTTP", Modes: both,
		set: func(p *play) error {
			server := httptest.NewServer(http.HandlerFunc(p.take))
			p.closers = append(p.closers, func() error { server.Close(); return nil })
			err := p.script(fakeintake.Step{At: fakeintake.Open(), Times: fakeintake.Always, Do: fakeintake.Fail(codes.Unimplemented, "what is that?")})
			p.endpoint("fallback", server.URL)
			return err
		},
		check: func(p *play, _ tally) error {
			p.truth.mu.Lock()
			defer p.truth.mu.Unlock()
			if len(p.truth.posted) != p.o.Lines {
				return fmt.Errorf("%d lines came over HTTP", len(p.truth.posted))
			}
			return nil
		},
	}
}

// take is an HTTP v2 intake.
func (p *play) take(w http.ResponseWriter, r *http.Request) {
	var items []struct{ Message string }
	body, err := zstd.NewReader(r.Body)
	if err == nil {
		defer body.Close()
		err = json.NewDecoder(body).Decode(&items)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, item := range items {
		p.truth.post([]byte(item.Message))
	}
	w.WriteHeader(http.StatusAccepted)
}

// wrongTLS meets a server without TLS, then one whose certificate is another's,
// and then the right one. Neither of the first two sees anything.
func wrongTLS() Fault {
	return Fault{
		ID: "F23", Name: "TLS that is wrong, then right", Modes: both,
		set: func(p *play) error {
			p.key = "secret"
			ca, wrong, right, err := certificates()
			if err != nil {
				return err
			}
			if err := os.WriteFile(p.path("ca.pem"), ca, 0o600); err != nil {
				return err
			}
			plain, err := p.fake(fakeintake.Options{})
			if err != nil {
				return err
			}
			for _, certificate := range []tls.Certificate{wrong, right} {
				if _, err := p.fake(fakeintake.Options{Server: []grpc.ServerOption{grpc.Creds(credentials.NewServerTLSFromCert(&certificate))}}); err != nil {
					return err
				}
			}
			delete(p.logs, "endpoint")
			delete(p.logs, "endpoints")
			if _, err := p.proxy(plain.Addr()); err != nil {
				return err
			}
			p.endpoint("tls", map[string]any{"ca_file": p.path("ca.pem")})
			return nil
		},
		run: func(p *play) error {
			front := p.proxies[0]
			for _, f := range p.fakes[1:] {
				seen := front.Connections()
				if err := p.until("the agent connects", func() bool { return front.Connections() > seen }); err != nil {
					return err
				}
				front.Retarget(f.Addr())
				front.Cut()
				p.played++
			}
			return nil
		},
		check: func(p *play, _ tally) error { return errors.Join(p.opened(0, 0), p.opened(1, 0)) },
	}
}

// certificates are an authority, and two servers' that it has signed: one for
// another name, one for loopback.
func certificates() (ca []byte, wrong, right tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, wrong, right, err
	}
	template := func(n int64, name string, authority bool) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(n), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
			IsCA: authority, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
	}
	root := template(1, "authority", true)
	der, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		return nil, wrong, right, err
	}
	ca = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	sign := func(c *x509.Certificate) (tls.Certificate, error) {
		der, err := x509.CreateCertificate(rand.Reader, c, root, key.Public(), key)
		return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
	}
	if wrong, err = sign(template(2, "elsewhere.example", false)); err != nil {
		return nil, wrong, right, err
	}
	here := template(3, "localhost", false)
	here.IPAddresses = append(here.IPAddresses, []byte{127, 0, 0, 1})
	right, err = sign(here)
	return ca, wrong, right, err
}
