package series

import "encoding/json"

// The v2 series API's metric types and the shape of its rows (Datadog API
// reference, "Submit metrics").
const (
	typeCount = 1
	typeGauge = 3
)

type seriesRow struct {
	Metric    string        `json:"metric"`
	Type      int           `json:"type"`
	Points    []seriesPoint `json:"points"`
	Tags      []string      `json:"tags,omitempty"`
	Resources []resource    `json:"resources,omitempty"`
	Interval  int64         `json:"interval,omitempty"` // of counts and rates
}

type seriesPoint struct {
	Timestamp int64   `json:"timestamp"`
	Value     float64 `json:"value"`
}

type resource struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// distributionRow is a row of the distribution-points API (Datadog API
// reference, "Submit distribution points"); a point is [time, [values]].
type distributionRow struct {
	Metric string   `json:"metric"`
	Points [][2]any `json:"points"`
	Tags   []string `json:"tags,omitempty"`
	Host   string   `json:"host,omitempty"`
	Type   string   `json:"type"`
}

// row is the point as one element of the body's list.
func (p Point) row() ([]byte, error) {
	if p.Kind == Distribution {
		return json.Marshal(distributionRow{
			Metric: p.Metric, Points: [][2]any{{p.Time, p.Values}}, Tags: p.Tags, Host: p.Host, Type: "distribution",
		})
	}
	row := seriesRow{Metric: p.Metric, Type: typeGauge, Points: []seriesPoint{{Timestamp: p.Time, Value: p.Value}}, Tags: p.Tags}
	if p.Kind == Count {
		row.Type, row.Interval = typeCount, interval
	}
	if p.Host != "" {
		row.Resources = []resource{{Name: p.Host, Type: "host"}}
	}
	return json.Marshal(row)
}
