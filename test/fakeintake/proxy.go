package fakeintake

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Conditions are how a network is. The zero value is a good one.
type Conditions struct {
	// Refuse lets nobody connect: connection refused.
	Refuse bool
	// BlackHole accepts connections and passes nothing on, in no direction, and
	// tells nobody that the other side has gone.
	BlackHole bool
	// HoldAnswers passes nothing on from the target to the sender.
	HoldAnswers bool
	// Latency is how long everything takes in each direction.
	Latency time.Duration
	// Up and Down bound the bytes per second from the sender to the target and
	// back, over all connections each; 0 is no bound.
	Up, Down int
}

// String is the conditions as they are logged.
func (c Conditions) String() string {
	var parts []string
	for _, p := range []struct {
		on   bool
		text string
	}{
		{c.Refuse, "refuse"},
		{c.BlackHole, "black hole"},
		{c.HoldAnswers, "hold answers"},
		{c.Latency > 0, "latency " + c.Latency.String()},
		{c.Up > 0, fmt.Sprintf("up %d B/s", c.Up)},
		{c.Down > 0, fmt.Sprintf("down %d B/s", c.Down)},
	} {
		if p.on {
			parts = append(parts, p.text)
		}
	}
	if parts == nil {
		return "good"
	}
	return strings.Join(parts, ", ")
}

// Direction is a way through a Proxy.
type Direction uint8

// The two directions: from the sender to the target, and back.
const (
	Up Direction = iota
	Down
)

var errClosed = errors.New("the proxy is closed")

// Proxy is a TCP proxy on loopback whose network fails on demand. All methods may
// be called concurrently.
type Proxy struct {
	addr string
	// hold keeps the port while nobody listens on it, or somebody else would be
	// given it.
	hold  int
	pacer [2]pacer
	// bytes that have passed, by Direction, and connections that were accepted.
	bytes       [2]atomic.Int64
	connections atomic.Int64
	done        chan struct{} // closed by Close
	// wg counts the accept loop, the pumps and timers.
	wg sync.WaitGroup

	// mu guards everything declared below.
	mu         sync.Mutex
	target     string
	listener   net.Listener // nil while refusing
	conditions Conditions
	changed    chan struct{} // closed and renewed with conditions
	links      map[*link]bool
	budget     [2]int64 // bytes until all is cut, by Direction; negative: no bound
	closed     bool
}

// NewProxy listens on loopback for connections to target, a host:port.
func NewProxy(target string) (*Proxy, error) {
	p := &Proxy{target: target, changed: make(chan struct{}), done: make(chan struct{}), links: map[*link]bool{}, budget: [2]int64{-1, -1}}
	if err := p.take(); err != nil {
		return nil, fmt.Errorf("take a port for the proxy: %w", err)
	}
	listener, err := net.Listen("tcp", p.addr)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for the proxy: %w", err), unix.Close(p.hold))
	}
	p.serve(listener)
	return p, nil
}

// take binds a socket that never listens to a free port. Listeners may be bound
// beside it because both reuse addresses, and the kernel gives the port to nobody
// else.
func (p *Proxy) take() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	var name unix.Sockaddr
	if err == nil {
		name, err = unix.Getsockname(fd)
	}
	if err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	p.hold, p.addr = fd, fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)
	return nil
}

// Addr is the host:port for senders. It stays the same for the proxy's life.
func (p *Proxy) Addr() string { return p.addr }

// Bytes is how many have passed in a direction.
func (p *Proxy) Bytes(d Direction) int64 { return p.bytes[d].Load() }

// Connections is how many were accepted.
func (p *Proxy) Connections() int { return int(p.connections.Load()) }

// Open is how many connections are open.
func (p *Proxy) Open() int { return len(p.open()) }

