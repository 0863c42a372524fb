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

	"google.golang.org/grpc"

	"github.com/vigil-agent/vigil/logs/record"
)

// Config says where the stream goes and how it is bounded. The zero value of
// every field but Endpoints means its default.
type Config struct {
	// Endpoints are the receiving sides, the preferred one first. The others are
	// used while those before them fail; each rotation goes back to the first that
	// works. Delivery is exactly once as long as one endpoint is used.
	Endpoints []Endpoint
	// APIKey goes into the header dd-api-key of each stream; it is never printed.
	// It does not leave in plaintext, except to loopback or where the endpoint
	// allows it.
	APIKey string `json:"-"`
	// UserAgent names the sender, "product/version".
	UserAgent string
	// Headers are added to the request metadata; they do not replace those that
	// the protocol defines.
	Headers map[string]string
	// Shadow marks the secondary of a dual send with the header dd-shadow-only.
	Shadow bool
	// Proxy is the URL of an HTTP proxy that is asked for a tunnel with CONNECT,
	// "http://user:password@host:port"; empty means the proxy of the environment
	// (HTTPS_PROXY, NO_PROXY).
	Proxy string `json:"-"`
	// MaxInflightBytes bounds the memory of batches that are not acknowledged:
	// records and messages. Append blocks while it is reached, so the bound is
	// exceeded by at most one batch, and by half for payloads that may be replayed.
	MaxInflightBytes int
	// MaxInflightAge bounds how long the oldest of them may wait before Append
	// blocks: what a crash without a spool may deliver twice.
	MaxInflightAge time.Duration
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

	// queue is Deps.Queue; durable says that sessions are kept.
	queue   string
	durable bool
	// dialOptions come last, in tests.
	dialOptions []grpc.DialOption
}

// Endpoint is one receiving side.
type Endpoint struct {
	// Address is its host:port.
	Address string
	// TLS protects the connection, with TLS 1.2 at least; nil means plaintext.
	TLS *tls.Config
	// KeyInClear allows the API key over plaintext to a host that is not loopback.
	KeyInClear bool
}

// Defaults of Config. The data bound keeps a message under gRPC's default
// receive limit of 4 MiB (logs specification, section 1.8, Q12); lifetime, drain
// and backoff are the reference client's (section 2.2), the acknowledgement
// timeout and the jitter section 6 (D10, D12). A probe goes out as often as the
// reference client's, but is given twice the 5 s: gRPC makes the same number the
// kernel's bound on unacknowledged bytes (TCP_USER_TIMEOUT), and a shorter one
// would end streams in each brief outage.
const (
	DefaultMaxInflightBytes = 4 << 20
	DefaultMaxInflightAge   = 15 * time.Minute
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
	// OnDurable is told what became durable, in the order of Append: all batches up
	// to number seq, and the last origin of each source in what became durable
	// since the last call. It is called from one goroutine and may block; the
	// worker goes on meanwhile, and what becomes durable then may be reported in
	// one call.
	OnDurable func(seq uint64, origins []record.Origin)
	// Codecs are the profiles to use, the preferred one first: the ladder that the
	// worker steps down where a receiving side refuses. nil means rows, unless there
	// is a Fallback.
	Codecs []Codec
	// Fallback is the lowest rung; nil means that there is none.
	Fallback Fallback
	// APIKey replaces Config.APIKey by a key that may change: it is asked twice a
	// second and a new key is used at once. It must not block.
	APIKey func() string
	// Quarantine takes a record that cannot be delivered, so that those behind it
	// can; it returns once the record is on disk. It is called for one record at a
	// time, from a goroutine of its own. While it fails or takes its time, nothing
	// more is sent, but what is on its way goes on. nil drops such records, with a
	// count and a log line.
	Quarantine func(Rejected) error
	// Store keeps sessions and announcements; nil forgets them with the process.
	Store Store
	// FirstSeq is the number of the next batch of a queue that outlives the process
	// (see AppendSeq), and Queue names that queue: only its own session goes on, and
	// none with NewSession, for a queue that may have lost numbers it gave out. 0
	// means that batches are numbered by the worker, in a session of its own.
	FirstSeq   uint64
	Queue      string
	NewSession bool
	// Dial replaces gRPC's dialer, which honours proxies; nil keeps it.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Rejected is one record that cannot be delivered.
type Rejected struct {
	Record record.Record
	// Seq is the number of its batch.
	Seq    uint64
	Reason Reason
	// Err is what the receiving side or the encoder said.
	Err error
}

// sendBound is the memory up to which batches are encoded ahead of their
// acknowledgement.
func (c Config) sendBound() int { return c.MaxInflightBytes + c.MaxInflightBytes/2 }

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
	def(&c.MaxInflightAge, DefaultMaxInflightAge)
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
	if len(c.Endpoints) == 0 {
		return errors.New("stream: no endpoint: set the host:port of the receiving side")
	}
	for _, e := range c.Endpoints {
		if e.Address == "" {
			return errors.New("stream: an endpoint has no address: set the host:port of the receiving side")
		}
		if c.APIKey != "" && !e.mayCarryKey() {
			return fmt.Errorf("stream: %w", keyInClear(e.Address))
		}
	}
	texts := []struct{ name, value string }{{"API key", c.APIKey}, {"user agent", c.UserAgent}}
	for name, value := range c.Headers {
		texts = append(texts, struct{ name, value string }{"header " + name, value})
	}
	for _, h := range texts {
		if !printable(h.value) {
			return fmt.Errorf("stream: the %s has a character that no header can carry: use printable ASCII only", h.name)
		}
	}
	if _, err := parseProxy(c.Proxy); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	if c.MaxInflightBytes < 0 || c.MaxDataBytes < 0 {
		return fmt.Errorf("stream: negative bound (inflight %d, data %d bytes): use 0 for the default", c.MaxInflightBytes, c.MaxDataBytes)
	}
	for _, d := range []time.Duration{c.MaxInflightAge, c.Lifetime, c.AckTimeout, c.DrainTimeout, c.OpenTimeout, c.BackoffMin, c.BackoffMax, c.RefusedRetry, c.KeepaliveTime, c.KeepaliveTimeout} {
		if d < 0 {
			return fmt.Errorf("stream: negative duration %v: use 0 for the default", d)
		}
	}
	if c.BackoffMin > c.BackoffMax {
		return fmt.Errorf("stream: the shortest backoff %v exceeds the longest %v: swap them", c.BackoffMin, c.BackoffMax)
	}
	return nil
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
