package config

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// maxSocketPath is sizeof(sun_path) of Linux without the final NUL (unix(7)).
const maxSocketPath = 107

func checkNotEmpty(data any) (message, hint string) {
	if data.(string) == "" {
		return "must not be empty", ""
	}
	return "", ""
}

func checkNoSpace(data any) (message, hint string) {
	if strings.ContainsFunc(data.(string), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return fmt.Sprintf("%q has a space or a control character in it", data), ""
	}
	return "", ""
}

// checkSecret never says what the value is.
func checkSecret(data any) (message, hint string) {
	if message, _ := checkNoSpace(data); message != "" {
		return "the value has a space or a control character in it", "copy the key again, without line breaks"
	}
	if data.(string) == hidden {
		return "this is what vigil prints in place of a secret", "write the key itself"
	}
	return "", ""
}

func checkDomain(data any) (message, hint string) {
	text := data.(string)
	if text == "" || strings.ContainsAny(text, "/: ") || !strings.Contains(text, ".") {
		return fmt.Sprintf("%q is not a domain name", text), "write the site alone, such as datadoghq.com or datadoghq.eu"
	}
	return "", ""
}

func checkTags(data any) (message, hint string) {
	for _, tag := range data.([]string) {
		if tag == "" || strings.ContainsAny(tag, ",|\n") {
			return fmt.Sprintf("%q is not a tag", tag), "a tag is key:value without commas, bars and line breaks"
		}
	}
	return "", ""
}

func checkNoEmptyItem(data any) (message, hint string) {
	for i, item := range data.([]string) {
		if item == "" {
			return fmt.Sprintf("item %d is empty", i+1), ""
		}
	}
	return "", ""
}

func checkCommand(data any) (message, hint string) {
	if words := data.([]string); len(words) > 0 && words[0] == "" {
		return "the name of the program is empty", ""
	}
	return "", ""
}

func checkGlob(data any) (message, hint string) {
	if _, err := filepath.Match(data.(string), ""); err != nil {
		return fmt.Sprintf("%q is not a glob pattern", data), "close every [, and put a backslash before a literal one"
	}
	return "", ""
}

func checkSocket(data any) (message, hint string) {
	switch path := data.(string); {
	case path == "":
		return "must not be empty", ""
	case len(path) > maxSocketPath:
		return fmt.Sprintf("a path of %d bytes is too long for a unix socket", len(path)), fmt.Sprintf("Linux allows %d", maxSocketPath)
	}
	return "", ""
}

// checkHostPort accepts host:port with an empty host (all interfaces) and with
// port 0 (any free one).
func checkHostPort(data any) (message, hint string) {
	text := data.(string)
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		if _, err := strconv.Atoi(text); err == nil {
			return fmt.Sprintf("%q is not host:port", text), `for all interfaces write ":` + text + `"`
		}
		return fmt.Sprintf("%q is not host:port", text), "write it like 127.0.0.1:9000 or [::1]:9000"
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Sprintf("%q: the port is not a number from 0 to 65535", text), ""
	}
	return "", ""
}

func checkOptionalHostPort(data any) (message, hint string) {
	if data.(string) == "" {
		return "", ""
	}
	return checkHostPort(data)
}

// checkOptionalDialHostPort is for an address to connect to: it needs a host
// and a port.
func checkOptionalDialHostPort(data any) (message, hint string) {
	text := data.(string)
	if text == "" {
		return "", ""
	}
	if _, rest, ok := strings.Cut(text, "://"); ok {
		return fmt.Sprintf("%q is a URL, not host:port", text), "write " + rest
	}
	if message, _ := checkHostPort(data); message != "" {
		return message, "write it like intake.example.com:443"
	}
	if host, port, _ := net.SplitHostPort(text); host == "" || port == "0" {
		return fmt.Sprintf("%q does not say where to connect to", text), "write it like intake.example.com:443"
	}
	return "", ""
}

// checkLogsAddress accepts host:port or a URL; the engine knows which of them fits.
func checkLogsAddress(data any) (message, hint string) {
	if strings.Contains(data.(string), "://") {
		return checkAPIURL(data)
	}
	return checkOptionalDialHostPort(data)
}

// checkAPIURL accepts a base URL that an API key may be sent to.
func checkAPIURL(data any) (message, hint string) {
	text := data.(string)
	if text == "" {
		return "", ""
	}
	u, err := url.Parse(text)
	if err == nil && u.User != nil {
		return "the URL has a user name or a password in it", "write it like https://api.datadoghq.com"
	}
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Sprintf("%q is not a base URL", text), "write it like https://api.datadoghq.com"
	}
	if u.Scheme == "http" && !loopback(net.JoinHostPort(u.Hostname(), "80")) {
		return fmt.Sprintf("%q would send the API key in the clear", text), "use https; http is for a loopback address"
	}
	return "", ""
}

func checkStatsd(data any) (message, hint string) {
	text := data.(string)
	if path, ok := strings.CutPrefix(text, "unix://"); ok {
		if path == "" {
			return fmt.Sprintf("%q has no path", text), "write it like unix:///var/run/datadog/dsd.socket"
		}
		return checkSocket(path)
	}
	if message, _ := checkOptionalDialHostPort(data); message != "" {
		return fmt.Sprintf("%q is neither host:port nor unix:///path", text), "write it like 127.0.0.1:8125; empty switches metrics off"
	}
	return "", ""
}
