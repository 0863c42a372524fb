package config

import "slices"

// sections are the parts of vigil.yaml in the order in which they are written.
// Each is declared in its own settings_<section>.go.
var sections = []section{
	platformSection,
	serverlessSection,
	debuggerSection,
	logsSection,
	intakeSection,
}

// section is one part of the reference.
type section struct {
	// name is the heading, doc one to three sentences.
	name, doc string
	settings  []setting
}

// table is every setting in the order of the sections, byKey the same by key.
var table, byKey = index(sections)

func index(sections []section) ([]*setting, map[string]*setting) {
	var all []*setting
	keys := map[string]*setting{}
	for _, s := range sections {
		for i := range s.settings {
			all = append(all, &s.settings[i])
			keys[s.settings[i].key] = &s.settings[i]
		}
	}
	return all, keys
}

// Keys are the keys of all settings, sorted: what completion offers.
func Keys() []string {
	keys := make([]string, len(table))
	for i, s := range table {
		keys[i] = s.key
	}
	slices.Sort(keys)
	return keys
}
