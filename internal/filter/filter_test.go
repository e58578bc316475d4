package filter_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/limits"
)

// occurred is when the events of these tests happened: a Saturday.
var occurred = time.Date(2026, 1, 31, 23, 30, 15, 500_000_000, time.UTC)

func eventOf(data string) *bellwire.Event {
	return &bellwire.Event{Type: "card.created", IdempotencyKey: "order-1", OccurredAt: occurred, Data: []byte(data)}
}

func mustCompile(t testing.TB, text string) *filter.Program {
	t.Helper()
	p, err := filter.New(text, nil)
	if err != nil {
		t.Fatalf("New(%q): %v", text, err)
	}
	return p
}

// Every filter is evaluated on an event with the data before it.
const (
	yes   = "matches"
	no    = "does not match"
	fails = "fails" // followed by why
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, group := range []struct {
		name, data string
		filters    map[string]string // with the result
	}{
		{"numbers", `{"zero": 0, "minusZero": -0, "one": 1, "oneDotZero": 1.0, "oneE": 1e0, "tenth": 0.1, "max": 9223372036854775807,
			"over": 9223372036854775808, "odd": 9007199254740993, "even": 9007199254740992, "unsigned": 18446744073709551615,
			"googol": 1E400, "googol2": 10e399, "more": 1.0000000000000000000000000000000001E400, "tiny": 1e-400, "minus": -2.5, "text": "1",
			"huge": 1e99999999999999999999, "long": 0.30000000000000004, "id": 1234567890123456789012345678901234567890}`, map[string]string{
			`data.one == 1`:                          yes,
			`data.one == 1.0`:                        yes,
			`data.one == 1u`:                         yes,
			`data.oneDotZero == 1`:                   yes,
			`data.oneDotZero == data.one`:            yes,
			`data.oneE == data.one`:                  yes,
			`data.one in [2, 1.0]`:                   yes,
			`data.zero == data.minusZero`:            yes,
			`data.minusZero == 0.0`:                  yes,
			`data.one != 2`:                          yes,
			`data.one < 1.5`:                         yes,
			`1.5 > data.one`:                         yes,
			`data.tenth == 0.1`:                      yes,
			`data.tenth < 0.2`:                       yes,
			`data.tenth > 0`:                         yes,
			`data.long == 0.3`:                       no,
			`data.long > 0.3`:                        yes,
			`data.minus < -2`:                        yes,
			`data.minus < -3`:                        no,
			`data.minus == -2.5`:                     yes,
			`data.odd == 9007199254740993`:           yes,
			`data.odd == 9007199254740992`:           no,
			`data.odd == 9007199254740992.0`:         no,
			`data.odd > data.even`:                   yes,
			`data.even == 9007199254740992.0`:        yes,
			`data.max == 9223372036854775807`:        yes,
			`data.max < data.over`:                   yes,
			`data.over == 9223372036854775808u`:      yes,
			`data.over > 9223372036854775807`:        yes,
			`data.unsigned == 18446744073709551615u`: yes,
			`data.unsigned > 9223372036854775807`:    yes,
			`data.googol == data.googol2`:            yes,
			`data.googol < data.more`:                yes,
			`data.googol == data.more`:               no,
			`data.googol > 1e308`:                    yes,
			`data.googol > data.id`:                  yes,
			`data.tiny > 0`:                          yes,
			`data.tiny > 0.0`:                        yes,
			`data.tiny < 1e-300`:                     yes,
			`data.id == data.id`:                     yes,
			`string(data.id) == "1234567890123456789012345678901234567890"`: yes,
			`string(data.googol) == "1E400"`:                                yes,
			`data.text == 1`:                                                no,
			`data.text < 1`:                                                 "fails: < cannot be applied to a string and a number",
			`int(data.text) == 1`:                                           yes,
			`data.huge > 1`:                                                 "fails: a number has an exponent that is too large to be compared",
			`data.one + 1 == 2`:                                             yes,
			`data.one + 1.5 == 2.5`:                                         yes,
			`data.oneDotZero + 1 == 2`:                                      yes,
			`data.one / 2 == 0`:                                             yes,
			`data.one / 2.0 == 0.5`:                                         yes,
			`data.odd % 2 == 1`:                                             yes,
			`data.one % data.zero == 1`:                                     "fails: % divides by zero",
			`data.one / data.zero == 1`:                                     "fails: / divides by zero",
			`data.max + data.one > 0`:                                       "fails: the result of + is out of range",
			`data.max * 2 > 0`:                                              "fails: the result of * is out of range",
			`-data.max - 2 < 0`:                                             "fails: the result of - is out of range",
			`data.googol * 2 > 0`:                                           "fails: a number that * is applied to is out of range",
			`-data.minus == 2.5`:                                            yes,
			`data.one + data.text == 2`:                                     "fails: + cannot be applied to a number and a string",
			`double(data.one) == 1.0`:                                       yes,
			`int(data.minus) == -2`:                                         yes,
			`uint(data.unsigned) == 18446744073709551615u`:                  yes,
			`int(data.over) == 1`:                                           "fails: int cannot convert a number with this value",
			`type(data.one) == int`:                                         yes,
			`type(data.oneDotZero) == double`:                               yes,
		}},
		{"nulls and missing fields", `{"nil": null, "object": {"a": null}, "list": [], "number": 1, "false": false}`, map[string]string{
			"data.`content-type` == null":             "fails: data.content-type does not exist",
			`data.nil == null`:                        yes,
			`data.number == null`:                     no,
			`data.number != null`:                     yes,
			`null == data.object.a`:                   yes,
			`has(data.nil)`:                           yes,
			`has(data.missing)`:                       no,
			`has(data.object.a)`:                      yes,
			`has(data.number.a)`:                      no,
			`has(data.object.b)`:                      no,
			`has(data.missing.b)`:                     "fails: data.missing does not exist",
			`data.missing == null`:                    "fails: data.missing does not exist",
			`data.nil.a == 1`:                         "fails: data.nil.a does not exist, because its parent is null",
			`data.number.a == 1`:                      "fails: data.number.a does not exist, because its parent is a number",
			`data["nil"] == null`:                     yes,
			`data["missing"] == null`:                 `fails: data["missing"] does not exist`,
			`data.list[0] == 1`:                       "fails: the list has no element at the index",
			`"nil" in data`:                           yes,
			`"missing" in data`:                       no,
			`data.missing == 1 || data.number == 1`:   yes,
			`data.number == 1 || data.missing == 1`:   yes,
			`data.missing == 1 && data.number == 2`:   no,
			`data.number == 2 && data.missing == 1`:   no,
			`data.missing == 1 && data.number == 1`:   "fails: data.missing does not exist",
			`data.missing == 1 || data.number == 2`:   "fails: data.missing does not exist",
			`has(data.missing) && data.missing > 1`:   no,
			`has(data.missing) ? data.missing : true`: yes,
			`data.number ? true : false`:              "fails: ?: cannot be applied to a number",
			`!data.number`:                            "fails: ! cannot be applied to a number",
			`!data["false"]`:                          yes,
			`data.number`:                             "fails: the condition must be true or false, but is a number",
			`data.number && true`:                     "fails: the condition must be true or false, but is a number",
			`data.nil`:                                "fails: the condition must be true or false, but is null",
		}},
		{"strings", `{"plain": "Straße", "escaped": "line\nbreak \"quoted\" \\ \u00e9 \ud83d\ude00", "empty": "", "k\u0065y": 1, "a\"b": 2, "email": "ada@example.com",
			"slash": "\/", "surrogate": "\ud800"}`, map[string]string{
			`data.plain == "Straße"`:                          yes,
			`size(data.plain) == 6`:                           yes,
			`data.plain.size() == 6`:                          yes,
			`data.plain.startsWith("Str")`:                    yes,
			`data.plain.endsWith("aße")`:                      yes,
			`data.plain.contains("aß")`:                       yes,
			`data.plain.contains("x")`:                        no,
			`data.plain < "T"`:                                yes,
			`data.plain + "!" == "Straße!"`:                   yes,
			`data.escaped == "line\nbreak \"quoted\" \\ é 😀"`: yes,
			`data.escaped.contains("é 😀")`:                    yes,
			`data.slash == "/"`:                               yes,
			`data.surrogate == "\ufffd"`:                      yes,
			`data.empty == ""`:                                yes,
			`size(data.empty) == 0`:                           yes,
			`data.key == 1`:                                   yes,
			`data["a\"b"] == 2`:                               yes,
			`data.email.matches("^[a-z]+@example\\.com$")`:    yes,
			`matches(data.email, "@example")`:                 yes,
			`data.email.matches("^@")`:                        no,
			`data.key.startsWith("1")`:                        "fails: startsWith cannot be applied to a number and a string",
			`data.key.matches("1")`:                           "fails: matches cannot be applied to a number",
			`size(data.key) == 1`:                             "fails: size cannot be applied to a number",
			`string(data.key) == "1"`:                         yes,
			`bool("true")`:                                    yes,
		}},
		{"lists and objects", `{"tags": ["a", "b", 3, null, true, {"k": [1, 2.0]}], "lines": [{"sku": "A", "n": 1}, {"sku": "B", "n": 20}], "map": {"x": 1, "y": 2},
			"same": {"y": 2.0, "x": 1e0}, "twice": {"a": 1, "a": 2}, "nested": [[1], [2]], "empty": []}`, map[string]string{
			`"a" in data.tags`:                                                       yes,
			`3.0 in data.tags`:                                                       yes,
			`"c" in data.tags`:                                                       no,
			`null in data.tags`:                                                      yes,
			`data.tags[1] == "b"`:                                                    yes,
			`data.tags[1.0] == "b"`:                                                  yes,
			`data.tags["1"] == "b"`:                                                  "fails: [] cannot be applied to a list and a string",
			`data.tags[5] == {"k": [1, 2]}`:                                          yes,
			`data.tags[5].k == [1, 2]`:                                               yes,
			`data.tags[5].k == [1]`:                                                  no,
			`size(data.tags) == 6`:                                                   yes,
			`size(data.map) == 2`:                                                    yes,
			`data.map == data.same`:                                                  yes,
			`data.map == {"x": 1, "y": 3}`:                                           no,
			`data.twice.a == 2`:                                                      yes,
			`size(data.twice) == 1`:                                                  yes,
			`data.twice == {"a": 2}`:                                                 yes,
			`data.lines.exists(l, l.sku == "B" && l.n > 10)`:                         yes,
			`data.lines.exists(l, l.sku == "C")`:                                     no,
			`data.lines.exists(l, l.sku == "B" || l.missing)`:                        yes,
			`data.lines.exists(l, l.missing == 1)`:                                   "fails: l.missing does not exist",
			`data.lines.all(l, l.n >= 1)`:                                            yes,
			`data.lines.all(l, l.n > 1)`:                                             no,
			`data.empty.all(l, l.n > 1)`:                                             yes,
			`data.lines.exists_one(l, l.n > 1)`:                                      yes,
			`data.lines.map(l, l.n) == [1, 20]`:                                      yes,
			`data.lines.filter(l, l.n > 1).size() == 1`:                              yes,
			`data.lines.filter(l, l.n > 1)[0].sku == "B"`:                            yes,
			`data.lines.map(l, l.n > 1, l.sku) == ["B"]`:                             yes,
			`data.map.exists(k, k == "y" && data.map[k] == 2)`:                       yes,
			`data.nested.exists(a, a.exists(b, b == 2))`:                             yes,
			`data.nested.map(a, a.map(b, b + 1)) == [[2], [3]]`:                      yes,
			`data.nested.map(a, [a]).size() == 2`:                                    yes,
			`data.lines.map(x, data.lines.map(y, x.n + y.n)) == [[2, 21], [21, 40]]`: yes,
			`data.nested[0] + data.nested[1] == [1, 2]`:                              yes,
			`data.map.exists(k, data.lines)`:                                         "fails: the condition must be true or false, but is a list",
			`[1, 2].exists(x, x == data.map.y)`:                                      yes,
			`{"a": 1}.a == 1`:                                                        yes,
			`data.map.x in {1: true}`:                                                yes,
			`data.lines == data.lines`:                                               yes,
			`data.tags == data.lines`:                                                no,
			`data.map.x.exists(k, true)`:                                             "fails: exists cannot be applied to a number",
			`"a" in data.map.x`:                                                      "fails: in cannot be applied to a string and a number",
		}},
		{"timestamps", `{"at": "2026-01-31T23:30:15.5Z", "later": "2026-02-01T00:30:16+01:00", "bad": "yesterday", "seconds": 1769902215, "took": "90s"}`, map[string]string{
			`timestamp(data.at) == occurred_at`:                        yes,
			`timestamp(data.later) > occurred_at`:                      yes,
			`timestamp(data.seconds) < occurred_at`:                    yes,
			`occurred_at > timestamp("2026-01-01T00:00:00Z")`:          yes,
			`timestamp(data.bad) > occurred_at`:                        "fails: timestamp cannot convert a string with this value",
			`occurred_at.getFullYear() == 2026`:                        yes,
			`occurred_at.getMonth() == 0`:                              yes,
			`occurred_at.getDate() == 31`:                              yes,
			`occurred_at.getDayOfWeek() == 6`:                          yes,
			`occurred_at.getHours() == 23`:                             yes,
			`occurred_at.getHours("Europe/Berlin") == 0`:               yes,
			`occurred_at.getDayOfWeek("Europe/Berlin") == 0`:           yes,
			`occurred_at.getHours("+01:30") == 1`:                      yes,
			`occurred_at.getMilliseconds() == 500`:                     yes,
			`timestamp(data.later) - occurred_at == duration("500ms")`: yes,
			`occurred_at + duration("1h") > timestamp(data.later)`:     yes,
			`duration(data.took) > duration("1m")`:                     yes,
			`duration(data.took).getSeconds() == 90`:                   yes,
			`timestamp(data.at) == data.at`:                            no,
			`string(timestamp(data.at)) == data.at`:                    yes,
		}},
		{"the event", `[1]`, map[string]string{
			`type == "card.created"`:        yes,
			`type.startsWith("card.")`:      yes,
			`type in ["card.created", "x"]`: yes,
			`id == "order-1"`:               yes,
			`data == [1]`:                   yes,
			`data[0] == 1`:                  yes,
			`data.a == 1`:                   "fails: data.a does not exist, because its parent is a list",
			`type(type) == string`:          yes,
			`true`:                          yes,
			`false`:                         no,
			"data[0] == 1 &&\n  // a comment\n type != ''": yes,
		}},
		{"a number alone", ` 5 `, map[string]string{`data == 5`: yes, `data > 4 && data < 6`: yes}},
		{"null alone", `null`, map[string]string{`data == null`: yes, `has(data.a)`: no, `data.a == 1`: "fails: data.a does not exist, because its parent is null"}},
		{"no data", ``, map[string]string{`data == null`: yes}},
	} {
		t.Run(group.name, func(t *testing.T) {
			t.Parallel()
			for text, want := range group.filters {
				got := resultOf(mustCompile(t, text), eventOf(group.data))
				if got != want {
					t.Errorf("%s: %s, want %s", text, got, want)
				}
			}
		})
	}
}

