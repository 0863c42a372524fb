package robust

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/vigil-agent/vigil/test/fakeintake"
)

var both = []Mode{Memory, Spool}

// Faults is the table, in the order of the cases.
func Faults() []Fault {
	faults := []Fault{
		scripted("F1", "reset in the middle of a batch",
			fakeintake.Step{At: fakeintake.Batch(3), Do: fakeintake.Cut(fakeintake.Up, 700)},
			// The first stream only asks what is spoken, and the second is cut.
			fakeintake.Step{At: fakeintake.Batch(5), Stream: 3, Do: fakeintake.Kill()}),
		scripted("F2", "cut after the durable write, before its acknowledgement",
			fakeintake.Step{At: fakeintake.Ack(3), Times: 3, Do: fakeintake.Kill()}),
		scripted("F3", "an acknowledgement comes twice", fakeintake.Step{At: fakeintake.Ack(2), Do: fakeintake.Duplicate(1)}),
		scripted("F4", "acknowledgements out of order", fakeintake.Step{At: fakeintake.Ack(1), Do: fakeintake.Reorder()}),
		scripted("F5", "acknowledgement of a batch that was never sent", fakeintake.Step{At: fakeintake.Ack(2), Do: fakeintake.AckAs(9999)}),
		scripted("F6", "acknowledgement with status UNKNOWN", fakeintake.Step{At: fakeintake.Ack(2), Do: fakeintake.AckUnknown()}),
		scripted("F7", "acknowledgement 0, a thousand times", fakeintake.Step{At: fakeintake.Batch(2), Do: fakeintake.Inject(0, 1000)}),
		scripted("F8", "slow acknowledgements", fakeintake.Step{At: fakeintake.AnyAck(), Times: 4, Do: fakeintake.Delay(2 * time.Second)}),
		{
			ID: "F9", Name: "a server that reads and never acknowledges", Modes: both,
			set: func(p *play) error {
				// The first stream only asks what is spoken.
				return p.script(fakeintake.Step{At: fakeintake.AnyAck(), Stream: 2, Times: fakeintake.Always, Do: fakeintake.Swallow()})
			},
			check: func(p *play, _ tally) error {
				if p.last.ReplayedBatches == 0 {
					return errors.New("nothing was sent again")
				}
				return nil
			},
		},
		scripted("F10", "a black hole",
			fakeintake.Step{At: fakeintake.Batch(3), Do: fakeintake.Net(fakeintake.Conditions{BlackHole: true}, blackHole)}),
		{
			ID: "F11", Name: "restart of the server", Modes: both,
			set: func(p *play) error { return p.script() },
			run: func(p *play) error {
				for _, share := range []int{5, 3, 2} {
					if err := errors.Join(p.arrived(p.o.Lines/share), p.fakes[0].Restart(p.ctx)); err != nil {
						return err
					}
					p.played++
				}
				return nil
			},
		},
		killedIntake(),
		scripted("F12", "GOAWAY, the connection is too old", fakeintake.Step{At: fakeintake.Batch(3), Do: fakeintake.GoAway(fakeintake.MaxAge, 2*time.Second)}),
		scripted("F13", "GOAWAY, too many pings", fakeintake.Step{At: fakeintake.Batch(3), Do: fakeintake.GoAway(fakeintake.TooManyPings, 0)}),
		{
			ID: "F14", Name: "the key is refused until it changes", Modes: both,
			set: func(p *play) error {
				p.key = "old"
				_, err := p.fake(keyed("new"))
				return err
			},
			run: func(p *play) error {
				if err := p.until("the key is refused", func() bool { return len(p.fakes[0].Streams()) > 0 }); err != nil {
					return err
				}
				p.played += len(p.fakes[0].Streams())
				return errors.Join(p.whole(), p.setKey("new"))
			},
			check: func(p *play, _ tally) error { return p.opened(0, 4) },
		},
		{
			ID: "F15", Name: "one of two endpoints denies permission", Modes: both,
			set: func(p *play) error {
				return errors.Join(
					p.script(fakeintake.Step{At: fakeintake.Open(), Times: fakeintake.Always, Do: fakeintake.Fail(codes.PermissionDenied, "not you")}),
					p.script())
			},
		},
		{
			ID: "F16", Name: "a profile is refused: the next one", Modes: both,
			set: func(p *play) error {
				// The first stream asks what is spoken, the second one is refused after all.
				return p.script(fakeintake.Step{At: fakeintake.Open(), Stream: 2, Do: fakeintake.Fail(codes.FailedPrecondition, "not this")})
			},
		},
		refused(),
		{
			ID: "F17", Name: "batches above the server's limit", Modes: both,
			lines: func(Options) int { return 1000 },
			set: func(p *play) error {
				p.logs["batch"] = map[string]any{"max_lines": 1000, "max_bytes": "30MB", "max_wait": "2s"}
				p.truth.change = padded(20_000)
				_, err := p.fake(fakeintake.Options{Server: []grpc.ServerOption{grpc.MaxRecvMsgSize(2 << 20)}})
				return err
			},
			check: (*play).refusedForSize,
		},
		{
			ID: "F18", Name: "a snapshot above the server's limit", Modes: both,
			set: func(p *play) error {
				_, err := p.fake(fakeintake.Options{
					Server: []grpc.ServerOption{grpc.MaxRecvMsgSize(1500)},
					Script: []fakeintake.Step{{At: fakeintake.Batch(40), Do: fakeintake.Kill()}},
				})
				p.endpoint("profile", "rows")
				return err
			},
			check: (*play).refusedForSize,
		},
		{
			ID: "F19", Name: "a line that the server never takes", Modes: both, aside: 2,
			set: func(p *play) error {
				return p.script(fakeintake.Step{
					At: fakeintake.BatchWith(holds(p.o.Lines/3, p.o.Lines/2)), Times: fakeintake.Always, Do: fakeintake.Fail(codes.InvalidArgument, "no such line"),
				})
			},
		},
		{
			ID: "F20", Name: "a snapshot that the server never takes", Modes: both,
			set: func(p *play) error {
				err := p.script(
					// The snapshot is made of what was acknowledged: batch 1 was by
					// then. Not a reset, which may take acknowledgements with it.
					fakeintake.Step{At: fakeintake.Ack(2), Stream: 1, Do: fakeintake.Fail(codes.Unavailable, "not now")},
					fakeintake.Step{At: fakeintake.Batch(0), Stream: 2, Do: fakeintake.Fail(codes.InvalidArgument, "no such state")})
				p.endpoint("profile", "rows")
				return err
			},
		},
		{
			ID: "F21", Name: "the server closes while nothing happens", Modes: both,
			set: func(p *play) error { return p.script() },
			run: func(p *play) error {
				if err := p.arrived(p.o.Lines / 4); err != nil {
					return err
				}
				p.pause.Lock()
				defer p.pause.Unlock()
				if err := p.idle(); err != nil {
					return err
				}
				p.played++
				return p.fakes[0].Restart(p.ctx)
			},
			check: func(p *play, _ tally) error {
				if n := p.last.StreamErrors; n > 0 {
					return fmt.Errorf("a planned close counts as %d errors", n)
				}
				return nil
			},
		},
		{
			ID: "F22", Name: "a dead address beside one that lives", Modes: both,
			set: func(p *play) error {
				dead, err := p.proxy("127.0.0.1:1")
				if err != nil {
					return err
				}
				return errors.Join(dead.Set(fakeintake.Conditions{Refuse: true}), p.script())
			},
			check: (*play).failed,
		},
		wrongTLS(),
		{
			ID: "F24", Name: "a proxy that never speaks HTTP/2", Modes: both,
			set: func(p *play) error {
				address, err := p.mute()
				if err != nil {
					return err
				}
				_, err = p.proxy(address)
				return err
			},
			run: func(p *play) error {
				front := p.proxies[0]
				if err := p.until("the agent connects twice", func() bool { return front.Connections() > 1 }); err != nil {
					return err
				}
				p.played += front.Connections()
				f, err := fakeintake.Start(fakeintake.Options{Config: p.nextJournal()})
				if err != nil {
					return err
				}
				p.adopt(f)
				front.Retarget(f.Addr())
				front.Cut()
				return nil
			},
		},
		hundredClients(),
		fullDisk(),
		killedAgent(),
		killedBoth(),
		movedClock(),
		corruptSpool(),
		{
			ID: "F30", Name: "the secondary of a dual send is down", Modes: both,
			set: func(p *play) error {
				address, err := p.mute()
				if err != nil {
					return err
				}
				p.logs["secondary"] = map[string]any{"address": address, "tls": map[string]any{"insecure": true}}
				p.played++
				return p.script()
			},
		},
		thinUplink(),
	}
	return faults
}

// blackHole outlives the probes of a silent connection: 30 s, and 10 s for their
// answer.
const blackHole = 43 * time.Second

// scripted is a fault that is a script of the receiving side's.
func scripted(id, name string, steps ...fakeintake.Step) Fault {
	return Fault{ID: id, Name: name, Modes: both, set: func(p *play) error { return p.script(steps...) }}
}
