// Command stress probes every function of a program under stack growth, garbage
// collection, preemption and 1,000 goroutines, with all returns, and kills the
// agent in the middle of it, again and again.
//
//	go run ./tasks bench stress [-minutes 10] [-round 20s]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"

	"github.com/vigil-agent/vigil/test/stress"
)

func main() {
	stress.Agent()
	minutes := flag.Float64("minutes", 10, "how long it goes on")
	round := flag.Duration("round", 20*time.Second, "how long an agent lives")
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), `usage: go run ./tasks bench stress [FLAGS]

Needs root. Each line is one agent: the instructions it had probed, the calls and
returns it saw, the events it decoded and lost, the work of the target meanwhile,
and what a call of a probed function took before, with the probes, and after the
agent was killed. A crash, a wrong result of the target or a breakpoint that is
left ends it with an error.

Flags:
`)
		flag.PrintDefaults()
		fmt.Fprint(flag.CommandLine.Output(), "\nExample:\n  go run ./tasks bench stress -minutes 1 -round 5s\n")
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, time.Duration(*minutes*float64(time.Minute)), *round)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench stress:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, length, round time.Duration) error {
	table := tabwriter.NewWriter(os.Stdout, 8, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "sites\tcalls\treturns\tdecoded\tlost\twork\tns before\tns probed\tns after\tafter/before\t\n")
	return stress.Run(ctx, length, round, func(r stress.Round) {
		fmt.Fprintf(table, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.2f\t\n", r.Sites, r.Hits, r.Returns, r.Decoded, r.Lost, r.Work,
			r.Before.Nanoseconds(), r.During.Nanoseconds(), r.After.Nanoseconds(), float64(r.After)/float64(r.Before))
		_ = table.Flush() // a line as soon as it is known
	})
}
