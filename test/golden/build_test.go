package golden

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

const (
	current     = "current"   // the toolchain that runs the test
	optimised   = "optimised" // the build of a release
	unoptimised = "unoptimised"
	stripped    = "stripped"
	pie         = "pie"
)

// builds are the flags of each build.
var builds = map[string][]string{
	optimised:   nil,
	unoptimised: {"-gcflags=all=-N -l"},
	stripped:    {"-ldflags=-s -w"},
	pie:         {"-buildmode=pie"},
}

// variant is one build of the sample.
type variant struct{ toolchain, build string }

func (v variant) String() string { return v.toolchain + "-" + v.build }

// variants are all builds by all toolchains, or those of them that differ most:
// a test of each takes seconds of a processor.
func variants(all bool) []variant {
	if !all {
		return []variant{
			{current, optimised},
			{current, unoptimised},
			{current, stripped},
			{current, pie},
			{binarytest.Older[0], optimised},
			{binarytest.Older[0], stripped},
			{binarytest.Older[1], unoptimised},
		}
	}
	var list []variant
	for _, toolchain := range append([]string{current}, binarytest.Older...) {
		for build := range builds {
			list = append(list, variant{toolchain, build})
		}
	}
	return list
}

// compile builds the sample; go's build cache makes it cheap to do again.
func compile(t *testing.T, v variant) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "values")
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"build", "-trimpath", "-buildvcs=false", "-o", out}, append(builds[v.build], ".")...)...)
	cmd.Dir = filepath.Join("..", "sample", "values")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=", "CGO_ENABLED=0")
	if v.toolchain != current {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+v.toolchain)
	}
	text, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(text), "download "+v.toolchain) {
		t.Skipf("toolchain %s cannot be had: %s", v.toolchain, text)
	}
	require.NoError(t, err, "%s", text)
	return out
}
