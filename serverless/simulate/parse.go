package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// Methods of an HTTP request are tokens; these are the ones anybody sends.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}

// clockRefusal is why there is no clock step: it would have to be faked.
const clockRefusal = "the wall clock belongs to the whole machine and no namespace holds a second one, so a jump cannot be played for one entrypoint; " +
	"leave the step out and use `freeze` for the pause that comes with it"

var hookNames = func() (names []string) {
	for h := range lifecycle.Hook(lifecycle.NumHooks) {
		names = append(names, h.String())
	}
	return names
}()

// parser collects a scenario and what is wrong with its text.
type parser struct {
	file     string
	scenario *Scenario
	problems Problems

	line int
	last *Step // the step an expect line is about
	gone bool  // a stop or kill ended the machine, and no clone followed
}

// verbs are the words a step may begin with.
func verbs() map[string]func(*parser, *Step, []token) {
	table := map[string]func(*parser, *Step, []token){
		"call":     (*parser).call,
		"together": (*parser).together,
		"freeze":   timed(DoFreeze),
		"wait":     timed(DoWait),
		"await":    bare(DoAwait),
		"settle":   bare(DoSettle),
		"stop":     bare(DoStop),
		"kill":     bare(DoKill),
		"clone":    bare(DoClone),
	}
	for h := range lifecycle.Hook(lifecycle.NumHooks) {
		table[h.String()] = func(p *parser, s *Step, args []token) { p.hook(s, h, args) }
	}
	return table
}

// Parse reads a scenario. The error is Problems: every mistake, with its place.
func Parse(file string, text []byte) (*Scenario, error) {
	p := &parser{file: file, scenario: &Scenario{Name: file}}
	for line := range strings.SplitSeq(string(text), "\n") {
		p.line++
		p.parseLine(line)
	}
	if len(p.scenario.Steps) == 0 && len(p.problems) == 0 {
		p.line = 1
		p.fail(1, "the scenario has no step; begin with `ready`")
	}
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return p.scenario, nil
}

func (p *parser) fail(column int, format string, args ...any) {
	p.problems = append(p.problems, Problem{File: p.file, At: Position{p.line, column}, Text: fmt.Sprintf(format, args...)})
}

func (p *parser) parseLine(line string) {
	tokens, err := tokenise(line)
	if err != nil {
		p.fail(tokens[len(tokens)-1].column, "%v", err)
		return
	}
	if len(tokens) == 0 {
		return
	}
	word, args := tokens[0], tokens[1:]
	switch word.text {
	case "title":
		p.scenario.Title = strings.TrimSpace(strings.TrimSpace(line)[len("title"):])
	case "slow":
		p.none(args)
		p.scenario.Slow = true
	case "env":
		p.env(args, word)
	case "expect":
		p.expect(args, word)
	case "clock":
		p.fail(word.column, "clock: %s", clockRefusal)
	default:
		p.step(strings.TrimSpace(line), word, args)
	}
}

func (p *parser) step(text string, word token, args []token) {
	table := verbs()
	parse, ok := table[word.text]
	if !ok {
		names := slices.AppendSeq([]string{"title", "slow", "env", "expect"}, maps.Keys(table))
		slices.Sort(names)
		p.fail(word.column, "%q is no step%s", word.text, didYouMean(word.text, names))
		return
	}
	if len(p.scenario.Steps) == MaxSteps {
		if p.last != nil {
			p.fail(word.column, "a scenario has at most %d steps", MaxSteps)
		}
		p.last = nil
		return
	}
	s := Step{At: Position{p.line, word.column}, Text: text}
	parse(p, &s, args)
	if p.gone && s.Verb != DoClone {
		p.fail(word.column, "the machine is gone; only `clone` starts another")
	}
	p.gone = s.Verb == DoStop || s.Verb == DoKill
	p.scenario.Steps = append(p.scenario.Steps, s)
	p.last = &p.scenario.Steps[len(p.scenario.Steps)-1]
}

func (p *parser) none(args []token) {
	if len(args) > 0 {
		p.fail(args[0].column, "%q is one word too many", args[0].text)
	}
}

func bare(verb Verb) func(*parser, *Step, []token) {
	return func(p *parser, s *Step, args []token) {
		s.Verb = verb
		p.none(args)
	}
}

