package serverless

import (
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/vigil-agent/vigil/serverless/identity"
)

// normalised replaces each setting that cannot be used by its default, alone: a
// bad timeout must not move the listener off its port, and a machine whose hook
// server does not start is worse than one with a default. It says what it did.
func (c Config) normalised() (Config, []string) {
	def := DefaultConfig()
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }

	port, err := lifecyclePort(c.LifecycleAddress)
	if err != nil {
		note("lifecycle_address: %v; using %s", err, def.LifecycleAddress)
		c.LifecycleAddress = def.LifecycleAddress
		port, _ = lifecyclePort(c.LifecycleAddress)
	}
	switch {
	case c.UserAppPort < 0 || c.UserAppPort > maxPort:
		note("user_app_port: %d is not between 1 and %d; hooks are not forwarded", c.UserAppPort, maxPort)
		c.UserAppPort = 0
	case c.UserAppPort != 0 && c.UserAppPort == port:
		note("user_app_port: %d is the lifecycle port; hooks are not forwarded", c.UserAppPort)
		c.UserAppPort = 0
	}
	c.IdentityAddress = c.usableIdentityAddress(port, note)
	positive := func(key string, d *time.Duration, fallback time.Duration) {
		if *d <= 0 {
			note("%s: %v is not positive; using %v", key, *d, fallback)
			*d = fallback
		}
	}
	positive("forward_timeout", &c.ForwardTimeout, def.ForwardTimeout)
	positive("ready_timeout", &c.ReadyTimeout, def.ReadyTimeout)
	positive("validate_timeout", &c.ValidateTimeout, def.ValidateTimeout)
	positive("heartbeat_interval", &c.HeartbeatInterval, def.HeartbeatInterval)
	positive("hook_budget", &c.HookBudget, def.HookBudget)
	within := func(key string, d *time.Duration, low, high time.Duration) {
		if clamped := min(max(*d, low), high); clamped != *d {
			note("%s: %v is not between %v and %v; using %v", key, *d, low, high, clamped)
			*d = clamped
		}
	}
	within("heartbeat_interval", &c.HeartbeatInterval, MinHeartbeatInterval, MaxHeartbeatInterval)
	within("hook_budget", &c.HookBudget, MinHookBudget, MaxHookBudget)
	if c.HeartbeatKind != HeartbeatGauge && c.HeartbeatKind != HeartbeatDistribution {
		note("heartbeat_kind: %q is not known; using %s", c.HeartbeatKind, def.HeartbeatKind)
		c.HeartbeatKind = def.HeartbeatKind
	}
	return c, notes
}

// usableIdentityAddress is empty where the identity cannot be served or would
// take the port that somebody else needs.
func (c Config) usableIdentityAddress(lifecycle int, note func(string, ...any)) string {
	if c.IdentityAddress == "" {
		return ""
	}
	if err := identity.CheckAddress(c.IdentityAddress); err != nil {
		note("identity_address: %v; the identity is not served", err)
		return ""
	}
	_, text, _ := net.SplitHostPort(c.IdentityAddress)
	port, _ := strconv.Atoi(text)
	if port != 0 && (port == lifecycle || port == c.UserAppPort) {
		note("identity_address: port %d is the lifecycle port or the application's; the identity is not served", port)
		return ""
	}
	return c.IdentityAddress
}
