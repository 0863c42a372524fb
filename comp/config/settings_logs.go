package config

import (
	"slices"
	"time"

	"github.com/vigil-agent/vigil/logs"
)

// Bounds: wide enough for any sensible use, narrow enough that one batch fits in
// memory and in one gRPC message.
const (
	maxBatchLines = 100_000
	minBatchBytes = 1_000
	maxBatchBytes = 64_000_000
	minBatchWait  = 10 * time.Millisecond
	maxBatchWait  = 5 * time.Minute

	maxSpoolSize   = 1 << 40
	maxMemoryLimit = 4 << 30
)

var logsSection = section{
	name: "logs",
	doc: "The engine that follows log files and ships their lines over one stateful gRPC stream. " +
		"With the embedded intake on and no endpoint.address, the lines go to that intake.",
	settings: slices.Concat([]setting{
		{
			key: "logs.enabled", kind: kindBool,
			at:      of(func(c *Config) *bool { return &c.Logs.Enabled }),
			doc:     "Switches the engine on. It needs at least one source, or an application to supervise.",
			example: "true",
		},
		{
			key: "logs.sources", kind: kindObjects,
			at:      of(func(c *Config) *[]logs.SourceConfig { return &c.Logs.Sources }),
			doc:     "The files to follow. What an application under `vigil run --` prints is taken without an entry.",
			example: "- {type: file, path: /var/log/app/*.log, service: checkout, source: go}",
			list: objects(logs.SourceConfig{Type: logs.SourceFile, StartAt: logs.StartAtEnd},
				setting{
					key: "type", kind: kindEnum, values: []string{logs.SourceFile, logs.SourceApp},
					at:      of(func(s *logs.SourceConfig) *string { return &s.Type }),
					doc:     "`file`, or `app`: what the supervised application prints. Without an entry of type app, its output is taken with the service of the platform.",
					example: logs.SourceFile,
				},
				setting{
					key: "path", kind: kindString,
					at:      of(func(s *logs.SourceConfig) *string { return &s.Path }),
					doc:     "A file, or a glob pattern for several. Required for files.",
					example: "/var/log/app/*.log",
					check:   checkGlob,
				},
				setting{
					key: "start_at", kind: kindEnum, values: []string{logs.StartAtBeginning, logs.StartAtEnd},
					at:      of(func(s *logs.SourceConfig) *string { return &s.StartAt }),
					doc:     "Where a file is read from that was there when it was seen for the first time. Afterwards the agent continues where it stopped.",
					example: logs.StartAtBeginning,
				},
				setting{
					key: "service", kind: kindString,
					at:      of(func(s *logs.SourceConfig) *string { return &s.Service }),
					doc:     "The service that writes the file. Empty means the platform's `service`.",
					example: "checkout",
				},
				setting{
					key: "source", kind: kindString,
					at:      of(func(s *logs.SourceConfig) *string { return &s.Source }),
					doc:     "The technology that writes the file; it becomes the tag `ddsource:`.",
					example: "go",
				},
				setting{
					key: "tags", kind: kindStrings,
					at:      of(func(s *logs.SourceConfig) *[]string { return &s.Tags }),
					doc:     "Tags for the lines of this source, after the platform's.",
					example: "[team:checkout]",
					check:   checkTags,
				},
			),
		},
		{
			key: "logs.endpoint.address", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Logs.Endpoint.Address }),
			doc:     "host:port of the receiving side, or its URL for profile http. Required unless the embedded intake is on; for profile http it follows from site.",
			example: "intake.example.com:443",
			check:   checkLogsAddress,
		},
		{
			key: "logs.endpoint.profile", kind: kindEnum, values: logsProfiles,
			at:      of(func(c *Config) *string { return &c.Logs.Endpoint.Profile }),
			doc:     "The encoding on the wire. `auto` takes the best that both sides know: `columns`, our own, then `rows`, the public schema, then logs.endpoint.fallback. `http` is JSON over plain HTTP, for a Datadog account or what is compatible with it.",
			example: logs.ProfileRows,
		},
		{
			key: "logs.endpoint.fallback", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Logs.Endpoint.Fallback }),
			doc:     "The URL that logs go to as JSON over plain HTTP while the receiving side takes no stream; streams are tried again every hour. Empty means that there is none.",
			example: "https://http-intake.logs.datadoghq.com",
			check:   checkAPIURL,
		},
	}, tlsSettings("logs.endpoint.tls.", func(c *Config) *logs.TLSConfig { return &c.Logs.Endpoint.TLS }), []setting{
		{
			key: "logs.endpoints", kind: kindStrings,
			at:      of(func(c *Config) *[]string { return &c.Logs.Endpoints }),
			doc:     "Further receiving sides, like logs.endpoint.address and with its profile and TLS. Each takes over while those before it fail.",
			example: "[intake-2.example.com:443, intake-3.example.com:443]",
		},
		{
			key: "logs.secondary.address", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Logs.Secondary.Address }),
			doc:     "A second receiving side that gets every line as well: host:port, or a URL for profile http. It has a queue of its own in memory and slows nothing down; what it cannot take is dropped and counted. Empty means none.",
			example: "intake.example.org:443",
			check:   checkLogsAddress,
		},
		{
			key: "logs.secondary.profile", kind: kindEnum, values: logsProfiles,
			at:      of(func(c *Config) *string { return &c.Logs.Secondary.Profile }),
			doc:     "The encoding on the way to the secondary, like logs.endpoint.profile.",
			example: logs.ProfileRows,
		},
	}, tlsSettings("logs.secondary.tls.", func(c *Config) *logs.TLSConfig { return &c.Logs.Secondary.TLS }), []setting{
		{
			key: "logs.spool.enabled", kind: kindBool,
			at:      of(func(c *Config) *bool { return &c.Logs.Spool.Enabled }),
			doc:     "Keeps batches in run_path on disk until they are acknowledged: lines survive an outage after their files are gone, and a crash repeats nothing on a receiving side that keeps sessions, such as the embedded one.",
			example: "true",
		},
		{
			key: "logs.spool.max_size", kind: kindSize, min: logs.MinSpoolSize, max: maxSpoolSize,
			at:      of(func(c *Config) *int { return &c.Logs.Spool.MaxSize }),
			doc:     "The most that the spool takes on disk: at least four times logs.batch.max_bytes.",
			example: "10GB",
		},
		{
			key: "logs.spool.fsync", kind: kindEnum, values: []string{logs.FsyncBatch, logs.FsyncInterval, logs.FsyncOff},
			at:      of(func(c *Config) *string { return &c.Logs.Spool.Fsync }),
			doc:     "When batches survive a power cut; they survive the end of the agent in any case. `batch`: before their lines count as read. `interval`: within a second, which may be lost. `off`: when the kernel decides.",
			example: logs.FsyncInterval,
		},
		{
			key: "logs.spool.when_full", kind: kindEnum, values: []string{logs.WhenFullBlock, logs.WhenFullOldest},
			at:      of(func(c *Config) *string { return &c.Logs.Spool.WhenFull }),
			doc:     "What happens when the spool or its disk is full. `block`: files wait and lose nothing, and what the application prints is dropped when its buffer is full. `oldest`: the oldest batches are dropped and counted.",
			example: logs.WhenFullOldest,
		},
		{
			key: "logs.memory_limit", kind: kindSize, min: logs.MinMemoryLimit, max: maxMemoryLimit,
			at:      of(func(c *Config) *int { return &c.Logs.MemoryLimit }),
			doc:     "The budget of all that the engine holds for the lines it ships: batches, what is not acknowledged, patterns and dictionaries, queues. When it is used up files wait; only what an application prints and what waits for a secondary is dropped, and counted.",
			example: "128MiB",
		},
		{
			key: "logs.batch.max_lines", kind: kindInt, min: 1, max: maxBatchLines,
			at:      of(func(c *Config) *int { return &c.Logs.Batch.MaxLines }),
			doc:     "A batch is sent as soon as it holds this many lines.",
			example: "500",
		},
		{
			key: "logs.batch.max_bytes", kind: kindSize, min: minBatchBytes, max: maxBatchBytes,
			at:      of(func(c *Config) *int { return &c.Logs.Batch.MaxBytes }),
			doc:     "A batch is sent as soon as its messages are this large.",
			example: "1MB",
		},
		{
			key: "logs.batch.max_wait", kind: kindDuration, min: int64(minBatchWait), max: int64(maxBatchWait),
			at:      of(func(c *Config) *time.Duration { return &c.Logs.Batch.MaxWait }),
			doc:     "A batch is sent when its oldest line is this old.",
			example: "1s",
		},
	}),
}

