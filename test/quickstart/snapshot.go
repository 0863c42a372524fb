package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// readSnapshot turns a snapshot's JSON into `function(name=value, ...)` and the
// lines of its stack. The receiver of a method is left out.
func readSnapshot(line []byte) (call string, stack []string, err error) {
	var envelope struct {
		Logger   struct{ Method string }
		Debugger struct {
			Snapshot struct {
				Stack []struct {
					Function   string `json:"function"`
					FileName   string `json:"fileName"`
					LineNumber int    `json:"lineNumber"`
				}
				Captures struct {
					Entry struct{ Arguments members }
				}
			}
		}
	}
	if err := json.Unmarshal(line, &envelope); err != nil {
		return "", nil, err
	}
	snapshot := envelope.Debugger.Snapshot
	for _, frame := range snapshot.Stack {
		stack = append(stack, fmt.Sprintf("%s %s:%d", frame.Function, frame.FileName, frame.LineNumber))
	}
	arguments := snapshot.Captures.Entry.Arguments
	if strings.Contains(envelope.Logger.Method, ").") && len(arguments) > 0 {
		arguments = arguments[1:] // the receiver: the same in every call, and long
	}
	return envelope.Logger.Method + "(" + arguments.join("=") + ")", stack, nil
}

// member is a name with its value.
type member struct {
	name  string
	value value
}

// members are an object's, in the order they were written.
type members []member

// UnmarshalJSON keeps the order, which a Go map would lose.
func (m *members) UnmarshalJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		var v value
		if err := decoder.Decode(&v); err != nil {
			return err
		}
		*m = append(*m, member{fmt.Sprint(name), v})
	}
	return nil
}

func (m members) join(separator string) string {
	texts := make([]string, len(m))
	for i, x := range m {
		texts[i] = x.name + separator + x.value.String()
	}
	return strings.Join(texts, ", ")
}

// value is one captured value.
type value struct {
	Type              string
	Value             *string
	IsNull            bool
	Address           string
	Fields            *members
	Elements          []value
	Size              string
	NotCapturedReason string
}

// String is the value as Go source would write it, shortened.
func (v value) String() string {
	short := v.Type[strings.LastIndex(v.Type, "/")+1:]
	switch {
	case v.IsNull:
		return "nil"
	case v.Value != nil && v.Type == "string":
		return fmt.Sprintf("%q", *v.Value)
	case v.Value != nil:
		return *v.Value
	case v.Fields != nil:
		return short + "{" + v.Fields.join(": ") + "}"
	case v.Elements != nil:
		texts := make([]string, len(v.Elements))
		for i, e := range v.Elements {
			texts[i] = e.String()
		}
		return short + "{" + strings.Join(texts, ", ") + "}"
	case v.NotCapturedReason != "":
		return short + "(" + v.NotCapturedReason + ")"
	default:
		return short + "(" + v.Address + ")"
	}
}
