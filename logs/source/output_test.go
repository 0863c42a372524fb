package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

// taker is a sink that keeps what it takes, as text.
type taker struct {
	mu    sync.Mutex
	lines []string
	shut  chan struct{} // nil: always open
	fail  error
}

func (s *taker) take(ctx context.Context, lines []record.Record) error {
	if s.shut != nil {
		select {
		case <-s.shut:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range lines {
		s.lines = append(s.lines, fmt.Sprintf("%d [%s] %s", l.Time, l.Tags, l.Message))
	}
	return s.fail
}

func (s *taker) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}

func TestOutputHandsOnLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now().UnixMilli()
		var sink taker
		o := NewOutput(OutputConfig{Name: "stdout", Tags: []string{"service:shop", "stream:stdout"}, MaxLine: 8})
		fmt.Fprint(o, "early\nhal")
		o.Start(t.Context(), sink.take)
		time.Sleep(5 * time.Millisecond)
		fmt.Fprint(o, "f\r\n\nlonger than eight\nla")
		o.Retag([]string{"lambda_microvm_id:m-1"})
		fmt.Fprint(o, "st\nno end")
		require.NoError(t, o.Sync(t.Context()))
		require.Len(t, sink.got(), 7, "a line without its end is not waited for")
		require.NoError(t, o.Stop(t.Context()))
		require.NoError(t, o.Stop(t.Context()))
		fmt.Fprint(o, "too late\n")
		const plain, tagged = "[service:shop,stream:stdout]", "[service:shop,stream:stdout,lambda_microvm_id:m-1]"
		require.Equal(t, []string{
			fmt.Sprintf("%d %s early", start, plain),
			fmt.Sprintf("%d %s half\r", start+5, plain),
			fmt.Sprintf("%d %s ", start+5, plain),
			fmt.Sprintf("%d %s longer t", start+5, plain),
			fmt.Sprintf("%d %s han eigh", start+5, plain),
			fmt.Sprintf("%d %s t", start+5, plain),
			fmt.Sprintf("%d %s last", start+5, tagged),
			fmt.Sprintf("%d %s no end", start+5, tagged),
		}, sink.got())
		require.Equal(t, OutputStatus{Name: "stdout", Lines: 8, Bytes: 37, Dropped: 1, CutLines: 2, Unterminated: 1}, o.Status())
	})
}

func TestOutputNeverHoldsItsWriterUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := taker{shut: make(chan struct{})}
		o := NewOutput(OutputConfig{Name: "stderr", MaxBytes: 10 * (lineCost + 4)})
		o.Start(t.Context(), sink.take)
		for i := range 100 {
			n, err := fmt.Fprintf(o, "%04d\n", i)
			require.Equal(t, 5, n)
			require.NoError(t, err)
			synctest.Wait() // the first line waits in the sink
		}
		require.Equal(t, int64(89), o.Status().Dropped, "ten lines fit besides the one on its way")
		close(sink.shut)
		require.NoError(t, o.Stop(t.Context()))
		require.Len(t, sink.got(), 11)
		require.Equal(t, int64(11), o.Status().Lines)
	})
}

func TestOutputStopIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sink := taker{shut: make(chan struct{})}
		o := NewOutput(OutputConfig{Name: "stdout"})
		o.Start(t.Context(), sink.take)
		fmt.Fprint(o, "a\nb\n")
		synctest.Wait()
		fmt.Fprint(o, "c\n")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.EqualError(t, o.Sync(ctx), "hand on the lines of stdout: context deadline exceeded")
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.EqualError(t, o.Stop(ctx), "hand on the last lines of stdout: context deadline exceeded")
		require.Equal(t, OutputStatus{Name: "stdout", Dropped: 3}, o.Status())
	})
}

func TestOutputOutlivesItsSink(t *testing.T) {
	t.Parallel()
	sink := taker{fail: errors.New("batcher is stopped")}
	o := NewOutput(OutputConfig{Name: "stdout"})
	o.Start(t.Context(), sink.take)
	for range 5 {
		fmt.Fprint(o, "line\n")
		require.NoError(t, o.Sync(t.Context()))
	}
	require.NoError(t, o.Stop(t.Context()))
	require.Equal(t, OutputStatus{Name: "stdout", Dropped: 5}, o.Status())
}

// Any way of writing a text gives the lines of the text.
func TestOutputProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		writes := rapid.SliceOf(rapid.StringOf(rapid.RuneFrom([]rune("ab\r\n")))).Draw(t, "writes")
		var got strings.Builder
		o := NewOutput(OutputConfig{Name: "stdout"})
		o.Start(context.Background(), func(_ context.Context, lines []record.Record) error {
			for _, l := range lines {
				require.Equal(t, record.Origin{}, l.Origin)
				got.Write(append(l.Message, '\n'))
			}
			return nil
		})
		for _, w := range writes {
			fmt.Fprint(o, w)
		}
		require.NoError(t, o.Stop(context.Background()))
		want := strings.Join(writes, "")
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		require.Equal(t, want, got.String())
	})
}
