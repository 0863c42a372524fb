package simulate

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// collector receives the metrics of one machine: DogStatsD datagrams, and
// requests to the Datadog API.
type collector struct {
	conn    *net.UDPConn
	api     *http.Server
	apiAddr string
	machine int
	begin   time.Time
	done    sync.WaitGroup

	mu      sync.Mutex // guards what follows
	samples []Sample
	news    chan struct{} // closed and replaced at each heartbeat
}

// maxSamples bounds what one machine may send: beyond it samples are dropped.
const maxSamples = 200_000

// apiTimeout bounds a request of the machine.
const apiTimeout = 10 * time.Second

func newCollector(machine int, begin time.Time) (*collector, error) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("listen for metrics on loopback: %w", err)
	}
	// Bursts must not be lost; the kernel cuts it to net.core.rmem_max.
	_ = conn.SetReadBuffer(4 << 20)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen for metrics on loopback: %w", err), conn.Close())
	}
	c := &collector{conn: conn, apiAddr: listener.Addr().String(), machine: machine, begin: begin, news: make(chan struct{})}
	c.api = &http.Server{Handler: c, ReadTimeout: apiTimeout, WriteTimeout: apiTimeout, ErrorLog: log.New(io.Discard, "", 0)}
	c.done.Go(c.receive)
	c.done.Go(func() { _ = c.api.Serve(listener) }) // it ends when stop closes it
	return c, nil
}

// apiURL is the collector's base URL of the Datadog API. The API key that goes
// along stays on this machine.
func (c *collector) apiURL() string { return "http://" + c.apiAddr }

// ServeHTTP is the Datadog API as far as metrics go.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := time.Since(c.begin)
	if r.Method != http.MethodPost || r.URL.Path != seriesPath && r.URL.Path != distributionPath {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRaw))
	if err != nil {
		return // the machine is gone, or its body too large
	}
	samples, err := parseSeries(r.URL.Path, r.Header.Get("Content-Encoding"), body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.add(samples, at)
	c.mu.Unlock()
	w.WriteHeader(http.StatusAccepted)
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
		c.add(samples, at)
	}
}

// add keeps what arrived at that time. The caller holds mu.
func (c *collector) add(samples []Sample, at time.Duration) {
	heard := false
	for _, s := range samples {
		if len(c.samples) == maxSamples {
			break
		}
		s.Machine, s.At = c.machine, at
		c.samples = append(c.samples, s)
		heard = heard || s.Name == heartbeatMetric
	}
	if heard {
		close(c.news)
		c.news = make(chan struct{})
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
	_ = c.api.Close()
	c.done.Wait()
	return c.samples
}
