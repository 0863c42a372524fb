package serverless

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDefaultConfigIsValidAndUsable(t *testing.T) {
	t.Parallel()
	require.NoError(t, DefaultConfig().Validate())
	got, notes := DefaultConfig().normalised()
	require.Equal(t, DefaultConfig(), got)
	require.Empty(t, notes)
}

func TestValidateReportsEveryRelation(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*Config)
		want   string
	}{
		"same port": {
			func(c *Config) { c.UserAppPort = 9000 },
			"user_app_port: 9000 is the port of lifecycle_address; give the app another one",
		},
		"no port": {
			func(c *Config) { c.LifecycleAddress = "localhost" },
			`lifecycle_address: "localhost" is not host:port: address localhost: missing port in address`,
		},
		"no number": {
			func(c *Config) { c.LifecycleAddress = ":abc" },
			`lifecycle_address: ":abc": "abc" is not a port between 0 and 65535`,
		},
		"too large": {
			func(c *Config) { c.LifecycleAddress = ":65536" },
			`lifecycle_address: ":65536": "65536" is not a port between 0 and 65535`,
		},
		"all at once": {
			func(c *Config) { c.HeartbeatKind, c.ForwardTimeout = "count", 5*time.Second },
			"heartbeat_kind: \"count\" is neither \"gauge\" nor \"distribution\"\n" +
				"forward_timeout: 5s leaves nothing of hook_budget 4.5s for the flush",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := DefaultConfig()
			tt.change(&cfg)
			require.EqualError(t, cfg.Validate(), tt.want)
		})
	}
}

func TestCase37EachBadSettingFallsBackAlone(t *testing.T) {
	t.Parallel()
	custom := func() Config {
		c := DefaultConfig()
		c.LifecycleAddress = "127.0.0.1:9123"
		c.UserAppPort = 8080
		c.ForwardTimeout = 700 * time.Millisecond
		return c
	}
	tests := map[string]struct {
		change func(*Config) // makes it bad
		expect func(*Config) // what differs from custom afterwards
		note   string
	}{
		"address": {
			func(c *Config) { c.LifecycleAddress = ":abc" }, func(c *Config) { c.LifecycleAddress = ":9000" },
			`lifecycle_address: ":abc": "abc" is not a port between 0 and 65535; using :9000`,
		},
		"app port is the lifecycle port": {
			func(c *Config) { c.UserAppPort = 9123 }, func(c *Config) { c.UserAppPort = 0 },
			"user_app_port: 9123 is the lifecycle port; hooks are not forwarded",
		},
		"app port out of range": {
			func(c *Config) { c.UserAppPort = 65536 }, func(c *Config) { c.UserAppPort = 0 },
			"user_app_port: 65536 is not between 1 and 65535; hooks are not forwarded",
		},
		"forward timeout": {
			func(c *Config) { c.ForwardTimeout = -1 }, func(c *Config) { c.ForwardTimeout = time.Second },
			"forward_timeout: -1ns is not positive; using 1s",
		},
		"ready timeout": {
			func(c *Config) { c.ReadyTimeout = 0 }, func(*Config) {},
			"ready_timeout: 0s is not positive; using 30s",
		},
		"validate timeout": {
			func(c *Config) { c.ValidateTimeout = 0 }, func(*Config) {},
			"validate_timeout: 0s is not positive; using 30s",
		},
		"heartbeat too fast": {
			func(c *Config) { c.HeartbeatInterval = time.Second }, func(c *Config) { c.HeartbeatInterval = 10 * time.Second },
			"heartbeat_interval: 1s is not between 10s and 15m0s; using 10s",
		},
		"heartbeat too slow": {
			func(c *Config) { c.HeartbeatInterval = time.Hour }, func(c *Config) { c.HeartbeatInterval = 15 * time.Minute },
			"heartbeat_interval: 1h0m0s is not between 10s and 15m0s; using 15m0s",
		},
		"heartbeat not positive": {
			func(c *Config) { c.HeartbeatInterval = -1 }, func(*Config) {},
			"heartbeat_interval: -1ns is not positive; using 5m0s",
		},
		"budget": {
			func(c *Config) { c.HookBudget = time.Millisecond }, func(c *Config) { c.HookBudget = 500 * time.Millisecond },
			"hook_budget: 1ms is not between 500ms and 1m0s; using 500ms",
		},
		"kind": {
			func(c *Config) { c.HeartbeatKind = "" }, func(*Config) {},
			`heartbeat_kind: "" is not known; using gauge`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, want := custom(), custom()
			tt.change(&cfg)
			tt.expect(&want)
			got, notes := cfg.normalised()
			require.Equal(t, want, got)
			require.Equal(t, []string{tt.note}, notes)
		})
	}
}
