package main

import "time"

type event struct {
	At   time.Time
	Took time.Duration
	Due  *time.Time
}

//go:noinline
func timeUTC(v time.Time) { use(v) }

//go:noinline
func timeZero(v time.Time) { use(v) }

//go:noinline
func timeFixedZone(v time.Time) { use(v) }

//go:noinline
func timeNamedZone(v time.Time) { use(v) }

// Its location keeps the offset of the season of today; this time is in none of
// these.
//
//go:noinline
func timeOtherSeason(v time.Time) { use(v) }

// With a reading of the monotonic clock.
//
//go:noinline
func timeMonotonic(v time.Time) { use(v) }

//go:noinline
func timeFarAway(early, late time.Time) { use(early); use(late) }

//go:noinline
func timeDuration(v time.Duration) { use(v) }

//go:noinline
func timeInStruct(v *event) { use(v) }

//go:noinline
func timeMonth(m time.Month, d time.Weekday) { use(m); use(d) }

func init() {
	const s = "times"
	utc := time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC)
	add(s, "main.timeUTC", func() { timeUTC(utc) })
	add(s, "main.timeZero", func() { timeZero(time.Time{}) })
	add(s, "main.timeFixedZone", func() { timeFixedZone(utc.In(time.FixedZone("test", -int((5*time.Hour+30*time.Minute)/time.Second)))) })
	add(s, "main.timeNamedZone", func() { timeNamedZone(utc.In(zone("CET", ""))) })
	add(s, "main.timeOtherSeason", func() {
		timeOtherSeason(time.Date(1950, 7, 1, 0, 0, 0, 0, zone("CET", "CET-1CEST,M3.5.0,M10.5.0/3")))
	})
	add(s, "main.timeMonotonic", func() { timeMonotonic(time.Now()) })
	add(s, "main.timeFarAway", func() {
		timeFarAway(time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC))
	})
	add(s, "main.timeDuration", func() { timeDuration(90 * time.Second) })
	add(s, "main.timeInStruct", func() { timeInStruct(&event{utc, time.Hour, &utc}) })
	add(s, "main.timeMonth", func() { timeMonth(time.May, time.Friday) })
}

// zone makes a location from the text of a zone file: one hour east of Greenwich,
// with the rule for the seasons, if there is one.
func zone(name, rule string) *time.Location {
	var data []byte
	for range 2 { // in the two formats that such files have
		header := append([]byte("TZif2"), make([]byte, 39)...)
		header[39], header[43] = 1, byte(len(name)+1)
		data = append(append(data, header...), 0, 0, 0x0e, 0x10, 0, 0)
		data = append(append(data, name...), 0)
	}
	location, err := time.LoadLocationFromTZData(name, append(data, "\n"+rule+"\n"...))
	if err != nil {
		panic(err)
	}
	return location
}