func resultOf(p *filter.Program, e *bellwire.Event) string {
	matched, err := p.Match(e)
	var failure *filter.Failure
	switch {
	case errors.As(err, &failure):
		return fails + ": " + failure.Error()
	case err != nil:
		return err.Error()
	case matched:
		return yes
	}
	return no
}

func TestMatchReadsManyMembers(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`{"first": 1`)
	for i := range 200 {
		b.WriteString(`, "m`)
		b.WriteString(strings.Repeat("x", i))
		b.WriteString(`": {"n": "}"}`)
	}
	b.WriteString(`, "last": 2, "first": 3 }`)
	e := eventOf(b.String())
	for text, want := range map[string]string{
		`data.first == 3 && data.last == 2 && data.mxxx.n == "}"`: yes,
		`size(data) == 202`:  yes,
		`has(data.missing)`:  no,
		`data.first == 1`:    no,
		`data.m.n == "}"`:    yes,
		`has(data.mx.other)`: no,
	} {
		if got := resultOf(mustCompile(t, text), e); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestMatchOnBrokenData(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":"x`, `{"a":"\`, `{,}`, `{"a":tru}`, `}`, `{"a":[}`, `"`, "\x00"} {
		for _, text := range []string{`data.a == 1 && data.a == 2`, `data == {"a": 2}`, `data.exists(k, false)`, `size(data) > 5`, `data[0] == 2`} {
			if matched, _ := mustCompile(t, text).Match(eventOf(data)); matched {
				t.Errorf("%q matches %s", data, text)
			}
		}
	}
}

func TestEvaluationIsBounded(t *testing.T) {
	t.Parallel()
	long := "[" + strings.Repeat("1,", 5000) + "1]"
	for name, tc := range map[string]struct{ text, data string }{
		"nested loops":   {`data.exists(a, data.exists(b, data.exists(c, a + b + c == 4)))`, long},
		"growing text":   {`data.map(a, data).map(b, b.map(c, "x")).exists(d, d == [])`, long},
		"large patterns": {`data.s.matches("(a|aa|aaa){20}b") && data.s.matches("(a|aa|aaa){20}c")`, `{"s": "` + strings.Repeat("a", 100_000) + `"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := eventOf(tc.data)
			ev := filter.Begin(e)
			defer ev.End()
			_, err := ev.Match(mustCompile(t, tc.text))
			var failure *filter.Failure
			if !errors.As(err, &failure) || !failure.Costly() {
				t.Errorf("got %v, want too many steps", err)
			}
			if most := 2*limits.FilterSteps + 2*len(tc.data); ev.Steps() > most {
				t.Errorf("it took %d steps, want at most %d", ev.Steps(), most)
			}
		})
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	p := mustCompile(t, `data.amount > 100000 && data.customer.address.country == "GB" && "export" in data.tags && data.tax > 20740.33`)
	ev := filter.Begin(eventOf(invoice))
	defer ev.End()
	if n := testing.AllocsPerRun(100, func() {
		if matched, err := ev.Match(p); !matched || err != nil {
			t.Fatal(matched, err)
		}
	}); n > 0 {
		t.Errorf("an evaluation allocates %v times", n)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	const data = `{"amount": 5, "list": [1, 2]}`
	for text, want := range map[string]filter.Explanation{
		`data.amount == 5`:                                                    {Outcome: filter.Matched},
		`type == "card.created" && data.amount>100`:                           {Outcome: filter.Unmatched, Condition: "data.amount > 100"},
		`data.amount > 1 && (data.amount > 2 && data.list.exists(x, x == 3))`: {Outcome: filter.Unmatched, Condition: "data.list.exists(x, x == 3)"},
		`data.amount < 1 || data.amount > 10`:                                 {Outcome: filter.Unmatched, Condition: "data.amount < 1 || data.amount > 10"},
		`data.missing && data.amount == 5`:                                    {Outcome: filter.Failed, Condition: "data.missing", Problem: "data.missing does not exist"},
		`data.missing && data.amount == 6`:                                    {Outcome: filter.Unmatched, Condition: "data.amount == 6"},
		`has(data.missing)`:                                                   {Outcome: filter.Unmatched, Condition: "has(data.missing)"},
	} {
		if got := filter.Explain(mustCompile(t, text), eventOf(data)); got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
}

// TestExplainDoesNotParse: trials and explanations evaluate one filter on many events, within budgets that count only steps.
func TestExplainDoesNotParse(t *testing.T) {
	conditions := strings.Repeat(`data.amount < 1000000 && `, 50)
	for outcome, last := range map[filter.Outcome]string{filter.Unmatched: `data.amount < 0`, filter.Failed: `data.missing`} {
		p := mustCompile(t, conditions+last)
		ev := filter.Begin(eventOf(invoice))
		defer ev.End()
		if n := testing.AllocsPerRun(10, func() {
			if got := ev.Explain(p); got.Outcome != outcome || got.Condition != last {
				t.Fatalf("%+v", got)
			}
		}); n > 10 {
			t.Errorf("%s: an explanation allocates %v times", outcome, n)
		}
	}
}

// TestSizeCountsConditions: a program keeps the text of each, beside its own text and the literals.
func TestSizeCountsConditions(t *testing.T) {
	t.Parallel()
	const longer = 300
	short, long := mustCompile(t, `data.a == ""`), mustCompile(t, `data.a == "`+strings.Repeat("x", longer)+`"`)
	if got := long.Size() - short.Size(); got != 3*longer {
		t.Errorf("a text that is %d bytes longer adds %d bytes, want %d", longer, got, 3*longer)
	}
}

func TestSharedEvaluation(t *testing.T) {
	t.Parallel()
	ev := filter.Begin(eventOf(`{"a": 1, "b": [1, 2, 3]}`))
	defer ev.End()
	for range 2 {
		for text, want := range map[string]bool{`data.a == 1`: true, `data.b.exists(x, x == 4)`: false, `data.b.all(x, x > 0)`: true, `data.a == 2`: false} {
			if got, err := ev.Match(mustCompile(t, text)); got != want || err != nil {
				t.Errorf("%s: %t (%v), want %t", text, got, err, want)
			}
		}
	}
}
