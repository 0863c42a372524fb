package child

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// signalQueue holds the signals that arrive while the process is being spawned
// or between two turns of the forwarding goroutine.
const signalQueue = 64

// lastSignal is the highest signal number on Linux, SIGRTMAX.
const lastSignal = 64

// forwardable is every signal except those that cannot be caught and those the
// agent causes itself: SIGCHLD by having a child, SIGURG by the Go scheduler's
// preemption, SIGPIPE by writing to a closed output.
func forwardable() []os.Signal {
	var list []os.Signal
	for n := syscall.Signal(1); n <= lastSignal; n++ {
		switch n {
		case syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGCHLD, syscall.SIGURG, syscall.SIGPIPE:
		default:
			list = append(list, n)
		}
	}
	return list
}

// listen begins to collect the agent's signals. It happens before the spawn so
// that none is lost in between.
func listen() chan os.Signal {
	ch := make(chan os.Signal, signalQueue)
	signal.Notify(ch, forwardable()...)
	return ch
}

// pass hands signals on until the process has ended. SIGTERM reaches the process
// once: many programs take a second one as "die at once", and the agent that is
// told to end will also call Stop.
func (c *Child) pass(signals chan os.Signal) {
	defer signal.Stop(signals)
	for {
		select {
		case sig := <-signals:
			if sig == syscall.SIGTERM {
				c.terminate()
				continue
			}
			_ = c.cmd.Process.Signal(sig) // it may have ended meanwhile
		case <-c.done:
			return
		}
	}
}

func (c *Child) terminate() {
	if c.asked.CompareAndSwap(false, true) {
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
	}
}

// ErrEnded says that the process has ended.
var ErrEnded = errors.New("child: the application has ended")

// Signal sends sig to the process. Before it was spawned there is nobody to send
// it to, which is no error; after its end the error is ErrEnded.
func (c *Child) Signal(sig os.Signal) error {
	if c.PID() == 0 {
		return nil
	}
	select {
	case <-c.done:
		return ErrEnded
	default:
	}
	if !c.Alive() { // it is being spawned or reaped at this moment
		return nil
	}
	err := c.cmd.Process.Signal(sig)
	if errors.Is(err, os.ErrProcessDone) {
		return ErrEnded
	}
	if err != nil {
		return fmt.Errorf("child: signal %v: %w", sig, err)
	}
	return nil
}
