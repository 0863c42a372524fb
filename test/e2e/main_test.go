// Package e2e plays the real binary as a user would: real files, sockets,
// processes and a real kernel.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/test/harness"
)

// The programs, built once.
var vigil, shop, shopStripped string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "vigil-e2e-")
	if err != nil {
		panic(err)
	}
	vigil, shop, shopStripped = filepath.Join(dir, "vigil"), filepath.Join(dir, "shop"), filepath.Join(dir, "shop-stripped")
	if err := errors.Join(
		harness.Build(context.Background(), harness.Agent, vigil),
		harness.Build(context.Background(), harness.Shop, shop),
		harness.Build(context.Background(), harness.Shop, shopStripped, "-ldflags=-s -w"),
	); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // other users run the programs too
		panic(err)
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		panic(err)
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// folder is where one agent keeps everything.
type folder struct {
	dir  string
	env  []string            // added to the agent's environment
	user *syscall.Credential // nil means this one
}

func newFolder(t *testing.T, env ...string) folder {
	t.Helper()
	dir, err := os.MkdirTemp("", "vigil-e2e-") //nolint:usetesting // t.TempDir may be too long for a unix socket
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return folder{dir: dir, env: env}
}

func (f folder) path(name string) string { return filepath.Join(f.dir, name) }

// configure writes vigil.yaml; DIR stands for the folder.
func (f folder) configure(t *testing.T, yaml string) {
	t.Helper()
	yaml = "run_path: DIR/state\napi: {socket: DIR/vigil.sock}\n" + yaml
	require.NoError(t, os.WriteFile(f.path("vigil.yaml"), []byte(strings.ReplaceAll(yaml, "DIR", f.dir)), 0o600))
}

// start runs a verb of the agent with the folder's configuration.
func (f folder) start(t *testing.T, args ...string) *harness.Process {
	t.Helper()
	p, err := harness.Start(harness.Options{
		Path: vigil, Args: slices.Concat(args[:1], []string{"--config", f.path("vigil.yaml")}, args[1:]), Env: f.env, User: f.user, Stderr: f.path(args[0] + ".log"), Stdout: f.path(args[0] + ".out"),
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		err := p.Stop(15 * time.Second)
		if err != nil || t.Failed() {
			log, _ := os.ReadFile(f.path(args[0] + ".log"))
			t.Logf("%s.log:\n%s", args[0], log)
		}
		require.NoError(t, err)
	})
	return p
}

// run starts the agent and waits until every engine that is asked for does its
// job.
func (f folder) run(t *testing.T, args ...string) *harness.Process {
	t.Helper()
	p := f.start(t, append([]string{"run"}, args...)...)
	client := api.NewClient(f.path("vigil.sock"))
	require.Eventually(t, func() bool {
		_, err := client.Get(t.Context(), "/ready")
		return err == nil
	}, 20*time.Second, 10*time.Millisecond, "the agent is not ready")
	return p
}

func freePort(t *testing.T) string {
	t.Helper()
	ports, err := harness.FreePorts(1)
	require.NoError(t, err)
	return ports[0]
}

// TestScripts plays command lines, right ones and wrong ones, and compares what
// a person sees.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("SHOP", shop)
			env.Setenv("SHOP_STRIPPED", shopStripped)
			env.Setenv("PATH", os.Getenv("PATH"))
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "bpf" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return bpf.Supported() == nil || os.Getenv("VIGIL_REQUIRE_BPF") == "1", nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"occupy": occupy,
			"sample": sample,
		},
	})
}
