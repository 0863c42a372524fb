package logs

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/source"
)

func TestEngineShipsWhatTheApplicationPrints(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(c *Config) {
		c.Tags = []string{"env:test"}
		c.Sources = []SourceConfig{{Type: SourceApp, Service: "app"}}
	})
	stdout, stderr := f.Output()
	fmt.Fprint(stdout, "before the start\n")
	f.start(t)
	require.NoError(t, f.Flush(soon(t)))
	f.Retag([]string{"lambda_microvm_id:m-1"})
	fmt.Fprint(stderr, "complaint\n")
	require.NoError(t, f.Flush(soon(t)))
	fmt.Fprint(stdout, "last words")
	require.NoError(t, f.Stop(soon(t)))
	fmt.Fprint(stderr, "too late\n")
	require.Equal(t, "before the start\ncomplaint\nlast words\n", f.shippers[0].got())
	require.Equal(t, []string{
		"service:app,env:test,stream:stdout",
		"service:app,env:test,stream:stderr,lambda_microvm_id:m-1",
		"service:app,env:test,stream:stdout,lambda_microvm_id:m-1",
	}, f.shippers[0].tags)
	require.Equal(t, []source.OutputStatus{
		{Name: "stdout", Lines: 2, Bytes: 26, Unterminated: 1},
		{Name: "stderr", Lines: 1, Bytes: 9, Dropped: 1},
	}, f.Status().Outputs)

	f = newFixture(t, nil)
	stdout, stderr = f.Output()
	require.True(t, stdout == nil && stderr == nil, "no source, no writers")
}
