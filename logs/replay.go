package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/vigil-agent/vigil/logs/internal/disk"
	"github.com/vigil-agent/vigil/logs/quarantine"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream"
)

// replaying is added to the name of a quarantine file while its lines are
// delivered, so that a running agent may fill a new one.
const replaying = ".replaying"

// Replayed is what Replay has done.
type Replayed struct {
	// Delivered lines were acknowledged; Refused ones are in the quarantine again;
	// Unreadable ones are damaged in the file, which is kept.
	Delivered  uint64 `json:"delivered"`
	Refused    uint64 `json:"refused"`
	Unreadable uint64 `json:"unreadable"`
	// Kept are files that hold lines still.
	Kept []string `json:"kept"`
}

// Replay delivers the lines of a quarantine file to the endpoint of cfg and removes
// them from it. Lines that are refused again are put back. An agent may run
// meanwhile, another Replay may not. When ctx ends, or the lines are not acknowledged for another reason,
// they stay in a file beside, which the next call delivers first: lines may arrive
// twice then, but never get lost. A file that is not there has no lines.
func Replay(ctx context.Context, cfg Config, path string, deps Deps) (Replayed, error) {
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{cfg: cfg, deps: deps, log: deps.Log}
	var done Replayed
	dir, err := os.Open(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return done, nil
	}
	if err != nil {
		return done, fmt.Errorf("logs: replay: %w", err)
	}
	defer func() { _ = dir.Close() }() // lets go of the lock
	if err := disk.Lock(dir); err != nil {
		return done, fmt.Errorf("logs: replay: wait for the one that runs: %w", err)
	}
	for _, first := range []bool{true, false} {
		if !first {
			err := quarantine.Take(path, path+replaying)
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if err != nil {
				return done, fmt.Errorf("logs: replay: %w", err)
			}
		}
		err := e.replay(ctx, path+replaying, filepath.Dir(path), &done)
		if first && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			done.Kept = append(done.Kept, path+replaying)
			return done, fmt.Errorf("logs: replay: %w", err)
		}
	}
	if done.Refused > 0 {
		done.Kept = append(done.Kept, path)
	}
	return done, nil
}

// replay delivers one file and removes it, or what it holds that is readable.
func (e *Engine) replay(ctx context.Context, path, dir string, done *Replayed) error {
	if _, err := os.Stat(path); err != nil {
		return err
	}
	w, refused, err := e.replayer(dir)
	if err != nil {
		return err
	}
	if err := w.Start(ctx); err != nil {
		return err
	}
	unreadable, err := e.send(ctx, w, path)
	err = errors.Join(err, w.Stop(ctx))
	done.Refused += refused.Load()
	done.Delivered += w.Stats().LinesAcked
	done.Unreadable += unreadable
	if err != nil {
		return err
	}
	if unreadable == 0 {
		return os.Remove(path)
	}
	damaged := fmt.Sprintf("%s.damaged-%s", path, time.Now().UTC().Format("20060102T150405.000000000"))
	done.Kept = append(done.Kept, damaged)
	return os.Rename(path, damaged)
}

// replayer is a sender without offsets; refused counts what goes back to quarantine.
func (e *Engine) replayer(dir string) (w *stream.Worker, refused *atomic.Uint64, err error) {
	secure, err := tlsConfig("endpoint.tls", e.cfg.Endpoint.TLS)
	if err != nil {
		return nil, nil, err
	}
	key := e.cfg.APIKey
	if e.cfg.APIKeyFile != "" {
		if key, err = ReadKey(e.cfg.APIKeyFile); err != nil {
			return nil, nil, &FieldError{"api_key_file", err.Error()}
		}
	}
	shares := e.cfg.shares()
	s, err := e.newSender(target{
		addresses: append([]string{e.cfg.Endpoint.Address}, e.cfg.Endpoints...),
		profile:   e.cfg.Endpoint.Profile, fallback: e.cfg.Endpoint.Fallback, secure: secure,
		inflight: shares.inflight, codec: shares.codec,
	}, func() string { return key })
	if err != nil {
		return nil, nil, err
	}
	refused = new(atomic.Uint64)
	back := quarantine.NewWriter(dir, 0)
	s.deps.APIKey = nil // it does not change meanwhile
	s.deps.Quarantine = func(r stream.Rejected) error {
		err := back.Put(r.Record, string(r.Reason), r.Err)
		if err == nil {
			refused.Add(1)
		}
		return err
	}
	w, err = stream.New(s.config, s.deps)
	return w, refused, err
}

// send hands on the lines of a file and counts those that cannot be read.
func (e *Engine) send(ctx context.Context, w *stream.Worker, path string) (unreadable uint64, err error) {
	var lines []record.Record
	size := 0
	flush := func() error {
		err := w.Append(ctx, lines)
		lines, size = lines[:0], 0
		return err
	}
	for entry, wrong := range quarantine.Read(path) {
		if wrong != nil {
			unreadable++
			e.log.Warn("a line in quarantine cannot be read", "error", wrong)
			continue
		}
		line := entry.Record()
		line.Origin = record.Origin{}
		lines, size = append(lines, line), size+len(line.Message)
		if len(lines) == e.cfg.Batch.MaxLines || size >= e.cfg.shares().batchBytes(e.cfg) {
			if err := flush(); err != nil {
				return unreadable, err
			}
		}
	}
	return unreadable, flush()
}
