package lifecycle

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/serverless/microvm"
)

func TestRoutes(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]Hook{
		"/aws/lambda-microvms/runtime/v1/ready":          Ready,
		"/aws/lambda-microvms/runtime/v1/validate":       Validate,
		"/aws/lambda-microvms/runtime/v1/run":            Run,
		"/aws/lambda-microvms/runtime/v1/launch":         Run,
		"/aws/lambda-microvms/runtime/v1/resume":         Resume,
		"/aws/lambda-microvms/runtime/v1/suspend":        Suspend,
		"/aws/lambda-microvms/runtime/v1/terminate":      Terminate,
		"/aws/lambda-microvms/runtime/beta/v1/ready":     Ready,
		"/aws/lambda-microvms/runtime/beta/v1/validate":  Validate,
		"/aws/lambda-microvms/runtime/beta/v1/run":       Run,
		"/aws/lambda-microvms/runtime/beta/v1/launch":    Run,
		"/aws/lambda-microvms/runtime/beta/v1/resume":    Resume,
		"/aws/lambda-microvms/runtime/beta/v1/suspend":   Suspend,
		"/aws/lambda-microvms/runtime/beta/v1/terminate": Terminate,
	}, routes)
}

func TestApportion(t *testing.T) {
	t.Parallel()
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	tests := map[string]struct {
		total, forward time.Duration
		flushes        bool
		want           shares
	}{
		"default, flushing": {ms(4500), ms(1000), true, shares{total: ms(4500), work: ms(4300), stop: ms(450), drain: ms(900), forward: ms(1000)}},
		"default, quick":    {ms(4500), ms(1000), false, shares{total: ms(4500), work: ms(4300), stop: ms(450), drain: ms(900), forward: ms(1000)}},
		"smallest":          {ms(500), ms(1000), true, shares{total: ms(500), work: ms(300), stop: ms(50), drain: ms(100), forward: ms(75)}},
		"greedy forward":    {ms(4500), time.Minute, true, shares{total: ms(4500), work: ms(4300), stop: ms(450), drain: ms(900), forward: ms(1475)}},
		"build hook":        {ms(30000), ms(30000), false, shares{total: ms(30000), work: ms(29800), stop: ms(3000), drain: ms(6000), forward: ms(29800)}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, apportion(tt.total, tt.forward, tt.flushes))
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		total := time.Duration(rapid.Int64Range(int64(10*time.Millisecond), int64(time.Hour)).Draw(t, "total"))
		forward := time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "forward"))
		s := apportion(total, forward, true)
		require.Positive(t, s.forward)
		flush := s.work - s.stop - s.forward - s.drain
		require.GreaterOrEqual(t, flush, s.forward, "the flush never gets less than the app")
		require.GreaterOrEqual(t, s.total-s.work, min(answerReserve, total/2))
	})
}

func TestCase11To15RunBodies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		body, id string
		changed  bool
	}{
		"empty":                   {"", "", false},
		"object":                  {"{}", "", false},
		"null":                    {"null", "", false},
		"array":                   {"[]", "", false},
		"string":                  {`"vm"`, "", false},
		"number as id":            {`{"microvmId":5}`, "", false},
		"null as id":              {`{"microvmId":null}`, "", false},
		"empty id":                {`{"microvmId":""}`, "", false},
		"blank id":                {`{"microvmId":"  "}`, "", true},
		"placeholder":             {`{"microvmId":"unknown"}`, "", true},
		"invalid JSON":            {`{"microvmId":"vm-1"`, "", false},
		"two values":              {`{"microvmId":"vm-1"}{}`, "", false},
		"current spelling":        {`{"runHookPayload":"x","microvmId":"vm-1"}`, "vm-1", false},
		"beta spelling":           {`{"microVmId":"vm-1"}`, "vm-1", false},
		"another spelling":        {`{"MICROVMID":"vm-1"}`, "", false},
		"both, beta last":         {`{"microvmId":"ga","microVmId":"beta"}`, "ga", false},
		"both, beta first":        {`{"microVmId":"beta","microvmId":"ga"}`, "ga", false},
		"current unusable":        {`{"microvmId":7,"microVmId":"beta"}`, "beta", false},
		"separators":              {`{"microvmId":"a,b|c\nd:e"}`, "a_b_c_d_e", true},
		"not UTF-8":               {"{\"microvmId\":\"a\xffb\"}", "a_b", true},
		"escaped lone surrogate":  {`{"microvmId":"a\ud800b"}`, "a_b", true},
		"one kilobyte":            {`{"microvmId":"` + strings.Repeat("x", 1024) + `"}`, strings.Repeat("x", microvm.MaxIDBytes-17) + "-49abd65bbf7f7e40", true},
		"payload that looks like": {`{"runHookPayload":"{\"microvmId\":\"inner\"}"}`, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, changed := ParseRun([]byte(tt.body))
			require.Equal(t, tt.id, id)
			require.Equal(t, tt.changed, changed)
		})
	}
}

func FuzzParseRun(f *testing.F) {
	for _, seed := range []string{"", "{}", "null", "[]", `{"microvmId":"vm-1"}`, `{"microVmId":"\ud800,|"}`, "{\"microvmId\":\"\xff\"}", `{"microvmId":{"a":[1]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		id, _ := ParseRun(body)
		require.LessOrEqual(t, len(id), microvm.MaxIDBytes)
		require.True(t, utf8.ValidString(id))
		require.False(t, strings.ContainsAny(id, ",|:# \t\r\n"))
		require.False(t, strings.EqualFold(id, microvm.Unknown))
	})
}

func FuzzRoute(f *testing.F) {
	for _, seed := range []string{"/", BasePath + "run", BasePath + "run/", betaPath + "launch", "//aws/lambda-microvms/runtime/v1/run"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		h, ok := Route(path)
		if !ok {
			return
		}
		require.Less(t, int(h), NumHooks)
		require.True(t, path == BasePath+h.String() || path == betaPath+h.String() || strings.HasSuffix(path, "/launch"))
	})
}

func TestSpend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSpend(time.Now())
		time.Sleep(1500 * time.Microsecond)
		s.mark("body")
		s.mark("state")
		time.Sleep(2 * time.Second)
		s.mark("flush")
		require.Equal(t, "body;dur=1.500, state;dur=0.000, flush;dur=2000.000, total;dur=2001.500, budget;dur=4500.000",
			s.close(4500*time.Millisecond))
	})
}

func TestGateLeavesAtMostOneBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls sync.WaitGroup
		g := newGate(&calls)
		hold := make(chan struct{})
		entered := 0
		stuck := func(context.Context) error { entered++; <-hold; return nil }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 10 {
			require.ErrorIs(t, g.begin(ctx, stuck)(ctx), errLate)
		}
		synctest.Wait()
		require.Equal(t, 1, entered)
		close(hold)
		calls.Wait()

		boom := errors.New("boom")
		require.ErrorIs(t, g.begin(t.Context(), func(context.Context) error { return boom })(t.Context()), boom)
		require.EqualError(t, g.begin(t.Context(), func(context.Context) error { panic("x") })(t.Context()), "panicked: x")
	})
}

func TestGateCallOutlivesItsCallerUntilTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls sync.WaitGroup
		g := newGate(&calls)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		ended := make(chan error, 1)
		wait := g.begin(ctx, func(ctx context.Context) error {
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		})
		cancel()
		require.ErrorIs(t, wait(ctx), errLate)
		begin := time.Now()
		require.ErrorIs(t, <-ended, context.DeadlineExceeded)
		require.Equal(t, time.Minute, time.Since(begin))
		calls.Wait()
	})
}
