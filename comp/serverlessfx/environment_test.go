package serverlessfx_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/config"
	"github.com/vigil-agent/vigil/serverless"
)

// variables of section 4.6 of the serverless specification.
var variables = []string{
	"LIFECYCLE_PORT", "USER_APP_PORT", "FORWARD_TIMEOUT_MS", "READY_TIMEOUT_MS", "VALIDATE_TIMEOUT_MS",
	"ENABLE_READY", "ENABLE_VALIDATE", "ENABLE_RUN", "ENABLE_RESUME", "ENABLE_SUSPEND", "ENABLE_TERMINATE",
	"SEND_RUN_SIGNAL", "HEARTBEAT_INTERVAL_MS", "HOOK_BUDGET_MS",
}

// FuzzEnvironment: whatever one variable says, under its name or that of the
// beta, the agent starts, and every other setting is what it is without it.
func FuzzEnvironment(f *testing.F) {
	for i := range variables {
		for _, value := range []string{"", "0", "65536", "9001", "true", "maybe", "-1", "9223372036854775808", "\x00\xff"} {
			f.Add(i, i%2 == 0, value)
		}
	}
	file := filepath.Join(f.TempDir(), "vigil.yaml")
	require.NoError(f, os.WriteFile(file, nil, 0o600))
	load := func(environ ...string) (serverless.Config, error) {
		loaded, err := config.Load(config.Options{
			File: file, LookupHostname: func() (string, error) { return "host", nil },
			Environ: append([]string{"AWS_LAMBDA_MICROVM_IMAGE_ARN="}, environ...),
		})
		if err != nil {
			return serverless.Config{}, err
		}
		return loaded.Config.Serverless, nil
	}
	plain, err := load()
	require.NoError(f, err)
	require.True(f, plain.Enabled)
	f.Fuzz(func(t *testing.T, which int, beta bool, value string) {
		if which < 0 || which >= len(variables) {
			return
		}
		prefix := "DD_AWS_MICROVM_"
		if beta {
			prefix = "DD_SERVERLESS_MICROVM_"
		}
		got, err := load(prefix + variables[which] + "=" + value)
		require.NoError(t, err, "a bad value must not keep the agent from starting")
		require.NoError(t, got.Validate())
		require.LessOrEqual(t, differences(plain, got), 1, "one variable moves one setting")
		_, err = serverless.New(got, serverless.Deps{})
		require.NoError(t, err)
	})
}

// differences counts the settings that a variable can change and that differ.
func differences(a, b serverless.Config) int {
	n := 0
	for _, differ := range []bool{
		a.LifecycleAddress != b.LifecycleAddress, a.UserAppPort != b.UserAppPort, a.ForwardTimeout != b.ForwardTimeout,
		a.ReadyTimeout != b.ReadyTimeout, a.ValidateTimeout != b.ValidateTimeout, a.Forward.Ready != b.Forward.Ready,
		a.Forward.Validate != b.Forward.Validate, a.Forward.Run != b.Forward.Run, a.Forward.Resume != b.Forward.Resume,
		a.Forward.Suspend != b.Forward.Suspend, a.Forward.Terminate != b.Forward.Terminate, a.SendRunSignal != b.SendRunSignal,
		a.HeartbeatInterval != b.HeartbeatInterval, a.HookBudget != b.HookBudget, a.Enabled != b.Enabled,
	} {
		if differ {
			n++
		}
	}
	return n
}
