// Package probe reads probe definitions: the JSON that says which function is
// probed and how much is captured there (debugger specification, section 2).
//
// Parse accepts exactly what the engine executes. Everything else that the
// format knows (conditions, templates, line probes, metric probes …) is refused
// by name, so a definition never does less than it says.
package probe
