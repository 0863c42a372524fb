package config

import (
	"fmt"
	"strings"
)

// ReferenceMarkdown is the page about every setting.
func ReferenceMarkdown() []byte {
	var out strings.Builder
	out.WriteString(referenceIntro)
	for _, section := range sections {
		fmt.Fprintf(&out, "\n## %s\n\n%s\n", section.name, section.doc)
		for i := range section.settings {
			s := &section.settings[i]
			e := s.explain(s.key)
			fmt.Fprintf(&out, "\n### `%s`\n\n%s\n\n", e.Key, e.Doc)
			writeFacts(&out, "", e)
			for i, f := range e.Fields {
				if i == 0 {
					out.WriteString("- each object:\n")
				}
				fmt.Fprintf(&out, "  - `%s`: %s\n", f.Key, f.Doc)
				fmt.Fprintf(&out, "    (%s; default `%s`)\n", f.markdownType(), f.Default)
			}
		}
	}
	return []byte(out.String())
}

const referenceIntro = `<!-- Generated from the settings table in comp/config; run "go test ./config -update" in comp. -->

# Configuration reference

vigil reads ` + "`" + DefaultFile + "`" + `, or the file named with ` + "`--config`" + `, then every ` + "`conf.d/*.yaml`" + ` beside it in the
order of their names. A setting takes its value from the strongest of these layers:

| layer | example |
|---|---|
| flag | ` + "`--set log_level=debug`" + `, and what follows ` + "`vigil run --`" + ` |
| environment | ` + "`VIGIL_LOG_LEVEL=debug`" + ` |
| ` + "`conf.d/*.yaml`" + `, the last name first | ` + "`conf.d/50-logs.yaml`" + ` |
| file | ` + "`vigil.yaml`" + ` |
| default | |

- A layer replaces a setting as a whole: lists are not merged.
- Inside an object such as ` + "`logs.endpoint`" + ` each key is a setting of its own.
- A key with nothing after the colon, and an empty environment variable, set nothing.
- Durations and sizes have units: ` + "`5s`, `1h30m`; `5MB` (1000 each), `5MiB` (1024 each)" + `.
- Environment variables are ` + "`VIGIL_`" + ` and the key in upper case with ` + "`_`" + ` for each dot. A list of strings is separated by
  commas, or by spaces where it has no comma, or is a JSON array; a list of objects is a JSON array.
- A mistake in a file, a flag or a ` + "`VIGIL_*`" + ` variable keeps the agent from starting, and ` + "`vigil configcheck`" + ` shows all
  mistakes at once. A mistake in a ` + "`DD_*`" + ` variable, which other software reads too, is a warning.
- Secrets are never printed.

` + "`vigil config explain KEY`" + ` shows what is below, the effective value, and every layer that set it.
`

func writeFacts(out *strings.Builder, indent string, e Explanation) {
	fmt.Fprintf(out, "%s- type: %s\n", indent, e.markdownType())
	fmt.Fprintf(out, "%s- default: `%s`\n", indent, e.Default)
	names := make([]string, len(e.Env))
	for i, n := range e.Env {
		names[i] = "`" + n.Name + "`"
		if n.Rule != "" {
			names[i] += " (" + n.Rule + ")"
		}
		if n.Deprecated {
			names[i] += " (deprecated)"
		}
	}
	fmt.Fprintf(out, "%s- environment: %s\n", indent, strings.Join(names, ", "))
	switch {
	case e.Secret:
		fmt.Fprintf(out, "%s- secret: never printed\n", indent)
	case strings.Contains(e.Example, "\n") || len(e.Fields) > 0:
		fmt.Fprintf(out, "%s- example:\n\n%s  ```yaml\n", indent, indent)
		name := e.Key[strings.LastIndexByte(e.Key, '.')+1:]
		fmt.Fprintf(out, "%s  %s:\n", indent, name)
		for line := range strings.SplitSeq(e.Example, "\n") {
			fmt.Fprintf(out, "%s    %s\n", indent, line)
		}
		fmt.Fprintf(out, "%s  ```\n", indent)
	default:
		fmt.Fprintf(out, "%s- example: `%s`\n", indent, e.Example)
	}
}

// markdownType is the type with what bounds it, the values as code.
func (e Explanation) markdownType() string {
	if len(e.Allowed) > 0 {
		return "`" + strings.Join(e.Allowed, "`, `") + "`"
	}
	return e.typeText()
}
