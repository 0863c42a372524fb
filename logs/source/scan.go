package source

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/logs/registry"
)

// resume opens the files that were followed when the last run ended and have
// lost their name since: the lines that were added to them after that, and
// before the rotation, are nowhere else. The caller holds naming.
func (f *Files) resume(ctx context.Context, entries []registry.Entry) {
	named := make(map[registry.Key]bool)
	for _, m := range find(f.cfg.Patterns, func(_, _ string) {}) {
		named[m.key] = true
	}
	sortBySeen(entries)
	for _, e := range entries {
		pattern := owner(f.cfg.Patterns, e.Path)
		if pattern < 0 || named[e.Key] {
			continue
		}
		h := holder{key: e.Key, changed: e.Seen}
		for range stableTries {
			all := siblings(e.Path)
			i := slices.IndexFunc(all, func(s sibling) bool { return s.key == e.Key })
			if i < 0 {
				break
			}
			h.changed = all[i].changed
			t, moved := f.open(opening{path: all[i].path, key: e.Key, name: e.Path, pattern: pattern, resumes: e.ID})
			if moved {
				continue
			}
			if t != nil {
				t.after = f.holders[e.Path].drained()
				f.launch(ctx, t)
				h.tail = t
			}
			break
		}
		f.holders[e.Path] = h
	}
}

// fileTime is what the kernel would write as the time of a change now. It stands
// still between ticks, and longer on a machine that is held up: a change after this
// is never before it.
func fileTime() time.Time {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &now); err != nil {
		return time.Now()
	}
	return time.Unix(now.Unix())
}

// expect makes a file that comes to a configured name after since, a time of files,
// and loses it before it was seen there, one that was missed. The caller holds naming.
func (f *Files) expect(path string, since time.Time) {
	if _, held := f.holders[path]; !held && !isPattern(path) {
		f.holders[path] = holder{changed: since}
	}
}

// expected says whether path is a configured name.
func (f *Files) expected(path string) bool {
	return slices.ContainsFunc(f.cfg.Patterns, func(p Pattern) bool { return p.Path == path && !isPattern(path) })
}

// scan looks at all names until none has changed hands meanwhile, and returns
// whether the kernel reports all further changes. The caller holds naming and runs
// in loop, or before it.
func (f *Files) scan(ctx context.Context) (complete bool) {
	for range stableTries {
		f.moved = false
		if complete = f.scanOnce(ctx); !f.moved {
			return complete
		}
	}
	f.look()
	return complete
}

