package engine

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/health"
)

type fake struct{ startErr, stopErr error }

func (f fake) Start(context.Context) error { return f.startErr }
func (f fake) Stop(context.Context) error  { return f.stopErr }

var errNoRoot = errors.New("not root")

func TestLifecycle(t *testing.T) {
	t.Parallel()
	reason := ""
	r := New(Options{Name: "logs", Enabled: true, Engine: fake{}, Check: func() (string, string) { return reason, "look" }}, slog.New(slog.DiscardHandler))
	require.Equal(t, health.Report{Name: "logs", State: health.Starting}, r.Health())
	require.NoError(t, r.Start(t.Context()))
	require.Equal(t, health.Report{Name: "logs", State: health.OK}, r.Health())
	reason = "endpoint unreachable"
	require.Equal(t, health.Report{Name: "logs", State: health.Degraded, Reason: "endpoint unreachable", Fix: "look", Running: true}, r.Health())
	require.NoError(t, r.Stop(t.Context()))
	require.Equal(t, health.Report{Name: "logs", State: health.Stopped}, r.Health())
}

func TestOff(t *testing.T) {
	t.Parallel()
	r := New(Options{Name: "logs"}, slog.New(slog.DiscardHandler))
	require.NoError(t, r.Start(t.Context()))
	require.NoError(t, r.Stop(t.Context()))
	require.Equal(t, health.Report{Name: "logs", State: health.Off}, r.Health())
}

func TestDegradedStartIsOneLogLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	r := New(Options{
		Name: "debugger", Enabled: true, Engine: fake{startErr: errNoRoot},
		Fix: func(err error) string { require.ErrorIs(t, err, errNoRoot); return "run as root" },
	}, log)
	require.NoError(t, r.Start(t.Context()))
	require.Equal(t, health.Report{Name: "debugger", State: health.Degraded, Reason: "not root", Fix: "run as root"}, r.Health())
	require.Equal(t, `level=ERROR msg="debugger is degraded, the rest runs" component=debugger reason="not root" fix="run as root"`+"\n", out.String())
}

func TestFatal(t *testing.T) {
	t.Parallel()
	r := New(Options{Name: "serverless", Enabled: true, Engine: fake{startErr: errNoRoot}, Fatal: func(error) bool { return true }}, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, r.Start(t.Context()), errNoRoot)
}

func TestStopError(t *testing.T) {
	t.Parallel()
	r := New(Options{Name: "logs", Enabled: true, Engine: fake{stopErr: errNoRoot}}, slog.New(slog.DiscardHandler))
	require.NoError(t, r.Start(t.Context()))
	require.ErrorIs(t, r.Stop(t.Context()), errNoRoot)
}

type slow struct{ fake }

func (s slow) Stop(ctx context.Context) error {
	<-ctx.Done()
	return s.stopErr
}

// TestLastWords: an engine that runs out of time says what it leaves behind before the
// agent's own time is over.
func TestLastWords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := New(Options{Name: "logs", Enabled: true, Engine: slow{fake{stopErr: errNoRoot}}}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, r.Stop(ctx), errNoRoot)
		require.NoError(t, ctx.Err())
	})
}
