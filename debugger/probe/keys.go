package probe

// The keys of a definition, of its parts, and what this version does with
// them. Every key of the format is in exactly one of the two tables of its
// object, so an unknown key is a spelling mistake.

// unsupported maps the keys that the format has and this version does not
// execute to what they ask for.
var unsupported = map[string]map[string]string{
	"": {
		"when":               "conditions",
		"template":           "message templates",
		"segments":           "message templates",
		"captureExpressions": "capture expressions",
		"kind":               "metric probes",
		"metricName":         "metric probes",
		"value":              "metric probes",
		"targetSpan":         "span decoration probes",
		"decorations":        "span decoration probes",
	},
	"where": {
		"signature": "overload signatures",
	},
}

// otherTypes are the kinds of probe that the format has besides log probes.
var otherTypes = map[string]string{
	"METRIC_PROBE":          "metric probes",
	"SPAN_PROBE":            "span probes",
	"SPAN_DECORATION_PROBE": "span decoration probes",
	"SERVICE_CONFIGURATION": "service configurations",
}

// handlers returns what is done with each key that is executed.
func (c *checker) handlers() map[string]handler {
	return map[string]handler{
		"id":              c.text(func(d *draft) *string { return &d.ID }),
		"version":         c.count(func(d *draft) *int { return &d.Version }, 0, 1<<31-1),
		"type":            c.kindOfProbe,
		"language":        c.language,
		"tags":            c.tags,
		"evaluateAt":      c.evaluateAt,
		"where":           c.object("where", c.whereHandlers()),
		"captureSnapshot": c.flag(func(d *draft) *bool { return &d.captureSnapshot }),
		"capture":         c.object("capture", c.captureHandlers()),
		"sampling":        c.object("sampling", c.samplingHandlers()),
	}
}

func (c *checker) whereHandlers() map[string]handler {
	return map[string]handler{
		"methodName": c.text(func(d *draft) *string { return &d.methodName }),
		"typeName":   c.text(func(d *draft) *string { return &d.typeName }),
		"sourceFile": c.text(func(d *draft) *string { return &d.File }),
		"lines":      c.lines,
	}
}

func (c *checker) captureHandlers() map[string]handler {
	return map[string]handler{
		"maxReferenceDepth": c.count(func(d *draft) *int { return &d.Limits.Depth }, 0, MaxDepth),
		"maxCollectionSize": c.count(func(d *draft) *int { return &d.Limits.Collection }, 0, MaxCollection),
		"maxLength":         c.count(func(d *draft) *int { return &d.Limits.Length }, 0, MaxLength),
		"maxFieldCount":     c.count(func(d *draft) *int { return &d.Limits.Fields }, 0, MaxFields),
	}
}

func (c *checker) samplingHandlers() map[string]handler {
	return map[string]handler{"snapshotsPerSecond": c.rate}
}
