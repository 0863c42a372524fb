package binary

import (
	"fmt"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// Identity tells one version of a file from another: when any of it changes,
// what was read from the file no longer holds.
type Identity struct {
	Dev, Inode uint64
	// Size is in bytes, ModTime in nanoseconds since the Unix epoch.
	Size, ModTime int64
}

// IdentityOf reads the identity of an open file.
func IdentityOf(f *os.File) (Identity, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return Identity{}, fmt.Errorf("stat %s: %w", f.Name(), err)
	}
	return Identity{Dev: st.Dev, Inode: st.Ino, Size: st.Size, ModTime: st.Mtim.Nano()}, nil
}

// mapFile maps a whole open file read-only.
func mapFile(f *os.File) (data []byte, id Identity, err error) {
	if id, err = IdentityOf(f); err != nil {
		return nil, Identity{}, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, Identity{}, fmt.Errorf("%s: %w", f.Name(), ErrNotELF)
	}
	if id.Size == 0 || id.Size != int64(int(id.Size)) {
		return nil, Identity{}, fmt.Errorf("%s: %d bytes: %w", f.Name(), id.Size, ErrNotELF)
	}
	data, err = unix.Mmap(int(f.Fd()), 0, int(id.Size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, Identity{}, fmt.Errorf("map %s: %w", f.Name(), err)
	}
	return data, id, nil
}

// guard turns a panic of the calling function into an error, for functions that
// read the mapping or hand it to a library: a file that is cut while it is
// mapped faults on access, and a damaged one must not take the agent down.
//
//	defer guard(&err)()
func guard(err *error) func() {
	old := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(old)
		if r := recover(); r != nil {
			*err = fmt.Errorf("%w (%v)", ErrCorrupt, r)
		}
	}
}
