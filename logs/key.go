package logs

import (
	"log/slog"

	"github.com/vigil-agent/vigil/logs/internal/follow"
	"github.com/vigil-agent/vigil/logs/internal/secret"
)

// ReadKey reads an API key from its file: the first line that is not blank, without
// the white space around it. Errors read on after the name of the file and never show
// the content.
func ReadKey(path string) (string, error) { return secret.Key(path) }

// followKey keeps the API key of a file; a new one in it is seen within
// follow.Interval. The stream asks for the key twice a second, so it is in use
// within a second. A file that cannot be read leaves the key as it was.
func followKey(path string, log *slog.Logger) (*follow.File[string], error) {
	key, err := follow.Open(path, func() (string, error) { return ReadKey(path) }, func(err error) {
		log.Warn("the API key stays as it was: its file "+err.Error(), "path", path)
	})
	if err != nil {
		return nil, &FieldError{"api_key_file", err.Error()}
	}
	return key, nil
}
