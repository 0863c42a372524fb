// Package explain says what a probe would do before it is placed: the
// instructions it would be on and what each hit costs, for every variable where it
// is read from or why it cannot be, and the byte-code that would read them. It reads the binary only: no
// privileges, no process and no configuration are needed.
package explain
