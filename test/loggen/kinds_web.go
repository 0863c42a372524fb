package loggen

// nginxKind is an access log of a shop's front.
func nginxKind() kind {
	return kind{
		gaps: exponential(8),
		fields: map[string]field{
			"ip":      pool(3000, 1.1, address("", 4)),
			"time":    clock("02/Jan/2006:15:04:05 -0700"),
			"bytes":   integer(180, lognormal(3000, 1.2, 60000), 1),
			"seconds": integer(0, zipf(30, 3), 1),
			"micros":  digits(3),
			"id":      uniform(100000, 900000),
			"page":    integer(1, zipf(40, 1.4), 1),
			"word":    pick(1, "lamp", "desk", "chair", "shelf", "rug", "mirror", "sofa", "stool", "bench", "curtain", "drawer", "cushion"),
			"asset":   pick(0.8, "app.js", "app.css", "logo.svg", "font.woff2", "hero.webp", "vendor.js", "cart.svg", "favicon.ico"),
			"hash":    pool(30, 0.5, hexadecimal(8)),
			"agent": pick(1.1,
				"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
				"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
				"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:129.0) Gecko/20100101 Firefox/129.0",
				"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
				"shop-mobile/7.14.2 (android; sdk 34)", "shop-mobile/7.13.0 (ios; 17.4)", "curl/8.8.0", "kube-probe/1.30", "Go-http-client/2.0",
				"Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example.org/about)"),
			"refused": pick(1, "401", "403", "429", "400"),
			"broken":  pick(1, "502", "504", "500", "503"),
			"moved":   pick(1, "301", "302", "308"),
		},
		parts: map[string]part{
			"get": {0.7, []string{
				"/product/{id}", "/static/{asset}?v={hash}", "/", "/category/{word}?page={page}", "/api/cart", "/api/stock/{id}",
				"/search?q={word}", "/api/v2/prices?ids={id},{id},{id}", "/healthz", "/account/orders/{id}",
			}},
			"referer": {1, []string{"-", "https://shop.example.com/", "https://shop.example.com/category/{word}", "https://www.example.org/search?q={word}"}},
		},
		flows: []flow{
			{820, []entry{{"info", `{ip} - - [{time}] "GET {get} HTTP/1.1" 200 {bytes} "{referer}" "{agent}" rt={seconds}.{micros}`}}},
			{60, []entry{{"info", `{ip} - - [{time}] "GET {get} HTTP/2.0" 304 0 "{referer}" "{agent}" rt=0.{micros}`}}},
			{60, []entry{
				{"info", `{ip} - - [{time}] "POST /api/cart HTTP/2.0" 201 {bytes} "https://shop.example.com/product/{id}" "{agent}" rt=0.{micros}`},
				{"info", `{=ip} - - [{time}] "GET /api/cart HTTP/2.0" 200 {bytes} "https://shop.example.com/product/{=id}" "{=agent}" rt=0.{micros}`},
			}},
			{20, []entry{{"info", `{ip} - - [{time}] "GET /old/{word} HTTP/1.1" {moved} 162 "-" "{agent}" rt=0.000`}}},
			{30, []entry{{"warn", `{ip} - - [{time}] "GET {get} HTTP/1.1" {refused} {bytes} "-" "{agent}" rt=0.{micros}`}}},
			{10, []entry{{"error", `{ip} - - [{time}] "POST /api/checkout HTTP/2.0" {broken} 157 "https://shop.example.com/cart" "{agent}" rt={seconds}.{micros}`}}},
		},
	}
}