// scanOnce opens what is new and tells readers what became of their file's name.
func (f *Files) scanOnce(ctx context.Context) (complete bool) {
	dirs := make(map[string]bool)
	configured := make([]string, 0, len(f.cfg.Patterns))
	for _, p := range f.cfg.Patterns {
		configured = append(configured, p.Path)
		for _, dir := range watchDirs(p.Path) {
			dirs[dir] = true
		}
	}
	started := fileTime()
	defer func() { f.registry.Looked(started, configured...) }()
	// Watched before looked at, so that nothing appears unnoticed in between.
	complete = f.watcher.watch(dirs)

	f.full = f.full && len(f.tails) >= f.cfg.MaxFiles
	f.mu.Lock()
	f.faulty, f.faults = f.faults, make(map[string]string)
	f.mu.Unlock()
	matches := find(f.cfg.Patterns, f.fault)
	named := make(map[registry.Key]bool, len(matches))
	paths := make(map[string]bool, len(matches))
	for _, m := range matches {
		named[m.key] = true
		paths[m.path] = true
	}
	for key, t := range f.tails {
		if !named[key] && t.listed.Swap(false) {
			t.kick()
		}
	}
	for path, h := range f.holders {
		if paths[path] {
			continue
		}
		// Nothing is there now, but something may have been since the last look.
		h = f.openMissed(ctx, match{path: path, pattern: owner(f.cfg.Patterns, path)}, registry.Key{}, h)
		f.holders[path] = h
		if !f.expected(path) && (h.tail == nil || closed(h.tail.done)) {
			delete(f.holders, path)
		}
	}
	// Names that were seen before come first: they know in which order the files
	// stood there that the patterns may match under other names by now.
	unseen := func(m match) int {
		if _, held := f.holders[m.path]; held {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(matches, func(a, b match) int { return unseen(a) - unseen(b) })
	for _, m := range matches {
		f.settle(ctx, m)
	}
	byName := make(map[string]*tail, 2*len(f.tails))
	for _, t := range f.tails {
		// A directory that is watched under two names reports by one of them.
		byName[t.where()], byName[t.real] = t, t
		// A symbolic link may lead out of the patterns' directories, and to another
		// file there when the one that is open was renamed.
		dirs[filepath.Dir(t.real)] = true
	}
	f.mu.Lock()
	f.byName = byName
	f.mu.Unlock()
	complete = f.watcher.watch(dirs) && complete
	f.watcher.keep(dirs)
	for _, t := range f.tails {
		if t.reported.Swap(complete) && !complete {
			t.kick()
		}
	}
	return complete
}

// settle brings one name up to date.
func (f *Files) settle(ctx context.Context, m match) {
	if t := f.tails[m.key]; t != nil {
		t.rename(m.path)
		if !t.listed.Swap(true) {
			t.kick()
		}
		f.holders[m.path] = holder{key: m.key, changed: m.changed, tail: t}
		return
	}
	before, held := f.holders[m.path]
	t, moved := f.open(opening{path: m.path, key: m.key, name: m.path, pattern: m.pattern, listed: true, fresh: held})
	f.moved = f.moved || moved
	if t == nil {
		return
	}
	if held && before.key != t.key {
		t.after = f.openMissed(ctx, m, t.key, before).drained()
	}
	f.launch(ctx, t)
	f.holders[m.path] = holder{key: t.key, changed: m.changed, tail: t}
}

// openMissed opens, in order, the files that stood at a name between the one
// before and the one there now, whose key is now. It returns the last of them.
func (f *Files) openMissed(ctx context.Context, m match, now registry.Key, before holder) holder {
	if t := before.tail; t != nil {
		if info, err := t.file.Stat(); err == nil {
			before.changed = info.ModTime()
		}
	}
	known := func(key registry.Key) bool { return key == before.key || f.tails[key] != nil }
	last := before
	for range stableTries {
		moved := false
		for _, s := range missed(siblings(m.path), m.path, before.changed) {
			if s.key == now {
				break // renamed since it was opened, and what follows came after it
			}
			if known(s.key) {
				continue
			}
			var t *tail
			if t, moved = f.open(opening{path: s.path, key: s.key, name: m.path, pattern: m.pattern, fresh: true, missed: true}); moved {
				break
			}
			if t == nil {
				continue
			}
			last.replace()
			t.after = last.drained()
			f.launch(ctx, t)
			last = holder{key: t.key, changed: s.changed, tail: t}
		}
		if !moved {
			break
		}
	}
	if now != (registry.Key{}) {
		last.replace()
	}
	return last
}

// replace tells the reader that another file has the name now.
func (h holder) replace() {
	if h.tail != nil && !h.tail.replaced.Swap(true) {
		h.tail.kick()
	}
}

// drained is closed when the file is read as far as it was written under its
// name; nil when there is nothing to wait for.
func (h holder) drained() <-chan struct{} {
	if h.tail == nil {
		return nil
	}
	return h.tail.drained
}

// opening says which file to open and as what.
type opening struct {
	path, name string
	key        registry.Key // of the file that was found at path
	pattern    int
	listed     bool
	fresh      bool   // read from its beginning if it was never seen
	missed     bool   // it was rotated before it was seen; fresh too
	resumes    string // the only entry to go on with, when not empty
}

// errMoved means that another file has the name by now.
var errMoved = errors.New("the name leads to another file now")

// open opens a file for launch; nil when it cannot, or need not, be read. moved says
// that it has another name by now, if any. Files that lost their name are soon done,
// and so not subject to MaxFiles. The caller holds naming.
func (f *Files) open(o opening) (t *tail, moved bool) {
	if o.listed && len(f.tails) >= f.cfg.MaxFiles {
		if !f.full {
			f.full = true
			f.log.Warn("too many files, some wait until others are gone: narrow the patterns", "open", len(f.tails), "waits", o.path)
		}
		f.mu.Lock()
		f.faults[o.path] = "waits: too many files are open"
		f.mu.Unlock()
		return nil, false
	}
	t, err := f.prepare(o)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errMoved):
		return nil, true
	case err != nil:
		f.fault(o.path, err.Error())
		return nil, false
	case t == nil:
		return nil, false
	}
	return t, false
}

