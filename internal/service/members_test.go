package service

import (
	"reflect"
	"slices"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
)

// TestHistoryHasEachSetting changes each field of an endpoint and of its credentials.
func TestHistoryHasEachSetting(t *testing.T) {
	t.Parallel()
	notSettings := []string{"ID", "Tenant", "Sealed", "CreatedAt", "UpdatedAt", "Revision", "Catalogue", "Deleted"}
	check := func(name string, ep *bellwire.Endpoint, c *bellwire.Credentials) {
		_, after, err := fieldsOf(new(bellwire.Endpoint), new(bellwire.Credentials)).changesTo(fieldsOf(ep, c))
		if err != nil {
			t.Fatal(err)
		}
		if shown := len(after) > 0; shown == slices.Contains(notSettings, name) {
			t.Errorf("a change of %s is shown: %v", name, shown)
		}
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[bellwire.Endpoint]()) {
		ep := new(bellwire.Endpoint)
		fill(reflect.ValueOf(ep).Elem().FieldByIndex(field.Index))
		check(field.Name, ep, new(bellwire.Credentials))
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[bellwire.Credentials]()) {
		c := new(bellwire.Credentials)
		fill(reflect.ValueOf(c).Elem().FieldByIndex(field.Index))
		check(field.Name, new(bellwire.Endpoint), c)
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[bellwire.Auth]()) {
		c := new(bellwire.Credentials)
		fill(reflect.ValueOf(&c.Auth).Elem().FieldByIndex(field.Index))
		check("Auth."+field.Name, new(bellwire.Endpoint), c)
	}
}

// fill sets a value, and all that is in it, to something else than zero.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	}
}