// Retarget sends connections from now on elsewhere.
func (p *Proxy) Retarget(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Set changes the network for all connections, open ones included: Refuse alone
// leaves those as they are.
func (p *Proxy) Set(c Conditions) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	if !c.Refuse && p.listener == nil {
		listener, err := net.Listen("tcp", p.addr)
		if err != nil {
			return fmt.Errorf("listen again: %w", err)
		}
		p.serve(listener)
	}
	if c.Refuse && p.listener != nil {
		_ = p.listener.Close() // nobody can connect any more
		p.listener = nil
	}
	p.conditions = c
	close(p.changed)
	p.changed = make(chan struct{})
	p.pacer[Up].limit(c.Up)
	p.pacer[Down].limit(c.Down)
	return nil
}

// SetFor is Set, and after d a good network again; 0 is Set alone.
func (p *Proxy) SetFor(c Conditions, d time.Duration) error {
	if err := p.Set(c); err != nil || d == 0 {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	p.wg.Go(func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			_ = p.Set(Conditions{}) // fails when the proxy was closed just now
		case <-p.done:
		}
	})
	return nil
}

// Cut resets all connections.
func (p *Proxy) Cut() {
	for _, l := range p.open() {
		l.reset()
	}
}

// CutAfter resets all connections once n more bytes have passed in a direction:
// the n-th arrives.
func (p *Proxy) CutAfter(d Direction, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.budget[d] = n
}

// GoAway sends GOAWAY on all connections and closes them when the grace is over.
// It knows plaintext HTTP/2 only. A sender that speaks TLS takes the frame for
// garbage: there, use the options of gRPC's server.
func (p *Proxy) GoAway(reason Reason, grace time.Duration) error {
	var errs []error
	for _, l := range p.open() {
		errs = append(errs, l.goAway(reason, grace))
	}
	return errors.Join(errs...)
}

// Close ends all connections and waits for what the proxy has started.
func (p *Proxy) Close() {
	p.mu.Lock()
	if !p.closed {
		close(p.done)
		_ = unix.Close(p.hold)
	}
	p.closed = true
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.mu.Unlock()
	p.Cut()
	p.wg.Wait()
}

// serve accepts in the background. The caller holds mu, or is alone.
func (p *Proxy) serve(listener net.Listener) {
	p.listener = listener
	p.wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.connections.Add(1)
			p.wg.Go(func() { p.connect(conn) })
		}
	})
}

// connect pairs a sender's connection with one to the target.
func (p *Proxy) connect(sender net.Conn) {
	p.mu.Lock()
	address := p.target
	p.mu.Unlock()
	target, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		_ = sender.Close() // what a load balancer does whose backend is gone
		return
	}
	l := newLink(p, sender, target)
	p.mu.Lock()
	p.links[l] = true
	closed := p.closed
	p.mu.Unlock()
	if closed {
		l.reset()
		return
	}
	p.wg.Go(func() { l.pump(Up) })
	p.wg.Go(func() { l.pump(Down) })
}

// open are the connections.
func (p *Proxy) open() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	links := make([]*link, 0, len(p.links))
	for l := range p.links {
		links = append(links, l)
	}
	return links
}

// from is the connection that the target knows by an address, nil when it is gone.
func (p *Proxy) from(address string) *link {
	for _, l := range p.open() {
		if l.conns[Up].LocalAddr().String() == address {
			return l
		}
	}
	return nil
}

func (p *Proxy) forget(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// spend takes n bytes off the budget of a direction and returns how many of them
// may pass; cut says that this was the last of it.
func (p *Proxy) spend(d Direction, n int) (pass int, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.budget[d] < 0 {
		return n, false
	}
	pass = int(min(p.budget[d], int64(n)))
	p.budget[d] -= int64(pass)
	if p.budget[d] > 0 {
		return pass, false
	}
	p.budget[d] = -1
	return pass, true
}

// gate is how the network is for a direction now; changed closes when that is no
// longer true.
func (p *Proxy) gate(d Direction) (shut bool, latency time.Duration, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.conditions
	return c.BlackHole || c.HoldAnswers && d == Down, c.Latency, p.changed
}
