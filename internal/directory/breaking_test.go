package directory_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
)

func TestBreaks(t *testing.T) {
	t.Parallel()
	const before = `{"type": "object", "required": ["id", "amount"], "additionalProperties": false, "properties": {
		"id": {"type": "string", "maxLength": 20}, "amount": {"type": "number", "minimum": 0}, "note": {"type": ["string", "null"]},
		"kind": {"enum": ["a", "b"]}, "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
		"who": {"anyOf": [{"type": "string"}, {"type": "object", "required": ["name"]}]}},
		"$defs": {"line": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}}}`
	for name, c := range map[string]struct{ replace, with, want string }{
		"nothing":                 {"", "", ""},
		"a description":           {`"id": {`, `"id": {"description": "new", `, ""},
		"a new field":             {`"id": {`, `"new": {"type": "string"}, "id": {`, ""},
		"open":                    {`"additionalProperties": false`, `"additionalProperties": true`, ""},
		"one more is required":    {`["id", "amount"]`, `["id", "amount", "note"]`, ""},
		"narrower":                {`["string", "null"]`, `"string"`, ""},
		"an integer":              {`"type": "number"`, `"type": "integer"`, ""},
		"tighter":                 {`"maxLength": 20`, `"maxLength": 10`, ""},
		"fewer values":            {`["a", "b"]`, `["b"]`, ""},
		"one alternative":         {`{"type": "object", "required": ["name"]}`, `{"type": "object", "required": ["name", "age"]}`, ""},
		"referenced, not inlined": {`"id": {"type": "string", "maxLength": 20}`, `"id": {"$ref": "#/$defs/id"}`, "data.id was always of the type string"},
		"removed":                 {`"note": {"type": ["string", "null"]},`, ``, "data.note was removed"},
		"renamed":                 {`"id": {`, `"ident": {`, "data.id was removed"},
		"not required":            {`["id", "amount"]`, `["id"]`, "data.amount was always there, and may now be missing"},
		"another type":            {`"amount": {"type": "number"`, `"amount": {"type": "string"`, "data.amount was always of the type number"},
		"a type more":             {`"amount": {"type": "number"`, `"amount": {"type": ["number", "null"]`, "may now be of the type null"},
		"no type":                 {`"amount": {"type": "number",`, `"amount": {`, "data.amount was always of the type number"},
		"wider":                   {`"maxLength": 20`, `"maxLength": 30`, "data.id is not kept to its maxLength of 20 any more"},
		"unbounded":               {`, "minimum": 0`, ``, "data.amount is not kept to its minimum of 0 any more"},
		"more values":             {`["a", "b"]`, `["a", "b", "c"]`, "data.kind may now have other values"},
		"deep":                    {`"required": ["sku"]`, `"required": []`, "data.lines[].sku was always there"},
		"another alternative":     {`{"type": "string"}, {"type": "object"`, `{"type": "number"}, {"type": "object"`, "data.who may now be something else"},
		"items are open":          {`, "items": {"$ref": "#/$defs/line"}`, ``, "data.lines[] is not described any more"},
		"the whole type":          {`{"type": "object", "required": ["id"`, `{"type": ["object", "array"], "required": ["id"`, "data was always of the type object"},
	} {
		after := strings.Replace(before, c.replace, c.with, 1)
		if c.replace != "" && after == before {
			t.Errorf("%s: the schema has no %s", name, c.replace)
		}
		err := directory.Breaks([]byte(before), []byte(after))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var broken *bellwire.Error
		if !errors.As(err, &broken) || broken.Code != bellwire.CodeBreaking || !strings.Contains(broken.Summary(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := directory.Breaks(nil, []byte(before)); err != nil {
		t.Error("a schema after none:", err)
	}
	if err := directory.Breaks([]byte(before), nil); bellwire.CodeOf(err) != bellwire.CodeBreaking {
		t.Error("no schema any more:", err)
	}
	inlined := strings.Replace(before, `{"$ref": "#/$defs/line"}`, `{"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}}`, 1)
	if err := directory.Breaks([]byte(before), []byte(inlined)); err != nil {
		t.Error("inlined:", err)
	}
	if err := directory.Breaks([]byte(inlined), []byte(before)); err != nil {
		t.Error("moved to $defs:", err)
	}
	recursive := `{"type": "object", "properties": {"next": {"$ref": "#"}, "x": {"type": "string"}}}`
	if err := directory.Breaks([]byte(recursive), []byte(strings.Replace(recursive, `"string"`, `"string", "title": "X"`, 1))); err != nil {
		t.Error("recursive:", err)
	}
}

// TestBreaksBehindReferences: a guarantee that is written elsewhere in the schema must be kept as well, and one that the comparison
// cannot see counts as lost.
func TestBreaksBehindReferences(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, after, want string }{
		"anchor": {`{"$ref": "#money", "$defs": {"m": {"$anchor": "money", "type": "string"}}}`,
			`{"$ref": "#money", "$defs": {"m": {"$anchor": "money", "type": "number"}}}`, "data was always of the type string"},
		"anchor, narrower": {`{"$ref": "#money", "$defs": {"m": {"$anchor": "money", "type": "string"}}}`,
			`{"$ref": "#money", "$defs": {"m": {"$anchor": "money", "type": "string", "maxLength": 3}}}`, ""},
		"anchor, instead of a pointer": {`{"$ref": "#/$defs/m", "$defs": {"m": {"$anchor": "money", "type": "string"}}}`,
			`{"$ref": "#money", "$defs": {"m": {"$anchor": "money", "type": "string"}}}`, ""},
		"percent-encoded": {`{"$ref": "#/$defs/a%20b", "$defs": {"a b": {"type": "string"}}}`,
			`{"$ref": "#/$defs/a%20b", "$defs": {"a b": {"type": "number"}}}`, "data was always of the type string"},
		"in a list": {`{"$ref": "#/$defs/l/allOf/1", "$defs": {"l": {"allOf": [true, {"type": "string"}]}}}`,
			`{"$ref": "#/$defs/l/allOf/1", "$defs": {"l": {"allOf": [true, {"type": "number"}]}}}`, "data was always of the type string"},
		"by the URL of the schema": {`{"$id": "https://example.com/a", "$ref": "https://example.com/a#/$defs/x", "$defs": {"x": {"type": "string"}}}`,
			`{"$id": "https://example.com/a", "$ref": "https://example.com/a#/$defs/x", "$defs": {"x": {"type": "number"}}}`, "which the comparison cannot follow"},
		"$id of a part": {`{"$ref": "#/$defs/x", "$defs": {"x": {"$id": "https://example.com/x", "$ref": "#/$defs/y", "$defs": {"y": {"type": "string"}}}, "y": true}}`,
			`{"$ref": "#/$defs/x", "$defs": {"x": {"$id": "https://example.com/x", "$ref": "#/$defs/y", "$defs": {"y": {"type": "number"}}}, "y": true}}`,
			"an $id of a part, which cannot be compared"},
		"$dynamicRef": {`{"$dynamicRef": "#x", "$defs": {"x": {"$dynamicAnchor": "x", "type": "string"}}}`,
			`{"$dynamicRef": "#x", "$defs": {"x": {"$dynamicAnchor": "x", "type": "number"}}}`, "a $dynamicRef"},
		"another draft":  {`{"type": "string"}`, `{"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"}`, "another draft"},
		"the same draft": {`{"type": "string"}`, `{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "string", "title": "A"}`, ""},
		"beside a $ref of an old draft": {`{"$schema": "http://json-schema.org/draft-07/schema#", "type": "string"}`,
			`{"$schema": "http://json-schema.org/draft-07/schema#", "type": "string", "$ref": "#/definitions/x", "definitions": {"x": true}}`,
			"data was always of the type string"},
		"any more": {`{"$ref": "#money", "$defs": {"m": {"$anchor": "money", "type": "string"}}}`, ``, "data was always of the type string"},
	} {
		t.Run(name, func(t *testing.T) { wantBroken(t, c.before, c.after, c.want) })
	}
	for keyword, format := range map[string]string{
		"patternProperties": `{"^a": %s}`, "not": `%s`, "dependentSchemas": `{"a": %s}`, "propertyNames": `{"not": %s}`, "contains": `%s`,
		"unevaluatedItems": `%s`, "unevaluatedProperties": `%s`, "additionalProperties": `%s`, "if": `%s, "then": {"type": "string"}`, "items": `%s`,
	} {
		t.Run(keyword, func(t *testing.T) {
			with := func(ref, target string) string {
				return fmt.Sprintf(`{%q: `+format+`, "$defs": {"x": %s, "y": {"type": "string"}}}`, keyword, `{"$ref": "`+ref+`"}`, target)
			}
			before := with("#/$defs/x", `{"type": "string"}`)
			wantBroken(t, before, with("#/$defs/x", `{"type": "number"}`), "data")
			wantBroken(t, before, with("#/$defs/y", `{"type": "number"}`), "")
		})
	}
}

// TestBreaksByOtherKeywords: what one keyword guarantees can be taken by another one.
func TestBreaksByOtherKeywords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ before, after, want string }{
		"prefixItems before items": {`{"items": {"type": "string"}}`, `{"items": {"type": "string"}, "prefixItems": [{"type": "number"}]}`,
			"data[0] was always of the type string"},
		"prefixItems before items, narrower": {`{"items": {"type": "string"}}`,
			`{"items": {"type": "string"}, "prefixItems": [{"type": "string", "maxLength": 3}]}`, ""},
		"items instead of prefixItems": {`{"prefixItems": [{"type": "string"}]}`, `{"items": {"type": "string"}}`, ""},
		"a field of a map":             {`{"additionalProperties": {"type": "string"}}`, `{"additionalProperties": {"type": "string"}, "properties": {"a": {"type": "number"}}}`, "data.a was always"},
		"fields of a map": {`{"additionalProperties": {"type": "string"}}`, `{"additionalProperties": {"type": "string"}, "patternProperties": {"^a": {"type": "number"}}}`,
			"data.* was always"},
		"then without its if":         {`{"if": {"minimum": 1}, "then": {"maximum": 2}}`, `{"if": {"minimum": 1}, "allOf": [{"then": {"maximum": 2}}]}`, "another if"},
		"contains, none":              {`{"contains": {"type": "string"}}`, `{"contains": {"type": "string"}, "minContains": 0}`, "another contains"},
		"contains, several":           {`{"contains": {"minimum": 1, "maximum": 2}}`, `{"contains": {"minimum": 1}, "allOf": [{"contains": {"maximum": 2}}]}`, "another contains"},
		"contains, narrower":          {`{"contains": {"type": "string"}}`, `{"contains": {"type": "string", "maxLength": 3}}`, ""},
		"false among several":         {`{"anyOf": [false, {"type": "string"}]}`, `{"anyOf": [{"type": "number"}]}`, "may now be something else"},
		"no more items":               {`{"prefixItems": [true], "items": false}`, `{"prefixItems": [true], "items": true}`, "data[] was never there"},
		"a field that was forbidden":  {`{"properties": {"a": false}}`, `{"properties": {"a": {"type": "string"}}}`, ""},
		"a huge bound":                {`{"type": "number", "maximum": 1e400}`, `{"type": "string"}`, "data was always of the type number"},
		"a bound beyond 53 bits":      {`{"minimum": 9007199254740993}`, `{"minimum": 9007199254740992}`, "is not kept to its minimum of 9007199254740993"},
		"a number written otherwise":  {`{"const": 1, "minimum": 1}`, `{"const": 1.0, "minimum": 10e-1}`, ""},
		"exclusiveMinimum of draft 4": {`{"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": true}`, `{"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1}`, "another exclusiveMinimum"},
		"items of draft 7":            {`{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}`, `{"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "number"}]}`, "another items"},
	} {
		t.Run(name, func(t *testing.T) { wantBroken(t, c.before, c.after, c.want) })
	}
}

// wantBroken checks what a change breaks: nothing, if want is empty.
func wantBroken(t *testing.T, before, after, want string) {
	t.Helper()
	for _, schema := range []string{before, after} {
		if _, err := directory.CompileType(&bellwire.EventType{Name: "a", Schema: []byte(schema)}); err != nil {
			t.Fatal(schema, err)
		}
	}
	err := directory.Breaks([]byte(before), []byte(after))
	var broken *bellwire.Error
	switch errors.As(err, &broken); {
	case want == "" && err != nil:
		t.Errorf("%s after %s: %v", after, before, err)
	case want != "" && (broken == nil || broken.Code != bellwire.CodeBreaking || !strings.Contains(broken.Summary(), want)):
		t.Errorf("%s after %s: %v, want %q", after, before, err, want)
	}
}
