package logs

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/registry"
	"github.com/vigil-agent/vigil/logs/stream"
)

func TestMemoryOfTheStream(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func() memory {
		r, err := registry.New(registry.Config{Dir: dir, FlushEvery: time.Hour}, registry.Deps{})
		require.NoError(t, err)
		require.NoError(t, r.Start(t.Context()))
		return memory{r}
	}
	m := start()
	require.Equal(t, stream.Session{}, m.Session())
	profiles, asked := m.Profiles("a:1")
	require.Empty(t, profiles)
	require.True(t, asked.IsZero())

	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	require.NoError(t, m.SaveProfiles("a:1", []string{"columns", "rows"}, at))
	require.NoError(t, m.SaveProfiles("b:1", nil, at))
	session := stream.Session{Address: "a:1", Queue: "q", ID: "0a", Epoch: 7, Base: 3, Shifted: true}
	require.NoError(t, m.SaveSession(session))
	saved := m.Status().Saved
	require.False(t, saved.IsZero(), "on disk when the call returns")
	require.NoError(t, m.Stop(context.Background()))
	require.ErrorIs(t, m.SaveSession(stream.Session{}), registry.ErrNotStarted)
	require.ErrorIs(t, m.SaveProfiles("a:1", nil, at), registry.ErrNotStarted)

	m = start()
	require.Equal(t, session, m.Session())
	profiles, asked = m.Profiles("a:1")
	require.Equal(t, []string{"columns", "rows"}, profiles)
	require.Equal(t, at, asked)
	profiles, asked = m.Profiles("b:1")
	require.Empty(t, profiles)
	require.Equal(t, at, asked)
	require.NoError(t, m.Remember(sessionKey, "not json"))
	require.Equal(t, stream.Session{}, m.Session())
	require.NoError(t, m.Stop(context.Background()))
}
