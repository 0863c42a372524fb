module github.com/vigil-agent/vigil/test

go 1.26.0

require (
	github.com/DataDog/agent-payload/v5 v5.0.215
	github.com/cilium/ebpf v0.22.0
	github.com/go-json-experiment/json v0.0.0-20260820222146-c27c302e5fc3
	github.com/klauspost/compress v1.20.3
	github.com/rogpeppe/go-internal v1.16.0
	github.com/stretchr/testify v1.12.1
	github.com/vigil-agent/vigil/comp v0.0.0
	github.com/vigil-agent/vigil/debugger v0.0.0
	github.com/vigil-agent/vigil/logs v0.0.0
	github.com/vigil-agent/vigil/serverless v0.0.0
	go.uber.org/goleak v1.3.0
	golang.org/x/sys v0.49.0
	golang.org/x/term v0.47.0
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/google/uuid v1.6.0 // indirect
	go.uber.org/dig v1.19.0 // indirect
	go.uber.org/fx v1.24.0 // indirect
	go.uber.org/multierr v1.10.0 // indirect
	go.uber.org/zap v1.26.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/arch v0.32.0 // indirect
	golang.org/x/net v0.61.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
)

replace github.com/vigil-agent/vigil/serverless => ../serverless

replace github.com/vigil-agent/vigil/debugger => ../debugger

replace github.com/vigil-agent/vigil/logs => ../logs

replace github.com/vigil-agent/vigil/comp => ../comp
