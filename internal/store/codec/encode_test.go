package codec

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// byReflection encodes an attempt as encoding/json does.
func byReflection(t rapid.TB, a *bellwire.Attempt) []byte {
	of := &attempt{
		Timings: [5]time.Duration{a.Timings.DNS, a.Timings.Connect, a.Timings.TLS, a.Timings.FirstByte, a.Timings.Total},
		URL:     a.Request.URL, Headers: listed(a.Request.Headers), Cut: a.Request.HeadersTruncated, BodyBytes: a.Request.BodyBytes,
		Dialect: a.Request.Dialect, Version: a.Request.Version,
	}
	if a.Request.BodyHash != [32]byte{} {
		of.BodyHash = a.Request.BodyHash[:]
	}
	if r := a.Response; r != nil {
		of.Response = &response{Headers: listed(r.Headers), Cut: r.HeadersTruncated, Truncated: r.Truncated, Note: r.Note}
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(of); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

func listed(headers []bellwire.Header) (list []string) {
	for _, h := range headers {
		list = append(list, h.Name, h.Value)
	}
	return list
}

func TestEncodeIsThatOfEncodingJSON(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~]{0,40}`), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }))
	headers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) bellwire.Header {
		return bellwire.Header{Name: text.Draw(t, "name"), Value: text.Draw(t, "value")}
	}), 0, 4)
	took := rapid.Custom(func(t *rapid.T) time.Duration { return time.Duration(rapid.Int64().Draw(t, "timing")) })
	attempts := rapid.Custom(func(t *rapid.T) *bellwire.Result {
		if rapid.IntRange(0, 4).Draw(t, "attempted") == 0 {
			return new(bellwire.Result)
		}
		a := &bellwire.Attempt{
			Timings: bellwire.Timings{
				DNS: took.Draw(t, "DNS"), Connect: took.Draw(t, "connect"), TLS: took.Draw(t, "TLS"), FirstByte: took.Draw(t, "first byte"), Total: took.Draw(t, "total"),
			},
			Request: bellwire.AttemptRequest{
				URL: text.Draw(t, "URL"), Headers: headers.Draw(t, "headers"), HeadersTruncated: rapid.Bool().Draw(t, "cut"),
				BodyBytes: rapid.Int().Draw(t, "body"), Dialect: rapid.OneOf(rapid.Just(""), text).Draw(t, "dialect"), Version: rapid.IntRange(0, 3).Draw(t, "version"),
			},
		}
		copy(a.Request.BodyHash[:], rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "hash"))
		if rapid.Bool().Draw(t, "answered") {
			a.Response = &bellwire.AttemptResponse{
				Headers: headers.Draw(t, "headers"), HeadersTruncated: rapid.Bool().Draw(t, "cut"),
				Truncated: rapid.Bool().Draw(t, "truncated"), Note: rapid.OneOf(rapid.Just(""), text).Draw(t, "note"),
			}
		}
		return &bellwire.Result{Attempt: a}
	})
	rapid.Check(t, func(t *rapid.T) {
		results := rapid.SliceOfN(attempts, 0, 4).Draw(t, "results")
		for i, got := range EncodeAttempts(results) {
			if results[i].Attempt == nil {
				if got != nil {
					t.Fatalf("no attempt is encoded as %s", got)
				}
				continue
			}
			if want := byReflection(t, results[i].Attempt); !bytes.Equal(got, want) {
				t.Fatalf("encoded as\n%s, want\n%s", got, want)
			}
		}
	})
}

// Builds before wrote headers as objects.
func TestDecodeHeadersOfEarlierBuilds(t *testing.T) {
	t.Parallel()
	const stored = `{"t":[1,2,3,4,5],"u":"https://example.com","h":[{"Name":"webhook-id","Value":"evt_1"}],"b":6,"r":{"h":[{"Name":"date","Value":"now"},{"Name":"via","Value":""}]}}`
	a := &bellwire.Attempt{Response: new(bellwire.AttemptResponse)}
	if err := DecodeAttempt(a, []byte(stored)); err != nil {
		t.Fatal(err)
	}
	if got, want := a.Request.Headers, []bellwire.Header{{Name: "webhook-id", Value: "evt_1"}}; !slices.Equal(got, want) {
		t.Errorf("the request has the headers %q, want %q", got, want)
	}
	if got, want := a.Response.Headers, []bellwire.Header{{Name: "date", Value: "now"}, {Name: "via"}}; !slices.Equal(got, want) {
		t.Errorf("the response has the headers %q, want %q", got, want)
	}
	again := &bellwire.Attempt{Response: new(bellwire.AttemptResponse)}
	if err := DecodeAttempt(again, EncodeAttempts([]*bellwire.Result{{Attempt: a}})[0]); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, again) {
		t.Errorf("encoded and decoded again, the attempt is %+v, want %+v", again, a)
	}
}

// A field that encode does not know would be lost.
func TestEncodeHasAllFields(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		kind   reflect.Type
		fields int
	}{{reflect.TypeFor[attempt](), 11}, {reflect.TypeFor[response](), 5}, {reflect.TypeFor[bellwire.Header](), 2}} {
		if n := of.kind.NumField(); n != of.fields {
			t.Errorf("%s has %d fields, and encode writes %d: add the new ones to it, and to TestEncodeIsThatOfEncodingJSON", of.kind, n, of.fields)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	results := []*bellwire.Result{{Attempt: &bellwire.Attempt{
		Timings: bellwire.Timings{FirstByte: 812_331, Total: 861_204},
		Request: bellwire.AttemptRequest{
			URL: "https://hooks.example.com/bellwire/orders", BodyBytes: 630, BodyHash: [32]byte{1}, Dialect: "standard", Version: 1,
			Headers: []bellwire.Header{
				{Name: "content-type", Value: "application/json"}, {Name: "user-agent", Value: "Bellwire/1.0"},
				{Name: "webhook-id", Value: "msg_01JZ8D6M4T3Q7W9X2V5B8N1K0C"}, {Name: "webhook-timestamp", Value: "1764300000"},
				{Name: "webhook-signature", Value: "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="},
			},
		},
		Response: &bellwire.AttemptResponse{Headers: []bellwire.Header{{Name: "date", Value: "Sat, 01 Mar 2025 10:00:00 GMT"}}},
	}}}
	b.ReportAllocs()
	for b.Loop() {
		EncodeAttempts(results)
	}
}
