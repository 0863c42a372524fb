package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// first is what must happen before the first probe is in place.
type first struct {
	Program string `json:"program"`
	// Size is that of the file, in bytes.
	Size int64 `json:"bytes"`
	// Seconds is the median from opening the file to the probe in the kernel.
	Seconds float64 `json:"seconds"`
	// PeakRSS is the most memory the process had resident in bytes, of which File
	// were pages of files, which the kernel takes back when it needs them.
	PeakRSS int64 `json:"peak_rss"`
	// Anonymous is what it had resident at the end beside those.
	Anonymous int64 `json:"anonymous"`
}

// probed is a function with many types that all large programs have.
const probed = "net/http.(*Client).do"

// armed is the environment variable with the path of the file that this program
// places a probe in, when it was started by arm.
const armed = "VIGIL_BENCH_ARM"

// measureFirst places the first probe with a process of its own each time.
func measureFirst(ctx context.Context, programs []string, o options) ([]first, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all []first
	for _, path := range programs {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		var some []first
		for range o.rounds {
			progress("first probe in " + filepath.Base(path))
			cmd := exec.CommandContext(ctx, self)
			cmd.Env = append(os.Environ(), armed+"="+path)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				return nil, fmt.Errorf("place the first probe in %s: %w", path, err)
			}
			var one first
			if err := json.Unmarshal(out, &one); err != nil {
				return nil, fmt.Errorf("place the first probe in %s: %w", path, err)
			}
			one.Program, one.Size = filepath.Base(path), info.Size()
			some = append(some, one)
		}
		slices.SortFunc(some, func(a, b first) int { return int(1e9 * (a.Seconds - b.Seconds)) })
		all = append(all, some[len(some)/2])
	}
	return all, nil
}

// arm places the probe in every process that runs the file, and prints what it
// took.
func arm(path string) (err error) {
	begin := time.Now()
	bin, err := binary.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bin.Close()) }()
	p, err := plan.Resolve(bin, plan.Definition{ProbeID: "first", Function: probed})
	if err != nil {
		return err
	}
	if err := plan.Compile(p); err != nil {
		return err
	}
	if _, err := snapshot.NewLayout(p, snapshot.Redaction{}); err != nil {
		return err
	}
	bin.ReleaseDebugInfo()
	s, err := bpf.Load(bpf.Options{}, []bpf.Probe{{Plan: p, PerSecond: 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Attach(bin.OpenPath(), 0, 0); err != nil {
		return err
	}
	f := first{Seconds: time.Since(begin).Seconds()}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		key, value, _ := strings.Cut(line, ":")
		var kib int64
		switch key {
		case "VmHWM", "RssAnon":
			if _, err := fmt.Sscanf(value, "%d kB", &kib); err != nil {
				return fmt.Errorf("read %s: %w", key, err)
			}
		}
		switch key {
		case "VmHWM":
			f.PeakRSS = kib << 10
		case "RssAnon":
			f.Anonymous = kib << 10
		}
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// programs builds a large and a very large program, the latter unoptimised and
// with debug information that is not compressed; they are kept in the user's
// cache directory.
func programs(ctx context.Context) ([]string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	dir := filepath.Join(base, "vigil-fixtures")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/vigil-agent/vigil/test").Output()
	if err != nil {
		return nil, fmt.Errorf("find the servers of the tests (run it in the repository): %w", err)
	}
	servers := filepath.Join(strings.TrimSpace(string(module)), "realworld", "testdata", "servers")
	command, large := filepath.Join(dir, "go-"+runtime.Version()), filepath.Join(dir, "caddy-large")
	for _, b := range []struct {
		dir, out, pkg string
		flags         []string
	}{
		{servers, command, "cmd/go", nil},
		{servers, large, "github.com/caddyserver/caddy/v2/cmd/caddy", []string{"-trimpath", "-gcflags=all=-N -l", "-ldflags=-compressdwarf=false"}},
	} {
		progress("building " + filepath.Base(b.out))
		if _, err := os.Stat(b.out); err == nil {
			continue
		}
		cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-mod=readonly", "-buildvcs=false", "-o", b.out}, b.flags...), b.pkg)...)
		cmd.Dir = b.dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
		if text, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w\n%s", b.pkg, err, text)
		}
	}
	return []string{command, large}, nil
}
