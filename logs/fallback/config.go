package fallback

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Limits of the intake (logs specification, section 4).
const (
	DefaultMaxBytes   = 5_000_000
	DefaultMaxEntries = 1000
	DefaultMaxEntry   = 1_000_000
	DefaultTimeout    = 10 * time.Second
	// Path is where logs go when an endpoint's URL has no path.
	Path = "/api/v2/logs"
)

// Values of Config.Compression.
const (
	Zstd     = "zstd"
	Gzip     = "gzip"
	Identity = "identity"
)

// Config says where logs go and in what portions.
type Config struct {
	// Endpoints are tried in their order: the next one takes over when one fails.
	Endpoints []Endpoint
	// Compression is Zstd, Gzip or Identity; empty means Zstd.
	Compression string
	// UserAgent is the header's value; empty means "vigil".
	UserAgent string
	// Timeout bounds one request; 0 means DefaultTimeout.
	Timeout time.Duration
	// MaxBytes bounds a request before compression, MaxEntries its lines, and
	// MaxEntry the bytes of one message; 0 means the default.
	MaxBytes, MaxEntries, MaxEntry int
}

// Endpoint is one receiving side.
type Endpoint struct {
	// URL is http or https; without a path Path is added. It holds no password.
	URL string
	// TLS may be nil; TLS 1.2 is the least in any case.
	TLS *tls.Config
	// KeyInClear allows the API key over plaintext to a host that is not loopback.
	KeyInClear bool
	// Proxy is the URL of an HTTP proxy; empty means what the environment says.
	Proxy string
}

// Deps is what a client needs from its owner.
type Deps struct {
	// Key returns the API key for each request, so that a new one is used at once;
	// nil sends none.
	Key func() string
	// Dial replaces the network's dialer; may be nil.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

func (c Config) withDefaults() (Config, error) {
	if len(c.Endpoints) == 0 {
		return c, errors.New("http fallback: no endpoint given")
	}
	switch c.Compression {
	case "":
		c.Compression = Zstd
	case Zstd, Gzip, Identity:
	default:
		return c, fmt.Errorf("http fallback: compression %q: use %s, %s or %s", c.Compression, Zstd, Gzip, Identity)
	}
	if c.UserAgent == "" {
		c.UserAgent = "vigil"
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	for _, f := range []struct {
		v   *int
		def int
	}{{&c.MaxBytes, DefaultMaxBytes}, {&c.MaxEntries, DefaultMaxEntries}, {&c.MaxEntry, DefaultMaxEntry}} {
		if *f.v <= 0 {
			*f.v = f.def
		}
	}
	return c, nil
}

// target is an endpoint in use.
type target struct {
	url     string
	host    string
	mayKey  bool // the key is safe on the way, or sent in clear on purpose
	client  *http.Client
	retryAt time.Time // when it is tried again before those after it
}

func newTarget(e Endpoint, deps Deps) (*target, error) {
	u, err := url.Parse(e.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("http fallback: an endpoint is not a URL: use https://host or http://host:port")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("http fallback: endpoint %s://%s: leave out user, query and fragment: the key has its own setting", u.Scheme, u.Host)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = Path
	}
	secure := e.TLS.Clone()
	if secure == nil {
		secure = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	secure.MinVersion = max(secure.MinVersion, tls.VersionTLS12)
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: deps.Dial, TLSClientConfig: secure, ForceAttemptHTTP2: true,
		DisableCompression: true, MaxIdleConnsPerHost: 1, MaxConnsPerHost: 2, IdleConnTimeout: time.Minute,
	}
	if e.Proxy != "" {
		proxy, err := url.Parse(e.Proxy)
		if err != nil || proxy.Host == "" {
			return nil, errors.New("http fallback: the proxy is not a URL: use http://host:port")
		}
		transport.Proxy = http.ProxyURL(proxy)
	}
	ip := net.ParseIP(u.Hostname())
	return &target{
		url: u.String(), host: u.Host,
		mayKey: u.Scheme == "https" || e.KeyInClear || u.Hostname() == "localhost" || ip != nil && ip.IsLoopback(),
		client: &http.Client{
			Transport: transport,
			// A redirect could carry the key to somebody else.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}
