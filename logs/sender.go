package logs

import (
	"crypto/tls"
	"net"
	"net/url"

	"github.com/vigil-agent/vigil/logs/fallback"
	"github.com/vigil-agent/vigil/logs/stream"
)

// sender is what the two ways out of a dual send are made of.
type sender struct {
	config stream.Config
	deps   stream.Deps
	http   *fallback.Client // nil without one
}

// target is where one of them goes.
type target struct {
	addresses []string
	profile   string
	fallback  string
	secure    *tls.Config // nil: plaintext
	inflight  int
	codec     int
}

// newSender makes the parts of a worker for t; key may change at any time.
func (e *Engine) newSender(t target, key func() string) (*sender, error) {
	s := &sender{
		config: stream.Config{APIKey: key(), UserAgent: userAgent(e.deps.Version), MaxInflightBytes: inflightBytes(t.inflight)},
		deps:   stream.Deps{Log: e.log, Codecs: codecs(t.profile, t.codec)},
	}
	if e.cfg.APIKeyFile != "" {
		s.deps.APIKey = key
	}
	var urls []string
	for _, address := range t.addresses {
		if t.profile == ProfileHTTP {
			urls = append(urls, address)
			continue
		}
		s.config.Endpoints = append(s.config.Endpoints, stream.Endpoint{Address: address, TLS: t.secure})
	}
	if t.fallback != "" {
		urls = append(urls, t.fallback)
	}
	if len(urls) == 0 {
		return s, nil
	}
	c := fallback.Config{UserAgent: s.config.UserAgent}
	for _, u := range urls {
		c.Endpoints = append(c.Endpoints, fallback.Endpoint{URL: u, TLS: t.secure})
	}
	var err error
	if s.http, err = fallback.New(c, fallback.Deps{Key: key}); err != nil {
		return nil, err
	}
	s.deps.Fallback = s.http
	if t.profile == ProfileHTTP {
		// The client chooses among its endpoints; the worker knows them as one, and
		// the client alone sends the key.
		s.config.APIKey = ""
		s.config.Endpoints = []stream.Endpoint{{Address: hostPort(urls[0]), TLS: t.secure}}
	}
	return s, nil
}

// close ends idle connections.
func (s *sender) close() {
	if s != nil && s.http != nil {
		s.http.Close()
	}
}

// hostPort is the place that a URL leads to.
func hostPort(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text // was checked
	}
	port := u.Port()
	if port == "" {
		port = u.Scheme // a name of the port, too
	}
	return net.JoinHostPort(u.Hostname(), port)
}
