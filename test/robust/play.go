package robust

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/registry"
	"github.com/vigil-agent/vigil/logs/stream"
	"github.com/vigil-agent/vigil/test/fakeintake"
	"github.com/vigil-agent/vigil/test/harness"
)

// play is one fault while it is played.
type play struct {
	ctx   context.Context
	o     Options
	spool bool
	dir   string
	truth *truth

	// logs is the section of that name; its endpoint is set by what connects. key
	// is the top-level api_key.
	logs map[string]any
	key  string

	// fakes are the receiving sides in this process and processes those apart.
	fakes    []*fakeintake.Intake
	proxies  []*fakeintake.Proxy
	receiver *harness.Process
	restart  func() error // kills the receiver and starts another
	journals []string
	// counts are the lines of each.
	counts  map[string]counted
	closers []func() error

	agent *harness.Process
	// env is added to the agent's environment. clock is the agent's where it can be
	// moved, and from when it began.
	env   []string
	clock harness.Clock
	from  time.Time
	// played is how often something was done that is no step of a script.
	played int
	// window is how many lines may come twice, peak the most memory so far, last
	// what the agent said last and before what those said that were killed.
	window       int
	peak         int64
	last, before status

	// written is closed when the writer has ended; hold lets it wait.
	written  chan struct{}
	writeErr error
	pause    sync.Mutex
}

// path is a file of the play.
func (p *play) path(name string) string { return filepath.Join(p.dir, name) }

// fake starts a receiving side in this process that the agent is sent to.
func (p *play) fake(o fakeintake.Options) (*fakeintake.Intake, error) {
	journal := p.path(fmt.Sprintf("journal%d.ndjson", len(p.journals)))
	o.Config.Journal = journal
	f, err := fakeintake.Start(o)
	if err != nil {
		return nil, err
	}
	p.fakes, p.journals = append(p.fakes, f), append(p.journals, journal)
	p.closers = append(p.closers, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), 20*time.Second)
		defer cancel()
		return f.Stop(ctx)
	})
	p.connect(f.Addr())
	return f, nil
}

// script starts a receiving side that follows a script.
func (p *play) script(steps ...fakeintake.Step) error {
	_, err := p.fake(fakeintake.Options{Script: steps})
	return err
}

// connect makes an address the agent's endpoint, or one more of them.
func (p *play) connect(address string) {
	if p.logs["endpoint"] == nil {
		p.logs["endpoint"] = map[string]any{"address": address, "tls": map[string]any{"insecure": true}}
		return
	}
	more, _ := p.logs["endpoints"].([]string)
	p.logs["endpoints"] = append(more, address)
}

// endpoint adds to the endpoint's section.
func (p *play) endpoint(key string, value any) { p.logs["endpoint"].(map[string]any)[key] = value }

// proxy puts a network in front of an address, and makes that the endpoint.
func (p *play) proxy(target string) (*fakeintake.Proxy, error) {
	proxy, err := fakeintake.NewProxy(target)
	if err != nil {
		return nil, err
	}
	p.proxies = append(p.proxies, proxy)
	p.closers = append(p.closers, func() error { proxy.Close(); return nil })
	p.connect(proxy.Addr())
	return proxy, nil
}

// external starts an intake as a process of its own, behind a proxy.
func (p *play) external() error {
	ports, err := harness.FreePorts(1)
	if err != nil {
		return err
	}
	journal := p.path("journal.ndjson")
	p.journals = append(p.journals, journal)
	p.restart = func() (err error) {
		if p.receiver != nil {
			if err := p.receiver.Kill(); err != nil {
				return err
			}
		}
		p.receiver, err = harness.Start(harness.Options{Path: p.o.Agent, Args: []string{"intake", "--listen", ports[0], "--journal", journal}, Stderr: p.path("intake.log")})
		return err
	}
	p.closers = append(p.closers, func() error {
		if p.receiver == nil {
			return nil
		}
		return p.receiver.Stop(20 * time.Second)
	})
	if err := p.restart(); err != nil {
		return err
	}
	_, err = p.proxy(ports[0])
	return err
}

