package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/test/harness"
)

// needsBPF skips where the kernel or the user cannot carry probes.
func needsBPF(t *testing.T) {
	t.Helper()
	err := bpf.Supported()
	if err == nil {
		return
	}
	require.ErrorIs(t, err, bpf.ErrNotSupported)
	if os.Getenv("VIGIL_REQUIRE_BPF") == "1" {
		t.Fatalf("VIGIL_REQUIRE_BPF=1, but %v", err)
	}
	t.Skip(err)
}

// checkout is one call of the service's probed function.
type checkout struct {
	order, cents, count        int64
	customer, currency, coupon string
	express                    bool
}

// startShop starts the service and waits for its first order.
func startShop(t *testing.T) (pid int, logFile string) {
	t.Helper()
	logFile = filepath.Join(t.TempDir(), "shop.log")
	p, err := harness.Start(harness.Options{Path: shop, Args: []string{"-log", logFile, "-rate", "50"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Stop(5*time.Second)) })
	require.Eventually(t, func() bool { return len(printed(t, logFile)) > 0 }, 10*time.Second, 10*time.Millisecond)
	return p.PID(), logFile
}

var checkoutLine = regexp.MustCompile(`msg=checkout order=(\d+) customer=(\w+) cents=(\d+) currency=(\w+) express=(\w+) coupon=(\S+) count=(\d+)`)

// printed are the calls that the service itself printed, by order.
func printed(t *testing.T, logFile string) map[int64]checkout {
	t.Helper()
	text, err := os.ReadFile(logFile)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	calls := map[int64]checkout{}
	for _, m := range checkoutLine.FindAllStringSubmatch(string(text), -1) {
		c := checkout{
			order: number(t, m[1]), customer: m[2], cents: number(t, m[3]), currency: m[4],
			express: m[5] == "true", coupon: strings.Trim(m[6], `"`), count: number(t, m[7]),
		}
		calls[c.order] = c
	}
	return calls
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err)
	return n
}

// captured reads one snapshot.
func captured(t *testing.T, snapshot []byte) checkout {
	t.Helper()
	type value struct {
		Type, Value string
		Fields      map[string]json.RawMessage
	}
	var envelope struct {
		Service  string
		Debugger struct {
			Snapshot struct {
				Stack    []struct{ Function string }
				Captures struct {
					Entry struct {
						Arguments map[string]value
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(snapshot, &envelope), "%s", snapshot)
	arguments := envelope.Debugger.Snapshot.Captures.Entry.Arguments
	field := func(fields map[string]json.RawMessage, name string) value {
		var v value
		require.NoError(t, json.Unmarshal(fields[name], &v), "%s of %s", name, snapshot)
		return v
	}
	order := arguments["order"]
	require.Equal(t, "*main.Order", order.Type, "%s", snapshot)
	total := field(order.Fields, "Total")
	stack := envelope.Debugger.Snapshot.Stack
	require.GreaterOrEqual(t, len(stack), 3, "%s", snapshot)
	require.Equal(t, "main.(*shop).checkout", stack[0].Function)
	require.Equal(t, "main.(*shop).postOrder", stack[1].Function)
	return checkout{
		order:    number(t, field(order.Fields, "ID").Value),
		customer: field(order.Fields, "Customer").Value,
		cents:    number(t, field(total.Fields, "Cents").Value),
		currency: field(total.Fields, "Currency").Value,
		express:  field(order.Fields, "Express").Value == "true",
		coupon:   arguments["coupon"].Value,
		count:    number(t, arguments["count"].Value),
	}
}

func TestTraceReturnsWhatTheServicePrinted(t *testing.T) {
	needsBPF(t)
	pid, logFile := startShop(t)
	code := openText(t, pid)
	require.False(t, code.probed(t))
	const limit = 20
	cmd := exec.CommandContext(t.Context(), vigil, "trace", strconv.Itoa(pid), "main.(*shop).checkout", "--limit", strconv.Itoa(limit), "--json")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())

	var snapshots []checkout
	for line := range strings.Lines(string(out)) {
		snapshots = append(snapshots, captured(t, []byte(line)))
	}
	require.Len(t, snapshots, limit)
	time.Sleep(200 * time.Millisecond) // the service prints after it is probed
	calls := printed(t, logFile)
	for _, snapshot := range snapshots {
		require.Equal(t, calls[snapshot.order], snapshot)
	}
	require.False(t, code.probed(t), "the trace left a probe behind")
}

func TestTraceIsReadable(t *testing.T) {
	needsBPF(t)
	pid, _ := startShop(t)
	out, err := exec.CommandContext(t.Context(), vigil, "trace", strconv.Itoa(pid), "main.(*shop).checkout", "--limit", "1").Output()
	require.NoError(t, err)
	require.Regexp(t, `main\.\(\*shop\)\.checkout\(`, string(out))
	require.Regexp(t, `main\.\(\*shop\)\.postOrder`, string(out))
	require.Contains(t, string(out), `Currency:"EUR"`)
}

func TestProbeFromYAML(t *testing.T) {
	needsBPF(t)
	pid, logFile := startShop(t)
	f := newFolder(t)
	f.configure(t, fmt.Sprintf(`metrics: {statsd_address: ""}
debugger:
  enabled: true
  targets: [{pid: %d, service: corner-shop}]
  probes:
    - {id: checkout, version: 1, type: LOG_PROBE, language: go, captureSnapshot: true, where: {methodName: "main.(*shop).checkout"}, sampling: {snapshotsPerSecond: 50}}
  output: {type: file, path: DIR/snapshots.ndjson}
`, pid))
	code, agent := openText(t, pid), f.run(t)
	require.Eventually(t, func() bool { return code.probed(t) }, 20*time.Second, 10*time.Millisecond, "no probe is placed")
	var lines []string
	require.Eventually(t, func() bool {
		lines = readLines(t, f.path("snapshots.ndjson"))
		return len(lines) >= 10
	}, 20*time.Second, 50*time.Millisecond)
	require.NoError(t, agent.Stop(15*time.Second))
	time.Sleep(200 * time.Millisecond)
	calls := printed(t, logFile)
	for _, line := range lines[:10] {
		require.Contains(t, line, `"service":"corner-shop"`)
		snapshot := captured(t, []byte(line))
		require.Equal(t, calls[snapshot.order], snapshot)
	}
}

// A killed agent cannot clean up; the kernel does.
func TestKilledAgentLeavesNoProbe(t *testing.T) {
	needsBPF(t)
	pid, _ := startShop(t)
	f := newFolder(t)
	f.configure(t, fmt.Sprintf(`metrics: {statsd_address: ""}
debugger:
  enabled: true
  targets: [{pid: %d}]
  probes: [{id: checkout, version: 1, type: LOG_PROBE, language: go, captureSnapshot: true, where: {methodName: "main.(*shop).checkout"}}]
  output: {type: file, path: DIR/snapshots.ndjson}
`, pid))
	code, agent := openText(t, pid), f.run(t)
	probed := func() bool { return code.probed(t) }
	require.Eventually(t, probed, 20*time.Second, 10*time.Millisecond, "no probe is placed")
	require.NoError(t, agent.Kill())
	require.Eventually(t, func() bool { return !probed() }, 10*time.Second, 10*time.Millisecond, "the probe outlives the agent")
}

func readLines(t *testing.T, path string) []string {
	t.Helper()
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	var lines []string
	for reader := bufio.NewReader(file); ; {
		line, err := reader.ReadString('\n')
		if err != nil {
			return lines
		}
		lines = append(lines, line)
	}
}
