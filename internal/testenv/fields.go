package testenv

import (
	"iter"
	"reflect"
	"strings"
	"testing"
	"time"
)

// longText is the text that Changed puts into fields: as long as what must be counted.
var longText = strings.Repeat("changed ", 16)

// Changed returns, for each field of a struct, the field's name and a copy of base in which that field alone has another value, such
// as a long text. So a test fails when a field is added to the struct and something that must know all fields does not know it.
func Changed[T any](t testing.TB, base T) iter.Seq2[string, *T] {
	t.Helper()
	return func(yield func(string, *T) bool) {
		for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
			if field.Anonymous || !field.IsExported() {
				continue
			}
			changed := base
			change(t, field.Name, reflect.ValueOf(&changed).Elem().FieldByIndex(field.Index))
			if !yield(field.Name, &changed) {
				return
			}
		}
	}
}

// change gives v another value.
func change(t testing.TB, name string, v reflect.Value) {
	t.Helper()
	switch v.Kind() {
	case reflect.String:
		v.SetString(longText)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 7e9)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(v.Uint() + 7)
	case reflect.Float64:
		v.SetFloat(v.Float() + 7.5)
	case reflect.Pointer:
		made := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			made.Elem().Set(v.Elem())
		}
		change(t, name, made.Elem())
		v.Set(made)
	case reflect.Slice:
		made := reflect.New(v.Type().Elem()).Elem()
		change(t, name, made)
		v.Set(reflect.Append(reflect.MakeSlice(v.Type(), 0, 1), made))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		change(t, name, key)
		change(t, name, value)
		made := reflect.MakeMap(v.Type())
		made.SetMapIndex(key, value)
		v.Set(made)
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			*at = at.Add(7 * time.Second)
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				change(t, name, v.Field(i))
			}
		}
	default:
		t.Fatalf("the field %s is a %s, which this function cannot change", name, v.Kind())
	}
}
