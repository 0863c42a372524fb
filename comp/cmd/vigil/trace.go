package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/vigil-agent/vigil/debugger"
	"github.com/vigil-agent/vigil/debugger/probe"
)

func newTrace() *cobra.Command {
	var asJSON, tree bool
	o := debugger.TraceOptions{}
	cmd := &cobra.Command{
		Use:   "trace PID FUNC|FILE:LINE",
		Short: "Watch a function or line of a running Go process; nothing is restarted, nothing is left behind",
		Long: `Put a probe on a function of a running, unmodified Go process and print every call: its arguments,
its goroutine and its stack; or on a line, with the locals that can be read there. The process is not
stopped; when the trace ends the probe is gone.

FUNC is a qualified Go name such as main.handle or net/http.(*Server).Serve, or the end of one that fits a
single function. FILE:LINE is a line with a statement; FILE may be the end of the path. No configuration is
needed; root is, or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE.

--returns waits for each call to return, and shows its results and how long it took. A function that ends by a
jump to another one, as wrappers and assembly do, "went on in" that one: its results are not there yet.

Every call pays for the probe, captured or not. A terminal shows what a hit costs, measured on this machine:
at a return some 16µs in a virtual machine, elsewhere mostly less than 1µs. "vigil probe explain" says so before.`,
		Example: `  sudo vigil trace 4242 'main.(*Server).handle'
  sudo vigil trace $(pidof app) main.checkout --limit 10 --tree
  sudo vigil trace 4242 main.checkout --returns
  sudo vigil trace 4242 checkout/cart.go:42
  sudo vigil trace 4242 main.checkout --json | jq .debugger.snapshot.captures`,
		Args: argsBetween(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			pid, err := strconv.Atoi(args[0])
			if err != nil || pid <= 0 {
				return usageError("%q is not a pid; usage: %s", args[0], cmd.UseLine())
			}
			if asJSON && tree {
				return usageError("--json and --tree are two forms of output; choose one")
			}
			if o.Limit < 0 || o.PerSecond < 0 {
				return usageError("--limit and --rate take numbers of 0 or more")
			}
			for _, f := range []struct {
				name        string
				have, bound int
			}{
				{"depth", o.Limits.Depth, probe.MaxDepth},
				{"length", o.Limits.Length, probe.MaxLength},
				{"elements", o.Limits.Collection, probe.MaxCollection},
			} {
				if f.have < 0 || f.have > f.bound {
					return usageError("--%s takes a number from 0, the default, to %d", f.name, f.bound)
				}
			}
			if _, _, line := probe.FileLine(args[1]); line && o.Returns {
				return usageError("--returns goes with a function: a line does not return")
			}
			o.PID, o.Function = pid, args[1]
			return trace(cmd, o, asJSON, tree)
		},
	}
	cmd.Flags().IntVarP(&o.Limit, "limit", "n", 0, "end after this many calls (0: at Ctrl-C)")
	cmd.Flags().Float64Var(&o.PerSecond, "rate", debugger.DefaultTracePerSecond, "calls captured a second; more are counted only")
	cmd.Flags().BoolVar(&o.Returns, "returns", false, "wait for each call to return; show results and duration")
	cmd.Flags().IntVar(&o.Limits.Depth, "depth", 0, "pointers followed, at most 32 (0: the default, 3)")
	cmd.Flags().IntVar(&o.Limits.Length, "length", 0, "bytes captured of a string, at most 8192 (0: the default, 255)")
	cmd.Flags().IntVar(&o.Limits.Collection, "elements", 0, "elements captured of a slice, array or map, at most 8192 (0: the default, 100)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print each snapshot as one line of JSON")
	cmd.Flags().BoolVar(&tree, "tree", false, "print every captured value on a line of its own")
	return cmd
}

// trace prints calls to standard output; what is said about the trace itself
// goes to standard error, and only to a terminal.
func trace(cmd *cobra.Command, o debugger.TraceOptions, asJSON, tree bool) error {
	ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	say := func(format string, args ...any) {
		if term.IsTerminal(unix.Stderr) {
			fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	o.OnReady = func(info debugger.TraceInfo) {
		anchors := make([]string, len(info.Sites))
		for i, site := range info.Sites {
			anchors[i] = fmt.Sprintf("%s %s (%s)", site.Kind, site.PC, site.Cost())
		}
		say("tracing %s (%s:%d) in pid %d at %s; Ctrl-C ends it", info.Function, info.File, info.Line, info.PID, strings.Join(anchors, ", "))
		for _, note := range info.Notes {
			// A person must know what a snapshot will lack, in a pipe too.
			fmt.Fprintln(cmd.ErrOrStderr(), "vigil: note:", note)
		}
	}
	o.OnSnapshot = func(hit debugger.Hit) {
		text := hit.Text
		switch {
		case asJSON:
			text = append(hit.JSON, '\n')
		case tree:
			text = hit.Tree
		}
		if _, err := cmd.OutOrStdout().Write(text); err != nil {
			cancel(fmt.Errorf("write a snapshot: %w", err))
		}
	}
	summary, err := debugger.Trace(ctx, o)
	if err != nil {
		return err
	}
	say("%d hits, %d shown, %d over the rate, %d lost", summary.Hits, summary.Snapshots, summary.Throttled, summary.Dropped)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		if errors.Is(cause, unix.EPIPE) {
			return nil // the reader has seen enough: `vigil trace ... | head`
		}
		return cause
	}
	if summary.End == debugger.TraceExited {
		say("the process has ended")
	}
	return nil
}
