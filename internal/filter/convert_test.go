package filter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/limits"
)

func converter(t testing.TB, text string) *filter.Converter {
	t.Helper()
	c, err := filter.NewConverter(text, &bellwire.EventType{Name: "card.created"})
	if err != nil {
		t.Fatalf("NewConverter(%q): %v", text, err)
	}
	return c
}

func TestConvert(t *testing.T) {
	t.Parallel()
	const data = ` {"id": "c1", "n": 1.10, "big": 123456789012345678901234567890, "e": 1E400, "zero": -0, "who": {"first": "A\u00e9", "last": "B"},
		"list": [1, 2.50, "x"], "nil": null, "twice": 1, "twice": 2} `
	for text, want := range map[string]string{
		`data.id`:                               `"c1"`,
		`{"a": data.n, "b": data.big}`:          `{"a":1.10,"b":123456789012345678901234567890}`,
		`[data.e, data.zero, data.nil]`:         `[1E400,-0,null]`,
		`data.who`:                              `{"first": "A\u00e9", "last": "B"}`,
		`data.who.first + "\t" + data.who.last`: `"Aé\tB"`,
		`data.list.map(x, x)`:                   `[1,2.50,"x"]`,
		`data.n * 2`:                            `2.2`,
		`1 + 2`:                                 `3`,
		`18446744073709551615u`:                 `18446744073709551615`,
		`0.5`:                                   `0.5`,
		`1000000.0 * 1000000.0`:                 `1000000000000`,
		`1e30 * 2.0`:                            `2e+30`,
		`has(data.none) ? data.none : {}`:       `{}`,
		`occurred_at`:                           `"2026-01-31T23:30:15.5Z"`,
		`[id, type]`:                            `["order-1","card.created"]`,
		`duration("90s")`:                       `"90s"`,
		`data.who.with({"last": data.id, "new": [true]})`:       `{"first":"Aé","last":"c1","new":[true]}`,
		`data.who.without(["first", "none"])`:                   `{"last":"B"}`,
		`data.with({}).without(["list", "e", "who"]).twice`:     `2`,
		`{"a": {"b": 1}}.with({"c": 2}).without(["a"])`:         `{"c":2}`,
		`data.without(["id", "n", "big", "e", "zero", "list"])`: `{"who":{"first": "A\u00e9", "last": "B"},"nil":null,"twice":2}`,
	} {
		got, _, err := converter(t, text).Convert(eventOf(data))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s (%v), want %s", text, got, err, want)
		}
		if !json.Valid(got) {
			t.Errorf("%s: %s is not JSON", text, got)
		}
	}
	for text, want := range map[string]string{
		`data.none`:                "data.none does not exist",
		`{1: 2}`:                   "the name of a field must be a string, but is a number",
		`type(1)`:                  "the result must be JSON, but has a type",
		`1.0 / 0.0`:                "a number of the result is out of range",
		`data.id.with({})`:         "with cannot be applied to a string and an object",
		`data.without("a")`:        "without cannot be applied to an object and a string",
		`data.without([1])`:        "the name of a field must be a string, but is a number",
		`data.with({"a": data.x})`: "data.x does not exist",
	} {
		got, _, err := converter(t, text).Convert(eventOf(data))
		if err == nil || err.Error() != want {
			t.Errorf("%s: %s (%v), want %q", text, got, err, want)
		}
	}
}

// A converter is bounded by the size of its data, in steps and in what it makes.
func TestConvertersAreBounded(t *testing.T) {
	t.Parallel()
	large := `{"a": "` + strings.Repeat("x", limits.ConvertedBytes) + `"}`
	copies := "[" + strings.TrimSuffix(strings.Repeat("data.a, ", 100), ", ") + "]"
	if _, _, err := converter(t, copies).Convert(eventOf(large)); err == nil || err.Error() != "the size of the result is out of range" {
		t.Errorf("a result of a hundred copies: %v", err)
	}
	many := `{"l": [` + strings.TrimSuffix(strings.Repeat("1,", 400), ",") + "]}"
	if _, _, err := converter(t, `data.l.map(x, data.l.map(y, data.l.map(z, 1)))`).Convert(eventOf(many)); err == nil || !strings.Contains(err.Error(), "too many steps") {
		t.Errorf("a long loop: %v", err)
	}
}

func TestNewConverterRefuses(t *testing.T) {
	t.Parallel()
	from := &bellwire.EventType{Name: "card.created", Schema: []byte(`{"type": "object", "properties": {"id": {"type": "string"}}}`)}
	for text, want := range map[string]string{
		`data.idd`:        `must not use data.idd, which does not exist in card.created (did you mean "id"?)`,
		`data.id +`:       "cannot be used",
		`nothing`:         "is not a variable",
		`other(1)`:        "must not use",
		`data.with(1, 2)`: "must not give 3 arguments to with",
	} {
		if _, err := filter.NewConverter(text, from); bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	// Filters have fewer functions.
	if _, err := filter.Compile(`data.with({}) == data`); err == nil {
		t.Error("a filter may use with()")
	}
}

func BenchmarkConvert(b *testing.B) {
	c := converter(b, `data.without(["who"]).with({"name": data.who.first + " " + data.who.last})`)
	e := eventOf(`{"id": "c1", "amount": 12.50, "currency": "EUR", "who": {"first": "Ada", "last": "Lovelace"}, "lines": [` +
		strings.TrimSuffix(strings.Repeat(`{"sku": "a-1", "count": 2, "price": 6.25},`, 10), ",") + `]}`)
	b.SetBytes(int64(len(e.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := c.Convert(e); err != nil {
			b.Fatal(err)
		}
	}
}
