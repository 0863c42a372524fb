package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// readDatagrams calls see with every metric line until the socket's deadline.
func readDatagrams(conn *net.UDPConn, see func(line string)) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return
		}
		for line := range bytes.Lines(buffer[:n]) {
			see(string(bytes.TrimSpace(line)))
		}
	}
}

// follow calls see with every whole line that is written to the file, which
// need not exist yet, until ctx ends and the file is read to its end.
func follow(ctx context.Context, path string, see func(line []byte)) {
	var file *os.File
	for {
		var err error
		if file, err = os.Open(path); err == nil {
			break
		}
		if !pause(ctx) {
			return
		}
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	var partial []byte
	for last := false; ; {
		line, err := reader.ReadBytes('\n')
		partial = append(partial, line...)
		if err == nil {
			see(bytes.TrimSuffix(partial, []byte("\n")))
			partial = partial[:0]
			continue
		}
		if !errors.Is(err, io.EOF) || last {
			return
		}
		last = !pause(ctx)
	}
}

// pause waits a moment; false means that ctx has ended.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pollEvery):
		return true
	}
}

// onEnter calls do whenever a line is typed.
func onEnter(terminal io.Reader, do func()) {
	for lines := bufio.NewScanner(terminal); lines.Scan(); {
		do()
	}
}
