package harness

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// ClockEnv names the clock file to a program that BuildWithClock has built.
const ClockEnv = "VIGIL_TEST_CLOCK"

// clockSource is added to the time package: seconds that are read from memory
// shared with the clock file.
const clockSource = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var clockShift = func() *int64 {
	path, ok := syscall.Getenv("` + ClockEnv + `")
	if !ok {
		return new(int64)
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		panic("open the clock: " + err.Error())
	}
	shared, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("map the clock: " + err.Error())
	}
	return (*int64)(unsafe.Pointer(&shared[0]))
}()

func shiftedNow() (sec int64, nsec int32, mono int64) {
	sec, nsec, mono = runtimeNow()
	return sec + atomic.LoadInt64(clockShift), nsec, mono
}
`

// BuildWithClock is Build for a program whose wall clock can be moved: the rest of
// the machine keeps its own. Its time package differs from the shipped one in
// where Now takes the seconds from.
func BuildWithClock(ctx context.Context, pkg, out string, flags ...string) error {
	dir, err := os.MkdirTemp("", "vigil-clock-")
	if err != nil {
		return fmt.Errorf("build with a clock: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is in the folder of temporary files
	overlay, err := clockOverlay(ctx, dir)
	if err != nil {
		return fmt.Errorf("build with a clock: %w", err)
	}
	return Build(ctx, pkg, out, append([]string{"-overlay", overlay}, flags...)...)
}

// clockOverlay writes what replaces files of the standard library, and returns the
// file that says so.
func clockOverlay(ctx context.Context, dir string) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	place := filepath.Join(string(bytes.TrimSpace(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(place, "time.go"))
	if err != nil {
		return "", err
	}
	call := []byte("\nfunc Now() Time {\n\tsec, nsec, mono := runtimeNow()\n")
	if bytes.Count(source, call) != 1 {
		return "", errors.New("this Go version reads its clock in another way: look at time.Now and adapt this function")
	}
	source = bytes.Replace(source, call, bytes.Replace(call, []byte("runtimeNow"), []byte("shiftedNow"), 1), 1)
	replace := map[string]string{}
	for name, text := range map[string][]byte{"time.go": source, "clock_shift.go": []byte(clockSource)} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return "", err
		}
		replace[filepath.Join(place, name)] = path
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

// Clock moves the wall clock of programs built by BuildWithClock and started with
// its Env.
type Clock struct{ path string }

// NewClock makes a clock file that says what the machine's clock says.
func NewClock(path string) (Clock, error) {
	c := Clock{path}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return c, fmt.Errorf("make a clock: %w", err)
	}
	return c, c.Shift(0)
}

// Env is the variable that makes a program take this clock.
func (c Clock) Env() string { return ClockEnv + "=" + c.path }

// Shift makes the clock differ by d, in whole seconds, from the machine's.
func (c Clock) Shift(d time.Duration) error {
	file, err := os.OpenFile(c.path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("move the clock: %w", err)
	}
	_, err = file.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(d/time.Second)), 0)
	return errors.Join(err, file.Close())
}
