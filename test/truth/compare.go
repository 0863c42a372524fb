package truth

import (
	"fmt"
	"slices"
	"strings"
)

// object is a value of a snapshot, or what it should be.
type object = map[string]any

// compare says where a snapshot differs from the truth. What is missing must
// have a reason beside it; with whole, nothing may be missing.
func compare(path string, got, want object, whole bool) []string {
	c := comparison{whole: whole}
	c.value(path, got, want)
	return c.problems
}

type comparison struct {
	whole    bool
	problems []string
}

func (c *comparison) fail(path, format string, args ...any) {
	c.problems = append(c.problems, path+": "+fmt.Sprintf(format, args...))
}

func (c *comparison) value(path string, got, want object) {
	reason, excused := got["notCapturedReason"].(string)
	if excused && reason != want["notCapturedReason"] && c.whole {
		c.fail(path, "not captured: %s", reason)
		return
	}
	for _, key := range []string{"type", "isNull", "address", "size", "notCapturedReason"} {
		g, w := got[key], want[key]
		// A pointer that was not followed shows its own address; the truth, for a
		// pointer to a pointer, that of the last.
		if g == w || excused && key != "type" && (key != "size" || g == nil) {
			continue
		}
		if key == "size" && g != nil && w == nil && got["truncated"] == true {
			continue // of a string that was clipped
		}
		c.fail(path, "%s is %v, not %v", key, g, w)
	}
	c.scalar(path, got, want, excused)
	c.fields(path, got, want, excused)
	c.elements(path, got, want, excused)
	c.entries(path, got, want, excused)
}

func (c *comparison) scalar(path string, got, want object, excused bool) {
	g, _ := got["value"].(string)
	w, _ := want["value"].(string)
	switch {
	case got["value"] == want["value"]:
	case got["truncated"] == true && !c.whole:
		if !strings.HasPrefix(w, strings.TrimRight(g, "\uFFFD")) {
			c.fail(path, "value starts with %q, not with %q", w, g)
		}
	case !excused || got["value"] != nil:
		c.fail(path, "value is %q, not %q", g, w)
	}
}

func (c *comparison) fields(path string, got, want object, excused bool) {
	g, _ := got["fields"].(object)
	w, _ := want["fields"].(object)
	for name, value := range g {
		truth, ok := w[name].(object)
		if !ok {
			c.fail(path, "has no field %s", name)
			continue
		}
		c.value(path+"."+name, value.(object), truth)
	}
	if len(g) < len(w) && !excused {
		c.fail(path, "%d of %d fields and no reason", len(g), len(w))
	}
}

func (c *comparison) elements(path string, got, want object, excused bool) {
	g, _ := got["elements"].([]any)
	w, _ := want["elements"].([]any)
	for i := range min(len(g), len(w)) {
		c.value(fmt.Sprintf("%s[%d]", path, i), g[i].(object), w[i].(object))
	}
	if len(g) > len(w) || len(g) < len(w) && !excused {
		c.fail(path, "%d elements, not %d, and no reason", len(g), len(w))
	}
}

// entries compares maps, whose order says nothing.
func (c *comparison) entries(path string, got, want object, excused bool) {
	g, _ := got["entries"].([]any)
	w, _ := want["entries"].([]any)
	left := slices.Clone(w)
	for i, entry := range g {
		pair := entry.([]any)
		place := fmt.Sprintf("%s{%d}", path, i)
		match := slices.IndexFunc(left, func(candidate any) bool {
			truth := candidate.([]any)
			return len(compare(place, pair[0].(object), truth[0].(object), c.whole)) == 0 &&
				len(compare(place, pair[1].(object), truth[1].(object), c.whole)) == 0
		})
		if match < 0 {
			c.fail(place, "the map has no entry %v", entry)
			continue
		}
		left = slices.Delete(left, match, match+1)
	}
	if len(left) > 0 && len(g) < len(w) && !excused {
		c.fail(path, "%d of %d entries and no reason", len(g), len(w))
	}
}
