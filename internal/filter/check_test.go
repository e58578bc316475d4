package filter_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/filter"
	"github.com/bellwire/bellwire/internal/limits"
)

var cardTypes = []*bellwire.EventType{
	{Name: "card.created", Schema: []byte(`{
		"type": "object",
		"properties": {
			"id": {"type": "string"},
			"amount": {"type": "integer"},
			"limit": {"type": ["number", "null"]},
			"holder": {"$ref": "#/$defs/person"},
			"lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}, "n": {"type": "number"}}}},
			"state": {"enum": ["new", "active"]},
			"either": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"a": {"type": "number"}}}]},
			"metadata": {"type": "object", "additionalProperties": {"type": "string"}},
			"anything": {}
		},
		"$defs": {"person": {"allOf": [{"properties": {"name": {"type": "string"}}}, {"type": "object", "properties": {"country": {"const": "GB"}}}]}}
	}`)},
	{Name: "card.closed", Schema: []byte(`{"type": "object", "properties": {"id": {"type": "string"}, "reason": {"type": "string"}}, "additionalProperties": false}`)},
}

func TestNewChecksTheSchemas(t *testing.T) {
	t.Parallel()
	created, closed := cardTypes[:1], cardTypes[1:]
	without := []*bellwire.EventType{{Name: "ping"}}
	for _, tc := range []struct {
		text  string
		types []*bellwire.EventType
		want  string // empty: it is accepted
	}{
		{`data.amount > 100`, created, ""},
		{`data.amount > 100.5`, created, ""},
		{`data.amont > 100`, created, "filter must not use data.amont, which does not exist in card.created (did you mean \"amount\"?) (line 1, column 1)"},
		{`data.amount > 100`, closed, "filter must not use data.amount, which does not exist in card.closed (line 1, column 1)"},
		{`data.amount > 100`, cardTypes, "filter must not use data.amount, which does not exist in card.closed (line 1, column 1)"},
		{`data.amount > 100`, without, ""},
		{`type == "card.created" && data.amount > 100`, cardTypes, ""},
		{`type != "card.closed" && data.amount > 100`, cardTypes, ""},
		{`type == "card.closed" || data.amount > 100`, cardTypes, ""},
		{`type in ["card.created"] ? data.amount > 100 : data.reason == "lost"`, cardTypes, ""},
		{`type.endsWith(".created") && data.amount > 100 || type.endsWith(".closed") && data.reason == "lost"`, cardTypes, ""},
		{`data.amount > 100 && type == "card.created"`, cardTypes, "filter must not use data.amount, which does not exist in card.closed (line 1, column 1)"},
		{`has(data.amount) && data.amount > 100`, cardTypes, ""},
		{`!has(data.amount) || data.amount > 100`, cardTypes, ""},
		{`has(data.amont) && data.amont > 100`, created, "filter must not use data.amont, which does not exist in card.created (did you mean \"amount\"?) (line 1, column 5)"},
		{`has(data.amont)`, slices.Concat(cardTypes, without), ""},
		{`data["amont"] > 100`, created, ""},
		{`data.anything.at.all == 1`, created, ""},
		{`data.metadata.order == "1"`, created, ""},
		{`data.holder.name == "Ada" && data.holder.country == "GB"`, created, ""},
		{`data.holder.age > 18`, created, "filter must not use data.holder.age, which does not exist in card.created (line 1, column 1)"},
		{`data.amount == "100"`, created, "filter must not compare data.amount with \"100\", because they are a number and a string in card.created (line 1, column 1)"},
		{`data.id > 5`, created, "filter must not compare data.id with 5, because they are a string and a number in card.created (line 1, column 1)"},
		{`data.limit == null || data.limit > 5`, created, ""},
		{`data.amount == null`, created, ""},
		{`data.state == "new"`, created, ""},
		{`data.state == 1`, created, "filter must not compare data.state with 1, because they are a string and a number in card.created (line 1, column 1)"},
		{`data.either == "x" || data.either.a == 1`, created, ""},
		{`data.either > 5`, created, "filter must not compare data.either with 5, because they are a string or an object and a number in card.created (line 1, column 1)"},
		{`data.id.startsWith("card_")`, created, ""},
		{`data.amount.startsWith("1")`, created, "filter must not apply startsWith to data.amount, which is a number in card.created (line 1, column 1)"},
		{`data.id.code == 1`, created, "filter must not use data.id.code, because data.id is a string in card.created (line 1, column 1)"},
		{`data.lines.exists(l, l.sku == "A" && l.n > 1)`, created, ""},
		{`data.lines.exists(l, l.name == "A")`, created, "filter must not use l.name, which does not exist in card.created (line 1, column 22)"},
		{`data.lines.exists(l, l.sku > 1)`, created, "filter must not compare l.sku with 1, because they are a string and a number in card.created (line 1, column 22)"},
		{`data.lines[0].sku == "A"`, created, ""},
		{`data.lines[0].name == "A"`, created, "filter must not use data.lines[0].name, which does not exist in card.created (line 1, column 1)"},
		{`data.id.exists(c, c == "a")`, created, "filter must not apply a macro to data.id, which is a string in card.created (line 1, column 1)"},
		{`"a" in data.id`, created, "filter must not apply in to data.id, which is a string in card.created (line 1, column 8)"},
		{"data.id == 'x' &&\n  data.amont > 5", created, "filter must not use data.amont, which does not exist in card.created (did you mean \"amount\"?) (line 2, column 3)"},
	} {
		_, err := filter.New(tc.text, tc.types)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.text, got, tc.want)
		}
	}
}

