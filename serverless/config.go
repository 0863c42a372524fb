package serverless

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/vigil-agent/vigil/serverless/identity"
)

// Config is the `serverless` section of vigil.yaml.
type Config struct {
	// Enabled switches the engine on; without it Start does nothing.
	Enabled bool
	// LifecycleAddress is the host:port the hook server binds. The platform
	// cannot reach a loopback-only listener. Port 0 lets the system choose.
	LifecycleAddress string
	// UserAppPort is the application's own hook port on loopback, 1-65535, or 0
	// for "the app has no hooks". It must differ from the lifecycle port.
	UserAppPort int
	// Forward says, hook by hook, whether the app's own handler is called.
	// It has no effect while UserAppPort is 0.
	Forward ForwardHooks
	// ForwardTimeout bounds a forwarded run, resume, suspend or terminate. It is
	// a share of HookBudget: before a flush the app gets at most half of what
	// stopping and draining leave.
	ForwardTimeout time.Duration
	// ReadyTimeout and ValidateTimeout bound the two forwarded build hooks.
	ReadyTimeout    time.Duration
	ValidateTimeout time.Duration
	// HeartbeatInterval is the cadence of the active-instances sample, within
	// MinHeartbeatInterval and MaxHeartbeatInterval.
	HeartbeatInterval time.Duration
	// HeartbeatKind is the metric type of the sample: "gauge" or "distribution".
	HeartbeatKind string
	// HookBudget is the absolute time one hook may take, answer included, within
	// MinHookBudget and MaxHookBudget.
	HookBudget time.Duration
	// SendRunSignal sends SIGUSR2 to the command as the first act of a run that is
	// not forwarded, so that it can draw anew what the snapshot froze. A program
	// that does not handle the signal is killed by it.
	SendRunSignal bool
	// IdentityAddress is the host:port on loopback where the identity of the
	// machine is served; empty serves it nowhere. Port 0 lets the system choose.
	IdentityAddress string
	// IdentityFile is the path of a file that holds the identity from run on;
	// empty writes none.
	IdentityFile string
	// Command is the application to supervise; empty means "none". A single
	// string is split at white space.
	Command []string
}

// ForwardHooks selects the hooks that are forwarded to the application.
type ForwardHooks struct {
	Ready, Validate, Run, Resume, Suspend, Terminate bool
}

// Bounds and defaults, from the lifecycle specification (sections 3.4, 4.2, 4.3
// and 9) and the AWS hook contract.
const (
	DefaultLifecycleAddress  = ":9000"
	DefaultIdentityAddress   = "127.0.0.1:8127"
	DefaultHeartbeatInterval = 5 * time.Minute
	MinHeartbeatInterval     = 10 * time.Second
	MaxHeartbeatInterval     = 15 * time.Minute
	DefaultHookBudget        = 4500 * time.Millisecond
	MinHookBudget            = 500 * time.Millisecond
	MaxHookBudget            = time.Minute
	DefaultForwardTimeout    = time.Second
	DefaultBuildHookTimeout  = 30 * time.Second
	HeartbeatGauge           = "gauge"
	HeartbeatDistribution    = "distribution"
)

const maxPort = 65535

// DefaultConfig is the configuration of an engine that is switched off.
func DefaultConfig() Config {
	return Config{
		LifecycleAddress:  DefaultLifecycleAddress,
		ForwardTimeout:    DefaultForwardTimeout,
		ReadyTimeout:      DefaultBuildHookTimeout,
		ValidateTimeout:   DefaultBuildHookTimeout,
		HeartbeatInterval: DefaultHeartbeatInterval,
		HeartbeatKind:     HeartbeatGauge,
		HookBudget:        DefaultHookBudget,
		IdentityAddress:   DefaultIdentityAddress,
	}
}

// Validate reports every relation between fields that single bounds cannot say.
// Each error begins with the key of vigil.yaml it is about.
func (c Config) Validate() error {
	var errs []error
	if c.HeartbeatKind != HeartbeatGauge && c.HeartbeatKind != HeartbeatDistribution {
		errs = append(errs, fmt.Errorf("heartbeat_kind: %q is neither %q nor %q", c.HeartbeatKind, HeartbeatGauge, HeartbeatDistribution))
	}
	port, err := lifecyclePort(c.LifecycleAddress)
	if err != nil {
		errs = append(errs, fmt.Errorf("lifecycle_address: %w", err))
	}
	if err == nil && c.UserAppPort != 0 && c.UserAppPort == port {
		errs = append(errs, fmt.Errorf("user_app_port: %d is the port of lifecycle_address; give the app another one", port))
	}
	if c.IdentityAddress != "" {
		if err := identity.CheckAddress(c.IdentityAddress); err != nil {
			errs = append(errs, fmt.Errorf("identity_address: %w", err))
		}
	}
	if c.ForwardTimeout >= c.HookBudget {
		errs = append(errs, fmt.Errorf("forward_timeout: %v leaves nothing of hook_budget %v for the flush", c.ForwardTimeout, c.HookBudget))
	}
	return errors.Join(errs...)
}

// lifecyclePort is the port of a host:port, where 0 is "any".
func lifecyclePort(address string) (int, error) {
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		return 0, fmt.Errorf("%q is not host:port: %w", address, err)
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 0 || port > maxPort {
		return 0, fmt.Errorf("%q: %q is not a port between 0 and %d", address, text, maxPort)
	}
	return port, nil
}
