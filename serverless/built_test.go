package serverless

import (
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBuilt(t *testing.T) {
	t.Parallel()
	stamp := func(value string) *debug.BuildInfo {
		return &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.time", Value: value}}}
	}
	now := written.Add(100 * 24 * time.Hour)
	commit := written.Add(24 * time.Hour)
	for name, tt := range map[string]struct {
		info *debug.BuildInfo
		now  time.Time
		want time.Time
	}{
		"stamped":                      {stamp(commit.Format(time.RFC3339)), now, commit},
		"no build info":                {nil, now, written},
		"no stamp":                     {&debug.BuildInfo{}, now, written},
		"nonsense":                     {stamp("yesterday"), now, written},
		"a commit of an older branch":  {stamp("2020-01-01T00:00:00Z"), now, written},
		"a committer's clock is ahead": {stamp(now.Add(time.Hour).Format(time.RFC3339)), now, written},
		"the clock is behind both":     {stamp(commit.Format(time.RFC3339)), written.Add(-1), time.Time{}},
	} {
		require.Equal(t, tt.want.UTC(), built(tt.info, tt.now).UTC(), name)
	}
}
