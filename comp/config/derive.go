package config

import (
	"net"
	"slices"
	"strings"

	"github.com/vigil-agent/vigil/logs"
)

// derive fills in what follows from other settings where nobody set a value.
func (l *loader) derive(c *Config, lookup func() (string, error)) {
	if c.Hostname == "" {
		name, err := hostname(lookup)
		if err != nil {
			l.warnAt("hostname", place{origin: layerDefault}, "the operating system gives no host name: "+err.Error(), "set hostname")
		} else {
			l.deriveValue(c, "hostname", name, "operating system")
		}
	}
	if c.Metrics.Output == MetricsDatadog && c.Metrics.APIURL == "" {
		l.deriveValue(c, "metrics.api_url", "https://api."+c.Site, "site")
	}
	l.deriveKey(c)
	if c.Logs.Enabled && c.Logs.Endpoint.Profile == logs.ProfileHTTP && c.Logs.Endpoint.Address == "" {
		l.deriveValue(c, "logs.endpoint.address", "https://http-intake.logs."+c.Site, "site")
	}
	if c.Logs.Enabled && c.Intake.Enabled && c.Logs.Endpoint.Address == "" {
		l.deriveValue(c, "logs.endpoint.address", dialAddress(c.Intake.Listen), "intake.listen")
		if c.Intake.TLS.CertFile == "" {
			l.deriveValue(c, "logs.endpoint.tls.insecure", true, "the embedded intake speaks plain text")
		}
	}
}

// deriveKey reads the API key from its file.
func (l *loader) deriveKey(c *Config) {
	const file = "api_key_file"
	if c.APIKeyFile == "" {
		return
	}
	if c.APIKey != "" {
		l.fail(file, "api_key is set as well, at "+l.placeOf("api_key").String(), "keep one of them")
		return
	}
	key, err := logs.ReadKey(c.APIKeyFile)
	if err != nil {
		l.fail(file, c.APIKeyFile+" "+err.Error(), "")
		return
	}
	l.secrets = append(l.secrets, key)
	l.deriveValue(c, "api_key", key, file)
}

func (l *loader) deriveValue(c *Config, key string, data any, from string) {
	s := byKey[key]
	s.store(c, data)
	l.assign(assignment{setting: s, data: data, layer: layerDerived, at: place{origin: from}})
}

// dialAddress is where a server that listens on this address is reached from
// the same host.
func dialAddress(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen // reported already
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// inherit copies what engines take over from the platform.
func inherit(c *Config) {
	c.Tags = withUnified(c.Tags, "env", c.Env)
	withoutService := withUnified(slices.Clone(c.Tags), "version", c.Version)
	c.Tags = withUnified(withUnified(c.Tags, "service", c.Service), "version", c.Version)

	c.Logs.RunPath = c.RunPath
	c.Logs.Hostname = c.Hostname
	c.Logs.Tags = withoutService
	embedded := c.Intake.Enabled && c.Logs.Endpoint.Address == dialAddress(c.Intake.Listen)
	switch {
	case embedded && c.Intake.APIKey != "":
		c.Logs.APIKey = c.Intake.APIKey // the only one that the embedded intake accepts
	case embedded && c.Intake.APIKeyFile != "":
		c.Logs.APIKeyFile = c.Intake.APIKeyFile // likewise, the first of it
	case c.APIKeyFile != "":
		c.Logs.APIKeyFile = c.APIKeyFile
	default:
		c.Logs.APIKey = c.APIKey
	}
	app := func(s logs.SourceConfig) bool { return s.Type == logs.SourceApp }
	if c.Logs.Enabled && c.Serverless.Enabled && len(c.Serverless.Command) > 0 && !slices.ContainsFunc(c.Logs.Sources, app) {
		c.Logs.Sources = append(c.Logs.Sources, logs.SourceConfig{Type: logs.SourceApp})
	}
	for i := range c.Logs.Sources {
		if c.Logs.Sources[i].Service == "" {
			c.Logs.Sources[i].Service = c.Service
		}
	}
}

// withUnified adds the tag name:value where no tag with that name exists.
func withUnified(tags []string, name, value string) []string {
	has := func(tag string) bool { return strings.HasPrefix(tag, name+":") }
	if value == "" || slices.ContainsFunc(tags, has) {
		return tags
	}
	return append(tags, name+":"+value)
}
