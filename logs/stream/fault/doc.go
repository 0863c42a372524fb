// Package fault sorts the ways in which a receiving side can fail: one table
// says for each class which signals belong to it, what the sender does, and what
// a person is told. It is pure data, shared by every way out of the engine.
package fault
