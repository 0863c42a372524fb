package serverlessfx

import (
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/hooks"
)

type taker struct{ stdout, stderr io.Writer }

func (t taker) TakeOutput() (stdout, stderr io.Writer) { return t.stdout, t.stderr }

func TestTees(t *testing.T) {
	t.Parallel()
	stdout, stderr := tees([]hooks.OutputTaker{taker{}})
	require.Nil(t, stdout, "nobody wants it: the application keeps the agent's own file")
	require.Nil(t, stderr)

	var first, second bytes.Buffer
	stdout, stderr = tees([]hooks.OutputTaker{taker{stdout: &first}, taker{}, taker{stdout: &second, stderr: &second}})
	_, err := io.WriteString(stdout, "out ")
	require.NoError(t, err)
	_, err = io.WriteString(stderr, "err")
	require.NoError(t, err)
	require.Equal(t, "out ", first.String())
	require.Equal(t, "out err", second.String())
}
