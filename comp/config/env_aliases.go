package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Variables of the MicroVM environment (MicroVM specification, section 4.6).
const (
	// microVMVariable is set by the platform; its presence, even without a
	// value, means that the agent runs inside a MicroVM.
	microVMVariable = "AWS_LAMBDA_MICROVM_IMAGE_ARN"
	microVMPrefix   = "DD_AWS_MICROVM_"
	betaPrefix      = "DD_SERVERLESS_MICROVM_"
)

// microVM makes the alias DD_AWS_MICROVM_<name> and the one of the beta.
func microVM(name string, convert func(string) (string, error), rule string) []alias {
	return []alias{
		{name: microVMPrefix + name, convert: convert, rule: rule},
		{name: betaPrefix + name, convert: convert, rule: rule, replacement: microVMPrefix + name},
	}
}

// clamped makes aliases that move a value out of range to the nearest bound.
func clamped(aliases []alias) []alias {
	for i := range aliases {
		aliases[i].clamp = true
	}
	return aliases
}

func upper(name string) string { return strings.ToUpper(name) }

// detectMicroVM is the layer between the defaults and the file.
func (l *loader) detectMicroVM(env environment) {
	if _, present := env[microVMVariable]; !present {
		return
	}
	l.assign(assignment{
		setting: byKey["serverless.enabled"], data: true, layer: layerDetected,
		at: place{origin: "environment variable " + microVMVariable}, name: microVMVariable,
	})
}

func portNumber(text string) (string, error) {
	if n, err := strconv.Atoi(text); err != nil || n < 1 || n > 65535 {
		return "", fmt.Errorf("%q is not a port number", text)
	}
	return text, nil
}

// fromPort turns a port into the address of all interfaces.
func fromPort(text string) (string, error) {
	port, err := portNumber(text)
	return ":" + port, err
}

// fromMilliseconds turns a positive number of milliseconds into a duration.
func fromMilliseconds(text string) (string, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return "", fmt.Errorf("%q is not a positive number of milliseconds", text)
	}
	if n > math.MaxInt64/int64(time.Millisecond) {
		return "", fmt.Errorf("%q milliseconds are too many", text)
	}
	return text + "ms", nil
}

// exactlyTrue is the rule of a switch that nothing but this one text turns on.
func exactlyTrue(text string) (string, error) { return strconv.FormatBool(text == "true"), nil }

func fromBool(text string) (string, error) {
	b, err := strconv.ParseBool(text)
	if err != nil {
		return "", fmt.Errorf("%q is not a boolean", text)
	}
	return strconv.FormatBool(b), nil
}

// fromStatsdURL reads the forms that the DogStatsD clients share.
func fromStatsdURL(text string) (string, error) {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return text, nil
	}
	switch scheme {
	case "udp":
		return strings.TrimSuffix(rest, "/"), nil
	case "unix":
		return text, nil
	default:
		return "", errors.New("the scheme " + strconv.Quote(scheme) + " is not supported")
	}
}
