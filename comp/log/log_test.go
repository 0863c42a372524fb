package log

import (
	"bytes"
	"log/slog"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFormats(t *testing.T) {
	t.Parallel()
	masked := regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.+Z-]+`)
	for format, want := range map[string]string{
		FormatText: "time=T level=INFO msg=hello n=1\n",
		"":         "time=T level=INFO msg=hello n=1\n",
		FormatJSON: `{"time":"T","level":"INFO","msg":"hello","n":1}` + "\n",
	} {
		var out bytes.Buffer
		logger, err := New(Config{Level: "info", Format: format, Output: &out})
		require.NoError(t, err)
		logger.Debug("not shown")
		logger.Info("hello", slog.Int("n", 1))
		require.Equal(t, want, masked.ReplaceAllString(out.String(), "T"), "format %q", format)
	}
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Level: "loud"})
	require.ErrorContains(t, err, `log_level: "loud" is not one of debug, info, warn, error`)
	_, err = New(Config{Level: "info", Format: "xml"})
	require.EqualError(t, err, `log_format: "xml" is not one of text, json`)
}
