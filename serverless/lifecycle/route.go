package lifecycle

// Paths of the hooks. The beta spelling, and "launch" for run, are what images
// built before general availability call (specification sections 2.1 and 6).
const (
	BasePath   = "/aws/lambda-microvms/runtime/v1/"
	betaPath   = "/aws/lambda-microvms/runtime/beta/v1/"
	betaLaunch = "launch"
)

var routes = routeTable()

func routeTable() map[string]Hook {
	table := make(map[string]Hook)
	for _, base := range []string{BasePath, betaPath} {
		for h := range Hook(NumHooks) {
			table[base+h.String()] = h
		}
		table[base+betaLaunch] = Run
	}
	return table
}

// Route finds the hook of an escaped request path. There is no cleaning: a
// trailing slash, a doubled slash or an escaped letter is another path.
func Route(path string) (Hook, bool) {
	h, ok := routes[path]
	return h, ok
}
