package robust

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/test/fakeintake"
)

// killedIntake ends the receiving process as a crash does.
func killedIntake() Fault {
	return Fault{
		ID: "F11k", Name: "kill -9 of the intake", Modes: both,
		set: func(p *play) error { return p.external() },
		run: func(p *play) error {
			for _, share := range []int{5, 3, 2} {
				if err := errors.Join(p.arrived(p.o.Lines/share), p.restart()); err != nil {
					return err
				}
				p.played++
			}
			return nil
		},
	}
}

// killedAgent ends the sending process as a crash does.
func killedAgent() Fault {
	return Fault{
		ID: "F27", Name: "kill -9 of the agent", Modes: both,
		set: func(p *play) error { return p.script() },
		run: func(p *play) error {
			for _, share := range []int{5, 3, 2} {
				if err := errors.Join(p.arrived(p.o.Lines/share), p.crash(), p.start()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// killedBoth ends both at once.
func killedBoth() Fault {
	return Fault{
		ID: "F27k", Name: "kill -9 of agent and intake", Modes: both,
		set: func(p *play) error { return p.external() },
		run: func(p *play) error {
			for _, share := range []int{5, 3, 2} {
				if err := errors.Join(p.arrived(p.o.Lines/share), p.crash(), p.restart(), p.start()); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// fullDisk gives the spool a file system that is smaller than what has to wait.
func fullDisk() Fault {
	return Fault{
		ID: "F26", Name: "the spool's disk is full", Modes: []Mode{Spool},
		set: func(p *play) error {
			spool := filepath.Join(p.path("state"), "spool")
			if err := os.MkdirAll(spool, 0o700); err != nil {
				return err
			}
			size := fmt.Sprintf("size=%d", max(128<<10, p.o.Lines*30))
			err := unix.Mount("tmpfs", spool, "tmpfs", 0, size)
			if errors.Is(err, unix.EPERM) {
				return fmt.Errorf("mount a small file system: %w", ErrNotSupported)
			}
			if err != nil {
				return fmt.Errorf("mount a small file system: %w", err)
			}
			p.closers = append(p.closers, func() error { return unix.Unmount(spool, 0) })
			if err := p.script(); err != nil {
				return err
			}
			return p.fakes[0].Network().Set(fakeintake.Conditions{Refuse: true})
		},
		run: func(p *play) error {
			if err := p.whole(); err != nil {
				return err
			}
			if err := p.until("the disk is full", func() bool {
				s, err := p.sections()
				return err == nil && s.Logs.Spool.Error != ""
			}); err != nil {
				return err
			}
			p.played++
			time.Sleep(2 * time.Second) // it stays so
			p.measure()
			return p.fakes[0].Network().Set(fakeintake.Conditions{})
		},
	}
}

// corruptSpool flips a bit of what waits on disk while the agent is down.
func corruptSpool() Fault {
	return Fault{
		ID: "F29", Name: "a corrupt batch in the spool", Modes: []Mode{Spool},
		set: func(p *play) error {
			if err := p.script(); err != nil {
				return err
			}
			return p.fakes[0].Network().Set(fakeintake.Conditions{Refuse: true})
		},
		run: func(p *play) error {
			if err := p.whole(); err != nil {
				return err
			}
			if err := p.until("everything is in the spool", func() bool { return p.recorded() == p.o.Lines }); err != nil {
				return err
			}
			if err := errors.Join(p.crash(), p.flip()); err != nil {
				return err
			}
			p.played++
			return errors.Join(p.fakes[0].Network().Set(fakeintake.Conditions{}), p.start())
		},
		gone: (*play).spoolLost,
		check: func(p *play, c tally) error {
			if c.lost == 0 || c.lost > p.batchLines() {
				return fmt.Errorf("one batch is corrupt, and %d lines are lost", c.lost)
			}
			return nil
		},
	}
}

// flip flips a bit in the message of a line in the middle of the spool.
func (p *play) flip() error {
	files, err := filepath.Glob(filepath.Join(p.path("state"), "spool", "*.seg"))
	if err != nil {
		return err
	}
	want := fmt.Appendf(nil, "seq=%d ", p.o.Lines/2)
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if i := bytes.Index(text, want); i >= 0 {
			text[i+len(want)+3] ^= 1
			return os.WriteFile(path, text, 0o600)
		}
	}
	return errors.New("the spool does not hold the line whose bit should be flipped")
}

// thinUplink writes five times as fast as can be sent.
func thinUplink() Fault {
	return Fault{
		ID: "F31", Name: "five times as much input as uplink", Modes: both,
		set: func(p *play) error {
			p.truth.change = padded(400)
			if err := p.script(); err != nil {
				return err
			}
			p.played++
			// Half of a padded line is chance, which nothing makes smaller.
			return p.fakes[0].Network().Set(fakeintake.Conditions{Up: max(50_000, min(1_000_000, p.o.Lines*20))})
		},
		check: func(p *play, _ tally) error {
			if p.peak > 120<<20 {
				return fmt.Errorf("the agent took %d MB of memory", p.peak>>20)
			}
			return nil
		},
	}
}
