// Command target makes random values of random types, prints each with its own
// encoder, and calls a function with it that a probe can be put on. The types
// and the functions are generated beside this file.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"time"
)

func main() {
	seed := flag.Uint64("seed", 1, "of the values")
	pause := flag.Duration("pause", 0, "between two calls")
	big := flag.Bool("big", false, "values that no default limit holds")
	flag.Parse()

	out := bufio.NewWriter(os.Stdout)
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	say := func(line any) {
		if err := encoder.Encode(line); err != nil {
			panic(err)
		}
	}
	// Every line of the input is how many calls are wanted next, or "again", after
	// which they are the first ones.
	next := 0
	for lines := bufio.NewScanner(os.Stdin); ; {
		say(said{Seq: -1}) // all is said
		if err := out.Flush(); err != nil {
			panic(err)
		}
		if !lines.Scan() {
			return
		}
		if lines.Text() == "again" {
			next = 0
			continue
		}
		count, err := strconv.Atoi(lines.Text())
		if err != nil {
			panic(err)
		}
		for range count {
			k := next % len(subjects)
			f := newFiller(rand.New(rand.NewPCG(*seed, uint64(next))), *big)
			value := reflect.New(reflect.TypeOf(subjects[k].zero))
			f.fill(value.Elem(), 0)
			say(said{next, newTruth().encode(value)})
			subjects[k].call(uint64(next), value.Interface())
			next++
			time.Sleep(*pause)
		}
	}
}

// said is what the program says of one call.
type said struct {
	Seq   int    `json:"seq"`
	Value object `json:"value,omitempty"`
}

// subject is one type and the probed function that takes it.
type subject struct {
	zero any
	call func(seq uint64, value any)
}

// sink keeps the compiler from seeing that nobody uses a value.
var sink any
