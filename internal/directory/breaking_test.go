package directory_test

import (
	"errors"
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
