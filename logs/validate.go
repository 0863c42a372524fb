package logs

import (
	"errors"
	"fmt"
	"net"
	"net/url"
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
		for key, t := range map[string]TLSConfig{"endpoint.tls": c.Endpoint.TLS, "secondary.tls": c.Secondary.TLS} {
			if _, err := tlsConfig(key, t); err != nil {
				v.errs = append(v.errs, err)
			}
		}
		if c.APIKeyFile != "" {
			if _, err := ReadKey(c.APIKeyFile); err != nil {
				v.fail("api_key_file", "%v", err)
			}
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
	v.endpoints(c)
	v.spool(c)
	if c.MemoryLimit < MinMemoryLimit {
		v.fail("memory_limit", "must be at least %d bytes, not %d", MinMemoryLimit, c.MemoryLimit)
	}
	if c.APIKey != "" && c.APIKeyFile != "" {
		v.fail("api_key_file", "is set as well as api_key: keep one of them")
	}
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

// endpoints checks where everything goes.
func (v *validator) endpoints(c Config) {
	hasKey := c.APIKey != "" || c.APIKeyFile != ""
	e := c.Endpoint
	v.oneOf("endpoint.profile", e.Profile, profiles...)
	v.tls("endpoint.tls", e.TLS)
	if c.Enabled && e.Address == "" {
		v.fail("endpoint.address", "must be set, as %s", addressForm(e.Profile))
	}
	for i, address := range append([]string{e.Address}, c.Endpoints...) {
		key := "endpoint.address"
		if i > 0 {
			key = fmt.Sprintf("endpoints[%d]", i-1)
			if address == "" {
				v.fail(key, "is empty")
			}
		}
		v.address(key, "endpoint.tls.insecure", address, e.Profile, e.TLS.Insecure && hasKey)
	}
	if e.Fallback != "" {
		v.url("endpoint.fallback", e.Fallback, hasKey)
		if e.Profile == ProfileHTTP {
			v.fail("endpoint.fallback", "has no meaning for profile http: write its URL into endpoint.address, or into endpoints")
		}
	}
	s := c.Secondary
	v.oneOf("secondary.profile", s.Profile, profiles...)
	v.tls("secondary.tls", s.TLS)
	v.address("secondary.address", "secondary.tls.insecure", s.Address, s.Profile, s.TLS.Insecure && hasKey)
}

var profiles = []string{ProfileAuto, ProfileColumns, ProfileRows, ProfileHTTP}

func addressForm(profile string) string {
	if profile == ProfileHTTP {
		return "a URL"
	}
	return "host:port"
}

// address checks a receiving side; inClear says that the key would be sent to it
// in plaintext, which the setting insecure asks for.
func (v *validator) address(key, insecure, address, profile string, inClear bool) {
	if address == "" {
		return
	}
	if profile == ProfileHTTP {
		v.url(key, address, inClear)
		return
	}
	if strings.Contains(address, "://") {
		v.fail(key, "%q is a URL, not host:port, which profile http alone takes", address)
		return
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		v.fail(key, "%q is not host:port", address)
		return
	}
	if host == "" {
		v.fail(key, "%q has no host", address)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		v.fail(key, "%q has no port from 1 to 65535", address)
	}
	if inClear && host != "" && !isLoopback(host) {
		v.fail(insecure, "would send the API key unencrypted to %s: use TLS, or a loopback address, or no api_key", host)
	}
}

// url checks where logs go over HTTP.
func (v *validator) url(key, address string, hasKey bool) {
	u, err := url.Parse(address)
	switch {
	case err == nil && u.User != nil:
		v.fail(key, "must not have a user name or a password in it")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "":
		v.fail(key, "%q is not a URL such as https://http-intake.logs.datadoghq.com", address)
	case u.Scheme == "http" && hasKey && !isLoopback(u.Hostname()):
		v.fail(key, "%q would send the API key unencrypted: use https, or a loopback address, or no api_key", address)
	}
}

func (v *validator) spool(c Config) {
	s := c.Spool
	v.oneOf("spool.fsync", s.Fsync, FsyncBatch, FsyncInterval, FsyncOff)
	v.oneOf("spool.when_full", s.WhenFull, WhenFullBlock, WhenFullOldest)
	if !s.Enabled {
		return
	}
	if s.MaxSize < MinSpoolSize {
		v.fail("spool.max_size", "must be at least %d bytes, not %d", MinSpoolSize, s.MaxSize)
	} else if s.MaxSize/4 < c.Batch.MaxBytes {
		v.fail("spool.max_size", "must be at least four times batch.max_bytes (%d bytes), not %d", c.Batch.MaxBytes, s.MaxSize)
	}
}

func (v *validator) tls(key string, t TLSConfig) {
	if (t.CertFile == "") != (t.KeyFile == "") {
		missing, set := "cert_file", "key_file"
		if t.KeyFile == "" {
			missing, set = set, missing
		}
		v.fail(key+"."+missing, "must be set together with %s", set)
	}
	if t.Insecure && (t.CAFile != "" || t.CertFile != "" || t.KeyFile != "" || t.ServerName != "") {
		v.fail(key+".insecure", "means plaintext: remove it, or the other keys of tls")
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
