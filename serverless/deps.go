package serverless

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
	"github.com/vigil-agent/vigil/serverless/usage"
)

// Metrics is the part of a DogStatsD client that the engine uses, with the
// signatures of datadog-go. A call may block; the engine copes.
type Metrics interface {
	heartbeat.Metrics
	heartbeat.Counter
}

// Deps are what the engine needs from its surroundings. Every field may be zero.
type Deps struct {
	// Log is the logger; nil is silent.
	Log *slog.Logger
	// Metrics takes the enhanced metrics: the events, the CPU, and a heartbeat of
	// kind distribution; datadog-go's client fits. It may add customer tags. Nil
	// emits nothing; the hooks are answered all the same.
	Metrics Metrics
	// Usage takes what feeds metering: the heartbeat gauge, the active seconds and
	// the instance gauge. It adds no customer tags, which would split or hide the
	// series. Nil means Metrics.
	Usage Metrics
	// Drainers move pending data to the Flushers before these flush.
	Drainers []lifecycle.Drainer
	// Flushers send out what they hold before a suspend or terminate is
	// answered; Metrics belongs among them if it buffers.
	Flushers []lifecycle.Flusher
	// Hygiene is prepared for the snapshot when ready is answered with 200, after
	// the engine itself has fallen silent, and told of the restore at run and
	// resume.
	Hygiene []lifecycle.Hygiene
	// CPU measures the machine; nil reads this machine's files.
	CPU usage.CPU
	// OnIdentity is called with each new instance id, for example to tag logs.
	// Calls do not overlap, and hold up the run hook for a tenth of its budget
	// at most.
	OnIdentity func(id string)
	// Getenv reads the environment; nil is os.LookupEnv.
	Getenv func(string) (string, bool)
	// Stdout and Stderr get the application's output; nil is the agent's own.
	Stdout, Stderr io.Writer
	// TeeStdout and TeeStderr get a copy of it; nil for none. What the application
	// wrote before a suspend or terminate is with them before the Flushers flush.
	// Their Write must not wait: it holds up the application.
	TeeStdout, TeeStderr io.Writer
}

func (d Deps) check() error {
	var errs []error
	for i, f := range d.Flushers {
		if f == nil {
			errs = append(errs, fmt.Errorf("serverless: flusher %d is nil", i))
		}
	}
	for i, f := range d.Drainers {
		if f == nil {
			errs = append(errs, fmt.Errorf("serverless: drainer %d is nil", i))
		}
	}
	for i, h := range d.Hygiene {
		if h == nil {
			errs = append(errs, fmt.Errorf("serverless: hygiene %d is nil", i))
		}
	}
	return errors.Join(errs...)
}

func (d Deps) withDefaults() Deps {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Usage == nil {
		d.Usage = d.Metrics
	}
	if d.CPU == nil {
		d.CPU = usage.HostSource()
	}
	if d.Getenv == nil {
		d.Getenv = os.LookupEnv
	}
	return d
}
