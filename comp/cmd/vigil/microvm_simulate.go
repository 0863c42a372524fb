package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/vigil-agent/vigil/serverless/simulate"
)

// simulateFlags are what a person can say about a simulation.
type simulateFlags struct {
	cfg       simulate.Config
	scenarios []string
	timeouts  []string
	slow      bool
	list      bool
	asJSON    bool
	output    bool
}

func newSimulate() *cobra.Command {
	f := simulateFlags{cfg: simulate.DefaultConfig()}
	cmd := &cobra.Command{
		Use:   "simulate [flags] -- CMD ARGS...",
		Short: "Play the MicroVM platform against an image's entrypoint and judge it rule by rule",
		Long: `Start the entrypoint of a MicroVM image on this machine, call its lifecycle hooks in every order the
platform may, freeze it, reclaim and clone it, and print a verdict per rule: ✓ kept, ✗ violated, – not judged.
No agent and no privileges are needed. The heartbeat rules are judged when the image sends heartbeats over
DogStatsD or, as vigil can, to the Datadog API; the simulator passes its own addresses in DD_DOGSTATSD_URL and
VIGIL_METRICS_API_URL.

Without --scenario every built-in scenario is played; --slow adds those that wait for half a minute. A
scenario is a text file, a step a line:

  ready
  run id=mvm-1
  suspend
  expect status=200 within=2s
  freeze 3s
  resume

Exit codes: 0 every rule is kept, 1 one is violated, 2 wrong usage or a mistake in a scenario.`,
		Example: `  vigil microvm simulate -- /app/entrypoint.sh
  vigil microvm simulate --expect-heartbeat --slow -- vigil run --config vigil.yaml
  vigil microvm simulate --port 0 --timeout suspend=2s -- ./server --hooks 0.0.0.0:{port}
  vigil microvm simulate --scenario life --scenario mine.scenario --json -- ./server
  vigil microvm simulate --list`,
		RunE: f.run,
	}
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.scenarios, "scenario", "s", nil, "built-in scenario or file to play; may be repeated (default: all built-in ones)")
	flags.BoolVar(&f.slow, "slow", false, "play the slow built-in scenarios, too")
	flags.BoolVar(&f.list, "list", false, "list the built-in scenarios")
	flags.IntVarP(&f.cfg.Port, "port", "p", f.cfg.Port, "hook port of the image; 0 chooses one, {port} in the command stands for it")
	flags.StringArrayVar(&f.timeouts, "timeout", nil, "the platform's timeout of a hook, as HOOK=DURATION; may be repeated (default: "+spellTimeouts(f.cfg.Timeouts)+")")
	flags.BoolVar(&f.cfg.ExpectHeartbeat, "expect-heartbeat", false, "an image that sends no heartbeat violates the rules about it")
	flags.BoolVar(&f.cfg.AllowLoopback, "allow-loopback", false, "accept a hook port that is open on loopback only")
	flags.DurationVar(&f.cfg.SampleWindow, "sample-window", f.cfg.SampleWindow, "how long a metric may take to the wire")
	flags.DurationVar(&f.cfg.StopTimeout, "stop-timeout", f.cfg.StopTimeout, "how long the entrypoint may take to end after SIGTERM")
	flags.StringVar(&f.cfg.ImageARN, "image-arn", f.cfg.ImageARN, "AWS_LAMBDA_MICROVM_IMAGE_ARN of the entrypoint")
	flags.StringVar(&f.cfg.ImageVersion, "image-version", f.cfg.ImageVersion, "AWS_LAMBDA_MICROVM_IMAGE_VERSION of the entrypoint")
	flags.StringArrayVarP(&f.cfg.Env, "env", "e", nil, "variable for the entrypoint, as NAME=VALUE; may be repeated")
	flags.BoolVar(&f.output, "output", false, "copy the entrypoint's output to standard error")
	flags.BoolVar(&f.asJSON, "json", false, "print the report, or the list, as JSON")
	return cmd
}

