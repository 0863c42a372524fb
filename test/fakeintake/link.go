package fakeintake

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// chunkBytes and queueChunks bound what is on its way in one direction of a
	// connection: enough for some latency, and little enough that a slow network
	// is felt by who sends.
	chunkBytes  = 16 << 10
	queueChunks = 16
	// paceBytes is how much passes at once where bytes per second are bounded.
	paceBytes = 4 << 10
)

// link is a sender's connection and its twin to the target.
type link struct {
	proxy *Proxy
	// conns are where bytes go in each Direction: Up to the target.
	conns [2]net.Conn
	ended atomic.Int32 // directions in which nothing comes any more
	once  sync.Once
	done  chan struct{} // closed with the connections

	// writing guards writes to the sender and everything declared below.
	writing sync.Mutex
	frames  frames
	goaway  []byte // to be written at the next border of frames
}

// chunk is bytes and when they have arrived.
type chunk struct {
	data []byte
	due  time.Time
}

func newLink(p *Proxy, sender, target net.Conn) *link {
	return &link{proxy: p, conns: [2]net.Conn{Up: target, Down: sender}, done: make(chan struct{})}
}

// pump passes on what comes in a direction until it ends.
func (l *link) pump(d Direction) {
	queue := make(chan chunk, queueChunks)
	l.proxy.wg.Go(func() { l.deliver(d, queue) })
	defer close(queue)
	for {
		buf := make([]byte, chunkBytes)
		n, err := l.conns[1-d].Read(buf)
		if n > 0 {
			_, latency, _ := l.proxy.gate(d)
			select {
			case queue <- chunk{buf[:n], time.Now().Add(latency)}:
			case <-l.done:
				return
			}
		}
		if err == nil {
			continue
		}
		if !errors.Is(err, io.EOF) && l.open(d) {
			l.reset()
		}
		return
	}
}

// deliver writes what was read when it is due, and then the end.
func (l *link) deliver(d Direction, queue <-chan chunk) {
	for c := range queue {
		if !l.wait(time.Until(c.due)) || !l.pass(d, c.data) {
			l.reset()
			for range queue { // until the pump has seen it too
			}
			return
		}
	}
	if !l.open(d) {
		return
	}
	if tcp, ok := l.conns[d].(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	if l.ended.Add(1) == 2 {
		l.close()
	}
}

// pass writes data as the network allows; false when the connection is over.
func (l *link) pass(d Direction, data []byte) bool {
	for len(data) > 0 {
		if !l.open(d) {
			return false
		}
		part := data
		if pause, bounded := l.proxy.pacer[d].take(min(len(part), paceBytes)); bounded {
			part = part[:min(len(part), paceBytes)]
			if !l.wait(pause) {
				return false
			}
		}
		data = data[len(part):]
		n, cut := l.proxy.spend(d, len(part))
		l.proxy.bytes[d].Add(int64(n))
		err := l.write(d, part[:n])
		if cut {
			l.proxy.Cut()
		}
		if err != nil || cut {
			return false
		}
	}
	return true
}

// open waits until the network passes anything; false when the connection is over.
func (l *link) open(d Direction) bool {
	for {
		shut, _, changed := l.proxy.gate(d)
		if !shut {
			return true
		}
		select {
		case <-changed:
		case <-l.done:
			return false
		}
	}
}

func (l *link) wait(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.done:
		return false
	}
}

// write writes, and a GOAWAY that waits as soon as a frame ends.
func (l *link) write(d Direction, data []byte) error {
	if d == Up {
		_, err := l.conns[Up].Write(data)
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	for len(data) > 0 {
		n := len(data)
		if l.goaway == nil {
			l.frames.skip(data)
		} else {
			n = l.frames.next(data)
		}
		if _, err := l.conns[Down].Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
		if err := l.say(); err != nil {
			return err
		}
	}
	return nil
}

// say writes the GOAWAY that waits, if it may be written here. The caller holds
// writing.
func (l *link) say() error {
	if l.goaway == nil || !l.frames.border() {
		return nil
	}
	_, err := l.conns[Down].Write(l.goaway)
	l.goaway = nil
	return err
}

// goAway sends GOAWAY and closes the connection when the grace is over.
func (l *link) goAway(reason Reason, grace time.Duration) error {
	if l == nil {
		return net.ErrClosed
	}
	l.writing.Lock()
	l.goaway = reason.frame()
	err := l.say()
	l.writing.Unlock()
	p := l.proxy
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	p.wg.Go(func() {
		if l.wait(grace) {
			l.close()
		}
	})
	return err
}

// reset ends both connections with RST.
func (l *link) reset() {
	if l == nil {
		return
	}
	l.end(func(c net.Conn) {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	})
}

// close ends both connections with FIN.
func (l *link) close() { l.end(func(net.Conn) {}) }

func (l *link) end(prepare func(net.Conn)) {
	l.once.Do(func() {
		for _, c := range l.conns {
			prepare(c)
			_ = c.Close()
		}
		close(l.done)
		l.proxy.forget(l)
	})
}
