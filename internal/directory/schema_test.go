package directory_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
)

func compile(t *testing.T, schema string) *directory.CompiledType {
	t.Helper()
	c, err := directory.CompileType(&bellwire.EventType{Name: "order.created", Schema: []byte(schema)})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// check holds err against a field; an empty field means that there must be no error.
func check(t *testing.T, err error, field string) {
	t.Helper()
	if field == "" {
		if err != nil {
			t.Errorf("unexpected error: %v", err)
		}
		return
	}
	e, ok := err.(*bellwire.Error)
	if !ok || e.Code != bellwire.CodeInvalid || e.Field != field {
		t.Errorf("got %v, want CodeInvalid about %s", err, field)
		return
	}
	if len(e.Message) > 500 || len(e.Field) > 200 {
		t.Errorf("too long: %d bytes of message, %d of field", len(e.Message), len(e.Field))
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	const order = `{
		"type": "object", "required": ["amount"], "additionalProperties": false,
		"properties": {
			"amount": {"type": "number", "multipleOf": 0.01, "minimum": 0},
			"items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
			"odd key": {"type": "string"},
			"state": {"enum": ["new", "paid"]},
			"either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
			"tree": {"$ref": "#/$defs/tree"},
			"0": {"type": "string"},
			"never": false
		},
		"$defs": {
			"item": {"type": "object", "properties": {"price": {"type": "integer"}}, "required": ["price"]},
			"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}
		}
	}`
	compiled := compile(t, order)
	tests := []struct{ data, field string }{
		{`{"amount": 1.25}`, ""},
		{`{"amount": 1E2}`, ""},
		{`{"amount": 1e400}`, ""},
		{`{"amount": 1e401}`, "data.amount"},
		{`{"amount": -1E-401}`, "data.amount"},
		{`{"amount": 1e99999999999999999999}`, "data.amount"},
		{`{"amount": 0e999999999}`, "data.amount"},
		{`{"amount": 1` + strings.Repeat("0", 1000) + `}`, "data.amount"},
		{`{"amount": 1, "items": [{"price": 1}, {"price": 1.5}]}`, "data.items[1].price"},
		{`{"amount": 1, "items": [{"price": 1e999}]}`, "data.items[0].price"},
		{`{"amount": 1, "items": [{}]}`, "data.items[0].price"},
		{`{"amount": 1, "odd key": 2}`, `data["odd key"]`},
		{`{"amount": 1, "0": 2}`, "data.0"},
		{`{"amount": 1, "state": "lost"}`, "data.state"},
		{`{"amount": 1, "either": null}`, "data.either"},
		{`{"amount": 1, "never": 1}`, "data.never"},
		{`{"amount": "1"}`, "data.amount"},
		{`{"amount": 0.001}`, "data.amount"},
		{`{"amount": -1}`, "data.amount"},
		{`{}`, "data.amount"},
		{`{"amount": 1, "extra": 1}`, "data.extra"},
		{`[]`, "data"},
		{`null`, "data"},
		{`{"amount": 1} 2`, "data"},
		{`{"amount"`, "data"},
		{`{"amount": 1, "tree": [[[]]]}`, ""},
		{`{"amount": 1, "` + strings.Repeat("é", 500) + `": 1}`, "data." + strings.Repeat("é", 96) + "…"},
	}
	for _, tt := range tests {
		t.Run(tt.data[:min(len(tt.data), 40)], func(t *testing.T) {
			t.Parallel()
			check(t, compiled.Validate([]byte(tt.data)), tt.field)
		})
	}
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	err := compiled.Validate([]byte(`{"amount": 1, "tree": ` + deep + `}`))
	if bellwire.CodeOf(err) != bellwire.CodeInvalid || len(err.Error()) > 700 {
		t.Errorf("deep nesting: %v", err)
	}
}

func TestValidateNamesTheExpectedValue(t *testing.T) {
	t.Parallel()
	compiled := compile(t, `{"properties": {
		"amount": {"type": "number"},
		"either": {"anyOf": [{"type": "string"}, {"type": "object", "properties": {"id": {"type": "integer"}}}]},
		"one": {"oneOf": [{"type": "number"}, {"type": "integer"}]}
	}}`)
	const (
		misfit = ` does not fit the schema of event type "order.created": `
		by     = ` by the schema of event type "order.created"`
	)
	several := compile(t, `{
		"required": ["amount", "currency"], "additionalProperties": false, "minProperties": 1,
		"properties": {"amount": {"type": "number"}, "currency": {"required": ["code"], "type": "object"}}
	}`)
	for data, want := range map[string]string{
		`{}`:               `data` + misfit + `must have at least 1 property, but has 0; data.amount is required` + by + `; data.currency is required` + by,
		`{"currency": {}}`: `data.amount is required` + by + `; data.currency.code is required` + by,
		`{"amount": 1, "currency": {"code": 1}, "x": 1}`: `data.x is not allowed` + by,
	} {
		err, _ := errors.AsType[*bellwire.Error](several.Validate([]byte(data)))
		if err == nil || err.Summary() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for data, want := range map[string]string{
		`{"amount": "1"}`:         `data.amount` + misfit + `must be a number, but is a string`,
		`{"either": {"id": "1"}}`: `data.either` + misfit + `must fit one of the alternatives (must be a string, but is an object; id must be an integer, but is a string)`,
		`{"one": 1}`:              `data.one` + misfit + `must fit only one of the alternatives, but fits several`,
	} {
		err := compiled.Validate([]byte(data))
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Each keyword is explained in words of our own, as what the value must be.
func TestValidateExplainsEveryKeyword(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, data, want string }{
		{`{"type": ["string", "null"]}`, `1`, `must be null or a string, but is a number`},
		{`{"type": ["array", "object", "boolean"]}`, `null`, `must be a boolean, an array or an object, but is null`},
		{`{"enum": ["a", 1, null]}`, `"b"`, `must be "a", 1 or null`},
		{`{"enum": ["` + strings.Repeat("a", 300) + `"]}`, `"b"`, `must be one of the schema's values`},
		{`{"const": {"a": [1.50]}}`, `1`, `must be {"a":[1.50]}`},
		{`{"pattern": "^a$"}`, `"b"`, `must match the pattern "^a$"`},
		{`{"not": {"type": "string"}}`, `"b"`, `must not fit the schema's not`},
		{`{"minimum": 1.5}`, `1`, `must be at least 1.5`},
		{`{"maximum": 1}`, `2`, `must be at most 1`},
		{`{"exclusiveMinimum": 1}`, `1`, `must be greater than 1`},
		{`{"exclusiveMaximum": 1}`, `1`, `must be less than 1`},
		{`{"multipleOf": 0.01}`, `0.001`, `must be a multiple of 0.01`},
		{`{"minLength": 1}`, `""`, `must have at least 1 character, but has 0`},
		{`{"maxLength": 2}`, `"abc"`, `must have at most 2 characters, but has 3`},
		{`{"minItems": 2}`, `[1]`, `must have at least 2 items, but has 1`},
		{`{"maxItems": 1}`, `[1, 2]`, `must have at most 1 item, but has 2`},
		{`{"maxProperties": 0}`, `{"a": 1}`, `must have at most 0 properties, but has 1`},
		{`{"contains": {"const": 1}, "minContains": 2}`, `[1]`, `must have at least 2 items that fit contains, but has 1`},
		{`{"contains": {"const": 1}, "maxContains": 1}`, `[1, 1]`, `must have at most 1 item that fits contains, but has 2`},
		{`{"uniqueItems": true}`, `[1, 2, 1]`, `must not have equal items, but items 0 and 2 are equal`},
		{`{"dependentRequired": {"a": ["b", "c"]}}`, `{"a": 1}`, `must have "b" and "c", because it has "a"`},
		{`false`, `1`, `is not allowed`},
	} {
		t.Run(c.schema[:min(len(c.schema), 40)], func(t *testing.T) {
			t.Parallel()
			err, _ := errors.AsType[*bellwire.Error](compile(t, c.schema).Validate([]byte(c.data)))
			const misfit = `data does not fit the schema of event type "order.created": `
			if err == nil || err.Text() != misfit+c.want {
				t.Errorf("got %v, want %s", err, misfit+c.want)
			}
		})
	}
}

func TestCompileType(t *testing.T) {
	t.Parallel()
	tests := []struct{ schema, field string }{
		{``, ""},
		{`true`, ""},
		{`{}`, ""},
		{`{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/order", "type": "object"}`, ""},
		{`{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}`, ""},
		{`{"$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}}`, ""},
		{`{"type": "no such type"}`, "schema.type"},
		{`{"properties": {"a": {"minimum": "1"}}}`, "schema.properties.a.minimum"},
		{`[]`, "schema"},
		{`"object"`, "schema"},
		{`{`, "schema"},
		{`{"pattern": "("}`, "schema.pattern"},
		{`{"minimum": 1e999999999}`, "schema.minimum"},
		{`{"$ref": "https://example.com/schema.json"}`, "schema"},
		{`{"$ref": "file:///etc/passwd"}`, "schema"},
		{`{"$ref": "/etc/passwd"}`, "schema"},
		{`{"$ref": "other.json"}`, "schema"},
		{`{"$ref": "#/$defs/none"}`, "schema"},
		{`{"$schema": "https://example.com/meta", "type": "object"}`, "schema"},
	}
	for _, tt := range tests {
		t.Run(tt.schema, func(t *testing.T) {
			t.Parallel()
			_, err := directory.CompileType(&bellwire.EventType{Name: "x", Schema: []byte(tt.schema)})
			check(t, err, tt.field)
		})
	}
}

func TestFaultsOfSchemasAreExplained(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		`{"$ref": "#/$defs/none"}`: `schema must not refer to "#/$defs/none", which it does not contain`,
		`{"$ref": "#none"}`:        `schema must not refer to "#none", which it does not contain`,
		`{"$defs": {"a": {"$id": "http://x/y"}, "b": {"$id": "http://x/y"}}}`: `schema must not have the $id "http://x/y" twice`,
		`{"$defs": {"a": {"$anchor": "y"}, "b": {"$anchor": "y"}}}`:           `schema must not have the $anchor "y" twice`,
		`{"$schema": "::"}`: `schema cannot be used as a JSON Schema`,
		`{"$ref": "%zz"}`:   `schema.$ref is not a JSON Schema: must have the format "uri-reference"`,
		`{"pattern": "("}`:  `schema.pattern is not a JSON Schema: must have the format "regex"`,
	} {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			_, err := directory.CompileType(&bellwire.EventType{Name: "x", Schema: []byte(schema)})
			refused, ok := errors.AsType[*bellwire.Error](err)
			if !ok || refused.Text() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestReferenceLoopEnds(t *testing.T) {
	t.Parallel()
	c, err := directory.CompileType(&bellwire.EventType{Name: "x", Schema: []byte(`{"$ref": "#"}`)})
	if err == nil {
		err = c.Validate([]byte(`1`))
	}
	if bellwire.CodeOf(err) != bellwire.CodeInvalid {
		t.Errorf("got %v, want CodeInvalid", err)
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.revision = 7
	s.types = []*bellwire.EventType{
		{Name: "good", Schema: []byte(`{"type": "object"}`)},
		{Name: "broken", Schema: []byte(`{"type": 1}`)},
		{Name: "any"},
	}
	d := newDirectory(s)
	for range 2 { // the second time with the schemas that were compiled the first time
		c, err := d.Catalogue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.Revision, c.Len(), c.Names()); got != "7 3 [any broken good]" {
			t.Errorf("got %s", got)
		}
		good, _ := c.Type("good")
		check(t, good.Validate([]byte(`1`)), "data")
		anything, _ := c.Type("any")
		check(t, anything.Validate([]byte(`1e999999999`)), "")
		broken, _ := c.Type("broken")
		if err := broken.Validate([]byte(`1`)); bellwire.CodeOf(err) != bellwire.CodeInternal {
			t.Errorf("broken schema: %v", err)
		}
		if _, known := c.Type("none"); known {
			t.Error("found what is not there")
		}
		d.ForgetCatalogue()
	}
	s.revision = 8
	s.changedTypes = []*bellwire.EventType{{Name: "good", Schema: []byte(`{"type": "string"}`)}, {Name: "new"}}
	c, err := d.Catalogue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Revision, c.Len(), c.Names()); got != "8 4 [any broken good new]" {
		t.Errorf("after a change: %s", got)
	}
	good, _ := c.Type("good")
	check(t, good.Validate([]byte(`"x"`)), "")
	check(t, good.Validate([]byte(`{}`)), "data")
}

func FuzzValidate(f *testing.F) {
	for _, seed := range []string{`{"a": 1}`, `[1e400, -0.0, "é"]`, `{"a": {"b": [null, 1E-5]}}`, `1e999999999`, `{`} {
		f.Add([]byte(seed))
	}
	compiled, err := directory.CompileType(&bellwire.EventType{Name: "x", Schema: []byte(
		`{"properties": {"a": {"type": "number", "multipleOf": 0.1}}, "additionalProperties": {"uniqueItems": true, "minLength": 2}}`)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := compiled.Validate(data); err != nil {
			e, ok := err.(*bellwire.Error)
			if !ok || e.Code != bellwire.CodeInvalid || !strings.HasPrefix(e.Field, "data") {
				t.Fatalf("got %v", err)
			}
		}
	})
}
