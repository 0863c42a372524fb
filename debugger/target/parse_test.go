package target

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " S 1 1 1 0 -1 4194560 100 0 0 0 1 1 0 0 20 0 5 0 99887 1000 10 18446744073709551615 4194304 5242880 140727 0 0"
	for name, tc := range map[string]struct {
		text string
		want stat
		err  string
	}{
		"plain":         {"12 (shop)" + rest, stat{99887, 140727}, ""},
		"hostile name":  {"12 (a) S 1 (b) )" + rest, stat{99887, 140727}, ""},
		"zombie":        {"12 (shop)" + strings.Replace(rest, " S ", " Z ", 1), stat{}, ErrNoProcess.Error()},
		"kernel thread": {"2 (kthreadd)" + strings.Replace(rest, "4194560", "2129984", 1), stat{}, ErrKernelThread.Error()},
		"short":         {"12 (shop) S 1", stat{}, `read the start time: 2 fields in "12 (shop) S 1"`},
		"empty":         {"", stat{}, `read the start time: 0 fields in ""`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parseStat([]byte(tc.text))
			if tc.err != "" {
				require.EqualError(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestLoadBiasFromMaps(t *testing.T) {
	t.Parallel()
	const maps = `55d0c8a00000-55d0c8a02000 r--p 00000000 fd:00 12                         /usr/bin/tea shop
55d0c8a02000-55d0c8b50000 r-xp 00002000 fd:00 12                         /usr/bin/tea shop
7f0000000000-7f0000001000 r-xp 00002000 fd:00 13                         /usr/lib/libc.so.6
7f1000000000-7f1000001000 r-xp 00000000 00:00 0
7ffd00000000-7ffd00001000 r-xp 00000000 00:00 0                          [vdso]
`
	linked := func(off uint64) (uint64, bool) { return off + 0x1000, off == 0x2000 }
	bias, ok := loadBias([]byte(maps), "/usr/bin/tea shop", linked)
	require.True(t, ok)
	require.Equal(t, uint64(0x55d0c8a02000-0x3000), bias)
	_, ok = loadBias([]byte(maps), "/usr/bin/tea", linked)
	require.False(t, ok)
	bias, ok = loadBias([]byte("400000-401000 r-xp 00002000 00:00 1 /a\\012b (deleted)\nxyz"), "/a\nb (deleted)", linked)
	require.True(t, ok)
	require.Equal(t, uint64(0x400000-0x3000), bias)
}

func FuzzLoadBias(f *testing.F) {
	f.Add([]byte("400000-401000 r-xp 00002000 00:00 1 /a"), []byte("12 (shop) S 1"))
	f.Add([]byte("zz r-xp q w e /a\n x"), []byte(")"))
	f.Fuzz(func(_ *testing.T, maps, stat []byte) {
		loadBias(maps, "/a", func(off uint64) (uint64, bool) { return off, true })
		_, _ = parseStat(stat)
		_, _ = lookup(stat, "DD_SERVICE")
	})
}

func TestLookup(t *testing.T) {
	t.Parallel()
	env := []byte("A=1\x00XDD_SERVICE=no\x00DD_SERVICE=tea=green\x00DD_SERVICE=second")
	v, ok := lookup(env, "DD_SERVICE")
	require.True(t, ok)
	require.Equal(t, "tea=green", v)
	_, ok = lookup([]byte("DD_SERVICE=\x00"), "DD_SERVICE")
	require.False(t, ok)
}

func TestSelectorMatch(t *testing.T) {
	t.Parallel()
	p := Process{ID: ID{PID: 7}, Exe: "/srv/tea/shop (deleted)", Service: "tea", named: true}
	unnamed := Process{ID: ID{PID: 7}, Exe: "/srv/tea/shop", Service: "shop"}
	for _, tc := range []struct {
		s       Selector
		p       Process
		service string // empty: no match
	}{
		{Selector{PID: 7}, p, "tea"},
		{Selector{PID: 8}, p, ""},
		{Selector{PID: 7, Service: "x"}, p, "x"},
		{Selector{Exe: "/srv/*/shop"}, p, "tea"},
		{Selector{Exe: "shop"}, p, "tea"},
		{Selector{Exe: "sh*"}, unnamed, "shop"},
		{Selector{Exe: "/srv/*"}, p, ""},
		{Selector{Exe: "/srv/*/shop", PID: 8}, p, ""},
		{Selector{Exe: "/srv/*/shop", Service: "x"}, p, "x"},
		{Selector{Service: "tea"}, p, "tea"},
		{Selector{Service: "coffee"}, p, ""},
		{Selector{Service: "shop"}, unnamed, ""},
	} {
		got, ok := tc.s.match(tc.p)
		require.Equal(t, tc.service != "", ok, tc.s)
		if ok {
			require.Equal(t, tc.service, got.Service, tc.s)
		}
	}
}

func TestSelectorValidate(t *testing.T) {
	t.Parallel()
	require.NoError(t, Selector{Exe: "/srv/*/shop"}.Validate())
	require.EqualError(t, Selector{}.Validate(), "names no process: set pid, exe or service")
	require.EqualError(t, Selector{PID: -3}.Validate(), "pid: must be a process id, not -3")
	require.EqualError(t, Selector{Exe: "/srv/["}.Validate(), `exe: "/srv/[" is not a glob pattern: close the bracket or escape it with a backslash`)
	require.Equal(t, "pid=3 exe=a service=b", Selector{3, "a", "b"}.String())
}
