package simulate

import (
	"embed"
	"fmt"
	"path"
	"strings"
	"sync"
)

//go:embed scenarios/*.scenario
var scenarioFiles embed.FS

// Extension is that of scenario files.
const Extension = ".scenario"

// BuiltIn are the scenarios that come with the simulator, in the order of a
// machine's life, which is that of the numbers their files begin with. Together they cover every row of specification section 2.5. The scenarios are
// shared; callers must not change them.
var BuiltIn = sync.OnceValue(func() []*Scenario {
	entries, err := scenarioFiles.ReadDir("scenarios")
	if err != nil {
		panic(err) // the directory is part of the program
	}
	all := make([]*Scenario, len(entries))
	for i, entry := range entries {
		text, err := scenarioFiles.ReadFile(path.Join("scenarios", entry.Name()))
		if err != nil {
			panic(err) // as above
		}
		_, name, _ := strings.Cut(strings.TrimSuffix(entry.Name(), Extension), "-")
		if all[i], err = Parse(name, text); err != nil {
			panic(fmt.Sprintf("built-in scenario: %v", err)) // held by TestBuiltInScenarios
		}
	}
	return all
})

// Find returns the built-in scenario of that name.
func Find(name string) (*Scenario, error) {
	names := make([]string, 0, len(BuiltIn()))
	for _, s := range BuiltIn() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return nil, fmt.Errorf("no built-in scenario is named %q%s", name, didYouMean(name, names))
}
