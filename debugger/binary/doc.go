// Package binary reads a Go executable without running it: its functions, the
// source position of each instruction, the types and the places of parameters,
// and the instructions where a probe goes.
//
//	Open --> ELF segments, module data
//	          |-- pclntab:  functions, lines, inlined calls (always there)
//	          |-- rtype:    the runtime's own types, itabs, layouts (always there)
//	          |-- DWARF:    parameters, types, scopes (absent when stripped)
//	          `-- code:     entry anchors and returns (disasm)
//
// The sub-packages are pure readers over bytes: pclntab, die (DWARF entries),
// location (DWARF location lists and expressions), goabi (ABIInternal register
// assignment) and disasm. The file is mapped, not loaded: what stays on the heap is small, and
// debug information is read on demand and can be released.
//
// Nothing here trusts the file: a damaged one gives an error or a missing
// answer.
package binary
