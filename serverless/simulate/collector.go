package simulate

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"
)

// collector receives the DogStatsD datagrams of one machine.
type collector struct {
	conn    *net.UDPConn
	machine int
	begin   time.Time
	done    sync.WaitGroup

	mu      sync.Mutex // guards what follows
	samples []Sample
	news    chan struct{} // closed and replaced at each heartbeat
}

// maxSamples bounds what one machine may send: beyond it samples are dropped.
const maxSamples = 200_000

func newCollector(machine int, begin time.Time) (*collector, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("listen for metrics on loopback: %w", err)
	}
	// Bursts must not be lost; the kernel cuts it to net.core.rmem_max.
	_ = conn.SetReadBuffer(4 << 20)
	c := &collector{conn: conn, machine: machine, begin: begin, news: make(chan struct{})}
	c.done.Go(c.receive)
	return c, nil
}

// url is the collector's address as DD_DOGSTATSD_URL wants it.
func (c *collector) url() string { return "udp://" + c.conn.LocalAddr().String() }

func (c *collector) receive() {
	buffer := make([]byte, 64<<10)
	for {
		n, err := c.conn.Read(buffer)
		if err != nil {
			return // closed
		}
		c.take(string(buffer[:n]), time.Since(c.begin))
	}
}

func (c *collector) take(datagram string, at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for line := range strings.SplitSeq(datagram, "\n") {
		samples, err := parseMetric(strings.TrimSpace(line))
		if err != nil {
			continue
		}
		for _, s := range samples {
			if len(c.samples) == maxSamples {
				return
			}
			s.Machine, s.At = c.machine, at
			c.samples = append(c.samples, s)
		}
		if samples[0].Name == heartbeatMetric {
			close(c.news)
			c.news = make(chan struct{})
		}
	}
}

// newest is when the latest heartbeat arrived, and a channel that is closed when
// the next one does.
func (c *collector) newest() (at time.Duration, next <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range slices.Backward(c.samples) {
		if s.Name == heartbeatMetric {
			return s.At, c.news
		}
	}
	return -1, c.news
}

// stop ends the reception and returns everything that arrived.
func (c *collector) stop() []Sample {
	_ = c.conn.Close() // the reader ends, whatever it says
	c.done.Wait()
	return c.samples
}
