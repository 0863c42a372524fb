package main

import (
	"reflect"
	"runtime"
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
func syncRWMutexWaiting(read, written *sync.RWMutex) { use(read); use(written) }

//go:noinline
func syncMutexWaiting(v *sync.Mutex) { use(v) }

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
	add(s, "main.syncRWMutexWaiting", func() {
		var read, written sync.RWMutex
		var group together
		read.RLock()
		read.RLock()
		group.run(func() { read.Lock(); read.Unlock() })
		until(&read, "readerWait", func(n int64) bool { return n == 2 })
		group.run(func() { read.RLock(); read.RUnlock() })
		until(&read, "readerCount", func(n int64) bool { return n == 3-1<<30 })
		written.Lock()
		group.run(func() { written.RLock(); written.RUnlock() })
		until(&written, "readerCount", func(n int64) bool { return n == 1-1<<30 })
		syncRWMutexWaiting(&read, &written)
		read.RUnlock()
		read.RUnlock()
		written.Unlock()
		group.Wait()
	})
	add(s, "main.syncMutexWaiting", func() {
		var v sync.Mutex
		var group together
		v.Lock()
		group.run(func() { v.Lock(); v.Unlock() })
		until(&v, "mu", func(n int64) bool { return n>>3 == 1 })
		syncMutexWaiting(&v)
		v.Unlock()
		group.Wait()
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

// until waits until a number in a lock is as it is wanted: goroutines have come
// to wait for it.
func until(lock any, field string, wanted func(n int64) bool) {
	v := reflect.ValueOf(lock).Elem().FieldByName(field)
	for _, inner := range []string{"state", "v"} { // of a mutex, of an atomic number
		if f := v; f.Kind() == reflect.Struct && f.FieldByName(inner).IsValid() {
			v = f.FieldByName(inner)
		}
	}
	for !wanted(v.Int()) {
		runtime.Gosched()
	}
}

// together runs functions in goroutines of their own; wait returns when all have
// ended.
type together struct{ sync.WaitGroup }

func (t *together) run(f func()) {
	t.Add(1)
	go func() {
		defer t.Done()
		f()
	}()
}
