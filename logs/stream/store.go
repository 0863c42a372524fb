package stream

import "time"

// Store keeps what has to outlive the process. Its methods may block on the disk
// and are called from one goroutine at a time for each worker.
type Store interface {
	// Session returns the session saved last, the zero Session when there is none.
	Session() Session
	// SaveSession returns once s survives a crash.
	SaveSession(s Session) error
	// Profiles returns what the receiving side at address announced, and when it
	// was asked; the zero time when it is not known.
	Profiles(address string) (profiles []string, asked time.Time)
	// SaveProfiles may lose the answer in a crash.
	SaveProfiles(address string, profiles []string, asked time.Time) error
}

// Session identifies the sender of one numbered sequence of payloads to one
// receiving side (logs specification, section 14.3).
type Session struct {
	// Address is the receiving side's: another one knows nothing of the session.
	Address string `json:"address"`
	// Queue is Deps.Queue of the worker that saved it.
	Queue string `json:"queue,omitempty"`
	// ID is 128 random bits in hex; empty means that there is no session.
	ID string `json:"id"`
	// Epoch is the number of streams opened in it.
	Epoch uint64 `json:"epoch"`
	// Base is the sequence number of the batch before the session's first: batch n
	// travels as payload n - Base.
	Base uint64 `json:"base"`
	// Shifted says that Base no longer tells the numbers, because a batch was
	// divided, taken out or missing. Such a session ends with the process.
	Shifted bool `json:"shifted,omitempty"`
}
