package debugger

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/target"
)

// Config is the `debugger` section of vigil.yaml.
type Config struct {
	// Enabled switches the engine on.
	Enabled bool
	// Probes are the definitions written inline, each the JSON of a probe
	// definition (debugger specification, section 2).
	Probes []ProbeSource
	// ProbeFiles are JSON files, each one definition or an array of them. They
	// are read when the engine starts; what is wrong with one of their
	// definitions is the status of that probe and stops nothing else.
	ProbeFiles []string
	// Targets select the processes every probe applies to: those that match
	// one entry. Without an entry there is nothing to probe, so probes need at
	// least one.
	Targets []TargetConfig
	// Redaction says which values are never shown.
	Redaction RedactionConfig
	// Output is where snapshots go.
	Output OutputConfig
}

// RedactionConfig changes the lists of what snapshots never show. Case and the
// characters _ - $ @ do not matter in names.
type RedactionConfig struct {
	// Identifiers are names of variables, fields and map keys whose values are
	// hidden besides those of the built-in names; Except are built-in names that
	// are shown.
	Identifiers, Except []string
	// Types are names of types whose values are hidden besides the built-in ones:
	// "main.Card", or with a star at the end all that begin so, "example.org/vault.*".
	Types []string
}

// ProbeSource is one probe definition as JSON, with the place it was written.
type ProbeSource struct {
	JSON []byte
	// Where names the place for error messages: "vigil.yaml:12:5".
	Where string
}

// TargetConfig selects processes: every field that is set must match.
type TargetConfig struct {
	// PID is one process; 0 means any.
	PID int
	// Exe is a glob pattern (path.Match) on the path of the executable; one
	// without a slash is matched against the file's name.
	Exe string
	// Service is the value of DD_SERVICE in the process's environment, and the
	// `service` of its snapshots; with PID or Exe set it only names them.
	Service string
}

// OutputConfig says where snapshots are written.
type OutputConfig struct {
	// Type is "stdout" or "file".
	Type string
	// Path is the NDJSON file of type "file"; it is appended to.
	Path string
}

// Values of OutputConfig.Type.
const (
	OutputStdout = "stdout"
	OutputFile   = "file"
)

// DefaultConfig is the configuration of an engine that is switched off.
func DefaultConfig() Config { return Config{Output: OutputConfig{Type: OutputStdout}} }

// Validate reports everything that is wrong with the configuration, one line
// each, beginning with the key inside the section: "targets[0]: exe: …".
// It reads no files.
func (c Config) Validate() error {
	_, err := c.inline()
	errs := []error{err}
	if len(c.Targets) == 0 && len(c.Probes)+len(c.ProbeFiles) > 0 {
		errs = append(errs, errors.New("targets: name at least one pid, exe or service: probes are placed in these processes only"))
	}
	for i, s := range c.selectors() {
		if err := s.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("targets[%d]: %w", i, err))
		}
	}
	for i, name := range c.Redaction.Types {
		if star := strings.IndexByte(name, '*'); star == 0 || star > 0 && star < len(name)-1 {
			errs = append(errs, fmt.Errorf("redaction.types[%d]: %q: a star stands at the end, after the beginning of the names", i, name))
		}
	}
	switch c.Output.Type {
	case OutputStdout:
		if c.Output.Path != "" {
			errs = append(errs, errors.New("output.path: goes with type file, and the type is stdout"))
		}
	case OutputFile:
		if c.Output.Path == "" {
			errs = append(errs, errors.New("output.path: type file needs a path"))
		}
	default:
		errs = append(errs, fmt.Errorf("output.type: must be %q or %q, not %q", OutputStdout, OutputFile, c.Output.Type))
	}
	return errors.Join(errs...)
}

// inline reads the definitions of Probes.
func (c Config) inline() ([]probe.Definition, error) {
	var out []probe.Definition
	var errs []error
	first := map[string]int{}
	for i, s := range c.Probes {
		defs, err := probe.Parse(s.Where, s.JSON)
		var problems *probe.Error
		switch {
		case errors.As(err, &problems):
			for _, p := range problems.Problems {
				p.Where = fmt.Sprintf("probes[%d]", i) // the caller knows where that is
				p.Line = 0
				errs = append(errs, errors.New(p.String()))
			}
		case err != nil:
			errs = append(errs, fmt.Errorf("probes[%d]: %w", i, err))
		}
		for _, d := range defs {
			if before, ok := first[d.ID]; ok {
				errs = append(errs, fmt.Errorf("probes[%d]: probe %q: id: is already used by probes[%d]", i, d.ID, before))
				continue
			}
			first[d.ID] = i
			out = append(out, d)
		}
	}
	return out, errors.Join(errs...)
}

func (c Config) selectors() []target.Selector {
	out := make([]target.Selector, len(c.Targets))
	for i, t := range c.Targets {
		out[i] = target.Selector{PID: t.PID, Exe: t.Exe, Service: t.Service}
	}
	return out
}
