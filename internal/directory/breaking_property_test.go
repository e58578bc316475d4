package directory_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
)

// drawn draws schemas and data over few names, numbers and texts, so that they often have to do with each other.
type drawn struct{ *rapid.T }

func (t drawn) of(names ...string) string { return rapid.SampledFrom(names).Draw(t.T, "of") }
func (t drawn) number(most int) int       { return rapid.IntRange(0, most).Draw(t.T, "number") }

// keywords are those that are drawn. What is more than once is drawn more often.
var keywords = []string{
	"type", "type", "enum", "const", "required", "properties", "properties", "additionalProperties", "patternProperties", "propertyNames",
	"items", "items", "prefixItems", "contains", "minContains", "maxContains", "anyOf", "oneOf", "allOf", "not", "if", "then", "else", "minimum",
	"maximum", "minLength", "maxItems", "minItems", "$ref", "$ref", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties",
}

func (t drawn) schema(depth int) any {
	if kind := t.number(9); kind == 0 || depth == 0 && kind < 4 {
		return kind%2 == 0
	}
	schema := map[string]any{}
	for range 1 + t.number(1) {
		keyword := rapid.SampledFrom(keywords).Draw(t.T, "keyword")
		schema[keyword] = t.value(keyword, depth-1)
	}
	return schema
}

func (t drawn) schemas(depth int) []any {
	list := []any{t.schema(depth)}
	for range t.number(1) {
		list = append(list, t.schema(depth))
	}
	return list
}

func (t drawn) value(keyword string, depth int) any {
	depth = max(depth, 0)
	switch keyword {
	case "type":
		return t.of("integer", "number", "string", "array", "object", "null")
	case "enum":
		return []any{t.data(0), t.data(0)}
	case "const":
		return t.data(0)
	case "required":
		return []any{t.of("a", "b")}
	case "properties", "dependentSchemas":
		return map[string]any{t.of("a", "b"): t.schema(depth)}
	case "patternProperties":
		return map[string]any{t.of("a", "b|c"): t.schema(depth)}
	case "prefixItems", "anyOf", "oneOf", "allOf":
		return t.schemas(depth)
	case "minimum", "maximum", "minLength", "maxItems", "minItems", "minContains", "maxContains":
		return t.number(3)
	case "$ref":
		return t.of("#/$defs/x", "#/$defs/y%20z", "#x", "#/$defs/list/allOf/0")
	}
	return t.schema(depth)
}

// document returns a schema with definitions, some of them with another schema than those of before.
func (t drawn) document(root any, before map[string]any) map[string]any {
	definitions := map[string]any{
		"x":    map[string]any{"$anchor": "x", t.of("not", "items"): t.leaf()},
		"y z":  t.leaf(),
		"list": map[string]any{"allOf": []any{t.leaf()}},
	}
	for name := range definitions {
		if before != nil && t.number(2) > 0 {
			definitions[name] = before[name]
		}
	}
	document, ok := root.(map[string]any)
	if !ok {
		document = map[string]any{"allOf": []any{root}}
	}
	document["$defs"] = definitions
	return document
}

func (t drawn) leaf() any {
	keyword := t.of("type", "enum", "minimum", "required")
	return map[string]any{keyword: t.value(keyword, 0)}
}

// changed returns a copy of a schema with a change at some places.
func (t drawn) changed(schema any, depth int) any {
	if t.number(3) == 0 {
		switch t.number(3) {
		case 0:
			return t.schema(depth)
		case 1:
			return map[string]any{"allOf": []any{schema, t.schema(depth)}}
		}
	}
	object, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	made := maps.Clone(object)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		switch value := object[name].(type) {
		case map[string]any:
			if name != "properties" && name != "patternProperties" && name != "dependentSchemas" {
				made[name] = t.changed(value, depth-1)
				continue
			}
			members := maps.Clone(value)
			for _, member := range slices.Sorted(maps.Keys(value)) {
				members[member] = t.changed(value[member], depth-1)
			}
			made[name] = members
		case []any:
			if name == "prefixItems" || name == "anyOf" || name == "oneOf" || name == "allOf" {
				made[name] = append(slices.Clone(value), t.schema(max(depth-1, 0)))
			}
		}
	}
	if t.number(1) == 0 {
		keyword := rapid.SampledFrom(keywords).Draw(t.T, "keyword")
		made[keyword] = t.value(keyword, depth-1)
	}
	return made
}

func (t drawn) data(depth int) any {
	switch kind := t.number(5); {
	case kind == 0:
		return nil
	case kind == 1:
		return t.of("", "a", "ab")
	case kind == 2 || depth == 0:
		return t.number(3)
	case kind == 3:
		list := []any{}
		for range t.number(3) {
			list = append(list, t.data(depth-1))
		}
		return list
	}
	object := map[string]any{}
	for range t.number(2) {
		object[t.of("a", "b", "c")] = t.data(depth - 1)
	}
	return object
}

// guaranteed returns what a schema guarantees readers: that there are no more fields, or that no other alternative fits, is not among it.
func guaranteed(schema any) any {
	switch schema := schema.(type) {
	case map[string]any:
		made := map[string]any{}
		for name, value := range schema {
			switch {
			case (name == "additionalProperties" || name == "unevaluatedProperties") && value == false:
			case name == "not" || name == "if" || name == "enum" || name == "const":
				made[name] = value
			case name == "oneOf":
				all, _ := made["allOf"].([]any)
				made["allOf"] = append(all, map[string]any{"anyOf": guaranteed(value)})
			case name == "allOf":
				all, _ := made["allOf"].([]any)
				made["allOf"] = append(all, guaranteed(value).([]any)...)
			case name == "properties":
				made[name] = map[string]any{}
				for member, sub := range value.(map[string]any) {
					if made[name].(map[string]any)[member] = guaranteed(sub); sub == false {
						made[name].(map[string]any)[member] = true
					}
				}
			default:
				made[name] = guaranteed(value)
			}
		}
		return made
	case []any:
		made := make([]any, len(schema))
		for i, item := range schema {
			made[i] = guaranteed(item)
		}
		return made
	}
	return schema
}

func compiled(t *rapid.T, schema any) (json.RawMessage, *directory.CompiledType) {
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	made, err := directory.CompileType(&bellwire.EventType{Name: "a", Schema: text})
	if err != nil {
		t.Skip(err) // such as one that refers to itself
	}
	return text, made
}

// TestAcceptedChangesBreakNothing: data that fits the schema after a change that is accepted keeps what the schema before guaranteed.
func TestAcceptedChangesBreakNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		draw := drawn{r}
		was := draw.document(draw.schema(2), nil)
		is := draw.document(draw.changed(was, 2), was["$defs"].(map[string]any))
		before, _ := compiled(r, was)
		after, now := compiled(r, is)
		if directory.Breaks(before, after) != nil {
			return
		}
		text, promised := compiled(r, guaranteed(was))
		for range 10 {
			data, err := json.Marshal(draw.data(2))
			if err != nil {
				r.Fatal(err)
			}
			if now.ValidateAs("data", data) != nil {
				continue
			}
			if err := promised.ValidateAs("data", data); err != nil {
				r.Fatalf("%s\nwas accepted after\n%s\nwhich guarantees\n%s\nbut %s: %v", after, before, text, data, err)
			}
		}
	})
}
