package config

import "strings"

// Example is a vigil.yaml with every setting at its default, each under its
// manual.
func Example() []byte {
	var out strings.Builder
	out.WriteString(wrap("Every setting of vigil, each at its default. Keep the lines you change and drop the rest. "+
		"`vigil config explain KEY` says more about a setting, `vigil configcheck` checks the file.", "# ", 100))
	for _, section := range sections {
		out.WriteString("\n" + wrap(strings.ToUpper(section.name)+". "+section.doc, "# ", 100))
		settings := make([]*setting, len(section.settings))
		for i := range section.settings {
			settings[i] = &section.settings[i]
		}
		out.WriteString(outline(settings, func(out *strings.Builder, indent string, s *setting) {
			out.WriteString(wrap(s.doc, indent+"# ", 100))
			if note := s.exampleNote(); note != "" {
				out.WriteString(indent + "# " + note + "\n")
			}
			if s.kind == kindObjects || s.kind == kindJSON {
				out.WriteString(indent + "# " + s.name() + ":\n")
				for line := range strings.SplitSeq(s.example, "\n") {
					out.WriteString(indent + "#   " + line + "\n")
				}
			}
			out.WriteString(indent + s.name() + ":" + s.blockYAML(s.defaultValue(), indent, ""))
		}))
	}
	return []byte(out.String())
}

// exampleNote is the allowed values in one line.
func (s *setting) exampleNote() string {
	switch {
	case s.kind == kindEnum:
		return "Allowed: " + strings.Join(s.values, ", ") + "."
	case s.bounded():
		return "Allowed: " + s.formatRange() + "."
	default:
		return ""
	}
}
