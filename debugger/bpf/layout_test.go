package bpf

import (
	"bytes"
	"encoding/binary"
	"os"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// TestRecordsMatchTheProgram compares the instruction the compiler encodes with
// the structure bpf2go found in the program's type information.
func TestRecordsMatchTheProgram(t *testing.T) {
	t.Parallel()
	record := plan.Op{
		Code: plan.OpSlice, Reg: 3, Reason: event.ReasonCollection,
		Offset: 4, CFA: -5, Size: 6, Limit: 7, Type: 8, Routine: 9, Flags: plan.FlagItab, Aux: 10,
	}.AppendRecord(nil)
	var got captureOp
	require.Equal(t, plan.RecordSize, binary.Size(got))
	require.NoError(t, binary.Read(bytes.NewReader(record), binary.LittleEndian, &got))
	require.Equal(t, captureOp{
		Code: uint8(plan.OpSlice), Reg: 3, Reason: uint8(event.ReasonCollection),
		Offset: 4, Cfa: -5, Size: 6, Limit: 7, Type: 8, Routine: 9, Flags: uint8(plan.FlagItab), Aux: 10,
	}, got)
}

// TestConstantsMatchTheProgram holds the numbers that both sides spell out.
func TestConstantsMatchTheProgram(t *testing.T) {
	t.Parallel()
	src, err := os.ReadFile("c/layout.h")
	require.NoError(t, err)
	defined := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)^#define (\w+) (\d+)`).FindAllSubmatch(src, -1) {
		n, err := strconv.Atoi(string(m[2]))
		require.NoError(t, err)
		defined[string(m[1])] = n
	}
	for name, want := range map[string]int{
		"EVENT_VERSION":  event.Version,
		"ITEM_BYTES":     plan.MaxItem,
		"FRAMES":         MaxFrames,
		"SCRATCH_SLOTS":  scratchSlots,
		"INDEX_BITS":     indexBits,
		"FRAGMENT_BYTES": maxFragment,
		"FRAGMENTS":      event.MaxFragments,
		"MAP_SLOTS":      gotype.Slots,
		"DICTIONARY_FAR": plan.DictionaryFar,
		"OP_FREE":        int(plan.FlagFree),
		"OP_DIRECT":      int(plan.FlagDirect),
		"OP_ITAB":        int(plan.FlagItab),
		"OP_BUCKET":      int(plan.FlagBucket),
		"WAKE_NS":        int(straggler.Nanoseconds()) * 10 / 12,
	} {
		require.Equal(t, want, defined[name], name)
	}
	enums := regexp.MustCompile(`(?s)enum (\w+) \{(.*?)\}`).FindAllSubmatch(src, -1)
	names := map[string][]string{}
	for _, m := range enums {
		for _, n := range regexp.MustCompile(`\b[A-Z_]+\b`).FindAllString(string(m[2]), -1) {
			names[string(m[1])] = append(names[string(m[1])], n)
		}
	}
	require.Equal(t, map[string][]string{
		"op_code": {"OP_END", "OP_REGISTER", "OP_STACK", "OP_HOLE", "OP_POINTER", "OP_STRING", "OP_SLICE", "OP_INTERFACE", "OP_RING", "OP_GROUPS", "OP_INSTANCE", "OP_KEEP", "OP_KEPT"},
		"end":     {"END_NONE", "END_ENTRY", "END_RETURN"},
		"groups":  {"GROUPS_SMALL", "GROUPS_TABLE", "GROUPS_BUCKETS", "GROUPS_OLD", "GROUPS_NEXT"},
		"reason":  {"REASON_NONE", "REASON_UNAVAILABLE", "REASON_LENGTH", "REASON_COLLECTION", "REASON_TOO_LARGE", "REASON_POINTERS"},
	}, names)
	require.Equal(t, []uint32{0, 0, 1, 2}, []uint32{
		endOf(plan.SiteEntry, false), endOf(plan.SiteLine, false), endOf(plan.SiteEntry, true), endOf(plan.SiteReturn, true),
	})
	require.EqualValues(t, plan.OpKept, len(names["op_code"])-1)
	require.EqualValues(t, plan.GroupsNext, len(names["groups"])-1)
	require.EqualValues(t, event.MaxReason, len(names["reason"])-1)
}

func TestThrottleNumbers(t *testing.T) {
	t.Parallel()
	const week = 7 * 24 * 3600 * 1_000_000_000
	for perSecond, want := range map[float64][2]uint64{
		0:     {0, 0},
		1:     {1e9, 1e9},
		0.5:   {2e9, 2e9},
		10:    {1e8, 1e9},
		5000:  {200_000, 1e9},
		1e12:  {1, 1e9},
		1e-12: {week, week},
	} {
		interval, burst := throttle(perSecond)
		require.Equal(t, want, [2]uint64{interval, burst}, "%v per second", perSecond)
	}
}

func TestRingBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]uint32{
		0: 4 << 20, -1: 4 << 20, 1: 64 << 10, 64 << 10: 64 << 10, 64<<10 + 1: 128 << 10,
		3 << 20: 4 << 20, 4 << 20: 4 << 20, 1 << 40: 1 << 30,
	} {
		require.Equal(t, want, ringBytes(n, []Probe{{}}), n)
	}
	for rate, want := range map[float64]uint32{0: 4 << 20, 0.001: 1 << 20, 1: 1 << 20, 32: 1 << 20, 33: 2 << 20, 100: 4 << 20, 1e12: 4 << 20} {
		require.Equal(t, want, ringBytes(0, []Probe{{PerSecond: rate}}), "%v per second", rate)
	}
	for probes, want := range map[int]uint32{1: 1 << 20, 32: 1 << 20, 64: 2 << 20, 1000: 4 << 20} {
		require.Equal(t, want, ringBytes(0, slices.Repeat([]Probe{{PerSecond: 1}}, probes)), "%d probes", probes)
	}
}