// logsProfiles are the encodings.
var logsProfiles = []string{logs.ProfileAuto, logs.ProfileColumns, logs.ProfileRows, logs.ProfileHTTP}

// tlsSettings are the keys of one `tls` object.
func tlsSettings(prefix string, at func(*Config) *logs.TLSConfig) []setting {
	return []setting{
		{
			key: prefix + "insecure", kind: kindBool,
			at:      of(func(c *Config) *bool { return &at(c).Insecure }),
			doc:     "Sends in plain text, the API key included. For loopback, or on purpose; without it a connection is always encrypted.",
			example: "true",
		},
		{
			key: prefix + "ca_file", kind: kindString,
			at:      of(func(c *Config) *string { return &at(c).CAFile }),
			doc:     "PEM file with the certificate authorities to trust. Empty means the system's.",
			example: "/etc/vigil/ca.pem",
		},
		{
			key: prefix + "cert_file", kind: kindString,
			at:      of(func(c *Config) *string { return &at(c).CertFile }),
			doc:     "PEM file with the certificate this agent presents. It goes with key_file.",
			example: "/etc/vigil/agent.pem",
		},
		{
			key: prefix + "key_file", kind: kindString,
			at:      of(func(c *Config) *string { return &at(c).KeyFile }),
			doc:     "PEM file with the private key of cert_file.",
			example: "/etc/vigil/agent.key",
		},
		{
			key: prefix + "server_name", kind: kindString,
			at:      of(func(c *Config) *string { return &at(c).ServerName }),
			doc:     "The name that the server's certificate must carry. Empty means the host of the address.",
			example: "intake.example.com",
			check:   checkNoSpace,
		},
	}
}
