package metrics

import (
	"strings"
	"sync/atomic"

	"github.com/vigil-agent/vigil/comp/hooks"
	"github.com/vigil-agent/vigil/comp/metrics/series"
	"github.com/vigil-agent/vigil/serverless/microvm"
)

var (
	_ hooks.Retagger = (*Statsd)(nil)
	_ hooks.Retagger = (*Datadog)(nil)
)

// instanceTag is the one of an instance's tags that metrics take: the version of
// the image belongs to logs and traces (specification of the serverless engine,
// section 5.2). It is empty when there is none.
func instanceTag(tags []string) string {
	for _, tag := range tags {
		if strings.HasPrefix(tag, microvm.TagLambdaID+":") {
			return tag
		}
	}
	return ""
}

// Retag implements hooks.Retagger: tagged metrics carry the instance id from now
// on, unless they bring one themselves.
func (d *Datadog) Retag(tags []string) { d.aggregate.Retag(instanceTag(tags)) }

// Retag implements hooks.Retagger, as that of Datadog does.
func (s *Statsd) Retag(tags []string) { s.tags.retag(instanceTag(tags)) }

// globalTags are the tags that tagged metrics get.
type globalTags struct {
	base     []string
	instance atomic.Pointer[string] // nil for none
}

func (g *globalTags) retag(instance string) {
	if instance == "" {
		g.instance.Store(nil)
		return
	}
	g.instance.Store(&instance)
}

// with is a fresh slice: the client may keep what it is given.
func (g *globalTags) with(tags []string) []string {
	all := make([]string, 0, len(g.base)+len(tags)+1)
	all = append(all, g.base...)
	if instance := g.instance.Load(); instance != nil && !series.HasKeyOf(tags, *instance) {
		all = append(all, *instance)
	}
	return append(all, tags...)
}
