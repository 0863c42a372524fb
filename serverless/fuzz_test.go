package serverless_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless"
	"github.com/vigil-agent/vigil/serverless/microvm"
)

// FuzzEnvironment: whatever the variables of the image say, there is an engine,
// and its status can be told.
func FuzzEnvironment(f *testing.F) {
	f.Add(arn, "3", true)
	f.Add("", "", true)
	f.Add("arn:aws:lambda:::microvm-image:", "\xff,|\n", false)
	f.Add(strings.Repeat("x", 5000), strings.Repeat("é", 3000), true)
	f.Fuzz(func(t *testing.T, image, version string, present bool) {
		getenv := func(key string) (string, bool) {
			return map[string]string{microvm.EnvImageARN: image, microvm.EnvImageVersion: version}[key], present
		}
		identity := microvm.FromEnv(getenv)
		require.Equal(t, present, identity.Present)
		tags := append(identity.UsageTags(), identity.LogTags("vm-1")...)
		if tag := identity.ARNTag(); tag != "" {
			tags = append(tags, tag)
		}
		for _, tag := range tags {
			key, value, _ := strings.Cut(tag, ":")
			require.NotEmpty(t, key)
			require.NotEmpty(t, value)
			require.True(t, utf8.ValidString(tag))
			require.False(t, strings.ContainsAny(tag, ",|\r\n"), "%q is not one tag", tag)
		}
		e, err := serverless.New(serverless.DefaultConfig(), serverless.Deps{Getenv: getenv})
		require.NoError(t, err)
		require.Equal(t, identity.ImageVersion, e.Status().ImageVersion)
	})
}

// FuzzSettings: no combination of settings keeps the engine from being made, and
// one that Validate accepts is taken as it is.
func FuzzSettings(f *testing.F) {
	f.Add(":9000", "127.0.0.1:8127", 8080, int64(time.Second), int64(5*time.Minute), int64(4500*time.Millisecond), "gauge", "app --flag")
	f.Add("x", ":1", -1, int64(-1), int64(0), int64(1), "histogram", " ")
	f.Add("[::1]:65536", "localhost:99999", 9000, int64(1)<<62, int64(1)<<62, int64(1)<<62, "", "")
	f.Fuzz(func(t *testing.T, lifecycle, identity string, port int, forward, interval, budget int64, kind, command string) {
		cfg := serverless.DefaultConfig()
		cfg.Enabled, cfg.LifecycleAddress, cfg.IdentityAddress, cfg.UserAppPort = true, lifecycle, identity, port
		cfg.ForwardTimeout, cfg.HeartbeatInterval, cfg.HookBudget = time.Duration(forward), time.Duration(interval), time.Duration(budget)
		cfg.HeartbeatKind = kind
		if strings.TrimSpace(command) != "" {
			cfg.Command = []string{command}
		}
		_ = cfg.Validate()
		_, err := serverless.New(cfg, serverless.Deps{})
		require.NoError(t, err)
	})
}
