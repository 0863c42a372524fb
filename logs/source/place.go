package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/logs/registry"
)

// errNotRegular means that a name leads to a directory, pipe or device.
var errNotRegular = errors.New("not a regular file")

// openFile opens a log file and says what it is. A pipe that replaced the file
// does not block.
func openFile(path string) (f *os.File, key registry.Key, size int64, err error) {
	f, err = os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, registry.Key{}, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, errNotRegular)
	}
	if err != nil {
		return nil, registry.Key{}, 0, errors.Join(err, f.Close())
	}
	return f, keyOf(info), info.Size(), nil
}

// zfsMagic is not among the constants of x/sys.
const zfsMagic = 0x2fc12fc1

// isLocal says whether all changes of a file go through this kernel, which then
// reports them. Of file systems that are not known, and of those that others can
// change as well (network, FUSE), nothing is expected.
func isLocal(fd int) bool {
	var st unix.Statfs_t
	if err := unix.Fstatfs(fd, &st); err != nil {
		return false
	}
	switch int64(st.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, zfsMagic,
		unix.TMPFS_MAGIC, unix.RAMFS_MAGIC, unix.OVERLAYFS_SUPER_MAGIC:
		return true
	}
	return false
}

// keyOf is the place of a file on its disk.
func keyOf(info fs.FileInfo) registry.Key {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return registry.Key{}
	}
	return registry.Key{Device: uint64(st.Dev), Inode: st.Ino}
}

// readHead reads the bytes that identify a file, into into.
func readHead(f io.ReaderAt, into []byte) ([]byte, error) {
	n, err := f.ReadAt(into[:registry.FingerprintSize], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return into[:n], nil
}

// lastLine finds where the last line before size starts, so that reading from
// the end does not begin in the middle of one. It looks back at most limit
// bytes and else settles for size.
func lastLine(f io.ReaderAt, size, limit int64) (int64, error) {
	block := make([]byte, 16<<10)
	for end := size; end > 0 && size-end < limit; {
		start := max(0, end-int64(len(block)))
		text := block[:end-start]
		if n, err := f.ReadAt(text, start); err != nil && n < len(text) {
			return 0, err
		}
		if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		if start == 0 {
			return 0, nil
		}
		end = start
	}
	return size, nil
}
