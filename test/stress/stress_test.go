package stress

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/debugger/bpf"
)

func TestMain(m *testing.M) {
	Agent()
	goleak.VerifyTestMain(m)
}

// TestStress is a short version of bench stress.
func TestStress(t *testing.T) {
	if err := bpf.Supported(); errors.Is(err, bpf.ErrNotSupported) && os.Getenv("VIGIL_REQUIRE_BPF") != "1" {
		t.Skip(err)
	}
	rounds := 0
	require.NoError(t, Run(t.Context(), 6*time.Second, 3*time.Second, func(r Round) {
		t.Logf("%+v", r)
		require.Greater(t, r.Sites, 2*len(functions), "entries and all returns")
		require.Positive(t, r.Hits)
		require.Positive(t, r.Returns)
		require.Positive(t, r.Decoded)
		rounds++
	}))
	require.Positive(t, rounds)
}
