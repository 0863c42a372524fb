package intake

import (
	"cmp"
	"fmt"
	"time"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/intake/journal"
)

// Config is the `intake` section of vigil.yaml. The zero value of a number or a
// duration means its default.
type Config struct {
	// Enabled starts the receiving side inside `vigil run`.
	Enabled bool
	// Listen is the host:port of the gRPC server.
	Listen string
	// TLS protects it; without a certificate it speaks plain text.
	TLS TLSConfig
	// APIKey, when set, is the only key accepted; without it and APIKeyFile any
	// client is. It is never printed.
	APIKey string `json:"-"`
	// APIKeyFile holds the keys that are accepted instead, one a line. It is read
	// again when it changes: a key is rotated by listing the new one beside the old.
	APIKeyFile string
	// Journal is the NDJSON file; empty means standard output.
	Journal string
	// JournalFsync says when lines survive a power cut: FsyncBatch, FsyncInterval or
	// FsyncOff.
	JournalFsync string
	// JournalSegmentSize is the size, in bytes, at which the file is put aside under
	// a number.
	JournalSegmentSize int
	// JournalMaxSize bounds all files of the journal together, in bytes: the oldest
	// are removed. It takes two segments at least; 0 keeps all.
	JournalMaxSize int
	// MaxMessageSize is what one message may take, in bytes.
	MaxMessageSize int
	// MaxBatchLines is how many lines one batch may hold.
	MaxBatchLines int
	// MaxStreamState and MaxState bound what one stream and all together may have
	// learnt, in bytes.
	MaxStreamState, MaxState int
	// MaxStreams is how many streams may be open at a time.
	MaxStreams int
	// MaxSessions is how many senders are remembered; the least recently used ones
	// without a stream are forgotten.
	MaxSessions int
	// MinPingInterval is how often a client may probe its connection.
	MinPingInterval time.Duration
	// DrainTimeout is how long Stop waits for what was received to be durable and
	// acknowledged before it cuts connections.
	DrainTimeout time.Duration
}

// TLSConfig says how the server is protected.
type TLSConfig struct {
	// CertFile and KeyFile hold the PEM certificate and key that the server shows;
	// both or neither. They are read again when the certificate changes.
	CertFile, KeyFile string
	// ClientCAFile holds the PEM certificates of the authorities that a client's
	// certificate must come from; empty asks for none.
	ClientCAFile string
}

// Values of Config.JournalFsync.
const (
	FsyncBatch    = string(journal.SyncBatch)
	FsyncInterval = string(journal.SyncInterval)
	FsyncOff      = string(journal.SyncOff)
)

// Defaults of Config. Senders rely on gRPC's default for a message. A state of all
// streams is that of thirty large ones. Clients may probe every 10 s or more; gRPC's
// default of 5 min would end their connections (logs specification, section 6, D11).
const (
	// DefaultListen is loopback: a receiver that others may reach is a decision.
	DefaultListen          = "127.0.0.1:9092"
	DefaultSegmentSize     = journal.DefaultSegmentBytes
	DefaultMaxMessageSize  = 4 << 20
	DefaultMaxBatchLines   = 1 << 17
	DefaultMaxStreamState  = 32 << 20
	DefaultMaxState        = 1 << 30
	DefaultMaxStreams      = 1024
	DefaultMaxSessions     = journal.DefaultMaxSessions
	DefaultMinPingInterval = 10 * time.Second
	DefaultDrainTimeout    = 5 * time.Second
)

// DefaultConfig is the configuration of a receiving side that is switched off.
func DefaultConfig() Config { return Config{Listen: DefaultListen}.withDefaults() }

func (c Config) withDefaults() Config {
	c.JournalFsync = cmp.Or(c.JournalFsync, FsyncBatch)
	c.JournalSegmentSize = cmp.Or(c.JournalSegmentSize, DefaultSegmentSize)
	c.MaxMessageSize = cmp.Or(c.MaxMessageSize, DefaultMaxMessageSize)
	c.MaxBatchLines = cmp.Or(c.MaxBatchLines, DefaultMaxBatchLines)
	c.MaxStreamState = cmp.Or(c.MaxStreamState, DefaultMaxStreamState)
	c.MaxState = cmp.Or(c.MaxState, DefaultMaxState)
	c.MaxStreams = cmp.Or(c.MaxStreams, DefaultMaxStreams)
	c.MaxSessions = cmp.Or(c.MaxSessions, DefaultMaxSessions)
	c.MinPingInterval = cmp.Or(c.MinPingInterval, DefaultMinPingInterval)
	c.DrainTimeout = cmp.Or(c.DrainTimeout, DefaultDrainTimeout)
	return c
}

func (c Config) journalOptions() journal.Options {
	return journal.Options{
		Sync: journal.Sync(c.JournalFsync), SegmentBytes: int64(c.JournalSegmentSize), MaxBytes: int64(c.JournalMaxSize),
		MaxSessions: c.MaxSessions,
	}
}

func (c Config) rowsLimits() rows.Limits {
	return rows.Limits{MaxStateBytes: c.MaxStreamState, MaxLines: c.MaxBatchLines}
}

func (c Config) columnsLimits() columns.Limits {
	return columns.Limits{MaxDataBytes: c.MaxMessageSize, MaxStateBytes: c.MaxStreamState, MaxLines: c.MaxBatchLines}
}

// Format implements fmt.Formatter: no verb prints the API key.
func (c Config) Format(f fmt.State, verb rune) {
	type shown Config // without this method
	if c.APIKey != "" {
		c.APIKey = "********"
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), shown(c)) // fmt keeps no errors
}
