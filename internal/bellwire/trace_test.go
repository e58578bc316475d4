package bellwire

import (
	"testing"

	"pgregory.net/rapid"
)

func TestParseTraceparent(t *testing.T) {
	t.Parallel()
	const id, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for header, want := range map[string]string{
		"00-" + id + "-" + span + "-01":                              "00-" + id + "-" + span + "-01",
		"00-" + id + "-" + span + "-00":                              "00-" + id + "-" + span + "-00",
		"00-" + id + "-" + span + "-ff":                              "00-" + id + "-" + span + "-03",
		"cc-" + id + "-" + span + "-01":                              "00-" + id + "-" + span + "-01",
		"cc-" + id + "-" + span + "-01-more":                         "00-" + id + "-" + span + "-01",
		"cc-" + id + "-" + span + "-01.more":                         "",
		"00-" + id + "-" + span + "-01-more":                         "",
		"ff-" + id + "-" + span + "-01":                              "",
		"00-" + id + "-" + span + "-1":                               "",
		"00-" + id + "-" + span + "-0x":                              "",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-" + span + "-01":        "",
		"00-00000000000000000000000000000000-" + span + "-01":        "",
		"00-" + id + "-0000000000000000-01":                          "",
		"00_" + id + "-" + span + "-01":                              "",
		"":                                                           "",
		"00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7x-01-02": "",
	} {
		got := ""
		if parsed := ParseTraceparent(header); parsed != nil {
			got = parsed.Traceparent()
		}
		if got != want {
			t.Errorf("%q is read as %q, want %q", header, got, want)
		}
	}
}

func TestTracesAreKept(t *testing.T) {
	t.Parallel()
	if (*Trace)(nil).Encode() != nil || DecodeTrace(nil) != nil || (*Trace)(nil).Sampled() {
		t.Error("no trace is something")
	}
	rapid.Check(t, func(t *rapid.T) {
		trace := NewTrace()
		trace.Flags = byte(rapid.IntRange(0, 3).Draw(t, "flags"))
		stored := DecodeTrace(trace.Encode())
		read := ParseTraceparent(trace.Traceparent())
		if *stored != *trace || *read != *trace {
			t.Errorf("%+v is stored as %+v and read as %+v", trace, stored, read)
		}
		child := trace.Child()
		if child.ID != trace.ID || child.Parent != trace.Span || child.Span == trace.Span || child.Flags != trace.Flags {
			t.Errorf("the child of %+v is %+v", trace, child)
		}
	})
}

// FuzzParseTraceparent never panics, and writes what it has read.
func FuzzParseTraceparent(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x")
	f.Fuzz(func(t *testing.T, header string) {
		read := ParseTraceparent(header)
		if read == nil {
			return
		}
		if again := ParseTraceparent(read.Traceparent()); again == nil || *again != *read {
			t.Errorf("%q is written as %q", header, read.Traceparent())
		}
	})
}
