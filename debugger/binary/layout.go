package binary

import (
	"debug/dwarf"
	"encoding/binary"
	"fmt"

	"github.com/vigil-agent/vigil/debugger/binary/die"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// runtimeStructs are the structs whose layout is asked for.
var runtimeStructs = []string{
	"runtime.g", "runtime.m", "runtime.hchan", "runtime.hmap", "time.Location", "time.zone",
	"internal/runtime/maps.Map", "internal/runtime/maps.table", "internal/runtime/maps.groupsReference",
}

// fieldAt names a field of a runtime struct and the variable that its offset goes
// to.
type fieldAt struct {
	in, field string
	to        *uint32
}

// maxRuntimeOffset bounds what debug information may claim: runtime.g and
// runtime.m are below 2 KiB.
const maxRuntimeOffset = 4096

// Runtime is the layout of what a capture walks through: from the debug
// information where there is any, by the Go version otherwise.
func (b *Binary) Runtime() (gotype.Runtime, error) {
	if b.data == nil {
		return gotype.Runtime{}, errClosed
	}
	var d *debugInfo
	if b.DebugInfo() == nil {
		var err error
		if d, err = b.debugData(); err != nil {
			return gotype.Runtime{}, err
		}
	}
	return b.runtimeLayout(d)
}

func (b *Binary) runtimeLayout(d *debugInfo) (gotype.Runtime, error) {
	b.layout.once.Do(func() { b.layout.runtime, b.layout.err = b.readLayout(d) })
	return b.layout.runtime, b.layout.err
}

func (b *Binary) readLayout(d *debugInfo) (r gotype.Runtime, err error) {
	defer guard(&err)()
	r = b.knownLayout()
	if d == nil {
		return r, nil
	}
	offsets := map[string]map[string]uint32{}
	for name, off := range d.known {
		if offsets[name], err = d.memberOffsets(off); err != nil {
			return r, err
		}
	}
	if offsets["runtime.hmap"] != nil {
		r.Swiss, r.Hash = nil, &gotype.HashLayout{SameSize: sameSizeGrow}
	} else if offsets["internal/runtime/maps.Map"] != nil {
		r.Hash, r.Swiss = nil, &gotype.SwissLayout{}
	}
	for _, f := range layoutFields(&r) {
		if off, ok := offsets[f.in][f.field]; ok {
			*f.to = off
		}
	}
	if r.Swiss != nil {
		// The groups are a struct within the table.
		r.Swiss.LengthMask += r.Swiss.Groups
		r.Swiss.Groups += offsets["internal/runtime/maps.groupsReference"]["data"]
	}
	return r, nil
}

// sameSizeGrow is the bit of the same name of runtime.hmap.
const sameSizeGrow = 8

// layoutFields are the fields a layout consists of.
func layoutFields(r *gotype.Runtime) []fieldAt {
	fields := []fieldAt{
		{"runtime.g", "goid", &r.G.GoID},
		{"runtime.g", "m", &r.G.M},
		{"runtime.m", "curg", &r.G.CurG},
		{"runtime.hchan", "qcount", &r.Chan.Count},
		{"runtime.hchan", "dataqsiz", &r.Chan.Capacity},
		{"runtime.hchan", "buf", &r.Chan.Buffer},
		{"runtime.hchan", "recvx", &r.Chan.Receive},
		{"runtime.hchan", "closed", &r.Chan.Closed},
		{"time.Location", "name", &r.Location.Name},
		{"time.Location", "cacheStart", &r.Location.CacheStart},
		{"time.Location", "cacheEnd", &r.Location.CacheEnd},
		{"time.Location", "cacheZone", &r.Location.CacheZone},
		{"time.zone", "name", &r.Location.ZoneName},
		{"time.zone", "offset", &r.Location.ZoneOffset},
	}
	if s := r.Swiss; s != nil {
		fields = append(fields,
			fieldAt{"internal/runtime/maps.Map", "used", &s.Used},
			fieldAt{"internal/runtime/maps.Map", "dirPtr", &s.DirPtr},
			fieldAt{"internal/runtime/maps.Map", "dirLen", &s.DirLen},
			fieldAt{"internal/runtime/maps.Map", "globalDepth", &s.GlobalDepth},
			fieldAt{"internal/runtime/maps.table", "localDepth", &s.LocalDepth},
			fieldAt{"internal/runtime/maps.table", "index", &s.Index},
			fieldAt{"internal/runtime/maps.table", "groups", &s.Groups},
			fieldAt{"internal/runtime/maps.groupsReference", "lengthMask", &s.LengthMask},
		)
	}
	if h := r.Hash; h != nil {
		fields = append(fields,
			fieldAt{"runtime.hmap", "count", &h.Count},
			fieldAt{"runtime.hmap", "flags", &h.Flags},
			fieldAt{"runtime.hmap", "B", &h.B},
			fieldAt{"runtime.hmap", "buckets", &h.Buckets},
			fieldAt{"runtime.hmap", "oldbuckets", &h.OldBuckets},
		)
	}
	return fields
}

// knownLayout is the layout of Go 1.24 to 1.26, as the debug information of
// programs built by each of them has it.
func (b *Binary) knownLayout() gotype.Runtime {
	r := gotype.Runtime{
		Types: b.module.types, ETypes: b.module.etypes, ItabType: itabType,
		TypeSize: rtypeTypeSize, TypeHash: rtypeHash, TypeKind: rtypeKind,
		Swiss:    &gotype.SwissLayout{Used: 0, DirPtr: 16, DirLen: 24, GlobalDepth: 32, LocalDepth: 6, Index: 8, Groups: 16, LengthMask: 24},
		Chan:     gotype.ChanLayout{Count: 0, Capacity: 8, Buffer: 16, Closed: 28, Receive: 56},
		Location: gotype.LocationLayout{Name: 0, CacheStart: 80, CacheEnd: 88, CacheZone: 96, ZoneName: 0, ZoneOffset: 16},
		G:        gotype.GLayout{GoID: 152, StackLow: 0, StackHigh: 8, M: 48, CurG: 184},
	}
	if minorVersion(b.goVersion) == "go1.24" {
		r.G.GoID, r.G.CurG = 160, 192
	}
	if b.bucketMaps() {
		r.Swiss = nil
		r.Hash = &gotype.HashLayout{Count: 0, Flags: 8, B: 9, Buckets: 16, OldBuckets: 24, SameSize: sameSizeGrow}
	}
	return r
}

// bucketMaps reports whether the map types of the binary are made of buckets.
func (b *Binary) bucketMaps() bool {
	links := b.bytesAt(b.module.typelinks.addr)
	for i := range b.module.typelinks.len {
		if t, ok := b.rtypeAt(uint64(binary.LittleEndian.Uint32(links[4*i:]))); ok && t.kind() == kindMap {
			return t.isBuckets()
		}
	}
	return false
}

// memberOffsets are the offsets of the members of the struct at off, by name.
func (d *debugInfo) memberOffsets(off dwarf.Offset) (map[string]uint32, error) {
	e, r, err := d.entry(off)
	if err != nil {
		return nil, err
	}
	offsets := map[string]uint32{}
	for c, err := range r.Children(e) {
		if err != nil {
			return nil, fmt.Errorf("%w (%w)", ErrCorrupt, err)
		}
		if at := c.Value(dwarf.AttrDataMemberLoc); at.Class == die.Constant && at.N < maxRuntimeOffset {
			offsets[string(c.Value(dwarf.AttrName).Bytes)] = uint32(at.N)
		}
	}
	return offsets, nil
}
