// Package serverless is the engine that runs inside an AWS Lambda MicroVM: it
// answers the platform's lifecycle hooks, supervises the application, and emits
// a heartbeat that says "this instance is alive".
//
// The engine is assembled by New from plain values and knows nothing of fx:
//
//	platform --POST hook--> lifecycle --start/stop--> heartbeat --gauge--> Metrics
//	                            |--forward--> the app's own hooks
//	                            `--flush----> Flushers (metrics, logs)
//	child --supervises--> the app        microvm --image--> tags
//	usage --every 3 s--> Metrics         identity --loopback, file--> the app
//
// An Engine lives once: Start, then Stop. While a command runs, the signals of
// the agent are passed on to it; the agent's own reaction to SIGTERM and SIGINT
// is the caller's to install, and Stop is what it should lead to.
//
// The module depends on the standard library and, for what the simulator hears of
// a machine's metrics, on klauspost/compress: their bodies are zstd. Testify,
// goleak and rapid are for its tests.
package serverless
