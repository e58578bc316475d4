package service

import (
	"reflect"
	"slices"
	"testing"

	"github.com/bellwire/bellwire/internal/bellwire"
	"github.com/bellwire/bellwire/internal/dialect/standard"
)

// TestCompleted: a PUT replaces every setting that EndpointInput has, except those that stay.
func TestCompleted(t *testing.T) {
	t.Parallel()
	s := &Service{dialects: map[string]bellwire.Dialect{standard.Name: standard.Dialect{}}}
	in, err := s.completed(t.Context(), &bellwire.Endpoint{Dialect: standard.Name}, EndpointInput{held: new(bellwire.Limits), URL: new(string), Events: new([]string)})
	if err != nil {
		t.Fatal(err)
	}
	if !in.NoRateLimit {
		t.Error("the rate limit stays")
	}
	stay := []string{"Dialect", "Status", "StatusReason", "Secret", "Extra", "Origins", "RateLimit"}
	v := reflect.ValueOf(*in)
	for _, field := range reflect.VisibleFields(v.Type()) {
		if f := v.FieldByIndex(field.Index); field.IsExported() && f.Kind() == reflect.Pointer && f.IsNil() && !slices.Contains(stay, field.Name) {
			t.Errorf("%s stays as it is", field.Name)
		}
	}
}