func timed(verb Verb) func(*parser, *Step, []token) {
	return func(p *parser, s *Step, args []token) {
		s.Verb = verb
		if len(args) == 0 {
			p.fail(s.At.Column, "a duration is missing, as in `wait 500ms`")
			return
		}
		s.For = p.duration(args[0], args[0].text)
		p.none(args[1:])
	}
}

func (p *parser) duration(at token, text string) time.Duration {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		p.fail(at.column, "%q is no duration; write it like 500ms, 3s or 1m30s", text)
	case d <= 0 || d > MaxDuration:
		p.fail(at.column, "%s is not between 0 and %s", text, MaxDuration)
	}
	return d
}

func (p *parser) hook(s *Step, h lifecycle.Hook, args []token) {
	s.Verb, s.Hook = DoHook, h
	names := []string{"body"}
	if h == lifecycle.Run {
		names = []string{"id", "body", "size"}
	}
	for _, arg := range args {
		switch name, value := p.pair(arg, names); name {
		case "id":
			s.ID = value
		case "body":
			s.Body, s.HasBody = []byte(value), true
		case "size":
			s.Size = p.number(arg, value, 1, MaxBody)
		}
	}
	if s.HasBody && (s.ID != "" || s.Size != 0) {
		p.fail(s.At.Column, "body= says everything already; leave out id= and size=")
	}
}

func (p *parser) call(s *Step, args []token) {
	s.Verb = DoCall
	if len(args) < 2 {
		p.fail(s.At.Column, "write `call METHOD PATH`, as in `call GET ready`")
		return
	}
	s.Method, s.Path = args[0].text, args[1].text
	if !slices.Contains(methods, s.Method) {
		p.fail(args[0].column, "%q is no method%s", s.Method, didYouMean(strings.ToUpper(s.Method), methods))
	}
	if strings.ContainsFunc(s.Path, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || s.Path == "" {
		p.fail(args[1].column, "%q is no path; escape what is not printable ASCII", s.Path)
	}
	for _, arg := range args[2:] {
		if name, value := p.pair(arg, []string{"body"}); name != "" {
			s.Body, s.HasBody = []byte(value), true
		}
	}
}

func (p *parser) together(s *Step, args []token) {
	s.Verb = DoTogether
	if len(args) < 2 || len(args) > maxTogether {
		p.fail(s.At.Column, "name 2 to %d hooks, as in `together suspend resume`", maxTogether)
	}
	for _, arg := range args {
		h := slices.Index(hookNames, arg.text)
		if h < 0 {
			p.fail(arg.column, "%q is no hook%s", arg.text, didYouMean(arg.text, hookNames))
			continue
		}
		s.Together = append(s.Together, lifecycle.Hook(h))
	}
}

func (p *parser) env(args []token, word token) {
	if len(args) == 0 {
		p.fail(word.column, "write `env NAME=VALUE`")
		return
	}
	for _, arg := range args {
		name, _, ok := strings.Cut(arg.text, "=")
		if !ok || name == "" || strings.ContainsRune(arg.text, 0) {
			p.fail(arg.column, "%q is not NAME=VALUE", arg.text)
			continue
		}
		p.scenario.Env = append(p.scenario.Env, arg.text)
	}
}

func (p *parser) expect(args []token, word token) {
	if p.last == nil || !p.last.calls() {
		p.fail(word.column, "expect is about the hook on the line before it, and there is none")
		return
	}
	if len(args) == 0 {
		p.fail(word.column, "write what is expected, as in `expect status=200 within=2s`")
	}
	for _, arg := range args {
		switch name, value := p.pair(arg, []string{"status", "within"}); name {
		case "status":
			p.last.Expect.Status = p.number(arg, value, 100, 599)
		case "within":
			p.last.Expect.Within = p.duration(arg, value)
		}
	}
}

// pair splits name=value. The name is empty when it is none of names.
func (p *parser) pair(arg token, names []string) (name, value string) {
	name, value, ok := strings.Cut(arg.text, "=")
	switch {
	case !slices.Contains(names, name):
		p.fail(arg.column, "%q is unknown here%s", name, didYouMean(name, names))
	case !ok:
		p.fail(arg.column, "%s needs a value, as in %s=…", name, name)
	case len(value) > MaxBody:
		p.fail(arg.column, "%s is longer than %d bytes", name, MaxBody)
	default:
		return name, value
	}
	return "", ""
}

func (p *parser) number(arg token, text string, least, most int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		p.fail(arg.column, "%q is no number between %d and %d", text, least, most)
		return 0
	}
	return n
}
