package config

import (
	"net"
	"regexp"
	"strings"
)

// checkAll reports what single settings cannot say: how they go together.
func (l *loader) checkAll(c *Config) {
	l.checkMetrics(c)
	l.checkLogs(c)
	l.checkIntake(c)
	l.checkEngine(c, "serverless", c.Serverless.Enabled, func(c *Config) any { return c.Serverless })
	l.checkEngine(c, "debugger", c.Debugger.Enabled, func(c *Config) any { return c.Debugger })
	l.checkEngine(c, "logs", c.Logs.Enabled, func(c *Config) any { return c.Logs })
	l.checkEngine(c, "intake", c.Intake.Enabled, func(c *Config) any { return c.Intake })
}

func (l *loader) checkMetrics(c *Config) {
	const output = "metrics.output"
	if c.Metrics.Output == MetricsDatadog && c.APIKey == "" && l.clean(output) && l.clean("api_key") {
		l.fail(output, "datadog needs an API key and api_key is empty", "set the environment variable DD_API_KEY, or api_key; without a key choose statsd")
	}
}

// checkLogs says what to do about the two things that a first configuration
// lacks; the engine checks the rest.
func (l *loader) checkLogs(c *Config) {
	const sources, address = "logs.sources", "logs.endpoint.address"
	if !c.Logs.Enabled {
		return
	}
	if len(c.Logs.Sources) == 0 && l.clean(sources) {
		l.fail(sources, "logs is on and has no source", "add one: logs: {sources: [{type: file, path: /var/log/app/*.log}]}")
	}
	if c.Logs.Endpoint.Address == "" && l.clean("logs.endpoint") && l.clean(address) {
		l.fail(address, "logs is on and has no endpoint to send to", "set it, or intake.enabled: true for the embedded receiving side")
	}
	if a, ok := l.winner(address); ok && a.layer == layerDerived && a.at.origin == "site" && c.APIKey == "" && l.clean("api_key") {
		l.fail("logs.endpoint.profile", "http without an address sends to "+c.Logs.Endpoint.Address+", which takes nothing without an API key, and api_key is empty", "set the environment variable DD_API_KEY, or api_key or api_key_file")
	}
	if a, ok := l.winner(address); ok && a.layer == layerDerived && strings.HasSuffix(c.Logs.Endpoint.Address, ":0") {
		l.problems = append(l.problems, newProblem(address, l.placeOf("intake.listen"),
			"port 0 of intake.listen is chosen anew at every start, so the logs engine cannot know it", "name a port"))
	}
}

