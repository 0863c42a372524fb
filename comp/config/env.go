package config

import (
	"slices"
	"strings"
)

// envPrefix starts the variables that are generated from the keys.
const envPrefix = "VIGIL_"

// alias is a variable of other software that also sets a setting. Because that
// software reads it too, a bad value is a warning and not an error.
type alias struct {
	name string
	// convert turns the text into that of the setting; nil leaves it.
	convert func(text string) (string, error)
	// rule says what the variable may hold, where it is not what the setting
	// may hold.
	rule string
	// clamp moves a number that is out of bounds to the nearest one.
	clamp bool
	// replacement is the name to use instead of this deprecated one.
	replacement string
}

// environment is a parsed os.Environ.
type environment map[string]string

// newEnvironment takes the first of two equal names, as os.Getenv does.
func newEnvironment(environ []string) environment {
	env := make(environment, len(environ))
	for _, e := range environ {
		name, value, ok := strings.Cut(e, "=")
		if _, twice := env[name]; ok && !twice {
			env[name] = value
		}
	}
	return env
}

// readEnvironment reads the layer of the environment.
func (l *loader) readEnvironment(env environment) {
	for _, s := range table {
		for _, a := range slices.Backward(s.aliases) { // the strongest last
			l.readAlias(s, a, env[a.name])
		}
		if text := env[s.env()]; text != "" {
			l.readText(s, text, layerEnvironment, s.env(), "environment variable "+s.env())
		}
	}
	l.warnUnknown(env)
}

func (l *loader) readAlias(s *setting, a alias, text string) {
	if text == "" {
		return
	}
	at := place{origin: "environment variable " + a.name}
	if s.secret {
		l.secrets = append(l.secrets, text)
	}
	if a.replacement != "" {
		l.warnAt(s.key, at, "a deprecated name", "use "+a.replacement)
	}
	if a.convert != nil {
		converted, err := a.convert(text)
		if err != nil {
			l.warnAt(s.key, at, "ignored: "+err.Error(), "allowed: "+a.rule)
			return
		}
		text = converted
	}
	data, message, hint := s.parseText(text)
	if message != "" {
		l.warnAt(s.key, at, "ignored: "+message, hint)
		return
	}
	if message, hint := s.verify(data); message != "" {
		if !a.clamp {
			l.warnAt(s.key, at, "ignored: "+message, hint)
			return
		}
		data = s.clamp(data)
		l.warnAt(s.key, at, message, s.format(data)+" is used")
	}
	l.assign(assignment{setting: s, data: data, layer: layerEnvironment, at: at, name: a.name, lenient: true})
}

// warnUnknown points at variables that look like misspelt ones. Others with the
// prefix are none of our business.
func (l *loader) warnUnknown(env environment) {
	var known []string
	for _, s := range table {
		known = append(known, s.env())
		for _, a := range s.aliases {
			known = append(known, a.name)
		}
	}
	names := make([]string, 0, len(env))
	for name := range env {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !strings.HasPrefix(name, envPrefix) && !strings.HasPrefix(name, microVMPrefix) || slices.Contains(known, name) {
			continue
		}
		if near := nearest(name, known); near != "" {
			l.warnAt("", place{origin: "environment variable " + name}, "not a setting, ignored", "did you mean "+near+"?")
		}
	}
}