// start starts the agent.
func (p *play) start() error {
	p.logs["enabled"] = true
	p.logs["sources"] = []any{map[string]any{"type": "file", "path": p.path("app.log"), "start_at": "beginning"}}
	if p.logs["batch"] == nil {
		p.logs["batch"] = map[string]any{"max_lines": p.batchLines(), "max_wait": "100ms"}
	}
	if p.spool && p.logs["spool"] == nil {
		p.logs["spool"] = map[string]any{"enabled": true}
	}
	config := map[string]any{
		"run_path": p.path("state"), "api": map[string]any{"socket": p.path("vigil.sock")},
		"metrics": map[string]any{"statsd_address": ""}, "logs": p.logs,
	}
	if p.key != "" {
		if err := os.WriteFile(p.path("key"), []byte(p.key), 0o600); err != nil {
			return err
		}
		config["api_key_file"] = p.path("key")
	}
	text, err := json.Marshal(config) // JSON is YAML
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.path("vigil.yaml"), text, 0o600); err != nil {
		return err
	}
	p.agent, err = harness.Start(harness.Options{Path: p.o.Agent, Args: []string{"run", "--config", p.path("vigil.yaml")}, Env: p.env, Stderr: p.path("agent.log")})
	return err
}

// crash kills the agent, as a fault of the machine does. Without the spool what
// was on its way may come twice.
func (p *play) crash() error {
	p.measure()
	p.before.ReplayedBatches += p.last.ReplayedBatches
	p.before.StreamErrors += p.last.StreamErrors
	p.last = status{}
	p.played++
	if err := p.agent.Kill(); err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond) // what the receiving side holds becomes durable
	if !p.spool {
		p.window += p.unacked()
	}
	return nil
}

// unacked is how many lines can be on their way: as many as the bound of what is
// not acknowledged has room for, the batch that exceeds it, and one whose
// acknowledgement came and is not recorded yet.
func (p *play) unacked() int {
	p.pause.Lock()
	defer p.pause.Unlock()
	mean := int(p.truth.ends[len(p.truth.ends)-1]) / len(p.truth.ends)
	return stream.DefaultMaxInflightBytes/(int(unsafe.Sizeof(record.Record{}))+mean-1) + 2*p.batchLines()
}

// recorded is the number of the last line whose offset the agent has saved.
func (p *play) recorded() int {
	text, err := os.ReadFile(filepath.Join(p.path("state"), registry.FileName))
	if err != nil {
		return 0 // none yet
	}
	var saved struct{ Files []registry.Entry }
	if json.Unmarshal(text, &saved) != nil || len(saved.Files) == 0 {
		return 0
	}
	p.pause.Lock()
	defer p.pause.Unlock()
	n := 0
	for n < len(p.truth.ends) && p.truth.ends[n] <= saved.Files[0].Offset {
		n++
	}
	return n
}

// batchLines is how many lines a batch has: some dozens of batches in any case.
func (p *play) batchLines() int { return min(1000, max(20, p.o.Lines/50)) }

// chunks is in how many parts the lines are written.
const chunks = 50

