package serverlessfx

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/hooks"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

func TestCase42EverythingIsFlushedBeforeTheSnapshot(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	var flushes atomic.Int64
	good := hooks.FlushFunc{Label: "metrics", Func: func(context.Context) error { flushes.Add(1); return nil }}
	bad := hooks.FlushFunc{Label: "logs", Func: func(context.Context) error { return errors.New("intake gone") }}
	f := flushed{flushers: []lifecycle.Flusher{good, bad, good}, log: slog.New(slog.NewTextHandler(&out, nil))}
	f.BeforeSnapshot(t.Context())
	require.Equal(t, int64(2), flushes.Load())
	require.Contains(t, out.String(), `msg="clones of this machine may send data again" of=logs err="intake gone"`)
	f.AfterRestore()
	require.Equal(t, int64(2), flushes.Load())
}
