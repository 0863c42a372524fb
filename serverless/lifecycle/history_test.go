package lifecycle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/clock"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	var h History
	at := func(wall, mono time.Duration) clock.Reading { return clock.Reading{Wall: t0.Add(wall), Mono: mono} }
	const s = time.Second
	require.Equal(t, Span{Phase: Waiting, Lasted: 5 * s, Exit: ExitRun}, h.move(Running, ExitRun, at(5*s, 5*s)))
	require.Equal(t, Span{}, h.move(Running, ExitRun, at(6*s, 6*s)), "a duplicate ends nothing")
	require.Equal(t, Span{Phase: Running, Lasted: 10 * s, Exit: ExitSuspend}, h.move(Suspended, ExitSuspend, at(15*s, 15*s)))
	require.Equal(t, Span{Phase: Suspended, Lasted: 3600 * s, Exit: ExitResume}, h.move(Running, ExitResume, at(3616*s, 16*s)),
		"the monotonic clock stood still for all but a second")
	h.move(Suspended, ExitSuspend, at(3626*s, 26*s))
	require.Equal(t, Span{Phase: Suspended, Lasted: 60 * s, Exit: ExitResume}, h.move(Running, ExitResume, at(3686*s, 86*s)),
		"the monotonic clock went on")
	h.move(Suspended, ExitSuspend, at(3696*s, 96*s))
	require.Equal(t, Span{Phase: Suspended, Lasted: 4 * s, Exit: ExitResume}, h.move(Running, ExitResume, at(0, 100*s)),
		"the wall clock was set back")
	require.Equal(t, History{
		Suspends: 3, Running: 30 * s, Suspended: 3664 * s, LastExit: ExitSuspend, phase: Running, since: at(0, 100*s), ran: at(3686*s, 86*s),
	}, h)

	// A suspend without effect never was one.
	h.move(Suspended, ExitSuspend, at(10*s, 110*s))
	require.Equal(t, Span{}, h.move(Running, ExitIgnored, at(40*s, 140*s)))
	require.Equal(t, History{
		Suspends: 3, Running: 30 * s, Suspended: 3664 * s, LastExit: ExitIgnored, phase: Running, since: at(0, 100*s), ran: at(0, 100*s),
	}, h)
	require.Equal(t, Span{Phase: Running, Lasted: 45 * s, Exit: ExitTerminate}, h.move(Terminated, ExitTerminate, at(45*s, 145*s)))

	// Nor is one before run.
	h = History{}
	h.move(Suspended, ExitSuspend, at(s, s))
	require.Equal(t, Span{}, h.move(Waiting, ExitRefused, at(2*s, 2*s)))
	require.Equal(t, History{phase: Waiting}, h)
}
