package metrics

import (
	"errors"
	"fmt"
	"net"
	"net/url"
)

// The outputs there are.
const (
	outputStatsd  = "statsd"
	outputDatadog = "datadog"
	outputOff     = "off"
)

// Config says where metrics go and which tags the user wants on them.
type Config struct {
	// Output is "statsd" (also when empty) or "datadog".
	Output string
	// StatsdAddress is host:port for UDP or unix:///path for a datagram socket;
	// empty switches that output off.
	StatsdAddress string
	// APIURL is the base URL of the Datadog API: https://api.datadoghq.com. Plain
	// http is for loopback alone, since the key goes along.
	APIURL string
	// APIKey authenticates to that API. It is a secret: it is sent, and shown
	// nowhere.
	APIKey string `json:"-"`
	// Hostname is the host that tagged metrics belong to.
	Hostname string
	// Tags are added to everything that does not go through Usage.
	Tags []string
}

// String leaves the key out; so does GoString.
func (c Config) String() string {
	return fmt.Sprintf("metrics output %q, statsd %q, API %q", c.Output, c.StatsdAddress, c.APIURL)
}

// GoString implements fmt.GoStringer.
func (c Config) GoString() string { return c.String() }

// ErrNoKey means that the datadog output has no API key.
var ErrNoKey = errors.New("metrics.output datadog needs an API key: set api_key, or the environment variable DD_API_KEY")

// checkURL says why a base URL cannot carry an API key.
func checkURL(base string) error {
	u, err := url.Parse(base)
	switch {
	case err == nil && u.User != nil:
		return errors.New("metrics.api_url has a user name or a password in it; write it like https://api.datadoghq.com")
	case err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("metrics.api_url %q is not a base URL; write it like https://api.datadoghq.com", base)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("metrics.api_url %q would send the API key in the clear; use https, or http to a loopback address", base)
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
