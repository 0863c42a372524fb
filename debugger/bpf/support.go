package bpf

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// ErrNotSupported is matched by every error that says this machine cannot run
// probes, as opposed to one probe being wrong.
var ErrNotSupported = errors.New("probes are not supported here")

// UnsupportedError says what is missing and what to do about it. It matches
// ErrNotSupported.
type UnsupportedError struct {
	// Missing is the feature or permission: "BPF ring buffer".
	Missing string
	// Hint is what to do: "run as root …".
	Hint string
	// Err is what the kernel answered.
	Err error
}

// Error names what is missing, the fix and the cause.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%v: %s: %v; %s", ErrNotSupported, e.Missing, e.Err, e.Hint)
}

// Unwrap makes both the sentinel and the cause visible to errors.Is.
func (e *UnsupportedError) Unwrap() []error { return []error{ErrNotSupported, e.Err} }

const hintPermission = "run as root, or grant CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE (setcap cap_bpf,cap_perfmon,cap_sys_ptrace+ep on the binary)"

// uprobePMU is where the kernel announces uprobes through perf_event_open.
const uprobePMU = "/sys/bus/event_source/devices/uprobe/type"

// Supported asks the kernel for what probes need and returns nil, or an error
// that matches ErrNotSupported. It looks at features, not at versions; a
// version in a hint is the first mainline kernel with the feature.
func Supported() error {
	for _, f := range []struct {
		name, since string
		have        func() error
	}{
		{"BPF programs for uprobes", "4.3", func() error { return features.HaveProgramType(ebpf.Kprobe) }},
		{"BPF ring buffer", "5.8", func() error { return features.HaveMapType(ebpf.RingBuf) }},
		{"BPF attach cookies", "5.15", func() error { return features.HaveProgramHelper(ebpf.Kprobe, asm.FnGetAttachCookie) }},
		{"bpf_loop", "5.17", func() error { return features.HaveProgramHelper(ebpf.Kprobe, asm.FnLoop) }},
		{"uprobes", "4.17 with CONFIG_UPROBE_EVENTS", haveUprobes},
	} {
		if err := f.have(); err != nil {
			return unsupported(f.name, f.since, err)
		}
	}
	return nil
}

// unsupported turns the kernel's answer about a feature into advice.
func unsupported(name, since string, err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return &UnsupportedError{Missing: "permission to load " + name, Hint: hintPermission, Err: err}
	}
	return &UnsupportedError{Missing: name, Hint: "use Linux " + since + " or later", Err: err}
}

func haveUprobes() error {
	if haveUprobeMulti() {
		return nil
	}
	_, err := os.Stat(uprobePMU)
	return err
}

// haveUprobeMulti reports whether one link can hold all sites of a process.
// Before Linux 6.10 such a link compared threads, not processes, with the pid
// it was asked for, which in a Go program misses nearly every hit. Those
// kernels are told apart as libbpf does it: the fix also rejects a pid that is
// negative as an int before it looks at the path.
func haveUprobeMulti() bool {
	if features.HaveBPFLinkUprobeMulti() != nil {
		return false
	}
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name:         "vigil_multi_pid",
		Type:         ebpf.Kprobe,
		AttachType:   ebpf.AttachTraceUprobeMulti,
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
		License:      "GPL",
	})
	if err != nil {
		return false
	}
	defer func() { _ = prog.Close() }() // nothing is attached to it
	ex, err := link.OpenExecutable("/")
	if err != nil {
		return false
	}
	l, err := ex.UprobeMulti(nil, prog, &link.UprobeMultiOptions{Addresses: []uint64{1}, PID: ^uint32(0)})
	if err == nil {
		_ = l.Close()
		return false
	}
	return errors.Is(err, unix.EINVAL)
}
