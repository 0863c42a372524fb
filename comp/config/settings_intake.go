package config

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
			doc:     "host:port of its gRPC server, in plain text. The default is loopback: a receiver that others can reach is a decision.",
			example: "127.0.0.1:9092",
			check:   checkHostPort,
		},
		{
			key: "intake.journal", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Intake.Journal }),
			doc:     "The file that received lines are written to, one JSON object each. Empty means standard output.",
			example: "/var/log/vigil/received.ndjson",
		},
		{
			key: "intake.api_key", kind: kindString, secret: true,
			at:      of(func(c *Config) *string { return &c.Intake.APIKey }),
			doc:     "The only key that the receiving side accepts. Empty accepts every client.",
			example: `""`,
			check:   checkSecret,
		},
	},
}
