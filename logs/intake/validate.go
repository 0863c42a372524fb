package intake

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/vigil-agent/vigil/logs/internal/secret"
)

// Bounds of the settings: the least that a sender of ours gets on with, and what one
// machine may reasonably be asked for. A sender probes after 30 s of silence.
const (
	MinMessageSize  = 64 << 10
	MaxMessageSize  = 64 << 20
	MaxBatchLines   = 1 << 20
	MinState        = 1 << 20
	MaxStreamState  = 1 << 30
	MaxState        = 1 << 40
	MaxStreams      = 1 << 16
	MinSessions     = 16
	MaxSessions     = 1 << 20
	MinSegmentSize  = 1 << 20
	MaxJournalSize  = 1 << 50
	MinPingInterval = time.Second
	MaxPingInterval = 20 * time.Second
	MaxDrainTimeout = 10 * time.Minute
)

// Validate checks the whole configuration, and the files that it names when the
// receiving side is on. It returns all that is wrong, joined; each part begins with
// the key inside the section: "tls.cert_file: cannot be read".
func (c Config) Validate() error {
	c = c.withDefaults()
	errs := c.check()
	if c.Enabled && len(errs) == 0 {
		if c.APIKeyFile != "" {
			if _, err := secret.Keys(c.APIKeyFile); err != nil {
				errs = append(errs, fmt.Errorf("api_key_file: %s %w", c.APIKeyFile, err))
			}
		}
		if _, err := serverTLS(c.TLS, nil); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// check is Validate without I/O.
func (c Config) check() (errs []error) {
	fail := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf(key+": "+format, args...))
	}
	within := func(key string, value, least, most int) {
		if value < least || value > most {
			fail(key, "must be from %d to %d, not %d", least, most, value)
		}
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		fail("listen", "%q is not host:port", c.Listen)
	}
	if c.APIKey != "" && c.APIKeyFile != "" {
		fail("api_key_file", "is set as well as api_key: keep one of them")
	}
	if t := c.TLS; (t.CertFile == "") != (t.KeyFile == "") {
		missing, set := "tls.cert_file", "key_file"
		if t.KeyFile == "" {
			missing, set = "tls.key_file", "cert_file"
		}
		fail(missing, "must be set together with %s", set)
	} else if t.ClientCAFile != "" && t.CertFile == "" {
		fail("tls.client_ca_file", "has no meaning without cert_file: in plain text no client shows a certificate")
	}
	if !slices.Contains([]string{FsyncBatch, FsyncInterval, FsyncOff}, c.JournalFsync) {
		fail("journal_fsync", "must be batch, interval or off, not %q", c.JournalFsync)
	}
	within("journal_segment_size", c.JournalSegmentSize, MinSegmentSize, MaxJournalSize)
	if c.JournalMaxSize != 0 && c.JournalMaxSize/2 < c.JournalSegmentSize {
		fail("journal_max_size", "must be at least twice journal_segment_size (%d bytes), or 0 to keep everything, not %d", c.JournalSegmentSize, c.JournalMaxSize)
	}
	within("max_message_size", c.MaxMessageSize, MinMessageSize, MaxMessageSize)
	within("max_batch_lines", c.MaxBatchLines, 1, MaxBatchLines)
	within("max_stream_state", c.MaxStreamState, MinState, MaxStreamState)
	within("max_state", c.MaxState, MinState, MaxState)
	if c.MaxState < c.MaxStreamState {
		fail("max_state", "must be at least max_stream_state (%d bytes), not %d: it is for all streams together", c.MaxStreamState, c.MaxState)
	}
	within("max_streams", c.MaxStreams, 1, MaxStreams)
	within("max_sessions", c.MaxSessions, MinSessions, MaxSessions)
	if c.MinPingInterval < MinPingInterval || c.MinPingInterval > MaxPingInterval {
		fail("min_ping_interval", "must be from %v to %v, not %v", MinPingInterval, MaxPingInterval, c.MinPingInterval)
	}
	if c.DrainTimeout < 0 || c.DrainTimeout > MaxDrainTimeout {
		fail("drain_timeout", "must be from 1ms to %v, not %v", MaxDrainTimeout, c.DrainTimeout)
	}
	return errs
}
