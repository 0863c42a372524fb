package stream

import (
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// cutProxy is a TCP proxy whose connections can be cut, and whose answers can be
// withheld.
type cutProxy struct {
	listener net.Listener
	wg       sync.WaitGroup

	// mu guards everything declared below; cond is signalled when held changes.
	mu     sync.Mutex
	cond   *sync.Cond
	target string
	conns  map[net.Conn]bool
	held   bool
	budget int64 // bytes to the target until all is cut; negative: no bound
	closed bool
}

func newCutProxy(t *testing.T, target string) *cutProxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &cutProxy{listener: listener, target: target, conns: map[net.Conn]bool{}, budget: -1}
	p.cond = sync.NewCond(&p.mu)
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		_ = listener.Close()
		p.hold(false)
		p.cut()
		p.wg.Wait()
	})
	return p
}

func (p *cutProxy) addr() string { return p.listener.Addr().String() }

// retarget sends connections from now on elsewhere.
func (p *cutProxy) retarget(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// hold withholds what the target answers.
func (p *cutProxy) hold(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = on
	p.cond.Broadcast()
}

// cutAfter cuts everything once, after n more bytes to the target.
func (p *cutProxy) cutAfter(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.budget = n
}

// cut resets all connections.
func (p *cutProxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cutLocked()
}

func (p *cutProxy) cutLocked() {
	for c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
		delete(p.conns, c)
	}
	p.cond.Broadcast()
}

func (p *cutProxy) accept() {
	for {
		down, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target := p.target
		p.mu.Unlock()
		up, err := net.Dial("tcp", target)
		if err != nil {
			_ = down.Close()
			continue
		}
		p.mu.Lock()
		p.conns[down], p.conns[up] = true, true
		if p.closed {
			p.cutLocked()
		}
		p.mu.Unlock()
		p.wg.Go(func() { p.copy(up, down, true) })
		p.wg.Go(func() { p.copy(down, up, false) })
	}
}

func (p *cutProxy) copy(dst, src net.Conn, toTarget bool) {
	defer func() { _ = dst.Close() }()
	buf := make([]byte, 4096)
	for {
		n, err := src.Read(buf)
		if n > 0 && !p.pass(dst, buf[:n], toTarget) {
			return
		}
		if err != nil {
			return
		}
	}
}

// pass writes data on, within the budget and when nothing is held.
func (p *cutProxy) pass(dst net.Conn, data []byte, toTarget bool) bool {
	p.mu.Lock()
	for !toTarget && p.held && p.conns[dst] {
		p.cond.Wait()
	}
	if toTarget && p.budget >= 0 {
		part := min(p.budget, int64(len(data)))
		p.budget -= part
		if p.budget == 0 {
			p.budget = -1
			_, _ = dst.Write(data[:part])
			p.cutLocked()
			p.mu.Unlock()
			return false
		}
	}
	p.mu.Unlock()
	_, err := dst.Write(data)
	return err == nil
}
