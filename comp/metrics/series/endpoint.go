package series

// Endpoint is where a payload goes and what it may be at most (Datadog API
// reference, "Submit metrics" and "Submit distribution points").
type Endpoint struct {
	// Path follows the base URL.
	Path string
	// Encoding is the value of the Content-Encoding header. Both are ones that
	// the API documents for the endpoint: it names none but deflate for
	// distribution points.
	Encoding string
	// MaxBody and MaxRaw are the limits in bytes of a body with and without
	// compression.
	MaxBody, MaxRaw int
}

// Endpoints.
var (
	Series        = Endpoint{Path: "/api/v2/series", Encoding: "zstd", MaxBody: 500 << 10, MaxRaw: 5 << 20}
	Distributions = Endpoint{Path: "/api/v1/distribution_points", Encoding: "deflate", MaxBody: 3_200_000, MaxRaw: 3_200_000}
)
