package serverless

import (
	"runtime/debug"
	"time"
)

// written is a day on which this source existed: what is known of a binary that
// the go command did not stamp.
var written = time.Date(2026, time.October, 1, 0, 0, 0, 0, time.UTC)

// built is a date no correct wall clock shows any more: that of the commit, if
// the go command recorded it, or else written. A date that lies ahead of the
// clock at the start says nothing: the process starts while the image is built,
// where the clock is right, so it is the date that is wrong. Zero is "not known".
func built(info *debug.BuildInfo, now time.Time) time.Time {
	best := time.Time{}
	dates := []time.Time{written}
	if info != nil {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.time" {
				stamped, _ := time.Parse(time.RFC3339, setting.Value)
				dates = append(dates, stamped)
			}
		}
	}
	for _, date := range dates {
		if date.After(best) && !date.After(now) {
			best = date
		}
	}
	return best
}
