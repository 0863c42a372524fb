package simulate

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vigil-agent/vigil/serverless/microvm"
)

const (
	// markVariable is how the processes of a machine are recognised, whatever
	// group or session they move to.
	markVariable = "VIGIL_SIMULATE_MACHINE"
	// portMark in an argument or a variable stands for the hook port.
	portMark = "{port}"
	// outputGrace is how long output is read on after the entrypoint has ended,
	// should another process still hold the pipe.
	outputGrace = 500 * time.Millisecond
	// killWait is how long a killed process may take to be gone.
	killWait = 5 * time.Second
)

// ErrStart says that the entrypoint could not be started.
var ErrStart = errors.New("the entrypoint could not be started")

// machine is one running copy of the image.
type machine struct {
	number    int
	port      int
	mark      string
	cmd       *exec.Cmd
	ended     chan struct{} // closed when the entrypoint has ended and is reaped
	endedAt   time.Time
	collector *collector
}

// boot starts the entrypoint as the platform starts an image.
func boot(cfg *Config, env []string, number int, begin time.Time) (*machine, error) {
	m := &machine{number: number, port: cfg.Port, mark: markVariable + "=" + rand.Text(), ended: make(chan struct{})}
	if m.port == 0 {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		m.port = port
	}
	if taken := listeners(m.port); len(taken) > 0 {
		return nil, fmt.Errorf("%w: port %d is in use already; end the process that holds it (`ss -ltnp` names it), or choose another --port", ErrStart, m.port)
	}
	var err error
	if m.collector, err = newCollector(number, begin); err != nil {
		return nil, err
	}
	m.cmd = exec.Command(m.expand(cfg.Command[0]), m.expandAll(cfg.Command[1:])...)
	m.cmd.Env = append(os.Environ(), m.environment(cfg)...)
	m.cmd.Env = append(m.cmd.Env, m.expandAll(env)...)
	m.cmd.Dir = cfg.Dir
	m.cmd.Stdout, m.cmd.Stderr = output(cfg.Stdout), output(cfg.Stderr)
	m.cmd.WaitDelay = outputGrace
	// A session of its own: no terminal's Ctrl-C reaches it, and its processes
	// have a number in common.
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := m.cmd.Start(); err != nil {
		m.collector.stop()
		return nil, fmt.Errorf("%w: %w; check the command and that the file is executable", ErrStart, err)
	}
	go m.reap()
	return m, nil
}

func output(w io.Writer) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}

// handedOut are the ports freePort gave, so that two simulations in one process
// never get the same one before their entrypoints have bound it.
var handedOut sync.Map

// freePortTries bounds the search for a port that was not handed out before.
const freePortTries = 1000

// Ports are looked for below those that the kernel gives to outgoing connections
// (net.ipv4.ip_local_port_range, from 32768), which come and go meanwhile.
const firstPort, portsEnd = 20000, 32768

func freePort() (int, error) {
	for range freePortTries {
		port := firstPort + mathrand.IntN(portsEnd-firstPort)
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue // taken
		}
		_ = ln.Close()
		if _, taken := handedOut.LoadOrStore(port, true); !taken {
			return port, nil
		}
	}
	handedOut.Clear() // long-lived callers use them all up in the end
	return 0, errors.New("find a free port: every one tried was in use lately; try again")
}

// environment is what the platform and an agent's configuration add.
func (m *machine) environment(cfg *Config) []string {
	return []string{
		m.mark,
		microvm.EnvImageARN + "=" + cfg.ImageARN,
		microvm.EnvImageVersion + "=" + cfg.ImageVersion,
		"DD_AWS_MICROVM_LIFECYCLE_PORT=" + strconv.Itoa(m.port),
		"DD_DOGSTATSD_URL=" + m.collector.url(),
		"VIGIL_METRICS_API_URL=" + m.collector.apiURL(),
	}
}

func (m *machine) expand(text string) string {
	return strings.ReplaceAll(text, portMark, strconv.Itoa(m.port))
}

func (m *machine) expandAll(texts []string) []string {
	expanded := make([]string, len(texts))
	for i, text := range texts {
		expanded[i] = m.expand(text)
	}
	return expanded
}

// reap is owned by putAway, which waits for it.
func (m *machine) reap() {
	_ = m.cmd.Wait() // the state says more than the error
	m.endedAt = time.Now()
	close(m.ended)
}

// alive reports that the entrypoint has not ended.
func (m *machine) alive() bool {
	select {
	case <-m.ended:
		return false
	default:
		return true
	}
}

// code is the exit code, 128 plus the signal number for a signal; call it when
// ended is closed.
func (m *machine) code() int {
	status, ok := m.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return m.cmd.ProcessState.ExitCode()
}

// root is the entrypoint's pid, or noRoot once it is reaped and the number may
// be another process's; the rest of the machine is then known by its mark.
func (m *machine) root() int {
	if m.alive() {
		return m.cmd.Process.Pid
	}
	return noRoot
}

// freeze stops every process for d, or until ctx ends. From and to are when the
// last one stood still and when the first one may go on.
func (m *machine) freeze(ctx context.Context, d time.Duration) (from, to time.Time) {
	stopAll(m.root, m.mark)
	from = time.Now()
	sleep(ctx, d)
	to = time.Now()
	for _, p := range slices.Backward(members(m.root(), m.mark)) { // children first: a parent must not find them stopped
		_ = syscall.Kill(p.pid, syscall.SIGCONT) // it may have been killed
	}
	return from, to
}

// stop sends SIGTERM to the entrypoint alone and waits for its end at most
// patience. The names are those of the processes that outlived it.
func (m *machine) stop(ctx context.Context, patience time.Duration) (took time.Duration, left []string, inTime bool) {
	begin := time.Now()
	_ = m.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-m.ended:
	case <-ctx.Done():
		return time.Since(begin), nil, false
	}
	for _, p := range members(m.root(), m.mark) {
		left = append(left, p.String())
	}
	return m.endedAt.Sub(begin), left, true
}

// putAway ends whatever is left of the machine and returns its samples. It waits
// until the entrypoint is reaped and every other process is gone.
func (m *machine) putAway() ([]Sample, error) {
	deadline := time.Now().Add(killWait)
	for {
		left := members(m.root(), m.mark)
		for _, p := range left {
			_ = syscall.Kill(p.pid, syscall.SIGKILL) // it may have ended
		}
		if len(left) == 0 && !m.alive() {
			return m.collector.stop(), nil
		}
		if time.Now().After(deadline) {
			return m.collector.stop(), fmt.Errorf("processes of machine %d do not end on SIGKILL; they are held inside the kernel", m.number)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// sleep lets d pass, or less when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
