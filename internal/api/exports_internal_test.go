package api

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/service"
	"github.com/bellwire/bellwire/internal/testenv"
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

// ExportedFields returns the names of an endpoint's fields in an export.
func ExportedFields() []string { return jsonNames(reflect.TypeFor[exportedEndpoint]()) }

// unshown are the fields of an endpoint that answers leave out: they are secret, the dialect's or the store's.
var unshown = []string{"Sealed", "Extra", "Catalogue", "Revision", "Deleted"}

// TestEndpointsAreShownWhole fails while answers leave out a field of an endpoint.
func TestEndpointsAreShownWhole(t *testing.T) {
	t.Parallel()
	shown := func(ep bellwire.Endpoint) string {
		text, err := json.Marshal(wireEndpoint(&service.Endpoint{Endpoint: ep}))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	before := shown(bellwire.Endpoint{})
	for field, changed := range testenv.Changed(t, bellwire.Endpoint{}) {
		if shown(*changed) == before && !slices.Contains(unshown, field) {
			t.Errorf("the field %s is not shown", field)
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
