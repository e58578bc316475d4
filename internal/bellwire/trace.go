package bellwire

import (
	"context"
	"crypto/rand"
	"encoding/hex"
)

// Trace is a span of a distributed trace, as other systems are told of it (W3C Trace Context). It must not be changed.
type Trace struct {
	ID     [16]byte
	Span   [8]byte
	Parent [8]byte // zero: none, or not known any more
	Flags  byte
}

// The flags of a trace. Others have no meaning yet, and are not passed on.
const (
	TraceSampled = 1
	TraceRandom  = 2 // the id is random
)

// traceparentSize is the length of a traceparent header of version 00.
const traceparentSize = len("00-00000000000000000000000000000000-0000000000000000-00")

// ParseTraceparent parses a traceparent header; nil if it is not a valid one.
func ParseTraceparent(header string) *Trace {
	if len(header) < traceparentSize || header[2] != '-' || header[35] != '-' || header[52] != '-' {
		return nil
	}
	t := new(Trace)
	var version, flags [1]byte
	for _, part := range []struct {
		into []byte
		text string
	}{{version[:], header[:2]}, {t.ID[:], header[3:35]}, {t.Span[:], header[36:52]}, {flags[:], header[53:55]}} {
		if !lowerHex(part.into, part.text) {
			return nil
		}
	}
	longer := len(header) > traceparentSize
	if version[0] == 0xff || version[0] == 0 && longer || longer && header[traceparentSize] != '-' {
		return nil
	}
	if t.ID == ([16]byte{}) || t.Span == ([8]byte{}) {
		return nil
	}
	t.Flags = flags[0] & (TraceSampled | TraceRandom)
	return t
}

// lowerHex decodes text, and reports whether it is hexadecimal without capital letters.
func lowerHex(into []byte, text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= 'A' && c <= 'F' {
			return false
		}
	}
	_, err := hex.Decode(into, []byte(text))
	return err == nil
}

// NewTrace returns the first span of a new trace.
func NewTrace() *Trace {
	t := &Trace{Flags: TraceSampled | TraceRandom}
	rand.Read(t.ID[:])
	rand.Read(t.Span[:])
	return t
}

// Child returns a new span within t.
func (t *Trace) Child() *Trace {
	child := &Trace{ID: t.ID, Parent: t.Span, Flags: t.Flags}
	rand.Read(child.Span[:])
	return child
}

// Sampled reports whether the trace is recorded. It is false of nil.
func (t *Trace) Sampled() bool { return t != nil && t.Flags&TraceSampled != 0 }

// Traceparent returns the header that makes a request part of the span.
func (t *Trace) Traceparent() string {
	b := make([]byte, 0, traceparentSize)
	b = append(hex.AppendEncode(append(b, "00-"...), t.ID[:]), '-')
	b = append(hex.AppendEncode(b, t.Span[:]), '-')
	return string(hex.AppendEncode(b, []byte{t.Flags}))
}

// storedTrace is the length of an encoded trace.
const storedTrace = 16 + 8 + 1

// Encode returns the span as stores keep it; nil: none.
func (t *Trace) Encode() []byte {
	if t == nil {
		return nil
	}
	return append(append(append(make([]byte, 0, storedTrace), t.ID[:]...), t.Span[:]...), t.Flags)
}

// DecodeTrace decodes what Encode has returned; nil if it is anything else.
func DecodeTrace(encoded []byte) *Trace {
	if len(encoded) != storedTrace {
		return nil
	}
	return &Trace{ID: [16]byte(encoded[:16]), Span: [8]byte(encoded[16:24]), Flags: encoded[24]}
}

type traceKey struct{}

// WithTrace returns a context of what is done for a caller's span.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// TraceOf returns the caller's span; nil: none.
func TraceOf(ctx context.Context) *Trace {
	t, _ := ctx.Value(traceKey{}).(*Trace)
	return t
}
