package heartbeat

// Occupy keeps the owner busy until release is closed.
func Occupy(b *Beat, release <-chan struct{}) {
	b.do(func(*loop) { <-release })
}

// Wanted reports the state the owner works towards.
func Wanted(b *Beat) (wanted bool) {
	b.do(func(l *loop) { wanted = l.wanted })
	return wanted
}

// Jittered exposes the pure rule.
var Jittered = jittered
