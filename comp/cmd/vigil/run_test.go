package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRunEndsWithTheApplicationsCode(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, []byte("not a program"), 0o600))
	for name, tt := range map[string]struct {
		command []string
		code    int
	}{
		"good":           {[]string{"true"}, 0},
		"its own":        {[]string{"sh", "-c", "exit 7"}, 7},
		"a signal":       {[]string{"sh", "-c", "kill -SEGV $$"}, 139},
		"not found":      {[]string{"/nonexistent/program"}, 127},
		"not executable": {[]string{plain}, 126},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut bytes.Buffer
			require.Equal(t, tt.code, execute(t.Context(), append(runArgs(dir), tt.command...), &out, &errOut), errOut.String())
		})
	}
}

func TestRunEndsWithTheCodeOfAnApplicationItStopped(t *testing.T) {
	for name, tt := range map[string]struct {
		trap string
		code int
	}{
		"its own":  {"exit 5", 5},
		"good":     {"exit 0", 0},
		"a signal": {"-", 143},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			up := filepath.Join(dir, "up")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				defer cancel()
				for ctx.Err() == nil {
					if _, err := os.Stat(up); err == nil {
						return
					}
					time.Sleep(time.Millisecond)
				}
			}()
			var out, errOut bytes.Buffer
			script := "trap '" + tt.trap + "' TERM; touch " + up + "; while :; do sleep 0.01; done"
			require.Equal(t, tt.code, execute(ctx, append(runArgs(dir), "sh", "-c", script), &out, &errOut), errOut.String())
		})
	}
}

func runArgs(dir string) []string {
	return []string{
		"run", "--config", os.DevNull, "--set", "serverless.enabled=true", "--set", "serverless.lifecycle_address=:0",
		"--set", "serverless.identity_address=", "--set", "api.socket=" + filepath.Join(dir, "s"), "--",
	}
}

func TestRunRefusesAnApplicationNobodyWouldStart(t *testing.T) {
	var out, errOut bytes.Buffer
	code := execute(t.Context(), []string{"run", "--config", os.DevNull, "--set", "intake.enabled=true", "--", "true"}, &out, &errOut)
	require.Equal(t, exitBadConfig, code)
	require.Equal(t, "vigil: "+errNotSupervised.Error()+"\n", errOut.String())
	require.Empty(t, out.String())
}
