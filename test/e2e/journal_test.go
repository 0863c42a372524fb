package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/api"
)

// Load of TestJournalSurvivesKills.
const (
	killRounds    = 3
	killLines     = 30_000
	killPerSecond = 4_000
	// killWindow is how long a line may be journalled without its offset being
	// on disk: batch wait, round trip, and the registry's own flush interval,
	// with room for a busy machine.
	killWindow = 4 * time.Second
)

// Every line of the source arrives, byte for byte, while the agent and the
// intake are killed in turn under load. Without a spool, duplicates stay within what
// was not yet acknowledged and recorded at each kill; with one there are none.
func TestJournalSurvivesKills(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spool      string
		duplicates int // allowed
	}{
		"memory": {"", 2 * killRounds * int(killWindow.Seconds()) * killPerSecond},
		"spool":  {"\n  spool: {enabled: true, max_size: 64MB}", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.LessOrEqual(t, killUnderLoad(t, c.spool), c.duplicates)
		})
	}
}

// killUnderLoad returns how many lines the journal has too often.
func killUnderLoad(t *testing.T, spool string) (duplicates int) {
	t.Helper()
	f, address := newFolder(t), freePort(t)
	f.configure(t, fmt.Sprintf(`metrics: {statsd_address: ""}
logs:
  enabled: true
  sources: [{type: file, path: DIR/app.log, start_at: beginning}]
  endpoint: {address: %q, tls: {insecure: true}}
  batch: {max_wait: 200ms}%s
intake: {listen: %q, journal: DIR/journal.ndjson}
`, address, spool, address))
	written := make(chan error, 1)
	go func() { written <- writeLines(f.path("app.log")) }()

	receiver, agent := f.start(t, "intake"), f.run(t)
	for range killRounds {
		time.Sleep(time.Second)
		require.NoError(t, agent.Kill())
		agent = f.run(t)
		time.Sleep(time.Second)
		require.NoError(t, receiver.Kill())
		receiver = f.start(t, "intake")
	}
	require.NoError(t, <-written)

	var journal map[string]int
	require.Eventually(t, func() bool {
		journal = readJournal(t, f.path("journal.ndjson"))
		return len(journal) == killLines
	}, 60*time.Second, 500*time.Millisecond, "the journal does not hold every line")
	status, err := api.NewClient(f.path("vigil.sock")).Get(t.Context(), "/v1/status")
	require.NoError(t, err)
	require.Contains(t, string(status), `"profile":"columns"`, "what both sides know best was negotiated")
	require.NoError(t, agent.Stop(15*time.Second))
	require.NoError(t, receiver.Stop(15*time.Second))

	journal = readJournal(t, f.path("journal.ndjson"))
	for i := range killLines {
		n := journal[line(i)]
		require.Positive(t, n, "line %d is lost", i)
		duplicates += n - 1
	}
	require.Len(t, journal, killLines, "the journal holds lines that nobody wrote")
	t.Logf("%d lines, %d agent kills, %d intake kills: lost 0, duplicated %d", killLines, killRounds, killRounds, duplicates)
	return duplicates
}

// line is the i-th line: text that repeats, numbers that do not, and bytes that
// a careless shipper changes.
func line(i int) string {
	switch i % 4 {
	case 0:
		return fmt.Sprintf("2026-11-20 10:%02d:%02d INFO request id=%d  took=%dms\t\"GET /orders/%d\"\r", i/60%60, i%60, i, i*7%900, i)
	case 1:
		return fmt.Sprintf(`{"level":"warn","seq":%d,"msg":"naïve café ☕ %d","big":12345678901234567890}`, i, i%13)
	case 2:
		return fmt.Sprintf("\x1b[31merror\x1b[0m %d   trailing spaces   ", i)
	default:
		return fmt.Sprintf("conn %d from 10.0.%d.%d:%d closed after 00%d s", i, i%256, i/256%256, 1024+i%60000, i%10)
	}
}

func writeLines(path string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	const burst = killPerSecond / 100
	for i := 0; i < killLines; i += burst {
		for j := i; j < i+burst && j < killLines; j++ {
			if _, err := file.WriteString(line(j) + "\n"); err != nil {
				return err
			}
		}
		time.Sleep(time.Second / 100)
	}
	return nil
}

// readJournal counts the messages.
func readJournal(t *testing.T, path string) map[string]int {
	t.Helper()
	file, err := os.Open(path)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	journal := map[string]int{}
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		var entry struct{ Message string }
		if json.Unmarshal(scanner.Bytes(), &entry) == nil { // the last line may be half written
			journal[entry.Message]++
		}
	}
	return journal
}
