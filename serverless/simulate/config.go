package simulate

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// Defaults. The timeouts of the hooks are those of AWS's sample manifest
// (specification section 2.2).
const (
	DefaultPort         = 9000
	DefaultImageARN     = "arn:aws:lambda:eu-west-1:123456789012:microvm-image:simulated"
	DefaultImageVersion = "1"
	// DefaultSampleWindow covers the aggregation of the DogStatsD clients, 2 s,
	// and their buffers, 1 s at most.
	DefaultSampleWindow = 4 * time.Second
	// DefaultStopTimeout is that of `docker stop`.
	DefaultStopTimeout = 10 * time.Second
	// sampleGrace is how late a datagram that was sent before an answer may be
	// read on a busy machine.
	sampleGrace = 250 * time.Millisecond
)

// Config says what is simulated.
type Config struct {
	// Command is the image's entrypoint with its arguments. {port} in it, and in
	// Env, stands for the hook port.
	Command []string
	// Dir is the entrypoint's working directory; empty is the caller's.
	Dir string
	// Env is added to the caller's environment, as NAME=VALUE.
	Env []string
	// Port is the hook port; 0 finds a free one for each machine, which the
	// entrypoint learns from DD_AWS_MICROVM_LIFECYCLE_PORT or {port}.
	Port int
	// ImageARN and ImageVersion are what the platform tells the image about
	// itself.
	ImageARN, ImageVersion string
	Timeouts               Timeouts
	// SampleWindow is how long a metric may take from the call of the client to
	// the wire.
	SampleWindow time.Duration
	// StopTimeout is how long the entrypoint may take to end after SIGTERM.
	StopTimeout time.Duration
	// ExpectHeartbeat makes an image that sends no heartbeat break the rules about
	// it. Otherwise they are not judged for such an image.
	ExpectHeartbeat bool
	// AllowLoopback accepts a hook port that other hosts cannot reach.
	AllowLoopback bool
	// Stdout and Stderr get the entrypoint's output; nil discards it.
	Stdout, Stderr io.Writer
}

// DefaultConfig is the configuration without a command.
func DefaultConfig() Config {
	return Config{
		Port:         DefaultPort,
		ImageARN:     DefaultImageARN,
		ImageVersion: DefaultImageVersion,
		Timeouts:     DefaultTimeouts(),
		SampleWindow: DefaultSampleWindow,
		StopTimeout:  DefaultStopTimeout,
	}
}

// Validate reports everything that makes a simulation impossible.
func (c Config) Validate() error {
	var errs []error
	if len(c.Command) == 0 || c.Command[0] == "" {
		errs = append(errs, errors.New("no entrypoint is named"))
	}
	if c.Port < 0 || c.Port > 65535 {
		errs = append(errs, fmt.Errorf("port %d is not between 0 and 65535", c.Port))
	}
	for h, d := range c.Timeouts {
		if d <= 0 {
			errs = append(errs, fmt.Errorf("the timeout of %s must be positive, not %s", lifecycle.Hook(h), d))
		}
	}
	if c.SampleWindow <= 0 || c.SampleWindow > MaxDuration {
		errs = append(errs, fmt.Errorf("the sample window %s is not between 0 and %s", c.SampleWindow, MaxDuration))
	}
	if c.StopTimeout <= 0 {
		errs = append(errs, fmt.Errorf("the stop timeout must be positive, not %s", c.StopTimeout))
	}
	return errors.Join(errs...)
}

func (c *Config) policy() policy {
	return policy{window: c.SampleWindow, grace: sampleGrace, stop: c.StopTimeout, metered: c.ExpectHeartbeat, loopback: c.AllowLoopback}
}
