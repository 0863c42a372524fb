package intake

import "fmt"

// Config is the `intake` section of vigil.yaml.
type Config struct {
	// Enabled starts the receiving side inside `vigil run`.
	Enabled bool
	// Listen is the host:port of the gRPC server.
	Listen string
	// Journal is the NDJSON file; empty means standard output.
	Journal string
	// APIKey, when set, is the only key accepted; empty accepts any client. It is
	// never printed.
	APIKey string `json:"-"`
}

// DefaultListen is loopback: a receiver that others may reach is a decision.
const DefaultListen = "127.0.0.1:9092"

// DefaultConfig is the configuration of a receiving side that is switched off.
func DefaultConfig() Config { return Config{Listen: DefaultListen} }

// Format implements fmt.Formatter: no verb prints the API key.
func (c Config) Format(f fmt.State, verb rune) {
	type shown Config // without this method
	if c.APIKey != "" {
		c.APIKey = "********"
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), shown(c)) // fmt keeps no errors
}
