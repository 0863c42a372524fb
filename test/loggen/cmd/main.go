// Command cmd writes generated logs to standard output.
//
//	go run ./test/loggen/cmd -kind nginx -lines 100000 > nginx.log
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/vigil-agent/vigil/test/loggen"
)

func main() {
	kind := flag.String("kind", "nginx", "what service: "+strings.Join(loggen.Kinds(), ", "))
	lines := flag.Int("lines", 100_000, "how many logs")
	seed := flag.Uint64("seed", 1, "the same seed makes the same bytes")
	numbered := flag.Bool("numbered", false, "give every log its number, from 1 on")
	flag.Parse()
	g, err := loggen.New(*kind, *seed)
	if err == nil {
		if *numbered {
			g.Numbered(1)
		}
		err = g.Write(os.Stdout, *lines)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "loggen:", err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "drawn at random: %.0f bytes\n", g.Bits()/8)
}
