package service

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/directory"
)

func TestOperationalTypes(t *testing.T) {
	t.Parallel()
	types, err := operationalTypes()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, eventType := range types {
		names = append(names, eventType.Name)
		t.Run(eventType.Name, func(t *testing.T) {
			compiled, err := directory.CompileType(eventType)
			if err != nil {
				t.Fatal(err)
			}
			if err := compiled.CheckCost(); err != nil {
				t.Error(err)
			}
			if err := compiled.ValidateAs("example", eventType.Example); err != nil {
				t.Error(err)
			}
			if err := compiled.ValidateAs("example", []byte(`{"at":"2026-01-02T03:04:05Z"}`)); bellwire.CodeOf(err) != bellwire.CodeInvalid {
				t.Errorf("an object without a tenant: %v", err)
			}
			var schema, example map[string]any
			if err := json.Unmarshal(eventType.Schema, &schema); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(eventType.Example, &example); err != nil {
				t.Fatal(err)
			}
			known := fieldsIn("", schema)
			for name := range example {
				if _, ok := known[name]; !ok {
					t.Errorf("the example has %q, which the schema does not", name)
				}
			}
		})
	}
	if !slices.Equal(names, bellwire.OperationalTypes) {
		t.Errorf("the catalogue has %q, want %q", names, bellwire.OperationalTypes)
	}
}

// fieldsIn returns the paths of the fields that a schema describes, and whether each is always there.
func fieldsIn(prefix string, schema map[string]any) map[string]bool {
	paths := make(map[string]bool)
	if items, ok := schema["items"].(map[string]any); ok {
		return fieldsIn(strings.TrimSuffix(prefix, ".")+"[].", items)
	}
	properties, _ := schema["properties"].(map[string]any)
	required, _ := schema["required"].([]any)
	for name, field := range properties {
		paths[prefix+name] = slices.Contains(required, any(name))
		maps.Copy(paths, fieldsIn(prefix+name+".", field.(map[string]any)))
	}
	return paths
}

// The tables of docs/operational-events.md list each type with its description and fields, and each field of those.
func TestOperationalDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/operational-events.md")
	if err != nil {
		t.Fatal(err)
	}
	types, err := operationalTypes()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	all := make(map[string]bool)
	for _, eventType := range types {
		var schema map[string]any
		if err := json.Unmarshal(eventType.Schema, &schema); err != nil {
			t.Fatal(err)
		}
		required := schema["required"].([]any)
		var names []string
		for _, name := range required {
			if name != "at" && name != "tenant" { // which all have
				names = append(names, fmt.Sprintf("`%s`", name))
			}
		}
		for _, name := range slices.Sorted(maps.Keys(schema["properties"].(map[string]any))) {
			if !slices.Contains(required, any(name)) {
				names = append(names, fmt.Sprintf("`%s`?", name))
			}
		}
		want = append(want, fmt.Sprintf("| `%s` | %s | %s |", eventType.Name, eventType.Description, strings.Join(names, ", ")))
		for path, always := range fieldsIn("", schema) {
			if strings.Contains(path, ".") {
				all[path] = always
			}
		}
	}
	for _, line := range want {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("docs/operational-events.md lacks the line\n%s", line)
		}
	}
	for path, always := range all {
		if !always {
			path += "`?"
		} else {
			path += "`"
		}
		if !strings.Contains(string(text), "| `"+path+" |") {
			t.Errorf("docs/operational-events.md lacks a line for `%s", path)
		}
	}
	for line := range strings.Lines(string(text)) {
		name, isField := strings.CutPrefix(line, "| `")
		name, _, _ = strings.Cut(name, "`")
		if isField && strings.Contains(name, ".") && !bellwire.IsOperational(name) {
			if _, known := all[name]; !known {
				t.Errorf("docs/operational-events.md has a line for %q, which no schema has", name)
			}
		}
	}
}
