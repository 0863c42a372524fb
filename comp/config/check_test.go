package config

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// engine is an engine's section with an opinion about itself.
type engine struct{ err error }

func (e engine) Validate() error { return e.err }

func says(err error) func(*Config) any { return func(*Config) any { return engine{err} } }

func TestEngineErrorsBecomeProblems(t *testing.T) {
	t.Parallel()
	const text = "serverless:\n  hook_budget: 1s\nlogs:\n  sources:\n    - path: /a\n"
	l := &loader{set: map[string][]assignment{}}
	l.decodeText(newSource("vigil.yaml", text), text, layerFile)
	require.Empty(t, l.problems)

	l.checkEngine(&Config{}, "serverless", true, says(errors.Join(
		errors.New("hook_budget: too short for this engine"),
		errors.New("forward.run: no app: none"),
		errors.New("something: no key of the section"),
		errors.New("run_path: must be absolute"),
	)))
	l.checkEngine(&Config{}, "serverless", true, says(errors.New("hook_budget: said already")))
	l.checkEngine(&Config{}, "serverless", false, says(errors.New("ready_timeout: the engine is off")))
	l.checkEngine(&Config{}, "logs", true, says(errors.New("sources[0].path: not absolute")))
	l.checkEngine(&Config{}, "intake", true, says(nil))
	l.checkEngine(&Config{}, "debugger", true, func(*Config) any { return struct{}{} })
	require.Equal(t, `default: run_path: must be absolute
vigil.yaml:2:16: serverless: something: no key of the section
    2 |   hook_budget: 1s
      |                ^^
vigil.yaml:2:16: serverless.forward.run: no app: none
    2 |   hook_budget: 1s
      |                ^^
vigil.yaml:2:16: serverless.hook_budget: too short for this engine
    2 |   hook_budget: 1s
      |                ^^
vigil.yaml:5:13: logs.sources[0].path: not absolute
    5 |     - path: /a
      |             ^^`, l.finish(l.problems).Error())
}

// TestEngineErrorsInsideProbes: the field that an engine names is found where
// it was written.
func TestEngineErrorsInsideProbes(t *testing.T) {
	t.Parallel()
	const text = "debugger:\n  enabled: true\n  probes:\n    - id: a\n      where: {lines: [\"7\", \"8\"]}\n"
	l := &loader{set: map[string][]assignment{}}
	l.decodeText(newSource("vigil.yaml", text), text, layerFile)
	require.Empty(t, l.problems)
	l.checkEngine(&Config{}, "debugger", true, says(errors.Join(
		errors.New(`probes[0]: probe "a": where.lines[1]: one line only`),
		errors.New(`probes[0]: probe "a": where.methodName: is missing: name a function`),
		errors.New(`probes[0]: probe "a": is no good`),
		errors.New("probes[0]: id: is used already"),
		errors.New("probes[0]: not JSON"),
		errors.New("targets: name at least one"),
	)))
	require.Equal(t, `vigil.yaml:2:12: debugger.targets: name at least one
    2 |   enabled: true
      |            ^^^^
vigil.yaml:4:7: debugger.probes[0]: not JSON
    4 |     - id: a
      |       ^^
vigil.yaml:4:7: debugger.probes[0]: probe "a": is no good
    4 |     - id: a
      |       ^^
vigil.yaml:4:11: debugger.probes[0].id: is used already
    4 |     - id: a
      |           ^
vigil.yaml:5:14: debugger.probes[0].where.methodName: probe "a": is missing: name a function
    5 |       where: {lines: ["7", "8"]}
      |              ^
vigil.yaml:5:28: debugger.probes[0].where.lines[1]: probe "a": one line only
    5 |       where: {lines: ["7", "8"]}
      |                            ^^^`, l.finish(l.problems).Error())
}

func TestWithin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, outer string
		want       bool
	}{
		{"a.b", "a.b", true},
		{"a.b.c", "a.b", true},
		{"a.b[1].c", "a.b", true},
		{"a.bc", "a.b", false},
		{"a", "a.b", false},
		{"a", "", true},
	} {
		require.Equal(t, c.want, within(c.key, c.outer), "%+v", c)
	}
}

func TestValueChecks(t *testing.T) {
	t.Parallel()
	bad := func(check func(any) (string, string), data any) bool {
		message, _ := check(data)
		return message != ""
	}
	for _, address := range []string{":9000", "127.0.0.1:0", "[::1]:65535", "host:1"} {
		require.False(t, bad(checkHostPort, address), address)
	}
	for _, address := range []string{"", "9000", "host", "host:", "host:web", "host:65536", "::1:90", "host:-1"} {
		require.True(t, bad(checkHostPort, address), address)
	}
	for _, address := range []string{"", "127.0.0.1:8125", "unix:///a", "statsd:8125"} {
		require.False(t, bad(checkStatsd, address), address)
	}
	for _, address := range []string{"unix://", ":8125", "udp://a:1", "127.0.0.1:0", "8125", "unix://" + string(make([]byte, 200))} {
		require.True(t, bad(checkStatsd, address), address)
	}
	require.False(t, bad(checkSocket, "/run/x.sock"))
	require.True(t, bad(checkSocket, ""))
	require.True(t, bad(checkSocket, string(make([]byte, 108))))
	require.False(t, bad(checkSocket, string(make([]byte, 107))))
	require.True(t, bad(checkCommand, []string{"", "a"}))
	require.False(t, bad(checkCommand, []string{}))
	require.True(t, bad(checkTags, []string{"a", ""}))
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"} {
		require.True(t, loopback(address), address)
	}
	for _, address := range []string{":1", "0.0.0.0:1", "10.0.0.1:1", "example.com:1", "nonsense"} {
		require.False(t, loopback(address), address)
	}
}
