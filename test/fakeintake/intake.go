package fakeintake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"

	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/logs/record"
)

// Options says what is faked.
type Options struct {
	// Config and Deps are the real intake's, which runs in this process; Listen
	// and Listener are not used.
	Config intake.Config
	Deps   intake.Deps
	// Upstream is the host:port of an intake that runs elsewhere; it replaces the
	// one in this process.
	Upstream string
	// Script is what goes wrong.
	Script []Step
	// Server are options of the relay's server, for what belongs to a connection:
	// TLS, the age of connections, which pings are refused, the size of messages.
	// The intake's own do not reach the sender.
	Server []grpc.ServerOption
}

// Intake is a receiving side that follows a script. All methods may be called
// concurrently.
type Intake struct {
	statefulpb.UnimplementedStatefulLogsServiceServer

	options Options
	proxy   *Proxy
	server  *grpc.Server
	conn    *grpc.ClientConn
	client  statefulpb.StatefulLogsServiceClient
	// wg counts the accept loop and the goroutines of streams.
	wg sync.WaitGroup

	// mu guards everything declared below.
	mu      sync.Mutex
	script  []Step
	played  []string
	streams []metadata.MD
	opened  []time.Time
	inner   *intake.Server
	pipe    *bufconn.Listener
}

// pipeBytes is how much may be on its way between the relay and the intake.
const pipeBytes = 1 << 16

// Start listens on loopback and starts the intake behind.
func Start(o Options) (*Intake, error) {
	f := &Intake{options: o}
	if err := f.Play(o.Script...); err != nil {
		return nil, err
	}
	if o.Upstream == "" {
		if err := f.startInner(); err != nil {
			return nil, err
		}
	}
	if err := f.listen(); err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		return nil, errors.Join(err, f.Stop(ctx))
	}
	return f, nil
}

// listen connects the parts from the intake to the sender.
func (f *Intake) listen() (err error) {
	f.conn, err = grpc.NewClient("passthrough:///"+cmp.Or(f.options.Upstream, "intake"),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(f.dial),
		// An intake that was restarted is to be found soon.
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 20 * time.Second, Backoff: backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1, MaxDelay: 10 * time.Millisecond}}))
	if err != nil {
		return fmt.Errorf("connect to the intake: %w", err)
	}
	f.client = statefulpb.NewStatefulLogsServiceClient(f.conn)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the relay: %w", err)
	}
	f.server = grpc.NewServer(append([]grpc.ServerOption{
		grpc.WaitForHandlers(true),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second}),
	}, f.options.Server...)...)
	statefulpb.RegisterStatefulLogsServiceServer(f.server, f)
	f.wg.Go(func() { _ = f.server.Serve(listener) })
	f.proxy, err = NewProxy(listener.Addr().String())
	return err
}

// startInner starts the intake of this process.
func (f *Intake) startInner() error {
	pipe := bufconn.Listen(pipeBytes)
	deps := f.options.Deps
	deps.Listener = pipe
	inner, err := intake.New(f.options.Config, deps)
	if err != nil {
		return err
	}
	if err := inner.Start(context.Background()); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.inner, f.pipe = inner, pipe
	return nil
}

func (f *Intake) dial(ctx context.Context, address string) (net.Conn, error) {
	if f.options.Upstream != "" {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	f.mu.Lock()
	pipe := f.pipe
	f.mu.Unlock()
	return pipe.DialContext(ctx)
}

// Addr is the host:port for senders.
func (f *Intake) Addr() string { return f.proxy.Addr() }

// Network is what senders connect through.
func (f *Intake) Network() *Proxy { return f.proxy }

// Server is the real intake; nil with Options.Upstream.
func (f *Intake) Server() *intake.Server {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inner
}

// Restart stops the real intake and starts another on the same journal, as an
// upgrade does. Streams that are open end.
func (f *Intake) Restart(ctx context.Context) error {
	inner := f.Server()
	if inner == nil {
		return errors.New("restart: the intake runs elsewhere")
	}
	if err := inner.Stop(ctx); err != nil {
		return err
	}
	// A program that this process starts meanwhile holds the journal's lock until
	// it runs.
	for until := time.Now().Add(lockTime); ; time.Sleep(10 * time.Millisecond) {
		if err := f.startInner(); err == nil || time.Now().After(until) || ctx.Err() != nil {
			return err
		}
	}
}

// lockTime is how long Restart waits for the lock of the journal.
const lockTime = 10 * time.Second

// Stop ends everything at once. It may be called many times.
func (f *Intake) Stop(ctx context.Context) error {
	var err error
	if f.proxy != nil {
		f.proxy.Close()
	}
	if f.server != nil {
		f.server.Stop()
	}
	if f.conn != nil {
		_ = f.conn.Close() // its error says that it is closed
	}
	f.wg.Wait()
	if inner := f.Server(); inner != nil {
		err = inner.Stop(ctx)
	}
	return err
}

// Play adds steps to the script.
func (f *Intake) Play(steps ...Step) error {
	for i := range steps {
		if err := steps[i].check(); err != nil {
			return fmt.Errorf("step %d of the script: %w", i+1, err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.script = append(f.script, steps...)
	return nil
}

// Played are the steps that were played, in order: "stream 1, ack 3: kill".
func (f *Intake) Played() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.played)
}

// Left are the moments that the script still waits for, those of Always not
// counted: a test whose fault was never played has shown nothing.
func (f *Intake) Left() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var left []string
	for _, s := range f.script {
		if s.Times >= 0 {
			left = append(left, fmt.Sprintf("%s: %s", s.At, s.Do))
		}
	}
	return left
}

// Streams are the request headers of the streams so far, in the order of opening.
func (f *Intake) Streams() []metadata.MD {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.streams)
}

// Opened is when each of Streams was opened.
func (f *Intake) Opened() []time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.opened)
}

// enter counts a stream in.
func (f *Intake) enter(md metadata.MD) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.streams, f.opened = append(f.streams, md), append(f.opened, time.Now())
	return len(f.streams)
}

// due are the actions for a moment; records are those of the batch, where a step
// wants to look inside.
func (f *Intake) due(kind momentKind, stream int, batch uint32, records []record.Record) []Action {
	f.mu.Lock()
	defer f.mu.Unlock()
	var actions []Action
	for i := range f.script {
		s := &f.script[i]
		if !s.waits(kind, stream, batch, records) || !s.play() {
			continue
		}
		at := Moment{kind: kind, batch: batch}
		f.played = append(f.played, fmt.Sprintf("stream %d, %s: %s", stream, at, s.Do))
		actions = append(actions, s.Do)
	}
	return actions
}

// looks says whether a step wants to look inside of batches.
func (f *Intake) looks() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.script, func(s Step) bool { return s.At.match != nil })
}
