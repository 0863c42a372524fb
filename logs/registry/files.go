package registry

import (
	"slices"
	"strings"
	"time"
)

// Open finds the entry of a file that is about to be followed. path is its
// name, key its place, head its first bytes (at least FingerprintSize of them,
// if it has as many). known is false for a file never seen before, and then
// nothing is changed: see Add.
func (r *Registry) Open(path string, key Key, head []byte) (entry Entry, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var best *file
	for _, f := range r.files {
		if f.active || f.gone || !f.sameFile(path, key, head) {
			continue
		}
		// A file on its own device wins over one that moved; of two contents
		// that begin alike, the later one is in the file now.
		if best == nil || better(f, best, key) {
			best = f
		}
	}
	if best == nil {
		return Entry{}, false
	}
	best.active = true
	r.touch(best, path, key, head)
	return best.Entry, true
}

func better(f, than *file, key Key) bool {
	if (f.Device == key.Device) != (than.Device == key.Device) {
		return f.Device == key.Device
	}
	return f.Seen.After(than.Seen)
}

// Add makes the entry of a file never seen before, to be read from offset on.
func (r *Registry) Add(path string, key Key, head []byte, offset int64) Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	print := FingerprintOf(head)
	id := newID(key, print, 0)
	for generation := 1; r.files[id] != nil; generation++ {
		id = newID(key, print, generation)
	}
	f := &file{Entry: Entry{ID: id, Offset: offset}, active: true}
	r.files[id] = f
	r.touch(f, path, key, head)
	r.fresh = true
	r.nudge()
	return f.Entry
}

// touch brings an entry up to date with the file. The caller holds mu.
func (r *Registry) touch(f *file, path string, key Key, head []byte) {
	f.Path, f.Key, f.Seen = path, key, time.Now().UTC()
	if len(head) > f.Fingerprint.Size && f.Fingerprint.Size < FingerprintSize || f.Fingerprint.Hash == "" {
		f.Fingerprint = FingerprintOf(head)
	}
	r.dirty = true
}

// Grow takes a longer fingerprint of a file that was short when it was opened.
func (r *Registry) Grow(id string, head []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.files[id]
	if f == nil || len(head) <= f.Fingerprint.Size || f.Fingerprint.Size >= FingerprintSize {
		return
	}
	f.Fingerprint = FingerprintOf(head)
	r.dirty = true
}

// Rename notes the new name of a file.
func (r *Registry) Rename(id, path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.files[id]; f != nil && f.Path != path {
		f.Path = path
		r.dirty = true
	}
}

// Close notes that a file is not followed any more. gone means that it was
// deleted, and its entry goes as soon as all that was read is committed.
func (r *Registry) Close(id string, gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.files[id]
	if f == nil {
		return
	}
	f.active, f.gone, f.Seen = false, f.gone || gone, time.Now().UTC()
	r.dirty = true
}

// Offset is the released offset of a source, and whether the source is known.
func (r *Registry) Offset(id string) (offset int64, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.files[id]; f != nil {
		return f.Offset, true
	}
	return 0, false
}

// Idle lists the files that are known and not followed, by identity.
func (r *Registry) Idle() []Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Entry
	for _, f := range r.files {
		if !f.active && !f.gone {
			out = append(out, f.Entry)
		}
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Follow notes that a configured path is followed from now on. before says
// whether it has been already, and looked when files were last looked for then:
// files that match it and are unknown are new, however the agent was configured
// to treat the first ones.
func (r *Registry) Follow(path string) (looked time.Time, before bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if looked, before = r.patterns[path]; !before {
		r.patterns[path] = time.Now().UTC()
		r.dirty = true
	}
	return looked, before
}

// Looked notes that files were just looked for under configured paths. It is
// saved with the next change, or by Stop.
func (r *Registry) Looked(at time.Time, paths ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, path := range paths {
		r.patterns[path] = at.UTC()
	}
}

// HasCopy says whether a file that starts with head can be a copy of one that
// was followed under path: alike in all FingerprintSize bytes, or in all it has.
func (r *Registry) HasCopy(path string, head []byte) bool {
	print := FingerprintOf(head)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.files {
		if f.Path == path && f.Fingerprint == print {
			return true
		}
	}
	return false
}
