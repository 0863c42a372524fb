package snapshot

import _ "embed"

//go:embed schema.json
var schema string

// Schema is the JSON Schema (2020-12) of the envelope that AppendJSON writes.
func Schema() []byte { return []byte(schema) }