// launch starts the reader of a file that was opened. The caller holds naming.
func (f *Files) launch(ctx context.Context, t *tail) {
	f.admit(t)
	f.readers.Go(func() { t.run(ctx) })
}

// admit makes a file one of those that are followed.
func (f *Files) admit(t *tail) {
	f.mu.Lock()
	defer f.mu.Unlock()
	tags := f.tagsOf(t)
	t.tags.Store(&tags)
	f.tails[t.key] = t
}

// prepare opens a file and finds out from where to read it; nil without an
// error when there is nothing to read. The caller holds naming.
func (f *Files) prepare(o opening) (*tail, error) {
	file, key, size, err := openFile(o.path)
	if err != nil {
		return nil, err
	}
	if key != o.key {
		return nil, errors.Join(errMoved, file.Close())
	}
	t := &tail{
		files: f, file: file, fd: int(file.Fd()), key: key, pattern: o.pattern, name: filepath.Base(o.name),
		wake: make(chan struct{}, 1), syncs: make(chan chan struct{}), drained: make(chan struct{}), done: make(chan struct{}),
		path: o.path, real: realPath(o.path), local: isLocal(int(file.Fd())),
	}
	offset, wanted, err := f.place(t, o, size)
	if err != nil || !wanted {
		return nil, errors.Join(err, file.Close())
	}
	t.pos = offset
	t.read.Store(offset)
	t.size.Store(size)
	t.listed.Store(o.listed)
	t.replaced.Store(o.missed || o.resumes != "")
	return t, nil
}

// place finds or makes the registry entry of a file. wanted is false when the
// file turns out not to be the one that was looked for.
func (f *Files) place(t *tail, o opening, size int64) (offset int64, wanted bool, err error) {
	if f.tails[t.key] != nil {
		return 0, false, nil // it is open already
	}
	head, err := readHead(t.file, t.headRoom[:])
	if err != nil {
		return 0, false, err
	}
	t.head = append(t.head, head...)
	entry, known := f.registry.Open(o.name, t.key, head)
	switch {
	case known && o.resumes != "" && entry.ID != o.resumes,
		known && o.resumes != "" && entry.Offset == size && f.isOld(t):
		f.registry.Close(entry.ID, false)
		return 0, false, nil
	case known:
		t.id = entry.ID
		return entry.Offset, true, nil
	case o.resumes != "", o.missed && f.registry.HasCopy(o.name, head):
		return 0, false, nil
	}
	if f.cfg.Patterns[o.pattern].FromEnd && !f.newOnes[o.pattern] && !o.fresh {
		if offset, err = lastLine(t.file, size, int64(f.cfg.MaxLine)); err != nil {
			return 0, false, err
		}
	}
	t.id = f.registry.Add(o.name, t.key, head, offset).ID
	return offset, true, nil
}

// isOld says whether nobody has written to a file for so long that nobody will.
func (f *Files) isOld(t *tail) bool {
	info, err := t.file.Stat()
	return err == nil && time.Since(info.ModTime()) > f.cfg.Linger
}

// fault notes that a file cannot be opened, and logs it once.
func (f *Files) fault(path, text string) {
	f.mu.Lock()
	f.faults[path] = text
	f.mu.Unlock()
	if f.faulty[path] != text {
		f.log.Warn("file cannot be read", "path", path, "error", text)
	}
}

// rename notes the name a file is known by now.
func (t *tail) rename(path string) {
	if t.where() == path {
		return
	}
	real := realPath(path)
	t.mu.Lock()
	t.path, t.real = path, real
	id := t.id
	t.mu.Unlock()
	t.files.registry.Rename(id, path)
}

// realPath is path without symbolic links.
func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// sortBySeen puts what was followed longest ago first.
func sortBySeen(entries []registry.Entry) {
	slices.SortStableFunc(entries, func(a, b registry.Entry) int { return a.Seen.Compare(b.Seen) })
}
