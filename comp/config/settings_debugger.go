package config

import "github.com/vigil-agent/vigil/debugger"

// maxPID is PID_MAX_LIMIT of 64-bit Linux (include/linux/threads.h).
const maxPID = 1 << 22

var debuggerSection = section{
	name: "debugger",
	doc:  "The engine that puts probes on functions and lines of running, unmodified Go processes and writes typed snapshots. It needs root or CAP_BPF with CAP_PERFMON.",
	settings: []setting{
		{
			key: "debugger.enabled", kind: kindBool,
			at:      of(func(c *Config) *bool { return &c.Debugger.Enabled }),
			doc:     "Switches the engine on.",
			example: "true",
		},
		{
			key: "debugger.probes", kind: kindJSON,
			at:  of(func(c *Config) *[]debugger.ProbeSource { return &c.Debugger.Probes }),
			doc: "Probe definitions, each the object that a JSON probe file holds. They are checked by the engine when it starts.",
			example: `- id: checkout-total
  type: LOG_PROBE
  language: go
  where: {methodName: main.total}
  captureSnapshot: true`,
		},
		{
			key: "debugger.probe_files", kind: kindStrings,
			at:      of(func(c *Config) *[]string { return &c.Debugger.ProbeFiles }),
			doc:     "JSON files, each one probe definition or an array of them.",
			example: "[/etc/vigil/probes.json]",
			check:   checkNoEmptyItem,
		},
		{
			key: "debugger.targets", kind: kindObjects,
			at:      of(func(c *Config) *[]debugger.TargetConfig { return &c.Debugger.Targets }),
			doc:     "The processes that every probe applies to. A process is a target when all fields of one entry match it. Probes need at least one entry.",
			example: "- {exe: /usr/local/bin/checkout, service: checkout}",
			list: objects(debugger.TargetConfig{},
				setting{
					key: "pid", kind: kindInt, max: maxPID,
					at:      of(func(t *debugger.TargetConfig) *int { return &t.PID }),
					doc:     "One process. 0 means any.",
					example: "4711",
				},
				setting{
					key: "exe", kind: kindString,
					at:      of(func(t *debugger.TargetConfig) *string { return &t.Exe }),
					doc:     "A glob pattern on the path of the executable.",
					example: "/usr/local/bin/*",
					check:   checkGlob,
				},
				setting{
					key: "service", kind: kindString,
					at:      of(func(t *debugger.TargetConfig) *string { return &t.Service }),
					doc:     "The DD_SERVICE of the process. With pid or exe it only names the service of the snapshots.",
					example: "checkout",
				},
			),
		},
		{
			key: "debugger.redaction.identifiers", kind: kindStrings,
			at:      of(func(c *Config) *[]string { return &c.Debugger.Redaction.Identifiers }),
			doc:     "Names of variables, fields and map keys whose values are never shown, besides some 100 built-in ones such as password and token. Case and the characters _ - $ @ do not matter.",
			example: "[passport, license_key]",
			check:   checkNoEmptyItem,
		},
		{
			key: "debugger.redaction.except", kind: kindStrings,
			at:      of(func(c *Config) *[]string { return &c.Debugger.Redaction.Except }),
			doc:     "Built-in names that are shown all the same.",
			example: "[session, nonce]",
			check:   checkNoEmptyItem,
		},
		{
			key: "debugger.redaction.types", kind: kindStrings,
			at:      of(func(c *Config) *[]string { return &c.Debugger.Redaction.Types }),
			doc:     "Types whose values are never shown, besides the key material of Go's crypto packages. A star at the end stands for any rest.",
			example: "[main.Card, example.org/vault.*]",
			check:   checkNoEmptyItem,
		},
		{
			key: "debugger.output.type", kind: kindEnum, values: []string{debugger.OutputStdout, debugger.OutputFile},
			at:      of(func(c *Config) *string { return &c.Debugger.Output.Type }),
			doc:     "Where snapshots go, one JSON object per line.",
			example: debugger.OutputFile,
		},
		{
			key: "debugger.output.path", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Debugger.Output.Path }),
			doc:     "The file for `type: file`. It is appended to.",
			example: "/var/log/vigil/snapshots.ndjson",
		},
	},
}
