package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
)

// look is how a method is drawn. Colours are Okabe and Ito's, which people with
// any colour vision tell apart; shapes say the same without colour.
type look struct {
	colour string
	// shape is a path around 0,0.
	shape string
	dash  string
}

var looks = map[string]look{
	"columns":     {"#0072b2", "M-4.5,0a4.5,4.5 0 1,0 9,0a4.5,4.5 0 1,0 -9,0z", ""},
	"rows":        {"#d55e00", "M-4,-4h8v8h-8z", ""},
	"json+zstd":   {"#cc79a7", "M0,-5l5,9h-10z", ""},
	"json+window": {"#009e73", "M0,-5.5l5.5,5.5l-5.5,5.5l-5.5,-5.5z", ""},
	"raw+window":  {"#e69f00", "M0,5l5,-9h-10z", ""},
	xzMethod:      {"#000000", "M-5,-1h10v2h-10z", "6 4"},
	floorName:     {"#666666", "M-5,-1h10v2h-10z", "2 3"},
}

const (
	floorName = "floor"

	panelWidth, panelHeight = 340.0, 250.0
	plotLeft, plotTop       = 62.0, 34.0
	plotWidth, plotHeight   = 216.0, 164.0
	legendHeight            = 66.0
	panelsInRow             = 3
)

// plot draws a panel of bytes by batch size for each corpus.
func plot(results []result) []byte {
	corpora, methods, sizes := axes(results)
	columns := min(panelsInRow, max(len(corpora), 2))
	rows := (len(corpora) + columns - 1) / columns
	width, height := panelWidth*float64(columns), legendHeight+panelHeight*float64(rows)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="11" fill="#222">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&b, `<rect width="%.0f" height="%.0f" fill="#fff"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<text x="16" y="22" font-size="14" font-weight="bold">bytes on the wire by lines a batch</text>`+"\n")
	legend(&b, append(methods, floorName), results)
	for i, corpus := range corpora {
		x, y := panelWidth*float64(i%columns), legendHeight+panelHeight*float64(i/columns)
		fmt.Fprintf(&b, `<g transform="translate(%.0f,%.0f)">`+"\n", x, y)
		panel(&b, corpus, methods, sizes, results)
		fmt.Fprintln(&b, "</g>")
	}
	fmt.Fprintln(&b, "</svg>")
	return b.Bytes()
}

// legend names what is drawn.
func legend(b *bytes.Buffer, methods []string, results []result) {
	x := 16.0
	for _, m := range methods {
		note := ""
		for _, r := range results {
			if r.Method == m && !r.Metadata {
				note = " (text alone)"
			}
		}
		l := looks[m]
		fmt.Fprintf(b, `<g transform="translate(%.0f,44)"><path d="M0,0h24" stroke="%s" stroke-width="2" stroke-dasharray="%s"/><path transform="translate(12)" d="%s" fill="%s"/><text x="30" y="4">%s</text></g>`+"\n",
			x, l.colour, l.dash, l.shape, l.colour, html.EscapeString(m+note))
		x += 48 + 6.1*float64(len(m+note))
	}
}

// panel is one corpus: bytes on the left, percents of raw on the right.
func panel(b *bytes.Buffer, corpus string, methods []string, sizes []int, results []result) {
	top, raw, floor := 0, 0, 0.0
	for _, r := range results {
		if r.Corpus == corpus {
			top, raw, floor = max(top, r.Bytes), r.Raw, r.Floor
		}
	}
	step := tick(float64(top))
	limit := step * math.Ceil(float64(top)/step)
	atX := func(i int) float64 {
		return plotLeft + plotWidth*(float64(i)+0.5)/float64(len(sizes))
	}
	atY := func(bytes float64) float64 { return plotTop + plotHeight*(1-bytes/limit) }
	fmt.Fprintf(b, `<text x="%.0f" y="20" font-weight="bold">%s</text><text x="%.0f" y="20" text-anchor="end" fill="#666">raw %s</text>`+"\n",
		plotLeft, html.EscapeString(corpus), plotLeft+plotWidth, size(float64(raw)))
	for v := 0.0; v <= limit+step/2; v += step {
		fmt.Fprintf(b, `<path d="M%.1f,%.1fh%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text><text x="%.1f" y="%.1f" fill="#666">%.1f %%</text>`+"\n",
			plotLeft, atY(v), plotWidth, plotLeft-6, atY(v)+4, size(v), plotLeft+plotWidth+6, atY(v)+4, 100*v/float64(raw))
	}
	for i, n := range sizes {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", atX(i), plotTop+plotHeight+17, group(n))
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#666">lines a batch</text>`+"\n", plotLeft+plotWidth/2, plotTop+plotHeight+33)
	level := func(name string, bytes float64) {
		l := looks[name]
		fmt.Fprintf(b, `<path d="M%.1f,%.1fh%.1f" stroke="%s" stroke-width="1.5" stroke-dasharray="%s"/>`+"\n", plotLeft, atY(bytes), plotWidth, l.colour, l.dash)
	}
	if floor > 0 {
		level(floorName, floor)
	}
	for _, m := range methods {
		l := looks[m]
		line, marks := "", ""
		for i, n := range sizes {
			r, ok := find(results, corpus, m, n)
			if !ok {
				continue
			}
			if r.Batch == 0 {
				level(m, float64(r.Bytes))
				break
			}
			command := "L"
			if line == "" {
				command = "M"
			}
			line += fmt.Sprintf("%s%.1f,%.1f", command, atX(i), atY(float64(r.Bytes)))
			marks += fmt.Sprintf(`<path transform="translate(%.1f,%.1f)" d="%s" fill="%s"><title>%s, %d lines: %s bytes, %.2f %%</title></path>`,
				atX(i), atY(float64(r.Bytes)), l.shape, l.colour, html.EscapeString(m), n, group(r.Bytes), percent(r.Bytes, r.Raw))
		}
		if line != "" {
			fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.5"/>%s`+"\n", line, l.colour, marks)
		}
	}
}

// tick is a round distance between lines of a scale of some five of them.
func tick(top float64) float64 {
	if top <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(top/4)))
	for _, f := range []float64{1, 2, 5} {
		if top/(f*power) <= 5 {
			return f * power
		}
	}
	return 10 * power
}

// size is bytes for a scale.
func size(bytes float64) string {
	switch {
	case bytes >= 1e6:
		return fmt.Sprintf("%.4g MB", bytes/1e6)
	case bytes >= 1e3:
		return fmt.Sprintf("%.4g kB", bytes/1e3)
	default:
		return fmt.Sprintf("%.4g B", bytes)
	}
}
