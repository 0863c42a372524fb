package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"text/tabwriter"
)

// aimPeak is what an agent may hold in memory.
const aimPeak = 50 << 20

// result is one measurement. Bytes are counted at the TCP connection.
type result struct {
	Corpus string  `json:"corpus"`
	Path   string  `json:"path"`
	Lines  int     `json:"lines"`
	Raw    int64   `json:"raw_bytes"`
	CPU    float64 `json:"cpu_us_per_line"`
	Rate   float64 `json:"lines_per_second"`
	Peak   int64   `json:"peak_rss_bytes"`
	Up     int64   `json:"bytes_up"`
	Down   int64   `json:"bytes_down"`

	aim float64
}

// wire is how much of the raw bytes travels, in percent.
func (r result) wire() float64 { return 100 * float64(r.Up+r.Down) / float64(r.Raw) }

func printJSON(w io.Writer, results []result) error {
	out := json.NewEncoder(w)
	for _, r := range results {
		if err := out.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

func printTable(w io.Writer, results []result) error {
	for group := range chunks(results) {
		fmt.Fprintf(w, "%s: %d lines, %d bytes\n", group[0].Corpus, group[0].Lines, group[0].Raw)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(table, "path\tCPU µs/line\taim\tlines/s\tpeak RSS MB\taim\tbytes up\tdown\t% of raw\t\n")
		for _, r := range group {
			cpuAim, peakAim := "-", "-"
			if r.aim > 0 {
				cpuAim, peakAim = fmt.Sprintf("≤ %.1f", r.aim), fmt.Sprintf("≤ %d", aimPeak>>20)
			}
			fmt.Fprintf(table, "%s\t%.2f\t%s\t%.0f\t%.1f\t%s\t%d\t%d\t%.2f\t\n", r.Path, r.CPU, cpuAim, r.Rate, float64(r.Peak)/(1<<20), peakAim, r.Up, r.Down, r.wire())
		}
		if err := table.Flush(); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	return nil
}

// chunks are the results of each corpus.
func chunks(results []result) iter.Seq[[]result] {
	return func(yield func([]result) bool) {
		for from := 0; from < len(results); {
			to := from + 1
			for to < len(results) && results[to].Corpus == results[from].Corpus {
				to++
			}
			if !yield(results[from:to]) {
				return
			}
			from = to
		}
	}
}
