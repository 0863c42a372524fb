package harness

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestClock: the clock of a program moves while it runs, and only that.
func TestClock(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(source, []byte(`package main

import (
	"bufio"
	"fmt"
	"os"
	"time"
)

func main() {
	before := time.Now()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(time.Now().Unix(), int(time.Since(before).Hours()))
	}
}
`), 0o600))
	program := filepath.Join(dir, "program")
	require.NoError(t, BuildWithClock(t.Context(), source, program))
	clock, err := NewClock(filepath.Join(dir, "clock"))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), clock.Env())
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	for _, shift := range []time.Duration{0, -time.Hour, 24 * time.Hour} {
		require.NoError(t, clock.Shift(shift))
		from := time.Now().Unix()
		_, err := in.Write([]byte{'\n'})
		require.NoError(t, err)
		answer := make([]byte, 100)
		n, err := out.Read(answer)
		require.NoError(t, err)
		fields := bytes.Fields(answer[:n])
		says, err := strconv.ParseInt(string(fields[0]), 10, 64)
		require.NoError(t, err)
		says -= int64(shift / time.Second)
		require.GreaterOrEqual(t, says, from)
		require.LessOrEqual(t, says, time.Now().Unix())
		require.Equal(t, "0", string(fields[1]), "time that passes is not moved")
	}
	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
}