func TestNewNamesAllFaults(t *testing.T) {
	t.Parallel()
	_, err := filter.New(`data.a == 1 && data.b == 2 && data.id == 3`, cardTypes)
	var known *bellwire.Error
	if !errors.As(err, &known) || known.Code != bellwire.CodeInvalid || known.Field != "filter" {
		t.Fatalf("got %v, want faults of the filter", err)
	}
	if len(known.Faults) != 5 { // at most
		t.Errorf("%d faults, want 5: %s", len(known.Faults), known.Summary())
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ text, want string }{
		{"", "must not be blank"},
		{" \n", "must not be blank"},
		{"\xff", "must be UTF-8"},
		{"true\x00", "without NUL"},
		{strings.Repeat(" ", limits.FilterBytes) + "x", "must have at most 4,096 bytes, but has 4,097"},
		{"data.amount >", "filter cannot be used: it ends too early (line 1, column 14)"},
		{"data.amount = 1", "(line 1, column 13)"},
		{"data.amount > 1 1", "unexpected '1'"},
		{"amount > 100", `must not use "amount", which is not a variable; the variables are type, data, id, occurred_at (line 1, column 1)`},
		{"data.amount.sqrt() > 1", `must not use "sqrt", which is not a known function (line 1, column 17)`},
		{`"text"`, "must be true or false, such as data.amount > 100, but is of the type string"},
		{"data.a + 1", ""},
		{"1 + 1", "but is of the type int"},
		{`type > 5`, "no matching overload"},
		{`b"x" == b"y"`, "must not use bytes"},
		{`data.a.matches(data.b)`, "must give the pattern of matches as text"},
		{`data.a.matches("(")`, "has a pattern that is not a regular expression of RE2"},
		{`data.a.matches("(a{1000})b")`, "must not have patterns as large as this"},
		{`data.a.matches("((a{30}){30}){1000}")`, "pattern"},
		{strings.Repeat(`data.a.matches("x{99}") || `, 20) + "true", "must not have patterns as large as this"},
		{`occurred_at.getHours("Mars") == 1`, "must give a time zone to getHours"},
		{`occurred_at.getHours("Local") == 1`, "must give a time zone to getHours"},
		{`occurred_at.getHours(type) == 1`, "must give the time zone of getHours as text"},
		{strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200), "recursion limit exceeded: 60"},
		{strings.Repeat("!", 200) + "true", ""},
		{"true" + strings.Repeat(" || data.a", 300), "500"},
		{`google.protobuf.Duration{seconds: 1} == duration("1s")`, "must not make messages"},
		{`data.m.exists(k, v, v == 1)`, ""},
	} {
		_, err := filter.New(tc.text, nil)
		switch {
		case tc.want == "" && err == nil:
		case bellwire.CodeOf(err) != bellwire.CodeInvalid || !strings.Contains(err.Error(), tc.want) || len(err.Error()) > 2000:
			t.Errorf("%.80s: %v, want %s", tc.text, err, tc.want)
		}
	}
}

func TestSchemasThatReferToThemselves(t *testing.T) {
	t.Parallel()
	types := []*bellwire.EventType{{Name: "tree", Schema: []byte(`{"$ref": "#/$defs/node", "$defs": {"node": {
		"type": "object", "properties": {"value": {"type": "number"}, "left": {"$ref": "#/$defs/node"}, "loop": {"$ref": "#/$defs/a"}}},
		"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}}`)}}
	if _, err := filter.New(`data.left.left.value > 1 && data.loop.x == 1`, types); err != nil {
		t.Error(err)
	}
	if _, err := filter.New(`data.left.left.valu > 1`, types); err == nil {
		t.Error("a field that does not exist was accepted")
	}
}