// write writes the lines, with pauses in which the rest of the world goes on.
func (p *play) write() {
	defer close(p.written)
	file, err := os.OpenFile(p.path("app.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.writeErr = err
		return
	}
	defer func() { p.writeErr = errors.Join(p.writeErr, file.Close()) }()
	var buf []byte
	for written := 0; written < p.o.Lines && p.ctx.Err() == nil; {
		p.pause.Lock()
		buf = buf[:0]
		for range min((p.o.Lines+chunks-1)/chunks, p.o.Lines-written) {
			buf = p.truth.next(buf)
			written++
		}
		_, err := file.Write(buf)
		p.pause.Unlock()
		if err != nil {
			p.writeErr = err
			return
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// whole waits until everything is written.
func (p *play) whole() error {
	select {
	case <-p.written:
		return p.writeErr
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// until waits for a condition.
func (p *play) until(what string, ok func() bool) error {
	for !ok() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-p.agent.Ended():
			return fmt.Errorf("the agent ended: %w", p.agent.Wait())
		case <-p.ctx.Done():
			return fmt.Errorf("it never happened that %s", what)
		}
	}
	return nil
}

// arrived waits until so many lines are in the journals.
func (p *play) arrived(lines int) error {
	return p.until(fmt.Sprintf("%d lines arrive", lines), func() bool { return p.stored() >= lines })
}

// stored is how many lines there are in the journals, by their line feeds.
func (p *play) stored() int {
	n := 0
	for _, path := range p.journals {
		c := p.counts[path]
		c.on(path)
		p.counts[path] = c
		n += c.lines
	}
	p.truth.mu.Lock()
	defer p.truth.mu.Unlock()
	return n + len(p.truth.posted)
}

// counted is how far the lines of a journal are counted.
type counted struct {
	lines int
	at    int64
	grown time.Time
}

// recount is how long a journal does not grow before it is counted anew: an intake
// that was killed cuts what it had not acknowledged.
const recount = time.Second

// on counts what was added. A journal that is not there yet has no lines.
func (c *counted) on(path string) {
	from := c.at
	defer func() {
		if c.at != from {
			c.grown = time.Now()
		}
	}()
	if time.Since(c.grown) > recount {
		c.lines, c.at, c.grown = 0, 0, time.Now()
	}
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer file.Close() //nolint:errcheck // only read
	buf := make([]byte, 1<<20)
	for {
		n, err := file.ReadAt(buf, c.at)
		c.lines, c.at = c.lines+bytes.Count(buf[:n], []byte{'\n'}), c.at+int64(n)
		if err != nil {
			return
		}
	}
}

func (p *play) compare() (tally, error) {
	p.pause.Lock() // the writer adds to the truth
	defer p.pause.Unlock()
	return p.truth.compare(p.journals, filepath.Join(p.path("state"), "quarantine"))
}

// measure notes what the agent says and uses, before it ends.
func (p *play) measure() {
	if u, err := p.agent.Usage(); err == nil {
		p.peak = max(p.peak, u.Peak)
	}
	if s, err := p.status(); err == nil {
		p.last = s
	}
}

// status is what the agent says about its stream, as far as faults ask.
type status struct {
	InflightLines   int    `json:"inflight_lines"`
	StreamErrors    uint64 `json:"stream_errors"`
	ReplayedBatches uint64 `json:"replayed_batches"`
	Ends            struct {
		Size int `json:"size"`
	} `json:"ends"`
}

// sections are the part of the agent's status that faults ask for.
type sections struct {
	Logs struct {
		Stream status
		Spool  struct {
			Lost  struct{ Lines int }
			Error string
		}
	}
}

func (p *play) status() (status, error) {
	answer, err := p.sections()
	return answer.Logs.Stream, err
}

// spoolLost is how many lines the agent says that its spool has lost.
func (p *play) spoolLost() int {
	answer, err := p.sections()
	if err != nil {
		return 0
	}
	return answer.Logs.Spool.Lost.Lines
}

func (p *play) sections() (sections, error) {
	var answer struct{ Sections sections }
	body, err := api.NewClient(p.path("vigil.sock")).Get(p.ctx, "/v1/status")
	if err == nil {
		err = json.Unmarshal(body, &answer)
	}
	return answer.Sections, err
}

// end stops everything that was started, the agent first.
func (p *play) end() error {
	var errs []error
	if p.agent != nil {
		errs = append(errs, p.agent.Stop(30*time.Second))
	}
	for _, stop := range slices.Backward(p.closers) {
		errs = append(errs, stop())
	}
	p.closers = nil
	return errors.Join(errs...)
}

// mute listens and never says a word.
func (p *play) mute() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	p.closers = append(p.closers, listener.Close)
	return listener.Addr().String(), nil // the kernel accepts on its behalf
}

// keyed is a receiving side that takes one key only.
func keyed(key string, steps ...fakeintake.Step) fakeintake.Options {
	return fakeintake.Options{Config: intake.Config{APIKey: key}, Script: steps}
}
