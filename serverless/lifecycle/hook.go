package lifecycle

// Hook is one of the platform's calls (specification section 2.2).
type Hook uint8

// The hooks, in the order of a machine's life.
const (
	Ready Hook = iota
	Validate
	Run
	Resume
	Suspend
	Terminate
	// NumHooks is how many there are.
	NumHooks = iota
)

var hookNames = [NumHooks]string{"ready", "validate", "run", "resume", "suspend", "terminate"}

// String is the hook's name in routes, metrics, logs and status.
func (h Hook) String() string { return hookNames[h] }

// build reports the hooks called while the image is made; only for them 503
// means "try again".
func (h Hook) build() bool { return h == Ready || h == Validate }

// flushes reports the hooks after which the machine may never execute again.
func (h Hook) flushes() bool { return h == Suspend || h == Terminate }

// HookSet is a set of hooks, indexed by Hook.
type HookSet [NumHooks]bool
