// Package version says which build this is.
package version

import (
	"runtime"
	"runtime/debug"
)

// number is set at link time: -X github.com/vigil-agent/vigil/comp/version.number=1.2.3
var number = "0.1.0-dev"

// Info describes the running binary.
type Info struct {
	Version string `json:"version"`
	// Commit is the revision the binary was built from, when it was recorded.
	Commit string `json:"commit,omitempty"`
	Go     string `json:"go"`
	OS     string `json:"os"`
	Arch   string `json:"arch"`
}

// Number is the version alone.
func Number() string { return number }

// Get describes the running binary.
func Get() Info {
	info := Info{Version: number, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, setting := range build.Settings {
			if setting.Key == "vcs.revision" {
				info.Commit = setting.Value
			}
		}
	}
	return info
}
