package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Floors of what the engines need.
const (
	// minKernel* is the first kernel with bpf_loop, which the stack walk uses.
	minKernelMajor, minKernelMinor = 5, 17
	// minOpenFiles leaves a descriptor for each of a thousand tailed files.
	minOpenFiles = 4096
)

func kernel(needed bool) Finding {
	const name = "kernel"
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return bad(name, err.Error(), "", needed)
	}
	release := unix.ByteSliceToString(uts.Release[:])
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return bad(name, "release "+release+" is not understood", "report it as a bug, with the output of `uname -r`", needed)
	}
	if major < minKernelMajor || major == minKernelMajor && minor < minKernelMinor {
		return bad(name, fmt.Sprintf("%s, the debugger needs %d.%d", release, minKernelMajor, minKernelMinor), "upgrade the kernel, or set debugger.enabled: false", needed)
	}
	return good(name, release, needed)
}

// btfFile describes the kernel's own types. Only probes on kernel types need
// it, so its absence is good to know and no more.
const btfFile = "/sys/kernel/btf/vmlinux"

func btf(bool) Finding {
	if _, err := os.Stat(btfFile); err != nil {
		return bad("BTF", err.Error(), "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y; the debugger works without it", false)
	}
	return good("BTF", btfFile, false)
}

// capabilityBits are those a probe needs, with their numbers in
// linux/capability.h. SYS_ADMIN alone stands for both (kernel < 5.8 habits).
var capabilityBits = []struct {
	name string
	bit  uint
}{{"CAP_BPF", unix.CAP_BPF}, {"CAP_PERFMON", unix.CAP_PERFMON}, {"CAP_SYS_PTRACE", unix.CAP_SYS_PTRACE}}

func capabilities(needed bool) Finding {
	const name = "capabilities"
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return bad(name, err.Error(), "", needed)
	}
	effective := uint64(data[1].Effective)<<32 | uint64(data[0].Effective)
	if effective&(1<<unix.CAP_SYS_ADMIN) != 0 {
		return good(name, "CAP_SYS_ADMIN", needed)
	}
	var missing []string
	for _, c := range capabilityBits {
		if effective&(1<<c.bit) == 0 {
			missing = append(missing, c.name)
		}
	}
	if len(missing) > 0 {
		return bad(name, "missing "+strings.Join(missing, ", "), "run as root, or `setcap cap_bpf,cap_perfmon,cap_sys_ptrace+ep $(command -v vigil)`", needed)
	}
	return good(name, "CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE", needed)
}

func bpf(needed bool, supported func() error) Finding {
	if err := supported(); err != nil {
		return bad("BPF probes", err.Error(), "see the items above", needed)
	}
	return good("BPF probes", "a probe program loads and attaches here", needed)
}

func openFiles(needed bool) Finding {
	const name = "open files"
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return bad(name, err.Error(), "", needed)
	}
	if limit.Max < minOpenFiles {
		return bad(name, fmt.Sprintf("limit %d", limit.Max), fmt.Sprintf("`ulimit -Hn %d` before the start, or LimitNOFILE=%d in the systemd unit", minOpenFiles, minOpenFiles), needed)
	}
	return good(name, fmt.Sprintf("limit %d", limit.Max), needed)
}

// writable says whether the agent could keep state in dir, which it creates
// when it is missing.
func writable(key, dir string, needed bool) Finding {
	existing := dir
	for {
		if _, err := os.Stat(existing); err == nil || existing == filepath.Dir(existing) {
			break
		}
		existing = filepath.Dir(existing)
	}
	if err := unix.Access(existing, unix.W_OK|unix.X_OK); err != nil {
		return bad(key, fmt.Sprintf("%s: %v", existing, err), fmt.Sprintf("`install -d -o $(id -un) %s` as root, or set %s to a directory you may write", dir, key), needed)
	}
	return good(key, dir+" is writable", needed)
}
