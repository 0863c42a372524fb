package control

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/target"
)

var buildDir string

func TestMain(m *testing.M) {
	var err error
	if buildDir, err = os.MkdirTemp("", "vigil-control"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(buildDir)
		os.Exit(code)
	}))
}

const (
	wait = 20 * time.Second
	tick = 5 * time.Millisecond
)

// shopBinary builds the engine's fixture once.
var shopBinary = sync.OnceValues(func() (string, error) {
	out := filepath.Join(buildDir, "shop")
	text, err := exec.Command("go", "build", "-o", out, "../testdata/shop").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the shop: %w\n%s", err, text)
	}
	return out, nil
})

// startShop runs the fixture until the end of the test, or until end is called.
func startShop(t *testing.T) (p target.Process, end func()) {
	t.Helper()
	exe, err := shopBinary()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	end = sync.OnceFunc(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	t.Cleanup(end)
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	p, err = target.Inspect(cmd.Process.Pid)
	require.NoError(t, err)
	return p, end
}

// fakeSession is the kernel's side under the control of a test.
type fakeSession struct {
	probes []bpf.Probe
	events chan *event.Event
	// attachErr is what Attach fails with; readErr what the next Read does.
	attachErr error

	mu       sync.Mutex
	readErr  error
	attached map[int]string
	numbers  map[int]uint32
	closed   bool
	before   Session
	inCharge bool
	wake     chan struct{}
}

func newFake(probes []bpf.Probe, before Session) *fakeSession {
	return &fakeSession{probes: probes, before: before, inCharge: before == nil, events: make(chan *event.Event, 100), attached: map[int]string{}, numbers: map[int]uint32{}, wake: make(chan struct{}, 1)}
}

func (f *fakeSession) Attach(path string, pid int, number uint32) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.attachErr != nil {
		return f.attachErr
	}
	f.attached[pid], f.numbers[pid] = path, number
	return nil
}

func (f *fakeSession) DetachPID(pid int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.attached, pid)
	return nil
}

func (f *fakeSession) Read(deadline time.Time, fn func(*event.Event)) error {
	f.mu.Lock()
	err := f.readErr
	f.readErr = nil
	f.mu.Unlock()
	if err != nil {
		return err
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	for {
		select {
		case e := <-f.events:
			fn(e)
			continue
		default:
		}
		select {
		case e := <-f.events:
			fn(e)
		case <-timer.C:
			return nil
		case <-f.wake:
			return nil
		}
	}
}

func (f *fakeSession) Interrupt() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *fakeSession) Stats() ([]bpf.ProbeStats, error) {
	out := make([]bpf.ProbeStats, len(f.probes))
	for i := range out {
		out[i] = bpf.ProbeStats{Hits: 10, Throttled: 4, RingFull: 2, NoScratch: 1, Incomplete: 3}
	}
	return out, nil
}

func (f *fakeSession) TakeOver() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inCharge = true
	return nil
}

func (f *fakeSession) Mode() string { return "fake" }

func (f *fakeSession) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

func (f *fakeSession) pids() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []int
	for pid := range f.attached {
		out = append(out, pid)
	}
	return out
}

// hit is an event of the first probe in a process. The kernel may number
// processes differently: only the number it was attached with counts.
func (f *fakeSession) hit(pid int) *event.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &event.Event{PID: 1, Target: f.numbers[pid], GoID: 1, Items: []event.Item{{Data: make([]byte, 64)}}}
}
