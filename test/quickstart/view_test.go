package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestView(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	v := newView(&out, false)
	v.stack()
	v.agentLine([]byte(`{"level":"INFO","msg":"vigil is running"}`))
	v.agentLine([]byte(`{"level":"WARN","msg":"no command to supervise"}`))
	v.agentLine([]byte(`{"level":"WARN","msg":"log stream ended","error":"refused"}`))
	v.agentLine([]byte("panic: a crash"))
	v.agentLine([]byte(`{"level":"ERROR","msg":"debugger is degraded, the rest runs","reason":"not root","fix":"run as root"}`))
	v.metric("aws.lambda.enhanced.microvm.active_instances:1|g|#origin:lambdamicrovm,image_name:shop,microvm_id:a,lambda_microvm_id:a")
	v.metric("aws.lambda.enhanced.microvm.run:1|d|#lambda_microvm_id:a")
	v.metric("aws.lambda.enhanced.microvm.run:2|d|#lambda_microvm_id:a")
	v.logLine([]byte(`{"message":"123456789","wire_bytes":2.5}`))
	v.logLine([]byte(`{"message":"123456789","wire_bytes":1.5}`))
	v.snapshot([]byte(`{"logger":{"method":"main.f"},"debugger":{"snapshot":{"stack":[{"function":"main.f","fileName":"f.go","lineNumber":1}],"captures":{}}}}`))
	v.stack()
	v.summary()
	require.Equal(t, `stack      no snapshot yet
agent      log stream ended: refused
agent      panic: a crash
agent      debugger is degraded, the rest runs: not root
           fix: run as root
heartbeat  aws.lambda.enhanced.microvm.active_instances=1 image_name:shop lambda_microvm_id:a and 2 more tags
metric     aws.lambda.enhanced.microvm.run=1 lambda_microvm_id:a and 0 more tags
log        10 bytes, 2.5 on the wire: 123456789
snapshot   main.f()
             at main.f f.go:1
summary    after 0s: log lines 2, wire bytes per raw byte 0.200, snapshots 1, heartbeats 1
`, out.String())
}
