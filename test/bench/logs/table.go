package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
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

// printCorpus is the table of one corpus.
func printCorpus(w io.Writer, c *corpus, results []result, notes []string) {
	fmt.Fprintf(w, "%s: %s lines, %s bytes", c.name, group(len(c.recs)), group(c.raw))
	if c.floor > 0 {
		fmt.Fprintf(w, ", floor %s (%.2f %%)", group(int(c.floor)), percent(int(c.floor), c.raw))
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "lines a batch\tmethod\tbytes\t% of raw\tx floor\tencode µs/line\tdecode µs/line\tallocs/line\tstate bytes\t\n")
	for _, r := range results {
		batch := "-"
		if r.Batch > 0 {
			batch = strconv.Itoa(r.Batch)
		}
		allocs, state := "-", "-"
		if r.Method != xzMethod {
			allocs, state = fmt.Sprintf("%.3f", r.Allocs), group(r.State)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%.2f\t%s\t%.2f\t%.2f\t%s\t%s\t\n", batch, r.Method, group(r.Bytes),
			percent(r.Bytes, r.Raw), r.overFloor(), r.Encode, r.Decode, allocs, state)
	}
	_ = table.Flush()
	replaced := map[string]bool{}
	for _, r := range results {
		if r.Replaced > 0 && !replaced[r.Method] {
			replaced[r.Method] = true
			fmt.Fprintf(w, "%s: lines with bytes outside UTF-8, sent as U+FFFD: %s\n", r.Method, group(r.Replaced))
		}
	}
	for _, note := range notes {
		fmt.Fprintln(w, note)
	}
	fmt.Fprintln(w)
}

// overFloor is the ratio to the floor, where the two are comparable.
func (r result) overFloor() string {
	if r.Floor == 0 || !r.Metadata {
		return "-"
	}
	return fmt.Sprintf("%.2f", float64(r.Bytes)/r.Floor)
}

// printSummary is what a reader compares: percents of raw by corpus and method,
// a table for each batch size.
func printSummary(w io.Writer, results []result) {
	corpora, methods, sizes := axes(results)
	if len(corpora) < 2 {
		return
	}
	for _, batch := range sizes {
		fmt.Fprintf(w, "%% of raw at %d lines a batch\n", batch)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(table, "\t%s\tfloor\t\n", strings.Join(methods, "\t"))
		sums, known := make([]result, len(methods)), true
		for _, c := range corpora {
			row := make([]result, len(methods))
			for i, m := range methods {
				row[i], _ = find(results, c, m, batch)
				if c != interleaved {
					sums[i].Bytes += row[i].Bytes
					sums[i].Raw += row[i].Raw
					sums[i].Floor += row[i].Floor
					known = known && row[i].Floor > 0
				}
			}
			if c == interleaved {
				for i := range sums {
					if !known {
						sums[i].Floor = 0
					}
				}
				printShares(table, "all, a stream each", sums)
			}
			printShares(table, c, row)
		}
		_ = table.Flush()
		fmt.Fprintln(w)
	}
}

// printShares is a row of the summary; a method that was not measured is "-".
func printShares(w io.Writer, name string, row []result) {
	fmt.Fprint(w, name)
	floor := "-"
	for _, r := range row {
		if r.Raw == 0 {
			fmt.Fprint(w, "\t-")
			continue
		}
		fmt.Fprintf(w, "\t%.2f", percent(r.Bytes, r.Raw))
		if r.Floor > 0 {
			floor = fmt.Sprintf("%.2f", 100*r.Floor/float64(r.Raw))
		}
	}
	fmt.Fprintf(w, "\t%s\t\n", floor)
}

// axes are the corpora, methods and batch sizes of results, in their order.
func axes(results []result) (corpora, methods []string, sizes []int) {
	for _, r := range results {
		if !slices.Contains(corpora, r.Corpus) {
			corpora = append(corpora, r.Corpus)
		}
		if !slices.Contains(methods, r.Method) {
			methods = append(methods, r.Method)
		}
		if r.Batch > 0 && !slices.Contains(sizes, r.Batch) {
			sizes = append(sizes, r.Batch)
		}
	}
	return corpora, methods, sizes
}

// find is a result at a batch size, or one that has none.
func find(results []result, corpus, method string, batch int) (result, bool) {
	i := slices.IndexFunc(results, func(r result) bool {
		return r.Corpus == corpus && r.Method == method && (r.Batch == batch || r.Batch == 0)
	})
	if i < 0 {
		return result{}, false
	}
	return results[i], true
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(whole) }

// group writes a number with a comma between thousands.
func group(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
