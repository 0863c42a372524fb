// Command where prints the run-time address of its main function and waits for
// its standard input to end.
package main

import (
	"fmt"
	"io"
	"os"
	"reflect"
)

func main() {
	fmt.Printf("%#x\n", reflect.ValueOf(main).Pointer())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
