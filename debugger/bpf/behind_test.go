package bpf

import (
	"bytes"
	le "encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/plan/interp"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// builds lay out maps, interfaces and addresses differently.
var builds = map[string]binarytest.Build{
	"go1.26":             {},
	"go1.26, pie":        {Flags: []string{"-buildmode=pie"}},
	"go1.26, no inlines": {Flags: []string{"-gcflags=all=-N -l"}},
	"go1.25":             {Toolchain: "go1.25.4"},
	"go1.24":             {Toolchain: "go1.24.9"},
	"go1.24, buckets":    {Toolchain: "go1.24.9", Experiment: "noswissmap"},
}

// opened is a build that runs.
type opened struct {
	bin    *binary.Binary
	target *process
}

func open(t *testing.T, b binarytest.Build) opened {
	t.Helper()
	path := binarytest.Fixture(t, "testdata/behind", b)
	bin, err := binary.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, bin.Close()) })
	return opened{bin, (&targetFile{path: path}).start(t)}
}

func (o opened) resolve(t *testing.T, def plan.Definition) *plan.Plan {
	t.Helper()
	p, err := plan.Resolve(o.bin, def)
	require.NoError(t, err)
	require.NoError(t, plan.Compile(p))
	return p
}

// TestKernelAgreesBehindWords captures what the runtime keeps behind maps,
// channels, interfaces and times, and lets the reference interpreter follow the
// same roots.
func TestKernelAgreesBehindWords(t *testing.T) {
	needKernel(t)
	for name, build := range builds {
		t.Run(name, func(t *testing.T) {
			o := open(t, build)
			mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", o.target.pid))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, mem.Close()) })
			read := func(p []byte, addr uint64) error {
				_, err := mem.ReadAt(p, int64(addr))
				return err
			}
			items := 0
			for _, limits := range []plan.Limits{
				{},
				{Depth: 1},
				{Depth: 2, Collection: 3, Length: 5, Fields: 3},
				{Depth: 10, Collection: 1000, Length: 10, Fields: 40},
				{Depth: 6, Collection: 4000, Length: 10_000, Fields: 40},
			} {
				p := o.resolve(t, plan.Definition{Function: "main.Look", Limits: limits})
				s := load(t, Options{}, Probe{Plan: p})
				require.NoError(t, s.Attach(o.target.exe, o.target.pid, 0))
				sent := map[uint64]bool{}
				for seed := range 15 {
					o.target.call(t, "look", seed)
					events := drain(t, s)
					require.Len(t, events, 1)
					got := events[0]
					frames := len(got.Stack)
					if sent[got.StackID] {
						frames = 0
					}
					sent[got.StackID] = true
					bias := got.Stack[0] - p.Sites[0].PC
					want := interp.Follow(p, plan.SiteEntry, got.Items[0], interp.Machine{Read: read, Types: p.Types.Runtime.Types + bias}, frames)
					require.Equal(t, want.Items, got.Items, "limits %+v, seed %d", limits, seed)
					require.Equal(t, want.Incomplete, got.Incomplete)
					items += len(got.Items)
				}
				st := stats(t, s)
				t.Logf("limits %+v: %d instructions, %d types, %v a capture", limits, len(p.Code), len(p.Dynamic), st.Busy/time.Duration(st.Sent))
			}
			t.Logf("%d items agree", items)
		})
	}
}

// namer names the types of a binary.
type namer struct{ bin *binary.Binary }

func (n namer) TypeName(offset uint64) (string, bool) { return n.bin.RuntimeTypeName(offset) }

func (namer) Frames(uint64, []snapshot.Frame) []snapshot.Frame { return nil }

var masked = regexp.MustCompile(`0x[0-9a-f]{5,}`)

// TestSnapshotOfEverything decodes one event of each build: the documents are the
// same. Then it takes the types the snapshot did not know into the plan.
func TestSnapshotOfEverything(t *testing.T) {
	needKernel(t)
	for name, build := range builds {
		t.Run(name, func(t *testing.T) {
			o := open(t, build)
			def := plan.Definition{Function: "main.Golden"}
			for _, round := range []string{"first", "second"} {
				p := o.resolve(t, def)
				s := load(t, Options{}, Probe{Plan: p, NoStack: true})
				require.NoError(t, s.Attach(o.target.exe, o.target.pid, 0))
				o.target.call(t, "golden", 1)
				events := drain(t, s)
				require.Len(t, events, 1)
				layout, err := snapshot.NewLayout(p, snapshot.Redaction{})
				require.NoError(t, err)
				d := snapshot.NewDecoder(snapshot.Deps{
					Wall:    func(uint64) time.Time { return time.Unix(0, 0) },
					Process: func(*event.Event) snapshot.Process { return snapshot.Process{Symbols: namer{o.bin}} },
				}).Decode(layout, events[0])
				golden(t, round, d.AppendJSON(nil))
				def.Types = append(def.Types, d.UnknownTypes()...)
			}
		})
	}
}