// jsonKind is a Go service that logs with slog's JSON handler.
func jsonKind() kind {
	return kind{
		gaps: exponential(5), micro: true,
		fields: map[string]field{
			"time":    clock("2006-01-02T15:04:05.000000Z"),
			"trace":   hexadecimal(32),
			"span":    hexadecimal(16),
			"user":    integer(1000, zipf(20000, 0.9), 1),
			"id":      uniform(100000, 900000),
			"ms":      integer(0, lognormal(9, 1, 3000), 1),
			"micros":  digits(3),
			"size":    integer(40, lognormal(900, 1, 30000), 1),
			"rows":    integer(0, lognormal(12, 1.1, 900), 1),
			"line":    pick(0.6, "118", "87", "203", "64"),
			"table":   pick(0.8, "orders", "customers", "stock", "prices", "carts", "sessions"),
			"method":  pick(1.5, "GET", "POST", "PUT", "DELETE"),
			"status":  pick(2.2, "200", "201", "204", "404", "400", "409"),
			"cents":   integer(99, lognormal(2500, 0.9, 60000), 1),
			"pay":     pick(1, "card", "wallet", "invoice", "voucher"),
			"attempt": integer(1, zipf(5, 1.5), 1),
			"host":    pick(0.3, "stock-0", "stock-1", "stock-2", "stock-3"),
			"hit":     pick(1.5, "true", "false"),
		},
		parts: map[string]part{
			"path": {0.8, []string{"/v1/orders/{id}", "/v1/customers/{user}", "/v1/stock/{id}", "/v1/orders", "/v1/prices?sku={id}", "/healthz"}},
		},
		flows: []flow{
			{700, []entry{{"info", `{{"time":"{time}","level":"INFO","msg":"request done","method":"{method}","path":"{path}","status":{status},"bytes":{size},"took_ms":{ms}.{micros},"user":{user},"trace_id":"{trace}"}`}}},
			{120, []entry{
				{"info", `{{"time":"{time}","level":"INFO","msg":"order placed","order":{id},"user":{user},"cents":{cents},"pay":"{pay}","trace_id":"{trace}","span_id":"{span}"}`},
				{"info", `{{"time":"{time}","level":"INFO","msg":"stock reserved","order":{=id},"host":"{host}","took_ms":{ms}.{micros},"trace_id":"{=trace}","span_id":"{span}"}`},
			}},
			{150, []entry{{"debug", `{{"time":"{time}","level":"DEBUG","source":{{"function":"main.(*store).query","file":"/src/store/query.go","line":{line}},"msg":"query","table":"{table}","rows":{rows},"cached":{hit},"took_ms":{ms}.{micros}}`}}},
			{40, []entry{{"warn", `{{"time":"{time}","level":"WARN","msg":"slow call, trying again","host":"{host}","attempt":{attempt},"took_ms":{ms}.{micros},"trace_id":"{trace}"}`}}},
			{10, []entry{{"error", `{{"time":"{time}","level":"ERROR","msg":"payment refused","order":{id},"user":{user},"err":"gateway answered \"card declined\" (code {attempt}0{attempt})","trace_id":"{trace}"}`}}},
		},
	}
}

// apiKind names everything by UUIDs: hardly anything can be learnt from one line
// for the next.
func apiKind() kind {
	return kind{
		gaps: exponential(4),
		fields: map[string]field{
			"time":    clock("2006-01-02T15:04:05.000Z07:00"),
			"request": uuid, "account": uuid, "item": uuid,
			"tenant": pool(40, 1, uuid),
			"status": pick(2, "200", "201", "404", "204", "422"),
			"ms":     integer(1, lognormal(14, 0.9, 2000), 1),
			"noun":   pick(0.5, "documents", "folders", "invites", "comments"),
			"etag":   hexadecimal(32),
		},
		flows: []flow{
			{70, []entry{{"info", "{time} INFO  [{request}] tenant={tenant} GET /v3/accounts/{account}/{noun}/{item} {status} {ms}ms"}}},
			{20, []entry{
				{"info", "{time} INFO  [{request}] tenant={tenant} PUT /v3/accounts/{account}/{noun}/{item} 200 {ms}ms etag={etag}"},
				{"debug", "{time} DEBUG [{=request}] published change of {=item} as {etag}"},
			}},
			{8, []entry{{"warn", "{time} WARN  [{request}] tenant={tenant} account {account} is over its quota of {noun}"}}},
			{2, []entry{{"error", "{time} ERROR [{request}] tenant={tenant} no replica of {item} answered within {ms}ms"}}},
		},
	}
}
