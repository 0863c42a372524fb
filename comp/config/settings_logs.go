package config

import (
	"time"

	"github.com/vigil-agent/vigil/logs"
)

// Bounds of a batch: wide enough for any sensible use, narrow enough that one
// batch fits in memory and in one gRPC message.
const (
	maxBatchLines = 100_000
	minBatchBytes = 1_000
	maxBatchBytes = 64_000_000
	minBatchWait  = 10 * time.Millisecond
	maxBatchWait  = 5 * time.Minute
)

var logsSection = section{
	name: "logs",
	doc: "The engine that follows log files and ships their lines over one stateful gRPC stream. " +
		"With the embedded intake on and no endpoint.address, the lines go to that intake.",
	settings: []setting{
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
			doc:     "host:port of the receiving side. Required unless the embedded intake is on.",
			example: "intake.example.com:443",
			check:   checkOptionalDialHostPort,
		},
		{
			key: "logs.endpoint.profile", kind: kindEnum, values: []string{logs.ProfileAuto, logs.ProfileRows},
			at:      of(func(c *Config) *string { return &c.Logs.Endpoint.Profile }),
			doc:     "The encoding on the wire. `auto` takes the best that both sides know, `rows` is the public schema.",
			example: logs.ProfileRows,
		},
		{
			key: "logs.endpoint.tls.insecure", kind: kindBool,
			at:      of(func(c *Config) *bool { return &c.Logs.Endpoint.TLS.Insecure }),
			doc:     "Sends in plain text, the API key included. For loopback, or on purpose; without it a connection is always encrypted.",
			example: "true",
		},
		{
			key: "logs.endpoint.tls.ca_file", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Logs.Endpoint.TLS.CAFile }),
			doc:     "PEM file with the certificate authorities to trust. Empty means the system's.",
			example: "/etc/vigil/ca.pem",
		},
		{
			key: "logs.endpoint.tls.cert_file", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Logs.Endpoint.TLS.CertFile }),
			doc:     "PEM file with the certificate this agent presents. It goes with key_file.",
			example: "/etc/vigil/agent.pem",
		},
		{
			key: "logs.endpoint.tls.key_file", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Logs.Endpoint.TLS.KeyFile }),
			doc:     "PEM file with the private key of cert_file.",
			example: "/etc/vigil/agent.key",
		},
		{
			key: "logs.endpoint.tls.server_name", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Logs.Endpoint.TLS.ServerName }),
			doc:     "The name that the server's certificate must carry. Empty means the host of the address.",
			example: "intake.example.com",
			check:   checkNoSpace,
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
	},
}