func (f *simulateFlags) run(cmd *cobra.Command, args []string) error {
	if f.list {
		return listScenarios(cmd, f.asJSON)
	}
	if len(args) == 0 || cmd.ArgsLenAtDash() != 0 {
		return usageError("the image's entrypoint comes after --, as in `%s -- /app/entrypoint.sh`", cmd.CommandPath())
	}
	f.cfg.Command = args
	if f.output {
		f.cfg.Stdout, f.cfg.Stderr = cmd.ErrOrStderr(), cmd.ErrOrStderr()
	}
	if err := f.readTimeouts(); err != nil {
		return err
	}
	if err := checkEnv(f.cfg.Env); err != nil {
		return err
	}
	scenarios, err := f.load()
	if err != nil {
		return &exitError{code: exitUsage, err: err}
	}
	simulator, err := simulate.New(f.cfg, progress(cmd.ErrOrStderr()))
	if err != nil {
		return &exitError{code: exitUsage, err: err}
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	report, err := simulator.Run(ctx, scenarios)
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted; everything that was started is ended")
	}
	if err != nil {
		return err
	}
	if f.asJSON {
		err = printJSON(cmd, report)
	} else {
		_, err = io.WriteString(cmd.OutOrStdout(), report.Text())
	}
	if err == nil && !report.OK() {
		return &exitError{code: exitFailed}
	}
	return err
}

func (f *simulateFlags) readTimeouts() error {
	for _, text := range f.timeouts {
		name, value, ok := strings.Cut(text, "=")
		d, err := time.ParseDuration(value)
		if !ok || err != nil || d <= 0 {
			return usageError("--timeout %q is not HOOK=DURATION, as in suspend=5s", text)
		}
		if err := f.cfg.Timeouts.Set(name, d); err != nil {
			return usageError("--timeout: %w", err)
		}
	}
	return nil
}

func checkEnv(env []string) error {
	for _, text := range env {
		if name, _, ok := strings.Cut(text, "="); !ok || name == "" {
			return usageError("--env %q is not NAME=VALUE", text)
		}
	}
	return nil
}

// load finds the scenarios: a name of a built-in one, or a file.
func (f *simulateFlags) load() ([]*simulate.Scenario, error) {
	if len(f.scenarios) == 0 {
		return slices.DeleteFunc(slices.Clone(simulate.BuiltIn()), func(s *simulate.Scenario) bool { return s.Slow && !f.slow }), nil
	}
	var all []*simulate.Scenario
	var errs []error
	for _, name := range f.scenarios {
		s, err := loadScenario(name)
		errs = append(errs, err)
		all = append(all, s)
	}
	return all, errors.Join(errs...)
}

func loadScenario(name string) (*simulate.Scenario, error) {
	s, unknown := simulate.Find(name)
	if unknown == nil {
		return s, nil
	}
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !strings.ContainsRune(name, filepath.Separator) && filepath.Ext(name) == "":
		return nil, fmt.Errorf("%w (--list lists them)", unknown)
	case err != nil:
		return nil, fmt.Errorf("read the scenario: %w", err)
	default:
		return simulate.Parse(name, text)
	}
}

func listScenarios(cmd *cobra.Command, asJSON bool) error {
	type line struct {
		Name  string `json:"name"`
		Title string `json:"title"`
		Slow  bool   `json:"slow"`
	}
	var lines []line
	for _, s := range simulate.BuiltIn() {
		lines = append(lines, line{s.Name, s.Title, s.Slow})
	}
	if asJSON {
		return printJSON(cmd, lines)
	}
	for _, l := range lines {
		note := ""
		if l.Slow {
			note = " (--slow)"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%-21s %s%s\n", l.Name, l.Title, note)
	}
	return nil
}

func spellTimeouts(t simulate.Timeouts) string {
	return strings.Join(t.Spell(), ", ")
}

// progress keeps one line of a terminal up to date; elsewhere it is silent.
func progress(w io.Writer) simulate.Progress {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return simulate.Progress{}
	}
	const clear = "\r\x1b[K"
	place := ""
	return simulate.Progress{
		OnScenario: func(s *simulate.Scenario, number, of int) {
			place = fmt.Sprintf("%d/%d %s", number, of, s.Name)
		},
		OnStep: func(_ *simulate.Scenario, step *simulate.Step) {
			fmt.Fprintf(w, "%s%s, %s", clear, place, step)
		},
		OnEnd: func() { fmt.Fprint(w, clear) },
	}
}
