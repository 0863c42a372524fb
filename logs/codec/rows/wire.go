package rows

import "google.golang.org/protobuf/encoding/protowire"

// Field keys of the schema: field number and wire type, one byte each.
const (
	keyDatum = 1<<3 | 2 // DatumSequence.data

	keyPatternDefine = 1<<3 | 2 // Datum
	keyPatternDelete = 2<<3 | 2
	keyDictDefine    = 3<<3 | 2
	keyDictDelete    = 4<<3 | 2
	keySync          = 5<<3 | 2
	keyLog           = 6<<3 | 2

	keyID    = 1 << 3   // DictEntryDefine, DictEntryDelete, PatternDefine, PatternDelete
	keyValue = 2<<3 | 2 // DictEntryDefine

	keyTemplate   = 2<<3 | 2 // PatternDefine
	keyParamCount = 3 << 3
	keyPosList    = 4<<3 | 2
	keyPos        = 4 << 3 // the unpacked form

	keyTimestamp  = 1 << 3 // Log
	keyStructured = 2<<3 | 2
	keyRaw        = 3<<3 | 2
	keyTags       = 4<<3 | 2
	keyUUID       = 5<<3 | 2
	keyStatus     = 6<<3 | 2

	keyPatternID      = 1 << 3 // StructuredLog
	keyDynamicValues  = 2<<3 | 2
	keyJSONContext    = 3<<3 | 2
	keyJSONMessageKey = 4<<3 | 2
	keyJSONSchemaID   = 5 << 3
	keyJSONValues     = 6<<3 | 2

	keyInt    = 1 << 3 // DynamicValue
	keyFloat  = 2<<3 | 1
	keyString = 3<<3 | 2
	keyDict   = 4 << 3

	keyTagset = 1<<3 | 2 // TagSet

	keySyncTimestamp = 1 << 3 // DeltaEncodingSync
	keySyncPattern   = 2 << 3
	keySyncTags      = 3<<3 | 2
)

// fieldSize is the size of a length-delimited field with n bytes in it.
func fieldSize(n int) int { return 1 + protowire.SizeBytes(n) }

// varintSize is the size of a varint field.
func varintSize(v uint64) int { return 1 + protowire.SizeVarint(v) }

func appendVarint(b []byte, key byte, v uint64) []byte {
	return protowire.AppendVarint(append(b, key), v)
}

// appendHead opens a length-delimited field of n bytes.
func appendHead(b []byte, key byte, n int) []byte {
	return protowire.AppendVarint(append(b, key), uint64(n))
}

func appendField[T string | []byte](b []byte, key byte, v T) []byte {
	return append(appendHead(b, key, len(v)), v...)
}

// appendPatternDefine appends a whole datum.
func appendPatternDefine(b []byte, id uint64, template []byte, pos []uint32) []byte {
	packed := 0
	for _, p := range pos {
		packed += protowire.SizeVarint(uint64(p))
	}
	n := varintSize(id)
	if len(template) > 0 {
		n += fieldSize(len(template))
	}
	if len(pos) > 0 {
		n += varintSize(uint64(len(pos))) + fieldSize(packed)
	}
	b = appendHead(b, keyDatum, fieldSize(n))
	b = appendHead(b, keyPatternDefine, n)
	b = appendVarint(b, keyID, id)
	if len(template) > 0 {
		b = appendField(b, keyTemplate, template)
	}
	if len(pos) > 0 {
		b = appendVarint(b, keyParamCount, uint64(len(pos)))
		b = appendHead(b, keyPosList, packed)
		for _, p := range pos {
			b = protowire.AppendVarint(b, uint64(p))
		}
	}
	return b
}

// appendDictDefine appends a whole datum.
func appendDictDefine[T string | []byte](b []byte, id uint64, value T) []byte {
	n := varintSize(id)
	if len(value) > 0 {
		n += fieldSize(len(value))
	}
	b = appendHead(b, keyDatum, fieldSize(n))
	b = appendHead(b, keyDictDefine, n)
	b = appendVarint(b, keyID, id)
	if len(value) > 0 {
		b = appendField(b, keyValue, value)
	}
	return b
}

// appendDelete appends a whole datum that forgets an id; key is keyPatternDelete
// or keyDictDelete.
func appendDelete(b []byte, key byte, id uint64) []byte {
	n := varintSize(id)
	b = appendHead(b, keyDatum, fieldSize(n))
	b = appendHead(b, key, n)
	return appendVarint(b, keyID, id)
}

// EntryBytes is what every entry of the state weighs besides its content. It is
// more than the framing of a define, so that a snapshot is never larger than the
// state before compression.
const EntryBytes = 32

// patternState and dictState are the state bytes of an entry.
func patternState(template, positions int) int { return template + 4*positions + EntryBytes }
func dictState(value int) int                  { return value + EntryBytes }

// keepBytes is the scratch memory that an encoder or a decoder holds on to between
// batches.
const keepBytes = 4 << 20
