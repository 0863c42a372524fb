package simulate

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// errNoMetric marks a line that is an event, a service check or damaged.
var errNoMetric = errors.New("no metric line")

// parseMetric reads one line of the DogStatsD protocol, versions 1.0 to 1.3:
// name:value[:value…]|type[|@rate][|#tag,tag][|further fields]. Several values
// become several samples; machine and time are the caller's to set.
func parseMetric(line string) ([]Sample, error) {
	if strings.HasPrefix(line, "_e{") || strings.HasPrefix(line, "_sc|") {
		return nil, errNoMetric
	}
	head, rest, ok := strings.Cut(line, "|")
	name, values, named := strings.Cut(head, ":")
	if !ok || !named || name == "" {
		return nil, errNoMetric
	}
	kind, fields, _ := strings.Cut(rest, "|")
	if kind == "" {
		return nil, errNoMetric
	}
	var tags []string
	for field := range strings.SplitSeq(fields, "|") {
		if list, ok := strings.CutPrefix(field, "#"); ok && list != "" {
			tags = strings.Split(list, ",")
		}
	}
	var samples []Sample
	for text := range strings.SplitSeq(values, ":") {
		sample := Sample{Name: name, Type: kind, Tags: tags}
		if kind != "s" { // the value of a set is a text
			value, err := strconv.ParseFloat(text, 64)
			if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
				return nil, errNoMetric
			}
			sample.Value = value
		}
		samples = append(samples, sample)
	}
	return samples, nil
}
