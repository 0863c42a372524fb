package loggen

// blocksKind is a node of a block store: long ids, which come up in several lines
// each.
func blocksKind() kind {
	return kind{
		gaps: exponential(6),
		fields: map[string]field{
			"time":   clock("060102 150405.000"),
			"block":  signed,
			"known":  pool(2000, 0.4, signed),
			"thread": integer(20, zipf(120, 0.4), 1),
			"from":   pool(48, 0.3, address("10.21.", 2)),
			"to":     pool(48, 0.3, address("10.21.", 2)),
			"port":   uniform(30000, 30000),
			"bytes":  pick(2, "134217728", "67108864", "3549"),
			"odd":    uniform(1, 134217727),
			"ms":     integer(2, lognormal(240, 0.7, 6000), 1),
			"rack":   integer(1, zipf(12, 0.2), 2),
		},
		flows: []flow{
			{40, []entry{
				{"info", "{time} {thread} INFO store.Receiver: accepting block b{block} from {from}:{port} for {to}:9866"},
				{"info", "{time} {=thread} INFO store.Pipeline: block b{=block} forwarded to {to}:9866 and acknowledged"},
				{"info", "{time} {=thread} INFO store.Receiver: stored block b{=block} of {bytes} bytes from /{=from} in {ms} ms"},
			}},
			{25, []entry{{"info", "{time} {thread} INFO store.Sender: served block b{known} to /{to}:{port}, offset 0, {odd} bytes"}}},
			{20, []entry{{"info", "{time} {thread} INFO names.Index: block b{known} has a replica on rack-{rack}/{to}:9866 size {odd}"}}},
			{12, []entry{{"debug", "{time} {thread} DEBUG store.Scanner: verified b{known}"}}},
			{1, []entry{{"error", "{time} {thread} ERROR store.Scanner: checksum of block b{known} differs at offset {odd}, asking {from}:9866 for a copy"}}},
			{3, []entry{{"warn", "{time} {thread} WARN store.Sender: got an exception while serving b{known} to /{to}: connection reset by peer"}}},
		},
	}
}

// javaKind is an application server, with stack traces of many lines.
func javaKind() kind {
	return kind{
		gaps: exponential(15),
		fields: map[string]field{
			"time":   clock("2006-01-02 15:04:05,000"),
			"thread": integer(1, zipf(64, 0.4), 1),
			"id":     uniform(100000, 900000),
			"user":   integer(1, zipf(5000, 0.9), 1),
			"class":  pick(0.5, "OrderService", "StockService", "PriceService", "MailService", "LedgerService"),
			"ms":     integer(1, lognormal(30, 1, 5000), 1),
			"line":   integer(40, zipf(30, 1), 1),
			"line2":  integer(12, zipf(8, 1), 1),
			"heap":   integer(400, lognormal(900, 0.3, 3000), 1),
			"pause":  integer(2, lognormal(14, 0.6, 300), 1),
			"gc":     counter(812, weights(0, 1)),
			"query":  pick(0.8, "select * from orders where id = ?", "update stock set free = free - ? where sku = ?", "insert into ledger (account, cents) values (?, ?)"),
			"cause":  pick(0.7, "Connection timed out (Connection timed out)", "Lock wait timeout exceeded; try restarting transaction", "Broken pipe (Write failed)"),
		},
		flows: []flow{
			{60, []entry{{"info", "{time} INFO  [http-{thread}] com.example.shop.{class} - order {id} of user {user} handled in {ms} ms"}}},
			{25, []entry{{"debug", "{time} DEBUG [http-{thread}] com.example.shop.db.Template - {query} [{id}, {user}] took {ms} ms"}}},
			{8, []entry{{"info", "{time} INFO  [gc] com.example.shop.Metrics - GC({gc}) pause {pause} ms, heap {heap}M of 4096M"}}},
			{4, []entry{{"warn", "{time} WARN  [http-{thread}] com.example.shop.{class} - order {id} waits for a connection since {ms} ms"}}},
			{3, []entry{{"error", "{time} ERROR [http-{thread}] com.example.shop.{class} - order {id} of user {user} failed\n" +
				"com.example.shop.OrderException: order {=id} failed\n" +
				"\tat com.example.shop.{=class}.handle({=class}.java:{line})\n" +
				"\tat com.example.shop.web.Dispatcher.dispatch(Dispatcher.java:118)\n" +
				"\tat com.example.shop.web.Dispatcher.lambda$start$0(Dispatcher.java:61)\n" +
				"\tat java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1144)\n" +
				"\tat java.base/java.lang.Thread.run(Thread.java:1583)\n" +
				"Caused by: java.sql.SQLException: {cause}\n" +
				"\tat com.example.shop.db.Template.run(Template.java:{line2})\n" +
				"\t... 5 more"}}},
		},
	}
}

