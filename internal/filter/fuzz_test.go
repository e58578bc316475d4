package filter_test

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/limits"
)

// FuzzMatch evaluates hostile filters on hostile data: neither may panic, take more steps than allowed, or have two results.
func FuzzMatch(f *testing.F) {
	for _, text := range []string{
		`data.amount > 100000 && data.customer.address.country == "GB" && "export" in data.tags`,
		`data.lines.exists(l, l.sku == "B-200" && l.price > 70000)`, `data.tags.map(t, t + "x").filter(t, t.matches("^a.*")).size() == 1`,
		`has(data.a.b) ? data.a.b == data["c"] : !(type in ["x", id])`, `-data.n % 3 / 2 * 1.5 - 7u == 1e308`,
		`timestamp(data.at) - duration("1h") < occurred_at && occurred_at.getHours("Europe/Berlin") == 3`,
		`{"a": [1, 2]}.a[0] == data[0] || string(data) == "x"`, `data.all(x, data.exists_one(y, x == y))`, `data == data`,
	} {
		for _, data := range []string{invoice, `[1,2.50,"\u00e9",null,{"a":{"b":[]}}]`, `{"n":-1E400,"at":"2026-01-01T00:00:00Z","a":{"b":1},"a":2}`, `"\ud800`, `{"a":`, ``} {
			f.Add(text, data)
		}
	}
	types := []*bellwire.EventType{{Name: "invoice.paid", Schema: []byte(`{"properties": {"amount": {"type": "number"}, "tags": {"type": "array", "items": {"type": "string"}}}}`)}}
	f.Fuzz(func(t *testing.T, text, data string) {
		if _, err := filter.New(text, types); err != nil && bellwire.CodeOf(err) != bellwire.CodeInvalid {
			t.Fatalf("New: %v", err)
		}
		p, err := filter.Compile(text)
		if err != nil {
			if bellwire.CodeOf(err) != bellwire.CodeInvalid || !utf8.ValidString(err.Error()) && utf8.ValidString(text) {
				t.Fatalf("Compile: %v", err)
			}
			return
		}
		e := &bellwire.Event{Type: "invoice.paid", Data: []byte(data), OccurredAt: occurred}
		ev := filter.Begin(e)
		defer ev.End()
		matched, failure := ev.Match(p)
		if most := limits.FilterSteps + 2*len(data) + 100; ev.Steps() > most {
			t.Fatalf("%d steps, want at most %d", ev.Steps(), most)
		}
		again, second := p.Match(e)
		if matched != again || (failure == nil) != (second == nil) {
			t.Fatalf("first %t (%v), then %t (%v)", matched, failure, again, second)
		}
		got := filter.Explain(p, e)
		if (got.Outcome == filter.Matched) != matched || (got.Outcome == filter.Failed) != (failure != nil) {
			t.Fatalf("matched %t (%v), but explained as %+v", matched, failure, got)
		}
	})
}

// FuzzNumbers compares numbers, as JSON writes them, with what big fractions say.
func FuzzNumbers(f *testing.F) {
	for _, n := range []string{"0", "-0", "1", "1.0", "10e-1", "0.1", "9007199254740993", "9007199254740992.0", "1E400", "-1e-400", "18446744073709551615", "123.4500", "0.00120", "-9223372036854775808"} {
		f.Add(n, "1")
		f.Add("0.5", n)
	}
	order := map[string]*filter.Program{}
	for name, text := range map[string]string{"less": `data[0] < data[1]`, "more": `data[0] > data[1]`, "same": `data[0] == data[1]`} {
		p, err := filter.Compile(text)
		if err != nil {
			f.Fatal(err)
		}
		order[name] = p
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 200 || len(b) > 200 || !isNumber(a) || !isNumber(b) {
			return
		}
		x, okX := fraction(a)
		y, okY := fraction(b)
		if !okX || !okY {
			return
		}
		want := x.Cmp(y)
		e := &bellwire.Event{Data: []byte("[" + a + "," + b + "]")}
		for name, is := range map[string]bool{"less": want < 0, "more": want > 0, "same": want == 0} {
			if got, err := order[name].Match(e); err != nil || got != is {
				t.Errorf("%s and %s: %s is %t (%v), want %t", a, b, name, got, err, is)
			}
		}
	})
}

func isNumber(text string) bool {
	return json.Valid([]byte(text)) && text != "" && (text[0] == '-' || text[0] >= '0' && text[0] <= '9')
}
