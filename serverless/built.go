package serverless

import (
	"runtime/debug"
	"time"
)

// built is when the source of this binary was committed, as the go command
// recorded it; zero when it did not. No correct wall clock shows an earlier time.
func built() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.time" {
			t, _ := time.Parse(time.RFC3339, setting.Value)
			return t
		}
	}
	return time.Time{}
}
