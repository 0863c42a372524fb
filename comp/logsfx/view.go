package logsfx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/logs"
	"github.com/vigil-agent/vigil/logs/source"
	"github.com/vigil-agent/vigil/logs/stream"
)

// text is what a person reads of the engine, what is wrong first.
func text(s logs.Status) []string {
	if s.Paused {
		return []string{"ready for a snapshot: nothing is followed until the machine is restored"}
	}
	lines := append(problems(s), streamText("to ", s.Stream)...)
	if d := s.Secondary; d != nil {
		lines = append(lines, streamText("secondary: to ", d.Stream)...)
	}
	if q := s.Spool; q != nil {
		lines = append(lines, fmt.Sprintf("spool: %d lines in %d batches wait, %d of %d bytes on disk", q.Pending.Lines, q.Pending.Batches, q.DiskBytes, q.MaxBytes))
	}
	for _, file := range s.Files {
		lines = append(lines, fileText(file))
	}
	for _, o := range s.Outputs {
		line := fmt.Sprintf("%s of the application: %d lines", o.Name, o.Lines)
		if o.Dropped > 0 {
			line += fmt.Sprintf(", %d dropped because they came faster than they could be sent", o.Dropped)
		}
		lines = append(lines, line)
	}
	for _, part := range s.Memory.Parts {
		if part.Note != "" {
			lines = append(lines, fmt.Sprintf("memory of %d bytes, %s: %s", s.Memory.Limit, part.Name, part.Note))
		}
	}
	return lines
}

// problems are what a person should look at.
func problems(s logs.Status) []string {
	lines := streamProblems("", s.Stream)
	if n := s.Stream.QuarantinedLines.Sum(); n > 0 {
		lines = append(lines, fmt.Sprintf("%d lines (%s) are in quarantine at %s: `vigil logs replay` delivers them once the reason is gone", n, byReason(s.Stream.QuarantinedLines), s.Quarantine))
	}
	if n := s.Stream.DroppedLines.Sum(); n > 0 {
		lines = append(lines, fmt.Sprintf("%d lines (%s) could not be sent and are lost", n, byReason(s.Stream.DroppedLines)))
	}
	if n := s.Stream.Codec.CheckFailures; n > 0 {
		lines = append(lines, fmt.Sprintf("%d batches did not decode to their lines and were sent as text: please report it", n))
	}
	if q := s.Spool; q != nil {
		lines = append(lines, spoolProblems(q)...)
	}
	if d := s.Secondary; d != nil {
		lines = append(lines, streamProblems("secondary: ", d.Stream)...)
		if d.DroppedLines > 0 {
			lines = append(lines, fmt.Sprintf("secondary: %d lines dropped because it does not keep up", d.DroppedLines))
		}
	}
	return lines
}

func streamProblems(to string, s logs.StreamStatus) []string {
	var lines []string
	switch {
	case s.Sentence != "":
		lines = append(lines, to+s.Sentence)
	case s.LastError != "" && !s.Connected:
		lines = append(lines, to+"last failure: "+s.LastError)
	}
	if s.NextStep != "" {
		lines = append(lines, to+"next: "+s.NextStep)
	}
	if s.OldestInflight > time.Minute {
		lines = append(lines, fmt.Sprintf("%sthe oldest line in flight waits for %s", to, s.OldestInflight.Round(time.Second)))
	}
	return lines
}

func spoolProblems(q *logs.SpoolStatus) []string {
	var lines []string
	for _, failure := range []string{q.Error, q.Failure} {
		if failure != "" {
			lines = append(lines, "spool: "+failure)
		}
	}
	if q.Waiting {
		lines = append(lines, "spool: full, files wait; raise logs.spool.max_size, or make room on its disk")
	}
	if q.Dropped.Lines > 0 {
		lines = append(lines, fmt.Sprintf("spool: %d lines dropped because it was full", q.Dropped.Lines))
	}
	if q.Lost.Lines > 0 {
		lines = append(lines, fmt.Sprintf("spool: %d lines lost because their bytes on disk are corrupt", q.Lost.Lines))
	}
	return lines
}

// streamText is how it goes.
func streamText(to string, s logs.StreamStatus) []string {
	how := s.State
	if s.Profile != "" {
		how += " with profile " + s.Profile
	}
	lines := []string{fmt.Sprintf("%s%s: %s, %d lines acknowledged, %d in flight", to, s.Endpoint, how, s.AckedLines, s.InflightLines)}
	if s.RawBytes > 0 && s.CompressedBytes > 0 {
		encoding := ""
		if s.EncodedBytes > 0 {
			encoding = fmt.Sprintf(": encoding made them %.1f times smaller, compression %.1f times", ratio(s.RawBytes, s.EncodedBytes), ratio(s.EncodedBytes, s.CompressedBytes))
		}
		lines = append(lines, fmt.Sprintf("%d bytes of messages became %d in payloads (%.1f %%)%s; %d on the wire; %d patterns and %d dictionary entries learnt, %d bytes of state",
			s.RawBytes, s.CompressedBytes, 100*ratio(s.CompressedBytes, s.RawBytes), encoding, s.WireBytes, s.Codec.Patterns, s.Codec.DictEntries, s.StateBytes))
	}
	return lines
}

func ratio(a, b uint64) float64 { return float64(a) / float64(b) }

// byReason is "2 poison, 1 size".
func byReason(counts stream.Reasons) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[reason], reason))
	}
	return strings.Join(parts, ", ")
}

func fileText(file source.FileStatus) string {
	if file.Error != "" {
		return fmt.Sprintf("file %s: %s", file.Path, file.Error)
	}
	line := fmt.Sprintf("file %s: %d lines read, %d of %d bytes durable", file.Path, file.Lines, file.Offset, file.Size)
	if file.Truncations > 0 {
		line += fmt.Sprintf(", truncated %d times", file.Truncations)
	}
	if file.CutLines > 0 {
		line += fmt.Sprintf(", %d lines cut because they were too long", file.CutLines)
	}
	return line
}
