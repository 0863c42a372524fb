// Package pattern learns the templates of log lines.
//
// A line is cut into tokens in one pass; lines with the same sequence of token
// kinds and punctuation meet in one bucket; lines that differ in few words become
// one pattern, whose varying tokens are values. Everything is bytes: the template
// and the values of a line give back that line exactly.
//
//	line -> Table.File (Tokenize, Learn) -> *Pattern -> template, values
//
// Lines of patterns that the receiver knows need no tokens: Table.Match finds pattern
// and values in one walk of a tree of the templates.
//
// The package knows nothing of wire formats, so that each codec can use it.
package pattern
