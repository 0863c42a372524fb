package child_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/child"
)

func TestTeesGetACopy(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	var errOut, teeOut, teeErr buffer
	c := shell(t, `printf 'one\n\ntwo\r\n'; echo trouble >&2; printf 'no line feed'; exit 4`, child.Deps{
		Stdout: f, Stderr: &errOut, TeeStdout: &teeOut, TeeStderr: &teeErr,
	})
	require.NoError(t, c.Start(t.Context()))
	require.Equal(t, 4, c.Wait())
	written, err := os.ReadFile(f.Name())
	require.NoError(t, err)
	require.Equal(t, "one\n\ntwo\r\nno line feed", string(written))
	require.Equal(t, string(written), teeOut.String())
	require.Equal(t, "trouble\n", errOut.String())
	require.Equal(t, "trouble\n", teeErr.String())
}

// What the process wrote before Drain is with the tee when Drain returns, however
// slow that is. The process tells by way of a file that it has written.
func TestDrainReadsThePipe(t *testing.T) {
	t.Parallel()
	written := filepath.Join(t.TempDir(), "written")
	var got buffer
	slow := writer(func(p []byte) {
		time.Sleep(20 * time.Millisecond)
		_, _ = got.Write(p)
	})
	c := shell(t, fmt.Sprintf(`echo up; sleep 0.005; seq 2000; : > %s; sleep 600`, written), child.Deps{Stdout: &buffer{}, TeeStdout: slow})
	require.NoError(t, c.Drain(t.Context()), "nothing before the start")
	require.NoError(t, c.Start(t.Context()))
	require.Eventually(t, func() bool { _, err := os.Stat(written); return err == nil }, 10*time.Second, 100*time.Microsecond)
	require.NoError(t, c.Drain(t.Context()))
	require.Equal(t, 2001, bytes.Count([]byte(got.String()), []byte("\n")))
	require.NoError(t, c.Stop(t.Context()))
	require.NoError(t, c.Drain(t.Context()), "nothing after the end")
}

func TestDrainEndsWithItsContext(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	blocked := writer(func([]byte) {
		select {
		case begun <- struct{}{}:
			<-release
		case <-release:
		}
	})
	c := shell(t, "echo first; sleep 0.1; echo second; sleep 600", child.Deps{Stdout: blocked})
	require.NoError(t, c.Start(t.Context()))
	<-begun // the agent's own output is stuck, as a closed terminal may be
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.Eventually(t, func() bool { return c.Drain(ctx) != nil || ctx.Err() != nil }, 10*time.Second, time.Millisecond)
	require.ErrorIs(t, c.Drain(ctx), child.ErrUnread)
	close(release)
	require.NoError(t, c.Drain(t.Context()))
}

// BenchmarkOutput is the whole way from a pipe to the outputs, for each line.
func BenchmarkOutput(b *testing.B) {
	const line = "2026-11-21T10:00:00Z INFO order 4711 accepted in 12 ms\n"
	nothing := writer(func([]byte) {})
	for name, deps := range map[string]child.Deps{"output alone": {Stdout: nothing}, "output and tee": {Stdout: nothing, TeeStdout: nothing}} {
		b.Run(name, func(b *testing.B) {
			input := filepath.Join(b.TempDir(), "input")
			require.NoError(b, os.WriteFile(input, bytes.Repeat([]byte(line), b.N), 0o600))
			c, err := child.New([]string{"cat", input}, deps)
			require.NoError(b, err)
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			b.ResetTimer()
			require.NoError(b, c.Start(b.Context()))
			require.Zero(b, c.Wait())
		})
	}
}

// writer is no file.
type writer func([]byte)

func (f writer) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
