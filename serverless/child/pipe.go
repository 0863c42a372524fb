package child

import (
	"syscall"
	"unsafe"
)

// pipeLength is how many bytes wait in the pipe (FIONREAD of pipe(7), which the
// syscall package calls TIOCINQ).
func pipeLength(fd uintptr) (int, error) {
	var n int32
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&n))); errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
