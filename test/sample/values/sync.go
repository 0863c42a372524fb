package main

import (
	"sync"
	"sync/atomic"
)

type counters struct {
	Int32   atomic.Int32
	Int64   atomic.Int64
	Uint32  atomic.Uint32
	Uint64  atomic.Uint64
	Uintptr atomic.Uintptr
	Bool    atomic.Bool
}

//go:noinline
func syncMutex(free, held *sync.Mutex) { use(free); use(held) }

//go:noinline
func syncRWMutex(read, written *sync.RWMutex) { use(read); use(written) }

//go:noinline
func syncWaitGroup(v *sync.WaitGroup) { use(v) }

//go:noinline
func syncOnce(before, after *sync.Once) { use(before); use(after) }

//go:noinline
func syncAtomics(v *counters) { use(v) }

//go:noinline
func syncAtomicPointer(v, none *atomic.Pointer[pair]) { use(v); use(none) }

//go:noinline
func syncAtomicValue(v *atomic.Value) { use(v) }

func init() {
	const s = "sync"
	add(s, "main.syncMutex", func() {
		var free, held sync.Mutex
		held.Lock()
		syncMutex(&free, &held)
	})
	add(s, "main.syncRWMutex", func() {
		var read, written sync.RWMutex
		read.RLock()
		written.Lock()
		syncRWMutex(&read, &written)
	})
	add(s, "main.syncWaitGroup", func() {
		var group sync.WaitGroup
		group.Add(3)
		syncWaitGroup(&group)
	})
	add(s, "main.syncOnce", func() {
		var before, after sync.Once
		after.Do(func() {})
		syncOnce(&before, &after)
	})
	add(s, "main.syncAtomics", func() {
		var v counters
		v.Int32.Store(-1)
		v.Int64.Store(-2)
		v.Uint32.Store(3)
		v.Uint64.Store(4)
		v.Uintptr.Store(5)
		v.Bool.Store(true)
		syncAtomics(&v)
	})
	add(s, "main.syncAtomicPointer", func() {
		var v, none atomic.Pointer[pair]
		v.Store(&pair{1, 2})
		syncAtomicPointer(&v, &none)
	})
	add(s, "main.syncAtomicValue", func() {
		var v atomic.Value
		v.Store("stored")
		syncAtomicValue(&v)
	})
}
