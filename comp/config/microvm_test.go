package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless"
)

// fromMicroVM loads nothing but an environment.
func fromMicroVM(t *testing.T, environ ...string) *Loaded {
	t.Helper()
	file := filepath.Join(t.TempDir(), "vigil.yaml")
	l, err := load(Options{
		Environ:        append([]string{microVMVariable + "=arn"}, environ...),
		LookupHostname: func() (string, error) { return "host", nil },
	}, file)
	require.NoError(t, err)
	return l
}

func TestCase36TogglesAreIndependent(t *testing.T) {
	t.Parallel()
	hooks := []string{"READY", "VALIDATE", "RUN", "RESUME", "SUSPEND", "TERMINATE"}
	fields := func(f serverless.ForwardHooks) []bool {
		return []bool{f.Ready, f.Validate, f.Run, f.Resume, f.Suspend, f.Terminate}
	}
	for set := range 1 << len(hooks) {
		environ, want := []string{microVMPrefix + "USER_APP_PORT=8080"}, make([]bool, len(hooks))
		for i, hook := range hooks {
			want[i] = set&(1<<i) != 0
			environ = append(environ, fmt.Sprintf("%sENABLE_%s=%t", microVMPrefix, hook, want[i]))
		}
		l := fromMicroVM(t, environ...)
		require.Equal(t, want, fields(l.Config.Serverless.Forward))
		require.Empty(t, l.Warnings)

		bad := set % len(hooks)
		environ = append([]string{microVMPrefix + "ENABLE_" + hooks[bad] + "=perhaps"}, environ...) // the first of two wins
		want[bad] = false
		l = fromMicroVM(t, environ...)
		require.Equal(t, want, fields(l.Config.Serverless.Forward), "a bad boolean is the default for that hook alone")
		require.Len(t, l.Warnings, 1)
		require.Equal(t, 8080, l.Config.Serverless.UserAppPort)
	}
}

func TestCase37BadVariablesFallBackAlone(t *testing.T) {
	t.Parallel()
	good := map[string]string{
		"LIFECYCLE_PORT": "9100", "USER_APP_PORT": "8080", "FORWARD_TIMEOUT_MS": "700", "READY_TIMEOUT_MS": "1000", "VALIDATE_TIMEOUT_MS": "2000",
	}
	want := func(change func(*serverless.Config)) serverless.Config {
		c := serverless.DefaultConfig()
		c.Enabled, c.LifecycleAddress, c.UserAppPort = true, ":9100", 8080
		c.ForwardTimeout, c.ReadyTimeout, c.ValidateTimeout = 700*time.Millisecond, time.Second, 2*time.Second
		change(&c)
		return c
	}
	def := serverless.DefaultConfig()
	fallBack := map[string]func(*serverless.Config){
		"LIFECYCLE_PORT":      func(c *serverless.Config) { c.LifecycleAddress = def.LifecycleAddress },
		"USER_APP_PORT":       func(c *serverless.Config) { c.UserAppPort = 0 },
		"FORWARD_TIMEOUT_MS":  func(c *serverless.Config) { c.ForwardTimeout = def.ForwardTimeout },
		"READY_TIMEOUT_MS":    func(c *serverless.Config) { c.ReadyTimeout = def.ReadyTimeout },
		"VALIDATE_TIMEOUT_MS": func(c *serverless.Config) { c.ValidateTimeout = def.ValidateTimeout },
	}
	for bad, change := range fallBack {
		values := []string{"0", "-1", "abc", "99999999999999999999"}
		if strings.HasSuffix(bad, "PORT") {
			values = append(values, "65536")
		}
		for _, value := range values {
			var environ []string
			for name, text := range good {
				if name == bad {
					text = value
				}
				environ = append(environ, microVMPrefix+name+"="+text)
			}
			l := fromMicroVM(t, environ...)
			require.Equal(t, want(change), l.Config.Serverless, "%s=%s", bad, value)
			require.Len(t, l.Warnings, 1, "%s=%s", bad, value)
		}
	}
	l := fromMicroVM(t, microVMPrefix+"LIFECYCLE_PORT=8080", microVMPrefix+"USER_APP_PORT=8080")
	require.Equal(t, ":8080", l.Config.Serverless.LifecycleAddress)
	require.Zero(t, l.Config.Serverless.UserAppPort, "a collision costs the forwarding, not the hook server")
}

func TestCase46RunSignalNeedsTheExactText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"true": true, "TRUE": false, "1": false, "yes": false, "false": false} {
		l := fromMicroVM(t, microVMPrefix+"SEND_RUN_SIGNAL="+text)
		require.Equal(t, want, l.Config.Serverless.SendRunSignal, text)
		require.Empty(t, l.Warnings)
	}
}
