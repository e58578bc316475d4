package service

import (
	"reflect"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// differing returns an error unless all fields are equal.
func differing(kind string, stored, given map[string]any, but ...string) error {
	var names []string
	for name, value := range given {
		if slices.Contains(but, name) {
			continue
		}
		same, err := equalFields(stored[name], value)
		if err != nil {
			return err
		}
		if !same && !(isNothing(stored[name]) && isNothing(value)) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return bellwire.Errorf(bellwire.CodeConflict, "the %s exists and differs in %s; an import changes nothing that exists", kind, strings.Join(names, ", "))
}

// isNothing reports whether a field is nil, or an empty map or list.
func isNothing(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Map, reflect.Slice:
		return r.Len() == 0
	case reflect.Pointer:
		return r.IsNil()
	}
	return false
}
