package config

import (
	"time"

	"github.com/vigil-agent/vigil/logs/intake"
)

var intakeSection = section{
	name: "intake",
	doc:  "The embedded receiving side of the logs engine: for trying the agent out, for tests, and for collecting on one's own host.",
	settings: []setting{
		{
			key: "intake.enabled", kind: kindBool,
			at:      of(func(c *Config) *bool { return &c.Intake.Enabled }),
			doc:     "Starts the receiving side inside `vigil run`.",
			example: "true",
		},
		{
			key: "intake.listen", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Intake.Listen }),
			doc:     "host:port of its gRPC server. The default is loopback: a receiver that others can reach is a decision.",
			example: "127.0.0.1:9092",
			check:   checkHostPort,
		},
		{
			key: "intake.tls.cert_file", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Intake.TLS.CertFile }),
			doc:     "PEM file with the certificate of the server, which is read again when it changes. It goes with key_file; without it the server speaks plain text.",
			example: "/etc/vigil/intake.pem",
		},
		{
			key: "intake.tls.key_file", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Intake.TLS.KeyFile }),
			doc:     "PEM file with the private key of cert_file.",
			example: "/etc/vigil/intake.key",
		},
		{
			key: "intake.tls.client_ca_file", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Intake.TLS.ClientCAFile }),
			doc:     "PEM file with the authorities that a client's certificate must come from. Empty asks for no certificate.",
			example: "/etc/vigil/clients-ca.pem",
		},
		{
			key: "intake.api_key", kind: kindString, secret: true,
			at:      of(func(c *Config) *string { return &c.Intake.APIKey }),
			doc:     "The only key that the receiving side accepts. Without it and api_key_file every client is accepted.",
			example: `""`,
			check:   checkSecret,
		},
		{
			key: "intake.api_key_file", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Intake.APIKeyFile }),
			doc:     "A file with the keys that are accepted instead, one a line, read again when it changes: to rotate a key, list the new one above the old one until every sender has it.",
			example: "/etc/vigil/intake-keys",
		},
		{
			key: "intake.journal", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Intake.Journal }),
			doc:     "The file that received lines are written to, one JSON object each. Empty means standard output.",
			example: "/var/log/vigil/received.ndjson",
		},
		{
			key: "intake.journal_fsync", kind: kindEnum, values: []string{intake.FsyncBatch, intake.FsyncInterval, intake.FsyncOff},
			at:      of(func(c *Config) *string { return &c.Intake.JournalFsync }),
			doc:     "When received lines survive a power cut; they survive the end of the process in any case. `batch`: before they are acknowledged. `interval`: within a second, which may be lost. `off`: when the kernel decides.",
			example: intake.FsyncInterval,
		},
		{
			key: "intake.journal_segment_size", kind: kindSize, min: intake.MinSegmentSize, max: intake.MaxJournalSize,
			at:      of(func(c *Config) *int { return &c.Intake.JournalSegmentSize }),
			doc:     "The size at which the file is put aside under a number, such as received.ndjson.000001.",
			example: "100MB",
		},
		{
			key: "intake.journal_max_size", kind: kindSize, min: 0, max: intake.MaxJournalSize,
			at:      of(func(c *Config) *int { return &c.Intake.JournalMaxSize }),
			doc:     "The most that all files of the journal take together: the oldest are removed. At least twice intake.journal_segment_size; 0 keeps everything.",
			example: "10GB",
		},
		{
			key: "intake.max_message_size", kind: kindSize, min: intake.MinMessageSize, max: intake.MaxMessageSize,
			at:      of(func(c *Config) *int { return &c.Intake.MaxMessageSize }),
			doc:     "The most that one message may take, compressed as it is. A sender that exceeds it is told so and sends smaller ones.",
			example: "1MiB",
		},
		{
			key: "intake.max_batch_lines", kind: kindInt, min: 1, max: intake.MaxBatchLines,
			at:      of(func(c *Config) *int { return &c.Intake.MaxBatchLines }),
			doc:     "The most lines that one batch may hold.",
			example: "10000",
		},
		{
			key: "intake.max_stream_state", kind: kindSize, min: intake.MinState, max: intake.MaxStreamState,
			at:      of(func(c *Config) *int { return &c.Intake.MaxStreamState }),
			doc:     "The memory for what one stream has learnt: templates, dictionaries, window. A stream that exceeds it ends, and its sender comes back with half the state.",
			example: "16MiB",
		},
		{
			key: "intake.max_state", kind: kindSize, min: intake.MinState, max: intake.MaxState,
			at:      of(func(c *Config) *int { return &c.Intake.MaxState }),
			doc:     "The same for all streams together.",
			example: "256MiB",
		},
		{
			key: "intake.max_streams", kind: kindInt, min: 1, max: intake.MaxStreams,
			at:      of(func(c *Config) *int { return &c.Intake.MaxStreams }),
			doc:     "The most streams that are open at a time; a sender has one, and two while it changes over.",
			example: "64",
		},
		{
			key: "intake.max_sessions", kind: kindInt, min: intake.MinSessions, max: intake.MaxSessions,
			at:      of(func(c *Config) *int { return &c.Intake.MaxSessions }),
			doc:     "How many senders are remembered, so that nothing of them is stored twice. The least recently used ones are forgotten first.",
			example: "1000",
		},
		{
			key: "intake.min_ping_interval", kind: kindDuration, min: int64(intake.MinPingInterval), max: int64(intake.MaxPingInterval),
			at:      of(func(c *Config) *time.Duration { return &c.Intake.MinPingInterval }),
			doc:     "How often a client may probe its connection; one that does so more often is disconnected.",
			example: "5s",
		},
		{
			key: "intake.drain_timeout", kind: kindDuration, min: int64(time.Millisecond), max: int64(intake.MaxDrainTimeout),
			at:      of(func(c *Config) *time.Duration { return &c.Intake.DrainTimeout }),
			doc:     "How long a stop waits until what was received is on disk and acknowledged. What is not is sent again.",
			example: "10s",
		},
	},
}
