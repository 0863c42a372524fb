package config

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
)

// DefaultFile is read when no file is named.
const DefaultFile = "/etc/vigil/vigil.yaml"

// Names of the layers, the weakest first.
const (
	layerDefault     = "default"
	layerDetected    = "environment: MicroVM detected"
	layerFile        = "file"
	layerConfD       = "conf.d"
	layerEnvironment = "environment"
	layerFlag        = "flag"
	// layerDerived is what follows from other settings where nobody set a
	// value.
	layerDerived = "derived"
)

// Options say where the configuration comes from.
type Options struct {
	// File is the main file; conf.d is looked for beside it. Empty means
	// DefaultFile, which may be missing; a file that is named must be there.
	File string
	// Flags are values by key, as text: {"log_level": "debug"}. Lists of
	// strings are written as in the environment. A value may be empty.
	Flags map[string]string
	// Environ is what os.Environ returns; nil means an empty environment.
	Environ []string
	// LookupHostname is asked when no host name is set; nil means os.Hostname.
	LookupHostname func() (string, error)
}

// Loaded is a configuration without problems.
type Loaded struct {
	// Config is the result.
	Config Config
	// Warnings are worth a look and do not keep the agent from running. They
	// are sorted like Problems.
	Warnings []Problem
	// Files are those that were read, in the order in which they were.
	Files []string

	// set holds every value of every setting, the weakest first.
	set map[string][]assignment
}

// Load reads all layers and returns the configuration, or Problems with
// everything that is wrong.
func Load(o Options) (*Loaded, error) { return load(o, DefaultFile) }

func load(o Options, defaultFile string) (*Loaded, error) {
	l := &loader{set: map[string][]assignment{}}
	env := newEnvironment(o.Environ)
	l.learnEnvironment(env)
	l.detectMicroVM(env)
	l.readFiles(o.File, defaultFile)
	l.readEnvironment(env)
	l.readFlags(o.Flags)

	config := l.build()
	l.derive(&config, o.LookupHostname)
	inherit(&config)
	l.checkAll(&config)
	if len(l.problems) > 0 {
		return nil, l.finish(l.problems)
	}
	return &Loaded{Config: config, Warnings: l.finish(l.warnings), Files: l.files, set: l.set}, nil
}

// loader collects values and problems while the layers are read.
type loader struct {
	set      map[string][]assignment
	problems Problems
	warnings Problems
	files    []string
	// secrets are texts that must not appear in any message.
	secrets []string
}

// assignment is one value that one layer gave to one setting.
type assignment struct {
	setting *setting
	data    any
	layer   string
	at      place
	// parts are the places of what is inside a list: "logs.sources[1].path".
	parts map[string]place
	// name is the variable or the flag.
	name string
	// lenient marks a value whose problems are warnings.
	lenient bool
}

// assign adds a value that is stronger than those before it.
func (l *loader) assign(a assignment) {
	l.set[a.setting.key] = append(l.set[a.setting.key], a)
}

// winner is the strongest value of a setting, if any layer has one.
func (l *loader) winner(key string) (assignment, bool) {
	all := l.set[key]
	if len(all) == 0 {
		return assignment{}, false
	}
	return all[len(all)-1], true
}

// build applies the winners to the defaults.
func (l *loader) build() Config {
	config := Default()
	for _, s := range table {
		if a, ok := l.winner(s.key); ok {
			s.store(&config, a.data)
		}
	}
	return config
}

// readFlags reads the strongest layer.
func (l *loader) readFlags(flags map[string]string) {
	keys := make([]string, 0, len(flags))
	for key := range flags {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		s := byKey[key]
		if s == nil {
			hint := ""
			if near := nearest(key, Keys()); near != "" {
				hint = "did you mean " + near + "?"
			}
			l.failText(key, place{origin: "flag"}, "unknown key", hint)
			continue
		}
		l.readText(s, flags[key], layerFlag, key, "flag "+key)
	}
}

// learnEnvironment notes the secrets of the environment before anything else is
// read, so that no message about a file shows them.
func (l *loader) learnEnvironment(env environment) {
	for _, s := range table {
		if !s.secret {
			continue
		}
		l.secrets = append(l.secrets, env[s.env()])
		for _, a := range s.aliases {
			l.secrets = append(l.secrets, env[a.name])
		}
	}
}

// learnSecrets notes every text under the node of a secret setting.
func (l *loader) learnSecrets(node ast.Node, anchors map[string]ast.Node) {
	if alias, ok := node.(*ast.AliasNode); ok {
		node = anchors[alias.Value.GetToken().Value]
	}
	if node == nil {
		return
	}
	for _, kind := range []ast.NodeType{ast.StringType, ast.IntegerType, ast.FloatType, ast.LiteralType} {
		for _, n := range ast.Filter(kind, node) {
			if text, ok := scalarText(n); ok {
				l.secrets = append(l.secrets, text, strings.TrimSpace(text))
			}
		}
	}
}

// failAt reports a problem at a place in a text.
func (l *loader) failAt(src *source, key string, at place, message, hint string) {
	at.source = src
	l.problems = append(l.problems, newProblem(key, at, message, hint))
}

// failText reports a problem with a value that no file holds.
func (l *loader) failText(key string, at place, message, hint string) {
	l.problems = append(l.problems, newProblem(key, at, message, hint))
}

// warnAt reports something that does not keep the agent from running.
func (l *loader) warnAt(key string, at place, message, hint string) {
	l.warnings = append(l.warnings, newProblem(key, at, message, hint))
}

func newProblem(key string, at place, message, hint string) Problem {
	if strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) }) {
		key = strconv.Quote(key) // line breaks and control codes do not reach a terminal
	}
	p := Problem{Key: key, Origin: at.origin, Message: message, Hint: hint}
	if at.source != nil {
		p.File = at.source.name
		p.Line, p.Column = at.source.clamp(at.line, at.column)
		p.Excerpt = at.source.excerpt(p.Line, p.Column, at.width)
	}
	return p
}

// finish sorts problems and takes the secrets out of them.
func (l *loader) finish(problems Problems) Problems {
	out := problems.sorted(l.files)
	hide := redactor(l.secrets)
	for i := range out {
		for _, text := range []*string{&out[i].Key, &out[i].Message, &out[i].Hint, &out[i].Excerpt} {
			*text = hide(*text)
		}
	}
	return out
}

// hostname asks the operating system.
func hostname(lookup func() (string, error)) (string, error) {
	if lookup == nil {
		lookup = os.Hostname
	}
	return lookup()
}
