package logs

import (
	"fmt"
	"time"

	"github.com/vigil-agent/vigil/logs/spool"
	"github.com/vigil-agent/vigil/logs/stream"
)

// Config is the `logs` section of vigil.yaml, with what the engine needs from
// the sections around it. Start from DefaultConfig; see Validate.
type Config struct {
	// Enabled switches the engine on. When it is off, the engine does nothing and
	// everything about Sources, Endpoint and RunPath may be empty.
	Enabled bool
	// RunPath is the directory that holds the offset registry, the spool and the
	// quarantine. One agent owns it.
	RunPath string
	// Sources are the files to follow. A file that several match belongs to the
	// first.
	Sources []SourceConfig
	// Endpoint is where the logs go.
	Endpoint EndpointConfig
	// Endpoints are the addresses of further receiving sides with the profile and
	// the TLS of Endpoint. Each takes over while those before it fail.
	Endpoints []string
	// Secondary gets everything as well, and slows nothing down.
	Secondary SecondaryConfig
	// Batch says when a batch is sealed.
	Batch BatchConfig
	// Spool keeps batches on disk until they are acknowledged.
	Spool SpoolConfig
	// MemoryLimit is the budget, in bytes, of everything that the engine holds
	// because of the lines it ships; MinMemoryLimit at least. See Memory.
	MemoryLimit int
	// Hostname and Tags go on every line, before the source's own tags. An empty
	// Hostname adds no tag.
	Hostname string
	Tags     []string
	// APIKey authenticates the stream; it is never printed. It is not sent over
	// plaintext to anything but loopback.
	APIKey string `json:"-"`
	// APIKeyFile holds the key instead; a new key in it is used within a second.
	APIKeyFile string
}

// SourceConfig is one entry of `logs.sources`.
type SourceConfig struct {
	// Type is the kind of source: "file", or "app" for the output of the
	// application that the agent supervises, of which there is one at most. Path
	// and StartAt are for files.
	Type string
	// Path is absolute: a file, or a pattern in which * and ? match within one
	// path element and [a-z] a character.
	Path string
	// StartAt says where the files that exist when the path is followed for the
	// first time are read from: "beginning", or "end" for what is added from then
	// on. Files that appear later are always read from their beginning. Empty
	// means "end".
	StartAt string
	// Service and Source become the tags service: and ddsource:; empty adds none.
	Service string
	Source  string
	// Tags are added to every line of this source.
	Tags []string
}

// EndpointConfig is one receiving side.
type EndpointConfig struct {
	// Address is host:port, or a URL for ProfileHTTP.
	Address string
	// Profile is the encoding; empty means ProfileAuto.
	Profile string
	// Fallback is the URL that logs go to over plain HTTP while the address takes
	// no stream; empty means that there is none.
	Fallback string
	TLS      TLSConfig
}

// SecondaryConfig is the second receiver of a dual send.
type SecondaryConfig struct {
	// Address is as in EndpointConfig; empty means that there is no secondary.
	Address string
	// Profile is as in EndpointConfig.
	Profile string
	TLS     TLSConfig
}

// SpoolConfig is the queue on disk, in the directory spool of the run path.
type SpoolConfig struct {
	// Enabled switches it on: then a line's offset is released as soon as the line
	// is in the spool, and a crash repeats nothing on a receiving side that keeps
	// sessions.
	Enabled bool
	// MaxSize bounds its files in bytes; MinSpoolSize at least, and four batches.
	MaxSize int
	// Fsync is when batches are made to survive a power cut: FsyncBatch, FsyncInterval
	// or FsyncOff. They survive the end of the process in any case.
	Fsync string
	// WhenFull is WhenFullBlock or WhenFullOldest.
	WhenFull string
}

// TLSConfig says how the connection is protected. The default is TLS 1.2 or
// later with the system's roots.
type TLSConfig struct {
	// Insecure means plaintext: for loopback, or on purpose. Without it a
	// plaintext connection is never made.
	Insecure bool
	// CAFile holds PEM certificates to trust instead of the system's.
	CAFile string
	// CertFile and KeyFile hold the PEM certificate and key that the agent shows
	// to the receiving side; both or neither.
	CertFile string
	KeyFile  string
	// ServerName is the name that the receiving side's certificate must carry,
	// when it is not the host of the address.
	ServerName string
}

// BatchConfig bounds one batch: it is sealed as soon as any bound is met.
type BatchConfig struct {
	// MaxLines is counted in log lines, state changes excluded; 1 to
	// MaxBatchLines.
	MaxLines int
	// MaxBytes is counted in message bytes; 1 to MaxBatchBytes. A longer line is a
	// batch of its own.
	MaxBytes int
	// MaxWait is the age of the oldest line; more than 0.
	MaxWait time.Duration
}

// Values of SourceConfig.Type and StartAt, EndpointConfig.Profile, and
// SpoolConfig.Fsync and WhenFull.
const (
	SourceFile = "file"
	SourceApp  = "app"

	StartAtBeginning = "beginning"
	StartAtEnd       = "end"

	// ProfileAuto takes the best that both sides know: columns, rows, then Fallback.
	ProfileAuto = "auto"
	// ProfileColumns, ProfileRows and ProfileHTTP are one encoding each.
	ProfileColumns = stream.ProfileColumns
	ProfileRows    = stream.ProfileRows
	ProfileHTTP    = stream.ProfileHTTP

	FsyncBatch    = string(spool.SyncBatch)
	FsyncInterval = string(spool.SyncInterval)
	FsyncOff      = string(spool.SyncOff)

	// WhenFullBlock lets files wait, and drops what the application prints.
	WhenFullBlock = string(spool.Block)
	// WhenFullOldest drops the oldest lines.
	WhenFullOldest = string(spool.DropOldest)
)

// Defaults of the batch bounds, from the reference behaviour (logs
// specification, section 4).
const (
	DefaultBatchMaxLines = 1000
	DefaultBatchMaxBytes = 5_000_000
	DefaultBatchMaxWait  = 5 * time.Second
)

// Defaults and bounds of the spool and of the memory.
const (
	DefaultSpoolSize   = spool.DefaultMaxBytes
	MinSpoolSize       = 1 << 20
	DefaultMemoryLimit = 64 << 20
	MinMemoryLimit     = 32 << 20
)

// MaxBatchLines and MaxBatchBytes stay below what the receiving side accepts in
// one batch (codec/rows, Limits).
const (
	MaxBatchLines = 100_000
	MaxBatchBytes = 64_000_000
)

// DefaultConfig is the configuration of an engine that is switched off.
func DefaultConfig() Config {
	return Config{
		Endpoint:    EndpointConfig{Profile: ProfileAuto},
		Secondary:   SecondaryConfig{Profile: ProfileAuto},
		Batch:       BatchConfig{MaxLines: DefaultBatchMaxLines, MaxBytes: DefaultBatchMaxBytes, MaxWait: DefaultBatchMaxWait},
		Spool:       SpoolConfig{MaxSize: DefaultSpoolSize, Fsync: FsyncBatch, WhenFull: WhenFullBlock},
		MemoryLimit: DefaultMemoryLimit,
	}
}

// Format implements fmt.Formatter: no verb prints the API key.
func (c Config) Format(f fmt.State, verb rune) {
	type shown Config // without this method
	if c.APIKey != "" {
		c.APIKey = "********"
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), shown(c)) // fmt keeps no errors
}