func (l *loader) checkIntake(c *Config) {
	i := c.Intake
	hasKey := i.APIKey != "" || i.APIKeyFile != ""
	switch {
	case !i.Enabled || loopback(i.Listen):
	case !hasKey && i.TLS.ClientCAFile == "":
		l.warn("intake.listen", "anyone who reaches "+i.Listen+" can send lines to it", "listen on loopback, or set intake.api_key_file or intake.tls.client_ca_file")
	case hasKey && i.TLS.CertFile == "":
		l.warn("intake.listen", "clients would send their API key to "+i.Listen+" in the clear, which senders of vigil refuse to do", "set intake.tls.cert_file and key_file, or listen on loopback")
	}
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// checkEngine asks an engine that is on about its own section, where it has an
// opinion. Its errors, joined, start with the key inside the section:
// "hook_budget: too short". A value from a variable of other software gives way
// with a warning.
func (l *loader) checkEngine(c *Config, section string, enabled bool, of func(*Config) any) {
	if !enabled {
		return
	}
	before := loader{problems: l.problems}
	for {
		v, ok := of(c).(interface{ Validate() error })
		if !ok {
			return
		}
		err := v.Validate()
		if err == nil {
			return
		}
		messages := strings.Split(err.Error(), "\n") // one line per joined error
		if l.giveWay(c, section, messages) {
			continue
		}
		for _, message := range messages {
			key, message := l.engineKey(section, message)
			if key == section || before.clean(key) {
				l.fail(key, message, "")
			}
		}
		return
	}
}

// giveWay drops one lenient value that an engine complains about: that of the
// key, or of another setting that the message names. It says whether there was
// one.
func (l *loader) giveWay(c *Config, section string, messages []string) bool {
	for _, message := range messages {
		key, _ := l.engineKey(section, message)
		candidates := []string{key}
		for _, name := range word.FindAllString(message, -1) {
			candidates = append(candidates, section+"."+name)
		}
		for _, key := range candidates {
			a, ok := l.winner(key)
			if !ok || !a.lenient {
				continue
			}
			l.warnAt(key, a.at, "ignored: "+strings.TrimPrefix(message, a.setting.name()+": "), "")
			l.set[key] = l.set[key][:len(l.set[key])-1]
			data := a.setting.defaultValue()
			if weaker, ok := l.winner(key); ok {
				data = weaker.data
			}
			a.setting.store(c, data)
			return true
		}
	}
	return false
}

// fieldPath is how engines name what is inside a free object: where.lines[0].
var fieldPath = regexp.MustCompile(`^[A-Za-z][\w.\[\]]*$`)

// engineKey takes the key off the message of an engine. What is wrong inside a
// list of free objects starts with the item and names the field further on:
// `probes[0]: probe "a": where.lines: …`.
func (l *loader) engineKey(section, message string) (key, rest string) {
	name, rest, ok := strings.Cut(message, ": ")
	key = section + "." + name
	if !known(key) {
		key = name // engines check what they inherit, too
	}
	if !ok || !known(key) {
		return section, message
	}
	plain, _, inside := strings.Cut(key, "[")
	if s := byKey[plain]; !inside || s == nil || s.kind != kindJSON {
		return key, rest
	}
	subject := ""
	for part := range strings.SplitSeq(rest, ": ") {
		after := strings.TrimPrefix(rest, subject+part+": ")
		if fieldPath.MatchString(part) && after != rest {
			return key + "." + part, subject + after
		}
		if !strings.HasPrefix(part, "probe ") {
			break
		}
		subject += part + ": "
	}
	return key, rest
}

// known says whether a key, perhaps inside a list, is a setting or a section.
func known(key string) bool {
	plain, _, _ := strings.Cut(key, "[")
	return byKey[plain] != nil || isSection(plain)
}

// fail reports a problem where the value of the key was written.
func (l *loader) fail(key, message, hint string) {
	l.problems = append(l.problems, newProblem(key, l.placeOf(key), message, hint))
}

func (l *loader) warn(key, message, hint string) {
	l.warnAt(key, l.placeOf(key), message, hint)
}

// clean says whether a key has its value for sure: nothing is wrong with it,
// inside it or around it, and no unknown key beside it may be the same one
// misspelt. Where it is not, saying what follows from its value would be noise.
func (l *loader) clean(key string) bool {
	beside := key[:strings.LastIndexByte(key, '.')+1]
	for _, p := range l.problems {
		if within(p.Key, key) || within(key, p.Key) {
			return false
		}
		name, ok := strings.CutPrefix(p.Key, beside)
		if ok && p.Message == unknownKey && !strings.ContainsAny(name, ".[") {
			return false
		}
	}
	return true
}

// within says whether key is outer or lies inside it; everything lies inside "".
func within(key, outer string) bool {
	rest, ok := strings.CutPrefix(key, outer)
	return ok && (outer == "" || rest == "" || rest[0] == '.' || rest[0] == '[')
}

// placeOf is where the winning value of a key was written: that of the list
// item or the field inside it where it is known, else of the setting. For what
// nobody wrote it is where something else of the same section was, if possible
// the switch that makes the section matter.
func (l *loader) placeOf(key string) place {
	plain, _, _ := strings.Cut(key, "[")
	a, ok := l.winner(plain)
	if !ok {
		return l.placeNear(plain)
	}
	for part := key; len(part) > len(plain); part = part[:strings.LastIndexAny(part, ".[")] {
		if at, ok := a.parts[part]; ok {
			return at
		}
	}
	return a.at
}

func (l *loader) placeNear(key string) place {
	for outer := key; outer != ""; outer = outer[:max(strings.LastIndexByte(outer, '.'), 0)] {
		if a, ok := l.winner(outer + ".enabled"); ok {
			return a.at
		}
		for _, s := range table {
			if a, ok := l.winner(s.key); ok && within(s.key, outer) {
				return a.at
			}
		}
	}
	return place{origin: layerDefault}
}