// TestGenerics captures instances of one shape by the types they really have: the
// first snapshot names them, the second plan knows them.
func TestGenerics(t *testing.T) {
	needKernel(t)
	for name, build := range builds {
		t.Run(name, func(t *testing.T) {
			o := open(t, build)
			var got strings.Builder
			for _, function := range []string{"main.Generic[go.shape.float32,go.shape.map[string]main.Celsius]", "main.(*Pair[go.shape.float32,go.shape.*uint8]).Swap"} {
				def := plan.Definition{Function: function}
				for range 2 {
					p := o.resolve(t, def)
					s := load(t, Options{}, Probe{Plan: p, NoStack: true})
					require.NoError(t, s.Attach(o.target.exe, o.target.pid, 0))
					o.target.call(t, "generic", 1)
					layout, err := snapshot.NewLayout(p, snapshot.Redaction{})
					require.NoError(t, err)
					d := snapshot.NewDecoder(snapshot.Deps{
						Wall:    func(uint64) time.Time { return time.Unix(0, 0) },
						Process: func(*event.Event) snapshot.Process { return snapshot.Process{PID: 1, Symbols: namer{o.bin}} },
					})
					for _, e := range drain(t, s) {
						shot := d.Decode(layout, e)
						got.Write(masked.ReplaceAll(shot.AppendTree(nil), []byte("0x…")))
						def.Types = append(def.Types, shot.UnknownTypes()...)
					}
				}
			}
			// Of maps of shapes, the layout of groups can be told from their types, that
			// of buckets cannot.
			file := "generics.txt"
			if strings.HasSuffix(name, "buckets") {
				file = "generics_buckets.txt"
			}
			path := filepath.Join("testdata", "behind", file)
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(got.String()), 0o600))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), got.String())
		})
	}
}

// TestKernelKeepsTheDictionary follows the results of a method of a generic type, and
// of a literal in a generic function, by the types they really have, and lets the reference interpreter follow the same
// roots, with what it has kept itself.
func TestKernelKeepsTheDictionary(t *testing.T) {
	needKernel(t)
	for name, build := range builds {
		t.Run(name, func(t *testing.T) {
			o := open(t, build)
			mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", o.target.pid))
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, mem.Close()) })
			var got []string
			var def plan.Definition
			for i := range 4 {
				if i%2 == 0 {
					function := []string{"main.(*Pair[go.shape.float32,go.shape.*uint8]).Swap", "main.Later[go.shape.*uint8].func1"}[i/2]
					def = plan.Definition{Function: function, Returns: true}
				}
				p := o.resolve(t, def)
				require.True(t, p.KeepsDictionary())
				s := load(t, Options{}, Probe{Plan: p})
				require.NoError(t, s.Attach(o.target.exe, o.target.pid, 0))
				o.target.call(t, "generic", 1)
				events := drain(t, s)
				require.Len(t, events, 2)
				layout, err := snapshot.NewLayout(p, snapshot.Redaction{})
				require.NoError(t, err)
				var kept uint64
				for _, e := range events {
					site := p.Sites[e.Site]
					m := interp.Machine{Types: p.Types.Runtime.Types + e.PC - site.PC, Kept: &kept, Read: func(b []byte, addr uint64) error {
						_, err := mem.ReadAt(b, int64(addr))
						return err
					}}
					want := interp.Follow(p, site.Kind, e.Items[0], m, len(e.Stack))
					require.Equal(t, want.Items, e.Items)
					require.NotZero(t, kept)
				}
				require.Equal(t, kept, le.LittleEndian.Uint64(events[1].Items[0].Data[p.Dictionary.RootOffset:]))
				d := snapshot.NewDecoder(snapshot.Deps{
					Wall:    func(uint64) time.Time { return time.Unix(0, 0) },
					Process: func(*event.Event) snapshot.Process { return snapshot.Process{PID: 1, Symbols: namer{o.bin}} },
				})
				shot := d.Decode(layout, events[1])
				_, tree, _ := strings.Cut(masked.ReplaceAllString(string(shot.AppendTree(nil)), "0x…"), "@return ")
				tree, _, _ = strings.Cut(tree, "  stack")
				got = append(got, tree)
				def.Types = append(def.Types, shot.UnknownTypes()...)
			}
			require.Equal(t, []string{
				"*main.Order 0x… …missing type information\n",
				"*main.Order 0x…\n    ID int64 = 2\n    Name string = \"leaf\"\n    Next *main.Order = nil\n",
				"*main.Order 0x… …missing type information\n",
				"*main.Order 0x…\n    ID int64 = 2\n    Name string = \"leaf\"\n    Next *main.Order = nil\n",
			}, got)
		})
	}
}

// golden compares the captures of a document with the file of a round.
func golden(t *testing.T, round string, out []byte) {
	t.Helper()
	var doc struct {
		Debugger struct {
			Snapshot struct {
				Captures json.RawMessage `json:"captures"`
				Errors   json.RawMessage `json:"evaluationErrors"`
			} `json:"snapshot"`
		} `json:"debugger"`
	}
	require.NoError(t, json.Unmarshal(out, &doc))
	require.Empty(t, doc.Debugger.Snapshot.Errors)
	var text bytes.Buffer
	require.NoError(t, json.Indent(&text, doc.Debugger.Snapshot.Captures, "", " "))
	got := masked.ReplaceAll(append(text.Bytes(), '\n'), []byte("0x…"))
	path := filepath.Join("testdata", "behind", round+".json")
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}
