package explain

// Report is everything that can be said of one question.
type Report struct {
	// Asked is the function or FILE:LINE as it was written.
	Asked string `json:"asked"`
	// Path is the binary; BuildID tells its build from others, and GoVersion is
	// the toolchain; both are "" when it hides them. DebugInfo is why variables cannot be read, "" when they can.
	Path      string `json:"path"`
	BuildID   string `json:"build_id,omitempty"`
	GoVersion string `json:"go_version,omitempty"`
	PIE       bool   `json:"pie"`
	DebugInfo string `json:"debug_info,omitempty"`
	// Placements are the places of the probe: one for each instance of a generic
	// function, each copy of an inlined one, each function that holds the line.
	Placements []Placement `json:"placements"`
	// More counts the placements that were left out; see Options.
	More int `json:"more,omitempty"`
	// Costs are what the CostNS of sites are from.
	Costs Costs `json:"costs"`
}

// Costs are what a hit costs the process at each anchor, in nanoseconds.
type Costs struct {
	// Measured says that they were measured on this machine and kernel; if not,
	// they are those of a virtual machine, and Why says what was missing.
	Measured   bool   `json:"measured"`
	Why        string `json:"why,omitempty"`
	PushNS     int64  `json:"push_ns"`
	EmulatedNS int64  `json:"emulated_ns"`
	SteppedNS  int64  `json:"stepped_ns"`
}

// Placement is one place of the probe.
type Placement struct {
	// Function is the qualified name; File and Line are its declaration, or the
	// line that was asked for.
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	// Inlined says where, when the code is a copy within another function.
	Inlined *Inlined `json:"inlined,omitempty"`
	// Sites are the instructions, the entry or line first, then the returns.
	Sites     []Site     `json:"sites"`
	Variables []Variable `json:"variables"`
	// Notes say what is not seen, and why.
	Notes []string `json:"notes,omitempty"`
	// Code is the byte-code that captures the variables, one instruction a line,
	// when it was asked for.
	Code []string `json:"code,omitempty"`
	// Error is why there can be no probe; Sites is empty then.
	Error string `json:"error,omitempty"`
}

// Inlined is where a copy of a function is.
type Inlined struct {
	Into string `json:"into"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// Site is one instruction.
type Site struct {
	// Kind is "entry", "return", "line", or "tail" for a jump to another function,
	// To, which returns in place of the probed one.
	Kind string `json:"kind"`
	To   string `json:"to,omitempty"`
	// PC is its link-time address, in hexadecimal.
	PC string `json:"pc"`
	// Anchor is "push", "emulated" or "stepped"; CostNS is what one hit costs
	// the process, in nanoseconds, before anything is captured.
	Anchor string `json:"anchor"`
	CostNS int64  `json:"cost_ns"`
	// Restarts says that it may be hit twice in one call.
	Restarts bool `json:"restarts,omitempty"`
}

// Variable is one argument, result or local.
type Variable struct {
	Name string `json:"name"`
	// Role is "argument", "result" or "local".
	Role string `json:"role"`
	Type string `json:"type"`
	Size uint64 `json:"size"`
	// Shape says that Type stands for all types of one shape. Resolved says that
	// the real one is known when the probe is hit; snapshots show the shape else.
	Shape    bool `json:"shape,omitempty"`
	Resolved bool `json:"resolved,omitempty"`
	// Readable says that its bytes can be read. Where is the places of its
	// parts, in order; more than one when it is split.
	Readable bool     `json:"readable"`
	Where    []string `json:"where,omitempty"`
	// Reason is why it cannot be read, or not all of it.
	Reason string `json:"reason,omitempty"`
}
