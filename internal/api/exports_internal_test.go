package api

import (
	"reflect"
	"strings"
	"testing"
)

// TestExportsHaveAllSettings fails while an export leaves out a setting that an endpoint can be created with: a move to another server
// would lose it.
func TestExportsHaveAllSettings(t *testing.T) {
	t.Parallel()
	exported := make(map[string]bool)
	for _, name := range jsonNames(reflect.TypeFor[exportedEndpoint]()) {
		exported[name] = true
	}
	settings := jsonNames(reflect.TypeFor[NewEndpoint]())
	if len(settings) < 20 {
		t.Fatalf("an endpoint has only the settings %q", settings)
	}
	for _, name := range settings {
		if !exported[name] && name != "secret" { // secrets has it
			t.Errorf("an export does not have %s", name)
		}
	}
}

// jsonNames returns the names of a struct's fields in JSON.
func jsonNames(of reflect.Type) (names []string) {
	for field := range of.Fields() {
		if field.Anonymous {
			names = append(names, jsonNames(field.Type)...)
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
