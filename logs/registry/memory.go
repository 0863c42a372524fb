package registry

import "fmt"

// Bounds of what is remembered: it is written with every change of an offset.
const (
	maxRemembered      = 256
	maxRememberedBytes = 4 << 10
)

// Remember keeps a value under a key across restarts, and forgets the key when the
// value is empty. Like an offset it is on disk after the next Flush, or within
// Config.FlushEvery. It is for a few short values: more than 256 keys, or more than
// 4 KiB, are an error.
func (r *Registry) Remember(key, value string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, known := r.memory[key]
	switch {
	case !r.started:
		return ErrNotStarted
	case known && old == value, !known && value == "":
		return nil
	case value == "":
		delete(r.memory, key)
	case !known && len(r.memory) >= maxRemembered:
		return fmt.Errorf("remember %q: at most %d keys are kept", key, maxRemembered)
	case len(key)+len(value) > maxRememberedBytes:
		return fmt.Errorf("remember %q: at most %d bytes are kept", key, maxRememberedBytes)
	default:
		r.memory[key] = value
	}
	r.dirty = true
	return nil
}

// Recall returns the value kept under a key, "" when there is none.
func (r *Registry) Recall(key string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.memory[key]
}
