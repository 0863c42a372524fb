package lifecycle

// Oddity is something that should not happen: hooks called by somebody else than
// the platform, or an image whose hooks are not set up (specification section 8).
// Every process inside the machine can reach the hook port.
type Oddity uint8

// The oddities.
const (
	OddNone Oddity = iota
	// OddOutlived is execution WatchdogAfter past an answered terminate.
	OddOutlived
	// OddHookAfterEnd is a run or resume after terminate.
	OddHookAfterEnd
	// OddNewID is a second run with another instance id.
	OddNewID
	// OddNoRun is a machine that was restored, or resumed, without a run.
	OddNoRun
	// OddValidateAfterRun is a validate that stopped the heartbeat of a machine
	// that run or resume had started.
	OddValidateAfterRun

	numOddities = iota
)

// String is the oddity's name in tags and telemetry.
func (o Oddity) String() string {
	return [...]string{"none", "executed_after_terminate", "hook_after_terminate", "changed_id", "restore_without_run", "validate_after_run"}[o]
}
