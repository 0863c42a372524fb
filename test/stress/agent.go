package stress

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// functions are those of the target that are probed.
var functions = []string{
	"main.grow", "main.classify", "main.touch", "main.build", "main.sum", "main.spin", "main.mayPanic",
	"main.explode", "main.yield", "main.fill", "main.timers", "main.fire",
}

// agentOf is the environment variable that makes a program the agent of a
// process; see Agent.
const agentOf = "VIGIL_STRESS_AGENT_OF"

// Agent is for the main function of programs that call Run, which starts them
// again as the agent: it returns at once in the program itself, and never in
// the agent.
func Agent() {
	pid, err := strconv.Atoi(os.Getenv(agentOf))
	if err != nil {
		return
	}
	if err := attend(pid, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "the agent of the stress test:", err)
	}
	os.Exit(1) // it is meant to be killed
}

// site is one probed instruction, and its first byte when nothing is there.
type site struct {
	PC   uint64
	Byte byte
}

// Counters are what the probes of an agent have seen.
type Counters struct {
	// Hits are calls, Returns those that ended.
	Hits, Returns uint64
	// Decoded is how many events were turned into JSON, Lost how many were not
	// because the agent was too slow.
	Decoded, Lost uint64
}

// message is what an agent prints, on a line each: the sites once, when the
// probes are in place, and then the counters.
type message struct {
	Sites    []site
	Counters Counters
}

// attend probes the functions of a process and decodes what comes until it is
// killed.
func attend(pid int, out io.Writer) (err error) {
	bin, err := binary.Open(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bin.Close()) }()
	var probes []bpf.Probe
	var layouts []*snapshot.Layout
	var sites []site
	for _, function := range functions {
		p, err := plan.Resolve(bin, plan.Definition{ProbeID: function, Function: function, Returns: true})
		if err != nil {
			return err
		}
		if err := plan.Compile(p); err != nil {
			return err
		}
		layout, err := snapshot.NewLayout(p, snapshot.Redaction{})
		if err != nil {
			return err
		}
		probes, layouts = append(probes, bpf.Probe{Plan: p}), append(layouts, layout)
		for _, s := range p.Sites {
			sites = append(sites, site{PC: s.PC})
		}
	}
	if err := firstBytes(pid, sites); err != nil {
		return err
	}
	session, err := bpf.Load(bpf.Options{}, probes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	if err := session.Attach(bin.OpenPath(), pid, 1); err != nil {
		return err
	}
	messages := json.NewEncoder(out)
	if err := messages.Encode(message{Sites: sites}); err != nil {
		return err
	}
	decoder := snapshot.NewDecoder(snapshot.Deps{
		Wall:    func(uint64) time.Time { return time.Time{} },
		Process: func(*event.Event) snapshot.Process { return snapshot.Process{PID: pid} },
	})
	var text []byte
	var decoded uint64
	for {
		err := session.Read(time.Now().Add(200*time.Millisecond), func(e *event.Event) {
			text = decoder.Decode(layouts[e.Probe], e).AppendJSON(text[:0])
			decoded++
		})
		if err != nil {
			return err
		}
		stats, err := session.Stats()
		if err != nil {
			return err
		}
		c := Counters{Decoded: decoded}
		for _, s := range stats {
			c.Hits += s.Hits
			c.Returns += s.Returns
			c.Lost += s.RingFull + s.NoScratch
		}
		if err := messages.Encode(message{Counters: c}); err != nil {
			return err
		}
	}
}

// firstBytes reads the code at the sites. The target is not position-independent.
func firstBytes(pid int, sites []site) (err error) {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, memory.Close()) }()
	for i := range sites {
		var b [1]byte
		if _, err := memory.ReadAt(b[:], int64(sites[i].PC)); err != nil {
			return fmt.Errorf("read the code at %#x: %w", sites[i].PC, err)
		}
		sites[i].Byte = b[0]
	}
	return nil
}
