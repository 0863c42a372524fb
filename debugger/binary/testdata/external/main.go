// Command external uses C, so that it is linked by the C toolchain.
package main

/*
#include <stdint.h>

typedef struct {
	int32_t count;
	double  mean;
} stats;

static stats measure(int32_t n) { stats s = {n, n / 2.0}; return s; }
*/
import "C"

import (
	"fmt"
	"os"
)

//go:noinline
func show(s C.stats, label string) { fmt.Println(label, s.count, s.mean) }

func main() { show(C.measure(C.int32_t(len(os.Args))), "stats") }
