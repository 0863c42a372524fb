package loggen

// kinds are made anew for each generator: pools and counters are its own.
var kinds = map[string]func() kind{
	"api":     apiKind,
	"blocks":  blocksKind,
	"java":    javaKind,
	"json":    jsonKind,
	"k8s":     k8sKind,
	"logfmt":  logfmtKind,
	"nginx":   nginxKind,
	"sshd":    sshdKind,
	"unicode": unicodeKind,
	"windows": windowsKind,
}
