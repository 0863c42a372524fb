package debugger_test

import (
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
)

const handleProbe = `{"id":"handle","version":3,"type":"LOG_PROBE","language":"go","captureSnapshot":true,"where":{"methodName":"main.handle"},"sampling":{"snapshotsPerSecond":50}}`

func inline(text string) debugger.ProbeSource {
	return debugger.ProbeSource{JSON: []byte(text), Where: "vigil.yaml:12:5"}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	require.NoError(t, debugger.DefaultConfig().Validate())
	exe := []debugger.TargetConfig{{Exe: "shop"}}
	for name, tc := range map[string]struct {
		change func(*debugger.Config)
		want   []string
	}{
		"valid": {func(c *debugger.Config) { c.Probes, c.Targets = []debugger.ProbeSource{inline(handleProbe)}, exe }, nil},
		"probes without targets": {
			func(c *debugger.Config) { c.Probes = []debugger.ProbeSource{inline(handleProbe)} },
			[]string{"targets: name at least one pid, exe or service: probes are placed in these processes only"},
		},
		"files without targets": {
			func(c *debugger.Config) { c.ProbeFiles = []string{"x.json"} },
			[]string{"targets: name at least one pid, exe or service: probes are placed in these processes only"},
		},
		"targets": {
			func(c *debugger.Config) { c.Targets = []debugger.TargetConfig{{Exe: "a"}, {}, {Exe: "["}, {PID: -1}} },
			[]string{
				"targets[1]: names no process: set pid, exe or service",
				`targets[2]: exe: "[" is not a glob pattern: close the bracket or escape it with a backslash`,
				"targets[3]: pid: must be a process id, not -1",
			},
		},
		"probes": {func(c *debugger.Config) {
			c.Targets = exe
			c.Probes = []debugger.ProbeSource{inline(handleProbe), inline(`{"id":"b","when":{"dsl":"x"},"wher":1,"captureSnapshot":true,"where":{"methodName":"f"}}`), inline(handleProbe), inline(`{`)}
		}, []string{
			`probes[1]: probe "b": when: conditions are not supported by this version; remove the key`,
			`probes[1]: probe "b": wher: unknown key; did you mean "where"?`,
			`probes[2]: probe "handle": id: is already used by probes[0]`,
			`probes[3]: the text ends in the middle of a JSON value`,
		}},
		"output type":       {func(c *debugger.Config) { c.Output.Type = "kafka" }, []string{`output.type: must be "stdout" or "file", not "kafka"`}},
		"file without path": {func(c *debugger.Config) { c.Output.Type = debugger.OutputFile }, []string{"output.path: type file needs a path"}},
		"path without file": {func(c *debugger.Config) { c.Output.Path = "/x" }, []string{"output.path: goes with type file, and the type is stdout"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := debugger.DefaultConfig()
			tc.change(&c)
			err := c.Validate()
			if tc.want == nil {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, strings.Join(tc.want, "\n"))
			_, err = debugger.New(c, debugger.Deps{Log: slog.New(slog.DiscardHandler), Stdout: io.Discard})
			require.EqualError(t, err, strings.Join(tc.want, "\n"))
		})
	}
}
