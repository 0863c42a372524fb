package logs

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/vigil-agent/vigil/logs/source"
)

// FieldError says what is wrong with one key of the configuration.
type FieldError struct {
	// Key is the place in the `logs` section, as in YAML: "sources[0].start_at".
	// run_path, hostname and tags are keys of the file itself.
	Key string
	// Problem says what is wrong and what is right.
	Problem string
}

func (e *FieldError) Error() string { return e.Key + ": " + e.Problem }

// Validate checks the whole configuration, also of an engine that is switched
// off, and returns all that is wrong, joined: each part is a *FieldError. The
// TLS files are read when the engine is on.
func (c Config) Validate() error {
	v := c.check()
	if c.Enabled && len(v.errs) == 0 {
		if _, err := tlsConfig(c.Endpoint.TLS); err != nil {
			v.errs = append(v.errs, err)
		}
	}
	return errors.Join(v.errs...)
}

// validator collects what is wrong.
type validator struct{ errs []error }

func (v *validator) fail(key, format string, args ...any) {
	v.errs = append(v.errs, &FieldError{Key: key, Problem: fmt.Sprintf(format, args...)})
}

// check is Validate without I/O.
func (c Config) check() *validator {
	v := &validator{}
	if c.Enabled && c.RunPath == "" {
		v.fail("run_path", "must be set: the offsets are kept there")
	}
	if c.Enabled && len(c.Sources) == 0 {
		v.fail("sources", "must have an entry, or logs.enabled be false")
	}
	for i, s := range c.Sources {
		v.source(fmt.Sprintf("sources[%d]", i), s)
		for j, other := range c.Sources[:i] {
			if s.Type == SourceApp && other.Type == SourceApp {
				v.fail(fmt.Sprintf("sources[%d].type", i), "is the same as that of sources[%d]: there is one application", j)
				break
			}
			if s.Path != "" && s.Path == other.Path {
				v.fail(fmt.Sprintf("sources[%d].path", i), "is the same as that of sources[%d]", j)
				break
			}
		}
	}
	v.tag("hostname", c.Hostname)
	v.tags("tags", c.Tags)
	v.batch(c.Batch)
	v.endpoint(c)
	return v
}

func (v *validator) source(key string, s SourceConfig) {
	switch s.Type {
	case SourceFile:
		if err := source.CheckPattern(s.Path); err != nil {
			v.fail(key+".path", "%v", err)
		}
	case SourceApp:
		if s.Path != "" {
			v.fail(key+".path", "has no meaning for the output of the application")
		}
	default:
		v.fail(key+".type", "must be file or app, not %q", s.Type)
	}
	v.oneOf(key+".start_at", s.StartAt, StartAtBeginning, StartAtEnd)
	v.tag(key+".service", s.Service)
	v.tag(key+".source", s.Source)
	v.tags(key+".tags", s.Tags)
}

func (v *validator) oneOf(key, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		v.fail(key, "must be %s, not %q", strings.Join(allowed, " or "), value)
	}
}

func (v *validator) tags(key string, tags []string) {
	for i, tag := range tags {
		v.tag(fmt.Sprintf("%s[%d]", key, i), tag)
		if tag == "" {
			v.fail(fmt.Sprintf("%s[%d]", key, i), "is empty")
		}
	}
}

// tag refuses what would come out as several tags: they travel joined by commas.
func (v *validator) tag(key, text string) {
	if strings.ContainsAny(text, ",\n\r") {
		v.fail(key, "%q must not have a comma or a line break: tags are joined by commas", text)
	}
}

func (v *validator) batch(b BatchConfig) {
	v.within("batch.max_lines", b.MaxLines, MaxBatchLines)
	v.within("batch.max_bytes", b.MaxBytes, MaxBatchBytes)
	if b.MaxWait <= 0 {
		v.fail("batch.max_wait", "must be more than 0, not %v", b.MaxWait)
	}
}

func (v *validator) within(key string, value, most int) {
	switch {
	case value < 1:
		v.fail(key, "must be at least 1, not %d", value)
	case value > most:
		v.fail(key, "must be at most %d, not %d", most, value)
	}
}

func (v *validator) endpoint(c Config) {
	e := c.Endpoint
	v.oneOf("endpoint.profile", e.Profile, ProfileAuto, ProfileRows)
	v.tls(e.TLS)
	if e.Address == "" {
		if c.Enabled {
			v.fail("endpoint.address", "must be set, as host:port")
		}
		return
	}
	host, port, err := net.SplitHostPort(e.Address)
	if err != nil {
		v.fail("endpoint.address", "%q is not host:port", e.Address)
		return
	}
	if host == "" {
		v.fail("endpoint.address", "%q has no host", e.Address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		v.fail("endpoint.address", "%q has no port from 1 to 65535", e.Address)
	}
	if e.TLS.Insecure && c.APIKey != "" && host != "" && !isLoopback(host) {
		v.fail("endpoint.tls.insecure", "would send the API key unencrypted to %s: use TLS, or a loopback address, or no api_key", host)
	}
}

func (v *validator) tls(t TLSConfig) {
	if (t.CertFile == "") != (t.KeyFile == "") {
		missing, set := "cert_file", "key_file"
		if t.KeyFile == "" {
			missing, set = set, missing
		}
		v.fail("endpoint.tls."+missing, "must be set together with %s", set)
	}
	if t.Insecure && (t.CAFile != "" || t.CertFile != "" || t.KeyFile != "" || t.ServerName != "") {
		v.fail("endpoint.tls.insecure", "means plaintext: remove it, or the other keys of tls")
	}
}

// isLoopback says whether host can only mean this machine. Names other than
// localhost can mean anything.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
