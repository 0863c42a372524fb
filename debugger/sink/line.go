package sink

import (
	"bytes"
	"io"
	"os"
)

// lineWriter writes whole lines. After a write that ended in the middle of a
// line, its own or that of a process that died, the next begins on a new one,
// so that one bad line never spoils another.
type lineWriter struct {
	w    io.Writer
	file *os.File // to close; nil when w is not ours
	torn bool
}

// write writes a batch of lines and returns how many of them, and how many
// bytes, arrived whole.
func (l *lineWriter) write(batch []byte) (lines, written uint64, err error) {
	if l.torn {
		if _, err := l.w.Write([]byte{'\n'}); err != nil {
			return 0, 0, err
		}
		l.torn = false
	}
	n, err := l.w.Write(batch)
	n = min(max(n, 0), len(batch))
	if err == nil && n < len(batch) {
		err = io.ErrShortWrite
	}
	l.torn = n > 0 && batch[n-1] != '\n'
	whole := batch[:1+bytes.LastIndexByte(batch[:n], '\n')]
	return uint64(bytes.Count(whole, []byte{'\n'})), uint64(len(whole)), err
}

func (l *lineWriter) close() {
	if l.file != nil {
		_ = l.file.Close() // every write was checked
	}
}

// endsMidLine reports whether a file's last byte is not a line end. What cannot
// be read backwards, a pipe or a terminal, is taken to begin on a new line.
func endsMidLine(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}
