package child

import (
	"errors"
	"strings"
)

// ErrNoCommand says that there is nothing to run.
var ErrNoCommand = errors.New("child: no command: name the program after `vigil run --` or in serverless.command")

// Split makes the program and its arguments of what the user gave. A single
// string is split at white space, which is how an image entrypoint often passes
// a whole command line; there is no quoting. Several strings stay as they are.
func Split(command []string) ([]string, error) {
	if len(command) == 1 {
		command = strings.Fields(command[0])
	}
	if len(command) == 0 || command[0] == "" {
		return nil, ErrNoCommand
	}
	return command, nil
}
