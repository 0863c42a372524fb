// Package fakeintake is a receiving side that misbehaves on demand: the real
// intake, behind a relay that follows a script and a network that fails.
//
//	sender -> Proxy -> relay -> intake
//	          bytes    batches and acknowledgements
//
// The relay is a gRPC server of the same service. It hands every batch to the
// intake and every acknowledgement back, and plays the steps of a script on the
// way: end the stream, reset the connection, hold, repeat or forge
// acknowledgements, send GOAWAY. What the intake stores is therefore what a real
// one would have stored when that happened. The Proxy knows nothing of gRPC but
// the borders of HTTP/2 frames; it refuses, swallows, slows, delays and cuts, and
// serves alone in front of an intake that runs as a process of its own.
//
//	f, err := fakeintake.Start(fakeintake.Options{
//		Config: intake.Config{Journal: path},
//		Script: []fakeintake.Step{
//			{At: fakeintake.Ack(3), Do: fakeintake.Kill()},                             // durable, and the sender cannot know
//			{At: fakeintake.Open(), Stream: 2, Do: fakeintake.Fail(codes.Unavailable, "not now")},
//			{At: fakeintake.AnyAck(), Times: fakeintake.Always, Do: fakeintake.Delay(time.Second)},
//		},
//	})
package fakeintake
