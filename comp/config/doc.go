// Package config is the agent's configuration: one table of settings drives the
// decoding of YAML, environment variables and flags, the defaults and bounds,
// the explanations, the JSON schema, the example file and the reference page.
//
// Layers, the strongest first:
//
//	flag  >  environment  >  conf.d/*.yaml  >  vigil.yaml  >  default
//
// A layer that names a setting replaces it as a whole: lists are not merged. A
// key without a value (`tags:` and nothing after it) does not set anything, and
// neither does an empty environment variable.
//
// Load reports every problem at once, each with its place, and never the value
// of a secret. The sections of the engines are the engines' own Config structs,
// filled here; the engines do not know this package.
//
// github.com/goccy/go-yaml is used for its parser alone: its syntax tree knows
// the line and column of every token.
package config
