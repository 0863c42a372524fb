package rows

import (
	"fmt"
	"strings"
	"testing"

	pb "github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// sequence reads an uncompressed batch with the public schema's own code.
func sequence(tb testing.TB, data []byte) *pb.DatumSequence {
	tb.Helper()
	var seq pb.DatumSequence
	require.NoError(tb, proto.Unmarshal(data, &seq))
	return &seq
}

// dump writes an uncompressed batch as text, one datum a line.
func dump(tb testing.TB, data []byte) string {
	tb.Helper()
	var b strings.Builder
	for _, d := range sequence(tb, data).Data {
		switch d := d.Data.(type) {
		case *pb.Datum_PatternDefine:
			p := d.PatternDefine
			require.Len(tb, p.PosList, int(p.ParamCount))
			fmt.Fprintf(&b, "pattern %d %q %v\n", p.PatternId, p.Template, p.PosList)
		case *pb.Datum_PatternDelete:
			fmt.Fprintf(&b, "pattern %d deleted\n", d.PatternDelete.PatternId)
		case *pb.Datum_DictEntryDefine:
			fmt.Fprintf(&b, "dict %d %q\n", d.DictEntryDefine.Id, d.DictEntryDefine.Value)
		case *pb.Datum_DictEntryDelete:
			fmt.Fprintf(&b, "dict %d deleted\n", d.DictEntryDelete.Id)
		case *pb.Datum_Logs:
			fmt.Fprintf(&b, "log %d%s\n", d.Logs.Timestamp, dumpLog(d.Logs))
		default:
			require.Fail(tb, "unexpected datum", "%v", d)
		}
	}
	return b.String()
}

func dumpLog(l *pb.Log) string {
	var b strings.Builder
	switch c := l.Content.(type) {
	case *pb.Log_Raw:
		fmt.Fprintf(&b, " raw %q", c.Raw)
	case *pb.Log_Structured:
		fmt.Fprintf(&b, " pattern %d", c.Structured.PatternId)
		for _, v := range c.Structured.DynamicValues {
			b.WriteString(" " + dumpValue(v))
		}
	}
	if l.Tags != nil {
		b.WriteString(" tags " + dumpValue(l.Tags.Tagset))
	}
	if l.Status != nil {
		b.WriteString(" status " + dumpValue(l.Status))
	}
	return b.String()
}

func dumpValue(v *pb.DynamicValue) string {
	switch v := v.Value.(type) {
	case *pb.DynamicValue_IntValue:
		return fmt.Sprint(v.IntValue)
	case *pb.DynamicValue_FloatValue:
		return fmt.Sprintf("float %v", v.FloatValue)
	case *pb.DynamicValue_StringValue:
		return fmt.Sprintf("%q", v.StringValue)
	case *pb.DynamicValue_DictIndex:
		return fmt.Sprintf("#%d", v.DictIndex)
	default:
		return "?"
	}
}

// build makes an uncompressed batch with the public schema's own code.
func build(tb testing.TB, datums ...*pb.Datum) []byte {
	tb.Helper()
	data, err := proto.Marshal(&pb.DatumSequence{Data: datums})
	require.NoError(tb, err)
	return data
}

func patternDatum(id uint64, template string, pos ...uint32) *pb.Datum {
	return &pb.Datum{Data: &pb.Datum_PatternDefine{PatternDefine: &pb.PatternDefine{
		PatternId: id, Template: template, ParamCount: uint32(len(pos)), PosList: pos,
	}}}
}

func noPatternDatum(id uint64) *pb.Datum {
	return &pb.Datum{Data: &pb.Datum_PatternDelete{PatternDelete: &pb.PatternDelete{PatternId: id}}}
}

func dictDatum(id uint64, value string) *pb.Datum {
	return &pb.Datum{Data: &pb.Datum_DictEntryDefine{DictEntryDefine: &pb.DictEntryDefine{Id: id, Value: value}}}
}

func noDictDatum(id uint64) *pb.Datum {
	return &pb.Datum{Data: &pb.Datum_DictEntryDelete{DictEntryDelete: &pb.DictEntryDelete{Id: id}}}
}

func logDatum(l *pb.Log) *pb.Datum { return &pb.Datum{Data: &pb.Datum_Logs{Logs: l}} }

func rawLog(ms int64, text string) *pb.Log {
	return &pb.Log{Timestamp: ms, Content: &pb.Log_Raw{Raw: text}}
}

func structuredLog(ms int64, pattern uint64, values ...*pb.DynamicValue) *pb.Log {
	return &pb.Log{Timestamp: ms, Content: &pb.Log_Structured{Structured: &pb.StructuredLog{
		PatternId: pattern, DynamicValues: values,
	}}}
}

func text(s string) *pb.DynamicValue {
	return &pb.DynamicValue{Value: &pb.DynamicValue_StringValue{StringValue: s}}
}

func number(n int64) *pb.DynamicValue {
	return &pb.DynamicValue{Value: &pb.DynamicValue_IntValue{IntValue: n}}
}

func float(f float64) *pb.DynamicValue {
	return &pb.DynamicValue{Value: &pb.DynamicValue_FloatValue{FloatValue: f}}
}

func ref(id uint64) *pb.DynamicValue {
	return &pb.DynamicValue{Value: &pb.DynamicValue_DictIndex{DictIndex: id}}
}

func tagSet(v *pb.DynamicValue) *pb.TagSet { return &pb.TagSet{Tagset: v} }
