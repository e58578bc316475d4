package codec

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// byReflection encodes an attempt as encoding/json does.
func byReflection(t rapid.TB, a *attempt) []byte {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(a); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

func TestEncodeIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,40}`), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	headers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bellwire.Header {
		return bellwire.Header{Name: text.Draw(t, "name"), Value: text.Draw(t, "value")}
	}), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		a := &attempt{URL: text.Draw(t, "URL"), Headers: headers.Draw(t, "headers"), Cut: rapid.Bool().Draw(t, "cut"),
			BodyBytes: rapid.Int().Draw(t, "body"), Dropped: rapid.Bool().Draw(t, "dropped"),
			BodyHash: rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "hash"), Dialect: rapid.OneOf(rapid.Just(""), text).Draw(t, "dialect"),
			Version: rapid.IntRange(0, 3).Draw(t, "version")}
		for i := range a.Timings {
			a.Timings[i] = time.Duration(rapid.Int64().Draw(t, "timing"))
		}
		if rapid.Bool().Draw(t, "answered") {
			a.Response = &response{Headers: headers.Draw(t, "headers"), Cut: rapid.Bool().Draw(t, "cut"),
				Truncated: rapid.Bool().Draw(t, "truncated"), Note: rapid.OneOf(rapid.Just(""), text).Draw(t, "note")}
		}
		if got, want := a.encode(), byReflection(t, a); !bytes.Equal(got, want) {
			t.Fatalf("encoded as\n%s, want\n%s", got, want)
		}
	})
}

// A field that encode does not know would be lost.
func TestEncodeHasAllFields(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		kind   reflect.Type
		fields int
	}{{reflect.TypeFor[attempt](), 10}, {reflect.TypeFor[response](), 4}, {reflect.TypeFor[bellwire.Header](), 2}} {
		if n := of.kind.NumField(); n != of.fields {
			t.Errorf("%s has %d fields, and encode writes %d: add the new ones to it, and to TestEncodeIsThatOfEncodingJSON", of.kind, n, of.fields)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	a := &attempt{
		Timings: [5]time.Duration{0, 0, 0, 812_331, 861_204}, URL: "https://hooks.example.com/bellwire/orders", BodyBytes: 630,
		Headers: []bellwire.Header{
			{Name: "content-type", Value: "application/json"}, {Name: "user-agent", Value: "Bellwire/1.0"},
			{Name: "webhook-id", Value: "msg_01JZ8D6M4T3Q7W9X2V5B8N1K0C"}, {Name: "webhook-timestamp", Value: "1764300000"},
			{Name: "webhook-signature", Value: "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="},
		},
		Response: &response{Headers: []bellwire.Header{{Name: "date", Value: "Sat, 01 Mar 2025 10:00:00 GMT"}}},
	}
	b.ReportAllocs()
	for b.Loop() {
		a.encode()
	}
}
