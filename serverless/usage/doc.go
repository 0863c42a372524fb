// Package usage measures the machine while it lives: that it is there, how much
// CPU its processes use, and how much they may use (specification section 5).
//
//	cgroup v2 | cgroup v1 | procfs --Source--> Collector --every 3 s--> gauge, distributions
//
// Parsing and arithmetic are pure; Source alone reads files, below an fs.FS, and
// Collector alone has a goroutine.
package usage
