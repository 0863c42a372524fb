package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/logs/record"
)

// Config says where the stream goes and how it is bounded. The zero value of
// every field but Address means its default.
type Config struct {
	// Address is the host:port of the receiving side.
	Address string
	// TLS protects the connection; nil means plaintext.
	TLS *tls.Config
	// APIKey goes into the header dd-api-key of each stream; it is never printed.
	APIKey string `json:"-"`
	// UserAgent names the sender, "product/version".
	UserAgent string
	// MaxInflightBytes bounds the memory of batches that are not acknowledged:
	// records, messages and payloads. Append blocks while it is reached, so the
	// bound is exceeded by at most one batch.
	MaxInflightBytes int
	// MaxDataBytes bounds the data of one message, the snapshot included.
	MaxDataBytes int
	// Lifetime is how long one stream is used, ±20 %.
	Lifetime time.Duration
	// AckTimeout is how long acknowledgements may make no progress while batches
	// wait for one.
	AckTimeout time.Duration
	// DrainTimeout is how long a rotation waits for outstanding
	// acknowledgements, and how long a stream that was half-closed may take to
	// end.
	DrainTimeout time.Duration
	// OpenTimeout bounds connecting, the TLS handshake included.
	OpenTimeout time.Duration
	// BackoffMin and BackoffMax bound the wait after a failed stream, ±20 %. It
	// doubles with each failure until acknowledgements make progress again.
	BackoffMin, BackoffMax time.Duration
	// RefusedRetry is the wait after the receiving side refused the API key or
	// does not speak the protocol, ±20 %: both need someone to act.
	RefusedRetry time.Duration
	// KeepaliveTime is how long a connection with an open stream may be silent
	// before it is probed, KeepaliveTimeout how long the answer may take.
	KeepaliveTime, KeepaliveTimeout time.Duration
}

// Defaults of Config. The data bound keeps a message under gRPC's default
// receive limit of 4 MiB (logs specification, section 1.8, Q12); lifetime, drain
// and backoff are the reference client's (section 2.2), the acknowledgement
// timeout and the jitter section 6 (D10, D12). A probe goes out as often as the
// reference client's, but is given twice the 5 s: gRPC makes the same number the
// kernel's bound on unacknowledged bytes (TCP_USER_TIMEOUT), and a shorter one
// would end streams in each brief outage.
const (
	DefaultMaxInflightBytes = 16 << 20
	DefaultMaxDataBytes     = 7 << 19
	DefaultLifetime         = 15 * time.Minute
	DefaultAckTimeout       = 30 * time.Second
	DefaultDrainTimeout     = 5 * time.Second
	DefaultOpenTimeout      = 10 * time.Second
	DefaultBackoffMin       = time.Second
	DefaultBackoffMax       = 2 * time.Minute
	DefaultRefusedRetry     = time.Minute
	DefaultKeepaliveTime    = 30 * time.Second
	DefaultKeepaliveTimeout = 10 * time.Second
	DefaultUserAgent        = "vigil"
)

// Deps is what a Worker needs from its surroundings.
type Deps struct {
	// Log takes changes of state, never single lines; nil discards.
	Log *slog.Logger
	// OnDurable is told what became durable, batch by batch in the order of
	// Append: the last origin of each source in the batch. It is called from one
	// goroutine and may block; the worker goes on meanwhile, and what becomes
	// durable then may be reported in one call.
	OnDurable func(origins []record.Origin)
	// Codec encodes the batches; nil means rows.
	Codec Codec
	// Dial replaces gRPC's dialer, which honours proxies; nil keeps it.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Format implements fmt.Formatter: no verb prints the API key.
func (c Config) Format(f fmt.State, verb rune) {
	type shown Config // without this method
	if c.APIKey != "" {
		c.APIKey = "********"
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), shown(c)) // fmt keeps no errors
}

func (c Config) withDefaults() Config {
	def(&c.UserAgent, DefaultUserAgent)
	def(&c.MaxInflightBytes, DefaultMaxInflightBytes)
	def(&c.MaxDataBytes, DefaultMaxDataBytes)
	def(&c.Lifetime, DefaultLifetime)
	def(&c.AckTimeout, DefaultAckTimeout)
	def(&c.DrainTimeout, DefaultDrainTimeout)
	def(&c.OpenTimeout, DefaultOpenTimeout)
	def(&c.BackoffMin, DefaultBackoffMin)
	def(&c.BackoffMax, DefaultBackoffMax)
	def(&c.RefusedRetry, DefaultRefusedRetry)
	def(&c.KeepaliveTime, DefaultKeepaliveTime)
	def(&c.KeepaliveTimeout, DefaultKeepaliveTimeout)
	return c
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// validate expects the defaults to be filled in.
func (c Config) validate() error {
	if c.Address == "" {
		return errors.New("stream: no address: set the host:port of the receiving side")
	}
	for _, h := range []struct{ name, value string }{{"API key", c.APIKey}, {"user agent", c.UserAgent}} {
		if strings.IndexFunc(h.value, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
			return fmt.Errorf("stream: the %s has a character that no header can carry: use printable ASCII only", h.name)
		}
	}
	if c.MaxInflightBytes < 0 || c.MaxDataBytes < 0 {
		return fmt.Errorf("stream: negative bound (inflight %d, data %d bytes): use 0 for the default", c.MaxInflightBytes, c.MaxDataBytes)
	}
	for _, d := range []time.Duration{c.Lifetime, c.AckTimeout, c.DrainTimeout, c.OpenTimeout, c.BackoffMin, c.BackoffMax, c.RefusedRetry, c.KeepaliveTime, c.KeepaliveTimeout} {
		if d < 0 {
			return fmt.Errorf("stream: negative duration %v: use 0 for the default", d)
		}
	}
	if c.BackoffMin > c.BackoffMax {
		return fmt.Errorf("stream: the shortest backoff %v exceeds the longest %v: swap them", c.BackoffMin, c.BackoffMax)
	}
	return nil
}