// logfmtKind is a time-series store that writes key=value pairs.
func logfmtKind() kind {
	return kind{
		gaps: exponential(10),
		fields: map[string]field{
			"time":    clock("2006-01-02T15:04:05.000Z"),
			"tenant":  pool(30, 1, suffix(8)),
			"ulid":    pool(400, 0.3, suffix(16)),
			"fresh":   suffix(16),
			"took":    integer(0, lognormal(8, 1.1, 900), 1),
			"micros":  digits(3),
			"series":  integer(1000, lognormal(40000, 0.8, 400000), 1),
			"percent": integer(0, weights(5, 3, 2, 1, 1, 1, 1, 1, 2, 3, 5), 1),
			"shard":   integer(0, zipf(16, 0.1), 1),
			"mint":    counter(1_790_000_000_000, zipf(7200, 0.2)),
			"table":   pick(0.6, "index", "chunks", "tombstones"),
			"caller":  pick(0.6, "compact.go:519", "head.go:843", "wal.go:214", "query.go:77", "ring.go:302"),
		},
		flows: []flow{
			{60, []entry{{"info", `ts={time} caller={caller} level=info tenant={tenant} msg="query done" shard={shard} series={series} took={took}.{micros}ms cache_hit=0.{percent}`}}},
			{20, []entry{
				{"info", `ts={time} caller=compact.go:519 level=info component=tsdb msg="compact blocks" count=3 mint={mint} ulid={fresh} sources="[{ulid} {ulid} {ulid}]" duration={took}.{micros}s`},
				{"info", `ts={time} caller=head.go:843 level=info component=tsdb msg="head GC completed" caller_block={=fresh} duration={took}.{micros}ms`},
			}},
			{15, []entry{{"debug", `ts={time} caller={caller} level=debug msg="flush" tenant={tenant} table={table} block={ulid} series={series}`}}},
			{4, []entry{{"warn", `ts={time} caller=ring.go:302 level=warn msg="instance is unhealthy" instance=ingester-{shard} last_seen={took}m{percent}s`}}},
			{1, []entry{{"error", `ts={time} caller=wal.go:214 level=error tenant={tenant} msg="append failed" err="out of order sample: series {series}, block {ulid}"`}}},
		},
	}
}

// unicodeKind is a chat server whose users write in many scripts.
func unicodeKind() kind {
	return kind{
		gaps: exponential(20),
		fields: map[string]field{
			"time": clock("2006-01-02 15:04:05.000"),
			"name": pick(0.6, "Анна", "李雷", "Zoë", "فاطمة", "Jürgen", "さくら", "Łukasz", "Ελένη", "דוד", "Nguyễn", "Siobhán", "अर्जुन"),
			"room": pick(0.8, "#général", "#поддержка", "#雑談", "#café ☕", "#ops"),
			"text": pick(0.5, "спасибо! 👍", "おはようございます", "¿qué tal?", "好的，明天见", "smart “quotes” — and dashes…", "👩‍🚀🚀 done", "e\u0301 is not \u00e9", "مرحبا", "naïve façade", "ok"),
			"id":   uniform(1, 1_000_000),
			"size": integer(1, lognormal(300, 1, 9000), 1),
			"unit": pick(0.4, "КиБ", "µs", "°C"),
		},
		flows: []flow{
			{70, []entry{{"info", "{time} │ {name} → {room}: {text} (№ {id})"}}},
			{20, []entry{{"info", "{time} │ {name} × {room}: файл «отчёт-{id}.pdf», {size} {unit}"}}},
			{8, []entry{{"warn", "{time} │ ⚠ {name}: zu viele Nachrichten in {room} ({size} {unit})"}}},
			{2, []entry{{"error", "{time} │ ✗ {name}: 送信に失敗しました: {text} [№ {id}]"}}},
		},
	}
}
