package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"golang.org/x/term"
)

// progress shows what is being measured in the terminal's last line, and takes
// it away again with "".
func progress(what string) {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		fmt.Fprintf(os.Stderr, "\r\x1b[K%s", what)
	}
}

// results are the three tables.
type results struct {
	Hits      []hit      `json:"hits,omitempty"`
	Decodings []decoding `json:"decodings,omitempty"`
	Firsts    []first    `json:"first_probes,omitempty"`
}

func (r results) print(w io.Writer) {
	if len(r.Hits) > 0 {
		printTable(w, "a hit\twhat is captured\tns\tx empty program\tx empty probe\tlost\t\n", func(w io.Writer) {
			for _, h := range r.Hits {
				fmt.Fprintf(w, "%s\t%s\t%.0f\t%s\t%s\t%d\t\n", h.Site, h.What, h.NS, times(h.Program), times(h.Probe), h.Lost)
			}
		})
		fmt.Fprint(w, "aim: 1 KiB in at most 1.5 times the empty probe at the same site\n\n")
	}
	if len(r.Decodings) > 0 {
		printTable(w, "decode and encode\tbytes of JSON\tns\tns/KiB\tallocs\t\n", func(w io.Writer) {
			for _, d := range r.Decodings {
				fmt.Fprintf(w, "%s\t%d\t%.0f\t%.0f\t%.2f\t\n", d.What, d.Bytes, d.NS, d.NSPerKiB, d.Allocs)
			}
		})
		fmt.Fprint(w, "aim: at most 2000 ns/KiB, no allocation\n\n")
	}
	if len(r.Firsts) > 0 {
		const mb = 1 << 20
		printTable(w, "first probe in\tMB\tseconds\tpeak RSS MB\tanonymous MB\t\n", func(w io.Writer) {
			for _, f := range r.Firsts {
				fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.0f\t%.0f\t\n", f.Program, float64(f.Size)/mb, f.Seconds, float64(f.PeakRSS)/mb, float64(f.Anonymous)/mb)
			}
		})
		fmt.Fprint(w, "aim: 0.4 s in 20 MB, 1 s in more than 100 MB, with at most 100 MB of memory\n")
	}
}

func printTable(w io.Writer, heading string, rows func(io.Writer)) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, heading)
	rows(table)
	_ = table.Flush()
}

func times(x float64) string {
	if x == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", x)
}
