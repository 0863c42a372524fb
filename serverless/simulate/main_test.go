package simulate

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// entrypointEnv makes the test binary an entrypoint of a MicroVM image; its
// value is the behaviour.
const entrypointEnv = "VIGIL_TEST_ENTRYPOINT"

func TestMain(m *testing.M) {
	if behaviour := os.Getenv(entrypointEnv); behaviour != "" {
		os.Exit(entrypoint(behaviour))
	}
	goleak.VerifyTestMain(m)
}
