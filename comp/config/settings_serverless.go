package config

import (
	"time"

	"github.com/vigil-agent/vigil/serverless"
	"github.com/vigil-agent/vigil/serverless/identity"
)

// Bounds of the MicroVM settings that the engine does not bound itself, from
// the AWS hook contract: runtime hooks may take 1-60 s, build hooks 1-3600 s.
const (
	minForward   = time.Millisecond
	maxForward   = time.Minute
	maxBuildHook = time.Hour
)

var serverlessSection = section{
	name: "serverless",
	doc: "The engine for AWS Lambda MicroVMs: it answers the platform's lifecycle hooks, supervises the application, and says that the instance is alive. " +
		"The `DD_AWS_MICROVM_*` variables of the Datadog agent work; a bad value in one of them is a warning and leaves its setting alone.",
	settings: []setting{
		{
			key: "serverless.enabled", kind: kindBool,
			at:      of(func(c *Config) *bool { return &c.Serverless.Enabled }),
			doc:     "Switches the engine on. Inside a MicroVM, that is where " + microVMVariable + " is in the environment, it is on unless it is set to false.",
			example: "true",
		},
		{
			key: "serverless.lifecycle_address", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Serverless.LifecycleAddress }),
			doc:     "host:port of the server that answers the lifecycle hooks. The port must be the one in the image's hooks manifest, and the platform cannot reach a server that listens on loopback alone.",
			example: `":9001"`,
			check:   checkHostPort,
			aliases: microVM("LIFECYCLE_PORT", fromPort, "1 to 65535"),
		},
		{
			key: "serverless.user_app_port", kind: kindInt, max: 65535,
			at:      of(func(c *Config) *int { return &c.Serverless.UserAppPort }),
			doc:     "The port on loopback where the application answers lifecycle hooks of its own. 0 means that it has none. It must differ from the port of lifecycle_address.",
			example: "8080",
			aliases: microVM("USER_APP_PORT", portNumber, "1 to 65535"),
		},
		forward("ready", func(c *Config) *bool { return &c.Serverless.Forward.Ready }),
		forward("validate", func(c *Config) *bool { return &c.Serverless.Forward.Validate }),
		forward("run", func(c *Config) *bool { return &c.Serverless.Forward.Run }),
		forward("resume", func(c *Config) *bool { return &c.Serverless.Forward.Resume }),
		forward("suspend", func(c *Config) *bool { return &c.Serverless.Forward.Suspend }),
		forward("terminate", func(c *Config) *bool { return &c.Serverless.Forward.Terminate }),
		{
			key: "serverless.forward_timeout", kind: kindDuration, min: int64(minForward), max: int64(maxForward),
			at:      of(func(c *Config) *time.Duration { return &c.Serverless.ForwardTimeout }),
			doc:     "How long the application may take to answer a forwarded run, resume, suspend or terminate.",
			example: "2s",
			aliases: microVM("FORWARD_TIMEOUT_MS", fromMilliseconds, "a positive number of milliseconds"),
		},
		{
			key: "serverless.ready_timeout", kind: kindDuration, min: int64(minForward), max: int64(maxBuildHook),
			at:      of(func(c *Config) *time.Duration { return &c.Serverless.ReadyTimeout }),
			doc:     "How long the application may take to answer a forwarded ready, which the platform calls while it builds the image.",
			example: "1m",
			aliases: microVM("READY_TIMEOUT_MS", fromMilliseconds, "a positive number of milliseconds"),
		},
		{
			key: "serverless.validate_timeout", kind: kindDuration, min: int64(minForward), max: int64(maxBuildHook),
			at:      of(func(c *Config) *time.Duration { return &c.Serverless.ValidateTimeout }),
			doc:     "How long the application may take to answer a forwarded validate, which the platform calls while it tests the image.",
			example: "10s",
			aliases: microVM("VALIDATE_TIMEOUT_MS", fromMilliseconds, "a positive number of milliseconds"),
		},
		{
			key: "serverless.heartbeat_interval", kind: kindDuration,
			min: int64(serverless.MinHeartbeatInterval), max: int64(serverless.MaxHeartbeatInterval),
			at:      of(func(c *Config) *time.Duration { return &c.Serverless.HeartbeatInterval }),
			doc:     "How often a running instance says that it is alive. Count distinct instances over windows of at least twice this interval.",
			example: "1m",
			aliases: clamped(microVM("HEARTBEAT_INTERVAL_MS", fromMilliseconds, "a positive number of milliseconds; moved to the nearest bound when out of range")),
		},
		{
			key: "serverless.heartbeat_kind", kind: kindEnum,
			values:  []string{serverless.HeartbeatGauge, serverless.HeartbeatDistribution},
			at:      of(func(c *Config) *string { return &c.Serverless.HeartbeatKind }),
			doc:     "The metric type of the heartbeat. A gauge carries no user tags and survives a repeated emission; a distribution is what the Datadog agent sends. One organisation must use one type for the metric.",
			example: serverless.HeartbeatDistribution,
		},
		{
			key: "serverless.hook_budget", kind: kindDuration,
			min: int64(serverless.MinHookBudget), max: int64(serverless.MaxHookBudget),
			at:      of(func(c *Config) *time.Duration { return &c.Serverless.HookBudget }),
			doc:     "The time one hook may take in all, its answer included. Keep it below the timeout of the hook in the image's manifest.",
			example: "1500ms",
			aliases: microVM("HOOK_BUDGET_MS", fromMilliseconds, "a positive number of milliseconds"),
		},
		{
			key: "serverless.send_run_signal", kind: kindBool,
			at:      of(func(c *Config) *bool { return &c.Serverless.SendRunSignal }),
			doc:     "Sends SIGUSR2 to the application as the first act of a run hook that is not forwarded, so that it can draw anew what the snapshot froze. A program that does not handle the signal is killed by it.",
			example: "true",
			aliases: []alias{{name: microVMPrefix + "SEND_RUN_SIGNAL", convert: exactlyTrue, rule: "the exact text true"}},
		},
		{
			key: "serverless.identity_address", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Serverless.IdentityAddress }),
			doc:     "host:port on loopback where `GET /vigil/v1/identity` says who this machine is: instance id, image, clone generation, resume count. Empty switches it off.",
			example: `"127.0.0.1:8127"`,
			check:   checkIdentityAddress,
		},
		{
			key: "serverless.identity_file", kind: kindString,
			at:      of(func(c *Config) *string { return &c.Serverless.IdentityFile }),
			doc:     "A file with the same content, replaced in one step at run and resume. Empty writes none.",
			example: "/run/vigil/identity.json",
		},
		{
			key: "serverless.command", kind: kindStrings,
			at:      of(func(c *Config) *[]string { return &c.Serverless.Command }),
			doc:     "The application to start and supervise: the program and its arguments. What follows `vigil run --` wins over it. In an environment variable it is a command line with shell quoting, or a JSON array.",
			example: "[/app/server, --port, \"8080\"]",
			words:   commandWords,
			check:   checkCommand,
		},
	},
}

func checkIdentityAddress(data any) (message, hint string) {
	address, _ := data.(string)
	if address == "" {
		return "", ""
	}
	if err := identity.CheckAddress(address); err != nil {
		return err.Error(), ""
	}
	return "", ""
}

// forward is the switch of one forwarded hook.
func forward(hook string, field func(*Config) *bool) setting {
	return setting{
		key: "serverless.forward." + hook, kind: kindBool,
		at:      of(field),
		doc:     "Forwards the " + hook + " hook to the application and answers with its answer. It has no effect while user_app_port is 0.",
		example: "true",
		aliases: microVM("ENABLE_"+upper(hook), fromBool, "true or false"),
	}
}
