package golden

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// sampleFiles is where the sample's files are, as the compiler recorded them.
const sampleFiles = "github.com/vigil-agent/vigil/test/sample/values/"

// mask replaces what differs between two runs of the same binary.
func mask(v any) any {
	switch v := v.(type) {
	case []member:
		for i, m := range v {
			text, isText := m.value.(string)
			switch {
			case m.key == "address" && isText && text != "0x0":
				v[i].value = "0xADDR"
			case m.key == ".dict": // a closure's dictionary: addresses as numbers
				v[i].value = "DICTIONARY"
			case m.key == "value" && isText && recent(text):
				v[i].value = "NOW"
			case m.key == "entries":
				v[i].value = maskEntries(m.value.([]any), get(v, "notCapturedReason") != nil)
			default:
				v[i].value = mask(m.value)
			}
		}
	case []any:
		for i := range v {
			v[i] = mask(v[i])
		}
	}
	return v
}

// recent says that a text is a time of this run.
func recent(text string) bool {
	t, err := time.Parse(time.RFC3339Nano, text)
	return err == nil && time.Since(t).Abs() < time.Hour
}

// maskEntries puts the entries of a map in an order that does not depend on the
// seed of its hash; which of them were captured, when not all were, does.
func maskEntries(entries []any, clipped bool) any {
	if clipped {
		return fmt.Sprintf("%d of them", len(entries))
	}
	for i := range entries {
		entries[i] = mask(entries[i])
	}
	if len(entries) > 0 {
		if key, _ := entries[0].([]any); len(key) == 2 && get(key[0], "value") != nil {
			return entries // their order is the snapshot's
		}
	}
	slices.SortFunc(entries, func(a, b any) int { return strings.Compare(renderLine(a), renderLine(b)) })
	return entries
}

// stack is the part of a call stack that is the sample's own, and no deeper than
// where all calls come from.
func stack(frames any) string {
	var b strings.Builder
	list, _ := frames.([]any)
	for _, frame := range list {
		file, _ := get(frame, "fileName").(string)
		function := get(frame, "function")
		if function == "main.command" {
			return b.String()
		}
		if name, ok := strings.CutPrefix(file, sampleFiles); ok {
			fmt.Fprintf(&b, "  %s %s:%v\n", function, name, get(frame, "lineNumber"))
		}
	}
	return b.String() + "  no main.command\n"
}

// envelopeMasks are the parts of an envelope that belong to one hit.
var envelopeMasks = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`("(?:timestamp)": )\d{13}\b`), `${1}TIME`},
	{regexp.MustCompile(`("thread_id": )[1-9]\d*`), `${1}GOROUTINE`},
	{regexp.MustCompile(`("id": )"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"`), `${1}"UUID"`},
	{regexp.MustCompile(`"pid:\d+,`), `"pid:PID,`},
	{regexp.MustCompile(`("duration": )[1-9]\d*`), `${1}NANOSECONDS`},
	{regexp.MustCompile(`("fileName": "runtime/[a-z0-9_]+\.[gs]o?", "lineNumber": )\d+`), `${1}LINE`},
}

func envelope(v any) string {
	text := render(mask(v), "")
	for _, m := range envelopeMasks {
		text = m.pattern.ReplaceAllString(text, m.instead)
	}
	return text + "\n"
}
