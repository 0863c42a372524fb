package usage

import (
	"path"
	"slices"
	"strconv"
	"strings"
)

// mount is one mounted cgroup hierarchy.
type mount struct {
	// dir is the mount point, root the group that is mounted there.
	dir, root string
	// v2 tells the unified hierarchy from one of version 1, which has controllers.
	v2          bool
	controllers []string
}

// parseMounts finds the cgroup hierarchies in a mountinfo file (proc_pid_mountinfo(5)).
// Lines that have not the documented form are left out.
func parseMounts(mountinfo string) []mount {
	var list []mount
	for line := range strings.Lines(mountinfo) {
		left, right, ok := strings.Cut(line, " - ")
		where, what := strings.Fields(left), strings.Fields(right)
		if !ok || len(where) < 5 || len(what) < 1 {
			continue
		}
		m := mount{root: unescape(where[3]), dir: unescape(where[4])}
		switch what[0] {
		case "cgroup2":
			m.v2 = true
		case "cgroup":
			if len(what) >= 3 {
				m.controllers = strings.Split(what[2], ",")
			}
		default:
			continue
		}
		list = append(list, m)
	}
	return list
}

// unescape undoes the octal escapes of a mountinfo field.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// has reports the hierarchy of a version 1 controller.
func (m mount) has(controller string) bool { return slices.Contains(m.controllers, controller) }

// group is the path of this process in hierarchy m, from /proc/self/cgroup
// (cgroups(7)); empty when it is not listed.
func group(cgroups string, m mount) string {
	for line := range strings.Lines(cgroups) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		if m.v2 && parts[0] == "0" && parts[1] == "" {
			return parts[2]
		}
		if !m.v2 && parts[1] != "" && slices.ContainsFunc(strings.Split(parts[1], ","), m.has) {
			return parts[2]
		}
	}
	return ""
}

// at is the directory of group in hierarchy m, below the mount point. A group
// outside of what is mounted, as a container sees it, is the mount point itself.
func (m mount) at(group string) string {
	below, ok := strings.CutPrefix(group, strings.TrimSuffix(m.root, "/"))
	if !ok || strings.HasPrefix(group, "/..") || (below != "" && below[0] != '/') {
		below = ""
	}
	return strings.TrimPrefix(path.Join("/", m.dir, path.Clean("/"+below)), "/")
}
