package loggen

import (
	"math"
	"math/rand/v2"
	"sort"
)

// chance is the one place where something is drawn, and the count of it.
type chance struct {
	rng  *rand.Rand
	bits float64
}

// below draws a number under n, all equally likely.
func (c *chance) below(n uint64) uint64 {
	c.bits += math.Log2(float64(n))
	return c.rng.Uint64N(n)
}

// word draws 64 bits.
func (c *chance) word() uint64 {
	c.bits += 64
	return c.rng.Uint64()
}

// from draws an outcome of d.
func (c *chance) from(d dist) int {
	x := c.rng.Uint64N(d.total())
	i := sort.Search(len(d), func(i int) bool { return d[i] > x })
	c.bits -= math.Log2(d.probability(i))
	return i
}

// dist is a distribution over 0, 1, … len-1: the running sums of their weights.
// Weights are whole numbers, so that probabilities are exact.
type dist []uint64

func (d dist) total() uint64 { return d[len(d)-1] }

func (d dist) probability(i int) float64 {
	weight := d[i]
	if i > 0 {
		weight -= d[i-1]
	}
	return float64(weight) / float64(d.total())
}

// weights is the distribution of given weights.
func weights(w ...uint64) dist {
	d := make(dist, len(w))
	sum := uint64(0)
	for i, one := range w {
		sum += one
		d[i] = sum
	}
	return d
}

// shaped is a distribution over n outcomes in proportion to f, which is at most 1,
// in steps of a millionth: coarse enough to be the same on every machine.
func shaped(n int, f func(i float64) float64) dist {
	w := make([]uint64, n)
	for i := range w {
		w[i] = uint64(math.Round(f(float64(i))*1e6)) + 1
	}
	return weights(w...)
}

// zipf makes outcome i as likely as 1/(i+1)^s: few are frequent, many rare.
func zipf(n int, s float64) dist {
	return shaped(n, func(i float64) float64 { return math.Pow(i+1, -s) })
}

// exponential is how long the next of many independent events takes to come,
// with a mean in the unit of the outcomes.
func exponential(mean float64) dist {
	return shaped(int(mean*10)+1, func(i float64) float64 { return math.Exp(-i / mean) })
}

// lognormal is how long work takes: half of it less than median, some much more.
// Outcomes end at max.
func lognormal(median, sigma float64, most int) dist {
	return shaped(most, func(i float64) float64 {
		x := math.Log((i+0.5)/median) / sigma
		return math.Exp(-x*x/2-sigma*sigma/2) * median / (i + 0.5)
	})
}
