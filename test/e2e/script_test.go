package e2e

import (
	"errors"
	"net"
	"os/exec"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vigil-agent/vigil/test/harness"
)

// exits runs a program that must end with the given code: `exits 78 vigil run`.
// Its output is compared with the usual stdout and stderr.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v did not run: %v", args[1:], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v ended with %d, not %d", args[1:], got, want)
	}
}

// occupy listens on a port of loopback until the script ends and puts its
// address into a variable: `occupy ADDRESS`.
func occupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: occupy VARIABLE")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { ts.Check(listener.Close()) })
	ts.Setenv(args[0], listener.Addr().String())
}

// sample starts a program until the script ends and puts its pid into a
// variable: `sample PID PROGRAM ARGS...`.
func sample(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sample VARIABLE PROGRAM ARGS...")
	}
	p, err := harness.Start(harness.Options{Path: args[1], Args: args[2:]})
	ts.Check(err)
	ts.Defer(func() { ts.Check(p.Kill()) })
	ts.Setenv(args[0], strconv.Itoa(p.PID()))
}
