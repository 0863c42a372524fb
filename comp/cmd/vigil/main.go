// Command vigil is the agent. Each verb is one file; only run builds the fx
// application, every other verb asks the local API or needs no agent at all.
package main

import (
	"context"
	"io"
	"os"

	"google.golang.org/grpc/grpclog"
)

func main() {
	// grpc-go writes its own lines to standard error. The stream reports its
	// failures itself, once, with what to do about them; who debugs grpc-go sets
	// its variable.
	if os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL") == "" {
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	}
	os.Exit(execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
