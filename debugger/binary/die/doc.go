// Package die walks the entries of DWARF debug information (.debug_info, versions 2
// to 5) in place: it keeps nothing but the abbreviations, and an entry costs no
// allocation. debug/dwarf reads the same, with a slice and boxed values for each
// entry, which takes several times as long; it stays the reader of line tables and
// ranges.
//
// Every read is bounds-checked: damaged information gives an error.
package die
