// A module of its own, so that every supported toolchain builds it.
module github.com/vigil-agent/vigil/test/sample/values

go 1.24
