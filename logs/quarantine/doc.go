// Package quarantine keeps log lines that no receiving side takes, one JSON object
// per line of a file, so that the lines behind them can be delivered and a person
// can look at them and deliver them again. A file begins with a line that says how.
package quarantine
